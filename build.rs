//! Lets the binaries find DuckDB's shared library where they are run, without environment variables.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rustc-env=ACCA_SOURCES={:016x}", sources());
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    if env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    let mac = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    let folder = library_folder();
    let library = folder.join(if mac { "libduckdb.dylib" } else { "libduckdb.so" });
    println!("cargo::rerun-if-changed={}", library.display());
    if !library.exists() {
        println!("cargo::error=DuckDB's library is missing: there is no {}", library.display());
        println!("cargo::error=run ./setup once, which fetches it; or build DuckDB in: cargo build --features bundled");
        return;
    }
    // Cargo reads .cargo/config.toml upwards from where it is called; called from elsewhere, nobody else names this folder to the linker.
    println!("cargo::rustc-link-search=native={}", folder.display());
    // First beside the binary and in the usual place of an installation, then where it was built.
    let origin = if mac { "@loader_path" } else { "$ORIGIN" };
    for place in [origin.to_owned(), format!("{origin}/../lib"), folder.display().to_string()] {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{place}");
    }
}

/// A sum of the program's sources: what one build has saved another one does not read.
fn sources() -> u64 {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut sum = DefaultHasher::new();
    for file in files {
        (&file, fs::read(&file).unwrap_or_default()).hash(&mut sum);
    }
    sum.finish()
}

/// The folder that `.cargo/config.toml` or the environment names, otherwise where ./setup puts the library.
fn library_folder() -> PathBuf {
    match env::var_os("DUCKDB_LIB_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join(".duckdb"),
    }
}
