//! External schemas and tables: clauses that have to be there, and what files do not have (`r_CREATE_EXTERNAL_SCHEMA`,
//! `r_CREATE_EXTERNAL_TABLE`).

use super::Findings;
use super::scan::{Kind, Tokens};
use super::type_names::{columns, definition};

/// Partitions that one statement may add.
const MOST_PARTITIONS: usize = 100;

/// What a schema is from, and the clauses that it needs.
const SCHEMAS: &[(&[&str], &[&str])] = &[
    (&["data", "catalog"], &["database", "iam_role"]),
    (&["hive", "metastore"], &["database", "uri", "iam_role"]),
    (&["postgres"], &["database", "uri", "iam_role", "secret_arn"]),
    (&["mysql"], &["database", "uri", "iam_role", "secret_arn"]),
    (&["kinesis"], &["iam_role"]),
    (&["msk"], &["authentication"]),
    (&["kafka"], &["uri", "authentication"]),
    (&["redshift"], &["database"]),
    // The catalogue is meant where nothing is said.
    (&["database"], &["iam_role"]),
];

/// Functions that give something else each time.
const MUTABLE: &[&str] =
    &["getdate", "sysdate", "now", "random", "timeofday", "clock_timestamp", "current_date", "current_time", "current_timestamp"];

pub(super) fn schema(tokens: &Tokens<'_>, found: &mut Findings) {
    let name = if tokens.are(3, &["if", "not", "exists"]) { 6 } else { 3 };
    let from = name + 2;
    let Some((_, needed)) = SCHEMAS.iter().find(|(words, _)| tokens.are(from, words)).filter(|_| tokens.is(name + 1, "from")) else {
        let help = "write FROM DATA CATALOG, HIVE METASTORE, POSTGRES, MYSQL, KINESIS, MSK or KAFKA";
        return found.refuse(tokens.range(0, name + 1), 214, "an external schema says what it is from", Some(help));
    };
    let fact = if tokens.is_any(from, &["kinesis", "msk", "kafka"]) {
        213
    } else if tokens.is_any(from, &["postgres", "mysql"]) {
        215
    } else {
        214
    };
    for clause in needed.iter().filter(|clause| !(from..tokens.len()).any(|at| tokens.is(at, clause))) {
        found.refuse(tokens.range(0, from), fact, format!("such an external schema needs {}", clause.to_uppercase()), None);
    }
    if tokens.are(from, &["hive", "metastore"]) && (from..tokens.len()).any(|at| tokens.are(at, &["create", "external", "database"])) {
        found.refuse(tokens.range(0, from), 214, "a database of a metastore is not created here", None);
    }
}

pub(super) fn table(tokens: &Tokens<'_>, found: &mut Findings) {
    if tokens.is(3, "if") {
        return found.refuse(tokens.range(3, 5), 214, "IF NOT EXISTS of an external table is not supported", Some("leave it out"));
    }
    if !tokens.is(4, ".") {
        found.refuse(tokens.range(3, 3), 214, "an external table is named with its external schema", None);
    }
    let Some(inside) = definition(tokens) else { return };
    for at in inside.clone() {
        for words in
            [&["not", "null"][..], &["default"], &["encode"], &["primary", "key"], &["unique"], &["distkey"], &["sortkey"], &["references"]]
        {
            if tokens.are(at, words) {
                let message = format!("columns of external tables have no {}", words.join(" ").to_uppercase());
                found.refuse(tokens.range(at, at + words.len() - 1), 214, message, Some("leave it out"));
            }
        }
    }
    for column in columns(tokens) {
        let of = column + 1;
        if tokens.is_any(of, &["timestamptz", "time", "timetz", "geometry", "geography", "hllsketch"])
            || tokens.are(of, &["timestamp", "with", "time"])
        {
            found.refuse(tokens.range(of, of), 214, "files have no columns of such a type", Some("use TIMESTAMP or VARCHAR"));
        }
    }
    let behind = |word: &str| (inside.end..tokens.len()).find(|at| tokens.is(*at, word));
    for (word, message) in [("stored", "an external table says how it is STORED AS"), ("location", "an external table says its LOCATION")] {
        if behind(word).is_none() {
            found.refuse(tokens.range(0, 2), 214, message, None);
        }
    }
    if let Some(at) = behind("location").filter(|at| tokens.get(at + 1).is_some_and(|text| !text.text.starts_with("'s3://"))) {
        found.refuse(tokens.range(at, at + 1), 214, "external tables lie on S3", Some("write LOCATION 's3://bucket/folder/'"));
    }
    let own: Vec<String> = columns(tokens).into_iter().filter_map(|at| tokens.name(at)).collect();
    if let Some(opens) = behind("partitioned").map(|at| at + 2).filter(|at| tokens.is(*at, "(")) {
        for part in tokens.parts(opens + 1..tokens.behind(opens) - 1) {
            if tokens.name(part.start).is_some_and(|name| own.contains(&name)) {
                found.refuse(tokens.range(part.start, part.start), 214, "a partition column is none of the table's own columns", None);
            }
        }
    }
}

/// Whether it is `alter table … add [if not exists] partition`.
pub(super) fn adds_partitions(tokens: &Tokens<'_>) -> bool {
    tokens.are(0, &["alter", "table"])
        && (2..tokens.len().min(12))
            .any(|at| tokens.are(at, &["add", "partition"]) || tokens.are(at, &["add", "if", "not", "exists", "partition"]))
}

pub(super) fn partitions(tokens: &Tokens<'_>, found: &mut Findings) {
    let outer = |at: &usize| tokens.is(*at, "partition") && tokens.get(*at).is_some_and(|token| token.depth == 0);
    let parts: Vec<usize> = (2..tokens.len()).filter(outer).collect();
    if let Some(at) = parts.get(MOST_PARTITIONS) {
        found.refuse(tokens.range(*at, *at), 214, format!("at most {MOST_PARTITIONS} partitions are added at once"), None);
    }
}

/// `materialized-view-create-sql-command`: the warehouse refreshes by itself only what gives the same rows each time.
pub(super) fn refreshed_by_itself(tokens: &Tokens<'_>, found: &mut Findings) {
    if !(0..tokens.len()).any(|at| tokens.are(at, &["auto", "refresh", "yes"])) {
        return;
    }
    for at in 0..tokens.len() {
        if tokens.kind(at) == Some(Kind::Word) && tokens.is_any(at, MUTABLE) && !tokens.is(at.wrapping_sub(1), ".") {
            let message = format!("AUTO REFRESH YES does not go together with {}", tokens.word(at).to_uppercase());
            found.refuse(tokens.range(at, at), 187, message, Some("leave auto_refresh out, or work the time out where the view is read"));
        }
    }
}
