//! The commands as a person uses them: what they print, what they write, how they end.

use std::process::Command;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::project::TestProject;

/// A seed, a view on it, a table on that, and a test of each kind; nothing is wrong with it.
fn shop() -> TestProject {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n")
        .write("seeds/raw_bets.csv", "bet_id,stake\n1,2.50\n2,10.00\n3,0.75\n")
        .write("models/stg_bets.sql", "select bet_id, cast(stake as numeric(12, 2)) as stake from {{ ref('raw_bets') }}\n")
        .write("models/turnover.sql", "{{ config(materialized='table') }}\nselect sum(stake) as stake from {{ ref('stg_bets') }}\n")
        .write(
            "models/models.yml",
            "models:\n  - name: stg_bets\n    columns:\n      - name: bet_id\n        data_tests: [unique, not_null]\n",
        );
    project
}

fn json(project: &TestProject, path: &str) -> Value {
    serde_json::from_str(&project.read(path)).unwrap()
}

#[test]
fn a_new_project_builds_as_it_is() {
    let project = TestProject::new();
    project.acca(&["init", "shop"]).expect_code(0);
    let run = project.acca(&["build", "--project-dir", "shop", "--threads", "1"]).expect_code(0);
    assert_snapshot!(run.stdout, @r"
    Running 1 seed, 2 models, 6 tests on dev (duckdb), 1 thread
    1/9 OK       seed        main.raw_orders                                      <duration>  5 rows
    2/9 OK       view        main.stg_orders                                      <duration>
    3/9 PASS     test        accepted_values_stg_orders_status__paid__cancelled   <duration>
    4/9 PASS     test        not_null_stg_orders_order_id                         <duration>
    5/9 PASS     test        unique_stg_orders_order_id                           <duration>
    6/9 OK       table       main.daily_revenue                                   <duration>  3 rows
    7/9 PASS     test        not_null_daily_revenue_ordered_on                    <duration>
    8/9 PASS     test        revenue_is_complete                                  <duration>
    9/9 PASS     test        unique_daily_revenue_ordered_on                      <duration>
    Done. PASS=9 WARN=0 ERROR=0 SKIP=0 TOTAL=9 in <duration>
    ");
    assert_eq!(run.stderr, "");
    let again = project.acca(&["init", "shop"]).expect_code(2);
    assert_eq!(again.stderr, "error: 'shop' is there already; choose another name, or delete it\n");
    assert!(project.acca(&["init"]).expect_code(2).stderr.contains("acca init <NAME>"));
}

#[test]
fn what_fails_is_told_once_more_at_the_end() {
    let project = shop();
    project
        .write("tests/no_small_stakes.sql", "select bet_id, stake from {{ ref('stg_bets') }} where stake < 5")
        .write("tests/no_large_stakes.sql", "{{ config(severity='warn') }}\nselect bet_id from {{ ref('stg_bets') }} where stake >= 10")
        .write("models/broken.sql", "select stak from {{ ref('raw_bets') }}")
        .write("models/after.sql", "select * from {{ ref('broken') }}");
    let run = project.acca(&["build"]).expect_code(1);
    assert_snapshot!(run.stdout, @r#"
    Running 1 seed, 4 models, 4 tests on dev (duckdb), 1 thread
    1/9 OK       seed        main.raw_bets              <duration>  3 rows
    2/9 ERROR    view        main.broken                <duration>
    3/9 SKIP     view        main.after                        'broken' failed
    4/9 OK       view        main.stg_bets              <duration>
    5/9 WARN 1   test        no_large_stakes            <duration>
    6/9 FAIL 2   test        no_small_stakes            <duration>
    7/9 SKIP     table       main.turnover                     'no_small_stakes' found failing rows
    8/9 PASS     test        not_null_stg_bets_bet_id   <duration>
    9/9 PASS     test        unique_stg_bets_bet_id     <duration>

    WARN 1 no_large_stakes: got 1 result, warns if != 0
      declared: tests/no_large_stakes.sql:1
      compiled: target/compiled/shop/tests/no_large_stakes.sql
      bet_id
      ------
           2

    FAIL 2 no_small_stakes: got 2 results, fails if != 0
      declared: tests/no_small_stakes.sql:1
      compiled: target/compiled/shop/tests/no_small_stakes.sql
      bet_id | stake
      -------+------
           1 |  2.50
           3 |  0.75

    error[statement-failed]: 'broken': Binder Error: Referenced column "stak" not found in FROM clause!
                             Candidate bindings: "stake"
     --> models/broken.sql:1:8
      |
    1 | select stak from {{ ref('raw_bets') }}
      |        ^^^^

    compiled: target/compiled/shop/models/broken.sql

    Done. PASS=4 WARN=1 ERROR=2 SKIP=2 TOTAL=9 in <duration>
    "#);
    assert_eq!(run.stderr, "");
    let results = json(&project, "target/run_results.json");
    let status = |name: &str| {
        let found = results["results"].as_array().unwrap().iter().find(|result| result["unique_id"] == *name).unwrap();
        (found["status"].as_str().unwrap().to_owned(), found["failures"].as_u64())
    };
    assert_eq!(status("test.shop.no_small_stakes"), ("fail".to_owned(), Some(2)));
    assert_eq!(status("test.shop.no_large_stakes"), ("warn".to_owned(), Some(1)));
    assert_eq!(status("model.shop.broken"), ("error".to_owned(), None));
    assert_eq!(status("model.shop.after"), ("skipped".to_owned(), None));
    // Warnings alone let a run pass, unless they are to count.
    assert!(project.acca(&["test", "-s", "no_large_stakes"]).expect_code(0).stdout.contains("WARN=1"));
    assert!(project.acca(&["test", "-q", "-s", "no_large_stakes", "--warn-error"]).expect_code(1).stdout.contains("WARN 1"));
}

#[test]
fn lists_in_four_ways() {
    let project = shop();
    let ls = |arguments: &[&str]| project.acca(&[&["ls"], arguments].concat()).expect_code(0).stdout;
    assert_snapshot!(ls(&["--select", "+turnover"]), @r"
    shop.stg_bets
    shop.turnover
    shop.raw_bets
    shop.not_null_stg_bets_bet_id
    shop.unique_stg_bets_bet_id
    ");
    assert_snapshot!(ls(&["--output", "path"]), @r"
    models/models.yml
    models/stg_bets.sql
    models/turnover.sql
    seeds/raw_bets.csv
    ");
    assert_snapshot!(ls(&["--output", "name", "--resource-type", "test"]), @r"
    not_null_stg_bets_bet_id
    unique_stg_bets_bet_id
    ");
    assert_snapshot!(ls(&["-m", "turnover", "--output", "json", "--output-keys", "name", "depends_on"]), @r#"{"name":"turnover","depends_on":{"macros":[],"nodes":["model.shop.stg_bets"]}}"#);
}

#[test]
fn a_name_that_matches_nothing_fails_and_a_wrong_method_is_wrong_use() {
    let project = shop();
    let run = project.acca(&["run", "--select", "turnovr"]).expect_code(1);
    assert_snapshot!(run.stderr, @r"
    error[nothing-selected]: the selector 'turnovr' matches nothing
     |
     = help: did you mean 'turnover'?
    ");
    assert_eq!(run.stdout, "");
    let wrong = project.acca(&["ls", "-s", "tgas:x"]).expect_code(2).stderr;
    assert!(wrong.starts_with("error[invalid-selector]: there is no selection method 'tgas'\n"), "{wrong}");
    assert!(wrong.contains("= note: in the selector 'tgas:x'") && wrong.contains("tag, test_name, test_type"), "{wrong}");
    assert!(project.acca(&["ls", "-t", "prod"]).expect_code(2).stderr.contains("the targets are: dev"));
    project.acca(&["ls", "--vars", "[1]"]).expect_code(2);
    project.acca(&["list", "--threads", "0"]).expect_code(2);
    assert!(project.acca(&["--project-dir", "models", "ls"]).expect_code(2).stderr.contains("missing-file"));
}

#[test]
fn flags_come_from_the_environment_too() {
    let mut project = shop();
    project.set_env("DBT_QUIET", "yes").set_env("ACCA_SELECT", "stg_bets").set_env("DBT_SELECT", "turnover");
    assert_eq!(project.acca(&["ls", "--output", "name", "--resource-type", "model"]).expect_code(0).stdout, "stg_bets\n");
    assert_eq!(project.acca(&["seed", "-s", "raw_bets"]).expect_code(0).stdout, "", "quiet");
    project.set_env("ACCA_WARN_ERROR", "perhaps");
    assert!(project.acca(&["ls"]).expect_code(2).stderr.ends_with("note: the value is that of ACCA_WARN_ERROR in the environment\n"));
}

#[test]
fn compiles_shows_and_explains() {
    let project = shop();
    project.acca(&["build", "-q"]).expect_code(0);
    assert_snapshot!(project.acca(&["compile", "--inline", "select * from {{ ref('turnover') }}"]).expect_code(0).stdout, @r#"select * from "shop"."main"."turnover""#);
    assert_snapshot!(project.acca(&["compile", "-s", "turnover"]).expect_code(0).stdout, @r#"select sum(stake) as stake from "shop"."main"."stg_bets""#);
    assert_eq!(
        project.read("target/compiled/shop/models/turnover.sql").trim(),
        "select sum(stake) as stake from \"shop\".\"main\".\"stg_bets\""
    );
    assert_snapshot!(project.acca(&["show", "-s", "stg_bets", "--limit", "2"]).expect_code(0).stdout, @r"
    bet_id | stake
    -------+------
         1 |  2.50
         2 | 10.00
    ");
    assert_snapshot!(project.acca(&["show", "-s", "raw_bets", "--output", "csv", "--limit", "-1"]).expect_code(0).stdout, @r"
    bet_id,stake
    1,2.50
    2,10.00
    3,0.75
    ");
    // The steps themselves are tested where they are planned.
    let explained = project.acca(&["explain", "-s", "turnover"]).expect_code(0).stdout;
    assert!(explained.starts_with("-- model.shop.turnover (table)\n-- 1. build table main.turnover"), "{explained}");
    assert!(explained.contains("\nselect sum(stake) as stake from \"shop\".\"main\".\"stg_bets\";\n"), "{explained}");
    let inline = project.acca(&["show", "--inline", "select stak from {{ ref('stg_bets') }}"]).expect_code(1);
    assert!(inline.stderr.contains("--inline:1:8"), "{}", inline.stderr);
}

#[test]
fn debug_and_the_artefacts_keep_secrets() {
    let mut project = shop();
    let profile = "shop:\n  target: dev\n  outputs:\n    dev: {type: postgres, host: 127.0.0.1, port: 1, user: u, dbname: d, \
                   schema: s, connect_timeout: 2, password: \"{{ env_var('SECRET') }}\"}\n";
    project.write("profiles.yml", profile);
    project.set_env("SECRET", "hunter2");
    let run = project.acca(&["debug"]).expect_code(1);
    assert!(run.stdout.contains("password: (not shown)") && run.stdout.contains("host: 127.0.0.1"), "{}", run.stdout);
    assert!(run.stderr.contains("connection-failed"), "{}", run.stderr);
    let failed = project.acca(&["build", "--vars", "{token: hunter2}"]).expect_code(1);
    project.acca(&["compile"]).expect_code(0);
    for text in [
        run.stdout,
        run.stderr,
        failed.stdout,
        failed.stderr,
        project.read("target/manifest.json"),
        project.read("target/run_results.json"),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn what_is_compiled_never_lands_on_what_was_written() {
    let library = TestProject::new();
    library.write("dbt_project.yml", "name: library\n").write("models/shared.sql", "select {{ 1 + 1 }} as two\n");
    let project = shop();
    project.write("packages.yml", &format!("packages:\n  - local: {}\n", library.root().display()));
    project.acca(&["compile", "-q"]).expect_code(0);
    assert_eq!(library.read("models/shared.sql"), "select {{ 1 + 1 }} as two\n");
    assert_eq!(project.read("target/compiled/library/models/shared.sql").trim(), "select 2 as two");
}

#[test]
fn the_manifest_is_the_same_each_time() {
    let project = shop();
    let manifest = || {
        project.acca(&["parse", "-q"]).expect_code(0);
        let mut manifest = json(&project, "target/manifest.json");
        manifest["metadata"].as_object_mut().unwrap().retain(|key, _| !key.ends_with("_at") && key != "invocation_id");
        let text = manifest.to_string();
        regex::Regex::new(r#""created_at":[0-9.]+"#).unwrap().replace_all(&text, "").into_owned()
    };
    assert_eq!(manifest(), manifest());
    let manifest = json(&project, "target/manifest.json");
    assert_eq!(manifest["metadata"]["dbt_schema_version"], "https://schemas.getdbt.com/dbt/manifest/v12.json");
    assert_eq!(manifest["child_map"]["model.shop.stg_bets"].as_array().unwrap().len(), 3);
    let turnover = &manifest["nodes"]["model.shop.turnover"];
    assert_eq!(turnover["relation_name"], "\"shop\".\"main\".\"turnover\"");
    assert_eq!((&turnover["path"], &turnover["config"]["materialized"]), (&"turnover.sql".into(), &"table".into()));
    assert_eq!(manifest["nodes"]["model.shop.stg_bets"]["primary_key"], serde_json::json!(["bet_id"]));
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let project = shop();
    let mut child = project.start(&["ls"]);
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly() {
    let project = shop();
    project.write("models/reader.sql", "select n from {{ ref('slow') }}");
    project.write("models/slow.sql", "{{ config(materialized='table') }}\nselect count(*) as n from range(3000000) a, range(3000000) b where a.range % 7 = b.range % 11 and a.range <> b.range");
    let child = project.start(&["run", "--threads", "2"]);
    let script = project.path("target/run/shop/models/slow.sql");
    let began = Instant::now();
    while !script.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "the model never began");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(130), "{stdout}{stderr}");
    assert!(stderr.starts_with("Stopping") && stdout.contains("Stopped. "), "{stdout}{stderr}");
    assert!(stdout.contains(" STOPPED ") && stdout.contains(" STOPPED=1 ") && stdout.contains("'slow' was stopped"), "{stdout}");
    assert!(stdout.matches("stopped before it began").count() <= 1, "one line for all that is left: {stdout}");
    let results = json(&project, "target/run_results.json");
    let slow = results["results"].as_array().unwrap().iter().find(|result| result["unique_id"] == "model.shop.slow").unwrap();
    assert_eq!(slow["status"], "skipped");
}

#[test]
fn loads_are_explained_before_they_happen() {
    let project = TestProject::new();
    let source = "sources:\n  - name: raw\n    tables:\n      - name: bets\n        meta: {landing: {path: 'landing/*.csv'}}\n        columns: [{name: ID, data_type: bigint}, {name: STAKE, data_type: 'numeric(12,2)'}]\n";
    project.write("dbt_project.yml", "name: shop\nprofile: shop\n").write("models/s.yml", source);
    for number in 1..=4 {
        project.write(&format!("landing/{number}.csv"), &format!("ID,STAKE\n{number},2.50\n"));
    }
    let explained = |more: &[&str]| project.acca(&[&["explain", "-s", "source:raw"], more].concat()).expect_code(0).stdout;
    for _ in 0..2 {
        // Twice: the first has changed nothing.
        let first = explained(&[]);
        assert!(first.contains("-- 1. create the raw table where it is missing\nCREATE SCHEMA IF NOT EXISTS"), "{first}");
        assert!(first.contains("  \"stake\" DECIMAL(12,2),\n"), "{first}");
        let title = "-- 2. load files of landing/*.csv: 4 new ('landing/1.csv', 'landing/2.csv', 'landing/3.csv', …)\nINSERT INTO ";
        assert!(first.contains(title) && first.contains("FROM read_csv(") && first.contains("landing/1.csv', auto_detect"), "{first}");
    }
    project.acca(&["load", "-q"]).expect_code(0);
    let loaded = explained(&[]);
    assert!(loaded.contains("-- 2. load files of landing/*.csv: 4 unchanged\n") && !loaded.contains("INSERT"), "{loaded}");
    project.write("landing/2.csv", "ID,STAKE\n2,9.50\n").write("landing/5.csv", "ID,STAKE\n5,1.50\n");
    let changed = explained(&[]);
    assert!(changed.contains("1 new ('landing/5.csv'), 1 changed ('landing/2.csv'), 3 unchanged\n"), "{changed}");
    assert!(changed.contains("landing/2.csv', auto_detect") && !changed.contains("landing/1.csv', auto_detect"), "{changed}");
    let refreshed = explained(&["--full-refresh"]);
    assert!(refreshed.contains("3 unchanged and loaded again ('landing/1.csv', 'landing/3.csv', 'landing/4.csv')"), "{refreshed}");
    // What was explained is what happens.
    let load = project.acca(&["load"]).expect_code(0);
    assert!(format!("{}{}", load.stdout, load.stderr).contains("2 rows of 2 files, 3 files unchanged"), "{}{}", load.stdout, load.stderr);
    project.acca(&["load", "--prune"]).expect_code(2);
    std::fs::remove_file(project.path("landing/5.csv")).unwrap();
    let pruned = project.acca(&["load", "--full-refresh", "--prune"]).expect_code(0);
    assert!(
        format!("{}{}", pruned.stdout, pruned.stderr).contains("4 rows of 4 files, 1 file removed"),
        "{}{}",
        pruned.stdout,
        pruned.stderr
    );
}

#[test]
fn clean_deletes_what_was_written_and_codes_explain_themselves() {
    let project = shop();
    project.acca(&["parse", "-q"]).expect_code(0);
    assert_eq!(project.acca(&["clean"]).expect_code(0).stdout, "Deleted target\n");
    assert!(!project.path("target").exists());
    assert!(project.acca(&["explain-code", "unknown-ref"]).expect_code(0).stdout.starts_with("# unknown-ref\n"));
    assert!(project.acca(&["explain-code", "unknown-reff"]).expect_code(2).stderr.contains("did you mean 'unknown-ref'?"));
    assert!(project.acca(&["explain-code"]).expect_code(0).stdout.lines().count() > 20);
}

#[test]
fn events_can_be_read_by_programs() {
    let project = shop();
    let run = project.acca(&["build", "--log-format", "json"]).expect_code(0);
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| events.iter().filter(|event| event["info"]["name"] == *name).count();
    assert_eq!((named("RunPlanned"), named("NodeStart"), named("NodeFinished"), named("EndOfRunSummary")), (1, 5, 5, 1));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let project = shop();
    let nowhere = project.acca(&["ls", "--profiles-dir", "/nope"]).expect_code(2);
    assert!(nowhere.stderr.contains("error[invalid-profile]: there is no profiles.yml in the folder '/nope'"), "{}", nowhere.stderr);
    let empty = project.acca(&["ls", "--select", ""]).expect_code(2);
    assert!(empty.stderr.contains("leave --select out to select everything"), "{}", empty.stderr);
    let unknown = project.acca(&["ls", "--quiet", "--select", "nope"]).expect_code(1);
    assert!(unknown.stderr.contains("error[nothing-selected]: the selector 'nope' matches nothing"), "{}", unknown.stderr);
    project.acca(&["ls", "--select", "tag:nope"]).expect_code(0);
}

/// The rules of `check` are PostgreSQL's; neither target is asked, so none has to be there.
#[test]
fn mistakes_are_errors_where_the_target_has_the_rules() {
    let project = TestProject::new();
    project.write("dbt_project.yml", "name: shop\nprofile: shop\n").write(
        "profiles.yml",
        "shop:\n  target: duck\n  outputs:\n    duck: {type: duckdb, path: shop.duckdb}\n    \
         post: {type: postgres, host: nowhere.invalid, user: u, password: p, dbname: d, schema: s}\n",
    );
    project.write("models/first.sql", "select 1 as id").write("models/second.sql", "select idd from {{ ref('first') }}");
    let run = project.acca(&["lineage", "first.id", "--down", "--format", "json"]).expect_code(0);
    assert!(run.stdout.contains("\"edges\""), "{}", run.stdout);
    let run = project.acca(&["check", "--target", "post"]).expect_code(1);
    assert!(run.stderr.contains("error[unknown-column]") && run.stderr.contains("did you mean 'id'?"), "{}", run.stderr);
    // No engine knows a column that is not there.
    let run = project.acca(&["check", "--target", "duck"]).expect_code(1);
    assert!(run.stderr.contains("error[unknown-column]"), "{}", run.stderr);
    project.write("models/second.sql", "select id + 'a'::text as a, a || 'b' as b, rowid from {{ ref('first') }}");
    let run = project.acca(&["check", "--target", "duck"]).expect_code(0);
    assert!(run.stderr.contains("warning[type-mismatch]") && run.stderr.contains("PostgreSQL refuses this"), "{}", run.stderr);
    assert!(!run.stderr.contains("unknown-column"), "{}", run.stderr);
}

/// What a whole model comes from is told one relation deep as text, and what decides about its rows once.
#[test]
fn lineage_as_text_is_short() {
    let project = TestProject::new();
    project.write("dbt_project.yml", "name: shop\n").write("models/first.sql", "select 1 as id, 2 as amount");
    project.write("models/second.sql", "select id, amount from {{ ref('first') }} where id > 0");
    project.write("models/third.sql", "select id, amount * 2 as twice from {{ ref('second') }} order by amount");
    let whole = project.acca(&["lineage", "third"]).expect_code(0);
    let expected =
        "third.id\n  <- second.id (value)\nthird.twice\n  <- second.amount (value)\nthird: all 2 columns\n  <- second.amount (order)\n";
    assert_eq!(whole.stdout, expected);
    assert!(whole.stderr.contains("--depth goes further"), "{}", whole.stderr);
    let column = project.acca(&["lineage", "third.twice"]).expect_code(0);
    assert!(column.stdout.contains("first.amount (value)") && !column.stderr.contains("--depth"), "{}", column.stdout);
}

/// That no profile is found is said until something was built.
#[test]
fn the_default_database_is_told_once() {
    let project = TestProject::new();
    project.write("dbt_project.yml", "name: shop\n").write("models/first.sql", "select 1 as id");
    assert!(project.acca(&["parse"]).expect_code(0).stderr.contains("names no profile"));
    assert!(project.acca(&["build"]).expect_code(0).stderr.contains("names no profile"));
    assert!(!project.acca(&["build"]).expect_code(0).stderr.contains("names no profile"));
}

/// Units are the project's own, so a mistake is one on every target, and so is what declares them.
#[test]
fn units_and_labels_are_printed_and_checked() {
    let project = TestProject::new();
    project.write("dbt_project.yml", "name: shop\n").write("acca.yml", "reports: [nothing]\n").write(
        "models/shop.yml",
        "sources:\n  - name: raw\n    tables:\n      - name: orders\n        columns:\n          \
         - {name: email, data_type: text, meta: {labels: [personal]}}\n          \
         - {name: pence, data_type: bigint, meta: {unit: minor, currency: GBP}}\n          \
         - {name: odd, data_type: bigint, meta: {unit: minor, currency: gbp_code}}\n",
    );
    project.write("models/orders.sql", "select lower(email) as email, pence, pence / pence as share from {{ source('raw', 'orders') }}");
    let run = project.acca(&["schema", "--format", "json"]).expect_code(0);
    let found: Value = serde_json::from_str(run.stdout.trim()).unwrap();
    let told: Vec<String> =
        found["columns"].as_array().unwrap().iter().map(|column| format!("{} {}", column["unit"], column["labels"])).collect();
    assert_eq!(told, [r#"null ["personal"]"#, r#""minor GBP" []"#, r#""fraction" []"#]);
    let run = project.acca(&["check"]).expect_code(1);
    assert!(run.stderr.contains("error[invalid-unit]") && run.stderr.contains("warning[nothing-selected]"), "{}", run.stderr);
}

#[test]
fn seeds_are_shown_where_asked_for() {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n")
        .write("seeds/rates.csv", &format!("id,rate\n{}", (1..=12).map(|id| format!("{id},0.5\n")).collect::<String>()));
    let shown = project.acca(&["seed", "--show"]).expect_code(0).stdout;
    assert!(shown.contains("rates\nid | rate\n") && shown.contains("10 |  0.5") && !shown.contains("11 |"), "{shown}");
    assert!(!project.acca(&["seed"]).expect_code(0).stdout.contains("id | rate"));
    assert!(project.path("target/run_results.json").exists());
}

#[test]
fn diagnostics_of_a_project_that_cannot_be_read_have_the_chosen_format() {
    let project = shop();
    project.write("models/broken.sql", "select * from {{ ref('stg_bet') }}\n");
    let concise = "models/broken.sql:1:18: error[unknown-ref]: ";
    for command in ["check", "parse", "run", "build", "test"] {
        let run = project.acca(&[command, "--output", "concise"]).expect_code(1);
        assert!(run.stdout.starts_with(concise) && run.stdout.lines().count() == 1, "{command}: {}", run.stdout);
        assert!(!run.stderr.contains("stg_bet"), "{command}: {}", run.stderr);
    }
    for command in ["compile", "ls", "show", "explain"] {
        let run = project.acca(&[command, "--diagnostics", "concise"]).expect_code(1);
        assert!(run.stdout.starts_with(concise), "{command}: {}", run.stdout);
    }
    let printed = |format: &str| project.acca(&["check", "--output", format]).expect_code(1).stdout;
    assert_eq!(serde_json::from_str::<Value>(&printed("json")).unwrap()["code"], "unknown-ref");
    assert_eq!(serde_json::from_str::<Value>(&printed("sarif")).unwrap()["runs"][0]["results"][0]["ruleId"], "unknown-ref");
    assert!(printed("github").starts_with("::error file=models/broken.sql,line=1,"));
    assert!(printed("junit").contains("failures=\"1\""));
    project.write("models/broken.sql", "select * fro {{ ref('stg_bets') }}\n");
    let run = project.acca(&["build", "--output", "json"]).expect_code(1);
    assert!(run.stdout.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["level"] == "error"), "{}", run.stdout);
    assert!(run.stdout.contains("\"statement-failed\"") && run.stderr.contains("Done. "), "{} {}", run.stdout, run.stderr);
    project.write("models/broken.sql", "select 1 as one\n");
    assert_eq!(project.acca(&["parse", "--output", "concise"]).expect_code(0).stdout, "");
}

#[test]
fn failed_data_tests_are_findings_for_programs() {
    let project = shop();
    project.write("tests/none.sql", "select 1 as one\n");
    let printed = |format: &str| project.acca(&["test", "--select", "none", "--output", format]).expect_code(1).stdout;
    let result = serde_json::from_str::<Value>(&printed("sarif")).unwrap()["runs"][0]["results"][0].clone();
    assert_eq!((&result["ruleId"], &result["level"]), (&json!("test-failed"), &json!("error")));
    assert!(printed("concise").starts_with("tests/none.sql:1:1: error[test-failed]: test 'none' failed: "), "{}", printed("concise"));
    assert!(printed("junit").contains("test-failed"));
}

#[test]
fn names_need_no_flag_where_models_are_looked_at() {
    let project = shop();
    project.acca(&["build", "-q"]).expect_code(0);
    assert!(project.acca(&["show", "stg_bets", "--limit", "1"]).expect_code(0).stdout.contains("bet_id"));
    assert!(project.acca(&["explain", "turnover"]).expect_code(0).stdout.starts_with("-- model.shop.turnover"));
    assert!(project.acca(&["compile", "turnover"]).expect_code(0).stdout.contains("sum(stake)"));
    assert!(project.acca(&["check", "turnover"]).expect_code(0).stderr.contains("Checked 1 node "));
    let schema = project.acca(&["schema", "-s", "turnover"]).expect_code(0).stdout;
    assert_eq!(schema, project.acca(&["schema", "turnover"]).expect_code(0).stdout);
    project.acca(&["show", "stg_bets", "--inline", "select 1"]).expect_code(2);
}

#[test]
fn a_warning_that_fails_is_shown_as_an_error() {
    let project = shop();
    project.write("models/more.yml", "models:\n  - name: nothing\n");
    assert!(project.acca(&["parse"]).expect_code(0).stderr.contains("warning[orphan-properties]"));
    assert!(project.acca(&["parse", "--warn-error"]).expect_code(1).stderr.contains("error[orphan-properties]"));
}

#[test]
fn a_parent_that_is_not_built_is_named_and_a_byte_order_mark_is_no_text() {
    let project = shop();
    project.write("models/marked.sql", "\u{feff}select 1 as one\n");
    project.acca(&["build", "-q", "-s", "marked"]).expect_code(0);
    let run = project.acca(&["run", "-s", "turnover"]).expect_code(1);
    assert!(run.stdout.contains("build 'stg_bets' first: --select +turnover selects what it reads too"), "{}", run.stdout);
}
