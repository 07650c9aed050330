//! Targets that are compiled by one command read a portable query once: what each gets, and what is said, must be as if it stood alone.

use std::collections::BTreeMap;

use crate::project::TestProject;

const PROFILES: &str = "shop:\n  target: pg\n  outputs:\n    \
    pg: {type: postgres, host: nowhere, user: nobody, password: none, dbname: low, schema: a_longer_name_of_a_schema}\n    \
    rs: {type: redshift, serverless_work_group: made-up, region: eu-west-1, dbname: high, schema: m}\n    \
    duck: {type: duckdb, path: shop.duckdb, schema: marts}\n";

const SOURCES: &str = "sources:\n  - name: raw\n    schema: \"{{ 'landing' if target.name == 'rs' else 'raw' }}\"\n    tables:\n      - name: bets\n        columns:\n          \
    - {name: id, data_type: bigint, data_tests: [unique, not_null]}\n          - {name: shop, data_type: varchar(20)}\n          \
    - {name: stake, data_type: 'numeric(12,2)'}\n          - {name: placed, data_type: timestamp}\n";

/// A model of each kind: (name, text).
const MODELS: &[(&str, &str)] = &[
    ("plain", "select id, shop, stake, placed, stake / 3 as third, concat(shop, 'x') as tag from {{ source('raw', 'bets') }}"),
    (
        "joined",
        "{{ config(materialized='table') }}\nselect p.shop, sum(b.stake) filter (where p.stake > 1) as sum,\n  string_agg(p.tag, ',' order by p.tag) as tags\n\
         from {{ ref('plain') }} as p\njoin {{ source('raw', 'bets') }} as b on b.id = p.id\ngroup by p.shop",
    ),
    (
        "growing",
        "{{ config(materialized='incremental', unique_key='id') }}\nselect id, date_trunc('month', placed) as month, avg(stake) as mean\n\
         from {{ ref('plain') }}\n{% if is_incremental() %}where placed > (select max(month) from {{ this }}){% endif %}\ngroup by 1, 2",
    ),
    ("spoken", "select '{{ ref('plain') }}' as made_of, count(*) as rows from {{ ref('plain') }}"),
    ("noted", "-- of {{ ref('plain') }}\nselect max(stake) as most from {{ ref('plain') }}"),
    ("apart", "select {% if target.type == 'redshift' %}shop{% else %}upper(shop){% endif %} as shop from {{ ref('plain') }}"),
    ("another", "{{ config(alias='other_' ~ target.name) }}\nselect id, left(shop, 2) as shop from {{ ref('plain') }}"),
    ("of_another", "select shop, stake / nullif(id, 0) as share from {{ ref('another') }} join {{ ref('plain') }} using (id, shop)"),
    ("whole", "select {{ source('raw', 'bets') }}.id, avg(stake) as mean from {{ source('raw', 'bets') }} group by 1"),
    ("short", "{{ config(materialized='ephemeral') }}\nselect id, stake / 7 as seventh from {{ ref('plain') }}"),
    ("of_short", "select id, round(seventh, 2) as seventh from {{ ref('short') }}"),
];

fn shop() -> TestProject {
    let project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\nmodels: {+meta: {portable: true}}\n")
        .write("profiles.yml", PROFILES)
        .write("models/sources.yml", SOURCES);
    for (name, text) in MODELS {
        project.write(&format!("models/{name}.sql"), text);
    }
    project
}

/// What lies below a folder, by path.
fn files(project: &TestProject, folder: &str) -> BTreeMap<String, String> {
    let root = project.path(folder);
    let entries = walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let file = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        (path, std::fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

#[test]
fn each_target_gets_what_it_gets_alone() {
    let project = shop();
    project.acca(&["compile", "--target", "all"]).expect_code(0);
    for target in ["pg", "rs", "duck"] {
        project.acca(&["compile", "--target", target]).expect_code(0);
        let (together, alone) = (files(&project, &format!("target/{target}/compiled")), files(&project, "target/compiled"));
        assert_eq!(together.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>());
        assert!(together.len() >= MODELS.len() - 1, "{together:?}");
        for (path, text) in &together {
            assert_eq!(text, &alone[path], "{path} on {target}");
        }
    }
    let redshift = files(&project, "target/rs/compiled");
    let joined = redshift.iter().find(|(path, _)| path.ends_with("joined.sql")).unwrap().1;
    assert!(joined.contains("high.m.\"plain\"") && joined.contains("high.landing.bets") && joined.contains("listagg"), "{joined}");
}

#[test]
fn what_is_refused_stands_at_its_place_on_each_target() {
    let project = shop();
    project.write(
        "models/refused.sql",
        "select p.shop, corr(p.stake, p.id) as one\nfrom {{ ref('plain') }} as p join {{ ref('joined') }} as j on j.shop = p.shop \
         left join {{ source('raw', 'bets') }} as t on t.id = p.id group by p.shop having corr(t.stake, t.id) > 0",
    );
    let places = |stderr: &str| -> Vec<String> {
        let lines = stderr.lines().map(str::trim).filter(|line| line.starts_with("error") || line.contains("refused.sql:"));
        lines.map(|line| line.trim_start_matches(['╭', '─', '▸', '-', '>', ' ']).to_owned()).collect()
    };
    let together = places(&project.acca(&["compile", "--target", "all"]).expect_code(1).stderr);
    let alone = places(&project.acca(&["compile", "--target", "rs"]).expect_code(1).stderr);
    // Redshift alone has no correlations; PostgreSQL reads the query for it.
    project.acca(&["compile", "--target", "pg"]).expect_code(0);
    assert_eq!(alone.len(), 4, "{alone:?}");
    assert_eq!(together, alone);
}

/// The files that cannot be compiled for a target, in order.
fn mistaken(project: &TestProject, target: &str) -> Vec<String> {
    let run = project.acca(&["compile", "--target", target]).expect_code(1);
    let lines = run.stderr.lines().filter_map(|line| line.split_once("models/"));
    let files: std::collections::BTreeSet<&str> = lines.filter_map(|(_, rest)| rest.split_once(".sql:")).map(|(file, _)| file).collect();
    files.into_iter().map(str::to_owned).collect()
}

/// A name that is written by hand is that of a model on one target, and of something else on the others.
#[test]
fn a_table_that_is_named_by_hand_is_found_by_each_target() {
    let project = shop();
    for (name, schema) in [("by_hand", "a_longer_name_of_a_schema"), ("by_whole_hand", "high.m")] {
        let text = format!("{{% set made_of = ref('joined') %}}\nselect sum / 3 as third from {schema}.joined");
        project.write(&format!("models/{name}.sql"), &text);
    }
    assert_eq!(mistaken(&project, "pg"), ["by_whole_hand"]);
    assert_eq!(mistaken(&project, "rs"), ["by_hand"]);
    assert_eq!(mistaken(&project, "all"), ["by_hand", "by_whole_hand"]);
    let written = files(&project, "target/pg/compiled");
    assert!(written.keys().any(|path| path.ends_with("by_hand.sql")) && !written.keys().any(|path| path.ends_with("by_whole_hand.sql")));
    let written = files(&project, "target/rs/compiled");
    assert!(written.keys().any(|path| path.ends_with("by_whole_hand.sql")) && !written.keys().any(|path| path.ends_with("by_hand.sql")));
}

/// DuckDB knows names of the list of SELECT in it, PostgreSQL does not: a portable model is in the SQL of the latter, whoever reads it first.
#[test]
fn the_rules_of_the_first_target_are_those_of_all() {
    let project = shop();
    project
        .write("profiles.yml", &PROFILES.replace("    duck:", "    a_duck:").replace("target: pg", "target: a_duck"))
        .write("models/of_itself.sql", "select id + 1 as next, next * 2 as twice from {{ ref('plain') }}");
    for target in ["a_duck", "pg", "rs", "all"] {
        let stderr = project.acca(&["compile", "--target", target]).expect_code(1).stderr;
        let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error")).collect();
        assert!(errors.iter().all(|error| error.starts_with("error[unknown-column]: there is no column 'next'")), "{target}: {errors:?}");
        // What is wrong on all of them is said once.
        assert_eq!(errors.len(), 1, "{target}: {errors:?}");
        let told = ["a_duck", "pg", "rs"].iter().filter(|name| stderr.contains(&format!("'{name}'"))).count();
        assert_eq!(told, if target == "all" { 3 } else { 0 }, "{target}: {stderr}");
    }
}
