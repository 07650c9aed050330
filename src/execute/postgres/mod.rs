//! PostgreSQL through sqlx: the simple query protocol, so that any SQL runs as it was printed and values come as text.

mod attachments;
mod failure;
mod values;

use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Either, Executor, SqlSafeStr, Statement};
use tokio::runtime::Runtime;

use self::failure::{Sent, connect_failure, connect_timeout, lost, statement_failure};
use super::adapter::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, Session, Table};
use crate::base::{Relation, RelationKind, quote_ident};
use crate::dialect::quote_text;
use crate::plan::{Attachments, Privilege};
use crate::syntax::shape;

/// Bytes that one `CopyData` message carries.
const COPY_CHUNK: usize = 128 * 1024;

/// How to reach a server, as a profile says it.
#[derive(Clone)]
pub struct PgSettings {
    /// A host name or address, or (with a leading `/`) the folder of the server's socket.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<String>,
    pub dbname: String,
    /// libpq's words, `disable` to `verify-full`; `None` is `prefer`.
    pub sslmode: Option<String>,
    pub sslrootcert: Option<String>,
    pub sslcert: Option<String>,
    pub sslkey: Option<String>,
    pub connect_timeout: Duration,
    /// Seconds of silence after which the server asks whether this side is alive; `None`: its default.
    pub keepalives_idle: Option<u32>,
    /// A comma-separated list; names without quotes fold to lower case.
    pub search_path: Option<String>,
    /// The role to assume after connecting.
    pub role: Option<String>,
    pub application_name: String,
}

impl Default for PgSettings {
    fn default() -> PgSettings {
        PgSettings {
            host: "localhost".to_owned(),
            port: 5432,
            user: String::new(),
            password: None,
            dbname: "postgres".to_owned(),
            sslmode: None,
            sslrootcert: None,
            sslcert: None,
            sslkey: None,
            connect_timeout: Duration::from_secs(10),
            keepalives_idle: None,
            search_path: None,
            role: None,
            application_name: "acca".to_owned(),
        }
    }
}

/// Without the password and the paths of keys.
impl fmt::Debug for PgSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PgSettings({}, user {})", self.place(), self.user)
    }
}

impl PgSettings {
    /// For messages: `PostgreSQL at localhost:5432, database 'shop'`.
    fn place(&self) -> String {
        format!("PostgreSQL at {}:{}, database '{}'", self.host, self.port, self.dbname)
    }

    fn options(&self) -> Result<PgConnectOptions, AdapterError> {
        let mode: PgSslMode = self.sslmode.as_deref().unwrap_or("prefer").parse().map_err(|_| AdapterError::Connection {
            message: format!("'{}' is no sslmode", self.sslmode.as_deref().unwrap_or("")),
            hints: vec!["'sslmode' in profiles.yml is disable, allow, prefer, require, verify-ca or verify-full".to_owned()],
        })?;
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .database(&self.dbname)
            .ssl_mode(mode)
            .application_name(&self.application_name)
            .disable_statement_logging();
        if let Some(password) = &self.password {
            options = options.password(password);
        }
        if let Some(path) = &self.sslrootcert {
            options = options.ssl_root_cert(path);
        }
        if let Some(path) = &self.sslcert {
            options = options.ssl_client_cert(path);
        }
        if let Some(path) = &self.sslkey {
            options = options.ssl_client_key(path);
        }
        Ok(options)
    }

    /// What pins the session, so that text values do not depend on the server's configuration.
    fn session_sql(&self) -> String {
        let mut sql = String::from(
            "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; \
             SET standard_conforming_strings = on; SET client_min_messages = warning",
        );
        if let Some(seconds) = self.keepalives_idle {
            sql.push_str(&format!("; SET tcp_keepalives_idle = {seconds}"));
        }
        if let Some(role) = &self.role {
            sql.push_str(&format!("; SET ROLE {}", folded(role)));
        }
        if let Some(path) = &self.search_path {
            let names: Vec<String> = path.split(',').map(str::trim).filter(|name| !name.is_empty()).map(folded).collect();
            sql.push_str(&format!("; SET search_path = {}", names.join(", ")));
        }
        sql
    }
}

/// A name from a profile as PostgreSQL reads it there: folded to lower case unless it is in quotes already.
fn folded(name: &str) -> String {
    if name.len() > 1 && name.starts_with('"') && name.ends_with('"') { name.to_owned() } else { quote_ident(&name.to_lowercase()) }
}

/// A PostgreSQL database. Sessions are connections; they share one small runtime that waits for the network.
pub struct Postgres {
    settings: Arc<PgSettings>,
    runtime: Arc<Runtime>,
}

impl Postgres {
    /// Does not connect yet.
    ///
    /// # Errors
    /// `Io` when the operating system gives no threads.
    pub fn new(settings: PgSettings) -> Result<Postgres, AdapterError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("acca-postgres")
            .enable_all()
            .build()
            .map_err(|error| AdapterError::Io(format!("cannot start the thread that talks to PostgreSQL: {error}")))?;
        Ok(Postgres { settings: Arc::new(settings), runtime: Arc::new(runtime) })
    }

    /// The name of the database in SQL.
    pub fn database(&self) -> &str {
        &self.settings.dbname
    }

    fn session(&self) -> Result<PgSession, AdapterError> {
        let connection = self.runtime.block_on(open(&self.settings))?;
        let mut session = PgSession {
            settings: Arc::clone(&self.settings),
            runtime: Arc::clone(&self.runtime),
            connection: Some(connection),
            backend: 0,
            version: 0,
            cancelled: Arc::default(),
        };
        session.execute(&self.settings.session_sql()).map_err(|error| match error {
            AdapterError::Statement { message, hints, .. } => AdapterError::Connection {
                message: format!("{} refuses the settings of the session: {message}", self.settings.place()),
                hints: hints.into_iter().chain(["check 'role', 'search_path' and 'keepalives_idle' in profiles.yml".to_owned()]).collect(),
            },
            other => other,
        })?;
        let facts = session.query("SELECT pg_backend_pid(), current_setting('server_version_num')::integer", None)?;
        if let Some([Datum::Int(pid), Datum::Int(version)]) = facts.rows.first().map(Vec::as_slice) {
            (session.backend, session.version) = (*pid, *version);
        }
        Ok(session)
    }
}

async fn open(settings: &PgSettings) -> Result<PgConnection, AdapterError> {
    let options = settings.options()?;
    match tokio::time::timeout(settings.connect_timeout, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(connect_failure(settings, &error)),
        Err(_) => Err(connect_timeout(settings)),
    }
}

impl Adapter for Postgres {
    fn connect(&self) -> Result<Box<dyn Session>, AdapterError> {
        Ok(Box::new(self.session()?))
    }

    fn describe(&self) -> Result<String, AdapterError> {
        let table = self.session()?.query("SELECT current_setting('server_version')", None)?;
        let version = match table.rows.first().and_then(|row| row.first()) {
            Some(Datum::Text(version)) => version.as_str(),
            _ => "",
        };
        let PgSettings { host, port, user, dbname, .. } = &*self.settings;
        Ok(format!("PostgreSQL {version} at {host}:{port}, database '{dbname}', user '{user}'"))
    }
}

struct PgSession {
    settings: Arc<PgSettings>,
    runtime: Arc<Runtime>,
    /// `None` only while the session is being dropped.
    connection: Option<PgConnection>,
    /// The process that serves this connection.
    backend: i64,
    /// `server_version_num`: 150004 for 15.4.
    version: i64,
    /// Set by [`Cancel`]: tells its doing from a timeout that the server imposes. Locked while the server is asked to cancel, so that
    /// no statement begins in between that forgets who ends it.
    cancelled: Arc<Mutex<bool>>,
}

/// The rows of the last statement that had any, and how many rows the last statement changed.
#[derive(Default)]
struct Answer {
    rows: Vec<PgRow>,
    changed: u64,
}

impl PgSession {
    /// Sends `sql` and keeps at most `limit` rows.
    fn run(&mut self, sent: Sent<'_>, limit: usize) -> Result<Answer, AdapterError> {
        *lock(&self.cancelled) = false;
        let Some(connection) = self.connection.as_mut() else { return Err(lost(&self.settings.place(), "it is closed")) };
        let answer = self.runtime.block_on(async {
            let mut answer = Answer::default();
            let mut stream = sqlx::raw_sql(AssertSqlSafe(sent.sql.to_owned())).fetch_many(connection);
            while let Some(piece) = stream.try_next().await? {
                match piece {
                    Either::Left(done) => answer.changed = done.rows_affected(),
                    Either::Right(row) if answer.rows.len() < limit => answer.rows.push(row),
                    Either::Right(_) => {}
                }
            }
            Ok(answer)
        });
        answer.map_err(|error| self.failure(&error, sent))
    }

    fn failure(&self, error: &sqlx::Error, sent: Sent<'_>) -> AdapterError {
        statement_failure(&self.settings, error, sent, *lock(&self.cancelled))
    }

    /// Names and type oids of a query's columns when it returned no row to read them from.
    fn prepared_columns(&mut self, query: &str) -> Result<Vec<(String, u32)>, AdapterError> {
        let sent = Sent { sql: query, prefix: 0 };
        let Some(connection) = self.connection.as_mut() else { return Err(lost(&self.settings.place(), "it is closed")) };
        let columns = self.runtime.block_on(async {
            let statement = connection.prepare(AssertSqlSafe(query.to_owned()).into_sql_str()).await?;
            let columns = statement.columns().iter().map(values::name_and_oid).collect();
            connection.clear_cached_statements().await?;
            Ok(columns)
        });
        columns.map_err(|error| self.failure(&error, sent))
    }

    /// Spells types as PostgreSQL does. What a result does not carry (precision and scale) is left out.
    fn spelled(&mut self, columns: Vec<(String, u32)>) -> Result<Vec<ColumnInfo>, AdapterError> {
        let mut unknown: Vec<String> =
            columns.iter().filter(|(_, oid)| values::common_type(*oid).is_none()).map(|(_, oid)| oid.to_string()).collect();
        unknown.sort();
        unknown.dedup();
        let mut spelled = Vec::new();
        if !unknown.is_empty() {
            let sql = format!("SELECT oid::bigint, format_type(oid, NULL) FROM pg_catalog.pg_type WHERE oid IN ({})", unknown.join(", "));
            spelled = self.text_rows(&sql)?;
        }
        let find = |oid: u32| spelled.iter().find(|row| row.first().is_some_and(|text| *text == oid.to_string()));
        Ok(columns
            .into_iter()
            .map(|(name, oid)| {
                let data_type = match values::common_type(oid) {
                    Some(known) => known.to_owned(),
                    None => find(oid).and_then(|row| row.get(1)).cloned().unwrap_or_else(|| "unknown".to_owned()),
                };
                ColumnInfo { name, data_type }
            })
            .collect())
    }

    /// The rows of a query of the adapter's own, every value as text.
    fn text_rows(&mut self, sql: &str) -> Result<Vec<Vec<String>>, AdapterError> {
        let answer = self.run(Sent { sql, prefix: 0 }, usize::MAX)?;
        answer.rows.iter().map(values::text_row).collect::<Result<_, _>>().map_err(|error| self.failure(&error, Sent { sql, prefix: 0 }))
    }
}

const CURSOR: &str = "DECLARE acca_rows NO SCROLL CURSOR FOR ";

impl Session for PgSession {
    fn execute(&mut self, sql: &str) -> Result<u64, AdapterError> {
        Ok(self.run(Sent { sql, prefix: 0 }, 0)?.changed)
    }

    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<Table, AdapterError> {
        let shape = shape(sql);
        let answer = match limit {
            // A cursor stops the server after the rows that are wanted.
            Some(limit) if shape.is_one_query() => {
                let sql = format!("{CURSOR}{}\n;FETCH FORWARD {limit} FROM acca_rows;CLOSE acca_rows", shape.body);
                self.run(Sent { sql: &sql, prefix: CURSOR.len() }, limit)?
            }
            limit => self.run(Sent { sql, prefix: 0 }, limit.unwrap_or(usize::MAX))?,
        };
        let columns = match answer.rows.first() {
            Some(row) => values::names_and_oids(row),
            None if shape.is_one_query() => self.prepared_columns(shape.body)?,
            None => Vec::new(),
        };
        let rows = answer.rows.iter().map(values::row).collect::<Result<_, _>>();
        let rows = rows.map_err(|error| self.failure(&error, Sent { sql, prefix: 0 }))?;
        Ok(Table { columns: self.spelled(columns)?, rows })
    }

    /// A table has exact types, precision and length included, where a prepared statement has only their names.
    fn describe(&mut self, query: &str) -> Result<Vec<ColumnInfo>, AdapterError> {
        const CREATE: &str = "CREATE TEMPORARY TABLE acca_described AS\n";
        let sql = format!(
            "{CREATE}{query}\nWITH NO DATA;\n{};\nDROP TABLE pg_temp.acca_described",
            select_columns("c.oid = 'pg_temp.acca_described'::regclass")
        );
        let answer = self.run(Sent { sql: &sql, prefix: CREATE.len() }, usize::MAX)?;
        let rows = answer.rows.iter().map(values::text_row).collect::<Result<Vec<_>, _>>();
        Ok(column_infos(rows.map_err(|error| self.failure(&error, Sent { sql: query, prefix: 0 }))?))
    }

    fn copy_in(&mut self, sql: &str, data: &mut dyn Read) -> Result<u64, AdapterError> {
        *lock(&self.cancelled) = false;
        let sent = Sent { sql, prefix: 0 };
        let Some(connection) = self.connection.as_mut() else { return Err(lost(&self.settings.place(), "it is closed")) };
        let copied = self.runtime.block_on(async {
            let mut copy = connection.copy_in_raw(sql).await.map_err(CopyError::Engine)?;
            let mut buffer = vec![0; COPY_CHUNK];
            loop {
                match fill(data, &mut buffer) {
                    Ok([]) => return copy.finish().await.map_err(CopyError::Engine),
                    Ok(filled) => {
                        copy.send(filled).await.map_err(CopyError::Engine)?;
                    }
                    Err(error) => {
                        copy.abort("the source of the data failed").await.map_err(CopyError::Engine)?;
                        return Err(CopyError::Source(error));
                    }
                }
            }
        });
        copied.map_err(|error| match error {
            CopyError::Engine(error) => self.failure(&error, sent),
            CopyError::Source(error) => AdapterError::Io(error.to_string()),
        })
    }

    fn relations(&mut self, schemas: &[String]) -> Result<Vec<CatalogRelation>, AdapterError> {
        if schemas.is_empty() {
            return Ok(Vec::new());
        }
        let list: Vec<String> = schemas.iter().map(|schema| quote_text(schema)).collect();
        let sql = format!(
            "SELECT current_database(), n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname IN ({}) ORDER BY 2, 3",
            list.join(", ")
        );
        let mut found: Vec<CatalogRelation> = self.text_rows(&sql)?.iter().filter_map(|row| catalog_relation(row)).collect();
        found.sort_by(|a, b| a.relation.cmp(&b.relation));
        Ok(found)
    }

    fn columns(&mut self, relation: &Relation) -> Result<Vec<ColumnInfo>, AdapterError> {
        let named = format!("n.nspname = {} AND c.relname = {}", quote_text(&relation.schema), quote_text(&relation.identifier));
        Ok(column_infos(self.text_rows(&select_columns(&named))?))
    }

    fn attachments(&mut self, live: &Relation, staged: &Relation, kind: RelationKind) -> Result<Attachments, AdapterError> {
        self.read_attachments(live, staged, kind)
    }

    fn readers(&mut self, live: &Relation) -> Result<Attachments, AdapterError> {
        self.read_readers(live)
    }

    fn privileges(&mut self, relation: &Relation) -> Result<Vec<Privilege>, AdapterError> {
        self.read_privileges(relation)
    }

    fn cancel_handle(&self) -> Arc<dyn Cancel> {
        Arc::new(CancelBackend {
            settings: Arc::clone(&self.settings),
            runtime: Arc::clone(&self.runtime),
            backend: self.backend,
            cancelled: Arc::clone(&self.cancelled),
        })
    }
}

impl Drop for PgSession {
    /// Says goodbye to the server, which otherwise notes a lost client in its log.
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // A server that is gone cannot be told.
            let _ = self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(1), connection.close()).await });
        }
    }
}

enum CopyError {
    Engine(sqlx::Error),
    Source(std::io::Error),
}

/// Reads until the buffer is full or the data ends.
fn fill<'a>(data: &mut dyn Read, buffer: &'a mut [u8]) -> std::io::Result<&'a [u8]> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match data.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..filled).unwrap_or(&[]))
}

struct CancelBackend {
    settings: Arc<PgSettings>,
    runtime: Arc<Runtime>,
    backend: i64,
    cancelled: Arc<Mutex<bool>>,
}

fn lock(flag: &Mutex<bool>) -> MutexGuard<'_, bool> {
    flag.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cancel for CancelBackend {
    fn cancel(&self) {
        let mut cancelled = lock(&self.cancelled);
        *cancelled = true;
        let asked = self.runtime.block_on(async {
            let mut connection = open(&self.settings).await.ok()?;
            let sql = format!("SELECT pg_catalog.pg_cancel_backend({})", self.backend);
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.ok()?;
            connection.close().await.ok()
        });
        // Nothing to do when the server cannot be asked: the statement then ends with the connection.
        let _ = asked;
    }
}

fn select_columns(of: &str) -> String {
    format!(
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a \
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE {of} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
}

fn column_infos(rows: Vec<Vec<String>>) -> Vec<ColumnInfo> {
    let pairs = rows.into_iter().filter_map(|row| <[String; 2]>::try_from(row).ok());
    pairs.map(|[name, data_type]| ColumnInfo { name, data_type }).collect()
}

fn relation_kind(relkind: &str) -> RelationKind {
    match relkind {
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        "f" => RelationKind::External,
        _ => RelationKind::Table,
    }
}

fn catalog_relation(row: &[String]) -> Option<CatalogRelation> {
    let [database, schema, name, kind, owner] = row else { return None };
    Some(CatalogRelation { relation: Relation::new(database, schema, name), kind: relation_kind(kind), owner: Some(owner.clone()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_never_show_the_password() {
        let settings = PgSettings { password: Some("sesame".to_owned()), ..PgSettings::default() };
        assert!(!format!("{settings:?}").contains("sesame"));
    }

    #[test]
    fn names_of_a_profile_fold_like_unquoted_ones() {
        let settings =
            PgSettings { role: Some("Reporter".to_owned()), search_path: Some("Shop, \"Big One\",".to_owned()), ..PgSettings::default() };
        let sql = settings.session_sql();
        assert!(sql.ends_with("; SET ROLE \"reporter\"; SET search_path = \"shop\", \"Big One\""), "{sql}");
    }

    #[test]
    fn no_server_is_a_connection_error_with_a_hint() {
        let settings = PgSettings { host: "127.0.0.1".to_owned(), port: 1, password: Some("sesame".to_owned()), ..PgSettings::default() };
        let error = Postgres::new(settings).unwrap().connect().err().unwrap();
        let AdapterError::Connection { message, hints } = error else { panic!("{error:?}") };
        assert!(message.contains("127.0.0.1:1") && !message.contains("sesame"), "{message}");
        assert!(hints.concat().contains("'host' and 'port'"), "{hints:?}");
        let settings = PgSettings { host: "/nowhere".to_owned(), ..PgSettings::default() };
        let error = Postgres::new(settings).unwrap().connect().err().unwrap();
        assert!(matches!(&error, AdapterError::Connection { hints, .. } if hints.concat().contains("socket")), "{error:?}");
    }

    #[test]
    fn a_wrong_sslmode_is_named() {
        let settings = PgSettings { sslmode: Some("on".to_owned()), ..PgSettings::default() };
        let error = Postgres::new(settings).unwrap().connect().err().unwrap();
        assert!(error.to_string().contains("'on' is no sslmode"), "{error}");
    }
}
