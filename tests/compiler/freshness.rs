//! `acca source freshness`: ages of sources against their limits, on both engines.

use serde_json::Value;

use crate::postgres::PgServer;
use crate::project::TestProject;

const LIMITS: &str = "freshness: {warn_after: {count: 1, period: day}, error_after: {count: 3, period: day}}";

/// Five sources: fresh, a little old, too old, without rows (by a filter), and one by a query with a template.
fn shop() -> TestProject {
    let project = TestProject::new();
    let model = |name: &str, days: i32| {
        let sql = format!(
            "{{{{ config(materialized='table') }}}}\nselect {name} as id, current_timestamp - interval '{days} days 1 minute' as seen\n"
        );
        (format!("models/m{name}.sql"), sql)
    };
    for (path, sql) in [model("0", 0), model("2", 2), model("4", 4)] {
        project.write(&path, &sql);
    }
    project.write("dbt_project.yml", "name: shop\nprofile: shop\n").write(
        "models/sources.yml",
        &format!(
            "sources:\n  - name: raw\n    schema: \"{{{{ target.schema }}}}\"\n    config:\n      {LIMITS}\n      loaded_at_field: seen\n    tables:\n\
             \x20     - {{name: fresh, identifier: m0}}\n\
             \x20     - {{name: old, identifier: m2}}\n\
             \x20     - {{name: stale, identifier: m4}}\n\
             \x20     - {{name: unchecked, identifier: m4, config: {{freshness: null}}}}\n\
             \x20     - name: filtered\n        identifier: m0\n        config: {{freshness: {{filter: id > 5}}}}\n\
             \x20     - name: queried\n        identifier: m0\n        config: {{loaded_at_query: \"select min(seen) from {{{{ source('raw', 'old') }}}} -- the newest\"}}\n"
        ),
    );
    project
}

fn on_duckdb() -> TestProject {
    let project = shop();
    project.write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n");
    project
}

fn statuses(project: &TestProject, path: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(&project.read(path)).unwrap();
    assert_eq!(document["metadata"]["dbt_schema_version"], "https://schemas.getdbt.com/dbt/sources/v3.json");
    let results = document["results"].as_array().unwrap().iter();
    results.map(|result| format!("{} {}", result["unique_id"].as_str().unwrap(), result["status"].as_str().unwrap())).collect()
}

const EXPECTED: [&str; 5] = [
    "source.shop.raw.filtered error",
    "source.shop.raw.fresh pass",
    "source.shop.raw.old warn",
    "source.shop.raw.queried warn",
    "source.shop.raw.stale error",
];

#[test]
fn ages_are_held_against_the_limits() {
    let project = on_duckdb();
    project.acca(&["run"]).expect_code(0);
    let run = project.acca(&["source", "freshness", "--threads", "1"]).expect_code(1);
    insta::assert_snapshot!(run.stdout, @r"
    1/5 STALE  raw.filtered   <duration>  no rows
    2/5 PASS   raw.fresh      <duration>  newest row 1 min old
    3/5 WARN   raw.old        <duration>  newest row 2 d 00 h old
    4/5 WARN   raw.queried    <duration>  newest row 2 d 00 h old
    5/5 STALE  raw.stale      <duration>  newest row 4 d 00 h old
    Done. PASS=1 WARN=2 STALE=2 ERROR=0 TOTAL=5 in <duration>
    ");
    assert_eq!(statuses(&project, "target/sources.json"), EXPECTED);
    project.acca(&["source", "freshness", "-s", "source:raw.old", "source:raw.unchecked", "-o", "ages.json"]).expect_code(0);
    assert_eq!(statuses(&project, "ages.json"), EXPECTED[2..3]);
    project.acca(&["--warn-error", "source", "freshness", "-s", "source:raw.old"]).expect_code(1);
    assert!(project.acca(&["source", "freshness", "-s", "source:raw.unchecked"]).expect_code(0).stdout.contains("no sources to check"));
}

#[test]
fn postgresql_tells_the_same_ages() {
    let database = PgServer::shared().database();
    let project = shop();
    project.connect("shop", &database, "sales");
    project.acca(&["run"]).expect_code(0);
    project.acca(&["source", "freshness"]).expect_code(1);
    assert_eq!(statuses(&project, "target/sources.json"), EXPECTED);
}

#[test]
fn a_source_that_cannot_be_asked_says_where_to_mend_it() {
    let project = on_duckdb();
    project.write("models/sources.yml", &format!(
        "sources:\n  - name: raw\n    schema: main\n    config:\n      {LIMITS}\n    tables:\n      - {{name: gone, config: {{loaded_at_field: seen}}}}\n      \
         - {{name: m0}}\n      - {{name: number, identifier: m0, config: {{loaded_at_field: id}}}}\n"
    ));
    project.acca(&["run"]).expect_code(0);
    let run = project.acca(&["source", "freshness", "--threads", "1"]).expect_code(1);
    for expected in [
        "error[statement-failed]: the freshness of 'raw.gone' cannot be told: Catalog Error",
        "error[missing-property]: source 'raw.m0' does not say when its rows were loaded",
        "error[invalid-config]: 'loaded_at_field' of 'raw.number' gives '0', which is no time",
        "models/sources.yml:7:",
    ] {
        assert!(run.stdout.contains(expected), "{expected}\n{}", run.stdout);
    }
    let expected = ["source.shop.raw.gone runtime error", "source.shop.raw.m0 runtime error", "source.shop.raw.number runtime error"];
    assert_eq!(statuses(&project, "target/sources.json"), expected);
}
