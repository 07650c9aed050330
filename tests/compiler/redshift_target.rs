//! Targets of type `redshift` without a connection, through the binary.

use crate::project::TestProject;

const PROFILES: &str = "shop:\n  target: warehouse\n  outputs:\n    warehouse: {type: redshift, serverless_work_group: made-up, region: eu-west-1, dbname: shop, schema: marts}\n";

fn shop() -> TestProject {
    let project = TestProject::new();
    project.write("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n").write("profiles.yml", PROFILES);
    project
}

#[test]
fn a_seed_gets_types_of_the_size_of_its_values() {
    let project = shop();
    project.write("seeds/codes.csv", "id,label,rate,since\n1,caf\u{e9} \\ bar,1.250,2026-01-01\n2,,0.5,\n");
    let explained = project.acca(&["explain", "codes", "--offline"]).expect_code(0);
    insta::assert_snapshot!(explained.stdout.trim_end(), @r#"
    -- seed.shop.codes (seed)
    -- 1. create table marts.codes__acca_stage
    create table "shop"."marts"."codes__acca_stage" (
        "id" integer,
        "label" varchar(11),
        "rate" numeric(38,3),
        "since" date
    );
    -- 2. insert 2 rows into marts.codes__acca_stage
    insert into "shop"."marts"."codes__acca_stage" ("id", "label", "rate", "since")
    values
        (1, 'café \\ bar', 1.250, cast('2026-01-01' as date)),
        (2, null, 0.5, null);
    -- 3. publish marts.codes
    alter table "shop"."marts"."codes__acca_stage" rename to "codes";
    "#);
}

#[test]
fn a_warehouse_out_of_reach_is_taken_to_be_empty() {
    let mut project = shop();
    // Nobody answers there, and nobody is asked for credentials.
    project.write("profiles.yml", &PROFILES.replace("dbname", "endpoint: 'http://127.0.0.1:9', dbname"));
    for (name, value) in [("AWS_ACCESS_KEY_ID", "made-up"), ("AWS_SECRET_ACCESS_KEY", "made-up")] {
        project.set_env(name, value);
    }
    project.write("models/one.sql", "select 1 as id");
    let explained = project.acca(&["explain", "one"]).expect_code(0);
    assert!(explained.stdout.contains("with no schema binding"), "{}", explained.stdout);
    assert!(explained.stderr.contains("the Data API cannot be asked about workgroup 'made-up'"), "{}", explained.stderr);
    assert!(explained.stderr.contains("these are the steps for an empty one"), "{}", explained.stderr);
    let run = project.acca(&["run"]).expect_code(1);
    assert!(run.stdout.contains("connection-failed") || run.stderr.contains("connection-failed"), "{run:?}");
}

#[test]
fn the_state_of_a_later_run_can_be_assumed() {
    let project = shop();
    project.write("models/totals.sql", "{{ config(materialized='incremental', unique_key='day') }}\nselect 1 as day, 2 as stake");
    let first = project.acca(&["explain", "totals", "--offline"]).expect_code(0).stdout;
    assert!(first.contains("create table \"shop\".\"marts\".\"totals__acca_stage\""), "{first}");
    let later = project.acca(&["explain", "totals", "--offline=built"]).expect_code(0);
    assert!(later.stdout.contains("delete from \"shop\".\"marts\".\"totals\"\nwhere (day) in"), "{}", later.stdout);
    assert_eq!(later.stderr, "");
    project.acca(&["compile"]).expect_code(0);
}
