use std::process::ExitCode;

// A project is hundreds of thousands of small texts, made on one thread and read on another: the system's allocator makes the
// threads wait for each other there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    acca::cli::main()
}
