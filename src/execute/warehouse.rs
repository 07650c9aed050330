//! Answers the questions of templates over the session of the node that they belong to.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::{AdapterError, Datum, Session, connect, open};
use crate::base::{Relation, RelationKind};
use crate::jinja::{StatementResult, Warehouse};
use crate::project::Target;

/// A session that a worker and the templates of its node use in turn.
pub(super) type SharedSession = Arc<Mutex<Box<dyn Session>>>;

pub(super) fn locked(session: &SharedSession) -> MutexGuard<'_, Box<dyn Session>> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct SessionWarehouse(pub(super) SharedSession);

fn words(error: AdapterError) -> String {
    match error {
        AdapterError::Statement { message, hints, .. } | AdapterError::Connection { message, hints } if !hints.is_empty() => {
            format!("{message} ({})", hints.join("; "))
        }
        other => other.to_string(),
    }
}

fn json(value: Datum) -> serde_json::Value {
    match value {
        Datum::Null => serde_json::Value::Null,
        Datum::Bool(truth) => truth.into(),
        Datum::Int(whole) => whole.into(),
        Datum::Float(fraction) => fraction.into(),
        // Whole decimals are numbers in templates; others keep their digits as text.
        Datum::Decimal(text) => text.parse::<i64>().map_or_else(|_| text.into(), serde_json::Value::from),
        Datum::Text(text) => text.into(),
    }
}

impl Warehouse for SessionWarehouse {
    fn statement(&self, sql: &str, fetch: bool) -> Result<StatementResult, String> {
        let mut session = locked(&self.0);
        if fetch {
            let table = session.query(sql, None).map_err(words)?;
            let (columns, types) = table.columns.into_iter().map(|column| (column.name, column.data_type)).unzip();
            let rows: Vec<Vec<serde_json::Value>> = table.rows.into_iter().map(|row| row.into_iter().map(json).collect()).collect();
            return Ok(StatementResult { columns, types, rows_affected: rows.len() as u64, rows });
        }
        let rows_affected = session.execute(sql).map_err(words)?;
        Ok(StatementResult { rows_affected, ..StatementResult::default() })
    }

    fn relation_kind(&self, relation: &Relation) -> Result<Option<RelationKind>, String> {
        let found = locked(&self.0).relations(&[relation.schema.to_string()]).map_err(words)?;
        // Where names in another letter case are other names, both may be there.
        let exact = found.iter().find(|held| held.relation.identifier == relation.identifier);
        let alike = || found.iter().find(|held| held.relation.identifier.eq_ignore_ascii_case(&relation.identifier));
        Ok(exact.or_else(alike).map(|held| held.kind))
    }

    fn relations(&self, schema: &str) -> Result<Vec<(Relation, RelationKind)>, String> {
        let found = locked(&self.0).relations(&[schema.to_owned()]).map_err(words)?;
        Ok(found.into_iter().map(|held| (held.relation, held.kind)).collect())
    }

    fn columns(&self, relation: &Relation) -> Result<Vec<(String, String)>, String> {
        let found = locked(&self.0).columns(relation).map_err(words)?;
        Ok(found.into_iter().map(|column| (column.name, column.data_type)).collect())
    }

    fn describe(&self, query: &str) -> Result<Vec<(String, String)>, String> {
        let found = locked(&self.0).describe(query).map_err(words)?;
        Ok(found.into_iter().map(|column| (column.name, column.data_type)).collect())
    }
}

/// Answers over a session that is opened with the first question: a compile that asks nothing needs no database.
pub struct LazyWarehouse {
    target: Target,
    root: PathBuf,
    opened: OnceLock<Result<SessionWarehouse, String>>,
}

impl LazyWarehouse {
    /// `root` is the project's folder, for targets that are files.
    pub fn new(target: &Target, root: &Path) -> LazyWarehouse {
        LazyWarehouse { target: target.clone(), root: root.to_owned(), opened: OnceLock::new() }
    }

    /// One that answers every question with the reason why it may not be asked.
    pub fn closed(target: &Target, root: &Path, why: &str) -> LazyWarehouse {
        let closed = LazyWarehouse::new(target, root);
        // Nobody has asked it yet.
        let _ = closed.opened.set(Err(why.to_owned()));
        closed
    }

    fn session(&self) -> Result<&SessionWarehouse, String> {
        let opened = self.opened.get_or_init(|| {
            let connected = open(&self.target, &self.root).map_err(|problem| problem.message)?;
            let session = connected.adapter.connect().map_err(|error| connect::connection_failed(&self.target, &error).message)?;
            Ok(SessionWarehouse(Arc::new(Mutex::new(session))))
        });
        opened.as_ref().map_err(Clone::clone)
    }
}

impl Warehouse for LazyWarehouse {
    fn statement(&self, sql: &str, fetch: bool) -> Result<StatementResult, String> {
        self.session()?.statement(sql, fetch)
    }

    fn relation_kind(&self, relation: &Relation) -> Result<Option<RelationKind>, String> {
        self.session()?.relation_kind(relation)
    }

    fn relations(&self, schema: &str) -> Result<Vec<(Relation, RelationKind)>, String> {
        self.session()?.relations(schema)
    }

    fn columns(&self, relation: &Relation) -> Result<Vec<(String, String)>, String> {
        self.session()?.columns(relation)
    }

    fn describe(&self, query: &str) -> Result<Vec<(String, String)>, String> {
        self.session()?.describe(query)
    }
}
