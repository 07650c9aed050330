//! One session of the warehouse.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::StatusString;
use tokio::runtime::Runtime;

use super::api::{Api, Started, jittered};
use super::failure;
use super::settings::RedshiftSettings;
use super::split::statements;
use crate::base::{Relation, RelationKind};
use crate::dialect::{Engine, literal, load_errors, max_statement};
use crate::execute::adapter::{AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, Session, Table};
use crate::plan::{Attachments, Privilege, Setting, SettingKind};
use crate::syntax::past_comments;

/// How often a statement outside of transactions is run.
const TRIES: u32 = 3;

/// How long is waited after a conflict, before the transaction is tried again.
const AFTER_CONFLICT: Duration = Duration::from_secs(1);

pub(super) struct RedshiftSession {
    settings: Arc<RedshiftSettings>,
    runtime: Arc<Runtime>,
    api: Arc<Api>,
    /// The service's name for the session; `None` until the first statement.
    session: Option<String>,
    in_transaction: bool,
    running: Arc<Running>,
}

/// The statement that runs, and whether somebody asked for its end.
#[derive(Default)]
struct Running(Mutex<(Option<String>, bool)>);

impl Running {
    fn lock(&self) -> MutexGuard<'_, (Option<String>, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RedshiftSession {
    pub(super) fn new(settings: Arc<RedshiftSettings>, runtime: Arc<Runtime>, api: Arc<Api>) -> RedshiftSession {
        RedshiftSession { settings, runtime, api, session: None, in_transaction: false, running: Arc::default() }
    }

    /// Runs one statement to its end. One that stands alone is run again after a conflict.
    fn run(&mut self, sql: &str) -> Result<DescribeStatementOutput, AdapterError> {
        let mut tries = 1;
        loop {
            match self.run_once(sql) {
                Err(error) if error.is_conflict() && !self.in_transaction && tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    fn run_once(&mut self, sql: &str) -> Result<DescribeStatementOutput, AdapterError> {
        self.open()?;
        let done = self.run_in_session(sql);
        let is_gone = |error: &AdapterError| matches!(error, AdapterError::Connection { message, .. } if message.contains("ession"));
        match done {
            // The service drops a session that nobody used for a while. Within a transaction its work is lost with it.
            Err(error) if is_gone(&error) && !self.in_transaction => {
                self.session = None;
                self.open()?;
                self.run_in_session(sql)
            }
            done => done,
        }
    }

    /// The first statements of a session, so that values do not depend on who logs in.
    fn open(&mut self) -> Result<(), AdapterError> {
        if self.session.is_some() {
            return Ok(());
        }
        self.in_transaction = false;
        let group = self.settings.query_group.as_ref().map(|group| format!("set query_group to {}", text(group)));
        let opened =
            ["set timezone to 'UTC'".to_owned()].into_iter().chain(group).try_for_each(|sql| self.run_in_session(&sql).map(|_| ()));
        if opened.is_err() {
            // One that is half set up is not used.
            self.session = None;
        }
        opened
    }

    fn run_in_session(&mut self, sql: &str) -> Result<DescribeStatementOutput, AdapterError> {
        if let Some(most) = max_statement(Engine::Redshift).filter(|most| sql.len() > *most) {
            return Err(AdapterError::Statement {
                message: format!("the statement has {} bytes, and the Data API takes {most}", sql.len()),
                code: None,
                offset: None,
                hints: vec!["cut it into several models, or load rows from S3".to_owned()],
            });
        }
        let (started, ended, was_cancelled) = self.carry_out(self.session.as_deref(), sql);
        if let Some(session) = started.and_then(|started| started.session) {
            self.session = Some(session);
        }
        let ended = ended?;
        match ended.status() {
            Some(StatusString::Finished) => {
                self.note_transaction(sql);
                Ok(ended)
            }
            Some(StatusString::Aborted) => Err(AdapterError::Cancelled),
            _ if was_cancelled => Err(AdapterError::Cancelled),
            _ => {
                let mut error = failure::statement(ended.error().unwrap_or(""), sql);
                if let AdapterError::Statement { message, hints, .. } = &mut error
                    && failure::is_of_load(message)
                    && let Some((fault, hint)) = self.load_fault(ended.redshift_query_id())?
                {
                    *message = fault;
                    hints.push(hint);
                }
                if error.is_conflict() {
                    std::thread::sleep(jittered(AFTER_CONFLICT));
                }
                Err(error)
            }
        }
    }

    /// Starts a statement and waits for its end, unless somebody cancels it: whether that was so is told too.
    fn carry_out(&self, session: Option<&str>, sql: &str) -> (Option<Started>, Result<DescribeStatementOutput, AdapterError>, bool) {
        *self.running.lock() = (None, false);
        let started = match self.runtime.block_on(self.api.start(&self.settings, session, sql)) {
            Ok(started) => started,
            Err(error) => return (None, Err(error), false),
        };
        let asked = {
            let mut running = self.running.lock();
            running.0 = Some(started.id.clone());
            running.1
        };
        let ended = self.runtime.block_on(async {
            if asked {
                self.api.cancel(&started.id).await;
            }
            self.api.finish(&self.settings, &started.id).await
        });
        let was_cancelled = std::mem::take(&mut *self.running.lock()).1;
        (Some(started), ended, was_cancelled)
    }

    /// Where and why a COPY failed, which its error does not tell. It is asked for in statements of their own: the transaction of the COPY
    /// takes none any more. Where they fail, the COPY's own error has to do.
    fn load_fault(&self, query: i64) -> Result<Option<(String, String)>, AdapterError> {
        for sql in load_errors(query) {
            let (started, ended, was_cancelled) = self.carry_out(None, &sql);
            if was_cancelled {
                return Err(AdapterError::Cancelled);
            }
            let (Some(started), Ok(ended)) = (started, ended) else { continue };
            if ended.status() != Some(&StatusString::Finished) {
                continue;
            }
            let Ok(table) = self.runtime.block_on(self.api.rows(&self.settings, &started.id, 1)) else { continue };
            let row: Option<Vec<String>> = table.rows.first().map(|row| row.iter().map(ToString::to_string).collect());
            if let Some(fault) = row.and_then(|row| failure::of_load(&row)) {
                return Ok(Some((fault, failure::of_value(query, &sql))));
            }
        }
        Ok(None)
    }

    fn note_transaction(&mut self, sql: &str) {
        let first: String = past_comments(sql).chars().take_while(char::is_ascii_alphabetic).collect();
        match first.to_ascii_lowercase().as_str() {
            "begin" | "start" => self.in_transaction = true,
            // What Redshift's TRUNCATE ends too (`r_TRUNCATE`).
            "commit" | "end" | "rollback" | "abort" | "truncate" => self.in_transaction = false,
            _ => {}
        }
    }

    fn rows(&mut self, sql: &str, limit: usize) -> Result<Table, AdapterError> {
        let ended = self.run(sql)?;
        if ended.has_result_set() != Some(true) {
            return Ok(Table::default());
        }
        self.runtime.block_on(self.api.rows(&self.settings, ended.id(), limit))
    }

    /// In a query of its own: catalogues of the leader do not go together with those of the warehouse.
    fn owner(&mut self, relation: &Relation) -> Result<Option<String>, AdapterError> {
        let sql = format!(
            "select u.usename from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             join pg_catalog.pg_user u on u.usesysid = c.relowner where n.nspname = {} and c.relname = {}",
            text(&relation.schema.to_lowercase()),
            text(&relation.identifier.to_lowercase())
        );
        Ok(self.texts(&sql)?.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    fn texts(&mut self, sql: &str) -> Result<Vec<Vec<String>>, AdapterError> {
        let table = self.rows(sql, usize::MAX)?;
        Ok(table.rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect())
    }
}

fn text(text: &str) -> String {
    literal(text, Engine::Redshift)
}

impl Session for RedshiftSession {
    fn execute(&mut self, sql: &str) -> Result<u64, AdapterError> {
        let mut changed = 0;
        for statement in statements(sql) {
            changed = u64::try_from(self.run(statement)?.result_rows()).unwrap_or(0);
        }
        Ok(changed)
    }

    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<Table, AdapterError> {
        let mut table = Table::default();
        for statement in statements(sql) {
            table = self.rows(statement, limit.unwrap_or(usize::MAX))?;
        }
        Ok(table)
    }

    fn value(&mut self, sql: &str) -> Result<Option<Datum>, AdapterError> {
        Ok(self.query(sql, Some(1))?.rows.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    /// A result of no rows says what its columns are.
    fn describe(&mut self, query: &str) -> Result<Vec<ColumnInfo>, AdapterError> {
        const HEAD: &str = "select * from (\n";
        let described = self.query(&format!("{HEAD}{query}\n) as described limit 0"), Some(0));
        match described {
            Ok(table) => Ok(table.columns),
            Err(AdapterError::Statement { message, code, offset, hints }) => {
                let offset = offset.and_then(|offset| offset.checked_sub(HEAD.len()));
                Err(AdapterError::Statement { message, code, offset, hints })
            }
            Err(error) => Err(error),
        }
    }

    fn copy_in(&mut self, _sql: &str, _data: &mut dyn Read) -> Result<u64, AdapterError> {
        Err(AdapterError::Statement {
            message: "Redshift takes no rows from a client: COPY reads S3".to_owned(),
            code: None,
            offset: None,
            hints: Vec::new(),
        })
    }

    /// A materialized view is a view of its own kind here, told by its definition.
    fn relations(&mut self, schemas: &[String]) -> Result<Vec<CatalogRelation>, AdapterError> {
        if schemas.is_empty() {
            return Ok(Vec::new());
        }
        let list = schemas.iter().map(|schema| text(&schema.to_lowercase())).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "select current_database(), n.nspname, c.relname, case when c.relkind = 'm' or v.definition ilike '%create materialized view%' \
             then 'materialized view' when c.relkind = 'v' then 'view' else 'table' end as kind \
             from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             left join pg_catalog.pg_views v on v.schemaname = n.nspname and v.viewname = c.relname \
             where c.relkind in ('r', 'p', 'v', 'm') and n.nspname in ({list}) order by 2, 3"
        );
        let mut found: Vec<CatalogRelation> = self.texts(&sql)?.iter().filter_map(|row| catalog_relation(row)).collect();
        found.sort_by(|one, other| one.relation.cmp(&other.relation));
        Ok(found)
    }

    /// Columns of late-binding views are in no catalogue: a result of no rows tells those of every kind of relation.
    fn columns(&mut self, relation: &Relation) -> Result<Vec<ColumnInfo>, AdapterError> {
        let sql = format!(
            "select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = {} and c.relname = {}",
            text(&relation.schema.to_lowercase()),
            text(&relation.identifier.to_lowercase())
        );
        if self.texts(&sql)?.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.rows(&format!("select * from {} limit 0", relation.quoted()), 0)?.columns)
    }

    /// Who may read the replaced relation may read the one in its place.
    fn attachments(&mut self, live: &Relation, _staged: &Relation, _kind: RelationKind) -> Result<Attachments, AdapterError> {
        let held = self.privileges(live)?;
        let setting = |privilege: Privilege| Setting {
            statement: crate::dialect::grant(live, &privilege, Engine::Redshift),
            kind: SettingKind::Privilege(privilege),
        };
        Ok(Attachments { settings: held.into_iter().map(setting).collect(), ..Attachments::default() })
    }

    fn readers(&mut self, _live: &Relation) -> Result<Attachments, AdapterError> {
        Ok(Attachments::default())
    }

    fn privileges(&mut self, relation: &Relation) -> Result<Vec<Privilege>, AdapterError> {
        let sql = format!(
            "select privilege_type, identity_type, identity_name from svv_relation_privileges \
             where namespace_name = {} and relation_name = {} order by 1, 2, 3",
            text(&relation.schema.to_lowercase()),
            text(&relation.identifier.to_lowercase())
        );
        let held: Vec<Privilege> = self.texts(&sql)?.iter().filter_map(|row| privilege(row)).collect();
        if held.is_empty() {
            return Ok(held);
        }
        // The owner's own rights are among them.
        let owner = self.owner(relation)?;
        Ok(held.into_iter().filter(|privilege| Some(&privilege.grantee) != owner.as_ref()).collect())
    }

    fn cancel_handle(&self) -> Arc<dyn Cancel> {
        Arc::new(Canceller { runtime: Arc::clone(&self.runtime), api: Arc::clone(&self.api), running: Arc::clone(&self.running) })
    }
}

impl Drop for RedshiftSession {
    /// A transaction that is left open would hold its locks until the service ends the session.
    fn drop(&mut self) {
        if self.in_transaction {
            let _ = self.run_in_session("rollback");
        }
    }
}

fn catalog_relation(row: &[String]) -> Option<CatalogRelation> {
    let [database, schema, name, kind] = row else { return None };
    let kind = match kind.as_str() {
        "view" => RelationKind::View,
        "materialized view" => RelationKind::MaterializedView,
        _ => RelationKind::Table,
    };
    Some(CatalogRelation { relation: Relation::new(database, schema, name), kind, owner: None })
}

fn privilege(row: &[String]) -> Option<Privilege> {
    let [right, kind, name] = row else { return None };
    let grantee = match kind.to_ascii_lowercase().as_str() {
        "public" => "public".to_owned(),
        "group" => format!("group {name}"),
        "role" => format!("role {name}"),
        _ => name.clone(),
    };
    Some(Privilege { right: right.to_lowercase(), grantee })
}

struct Canceller {
    runtime: Arc<Runtime>,
    api: Arc<Api>,
    running: Arc<Running>,
}

impl Cancel for Canceller {
    fn cancel(&self) {
        let id = {
            let mut running = self.running.lock();
            running.1 = true;
            running.0.clone()
        };
        if let Some(id) = id {
            self.runtime.block_on(self.api.cancel(&id));
        }
    }
}
