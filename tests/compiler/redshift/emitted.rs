//! Statements for Redshift that acca wrote while the tests ran: one of each shape is left below the build folder, where
//! `scripts/check-redshift-grammar` reads them with a grammar that is not ours.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// Longer ones are rows of loads.
const LONGEST: usize = 20_000;

/// What acca never sends, as it drops what others have made, or loses rows and values without a word.
const NEVER: &[&str] = &[
    "cascade",
    "maxerror",
    "ignoreallerrors",
    "truncatecolumns",
    "acceptanydate",
    "blanksasnull",
    "emptyasnull",
    "fillrecord",
    "cleanpath",
];

/// The word of a statement that acca never sends.
pub fn never(sql: &str) -> Option<&'static str> {
    let shape = shape(sql).to_lowercase();
    let mut words = shape.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.find_map(|word| NEVER.iter().find(|never| **never == word).copied())
}

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

#[test]
fn what_acca_never_sends_is_refused() {
    let service = super::service::DataApi::start();
    let mut session = crate::redshift_target::connected(&service);
    session.execute("create table t (a int)").unwrap();
    let refused = session.execute("drop table t cascade").unwrap_err().to_string();
    assert!(refused.contains("acca never sends CASCADE"), "{refused}");
    assert_eq!(never("copy t from 's3://maxerror/x' iam_role default maxerror 5"), Some("maxerror"));
    assert_eq!(never("copy t from 's3://maxerror/x' iam_role default"), None);
}
