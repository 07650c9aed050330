//! What `retry` keeps of the command that it goes on with, and the commands that it knows besides runs.

use serde_json::Value;

use crate::project::TestProject;

/// A model that breaks as long as `COLUMN` names none, one above it, and a test that warns.
fn shop() -> TestProject {
    let mut project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write(
            "profiles.yml",
            "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n    \
             prod: {type: duckdb, path: shop.duckdb, schema: prod, threads: 1}\n",
        )
        .write("models/bets.sql", "select 1 as id\n")
        .write("models/late.sql", "{% if var('broken', false) %}{{ nothing.at.all }}{% endif %}select id from {{ ref('bets') }}\n");
    project.set_env("COLUMN", "id");
    project
}

fn results(project: &TestProject) -> Value {
    serde_json::from_str(&project.read("target/run_results.json")).unwrap()
}

/// Identifiers with their statuses.
fn statuses(project: &TestProject) -> String {
    let results = results(project);
    let line = |result: &Value| format!("{} {}", result["unique_id"].as_str().unwrap(), result["status"].as_str().unwrap());
    results["results"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_retry_judges_warnings_as_the_run_did() {
    let project = shop();
    project.write("tests/warns.sql", "{{ config(severity='warn') }}\nselect * from {{ ref('bets') }}\n");
    project.acca(&["build", "--quiet", "--warn-error-options", "{error: [test-warning]}"]).expect_code(1);
    for _ in 0..2 {
        project.acca(&["retry", "--quiet"]).expect_code(1);
        assert_eq!(statuses(&project), "test.shop.warns warn");
    }
    project.acca(&["retry", "--quiet", "--warn-error-options", "{error: []}"]).expect_code(0);
    project.acca(&["build", "--quiet", "--warn-error"]).expect_code(1);
    project.acca(&["retry", "--quiet"]).expect_code(1);
    assert_eq!(results(&project)["args"]["warn_error"], true);
}

#[test]
fn a_retry_gives_nodes_the_time_that_the_run_gave() {
    let project = shop();
    let endless = "select count(*) as n from range(3000000) a, range(3000000) b where hash(a.range, b.range) % 7 = 8\n";
    project.write("models/late.sql", &format!("{{{{ config(materialized='table') }}}}\n{endless}"));
    project.acca(&["run", "--quiet", "--node-timeout", "0.3"]).expect_code(1);
    let run = project.acca(&["retry"]).expect_code(1);
    assert!(run.stdout.contains("error[node-timeout]"), "{}", run.stdout);
    assert_eq!(results(&project)["args"]["node_timeout"], 0.3);
}

#[test]
fn compilations_are_retried() {
    let project = shop();
    project.acca(&["compile", "--quiet", "--vars", "{broken: true}"]).expect_code(1);
    assert_eq!(statuses(&project), "model.shop.bets success, model.shop.late error");
    project.acca(&["retry", "--quiet", "--vars", "{broken: false}"]).expect_code(0);
    assert_eq!(statuses(&project), "model.shop.late success");
    assert!(!project.path("target/timings.json").exists() || !project.read("target/timings.json").contains("late"));
    let done = project.acca(&["retry", "--vars", "{broken: false}"]).expect_code(0).stdout;
    assert!(done.contains("There is nothing to retry"), "{done}");
}

#[test]
fn documentation_is_retried_whole() {
    let project = shop();
    project.acca(&["run", "--quiet"]).expect_code(0);
    let generate = ["docs", "generate", "--quiet", "--static", "--exclude", "bets", "--vars", "{broken: true}"];
    project.acca(&generate).expect_code(1);
    assert_eq!(statuses(&project), "model.shop.late error");
    project.acca(&["retry", "--quiet", "--vars", "{broken: false}"]).expect_code(0);
    let catalog = project.read("target/catalog.json");
    assert!(catalog.contains("model.shop.late") && !catalog.contains("model.shop.bets"), "{catalog}");
    assert!(project.path("target/static_index.html").exists());
}

#[test]
fn operations_are_retried() {
    let mut project = shop();
    project
        .write("macros/m.sql", "{% macro ask(table) %}{% do run_query('select ' ~ env_var('COLUMN') ~ ' from ' ~ table) %}{% endmacro %}");
    project.acca(&["run", "--quiet"]).expect_code(0);
    project.set_env("COLUMN", "no_such");
    let arguments = ["--args", "{table: bets}"];
    project.acca(&[&["run-operation", "--quiet", "ask"][..], &arguments].concat()).expect_code(1);
    assert_eq!(statuses(&project), "macro.shop.ask error");
    assert_eq!(results(&project)["args"]["args"]["table"], Value::Null);
    let without = project.acca(&["retry"]).expect_code(2).stderr;
    assert!(without.contains("the last run had arguments whose values are not kept: table"), "{without}");
    project.set_env("COLUMN", "id");
    project.acca(&[&["retry", "--quiet"][..], &arguments].concat()).expect_code(0);
    assert_eq!(statuses(&project), "macro.shop.ask success");
    // dbt keeps the values.
    let of_dbt =
        project.read("target/run_results.json").replace("\"table\":null", "\"table\":\"bets\"").replace("\"success\"", "\"error\"");
    project.write("of-dbt/run_results.json", &of_dbt);
    project.acca(&["retry", "--quiet", "--state", "of-dbt"]).expect_code(0);
}

#[test]
fn clones_are_retried() {
    let mut project = shop();
    project.write(
        "models/late.sql",
        "{{ config(pre_hook='select ' ~ env_var('COLUMN') ~ ' from prod.bets') }}select id from {{ ref('bets') }}\n",
    );
    project.acca(&["run", "--quiet", "--target", "prod", "--target-path", "prod-run"]).expect_code(0);
    project.set_env("COLUMN", "no_such");
    project.acca(&["clone", "--quiet", "--state", "prod-run"]).expect_code(1);
    assert_eq!(statuses(&project), "model.shop.bets success, model.shop.late error");
    project.set_env("COLUMN", "id");
    project.acca(&["retry", "--quiet"]).expect_code(0);
    assert_eq!(statuses(&project), "model.shop.late success");
}
