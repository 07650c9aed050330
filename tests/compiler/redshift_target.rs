//! Targets of type `redshift` through the binary: without a connection, and with a service that stands in for the Data API.

use crate::project::TestProject;
use crate::redshift::buckets::Place;
use crate::redshift::service::{DataApi, Trouble};

const PROFILES: &str = "shop:\n  target: warehouse\n  outputs:\n    warehouse: {type: redshift, serverless_work_group: made-up, region: eu-west-1, dbname: shop, schema: marts}\n";

pub fn shop() -> TestProject {
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
    assert!(explained.stderr.contains("could not be looked up, so nothing is taken to"), "{}", explained.stderr);
    // The steps may be all that is kept.
    let said = "-- so nothing is taken to stand there: these are the steps of a first build";
    assert!(explained.stdout.contains("-- target 'warehouse' cannot be used: ") && explained.stdout.contains(said), "{}", explained.stdout);
    let document = project.acca(&["explain", "one", "--output", "json"]).expect_code(0).stdout;
    assert!(document.contains("\"assumed\":\"empty\""), "{document}");
    assert!(!project.acca(&["explain", "one", "--offline"]).expect_code(0).stdout.contains("taken to"));
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

/// The project's target is a service that stands in for the Data API.
pub fn served(service: &DataApi) -> TestProject {
    let mut project = shop();
    let endpoint = format!("endpoint: '{}', dbname: dev", service.endpoint());
    project.write("profiles.yml", &PROFILES.replace("dbname: shop", &endpoint));
    for (name, value) in [("AWS_ACCESS_KEY_ID", "made-up"), ("AWS_SECRET_ACCESS_KEY", "made-up")] {
        project.set_env(name, value);
    }
    project
}

/// Rows of a query on what the service holds, one a line.
pub fn rows(service: &DataApi, sql: &str) -> String {
    service.imitation().execute(sql).unwrap_or_else(|failure| panic!("{sql}: {failure:?}")).lines().join("\n")
}

#[test]
fn a_project_is_built_through_the_data_api() {
    let service = DataApi::start();
    let project = served(&service);
    project
        .write("landing/bets/one.csv", "id,stake,placed_at,note\n1,1.50,2026-01-01 10:00:00,a\\b\n2,2.25,2026-01-02 11:00:00,\n")
        .write(
            "models/models.yml",
            "sources:\n  - name: raw\n    tables:\n      - name: bets\n        meta: {landing: {path: 'landing/bets/*.csv', format: csv}}\n        columns:\n          \
             - {name: id, data_type: bigint}\n          - {name: stake, data_type: 'numeric(12,2)'}\n          - {name: placed_at, data_type: timestamp}\n          \
             - {name: note, data_type: varchar(20)}\n\
             models:\n  - name: bets\n    columns:\n      - {name: id, data_tests: [unique, not_null]}\n    config: {grants: {select: ['group analysts']}}\n  \
             - name: kept\n    columns:\n      - {name: id, data_tests: [unique]}\n\
             unit_tests:\n  - name: days_are_cut\n    model: days\n    given:\n      - {input: ref('bets'), rows: [{id: 1, stake: 2, placed_at: '2026-03-01 23:59:59'}]}\n    \
             expect: {rows: [{day: '2026-03-01', stake: 2}]}\n",
        )
        .write("seeds/countries.csv", "code,name\nGB,Great Britain\nIE,\u{c9}ire\n")
        .write("models/bets.sql", "{{ config(materialized='table', dist='id', sort='placed_at') }}\nselect id, stake, placed_at, note from {{ source('raw', 'bets') }}")
        .write("models/days.sql", "select cast(placed_at as date) as day, sum(stake) as stake from {{ ref('bets') }} group by 1")
        .write("models/kept.sql", "{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge') }}\nselect id, stake from {{ ref('bets') }}")
        .write("snapshots/history.sql", "{% snapshot history %}{{ config(unique_key='id', strategy='check', check_cols=['stake'], hard_deletes='invalidate') }}\nselect id, stake from {{ ref('bets') }}{% endsnapshot %}");
    let first = project.acca(&["build"]).expect_code(0);
    assert_eq!(rows(&service, "select code, name from marts.countries order by 1"), "GB|Great Britain\nIE|\u{c9}ire");
    assert_eq!(rows(&service, "select day, stake from marts.days order by 1"), "2026-01-01|1.50\n2026-01-02|2.25");
    assert_eq!(rows(&service, "select note from marts.bets where id = 1"), "a\\b");
    assert!(!first.stdout.contains("warn"), "{}", first.stdout);
    // A later file changes one bet and brings another.
    project.write("landing/bets/one.csv", "id,stake,placed_at,note\n2,9.00,2026-01-02 11:00:00,\n3,3.00,2026-01-02 12:00:00,\n");
    project.acca(&["build"]).expect_code(0);
    assert_eq!(rows(&service, "select id, stake from marts.kept order by 1"), "1|1.50\n2|9.00\n3|3.00");
    assert_eq!(
        rows(&service, "select id, stake, dbt_valid_to is null from marts.history order by 1, 2"),
        "1|1.50|false\n2|2.25|false\n2|9.00|true\n3|3.00|true"
    );
    let left = rows(&service, "select count(*) from pg_class where relname like '%__acca_%'");
    assert_eq!(left, "0");
    let explained = project.acca(&["explain", "kept"]).expect_code(0).stdout;
    assert!(explained.contains("merge into"), "{explained}");
}

#[test]
fn keys_of_text_are_told_apart_by_blanks_at_their_end() {
    let service = DataApi::start();
    let project = served(&service);
    let later = "{% if var('later', false) %} 'ab' {% else %} 'ab ' {% endif %}";
    for (name, strategy) in [("replaced", "delete+insert"), ("merged", "merge")] {
        let config = format!("{{{{ config(materialized='incremental', unique_key='t', incremental_strategy='{strategy}') }}}}");
        project.write(&format!("models/{name}.sql"), &format!("{config}\nselect cast({later} as varchar(5)) as t, 1 as n"));
    }
    project.write(
        "snapshots/history.sql",
        "{% snapshot history %}{{ config(unique_key='t', strategy='check', check_cols=['n'], hard_deletes='invalidate') }}\n\
         select cast('ab ' as varchar(5)) as t, 1 as n {% if var('later', false) %} union all select cast('ab' as varchar(5)), 2 {% endif %}\
         {% endsnapshot %}",
    );
    project.acca(&["build"]).expect_code(0);
    project.acca(&["build", "--vars", "{later: true}"]).expect_code(0);
    let texts = |table: &str| rows(&service, &format!("select '[' || t || ']' as t from marts.{table} order by 1 desc"));
    assert_eq!(texts("replaced"), "[ab]\n[ab ]");
    assert_eq!(texts("merged"), "[ab]\n[ab ]");
    assert_eq!(texts("history"), "[ab]\n[ab ]");
    assert_eq!(rows(&service, "select count(*) from marts.history where dbt_valid_to is null"), "2");
}

/// A test that acca writes finds the same rows of a portable model on every engine: a blank at the end of text counts.
#[test]
fn generic_tests_of_portable_models_count_blanks() {
    let service = DataApi::start();
    let project = served(&service);
    let legs = "select cast(id as integer) as id, cast(result as varchar(9)) as result, cast(code as varchar(9)) as code\n\
                from (values (1, 'won', 'a'), (2, 'won ', 'a '), (3, null, 'b')) as legs (id, result, code)";
    let tests = "columns:\n      - {name: id, data_tests: [unique]}\n      - name: code\n        data_tests: [unique]\n      - name: result\n        data_tests:\n          \
                 - accepted_values: {arguments: {values: [won, lost]}}\n          - relationships: {arguments: {to: ref('results'), field: result}}\n          \
                 - unique: {name: of_early, config: {where: \"id / 2 < 1\"}}\n";
    project
        .write("models/results.sql", "{{ config(materialized='table') }}\nselect cast('won' as varchar(9)) as result")
        .write("models/portable.sql", &format!("{{{{ config(materialized='table', meta={{'portable': true}}) }}}}\n{legs}"))
        .write("models/plain.sql", "{{ config(materialized='table') }}\nselect * from {{ ref('portable') }}")
        .write(
            "models/models.yml",
            &format!("models:\n  - name: portable\n    {tests}  - name: plain\n    {}", tests.replace("of_early", "of_early_plain")),
        );
    project.acca(&["run"]).expect_code(0);
    let built = project.acca(&["test"]).expect_code(1);
    let failed = |name: &str| built.stdout.lines().any(|line| line.contains("FAIL") && line.contains(name));
    assert!(failed("accepted_values_portable") && failed("relationships_portable"), "{}", built.stdout);
    assert!(!failed("unique_portable") && !failed("of_early"), "{}", built.stdout);
    // What is written for Redshift is asked in its own sense of being equal, as its joins and groups are.
    assert!(failed("unique_plain_code") && !failed("accepted_values_plain") && !failed("relationships_plain"), "{}", built.stdout);
}

/// A session of the adapter.
pub fn connected(service: &DataApi) -> Box<dyn acca::execute::Session> {
    let settings = serde_json::json!({
        "cluster_id": "made-up", "endpoint": service.endpoint(), "access_key_id": "made-up", "secret_access_key": "made-up",
    });
    let target = acca::project::Target {
        profile: "p".to_owned(),
        name: "t".to_owned(),
        adapter: "redshift".to_owned(),
        database: "dev".to_owned(),
        schema: "public".to_owned(),
        threads: 1,
        settings: settings.as_object().unwrap().clone(),
        span: None,
    };
    acca::execute::open(&target, std::path::Path::new("")).unwrap().adapter.connect().unwrap()
}

#[test]
fn rows_of_several_statements_are_counted() {
    let service = DataApi::start();
    let mut session = connected(&service);
    session.execute("create table public.counted (id integer, note varchar(200))").unwrap();
    session.execute("begin").unwrap();
    let insert = |rows: std::ops::Range<u32>| {
        let rows: Vec<String> = rows.map(|id| format!("\n    ({id}, '{}')", "x".repeat(180))).collect();
        format!("insert into public.counted (id, note)\nvalues{}", rows.join(","))
    };
    let counts = [session.execute(&insert(0..434)).unwrap(), session.execute(&insert(434..620)).unwrap()];
    session.execute("commit").unwrap();
    assert_eq!(counts, [434, 186]);
}

#[test]
fn what_another_was_in_the_way_of_is_tried_again() {
    let service = DataApi::start();
    let project = served(&service);
    project.write("models/one.sql", "{{ config(materialized='table') }}\nselect 1 as id");
    project.acca(&["run"]).expect_code(0);
    service.trouble(Trouble::Throttled);
    service.trouble(Trouble::Conflict);
    project.acca(&["run"]).expect_code(0);
    assert_eq!(rows(&service, "select id from marts.one"), "1");
    let sent = service
        .requests()
        .iter()
        .filter(|(operation, body)| operation == "ExecuteStatement" && body["Sql"] == "set timezone to 'UTC'")
        .count();
    // Two sessions a run, one request that was refused, and one session that met the conflict.
    assert_eq!(sent, 6);
}

#[test]
fn what_is_taken_for_granted_holds_for_the_imitation() {
    let service = DataApi::start();
    let project = served(&service);
    rows(&service, "create schema if not exists marts");
    let checked = project.acca(&["self-check"]).expect_code(0).stdout;
    assert!(checked.contains("All is as acca takes it to be") && !checked.contains("DIFFERS"), "{checked}");
    assert!(checked.contains("Claims about files were not asked") && !checked.contains("unloads:"), "{checked}");
}

#[test]
fn what_is_taken_for_granted_of_files_holds_for_the_imitation() {
    let service = DataApi::start();
    let mut project = served(&service);
    project.set_env("AWS_ENDPOINT_URL_S3", &service.imitation().buckets().endpoint());
    project.write("profiles.yml", &project.read("profiles.yml").replace("type: redshift", "type: redshift, load_bucket: 's3://lake/acca'"));
    rows(&service, "create schema if not exists marts");
    let place = Place::read("s3://lake/acca/x").unwrap();
    service.imitation().buckets().put(&place, b"of others");
    let checked = project.acca(&["self-check"]).expect_code(0).stdout;
    assert!(checked.contains("holds unloads: floats come back from CSV as they were") && !checked.contains("DIFFERS"), "{checked}");
    // Nothing is left behind.
    assert_eq!(service.imitation().buckets().list(&Place::read("s3://lake/acca/").unwrap()).len(), 1);
}

#[test]
fn an_error_of_the_warehouse_points_into_the_model() {
    let service = DataApi::start();
    let project = served(&service);
    project.write("models/one.sql", "{{ config(materialized='table') }}\nselect 1 as id,\n  nope as x\nfrom (select 2 as y) as t");
    let run = project.acca(&["run"]).expect_code(1);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("nope") && said.contains("models/one.sql"), "{said}");
    assert_eq!(rows(&service, "select count(*) from pg_class where relname like 'one%'"), "0");
}

#[test]
fn a_check_that_redshift_cannot_have_is_told() {
    let service = DataApi::start();
    let project = served(&service);
    project
        .write(
            "models/models.yml",
            "models:\n  - name: amounts\n    config: {contract: {enforced: true}}\n    constraints: [{type: check, expression: amount > 0}]\n    \
             columns: [{name: amount, data_type: integer}]\n",
        )
        .write("models/amounts.sql", "{{ config(materialized='table') }}\nselect 1 as amount");
    let ran = project.acca(&["run"]).expect_code(0);
    assert!(ran.stdout.contains("the check constraint of 'amounts' is not made: this engine cannot have it"), "{}", ran.stdout);
    assert_eq!(rows(&service, "select amount from marts.amounts"), "1");
}
