//! External schemas and tables of Redshift, and streams, through the binary and the imitation.

use crate::project::TestProject;
use crate::redshift::buckets::Place;
use crate::redshift::service::DataApi;
use crate::redshift_target::{rows, served};

fn put(service: &DataApi, url: &str, content: &[u8]) {
    service.imitation().buckets().put(&Place::read(url).unwrap(), content);
}

fn with_s3(service: &DataApi) -> TestProject {
    let mut project = served(service);
    project.set_env("AWS_ENDPOINT_URL_S3", &service.imitation().buckets().endpoint());
    project
}

const LAKE: &str = "sources:\n  - name: lake\n    meta: {external_schema: {from: glue, database: lake_db, create_database: true}}\n    tables:\n      \
    - name: events\n        external:\n          location: s3://lake/events/\n          file_format: csv\n          header_lines: 1\n          \
    partitions: [{name: day, data_type: date}]\n        columns:\n          - {name: id, data_type: bigint}\n          \
    - {name: stake, data_type: 'numeric(12,2)'}\n          - {name: note, data_type: varchar(4)}\n";

#[test]
fn external_tables_are_made_once_and_read_where_they_lie() {
    let service = DataApi::start();
    let project = with_s3(&service);
    put(&service, "s3://lake/events/day=2026-01-01/a.csv", b"id,stake,note\n1,1.50,first\n");
    put(&service, "s3://lake/events/day=2026-01-01/_hidden.csv", b"nothing");
    project
        .write("models/sources.yml", LAKE)
        .write("models/daily.sql", "{{ config(materialized='table') }} select day, sum(stake) as stake, max(note) as note from {{ source('lake', 'events') }} group by day");
    let explained = project.acca(&["explain", "--select", "source:lake"]).expect_code(0).stdout;
    insta::assert_snapshot!(explained.trim_end(), @r#"
    -- source.shop.lake.events (load)
    -- 1. create external schema lake
    create external schema if not exists "lake"
    from data catalog
    database 'lake_db'
    iam_role default
    create external database if not exists;
    -- 2. create external table lake.events
    create external table "lake"."events" (
        "id" bigint,
        "stake" numeric(12,2),
        "note" varchar(4)
    )
    partitioned by ("day" date)
    row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
    with serdeproperties ('separatorChar' = ',', 'quoteChar' = '"', 'wholeFile' = 'true')
    stored as textfile
    location 's3://lake/events/'
    table properties ('skip.header.line.count' = '1');
    -- 3. add 1 partition to lake.events
    alter table "lake"."events" add if not exists
    partition ("day" = '2026-01-01') location 's3://lake/events/day=2026-01-01/';
    "#);
    let first = project.acca(&["build"]).expect_code(0).stdout;
    assert!(first.contains("create external schema lake, create external table lake.events, add 1"), "{first}");
    // Longer texts are cut, as the documents say.
    assert_eq!(rows(&service, "select day, stake, note from marts.daily"), "2026-01-01|1.50|firs");
    put(&service, "s3://lake/events/day=2026-01-02/b.csv", b"id,stake,note\n2,2.25,b\n");
    let second = project.acca(&["build"]).expect_code(0).stdout;
    assert!(second.contains("add 1 partition to lake.events"), "{second}");
    assert_eq!(rows(&service, "select day, stake from marts.daily order by day"), "2026-01-01|1.50\n2026-01-02|2.25");
    let third = project.acca(&["load"]).expect_code(0).stdout;
    assert!(third.contains("nothing is missing"), "{third}");
    // Another declaration is made only when it is asked for.
    project.write("models/sources.yml", &LAKE.replace("bigint", "varchar(20)"));
    let refused = project.acca(&["load"]).expect_code(1).stdout;
    assert!(refused.contains("its column 'id' is bigint and declared as varchar(20)"), "{refused}");
    let staged = project.acca(&["run-operation", "stage_external_sources"]);
    assert!(
        staged.stderr.contains("acca makes external tables itself: 'acca load'") || staged.stdout.contains("'acca load'"),
        "{staged:?}"
    );
    project.acca(&["load", "--full-refresh"]).expect_code(0);
    assert_eq!(rows(&service, "select id || '!' from lake.events order by 1"), "1!\n2!");
}

/// What the catalogue has once is compared with what is declared and with what lies there now.
#[test]
fn folders_and_readers_are_held_against_what_stands() {
    let service = DataApi::start();
    let project = with_s3(&service);
    let source =
        LAKE.replace("data_type: date", "data_type: varchar(20)").replace("varchar(4)", "char").replace("numeric(12,2)", "numeric(12)");
    project.write("models/sources.yml", &source);
    put(&service, "s3://lake/events/day=12%3A00/a.csv", b"id,stake,note\n1,1,a\n");
    // What other programs write beside their data.
    for hidden in ["_SUCCESS", "_temporary/0/a.csv", ".hive-staging_1/a.csv", "day=12%3A00_$folder$", "day=12%3A00/_tmp.a.csv"] {
        put(&service, &format!("s3://lake/events/{hidden}"), b"no rows");
    }
    let first = project.acca(&["load"]).expect_code(0).stdout;
    assert!(first.contains("create external table lake.events, add 1"), "{first}");
    assert_eq!(rows(&service, "select id, day, note from lake.events"), "1|12:00|a");
    // The catalogue has spellings of its own for types.
    let second = project.acca(&["load"]).expect_code(0).stdout;
    assert!(second.contains("nothing is missing"), "{second}");
    for (changed, told) in [
        (source.replace("header_lines: 1", "header_lines: 2"), "its 'skip.header.line.count' is '1' and declared as '2'"),
        (source.replace("header_lines: 1", "delimiter: ';'"), "its 'separatorChar' is ',' and declared as ';'"),
        (
            source.replace("file_format: csv\n          header_lines: 1", "file_format: json"),
            "its files are read by org.apache.hadoop.hive.serde2.OpenCSVSerde and declared to be read by JsonSerDe",
        ),
    ] {
        project.write("models/sources.yml", &changed);
        let refused = project.acca(&["load"]).expect_code(1).stdout;
        assert!(refused.contains(told), "{told}\n{refused}");
    }
    // Two folders of one value.
    project.write("models/sources.yml", &source);
    put(&service, "s3://lake/events/day=12:00/b.csv", b"id,stake,note\n2,1,b\n");
    let refused = project.acca(&["load"]).expect_code(1).stdout;
    assert!(refused.contains("the folders 'day=12%3A00/' and 'day=12:00/' are both of the partition 12:00"), "{refused}");
    // The folder of a partition is another one by now.
    service.imitation().buckets().delete(&Place::read("s3://lake/events/day=12%3A00/a.csv").unwrap());
    let refused = project.acca(&["load"]).expect_code(1).stdout;
    let told = "its partition 12:00 is at 's3://lake/events/day=12%3A00/' and its files at 's3://lake/events/day=12:00/'";
    assert!(refused.contains(told), "{refused}");
    project.acca(&["load", "--full-refresh"]).expect_code(0);
    assert_eq!(rows(&service, "select id, day, note from lake.events"), "2|12:00|b");
    // Values that are told are found in either folder.
    project.write("models/sources.yml", &source.replace("data_type: varchar(20)", "data_type: varchar(20), vals: ['12:00', '13:00']"));
    let told = project.acca(&["load"]).expect_code(0).stdout;
    assert!(told.contains("add 1 partition to lake.events"), "{told}");
    let parts = rows(&service, "select location from svv_external_partitions order by 1");
    assert_eq!(parts, "s3://lake/events/day=12:00/\ns3://lake/events/day=13%3A00/");
}

/// Columns of Parquet are found by their names.
#[test]
fn parquet_is_read_where_it_lies() {
    let service = DataApi::start();
    let project = with_s3(&service);
    let mut session = crate::redshift_target::connected(&service);
    session.execute("create table given (note varchar(20), id bigint, at timestamp, share real); insert into given values ('two', 2, '2026-01-02 03:04:05', 0.5), (null, 1, null, null)").unwrap();
    session
        .execute("unload ('select * from given') to 's3://lake/bets/day=2026-01-01/x' iam_role default format as parquet parallel off")
        .unwrap();
    let source = "sources:\n  - name: lake\n    meta: {external_schema: {from: glue, database: d}}\n    tables:\n      - name: bets\n        \
                  external: {location: s3://lake/bets/, file_format: parquet, partitions: [{name: day, data_type: date}]}\n        columns:\n          \
                  - {name: id, data_type: bigint}\n          - {name: note, data_type: varchar(20)}\n          - {name: at, data_type: timestamp}\n          \
                  - {name: share, data_type: real}\n";
    project.write("models/sources.yml", source);
    project.write("models/bets.sql", "{{ config(materialized='table') }} select * from {{ source('lake', 'bets') }}");
    project.acca(&["build"]).expect_code(0);
    let found = rows(&service, "select day, id, note, at, share from marts.bets order by id");
    assert_eq!(found, "2026-01-01|1|\u{2205}|\u{2205}|\u{2205}\n2026-01-01|2|two|2026-01-02 03:04:05|0.5");
    let again = project.acca(&["load"]).expect_code(0).stdout;
    assert!(again.contains("nothing is missing"), "{again}");
}

const CLICKS: &str = "sources:\n  - name: clicks\n    meta: {external_schema: {from: kinesis}}\n    tables: [{name: page_views}]\n";

#[test]
fn a_stream_is_read_by_a_materialized_view() {
    let service = DataApi::start();
    service.imitation().send("KINESIS", "page_views", &["{\"page\": \"home\", \"n\": 1}", "no json", "{\"page\": \"cart\", \"n\": 2}"]);
    let project = served(&service);
    project.write("models/sources.yml", CLICKS).write(
        "models/views.sql",
        "{{ config(materialized='materialized_view', auto_refresh=true, sort=['approximate_arrival_timestamp']) }}\n\
         select approximate_arrival_timestamp, json_parse(kinesis_data) as data from {{ source('clicks', 'page_views') }}\n\
         where can_json_parse(kinesis_data)",
    );
    project.write("models/pages.sql", "select json_serialize(data) as page from {{ ref('views') }}");
    project.acca(&["build"]).expect_code(0);
    assert_eq!(rows(&service, "select count(*) from marts.pages"), "2");
    service.imitation().send("KINESIS", "page_views", &["{\"page\": \"end\"}"]);
    project.acca(&["run"]).expect_code(0);
    assert_eq!(rows(&service, "select count(*) from marts.pages"), "3");
    // Nothing else reads it, and nothing is sent to find that out.
    project.write("models/direct.sql", "select partition_key from {{ source('clicks', 'page_views') }}");
    let refused = project.acca(&["compile"]).expect_code(1);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("'direct' reads the stream 'page_views', which only a materialized view can"), "{said}");
}

#[test]
fn federated_columns_have_the_types_that_arrive() {
    let project = crate::redshift_target::shop();
    let source = "sources:\n  - name: pg\n    meta: {external_schema: {from: postgres, database: shop, host: pg.example, secret_arn: 'arn:s'}}\n    \
                  tables: [{name: orders, columns: [{name: id, data_type: uuid}]}]\n";
    project.write("models/sources.yml", source);
    let refused = project.acca(&["parse"]).expect_code(1);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("column 'id' of source table 'pg.orders' is uuid there, and arrives as text"), "{said}");
    project.write("models/sources.yml", &source.replace("uuid", "varchar(65535)"));
    let explained = project.acca(&["explain", "--select", "source:pg", "--offline"]).expect_code(0).stdout;
    assert!(explained.contains("from postgres\ndatabase 'shop'\nuri 'pg.example'\niam_role default\nsecret_arn 'arn:s';"), "{explained}");
}
