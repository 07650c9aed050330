//! Landing files on their way into Redshift: from disk and from S3, through a bucket and COPY.

use crate::project::TestProject;
use crate::redshift::buckets::Place;
use crate::redshift::service::DataApi;

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
