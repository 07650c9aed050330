//! Tables on their way: their files, their numbers, and where there are no rows.

use super::both::Both;
use crate::redshift::buckets::Place;

const BOTH: &str = "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\n";

/// What lies in the bucket of the transfers.
fn files(both: &Both) -> Vec<String> {
    let place = Place::read("s3://lake/acca/").unwrap();
    both.redshift.imitation().buckets().list(&place).into_iter().map(|place| place.key).collect()
}

#[test]
fn files_are_deleted_when_the_rows_are_there_and_when_they_are_not() {
    let both = Both::new();
    both.project.write("models/facts.sql", &format!("{BOTH}select 1 as id union all select 2"));
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    assert_eq!(files(&both), Vec::<String>::new());
    both.on_postgres("insert into aws_s3.losses values (1)");
    both.project.acca(&["run", "--target", "all"]).expect_code(1);
    assert_eq!(files(&both), Vec::<String>::new());
    // Who wants to look what was sent keeps them.
    let keeping = both.project.read("acca.yml").replace("region:", "keep_files: \"{{ var('keep_files', false) }}\", region:");
    both.project.write("acca.yml", &keeping);
    both.project.acca(&["run", "--target", "all"]).expect_code(1);
    assert_eq!(files(&both), Vec::<String>::new());
    both.project.acca(&["run", "--target", "all", "--vars", "keep_files: true"]).expect_code(1);
    let kept = files(&both);
    assert!(kept.len() == 1 && kept[0].ends_with("/pg/model.shop.facts/rows.csv000"), "{kept:?}");
}

#[test]
fn files_that_cannot_be_deleted_are_no_failure() {
    let mut both = Both::new();
    both.project.write("models/facts.sql", &format!("{BOTH}select 1 as id"));
    both.project.set_env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1");
    let run = both.project.acca(&["run", "--target", "all"]).expect_code(0);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("warning: files of 'facts' stay in s3://lake/acca/"), "{said}");
    assert_eq!(both.on_postgres("select id from marts.facts"), "1");
}

#[test]
fn tables_without_rows_go_in_both_directions() {
    let both = Both::new();
    let newer = "materialized='incremental', unique_key='id', meta={'serving': ['low_latency', 'high_latency'], 'watermark': 'at'}";
    let rows = "select 1 as id, cast('2026-01-01' as timestamp) as at";
    both.project
        .write("models/facts.sql", &format!("{BOTH}select * from (select 1 as id, cast('a' as varchar(9)) as note) as rows where id > 1"))
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect id from {{ ref('facts') }}")
        .write(
            "models/report.sql",
            "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect count(id) as n from {{ ref('desk') }}",
        )
        .write(
            "models/events.sql",
            &format!("{{{{ config({newer}) }}}}\nselect * from ({rows}) as rows where id > {{{{ var('from', 1) }}}}"),
        );
    for _ in 0..2 {
        both.project.acca(&["run", "--target", "all"]).expect_code(0);
        for count in [both.on_postgres("select count(*) from marts.facts"), both.on_redshift("select count(*) from marts.desk")] {
            assert_eq!(count, "0");
        }
        assert_eq!(both.on_redshift("select n from marts.report"), "0");
        assert_eq!(both.on_postgres("select count(*) from marts.events"), "0");
    }
    assert_eq!(both.results("pg"), ["success desk 0 rows", "success events 0 rows from rs", "success facts 0 rows from rs"]);
    // The first rows come to a table that has none, and none newer than the last.
    both.project.acca(&["run", "--target", "all", "--vars", "from: 0"]).expect_code(0);
    assert_eq!(both.on_postgres("select id, at from marts.events"), "1|2026-01-01 00:00:00");
    both.on_redshift("update marts.events set at = timestamp '2025-12-31'");
    both.project.acca(&["run", "--target", "all", "--select", "events"]).expect_code(1);
    both.project.acca(&["run", "--target", "all", "--select", "events", "--full-refresh", "--vars", "from: 0"]).expect_code(0);
    assert_eq!(both.on_postgres("select count(*) from pg_class where relname like '%__acca_%'"), "0");
}

/// Redshift writes 15 digits where nobody says more.
#[test]
fn numbers_with_a_floating_point_arrive_as_they_are() {
    let both = Both::new();
    let numbers = "select 1 as id, cast(0.1 as double precision) + cast(0.2 as double precision) as whole, cast(16777217.0 / 3 as real) as half \
                   union all select 2, cast(1 as double precision) / 3, cast(0.1 as real) union all select 3, null, null";
    both.project
        .write("models/facts.sql", &format!("{BOTH}{numbers}"))
        .write(
            "models/desk.sql",
            "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect id, whole, half from {{ ref('facts') }}",
        )
        .write(
            "models/back.sql",
            "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect id, whole, half from {{ ref('desk') }}",
        );
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    let exact = "select count(*) from marts.desk where id = 1 and whole = 0.1::float8 + 0.2::float8 and half = (16777217.0 / 3)::real \
                 or id = 2 and whole = 1::float8 / 3 and half = 0.1::real or id = 3 and whole is null and half is null";
    assert_eq!(both.on_postgres(exact), "3", "{}", both.on_postgres("select * from marts.desk"));
    let same = "select count(*) from marts.facts as f join marts.back as b on f.id = b.id and f.whole = b.whole and f.half = b.half";
    assert_eq!(both.on_redshift(same), "2");
    // No document says how Redshift loads these.
    both.project
        .write("models/facts.sql", &format!("{BOTH}select 1 as id, cast('nan' as double precision) as whole, cast(1 as real) as half"));
    let run = both.project.acca(&["run", "--target", "all"]).expect_code(1);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("1 of 1 rows of 'facts' have a number that is infinite or none"), "{said}");
    assert_eq!(both.on_postgres("select count(*) from marts.facts"), "3");
}

#[test]
fn steps_are_explained_of_tables_that_are_not_there_yet() {
    let both = Both::new();
    both.project
        .write("models/facts.sql", &format!("{BOTH}select 1 as id, cast('a' as varchar(9)) as note"))
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect id from {{ ref('facts') }}");
    let explained = both.project.acca(&["explain", "facts", "--target", "all"]).expect_code(0).stdout;
    assert!(explained.contains("unload ('select \"id\", \"note\"") && explained.contains("\"note\" varchar"), "{explained}");
}

#[test]
fn what_failed_on_some_target_is_retried_on_both() {
    let both = Both::new();
    let facts = |value: &str| format!("{BOTH}select {value} as id");
    both.project
        .write("models/facts.sql", &facts("1 / (select 0)"))
        .write("models/other.sql", &format!("{BOTH}select 1 as id"))
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect id from {{ ref('facts') }}");
    both.project.acca(&["retry", "--target", "all"]).expect_code(2);
    both.project.acca(&["run", "--target", "all"]).expect_code(1);
    both.project.write("models/facts.sql", &facts("7"));
    both.project.acca(&["retry", "--target", "all"]).expect_code(0);
    assert_eq!(both.results("rs").len(), 1, "{:?}", both.results("rs"));
    assert_eq!(both.results("pg"), ["success desk 1 row", "success facts 1 row from rs"]);
    // Only the transfer has failed.
    both.on_postgres("insert into aws_s3.losses values (1)");
    both.project.acca(&["run", "--target", "all"]).expect_code(1);
    both.on_postgres("delete from aws_s3.losses");
    let run = both.project.acca(&["retry", "--target", "all"]).expect_code(0);
    assert_eq!((both.results("rs").len(), both.results("pg").len()), (0, 3), "{}", run.stdout);
    let run = both.project.acca(&["retry", "--target", "all"]).expect_code(0);
    assert!(run.stdout.contains("There is nothing to retry"), "{}", run.stdout);
    // What is of two runs cannot be told apart.
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    let of_pg = both.project.read("target/pg/run_results.json");
    both.project.acca(&["run", "--target", "all"]).expect_code(0);
    both.project.write("target/pg/run_results.json", &of_pg);
    let refused = both.project.acca(&["retry", "--target", "all"]).expect_code(2).stderr;
    assert!(refused.contains("are of different runs"), "{refused}");
}

/// What somebody else loads into one warehouse is not on the other by itself.
#[test]
fn a_source_says_on_which_target_it_is() {
    let both = Both::new();
    both.on_redshift(
        "create schema raw; create table raw.events (id integer, note varchar(20)); insert into raw.events values (1, 'a'), (2, null)",
    );
    both.project
        .write("models/sources.yml", "sources:\n  - name: raw\n    tables: [{name: events, config: {meta: {serving: high_latency}}}]\n")
        .write("models/staged.sql", "select id, note from {{ source('raw', 'events') }}")
        .write(
            "models/desk.sql",
            "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect id, note from {{ ref('staged') }}",
        )
        .write(
            "models/report.sql",
            "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect count(*) as n from {{ ref('staged') }}",
        );
    both.project.acca(&["build", "--target", "all"]).expect_code(0);
    assert_eq!(both.on_postgres("select id, note is null from marts.desk order by id"), "1|f\n2|t");
    assert_eq!(both.on_redshift("select n from marts.report"), "2");
}

/// Nobody is asked for a target on which there is nothing to do, and who needs one that is not there is told so.
#[test]
fn a_target_that_is_out_of_reach_holds_up_what_needs_it() {
    let both = Both::new();
    both.project
        .write("models/facts.sql", &format!("{BOTH}select 1 as id"))
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': 'low_latency'}) }}\nselect id from {{ ref('facts') }}")
        .write("models/large.sql", "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect 1 as id")
        .write(
            "models/report.sql",
            "{{ config(materialized='table', meta={'serving': 'high_latency'}) }}\nselect id from {{ ref('desk') }}",
        );
    let profiles = both.project.read("profiles.yml");
    let (before, port) = profiles.split_once("port: ").unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    both.project.write("profiles.yml", &profiles.replace(&format!("{before}port: {port}"), &format!("{before}port: 1")));
    let run = both.project.acca(&["run", "--target", "all", "--select", "large"]).expect_code(0);
    assert!(run.stdout.contains("On target 'rs'") && !run.stdout.contains("'pg'"), "{}", run.stdout);
    let run = both.project.acca(&["run", "--target", "all"]).expect_code(1);
    assert!(run.stdout.contains("the run on its target has ended (pg to rs)"), "{}", run.stdout);
    assert_eq!(both.on_redshift("select count(*) from marts.facts"), "1");
    // All of its part is still to be done when it is there again.
    both.project.write("profiles.yml", &profiles);
    both.project.acca(&["retry", "--target", "all"]).expect_code(0);
    assert_eq!(both.on_redshift("select id from marts.report"), "1");
    assert_eq!(both.on_postgres("select count(*) from marts.facts"), "1");
}
