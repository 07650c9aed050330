//! What a command tells of where its time went.

use crate::project::TestProject;

#[test]
fn the_time_of_a_build_is_told_by_stage_and_by_piece() {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n")
        .write("models/bets.sql", "select 1 as bet_id")
        .write("models/models.yml", "models:\n  - name: bets\n    columns:\n      - name: bet_id\n        data_tests: [unique]\n");
    let told = project.acca(&["build", "--profile-compile"]).expect_code(0).stderr;
    let first_words = |line: &str| line.split("  ").next().unwrap_or_default().to_owned();
    let lines: Vec<String> = told.lines().map(first_words).collect();
    let expected = ["yaml", "templates", "artefacts", "run", "in all", "YAML files", "nodes parsed", "nodes run", "calls of the engine"];
    for line in expected {
        assert!(lines.contains(&line.to_owned()), "no '{line}' in:\n{told}");
    }
    assert!(told.contains("in 2\n") && told.contains("model.shop.bets") && told.contains("models/models.yml"), "{told}");
    assert!(told.contains("beside the engine"), "{told}");
    assert_eq!(project.acca(&["parse"]).expect_code(0).stderr, "");
}
