//! An engine whose calls are told to whoever measures: what a run takes beside them is acca's own.

use std::io::Read;
use std::sync::Arc;

use super::{Adapter, AdapterError, Cancel, CatalogRelation, ColumnInfo, Datum, Session, Table};
use crate::base::{Files, Relation, RelationKind};
use crate::plan::{Attachments, Privilege};

/// The engine, each call of whose sessions counts as one piece of the kind `work`, under its SQL.
pub fn observed(adapter: Arc<dyn Adapter>, files: Arc<dyn Files>, work: &'static str) -> Arc<dyn Adapter> {
    Arc::new(Observed { adapter, files, work })
}

struct Observed {
    adapter: Arc<dyn Adapter>,
    files: Arc<dyn Files>,
    work: &'static str,
}

impl Adapter for Observed {
    fn connect(&self) -> Result<Box<dyn Session>, AdapterError> {
        let _held = self.files.working_on(self.work, "(connect)");
        let session = self.adapter.connect()?;
        Ok(Box::new(ObservedSession { session, files: self.files.clone(), work: self.work }))
    }

    fn describe(&self) -> Result<String, AdapterError> {
        self.adapter.describe()
    }
}

struct ObservedSession {
    session: Box<dyn Session>,
    files: Arc<dyn Files>,
    work: &'static str,
}

impl Session for ObservedSession {
    fn execute(&mut self, sql: &str) -> Result<u64, AdapterError> {
        let _held = self.files.working_on(self.work, sql);
        self.session.execute(sql)
    }

    fn query(&mut self, sql: &str, limit: Option<usize>) -> Result<Table, AdapterError> {
        let _held = self.files.working_on(self.work, sql);
        self.session.query(sql, limit)
    }

    fn value(&mut self, sql: &str) -> Result<Option<Datum>, AdapterError> {
        let _held = self.files.working_on(self.work, sql);
        self.session.value(sql)
    }

    fn describe(&mut self, query: &str) -> Result<Vec<ColumnInfo>, AdapterError> {
        let _held = self.files.working_on(self.work, query);
        self.session.describe(query)
    }

    fn copy_in(&mut self, sql: &str, data: &mut dyn Read) -> Result<u64, AdapterError> {
        let _held = self.files.working_on(self.work, sql);
        self.session.copy_in(sql, data)
    }

    fn relations(&mut self, schemas: &[String]) -> Result<Vec<CatalogRelation>, AdapterError> {
        let _held = self.files.working_on(self.work, "(relations of schemas)");
        self.session.relations(schemas)
    }

    fn columns(&mut self, relation: &Relation) -> Result<Vec<ColumnInfo>, AdapterError> {
        let _held = self.files.working_on(self.work, "(columns of a relation)");
        self.session.columns(relation)
    }

    fn attachments(&mut self, live: &Relation, staged: &Relation, kind: RelationKind) -> Result<Attachments, AdapterError> {
        let _held = self.files.working_on(self.work, "(what hangs on a relation)");
        self.session.attachments(live, staged, kind)
    }

    fn readers(&mut self, live: &Relation) -> Result<Attachments, AdapterError> {
        let _held = self.files.working_on(self.work, "(readers of a relation)");
        self.session.readers(live)
    }

    fn privileges(&mut self, relation: &Relation) -> Result<Vec<Privilege>, AdapterError> {
        let _held = self.files.working_on(self.work, "(privileges of a relation)");
        self.session.privileges(relation)
    }

    fn cancel_handle(&self) -> Arc<dyn Cancel> {
        self.session.cancel_handle()
    }
}
