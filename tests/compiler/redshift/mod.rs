//! An imitation of Amazon Redshift for tests: nobody here has a cluster.
//!
//! ```ignore
//! let redshift = Imitation::new();
//! redshift.execute("create table t (a int, b varchar(20))")?;
//! redshift.execute("insert into t values (1, 'x '), (2, 'x')")?;
//! let outcome = redshift.execute("select avg(a), count(distinct b) from t")?;
//! assert_eq!(outcome.lines(), ["1|1"]);
//! ```
//!
//! [`Imitation::execute`] takes a statement in Redshift's SQL, several with semicolons between; what comes back is of the last.
//! [`Imitation::session`] is a connection of one's own, for transactions. What Redshift refuses and what is not imitated is a
//! [`Failure`] of another kind each: nothing goes through unread.
//!
//! A text is read by Redshift's rules ([`read`]), and written anew for PostgreSQL ([`query`], [`expressions`], [`functions`],
//! [`statements`]), where a schema of functions and changed operators does what Redshift does (`semantics/*.sql`). Precision and scale
//! go along with every expression ([`typing`]), since Redshift's results hang on them. It knows nothing of the compiler's rewrites,
//! so a text of PostgreSQL that was not rewritten gives the wrong rows that Redshift would give.
//!
//! The list of differences (`fact N`) is what this is made from. No cluster was asked: where that list is wrong, this is wrong too.

pub mod buckets;
mod bulk;
mod bulk_rows;
mod definitions;
pub mod emitted;
mod expressions;
mod external;
mod functions;
mod loads;
mod query;
mod read;
mod reader;
mod rules;
pub mod service;
pub mod silent;
mod statements;
mod typing;
mod upkeep;
mod validator;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use acca::execute::{Adapter, AdapterError, Cancel, Datum, Postgres, Session, Table};
use sqlparser::ast::Statement;

use self::buckets::Buckets;
use self::bulk::Bulk;
use self::external::{External, Outside};
use self::query::{Column, Found, Translator};
use self::statements::Effect;
use self::upkeep::Upkeep;
use crate::postgres::{PgDatabase, PgServer};

/// What Redshift does differently, in the order in which it is installed.
const SEMANTICS: &[&str] = &[
    include_str!("semantics/text.sql"),
    include_str!("semantics/casts.sql"),
    include_str!("semantics/aggregates.sql"),
    include_str!("semantics/dates.sql"),
    include_str!("semantics/json.sql"),
    include_str!("semantics/catalogue.sql"),
];

/// A table is looked at anew when so many rows have come into it.
const MANY_ROWS: u64 = 50;

/// Why a statement was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    /// SQLSTATE of what Redshift refuses; `None` where the imitation ends.
    pub code: Option<String>,
}

impl Failure {
    pub fn refused(message: impl Into<String>, code: &str) -> Failure {
        Failure { message: message.into(), code: Some(code.to_owned()) }
    }

    pub fn not_imitated(what: impl Into<String>) -> Failure {
        Failure { message: format!("not imitated: {}", what.into()), code: None }
    }
}

impl From<AdapterError> for Failure {
    fn from(error: AdapterError) -> Failure {
        match error {
            AdapterError::Statement { message, code, .. } => Failure { message, code },
            AdapterError::Cancelled => Failure::refused("Query cancelled on user's request", "57014"),
            other => Failure { message: other.to_string(), code: Some("08006".to_owned()) },
        }
    }
}

/// What came of a statement.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub table: Table,
    /// Whether the statement is one that returns rows.
    pub has_rows: bool,
    /// Types of the columns as Redshift has them, where they are known.
    pub types: Vec<typing::Type>,
    pub changed: u64,
}

impl Outcome {
    /// The rows as psql prints them: a line each, fields separated by `|`, NULL as `∅`.
    pub fn lines(&self) -> Vec<String> {
        let cell = |datum: &Datum| match datum {
            Datum::Null => "∅".to_owned(),
            other => other.to_string(),
        };
        self.table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
    }
}

/// A database of its own that behaves as Redshift; dropped with this value.
pub struct Imitation {
    database: PgDatabase<'static>,
    adapter: Arc<Postgres>,
    buckets: Arc<Buckets>,
    outside: Arc<Mutex<Outside>>,
}

impl Imitation {
    pub fn new() -> Imitation {
        let server = PgServer::shared();
        let database = server.database_from(&template(server));
        let adapter = Arc::new(Postgres::new(database.settings()).unwrap());
        Imitation { database, adapter, buckets: Arc::new(Buckets::new()), outside: Arc::default() }
    }

    /// Sends records to a stream, of Kinesis or of Kafka (`KINESIS`, `MSK`, `KAFKA`).
    pub fn send(&self, kind: &str, stream: &str, records: &[&str]) {
        let mut session = self.adapter.connect().unwrap();
        for record in records {
            let values = [stream, kind, "2026-01-01 10:00:00"].map(expressions::literal).join(", ");
            let body = expressions::literal(record);
            session
                .execute(&format!(
                    "INSERT INTO redshift.records (stream, kind, arrived, body) VALUES ({values}, convert_to({body}, 'UTF8'))"
                ))
                .unwrap();
        }
        session.execute(&format!("SELECT redshift.show_streams(name, kind) FROM redshift.external_schemas WHERE kind = '{kind}'")).unwrap();
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.database.name
    }

    /// The buckets that COPY reads and UNLOAD writes.
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// A connection of its own, to the database `dev`.
    pub fn session(&self) -> ImitationSession {
        self.session_in("dev")
    }

    /// A connection of its own, to a database that calls itself so.
    pub fn session_in(&self, database: &str) -> ImitationSession {
        let mut session = self.adapter.connect().unwrap();
        // Transactions see one state, as with SNAPSHOT, and fail where another has changed the same rows: fact 195.
        session.execute("SET default_transaction_isolation = 'repeatable read'").unwrap();
        session.execute(&format!("SET redshift.database = {}", expressions::literal(database))).unwrap();
        ImitationSession {
            session,
            database: database.to_owned(),
            buckets: Arc::clone(&self.buckets),
            outside: Arc::clone(&self.outside),
            adapter: Arc::clone(&self.adapter),
            query: 0,
            in_transaction: false,
            grown: BTreeSet::new(),
        }
    }

    /// Runs one or more statements on a connection of their own; what the last one gave.
    ///
    /// # Errors
    /// What Redshift refuses, and what is not imitated.
    pub fn execute(&self, sql: &str) -> Result<Outcome, Failure> {
        self.session().execute(sql)
    }
}

pub struct ImitationSession {
    session: Box<dyn Session>,
    database: String,
    buckets: Arc<Buckets>,
    outside: Arc<Mutex<Outside>>,
    /// For what does not wait for the session's own transaction.
    adapter: Arc<Postgres>,
    /// The number of the statement that runs, by which tables of the system know it.
    pub query: usize,
    in_transaction: bool,
    /// Tables that many rows have come into: of these the warehouse gathers statistics by itself, a while later.
    grown: BTreeSet<String>,
}

impl ImitationSession {
    /// Runs one or more statements; what the last one gave.
    ///
    /// # Errors
    /// What Redshift refuses, and what is not imitated.
    pub fn execute(&mut self, sql: &str) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        for statement in read::split(read::tokens(sql)?) {
            outcome = self.run_tokens(statement)?;
        }
        Ok(outcome)
    }

    /// As [`ImitationSession::execute`], for exactly one statement.
    ///
    /// # Errors
    /// As [`ImitationSession::execute`], and where there are several.
    pub fn execute_one(&mut self, sql: &str) -> Result<Outcome, Failure> {
        let mut statements = read::split(read::tokens(sql)?);
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) => self.run_tokens(statement),
            _ => Err(Failure::refused("cannot insert multiple commands into a prepared statement", "42601")),
        }
    }

    fn run_tokens(&mut self, statement: Vec<sqlparser::tokenizer::Token>) -> Result<Outcome, Failure> {
        if !self.in_transaction {
            // A transaction sees the state of its beginning.
            let mut outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
            outside.refresh(&self.buckets, &|| self.adapter.connect())?;
        }
        if let Some(upkeep) = upkeep::read(&statement)? {
            return self.keep(&upkeep);
        }
        if let Some(external) = external::read(&statement)? {
            return self.declare(external);
        }
        match bulk::read(&statement)? {
            Some(bulk) => self.transfer(bulk),
            None => {
                let mut outcome = Outcome::default();
                for statement in read::statements(statement)? {
                    outcome = self.run(&statement)?;
                }
                Ok(outcome)
            }
        }
    }

    /// The name of a table as PostgreSQL is to read it.
    fn place(&self, name: &[String]) -> Result<String, Failure> {
        let mut none = |_: &[String]| None;
        let name = Translator::new(&self.database, &mut none).within(name)?;
        Ok(name.iter().map(|part| query::quoted(part)).collect::<Vec<_>>().join("."))
    }

    fn keep(&mut self, upkeep: &Upkeep) -> Result<Outcome, Failure> {
        if self.in_transaction && upkeep.needs_its_own_transaction() {
            return Err(Failure::refused("the statement cannot run inside a transaction block", "25001"));
        }
        let there = |place: String| format!("SELECT 1 FROM {place} LIMIT 0");
        let sql = match upkeep {
            Upkeep::Refresh(name) => format!("REFRESH MATERIALIZED VIEW {}", self.place(name)?),
            Upkeep::Analyze(Some(name)) => format!("ANALYZE {}", self.place(name)?),
            Upkeep::Vacuum(Some(name)) | Upkeep::Storage(name) => there(self.place(name)?),
            Upkeep::Analyze(None) | Upkeep::Vacuum(None) => "SELECT 1".to_owned(),
            Upkeep::Lock(name) => format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", self.place(name)?),
            Upkeep::Append(to, from) => {
                let (to, from) = (self.place(to)?, self.place(from)?);
                format!("WITH moved AS (DELETE FROM {from} RETURNING *) INSERT INTO {to} SELECT * FROM moved")
            }
        };
        let changed = self.session.execute(&sql)?;
        Ok(Outcome { changed, ..Outcome::default() })
    }

    /// An external schema, a table in it, or further parts of one: none of them in a transaction, fact 194.
    fn declare(&mut self, external: External) -> Result<Outcome, Failure> {
        if self.in_transaction {
            return Err(Failure::refused("CREATE EXTERNAL TABLE and its kin cannot run inside a transaction block", "25001"));
        }
        if let External::Table(table) = &external {
            external::check_schema(&mut *self.session, &table.name[0])?;
            self.execute(&table.definition())?;
        }
        for sql in external.sql(&mut *self.session)? {
            self.session.execute(&sql)?;
        }
        self.outside.lock().unwrap_or_else(PoisonError::into_inner).add(external);
        Ok(Outcome::default())
    }

    /// A stream is read by nothing but the one materialized view that is made of it (`materialized-view-streaming-ingestion`).
    fn check_streams(&mut self, statement: &Statement, names: &external::Names) -> Result<(), Failure> {
        let outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        let is_materialized = matches!(statement, Statement::CreateView(view) if view.materialized);
        match (outside.streams(names), is_materialized) {
            (0, _) | (1, true) => {}
            (_, true) => return Err(Failure::refused("a streaming materialized view can only reference one stream", "0A000")),
            (_, false) => return Err(Failure::refused("streams can only be read by materialized views", "0A000")),
        }
        Ok(())
    }

    fn transfer(&mut self, bulk: Bulk) -> Result<Outcome, Failure> {
        match bulk {
            Bulk::Unload(unload) => {
                let outcome = self.execute_one(&unload.query)?;
                // Redshift writes 15 digits unless it is told otherwise.
                let digits = self.session.value("select current_setting('redshift.extra_float_digits', true)")?;
                let exact = digits.is_some_and(|digits| digits.to_string() == "2");
                bulk_rows::unload(&unload, &outcome, exact, &self.buckets)?;
                Ok(Outcome { changed: outcome.table.rows.len() as u64, ..Outcome::default() })
            }
            Bulk::Copy(copy) => {
                let mut none = |_: &[String]| None;
                let name = Translator::new(&self.database, &mut none).within(&copy.table)?;
                let Some(Found::Columns(all)) = find(&mut *self.session, &name) else {
                    return Err(Failure::refused(format!("relation \"{}\" does not exist", name.join(".")), "42P01"));
                };
                let columns: Option<Vec<Column>> = match copy.columns.as_slice() {
                    [] => Some(all),
                    names => names.iter().map(|name| all.iter().find(|column| column.name == *name).cloned()).collect(),
                };
                let columns = columns.ok_or_else(|| Failure::refused("COPY names a column that the table has not", "42703"))?;
                let table = self.place(&name)?;
                // All rows or none, whether a transaction is open or not.
                let own = !self.in_transaction;
                if own {
                    self.session.execute("BEGIN")?;
                }
                let changed = bulk_rows::copy(&copy, &columns, &table, &self.buckets, &mut *self.session);
                if own {
                    self.session.execute(if changed.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
                }
                if changed.is_err()
                    && let Ok(mut apart) = self.adapter.connect()
                    && let Some(fault) = bulk_rows::fault(&copy, &columns, &self.buckets, &mut *apart)
                {
                    let texts = [&fault.file, &fault.column, &fault.value, &fault.reason].map(|text| expressions::literal(text));
                    let [file, column, value, reason] = texts;
                    let (query, line) = (self.query, fault.line);
                    apart.execute(&format!(
                        "INSERT INTO redshift.load_errors (query, file, line, column_name, value, reason) \
                         VALUES ({query}, {file}, {line}, {column}, {value}, {reason})"
                    ))?;
                }
                Ok(Outcome { changed: changed?, ..Outcome::default() })
            }
        }
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Ends the running statement from another thread.
    pub fn cancel_handle(&self) -> Arc<dyn Cancel> {
        self.session.cancel_handle()
    }

    /// The text that PostgreSQL would get for one statement: to see why a result is what it is.
    ///
    /// # Errors
    /// As [`ImitationSession::execute`].
    pub fn translate(&mut self, sql: &str) -> Result<String, Failure> {
        let mut texts = Vec::new();
        for statement in read::statements(read::tokens(sql)?)? {
            texts.push(self.script(&statement)?.sql);
        }
        Ok(texts.join(";\n"))
    }

    fn script(&mut self, statement: &sqlparser::ast::Statement) -> Result<statements::Script, Failure> {
        let names = RefCell::new(external::Names::new());
        let mut lookup = |name: &[String]| {
            names.borrow_mut().insert(name.to_vec());
            find(&mut *self.session, name)
        };
        let script = statements::translate(statement, &mut Translator::new(&self.database, &mut lookup), self.in_transaction)?;
        self.check_streams(statement, &names.into_inner())?;
        Ok(script)
    }

    fn run(&mut self, statement: &sqlparser::ast::Statement) -> Result<Outcome, Failure> {
        let script = self.script(statement)?;
        match script.effect {
            Effect::Rows => {
                let table = self.session.query(&script.sql, None)?;
                let types = script.columns.into_iter().flatten().map(|column| column.of).collect();
                return Ok(Outcome { table, has_rows: true, types, changed: 0 });
            }
            Effect::Begin => self.in_transaction = true,
            Effect::Commit | Effect::Rollback => self.in_transaction = false,
            Effect::Commits if self.in_transaction => {
                self.session.execute("COMMIT")?;
                self.in_transaction = false;
            }
            Effect::Commits | Effect::Changes => {}
        }
        let changed = self.session.execute(&script.sql)?;
        if let Some(table) = script.grows.filter(|_| changed >= MANY_ROWS) {
            self.grown.insert(table);
        }
        if script.effect == Effect::Rollback {
            self.grown.clear();
        }
        if !self.in_transaction {
            for table in std::mem::take(&mut self.grown) {
                self.session.execute(&format!("ANALYZE {table}"))?;
            }
        }
        Ok(Outcome { changed, ..Outcome::default() })
    }
}

/// What stands under a name in the database.
fn find(session: &mut dyn Session, name: &[String]) -> Option<Found> {
    let quoted: Vec<String> = name.iter().map(|part| query::quoted(part)).collect();
    let place = expressions::literal(&quoted.join("."));
    let late = session.value(&format!("SELECT body FROM redshift.late_views WHERE relation = to_regclass({place})")).ok()?;
    if let Some(Datum::Text(body)) = late {
        return Some(Found::Late(body));
    }
    let sql = format!(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute \
         WHERE attrelid = to_regclass({place}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    );
    let table = session.query(&sql, None).ok()?;
    let columns: Vec<Column> = table
        .rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [Datum::Text(name), Datum::Text(of)] => Some(Column { name: name.clone(), of: typing::Type::of_postgres(of) }),
            _ => None,
        })
        .collect();
    (!columns.is_empty()).then_some(Found::Columns(columns))
}

/// The database from which each imitation is copied; made by whoever asks first, anew when the rules change.
fn template(server: &PgServer) -> String {
    let digest = crc32fast::hash(SEMANTICS.concat().as_bytes());
    let name = format!("redshift_{digest:08x}");
    let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redshift");
    let lock = File::create(state).unwrap();
    lock.lock().unwrap();
    if server.query("postgres", &format!("select count(*) from pg_database where datname = '{name}'")) == "0" {
        let making = format!("{name}_making");
        server.query("postgres", &format!("drop database if exists {making}"));
        // Text is ordered by its bytes, fact 56, and letters of all languages have both cases.
        server.query("postgres", &format!("create database {making} template template0 lc_collate 'C'"));
        server.query(&making, &SEMANTICS.concat());
        server.query("postgres", &format!("alter database {making} rename to {name}"));
    }
    name
}
