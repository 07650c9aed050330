//! A second check says exactly what a cold one says, whatever was edited between them, and looks only at what that may concern.

use std::fs;

use regex::Regex;

use crate::project::TestProject;

/// A project in which what is found about one node hangs on others: types, nulls, keys, units, labels, an ephemeral model, a report.
fn shop() -> TestProject {
    let mut project = TestProject::new();
    project
        .write("dbt_project.yml", "name: shop\nprofile: shop\n")
        .write("profiles.yml", "shop:\n  target: dev\n  outputs:\n    dev: {type: postgres, host: localhost, user: u, pass: p, dbname: d, schema: s, port: 1}\n")
        .write("acca.yml", "reports: [models/reports]\n")
        .write("seeds/rates.csv", "currency,rate\nGBP,1\n")
        .write(
            "models/sources.yml",
            "sources:\n  - name: raw\n    tables:\n      - name: bets\n        columns:\n          \
             - {name: bet_id, data_type: bigint, data_tests: [unique, not_null]}\n          \
             - {name: stake, data_type: bigint, meta: {unit: minor, currency: GBP}}\n          \
             - {name: phone, data_type: text, meta: {labels: [personal]}}\n          \
             - {name: placed_at, data_type: timestamptz}\n",
        )
        .write("models/stg.sql", "{{ config(materialized='ephemeral') }}select bet_id, stake, phone, placed_at from {{ source('raw', 'bets') }}")
        .write("models/mid.sql", "select bet_id, stake, phone, placed_at from {{ ref('stg') }}")
        .write("models/mid.yml", "models:\n  - name: mid\n    columns:\n      - name: bet_id\n        data_tests: [unique, not_null]\n")
        .write("models/sums.sql", "select stake + bet_id as odd_sum, stake / 2 as half from {{ ref('mid') }}")
        .write("models/rated.sql", "select rate * 2 as rate from {{ ref('rates') }}")
        .write("models/added.sql", "{{ config(materialized='incremental') }}select bet_id from {{ ref('mid') }}{% if is_incremental() %} where placed_at > now(){% endif %}")
        .write("models/asked.sql", "select bet_id{% if execute and env_var('EXTRA', '') %}, {{ env_var('EXTRA') }}{% endif %} from {{ ref('mid') }}")
        .write("models/flagged.sql", "select {{ 'nope' if execute and flags.QUIET else 'bet_id' }} from {{ ref('mid') }}")
        .write("models/moment.sql", "select '{{ invocation_id }}' as run, bet_id from {{ ref('mid') }}")
        .write("models/twin.sql", "select bet_id, stake, phone, placed_at from {{ ref('stg') }}")
        .write("models/high.sql", "select phone from {{ ref('mid') }}")
        .write("models/reports/shown.sql", "select phone from {{ ref('high') }}")
        .write("tests/none.sql", "select * from {{ ref('sums') }} where half < 0");
    project.set_env("HOME", "nowhere");
    project
}

/// What a check finds.
fn found(project: &TestProject, target: &str, arguments: &[&str]) -> String {
    let mut words = vec!["check", "--target-path", target];
    words.extend(arguments);
    let run = project.acca(&words);
    run.stdout + &run.stderr
}

/// How many queries a check has looked at.
fn looked_at(project: &TestProject) -> usize {
    let run = project.acca(&["check", "--profile-compile", "--target-path", "warm"]);
    let counted = Regex::new(r"queries read .* in (\d+)").unwrap();
    counted.captures(&(run.stdout + &run.stderr)).map_or(0, |found| found[1].parse().unwrap())
}

#[test]
fn a_second_check_is_a_cold_check_whatever_was_edited() {
    let mut project = shop();
    let mid = |columns: &str| format!("select {columns} from {{{{ ref('stg') }}}}");
    let edits: Vec<(&str, Option<String>)> = vec![
        ("models/mid.sql", Some(mid("bet_id, stake, phone, placed_at -- nothing else"))),
        // Another name, type, unit, nullability; a mistake, and back.
        ("models/mid.sql", Some(mid("bet_id as id, stake, phone, placed_at"))),
        ("models/mid.sql", Some(mid("bet_id::text as bet_id, stake, phone, placed_at"))),
        ("models/mid.sql", Some(mid("bet_id, count(*) as stake, phone, placed_at"))),
        ("models/mid.sql", Some(mid("bet_id, stake, phone, placed_at"))),
        // What is read without being named.
        ("models/stg.sql", Some("{{ config(materialized='ephemeral') }}select bet_id, stake::text as stake, phone, placed_at from {{ source('raw', 'bets') }}".to_owned())),
        ("models/stg.sql", Some("{{ config(materialized='ephemeral') }}select bet_id, stake, phone, placed_at from {{ source('raw', 'bets') }}".to_owned())),
        // A report's column, and the way that leads to it.
        ("models/high.sql", Some("select phone from {{ ref('twin') }}".to_owned())),
        ("models/reports/shown.sql", Some("select stake from {{ ref('mid') }}".to_owned())),
        ("models/reports/shown.sql", Some("select phone from {{ ref('high') }}".to_owned())),
        ("models/mid.sql", Some(mid("bet_id, stake, max(phone) over () as phone, placed_at"))),
        ("models/mid.sql", Some("select bet_id, stake, phone, placed_at from {{ source('raw', 'bets') }}".to_owned())),
        // What others see besides columns.
        ("models/mid.sql", Some("{{ config(alias='middle') }}select bet_id, stake, phone, placed_at from {{ ref('stg') }}".to_owned())),
        ("models/mid.sql", Some(mid("bet_id, stake, phone, placed_at"))),
        ("models/sums.sql", Some("-- acca: allow(integer-division) because halves are lost on purpose\nselect stake / 2 as half from {{ ref('mid') }}".to_owned())),
        ("models/added.sql", Some("{{ config(materialized='incremental') }}select bet_id from {{ ref('mid') }}".to_owned())),
        ("tests/none.sql", Some("select * from {{ ref('sums') }} where halves < 0".to_owned())),
        ("seeds/rates.csv", Some("currency,rate\nGBP,one\n".to_owned())),
        ("models/mid.yml", Some("models:\n  - name: mid\n".to_owned())),
        ("acca.yml", Some("reports: [sums]\n".to_owned())),
        ("models/more.sql", Some("select nope from {{ ref('mid') }}".to_owned())),
        ("models/more.sql", None),
    ];
    let mut last = found(&project, "warm", &[]);
    let mut differences = 0;
    for (number, (path, text)) in edits.into_iter().enumerate() {
        match text {
            Some(text) => {
                project.write(path, &text);
            }
            None => fs::remove_file(project.path(path)).unwrap(),
        }
        let warm = found(&project, "warm", &[]);
        assert_eq!(warm, found(&project, &format!("cold{number}"), &[]), "after edit {number} of {path}");
        differences += usize::from(warm != last);
        last = warm;
    }
    assert!(differences > 12, "{differences} of the edits say something else");
    // What only the second render asks of the outside, and the flags of the invocation.
    project.set_env("EXTRA", "nope");
    let asked = found(&project, "warm", &[]);
    assert_eq!(asked, found(&project, "asked", &[]));
    assert_ne!(asked, last);
    assert_eq!(found(&project, "warm", &["--select", "asked"]), found(&project, "selected", &["--select", "asked"]));
    let flagged = found(&project, "warm", &["--quiet"]);
    assert_eq!(flagged, found(&project, "flagged", &["--quiet"]));
    assert_ne!(flagged, asked);
}

/// A check beside what was kept says what a cold one says.
fn assert_as_cold(project: &TestProject, arguments: &[&str], why: &str) -> String {
    let warm = found(project, "warm", arguments);
    assert_eq!(warm, found(project, &format!("cold-{}", why.replace(' ', "-")), arguments), "{why}");
    warm
}

#[test]
fn what_is_read_from_elsewhere_counts_for_that_time_only() {
    let project = shop();
    project.write("models/reads.sql", "select nope from {{ ref('mid') }}");
    let plain = found(&project, "warm", &[]);
    assert!(plain.contains("there is no column 'nope'"), "{plain}");
    project.acca(&["parse", "--target-path", "state"]).expect_code(0);
    project.write("state/manifest.json", &project.read("state/manifest.json").replace("\"schema\":\"s\"", "\"schema\":\"prod\""));
    let deferred = ["--defer", "--favor-state", "--state", "state", "--select", "reads"];
    let other = assert_as_cold(&project, &deferred, "deferred");
    assert!(!other.contains("nope"), "{other}");
    assert_eq!(found(&project, "warm", &[]), plain);
}

#[test]
fn what_belongs_to_the_moment_is_looked_at_each_time() {
    let project = shop();
    project
        .write("models/asks.sql", "{{ config(materialized='incremental') }}select bet_id from {{ ref('mid') }}{% if is_incremental() %} where {{ 'nope' if 'needle' in graph.nodes['model.shop.twin'].raw_code else 'true' }}{% endif %}")
        .write("models/on_and_off.sql", "{{ config(enabled=not invocation_args_dict.quiet) }}select 1 as one")
        .write("models/off_and_on.sql", "{{ config(enabled=invocation_args_dict.quiet) }}select 1 as one")
        .write("models/named.sql", "{{ config(alias='one' if invocation_args_dict.quiet else 'two') }}select 1 as one")
        .write("models/other.sql", "select nope from s.one")
        .write("analyses/made.sql", "create or replace function cents(x int) returns int as '' language sql")
        .write("models/calls.sql", "select cents(1) as x");
    assert_as_cold(&project, &[], "first");
    project.write("models/twin.sql", "select bet_id, stake, phone, placed_at from {{ ref('stg') }} -- needle");
    assert!(assert_as_cold(&project, &[], "raw code of another").contains("nope"));
    project.write("analyses/made.sql", "select 1 as one");
    assert!(assert_as_cold(&project, &[], "a function that is gone").contains("cents"));
    // Another parse in between: nodes have other numbers and names.
    project.acca(&["parse", "--no-partial-parse", "--quiet", "--target-path", "warm"]).expect_code(0);
    for arguments in [&["--quiet"][..], &[], &["--quiet", "--select", "other"]] {
        assert_as_cold(&project, arguments, &format!("another parse {}", arguments.len()));
    }
}

#[test]
fn many_nodes_looked_at_again_are_kept_anew() {
    let project = shop();
    for reader in 0..60 {
        project.write(&format!("models/reader{reader}.sql"), "select bet_id, stake from {{ ref('mid') }}");
    }
    let all = looked_at(&project);
    assert_eq!(looked_at(&project), 1);
    project.write("models/mid.sql", "select bet_id, stake + 1 as stake, phone, placed_at, 1 as more from {{ ref('stg') }}");
    project.write(
        "models/reader7.sql",
        "{% if not execute %}{% if invocation_args_dict.quiet %}{{ ref('mid') }}{% endif %}{% endif %}select nope from s.mid",
    );
    assert!(looked_at(&project) > 60);
    assert_as_cold(&project, &[], "many");
    assert_as_cold(&project, &["--quiet"], "many and quiet");
    // A flag that a template asks for is another one again.
    assert_eq!(looked_at(&project), all);
    assert_eq!(looked_at(&project), 2);
    // What others see of a node makes a new beginning, once.
    project.write("models/mid.sql", "{{ config(tags=['new']) }}select bet_id, stake, phone, placed_at from {{ ref('stg') }}");
    assert_eq!(looked_at(&project), all);
    assert_eq!(looked_at(&project), 2);
    project.write("models/off.sql", "{{ config(enabled=false) }}select 1 as one");
    looked_at(&project);
    project.write("models/off.sql", "{{ config(enabled=false) }}select 2 as two");
    assert_eq!(looked_at(&project), 2);
}

#[test]
fn only_what_an_edit_may_concern_is_looked_at() {
    let project = shop();
    let all = looked_at(&project);
    assert!(all > 12, "{all}");
    // What belongs to the moment.
    let again = 1;
    assert_eq!(looked_at(&project), again);
    project.write("models/mid.sql", "select bet_id, stake, phone, placed_at from {{ ref('stg') }} where true");
    assert_eq!(looked_at(&project), again + 1);
    // Only what was kept counts: nothing of the one edit was.
    assert_eq!(looked_at(&project), again + 1);
    // Readers of a column that has become another one, and no readers of theirs.
    project.write("models/mid.sql", "select bet_id, stake::numeric as stake, phone, placed_at from {{ ref('stg') }}");
    let some = looked_at(&project);
    assert!(some > again + 5 && some < all, "{some} of {all}");
    project.write("models/sums.sql", "select stake / 3 as half from {{ ref('mid') }}");
    assert_eq!(looked_at(&project), some);
}

#[test]
fn a_kept_check_that_is_damaged_or_foreign_is_not_used() {
    let project = shop();
    let file = project.path("warm/partial_check.acca");
    let all = looked_at(&project);
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 64;
    for bytes in [&b""[..], b"accachk1", b"{}", &whole[..whole.len() - 1], &flipped] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(looked_at(&project), all);
        assert_ne!(fs::read(&file).unwrap(), bytes);
        assert_eq!(looked_at(&project), 1);
    }
    let again = project.acca(&["check", "--no-partial-parse", "--profile-compile", "--target-path", "warm"]);
    assert!((again.stdout + &again.stderr).contains(&format!(" in {all}\n")));
}
