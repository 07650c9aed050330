//! What is the same on several targets is said once.

use crate::project::{Run, TestProject};

fn project() -> TestProject {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n")
        .write(
            "profiles.yml",
            "shop:\n  target: lake\n  outputs:\n    lake: {type: duckdb, path: build/lake.duckdb}\n    hall: {type: duckdb, path: build/hall.duckdb}\n    \
             warehouse: {type: redshift, serverless_work_group: w, region: eu-west-1, dbname: shop, schema: marts}\n",
        )
        .write(
            "models/sources.yml",
            "sources:\n  - name: raw\n    tables:\n      - name: bets\n        columns:\n          - {name: id, data_type: bigint}\n          \
             - {name: stake, data_type: \"numeric(12,2)\"}\nmodels:\n  - {name: totals, config: {meta: {portable: true}}}\n",
        )
        .write("models/totals.sql", "select sum(steak) as total from {{ source('raw', 'bets') }}\n");
    project
}

fn count(run: &Run, text: &str) -> usize {
    run.stderr.matches(text).count() + run.stdout.matches(text).count()
}

#[test]
fn check_looks_at_each_target_and_says_what_is_wrong_once() {
    let project = project();
    for command in ["check", "compile"] {
        let run = project.acca(&[command, "--target", "all"]).expect_code(1);
        assert_eq!(count(&run, "there is no column 'steak'"), 1, "{command}: {}", run.stderr);
        assert!(run.stderr.contains("did you mean 'stake'?"), "{}", run.stderr);
        assert!(run.stderr.contains("on targets 'lake' (duckdb), 'hall' (duckdb) and 'warehouse' (redshift)"), "{}", run.stderr);
        assert!(run.stderr.contains("Failed: 1 error"), "{}", run.stderr);
    }
    project.write("models/totals.sql", "select stddev(stake) as spread, corr(stake, id) as c from {{ source('raw', 'bets') }}\n");
    let run = project.acca(&["check", "--target", "all"]).expect_code(1);
    assert!(run.stderr.contains("on target 'warehouse' (redshift)"), "{}", run.stderr);
    project.write("models/totals.sql", "select sum(stake) as total from {{ source('raw', 'bets') }}\n");
    let run = project.acca(&["check", "--target", "all"]).expect_code(0);
    assert_eq!(count(&run, "Checked "), 1, "{}", run.stderr);
    assert!(
        run.stderr.contains("Checked 1 node on each of 'lake' (duckdb), 'hall' (duckdb) and 'warehouse' (redshift) in "),
        "{}",
        run.stderr
    );
    assert_eq!(count(&run, "On target"), 0, "{}", run.stderr);
}

#[test]
fn compile_says_in_one_go_what_is_wrong() {
    let project = project();
    project.write("models/totals.sql", "select json_agg(id) as ids, sum(steak) as total from {{ source('raw', 'bets') }}\n");
    project.write(
        "models/kept.sql",
        "{{ config(materialized='incremental', unique_key='betid', meta={'portable': true}) }}\nselect id, stake from {{ source('raw', 'bets') }}\n",
    );
    project.write("models/twice.sql", "{{ config(meta={'portable': true}) }}\nselect id, stake as id from {{ source('raw', 'bets') }}\n");
    let run = project.acca(&["compile", "--target", "lake"]).expect_code(1);
    for said in ["'json_agg' is not on the list", "there is no column 'steak'", "names 'betid'", "two columns are called 'id'"] {
        assert_eq!(count(&run, said), 1, "{said}: {}", run.stderr);
    }
    assert!(run.stderr.contains("Failed: 4 errors"), "{}", run.stderr);
}

#[test]
fn warnings_of_the_project_are_said_once() {
    let project = project();
    project.write("models/totals.sql", "select sum(stake) as total from {{ source('raw', 'bets') }}\n");
    project.write("models/more.yml", "models:\n  - name: totals_of_day\n    descripton: x\n");
    let run = project.acca(&["compile", "--target", "all", "--vars", "{x: 1}"]).expect_code(0);
    assert_eq!(count(&run, "'descripton'"), 1, "{}", run.stderr);
}

#[test]
fn what_two_runs_fail_with_is_said_once() {
    let project = project();
    let profiles = std::fs::read_to_string(project.path("profiles.yml")).unwrap();
    let without: Vec<&str> = profiles.lines().filter(|line| !line.contains("redshift")).collect();
    project.write("profiles.yml", &without.join("\n"));
    project.write("models/totals.sql", "select sum(stake) as total from {{ source('raw', 'bets') }}\n");
    let run = project.acca(&["run", "--target", "all"]).expect_code(1);
    assert_eq!(count(&run, "error[statement-failed]"), 1, "{}", run.stdout);
    assert!(run.stdout.contains("on targets 'lake' (duckdb) and 'hall' (duckdb)"), "{}", run.stdout);
    assert_eq!(count(&run, "ERROR=1"), 2, "{}", run.stdout);
    // A source that nobody has loaded yet is no table with another name.
    assert!(run.stdout.contains("acca load --select source:raw.bets"), "{}", run.stdout);
    assert!(!run.stdout.contains("information_schema"), "{}", run.stdout);
}

#[test]
fn a_value_of_a_seed_that_is_not_of_its_type_has_a_line() {
    let project = project();
    project.write("seeds/rates.csv", "currency,rate\nEUR,1.10\n\"GBP\",n/a\n");
    project.write("seeds/seeds.yml", "seeds:\n  - name: rates\n    config: {column_types: {rate: \"decimal(9,4)\"}}\n");
    let run = project.acca(&["seed"]).expect_code(1);
    assert!(run.stdout.contains("note: line 3: 'n/a' in column 'rate' is no decimal(9,4)"), "{}", run.stdout);
}

#[test]
fn a_variable_that_nothing_reads_and_an_empty_model() {
    let project = project();
    project
        .write("models/totals.sql", "select '{{ var('country', 'GB') }}' as country\n")
        .write("models/nothing.sql", "-- to be written\n");
    let run = project.acca(&["check", "--vars", "{contry: IE}"]).expect_code(1);
    assert!(run.stderr.contains("nothing reads the variable 'contry'") && run.stderr.contains("did you mean 'country'?"), "{}", run.stderr);
    assert!(run.stderr.contains("error[not-a-query]: 'nothing' renders to nothing"), "{}", run.stderr);
}
