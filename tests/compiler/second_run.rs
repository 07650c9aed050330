//! A second run says exactly what a cold one says, whatever was edited between them: nothing that an earlier run left may count.

use std::fs;

use regex::Regex;

use crate::project::TestProject;

/// A project with a file of each kind that a manifest depends on.
fn shop() -> TestProject {
    let mut project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\nvars: {day: monday}\nmodels: {shop: {+tags: [all]}}\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, schema: \"{{ env_var('SCHEMA') }}\"}\n")
        .write("packages.yml", "packages:\n  - local: shared\n")
        .write("shared/dbt_project.yml", "name: shared\n")
        .write("shared/macros/kind.sql", "{% macro kind() %}'shared'{% endmacro %}")
        .write("dbt_packages/shared/dbt_project.yml", "name: shared\n")
        .write("dbt_packages/shared/macros/kind.sql", "{% macro kind() %}'shared'{% endmacro %}")
        .write("macros/tagged.sql", "{% macro tagged() %}{{ config(tags=['a']) }}{% endmacro %}")
        .write("seeds/bets.csv", "bet_id\n1\n")
        .write("models/stg.sql", "{{ tagged() }}select bet_id, '{{ var('day') }}' as day, {{ shared.kind() }} as kind from {{ ref('bets') }}")
        .write("models/sum.sql", "select count(*) as n from {{ ref('stg') }}")
        .write("models/models.yml", "models:\n  - name: stg\n    description: \"{{ doc('stg') }}\"\n    columns:\n      - name: bet_id\n        data_tests: [unique]\n")
        .write("models/docs.md", "{% docs stg %}Bets.{% enddocs %}")
        .write("tests/small.sql", "select * from {{ ref('stg') }} where bet_id > 5")
        .write("snapshots/s.sql", "{% snapshot s %}{{ config(unique_key='bet_id', strategy='check', check_cols='all') }}select * from {{ ref('stg') }}{% endsnapshot %}")
        .write("selectors.yml", "selectors:\n  - name: all\n    definition: tag:all\n");
    project.set_env("SCHEMA", "main");
    project
}

/// The manifest and the compiled SQL of a compile, without what names the moment and the run.
fn compiled(project: &TestProject, arguments: &[&str], target: &str) -> String {
    let mut words = vec!["compile", "--target-path", target];
    words.extend(arguments);
    let run = project.acca(&words).expect_code(0);
    let manifest = project.read(&format!("{target}/manifest.json"));
    let mut text = manifest.clone();
    let mut files: Vec<_> = walkdir::WalkDir::new(project.path(&format!("{target}/compiled"))).into_iter().map(Result::unwrap).collect();
    files.retain(|entry| entry.file_type().is_file());
    files.sort_by(|a, b| a.path().cmp(b.path()));
    for file in files.iter().filter(|file| manifest.contains(&*file.file_name().to_string_lossy())) {
        text.push_str(&fs::read_to_string(file.path()).unwrap());
    }
    let moment =
        Regex::new(r#""(created_at|generated_at|invocation_id|invocation_started_at|run_started_at)":("[^"]*"|[\d.e+]+)"#).unwrap();
    let folder = Regex::new(&format!(r"\b{target}/")).unwrap();
    text.push_str(&run.stderr);
    let text = moment.replace_all(&text, "");
    folder.replace_all(&text, "target/").into_owned()
}

#[test]
fn a_second_run_is_a_cold_run_whatever_was_edited() {
    let mut project = shop();
    let edits: [(&str, Option<&str>); 14] = [
        ("models/sum.sql", Some("select count(*) as bets from {{ ref('stg') }}")),
        ("models/models.yml", Some("models:\n  - name: stg\n    columns:\n      - name: bet_id\n        data_tests: [not_null, unique]\n")),
        ("macros/tagged.sql", Some("{% macro tagged() %}{{ config(tags=['b'], materialized='table') }}{% endmacro %}")),
        ("seeds/bets.csv", Some("bet_id\n1\n2\n")),
        ("models/docs.md", Some("{% docs stg %}Other bets.{% enddocs %}")),
        ("dbt_project.yml", Some("name: shop\nprofile: shop\nvars: {day: tuesday}\nmodels: {shop: {+tags: [each]}}\n")),
        ("profiles.yml", Some("shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, schema: other}\n")),
        ("dbt_packages/shared/macros/kind.sql", Some("{% macro kind() %}'another'{% endmacro %}")),
        ("selectors.yml", Some("selectors:\n  - name: few\n    definition: tag:few\n")),
        (
            "snapshots/s.sql",
            Some(
                "{% snapshot s %}{{ config(unique_key='day', strategy='check', check_cols='all') }}select * from {{ ref('stg') }}{% endsnapshot %}",
            ),
        ),
        ("tests/small.sql", Some("select * from {{ ref('stg') }} where bet_id > 6")),
        ("models/more.sql", Some("select 1 as added")),
        ("models/more.sql", None),
        ("tests/small.sql", None),
    ];
    let mut last = compiled(&project, &[], "warm");
    for (number, (path, text)) in edits.into_iter().enumerate() {
        match text {
            Some(text) => {
                project.write(path, text);
            }
            None => fs::remove_file(project.path(path)).unwrap(),
        }
        let warm = compiled(&project, &[], "warm");
        assert_eq!(warm, compiled(&project, &[], &format!("cold{number}")), "after an edit of {path}");
        assert_ne!(warm, last, "an edit of {path} changes nothing");
        last = warm;
    }
    fs::rename(project.path("models/sum.sql"), project.path("models/total.sql")).unwrap();
    let warm = compiled(&project, &[], "warm");
    assert_eq!(warm, compiled(&project, &[], "renamed"));
    assert_ne!(warm, last);
    let flagged = compiled(&project, &["--vars", "{day: friday}"], "warm");
    assert_eq!(flagged, compiled(&project, &["--vars", "{day: friday}"], "flagged"));
    assert_ne!(flagged, warm);
    // A variable of the environment, through the profile.
    project.write(
        "profiles.yml",
        "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb, schema: \"{{ env_var('SCHEMA') }}\"}\n",
    );
    let before = compiled(&project, &[], "warm");
    project.set_env("SCHEMA", "elsewhere");
    let after = compiled(&project, &[], "warm");
    assert_eq!(after, compiled(&project, &[], "moved"));
    assert_ne!(after, before);
}
