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
        .write("selectors.yml", "selectors:\n  - name: all\n    definition: tag:all\n")
        .write("macros/tests.sql", "{% test odd(model, column_name) %}select * from {{ model }} where {{ column_name }} % {{ var('step', 2) }} = 0{% endtest %}")
        .write("models/sources.yml", "sources:\n  - name: raw\n    schema: \"{{ env_var('RAW', 'raw') }}\"\n    tables:\n      - name: bets\n        columns:\n          - name: bet_id\n            data_tests: [odd]\n")
        .write("models/loud.sql", "{{ log('loud in ' ~ env_var('LOUD', 'a whisper'), info=true) }}select 1 as one from {{ source('raw', 'bets') }}")
        .write("models/hour.sql", "{{ config(tags=[run_started_at.strftime('%Y') ~ flags.WHICH]) }}select 1 as one")
        .write("models/old.yml", "models:\n  - name: old\n    deprecation_date: 2020-01-01\n    group: trading\ngroups:\n  - name: trading\n    owner: {name: Desk}\n")
        .write("models/old.sql", "select 1 as one")
        .write("models/more.yml", "exposures:\n  - name: board\n    type: dashboard\n    owner: {name: Desk}\n    depends_on: [ref('sum')]\nunit_tests:\n  - name: counts\n    model: sum\n    given:\n      - input: ref('stg')\n        rows: [{bet_id: 1}]\n    expect:\n      rows: [{n: 1}]\n")
        .write("analyses/look.sql", "select * from {{ ref('sum') }}");
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
    let edits: [(&str, Option<&str>); 25] = [
        ("models/sum.sql", Some("select count(*) as n, 1 as other from {{ ref('stg') }}")),
        ("models/sum.sql", Some("{{ config(alias='total') }}-- a longer text than before\nselect count(*) as n from {{ ref('stg') }}")),
        ("analyses/look.sql", Some("select 1 as one")),
        ("models/loud.sql", Some("{{ log('louder', info=true) }}select 1 as one from {{ source('raw', 'bets') }}")),
        ("models/hour.sql", Some("{{ config(tags=[flags.WHICH]) }}select 2 as two")),
        ("models/old.sql", Some("select 2 as two from {{ ref('stg') }}")),
        ("macros/tests.sql", Some("{% test odd(model, column_name) %}select 1 from {{ model }} where {{ column_name }} = 1{% endtest %}")),
        ("models/sources.yml", Some("sources:\n  - name: raw\n    tables: [{name: bets}]\n")),
        (
            "models/more.yml",
            Some("exposures:\n  - name: board\n    type: dashboard\n    owner: {name: Desk}\n    depends_on: [ref('stg')]\n"),
        ),
        ("models/old.yml", Some("models:\n  - name: old\n    description: Old.\n")),
        ("models/sum.sql", Some("select count(*) as bets from {{ ref('stg') }}")),
        ("acca.yml", Some("unit: {}\n")),
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

/// How many nodes went through their first pass in a parse.
fn first_passes(project: &TestProject, arguments: &[&str]) -> usize {
    let verb = if arguments.contains(&"--full-refresh") { "compile" } else { "parse" };
    let mut words = vec![verb, "--profile-compile"];
    words.extend(arguments);
    let run = project.acca(&words).expect_code(0);
    let counted = Regex::new(r"nodes parsed .* in (\d+)").unwrap();
    let printed = run.stdout + &run.stderr;
    counted.captures(&printed).map_or(0, |found| found[1].parse().unwrap())
}

#[test]
fn only_what_was_edited_is_parsed_again() {
    let mut project = shop();
    // What asks for the moment is rendered each time.
    let momentary = 1;
    let all = first_passes(&project, &[]);
    assert!(all > 10, "{all}");
    assert_eq!(first_passes(&project, &[]), momentary);
    project.write("models/sum.sql", "select 5 as n from {{ ref('stg') }}");
    assert_eq!(first_passes(&project, &[]), momentary + 1);
    assert_eq!(first_passes(&project, &["--no-partial-parse"]), all);
    assert_eq!(first_passes(&project, &[]), momentary);
    // An answer to a template is part of what was asked; the environment at large is not.
    project.set_env("UNRELATED", "x");
    assert_eq!(first_passes(&project, &[]), momentary);
    project.set_env("LOUD", "a shout");
    assert_eq!(first_passes(&project, &[]), all);
    project.write("seeds/bets.csv", "bet_id\n7\n").write("README.md", "nothing of it counts");
    assert_eq!(first_passes(&project, &[]), momentary);
    assert_eq!(first_passes(&project, &["--vars", "{day: friday}"]), all);
    assert_eq!(first_passes(&project, &["--full-refresh"]), all, "the variables are others again");
    assert_eq!(first_passes(&project, &["--full-refresh"]), momentary);
}

#[test]
fn a_saved_parse_that_is_damaged_or_foreign_is_not_used() {
    let project = shop();
    let file = project.path("target/partial_parse.acca");
    let all = first_passes(&project, &[]);
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut elsewhere = whole.clone();
    elsewhere[whole.len() / 2] ^= 64;
    let damaged: [&[u8]; 7] = [b"", b"accapar1", b"{}", &whole[..whole.len() - 1], &whole[..20], &flipped, &elsewhere];
    for bytes in damaged {
        fs::write(&file, bytes).unwrap();
        assert_eq!(first_passes(&project, &[]), all);
        assert_eq!(fs::read(&file).unwrap().len(), whole.len());
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(first_passes(&project, &[]), all);
    // A mistake is said again each time: nothing is saved of it.
    fs::remove_dir(&file).unwrap();
    project.write("models/sum.sql", "select * from {{ ref('nothing') }}");
    let first = project.acca(&["parse"]).expect_code(1);
    assert_eq!(project.acca(&["parse"]).expect_code(1).stderr, first.stderr);
    assert!(!file.exists());
}

#[test]
fn a_file_that_lies_in_folders_of_two_kinds() {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\nmacro-paths: [macros, models]\nseed-paths: [seeds, tests/fixtures]\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n")
        .write("tests/fixtures/rows.csv", "one\n1\n")
        .write("models/kind.sql", "{% macro kind() %}'old'{% endmacro %}select {{ kind() }} as kind")
        .write("models/reader.sql", "select {{ kind() }} as kind, one from {{ ref('rows') }}");
    let first = compiled(&project, &[], "warm");
    assert!(first.contains("select 'old' as kind, one"), "{first}");
    assert_eq!(compiled(&project, &[], "warm"), first);
    project.write("models/kind.sql", "{% macro kind() %}'newer'{% endmacro %}select {{ kind() }} as kind, 1 as one");
    let warm = compiled(&project, &[], "warm");
    assert!(warm.contains("select 'newer' as kind, one"), "{warm}");
    assert_eq!(warm, compiled(&project, &[], "cold"));
}

#[test]
fn what_belongs_to_the_moment_is_asked_each_time() {
    let mut project = shop();
    project
        .write(
            "macros/today.sql",
            "{% test today(model, column_name) %}{{ config(tags=[flags.WHICH]) }}select 1 from {{ model }} where false{% endtest %}",
        )
        .write("models/today.yml", "models:\n  - name: sum\n    columns:\n      - name: n\n        data_tests: [today]\n")
        .write("models/loose.sql", "{{ config(tags=['loose' if adapter.behavior.loose else 'strict']) }}select 1 as one");
    let all = first_passes(&project, &[]);
    assert_eq!(first_passes(&project, &[]), 3);
    assert!(all > 10);
    let tagged = |project: &TestProject, tag: &str| project.acca(&["ls", "-q", "-s", &format!("tag:{tag}")]).expect_code(0).stdout;
    assert!(tagged(&project, "list").contains("today"));
    project.acca(&["compile", "-q"]).expect_code(0);
    assert!(project.read("target/manifest.json").contains(r#""tags":["compile"]"#));
    assert!(tagged(&project, "strict").contains("loose"));
    project.set_env("DBT_LOOSE", "true");
    let warm = tagged(&project, "strict");
    assert_eq!(warm, project.acca(&["ls", "-q", "--no-partial-parse", "-s", "tag:strict"]).expect_code(0).stdout);
}

#[test]
fn secrets_of_the_environment_are_not_noted() {
    let mut project = shop();
    project.set_env("DBT_ENV_SECRET_KEY", "hunter2");
    project.write(
        "packages.yml",
        "packages:\n  - local: shared\n  - git: \"https://{{ env_var('DBT_ENV_SECRET_KEY') }}@example.com/x.git\"\n    revision: main\n",
    );
    project.acca(&["parse"]).expect_code(0);
    let saved = fs::read(project.path("target/partial_parse.acca")).unwrap();
    let holds = |text: &[u8]| saved.windows(text.len()).any(|window| window == text);
    assert!(!holds(b"DBT_ENV_SECRET_KEY") && !holds(b"hunter2") && holds(b"LOUD"));
}
