//! Statements that Redshift refuses, each under the row of the list that says so, and statements that it takes.

use std::fs;
use std::path::Path;

use acca::dialect::{Severity, refusals, refusals_in_order};

/// The statements of a list: one a line, comments behind `#`.
fn statements(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiler/redshift/statements").join(file);
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn what_redshift_refuses_is_refused() {
    let list = statements("refused.txt");
    assert!(list.len() >= 60, "{}", list.len());
    let mut wrong = Vec::new();
    for line in &list {
        let (fact, sql) = line.strip_prefix("fact ").and_then(|rest| rest.split_once(": ")).unwrap();
        let fact: u16 = fact.parse().unwrap();
        let found = refusals(sql);
        if !found.iter().any(|refusal| refusal.fact == fact && refusal.severity == Severity::Refused) {
            wrong.push(format!("{line}\n    found: {found:?}"));
        }
        // A place is a piece of the statement, and one reason does not hide behind others of other facts.
        for refusal in &found {
            assert!(sql.get(refusal.range.clone()).is_some_and(|piece| !piece.is_empty()), "{sql}: {refusal:?}");
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn what_redshift_takes_passes() {
    let list = statements("accepted.txt");
    assert!(list.len() >= 100, "{}", list.len());
    let found = list.iter().flat_map(|sql| refusals(sql).into_iter().map(move |refusal| format!("{sql}\n    {refusal:?}")));
    let wrong: Vec<String> = found.collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn what_loses_values_is_told_apart() {
    for (sql, fact) in [
        ("select 1.5::numeric", 8),
        ("select cast(x as decimal) from t", 8),
        ("create table t (a text)", 1),
        ("select a::varchar from t", 2),
        ("select a::character varying from t", 2),
    ] {
        let found = refusals(sql);
        assert!(matches!(found.as_slice(), [only] if only.fact == fact && only.severity == Severity::Loses), "{sql}: {found:?}");
    }
}

#[test]
fn a_transaction_does_not_bear_everything() {
    let inside = |sql: &str| {
        let found = refusals_in_order(["begin", sql, "commit", sql]);
        found.into_iter().map(|(at, refusal)| (at, refusal.fact)).collect::<Vec<_>>()
    };
    assert_eq!(inside("truncate t"), [(1, 193)]);
    assert_eq!(inside("vacuum t"), [(1, 194)]);
    assert_eq!(inside("alter table t alter column c type varchar(20)"), [(1, 178)]);
    assert_eq!(inside("create external table e.t (a int) stored as parquet location 's3://b/p'"), [(1, 194)]);
    assert_eq!(inside("alter table e.t add if not exists partition (a = '1') location 's3://b/p/a=1/'"), [(1, 194)]);
    assert_eq!(inside("refresh materialized view m"), [(1, 188)]);
    assert_eq!(inside("delete from t"), []);
}

#[test]
fn a_place_is_the_piece_that_is_wrong() {
    let piece = |sql: &'static str| refusals(sql).first().map(|refusal| &sql[refusal.range.clone()]);
    assert_eq!(piece("select 'é' as a, sum(x) filter (where y > 0) from t"), Some("filter (where"));
    assert_eq!(piece("select a -- distinct on (\n, b::jsonb from t"), Some("jsonb"));
    assert_eq!(piece("select \"filter\", 'distinct on (a)' from t"), None);
}

/// The statements for Redshift that case files expect, with the place of each.
fn expected_statements() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiler/cases");
    let block = regex::Regex::new(r"(?ms)^```expect (?:explain|sql) \S+ redshift[^\n]*\n(.*?)^```").unwrap();
    let title = regex::Regex::new(r"(?m)^-- .*$").unwrap();
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.path().extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        for block in block.captures_iter(&text) {
            // Titles of steps may hold a semicolon; literals of these files hold none.
            let sql = title.replace_all(&block[1], "").into_owned();
            let statements = sql.split(';').map(str::trim).filter(|sql| !sql.is_empty());
            found.extend(statements.map(|sql| (entry.path().display().to_string(), sql.to_owned())));
        }
    }
    found
}

#[test]
fn what_acca_writes_passes() {
    let statements = expected_statements();
    assert!(statements.len() >= 40, "{}", statements.len());
    let in_a_transaction = statements.iter().flat_map(|(place, sql)| {
        // Only what ends what is under way, or bears no transaction, is sent outside.
        let alone =
            ["refresh materialized view", "create external "].iter().any(|head| sql.starts_with(head)) || sql.contains("\npartition (");
        let before = (!alone).then_some("begin");
        let found = refusals_in_order(before.into_iter().chain([sql.as_str()]));
        found.into_iter().map(move |(_, refusal)| format!("{place}: {sql}\n    {refusal:?}"))
    });
    let wrong: Vec<String> = in_a_transaction.collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
