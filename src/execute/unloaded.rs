//! Files that a model is unloaded to. They lie outside of the transaction that builds it: where that is taken back, they have to go too.

use std::collections::BTreeSet;

use super::AdapterError;
use super::buckets::Buckets;
use super::node::{Outcome, Turn};
use crate::base::bucket_and_key;
use crate::dialect::Engine;
use crate::jinja::Message;

/// What lay at a place before the rows of a model were written there.
pub(super) struct Unloading {
    place: String,
    /// Why nobody could look, else the objects.
    before: Result<BTreeSet<String>, AdapterError>,
}

/// Keeps in mind what is there.
pub(super) fn begin(turn: &Turn<'_>, place: &str, outcome: &mut Outcome) {
    // PostgreSQL's extension writes one file, in the place of the one that is there.
    if turn.job.engine == Engine::Redshift {
        outcome.unloading = Some(Unloading { place: place.to_owned(), before: objects(turn, place) });
    }
}

/// Deletes what has been written since. What was there before stays, as does what no UNLOAD writes.
pub(super) fn take_back(turn: &Turn<'_>, outcome: &mut Outcome) {
    let Some(Unloading { place, before }) = outcome.unloading.take() else { return };
    let deleted = before.and_then(|before| {
        let written = objects(turn, &place)?;
        let buckets = Buckets::of(&turn.job.compilation.project.target)?;
        let new = written.difference(&before).filter(|url| url.strip_prefix(&place).is_some_and(is_of_unload));
        new.into_iter().try_for_each(|url| buckets.delete(url))
    });
    if let Err(error) = deleted {
        let hints = match &error {
            AdapterError::Connection { hints, .. } => hints.join("; "),
            _ => String::new(),
        };
        let text = format!("files of '{}', which was not built, may stay at {place}: {error} ({hints})", turn.node.name);
        outcome.messages.push(Message { warning: true, text });
    }
}

fn objects(turn: &Turn<'_>, place: &str) -> Result<BTreeSet<String>, AdapterError> {
    let Some((bucket, prefix)) = bucket_and_key(place) else { return Ok(BTreeSet::new()) };
    let objects = Buckets::of(&turn.job.compilation.project.target)?.list(bucket, prefix)?;
    Ok(objects.into_iter().map(|object| object.url).collect())
}

/// Whether UNLOAD calls its files so behind the place (`r_UNLOAD`): `0000_part_00.parquet`, `000.gz`, `manifest`; with folders by value
/// in front.
fn is_of_unload(below: &str) -> bool {
    let (folders, file) = below.rsplit_once('/').unwrap_or(("", below));
    let digits = |text: &str| text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = file.split('.').next().unwrap_or("");
    let is_part = match name.split_once("_part_") {
        Some((slice, part)) => digits(slice) && digits(part),
        None => digits(name) || file == "manifest",
    };
    is_part && (folders.is_empty() || folders.split('/').all(|folder| folder.contains('=')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_unload_are_deleted() {
        for file in ["0000_part_00", "0013_part_02.parquet", "000", "000.gz", "manifest", "day=2026-01-01/0000_part_00.parquet"] {
            assert!(is_of_unload(file), "{file}");
        }
        for file in ["", "rows.csv", "part_00", "0000_part_x", "a/0000_part_00", "manifest.json", "_SUCCESS"] {
            assert!(!is_of_unload(file), "{file}");
        }
    }
}
