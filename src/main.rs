use std::process::ExitCode;

fn main() -> ExitCode {
    acca::cli::main()
}
