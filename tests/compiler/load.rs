//! Landing files into both engines: the same rows, the same rejects.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use acca::base::{FileId, Relation, Span};
use acca::dialect::{ColumnType, Engine};
use acca::execute::load::{Gone, LoadColumn, LoadError, LoadOutcome, Loader, RawTable, Refresh, ensure_state};
use acca::execute::{Adapter, AdapterError, Datum, DuckDb, MEMORY, Postgres, Session};
use acca::project::{Compression, FileFormat, Landing};

use crate::postgres::{PgDatabase, PgServer};

/// Both engines, each with an empty database.
struct Engines {
    list: Vec<(Engine, Box<dyn Adapter>, String)>,
    _database: PgDatabase<'static>,
    folder: tempfile::TempDir,
}

fn engines() -> Engines {
    let database = PgServer::shared().database();
    let duckdb = DuckDb::open(MEMORY, Some(2), &std::collections::BTreeMap::new()).unwrap();
    let postgres = Postgres::new(database.settings()).unwrap();
    let name = database.name.clone();
    Engines {
        list: vec![
            (Engine::DuckDb, Box::new(duckdb) as Box<dyn Adapter>, "memory".to_owned()),
            (Engine::Postgres, Box::new(postgres) as Box<dyn Adapter>, name),
        ],
        _database: database,
        folder: tempfile::tempdir().unwrap(),
    }
}

fn csv() -> Landing {
    Landing {
        path: String::new(),
        path_span: Span::new(FileId(0), 0, 0),
        format: FileFormat::Csv,
        compression: None,
        header: true,
        delimiter: b',',
        quote: Some(b'"'),
        encoding: "utf-8".to_owned(),
        null_text: String::new(),
        header_lines: 0,
        trailer_lines: 0,
        max_rejects: 1000,
    }
}

/// `id bigint, "Name" text`
fn columns(declared: &[&str]) -> Vec<LoadColumn> {
    declared
        .iter()
        .map(|column| {
            let (name, data_type) = column.split_once(' ').unwrap();
            let data_type = ColumnType::parse(data_type).unwrap();
            LoadColumn { name: name.trim_matches('"').to_owned(), quoted: name.starts_with('"'), data_type }
        })
        .collect()
}

/// A source table on one engine.
struct Source<'a> {
    engine: Engine,
    session: Box<dyn Session>,
    table: Relation,
    columns: &'a [LoadColumn],
    landing: &'a Landing,
}

impl<'a> Source<'a> {
    fn new(engine: Engine, adapter: &dyn Adapter, database: &str, columns: &'a [LoadColumn], landing: &'a Landing) -> Source<'a> {
        let mut session = adapter.connect().unwrap();
        ensure_state(&mut *session, engine).unwrap();
        let mut source = Source { engine, session, table: Relation::new(database, "raw", "t"), columns, landing };
        source.run(None, &|| false, |_, _| Ok(())).unwrap();
        source
    }

    /// A run of its own: opens the table, then loads by `body`.
    fn run<T>(
        &mut self,
        refresh: Option<Refresh<'_>>,
        interrupted: &dyn Fn() -> bool,
        body: impl FnOnce(&mut Loader<'_>, &mut dyn Session) -> Result<T, LoadError>,
    ) -> Result<T, LoadError> {
        let table =
            RawTable { source: "source.shop.raw.t", relation: &self.table, columns: self.columns, landing: self.landing, run_id: "run-1" };
        let mut loader = Loader::open(&mut *self.session, self.engine, table, refresh, interrupted)?;
        body(&mut loader, &mut *self.session)
    }

    fn load(&mut self, path: &Path) -> Result<LoadOutcome, LoadError> {
        self.load_as(path, "data/f.csv")
    }

    fn load_as(&mut self, path: &Path, recorded_as: &str) -> Result<LoadOutcome, LoadError> {
        self.run(None, &|| false, |loader, session| loader.load(session, path, recorded_as))
    }

    fn rows(&mut self, sql: &str) -> Vec<Vec<Datum>> {
        self.session.query(sql, None).unwrap().rows
    }

    /// The raw table's rows as text, in the order of the first column.
    fn table_text(&mut self) -> Vec<String> {
        let values: Vec<String> = self.columns.iter().map(|column| text_of(column, self.engine)).collect();
        let rows = self.rows(&format!("select {} from raw.t order by 1", values.join(", ")));
        rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("|")).collect()
    }

    fn rejects_text(&mut self) -> Vec<String> {
        let rows = self.rows("select file, line, reason, raw from raw.t__rejects order by line");
        rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("|")).collect()
    }
}

/// A value in a spelling that both engines have.
fn text_of(column: &LoadColumn, engine: Engine) -> String {
    let name = format!("\"{}\"", column.stored_name());
    match (column.data_type, engine) {
        (ColumnType::Timestamptz | ColumnType::Timestamp, Engine::DuckDb) => format!("epoch_us({name})"),
        (ColumnType::Timestamptz, _) => format!("(extract(epoch from {name}) * 1000000)::bigint"),
        (ColumnType::Timestamp, _) => format!("(extract(epoch from {name}) * 1000000)::bigint"),
        (ColumnType::Numeric { .. } | ColumnType::Real | ColumnType::Double | ColumnType::Boolean, _) => name,
        (ColumnType::Jsonb, Engine::Postgres) => format!("replace({name}::text, ' ', '')"),
        (ColumnType::Jsonb, _) => format!("replace({name}::varchar, ' ', '')"),
        _ => format!("cast({name} as varchar)"),
    }
}

fn shown(value: &Datum) -> String {
    match value {
        Datum::Null => "NULL".to_owned(),
        Datum::Bool(value) => value.to_string(),
        Datum::Int(value) => value.to_string(),
        Datum::Float(value) => format!("{value:?}"),
        Datum::Decimal(text) | Datum::Text(text) => text.clone(),
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Case {
    name: &'static str,
    columns: &'static [&'static str],
    landing: Landing,
    file: Vec<u8>,
    rows: &'static [&'static str],
    /// `line|reason|raw`
    rejects: &'static [&'static str],
}

const BET: &[&str] = &["id bigint", "stake numeric(8,2)", "name text"];

fn cases() -> Vec<Case> {
    let case =
        |name, landing: Landing, file: &[u8], rows, rejects| Case { name, columns: BET, landing, file: file.to_vec(), rows, rejects };
    vec![
        case("plain", csv(), b"ID,Stake,NAME\n1,2.50,a\n2,,\n3,0.1,\"x, \"\"y\"\"\"\n", &["1|2.50|a", "2|NULL|NULL", "3|0.10|x, \"y\""], &[]),
        case("other order, carriage returns, byte order mark", csv(), b"\xEF\xBB\xBFname,id,stake\r\na,1,2\r\n\r\nb,2,3", &["1|2.00|a", "2|3.00|b"], &[]),
        case("header only", csv(), b"id,stake,name\n", &[], &[]),
        case("line ends and tabs inside quotes", csv(), b"id,stake,name\n1,1,\"a\nb\t\\N\"\n2,2,c\\\n", &["1|1.00|a\nb\t\\N", "2|2.00|c\\"], &[]),
        case(
            "malformed values",
            csv(),
            b"id,stake,name\n1,1.005,a\nx,2,b\n3,3,c\n4,1234567.00,d\n9223372036854775808,1,e\n",
            &["3|3.00|c"],
            &[
                "2|column 'stake': '1.005' has 3 decimals and may have 2 (numeric(8,2))|1,1.005,a",
                "3|column 'id': 'x' is not an integer (bigint)|x,2,b",
                "5|column 'stake': '1234567.00' has 7 digits before the point and may have 6 (numeric(8,2))|4,1234567.00,d",
                "6|column 'id': '9223372036854775808' is out of range (bigint)|9223372036854775808,1,e",
            ],
        ),
        case(
            "wrong shapes",
            csv(),
            b"id,stake,name\n1,2\n2,2,a,b\n3,3,\"c\"d\n4,4,e\"f\n5,5,ok\n6,6,\"open\n7,7,ok\n",
            &["5|5.00|ok", "7|7.00|ok"],
            &[
                "2|the row has 2 values and must have 3|1,2",
                "3|the row has 4 values and must have 3|2,2,a,b",
                "4|a closing quote is followed by more text (a quote inside a quoted value must be doubled)|3,3,\"c\"d",
                "5|a quote stands inside a value that is not quoted (set 'quote' of the landing to none when the file does not quote)|4,4,e\"f",
                "7|a quote is opened and never closed|6,6,\"open",
            ],
        ),
        case(
            "line numbers go on behind quoted line ends",
            csv(),
            b"id,stake,name\n1,1,\"a\nb\nc\"\n2,x,d\n",
            &["1|1.00|a\nb\nc"],
            &["5|column 'stake': 'x' is not a decimal number (numeric(8,2))|2,x,d"],
        ),
        case("not UTF-8", csv(), b"id,stake,name\n1,1,caf\xE9\n2,2,ok\n", &["2|2.00|ok"], &["2|the row is not valid UTF-8 text|1,1,caf\u{FFFD}"]),
        case("NUL", csv(), b"id,stake,name\n1,1,a\0b\n", &[], &["2|column 'name': 'a\\u{0}b' contains a NUL character (text)|1,1,a\u{FFFD}b"]),
        case(
            "windows-1252, bar, NULL written out, no quotes",
            Landing { delimiter: b'|', quote: None, encoding: "windows-1252".to_owned(), null_text: "NULL".to_owned(), ..csv() },
            b"Id|Stake|Name\r\n1|NULL|caf\xE9 \"x\r\n2|1|\r\n",
            &["1|NULL|café \"x", "2|1.00|"],
            &[],
        ),
        case(
            "NULL written out, UTF-8",
            Landing { null_text: "NULL".to_owned(), ..csv() },
            b"id,stake,name\n1,NULL,NULL\n2,1,\n3,1,\"NULL\"\n4,1,\"\"\n5,,x\n",
            &["1|NULL|NULL", "2|1.00|", "3|1.00|NULL", "4|1.00|"],
            &["6|column 'stake': '' is not a decimal number (numeric(8,2))|5,,x"],
        ),
        case(
            "utf-16",
            Landing { encoding: "utf-16le".to_owned(), ..csv() },
            &"\u{FEFF}id,stake,name\n1,1,\u{1F3C7}\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            &["1|1.00|\u{1F3C7}"],
            &[],
        ),
        case(
            "header and trailer lines",
            Landing { header_lines: 1, trailer_lines: 1, delimiter: b';', ..csv() },
            b"BETGEN CONTROL TOTALS;2026\nid;stake;name\n1;1.00;a\n2;x;b\nTRAILER;2\n",
            &["1|1.00|a"],
            &["4|column 'stake': 'x' is not a decimal number (numeric(8,2))|2;x;b"],
        ),
        case("no header", Landing { header: false, ..csv() }, b"1,1,a\n2,2,b", &["1|1.00|a", "2|2.00|b"], &[]),
        case("a quote of another kind", Landing { quote: Some(b'\''), ..csv() }, b"id,stake,name\n1,1,'a\"b''c'\n", &["1|1.00|a\"b'c"], &[]),
        case(
            "gzip told by the landing",
            Landing { compression: Some(Compression::Gzip), ..csv() },
            &gzip(b"id,stake,name\n1,1,a\n"),
            &["1|1.00|a"],
            &[],
        ),
        case("no rows at all", Landing { header: false, ..csv() }, b"", &[], &[]),
        Case {
            name: "NDJSON",
            columns: &["id bigint", "stake numeric(30,10)", "name text", "extra jsonb", "at timestamptz"],
            landing: Landing { format: FileFormat::Ndjson, ..csv() },
            file: concat!(
                "{\"id\":1,\"stake\":12345678901234567890.1234567890,\"name\":\"a\\n\\\"b\\\" \\u00e9\",\"extra\":{\"x\":[1,null]},\"at\":\"2026-01-16T20:01:02.5Z\"}\n",
                "{\"name\":{\"nested\":[1,2]},\"id\":\"2\"}\n",
                "\n",
                "{\"id\":3,\"name\":\"\",\"extra\":null}\n",
                "{\"id\":4,\"nam\":1}\n",
                "{\"id\":5.0}\n",
                "{\"id\":6\n",
                "{\"id\":7,\"name\":\"\\u0000\"}\n",
            )
            .as_bytes()
            .to_vec(),
            rows: &[
                "1|12345678901234567890.1234567890|a\n\"b\" é|{\"x\":[1,null]}|1768593662500000",
                "2|NULL|{\"nested\":[1,2]}|NULL|NULL",
                "3|NULL||NULL|NULL",
            ],
            rejects: &[
                "5|the key 'nam' is not a declared column; did you mean 'name'?|{\"id\":4,\"nam\":1}",
                "6|column 'id': '5.0' is not an integer (bigint)|{\"id\":5.0}",
                "7|the line is not valid JSON: EOF while parsing an object at column 7|{\"id\":6",
                "8|column 'name': '\\u{0}' contains a NUL character (text)|{\"id\":7,\"name\":\"\\u0000\"}",
            ],
        },
    ]
}

#[test]
fn both_engines_load_and_reject_the_same() {
    for case in cases() {
        let declared = columns(case.columns);
        let engines = engines();
        let path = write(engines.folder.path(), "f.csv", &case.file);
        for (engine, adapter, database) in &engines.list {
            let mut source = Source::new(*engine, &**adapter, database, &declared, &case.landing);
            let outcome = source.load(&path);
            let Ok(LoadOutcome::Loaded(loaded)) = outcome else { panic!("{} on {engine:?}: {outcome:?}", case.name) };
            assert_eq!(source.table_text(), case.rows, "{} on {engine:?}", case.name);
            let rejects: Vec<String> = case.rejects.iter().map(|reject| format!("data/f.csv|{reject}")).collect();
            assert_eq!(source.rejects_text(), rejects, "{} on {engine:?}", case.name);
            assert_eq!((loaded.rows, loaded.rejected), (case.rows.len() as u64, case.rejects.len() as u64), "{} on {engine:?}", case.name);
        }
    }
}

/// Values that the checks accept: both engines must take them and mean the same by them.
const VALUES: &[(&str, &[&str])] = &[
    ("smallint", &["0", "-32768", "32767", "007", "-0"]),
    ("integer", &["2147483647", "-2147483648"]),
    ("bigint", &["9223372036854775807", "-9223372036854775808"]),
    ("numeric(5,2)", &["0", "-0.05", ".5", "-.5", "999.99", "-999.99", "000999.9", "12.50", "-0"]),
    ("numeric(38,0)", &["99999999999999999999999999999999999999", "-1"]),
    ("numeric(38,38)", &[".99999999999999999999999999999999999999", "0"]),
    ("double precision", &["0", "-0.0", "1.5", ".5", "1e308", "4.9e-324", "-1E+5", "0.1", "123456789012345678", "2.2250738585072011e-308"]),
    ("real", &["3.4e38", "1e-45", "0.1", "16777217"]),
    ("boolean", &["true", "FALSE", "t", "f", "1", "0", "T", "True"]),
    ("date", &["2026-01-16", "0001-01-01", "9999-12-31", "2024-02-29"]),
    ("time", &["00:00:00", "23:59:59.999999", "10:00:00.5"]),
    ("timestamp", &["2026-01-16 20:01:02", "2026-01-16T20:01:02.123456", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"]),
    (
        "timestamptz",
        &[
            "2026-01-16T20:01:02Z",
            "2026-01-16 20:01:02+01",
            "2026-01-16 20:01:02.5-05:30",
            "2026-07-16T20:01:02.123456+14:00",
            "0001-01-01 00:00:00Z",
        ],
    ),
    ("uuid", &["0189e7e7-0000-7000-8000-00000000abcd", "0189E7E7-0000-7000-8000-00000000ABCD"]),
    ("varchar(3)", &["abc", "äöü", "  a", "\\N", "\\."]),
    ("text", &["x\ty", "\u{1F3C7}", "NULL", "\\.", "\"q\"", "'", "a,b", "#x", "\u{FEFF}", " padded ", "\\x41", "\u{80}", "\u{2028}"]),
    ("jsonb", &["{\"a\": [1, null]}", "1.50", "\"x\""]),
];

#[test]
fn accepted_values_mean_the_same_on_both_engines() {
    let engines = engines();
    for (declared, values) in VALUES {
        let declared = columns(&["n integer", &format!("v {declared}")]);
        let mut text = "n,v\n".to_owned();
        for (at, value) in values.iter().enumerate() {
            let quoted = format!("\"{}\"", value.replace('"', "\"\""));
            // Bare wherever the format allows, so that the engines' readers meet both.
            let bare = !value.contains([',', '"', '\n']);
            text.push_str(&format!("{at},{}\n", if bare { value } else { quoted.as_str() }));
            text.push_str(&format!("{},{quoted}\n", at + 1000));
        }
        let path = write(engines.folder.path(), "v.csv", text.as_bytes());
        let mut found = Vec::new();
        for (engine, adapter, database) in &engines.list {
            let landing = Landing { max_rejects: 0, ..csv() };
            let mut source = Source::new(*engine, &**adapter, database, &declared, &landing);
            let outcome = source.load(&path);
            let Ok(LoadOutcome::Loaded(loaded)) = outcome else { panic!("{declared:?} on {engine:?}: {outcome:?}") };
            assert_eq!(loaded.direct, *engine == Engine::DuckDb, "{declared:?} on {engine:?}");
            found.push(source.table_text());
            // The manifest forgets the files of a table that is gone.
            source.session.execute("drop table raw.t").unwrap();
        }
        assert_eq!(found[0].len(), 2 * values.len());
        assert_eq!(found[0], found[1], "{declared:?}");
    }
}

/// Runs `check` on both engines with a table of two columns.
fn on_both(landing: &Landing, check: impl Fn(&mut Source<'_>, &Path)) {
    let declared = columns(&["id integer", "name varchar(5)"]);
    let engines = engines();
    for (engine, adapter, database) in &engines.list {
        check(&mut Source::new(*engine, &**adapter, database, &declared, landing), engines.folder.path());
    }
}

fn manifest(source: &mut Source<'_>) -> Vec<String> {
    let rows = source.rows("select file, bytes, rows, rejected, run_id, length(sha256) from _acca.load_manifest order by file");
    rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("|")).collect()
}

#[test]
fn a_file_is_loaded_once_and_a_changed_one_replaces_its_rows() {
    on_both(&csv(), |source, folder| {
        let path = write(folder, "f.csv", b"id,name\n1,a\n2,b\n");
        let other = write(folder, "g.csv", b"id,name\n7,z\n");
        assert!(matches!(source.load(&path), Ok(LoadOutcome::Loaded(loaded)) if !loaded.replaced && loaded.rows == 2));
        assert!(matches!(source.load_as(&other, "data/g.csv"), Ok(LoadOutcome::Loaded(_))));
        assert!(matches!(source.load(&path), Ok(LoadOutcome::Unchanged)));
        assert_eq!(source.table_text(), ["1|a", "2|b", "7|z"]);
        assert_eq!(manifest(source), ["data/f.csv|16|2|0|run-1|64", "data/g.csv|12|1|0|run-1|64"]);
        write(folder, "f.csv", b"id,name\n2,B\nx,y\n");
        assert!(matches!(source.load(&path), Ok(LoadOutcome::Loaded(loaded)) if loaded.replaced && loaded.rows == 1));
        assert_eq!(source.table_text(), ["2|B", "7|z"]);
        assert_eq!(manifest(source), ["data/f.csv|16|1|1|run-1|64", "data/g.csv|12|1|0|run-1|64"]);
        assert_eq!(source.rejects_text().len(), 1);
        write(folder, "f.csv", b"id,name\n2,B\n");
        assert!(matches!(source.load(&path), Ok(LoadOutcome::Loaded(_))));
        assert_eq!(source.rejects_text(), [""; 0]);
        let files = source.rows("select _acca_file from raw.t order by 1").concat();
        assert_eq!(files, ["data/f.csv", "data/g.csv"].map(|file| Datum::Text(file.to_owned())));
        // A full refresh does not empty the table first, and loads what has not changed; the rows of a file that went stay.
        source.session.execute("create view raw.v as select * from raw.t").unwrap();
        let present = ["data/f.csv"].into();
        let refresh = |source: &mut Source<'_>, prune: bool| {
            source.run(Some(Refresh { present: &present, prune }), &|| false, |loader, session| {
                assert_eq!(session.query("select * from raw.v", None)?.rows.len(), 2);
                let outcome = loader.load(session, &path, "data/f.csv")?;
                Ok((outcome, loader.settle_gone(session)?))
            })
        };
        let kept = refresh(source, false).unwrap();
        assert!(matches!(kept, (LoadOutcome::Loaded(loaded), Gone { kept: 1, removed: 0 }) if loaded.replaced));
        assert_eq!(source.table_text(), ["2|B", "7|z"]);
        assert_eq!(manifest(source), ["data/f.csv|12|1|0|run-1|64", "data/g.csv|12|1|0|run-1|64"]);
        let pruned = refresh(source, true).unwrap();
        assert!(matches!(pruned, (LoadOutcome::Loaded(_), Gone { kept: 0, removed: 1 })));
        assert_eq!((source.table_text(), manifest(source)), (vec!["2|B".to_owned()], vec!["data/f.csv|12|1|0|run-1|64".to_owned()]));
    });
}

#[test]
fn a_refresh_with_a_malformed_file_keeps_the_old_rows_of_all() {
    on_both(&csv_without_rejects(), |source, folder| {
        let files = [("f.csv", "id,name\n1,a\n"), ("g.csv", "id,name\n2,b\n"), ("h.csv", "id,name\n3,c\n")];
        for (name, text) in files {
            let path = write(folder, name, text.as_bytes());
            source.load_as(&path, name).unwrap();
        }
        let before = manifest(source);
        // A malformed file in the middle, and an interrupt after it: the first file is new, all others are as they were.
        write(folder, "f.csv", b"id,name\n1,A\n");
        write(folder, "g.csv", b"id,name\nx,b\n");
        let present = ["f.csv", "g.csv", "h.csv"].into();
        let refresh = Some(Refresh { present: &present, prune: false });
        let done = source.run(refresh, &|| false, |loader, session| {
            loader.load(session, &folder.join("f.csv"), "f.csv")?;
            loader.load(session, &folder.join("g.csv"), "g.csv")
        });
        assert!(matches!(&done, Err(LoadError::Rejected { file, .. }) if file == "g.csv"), "{done:?}");
        assert_eq!(source.table_text(), ["1|A", "2|b", "3|c"]);
        assert_eq!(manifest(source), before);
        let rejected = source.rejects_text();
        assert!(matches!(rejected.as_slice(), [one] if one.starts_with("g.csv|2|")), "{rejected:?}");
        let cancelled = source.run(refresh, &|| true, |loader, session| loader.load(session, &folder.join("f.csv"), "f.csv"));
        assert!(matches!(cancelled, Err(LoadError::Engine(AdapterError::Cancelled))), "{cancelled:?}");
        assert_eq!(source.table_text(), ["1|A", "2|b", "3|c"]);
    });
}

#[test]
fn a_refresh_that_prunes_takes_out_all_that_is_left_of_vanished_files() {
    on_both(&csv(), |source, folder| {
        for (name, text) in [("f.csv", "id,name\n1,a\n"), ("g.csv", "id,name\n2,b\nx,y\n")] {
            let path = write(folder, name, text.as_bytes());
            source.load_as(&path, name).unwrap();
        }
        // Rows that the manifest does not know of: of a file that is there, and of one that is not.
        source.session.execute("insert into raw.t (id, name, _acca_file) values (8, 'p', 'h.csv'), (9, 'q', 'lost.csv')").unwrap();
        let path = write(folder, "h.csv", b"id,name\n8,P\n");
        let refresh = |loader: &mut Loader<'_>, session: &mut dyn Session| {
            loader.load(session, &folder.join("f.csv"), "f.csv")?;
            loader.load(session, &path, "h.csv")?;
            loader.settle_gone(session)
        };
        let present = ["f.csv", "h.csv"].into();
        let gone = source.run(Some(Refresh { present: &present, prune: true }), &|| false, refresh).unwrap();
        assert_eq!(gone, Gone { kept: 0, removed: 2 });
        assert_eq!(source.table_text(), ["1|a", "8|P"]);
        assert_eq!(manifest(source), ["f.csv|12|1|0|run-1|64", "h.csv|12|1|0|run-1|64"]);
        assert_eq!(source.rejects_text(), [""; 0]);
        // An ordinary load keeps what it once loaded.
        assert_eq!(source.run(None, &|| false, |loader, session| loader.settle_gone(session)).unwrap(), Gone::default());
        assert_eq!(source.table_text(), ["1|a", "8|P"]);
    });
}

#[test]
fn files_with_equal_bytes_are_loaded_and_told() {
    on_both(&csv(), |source, folder| {
        let [row, other] = [&b"id,name\n1,a\n"[..], b"id,name\n2,b\n"];
        let load = |source: &mut Source<'_>, refresh: bool, names: &[&str]| -> Vec<String> {
            let body = |loader: &mut Loader<'_>, session: &mut dyn Session| {
                for name in names {
                    loader.load(session, &folder.join(name), name)?;
                }
                loader.settle_gone(session)?;
                Ok(loader.duplicates().into_iter().map(|(file, other)| format!("{file} = {other}")).collect())
            };
            let present = names.iter().copied().collect();
            source.run(refresh.then_some(Refresh { present: &present, prune: true }), &|| false, body).unwrap()
        };
        for (name, bytes) in [("a.csv", row), ("b.csv", row), ("c.csv", other), ("d.csv", b"id,name\n"), ("e.csv", b"id,name\n")] {
            write(folder, name, bytes);
        }
        assert_eq!(load(source, false, &["a.csv", "b.csv", "c.csv", "d.csv", "e.csv"]), ["b.csv = a.csv"]);
        assert_eq!(source.table_text(), ["1|a", "1|a", "2|b"]);
        assert_eq!(load(source, false, &["a.csv", "b.csv"]), [""; 0]);
        write(folder, "z.csv", other);
        assert_eq!(load(source, false, &["z.csv"]), ["z.csv = c.csv"]);
        // Contents that change places are not there twice; neither is a file that was only renamed, once a refresh knows it.
        write(folder, "b.csv", other);
        write(folder, "c.csv", row);
        assert_eq!(load(source, true, &["b.csv", "c.csv"]), [""; 0]);
        write(folder, "new.csv", row);
        assert_eq!(load(source, true, &["b.csv", "new.csv"]), [""; 0]);
        assert_eq!(source.table_text(), ["1|a", "2|b"]);
    });
}

fn csv_without_rejects() -> Landing {
    Landing { max_rejects: 0, ..csv() }
}

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
        let [none, one, both] = [&[][..], &["f.csv"], &["f.csv", "g.csv"]].map(|names| names.iter().copied().collect());
        let refresh = |present, prune| Some(Refresh { present, prune });
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
        let present = BTreeSet::new();
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
                let refresh = refresh.map(|prune| Refresh { present: &present, prune });
                let message = open_declared(source, source.columns, refresh).unwrap_err();
                assert!(message.contains("others may have made it: it is not dropped"), "{message}");
                assert!(!message.contains("--full-refresh"), "{message}");
            }
            assert_eq!(source.rows("select count(*) from raw.t"), [[Datum::Int(i64::try_from(rows).unwrap())]]);
        }
    });
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
