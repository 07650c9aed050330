//! Models that are built in batches of time.

use acca::base::{Window, parse_moment};
use acca::plan::Status;
use serde_json::{Value, json};

use crate::bench::{Bench, How, Ran};
use crate::postgres::PgServer;
use crate::project::TestProject;

const EVENTS: &str = "{{ config(materialized='table', event_time='moment') }}\n\
    select 1 as id, cast('2026-01-01 10:00:00' as timestamp) as moment, 10 as amount union all\n\
    select 2, cast('2026-01-02 00:00:00' as timestamp), 20 union all\n\
    select 3, cast('2026-01-02 23:59:59' as timestamp), {{ var('third', 30) }} union all\n\
    select 4, cast('2026-01-03 12:00:00' as timestamp), 40\n";

const DAILY: &str = "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='moment', batch_size='day',\n\
    begin='2026-01-01', pre_hook=\"insert into shop.said values ('before {{ model.batch.id }}')\",\n\
    post_hook=\"insert into shop.said values ('after {{ model.batch.event_time_end }}')\") }}\n\
    select id, moment, amount, {{ 1 if is_incremental() else 0 }} as again from {{ ref('events') }} as e\n";

fn both(model: &str) -> Vec<Bench> {
    let mut benches = Bench::both();
    for bench in &mut benches {
        bench.file("models/events.sql", EVENTS).file("models/daily.sql", model);
        bench.file(
            "dbt_project.yml",
            "name: shop\nversion: '1.0'\nprofile: shop\non-run-start: create table if not exists shop.said (line varchar)\n",
        );
    }
    benches
}

fn at(at: &'static str, bench: &Bench) -> Ran {
    bench.run_how(&How { at, ..How::default() })
}

const DAYS: &str = "select id, amount, again from shop.daily order by id, amount";

#[test]
fn batches_of_a_day_take_the_place_of_their_day() {
    for bench in both(DAILY) {
        let ran = at("2026-01-03T09:00:00Z", &bench);
        assert_eq!(ran.drawn, "", "{}", bench.engine);
        assert_eq!(bench.query(DAYS), "1|10|0\n2|20|1\n3|30|1\n4|40|1", "{}", bench.engine);
        assert_eq!(bench.query("select line from shop.said"), "before 20260101\nafter 2026-01-04 00:00:00+00:00");
        let batches = ran.result.nodes.iter().find_map(|node| node.batches.clone()).unwrap();
        assert_eq!((batches.successful.len(), batches.failed.len()), (3, 0));
        // The next day: the present batch and the one before are built once more, and what was not written is not there.
        let mut vars = serde_json::Map::new();
        vars.insert("third".to_owned(), json!(33));
        let again = bench.run_how(&How { at: "2026-01-03T20:00:00Z", vars, ..How::default() });
        assert_eq!(again.drawn, "", "{}", bench.engine);
        assert_eq!(bench.query(DAYS), "1|10|0\n2|20|1\n3|33|1\n4|40|1", "{}", bench.engine);
        // Asked for one day only, with everything else as it was.
        bench.query("update shop.daily set amount = 0 where id in (1, 4)");
        let moment = |text| parse_moment(text).unwrap();
        let one = Window { start: moment("2026-01-01"), end: moment("2026-01-01 12:00") };
        bench.run_how(&How { at: "2026-01-09T00:00:00Z", event_time: Some(one), ..How::default() });
        assert_eq!(bench.query(DAYS), "1|10|1\n2|20|1\n3|33|1\n4|0|1", "{}", bench.engine);
        // From nothing.
        bench.run_how(&How { at: "2026-01-02T09:00:00Z", full_refresh: true, ..How::default() });
        assert_eq!(bench.query(DAYS), "1|10|0\n2|20|1\n3|30|1", "{}", bench.engine);
    }
}

#[test]
fn with_a_key_batches_change_rows_by_it() {
    let keyed = DAILY.replace("event_time='moment'", "event_time='moment', unique_key='id', lookback=5");
    for bench in both(&keyed) {
        at("2026-01-03T09:00:00Z", &bench);
        bench.query("update shop.daily set amount = 0");
        bench.query("insert into shop.daily values (9, cast('2026-01-02 01:00:00' as timestamp), 90, 9)");
        assert_eq!(at("2026-01-03T09:00:00Z", &bench).drawn, "");
        assert_eq!(bench.query(DAYS), "1|10|1\n2|20|1\n3|30|1\n4|40|1\n9|90|9", "{}", bench.engine);
    }
}

#[test]
fn what_has_no_time_is_read_whole() {
    let joined = DAILY.replace("ref('events') }} as e", "ref('events') }} as e join {{ ref('plain') }} as p using (id)");
    for mut bench in both(&joined) {
        bench.file("models/plain.sql", "select 1 as id union all select 4 as id");
        assert_eq!(at("2026-01-03T09:00:00Z", &bench).drawn, "");
        assert_eq!(bench.query("select id, amount from shop.daily order by id"), "1|10\n4|40", "{}", bench.engine);
    }
}

#[test]
fn a_batch_that_fails_leaves_the_others() {
    let broken = DAILY.replace(
        "amount, {{ 1",
        "{{ 'no_such_column' if '0102' in (model.batch.id if model.batch else '') else 'amount' }} as amount, {{ 1",
    );
    for bench in both(&broken) {
        let ran = at("2026-01-03T09:00:00Z", &bench);
        assert!(ran.drawn.contains("no_such_column"), "{}", ran.drawn);
        assert_eq!(bench.query("select id, amount from shop.daily order by id"), "1|10\n4|40", "{}", bench.engine);
        let node = ran.result.nodes.iter().find(|node| node.batches.is_some()).unwrap();
        assert_eq!((node.status, node.status_word()), (Status::Error, "partial success"));
        assert!(node.message.starts_with("1 of 3 batches failed, the first is 2026-01-02: "), "{}", node.message);
    }
}

fn batches(project: &TestProject) -> (String, String, Value) {
    let results: Value = serde_json::from_str(&project.read("target/run_results.json")).unwrap();
    let found = results["results"].as_array().unwrap().iter().find(|result| result["unique_id"] == "model.shop.daily").unwrap().clone();
    let starts = |key: &str| {
        let listed = found["batch_results"][key].as_array().unwrap();
        listed.iter().map(|batch| batch[0].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(",")
    };
    (starts("successful"), starts("failed"), found["status"].clone())
}

#[test]
fn a_retry_builds_the_batches_that_failed() {
    let mut project = TestProject::new();
    let database = PgServer::shared().database();
    project.connect("shop", &database, "shop");
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("models/events.sql", EVENTS)
        .write("models/after.sql", "select count(*) as n from {{ ref('daily') }}\n")
        .write(
            "models/daily.sql",
            "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='moment', batch_size='day', begin='2020-01-01') }}\n\
             select id, moment, {{ env_var('BROKEN', 'amount') if '0102' in (model.batch.id if model.batch else '') else 'amount' }} as amount\n\
             from {{ ref('events') }}\n",
        );
    let times = ["--event-time-start", "2026-01-01", "--event-time-end", "2026-01-04"];
    project.set_env("BROKEN", "nothing_such");
    project.acca(&[&["run"], &times[..]].concat()).expect_code(1);
    let (first, second, third) = ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00");
    assert_eq!(batches(&project), (format!("{first},{third}"), second.to_owned(), json!("partial success")));
    // Not mended yet.
    project.acca(&["retry"]).expect_code(1);
    assert_eq!(batches(&project), (format!("{first},{third}"), second.to_owned(), json!("partial success")));
    project.set_env("BROKEN", "amount");
    let run = project.acca(&["retry"]).expect_code(0);
    assert!(run.stdout.contains("2 rows in 1 batch"), "{}", run.stdout);
    assert_eq!(batches(&project), (format!("{first},{second},{third}"), String::new(), json!("success")));
    assert!(project.acca(&["show", "--inline", "select n from {{ ref('after') }}", "--output", "csv"]).expect_code(0).stdout.contains('4'));
    // Where the table is gone, what was built is built again.
    project.set_env("BROKEN", "nothing_such");
    project.acca(&[&["run"], &times[..]].concat()).expect_code(1);
    database.query("drop table shop.daily cascade");
    project.set_env("BROKEN", "amount");
    project.acca(&["retry"]).expect_code(0);
    assert_eq!(database.query("select count(*) from shop.daily"), "4");
    assert_eq!(batches(&project), (format!("{first},{second},{third}"), String::new(), json!("success")));
    let half = project.acca(&["run", "--event-time-start", "2026-01-01"]).expect_code(2);
    assert!(half.stderr.contains("--event-time-end"), "{}", half.stderr);
    let turned = project.acca(&["run", "--event-time-start", "2026-01-02", "--event-time-end", "2026-01-01"]).expect_code(2);
    assert!(turned.stderr.contains("error[invalid-config]: '--event-time-start' is not before '--event-time-end'"), "{}", turned.stderr);
    let wrong = project.acca(&["run", "--sample", "3 weeks"]).expect_code(2);
    assert!(wrong.stderr.contains("a number of hours, days, months or years is needed"), "{}", wrong.stderr);
}

#[test]
fn samples_are_of_a_time() {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n")
        .write("seeds/raw.csv", "id,day\n1,2026-01-01\n2,2026-01-02\n3,2026-01-03\n")
        .write("seeds/all.yml", "seeds: [{name: raw, config: {event_time: day, column_types: {day: date}}}]\n")
        .write("models/all.yml", "sources: [{name: landed, schema: main, tables: [{name: raw, config: {event_time: day}}]}]\n")
        .write("models/of_seed.sql", "select r.id from {{ ref('raw') }} as r\n")
        .write("models/of_source.sql", "-- depends_on: {{ ref('raw') }}\nselect id from {{ source('landed', 'raw') }}\n");
    let asked = "select (select count(*) from {{ ref('of_seed') }}) as a, (select count(*) from {{ ref('of_source') }}) as b";
    let counts = |arguments: &[&str]| {
        project.acca(arguments).expect_code(0);
        project.acca(&["show", "--inline", asked, "--output", "csv"]).expect_code(0).stdout.trim().to_owned()
    };
    assert_eq!(counts(&["build", "--sample", "{start: 2026-01-02, end: 2026-01-04}"]), "a,b\n2,2");
    assert_eq!(counts(&["build", "--sample", "1 day"]), "a,b\n0,0");
    assert_eq!(counts(&["build"]), "a,b\n3,3");
}

#[test]
fn the_time_of_a_node_is_that_of_all_its_batches() {
    let project = TestProject::new();
    let database = PgServer::shared().database();
    project.connect("shop", &database, "shop");
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("models/events.sql", EVENTS)
        .write(
            "models/daily.sql",
            "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='moment', batch_size='day', begin='2020-01-01') }}\n\
             select {{ 'id::text' if '0101' in (model.batch.id if model.batch else '0101') else 'nothing_such' if '0102' in model.batch.id else 'pg_sleep(20)::text' }} as slept,\n\
             moment\n\
             from {{ ref('events') }}\n",
        );
    project.acca(&["run", "--quiet", "--select", "events"]).expect_code(0);
    let times = ["--event-time-start", "2026-01-01", "--event-time-end", "2026-01-04", "--node-timeout", "2"];
    let run = project.acca(&[&["run", "--select", "daily"], &times[..]].concat()).expect_code(1);
    assert!(run.stdout.contains("error[node-timeout]"), "{}", run.stdout);
    // What the batch before it failed with is told too.
    assert!(run.stdout.contains("column \"nothing_such\" does not exist"), "{}", run.stdout);
    let results = project.read("target/run_results.json");
    assert!(results.contains("2 of 3 batches failed, the first is 2026-01-02: 'daily' was stopped after 2 s"), "{results}");
    let (successful, failed, _) = batches(&project);
    assert_eq!(
        (successful.as_str(), failed.as_str()),
        ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00,2026-01-03T00:00:00+00:00")
    );
}

#[test]
fn an_ephemeral_model_is_read_for_the_time_of_the_batch() {
    for mut bench in both(&DAILY.replace("ref('events')", "ref('passed')")) {
        bench.file(
            "models/passed.sql",
            "{{ config(materialized='ephemeral', event_time='moment') }} select id, moment, amount from {{ ref('events') }}",
        );
        assert_eq!(at("2026-01-03T09:00:00Z", &bench).drawn, "", "{}", bench.engine);
        assert_eq!(bench.query(DAYS), "1|10|0\n2|20|1\n3|30|1\n4|40|1", "{}", bench.engine);
    }
}

#[test]
fn a_time_in_quotes_is_one_for_reading_and_for_replacing() {
    let quoted = |text: &str| text.replace("event_time='moment'", "event_time='createdAt'").replace(" moment", " \"createdAt\"");
    for mut bench in both(&quoted(DAILY)) {
        let columns = "columns: [{name: createdAt, quote: true}]";
        let described = format!("models:\n  - {{name: events, {columns}}}\n  - {{name: daily, {columns}}}\n");
        bench.file("models/events.sql", &quoted(EVENTS)).file("models/all.yml", &described);
        for _ in 0..2 {
            assert_eq!(at("2026-01-03T09:00:00Z", &bench).drawn, "", "{}", bench.engine);
            assert_eq!(bench.query("select id, amount from shop.daily order by id"), "1|10\n2|20\n3|30\n4|40", "{}", bench.engine);
        }
    }
}

#[test]
fn a_sample_replaces_what_it_reads_only() {
    let mut project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n")
        .write("models/events.sql", EVENTS)
        .write(
            "models/daily.sql",
            "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='moment', batch_size='day', begin='2026-01-01') }}\n\
             select id, amount, {{ env_var('TRIED', '1') }} as tried, moment from {{ ref('events') }}\n",
        );
    let rows = |project: &TestProject| {
        let asked = "select string_agg(id || ':' || tried, ' ' order by id) as rows from {{ ref('daily') }}";
        project.acca(&["show", "--inline", asked, "--output", "csv"]).expect_code(0).stdout.trim().replace("rows\n", "")
    };
    let times = ["--event-time-start", "2026-01-01", "--event-time-end", "2026-01-04"];
    project.acca(&[&["run"], &times[..]].concat()).expect_code(0);
    assert_eq!(rows(&project), "1:1 2:1 3:1 4:1");
    // Half of a day, and nothing of the days that a run without it would build.
    project.set_env("TRIED", "2");
    let run = project.acca(&["run", "--select", "daily", "--sample", "{start: 2026-01-02, end: 2026-01-02 12:00}"]).expect_code(0);
    assert!(run.stdout.contains("in 1 batch"), "{}", run.stdout);
    assert_eq!(rows(&project), "1:1 2:2 3:1 4:1");
    // Of the days asked for, those of the sample.
    project.set_env("TRIED", "3");
    project.acca(&[&["run", "--select", "daily", "--sample", "{start: 2026-01-03, end: 2026-01-09}"], &times[..]].concat()).expect_code(0);
    assert_eq!(rows(&project), "1:1 2:2 3:1 4:3");
    // They have nothing in common.
    project.set_env("TRIED", "4");
    project.acca(&[&["run", "--select", "daily", "--sample", "{start: 2027-01-03, end: 2027-01-09}"], &times[..]].concat()).expect_code(0);
    assert_eq!(rows(&project), "1:1 2:2 3:1 4:3");
}

#[test]
fn the_statements_of_all_batches_are_in_one_file() {
    for bench in both(DAILY) {
        at("2026-01-03T09:00:00Z", &bench);
        let path = bench.folder.path().join("target/run/shop/models/daily.sql");
        let script = std::fs::read_to_string(path).unwrap();
        let headers: Vec<&str> = script.lines().filter(|line| line.starts_with("-- batch ")).collect();
        assert_eq!(headers, ["-- batch 2026-01-01 (1 of 3)", "-- batch 2026-01-02 (2 of 3)", "-- batch 2026-01-03 (3 of 3)"], "{script}");
        assert_eq!(script.matches("insert into shop.said").count(), 2, "{script}");
    }
}

#[test]
fn what_was_built_before_a_run_was_stopped_stays() {
    let sleepy = DAILY.replace(
        "select id",
        "select {{ 'id' if '0101' in (model.batch.id if model.batch else '0101') else 'id + length(pg_sleep(60)::text)' }} as id",
    );
    let mut bench = Bench::new("postgres");
    bench.file("models/events.sql", EVENTS).file("models/daily.sql", &sleepy).file(
        "dbt_project.yml",
        "name: shop\nversion: '1.0'\nprofile: shop\non-run-start: create table if not exists shop.said (line varchar)\n",
    );
    let interrupt = std::sync::Arc::new(acca::execute::Interrupt::default());
    let raised = interrupt.clone();
    let finger = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(2500));
        raised.raise();
    });
    let ran = bench.run_how(&How { at: "2026-01-03T09:00:00Z", interrupt: Some(interrupt), ..How::default() });
    finger.join().unwrap();
    let node = ran.result.nodes.iter().find(|node| node.batches.is_some()).unwrap();
    assert_eq!(node.status, Status::Skipped);
    assert_eq!(node.message, "2 of 3 batches failed, the first is 2026-01-02: stopped; the other batches stay");
    assert_eq!(bench.query("select id from shop.daily"), "1");
}
