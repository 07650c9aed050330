//! What a relation has besides its rows, as the configuration asks for it: descriptions, indexes, privileges.

use acca::plan::Status;

use crate::bench::{Bench, How};

#[test]
fn descriptions_go_into_the_database() {
    for mut bench in Bench::both() {
        bench
            .file("models/m.yml", "models:\n  - name: t\n    description: It's a table\n    columns: [{name: ID, description: the key}, {name: gone, description: not there}]\n  - name: v\n    description: a view\n    columns: [{name: id, description: the same key}]\n")
            .file("models/t.sql", "{{ config(materialized='table', persist_docs={'relation': true, 'columns': true}) }} select 1 as id, 2 as n")
            .file("models/v.sql", "{{ config(persist_docs={'relation': true, 'columns': true}) }} select id from {{ ref('t') }}");
        for _ in 0..2 {
            bench.run().ok();
            let comments = match bench.engine {
                "duckdb" => {
                    "select comment from duckdb_tables() where table_name = 't' union all select comment from duckdb_columns() where table_name = 't' and comment is not null \
                             union all select comment from duckdb_views() where view_name = 'v' union all select comment from duckdb_columns() where table_name = 'v' and comment is not null"
                }
                _ => {
                    "select obj_description('shop.t'::regclass) union all select col_description('shop.t'::regclass, 1) \
                      union all select obj_description('shop.v'::regclass) union all select col_description('shop.v'::regclass, 1)"
                }
            };
            assert_eq!(bench.query(comments), "It's a table\nthe key\na view\nthe same key", "{}", bench.engine);
        }
    }
}

#[test]
fn indexes_are_made_with_the_table() {
    for mut bench in Bench::both() {
        bench
            .file("models/t.sql", "{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['n', 'id'], 'type': 'btree'}]) }} select 1 as id, 2 as n")
            .file("models/i.sql", "{{ config(materialized='incremental', unique_key='id', indexes=[{'columns': ['id']}]) }} select 1 as id");
        for _ in 0..3 {
            bench.run().ok();
            let (count, unique) = match bench.engine {
                "duckdb" => (
                    "select table_name, count(*) from duckdb_indexes() group by 1 order by 1",
                    "select expressions from duckdb_indexes() where is_unique",
                ),
                _ => (
                    "select tablename, count(*) from pg_indexes where schemaname = 'shop' group by 1 order by 1",
                    "select regexp_replace(indexdef, '.*USING', '') from pg_indexes where indexdef like '%UNIQUE%' and schemaname = 'shop'",
                ),
            };
            assert_eq!(bench.query(count), "i|1\nt|2", "{}", bench.engine);
            assert!(bench.query(unique).contains("id"), "{}", bench.query(unique));
        }
        bench.file("models/t.sql", "{{ config(materialized='table', indexes=[{'column': 'id'}]) }} select 1 as id");
        assert!(bench.run().drawn.contains("'indexes' of 't' has an entry with the unknown key 'column'"));
        bench.file(
            "models/t.sql",
            "{{ config(materialized='table', indexes=[{'columns': 'id', 'unique': true}]) }} select 1 as id union all select 1",
        );
        assert_eq!(bench.run().status("t"), Status::Error);
        assert_eq!((bench.query("select n from shop.t"), bench.leftovers()), ("2".to_owned(), String::new()), "{}", bench.engine);
    }
}

#[test]
fn privileges_are_those_of_the_configuration() {
    let mut bench = Bench::new("postgres");
    bench
        .file("models/t.sql", "{{ config(materialized='table', grants={'select': ['Analyst', 'public']}) }} select 1 as id")
        .file("models/v.sql", "{{ config(grants={'select': ['analyst']}) }} select 1 as id")
        .file("models/i.sql", "{{ config(materialized='incremental', grants={'insert': 'analyst', 'select': 'analyst'}) }} select 1 as id")
        .file("models/kept.sql", "{{ config(materialized='table') }} select 1 as id");
    bench.run_how(&How { only: Some(|node| node.name == "kept"), ..How::default() }).ok();
    bench.execute(
        "create role analyst; create role stranger; create role watcher; grant update on shop.kept to stranger; \
         alter default privileges in schema shop grant select on tables to watcher",
    );
    let held = "select c.relname, string_agg(case g.grantee when 0 then 'public' else pg_get_userbyid(g.grantee) end || ' ' || lower(g.privilege_type), ', ' order by case g.grantee when 0 then 'public' else pg_get_userbyid(g.grantee) end, g.privilege_type) \
                from pg_class c, aclexplode(c.relacl) g where relnamespace = 'shop'::regnamespace and g.grantee <> c.relowner group by 1 order by 1";
    // What a schema gives to everything new stays on what is made anew, as with dbt, and is taken from what stays in place.
    for watched in [", watcher select", "", ""] {
        bench.run().ok();
        assert_eq!(
            bench.query(held),
            format!(
                "i|analyst insert, analyst select{watched}\nkept|stranger update, watcher select\nt|analyst select, public select, watcher select\n\
                 v|analyst select, watcher select"
            )
        );
        bench.execute("grant delete on shop.t, shop.i to stranger");
    }
    bench.execute("drop owned by analyst, stranger, watcher; drop role analyst, stranger, watcher");
    let mut bench = Bench::new("duckdb");
    bench.file("models/t.sql", "{{ config(grants={'select': ['analyst']}) }} select 1 as id");
    assert!(bench.run().drawn.contains("warning[unsupported-config]: 'grants' of 't': this engine has no privileges"));
}

/// A description that is taken out of the project goes out of the database.
#[test]
fn descriptions_that_are_gone_are_taken_away() {
    let mut bench = Bench::new("postgres");
    let describe = |bench: &mut Bench, table: &str, column: &str| {
        let models: String = ["t", "i"]
            .iter()
            .map(|name| format!("  - name: {name}\n    description: '{table}'\n    columns: [{{name: id, description: '{column}'}}]\n"))
            .collect();
        bench.file("models/m.yml", &format!("models:\n{models}"));
    };
    for (name, materialized) in [("t", "table"), ("i", "incremental")] {
        let config = format!("{{{{ config(materialized='{materialized}', persist_docs={{'relation': true, 'columns': true}}) }}}}");
        bench.file(&format!("models/{name}.sql"), &format!("{config} select 1 as id"));
    }
    describe(&mut bench, "said", "said too");
    bench.run().ok();
    let comments = "select r, coalesce(obj_description(r::regclass), '-'), coalesce(col_description(r::regclass, 1), '-') from (values ('shop.t'), ('shop.i')) v (r)";
    assert_eq!(bench.query(comments), "shop.t|said|said too\nshop.i|said|said too");
    describe(&mut bench, "", "");
    bench.run().ok();
    // As with dbt: a table that stays keeps its own description, of its columns only what is still said.
    assert_eq!(bench.query(comments), "shop.t|-|-\nshop.i|said|-");
}

/// Macros of the project in the places of those by which dbt grants and describes.
#[test]
fn privileges_and_descriptions_are_set_as_macros_of_the_project_say() {
    let mut bench = Bench::new("postgres");
    bench
        .file(
            "macros/m.sql",
            "{% macro postgres__get_grant_sql(relation, privilege, grantees) %}grant {{ privilege }} on {{ relation }} to {{ grantees | join(', ') }} with grant option{% endmacro %}\n\
             {% macro alter_relation_comment(relation, relation_comment) %}comment on {{ relation.type }} {{ relation }} is 'said: {{ relation_comment }}'{% endmacro %}",
        )
        .file(
            "models/m.yml",
            "models:\n  - &m {name: a, description: all, config: {persist_docs: {relation: true, columns: true}, grants: {select: [teller]}}, columns: [{name: x, description: one}]}\n  \
             - {<<: *m, name: v}\n",
        )
        .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x")
        .file("models/v.sql", "select x from {{ ref('a') }}");
    bench.run_how(&How { only: Some(|_| false), ..How::default() });
    bench.execute("create role teller");
    let told = "select string_agg(relname || ' ' || has_table_privilege('teller', c.oid, 'select with grant option')::text || ' ' || \
                obj_description(c.oid, 'pg_class') || ' ' || col_description(c.oid, 1), ', ' order by relname) from pg_class c where relname in ('a', 'v')";
    for _ in 0..2 {
        let ran = bench.run().ok();
        assert_eq!(bench.query(told), "a true said: all one, v true said: all one");
        assert!(ran.statuses().contains(&"success model.shop.a 1 row".to_owned()), "{:?}", ran.statuses());
    }
    bench.execute("drop owned by teller; drop role teller");
}
