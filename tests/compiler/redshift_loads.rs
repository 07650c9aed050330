//! Landing files on their way into Redshift: from disk and from S3, through a bucket and COPY.

use crate::project::TestProject;
use crate::redshift::buckets::Place;
use crate::redshift::service::{DataApi, Trouble};

/// A project with one source whose files match `path`, on a target that stands in for Redshift, with these further keys.
fn project(service: &DataApi, path: &str, keys: &str) -> TestProject {
    let endpoint = service.endpoint();
    let mut project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write(
            "profiles.yml",
            &format!(
                "shop:\n  target: warehouse\n  outputs:\n    warehouse: {{type: redshift, serverless_work_group: made-up, region: eu-west-1, \
                 endpoint: '{endpoint}', dbname: dev, schema: marts{keys}}}\n"
            ),
        )
        .write(
            "models/sources.yml",
            &format!(
                "sources:\n  - name: raw\n    tables:\n      - name: bets\n        meta: {{landing: {{path: '{path}'}}}}\n        columns:\n          \
                 - {{name: id, data_type: bigint}}\n          - {{name: stake, data_type: 'numeric(12,2)'}}\n          \
                 - {{name: placed_at, data_type: timestamp}}\n          - {{name: note, data_type: varchar(20)}}\n          - {{name: doc, data_type: json}}\n"
            ),
        );
    let s3 = service.imitation().buckets().endpoint();
    for (name, value) in [("AWS_ACCESS_KEY_ID", "made-up"), ("AWS_SECRET_ACCESS_KEY", "made-up"), ("AWS_ENDPOINT_URL_S3", s3.as_str())] {
        project.set_env(name, value);
    }
    project
}

const BUCKET: &str = ", load_bucket: 's3://lake/acca', iam_role: 'arn:aws:iam::1:role/load'";
const FIRST: &[u8] = b"note,id,stake,placed_at,doc\n\"a\\b \"\"x\"\"\nline\",1,1.50,2026-01-01 10:00:00,\"{\"\"k\"\": [1]}\"\n\"\",2,2.25,2026-01-02T11:00:00,\n";

fn put(service: &DataApi, url: &str, content: &[u8]) {
    service.imitation().buckets().put(&Place::read(url).unwrap(), content);
}

fn keys(service: &DataApi, url: &str) -> Vec<String> {
    service.imitation().buckets().list(&Place::read(url).unwrap()).into_iter().map(|place| place.key).collect()
}

/// Rows of a query on what the service holds, one a line.
fn rows(service: &DataApi, sql: &str) -> String {
    service.imitation().execute(sql).unwrap_or_else(|failure| panic!("{sql}: {failure:?}")).lines().join("\n")
}

#[test]
fn objects_are_copied_once() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/**/*.csv", BUCKET);
    put(&service, "s3://lake/bets/day=1/a b.csv", FIRST);
    put(&service, "s3://lake/bets/notes.txt", b"not a bet");
    // What others are writing, and what they have left, is not for readers.
    put(&service, "s3://lake/bets/_temporary/0/a.csv", b"no header");
    put(&service, "s3://lake/bets/day=1/.a.csv", b"no header");
    let first = project.acca(&["load"]).expect_code(0);
    assert!(first.stdout.contains("2 rows of 1 file"), "{}", first.stdout);
    assert_eq!(
        rows(&service, "select id, stake, placed_at, note, doc, _acca_file from raw.bets order by id"),
        "1|1.50|2026-01-01 10:00:00|a\\b \"x\"\nline|{\"k\": [1]}|s3://lake/bets/day=1/a b.csv\n\
         2|2.25|2026-01-02 11:00:00|∅|∅|s3://lake/bets/day=1/a b.csv"
    );
    // Nothing of the way is left.
    assert_eq!(keys(&service, "s3://lake/acca"), Vec::<String>::new());
    let second = project.acca(&["load"]).expect_code(0);
    assert!(second.stdout.contains("1 file unchanged"), "{}", second.stdout);
    put(&service, "s3://lake/bets/day=1/a b.csv", b"id,stake,placed_at,note,doc\n9,9.00,,,\n");
    put(&service, "s3://lake/bets/day=2/c.csv", b"id,stake,placed_at,note,doc\n3,3.00,,,\n");
    let explained = project.acca(&["explain", "--select", "source:raw"]).expect_code(0).stdout;
    insta::assert_snapshot!(explained.trim_end(), @r#"
    -- source.shop.raw.bets (load)
    -- 1. create the raw table where it is missing
    CREATE SCHEMA IF NOT EXISTS "raw";
    CREATE TABLE IF NOT EXISTS "dev"."raw"."bets" (
      "id" bigint,
      "stake" numeric(12,2),
      "placed_at" timestamp,
      "note" varchar(80),
      "doc" super,
      "_acca_file" varchar(65535) NOT NULL,
      "_acca_loaded_at" timestamptz NOT NULL DEFAULT getdate()
    );
    CREATE TABLE IF NOT EXISTS "dev"."raw"."bets__rejects" (
      file varchar(65535) NOT NULL,
      line bigint NOT NULL,
      reason varchar(65535) NOT NULL,
      "raw" varchar(65535) NOT NULL,
      loaded_at timestamptz NOT NULL
    );
    -- 2. load files of s3://lake/bets/**/*.csv: 1 new ('s3://lake/bets/day=2/c.csv'), 1 changed ('s3://lake/bets/day=1/a b.csv')
    DELETE FROM "dev"."raw"."bets" WHERE "_acca_file" = 's3://lake/bets/day=1/a b.csv';
    create temporary table "bets__acca_load" (
        "id" bigint,
        "stake" numeric(12,2),
        "placed_at" timestamp,
        "note" varchar(80),
        "doc" varchar(65535)
    );
    copy "bets__acca_load" ("id", "stake", "placed_at", "note", "doc")
    from 's3://lake/acca/…/manifest.json'
    iam_role 'arn:aws:iam::1:role/load'
    format as csv quote as '"' delimiter ','
    manifest
    null as '@acca:null@'
    gzip
    roundec
    dateformat 'auto'
    timeformat 'auto';
    insert into "dev"."raw"."bets" ("id", "stake", "placed_at", "note", "doc", "_acca_file")
    select "id", "stake", "placed_at", "note", json_parse("doc"), 's3://lake/bets/day=1/a b.csv'
    from "bets__acca_load";
    drop table "bets__acca_load";
    "#);
    let third = project.acca(&["load"]).expect_code(0);
    assert!(third.stdout.contains("2 rows of 2 files"), "{}", third.stdout);
    assert_eq!(rows(&service, "select id from raw.bets order by id"), "3\n9");
    let statements = rows(&service, "select file, rows from _acca.load_manifest order by file");
    assert_eq!(statements, "s3://lake/bets/day=1/a b.csv|1\ns3://lake/bets/day=2/c.csv|1");
}

/// The statements that the service was sent, from the first that begins so on.
fn sent(service: &DataApi, beginning: &str) -> Vec<String> {
    let requests = service.requests();
    let sqls = requests.iter().filter_map(|(_, body)| body["Sql"].as_str().map(str::to_owned));
    // A comment says who sends it.
    let said = |sql: &String| sql.split_once("*/").map_or(sql.as_str(), |(_, rest)| rest).trim_start().starts_with(beginning);
    sqls.filter(said).collect()
}

#[test]
fn plain_objects_do_not_come_by() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/*.csv.gz", BUCKET);
    let rows_of = |text: &str| {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    project.write("models/sources.yml", &project.read("models/sources.yml").replace("          - {name: doc, data_type: json}\n", PLAIN));
    put(
        &service,
        "s3://lake/bets/1.csv.gz",
        &rows_of(
            "stake,ID,placed_at,note,ok,at,day\n1.50,1,2026-01-01 10:00:00.5,a\\Nb,t,2026-01-01T10:00:00Z,2026-02-28\n,2,,  ,FALSE,,\n-0.5,3,2026-01-01T10:00:00,\u{e9},false,2026-01-01 10:00:00+01:00,\n",
        ),
    );
    // The second row has a FALSE that is left to the pass.
    project.acca(&["load"]).expect_code(0);
    assert_eq!(sent(&service, "copy").len(), 2, "{:#?}", sent(&service, "copy"));
    put(
        &service,
        "s3://lake/bets/1.csv.gz",
        &rows_of(
            "stake,ID,placed_at,note,ok,at,day\n1.50,1,2026-01-01 10:00:00.5,a\\Nb,t,2026-01-01T10:00:00Z,2026-02-28\n,2,,  ,,,\n-0.5,3,2026-01-01T10:00:00,\u{e9},false,2026-01-01 10:00:00+01:00,\n",
        ),
    );
    let passed = rows(&service, ALL);
    project.acca(&["load"]).expect_code(0);
    assert_eq!(sent(&service, "copy").len(), 3, "{:#?}", sent(&service, "copy"));
    // Both ways give the same, but for what was changed.
    assert_eq!(rows(&service, ALL), passed.replace("|  |false|", "|  |\u{2205}|"));
    assert_eq!(
        passed,
        "1|1.50|2026-01-01 10:00:00.5|a\\Nb|true|2026-01-01 10:00:00+00|2026-02-28\n2|\u{2205}|\u{2205}|  |false|\u{2205}|\u{2205}\n\
         3|-0.50|2026-01-01 10:00:00|\u{e9}|false|2026-01-01 09:00:00+00|\u{2205}"
    );
    assert_eq!(keys(&service, "s3://lake/acca"), Vec::<String>::new());
    let explained = project.acca(&["explain", "--select", "source:raw", "--offline"]).expect_code(0).stdout;
    let (_, statements) = explained.split_once("-- 2. ").unwrap();
    insta::assert_snapshot!(statements.trim_end(), @r#"
    load files of s3://lake/bets/*.csv.gz: 1 new ('s3://lake/bets/*.csv.gz')
    create temporary table "bets__acca_load" (
        "id" varchar(65535),
        "stake" varchar(65535),
        "placed_at" varchar(65535),
        "note" varchar(65535),
        "ok" varchar(65535),
        "at" varchar(65535),
        "day" varchar(65535)
    );
    copy "bets__acca_load" ("id", "stake", "placed_at", "note", "ok", "at", "day")
    from 's3://lake/acca/…/manifest.json'
    iam_role 'arn:aws:iam::1:role/load'
    format as csv quote as '"' delimiter ','
    manifest
    ignoreheader 1
    null as '@acca:…:null@'
    gzip
    roundec
    dateformat 'auto'
    timeformat 'auto';
    select count(*), coalesce(sum(case
            when case when octet_length("id") > 0 then "id" end !~ '^-?[0-9]{1,18}$'
            or case when octet_length("stake") > 0 then "stake" end !~ '^-?[0-9]{1,10}([.][0-9]{1,2})?$'
            or case when octet_length("placed_at") > 0 then "placed_at" end !~ '^[0-9]{4}-[01][0-9]-[0-3][0-9][ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?$'
            or position('"' in "note") > 0 or len("note") > 20
            or case when octet_length("ok") > 0 then "ok" end !~ '^(true|false|t|f|1|0)$'
            or case when octet_length("at") > 0 then "at" end !~ '^[0-9]{4}-[01][0-9]-[0-3][0-9][ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3])(:[0-5][0-9])?)$'
            or case when octet_length("day") > 0 then "day" end !~ '^[0-9]{4}-[01][0-9]-[0-3][0-9]$'
            then 1 else 0 end), 0)
    from "bets__acca_load";
    insert into "dev"."raw"."bets" ("id", "stake", "placed_at", "note", "ok", "at", "day", "_acca_file")
    select
        cast(case when octet_length("id") > 0 then "id" end as bigint),
        cast(case when octet_length("stake") > 0 then "stake" end as numeric(12,2)),
        cast(replace(case when octet_length("placed_at") > 0 then "placed_at" end, 'T', ' ') as timestamp),
        case when octet_length("note") > 0 then "note" end,
        (case when octet_length("ok") > 0 then "ok" end) in ('true', 't', '1'),
        cast(replace(replace(case when octet_length("at") > 0 then "at" end, 'T', ' '), 'Z', '+00') as timestamptz),
        cast(case when octet_length("day") > 0 then "day" end as date),
        's3://lake/bets/*.csv.gz'
    from "bets__acca_load";
    drop table "bets__acca_load";
    "#);
}

const PLAIN: &str = "          - {name: ok, data_type: boolean}\n          - {name: at, data_type: timestamptz}\n          - {name: day, data_type: date}\n";
const ALL: &str = "select id, stake, placed_at, note, ok, at, day from raw.bets order by id";

#[test]
fn what_copy_would_bend_is_refused_with_its_place() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/*.csv", BUCKET);
    project.write("models/sources.yml", &project.read("models/sources.yml").replace("          - {name: doc, data_type: json}\n", ""));
    for (row, why) in [
        ("1,1.005,,x", "column 'stake': '1.005' has 3 decimals and may have 2"),
        ("1,,01/02/2026 10:00:00,x", "column 'placed_at': '01/02/2026"),
        ("1,,,123456789012345678901", "column 'note': '123456789012345678901' has 21 characters"),
        ("1 ,,,x", "column 'id': '1 ' is not an integer"),
        ("1,,,x,y", "the row has 5 values and must have 4"),
        (&format!("1,,,{}", "x".repeat(65_536)), "column 'note'"),
    ] {
        put(&service, "s3://lake/bets/1.csv", format!("id,stake,placed_at,note\n9,,,\n{row}\n").as_bytes());
        let failed = project.acca(&["load"]).expect_code(1);
        let told = format!("s3://lake/bets/1.csv:3: {why}");
        assert!(failed.stderr.contains(&told) || failed.stdout.contains(&told), "{told}\n{}\n{}", failed.stdout, failed.stderr);
        assert_eq!(rows(&service, "select count(*) from raw.bets"), "0");
    }
    assert_eq!(rows(&service, "select file, line from raw.bets__rejects"), "s3://lake/bets/1.csv|3");
    // A row that may be malformed is put aside.
    let sources = project.read("models/sources.yml").replace("*.csv'", "*.csv', max_rejects: 1");
    project.write("models/sources.yml", &sources);
    project.acca(&["load"]).expect_code(0);
    assert_eq!(rows(&service, "select id from raw.bets"), "9");
}

#[test]
fn parquet_and_local_files_are_copied() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/*.parquet", BUCKET);
    project.write("models/sources.yml", &project.read("models/sources.yml").replace("          - {name: doc, data_type: json}\n", ""));
    service.imitation().execute("create table given (note varchar(20), id bigint, stake decimal(10,2), placed_at timestamp)").unwrap();
    service.imitation().execute("insert into given values ('x\"', 1, 1.5, '2026-01-01 10:00:00'), (null, 2, null, null)").unwrap();
    service
        .imitation()
        .execute("unload ('select * from given order by id') to 's3://lake/bets/x' iam_role default format as parquet parallel off")
        .unwrap();
    project.acca(&["load"]).expect_code(0);
    assert_eq!(
        rows(&service, "select id, stake, placed_at, note from raw.bets order by id"),
        "1|1.50|2026-01-01 10:00:00|x\"\n2|\u{2205}|\u{2205}|\u{2205}"
    );
    assert!(sent(&service, "copy")[0].contains("format as parquet"));
    project.write("models/sources.yml", &project.read("models/sources.yml").replace("s3://lake/bets/*.parquet", "landing/*.ndjson"));
    project.write("landing/a.ndjson", "{\"id\": 7, \"stake\": 0.5, \"placed_at\": null, \"note\": \"\"}\n");
    project.acca(&["load"]).expect_code(0);
    assert_eq!(rows(&service, "select id, stake, note, _acca_file from raw.bets where id = 7"), "7|0.50||landing/a.ndjson");
    assert!(sent(&service, "insert into \"dev\".\"raw\".\"bets\" (").iter().all(|sql| sql.contains("__acca_load")));
}

#[test]
fn other_engines_load_from_s3() {
    let service = DataApi::start();
    let buckets = service.imitation().buckets();
    put(&service, "s3://lake/bets/1.csv", FIRST);
    put(&service, "s3://lake/bets/2.csv", b"id,stake,placed_at,note,doc\n3,3.00,,,\n");
    let database = crate::postgres::PgServer::shared().database();
    for engine in ["duckdb", "postgres"] {
        let mut project = project(&service, "s3://lake/bets/*.csv", "");
        match engine {
            "duckdb" => {
                project.write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n");
            }
            _ => {
                project.connect("shop", &database, "marts");
            }
        }
        project.set_env("AWS_REGION", "eu-west-1").set_env("AWS_ENDPOINT_URL_S3", &buckets.endpoint());
        let first = project.acca(&["load"]).expect_code(0);
        assert!(first.stdout.contains("3 rows of 2 files"), "{engine}: {}", first.stdout);
        let query = "select id, length(note), stake, replace(_acca_file, '/bets/', '/') as file from raw.bets order by id";
        let shown = project.acca(&["show", "--inline", query, "--output", "json"]).expect_code(0).stdout;
        assert!(shown.contains("s3://lake/2.csv") && shown.contains("2.25"), "{engine}: {shown}");
        let second = project.acca(&["load"]).expect_code(0);
        assert!(second.stdout.contains("2 files unchanged"), "{engine}: {}", second.stdout);
    }
    let project = project(&service, "s3://other/*.csv", BUCKET);
    let missing = project.acca(&["load"]).expect_code(1);
    assert!(missing.stdout.contains("error[missing-file]: the landing path of 'bets' matches no object"), "{}", missing.stdout);
}

#[test]
fn models_are_unloaded() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/*.csv", BUCKET);
    let model = |unload: &str| {
        format!(
            "{{{{ config(materialized='table', meta={{'unload': {{{unload}}}}}) }}}}\nselect 1 as id, 'a' as kind union all select 2, 'b\\\\''c' as kind"
        )
    };
    project.write("models/kinds.sql", &model("'to': 's3://lake/out/kinds/', 'format': 'csv', 'partition_by': ['kind']"));
    let explained = project.acca(&["explain", "kinds", "--offline"]).expect_code(0).stdout;
    let (_, step) = explained.split_once("-- 3. ").unwrap();
    insta::assert_snapshot!(step.trim_end(), @r#"
    unload to s3://lake/out/kinds/
    unload ('select * from "dev"."marts"."kinds"')
    to 's3://lake/out/kinds/'
    iam_role 'arn:aws:iam::1:role/load'
    format as csv
    partition by ("kind") include
    delimiter as ','
    header;
    "#);
    project.acca(&["run"]).expect_code(0);
    let found = keys(&service, "s3://lake/out/");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("out/kinds/kind=a/"), "{found:?}");
    // Files that are there are an error, and the model stays as it was.
    let altered = project.read("models/kinds.sql").replace("select 1 as id", "select 7 as id");
    project.write("models/kinds.sql", &altered);
    let failed = project.acca(&["run"]).expect_code(1);
    assert!(failed.stdout.contains("is not empty") || failed.stderr.contains("is not empty"), "{}{}", failed.stdout, failed.stderr);
    assert_eq!(rows(&service, "select id from marts.kinds order by id"), "1\n2");
    let apart = altered.replace("/out/", "/again/");
    project.write("models/kinds.sql", &apart.replace("'partition_by': ['kind']", "'header': False, 'single_file': True"));
    project.acca(&["run"]).expect_code(0);
    // A second run overwrites only where it is told to.
    project.acca(&["run"]).expect_code(1);
    project.write(
        "models/kinds.sql",
        &apart.replace("'partition_by': ['kind']", "'header': False, 'single_file': True, 'existing': 'overwrite'"),
    );
    project.acca(&["run"]).expect_code(0);
    assert_eq!(keys(&service, "s3://lake/again/"), ["again/kinds/000"]);
    let content = service.imitation().buckets().get(&Place::read("s3://lake/again/kinds/000").unwrap()).unwrap();
    assert_eq!(String::from_utf8(content).unwrap(), "7,a\n2,b\\'c\n");
}

/// Files are in no transaction: where it is taken back, they go too.
#[test]
fn a_model_that_is_not_built_leaves_no_files() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/*.csv", BUCKET);
    let model = |existing: &str| {
        format!(
            "{{{{ config(materialized='table', meta={{'unload': {{'to': 's3://lake/out/', 'format': 'csv'{existing}}}}}) }}}}\nselect 1 as id"
        )
    };
    project.write("models/kinds.sql", &model(", 'existing': 'overwrite'"));
    put(&service, "s3://lake/out/of_others.csv", b"1");
    service.trouble(Trouble::FailsAt("commit", "ERROR: disk full".to_owned()));
    let failed = project.acca(&["run"]).expect_code(1);
    assert!(failed.stdout.contains("disk full"), "{failed:?}");
    assert_eq!(keys(&service, "s3://lake/out/"), ["out/of_others.csv"]);
    // What another was in the way of is tried again, and its own files are not.
    service.imitation().buckets().delete(&Place::read("s3://lake/out/of_others.csv").unwrap());
    project.write("models/kinds.sql", &model(""));
    service.trouble(Trouble::FailsAt("commit", "ERROR: 1023\n  Detail: Serializable isolation violation on table - 7".to_owned()));
    project.acca(&["run"]).expect_code(0);
    assert_eq!(keys(&service, "s3://lake/out/").len(), 1);
}

#[test]
fn times_are_read_as_the_project_says() {
    let service = DataApi::start();
    let project =
        project(&service, "s3://lake/bets/*.csv', timestamp_format: 'DD.MM.YYYY HH24:MI', blanks_as_null: true, null_text: 'none", BUCKET);
    put(&service, "s3://lake/bets/a.csv", b"id,stake,placed_at,note,doc\n1,1.50,31.01.2026 10:05,  ,none\n");
    project.acca(&["load"]).expect_code(0);
    assert_eq!(rows(&service, "select placed_at, note from raw.bets"), "2026-01-31 10:05:00|\u{2205}");
    // What would change values without a word is refused, with what is meant.
    let refused = crate::redshift_target::shop();
    let source = "sources:\n  - name: raw\n    tables:\n      - name: t\n        meta: {landing: {path: 't/*.csv', KEY}}\n        columns: [{name: id, data_type: bigint}]\n";
    for (key, told) in [
        ("roundec: true", "values are never rounded or cut: declare the column with more digits or bytes"),
        ("timeformat: auto", "'timestamp_format' says how timestamps are written"),
        ("timestamp_formt: auto", "did you mean 'timestamp_format'?"),
        ("date_format: DD.MM", "'DD.MM' is no 'date_format': it needs YYYY, one of MM and MON, and DD"),
        ("format: parquet, date_format: DD.MM.YYYY", "Parquet has dates and text of its own"),
    ] {
        refused.write("models/sources.yml", &source.replace("KEY", key));
        let said = refused.acca(&["parse"]).expect_code(1);
        let said = said.stdout + &said.stderr;
        assert!(said.contains("invalid-landing") && said.contains(told), "{key}: {said}");
    }
}

#[test]
fn a_failed_copy_says_what_it_failed_at() {
    let service = DataApi::start();
    let mut session = crate::redshift_target::connected(&service);
    put(&service, "s3://lake/bets/a.csv", b"id,note\n1,short\n2,much too long\n");
    session.execute("create table bets (id int, note varchar(5))").unwrap();
    session.execute("begin").unwrap();
    let copy = "copy bets (id, note) from 's3://lake/bets/a.csv' iam_role default format as csv ignoreheader 1";
    let failed = session.execute(copy).unwrap_err();
    let told = "COPY failed at s3://lake/bets/a.csv:3, column 'note': String length exceeds DDL length";
    assert!(failed.to_string().starts_with(told), "{failed}");
    // Values may be personal, and messages are kept.
    let failed = format!("{failed:?}");
    assert!(
        !failed.contains("much too long") && failed.contains("raw_field_value, raw_line from stl_load_errors where query = "),
        "{failed}"
    );
}

#[test]
fn what_cannot_be_unloaded_is_told() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/*.csv", BUCKET);
    for (unload, told) in [
        ("'to': 's3://lake/'", "'s3://lake/' is no place that 'm' can be unloaded to"),
        ("'to': 's3://lake/x', 'existing': 'delete'", "'delete' is no 'existing' of 'unload' of 'm'"),
        ("'to': 's3://lake/x/', 'fromat': 'csv'", "the key 'fromat' means nothing in 'unload' of 'm'"),
        ("'to': 's3://lake/x/', 'format': 'orc'", "'orc' is no 'format' of 'unload' of 'm'"),
        ("'to': 's3://lake/x/', 'single_file': 'yes'", "'single_file' of 'unload' of 'm' is not true or false"),
        ("'to': 's3://lake/x/', 'single_file': True, 'partition_by': 'id'", "'m' cannot be unloaded so: files in folders by value"),
    ] {
        project.write("models/m.sql", &format!("{{{{ config(meta={{'unload': {{{unload}}}}}) }}}}\nselect 1 as id"));
        let failed = project.acca(&["explain", "m", "--offline"]).expect_code(1);
        assert!(failed.stderr.contains("error[invalid-unload]") && failed.stderr.contains(told), "{told}\n{}", failed.stderr);
        // Neither a connection nor a run is needed to find it.
        let compiled = project.acca(&["compile"]).expect_code(1);
        assert!(compiled.stderr.contains(told) || compiled.stdout.contains(told), "{told}\n{compiled:?}");
    }
}

#[test]
fn large_seeds_are_copied() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/*.csv", BUCKET);
    let rows_of: Vec<String> = (0..12_000).map(|id| format!("{id},\"{}\",2026-01-{:02},", "a\\\"\"b".repeat(20), id % 28 + 1)).collect();
    project.write("seeds/codes.csv", &format!("id,label,since,nothing\n{}\n", rows_of.join("\n")));
    let explained = project.acca(&["explain", "codes", "--offline"]).expect_code(0).stdout;
    assert!(
        explained.contains("-- 2. copy 12000 rows into marts.codes__acca_stage\ncopy \"dev\".\"marts\".\"codes__acca_stage\""),
        "{explained}"
    );
    project.acca(&["seed"]).expect_code(0);
    assert_eq!(
        rows(&service, "select count(*), min(label), max(len(label)), min(since), count(nothing) from marts.codes"),
        format!("12000|{}|80|2026-01-01|0", "a\\\"b".repeat(20))
    );
    assert_eq!(sent(&service, "copy").len(), 1);
    assert_eq!(keys(&service, "s3://lake/acca"), Vec::<String>::new());
}

/// What the extension of RDS does, on files of this machine.
const EXTENSION: &str = "create schema aws_commons; create schema aws_s3;
create type aws_commons._s3_uri_1 as (bucket text, file_path text, region text);
create function aws_commons.create_s3_uri(s3_bucket text, s3_key text, aws_region text) returns aws_commons._s3_uri_1
  language sql as $$ select row(s3_bucket, s3_key, aws_region)::aws_commons._s3_uri_1 $$;
create table aws_s3.asked (options text, region text);
create function aws_s3.table_import_from_s3(table_name text, column_list text, options text, s3_info aws_commons._s3_uri_1) returns text
  language plpgsql as $$ begin
    insert into aws_s3.asked values (options, (s3_info).region);
    execute format('copy %s (%s) from %L %s', table_name, column_list, 'FOLDER/' || (s3_info).bucket || '/' || (s3_info).file_path, options);
    return 'rows imported';
  end $$;";

#[test]
fn postgresql_reads_objects_by_its_extension() {
    use std::os::unix::fs::PermissionsExt;
    let service = DataApi::start();
    let buckets = service.imitation().buckets();
    put(&service, "s3://lake/bets/1.csv", b"stake,id,placed_at,note\n1.50,1,2026-01-01T10:00:00,x y\n,2,,\n");
    let folder = buckets.path(&Place::read("s3://lake/").unwrap()).parent().unwrap().to_owned();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let database = crate::postgres::PgServer::shared().database();
    database.query(&EXTENSION.replace("FOLDER", &folder.display().to_string()));
    let mut project = project(&service, "s3://lake/bets/*.csv", "");
    project.write("models/sources.yml", &project.read("models/sources.yml").replace("          - {name: doc, data_type: json}\n", ""));
    let output = database.profile_output("marts").replace('}', ", s3_import: aws_s3}");
    project.write("profiles.yml", &format!("shop:\n  target: dev\n  outputs:\n    dev: {output}\n"));
    project.set_env("AWS_REGION", "eu-west-1");
    project.acca(&["load"]).expect_code(0);
    let all = "select id, stake, placed_at, note, _acca_file from raw.bets order by id";
    assert_eq!(database.query(all), "1|1.50|2026-01-01 10:00:00|x y|s3://lake/bets/1.csv\n2||||s3://lake/bets/1.csv");
    assert_eq!(database.query("select count(*), min(region) from aws_s3.asked"), "1|eu-west-1");
    // What PostgreSQL would round is left to the pass, which refuses it.
    put(&service, "s3://lake/bets/1.csv", b"stake,id,placed_at,note\n1.505,1,,\n");
    let failed = project.acca(&["load"]).expect_code(1);
    assert!(failed.stdout.contains("s3://lake/bets/1.csv:2: column 'stake': '1.505' has 3 decimals"), "{}", failed.stdout);
    assert_eq!(database.query("select count(*) from raw.bets"), "2");
    let explained = project.acca(&["explain", "--select", "source:raw"]).expect_code(0).stdout;
    assert!(explained.contains("select aws_s3.table_import_from_s3("), "{explained}");
    project.write("profiles.yml", &project.read("profiles.yml").replace("s3_import: aws_s3", "s3_import: aws"));
    let failed = project.acca(&["load"]).expect_code(1);
    assert!(failed.stdout.contains("'aws' is no 's3_import' of target 'dev'"), "{}", failed.stdout);
}

#[test]
fn without_a_bucket_rows_are_inserted_and_a_slow_way_is_told() {
    let service = DataApi::start();
    let project = project(&service, "landing/*.csv", "");
    project.write("models/sources.yml", &project.read("models/sources.yml").replace("          - {name: doc, data_type: json}\n", ""));
    let lines: Vec<String> = (0..30_000).map(|id| format!("{id},1.50,2026-01-01 10:00:00,\"abc\"")).collect();
    project.write("landing/a.csv", &format!("id,stake,placed_at,note\n{}\n", lines.join("\n")));
    let loaded = project.acca(&["load"]).expect_code(0);
    assert!(loaded.stdout.contains("1 MB by inserts, which are slow: 'load_bucket'"), "{}", loaded.stdout);
    assert_eq!(rows(&service, "select count(*) from raw.bets"), "30000");
    assert_eq!(sent(&service, "copy"), Vec::<String>::new());
}

/// The rows of the older version stay until the newer one has passed as a whole.
#[test]
fn a_file_that_turns_bad_takes_nothing_away() {
    let service = DataApi::start();
    let project = project(&service, "landing/*.csv", BUCKET);
    project.write("landing/bets.csv", "id,stake,placed_at,note,doc\n1,1.00,,,\n2,2.00,,,\n");
    project.acca(&["load"]).expect_code(0);
    project.write("landing/bets.csv", "id,stake,placed_at,note,doc\nx,1.00,,,\n3,3.00,,,\n");
    for _ in 0..2 {
        let refused = project.acca(&["load"]).expect_code(1);
        assert!(refused.stderr.contains("landing/bets.csv") || refused.stdout.contains("landing/bets.csv"), "{}", refused.stderr);
        assert_eq!(rows(&service, "select id from raw.bets order by id"), "1\n2");
        assert_eq!(rows(&service, "select rows from _acca.load_manifest"), "2");
        assert_eq!(rows(&service, "select count(*) from raw.bets__rejects"), "1");
        assert_eq!(keys(&service, "s3://lake/acca"), Vec::<String>::new());
    }
}

/// A UUID is text there, and capitals would tell equal ones apart.
#[test]
fn uuids_are_stored_in_small_letters() {
    for keys in [BUCKET, ""] {
        let service = DataApi::start();
        let project = project(&service, "landing/*.csv", keys);
        let sources = "sources:\n  - name: raw\n    tables:\n      - name: bets\n        meta: {landing: {path: 'landing/*.csv'}}\n        columns:\n          \
                       - {name: id, data_type: uuid}\n";
        project.write("models/sources.yml", sources).write("landing/bets.csv", "id\nA0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\n");
        project.acca(&["load"]).expect_code(0);
        assert_eq!(rows(&service, "select id from raw.bets"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    }
}

/// Of a large object only the first bytes are read for it.
#[test]
fn a_declaration_that_an_object_does_not_fit_empties_no_table() {
    let service = DataApi::start();
    let project = project(&service, "s3://lake/bets/*.csv", BUCKET);
    put(&service, "s3://lake/bets/1.csv", FIRST);
    let row = format!("3,3.00,,{},\n", "x".repeat(20));
    let large = format!("id,stake,placed_at,note,doc\n{}", row.repeat(40_000));
    put(&service, "s3://lake/bets/2.csv", large.as_bytes());
    project.acca(&["load"]).expect_code(0);
    let other = project.read("models/sources.yml").replace("name: stake", "name: stakes");
    for (pattern, file) in [("bets/*", "1.csv"), ("bets/2*", "2.csv")] {
        project.write("models/sources.yml", &other.replace("bets/*", pattern));
        let failed = project.acca(&["load", "--full-refresh", "--prune"]).expect_code(1);
        let expected = format!("{file}' cannot be loaded: the file does not fit its declaration: its column 'stake' is not declared");
        assert!(failed.stdout.contains(&expected), "{}", failed.stdout);
        assert_eq!(rows(&service, "select count(stake) from raw.bets"), "40002");
    }
}
