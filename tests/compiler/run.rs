//! Runs of small projects on both engines: materializations, publication, snapshots, tests, failures.

use std::sync::Arc;
use std::time::Duration;

use acca::execute::Interrupt;
use acca::plan::Status;

use crate::bench::{Bench, How};

#[test]
fn models_of_every_materialization() {
    for mut bench in Bench::both() {
        bench
            .file("seeds/prices.csv", "id,price,note\n1,2.50,a\n2,10.05,\n3,,'c'\n")
            .file("models/v.sql", "select * from {{ ref('prices') }} -- the last line is a comment")
            .file("models/e.sql", "{{ config(materialized='ephemeral') }}\nselect id, price from {{ ref('v') }}; -- done")
            .file(
                "models/t.sql",
                "{{ config(materialized='table') }}\nwith big as (select * from {{ ref('e') }} where price > 3)\nselect * from big",
            );
        for _ in 0..3 {
            bench.run().ok();
            assert_eq!(bench.query("select id, price from shop.t"), "2|10.05", "{}", bench.engine);
            assert_eq!(bench.query("select id, price, coalesce(note, '-') from shop.v order by id"), "1|2.50|a\n2|10.05|-\n3|NULL|'c'");
            assert_eq!(bench.leftovers(), "", "{}", bench.engine);
        }
    }
}

#[test]
fn incremental_strategies_keep_what_is_there() {
    for mut bench in Bench::both() {
        bench.file("seeds/day.csv", "shop,day,takings\nA,1,10\nB,1,20\n");
        for (name, config) in [
            ("appended", "incremental_strategy='append'"),
            ("replaced", "unique_key=['shop', 'day']"),
            ("by_expression", "unique_key=\"shop || '-' || day\""),
            ("merged", "unique_key=['shop', 'day'], incremental_strategy='merge', merge_exclude_columns=['first_run']"),
        ] {
            let sql = format!(
                "{{{{ config(materialized='incremental', {config}) }}}}\nselect shop, day, takings, {{{{ 'false' if is_incremental() else 'true' }}}} as first_run\n\
                 from {{{{ ref('day') }}}}{{% if is_incremental() %}} where day >= (select max(day) from {{{{ this }}}}){{% endif %}}"
            );
            bench.file(&format!("models/{name}.sql"), &sql);
        }
        bench.run().ok();
        bench.file("seeds/day.csv", "shop,day,takings\nA,1,99\nB,2,30\n");
        bench.run().ok();
        let rows = |table: &str| bench.query(&format!("select shop, day, takings, first_run from shop.{table} order by 1, 2, 3"));
        assert_eq!(rows("appended"), "A|1|10|true\nA|1|99|false\nB|1|20|true\nB|2|30|false", "{}", bench.engine);
        assert_eq!(rows("replaced"), "A|1|99|false\nB|1|20|true\nB|2|30|false", "{}", bench.engine);
        assert_eq!(rows("by_expression"), rows("replaced"), "{}", bench.engine);
        assert_eq!(rows("merged"), "A|1|99|true\nB|1|20|true\nB|2|30|false", "{}", bench.engine);
        bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
        assert_eq!(rows("replaced"), "A|1|99|true\nB|2|30|true", "{}", bench.engine);
        assert_eq!(bench.leftovers(), "");
    }
}

#[test]
fn snapshots_keep_history() {
    for mut bench in Bench::both() {
        bench.file("seeds/customers.csv", "id,city,updated_at\n1,Rome,2026-01-01 00:00:00\n2,Oslo,2026-01-01 00:00:00\n");
        bench.file(
            "snapshots/by_time.sql",
            "{% snapshot by_time %}{{ config(unique_key='id', strategy='timestamp', updated_at='updated_at', target_schema='shop', invalidate_hard_deletes=true) }}\n\
             select * from {{ ref('customers') }}{% endsnapshot %}",
        );
        bench.file(
            "snapshots/by_value.sql",
            "{% snapshot by_value %}{{ config(unique_key='id', strategy='check', check_cols=['city'], target_schema='shop') }}\nselect id, city from {{ ref('customers') }}{% endsnapshot %}",
        );
        bench.run().ok();
        bench.run().ok();
        assert_eq!(bench.query("select count(*) from shop.by_time"), "2", "nothing has changed");
        bench.file("seeds/customers.csv", "id,city,updated_at\n1,Paris,2026-02-01 00:00:00\n3,Bern,2026-02-01 00:00:00\n");
        bench.run().ok();
        let history = "select id, city, cast(dbt_valid_from as date), case when dbt_valid_to is null then 'now' else 'closed' end from shop.by_time order by id, dbt_valid_from";
        let expected = "1|Rome|2026-01-01|closed\n1|Paris|2026-02-01|now\n2|Oslo|2026-01-01|closed\n3|Bern|2026-02-01|now";
        assert_eq!(bench.query(history), expected, "{}", bench.engine);
        let current = "select id, city from shop.by_value where dbt_valid_to is null order by id";
        assert_eq!(bench.query(current), "1|Paris\n2|Oslo\n3|Bern", "{}", bench.engine);
        assert_eq!(bench.query("select count(*) = count(distinct dbt_scd_id) from shop.by_time"), "true");
    }
}

/// Intervals end with the type that they begin with, and new columns are followed.
#[test]
fn snapshots_follow_types_and_columns() {
    for mut bench in Bench::both() {
        let snapshot = |bench: &mut Bench, columns: &str| {
            for (kind, name) in [("timestamp with time zone", "zoned"), ("date", "dated"), ("timestamp", "plain")] {
                bench.file(
                    &format!("snapshots/{name}.sql"),
                    &format!(
                        "{{% snapshot {name} %}}{{{{ config(unique_key='id', strategy='timestamp', updated_at='changed', hard_deletes='invalidate') }}}}\n\
                         select id, cast(changed as {kind}) as changed{columns} from {{{{ ref('c') }}}}{{% endsnapshot %}}"
                    ),
                );
            }
        };
        bench.file("seeds/c.csv", "id,changed\n1,2026-01-01 00:00:00\n2,2026-01-01 00:00:00\n");
        snapshot(&mut bench, "");
        bench.run().ok();
        bench.file("seeds/c.csv", "id,changed\n1,2026-02-01 00:00:00\n3,2026-02-01 00:00:00\n");
        snapshot(&mut bench, ", cast('x' as varchar(5)) as note");
        bench.run().ok();
        for (kind, name) in [("timestamp with time zone", "zoned"), ("date", "dated"), ("timestamp without time zone", "plain")] {
            let types = format!(
                "select distinct data_type from information_schema.columns where table_name = '{name}' and column_name like 'dbt_valid%'"
            );
            assert_eq!(
                bench.query(&types).to_lowercase(),
                if bench.engine == "duckdb" { kind.replace(" without time zone", "") } else { kind.to_owned() }
            );
            let rows = format!("select id, coalesce(note, '-'), dbt_valid_to is null from shop.{name} order by id, dbt_valid_from");
            assert_eq!(bench.query(&rows), "1|-|false\n1|x|true\n2|-|false\n3|x|true", "{} {name}", bench.engine);
        }
    }
}

#[test]
fn snapshots_record_deletions_and_name_their_columns() {
    for mut bench in Bench::both() {
        bench.file(
            "snapshots/h.yml",
            "snapshots:\n  - name: h\n    relation: ref('c')\n    config:\n      unique_key: id\n      strategy: check\n      check_cols: all\n      hard_deletes: new_record\n\
             \x20     dbt_valid_to_current: \"cast('9999-12-31' as timestamp)\"\n      snapshot_meta_column_names: {dbt_valid_from: since, dbt_valid_to: until, dbt_scd_id: version}\n",
        );
        for (rows, expected) in [
            ("1,Rome\n2,Oslo\n", "1|Rome|False|true\n2|Oslo|False|true"),
            ("1,Rome\n", "1|Rome|False|true\n2|Oslo|False|false\n2|Oslo|True|true"),
            ("1,Rome\n", "1|Rome|False|true\n2|Oslo|False|false\n2|Oslo|True|true"),
            ("1,Bari\n2,Oslo\n", "1|Bari|False|true\n1|Rome|False|false\n2|Oslo|False|false\n2|Oslo|False|true\n2|Oslo|True|false"),
        ] {
            bench.file("seeds/c.csv", &format!("id,city\n{rows}"));
            bench.run().ok();
            let history = "select id, city, dbt_is_deleted, extract(year from until) = 9999 from shop.h order by 1, 2, 3, 4";
            assert_eq!(bench.query(history), expected, "{}", bench.engine);
            assert_eq!(bench.query("select count(*) from shop.h where until < since or version is null"), "0");
        }
        assert_eq!(bench.query("select count(*) = count(distinct version) from shop.h"), "true");
    }
}

#[test]
fn incremental_tables_follow_their_query_as_told() {
    for mut bench in Bench::both() {
        let write = |bench: &mut Bench, columns: &str| {
            for policy in ["ignore", "append_new_columns", "sync_all_columns", "fail"] {
                let config = format!(
                    "{{{{ config(materialized='incremental', unique_key='id', on_schema_change='{policy}', alias='{policy}_') }}}}"
                );
                bench.file(&format!("models/{policy}.sql"), &format!("{config} select {columns}"));
            }
        };
        write(&mut bench, "1 as id, 'a' as gone, cast(5 as integer) as n");
        bench.run().ok();
        write(&mut bench, "2 as id, 'a' as gone, cast(5 as integer) as n, 'b' as fresh");
        let ran = bench.run();
        assert!(ran.drawn.contains("error[schema-changed]") && ran.drawn.contains("new: fresh"), "{}", ran.drawn);
        assert_eq!(bench.query("select id from shop.fail_"), "1");
        assert_eq!(bench.query("select id, gone, n from shop.ignore_ order by 1"), "1|a|5\n2|a|5", "{}", bench.engine);
        write(&mut bench, "3 as id, cast(6000000000 as bigint) as n, 'c' as fresh");
        bench.run();
        assert_eq!(
            bench.query("select id, coalesce(gone, '-'), coalesce(fresh, '-') from shop.append_new_columns_ order by 1"),
            "1|a|-\n2|a|b",
            "a bigger number does not fit: nothing changed"
        );
        assert_eq!(bench.query("select * from shop.sync_all_columns_ order by 1"), "1|5|NULL\n2|5|b\n3|6000000000|c", "{}", bench.engine);
        write(&mut bench, "3 as id, cast(6 as integer) as n, 'c' as fresh, nothing");
        let ran = bench.run();
        let start = "{{ config(materialized='incremental', unique_key='id', on_schema_change='sync_all_columns', alias='sync_all_columns_') }} select ";
        let column = start.len() + "3 as id, cast(6 as integer) as n, 'c' as fresh, ".len() + 1;
        let place = format!("models/sync_all_columns.sql:1:{column}");
        assert!(ran.drawn.contains(&place), "the place is in the user's file, {place}: {}", ran.drawn);
    }
}

#[test]
fn failing_rows_are_kept_where_asked_for() {
    for mut bench in Bench::both() {
        bench
            .file("models/a.sql", "select 1 as x, 'one' as note union all select null, 'two' union all select null, 'three'")
            .file(
                "models/m.yml",
                "models:\n  - name: a\n    columns:\n      - name: x\n        data_tests:\n          - not_null: {config: {store_failures: true, alias: missing_x}}\n\
                 \x20         - unique: {config: {store_failures: true, schema: audit}}\n",
            )
            .file("tests/as_view.sql", "{{ config(store_failures_as='view', limit=1) }} select * from {{ ref('a') }} where x is null -- all");
        for _ in 0..2 {
            let ran = bench.run_how(&How { gate_on_tests: true, ..How::default() });
            assert_eq!(
                (ran.status("not_null_a_x"), ran.status("unique_a_x"), ran.status("as_view")),
                (Status::Fail, Status::Pass, Status::Fail)
            );
            assert!(
                ran.statuses().iter().any(|line| line.ends_with("got 2 results, fails if != 0; kept in shop_dbt_test__audit.missing_x")),
                "{:#?}",
                ran.statuses()
            );
            // Whole rows, so that they can be looked at.
            assert_eq!(bench.query("select note from shop_dbt_test__audit.missing_x order by 1"), "three\ntwo", "{}", bench.engine);
            assert_eq!(bench.query("select count(*) from shop_dbt_test__audit.as_view"), "1");
            assert_eq!(bench.query("select count(*) from shop_audit.unique_a_x"), "0", "a test that finds nothing keeps nothing");
            assert_eq!(bench.leftovers(), "");
        }
    }
}

#[test]
fn a_failed_model_leaves_what_was_published_and_stops_what_reads_it() {
    for mut bench in Bench::both() {
        bench
            .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x")
            .file("models/b.sql", "{{ config(materialized='table') }} select x from {{ ref('a') }}")
            .file("models/other.sql", "select 5 as y");
        bench.run().ok();
        bench.file("models/a.sql", "{{ config(materialized='table') }}\nselect 2 as x,\n  nothing as y");
        let ran = bench.run();
        assert_eq!(
            (ran.status("a"), ran.status("b"), ran.status("other")),
            (Status::Error, Status::Skipped, Status::Success),
            "{:?}",
            ran.statuses()
        );
        assert!(ran.drawn.contains("models/a.sql:3:3"), "the engine's position leads to the user's line: {}", ran.drawn);
        assert_eq!(bench.query("select x from shop.a"), "1");
        assert_eq!(bench.query("select x from shop.b"), "1");
        assert_eq!(bench.leftovers(), "");
    }
}

#[test]
fn a_failed_test_stops_what_is_below_in_a_build_only() {
    for mut bench in Bench::both() {
        bench
            .file("models/a.sql", "select 1 as x union all select null")
            .file("models/b.sql", "select count(*) as n from {{ ref('a') }}")
            .file(
                "models/m.yml",
                "models:\n  - name: a\n    columns:\n      - name: x\n        data_tests:\n          - not_null\n          - unique\n",
            )
            .file("tests/few.sql", "{{ config(severity='warn') }} select * from {{ ref('a') }}");
        let build = bench.run_how(&How { gate_on_tests: true, ..How::default() });
        assert_eq!(
            (build.status("not_null_a_x"), build.status("unique_a_x"), build.status("few"), build.status("b")),
            (Status::Fail, Status::Pass, Status::Warn, Status::Skipped)
        );
        let failed = build.result.nodes.iter().find(|node| node.status == Status::Fail).unwrap();
        assert_eq!((failed.failures, failed.sample.as_ref().map(|rows| rows.rows.len())), (Some(1), Some(1)));
        let compiled = std::fs::read_to_string(bench.folder.path().join(failed.compiled_path.as_ref().unwrap())).unwrap();
        assert!(compiled.contains("is null"), "{compiled}");
        let run = bench.run();
        assert_eq!(run.status("b"), Status::Success);
    }
}

#[test]
fn a_merge_refuses_two_rows_with_one_key() {
    for mut bench in Bench::both() {
        let model = |rows: &str| {
            let config = "{{ config(materialized='incremental', incremental_strategy='merge', unique_key=['shop', 'day']) }}";
            format!("{config}\nselect * from (values {rows}) as given (shop, day, amount)")
        };
        bench.file("models/m.sql", &model("('A', 1, 10)"));
        bench.run().ok();
        // One key that is in the table, one that is new: PostgreSQL itself would let the second through.
        for (rows, key) in
            [("('A', 1, 11), ('A', 1, 12), ('B', 1, 5)", "shop = A, day = 1"), ("('C', 7, 1), ('C', 7, 1)", "shop = C, day = 7")]
        {
            bench.file("models/m.sql", &model(rows));
            let ran = bench.run();
            assert_eq!(ran.status("m"), Status::Error, "{}", bench.engine);
            let told = format!("'m' gives 2 new rows with the key {key}, and a merge takes one row for a key");
            assert!(ran.drawn.contains(&told), "{}", ran.drawn);
            assert_eq!((bench.query("select shop, day, amount from shop.m"), bench.leftovers()), ("A|1|10".to_owned(), String::new()));
        }
        // A key with a NULL is like no other.
        bench.file("models/m.sql", &model("('A', 1, 11), ('D', null, 1), ('D', null, 2)"));
        bench.run().ok();
        assert_eq!(bench.query("select shop, amount from shop.m order by 1, 2"), "A|11\nD|1\nD|2", "{}", bench.engine);
    }
}

#[test]
fn a_test_on_a_missing_column_names_the_column() {
    for mut bench in Bench::both() {
        bench
            .file("models/a.sql", "select 1 as customer_id")
            .file("models/m.yml", "models:\n  - name: a\n    columns:\n      - name: custmer_id\n        data_tests: [not_null]\n");
        let ran = bench.run();
        assert!(ran.drawn.contains("error[unknown-test-column]") && ran.drawn.contains("did you mean 'customer_id'?"), "{}", ran.drawn);
        assert!(ran.drawn.contains("models/m.yml:4:15"), "{}", ran.drawn);
    }
}

#[test]
fn names_that_an_engine_cuts_are_refused() {
    let long = format!("{}_{}", "a_rather_long_name_for_a_model".repeat(2), "end");
    let mut bench = Bench::new("postgres");
    bench.file(&format!("models/{long}.sql"), "select 1 as x");
    let ran = bench.run();
    assert!(ran.drawn.contains("has 64 bytes, and the engine keeps 63"), "{}", ran.drawn);
    let mut bench = Bench::new("duckdb");
    for end in ["one", "two", "three", "four"] {
        bench.file(&format!("models/{long}{end}.sql"), "{{ config(materialized='table') }} select 1 as x");
    }
    bench.run().ok();
    bench.run().ok();
}

#[test]
fn a_relation_changes_its_kind() {
    for mut bench in Bench::both() {
        for (materialized, value) in [("view", "1"), ("table", "2"), ("incremental", "3"), ("view", "4")] {
            bench.file("models/a.sql", &format!("{{{{ config(materialized='{materialized}') }}}} select {value} as x"));
            bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
            assert_eq!(bench.query("select x from shop.a"), value, "{} {materialized}", bench.engine);
        }
    }
}

#[test]
fn hooks_and_operations_run_in_their_places() {
    for mut bench in Bench::both() {
        bench.file(
            "dbt_project.yml",
            "name: shop\nversion: '1.0'\nprofile: shop\non-run-start: \"{% do log('hello', info=true) %}create table if not exists shop_log as select 0 as n\"\n\
             on-run-end: [\"insert into shop_log select 9\"]\nmodels:\n  shop:\n    +pre-hook: 'insert into shop_log select 1'\n",
        );
        bench.file("models/a.sql", "{{ config(post_hook=\"insert into shop_log select count(*) + 1 from {{ this }}\") }} select 1 as x");
        assert_eq!(bench.run().ok().said, ["hello"]);
        assert_eq!(bench.query("select n from shop_log order by n"), "0\n1\n2\n9", "{}", bench.engine);
    }
}

/// Everything that a template may do while it runs.
#[test]
fn templates_ask_the_database_and_define_materializations() {
    for mut bench in Bench::both() {
        bench
            .file("models/a.sql", "select 1 as id, 'x' as kind union all select 2, 'y'")
            .file(
                "models/pivot.sql",
                "{% set kinds = run_query('select kind from ' ~ ref('a') ~ ' order by 1') %}\n\
                 {% set names = [] %}{% if execute %}{% for row in kinds %}{% do names.append(row[0]) %}{% endfor %}{% endif %}\n\
                 {% do log('kinds: ' ~ names, info=true) %}\
                 select {% for name in names %}sum(case when kind = '{{ name }}' then 1 else 0 end) as {{ name }}{{ ', ' if not loop.last }}{% endfor %}{% if not names %}1{% endif %} from {{ ref('a') }}",
            )
            .file(
                "macros/counted.sql",
                "{% materialization counted, default %}\n\
                 {% call statement('main') %}drop table if exists {{ this }}{% endcall %}\n\
                 {% call statement('main') %}create table {{ this }} as select count(*) as n from ({{ sql }}) as q{% endcall %}\n\
                 {% call statement('check', fetch_result=True) %}select n from {{ this }}{% endcall %}\n\
                 {% do log('counted ' ~ load_result('check').table.columns[0].values()[0], info=true) %}\n\
                 {{ return({'relations': [this]}) }}\n{% endmaterialization %}",
            )
            .file("models/n.sql", "{{ config(materialized='counted') }} select * from {{ ref('a') }}")
            .file(
                "models/columns.sql",
                "select '{% for column in adapter.get_columns_in_relation(ref('a')) %}{{ column.name }} {% endfor %}' as names, '{{ adapter.get_relation(this.database, this.schema, 'a').type }}' as kind",
            );
        let ran = bench.run().ok();
        assert_eq!(bench.query("select x, y from shop.pivot"), "1|1", "{}", bench.engine);
        assert_eq!(bench.query("select n from shop.n"), "2");
        assert_eq!(bench.query("select names, kind from shop.columns"), "id kind |view");
        assert!(ran.said.contains(&"kinds: ['x', 'y']".to_owned()) && ran.said.contains(&"counted 2".to_owned()), "{:?}", ran.said);
    }
}

/// Rows of landing files: what is new is loaded once, what changes is loaded again.
#[test]
fn files_are_loaded_once_as_nodes_of_the_graph() {
    let source = "sources:\n  - name: raw\n    schema: raw\n    tables:\n      - name: bets\n        columns:\n          - {name: ID, data_type: bigint}\n          - {name: STAKE, data_type: 'numeric(10,2)'}\n\
                  \x20       meta: {landing: {path: 'landing/*.csv', format: csv}}\n";
    for mut bench in Bench::both() {
        bench
            .file("models/s.yml", source)
            .file("models/total.sql", "select sum(stake) as stake, count(*) as n from {{ source('raw', 'bets') }}")
            .file("landing/1.csv", "ID,STAKE\n1,2.50\n2,3.10\n");
        let total = |bench: &Bench| bench.query("select stake, n from shop.total");
        bench.run().ok();
        assert_eq!(total(&bench), "5.60|2", "{}", bench.engine);
        bench.file("landing/2.csv", "ID,STAKE\n3,1.00\n");
        assert!(bench.run().ok().statuses().iter().any(|line| line.contains("1 row of 1 file, 1 file unchanged")));
        assert_eq!(total(&bench), "6.60|3");
        bench.file("landing/1.csv", "ID,STAKE\n1,2.51\n2,3.10\n");
        bench.run().ok();
        assert_eq!(total(&bench), "6.61|3", "the older version of the file is gone");
        bench.file("landing/3.csv", "ID,STAKE\n4,1.005\n5,1.00\n");
        let ran = bench.run();
        assert_eq!((ran.status("bets"), ran.status("total")), (Status::Error, Status::Skipped), "{:?}", ran.statuses());
        assert!(ran.drawn.contains("landing/3.csv:2"), "{}", ran.drawn);
        assert_eq!(total(&bench), "6.61|3", "nothing of the file stays");
        assert_eq!(bench.query("select file, line from raw.bets__rejects"), "landing/3.csv|2");
        // A refresh leaves what it cannot load anew.
        let landing = bench.folder.path().join("landing");
        std::fs::rename(landing.join("2.csv"), landing.join("4.csv")).unwrap();
        let refresh = |bench: &Bench| bench.run_how(&How { full_refresh: true, ..How::default() });
        assert_eq!(refresh(&bench).status("bets"), Status::Error);
        assert_eq!(bench.query("select id, _acca_file from raw.bets where id = 3 order by 2"), "3|landing/2.csv\n3|landing/4.csv");
        bench.file("landing/3.csv", "ID,STAKE\n4,1.00\n").file("landing/5.csv", "ID,STAKE\n4,1.00\n");
        let ran = refresh(&bench);
        assert_eq!(ran.status("bets"), Status::Success);
        assert!(ran.drawn.contains("warning[duplicate-file]") && ran.drawn.contains("as 'landing/3.csv'"), "{}", ran.drawn);
        // What a renamed file left behind is kept, and therefore told, until it is asked to go.
        assert!(ran.drawn.contains("'landing/4.csv' has the same bytes as 'landing/2.csv'"), "{}", ran.drawn);
        assert!(ran.statuses().iter().any(|line| line.ends_with("1 file kept that is gone")), "{:?}", ran.statuses());
        assert_eq!(bench.query("select id from raw.bets order by 1"), "1\n2\n3\n3\n4\n4");
        let ran = bench.run_how(&How { full_refresh: true, prune: true, ..How::default() });
        assert!(!ran.drawn.contains("landing/4.csv"), "{}", ran.drawn);
        assert!(ran.statuses().iter().any(|line| line.ends_with("1 file removed")), "{:?}", ran.statuses());
        assert_eq!(bench.query("select id from raw.bets order by 1"), "1\n2\n3\n4\n4");
    }
}

#[test]
fn an_interrupt_leaves_nothing_half_made() {
    for mut bench in Bench::both() {
        let slow = if bench.engine == "postgres" {
            "select pg_sleep(60)::text as x"
        } else {
            "select count(*) as x from range(100000000) a, range(100000) b where a.range % 7 = b.range % 5"
        };
        bench
            .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x")
            .file("models/b.sql", "{{ config(materialized='table') }} select x from {{ ref('a') }}");
        bench.run().ok();
        bench.file("models/a.sql", &format!("{{{{ config(materialized='table') }}}} {slow}"));
        let interrupt = Arc::new(Interrupt::default());
        let raised = interrupt.clone();
        let finger = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(1500));
            raised.raise();
        });
        let began = std::time::Instant::now();
        let ran = bench.run_how(&How { interrupt: Some(interrupt), ..How::default() });
        finger.join().unwrap();
        assert!(ran.result.interrupted && began.elapsed() < Duration::from_secs(20), "{} {:?}", bench.engine, ran.statuses());
        assert_eq!((ran.status("a"), ran.status("b")), (Status::Skipped, Status::Skipped), "{:?}", ran.statuses());
        assert_eq!((bench.query("select x from shop.a"), bench.leftovers()), ("1".to_owned(), String::new()), "{}", bench.engine);
    }
}

#[test]
fn a_server_that_goes_away_is_an_error_of_each_node() {
    let server = crate::postgres::PgServer::start();
    let database = server.database();
    let mut bench = Bench::new("duckdb");
    bench
        .file("profiles.yml", &format!("shop:\n  target: t\n  outputs:\n    t: {}\n", database.profile_output("shop")))
        .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x")
        .file("models/b.sql", "{{ config(materialized='table') }} select x from {{ ref('a') }}");
    bench.run().ok();
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 2 as x, pg_sleep(60)::text as y");
    let ran = std::thread::scope(|scope| {
        let server = &server;
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(1500));
            server.crash();
        });
        bench.run()
    });
    assert_eq!((ran.status("a"), ran.status("b")), (Status::Error, Status::Skipped), "{:?}", ran.statuses());
    assert!(ran.drawn.contains("error[connection-failed]"), "{}", ran.drawn);
    server.restart();
    assert_eq!(server.query(&database.name, "select x from shop.a"), "1");
}

/// A snapshot by the project's own materialization, of dbt's macros.
const SNAPSHOT_BY_MACROS: &str = "{% materialization snapshot, default %}\n\
    {% set exists = load_cached_relation(this) %}\n\
    {% set strategy = strategy_dispatch(config.get('strategy'))(model, 'snapshotted_data', 'source_data', model.config, exists) %}\n\
    {% if not exists %}\n\
    {% call statement('main') %}create table {{ this }} as {{ build_snapshot_table(strategy, sql) }}{% endcall %}\n\
    {% else %}\n\
    {% set staging = build_snapshot_staging_table(strategy, sql, this) %}\n\
    {% set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | list %}\n\
    {% call statement('main') %}{{ snapshot_merge_sql(this, staging, columns) }}{% endcall %}\n\
    {% do run_query('drop table ' ~ staging) %}\n\
    {% endif %}\n\
    {{ return({'relations': [this]}) }}\n{% endmaterialization %}\n\
    {% macro snapshot_by_name_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}\n\
    {% set s = snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}\n\
    {% do s.update({'row_changed': snapshotted_rel ~ '.name <> ' ~ current_rel ~ '.name'}) %}{{ return(s) }}{% endmacro %}\n";

#[test]
fn snapshots_of_a_project_are_made_of_the_macros_of_dbt() {
    for mut bench in Bench::both() {
        let snapshot = |name: &str, config: &str| {
            format!(
                "{{% snapshot {name} %}}\n{{{{ config(unique_key='id', {config}) }}}}\nselect * from shop.people\n{{% endsnapshot %}}\n"
            )
        };
        bench
            .file("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\non-run-start: [create schema if not exists shop, 'create table if not exists shop.people (id integer, name varchar, seen timestamp)']\n")
            .file("macros/snapshot.sql", SNAPSHOT_BY_MACROS)
            .file("snapshots/by_time.sql", &snapshot("by_time", "strategy='timestamp', updated_at='seen', hard_deletes='invalidate'"))
            .file("snapshots/by_value.sql", &snapshot("by_value", "strategy='check', check_cols=['name'], hard_deletes='new_record'"))
            .file("snapshots/by_all.sql", &snapshot("by_all", "strategy='check', check_cols='all'"))
            .file("snapshots/by_name.sql", &snapshot("by_name", "strategy='by_name', check_cols=['name']"));
        assert_eq!(bench.run_how(&How { only: Some(|_| false), ..How::default() }).drawn, "");
        bench.query("insert into shop.people values (1, 'Ann', '2026-01-01'), (2, 'Bob', '2026-01-01'), (3, 'Cid', '2026-01-01')");
        assert_eq!(bench.run().drawn, "", "{}", bench.engine);
        bench.query("update shop.people set name = 'Eve', seen = '2026-01-02' where id = 1");
        bench.query("delete from shop.people where id = 3");
        bench.query("insert into shop.people values (4, 'Dan', '2026-01-02')");
        assert_eq!(bench.run().drawn, "", "{}", bench.engine);
        let rows = |table: &str, more: &str| {
            bench.query(&format!(
                "select id, name, case when dbt_valid_to is null then 1 else 0 end as current{more} from shop.{table} order by id, 3, name"
            ))
        };
        let ended = "1|Ann|0\n1|Eve|1\n2|Bob|1\n3|Cid|0\n4|Dan|1";
        assert_eq!(rows("by_time", ""), ended, "{}", bench.engine);
        assert_eq!(rows("by_all", ""), ended.replace("3|Cid|0", "3|Cid|1"), "{}", bench.engine);
        assert_eq!(rows("by_name", ""), rows("by_all", ""), "{}", bench.engine);
        let recorded = "1|Ann|0|False\n1|Eve|1|False\n2|Bob|1|False\n3|Cid|0|False\n3|Cid|1|True\n4|Dan|1|False";
        assert_eq!(rows("by_value", ", dbt_is_deleted"), recorded, "{}", bench.engine);
        // Nothing has changed since.
        assert_eq!(bench.run().drawn, "", "{}", bench.engine);
        assert_eq!(
            (rows("by_time", ""), rows("by_value", ", dbt_is_deleted")),
            (ended.to_owned(), recorded.to_owned()),
            "{}",
            bench.engine
        );
    }
}
