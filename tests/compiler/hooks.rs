//! Hooks of nodes: when they are rendered, and where they stand among the other steps.

use acca::plan::Status;

use crate::bench::Bench;

/// A post-hook asks for what has just been built, on the first run as on later ones.
#[test]
fn a_post_hook_sees_the_relation_that_was_built() {
    for mut bench in Bench::both() {
        let hook = "{% set rows = run_query('select count(*) from ' ~ this) %}\
                    {% if execute %}insert into shop.counted select {{ rows.columns[0].values()[0] }}{% endif %}";
        bench
            .file(
                "dbt_project.yml",
                "name: shop\nversion: '1.0'\nprofile: shop\non-run-start: 'create table if not exists shop.counted (n integer)'\n",
            )
            .file("macros/count_rows.sql", &format!("{{% macro count_rows() %}}{hook}{{% endmacro %}}"))
            .file("macros/note.sql", "{% macro note(n) %}{% do run_query('insert into shop.counted select ' ~ n) %}{% endmacro %}")
            .file("seeds/s.csv", "id\n1\n2\n3\n")
            .file("seeds/s.yml", "seeds:\n  - name: s\n    config: {post_hook: '{{ count_rows() }}'}\n")
            .file("models/t.sql", "{{ config(materialized='table', post_hook='{{ count_rows() }}') }} select 1 as x union all select 2")
            .file("models/v.sql", "{{ config(pre_hook='{{ note(10) }}', post_hook=after_commit('{{ count_rows() }}')) }} select 1 as x");
        bench
            .file("macros/after_commit.sql", "{% macro after_commit(sql) %}{{ tojson({'sql': sql, 'transaction': False}) }}{% endmacro %}");
        bench.run().ok();
        assert_eq!(bench.query("select n from shop.counted order by n"), "1\n2\n3\n10", "{}", bench.engine);
        bench.file("seeds/s.csv", "id\n1\n2\n3\n4\n5\n");
        bench.run().ok();
        assert_eq!(bench.query("select n from shop.counted order by n"), "1\n1\n2\n2\n3\n5\n10\n10", "{}", bench.engine);
        // A hook that fails takes the node along, and the error is at the hook.
        bench.file(
            "models/t.sql",
            "{{ config(materialized='table',\n  post_hook='insert into shop.counted select nothing from {{ this }}') }} select 1 as x, 2 as y",
        );
        let ran = bench.run();
        assert_eq!(ran.status("t"), Status::Error);
        assert!(ran.drawn.contains("error[statement-failed]: 't': ") && ran.drawn.contains("nothing"), "{}", ran.drawn);
        assert!(ran.drawn.contains("models/t.sql:2:3") || ran.drawn.contains("models/t.sql:1:"), "{}", ran.drawn);
        assert_eq!(bench.query("select * from shop.t order by 1"), "1\n2", "{}", bench.engine);
        assert_eq!(bench.leftovers(), "");
    }
}

/// Of all materializations only a table runs its hooks before privileges and descriptions are set.
#[test]
fn hooks_stand_where_dbt_has_them() {
    let mut bench = Bench::new("postgres");
    let config = "persist_docs={'relation': true}, grants={'select': 'public'}, post_hook='insert into shop.seen select 1'";
    bench
        .file(
            "dbt_project.yml",
            "name: shop\nversion: '1.0'\nprofile: shop\non-run-start: 'create table if not exists shop.seen (n integer)'\n",
        )
        .file("models/m.yml", "models:\n  - {name: t, description: a table}\n  - {name: v, description: a view}\n")
        .file("models/t.sql", &format!("{{{{ config(materialized='table', {config}) }}}} select 1 as x"))
        .file("models/v.sql", &format!("{{{{ config(materialized='view', {config}) }}}} select 1 as x"));
    bench.run().ok();
    let titles = |name: &str| {
        let script = std::fs::read_to_string(bench.folder.path().join(format!("target/run/shop/models/{name}.sql"))).unwrap();
        script.lines().filter_map(|line| line.strip_prefix("-- ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(titles("t")[2..], ["publish shop.t", "post-hook", "grant privileges on shop.t", "describe shop.t"]);
    assert_eq!(titles("v")[1..], ["publish shop.v", "grant privileges on shop.v", "describe shop.v", "post-hook"]);
}

/// What a materialization of the project's own does not do is not done.
#[test]
fn a_custom_materialization_sets_its_own_privileges_and_runs_its_own_hooks() {
    for mut bench in Bench::both() {
        let build = "{% call statement('main') %}create table if not exists {{ this }} as {{ sql }}{% endcall %}{{ return({'relations': [this]}) }}";
        bench
            .file(
                "dbt_project.yml",
                "name: shop\nversion: '1.0'\nprofile: shop\non-run-start: 'create table if not exists shop.seen (n integer)'\n",
            )
            .file("macros/kept.sql", &format!("{{% materialization kept, default %}}{build}{{% endmaterialization %}}"))
            .file(
                "macros/hooked.sql",
                &format!(
                    "{{% materialization hooked, default %}}{{% for hook in post_hooks %}}{{% do run_query('insert into shop.seen select 5') %}}{{% endfor %}}{build}{{% endmaterialization %}}"
                ),
            )
            .file("models/m.yml", "models:\n  - {name: a, description: not persisted}\n")
            .file(
                "models/a.sql",
                "{{ config(materialized='kept', persist_docs={'relation': true}, indexes=[{'columns': ['x']}], post_hook='insert into shop.seen select 1') }} select 1 as x",
            )
            .file("models/b.sql", "{{ config(materialized='hooked', post_hook='insert into shop.seen select 2') }} select 1 as x");
        bench.run().ok();
        assert_eq!(bench.query("select n from shop.seen order by 1"), "1\n5", "{}", bench.engine);
        let comments = match bench.engine {
            "duckdb" => "select count(*) from duckdb_tables() where comment is not null",
            _ => "select count(*) from pg_description d where d.objoid = 'shop.a'::regclass",
        };
        assert_eq!(bench.query(comments), "0", "{}", bench.engine);
    }
}

/// The engine is asked about a query whose tables its pre-hook or its header makes: they come first.
#[test]
fn a_query_may_need_what_comes_before_it() {
    const CONTRACTS: &str = "models:\n  - &m {name: hooked, config: &c {contract: {enforced: true}}, columns: [{name: id, data_type: integer}]}\n  \
                             - {<<: *m, name: headed}\n  - {<<: *m, name: outside}\n  - {<<: *m, name: wrong, columns: [{name: id, data_type: text}]}\n  \
                             - {<<: *m, name: no_type, columns: [{name: id, data_type: intger}]}\n";
    for mut bench in Bench::both() {
        let make = |table: &str| format!("create table shop.{table} as select 1 as id");
        bench
            .file("models/m.yml", CONTRACTS)
            .file("models/hooked.sql", &format!("{{{{ config(materialized='table', pre_hook='{}') }}}} select id from shop.made_1", make("made_1")))
            .file("models/headed.sql", &format!("{{{{ config(sql_header='{}') }}}} select id from shop.made_2", make("made_2")))
            .file(
                "models/outside.sql",
                &format!("{{{{ config(pre_hook={{'sql': '{}', 'transaction': false}}) }}}} select id from shop.made_3", make("made_3")),
            )
            .file(
                "models/grows.sql",
                &format!(
                    "{{{{ config(materialized='incremental', on_schema_change='append_new_columns', pre_hook='{}', post_hook='drop table shop.made_4') }}}} \
                     select id from shop.made_4",
                    make("made_4")
                ),
            )
            .file("models/wrong.sql", &format!("{{{{ config(pre_hook='{}') }}}} select id from shop.made_5", make("made_5")))
            .file("models/no_type.sql", &format!("{{{{ config(pre_hook='{}') }}}} select id from shop.made_6", make("made_6")));
        let ran = bench.run();
        let failed: Vec<String> = ran.statuses().into_iter().filter(|status| !status.starts_with("success")).collect();
        assert_eq!(failed.len(), 2, "{} {failed:?}\n{}", bench.engine, ran.drawn);
        assert!(ran.drawn.contains("the query of 'wrong' does not give the columns that its contract declares"), "{}", ran.drawn);
        assert!(ran.drawn.contains("'intger', the declared type of column 'id' of 'no_type', is refused"), "{}", ran.drawn);
        let made = "select count(*) from information_schema.tables where table_name in ('made_5', 'made_6')";
        assert_eq!(bench.query(made), "0", "{}: what failed leaves nothing behind", bench.engine);
        bench.execute(
            "drop view shop.headed; drop view shop.outside; drop table shop.made_1; drop table shop.made_2; drop table shop.made_3",
        );
        let again = bench.run();
        assert_eq!(again.status("grows"), Status::Success, "{}", again.drawn);
        assert_eq!(bench.query("select count(*) from shop.grows"), "2", "{}", bench.engine);
        assert_eq!(bench.leftovers(), "");
    }
}
