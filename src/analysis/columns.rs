//! Columns and lineage of every node of a project: each node's query is read once, after everything that it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::compilation::Compilation;
use super::declared::{declared_schema, seed_schema, snapshot_schema};
use super::facts::{EdgeKind, RelationSchema};
use super::infer::{Finding, Inferred, Table, Tables, column_places, infer};
use super::insertion::{check_contract, check_insertion};
use super::promises::Promises;
use crate::base::{Files, Relation, RelationKind, ResourceType};
use crate::diag::{Diagnostic, codes};
use crate::jinja::{Linked, NodeState, Rendered, SpanMap, StatementResult, Warehouse, ephemeral_name};
use crate::project::{Detail, Node};
use crate::syntax::parse_query;

/// What is known of the columns of a project.
#[derive(Debug, Default)]
pub struct Analysis {
    /// By the number of the node.
    pub nodes: BTreeMap<usize, NodeAnalysis>,
    promises: Promises,
}

/// What is known of the columns of one node.
#[derive(Clone, Debug)]
pub struct NodeAnalysis {
    pub schema: Arc<RelationSchema>,
    pub edges: Vec<ColumnEdge>,
    pub problems: Vec<Diagnostic>,
}

/// A column of this node comes from a column of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnEdge {
    /// Number of the node that is read.
    pub from: usize,
    pub from_column: String,
    /// Of the node that reads.
    pub column: String,
    pub kind: EdgeKind,
}

impl NodeAnalysis {
    fn of(schema: RelationSchema) -> NodeAnalysis {
        NodeAnalysis { schema: Arc::new(schema), edges: Vec::new(), problems: Vec::new() }
    }
}

impl Compilation {
    /// Columns of the wanted nodes and of everything that they read; of all nodes when none are named. Needs no database: where
    /// a template asks one, its node stays unknown.
    pub fn analyse(&self, files: &dyn Files, wanted: Option<&BTreeSet<usize>>) -> Analysis {
        let dag = &self.manifest.dag;
        let included: BTreeSet<usize> = match wanted {
            Some(wanted) => dag.ancestors_of(wanted, None),
            None => (0..self.manifest.nodes.len()).collect(),
        };
        let mut analysis = Analysis { promises: Promises::of(&self.manifest), ..Analysis::default() };
        for wave in self.waves(&included) {
            let done: Vec<(usize, NodeAnalysis)> =
                wave.par_iter().filter_map(|number| Some((*number, self.analyse_node(*number, files, &analysis)?))).collect();
            analysis.nodes.extend(done);
        }
        analysis
    }

    /// Nodes that can be looked at together: each wave reads only from those before it.
    fn waves(&self, included: &BTreeSet<usize>) -> Vec<Vec<usize>> {
        let dag = &self.manifest.dag;
        let mut depths: Vec<usize> = vec![0; self.manifest.nodes.len()];
        let mut waves: Vec<Vec<usize>> = Vec::new();
        for number in dag.topological().into_iter().filter(|number| included.contains(number)) {
            let depth = dag.parents(number).into_iter().filter_map(|parent| depths.get(parent)).max().map_or(0, |depth| depth + 1);
            if let Some(held) = depths.get_mut(number) {
                *held = depth;
            }
            if waves.len() <= depth {
                waves.resize(depth + 1, Vec::new());
            }
            if let Some(wave) = waves.get_mut(depth) {
                wave.push(number);
            }
        }
        waves
    }

    fn analyse_node(&self, number: usize, files: &dyn Files, done: &Analysis) -> Option<NodeAnalysis> {
        let node = self.manifest.nodes.get(number)?;
        match &node.detail {
            Detail::Source(_) => Some(NodeAnalysis::of(declared_schema(node))),
            Detail::Seed { path } => Some(NodeAnalysis::of(seed_schema(node, files.read(path).ok().as_deref()))),
            Detail::Model(_) | Detail::Snapshot { .. } | Detail::SingularTest | Detail::GenericTest(_) | Detail::Analysis => {
                Some(self.analyse_query(number, node, done))
            }
            Detail::UnitTest(_) | Detail::Exposure(_) | Detail::Operation => None,
        }
    }

    fn analyse_query(&self, number: usize, node: &Node, done: &Analysis) -> NodeAnalysis {
        let mut found = self.analyse_as(number, node, done, None);
        if is_incremental(node) {
            let table = Arc::clone(&found.schema);
            let again = self.analyse_as(number, node, done, Some(&table));
            found.problems = of_both_runs(found.problems, again);
        }
        found.problems.extend(check_contract(node, &found.schema));
        found
    }

    /// The node's query on a database that has nothing under its name, or `table`.
    fn analyse_as(&self, number: usize, node: &Node, done: &Analysis, table: Option<&Arc<RelationSchema>>) -> NodeAnalysis {
        let parents = self.manifest.dag.parents(number);
        let mut parents: Vec<Parent<'_>> = parents.into_iter().filter_map(|parent| self.parent(parent, done)).collect();
        parents.extend(table.map(|schema| Parent { number, node, schema: Arc::clone(schema) }));
        let warehouse = Arc::new(NoDatabase {
            columns: parents.iter().filter_map(|parent| Some((parent.node.relation.clone()?, Arc::clone(&parent.schema)))).collect(),
            own: node.relation.clone().filter(|_| table.is_none()),
            asked: AtomicBool::new(false),
        });
        let linked: Linked = self.linked(Some(warehouse.clone()));
        let state = NodeState { existing: table.map(|_| RelationKind::Table), ..NodeState::default() };
        let rendered = self.templates.render(&self.project.sources, node, state, &linked);
        let asked = warehouse.asked.load(Ordering::Relaxed);
        let rendered = match rendered {
            Ok(rendered) if !asked => rendered,
            Ok(_) => return NodeAnalysis::of(RelationSchema::unknown()),
            Err(problem) => {
                let problems = if asked { Vec::new() } else { vec![problem] };
                return NodeAnalysis { problems, ..NodeAnalysis::of(RelationSchema::unknown()) };
            }
        };
        let Some(query) = parse_query(&rendered.sql) else { return NodeAnalysis::of(RelationSchema::unknown()) };
        let mut inferred = infer(&rendered.sql, &query, &Parents { parents: &parents, promises: &done.promises, compilation: self, node });
        inferred.doubts.retain(|doubt| self.is_written(doubt, &rendered.map));
        if let Some(table) = table {
            inferred.doubts.extend(check_insertion(table, &inferred.schema, &column_places(&rendered.sql, &query)));
        }
        assemble(node, &rendered, inferred)
    }

    /// A name that nothing reads is spoken of only where it stands so in the node's own file: a macro or a loop may write more than is
    /// needed here.
    fn is_written(&self, doubt: &Finding, map: &SpanMap) -> bool {
        if ![&codes::UNUSED_CTE, &codes::UNUSED_COLUMN].contains(&doubt.diagnostic.code) {
            return true;
        }
        let place = doubt.range.clone().and_then(|range| map.locate(range));
        place.is_some_and(|place| {
            let text = self.project.sources.text(place.call).trim_matches('"');
            place.within.is_none() && doubt.diagnostic.message.to_lowercase().contains(&format!("'{}'", text.to_lowercase()))
        })
    }

    fn parent<'s>(&'s self, number: usize, done: &Analysis) -> Option<Parent<'s>> {
        let node = self.manifest.nodes.get(number)?;
        Some(Parent { number, node, schema: Arc::clone(&done.nodes.get(&number)?.schema) })
    }
}

fn assemble(node: &Node, rendered: &Rendered, inferred: Inferred) -> NodeAnalysis {
    let mut schema = inferred.schema;
    let mut edges: Vec<ColumnEdge> = Vec::new();
    let edge = |origin: &super::facts::Origin, column: &str| {
        let (from, from_column) = inferred.reads.get(usize::try_from(origin.column).ok()?)?;
        Some(ColumnEdge { from: *from, from_column: from_column.clone(), column: column.to_owned(), kind: origin.kind })
    };
    for (column, origins) in schema.columns.iter().zip(&inferred.origins) {
        edges.extend(origins.iter().chain(&inferred.indirect).filter_map(|origin| edge(origin, &column.name)));
    }
    edges.sort();
    edges.dedup();
    // One mistake, one error: who reads a mistaken model stays quiet.
    schema.open |= !inferred.findings.is_empty();
    let schema = match node.resource {
        ResourceType::Snapshot => snapshot_schema(node, schema),
        _ => RelationSchema { keyed: has_key(node), ..schema },
    };
    let doubts = if is_doubted(node) { inferred.doubts } else { Vec::new() };
    let problems = inferred.findings.into_iter().chain(doubts).map(|finding| placed(finding, &rendered.map, node)).collect();
    NodeAnalysis { schema: Arc::new(schema), edges, problems }
}

fn is_incremental(node: &Node) -> bool {
    matches!(node.detail, Detail::Model(_)) && node.config.str("materialized") == Some("incremental")
}

/// What is wrong in the run that makes the table and in one that adds to it. What nothing reads is read by neither; a clock is bad only in
/// a filter that the first run does not have.
fn of_both_runs(first: Vec<Diagnostic>, again: NodeAnalysis) -> Vec<Diagnostic> {
    let is_unused = |problem: &Diagnostic| [&codes::UNUSED_CTE, &codes::UNUSED_COLUMN].contains(&problem.code);
    let added: Vec<Diagnostic> = again.problems.iter().filter(|problem| !is_unused(problem) && !first.contains(problem)).cloned().collect();
    let is_kept =
        |problem: &Diagnostic| problem.code != &codes::NONDETERMINISTIC_FILTER && (!is_unused(problem) || again.problems.contains(problem));
    first.into_iter().filter(is_kept).chain(added).collect()
}

/// `meta: {portable: true}`
fn is_portable(node: &Node) -> bool {
    node.config.get("meta").and_then(|meta| meta.get("portable")).and_then(serde_json::Value::as_bool) == Some(true)
}

fn has_key(node: &Node) -> bool {
    let primary = |constraint: &serde_json::Value| constraint.get("type").and_then(serde_json::Value::as_str) == Some("primary_key");
    let of_model = match &node.detail {
        Detail::Model(model) => model.constraints.iter().any(primary),
        _ => false,
    };
    of_model || node.columns.iter().any(|column| column.constraints.iter().any(primary))
}

/// What is only doubtful is said of what people wrote for themselves, not of tests that macros write.
fn is_doubted(node: &Node) -> bool {
    !matches!(node.detail, Detail::GenericTest(_))
}

/// The finding at its place in the files.
fn placed(finding: Finding, map: &SpanMap, node: &Node) -> Diagnostic {
    let place = finding.range.and_then(|range| map.locate(range));
    let diagnostic = finding.diagnostic;
    match place {
        Some(place) => match place.within {
            Some(within) if within != place.call => diagnostic.at(place.call).also(within, "written here"),
            _ => diagnostic.at(place.call),
        },
        None => diagnostic.at(node.body.unwrap_or(node.origin)),
    }
}

struct Parent<'s> {
    number: usize,
    node: &'s Node,
    schema: Arc<RelationSchema>,
}

struct Parents<'s> {
    parents: &'s [Parent<'s>],
    promises: &'s Promises,
    compilation: &'s Compilation,
    node: &'s Node,
}

impl Tables for Parents<'_> {
    fn find(&self, name: &[String]) -> Table {
        let fits = |parent: &&Parent<'_>| {
            if parent.node.is_ephemeral() {
                let own = ephemeral_name(parent.node.alias.as_deref().unwrap_or(&parent.node.name));
                return matches!(name, [single] if *single == own || *single == own.to_lowercase());
            }
            parent.node.relation.as_ref().is_some_and(|relation| is_called(relation, name))
        };
        match self.parents.iter().find(fits) {
            Some(parent) => Table::Node(parent.number, Arc::clone(&parent.schema)),
            None => Table::Foreign,
        }
    }

    fn keys(&self, node: usize) -> &[Vec<String>] {
        self.promises.keys(node)
    }

    fn is_never_null(&self, node: usize, column: &str) -> bool {
        self.promises.is_never_null(node, column)
    }

    fn has_function(&self, name: &str) -> bool {
        self.promises.has_function(self.compilation, name)
    }

    fn watches_clocks(&self) -> bool {
        is_incremental(self.node)
    }

    fn is_portable(&self) -> bool {
        is_portable(self.node)
    }
}

/// Names without quotes were folded, so case does not count.
fn is_called(relation: &Relation, name: &[String]) -> bool {
    let parts = [&relation.identifier, &relation.schema, &relation.database];
    !name.is_empty() && name.len() <= parts.len() && name.iter().rev().zip(parts).all(|(given, part)| given.eq_ignore_ascii_case(part))
}

/// Stands for the database: tells what is known of columns already, and notes that anything else was asked.
struct NoDatabase {
    columns: Vec<(Relation, Arc<RelationSchema>)>,
    own: Option<Relation>,
    asked: AtomicBool,
}

impl NoDatabase {
    fn unanswered<T>(&self) -> Result<T, String> {
        self.asked.store(true, Ordering::Relaxed);
        Err("no database is asked here".to_owned())
    }
}

impl Warehouse for NoDatabase {
    fn statement(&self, _: &str, _: bool) -> Result<StatementResult, String> {
        self.unanswered()
    }

    fn relation_kind(&self, relation: &Relation) -> Result<Option<RelationKind>, String> {
        if self.own.as_ref() == Some(relation) {
            return Ok(None);
        }
        match self.columns.iter().any(|(known, _)| known == relation) {
            true => Ok(Some(RelationKind::Table)),
            false => self.unanswered(),
        }
    }

    fn relations(&self, _: &str) -> Result<Vec<(Relation, RelationKind)>, String> {
        self.unanswered()
    }

    fn describe(&self, _: &str) -> Result<Vec<(String, String)>, String> {
        self.unanswered()
    }

    fn columns(&self, relation: &Relation) -> Result<Vec<(String, String)>, String> {
        let known = self.columns.iter().find(|(known, schema)| known == relation && !schema.open);
        let columns = known.map(|(_, schema)| {
            let typed = schema.columns.iter().map(|column| Some((column.name.clone(), column.sql_type?.to_string())));
            typed.collect::<Option<Vec<_>>>()
        });
        match columns.flatten() {
            Some(columns) => Ok(columns),
            None => self.unanswered(),
        }
    }
}
