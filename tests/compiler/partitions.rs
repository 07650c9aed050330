//! Tables that are cut into partitions, on PostgreSQL.

use acca::plan::Status;

use crate::bench::{Bench, How};

/// Partitions of a table with their bounds and rows, without the part of the name that only one run has.
fn partitions(bench: &Bench, table: &str) -> String {
    bench.query(&format!(
        "select regexp_replace(c.relname, '_[0-9a-z]{{8}}$', ''), replace(pg_get_expr(c.relpartbound, c.oid), 'FOR VALUES ', ''), \
         (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from shop.%I', c.relname), false, true, '')))[1]::text \
         from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = 'shop.{table}'::regclass order by c.relpartbound::text like '%DEFAULT%', 1"
    ))
}

const BETS: &str =
    "select 1 as id, date '2025-12-31' as day, 5 as stake union all select 2, date '2026-01-01', 6 union all select 3, null, 7";

#[test]
fn partitions_are_made_for_what_the_rows_hold() {
    let mut bench = Bench::new("postgres");
    bench
        .file(
            "models/m.yml",
            "models:\n  - name: bets\n    config:\n      materialized: incremental\n      unique_key: id\n      incremental_strategy: merge\n      \
             meta:\n        partition_by: {type: range, column: day, every: month, ahead: 0}\n        \
             indexes: [{columns: [day], type: brin}, {columns: [id], where: stake > 5, include: [stake]}]\n      \
             indexes: [{columns: [id, day], unique: true}]\n",
        )
        .file("models/bets.sql", &format!("{BETS} {{% if is_incremental() %}} union all select 2, date '2026-03-05', 60 union all select 4, date '2026-03-31', 8 {{% endif %}}").replace("select 2, date '2026-01-01', 6", "{% if not is_incremental() %} select 2, date '2026-01-01', 6 {% else %} select 9, date '2026-01-31', 6 {% endif %}"))
        .file("models/readers.sql", "select id, stake from {{ ref('bets') }}");
    let count = "select count(*) from pg_class where relkind = 'r' and relispartition and relnamespace = 'shop'::regnamespace";
    for _ in 0..2 {
        bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
        // And the present month, which is made ahead of any row.
        let held = partitions(&bench, "bets");
        assert!(
            held.contains(
                "bets__p_2025_12|FROM ('2025-12-01') TO ('2026-01-01')|1\nbets__p_2026_01|FROM ('2026-01-01') TO ('2026-02-01')|1\n"
            ),
            "{held}"
        );
        assert!(held.ends_with("bets__p_rest|DEFAULT|1"), "{held}");
        assert_eq!(bench.query(count), "4", "those of the replaced table are gone");
    }
    bench.run().ok();
    let held = partitions(&bench, "bets");
    assert!(held.contains("bets__p_2026_03|FROM ('2026-03-01') TO ('2026-04-01')|2"), "{held}");
    assert_eq!(bench.query("select string_agg(id || ':' || stake, ' ' order by id) from shop.readers"), "1:5 2:60 3:7 4:8 9:6");
    let indexes = "select count(*), count(*) filter (where indexdef like '%USING brin%'), count(*) filter (where indexdef like '%INCLUDE (stake) WHERE (stake > 5)%') \
                   from pg_indexes where schemaname = 'shop' and tablename = 'bets'";
    assert_eq!(bench.query(indexes), "3|1|1");
    assert_eq!(bench.leftovers(), "");
    // A table that has none yet cannot get them.
    bench.execute("drop table shop.bets cascade; create table shop.bets as select 1 as id, date '2026-01-01' as day, 5 as stake");
    let refused = bench.run();
    assert!(refused.drawn.contains("has no partitions yet") && refused.drawn.contains("--full-refresh"), "{}", refused.drawn);
}

#[test]
fn moments_numbers_and_values_are_cut() {
    let mut bench = Bench::new("postgres");
    let zone = "set local timezone to 'America/New_York'";
    let table =
        |by: &str, sql: &str| format!("{{{{ config(materialized='table', pre_hook=\"{zone}\", meta={{'partition_by': {by}}}) }}}}\n{sql}");
    bench
        .file(
            "models/at.sql",
            &table(
                "{'type': 'range', 'column': 'at', 'every': 'day', 'ahead': 0, 'default': false}",
                "select timestamptz '2026-01-01 00:30:00+00' as at union all select timestamptz '2025-12-31 23:30:00+00'",
            ),
        )
        .file(
            "models/quarters.sql",
            &table(
                "{'type': 'range', 'column': 'at', 'every': 'quarter', 'ahead': 2}",
                "select timestamp '2020-02-29 12:00:00' as at union all select 'infinity'",
            ),
        )
        .file(
            "models/numbers.sql",
            &table("{'type': 'range', 'column': 'n', 'every': 100}", "select n::bigint as n from generate_series(-150, 150, 50) as n"),
        )
        .file(
            "models/countries.sql",
            &table(
                "{'type': 'list', 'column': 'country'}",
                "select 'GB' as country union all select 'it''s, (odd) ' union all select null",
            ),
        )
        .file(
            "models/regions.sql",
            &table(
                "{'type': 'list', 'column': 'country', 'values': {'Isles': ['GB', 'IE'], 'none': none}}",
                "select 'GB' as country union all select 'FR' union all select null",
            ),
        )
        .file(
            "models/a_name_that_is_too_long_for_all_that_comes_behind_it_in_the_end.sql",
            &table("{'type': 'list', 'column': 'n'}", "select 1 as n"),
        );
    for _ in 0..2 {
        bench.run().ok();
        let at = partitions(&bench, "at");
        assert!(at.contains("at__p_2025_12_31|FROM ('2025-12-31 00:00:00+00') TO ('2026-01-01 00:00:00+00')|1\nat__p_2026_01_01|"), "{at}");
        let quarters = partitions(&bench, "quarters");
        assert!(quarters.starts_with("quarters__p_2020_1|FROM ('2020-01-01 00:00:00') TO ('2020-04-01 00:00:00')|1\n"), "{quarters}");
        assert!(quarters.ends_with("DEFAULT|1") && quarters.lines().count() == 5, "{quarters}");
        assert_eq!(
            partitions(&bench, "numbers"),
            "numbers__p_0|FROM ('0') TO ('100')|2\nnumbers__p_100|FROM ('100') TO ('200')|2\nnumbers__p_minus_100|FROM ('-100') TO ('0')|2\nnumbers__p_minus_200|FROM ('-200') TO ('-100')|1\n\
             numbers__p_rest|DEFAULT|0"
        );
        let countries = partitions(&bench, "countries");
        assert!(
            countries.starts_with("countries__p_gb_") && countries.contains("IN ('it''s, (odd) ')|1\n") && countries.ends_with("DEFAULT|1"),
            "{countries}"
        );
        assert_eq!(
            partitions(&bench, "regions"),
            "regions__p_isles|IN ('GB', 'IE')|1\nregions__p_none|IN (NULL)|1\nregions__p_rest|DEFAULT|1"
        );
    }
    assert_eq!(bench.leftovers(), "");
}

#[test]
fn contracts_batches_and_snapshots_have_partitions() {
    let mut bench = Bench::new("postgres");
    bench
        .file(
            "models/m.yml",
            "models:\n  - name: declared\n    config:\n      materialized: table\n      \
             contract: {enforced: true}\n      meta: {partition_by: {type: list, column: kind}}\n    constraints: [{type: primary_key, columns: [kind, id]}]\n    \
             columns:\n      - {name: kind, data_type: text}\n      - {name: id, data_type: bigint}\n\
             snapshots:\n  - name: history\n    relation: ref('declared')\n    config:\n      unique_key: id\n      strategy: check\n      check_cols: [kind]\n      hard_deletes: invalidate\n      \
             meta: {partition_by: {type: range, column: dbt_valid_from, every: year, ahead: 0}}\n",
        )
        .file("models/events.sql", "{{ config(event_time='at') }} select 1 as id, timestamp '2026-01-30 10:00:00' as at union all select 2, timestamp '2026-02-01 10:00:00'")
        .file("models/daily.sql", "{{ config(materialized='incremental', incremental_strategy='microbatch', batch_size='day', begin='2026-01-30', event_time='at', lookback=1, meta={'partition_by': {'type': 'range', 'column': 'at', 'every': 'month', 'ahead': 0, 'default': false}}) }} select id, at from {{ ref('events') }}")
        .file("models/declared.sql", "select {{ var('id', 1) }}::bigint as id, '{{ var('kind', 'a') }}' as kind");
    let at = How { at: "2026-02-01T12:00:00Z", ..How::default() };
    bench.run_how(&at).ok();
    let daily = partitions(&bench, "daily");
    assert!(daily.starts_with("daily__p_2026_01|FROM ('2026-01-01 00:00:00') TO ('2026-02-01 00:00:00')|1\ndaily__p_2026_02|"), "{daily}");
    assert_eq!(
        bench.query("select pg_get_constraintdef(oid) from pg_constraint where contype = 'p' and conrelid = 'shop.declared'::regclass"),
        "PRIMARY KEY (kind, id)"
    );
    let changed = [("kind".to_owned(), "b".into())].into_iter().collect();
    bench.run_how(&How { at: "2026-02-01T12:00:00Z", vars: changed, ..How::default() }).ok();
    assert_eq!(
        bench.query("select string_agg(kind || ' ' || (dbt_valid_to is null), ', ' order by kind) from shop.history"),
        "a false, b true"
    );
    assert_eq!(bench.leftovers(), "");
    bench.file("models/m.yml", "models:\n  - name: declared\n    config:\n      materialized: table\n      contract: {enforced: true}\n      meta: {partition_by: {type: list, column: kind}}\n    \
                columns:\n      - {name: kind, data_type: text}\n      - {name: id, data_type: bigint, constraints: [{type: primary_key}]}\n");
    let refused = bench.run_how(&How { only: Some(|node| node.name == "declared"), ..How::default() });
    assert_eq!(refused.status("declared"), Status::Error);
    assert!(refused.drawn.contains("the key (id) of 'declared' lacks 'kind', by which the table is partitioned"), "{}", refused.drawn);
}

/// Words of a partition's definition, quotes and backslashes are values like others.
#[test]
fn a_later_run_makes_partitions_for_new_values_only() {
    let mut bench = Bench::new("postgres");
    let countries = |values: &[&str]| {
        let rows: Vec<String> = values.iter().map(|value| format!("select '{value}'::text as country")).collect();
        rows.join(" union all ")
    };
    bench
        .file("models/m.yml", "models:\n  - name: bets\n    config:\n      materialized: incremental\n      meta: {partition_by: {type: list, column: country}}\n")
        .file("models/bets.sql", &countries(&["GB", "a\\b", "it''s"]));
    bench.run().ok();
    bench.file("models/bets.sql", &countries(&["GB", "a\\b", "it''s", "IN", "FOR", "VALUES"]));
    bench.run().ok();
    bench.run().ok();
    let rest = bench.query("select count(*) from shop.bets where tableoid::regclass::text like '%rest%'");
    assert_eq!(rest, "0", "{}", partitions(&bench, "bets"));
    assert_eq!(bench.query("select count(*) from pg_inherits where inhparent = 'shop.bets'::regclass"), "7");
}

/// Rows would go to the partition for the rest, and nobody would hear of it.
#[test]
fn partitions_of_another_kind_are_not_added_to() {
    let mut bench = Bench::new("postgres");
    let model = |by: &str| {
        format!(
            "{{{{ config(materialized='incremental', meta={{'partition_by': {by}}}) }}}}\nselect date '2026-01-05' as day, timestamptz '2026-01-05 23:30:00-05' as at, 7 as n, 'GB' as country, 1.5::numeric(4,2) as price"
        )
    };
    let changes = [
        (
            "{'type': 'range', 'column': 'day', 'every': 'month'}",
            "{'type': 'range', 'column': 'day', 'every': 'day'}",
            "its partition bets__p_2026_01_",
        ),
        (
            "{'type': 'range', 'column': 'at', 'every': 'day', 'ahead': 0}",
            "{'type': 'range', 'column': 'at', 'every': 'month'}",
            "its partition bets__p_2026_01_06_",
        ),
        (
            "{'type': 'range', 'column': 'at', 'every': 'month'}",
            "{'type': 'range', 'column': 'day', 'every': 'month'}",
            "it is partitioned by RANGE (at)",
        ),
        ("{'type': 'range', 'column': 'n', 'every': 10}", "{'type': 'range', 'column': 'n', 'every': 5}", "is FOR VALUES FROM (0) TO (10)"),
        ("{'type': 'range', 'column': 'n', 'every': 10}", "{'type': 'list', 'column': 'n'}", "it is partitioned by RANGE (n)"),
        (
            "{'type': 'list', 'column': 'country', 'values': {'isles': ['GB', 'IE']}}",
            "{'type': 'list', 'column': 'country', 'values': {'isles': ['GB', 'IE', 'IM']}}",
            "its partition bets__p_isles_",
        ),
        (
            "{'type': 'list', 'column': 'country', 'values': {'isles': ['GB', 'IE']}}",
            "{'type': 'list', 'column': 'country'}",
            "its partition bets__p_isles_",
        ),
        (
            "{'type': 'list', 'column': 'country'}",
            "{'type': 'list', 'column': 'country', 'default': false}",
            "is a partition for other rows",
        ),
    ];
    for (before, after, said) in changes {
        bench.file("models/bets.sql", &model(before));
        bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
        // What is there fits.
        bench.run().ok();
        bench.file("models/bets.sql", &model(after));
        let refused = bench.run();
        assert!(refused.drawn.contains("'partition_by' of 'bets' is not how shop.bets is stored"), "{after}: {}", refused.drawn);
        assert!(refused.drawn.contains(said) && refused.drawn.contains("--full-refresh"), "{after}: {}", refused.drawn);
        assert_eq!(bench.query("select count(*) from shop.bets"), "2");
        bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
        bench.run().ok();
    }
    // The same in other words, values of other spellings, and partitions that somebody else has made.
    let lists = |values: &str| format!("{{'type': 'list', 'column': 'price', 'values': {{'one': {values}}}}}");
    bench.file("models/bets.sql", &model(&lists("[1.5, 2, none]")));
    bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
    bench.execute("create table shop.by_hand partition of shop.bets for values in (8, 9)");
    bench.file("models/bets.sql", &model(&lists("[2, none, '1.50']")));
    bench.run().ok();
    bench.run().ok();
    assert_eq!(bench.query("select count(*) from shop.bets where tableoid::regclass::text like '%__p_one_%'"), "3");
}

/// Who reads or writes the table waits for no more than a partition that is put in.
#[test]
fn partitions_are_made_before_rows_are_written() {
    let mut bench = Bench::new("postgres");
    let model = |config: &str, rows: &str| {
        format!(
            "{{{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge', {config} meta={{'partition_by': {{'type': 'range', 'column': 'day', 'every': 'month', 'ahead': 0}}}}) }}}}\n{rows}"
        )
    };
    bench.file("models/bets.sql", &model("", "select 1 as id, date '2026-01-05' as day union all select 2, null"));
    bench.run().ok();
    // What the transaction that writes rows has locked away from readers.
    bench.execute(
        "create table shop.seen (locked text);\n\
         create function shop.look() returns trigger language plpgsql as $$ begin insert into shop.seen \
         select coalesce(string_agg(relation::regclass::text, ' '), 'nothing') from pg_locks where mode = 'AccessExclusiveLock' and pid = pg_backend_pid() \
         and relation in (select inhrelid from pg_inherits where inhparent = 'shop.bets'::regclass union select 'shop.bets'::regclass); return null; end $$;\n\
         create trigger look after insert on shop.bets for each statement execute function shop.look()",
    );
    bench.file("models/bets.sql", &model("", "select 3 as id, date '2026-02-05' as day"));
    bench.run().ok();
    assert_eq!(bench.query("select locked from shop.seen"), "nothing");
    assert_eq!(bench.query("select count(*) from pg_inherits where inhparent = 'shop.bets'::regclass"), "4");
    // Somebody who reads for long holds it up, and is not disturbed; others come in between.
    let reading = bench.connect();
    let mut reading = reading;
    reading.execute("begin; select count(*) from shop.bets").unwrap();
    bench.file("models/bets.sql", &model("", "select 4 as id, date '2026-03-05' as day"));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| bench.run());
        while bench.query(
            "select count(*) from pg_locks where not granted and relation = (select oid from pg_class where relname ~ 'bets__p_rest')",
        ) == "0"
        {}
        reading.execute("commit").unwrap();
        run.join().unwrap().ok();
    });
    // In the way of hooks, which belong to the transaction, they are made within it.
    bench.file("models/bets.sql", &model("pre_hook='select 1',", "select 5 as id, date '2026-04-05' as day"));
    bench.run().ok();
    assert_eq!(bench.query("select count(*) from shop.bets where tableoid::regclass::text like '%p_2026_04%'"), "1");
    // What fails leaves nothing in the session, on which the next try finds the temporary table's name free.
    bench.execute("alter table shop.bets add constraint small check (id < 6)");
    bench.file("models/bets.sql", &model("", "select 6 as id, date '2026-05-05' as day"));
    let refused = bench.run();
    assert!(refused.drawn.contains("small"), "{}", refused.drawn);
    bench.execute("alter table shop.bets drop constraint small");
    bench.run().ok();
    assert_eq!(bench.leftovers(), "");
}

/// The partition for the rest may be the largest: nobody waits while it is looked through.
#[test]
fn a_large_partition_for_the_rest_is_looked_through_while_others_use_it() {
    let mut bench = Bench::new("postgres");
    let model = |rows: &str| {
        format!(
            "{{{{ config(materialized='incremental', meta={{'partition_by': {{'type': 'list', 'column': 'country', 'values': {{'isles': ['GB', 'IE'], 'south': 'ES'}}}}}}) }}}}\n{rows}"
        )
    };
    bench.file("models/bets.sql", &model("select 'GB' as country, 'x' as note"));
    bench.run().ok();
    bench.execute("insert into shop.bets select 'FR', repeat('x', 2000) from generate_series(1, 6000)");
    bench.file(
        "models/bets.sql",
        &model("select 'GB' as country, 'x' as note").replace("'south': 'ES'", "'south': 'ES', 'north': ['IS', 'NO', none]"),
    );
    // What a run left that was killed.
    bench.execute("do $$ begin execute format('alter table %s add constraint acca_rest check (country <> ''IS'') not valid', (select oid::regclass from pg_class where relname ~ 'bets__p_rest')); end $$");
    bench.run().ok();
    assert_eq!(bench.query("select count(*) from pg_constraint where conname = 'acca_rest'"), "0");
    assert!(partitions(&bench, "bets").contains("bets__p_north|IN ('IS', 'NO', NULL)|0"), "{}", partitions(&bench, "bets"));
    // Rows that are in it already do not move by themselves.
    bench.file(
        "models/bets.sql",
        &model("select 'GB' as country, 'x' as note")
            .replace("'south': 'ES'", "'south': 'ES', 'north': ['IS', 'NO', none], 'france': 'FR'"),
    );
    let refused = bench.run();
    assert!(refused.drawn.contains("are in the partition for other rows") && refused.drawn.contains("--full-refresh"), "{}", refused.drawn);
    assert_eq!(bench.query("select count(*) from pg_constraint where conname = 'acca_rest'"), "0");
    bench.run_how(&How { full_refresh: true, ..How::default() }).ok();
    bench.run().ok();
}

/// A constraint that stays would refuse rows of others.
#[test]
fn what_fails_leaves_no_constraint_on_the_partition_for_the_rest() {
    let mut bench = Bench::new("postgres");
    let model = |lists: &str| {
        format!(
            "{{{{ config(materialized='incremental', meta={{'partition_by': {{'type': 'list', 'column': 'country', 'values': {{{lists}}}}}}}) }}}}\nselect 'GB' as country, 'x' as note"
        )
    };
    bench.file("models/bets.sql", &model("'isles': 'GB'"));
    bench.run().ok();
    bench.execute("insert into shop.bets select 'FR', repeat('x', 2000) from generate_series(1, 6000)");
    bench.execute(
        "create function shop.refuse() returns event_trigger language plpgsql as $$ begin raise exception 'no more tables'; end $$;\n\
         create event trigger refuse on ddl_command_end when tag in ('CREATE TABLE') execute function shop.refuse()",
    );
    bench.file("models/bets.sql", &model("'isles': 'GB', 'north': 'IS'"));
    let refused = bench.run();
    bench.execute("drop event trigger refuse");
    assert!(refused.drawn.contains("no more tables"), "{}", refused.drawn);
    assert_eq!(bench.query("select count(*) from pg_constraint where conname = 'acca_rest'"), "0");
    bench.execute("insert into shop.bets values ('IS', 'y')");
}

#[test]
fn numbers_of_the_database_need_a_server_that_has_them_in_partitions() {
    let mut bench = Bench::new("postgres");
    bench
        .file("models/m.yml", "models:\n  - name: bets\n    columns: [{name: number, config: {meta: {identity: true}}}, {name: day}]\n")
        .file("models/bets.sql", "{{ config(materialized='table', meta={'partition_by': {'type': 'range', 'column': 'day', 'every': 'year'}}) }}\nselect date '2026-01-05' as day");
    let run = bench.run();
    if bench.query("show server_version_num").parse::<u32>().unwrap() >= 170_000 {
        run.ok();
        return;
    }
    let said = "column 'number' of 'bets' is an identity of a partitioned table, which PostgreSQL has from 17 on, and this server is";
    assert!(run.drawn.contains("error[unsupported-in-dialect]") && run.drawn.contains(said), "{}", run.drawn);
    assert!(run.drawn.contains("models/m.yml:3:"), "{}", run.drawn);
}
