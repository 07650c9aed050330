//! What the manifest says, where dbt's readers look for it. `scripts/check-artifacts --compare` holds it against dbt itself.

use serde_json::{Value, json};

use crate::project::TestProject;

fn manifest() -> Value {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\ndata_tests: {+tags: nightly}\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n")
        .write("models/docs/about.md", "{% docs about %}\nAll of it\n{% enddocs %}\n")
        .write("models/bets.sql", "select 1 as id {{ outer() }}\n")
        .write("models/dim_v1.sql", "select 1 as id\n")
        .write("models/old.sql", "select 1 as id\n")
        .write("analyses/look.sql", "select * from {{ ref('dim', v=1) }}\n")
        .write("macros/m.sql", "{% macro outer() %}{{ inner() }}{# other() #}{% endmacro %}{% macro inner() %}{% endmacro %}{% macro other() %}{% endmacro %}")
        .write("snapshots/kept.yml", "snapshots:\n  - {name: kept, relation: ref('bets'), config: {unique_key: id, strategy: check, check_cols: all}}\n")
        .write(
            "models/models.yml",
            "models:\n  - name: bets\n    description: |\n      {{ doc('about') }} and {{ doc('shop', 'about') }}\n    columns:\n      - {name: id, description: \"{{ doc('about') }}\"}\n      \
             - name: a_column_with_a_long_name\n        data_tests: [{accepted_values: {arguments: {values: [a_first_value, a_second_value, a_third]}}}]\n  \
             - {name: dim, versions: [{v: 1}]}\n  \
             - name: old\n    deprecation_date: 2099-12-31T10:00:00\n    columns:\n      - name: id\n        config: {tags: [key]}\n        \
             data_tests:\n          - not_null: {config: {store_failures: true, tags: [own], where: 'a = \"b\"', meta: {a: 1}}}\n          - unique\n\
             sources:\n  - name: raw\n    tables: [{name: t, columns: [{name: id, data_tests: [unique]}]}]\n\
             macros:\n  - {name: outer, description: x}\n",
        );
    project.acca(&["parse"]).expect_code(0);
    serde_json::from_str(&project.read("target/manifest.json")).unwrap()
}

#[test]
fn entries_say_what_dbt_says() {
    let manifest = manifest();
    let node = |id: &str| manifest["nodes"].get(id).unwrap_or_else(|| panic!("{id}"));
    let bets = node("model.shop.bets");
    assert_eq!(
        (&bets["description"], &bets["doc_blocks"]),
        (&json!("All of it and All of it"), &json!(["doc.shop.about", "doc.shop.about"]))
    );
    assert_eq!(bets["columns"]["id"]["doc_blocks"], json!(["doc.shop.about"]));
    assert_eq!(manifest["docs"]["doc.shop.about"]["path"], "docs/about.md");
    let outer = &manifest["macros"]["macro.shop.outer"];
    assert_eq!(outer["depends_on"]["macros"], json!(["macro.shop.inner"]));
    assert_eq!(outer["patch_path"], "shop://models/models.yml");
    let look = node("analysis.shop.look");
    assert_eq!(
        (&look["path"], &look["config"]["materialized"], &look["refs"][0]["version"]),
        (&json!("analysis/look.sql"), &json!("view"), &json!(1))
    );
    let kept = node("snapshot.shop.kept");
    assert_eq!((&kept["path"], &kept["config"]["dbt_valid_to_current"]), (&json!("kept.yml/kept.sql"), &Value::Null));
    assert_eq!(kept["config"]["snapshot_meta_column_names"]["dbt_scd_id"], Value::Null);
    let tests: Vec<&Value> = manifest["nodes"].as_object().unwrap().values().filter(|node| node["resource_type"] == "test").collect();
    let named = |name: &str| *tests.iter().find(|test| test["test_metadata"]["name"] == name).unwrap();
    assert_eq!(named("unique")["attached_node"], Value::Null);
    let long = named("accepted_values");
    let alias = long["alias"].as_str().unwrap();
    assert!(alias.len() < 64 && long["raw_code"].as_str().unwrap().ends_with(&format!("{{{{ config(alias=\"{alias}\") }}}}")), "{alias}");
    let configured = named("not_null");
    let call =
        r#"{{ test_not_null(**_dbt_generic_test_kwargs) }}{{ config(tags=['own'],where="a = \"b\"",store_failures=True,meta={'a': 1}) }}"#;
    assert_eq!(configured["raw_code"], call);
    assert_eq!((&configured["tags"], &configured["config"]["tags"]), (&json!(["key", "own", "nightly"]), &json!(["nightly", "own"])));
    assert_eq!((&configured["config"]["store_failures_as"], &long["config"]["store_failures_as"]), (&json!("table"), &Value::Null));
    assert_eq!(node("model.shop.old")["deprecation_date"], "2099-12-31T10:00:00+00:00");
    let source = &manifest["sources"]["source.shop.raw.t"];
    assert_eq!(
        source["freshness"],
        json!({"warn_after": {"count": null, "period": null}, "error_after": {"count": null, "period": null}, "filter": null})
    );
    // MD5 of the project's name, as dbt identifies projects.
    assert_eq!(manifest["metadata"]["project_id"].as_str().unwrap().len(), 32);
    assert_eq!(manifest["metadata"]["quoting"], json!({"database": true, "schema": true, "identifier": true, "column": null}));
}
