//! The command.

/// Gives memory back that a long list or a reload took, which the system's allocator does not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    peerage::cli::main()
}
