//! Generates the parser of policies from `grammar/`.

fn main() {
    if let Err(error) = lalrpop::Configuration::new()
        .emit_rerun_directives(true)
        .process_dir("grammar")
    {
        eprintln!("grammar: {error}");
        std::process::exit(1);
    }
}
