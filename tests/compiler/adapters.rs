//! What sessions of both engines promise: exact values, places of errors, the catalogue, COPY, cancelling, lost connections.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use acca::base::{Relation, RelationKind};
use acca::execute::{Adapter, AdapterError, Datum, DuckDb, PgSettings, Postgres, Session};

use crate::postgres::{PASSWORD, PgServer, USER};

fn text(text: &str) -> Datum {
    Datum::Text(text.to_owned())
}

fn decimal(text: &str) -> Datum {
    Datum::Decimal(text.to_owned())
}

/// Name and type of each column.
fn columns(table: &acca::execute::Table) -> Vec<String> {
    table.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect()
}

fn connect(settings: PgSettings) -> Result<Box<dyn Session>, AdapterError> {
    Postgres::new(settings).unwrap().connect()
}

#[test]
fn postgres_values_come_back_exactly() {
    let database = PgServer::shared().database();
    let mut session = connect(database.settings()).unwrap();
    for (sql, expected) in [
        ("null", Datum::Null),
        ("1 < 2", Datum::Bool(true)),
        ("9223372036854775807", Datum::Int(i64::MAX)),
        ("-0.05::numeric(12,2)", decimal("-0.05")),
        ("12.50::numeric(12,2)", decimal("12.50")),
        ("'NaN'::numeric", text("NaN")),
        ("0.1::real", Datum::Float(0.1)),
        ("1e300::double precision", Datum::Float(1e300)),
        ("date '2026-01-16'", text("2026-01-16")),
        ("timestamptz '2026-07-16 20:01:02.5+01'", text("2026-07-16 19:01:02.5+00")),
        ("interval '1 day 02:00'", text("1 day 02:00:00")),
        ("array[1, null]", text("{1,NULL}")),
        ("'{\"a\": 1}'::jsonb", text("{\"a\": 1}")),
    ] {
        assert_eq!(session.query(&format!("select {sql}"), None).unwrap().rows, [[expected]], "{sql}");
    }
}

#[test]
fn postgres_results_have_names_types_and_a_limit() {
    let database = PgServer::shared().database();
    let mut session = connect(database.settings()).unwrap();
    let table = session.query("select 1 as a, 'x'::text as a, array[1] as c, 'n'::name as d where false", None).unwrap();
    assert_eq!(columns(&table), ["a integer", "a text", "c integer[]", "d name"]);
    let table = session.query("select n, 2.5 as x from generate_series(9, 1, -1) n order by n; -- end", Some(2)).unwrap();
    assert_eq!(columns(&table), ["n integer", "x numeric"]);
    assert_eq!(table.rows, [[Datum::Int(1), decimal("2.5")], [Datum::Int(2), decimal("2.5")]]);
    assert_eq!(session.query("show timezone", Some(3)).unwrap().rows, [[text("UTC")]]);
    assert_eq!(session.execute("create table t (x int); insert into t values (1), (2); delete from t where x = 1").unwrap(), 1);
    assert_eq!(session.query("insert into t values (7), (8), (9) returning x", Some(2)).unwrap().rows.len(), 2);
    assert_eq!(session.query("select count(*) from t", None).unwrap().rows, [[Datum::Int(4)]]);
    assert_eq!(session.execute("-- nothing").unwrap(), 0);
}

#[test]
fn postgres_errors_point_into_the_statement() {
    let database = PgServer::shared().database();
    let mut session = connect(database.settings()).unwrap();
    for limit in [None, Some(5)] {
        let error = session.query("select 'é', nope\nfrom (select 1 as note) q", limit).unwrap_err();
        let AdapterError::Statement { message, code, offset, hints } = error else { panic!("{error:?}") };
        assert_eq!((message.as_str(), code.as_deref(), offset), ("column \"nope\" does not exist", Some("42703"), Some(13)));
        assert!(hints.concat().contains("q.note"), "{hints:?}");
    }
    let error = session.execute("select 1; select 1/0").unwrap_err();
    assert!(matches!(&error, AdapterError::Statement { code: Some(code), .. } if code == "22012"), "{error:?}");
    assert_eq!(session.query("select 1", None).unwrap().rows, [[Datum::Int(1)]]);
}

#[test]
fn postgres_catalogue_lists_relations_columns_and_dependent_views() {
    let database = PgServer::shared().database();
    let mut session = connect(PgSettings { search_path: Some("s, public".to_owned()), ..database.settings() }).unwrap();
    session
        .execute(
            "create schema s; create table s.t (a numeric(12,2), \"B c\" timestamptz, v varchar(5)); \
             create view s.v as select a from t; create materialized view s.m as select v from t; create view s.w as select * from v",
        )
        .unwrap();
    let relations = session.relations(&["s".to_owned(), "missing".to_owned()]).unwrap();
    let names: Vec<_> = relations.iter().map(|found| (found.relation.display(), found.kind)).collect();
    let kinds =
        [("s.m", RelationKind::MaterializedView), ("s.t", RelationKind::Table), ("s.v", RelationKind::View), ("s.w", RelationKind::View)];
    assert_eq!(names, kinds.map(|(name, kind)| (name.to_owned(), kind)));
    let table = Relation::new(&database.name, "s", "t");
    let found: Vec<_> =
        session.columns(&table).unwrap().into_iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
    assert_eq!(found, ["a numeric(12,2)", "B c timestamp with time zone", "v character varying(5)"]);
    let held = session.attachments(&table, &table, RelationKind::Table).unwrap();
    let views: Vec<_> =
        held.dependents.iter().map(|view| (view.relation.display(), view.kind, view.direct, view.definition.as_str())).collect();
    assert_eq!(
        views,
        [
            ("s.m".to_owned(), RelationKind::MaterializedView, true, "SELECT t.v\n   FROM s.t"),
            ("s.v".to_owned(), RelationKind::View, true, "SELECT t.a\n   FROM s.t"),
            ("s.w".to_owned(), RelationKind::View, false, "SELECT v.a\n   FROM s.v"),
        ]
    );
    // The search path is as it was.
    assert_eq!(session.query("select count(*) from t", None).unwrap().rows, [[Datum::Int(0)]]);
}

#[test]
fn postgres_copies_in_and_gives_up_cleanly() {
    struct Failing(bool);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                Err(std::io::Error::other("the disk is gone"))
            } else {
                b"3\tz\n".as_slice().read(buffer)
            }
        }
    }
    let database = PgServer::shared().database();
    let mut session = connect(database.settings()).unwrap();
    session.execute("create table t (a int, v text)").unwrap();
    let copy = "copy t (a, v) from stdin";
    assert_eq!(session.copy_in(copy, &mut b"1\tx\n\\N\ty\n".as_slice()).unwrap(), 2);
    let error = session.copy_in(copy, &mut b"1\tx\nz\ty\n".as_slice()).unwrap_err();
    assert!(matches!(&error, AdapterError::Statement { hints, .. } if hints.concat().contains("line 2, column a")), "{error:?}");
    let error = session.copy_in("copy nope from stdin", &mut b"1\n".as_slice()).unwrap_err();
    assert!(matches!(&error, AdapterError::Statement { code: Some(code), .. } if code == "42P01"), "{error:?}");
    let error = session.copy_in(copy, &mut Failing(false)).unwrap_err();
    assert!(matches!(&error, AdapterError::Io(message) if message == "the disk is gone"), "{error:?}");
    assert_eq!(session.query("select count(*) from t", None).unwrap().rows, [[Datum::Int(2)]]);
}

#[test]
fn postgres_statements_are_cancelled_and_timeouts_are_told_apart() {
    let database = PgServer::shared().database();
    let mut session = connect(database.settings()).unwrap();
    let cancel = session.cancel_handle();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            cancel.cancel();
        });
        let error = session.execute("select pg_sleep(30)").unwrap_err();
        assert!(matches!(error, AdapterError::Cancelled), "{error:?}");
    });
    let error = session.execute("set statement_timeout = 50; select pg_sleep(30)").unwrap_err();
    assert!(matches!(&error, AdapterError::Statement { message, .. } if message.contains("statement timeout")), "{error:?}");
}

#[test]
fn a_cancel_between_two_statements_is_known_as_one() {
    let database = PgServer::shared().database();
    let mut session = connect(database.settings()).unwrap();
    let cancel = session.cancel_handle();
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..100 {
                cancel.cancel();
            }
            over.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        while !over.load(std::sync::atomic::Ordering::SeqCst) {
            let done = session.execute("select pg_sleep(0.002)");
            assert!(matches!(done, Ok(_) | Err(AdapterError::Cancelled)), "{done:?}");
        }
    });
}

#[test]
fn postgres_connections_that_fail_name_the_entry_of_the_profile() {
    let server = PgServer::shared();
    let database = server.database();
    let tcp = PgSettings { host: "127.0.0.1".to_owned(), password: Some(PASSWORD.to_owned()), ..database.settings() };
    assert!(connect(tcp.clone()).is_ok());
    let cases = [
        (
            PgSettings { password: Some("wrong secret".to_owned()), ..tcp.clone() },
            "password authentication failed",
            "'user' and 'password'",
        ),
        (PgSettings { password: None, ..tcp.clone() }, "password authentication failed", "no password is given"),
        (PgSettings { user: "nobody".to_owned(), ..database.settings() }, "role \"nobody\" does not exist", "does the role 'nobody' exist"),
        (PgSettings { dbname: "nope".to_owned(), ..tcp.clone() }, "database \"nope\" does not exist", "createdb nope"),
        (PgSettings { role: Some("nobody".to_owned()), ..tcp.clone() }, "role \"nobody\" does not exist", "'role'"),
        (PgSettings { port: 1, ..tcp.clone() }, "cannot reach PostgreSQL at 127.0.0.1:1", "'host' and 'port'"),
        (PgSettings { sslmode: Some("require".to_owned()), ..tcp.clone() }, "no secure connection", "'sslmode'"),
    ];
    for (settings, message, hint) in cases {
        let error = connect(settings).err().unwrap();
        let AdapterError::Connection { message: found, hints } = error else { panic!("{error:?}") };
        assert!(found.contains(message) && hints.concat().contains(hint), "{found}\n{hints:?}");
        assert!(![found, hints.concat()].concat().contains("secret"));
    }
    let described = Postgres::new(tcp).unwrap().describe().unwrap();
    assert!(described.contains(&format!("user '{USER}'")) && !described.contains(PASSWORD), "{described}");
}

#[test]
fn postgres_that_goes_away_is_a_lost_connection() {
    let database = PgServer::shared().database();
    let mut session = connect(database.settings()).unwrap();
    let Datum::Int(pid) = session.query("select pg_backend_pid()", None).unwrap().rows[0][0] else { panic!() };
    database.query(&format!("select pg_terminate_backend({pid}, 5000)"));
    for _ in 0..2 {
        let error = session.execute("select 1").unwrap_err();
        assert!(matches!(&error, AdapterError::Connection { message, .. } if message.contains("was lost")), "{error:?}");
    }
}

/// Started as a process of its own by the test below.
#[test]
#[ignore = "holds a database open for another test"]
fn holds_a_duckdb_file_open() {
    let Some(path) = std::env::var_os("ACCA_TEST_HELD") else { return };
    let _database = DuckDb::open(path.to_str().unwrap(), None, &std::collections::BTreeMap::new()).unwrap();
    eprintln!("held");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_duckdb_file_that_another_process_holds_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/shop.duckdb");
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "adapters::holds_a_duckdb_file_open", "--ignored", "--nocapture"])
        .env("ACCA_TEST_HELD", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(holder.stderr.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line.contains("held")));
    let open = || DuckDb::open(path.to_str().unwrap(), None, &std::collections::BTreeMap::new());
    let error = open().err().unwrap();
    drop(holder.stdin.take());
    holder.wait().unwrap();
    let AdapterError::Connection { message, hints } = error else { panic!("{error:?}") };
    assert!(message.contains("cannot open the DuckDB database") && hints[0].contains("another process"), "{message}\n{hints:?}");
    assert_eq!(open().unwrap().database(), "shop");
}
