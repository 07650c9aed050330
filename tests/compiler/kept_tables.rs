//! Tables that stay from run to run, incremental models and snapshots: how their columns follow the query, and who reads them meanwhile.

use acca::plan::Status;

use crate::bench::{Bench, How};

#[test]
fn predicates_use_the_names_that_dbt_gives() {
    for mut bench in Bench::both() {
        for (name, config) in [
            ("one_key", "unique_key='id', incremental_predicates"),
            ("two_keys", "unique_key=['id', 'shop'], incremental_predicates"),
            ("merged", "unique_key='id', incremental_strategy='merge', incremental_predicates"),
            ("older_name", "unique_key='id', predicates"),
            ("merged_older_name", "unique_key='id', incremental_strategy='merge', predicates"),
        ] {
            let sql = format!(
                "{{{{ config(materialized='incremental', {config}=[\"DBT_INTERNAL_DEST.day >= 2\"]) }}}}\n\
                 {{% if is_incremental() %}}select * from (values (1, 'A', 1, 100), (2, 'A', 2, 200)) as given (id, shop, day, amount)\n\
                 {{% else %}}select * from (values (1, 'A', 1, 10), (2, 'A', 2, 20)) as given (id, shop, day, amount){{% endif %}}"
            );
            bench.file(&format!("models/{name}.sql"), &sql);
        }
        bench.run().ok();
        bench.run().ok();
        for name in ["one_key", "two_keys", "merged", "older_name", "merged_older_name"] {
            let rows = bench.query(&format!("select id, amount from shop.{name} order by 1, 2"));
            assert_eq!(rows, "1|10\n1|100\n2|200", "{} {name}", bench.engine);
        }
    }
}

/// Columns change while somebody reads them through views, and while indexes stand on the table.
#[test]
fn columns_change_under_views_and_indexes() {
    for mut bench in Bench::both() {
        let write = |bench: &mut Bench, columns: &str| {
            let config = "{{ config(materialized='incremental', unique_key='id', on_schema_change='sync_all_columns', indexes=[{'columns': ['id']}]) }}";
            bench.file("models/m.sql", &format!("{config} select {columns}"));
        };
        write(&mut bench, "1 as id, cast(5 as integer) as n, 'a' as gone");
        bench.file("models/v.sql", "select id, n from {{ ref('m') }}");
        bench.run().ok();
        bench.execute("create schema theirs");
        bench.execute("create view theirs.w as select id, n from shop.v");
        if bench.engine == "postgres" {
            bench.execute("comment on view theirs.w is 'kept'; create role onlooker; grant select on theirs.w to onlooker");
        }
        // A column of another type, one that nobody reads gone, one new.
        write(&mut bench, "2 as id, cast(6000000000 as bigint) as n, 'x' as fresh");
        let only: fn(&acca::project::Node) -> bool = |node| node.name == "m";
        bench.run_how(&How { only: Some(only), ..How::default() }).ok();
        assert_eq!(bench.query("select id, n, fresh from shop.m order by 1"), "1|5|NULL\n2|6000000000|x", "{}", bench.engine);
        let indexes = if bench.engine == "duckdb" {
            "select count(*) from duckdb_indexes() where table_name = 'm'"
        } else {
            "select count(*) from pg_indexes where tablename = 'm'"
        };
        assert_eq!(bench.query(indexes), "1", "{}", bench.engine);
        if bench.engine == "postgres" {
            assert_eq!(bench.query("select id, n from theirs.w order by 1"), "1|5\n2|6000000000");
            assert_eq!(
                bench.query("select obj_description('theirs.w'::regclass), has_table_privilege('onlooker', 'theirs.w', 'select')"),
                "kept|true"
            );
            // A column that views read cannot go: they are named, and a full refresh lets those of the run follow.
            bench.execute("drop view theirs.w");
            write(&mut bench, "3 as id, 'y' as fresh");
            bench.file("models/v.sql", "select id from {{ ref('m') }}");
            let ran = bench.run();
            assert_eq!(ran.status("m"), Status::Error);
            assert!(
                ran.drawn.contains("error[schema-changed]") && ran.drawn.contains("shop.v") && ran.drawn.contains("--full-refresh"),
                "{}",
                ran.drawn
            );
            assert_eq!(bench.query("select count(*) from shop.m"), "2");
            bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
            assert_eq!(bench.query("select * from shop.v"), "3");
            bench.execute("drop owned by onlooker; drop role onlooker");
        }
        assert_eq!(bench.leftovers(), "", "{}", bench.engine);
    }
}

/// Rows are deleted by their key: a query that gives it no more must not take all of them.
#[test]
fn rows_stay_when_the_key_is_lost() {
    for mut bench in Bench::both() {
        for policy in ["append_new_columns", "sync_all_columns"] {
            let config = format!("{{{{ config(materialized='incremental', unique_key='id', on_schema_change='{policy}') }}}}");
            bench.file("models/history.sql", &format!("{config} select 1 as id, 10 as amount"));
            bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
            bench.file("models/history.sql", &format!("{config} select 20 as amount"));
            let drawn = bench.run().drawn;
            assert!(drawn.contains("'unique_key' of 'history' names 'id', which its query does not give"), "{drawn}");
            assert_eq!(bench.query("select id, amount from shop.history"), "1|10", "{} {policy}", bench.engine);
            // Only the engine knows the columns of what is no part of the project.
            bench.execute("create table if not exists shop.outside as select 20 as amount");
            bench.file("models/history.sql", &format!("{config} select * from shop.outside"));
            let drawn = bench.run().drawn;
            assert!(drawn.contains("does not give 'id', which is its 'unique_key'"), "{drawn}");
            assert_eq!(bench.query("select id, amount from shop.history"), "1|10", "{} {policy}", bench.engine);
        }
    }
}

/// Text that has become longer than its column finds room, whatever the policy for other changes.
#[test]
fn columns_of_text_grow_with_what_comes() {
    let mut bench = Bench::new("postgres");
    let write = |bench: &mut Bench, text: &str| {
        for policy in ["ignore", "append_new_columns", "sync_all_columns", "fail"] {
            let config = format!("{{{{ config(materialized='incremental', unique_key='id', on_schema_change='{policy}') }}}}");
            bench.file(&format!("models/{policy}.sql"), &format!("{config} select 1 as id, {text} as note"));
        }
        let config = "config(unique_key='id', strategy='check', check_cols='all')";
        bench.file("snapshots/s.sql", &format!("{{% snapshot s %}}{{{{ {config} }}}}select 1 as id, {text} as note{{% endsnapshot %}}"));
    };
    write(&mut bench, "cast('abc' as varchar(3))");
    bench.run().ok();
    bench.execute("create view public.reads as select note from shop.ignore");
    for (text, data_type) in [
        ("cast('abcdef' as varchar(6))", "character varying(6)"),
        ("cast('ab' as varchar(2))", "character varying(6)"),
        ("cast('abcdefghi' as text)", "text"),
    ] {
        // What is shorter needs no change, except where all types are followed.
        let narrows = text.contains("(2)");
        let chosen: Option<fn(&acca::project::Node) -> bool> =
            if narrows { Some(|node| matches!(node.name.as_str(), "ignore" | "append_new_columns" | "s")) } else { None };
        write(&mut bench, text);
        bench.run_how(&How { only: chosen, ..How::default() }).ok();
        for table in ["ignore", "append_new_columns", "fail", "s"] {
            let held = format!(
                "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'shop.{table}'::regclass and attname = 'note'"
            );
            assert_eq!(bench.query(&held), data_type, "{table} {text}");
        }
    }
    assert_eq!(bench.query("select note from public.reads"), "abcdefghi");
}

/// The query of a snapshot runs once, also where it looks for what is gone.
#[test]
fn a_snapshot_asks_its_query_once() {
    let mut bench = Bench::new("postgres");
    bench.file("seeds/c.csv", "id,city\n1,Rome\n2,Oslo\n");
    for (name, deletes) in [("closed", "invalidate"), ("recorded", "new_record"), ("ignored", "ignore")] {
        let config = format!("config(unique_key='id', strategy='check', check_cols=['city'], hard_deletes='{deletes}')");
        bench.file(
            &format!("snapshots/{name}.sql"),
            &format!("{{% snapshot {name} %}}{{{{ {config} }}}}select id, city, nextval('public.{name}_calls') as call from {{{{ ref('c') }}}}{{% endsnapshot %}}"),
        );
    }
    bench.run_how(&How { only: Some(|node| node.name == "c"), ..How::default() }).ok();
    bench.execute("create sequence public.closed_calls; create sequence public.recorded_calls; create sequence public.ignored_calls");
    bench.run().ok();
    bench.file("seeds/c.csv", "id,city\n1,Bari\n3,Bern\n");
    bench.run().ok();
    for name in ["closed", "recorded", "ignored"] {
        assert_eq!(bench.query(&format!("select last_value from public.{name}_calls")), "4", "{name}");
    }
    assert_eq!(
        bench.query("select id, city, dbt_valid_to is null from shop.closed order by 1, 2"),
        "1|Bari|true\n1|Rome|false\n2|Oslo|false\n3|Bern|true"
    );
    assert_eq!(bench.leftovers(), "");
}

#[test]
fn a_snapshot_does_not_write_into_a_view() {
    for mut bench in Bench::both() {
        bench.file("models/s.sql", "select 1 as id");
        bench.run().ok();
        bench.file("models/s.sql", "{{ config(alias='other') }} select 1 as id");
        bench.file(
            "snapshots/h.sql",
            "{% snapshot h %}{{ config(unique_key='id', strategy='check', check_cols='all', alias='s', target_schema='shop') }}select 1 as id{% endsnapshot %}",
        );
        let ran = bench.run();
        assert_eq!(ran.status("h"), Status::Error, "{}", bench.engine);
        assert!(
            ran.drawn.contains("error[invalid-config]: the snapshot 'h' keeps its history in a table, and shop.s is a view"),
            "{}",
            ran.drawn
        );
        assert_eq!(bench.query("select id from shop.s"), "1");
    }
}
