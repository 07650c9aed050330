//! How tables are stored on Redshift, through the binary and the imitation.

use crate::redshift::service::DataApi;
use crate::redshift_target::{rows, served};

#[test]
fn rows_are_numbered_and_columns_compressed() {
    let service = DataApi::start();
    let project = served(&service);
    project
        .write(
            "models/models.yml",
            "models:\n  - name: bets\n    config: {materialized: incremental, unique_key: id, encode: {stake: az64, note: zstd}}\n    columns:\n      \
             - {name: bet_number, data_type: bigint, meta: {identity: {start: 100, step: 10}}}\n",
        )
        .write("models/bets.sql", "select 1 as id, 2.5::numeric(12,2) as stake, 'caf\u{e9}'::varchar(9) as note\nunion all select 2, {{ var('stake') }}, 'b'")
        .write("models/readers.sql", "select bet_number, id, stake from {{ ref('bets') }}");
    project.acca(&["run", "--vars", "stake: 3.5"]).expect_code(0);
    assert_eq!(rows(&service, "select stake, note from marts.bets order by id"), "2.50|caf\u{e9}\n3.50|b");
    assert_eq!(rows(&service, "select min(bet_number), max(bet_number) from marts.bets"), "100|110");
    // Rows that are brought in anew are numbered anew, and the sequence goes on.
    project.acca(&["run", "--vars", "stake: 4.5"]).expect_code(0);
    assert_eq!(rows(&service, "select id, stake, bet_number > 110 from marts.readers order by id"), "1|2.50|true\n2|4.50|true");
    let wrong = project.acca(&["run", "--vars", "stake: 4", "--full-refresh", "--select", "bets"]);
    wrong.expect_code(0);
    project.write("models/models.yml", "models:\n  - {name: bets, config: {materialized: table, encode: {note: az64}}}\n");
    let refused = project.acca(&["run", "--vars", "stake: 4", "--select", "bets"]).expect_code(1);
    assert!(refused.stdout.contains("which is not encoded as az64"), "{}", refused.stdout);
    project.write("models/models.yml", "models:\n  - {name: bets, config: {materialized: table, encode: {nota: zstd}}}\n");
    let refused = project.acca(&["run", "--vars", "stake: 4", "--select", "bets"]).expect_code(1);
    assert!(refused.stdout.contains("did you mean 'note'?"), "{}", refused.stdout);
}

#[test]
fn seeds_are_stored_as_they_say() {
    let project = crate::redshift_target::shop();
    project
        .write("seeds/codes.csv", "code,label\n1,one\n")
        .write("seeds/seeds.yml", "seeds:\n  - name: codes\n    config: {meta: {dist: all, encode: {label: bytedict}}}\n");
    let explained = project.acca(&["explain", "codes", "--offline"]).expect_code(0).stdout;
    assert!(explained.contains("\"code\" integer,\n    \"label\" varchar(3) encode bytedict\n) diststyle all;"), "{explained}");
}

#[test]
fn numbered_rows_are_refused_where_there_are_none() {
    let project = crate::project::TestProject::new();
    project.write("dbt_project.yml", "name: shop\nversion: '1.0'\n").write("models/bets.sql", "select 1 as id").write(
        "models/models.yml",
        "models:\n  - name: bets\n    config: {materialized: table}\n    columns: [{name: number, meta: {identity: true}}]\n",
    );
    let refused = project.acca(&["run"]).expect_code(1);
    assert!(refused.stdout.contains("this engine numbers no rows, and column 'number' of 'bets' is an identity"), "{refused:?}");
}

#[test]
fn materialized_views_stay_and_are_refreshed() {
    let service = DataApi::start();
    let project = served(&service);
    let view = "{{ config(materialized='materialized_view', dist='day', sort=['day'], auto_refresh=true, grants={'select': 'ann'}) }}\n\
                select day, count(*) as bets from {{ ref('bets') }} group by day";
    project
        .write("models/bets.sql", "{{ config(materialized='incremental') }} select 1 as id, cast('2026-01-01' as date) as day")
        .write("models/daily.sql", view)
        .write("models/readers.sql", "select sum(bets) as bets from {{ ref('daily') }}");
    project.acca(&["run"]).expect_code(0);
    project.acca(&["run"]).expect_code(0);
    assert_eq!(rows(&service, "select bets from marts.readers"), "2");
    // What the view is bound to is not replaced; the view itself is made anew in one transaction, and who could read it still can.
    let refused = project.acca(&["run", "--full-refresh", "--select", "bets"]).expect_code(1);
    assert!(
        refused.stdout.contains("[unsafe-publication]: 'bets' is not replaced: the materialized view 'daily' is bound to its table"),
        "{}",
        refused.stdout
    );
    project.write("models/daily.sql", &view.replace("count(*)", "10 * count(*)"));
    service.imitation().execute("grant select on marts.daily to group readers").unwrap();
    project.acca(&["run", "--full-refresh", "--select", "daily"]).expect_code(0);
    assert_eq!(rows(&service, "select bets from marts.readers"), "20");
    let held = "select identity_type, identity_name from svv_relation_privileges where relation_name = 'daily' order by 2";
    assert_eq!(rows(&service, held), "user|ann");
    project.write("models/daily.sql", &view.replace(", grants={'select': 'ann'}", ""));
    service.imitation().execute("grant select on marts.daily to group readers").unwrap();
    project.acca(&["run", "--full-refresh", "--select", "daily"]).expect_code(0);
    assert_eq!(rows(&service, held), "user|ann\ngroup|readers");
    for (materialized, why) in [("table", "which each run replaces"), ("view", "which is a view: this engine takes tables only")] {
        project.write(
            "models/bets.sql",
            &format!("{{{{ config(materialized='{materialized}') }}}} select 1 as id, cast('2026-01-01' as date) as day"),
        );
        let refused = project.acca(&["explain", "daily", "--offline"]).expect_code(1);
        let said = refused.stdout + &refused.stderr;
        assert!(said.contains(&format!("the materialized view 'daily' reads 'bets', {why}")), "{said}");
    }
}
