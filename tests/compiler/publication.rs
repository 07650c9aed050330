//! Publication on PostgreSQL: what hangs on a replaced relation, who reads it meanwhile, and what others change at the same time.

use std::time::Duration;

use acca::plan::Status;

use crate::bench::{Bench, How};

/// What a replaced relation says of itself.
const RETIRED: &str = "acca: replaced, to be dropped when nothing reads it any more";

/// What readers hold on to: a view that acca does not know, and views on it.
#[test]
fn views_of_others_are_taken_along() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x, 'one' as name");
    bench.run().ok();
    bench.execute("create role reader; create schema theirs; create view theirs.v as select name, x from shop.a; create view theirs.w as select x + 1 as y from theirs.v; grant select on theirs.v to reader");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 2 as x, 'two' as name");
    bench.run().ok();
    assert_eq!(bench.query("select (select x from theirs.v), (select y from theirs.w)"), "2|3");
    assert_eq!(bench.query("select has_table_privilege('reader', 'theirs.v', 'select')"), "true", "bound in place, so the privilege stays");
    // Another type cannot be bound in place: the views are made anew.
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 3::bigint as x, 'three' as name");
    bench.run().ok();
    assert_eq!(bench.query("select (select x from theirs.v), (select y from theirs.w)"), "3|4");
    // A column that they read is gone: nothing is published, and the error names who reads it.
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 'four' as name");
    let ran = bench.run();
    assert_eq!(ran.status("a"), Status::Error);
    assert!(ran.drawn.contains("theirs.v"), "{}", ran.drawn);
    assert_eq!(bench.query("select (select x from shop.a), (select y from theirs.w)"), "3|4");
    assert_eq!(bench.leftovers(), "");
    bench.execute("drop owned by reader; drop role reader");
}

/// What was granted, said and set about a relation stays when it is replaced, and so it does with the views that read it.
#[test]
fn a_replaced_relation_keeps_what_was_set_about_it() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x, 'one' as name, 0 as gone");
    bench.run().ok();
    bench.execute(
        "create role clerk; grant select on shop.a to clerk with grant option; grant update (name) on shop.a to clerk; grant select (gone) on shop.a to public; \
         comment on table shop.a is 'it''s ours'; comment on column shop.a.x is 'a number'; alter table shop.a set (fillfactor = 70); \
         alter table shop.a enable row level security; create policy mine on shop.a for select to clerk using (x > 0); \
         create schema their; create view their.v with (security_barrier = true) as select x, name from shop.a; grant select on their.v to clerk; comment on view their.v is 'theirs'; \
         create view their.both as select v.x, a.name from their.v join shop.a on a.x = v.x",
    );
    let settings = "select relname, relacl::text, reloptions::text, relrowsecurity, obj_description(oid, 'pg_class'), col_description(oid, 1), \
                    (select string_agg(polname || pg_get_expr(polqual, polrelid), ',') from pg_policy where polrelid = pg_class.oid), \
                    (select string_agg(attname || attacl::text, ',') from pg_attribute where attrelid = pg_class.oid and attname <> 'gone') \
                    from pg_class where relname in ('a', 'v', 'both', 'm') and relkind in ('r', 'v', 'm') order by 1";
    let before = bench.query(settings);
    assert!(
        before.contains("clerk=r*/") && before.contains("name{clerk=w") && before.contains("it's ours") && before.contains("(x > 0)"),
        "{before}"
    );
    // Bound in place, then made anew because a type has changed; in both a column goes.
    for sql in ["select 2 as x, 'two' as name", "select 3::bigint as x, 'three' as name", "select 4::bigint as x, 'four' as name"] {
        bench.file("models/a.sql", &format!("{{{{ config(materialized='table') }}}} {sql}"));
        bench.run().ok();
        assert_eq!(bench.query(settings), before, "{sql}");
    }
    assert_eq!(bench.query("select x, name from their.both"), "4|four");
    // A materialized view has indexes, too.
    bench.execute("create materialized view their.m as select x from shop.a; create unique index mx on their.m (x)");
    bench.run().ok();
    assert_eq!(
        bench.query("select indexdef from pg_indexes where schemaname = 'their'"),
        "CREATE UNIQUE INDEX mx ON their.m USING btree (x)"
    );
    // A view in place of the table: what is said of tables only does not fit it.
    bench.execute("drop policy mine on shop.a; alter table shop.a disable row level security");
    bench.file("models/a.sql", "{{ config(materialized='view') }} select 5::bigint as x, 'five' as name");
    bench.run().ok();
    assert_eq!(bench.query("select x, name from their.both"), "5|five");
    assert_eq!(
        bench.query("select has_table_privilege('clerk', 'shop.a', 'select with grant option'), obj_description('shop.a'::regclass)"),
        "true|it's ours"
    );
    assert_eq!(bench.leftovers(), "");
    bench.execute("drop owned by clerk; drop role clerk");
}

/// The owner of a view changes it while the table below is being built: the change stays.
#[test]
fn a_view_that_changes_during_a_build_stays_changed() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x");
    bench.run().ok();
    bench.execute("create view public.theirs as select x from shop.a");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 2 as x from pg_sleep(1.5)");
    std::thread::scope(|scope| {
        let running = scope.spawn(|| bench.run().ok());
        std::thread::sleep(Duration::from_millis(700));
        bench.execute("create or replace view public.theirs as select x + 10 as x from shop.a");
        running.join().unwrap();
    });
    assert_eq!(bench.query("select x from public.theirs"), "12");
}

/// Somebody else's change of a view is not committed yet when the table below is published: it is waited for.
#[test]
fn a_change_of_a_view_that_is_under_way_is_not_lost() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x");
    bench.run().ok();
    bench.execute("create view public.theirs as select x from shop.a; create view public.above as select x from public.theirs");
    // Bound in place, and made anew.
    for (sql, options) in [("select 2 as x", "security_barrier=true"), ("select 3::bigint as x", "security_barrier=false")] {
        bench.file("models/a.sql", &format!("{{{{ config(materialized='table') }}}} {sql}"));
        let mut owner = bench.connect();
        owner.execute(&format!("begin; alter view public.theirs set ({options}); comment on view public.above is '{options}'; alter view public.above set ({options})")).unwrap();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| bench.run().ok());
            std::thread::sleep(Duration::from_millis(900));
            owner.execute("commit").unwrap();
            running.join().unwrap();
        });
        let held = bench.query("select relname, reloptions::text, obj_description(oid, 'pg_class') from pg_class where relname in ('theirs', 'above') order by 1");
        assert_eq!(held, format!("above|{{{options}}}|{options}\ntheirs|{{{options}}}|NULL"), "{sql}");
    }
}

/// Tables that one view reads are replaced by several workers at once, and are built at the same time all the same.
#[test]
fn a_view_over_many_tables_of_a_run_is_no_bottleneck_and_no_deadlock() {
    let mut bench = Bench::new("postgres");
    let names = ["a", "b", "c", "d"];
    let write = |bench: &mut Bench, value: i32| {
        for name in names {
            bench.file(
                &format!("models/{name}.sql"),
                &format!("{{{{ config(materialized='table') }}}} select {value} as x, clock_timestamp() as built_at from pg_sleep(0.4)"),
            );
        }
    };
    write(&mut bench, 0);
    bench.run().ok();
    // Each view reads what the others are bound to at that moment.
    for name in ["one", "two", "three"] {
        bench.execute(&format!("create view public.{name} as select a.x + b.x + c.x + d.x as x from shop.d, shop.c, shop.b, shop.a"));
    }
    bench.execute("create view public.more as select one.x + d.x as x from public.one, shop.d");
    for value in 1..6 {
        write(&mut bench, value);
        bench.run().ok();
        // One after the other they would be 1.2 seconds apart.
        let apart = "select max(built_at) - min(built_at) < interval '1 second' from (select built_at from shop.a union all select built_at from shop.b \
                     union all select built_at from shop.c union all select built_at from shop.d) built";
        assert_eq!(bench.query(apart), "true", "they are built one after the other");
        assert_eq!(bench.query("select one.x, more.x from public.one, public.more"), format!("{}|{}", 4 * value, 5 * value));
    }
    assert_eq!(bench.leftovers(), "");
}

/// Somebody reads one table for long: only that table waits.
#[test]
fn a_slow_reader_holds_up_nothing_else() {
    let mut bench = Bench::new("postgres");
    let write = |bench: &mut Bench, value: i32| {
        for name in ["a", "b"] {
            bench.file(&format!("models/{name}.sql"), &format!("{{{{ config(materialized='table') }}}} select {value} as x"));
        }
    };
    write(&mut bench, 1);
    bench.run().ok();
    bench.execute("create view public.both as select a.x + b.x as x from shop.a, shop.b");
    write(&mut bench, 2);
    let mut reader = bench.connect();
    reader.execute("begin; select * from shop.a").unwrap();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| bench.run().ok());
        let began = std::time::Instant::now();
        while bench.query("select x from shop.b") != "2" {
            assert!(began.elapsed() < Duration::from_secs(20), "it waits for the reader of another table");
            std::thread::sleep(Duration::from_millis(100));
        }
        // Who comes later is not kept waiting for ever, either.
        assert_eq!(bench.query("select x from shop.a"), "1");
        reader.execute("commit").unwrap();
        running.join().unwrap();
    });
    assert_eq!(bench.query("select x from public.both"), "4");
}

/// An interrupt ends the waiting, too.
#[test]
fn a_publication_that_waits_can_be_stopped() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x");
    bench.run().ok();
    let mut reader = bench.connect();
    reader.execute("begin; select * from shop.a").unwrap();
    let interrupt = std::sync::Arc::new(acca::execute::Interrupt::default());
    let raised = interrupt.clone();
    let finger = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1000));
        raised.raise();
    });
    let began = std::time::Instant::now();
    let ran = bench.run_how(&How { interrupt: Some(interrupt), ..How::default() });
    finger.join().unwrap();
    assert!(ran.result.interrupted && began.elapsed() < Duration::from_secs(6), "{:?}", ran.statuses());
    reader.execute("commit").unwrap();
    assert_eq!((bench.query("select x from shop.a"), bench.leftovers()), ("1".to_owned(), String::new()));
    assert_eq!(bench.query("select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"), "0");
}

/// A column goes out of a table and out of the project's view that read it, in one run.
#[test]
fn views_of_the_run_keep_reading_until_their_turn() {
    let mut bench = Bench::new("postgres");
    bench
        .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x, 2 as y")
        .file("models/v.sql", "select x, y from {{ ref('a') }}")
        .file("models/w.sql", "select x from {{ ref('v') }}");
    bench.run().ok();
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 10 as x").file("models/v.sql", "select x from {{ ref('a') }}");
    bench.run().ok();
    assert_eq!(bench.query("select x from shop.w"), "10");
    assert_eq!(bench.leftovers(), "");
    // The view fails: it goes on reading the table that it was made for, and a warning says so.
    bench
        .file("models/a.sql", "{{ config(materialized='table') }} select 'ten' as name")
        .file("models/v.sql", "select x from {{ ref('a') }}");
    let ran = bench.run();
    assert_eq!((ran.status("a"), ran.status("v")), (Status::Success, Status::Error));
    assert!(ran.drawn.contains("warning[leftover]"), "{}", ran.drawn);
    assert_eq!(bench.query("select x from shop.w"), "10");
    // Mended: the next run clears what was left.
    bench.file("models/v.sql", "select name as x from {{ ref('a') }}");
    bench.run().ok();
    assert_eq!((bench.query("select x from shop.w"), bench.leftovers()), ("ten".to_owned(), String::new()));
}

#[test]
fn two_runs_do_not_build_one_relation_at_a_time() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "select 1 as x").file("models/b.sql", "select 2 as x");
    bench.run().ok();
    let mut other = bench.connect();
    other.query("select pg_advisory_lock(hashtextextended('acca: shop.a', 0)), pg_advisory_lock_shared(hashtextextended('acca: the whole database', 0))", None).unwrap();
    let refused = bench.run();
    assert!(refused.drawn.contains("error[run-conflict]: another run is building shop.a in this database"), "{}", refused.drawn);
    assert!(refused.result.nodes.is_empty(), "{:?}", refused.statuses());
    bench.run_how(&How { only: Some(|node| node.name == "b"), ..How::default() }).ok();
    drop(other);
    bench.run().ok();
}

/// A privilege that is being granted on a view takes no lock on it: the engine refuses the change of the view, and it is tried again.
#[test]
fn a_privilege_that_is_being_granted_is_not_lost() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x");
    bench.run().ok();
    bench.execute("create view public.theirs as select x from shop.a; create role latecomer; create role straggler");
    for (sql, role) in [("select 2 as x", "latecomer"), ("select 3::bigint as x", "straggler")] {
        bench.file("models/a.sql", &format!("{{{{ config(materialized='table') }}}} {sql}"));
        let mut owner = bench.connect();
        owner.execute(&format!("begin; grant select on public.theirs to {role}")).unwrap();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| bench.run().ok());
            std::thread::sleep(Duration::from_millis(900));
            owner.execute("commit").unwrap();
            running.join().unwrap();
        });
        assert_eq!(
            bench.query(&format!("select has_table_privilege('{role}', 'public.theirs', 'select'), x from public.theirs")),
            format!("true|{}", &sql[7..8])
        );
    }
    bench.execute("drop owned by latecomer, straggler; drop role latecomer, straggler");
}

#[test]
fn rows_that_policies_hide_are_not_published_in_a_view() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x");
    bench.run().ok();
    bench.execute(
        "alter table shop.a enable row level security; create policy none on shop.a using (x > 1); grant select on shop.a to public",
    );
    bench.file("models/a.sql", "{{ config(materialized='view') }} select 1 as x");
    let ran = bench.run();
    assert_eq!(ran.status("a"), Status::Error);
    assert!(ran.drawn.contains("error[unsafe-publication]") && ran.drawn.contains("models/a.sql:1"), "{}", ran.drawn);
    assert_eq!(bench.query("select relkind::text, relrowsecurity from pg_class where oid = 'shop.a'::regclass"), "r|true");
    assert_eq!(bench.leftovers(), "");
    bench.execute("alter table shop.a disable row level security");
    bench.run().ok();
    assert_eq!(bench.query("select relkind::text from pg_class where oid = 'shop.a'::regclass"), "v");
}

/// A view of the run above somebody else's view, which has to be made anew.
#[test]
fn views_of_the_run_above_views_of_others_go_along() {
    let mut bench = Bench::new("postgres");
    bench
        .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x, 2 as y")
        .file("models/v.sql", "select x from {{ ref('a') }}");
    bench.run().ok();
    bench.execute("create schema theirs; create view theirs.e as select x from shop.a");
    bench.file("models/v.sql", "select a.x, e.x as e from {{ ref('a') }} as a join theirs.e on true");
    bench.run().ok();
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 5::bigint as x, 2 as y");
    bench.run().ok();
    assert_eq!((bench.query("select x, e from shop.v"), bench.leftovers()), ("5|5".to_owned(), String::new()));
    let script = std::fs::read_to_string(bench.folder.path().join("target/run/shop/models/a.sql")).unwrap();
    assert!(script.contains("-- refused with 42P16") && script.contains("-- drop view \""), "{script}");
}

/// What hangs on a table besides privileges: it works on as before.
#[test]
fn triggers_publications_and_statistics_stay() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x, 'one' as name");
    bench.run().ok();
    bench.execute(
        "create function shop.stop() returns trigger language plpgsql as 'begin raise exception ''no''; end'; \
         create trigger stops before delete on shop.a for each statement execute function shop.stop(); \
         create trigger sleeps before insert on shop.a for each row execute function shop.stop(); alter table shop.a disable trigger sleeps; \
         create rule quiet as on update to shop.a do instead nothing; alter table shop.a replica identity full; \
         alter table shop.a set (toast.autovacuum_enabled = false); create statistics shop.pair on x, name from shop.a; create publication out for table shop.a (x) where (x > 0)",
    );
    let held = "select (select string_agg(tgname || tgenabled::text, ',' order by tgname) from pg_trigger where tgrelid = 'shop.a'::regclass), \
                (select string_agg(rulename, ',') from pg_rules where tablename = 'a'), (select relreplident::text from pg_class where oid = 'shop.a'::regclass), \
                (select reloptions::text from pg_class where oid = (select reltoastrelid from pg_class where oid = 'shop.a'::regclass)), \
                (select string_agg(statistics_name, ',') from pg_stats_ext where tablename = 'a'), \
                (select string_agg(attnames::text || rowfilter, ',') from pg_publication_tables where pubname = 'out')";
    bench.execute("analyze shop.a");
    let before = bench.query(held);
    assert_eq!(before, "sleepsD,stopsO|quiet|f|{autovacuum_enabled=false}|pair|{x}(x > 0)");
    bench.file("models/v.sql", "select x from {{ ref('a') }}");
    for value in [2, 3] {
        bench.file("models/a.sql", &format!("{{{{ config(materialized='table') }}}} select {value} as x, 'one' as name"));
        bench.run().ok();
        assert_eq!(bench.query(held), before);
    }
    bench.execute("drop publication out");
}

/// What is no view cannot be taken along: the engine says what it is.
#[test]
fn what_else_holds_on_to_a_table_is_named() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x");
    bench.run().ok();
    bench.execute("create function public.first() returns integer language sql begin atomic select x from shop.a; end");
    let ran = bench.run();
    assert_eq!(ran.status("a"), Status::Error);
    assert!(
        ran.drawn.contains("function public.first() depends on table shop.a") || ran.drawn.contains("function first() depends on"),
        "{}",
        ran.drawn
    );
    assert!(ran.drawn.contains("is no view") && !ran.drawn.contains("__acca"), "{}", ran.drawn);
    assert_eq!((bench.query("select public.first()"), bench.leftovers()), ("1".to_owned(), String::new()));
}

/// A post-hook looks for an index by name while views of the run still read the replaced table.
#[test]
fn a_retired_table_gives_up_the_names_of_its_indexes() {
    let mut bench = Bench::new("postgres");
    bench
        .file(
            "models/a.sql",
            "{{ config(materialized='table', post_hook='create index if not exists by_x on {{ this }} (x)') }} select 1 as x",
        )
        .file("models/v.sql", "select x from {{ ref('a') }}");
    for _ in 0..2 {
        bench.run().ok();
        assert_eq!(bench.query("select indexname from pg_indexes where schemaname = 'shop' and tablename = 'a'"), "by_x");
    }
}

/// The owner of the replaced table may make nothing in the schema, so the new one belongs to who built it.
#[test]
fn an_owner_that_cannot_be_kept_stops_nothing() {
    let mut bench = Bench::new("postgres");
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x");
    bench.run().ok();
    bench.execute("create role keeper; create role builder; grant keeper to builder; grant usage, create on schema shop to builder; alter table shop.a owner to keeper");
    let profile = bench.profile();
    bench.file("profiles.yml", &profile.replace("threads: 4", "threads: 4, role: builder"));
    bench.reopen();
    bench.run().ok();
    let owner = "select pg_get_userbyid(relowner) from pg_class where relname = 'a' and relkind = 'r'";
    assert_eq!(bench.query(owner), "builder");
    bench.file("profiles.yml", &profile);
    bench.reopen();
    bench.run().ok();
    assert_eq!(bench.query(owner), "builder", "a role that may own it keeps it");
    bench.execute("reassign owned by builder to acca; drop owned by builder, keeper; drop role builder, keeper");
}

#[test]
fn names_are_told_apart_as_the_engine_does() {
    let mut bench = Bench::new("postgres");
    bench.file("models/orders.sql", "{{ config(materialized='table') }} select 1 as x");
    bench.file("models/i.sql", "{{ config(materialized='incremental', on_schema_change='append_new_columns') }} select 1 as x");
    bench
        .file("models/Upper.sql", "{{ config(materialized='table') }} select 1 as x")
        .file("models/u.sql", "select x from {{ ref('Upper') }}");
    bench.run_how(&How { only: Some(|node| node.name == "i"), ..How::default() }).ok();
    bench.execute("create table shop.\"Orders\" as select 7 as y");
    bench.file("models/i.sql", "{{ config(materialized='incremental', on_schema_change='append_new_columns') }} select 2 as x, 3 as \"X\"");
    bench.run().ok();
    assert_eq!(bench.query("select (select x from shop.orders), (select y from shop.\"Orders\")"), "1|7");
    assert_eq!(bench.query("select x, \"X\" from shop.i order by 1"), "1|NULL\n2|3");
    // What is left under a name with capitals is found again.
    bench
        .file("models/Upper.sql", "{{ config(materialized='table') }} select 'a' as x")
        .file("models/u.sql", "select nothing from {{ ref('Upper') }}");
    assert_eq!(bench.run().status("u"), Status::Error);
    assert!(!bench.leftovers().is_empty());
    bench.file("models/u.sql", "select x from {{ ref('Upper') }}");
    bench.run().ok();
    assert_eq!(bench.leftovers(), "");
}

/// Failing rows are kept in tables that runs share: one run at a time, and nothing of an earlier one stays.
#[test]
fn tables_of_failing_rows_are_built_like_others() {
    let mut bench = Bench::new("postgres");
    bench
        .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x")
        .file("tests/kept.sql", "{{ config(store_failures=true) }} select * from {{ ref('a') }}");
    bench.run();
    let mut other = bench.connect();
    other.query("select pg_advisory_lock(hashtextextended('acca: shop_dbt_test__audit.kept', 0))", None).unwrap();
    let only: fn(&acca::project::Node) -> bool = |node| node.name == "kept";
    let refused = bench.run_how(&How { only: Some(only), ..How::default() });
    assert!(refused.drawn.contains("another run is building shop_dbt_test__audit.kept"), "{}", refused.drawn);
    drop(other);
    bench.execute("create table shop_dbt_test__audit.kept__acca_old_12345678 (x integer)");
    bench.execute(&format!("comment on table shop_dbt_test__audit.kept__acca_old_12345678 is '{RETIRED}'"));
    bench.run_how(&How { only: Some(only), ..How::default() });
    assert_eq!(bench.leftovers(), "");
}

/// A failing test's view reads a column that goes: it waits for its test, as views of the run do.
#[test]
fn a_view_of_failing_rows_does_not_hold_up_the_table() {
    let mut bench = Bench::new("postgres");
    bench
        .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x, 2 as y")
        .file("tests/kept.sql", "{{ config(store_failures_as='view') }} select x, y from {{ ref('a') }}");
    bench.run();
    bench
        .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x")
        .file("tests/kept.sql", "{{ config(store_failures_as='view') }} select x from {{ ref('a') }}");
    let ran = bench.run();
    assert_eq!((ran.status("a"), ran.status("kept")), (Status::Success, Status::Fail), "{}", ran.drawn);
    assert_eq!(bench.leftovers(), "");
}

/// A name alone is no reason to drop something.
#[test]
fn relations_of_others_stay_whatever_they_are_called() {
    for mut bench in Bench::both() {
        bench.file("models/a.sql", "{{ config(materialized='table') }} select 1 as x").file("models/v.sql", "select x from {{ ref('a') }}");
        bench.run().ok();
        bench.execute("create table shop.a__acca_old_mine as select 7 as x");
        bench.execute("create table shop.a__acca_old_12345678 as select 8 as x");
        bench.run().ok();
        bench.run().ok();
        let held = "select (select x from shop.a__acca_old_mine), (select x from shop.a__acca_old_12345678)";
        assert_eq!(bench.query(held), "7|8", "{}", bench.engine);
        assert_eq!(bench.leftovers(), "a__acca_old_12345678\na__acca_old_mine");
    }
}

/// Somebody reads the replaced table when the run is over: the next run drops it.
#[test]
fn a_run_does_not_wait_for_readers_of_what_it_drops() {
    let mut bench = Bench::new("postgres");
    bench
        .file("models/a.sql", "{{ config(materialized='table') }} select 1 as x")
        .file("models/v.sql", "{{ config(pre_hook='select pg_sleep(1.5)') }} select x from {{ ref('a') }}");
    bench.run().ok();
    bench.file("models/a.sql", "{{ config(materialized='table') }} select 'one' as x");
    let mut reader = bench.connect();
    let ran = std::thread::scope(|scope| {
        let running = scope.spawn(|| bench.run());
        let began = std::time::Instant::now();
        while bench.leftovers().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing was replaced");
            std::thread::sleep(Duration::from_millis(50));
        }
        reader.execute(&format!("begin; select * from shop.{}", bench.leftovers())).unwrap();
        running.join().unwrap()
    });
    let [note] = ran.result.diagnostics.as_slice() else { panic!("{:?}", ran.result.diagnostics) };
    assert!(!ran.result.failed() && note.severity == acca::diag::Severity::Note, "{note:?}");
    assert_eq!(note.message, "the replaced table shop.a__acca_old_run00002 is still in use, so it is left for the next run to drop");
    assert_eq!(bench.query("select x from shop.v"), "one");
    reader.execute("commit").unwrap();
    bench.run().ok();
    assert_eq!(bench.leftovers(), "");
}

/// A partitioned table refers to the one that is replaced: its key is given anew, or nothing is published and nothing lost.
#[test]
fn keys_of_partitioned_tables_are_given_anew() {
    let mut bench = Bench::new("postgres");
    let write = |bench: &mut Bench, rows: &str| {
        let config = "{{ config(materialized='table', indexes=[{'columns': ['x'], 'unique': true}]) }}";
        bench.file("models/a.sql", &format!("{config} select * from (values {rows}) as given (x)"));
    };
    write(&mut bench, "(1), (2)");
    bench.run().ok();
    bench.execute(
        "create schema theirs; create table theirs.p (x integer constraint to_a references shop.a (x), y integer) partition by list (y); \
         create table theirs.p1 partition of theirs.p for values in (1); insert into theirs.p values (2, 1)",
    );
    bench.run().ok();
    let keys = "select conname, conrelid::regclass::text, confrelid::regclass::text, convalidated from pg_constraint where contype = 'f' order by 2";
    assert_eq!(bench.query(keys), "to_a|theirs.p|shop.a|true\nto_a|theirs.p1|shop.a|true");
    write(&mut bench, "(1), (3)");
    let ran = bench.run();
    assert_eq!(ran.status("a"), Status::Error);
    let told = "error[unsafe-publication]: 'a' is not published: rows of theirs.p refer to rows that shop.a would no longer have";
    assert!(ran.drawn.contains(told) && ran.drawn.contains("Key (x)=(2) is not present"), "{}", ran.drawn);
    assert_eq!(bench.query("select string_agg(x::text, ',' order by x) from shop.a"), "1,2");
    assert_eq!(bench.query(keys), "to_a|theirs.p|shop.a|true\nto_a|theirs.p1|shop.a|true");
    bench.execute("delete from theirs.p");
    bench.run().ok();
    assert_eq!(
        (bench.query("select string_agg(x::text, ',' order by x) from shop.a"), bench.leftovers()),
        ("1,3".to_owned(), String::new())
    );
}
