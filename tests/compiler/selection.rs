//! Selection beyond one invocation: named selectors, state of an earlier run, deferral, retry, clone.

use serde_json::{Value, json};

use crate::postgres::PgServer;
use crate::project::TestProject;

fn json_file(project: &TestProject, path: &str) -> Value {
    serde_json::from_str(&project.read(path)).unwrap()
}

/// Three models in a row and a seed under them, on DuckDB.
fn chain() -> TestProject {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write(
            "profiles.yml",
            "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, schema: dev, threads: 1}\n    \
             prod: {type: duckdb, path: shop.duckdb, schema: prod, threads: 1}\n",
        )
        .write("seeds/rates.csv", "id,rate\n1,2\n")
        .write("models/first.sql", "select id, rate from {{ ref('rates') }}\n")
        .write("models/second.sql", "select id, rate from {{ ref('first') }}\n")
        .write("models/third.sql", "select id, rate from {{ ref('second') }}\n");
    project
}

/// Names of what is listed, in one line.
fn listed(project: &TestProject, arguments: &[&str]) -> String {
    let run = project.acca(&[&["ls", "--quiet", "--output", "name"], arguments].concat()).expect_code(0);
    run.stdout.lines().collect::<Vec<_>>().join(" ")
}

#[test]
fn selectors_of_the_file_are_used_and_listed_in_the_manifest() {
    let project = chain();
    project.write(
        "selectors.yml",
        "selectors:\n  - {name: late, definition: 2+third+1, default: true}\n  - name: early\n    description: The first ones\n    \
         definition: {union: [{fqn: first}, {method: selector, value: late}, exclude: ['+second']]}\n",
    );
    assert_eq!(listed(&project, &[]), "first second third");
    assert_eq!(listed(&project, &["--selector", "early"]), "third");
    assert_eq!(listed(&project, &["--select", "rates"]), "rates");
    let refused = project.acca(&["ls", "--selector", "early", "--select", "rates"]).expect_code(2);
    assert!(refused.stderr.contains("cannot be used with"), "{}", refused.stderr);
    assert!(project.acca(&["ls"]).expect_code(0).stderr.contains("Using the default selector 'late'"));
    project.acca(&["parse", "--quiet"]).expect_code(0);
    let late = json!({"parents": true, "parents_depth": "2", "method": "fqn", "value": "third", "children": true, "children_depth": "1"});
    let second = json!({"parents": true, "method": "fqn", "value": "second"});
    assert_eq!(
        json_file(&project, "target/manifest.json")["selectors"],
        json!({
            "late": {"name": "late", "default": true, "definition": late},
            "early": {
                "name": "early", "description": "The first ones",
                "definition": {"union": [{"method": "fqn", "value": "first"}, late, {"exclude": [second]}]},
            },
        })
    );
}

/// The SQL that was compiled last for a model.
fn compiled(project: &TestProject, model: &str) -> String {
    project.read(&format!("target/compiled/shop/models/{model}.sql"))
}

#[test]
fn what_is_not_built_here_is_read_where_the_earlier_state_built_it() {
    let mut project = chain();
    project.acca(&["build", "--quiet", "--target", "prod", "--target-path", "prod-run"]).expect_code(0);
    let build = |project: &TestProject, arguments: &[&str]| {
        project.acca(&[&["build", "--quiet", "--select", "third"], arguments].concat()).expect_code(0);
        compiled(project, "third")
    };
    assert!(build(&project, &["--defer", "--state", "prod-run"]).contains(r#""prod"."second""#));
    project.acca(&["build", "--quiet", "--select", "+second"]).expect_code(0);
    assert!(build(&project, &["--defer", "--state", "prod-run"]).contains(r#""dev"."second""#));
    assert!(build(&project, &["--defer", "--defer-state", "prod-run", "--favor-state"]).contains(r#""prod"."second""#));
    // What is selected is read here, even with --favor-state.
    project.acca(&["build", "--quiet", "--select", "second", "third", "--defer", "--state", "prod-run", "--favor-state"]).expect_code(0);
    assert!(compiled(&project, "third").contains(r#""dev"."second""#) && compiled(&project, "second").contains(r#""prod"."first""#));
    assert!(project.acca(&["build", "--defer"]).expect_code(2).stderr.contains("error[invalid-state]: no earlier invocation is named"));
    project.set_env("DBT_DEFER", "true").set_env("DBT_STATE", "prod-run").set_env("DBT_FAVOR_STATE", "1");
    assert!(build(&project, &[]).contains(r#""prod"."second""#));
    assert!(build(&project, &["--no-favor-state"]).contains(r#""dev"."second""#));
    assert!(build(&project, &["--no-defer"]).contains(r#""dev"."second""#));
    let inline = project.acca(&["compile", "--inline", "select * from {{ ref('third') }}"]).expect_code(0);
    assert!(inline.stdout.contains(r#""prod"."third""#), "{}", inline.stdout);
}

#[test]
fn state_is_that_of_the_folder_and_of_a_known_version() {
    let project = chain();
    project.acca(&["parse", "--quiet", "--target-path", "before"]).expect_code(0);
    project.write("models/second.sql", "select id, rate * 2 as rate from {{ ref('first') }}\n");
    assert_eq!(listed(&project, &["--select", "state:modified+", "--state", "before"]), "second third");
    // Another target is no change.
    assert_eq!(listed(&project, &["--select", "state:modified", "--state", "before", "--target", "prod"]), "second");
    let refused = |arguments: &[&str]| project.acca(&[&["ls", "--select", "state:modified"], arguments].concat()).expect_code(2).stderr;
    assert!(refused(&[]).contains("compares with an earlier invocation, and none is named"));
    assert_eq!(
        refused(&["--state", "nowhere"]),
        "error[invalid-state]: there is no 'nowhere/manifest.json'\n |\n = note: 'nowhere' is no folder; it is looked for in the project's\n\n"
    );
    let old = project.read("before/manifest.json").replace("manifest/v12.json", "manifest/v4.json");
    project.write("old/manifest.json", &old);
    assert_eq!(
        refused(&["--state", "old"]),
        "error[invalid-state]: 'old/manifest.json' is of version 4 of its format\n |\n = note: acca reads versions 9 to 12\n \
         = help: write it again, with the project as it was then and a newer program\n\n"
    );
    project.write("old/manifest.json", &old[..200]);
    assert!(refused(&["--state", "old"]).contains("error[invalid-state]: 'old/manifest.json' cannot be read: EOF while parsing"));
}

#[test]
fn an_empty_build_reads_no_rows() {
    let project = chain();
    project.write("models/fourth.sql", "select * from {{ ref('third') }} as t where '{{ ref('third').identifier }}' = 'third'\n");
    project.write("models/eph.sql", "{{ config(materialized='ephemeral') }}select 1 as id\n");
    project.write("models/fifth.sql", "{{ config(materialized='table') }}\nselect * from {{ ref('eph') }}, {{ ref('rates').render() }}\n");
    let sql = |model: &str| project.acca(&["compile", "--quiet", "--empty", "--select", model]).expect_code(0).stdout;
    assert_eq!(
        sql("fourth"),
        "select * from (select * from \"shop\".\"dev\".\"third\" where false limit 0) as t where 'third' = 'third'\n"
    );
    assert!(sql("fifth").contains("from (select * from __dbt__cte__eph where false limit 0), \"shop\".\"dev\".\"rates\""));
    project.acca(&["build", "--quiet", "--empty"]).expect_code(0);
    let shown = project.acca(&["show", "--inline", "select count(*) as n from {{ ref('fifth') }}", "--output", "csv"]).expect_code(0);
    assert_eq!(shown.stdout, "n\n0\n");
}

#[test]
fn an_empty_build_gives_the_subquery_an_alias_on_postgres() {
    let database = PgServer::shared().database();
    let project = chain();
    project.connect("shop", &database, "dev");
    let fourth = "select t.id from {{ ref('third') }} as t join {{ ref('rates') }} r on r.id = t.id, {{ ref('first') }}\nwhere t.id > 1\n";
    project.write("models/fourth.sql", fourth);
    project.acca(&["build", "--quiet", "--empty"]).expect_code(0);
    // Where the query gives an alias of its own, that one counts.
    let aliases = compiled(&project, "fourth");
    assert!(!aliases.contains("_subq_third") && !aliases.contains("_subq_rates") && aliases.contains("_subq_first"), "{aliases}");
    let sql = compiled(&project, "third");
    assert!(sql.trim_end().ends_with(".\"dev\".\"second\" where false limit 0) _dbt_limit_subq_second"), "{sql}");
}

/// Status by name of what the last run did.
fn statuses(project: &TestProject) -> String {
    let results = json_file(project, "target/run_results.json")["results"].clone();
    let line = |result: &Value| {
        let id = result["unique_id"].as_str().unwrap();
        format!("{} {}", id.rsplit('.').next().unwrap(), result["status"].as_str().unwrap())
    };
    let mut lines: Vec<String> = results.as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines.join(", ")
}

#[test]
fn retry_goes_on_where_the_last_run_failed() {
    let mut project = chain();
    project.set_env("SECOND", "no_such_column");
    project.write("models/second.sql", "select id, {{ env_var('SECOND') }} as rate, '{{ var('day') }}' as day from {{ ref('first') }}\n");
    let vars = ["--vars", "{day: monday}"];
    project.acca(&[&["build", "--quiet", "--target", "prod", "--full-refresh"][..], &vars].concat()).expect_code(1);
    assert_eq!(statuses(&project), "first success, rates success, second error, third skipped");
    let without = project.acca(&["retry"]).expect_code(2).stderr;
    assert!(without.contains("the last run had variables whose values are not kept: day"), "{without}");
    project.set_env("SECOND", "rate");
    project.acca(&[&["retry", "--quiet"][..], &vars].concat()).expect_code(0);
    assert_eq!(statuses(&project), "second success, third success");
    let recorded = json_file(&project, "target/run_results.json")["args"].clone();
    assert_eq!(
        (recorded["which"].as_str(), recorded["target"].as_str(), &recorded["full_refresh"]),
        (Some("build"), Some("prod"), &json!(true))
    );
    assert!(compiled(&project, "third").contains(r#""prod"."second""#));
    let done = project.acca(&[&["retry"][..], &vars].concat()).expect_code(0).stdout;
    assert_eq!(done, "There is nothing to retry: all is well in 'target/run_results.json'.\n");
}

#[test]
fn retry_needs_a_run_that_it_knows() {
    let project = chain();
    assert!(project.acca(&["retry"]).expect_code(2).stderr.contains("error[invalid-state]: there is no 'target/run_results.json'"));
    let results = |which: &str| {
        format!(
            r#"{{"metadata": {{"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"}}, "args": {{"which": "{which}"}},
               "results": [{{"unique_id": "seed.shop.rates", "status": "skipped"}}, {{"unique_id": "model.shop.gone", "status": "error"}}]}}"#
        )
    };
    project.write("elsewhere/run_results.json", &results("docs"));
    assert!(
        project.acca(&["retry", "--state", "elsewhere"]).expect_code(2).stderr.contains("of the command 'docs', which cannot be retried")
    );
    project.write("elsewhere/run_results.json", &results("seed"));
    let run = project.acca(&["retry", "--state", "elsewhere"]).expect_code(0);
    assert!(run.stderr.contains("warning[invalid-state]: what failed is not in the project any more: 'model.shop.gone'"), "{}", run.stderr);
    assert_eq!(statuses(&project), "rates success");
    let only_gone = results("seed").replace(r#"{"unique_id": "seed.shop.rates", "status": "skipped"}, "#, "");
    project.write("elsewhere/run_results.json", &only_gone);
    let refused = project.acca(&["retry", "--quiet", "--state", "elsewhere"]).expect_code(2);
    assert!(refused.stderr.contains("error[invalid-state]: what failed is not in the project any more"), "{}", refused.stderr);
    // A run that did not come to its first node has no results: that is no success.
    project.write("elsewhere/run_results.json", &only_gone.replace(r#"{"unique_id": "model.shop.gone", "status": "error"}"#, ""));
    let refused = project.acca(&["retry", "--quiet", "--state", "elsewhere"]).expect_code(2);
    assert!(refused.stderr.contains("ended before its first node"), "{}", refused.stderr);
}

/// Clones what `prod` has into `dev`, on the engine of the profile.
fn check_clone(project: &TestProject) {
    project.write(
        "snapshots/history.yml",
        "snapshots:\n  - {name: history, relation: ref('second'), config: {unique_key: id, strategy: check, check_cols: all}}\n",
    );
    project.write("models/eph.sql", "{{ config(materialized='ephemeral') }}select 1 as id\n");
    project.write("models/table_model.sql", "{{ config(materialized='table') }}select id, rate + 1 as rate from {{ ref('third') }}\n");
    project.acca(&["build", "--quiet", "--target", "prod", "--target-path", "prod-run"]).expect_code(0);
    project.write("models/newer.sql", "select 1 as id\n");
    let run = project.acca(&["clone", "--state", "prod-run", "--exclude", "third"]).expect_code(0);
    assert!(run.stderr.contains("dev.newer is not cloned: the earlier state has no relation of it"), "{}", run.stderr);
    assert_eq!(statuses(project), "first success, history success, newer success, rates success, second success, table_model success");
    let rows = |query: &str| project.acca(&["show", "--inline", query, "--output", "csv"]).expect_code(0).stdout;
    assert_eq!(rows("select rate from {{ ref('table_model') }}"), "rate\n3\n");
    let kinds = "select table_type from information_schema.tables where table_schema = 'dev' group by table_type";
    assert_eq!(rows(kinds), "table_type\nVIEW\n");
    // What is there stays, but for a full refresh.
    let again = project.acca(&["clone", "--state", "prod-run", "--resource-type", "seed"]).expect_code(0);
    assert!(again.stderr.contains("dev.rates is not cloned: it is there already"), "{}", again.stderr);
    project.acca(&["run", "--quiet", "--select", "table_model", "--defer", "--state", "prod-run"]).expect_code(0);
    assert!(rows(kinds).contains("BASE TABLE"));
    project.acca(&["clone", "--quiet", "--state", "prod-run", "--full-refresh"]).expect_code(0);
    assert_eq!(rows(kinds), "table_type\nVIEW\n");
    assert!(compiled(project, "table_model").contains(r#""prod"."table_model""#));
    let manifest = json_file(project, "target/manifest.json");
    assert_eq!(manifest["nodes"]["model.shop.table_model"]["config"]["materialized"], "table");
    assert!(project.acca(&["clone"]).expect_code(2).stderr.contains("error[invalid-state]: no earlier invocation is named"));
    let itself = project.acca(&["clone", "--target", "prod", "--state", "prod-run", "--full-refresh", "-s", "first"]).expect_code(0);
    assert!(itself.stderr.contains("prod.first is not cloned: the earlier state built it here"), "{}", itself.stderr);
}

#[test]
fn clones_are_views_of_the_earlier_relations() {
    check_clone(&chain());
}

#[test]
fn clones_are_views_of_the_earlier_relations_on_postgres() {
    let database = PgServer::shared().database();
    let project = chain();
    let output = |schema: &str| database.profile_output(schema);
    project.write("profiles.yml", &format!("shop:\n  target: dev\n  outputs:\n    dev: {}\n    prod: {}\n", output("dev"), output("prod")));
    check_clone(&project);
}

/// What is read ahead, to rewrite it, takes all to be here, which says nothing of the database.
#[test]
fn portable_models_read_what_is_deferred_to() {
    let project = chain();
    project.write("models/written.sql", "{{ config(meta={'portable': true}) }}select id, rate / 2 as half from {{ ref('third') }}\n");
    project.acca(&["build", "--quiet", "--target", "prod", "--target-path", "prod-run"]).expect_code(0);
    project.acca(&["run", "--quiet", "--select", "written", "--defer", "--state", "prod-run"]).expect_code(0);
    assert!(compiled(&project, "written").replace('"', "").contains("prod.third"));
}

/// Its text is not the one that the engine complains of, and has an ephemeral model before it.
#[test]
fn errors_of_an_engine_in_portable_models_point_into_their_macros() {
    let project = chain();
    project
        .write("macros/second.sql", "{% macro second() %}\n  gone\n{% endmacro %}\n")
        .write(
            "models/raw.yml",
            "sources: [{name: raw, schema: dev, tables: [{name: rates, columns: [{name: gone, data_type: integer}]}]}]\n",
        )
        .write("models/halves.sql", "{{ config(materialized='ephemeral') }}select id, rate from {{ ref('rates') }}\n")
        .write(
            "models/written.sql",
            "{{ config(meta={'portable': true}) }}\nselect h.rate / 2 as half,\n  {{ second() }} as other\n\
             from {{ ref('halves') }} as h cross join {{ source('raw', 'rates') }} as r\n",
        );
    project.acca(&["build", "--quiet", "--select", "rates"]).expect_code(0);
    let said = project.acca(&["run", "--select", "written"]).expect_code(1);
    let said = format!("{}{}", said.stdout, said.stderr);
    assert!(said.contains("models/written.sql:3:6") && said.contains("macros/second.sql:2:3"), "{said}");
}

/// With `--fail-fast` a failure ends what runs beside it; a model that would take minutes stands for that.
fn check_fail_fast(project: &TestProject, slow: &str) {
    project.write(
        "models/first.sql",
        "{{ config(materialized='table') }}\nselect 1 / (select count(*) from no_such_table) as id, 1 as rate\n",
    );
    project.write("models/slow.sql", &format!("{{{{ config(materialized='table') }}}}\n{slow}\n"));
    let began = std::time::Instant::now();
    let run = ["run", "--quiet", "--fail-fast", "--threads", "2", "--exclude", "rates"];
    project.acca(&run).expect_code(1);
    assert!(began.elapsed().as_secs() < 45, "{:?}", began.elapsed());
    assert_eq!(statuses(project), "first error, second skipped, slow skipped, third skipped");
}

#[test]
fn fail_fast_ends_what_runs_beside_the_failure() {
    check_fail_fast(&chain(), "select count(*) as n from range(3000000) a, range(3000000) b where hash(a.range, b.range) % 7 = 8");
}

#[test]
fn fail_fast_ends_what_runs_beside_the_failure_on_postgres() {
    let database = PgServer::shared().database();
    let project = chain();
    project.connect("shop", &database, "dev");
    check_fail_fast(&project, "select 1 as n from pg_sleep(300)");
}

#[test]
fn listings_name_what_dbt_names() {
    let project = chain();
    project.write("models/fact_v1.sql", "select 1 as id\n").write("models/fact_v2.sql", "select 2 as id\n");
    project.write("models/schema.yml", "models:\n  - {name: fact, latest_version: 2, versions: [{v: 1}, {v: 2}]}\n");
    assert_eq!(listed(&project, &["--select", "fact"]), "fact.v1 fact.v2");
    let run = |keys: &[&str]| project.acca(&[&["ls", "--select", "first", "--output", "json"], keys].concat()).expect_code(0).stdout;
    let found: Value = serde_json::from_str(&run(&[])).unwrap();
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["alias", "name", "package_name", "depends_on", "tags", "config", "resource_type", "original_file_path", "unique_id"]);
    assert_eq!(found["config"]["on_schema_change"], "ignore");
    let nested = run(&["--output-keys", "config.materialized", "checksum.name", "no_such", "config.unique_key"]);
    assert_eq!(nested, "{\"config.materialized\":\"view\",\"checksum.name\":\"sha256\"}\n");
}

#[test]
fn resource_types_narrow_a_test() {
    let project = chain();
    project.write("tests/no_rates.sql", "select * from {{ ref('rates') }} where rate < 0\n");
    project.acca(&["build", "--quiet", "--resource-type", "seed", "test"]).expect_code(0);
    assert_eq!(statuses(&project), "no_rates pass, rates success");
    assert!(project.acca(&["test", "--resource-type", "model"]).expect_code(0).stdout.contains("There are no tests to run."));
    project.acca(&["test", "--quiet", "--exclude-resource-type", "model"]).expect_code(0);
    assert_eq!(statuses(&project), "no_rates pass");
}
