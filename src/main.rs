//! The command.
fn main() -> std::process::ExitCode {
    peerage::cli::main()
}
