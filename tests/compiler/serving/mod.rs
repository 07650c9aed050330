//! One project on two warehouses: where models are built, what goes over, and what is said of it.

mod both;
mod every_plan;
mod stopping;
mod together;
mod transfers;

use crate::project::TestProject;

const PROFILES: &str = "shop:\n  target: rs\n  outputs:\n    \
    rs: {type: redshift, serverless_work_group: made-up, region: eu-west-1, dbname: shop, schema: marts}\n    \
    pg: {type: postgres, host: nowhere, user: nobody, password: none, dbname: serving, schema: marts}\n";

const SERVING: &str = "serving:\n  low_latency: pg\n  high_latency: rs\n  transfer: {bucket: 's3://lake/acca', region: eu-west-1}\n";

fn shop() -> TestProject {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n")
        .write("profiles.yml", PROFILES)
        .write("acca.yml", SERVING)
        .write("seeds/codes.csv", "id,label\n1,a\n")
        // A view over a seed that both sides read: on both.
        .write("models/staged.sql", "select id, label from {{ ref('codes') }}")
        .write("models/unread.sql", "select 1 as id")
        .write("models/facts.sql", "{{ config(materialized='table', meta={'serving': ['low_latency', 'high_latency']}) }}\nselect id from {{ ref('staged') }}")
        .write("models/large.sql", "{{ config(materialized='table') }}\nselect id from {{ ref('facts') }}")
        .write("models/report.sql", "{{ config(meta={'serving': 'high_latency'}) }}\nselect * from {{ ref('large') }}")
        .write("models/desk.sql", "{{ config(materialized='table', meta={'serving': ['low_latency']}) }}\nselect s.id, f.id as fact from {{ ref('staged') }} as s join {{ ref('facts') }} as f on s.id = f.id")
        .write(
            "models/models.yml",
            "models:\n  - name: facts\n    columns: [{name: id, data_tests: [unique]}]\n  - name: desk\n    columns:\n      - name: id\n        data_tests:\n          - not_null\n          \
             - relationships: {name: desk_is_large, arguments: {to: ref('large'), field: id}}\n",
        );
    project
}

/// What was compiled for a target, by name, in order.
fn compiled(project: &TestProject, target: &str) -> Vec<String> {
    let folder = project.path(&format!("target/{target}/compiled/shop"));
    let mut names: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn each_target_has_a_folder_with_what_is_built_there() {
    let project = shop();
    let run = project.acca(&["compile", "--target", "all"]).expect_code(0);
    assert_eq!(compiled(&project, "rs"), ["facts", "large", "report", "staged", "unique_facts_id", "unread"]);
    assert_eq!(compiled(&project, "pg"), ["desk", "desk_is_large", "not_null_desk_id", "staged"]);
    assert!(run.stderr.contains("On target 'rs' (redshift):\nCompiled 6 nodes into target/rs/compiled"), "{}", run.stderr);
    assert!(project.read("target/pg/compiled/shop/models/desk.sql").contains("\"serving\".\"marts\".\"facts\""));
    // One of them alone is one target: all of the project is built on it.
    project.acca(&["compile", "--target", "pg"]).expect_code(0);
    assert!(project.path("target/compiled/shop/models/report.sql").exists());
}

#[test]
fn without_classes_all_targets_get_everything() {
    let project = shop();
    project.write("acca.yml", "version: 1\n");
    project.acca(&["compile", "--target", "all"]).expect_code(0);
    assert_eq!(compiled(&project, "rs"), compiled(&project, "pg"));
    assert_eq!(compiled(&project, "rs").len(), 9);
}

#[test]
fn both_classes_on_one_target_are_one_target() {
    let project = shop();
    project.write("acca.yml", &SERVING.replace("pg", "rs"));
    project.acca(&["compile", "--target", "all"]).expect_code(0);
    assert!(project.path("target/compiled/shop/models/desk.sql").exists() && !project.path("target/rs").exists());
}

#[test]
fn mistakes_in_serving_point_at_their_places() {
    let project = shop();
    project.write("acca.yml", &SERVING.replace("low_latency: pg", "low_latency: pgg"));
    let said = |project: &TestProject, target: &str| project.acca(&["compile", "--target", target]).expect_code(1).stderr;
    let run = said(&project, "all");
    assert!(run.contains("'low_latency' is to be served by 'pgg', which the profile does not have"), "{run}");
    assert!(run.contains("acca.yml:2:16") && run.contains("did you mean 'pg'?") && run.contains("the targets are: rs, pg"), "{run}");
    // A developer's profile need not have the warehouses.
    project.acca(&["compile", "--target", "pg"]).expect_code(0);
    project.write("acca.yml", SERVING);
    project.write("models/late.sql", "{{ config(meta={'serving': 'low_latncy'}) }}\nselect 1 as id");
    let run = said(&project, "pg");
    assert!(run.contains("'meta.serving' of 'late' names 'low_latncy', which is no class of serving"), "{run}");
    assert!(run.contains("models/late.sql:1:") && run.contains("did you mean 'low_latency'?"), "{run}");
}

#[test]
fn what_is_refused_says_on_which_target() {
    let project = shop();
    project.write("models/desk.sql", "{{ config(meta={'serving': 'low_latency', 'portable': true}) }}\nselect nope() as x, nada() as y");
    let run = project.acca(&["compile", "--target", "all"]).expect_code(1);
    assert!(run.stderr.contains("'nope'") && run.stderr.contains("'nada'"), "all that is refused, not the first: {}", run.stderr);
    assert!(run.stderr.contains("on target 'pg' (postgres)") && !run.stderr.contains("on target 'rs'"), "{}", run.stderr);
}

#[test]
fn explain_shows_where_a_table_is_built_and_how_it_goes_over() {
    let project = shop();
    let explained = project.acca(&["explain", "facts", "--target", "all", "--offline"]).expect_code(0);
    // Every run has a mark of its own.
    let shown = regex::Regex::new("null:[0-9a-f]{8}@").unwrap().replace_all(explained.stdout.trim_end(), "null:<mark>@").into_owned();
    insta::assert_snapshot!(shown, @r#"
    -- model.shop.facts (table) on rs
    -- 1. build table marts.facts__acca_stage
    create table "shop"."marts"."facts__acca_stage"
    as (

    select id from "shop"."marts"."staged"
    );
    -- 2. publish marts.facts
    alter table "shop"."marts"."facts__acca_stage" rename to "facts";

    -- model.shop.facts (transfer) to pg
    -- 1. on target rs: unload marts.facts to s3://lake/acca/<uuid>/pg/model.shop.facts/
    select count(*) from (select "id" from "shop"."marts"."facts") as sent;
    unload ('select "id" from "shop"."marts"."facts"')
    to 's3://lake/acca/<uuid>/pg/model.shop.facts/rows.csv'
    iam_role default
    format as csv
    delimiter as ','
    null as '@acca:null:<mark>@'
    parallel off;
    -- 2. create table marts.facts__acca_stage
    create table "serving"."marts"."facts__acca_stage" (
        "id" integer
    );
    -- 3. load marts.facts__acca_stage
    select aws_s3.table_import_from_s3(
        '"marts"."facts__acca_stage"',
        '"id"',
        '(format csv, null ''@acca:null:<mark>@'')',
        aws_commons.create_s3_uri('lake', 'acca/<uuid>/pg/model.shop.facts/rows.csv000', 'eu-west-1')
    );
    -- 4. hold the rows in marts.facts__acca_stage against those that were sent
    select count(*) from "serving"."marts"."facts__acca_stage";
    -- 5. gather statistics of marts.facts__acca_stage
    analyze "serving"."marts"."facts__acca_stage";
    -- 6. publish marts.facts
    alter table "serving"."marts"."facts__acca_stage" rename to "facts";
    "#);
    let whole = project.acca(&["explain", "--target", "all", "--offline"]).expect_code(0).stdout;
    let headings: Vec<&str> = whole.lines().filter(|line| line.starts_with("-- model.") || line.starts_with("-- seed.")).collect();
    insta::assert_snapshot!(headings.join("\n"), @"
    -- model.shop.unread (view) on rs
    -- seed.shop.codes (seed) on rs
    -- seed.shop.codes (seed) on pg
    -- model.shop.staged (view) on rs
    -- model.shop.staged (view) on pg
    -- model.shop.facts (table) on rs
    -- model.shop.facts (transfer) to pg
    -- model.shop.desk (table) on pg
    -- model.shop.large (table) on rs
    -- model.shop.large (transfer) to pg
    -- model.shop.report (view) on rs
    ");
    let json = project.acca(&["explain", "facts", "--target", "all", "--offline", "--output", "json"]).expect_code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json[0]["target"].as_str(), json[1]["target"].as_str()), (Some("rs"), Some("pg")));
}

#[test]
fn a_transfer_without_a_place_is_refused_where_it_is_needed() {
    let project = shop();
    project.write("acca.yml", "serving: {low_latency: pg, high_latency: rs}\n");
    project.acca(&["compile", "--target", "all"]).expect_code(0);
    let run = project.acca(&["explain", "facts", "--target", "all", "--offline"]).expect_code(1);
    assert!(run.stderr.contains("'facts' goes from target 'rs' to 'pg', and nothing says through which bucket"), "{}", run.stderr);
    assert!(run.stderr.contains("models/facts.sql:1:"), "{}", run.stderr);
}

#[test]
fn listings_tell_the_targets() {
    let project = shop();
    let listed = project.acca(&["ls", "--target", "all", "--resource-type", "model", "--output", "name"]).expect_code(0).stdout;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(
        lines,
        [
            "rs facts",
            "rs large",
            "rs report",
            "rs staged",
            "rs unread",
            "pg desk",
            "pg facts (transferred)",
            "pg large (transferred)",
            "pg staged"
        ]
    );
    let json = project.acca(&["ls", "--target", "all", "--select", "facts", "--resource-type", "model", "--output", "json"]).expect_code(0);
    let entries: Vec<serde_json::Value> = json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((entries[0]["target"].as_str(), entries[1]["transferred"].as_bool()), (Some("rs"), Some(true)));
    // Commands that work on one target say so.
    let refused = project.acca(&["show", "facts", "--target", "all"]).expect_code(2).stderr;
    assert!(refused.contains("'--target all' is for check, compile, explain, ls, build"), "{refused}");
    project.acca(&["retry", "--target", "all"]).expect_code(2);
}

#[test]
fn without_a_profile_the_example_is_taken_for_a_named_target() {
    let project = shop();
    std::fs::rename(project.path("profiles.yml"), project.path("profiles.example.yml")).unwrap();
    let run = project.acca(&["compile", "--target", "all"]).expect_code(0);
    assert_eq!(compiled(&project, "pg").len(), 4);
    assert!(run.stderr.contains("there is no profiles.yml, so target 'pg' is that of 'profiles.example.yml'"), "{}", run.stderr);
    project.acca(&["compile", "--target", "rs"]).expect_code(0);
    // An example is to be looked at.
    for target in ["pg", "all"] {
        let refused = project.acca(&["run", "--target", target]).expect_code(2).stderr;
        assert!(
            refused.contains("is an example that nothing is run on") && refused.contains("copy 'profiles.example.yml' to profiles.yml"),
            "{refused}"
        );
    }
    let nope = project.acca(&["compile", "--target", "nope"]).expect_code(2).stderr;
    assert!(nope.contains("profile 'shop' has no target 'nope'") && nope.contains("the targets are: rs, pg"), "{nope}");
    // Nobody is sent to a database that was not named.
    let parsed = project.acca(&["parse"]).expect_code(0).stderr;
    assert!(parsed.contains("so DuckDB in 'build/acca.duckdb' is used"), "{parsed}");
}

/// What is shown is what is run.
#[test]
fn a_transfer_goes_by_the_role_of_its_target() {
    let project = shop();
    project.write("profiles.yml", &PROFILES.replace("dbname: shop,", "dbname: shop, iam_role: 'arn:aws:iam::1:role/own',"));
    let explain = || project.acca(&["explain", "facts", "--target", "all", "--offline"]).expect_code(0).stdout;
    let own = "iam_role 'arn:aws:iam::1:role/own'";
    assert!(explain().contains(own), "{}", explain());
    for (written, shown) in [("default", "iam_role default"), ("'arn:aws:iam::1:role/move'", "iam_role 'arn:aws:iam::1:role/move'")] {
        project.write("acca.yml", &SERVING.replace("region: eu-west-1", &format!("region: eu-west-1, iam_role: {written}")));
        assert!(explain().contains(shown) && !explain().contains(own), "{}", explain());
    }
}

#[test]
fn two_targets_that_are_one_database_are_refused() {
    let project = shop();
    let pg = project.read("profiles.yml").lines().find(|line| line.trim_start().starts_with("pg:")).unwrap().trim().to_owned();
    project.write("profiles.yml", &format!("shop:\n  target: rs\n  outputs:\n    {pg}\n    rs: {}\n", pg.trim_start_matches("pg:")));
    let run = project.acca(&["compile", "--target", "all"]).expect_code(1).stderr;
    assert!(run.contains("targets 'rs' and 'pg' are one database, and both would have marts.") && run.contains("acca.yml:"), "{run}");
    // This machine has several names, and a port that is left out is the usual one.
    let rs = pg.trim_start_matches("pg:").replace("nowhere", "127.0.0.1");
    let pg = pg.replace("nowhere,", "LocalHost, port: 5432,");
    project.write("profiles.yml", &format!("shop:\n  target: rs\n  outputs:\n    {pg}\n    rs: {rs}\n"));
    let run = project.acca(&["compile", "--target", "all"]).expect_code(1).stderr;
    assert!(run.contains("targets 'rs' and 'pg' are one database"), "{run}");
}

#[test]
fn what_is_switched_off_on_its_only_target_is_refused() {
    let project = shop();
    project.write("models/desk.sql", "{{ config(enabled=(target.name == 'rs'), meta={'serving': 'low_latency'}) }}\nselect 1 as id");
    let run = project.acca(&["compile", "--target", "all"]).expect_code(1).stderr;
    assert!(run.contains("'desk' is to be served by target 'pg', and there it is switched off"), "{run}");
    assert!(run.contains("models/desk.sql:1:"), "{run}");
}
