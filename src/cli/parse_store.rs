//! The saved parse of a project, beside its artefacts.

use std::io::Write;
use std::path::PathBuf;

use crate::artifacts::write_atomically_with;
use crate::compile::Store;

/// dbt keeps its own under `partial_parse.msgpack`; either leaves the other's alone.
pub(super) const FILE_NAME: &str = "partial_parse.acca";

/// The file of a project, in its folder of artefacts.
pub(super) struct ParseStore {
    pub(super) root: PathBuf,
    /// `--no-partial-parse`: what is saved is not read, only replaced.
    pub(super) reads: bool,
    pub(super) saves: bool,
}

impl Store for ParseStore {
    fn program(&self) -> &'static str {
        concat!(env!("CARGO_PKG_VERSION"), " ", env!("ACCA_SOURCES"))
    }

    fn load(&self, target_path: &str) -> Option<Vec<u8>> {
        self.reads.then(|| std::fs::read(self.root.join(target_path).join(FILE_NAME)).ok()).flatten()
    }

    fn save(&self, target_path: &str, parts: &[&[u8]]) {
        let path = self.root.join(target_path).join(FILE_NAME);
        // It only saves time: a folder that cannot be written is told of where artefacts go.
        let _ = write_atomically_with(&path, |file| parts.iter().try_for_each(|part| file.write_all(part)));
    }

    fn saves(&self) -> bool {
        self.saves
    }
}
