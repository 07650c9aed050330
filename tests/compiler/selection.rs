//! Selection beyond one invocation: named selectors, state of an earlier run, deferral, retry, clone.

use serde_json::{Value, json};

use crate::project::TestProject;

fn json_file(project: &TestProject, path: &str) -> Value {
    serde_json::from_str(&project.read(path)).unwrap()
}

/// Three models in a row and a seed under them, on DuckDB.
fn chain() -> TestProject {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write(
            "profiles.yml",
            "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, schema: dev, threads: 1}\n    \
             prod: {type: duckdb, path: shop.duckdb, schema: prod, threads: 1}\n",
        )
        .write("seeds/rates.csv", "id,rate\n1,2\n")
        .write("models/first.sql", "select id, rate from {{ ref('rates') }}\n")
        .write("models/second.sql", "select id, rate from {{ ref('first') }}\n")
        .write("models/third.sql", "select id, rate from {{ ref('second') }}\n");
    project
}

/// Names of what is listed, in one line.
fn listed(project: &TestProject, arguments: &[&str]) -> String {
    let run = project.acca(&[&["ls", "--quiet", "--output", "name"], arguments].concat()).expect_code(0);
    run.stdout.lines().collect::<Vec<_>>().join(" ")
}

#[test]
fn selectors_of_the_file_are_used_and_listed_in_the_manifest() {
    let project = chain();
    project.write(
        "selectors.yml",
        "selectors:\n  - {name: late, definition: 2+third+1, default: true}\n  - name: early\n    description: The first ones\n    \
         definition: {union: [{fqn: first}, {method: selector, value: late}, exclude: ['+second']]}\n",
    );
    assert_eq!(listed(&project, &[]), "first second third");
    assert_eq!(listed(&project, &["--selector", "early"]), "third");
    assert_eq!(listed(&project, &["--select", "rates"]), "rates");
    let refused = project.acca(&["ls", "--selector", "early", "--select", "rates"]).expect_code(2);
    assert!(refused.stderr.contains("cannot be used with"), "{}", refused.stderr);
    assert!(project.acca(&["ls"]).expect_code(0).stderr.contains("Using the default selector 'late'"));
    project.acca(&["parse", "--quiet"]).expect_code(0);
    let late = json!({"parents": true, "parents_depth": "2", "method": "fqn", "value": "third", "children": true, "children_depth": "1"});
    let second = json!({"parents": true, "method": "fqn", "value": "second"});
    assert_eq!(
        json_file(&project, "target/manifest.json")["selectors"],
        json!({
            "late": {"name": "late", "default": true, "definition": late},
            "early": {
                "name": "early", "description": "The first ones",
                "definition": {"union": [{"method": "fqn", "value": "first"}, late, {"exclude": [second]}]},
            },
        })
    );
}
