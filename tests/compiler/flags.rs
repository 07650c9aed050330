//! Flags for all commands, as they come from the command line, the environment and the project file.

use serde_json::Value;

use crate::project::TestProject;

/// A model, a test that warns, and a selection that finds nothing may be asked for.
fn shop(flags: &str) -> TestProject {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", &format!("name: shop\nprofile: shop\n{flags}"))
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n")
        .write(
            "models/bets.sql",
            "{{ config(materialized='table', meta={'team': 'risk'}) }}\nselect 1 as id{{ log('hello', info=true) }}\n",
        )
        .write("tests/warns.sql", "{{ config(severity='warn') }}\nselect * from {{ ref('bets') }}\n");
    project
}

fn events(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn names(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| format!("{} {}", event["info"]["level"].as_str().unwrap(), event["info"]["name"].as_str().unwrap())).collect()
}

#[test]
fn events_have_the_shape_of_dbt() {
    let project = shop("");
    let run = project.acca(&["--log-format", "json", "build"]).expect_code(0);
    assert_eq!(run.stderr, "");
    let events = events(&run.stdout);
    let expected = [
        "info MainReportVersion",
        "info RunPlanned",
        "info NodeStart",
        "info JinjaLogInfo",
        "info NodeFinished",
        "info NodeStart",
        "warn NodeFinished",
        "info EndOfRunSummary",
        "info CommandCompleted",
    ];
    assert_eq!(names(&events), expected);
    let finished = &events[4];
    assert_eq!(finished["info"]["code"], "Q025");
    let node = &finished["data"]["node_info"];
    assert_eq!(node["node_path"], "models/bets.sql");
    assert_eq!(node["node_relation"]["relation_name"], "\"shop\".\"main\".\"bets\"");
    assert_eq!((&node["node_status"], &node["meta"]["team"]), (&Value::from("success"), &Value::from("risk")));
    assert_eq!(events.last().unwrap()["data"]["success"], true);
    let only = |arguments: &[&str]| names(&self::events(&project.acca(arguments).expect_code(0).stdout));
    assert_eq!(only(&["build", "--log-format", "json", "--log-level", "warn"]), ["warn NodeFinished"]);
    assert!(only(&["build", "--log-format", "json", "--quiet"]).is_empty());
    let listed = self::events(&project.acca(&["ls", "--log-format", "json", "--quiet"]).expect_code(0).stdout);
    assert_eq!(listed.iter().map(|event| event["data"]["msg"].as_str().unwrap()).collect::<Vec<_>>(), ["shop.bets", "shop.warns"]);
}

#[test]
fn a_log_file_holds_more_than_the_screen() {
    let project = shop("");
    let run = project.acca(&["run", "--quiet", "--log-path", "logs"]).expect_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let log = project.read("logs/acca.log");
    for expected in [
        "[debug] Running with acca=",
        "[debug] read and checked the project in",
        "[info] hello",
        "[info] 1/1 OK",
        "[debug] Command `acca run` succeeded",
    ] {
        assert!(log.contains(expected), "{expected}\n{log}");
    }
    project.acca(&["run", "--log-path", "other", "--log-format-file", "json", "--log-level-file", "info"]).expect_code(0);
    assert!(names(&events(&project.read("other/acca.log"))).contains(&"info NodeFinished".to_owned()));
    assert!(!project.path("logs/acca.log.1").exists());
}

#[test]
fn flags_come_from_the_project_and_the_environment_too() {
    let mut project =
        shop("flags:\n  write_json: false\n  warn_error: true\n  send_anonymous_usage_stats: false\n  some_behaviour: true\n");
    project.acca(&["build"]).expect_code(1);
    assert!(!project.path("target/manifest.json").exists());
    project.set_env("DBT_WARN_ERROR", "false").set_env("DBT_ENGINE_WRITE_JSON", "true").set_env("DBT_RESOURCE_TYPES", "model");
    let run = project.acca(&["--no-partial-parse", "--fail-fast", "build"]).expect_code(0);
    assert!(run.stdout.contains("TOTAL=1"), "{}", run.stdout);
    assert!(project.path("target/manifest.json").exists());
}

#[test]
fn warnings_are_errors_as_the_options_say() {
    let project = shop("");
    project.acca(&["build"]).expect_code(0);
    project.acca(&["build", "--warn-error"]).expect_code(1);
    project.acca(&["build", "--warn-error-options", "{error: [LogTestResult]}"]).expect_code(1);
    project.acca(&["build", "--warn-error-options", "{error: all, warn: [test-warning]}"]).expect_code(0);
    let nothing = ["ls", "-s", "tag:nothing", "--warn-error-options"];
    let with = |options: &'static str| nothing.iter().copied().chain([options]).collect::<Vec<_>>();
    project.acca(&with("{error: [NoNodesForSelectionCriteria]}")).expect_code(1);
    let silenced = project.acca(&with("{silence: [nothing-selected]}")).expect_code(0);
    assert_eq!(silenced.stderr, "");
    let wrong = project.acca(&with("{error: [nothing-select]}")).expect_code(2);
    assert!(wrong.stderr.contains("error[invalid-config]: 'nothing-select' is no warning"), "{}", wrong.stderr);
}

#[test]
fn what_cannot_be_had_is_refused_with_the_reason() {
    let project = shop("");
    let run = project.acca(&["run", "--upload-to-artifacts-ingest-api"]).expect_code(2);
    assert_eq!(run.stderr, "error: '--upload-to-artifacts-ingest-api' cannot be had: acca sends nothing to anybody\n");
    let quiet = project.acca(&["run", "--no-print"]).expect_code(0);
    assert!(!quiet.stdout.contains("hello") && !quiet.stderr.contains("hello"), "{}", quiet.stdout);
}

#[test]
fn explanations_are_one_document() {
    let project = shop("");
    let run = project.acca(&["explain", "--output", "json"]).expect_code(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document[0]["unique_id"], "model.shop.bets");
    let statements: Vec<&str> = document[0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|step| step["sql"].as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    assert!(statements.iter().any(|sql| sql.contains("select 1 as id")), "{statements:?}");
}

#[test]
fn commands_take_the_flags_of_dbt() {
    let project = shop("");
    let compiled = project.acca(&["compile", "-s", "bets", "--output", "json", "--no-print"]).expect_code(0);
    assert_eq!(compiled.stdout, "{\"node\":\"bets\",\"compiled\":\"\\nselect 1 as id\"}\n");
    project.write("models/asks.sql", "select '{{ run_query('select 7 as n').rows[0][0] }}' as n\n");
    let asks = project.acca(&["compile", "-s", "asks"]).expect_code(0);
    assert_eq!(asks.stdout, "select '7' as n\n");
    let closed = project.acca(&["compile", "-s", "asks", "--no-introspect"]).expect_code(1);
    assert!(closed.stderr.contains("the database is not asked (--no-introspect)"), "{}", closed.stderr);
    let shown = project.acca(&["show", "--inline-direct", "select '{{ x }}' as x", "--output", "csv"]).expect_code(0);
    assert_eq!(shown.stdout.trim(), "x\n{{ x }}");
    let folder = project.acca(&["debug", "--config-dir"]).expect_code(0);
    assert_eq!(folder.stdout.trim(), "<project>/.dbt");
    project.write("models/models.yml", "models: [{name: bets, columns: 3}]\n");
    project.acca(&["debug"]).expect_code(1);
    assert!(project.acca(&["debug", "--connection"]).expect_code(0).stdout.contains("OK DuckDB"));
}

#[test]
fn templates_see_the_flags_of_the_call() {
    let mut project = shop("flags:\n  indirect_selection: cautious\n");
    project.set_env("DBT_ENV_CUSTOM_ENV_JOB", "nightly").set_env("DBT_ENGINE_STORE_FAILURES", "1");
    let asks = "{% if execute %}{% for name in ['WHICH', 'FAIL_FAST', 'EMPTY', 'FULL_REFRESH', 'STORE_FAILURES', 'WARN_ERROR', 'TARGET_PATH', \
                'INDIRECT_SELECTION', 'SELECT', 'THREADS', 'VARS', 'USE_COLORS', 'INVOCATION_COMMAND', 'PARTIAL_PARSE', 'SAMPLE'] %}\
                {% do print(name ~ ' ' ~ flags[name]) %}{% endfor %}{% do print(invocation_args_dict.select ~ dbt_metadata_envs ~ selected_resources) %}\
                {% do print(flags.PROJECT_DIR == flags.PROFILES_DIR) %}{% endif %}select 1 as id\n";
    project.write("models/asks.sql", asks);
    let line =
        ["--no-partial-parse", "build", "-s", "asks", "-x", "--full-refresh", "--target-path", "other", "--vars", "{a: 1}", "--warn-error"];
    let run = project.acca(&line).expect_code(0);
    for expected in [
        "WHICH build\n",
        "FAIL_FAST True\n",
        "EMPTY False\n",
        "FULL_REFRESH True\n",
        "STORE_FAILURES True\n",
        "WARN_ERROR True\n",
        "TARGET_PATH other\n",
        "INDIRECT_SELECTION cautious\n",
        "SELECT ['asks']\n",
        "THREADS None\n",
        "VARS {'a': 1}\n",
        "INVOCATION_COMMAND acca --no-partial-parse build -s asks -x --full-refresh --target-path other --vars {a: 1} --warn-error\n",
        "PARTIAL_PARSE False\n",
        "SAMPLE None\n",
        "['asks']{'JOB': 'nightly'}['model.shop.asks']\n",
        "True\n",
    ] {
        assert!(run.stdout.contains(expected), "{expected}\n{}", run.stdout);
    }
}

#[test]
fn variables_that_cannot_be_read_are_told_at_their_place() {
    let mut project = shop("");
    for (vars, expected) in [
        ("{a: 1", "error[invalid-yaml]"),
        ("a: b: c", "error[invalid-yaml]"),
        ("[1]", "'--vars' is a list, and a mapping is needed"),
        ("just text", "'--vars' is a text, and a mapping is needed"),
        ("12", "'--vars' is a number, and a mapping is needed"),
        ("a:1", "'--vars' is a text, and a mapping is needed"),
    ] {
        let run = project.acca(&["ls", "--vars", vars]).expect_code(2);
        assert!(run.stderr.contains(expected) && run.stderr.contains("--> --vars:1:"), "{vars}: {}", run.stderr);
    }
    project.set_env("DBT_VARS", "[1]");
    let run = project.acca(&["ls"]).expect_code(2);
    assert!(run.stderr.contains("write it like --vars '{name: value}'"), "{}", run.stderr);
    for vars in ["", "{}", "a: 1\nb: [2]", "{\"a\": {\"b\": 1}}"] {
        project.acca(&["ls", "--vars", vars]).expect_code(0);
    }
}

#[test]
fn behaviour_flags_come_from_the_project() {
    let project = shop("flags:\n  my_flag: true\n  other_flag: false\n");
    let text = "{{ adapter.behavior.my_flag.no_warn }} {{ 'on' if adapter.behavior.my_flag else 'off' }} \
                {{ adapter.behavior.other_flag.setting }} {{ 'on' if adapter.behavior.unheard_of else 'off' }} {{ flags.MY_FLAG }}";
    let run = project.acca(&["compile", "--inline", text]).expect_code(0);
    assert_eq!(run.stdout, "True on False off True\n");
}
