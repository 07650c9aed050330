//! The comment on statements, as the server's log and its view of activity show it.

use crate::postgres::PgServer;
use crate::project::TestProject;

/// A model whose hook keeps what the server sees of the statement that runs.
fn seen(query_comment: &str) -> String {
    let database = PgServer::shared().database();
    let project = TestProject::new();
    database.query("create table seen (id serial, query text)");
    project
        .write("dbt_project.yml", &format!("name: shop\nprofile: shop\n{query_comment}"))
        .write("macros/who.sql", "{% macro who(node) %}by {{ node.name }} in {{ connection_name or target.name }}{% endmacro %}")
        .write(
            "models/bets.sql",
            "{{ config(materialized='table', post_hook=\"insert into public.seen (query) select query from pg_stat_activity where pid = pg_backend_pid()\") }}\n\
             select 1 as id\n",
        );
    project.connect("shop", &database, "sales");
    project.acca(&["run"]).expect_code(0);
    database.query("select query from seen").trim().to_owned()
}

const HOOK: &str = "insert into public.seen (query) select query from pg_stat_activity where pid = pg_backend_pid()";

#[test]
fn without_a_word_it_names_the_node() {
    let comment = r#"/* {"app":"acca","dbt_version":"1.11.0","profile_name":"shop","target_name":"dev","node_id":"model.shop.bets"} */"#;
    assert_eq!(seen(""), format!("{comment}\n{HOOK}"));
}

#[test]
fn a_project_words_it_itself_or_switches_it_off() {
    assert_eq!(seen("query-comment: \"{{ who(node) }}\"\n"), format!("/* by bets in dev */\n{HOOK}"));
    let behind = seen("query-comment: {comment: \"of {{ node.unique_id }}\", append: true, job-label: true}\n");
    assert_eq!(behind, format!("{HOOK}\n/* of model.shop.bets */"));
    for off in ["query-comment: null\n", "query-comment: ''\n", "query-comment:\n"] {
        assert_eq!(seen(off), HOOK);
    }
}

#[test]
fn a_comment_that_ends_itself_is_refused() {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\nquery-comment: \"*/ drop table x; /*\"\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n")
        .write("models/a.sql", "select 1 as id");
    let run = project.acca(&["run"]).expect_code(1);
    assert!(
        run.stderr.contains("error[invalid-config]: 'query-comment' holds '*/'") && run.stderr.contains("dbt_project.yml:3:16"),
        "{}",
        run.stderr
    );
}
