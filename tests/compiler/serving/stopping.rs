//! What runs on two targets is stopped on both.

use std::process::Command;
use std::time::{Duration, Instant};

use super::both::Both;
use crate::redshift::service::{Trouble, begins};

const FACTS: &str =
    "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\nselect 1 as id union all select 2";

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(120);

/// Whether the stand-in for Redshift has been asked for a statement that begins so.
fn is_asked(both: &Both, beginning: &str) -> bool {
    let sent = both.redshift.requests();
    sent.iter().any(|(_, body)| body["Sql"].as_str().is_some_and(|sql| begins(sql, beginning)))
}

#[test]
fn a_transfer_that_takes_too_long_ends_on_both_sides() {
    let both = Both::new();
    both.project.write("models/facts.sql", FACTS);
    both.redshift.trouble(Trouble::SlowAt("unload", LONG));
    let began = Instant::now();
    let run = both.project.acca(&["run", "--target", "all", "--node-timeout", "3s"]).expect_code(1);
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
    assert!(run.stdout.contains("error[node-timeout]: 'facts' was stopped after <duration>"), "{}", run.stdout);
    assert_eq!(both.on_postgres("select to_regclass('marts.facts') is null"), "t");
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
}

#[test]
fn ctrl_c_ends_what_the_other_target_does() {
    let both = Both::new();
    both.project.write("models/facts.sql", FACTS);
    both.redshift.trouble(Trouble::SlowAt("unload", LONG));
    let mut child = both.project.start(&["run", "--target", "all"]);
    let began = Instant::now();
    while !is_asked(&both, "unload") {
        assert!(began.elapsed() < LONG / 2);
        std::thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ended = child.wait().unwrap();
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
    assert_eq!(ended.code(), Some(130));
    assert_eq!(both.results("pg"), ["skipped facts stopped; nothing of it was kept"]);
    assert!(both.redshift.requests().iter().any(|(operation, _)| operation == "CancelStatement"));
}

#[test]
fn failing_fast_ends_the_other_target_too() {
    let both = Both::new();
    both.project
        .write("models/large.sql", "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect 1 as id")
        .write(
            "models/later.sql",
            "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect id from {{ ref('large') }}",
        )
        .write(
            "models/desk.sql",
            "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect 1 / length(pg_sleep(3)::text) as id",
        );
    both.redshift.trouble(Trouble::SlowAt("create table", LONG));
    let began = Instant::now();
    both.project.acca(&["run", "--target", "all", "--fail-fast"]).expect_code(1);
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
    let results = both.results("rs");
    assert!(results[0].starts_with("skipped large skipped: --fail-fast"), "{results:?}");
    assert_eq!(results[1], "skipped later skipped: --fail-fast");
}
