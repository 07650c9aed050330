//! An engine that is not asked: what it would answer is worked out from the project. For `explain` without a connection.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use super::run::explain;
use super::{Adapter, AdapterError, Cancel, CatalogRelation, NodeExplanation, Origin, Origins, RunJob, RunOptions, Served, Session};
use crate::analysis::{Analysis, Compilation};
use crate::base::{ColumnInfo, Files, Relation, RelationKind, Table, UniqueId};
use crate::diag::Diagnostic;
use crate::dialect::Engine;
use crate::plan::{Attachments, Privilege};
use crate::project::{Detail, Node};

/// What is taken to be in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Assumption {
    /// Nothing: a first run.
    #[default]
    Empty,
    /// All that the project builds, as it builds it now: a later run.
    Built,
}

/// As [`explain`], without a connection. Columns are those that the analysis finds.
///
/// # Errors
/// As [`explain`].
pub fn explain_assuming(
    compilation: &Compilation,
    engine: Engine,
    selected: &[usize],
    options: &RunOptions,
    files: &dyn Files,
    assumption: Assumption,
    origins: &Origins,
) -> Result<Vec<NodeExplanation>, Diagnostic> {
    let wanted: BTreeSet<usize> = selected.iter().copied().collect();
    let analysis = compilation.analyse(files, Some(&wanted));
    let relations = match assumption {
        Assumption::Empty => Vec::new(),
        Assumption::Built => compilation.manifest.nodes.iter().filter_map(built).collect(),
    };
    let options = RunOptions { offline: true, ..options.clone() };
    let mut explained = Vec::new();
    for number in compilation.manifest.dag.topological().into_iter().filter(|number| wanted.contains(number)) {
        let Some(node) = compilation.manifest.nodes.get(number) else { continue };
        let adapter = Assumed { relations: relations.clone(), columns: columns(node, number, &analysis), node: node.relation.clone() };
        let origins = origins.get(&node.id).map(|origin| (node.id.clone(), origin.assumed(columns(node, number, &analysis))));
        let served = Served { origins: origins.into_iter().collect(), partner: None };
        let job = RunJob { compilation, adapter: Arc::new(adapter), engine, selected: vec![number], options: options.clone(), served };
        explained.extend(explain(&job)?);
    }
    Ok(explained)
}

/// What tables of other targets have for columns that are not there yet, as far as the analysis finds them.
pub fn expect_columns(origins: &mut Origins, compilation: &Compilation, selected: &[usize], files: &dyn Files) {
    let wanted: BTreeSet<usize> = selected.iter().copied().collect();
    let is_wanted = |id: &UniqueId| compilation.manifest.number(id).is_some_and(|number| wanted.contains(&number));
    if !origins.keys().any(is_wanted) {
        return;
    }
    let analysis = compilation.analyse(files, Some(&wanted));
    for (id, origin) in origins {
        let node = compilation.manifest.number(id).and_then(|number| Some((number, compilation.manifest.nodes.get(number)?)));
        origin.expected = node.and_then(|(number, node)| columns(node, number, &analysis));
    }
}

impl Origin {
    /// The same where nobody is asked: the table has these columns.
    fn assumed(&self, columns: Option<Vec<ColumnInfo>>) -> Origin {
        let held = CatalogRelation { relation: self.relation.clone(), kind: RelationKind::Table, owner: None };
        let adapter = Assumed { relations: vec![held], columns, node: Some(self.relation.clone()) };
        Origin { adapter: Some(Arc::new(adapter)), asked: false, ..self.clone() }
    }
}

/// The relation that a node leaves.
fn built(node: &Node) -> Option<CatalogRelation> {
    let kind = match (&node.detail, node.materialized()) {
        (Detail::Model(_), "view") => RelationKind::View,
        (Detail::Model(_), "materialized_view") => RelationKind::MaterializedView,
        (Detail::Model(_) | Detail::Snapshot { .. } | Detail::Seed { .. }, _) => RelationKind::Table,
        _ => return None,
    };
    Some(CatalogRelation { relation: node.relation.clone()?, kind, owner: None })
}

/// The columns of a node's query; `None` where some of them are not known.
fn columns(node: &Node, number: usize, analysis: &Analysis) -> Option<Vec<ColumnInfo>> {
    let schema = &analysis.nodes.get(&number)?.schema;
    let declared = |name: &str| node.columns.iter().find(|column| column.names(name)).and_then(|column| column.data_type.clone());
    let numbered = |name: &str| node.columns.iter().any(|column| column.is_identity() && column.names(name));
    let columns = schema.columns.iter().filter(|column| !numbered(&column.name)).map(|column| ColumnInfo {
        name: column.name.clone(),
        data_type: column
            .sql_type
            .map(|found| found.to_string())
            .or_else(|| declared(&column.name))
            .unwrap_or_else(|| "unknown".to_owned()),
    });
    (!schema.open).then(|| columns.collect())
}

struct Assumed {
    relations: Vec<CatalogRelation>,
    /// Of the query of the one node that is explained, and of its relation.
    columns: Option<Vec<ColumnInfo>>,
    node: Option<Relation>,
}

impl Adapter for Assumed {
    fn connect(&self) -> Result<Box<dyn Session>, AdapterError> {
        let (relations, columns, node) = (self.relations.clone(), self.columns.clone(), self.node.clone());
        Ok(Box::new(AssumedSession(Assumed { relations, columns, node })))
    }

    fn describe(&self) -> Result<String, AdapterError> {
        Err(unasked("the engine"))
    }
}

struct AssumedSession(Assumed);

fn unasked(what: &str) -> AdapterError {
    AdapterError::Connection {
        message: format!("{what} would be asked of the database, which is not connected to"),
        hints: vec!["explain it with a connection".to_owned()],
    }
}

impl Session for AssumedSession {
    fn execute(&mut self, _sql: &str) -> Result<u64, AdapterError> {
        Err(unasked("what a statement does"))
    }

    fn query(&mut self, _sql: &str, _limit: Option<usize>) -> Result<Table, AdapterError> {
        Err(unasked("what a query gives"))
    }

    fn describe(&mut self, _query: &str) -> Result<Vec<ColumnInfo>, AdapterError> {
        self.0.columns.clone().ok_or_else(|| unasked("which columns the query has"))
    }

    fn spelled(&mut self, types: &[String]) -> Result<Vec<String>, AdapterError> {
        Ok(types.to_vec())
    }

    fn copy_in(&mut self, _sql: &str, _data: &mut dyn Read) -> Result<u64, AdapterError> {
        Err(unasked("what a load does"))
    }

    fn relations(&mut self, schemas: &[String]) -> Result<Vec<CatalogRelation>, AdapterError> {
        let in_schemas = |held: &&CatalogRelation| schemas.iter().any(|schema| schema.eq_ignore_ascii_case(&held.relation.schema));
        Ok(self.0.relations.iter().filter(in_schemas).cloned().collect())
    }

    fn columns(&mut self, relation: &Relation) -> Result<Vec<ColumnInfo>, AdapterError> {
        let stands = self.0.relations.iter().any(|held| held.relation == *relation);
        match (&self.0.columns, &self.0.node) {
            (Some(columns), Some(node)) if node == relation && stands => Ok(columns.clone()),
            (None, Some(node)) if node == relation && stands => Err(unasked("which columns the relation has")),
            _ => Ok(Vec::new()),
        }
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
        Arc::new(Nothing)
    }
}

struct Nothing;

impl Cancel for Nothing {
    fn cancel(&self) {}
}
