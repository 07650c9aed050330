//! What cannot be loaded, or goes wrong meanwhile: it says why, and nothing half-made stays.

use super::*;

#[test]
fn above_the_limit_nothing_of_the_file_stays_but_its_rejects() {
    on_both(&Landing { max_rejects: 1, ..csv() }, |source, folder| {
        let good = write(folder, "f.csv", b"id,name\n1,a\nx,b\n");
        assert!(matches!(source.load(&good), Ok(LoadOutcome::Loaded(loaded)) if loaded.rejected == 1));
        let bad = write(folder, "f.csv", b"id,name\n5,e\ny,b\n6,toolong\n7\n8,h\n");
        let error = source.load(&bad).unwrap_err();
        assert_eq!(error.to_string(), "'data/f.csv' has 3 malformed rows and may have 1; nothing of it is loaded");
        assert_eq!(
            error.details(),
            [
                "data/f.csv:3: column 'id': 'y' is not an integer (integer)",
                "data/f.csv:4: column 'name': 'toolong' has 7 characters and may have 5 (varchar(5))",
                "data/f.csv:5: the row has 1 value and must have 2",
                "all of them are in the table 'raw.t__rejects'",
                "correct the file, or raise 'max_rejects' of the source's landing",
            ]
        );
        // The version that was loaded before is still there, and is what the manifest tells of.
        assert_eq!(source.table_text(), ["1|a"]);
        assert_eq!(manifest(source), ["data/f.csv|16|1|1|run-1|64"]);
        assert_eq!(source.rejects_text().len(), 3);
        write(folder, "f.csv", b"id,name\n5,e\n");
        assert!(matches!(source.load(&bad), Ok(LoadOutcome::Loaded(loaded)) if loaded.replaced));
        assert_eq!(source.table_text(), ["5|e"]);
        assert_eq!(source.rejects_text(), [""; 0]);
    });
}

#[test]
fn files_that_cannot_be_loaded_say_why_and_leave_nothing() {
    let whole = gzip(&b"id,name\n1,a\n".repeat(20_000));
    let cases: Vec<(&str, Vec<u8>, Landing, &str)> = vec![
        (
            "f.csv",
            b"id,nam\n1,a\n".to_vec(),
            csv(),
            "does not fit its declaration: its column 'nam' is not declared, it lacks the declared column 'name'",
        ),
        ("f.csv", b"id,name,id\n1,a,1\n".to_vec(), csv(), "it has the column 'id' twice"),
        ("f.csv", b"".to_vec(), csv(), "the file has no header row"),
        ("f.csv", b"\"id\"x,name\n".to_vec(), csv(), "the header row (line 1) is broken"),
        ("f.csv.gz", whole[..whole.len() - 20].to_vec(), csv(), "the gzip data breaks off"),
        ("f.csv.gz", b"id,name\n1,a\n2,b\n3,c\n".to_vec(), csv(), "no valid gzip data"),
        ("f.csv", b"x".to_vec(), Landing { encoding: "latin-99".to_owned(), ..csv() }, "the encoding 'latin-99' is not known"),
    ];
    for (name, bytes, landing, expected) in cases {
        on_both(&landing, |source, folder| {
            let path = write(folder, name, &bytes);
            let error = source.load(&path).unwrap_err();
            assert!(matches!(&error, LoadError::File { .. }) && error.to_string().contains(expected), "{error}");
            assert_eq!((source.table_text(), manifest(source)), (Vec::new(), Vec::new()), "{expected}");
        });
    }
    on_both(&csv(), |source, folder| {
        let error = source.load(&folder.join("missing.csv")).unwrap_err();
        assert!(error.to_string().contains("'data/f.csv' cannot be loaded: No such file"), "{error}");
    });
}

/// Opens the table under another declaration; what is said when that is refused.
fn open_declared(source: &mut Source<'_>, declared: &[LoadColumn], refresh: Option<Refresh<'_>>) -> Result<(), String> {
    let (relation, landing) = (&source.table, source.landing);
    let raw = RawTable { source: "source.shop.raw.t", relation, columns: declared, landing, run_id: "run-1" };
    let opened = Loader::open(&mut *source.session, source.engine, raw, refresh, &|| false);
    opened.map(|_| ()).map_err(|error| format!("{error}\n{}", error.details().join("\n")))
}

fn names_of_columns(source: &mut Source<'_>) -> Vec<String> {
    source.session.columns(&source.table).unwrap().into_iter().map(|column| column.name).collect()
}

#[test]
fn a_raw_table_that_differs_from_its_declaration_is_made_anew_when_nothing_is_lost() {
    on_both(&csv(), |source, folder| {
        let other = columns(&["id bigint", "\"Name\" varchar(5)"]);
        let [none, one, both] = [&[][..], &["f.csv"], &["f.csv", "g.csv"]].map(|names| present(folder, names));
        fn refresh(files: &[LandingFile], prune: bool) -> Option<Refresh<'_>> {
            Some(Refresh { files, buckets: None, prune })
        }
        let message = open_declared(source, &other, None).unwrap_err();
        assert!(message.contains("its column 'id' is") && message.contains("lacks the column 'Name'"), "{message}");
        assert!(message.contains("its column 'name' is not declared") && message.contains("with --full-refresh"), "{message}");
        // Nothing was ever loaded into it.
        open_declared(source, &other, refresh(&none, false)).unwrap();
        assert_eq!(names_of_columns(source), ["id", "Name", "_acca_file", "_acca_loaded_at"]);
        open_declared(source, source.columns, refresh(&none, false)).unwrap();
        for name in ["f.csv", "g.csv"] {
            let path = write(folder, name, b"id,name\n1,a\n");
            source.load_as(&path, name).unwrap();
        }
        let message = open_declared(source, &other, refresh(&one, false)).unwrap_err();
        assert!(message.contains("came from files that are gone and cannot be loaded anew: 'g.csv'\n"), "{message}");
        assert!(!message.contains("'f.csv'") && message.contains("--prune"), "{message}");
        assert_eq!(source.table_text(), ["1|a", "1|a"]);
        assert_eq!(manifest(source).len(), 2);
        open_declared(source, &other, refresh(&both, false)).unwrap();
        assert_eq!((names_of_columns(source)[1].as_str(), manifest(source).len()), ("Name", 0));
        open_declared(source, source.columns, refresh(&none, false)).unwrap();
        source.load_as(&folder.join("g.csv"), "g.csv").unwrap();
        open_declared(source, &other, refresh(&none, true)).unwrap();
        assert_eq!((names_of_columns(source)[1].as_str(), manifest(source).len()), ("Name", 0));
    });
}

#[test]
fn a_raw_table_of_somebody_else_is_never_dropped() {
    on_both(&csv(), |source, _| {
        for (made, rows) in [
            ("create table raw.t (id integer, name varchar(10))", "select 7, 'theirs' where false"),
            ("create table raw.t (id integer, name varchar(10))", "select 7, 'theirs'"),
            // Without its entries in the manifest a table of acca's own is as good as somebody else's.
            ("create table raw.t (id integer, _acca_file text, _acca_loaded_at timestamptz)", "select 7, 'f.csv', null"),
        ] {
            source.session.execute("drop table raw.t").unwrap();
            source.session.execute(made).unwrap();
            let rows = source.session.execute(&format!("insert into raw.t {rows}")).unwrap();
            for refresh in [None, Some(false), Some(true)] {
                let refresh = refresh.map(|prune| Refresh { files: &[], buckets: None, prune });
                let message = open_declared(source, source.columns, refresh).unwrap_err();
                assert!(message.contains("others may have made it: it is not dropped"), "{message}");
                assert!(!message.contains("--full-refresh"), "{message}");
            }
            assert_eq!(source.rows("select count(*) from raw.t"), [[Datum::Int(i64::try_from(rows).unwrap())]]);
        }
    });
}

#[test]
fn a_refresh_drops_no_rows_for_a_declaration_that_a_file_does_not_fit() {
    let csv = ("f.csv", csv_without_rejects(), "id,name\n1,a\n", "its column 'name' is not declared, it lacks the declared column 'names'");
    let text = "{\"id\":1,\"name\":\"a\"}\n";
    let ndjson = ("f.json", Landing { format: FileFormat::Ndjson, ..csv_without_rejects() }, text, "f.json:1: the key 'name' is not a");
    for (name, landing, text, expected) in [csv, ndjson] {
        on_both(&landing, |source, folder| {
            let path = write(folder, name, text.as_bytes());
            source.load_as(&path, name).unwrap();
            let before = manifest(source);
            let files = present(folder, &[name]);
            for prune in [false, true] {
                let refresh = Some(Refresh { files: &files, buckets: None, prune });
                let message = open_declared(source, &columns(&["id integer", "names varchar(5)"]), refresh).unwrap_err();
                assert!(message.contains(expected), "{message}");
                // What the first rows say counts too.
                let message = open_declared(source, &columns(&["id integer", "name date"]), refresh).unwrap_err();
                assert!(message.contains("column 'name': 'a' is not a date"), "{message}");
                assert_eq!((source.table_text(), manifest(source)), (vec!["1|a".to_owned()], before.clone()));
            }
            let refresh = Some(Refresh { files: &files, buckets: None, prune: false });
            let wider = columns(&["id bigint", "name text"]);
            if source.engine == Engine::Postgres {
                source.session.execute("create view raw.v as select * from raw.t").unwrap();
                let message = open_declared(source, &wider, refresh).unwrap_err();
                assert!(message.contains("raw.v'\ndrop them, load again with --full-refresh") && !message.contains("CASCADE"), "{message}");
                source.session.execute("drop view raw.v").unwrap();
            }
            open_declared(source, &wider, refresh).unwrap();
            assert_eq!((source.table_text(), manifest(source)), (Vec::new(), Vec::new()));
        });
    }
    let engines = engines();
    for (engine, adapter, database) in &engines.list {
        let landing = Landing { format: FileFormat::Parquet, ..csv_without_rejects() };
        let declared = columns(&["id integer", "name varchar(5)"]);
        let mut source = Source::new(*engine, &**adapter, database, &declared, &landing);
        let path = engines.folder.path().join("f.parquet");
        let mut duckdb = DuckDb::open(MEMORY, None, &std::collections::BTreeMap::new()).unwrap().connect().unwrap();
        duckdb.execute(&format!("COPY (select 1::integer as id, 'a' as name) TO '{}' (FORMAT parquet)", path.display())).unwrap();
        source.load_as(&path, "f.parquet").unwrap();
        let files = present(engines.folder.path(), &["f.parquet"]);
        let refresh = Some(Refresh { files: &files, buckets: None, prune: false });
        for (other, expected) in
            [("names varchar(5)", "it lacks the declared column 'names'"), ("name date", "column 'name' is VARCHAR in")]
        {
            let message = open_declared(&mut source, &columns(&["id integer", other]), refresh).unwrap_err();
            assert!(message.starts_with("'f.parquet' cannot be loaded") && message.contains(expected), "{message}");
        }
        assert_eq!(source.table_text(), ["1|a"]);
    }
}

/// Names that an engine may take for patterns, for partitions or for a home folder.
#[test]
fn files_are_what_their_names_say_and_nothing_else() {
    const NAMES: [&str; 7] =
        ["a[1].csv", "a*.csv", "day?.csv", "id=9/name=wrong.csv", "name=x/~b.csv", "back\\slash[*].csv", "it's {1,2} $x.csv"];
    let engines = engines();
    for (engine, adapter, database) in &engines.list {
        for format in [FileFormat::Csv, FileFormat::Ndjson, FileFormat::Parquet] {
            let declared = columns(&["id bigint", "name text"]);
            let landing = Landing { format, ..csv() };
            let mut source = Source::new(*engine, &**adapter, database, &declared, &landing);
            source.session.execute("delete from raw.t").unwrap();
            source.session.execute("delete from _acca.load_manifest").unwrap();
            let folder = engines.folder.path().join(format!("{engine:?} {format:?}"));
            // What the names would match as patterns.
            for (number, name) in NAMES.into_iter().chain(["a1.csv", "ab.csv", "day1.csv", "back\\slash1.csv"]).enumerate() {
                let path = folder.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                match format {
                    FileFormat::Csv => std::fs::write(&path, format!("id,name\n{number},right\n")).unwrap(),
                    FileFormat::Ndjson => std::fs::write(&path, format!("{{\"id\": {number}, \"name\": \"right\"}}\n")).unwrap(),
                    FileFormat::Parquet => {
                        let plain = folder.join("plain.parquet");
                        let mut duckdb = DuckDb::open(MEMORY, None, &std::collections::BTreeMap::new()).unwrap().connect().unwrap();
                        let select = format!("select {number}::bigint as id, 'right' as name");
                        duckdb.execute(&format!("COPY ({select}) TO '{}' (FORMAT parquet)", plain.display())).unwrap();
                        std::fs::rename(plain, &path).unwrap();
                    }
                }
            }
            for (number, name) in NAMES.iter().enumerate() {
                let loaded = source.load_as(&folder.join(name), name);
                let Ok(LoadOutcome::Loaded(loaded)) = loaded else { panic!("{engine:?} {format:?} {name}: {loaded:?}") };
                // Not by the way round, which would hide that the engine misunderstands the name.
                let direct = *engine == Engine::DuckDb && format != FileFormat::Ndjson;
                assert_eq!((loaded.rows, loaded.direct), (1, direct), "{engine:?} {format:?} {name}");
                let rows = source.rows(&format!("select id, name from raw.t where _acca_file = '{}'", name.replace('\'', "''")));
                let expected = [Datum::Int(i64::try_from(number).unwrap()), Datum::Text("right".to_owned())];
                assert_eq!(rows, [expected], "{engine:?} {format:?} {name}");
            }
        }
    }
}

#[test]
fn a_load_that_is_interrupted_leaves_nothing() {
    on_both(&csv(), |source, folder| {
        let path = write(folder, "f.csv", format!("id,name\n{}", "1,a\n".repeat(200_000)).as_bytes());
        let asked = std::cell::Cell::new(0);
        let interrupted = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        let error = source.run(None, &interrupted, |loader, session| loader.load(session, &path, "data/f.csv")).unwrap_err();
        assert!(matches!(error, LoadError::Engine(AdapterError::Cancelled)), "{error}");
        assert_eq!((source.table_text(), manifest(source)), (Vec::new(), Vec::new()));
    });
}

#[test]
fn parquet_is_read_by_name_and_checked_alike() {
    let declared =
        columns(&["id bigint", "stake numeric(12,4)", "name varchar(3)", "at timestamptz", "ratio double precision", "day date"]);
    let landing = Landing { format: FileFormat::Parquet, max_rejects: 1, ..csv() };
    let engines = engines();
    let path = engines.folder.path().join("f.parquet");
    let write = |select: &str| {
        let mut duckdb = DuckDb::open(MEMORY, None, &std::collections::BTreeMap::new()).unwrap().connect().unwrap();
        duckdb.execute(&format!("COPY ({select}) TO '{}' (FORMAT parquet)", path.display())).unwrap();
    };
    let columns =
        "1.50::decimal(8,2) as \"STAKE\", timestamptz '2026-01-16 20:01:02.5+00' as at, 0.1::float as ratio, date '2026-01-16' as day";
    for (engine, adapter, database) in &engines.list {
        let mut source = Source::new(*engine, &**adapter, database, &declared, &landing);
        write(&format!(
            "select i as id, case i when 0 then 'a\"b' when 1 then '' when 2 then 'toolong' end as name, {columns} from range(4) t(i)"
        ));
        let outcome = source.load(&path);
        assert!(matches!(&outcome, Ok(LoadOutcome::Loaded(loaded)) if loaded.rows == 3), "{engine:?} {outcome:?}");
        // The digits of the 4-byte number in the file, widened.
        let rest = "1768593662500000|0.10000000149011612|2026-01-16";
        assert_eq!(
            source.table_text(),
            [format!("0|1.5000|a\"b|{rest}"), format!("1|1.5000||{rest}"), format!("3|1.5000|NULL|{rest}")],
            "{engine:?}"
        );
        assert_eq!(source.rejects_text().len(), 1, "{engine:?}");
        assert!(
            source.rejects_text()[0].starts_with("data/f.csv|3|column 'name': 'toolong' has 7 characters"),
            "{:?}",
            source.rejects_text()
        );
        write(&format!("select i as id, 'x' as name, {columns} from range(3) t(i)"));
        let outcome = source.load(&path);
        let Ok(LoadOutcome::Loaded(loaded)) = outcome else { panic!("{engine:?} {outcome:?}") };
        assert_eq!((loaded.rows, loaded.replaced, loaded.direct), (3, true, *engine == Engine::DuckDb));
        assert_eq!(source.table_text()[0], format!("0|1.5000|x|{rest}"), "{engine:?}");
        write("select 1.5::double as stake, 1 as id, 'x' as name, now() as at, 1 as ratio, current_date as day");
        let error = source.load(&path).unwrap_err();
        assert!(error.to_string().contains("column 'stake' is DOUBLE in the file and numeric(12,4) in its declaration"), "{error}");
        assert_eq!(source.table_text().len(), 3);
    }
}

#[test]
fn several_sessions_load_at_the_same_time() {
    let engines = engines();
    let declared = columns(&["id integer", "name varchar(5)"]);
    let landing = csv();
    for (engine, adapter, database) in &engines.list {
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let (declared, landing, folder) = (&declared, &landing, engines.folder.path());
                scope.spawn(move || {
                    let mut session = adapter.connect().unwrap();
                    ensure_state(&mut *session, *engine).unwrap();
                    let table = Relation::new(database, "raw", &format!("t{}", worker % 2));
                    let source = format!("source.shop.raw.t{}", worker % 2);
                    let raw = RawTable { source: &source, relation: &table, columns: declared, landing, run_id: "run-1" };
                    let mut loader = Loader::open(&mut *session, *engine, raw, None, &|| false).unwrap();
                    for file in 0..5 {
                        let name = format!("{worker}_{file}.csv");
                        let path = write(folder, &name, format!("id,name\n{worker},x\nbad,x\n").as_bytes());
                        let outcome = loader.load(&mut *session, &path, &name);
                        assert!(matches!(outcome, Ok(LoadOutcome::Loaded(_))), "{engine:?} {outcome:?}");
                    }
                });
            }
        });
        let mut session = adapter.connect().unwrap();
        let counts = "select (select count(*) from raw.t0), (select count(*) from raw.t1), (select count(*) from _acca.load_manifest)";
        assert_eq!(session.query(counts, None).unwrap().rows, [[Datum::Int(10), Datum::Int(10), Datum::Int(20)]], "{engine:?}");
    }
}

#[test]
fn two_processes_that_load_one_file_load_it_once() {
    let engines = engines();
    let declared = columns(&["id integer", "name varchar(5)"]);
    let landing = csv();
    let (engine, adapter, database) = &engines.list[1];
    let path = write(engines.folder.path(), "f.csv", format!("id,name\n{}", "1,a\n".repeat(100_000)).as_bytes());
    drop(Source::new(*engine, &**adapter, database, &declared, &landing));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| Source::new(*engine, &**adapter, database, &declared, &landing).load(&path).unwrap());
        }
    });
    let mut source = Source::new(*engine, &**adapter, database, &declared, &landing);
    assert_eq!(source.rows("select count(*) from raw.t"), [[Datum::Int(100_000)]]);
}

#[test]
fn a_server_that_is_gone_in_the_middle_loses_nothing_and_keeps_nothing() {
    let server = PgServer::start();
    let database = server.database();
    let declared = columns(&["id integer", "name varchar(5)"]);
    let landing = csv();
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "f.csv", format!("id,name\n{}", "1,a\n".repeat(500_000)).as_bytes());
    let adapter = Postgres::new(database.settings()).unwrap();
    let mut source = Source::new(Engine::Postgres, &adapter, &database.name, &declared, &landing);
    let asked = std::cell::Cell::new(0);
    let crash_on_the_way = || {
        asked.set(asked.get() + 1);
        if asked.get() == 5 {
            server.crash();
        }
        false
    };
    let error = source.run(None, &crash_on_the_way, |loader, session| loader.load(session, &path, "data/f.csv")).unwrap_err();
    assert!(matches!(&error, LoadError::Engine(AdapterError::Connection { .. })), "{error:?}");
    assert!(error.to_string().contains("was lost"), "{error}");
    server.restart();
    let mut again = Source::new(Engine::Postgres, &adapter, &database.name, &declared, &landing);
    assert_eq!(again.rows("select count(*) from raw.t"), [[Datum::Int(0)]]);
    assert!(matches!(again.load(&path), Ok(LoadOutcome::Loaded(loaded)) if loaded.rows == 500_000));
}
