//! Nodes that take longer than they may, on both engines.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::postgres::PgServer;
use crate::project::TestProject;

const ENDLESS: &str = "select count(*) as n from {{ ref('many') }} a, {{ ref('many') }} b, {{ ref('many') }} c where a.x + b.x * c.x < 0\n";
const DUCKDB: &str = "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n";

fn shop() -> TestProject {
    let project = TestProject::new();
    let rows = "{% if target.type == 'duckdb' %}range(20000){% else %}generate_series(1, 20000){% endif %}";
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("models/many.sql", &format!("{{{{ config(materialized='table') }}}}\nselect x from {rows} as t(x)\n"))
        .write("models/late.sql", &format!("{{{{ config(materialized='table', meta={{'timeout': 0.4}}) }}}}\n{ENDLESS}"))
        .write("models/reader.sql", "select * from {{ ref('late') }}\n")
        .write("models/quick.sql", "select 1 as one\n");
    project
}

fn late_ends(project: &TestProject) {
    let began = Instant::now();
    let run = project.acca(&["run", "--threads", "1", "--node-timeout", "5m"]).expect_code(1);
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!(run.stdout.contains("error[node-timeout]: 'late' was stopped after <duration>"), "{}", run.stdout);
    assert!(run.stdout.contains("Done. PASS=2 WARN=0 ERROR=1 SKIP=1 TOTAL=4"), "{}", run.stdout);
    let json = |path: &str| serde_json::from_str::<Value>(&project.read(path)).unwrap();
    let results = json("target/run_results.json");
    let late = results["results"].as_array().unwrap().iter().find(|result| result["unique_id"] == "model.shop.late").unwrap();
    assert!(late["status"] == "error" && late["message"].as_str().unwrap().contains("stopped after"));
    // The times of what ran are there for the next run, that of what did not end is not.
    let timings = json("target/timings.json");
    let known: Vec<&String> = timings["seconds"].as_object().unwrap().keys().collect();
    assert_eq!(known, ["model.shop.many", "model.shop.quick"]);
}

#[test]
fn a_late_node_of_duckdb_is_cancelled() {
    let project = shop();
    project.write("profiles.yml", DUCKDB);
    late_ends(&project);
    let run = project.acca(&["run", "--node-timeout", "5 days"]).expect_code(2);
    assert!(run.stderr.contains("'days' is no unit of time"), "{}", run.stderr);
}

#[test]
fn a_late_node_of_postgresql_is_cancelled_and_leaves_nothing_behind() {
    let database = PgServer::shared().database();
    let project = shop();
    project.connect("shop", &database, "sales");
    late_ends(&project);
    let left = "select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = 'sales'::regnamespace";
    assert_eq!(database.query(left).trim(), "many quick");
    let busy = "select count(*) from pg_stat_activity where application_name = 'acca' and state <> 'idle' and datname = current_database()";
    assert_eq!(database.query(busy).trim(), "0");
}

#[test]
fn a_wrong_time_is_told_at_its_place() {
    let project = shop();
    project.write("profiles.yml", DUCKDB).write("models/quick.sql", "{{ config(meta={'timeout': 'soon'}) }}\nselect 1 as one\n");
    let run = project.acca(&["run", "-s", "quick"]).expect_code(1);
    assert!(run.stdout.contains("error[invalid-config]: 'meta.timeout' of 'quick': 'soon' is no unit of time"), "{}", run.stdout);
    assert!(run.stdout.contains("models/quick.sql:1:"), "{}", run.stdout);
}
