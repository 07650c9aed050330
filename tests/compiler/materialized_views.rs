//! Materialized views and unlogged tables, which PostgreSQL has.

use acca::plan::Status;

use crate::bench::{Bench, How};

const INDEXES: &str = "select string_agg(indexdef, '; ' order by indexdef) from pg_indexes where tablename = 'm'";

fn write(bench: &mut Bench, config: &str) {
    let text =
        format!("{{{{ config(materialized='materialized_view', {config}) }}}} select count(*) as n, 'x' as name from {{{{ ref('a') }}}}");
    bench.file("models/m.sql", &text);
}

#[test]
fn a_materialized_view_is_made_once_and_refreshed() {
    let mut bench = Bench::new("postgres");
    bench
        .file("models/a.sql", "{{ config(materialized='incremental') }} select 1 as x")
        .file(
            "models/m.yml",
            "models:\n  - {name: m, description: how many, config: {persist_docs: {relation: true}, grants: {select: public}}}\n",
        )
        .file("models/v.sql", "select n from {{ ref('m') }}");
    write(&mut bench, "indexes=[{'columns': ['n'], 'unique': true}]");
    bench.run().ok();
    let kind = "select relkind::text, oid::text from pg_class where oid = 'shop.m'::regclass";
    let first = bench.query(kind);
    assert!(first.starts_with("m|"), "{first}");
    let ran = bench.run().ok();
    assert!(ran.statuses().contains(&"success model.shop.m refreshed".to_owned()), "{:?}", ran.statuses());
    assert_eq!((bench.query("select n from shop.v"), bench.query(kind)), ("2".to_owned(), first.clone()));
    let told = "select obj_description('shop.m'::regclass), has_table_privilege('public', 'shop.m', 'select')";
    assert_eq!(bench.query(told), "how many|true");
    // Made anew: with its query, in place, under the views that read it.
    bench.file(
        "models/m.sql",
        "{{ config(materialized='materialized_view', indexes=[{'columns': ['n']}]) }} select 7 as n -- {{ ref('a') }}",
    );
    bench.execute("create view public.theirs as select n from shop.m");
    bench.run().ok();
    assert_eq!(bench.query("select n from shop.m"), "3", "a changed query needs a full refresh, as in dbt");
    bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
    assert_eq!(bench.query("select (select n from shop.v), (select n from public.theirs)"), "7|7");
    assert_ne!(bench.query(kind), first);
    assert_eq!(bench.query("select count(*) from pg_indexes where tablename = 'm'"), "1");
    assert_eq!((bench.query(told), bench.leftovers()), ("how many|true".to_owned(), String::new()));
}

#[test]
fn indexes_of_a_materialized_view_follow_the_configuration_as_told() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='incremental') }} select 1 as x");
    write(&mut bench, "indexes=[{'columns': ['n']}]");
    bench.run().ok();
    bench.execute("create index by_hand on shop.m (name)");
    let before = bench.query(INDEXES);
    bench.run().ok();
    assert_eq!(bench.query(INDEXES), before);
    write(&mut bench, "on_configuration_change='continue', indexes=[{'columns': ['n', 'name']}]");
    let ran = bench.run().ok();
    let told = "success model.shop.m refreshed; its indexes are not those of its configuration".to_owned();
    assert!(ran.statuses().contains(&told) && bench.query(INDEXES) == before, "{:?}", ran.statuses());
    write(&mut bench, "on_configuration_change='fail', indexes=[{'columns': ['n', 'name']}]");
    let ran = bench.run();
    assert_eq!((ran.status("m"), bench.query(INDEXES)), (Status::Error, before));
    assert!(ran.drawn.contains("error[schema-changed]") && ran.drawn.contains("new: an index on n, name"), "{}", ran.drawn);
    write(&mut bench, "indexes=[{'columns': ['n', 'name'], 'type': 'btree'}]");
    bench.run().ok();
    let after = bench.query(INDEXES);
    assert!(after.contains("(n, name)") && after.contains("by_hand") && !after.contains("(n)"), "{after}");
    write(&mut bench, "indexes=[]");
    bench.run().ok();
    assert_eq!(bench.query(INDEXES), "CREATE INDEX by_hand ON shop.m USING btree (name)");
}

/// What it reads is replaced, directly or as a view between: it follows in the same run.
#[test]
fn a_materialized_view_follows_what_is_replaced_below() {
    let mut bench = Bench::new("postgres");
    bench.file("models/b.sql", "select x from {{ ref('a') }}");
    bench.file("models/w.sql", "{{ config(materialized='materialized_view') }} select x from {{ ref('b') }}");
    write(&mut bench, "indexes=[{'columns': ['n']}]");
    for rows in ["select 1 as x", "select 1 as x union all select 2", "select 'a' as x"] {
        bench.file("models/a.sql", &format!("{{{{ config(materialized='table') }}}} {rows}"));
        bench.run().ok();
        let counts = format!("{0}|{0}", 1 + rows.matches("union").count());
        assert_eq!(bench.query("select (select n from shop.m), (select count(*) from shop.w)"), counts, "{rows}");
        assert_eq!(bench.leftovers(), "");
        assert_eq!(bench.query("select count(*) from pg_indexes where tablename = 'm'"), "1");
    }
}

#[test]
fn materialized_views_and_tables_take_each_others_places() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x");
    for kind in ["table", "materialized_view", "view", "materialized_view", "table"] {
        bench.file("models/m.sql", &format!("{{{{ config(materialized='{kind}') }}}} select count(*) as n from {{{{ ref('a') }}}}"));
        bench.run().ok();
        bench.execute(if kind == "view" { "select 1" } else { "create index on shop.m (n)" });
    }
    assert_eq!((bench.query("select n from shop.m"), bench.leftovers()), ("1".to_owned(), String::new()));
    let mut duckdb = Bench::new("duckdb");
    duckdb.file("models/m.sql", "{{ config(materialized='materialized_view') }} select 1 as n");
    let ran = duckdb.run();
    assert_eq!(ran.status("m"), Status::Error);
    assert!(ran.drawn.contains("'m' is to be a materialized view, which this engine does not have"), "{}", ran.drawn);
}

#[test]
fn unlogged_tables_are_made_where_the_engine_has_them() {
    for mut bench in Bench::both() {
        bench
            .file("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\nmodels: {+unlogged: true}\n")
            .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x")
            .file("models/b.sql", "{{ config(materialized='incremental') }} select 1 as x")
            .file("models/c.sql", "{{ config(materialized='table') }} select 1 as x")
            .file("models/d.sql", "{{ config(materialized='table', unlogged=false) }} select 1 as x")
            .file("models/v.sql", "select 1 as x")
            .file(
                "models/m.yml",
                "models:\n  - {name: c, config: {contract: {enforced: true}}, columns: [{name: x, data_type: integer}]}\n",
            );
        for _ in 0..2 {
            bench.run().ok();
            if bench.engine == "postgres" {
                let kinds = "select string_agg(relname || relpersistence::text, ' ' order by relname) from pg_class where relnamespace = 'shop'::regnamespace";
                assert_eq!(bench.query(kinds), "au bu cu dp vp");
            }
        }
    }
}
