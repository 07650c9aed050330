//! Landing files into both engines: the same rows, the same rejects.

use std::io::Write;
use std::path::{Path, PathBuf};

use acca::base::{FileId, Relation, Span};
use acca::dialect::{ColumnType, Engine};
use acca::execute::load::{Gone, LandingFile, LoadColumn, LoadError, LoadOutcome, Loader, RawTable, Refresh, ensure_state};
use acca::execute::{Adapter, AdapterError, Datum, DuckDb, MEMORY, Postgres, Session};
use acca::project::{Compression, Conversions, FileFormat, Landing, TimeFormat};

use crate::postgres::{PgDatabase, PgServer};

mod faults;
mod refresh;

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
        conversions: Conversions::default(),
    }
}

/// `id bigint, "Name" text`
fn columns(declared: &[&str]) -> Vec<LoadColumn> {
    declared
        .iter()
        .map(|column| {
            let (name, data_type) = column.split_once(' ').unwrap();
            let data_type = ColumnType::parse(data_type).unwrap();
            LoadColumn { name: name.trim_matches('"').to_owned(), quoted: name.starts_with('"'), data_type, personal: false }
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

/// Values that are no values before they are read as the landing says.
fn written_as_said() -> Case {
    Case {
        name: "dates, times, blanks and bytes as a project says",
        columns: &["id bigint", "day date", "seen timestamp", "name text"],
        landing: Landing {
            conversions: Conversions {
                date_format: Some(TimeFormat::parse("DD/MM/YYYY", true).unwrap()),
                timestamp_format: Some(TimeFormat::parse("MM/DD/YYYY HH12:MI AM", false).unwrap()),
                blanks_as_null: true,
                replace_invalid: Some('?'),
            },
            ..csv()
        },
        file: b"id,day,seen,name\n1,31/01/2026,01/31/2026 01:05 PM,caf\xE9\n2,  ,,  \n3,2026-01-31,,x\n4,31/02/2026,,x\n".to_vec(),
        rows: &["1|2026-01-31|1769864700000000|caf?", "2|NULL|NULL|NULL"],
        rejects: &[
            "4|column 'day': '2026-01-31' is not of the form DD/MM/YYYY (date)|3,2026-01-31,,x",
            "5|column 'day': '2026-02-31' is not a date of the form YYYY-MM-DD (date)|4,31/02/2026,,x",
        ],
    }
}

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
        written_as_said(),
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

/// The files of a folder that are there, recorded by their names.
fn present(folder: &Path, names: &[&str]) -> Vec<LandingFile> {
    names.iter().map(|name| LandingFile::Local { path: folder.join(name), recorded_as: (*name).to_owned() }).collect()
}

fn manifest(source: &mut Source<'_>) -> Vec<String> {
    let rows = source.rows("select file, bytes, rows, rejected, run_id, length(sha256) from _acca.load_manifest order by file");
    rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("|")).collect()
}

fn csv_without_rejects() -> Landing {
    Landing { max_rejects: 0, ..csv() }
}
