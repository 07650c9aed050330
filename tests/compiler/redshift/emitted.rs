//! Statements for Redshift that acca wrote while the tests ran: one of each shape is left below the build folder, where
//! `scripts/check-redshift-grammar` reads them with a grammar that is not ours.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// Longer ones are rows of loads.
const LONGEST: usize = 20_000;

/// Leaves a statement for the other grammar.
pub fn keep(sql: &str) {
    if sql.len() > LONGEST {
        return;
    }
    let mut hasher = DefaultHasher::new();
    shape(sql).hash(&mut hasher);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redshift-statements");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{:016x}.sql", hasher.finish()));
    if !path.exists() {
        // Tests run beside each other: a file is whole or not there.
        let part = folder.join(format!("{:016x}.{}", hasher.finish(), std::process::id()));
        fs::write(&part, sql).unwrap();
        fs::rename(part, path).unwrap();
    }
}

/// The text without its numbers, and without what stands between single quotes.
fn shape(sql: &str) -> String {
    let unquoted = sql.split('\'').step_by(2);
    unquoted.flat_map(|piece| piece.chars().filter(|letter| !letter.is_ascii_digit()).chain(['\''])).collect()
}

#[test]
fn a_shape_has_no_numbers_and_no_texts() {
    assert_eq!(shape("insert into t1 values (1, 'it''s 2')"), shape("insert into t27 values (33, 'a''b')"));
    assert_ne!(shape("select a from t"), shape("select b from t"));
}
