//! DuckDB, in this process: one open database, one connection a session.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex};

use duckdb::types::{TimeUnit, Value};
use duckdb::{Config, Connection, InterruptHandle};

use super::adapter::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, Session, Table};
use crate::base::{Relation, RelationKind};
use crate::dialect::quote_text;
use crate::plan::{Attachments, Privilege};
use crate::syntax::shape;

/// The path that opens a database in memory.
pub const MEMORY: &str = ":memory:";

/// An open DuckDB database. A file is locked for other processes until the last session and this value are gone.
pub struct DuckDb {
    root: Mutex<Connection>,
    path: String,
    database: String,
    version: String,
}

impl DuckDb {
    /// Opens or creates the database file at `path` ([`MEMORY`]: a private one in memory); missing parent folders are made.
    /// `threads` is what one query may use (`None`: all cores); `settings` are DuckDB's own, by name.
    ///
    /// # Errors
    /// `Connection`, with hints: the file is locked, is no database, or cannot be written; a setting is unknown.
    pub fn open(path: &str, threads: Option<usize>, settings: &BTreeMap<String, String>) -> Result<DuckDb, AdapterError> {
        make_parent(path)?;
        let config = configure(threads, settings)?;
        let opened = if path == MEMORY { Connection::open_in_memory_with_flags(config) } else { Connection::open_with_flags(path, config) };
        let root = opened.map_err(|error| open_error(path, &error.to_string()))?;
        let mut session = DuckDbSession::new(root.try_clone().map_err(|error| open_error(path, &error.to_string()))?)?;
        let facts = session.query("SELECT current_database(), version()", None)?;
        let fact = |at: usize| match facts.rows.first().and_then(|row| row.get(at)) {
            Some(Datum::Text(text)) => text.clone(),
            _ => String::new(),
        };
        Ok(DuckDb { root: Mutex::new(root), path: path.to_owned(), database: fact(0), version: fact(1) })
    }

    /// The name of the database in SQL: the stem of the file's name, or `memory`.
    pub fn database(&self) -> &str {
        &self.database
    }

    fn session(&self) -> Result<DuckDbSession, AdapterError> {
        let root = self.root.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        DuckDbSession::new(root.try_clone().map_err(|error| open_error(&self.path, &error.to_string()))?)
    }
}

impl Adapter for DuckDb {
    fn connect(&self) -> Result<Box<dyn Session>, AdapterError> {
        Ok(Box::new(self.session()?))
    }

    fn describe(&self) -> Result<String, AdapterError> {
        Ok(format!("DuckDB {} at {}", self.version, self.path))
    }
}

fn make_parent(path: &str) -> Result<(), AdapterError> {
    let parent = Path::new(path).parent().filter(|parent| path != MEMORY && !parent.as_os_str().is_empty());
    match parent.map(std::fs::create_dir_all) {
        Some(Err(error)) => Err(AdapterError::Connection {
            message: format!("cannot create the folder of the DuckDB file '{path}': {error}"),
            hints: vec!["choose a 'path' in profiles.yml that can be written".to_owned()],
        }),
        Some(Ok(())) | None => Ok(()),
    }
}

fn configure(threads: Option<usize>, settings: &BTreeMap<String, String>) -> Result<Config, AdapterError> {
    let mut config = Config::default();
    if let Some(threads) = threads {
        config = config.with("threads", threads.max(1).to_string()).map_err(|error| setting_error("threads", &error.to_string()))?;
    }
    for (name, value) in settings {
        if name.eq_ignore_ascii_case("TimeZone") {
            // Each session is pinned to UTC after the extension that knows zones is loaded.
            if value.eq_ignore_ascii_case("UTC") {
                continue;
            }
            return Err(setting_error(name, "sessions work in UTC; convert with AT TIME ZONE where another zone is wanted"));
        }
        config = config.with(name, value).map_err(|error| setting_error(name, &error.to_string()))?;
    }
    Ok(config)
}

fn setting_error(name: &str, detail: &str) -> AdapterError {
    AdapterError::Connection {
        message: format!("DuckDB refuses the setting '{name}': {detail}"),
        hints: vec!["'settings' in profiles.yml takes DuckDB's own option names".to_owned()],
    }
}

fn open_error(path: &str, detail: &str) -> AdapterError {
    let detail = engine_error(detail).message;
    let hints = if detail.contains("lock on file") {
        vec![
            "another process has this database open; DuckDB lets one process write at a time".to_owned(),
            "close it (a notebook, a BI tool, another run), or give this target another 'path' in profiles.yml".to_owned(),
        ]
    } else if detail.contains("not a valid DuckDB database") {
        vec!["point 'path' in profiles.yml at a DuckDB file, or at a file that does not exist yet".to_owned()]
    } else if detail.contains("not recognized") {
        vec!["'settings' in profiles.yml takes DuckDB's own option names".to_owned()]
    } else {
        Vec::new()
    };
    AdapterError::Connection { message: format!("cannot open the DuckDB database '{path}': {detail}"), hints }
}

/// One connection. Text that an engine would write differently by zone or locale is pinned to UTC.
struct DuckDbSession {
    connection: Connection,
    interrupt: Arc<InterruptHandle>,
}

impl DuckDbSession {
    fn new(connection: Connection) -> Result<DuckDbSession, AdapterError> {
        let interrupt = connection.interrupt_handle();
        connection
            .execute_batch("SET errors_as_json = true; SET TimeZone = 'UTC'; SET Calendar = 'gregorian'")
            .map_err(|error| statement_error(&error))?;
        Ok(DuckDbSession { connection, interrupt })
    }

    /// Runs `sql` and turns each row into data by `convert`; names and DuckDB's type names are those of the result.
    fn rows(&self, sql: &str, limit: usize) -> Result<(Vec<String>, Vec<Vec<Value>>), AdapterError> {
        let mut statement = self.connection.prepare(sql).map_err(|error| statement_error(&error))?;
        let mut result = statement.query([]).map_err(|error| statement_error(&error))?;
        let names = result.as_ref().map(duckdb::Statement::column_names).unwrap_or_default();
        let mut rows = Vec::new();
        while rows.len() < limit
            && let Some(row) = result.next().map_err(|error| statement_error(&error))?
        {
            let values: Result<Vec<Value>, duckdb::Error> = (0..names.len()).map(|at| Ok(row.get_ref(at)?.to_owned())).collect();
            rows.push(values.map_err(|error| statement_error(&error))?);
        }
        Ok((names, rows))
    }

    /// The columns of a query without running it; `None` when DuckDB cannot tell (the query itself then says why).
    fn described(&self, query: &str) -> Option<Vec<ColumnInfo>> {
        let (_, rows) = self.rows(&format!("DESCRIBE {query}"), usize::MAX).ok()?;
        rows.iter()
            .map(|row| match (row.first(), row.get(1)) {
                (Some(Value::Text(name)), Some(Value::Text(data_type))) => {
                    Some(ColumnInfo { name: name.clone(), data_type: data_type.clone() })
                }
                _ => None,
            })
            .collect()
    }
}

impl Session for DuckDbSession {
    fn execute(&mut self, sql: &str) -> Result<u64, AdapterError> {
        if shape(sql).statements == 0 {
            return Ok(0);
        }
        let mut statement = self.connection.prepare(sql).map_err(|error| statement_error(&error))?;
        let changed = statement.raw_execute().map_err(|error| statement_error(&error))?;
        if changed == 0 && statement.column_names() == ["Count"] {
            // CREATE TABLE AS tells its rows in a result of its own.
            let mut counted = statement.raw_query();
            let row = counted.next().map_err(|error| statement_error(&error))?;
            return Ok(row.and_then(|row| row.get::<_, i64>(0).ok()).and_then(|count| u64::try_from(count).ok()).unwrap_or(0));
        }
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<Table, AdapterError> {
        let shape = shape(sql);
        if shape.is_one_query()
            && let Some(columns) = self.described(shape.body)
        {
            let (_, rows) = self.rows(&as_text(shape.body, &columns, limit), usize::MAX)?;
            return Ok(Table { columns, rows: rows.into_iter().map(|row| row.into_iter().map(datum).collect()).collect() });
        }
        if shape.statements == 0 {
            return Ok(Table::default());
        }
        let (names, rows) = self.rows(sql, limit.unwrap_or(usize::MAX))?;
        let data_type = |at: usize| rows.iter().filter_map(|row| row.get(at)).find_map(type_of_value).unwrap_or("VARCHAR");
        let columns = names.into_iter().enumerate().map(|(at, name)| ColumnInfo { name, data_type: data_type(at).to_owned() }).collect();
        Ok(Table { columns, rows: rows.into_iter().map(|row| row.into_iter().map(datum).collect()).collect() })
    }

    /// Without asking for types first, as a query of many rows does: planning takes as long as counting.
    fn value(&mut self, sql: &str) -> Result<Option<Datum>, AdapterError> {
        let (_, rows) = self.rows(sql, 1)?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).map(datum))
    }

    fn describe(&mut self, query: &str) -> Result<Vec<ColumnInfo>, AdapterError> {
        // When it cannot tell, preparing the query says why.
        match self.described(query) {
            Some(columns) => Ok(columns),
            None => self.connection.prepare(query).map(|_| Vec::new()).map_err(|error| statement_error(&error)),
        }
    }

    fn copy_in(&mut self, _sql: &str, _data: &mut dyn Read) -> Result<u64, AdapterError> {
        Err(AdapterError::Statement {
            message: "DuckDB has no COPY … FROM STDIN".to_owned(),
            code: None,
            offset: None,
            hints: vec!["read the file with read_csv, read_json or read_parquet".to_owned()],
        })
    }

    fn relations(&mut self, schemas: &[String]) -> Result<Vec<CatalogRelation>, AdapterError> {
        if schemas.is_empty() {
            return Ok(Vec::new());
        }
        let list: Vec<String> = schemas.iter().map(|schema| quote_text(&schema.to_lowercase())).collect();
        let list = list.join(", ");
        let sql = format!(
            "SELECT database_name, schema_name, table_name, 'table' FROM duckdb_tables() \
             WHERE NOT temporary AND database_name = current_database() AND lower(schema_name) IN ({list}) \
             UNION ALL \
             SELECT database_name, schema_name, view_name, 'view' FROM duckdb_views() \
             WHERE NOT temporary AND NOT internal AND database_name = current_database() AND lower(schema_name) IN ({list}) \
             ORDER BY 1, 2, 3"
        );
        let table = self.query(&sql, None)?;
        Ok(table.rows.iter().filter_map(|row| catalog_relation(row)).collect())
    }

    fn columns(&mut self, relation: &Relation) -> Result<Vec<ColumnInfo>, AdapterError> {
        let [database, schema, name] =
            [&relation.database, &relation.schema, &relation.identifier].map(|part| quote_text(&part.to_lowercase()));
        let sql = format!(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE lower(database_name) = {database} \
             AND lower(schema_name) = {schema} AND lower(table_name) = {name} ORDER BY column_index"
        );
        let table = self.query(&sql, None)?;
        Ok(table
            .rows
            .into_iter()
            .filter_map(|row| match <[Datum; 2]>::try_from(row) {
                Ok([Datum::Text(name), Datum::Text(data_type)]) => Some(ColumnInfo { name, data_type }),
                _ => None,
            })
            .collect())
    }

    fn attachments(&mut self, _live: &Relation, _staged: &Relation, _kind: RelationKind) -> Result<Attachments, AdapterError> {
        Ok(Attachments::default())
    }

    fn readers(&mut self, _live: &Relation) -> Result<Attachments, AdapterError> {
        Ok(Attachments::default())
    }

    fn privileges(&mut self, _relation: &Relation) -> Result<Vec<Privilege>, AdapterError> {
        Ok(Vec::new())
    }

    fn cancel_handle(&self) -> Arc<dyn Cancel> {
        Arc::new(Interrupt(Arc::clone(&self.interrupt)))
    }
}

struct Interrupt(Arc<InterruptHandle>);

impl Cancel for Interrupt {
    fn cancel(&self) {
        self.0.interrupt();
    }
}

fn catalog_relation(row: &[Datum]) -> Option<CatalogRelation> {
    let [Datum::Text(database), Datum::Text(schema), Datum::Text(name), Datum::Text(kind)] = row else { return None };
    let kind = if kind == "view" { RelationKind::View } else { RelationKind::Table };
    Some(CatalogRelation { relation: Relation::new(database, schema, name), kind, owner: None })
}

/// The query with every column that has no exact [`Datum`] of its own cast to text by DuckDB itself, so that dates, time
/// stamps, lists and structs come in the engine's own spelling. Columns are renamed by position: names may be doubled.
fn as_text(query: &str, columns: &[ColumnInfo], limit: Option<usize>) -> String {
    if limit.is_none() && columns.iter().all(|column| is_exact(&column.data_type)) {
        return query.to_owned();
    }
    let names: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
    let values: Vec<String> = names
        .iter()
        .zip(columns)
        .map(|(name, column)| if is_exact(&column.data_type) { name.clone() } else { format!("CAST({name} AS VARCHAR)") })
        .collect();
    let limit = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
    format!("SELECT {} FROM (\n{query}\n) AS result({}){limit}", values.join(", "), names.join(", "))
}

fn is_exact(data_type: &str) -> bool {
    const EXACT: [&str; 14] = [
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "HUGEINT",
        "UHUGEINT",
        "FLOAT",
        "DOUBLE",
        "VARCHAR",
    ];
    EXACT.contains(&data_type) || (data_type.starts_with("DECIMAL(") && data_type.ends_with(')'))
}

fn datum(value: Value) -> Datum {
    match value {
        Value::Null => Datum::Null,
        Value::Boolean(value) => Datum::Bool(value),
        Value::TinyInt(value) => Datum::Int(value.into()),
        Value::SmallInt(value) => Datum::Int(value.into()),
        Value::Int(value) => Datum::Int(value.into()),
        Value::BigInt(value) => Datum::Int(value),
        Value::UTinyInt(value) => Datum::Int(value.into()),
        Value::USmallInt(value) => Datum::Int(value.into()),
        Value::UInt(value) => Datum::Int(value.into()),
        Value::UBigInt(value) => i64::try_from(value).map_or_else(|_| Datum::Decimal(value.to_string()), Datum::Int),
        Value::HugeInt(value) => Datum::Decimal(value.to_string()),
        Value::UHugeInt(value) => Datum::Decimal(value.to_string()),
        // The shortest digits of the 4-byte number, not those of its widening.
        Value::Float(value) => Datum::Float(value.to_string().parse().unwrap_or(f64::from(value))),
        Value::Double(value) => Datum::Float(value),
        Value::Decimal(value) => Datum::Decimal(value.to_string()),
        other => Datum::Text(text(&other)),
    }
}

/// Readable text for values that come from statements which cannot be wrapped in a cast (`SHOW`, `PRAGMA`, `RETURNING`).
fn text(value: &Value) -> String {
    let join = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::TinyInt(value) => value.to_string(),
        Value::SmallInt(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::BigInt(value) => value.to_string(),
        Value::HugeInt(value) => value.to_string(),
        Value::UHugeInt(value) => value.to_string(),
        Value::UTinyInt(value) => value.to_string(),
        Value::USmallInt(value) => value.to_string(),
        Value::UInt(value) => value.to_string(),
        Value::UBigInt(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Text(text) | Value::Enum(text) => text.clone(),
        Value::Blob(bytes) | Value::Geometry(bytes) => bytes.iter().map(|byte| format!("\\x{byte:02X}")).collect(),
        Value::Timestamp(unit, count) => timestamp_text(unit.to_micros(*count)),
        Value::Date32(days) => timestamp_text(i64::from(*days) * 86_400_000_000).chars().take(10).collect(),
        Value::Time64(unit, count) => timestamp_text(unit.to_micros(*count)).chars().skip(11).collect(),
        Value::Interval { months, days, nanos } => {
            format!("{months} months {days} days {} seconds", seconds_text(*nanos))
        }
        Value::List(items) | Value::Array(items) => format!("[{}]", join(&mut items.iter().map(text))),
        Value::Struct(fields) => format!("{{{}}}", join(&mut fields.iter().map(|(name, value)| format!("'{name}': {}", text(value))))),
        Value::Map(entries) => format!("{{{}}}", join(&mut entries.iter().map(|(key, value)| format!("{}={}", text(key), text(value))))),
        Value::Union(value) => text(value),
        other => format!("{other:?}"),
    }
}

fn timestamp_text(micros: i64) -> String {
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(instant) => {
            let civil = jiff::tz::TimeZone::UTC.to_datetime(instant);
            civil.to_string().replace('T', " ")
        }
        // Outside years -9999 to 9999.
        Err(_) => format!("{micros} microseconds since 1970-01-01"),
    }
}

fn seconds_text(nanos: i64) -> String {
    let micros = TimeUnit::Nanosecond.to_micros(nanos);
    if micros % 1_000_000 == 0 { (micros / 1_000_000).to_string() } else { format!("{:.6}", micros as f64 / 1e6) }
}

/// The name of the type of a value where DuckDB gave no description of the result.
fn type_of_value(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => None,
        Value::Boolean(_) => Some("BOOLEAN"),
        Value::TinyInt(_) | Value::SmallInt(_) | Value::Int(_) => Some("INTEGER"),
        Value::BigInt(_) | Value::UTinyInt(_) | Value::USmallInt(_) | Value::UInt(_) => Some("BIGINT"),
        Value::UBigInt(_) => Some("UBIGINT"),
        Value::HugeInt(_) | Value::UHugeInt(_) => Some("HUGEINT"),
        Value::Float(_) | Value::Double(_) => Some("DOUBLE"),
        Value::Decimal(_) => Some("DECIMAL"),
        Value::Date32(_) => Some("DATE"),
        Value::Timestamp(..) => Some("TIMESTAMP"),
        _ => Some("VARCHAR"),
    }
}

/// DuckDB's error as it comes with `errors_as_json`: kind, message and, for syntax and names, the byte offset.
struct EngineError {
    kind: Option<String>,
    message: String,
    offset: Option<usize>,
}

fn engine_error(text: &str) -> EngineError {
    let plain = || EngineError { kind: None, message: text.to_owned(), offset: None };
    let Some(start) = text.find('{') else { return plain() };
    let Some(json) = text.get(start..).and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok()) else { return plain() };
    let field = |name: &str| json.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let Some(message) = field("exception_message") else { return plain() };
    let offset = field("position").and_then(|position| position.parse().ok());
    EngineError { kind: field("exception_type").map(|kind| format!("{kind} Error")), message, offset }
}

fn statement_error(error: &duckdb::Error) -> AdapterError {
    let found = engine_error(&error.to_string());
    if found.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("interrupt error")) {
        return AdapterError::Cancelled;
    }
    let message = match &found.kind {
        Some(kind) => format!("{kind}: {}", found.message),
        None => found.message,
    };
    AdapterError::Statement { message, code: found.kind, offset: found.offset, hints: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Box<dyn Session> {
        DuckDb::open(MEMORY, Some(2), &BTreeMap::new()).unwrap().connect().unwrap()
    }

    fn one(sql: &str) -> Datum {
        session().query(sql, None).unwrap().rows.remove(0).remove(0)
    }

    #[test]
    fn values_come_back_exactly() {
        let text = |text: &str| Datum::Text(text.to_owned());
        let decimal = |text: &str| Datum::Decimal(text.to_owned());
        for (sql, expected) in [
            ("select null", Datum::Null),
            ("select true", Datum::Bool(true)),
            ("select 42::smallint", Datum::Int(42)),
            ("select 0.1::float", Datum::Float(0.1)),
            ("select -0.05::decimal(12,2)", decimal("-0.05")),
            ("select 12.50::decimal(38,2)", decimal("12.50")),
            ("select sum(x) from (values (9223372036854775807), (1)) as t(x)", decimal("9223372036854775808")),
            ("select 340282366920938463463374607431768211455::uhugeint", decimal("340282366920938463463374607431768211455")),
            ("select date '2026-01-16'", text("2026-01-16")),
            ("select timestamp '2026-01-16 20:01:02.123400'", text("2026-01-16 20:01:02.1234")),
            ("select timestamptz '2026-07-16 20:01:02+01'", text("2026-07-16 19:01:02+00")),
            ("select timestamp '2025-10-26 01:30:00' at time zone 'Europe/London'", text("2025-10-26 01:30:00+00")),
            ("select timetz '10:00:00+02'", text("10:00:00+02")),
            ("select interval '1 month 2 days 03:04:05'", text("1 month 2 days 03:04:05")),
            ("select uuid '0189E7E7-0000-7000-8000-000000000001'", text("0189e7e7-0000-7000-8000-000000000001")),
            ("select [1, null, 2]", text("[1, NULL, 2]")),
            ("select {'a': 1, 'b': 'x'}", text("{'a': 1, 'b': x}")),
            ("select '{\"a\": 1}'::json", text("{\"a\": 1}")),
            ("select 'a'::blob", text("a")),
        ] {
            assert_eq!(one(sql), expected, "{sql}");
        }
    }

    #[test]
    fn results_have_names_types_and_a_limit() {
        let table = session().query("select 1 as a, 2.50::decimal(5,2) as a, current_date as d from range(9); -- end", Some(2)).unwrap();
        let columns: Vec<_> = table.columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
        assert_eq!(columns, ["a INTEGER", "a DECIMAL(5,2)", "d DATE"]);
        assert_eq!(table.rows.len(), 2);
        let empty = session().query("select 1::bigint as n where false", None).unwrap();
        assert_eq!(empty.columns, [ColumnInfo { name: "n".to_owned(), data_type: "BIGINT".to_owned() }]);
        let ordered =
            session().query("select x::date from range(date '2026-01-01', date '2026-01-04', interval 1 day) t(x) order by 1 desc", None);
        let ordered: Vec<_> = ordered.unwrap().rows.concat();
        assert_eq!(ordered, ["2026-01-03", "2026-01-02", "2026-01-01"].map(|text| Datum::Text(text.to_owned())));
    }

    #[test]
    fn statements_that_are_no_queries_return_rows_too() {
        let mut session = session();
        session.execute("create table t (d date, l varchar[], x timestamp)").unwrap();
        let sql = "insert into t values ('2026-02-01', ['a', 'b'], '2026-02-01 10:00:00.5') returning *";
        let rows = session.query(sql, None).unwrap().rows;
        assert_eq!(rows, [["2026-02-01", "[a, b]", "2026-02-01 10:00:00.5"].map(|text| Datum::Text(text.to_owned())).to_vec()]);
        assert_eq!(session.query("show tables", None).unwrap().rows, [[Datum::Text("t".to_owned())]]);
        assert_eq!(session.query("pivot t on d using count(*)", None).unwrap().rows.len(), 1);
    }

    #[test]
    fn errors_point_into_the_statement() {
        let mut session = session();
        let error = session.query("select 1,\n  nope from (select 1 as note)", Some(5)).unwrap_err();
        let AdapterError::Statement { message, code, offset, .. } = error else { panic!("{error:?}") };
        assert_eq!((code.as_deref(), offset), (Some("Binder Error"), Some(12)));
        assert!(message.starts_with("Binder Error: Referenced column \"nope\" not found"), "{message}");
        let error = session.execute("create table a (x int); insert into a values ('y')").unwrap_err();
        assert!(matches!(&error, AdapterError::Statement { code: Some(code), .. } if code == "Conversion Error"), "{error:?}");
    }

    #[test]
    fn executes_several_statements_and_counts_the_last() {
        let mut session = session();
        assert_eq!(session.execute("create table t (x int); insert into t values (1), (2)").unwrap(), 2);
        assert_eq!(session.execute("delete from t where x = 1").unwrap(), 1);
        assert_eq!(session.execute("create table u as select * from range(3)").unwrap(), 3);
        assert_eq!(session.execute("-- nothing").unwrap(), 0);
    }

    #[test]
    fn a_running_statement_is_cancelled_and_the_session_lives_on() {
        let mut session = session();
        let cancel = session.cancel_handle();
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(200));
            cancel.cancel();
        });
        let error = session.execute("create table t as select sum(a.range * b.range) from range(1000000) a, range(1000000) b").unwrap_err();
        assert!(matches!(error, AdapterError::Cancelled), "{error:?}");
        canceller.join().unwrap();
        assert_eq!(session.execute("create table t (x int)").unwrap(), 0);
    }

    #[test]
    fn the_catalogue_lists_relations_and_columns() {
        let database = DuckDb::open(MEMORY, None, &BTreeMap::new()).unwrap();
        let mut session = database.connect().unwrap();
        session
            .execute("create schema s; create table s.t (a numeric(12,2), \"B c\" timestamptz); create view s.v as select 1 as x")
            .unwrap();
        let relations = session.relations(&["S".to_owned(), "missing".to_owned()]).unwrap();
        let names: Vec<_> = relations.iter().map(|found| (found.relation.display(), found.kind)).collect();
        assert_eq!(names, [("s.t".to_owned(), RelationKind::Table), ("s.v".to_owned(), RelationKind::View)]);
        let columns = session.columns(&Relation::new(database.database(), "s", "t")).unwrap();
        let columns: Vec<_> = columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
        assert_eq!(columns, ["a DECIMAL(12,2)", "B c TIMESTAMP WITH TIME ZONE"]);
        assert_eq!(session.columns(&Relation::new("memory", "s", "nope")).unwrap(), []);
    }

    #[test]
    fn a_file_that_is_no_database_and_a_wrong_setting_are_explained() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "not a database, only some words that are long enough to be read as a header".repeat(99)).unwrap();
        let error = DuckDb::open(path.to_str().unwrap(), None, &BTreeMap::new()).err().unwrap();
        assert!(matches!(&error, AdapterError::Connection { hints, .. } if !hints.is_empty()), "{error:?}");
        let settings = BTreeMap::from([("memory_limitt".to_owned(), "1GB".to_owned())]);
        let error = DuckDb::open(MEMORY, None, &settings).err().unwrap();
        assert!(matches!(&error, AdapterError::Connection { hints, .. } if !hints.is_empty()), "{error:?}");
    }
}
