//! Columns and lineage of every node of a project: each node's query is read once, after everything that it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::compilation::{Compilation, CompiledNode, check_is_query};
use super::configured::configured_columns;
use super::declared::{catalogued_schema, declared_schema, seed_schema, snapshot_schema, with_identities};
use super::described::described_columns;
use super::facts::{EdgeKind, RelationSchema};
use super::generic::of_test;
use super::infer::{Finding, Inferred, Table, Tables, infer_with};
use super::insertion::{check_contract, check_insertion};
use super::kept::{KeptRules, Progress};
use super::meaning::{Shown, declare_meaning, texts};
use super::personal::{guarded, personal_data, reports};
use super::portable::{Outcome, Prepared, Rewritten, compares_no_text, is_portable};
use super::promises::Promises;
use super::units::{Declarations, marks};
use super::unread::{unasked_query, unread_query};
use crate::base::{Files, Relation, RelationKind, ResourceType};
use crate::diag::{Diagnostic, Severity, codes};
use crate::jinja::{Linked, NodeState, Rendered, SpanMap, StatementResult, Warehouse, ephemeral_name};
use crate::project::{Detail, Manifest, Node};
use crate::syntax::{Mark, parse_marked, parse_query, past_comments, try_parse_exact, try_parse_query};

/// What is known of the columns of a project.
#[derive(Debug, Default)]
pub struct Analysis {
    /// What is wrong with what `acca.yml` declares.
    pub problems: Vec<Diagnostic>,
    /// By the number of the node.
    pub nodes: BTreeMap<usize, NodeAnalysis>,
    promises: Arc<Promises>,
}

/// What is known of the columns of one node.
#[derive(Clone, Debug)]
pub struct NodeAnalysis {
    pub schema: Arc<RelationSchema>,
    pub edges: Vec<ColumnEdge>,
    pub problems: Vec<Diagnostic>,
    /// Another invocation may find something else, though nothing of the project changes.
    pub again: bool,
    /// The texts of a portable node and what they are rewritten to, where that was asked for.
    pub(super) rewritten: Vec<Arc<Rewritten>>,
}

/// A column of this node comes from a column of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ColumnEdge {
    /// Number of the node that is read.
    pub from: usize,
    pub from_column: String,
    /// Of the node that reads.
    pub column: String,
    pub kind: EdgeKind,
}

/// What holds for all nodes.
struct Rules<'r> {
    declarations: &'r Declarations,
    /// Numbers of the nodes that are reports.
    reports: &'r BTreeSet<usize>,
    /// Numbers of the nodes by whose queries personal data may reach a report.
    guarded: BTreeSet<usize>,
    manifest: &'r Manifest,
    /// `catalog.json`, once a source needs it.
    catalog: OnceLock<Option<serde_json::Value>>,
    /// Which rewritten texts are kept; `None` where it is asked what is to be said of the project.
    rewrites: Option<Texts>,
}

/// An incremental model has two texts: that of the run that makes its table, and that of those which add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// To be written into files, not sent: nobody asks what of them comes from where.
    First,
    Both,
}

impl Rules<'_> {
    fn catalog(&self, files: &dyn Files, compilation: &Compilation) -> Option<&serde_json::Value> {
        let read = || files.read(&format!("{}/catalog.json", compilation.project.target_path)).ok();
        self.catalog.get_or_init(|| serde_json::from_slice(&read()?).ok()).as_ref()
    }
}

impl Analysis {
    /// What is wrong with a declaration is so for whoever reads it.
    fn tell_of_declarations(&mut self) {
        let of_declarations = [&codes::INVALID_UNIT, &codes::UNEXPECTED_PROPERTY, &codes::UNKNOWN_TYPE];
        for found in self.nodes.values_mut() {
            let is_declared = |problem: &mut Diagnostic| {
                let off = problem.code == &codes::UNKNOWN_DESCRIBED_COLUMN && problem.severity == Severity::Error;
                off || of_declarations.contains(&problem.code)
            };
            self.problems.extend(found.problems.extract_if(.., is_declared));
        }
    }
}

impl NodeAnalysis {
    pub(super) fn of(schema: RelationSchema) -> NodeAnalysis {
        NodeAnalysis { schema: Arc::new(schema), edges: Vec::new(), problems: Vec::new(), again: false, rewritten: Vec::new() }
    }
}

impl Compilation {
    /// Columns of the wanted nodes and of everything that they read; of all nodes when none are named. Needs no database: where
    /// a template asks one, its node stays unknown.
    pub fn analyse(&self, files: &dyn Files, wanted: Option<&BTreeSet<usize>>) -> Analysis {
        self.analyse_again(files, wanted, None).0
    }

    /// As [`Compilation::analyse`], keeping what portable nodes are rewritten to. What it tells is of use for its mistakes only: doubts about
    /// queries are dropped before allowances are looked at, which then seem to allow nothing.
    pub(super) fn analyse_portable(&self, files: &dyn Files, wanted: &BTreeSet<usize>, texts: Texts) -> Analysis {
        self.analyse_with(files, Some(wanted), None, Some(texts)).0
    }

    /// As [`Compilation::analyse`], looking only at what an earlier analysis, which is `held`, does not know already. The other nodes are in
    /// the result where something is to be said of them (of these only that counts) or where one that was looked at reads them. With it
    /// comes what is to be held from now on, when that is something else.
    pub fn analyse_again(&self, files: &dyn Files, wanted: Option<&BTreeSet<usize>>, held: Option<&[u8]>) -> (Analysis, Option<Vec<u8>>) {
        self.analyse_with(files, wanted, held, None)
    }

    fn analyse_with(
        &self,
        files: &dyn Files,
        wanted: Option<&BTreeSet<usize>>,
        held: Option<&[u8]>,
        rewrites: Option<Texts>,
    ) -> (Analysis, Option<Vec<u8>>) {
        let dag = &self.manifest.dag;
        let included: BTreeSet<usize> = match wanted {
            // What nobody reads is looked at with whatever is: nothing else would say what is wrong with its declarations.
            Some(wanted) => dag.ancestors_of(wanted, None).into_iter().chain(self.unread_sources()).collect(),
            None => (0..self.manifest.nodes.len()).collect(),
        };
        let (mut declarations, mut problems) = Declarations::of(&self.project);
        for label in self.manifest.nodes.iter().flat_map(|node| &node.columns).flat_map(|column| texts(column, "labels")) {
            *declarations.labels.entry(label).or_default() += 1;
        }
        let (reports, doubts) = reports(&self.project, &self.manifest);
        problems.extend(doubts);
        let guarded = guarded(&self.manifest, &reports, &declarations);
        let rules =
            Rules { declarations: &declarations, reports: &reports, guarded, manifest: &self.manifest, catalog: OnceLock::new(), rewrites };
        let promises = Arc::new(Promises::of(&self.manifest));
        let mut analysis = Analysis { problems, promises: Arc::clone(&promises), ..Analysis::default() };
        let count = self.manifest.nodes.len();
        let is_readable = |number: usize| self.manifest.nodes.get(number).is_some_and(|node| !node.resource.is_test());
        let functions = || promises.digest_of_functions(self);
        let on = KeptRules {
            templates: &self.templates,
            guarded: &rules.guarded,
            nodes: count,
            functions: &functions,
            is_readable: &is_readable,
        };
        // What is read from another environment, or not at all, is told of this time only.
        let usual = self.reading.get().is_none_or(|reading| reading.is_usual());
        let standing = self.standing.as_ref().filter(|_| usual);
        let mut progress = standing.map(|standing| Progress::begin(standing, held, on));
        for mut wave in self.waves(&included) {
            if let Some(progress) = &progress {
                wave.retain(|number| self.is_constant(*number) || progress.is_due(*number, dag, &reports));
                progress.recall(&wave, dag, &reports, &mut analysis.nodes);
            }
            let analyse = |number: &usize| {
                let found = self.analyse_node(*number, files, &analysis, &rules)?;
                let schema = self.portable.shared(*number, found.schema);
                Some((*number, NodeAnalysis { schema, ..found }))
            };
            let done: Vec<(usize, NodeAnalysis)> = wave.par_iter().filter_map(analyse).collect();
            progress.iter_mut().for_each(|progress| progress.note(&done));
            analysis.nodes.extend(done);
        }
        let is_whole = || (0..count).all(|number| included.contains(&number) || !self.is_query(number));
        let renewed = progress.and_then(|progress| {
            let renewed = progress.renewed(&analysis.nodes, promises.functions_asked(), is_whole);
            progress.recall_told(&included, &mut analysis.nodes);
            renewed
        });
        analysis.tell_of_declarations();
        (analysis, renewed)
    }

    /// Whether its columns come from no query.
    fn is_constant(&self, number: usize) -> bool {
        self.manifest.nodes.get(number).is_some_and(|node| matches!(node.detail, Detail::Source(_) | Detail::Seed { .. }))
    }

    fn is_query(&self, number: usize) -> bool {
        self.manifest.nodes.get(number).is_some_and(|node| {
            matches!(
                node.detail,
                Detail::Model(_) | Detail::Snapshot { .. } | Detail::SingularTest | Detail::GenericTest(_) | Detail::Analysis
            )
        })
    }

    fn unread_sources(&self) -> impl Iterator<Item = usize> {
        let sources = self.manifest.nodes.iter().enumerate().filter(|(_, node)| matches!(node.detail, Detail::Source(_)));
        sources.map(|(number, _)| number).filter(|number| self.manifest.dag.children(*number).is_empty())
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

    fn analyse_node(&self, number: usize, files: &dyn Files, done: &Analysis, rules: &Rules<'_>) -> Option<NodeAnalysis> {
        let node = self.manifest.nodes.get(number)?;
        match &node.detail {
            Detail::Source(_) => {
                let catalog = if node.columns.is_empty() { rules.catalog(files, self) } else { None };
                let schema = catalog.and_then(|catalog| catalogued_schema(node, catalog)).unwrap_or_else(|| declared_schema(node));
                Some(declared(node, schema, rules))
            }
            Detail::Seed { path } => Some(declared(node, seed_schema(node, files.read(path).ok().as_deref()), rules)),
            _ => self.is_query(number).then(|| self.analyse_query(number, node, files, done, rules)),
        }
    }

    fn analyse_query(&self, number: usize, node: &Node, files: &dyn Files, done: &Analysis, rules: &Rules<'_>) -> NodeAnalysis {
        let _held = files.working_on("queries read", &node.id);
        let is_read_twice = is_incremental(node) && rules.rewrites != Some(Texts::First);
        let parents = self.parents(number, node, done, None);
        let (mut found, sql) = match self.rendered_as(node, &parents, None) {
            Ok(first) => {
                let sql = is_read_twice.then(|| first.rendered.sql.clone());
                (self.analyse_rendered(number, first, Parents::new(&parents, self, node, done), rules, None), sql)
            }
            Err(unknown) => (self.undone(number, node, unknown, rules), None),
        };
        if is_read_twice {
            let table = Arc::clone(&found.schema);
            let parents = self.parents(number, node, done, Some(&table));
            let later = self.rendered_as(node, &parents, Some(&table));
            found.again |= later.as_ref().map_or_else(|unknown| unknown.again, |later| later.rendered.momentary);
            let mut again = match later {
                // What both runs send is understood once.
                Ok(later) if sql.as_ref() == Some(&later.rendered.sql) => found.clone(),
                Ok(later) => self.analyse_rendered(number, later, Parents::new(&parents, self, node, done), rules, Some(&table)),
                Err(unknown) => unknown,
            };
            found.rewritten.append(&mut again.rewritten);
            found.problems = of_both_runs(found.problems, again);
        }
        found.problems.extend(check_contract(node, &found.schema));
        found.problems = of_test(node, found.problems, &self.manifest, &self.project.sources);
        found.problems = self.judged(node, found.problems, !found.schema.open);
        found
    }

    /// A node whose query cannot be known here: what is declared of its columns holds.
    fn undone(&self, number: usize, node: &Node, unknown: NodeAnalysis, rules: &Rules<'_>) -> NodeAnalysis {
        let mut found = declared(node, RelationSchema::unknown(), rules);
        if unknown.problems.is_empty() && rules.guarded.contains(&number) {
            found.problems.push(unasked_query(node));
        }
        found.problems.extend(unknown.problems);
        found
    }

    fn parents<'s>(&'s self, number: usize, node: &'s Node, done: &Analysis, table: Option<&Arc<RelationSchema>>) -> Vec<Parent<'s>> {
        let parents = self.manifest.dag.parents(number);
        let parents = parents.into_iter().filter_map(|parent| self.parent(parent, done));
        parents.chain(table.map(|schema| Parent { number, node, schema: Arc::clone(schema) })).collect()
    }

    /// The node's query on a database that has nothing under its name, or `table`; what is known without it, where it needs more of a
    /// database.
    fn rendered_as(&self, node: &Node, parents: &[Parent<'_>], table: Option<&Arc<RelationSchema>>) -> Result<Prepared, NodeAnalysis> {
        let warehouse = Arc::new(NoDatabase {
            columns: parents.iter().filter_map(|parent| Some((parent.node.relation.clone()?, Arc::clone(&parent.schema)))).collect(),
            own: node.relation.clone().filter(|_| table.is_none()),
            asked: AtomicBool::new(false),
            told: AtomicBool::new(false),
        });
        let linked: Linked = self.linked(Some(warehouse.clone()));
        let state = NodeState { existing: table.map(|_| RelationKind::Table), ..NodeState::default() };
        let rendered = self.templates.render(&self.project.sources, node, state, &linked);
        match (rendered, warehouse.asked.load(Ordering::Relaxed)) {
            (Ok(rendered), false) => Ok(Prepared { rendered, state, asks_nothing: !warehouse.told.load(Ordering::Relaxed) }),
            (Err(problem), false) => {
                Err(NodeAnalysis { problems: vec![problem], again: true, ..NodeAnalysis::of(RelationSchema::unknown()) })
            }
            (_, true) => Err(NodeAnalysis::of(RelationSchema::unknown())),
        }
    }

    fn analyse_rendered(
        &self,
        number: usize,
        prepared: Prepared,
        parents: Parents<'_>,
        rules: &Rules<'_>,
        table: Option<&Arc<RelationSchema>>,
    ) -> NodeAnalysis {
        let rendered = &prepared.rendered;
        let parents = if rules.rewrites.is_some() { parents.only_rewritten() } else { parents };
        let (node, done) = (parents.node, parents.done);
        let (mut inferred, outcome) = self.understood(number, rendered, &parents, rules);
        let mut declared = Vec::new();
        if let Some(outcome) = &outcome {
            let refused = outcome.as_ref().err().into_iter().flatten();
            let said =
                |refusal: &&Finding| inferred.findings.iter().chain(&inferred.doubts).any(|said| said.diagnostic == refusal.diagnostic);
            let unsaid: Vec<Finding> = refused.filter(|refusal| !said(refusal)).cloned().collect();
            for refusal in &unsaid {
                match self.of_declaration(node, refusal, &rendered.sql) {
                    Some(problem) => declared.push(problem),
                    None => inferred.unit_findings.push(refusal.clone()),
                }
            }
            if let (None, Ok(Some(lowered))) = (rules.rewrites, outcome) {
                inferred.unit_findings.extend(self.unlowered(node, lowered));
            }
        }
        inferred.unit_findings.extend(self.foreign_findings(node, &rendered.sql));
        if is_built(node) && node.materialized() != "ephemeral" && !parents.has_foreign_functions() {
            inferred.unit_findings.extend(named_twice(&inferred));
        }
        if is_built(node) && past_comments(&rendered.sql).trim().is_empty() {
            declared.extend(check_is_query(node, &CompiledNode::of(rendered.sql.clone())).err());
        }
        if rules.rewrites.is_some() {
            inferred.keep_mistakes();
        }
        let units = &inferred.unit_findings;
        inferred.doubts.retain(|doubt| self.is_written(doubt, &rendered.map) && !is_said(doubt, units));
        if let Some(table) = table {
            inferred.doubts.extend(check_insertion(table, &inferred));
        }
        let mut found = assemble(number, node, rendered, inferred, rules, done);
        found.problems.append(&mut declared);
        match outcome.filter(|_| rules.rewrites.is_some()) {
            Some(outcome) => NodeAnalysis { rewritten: vec![Arc::new(Rewritten { prepared, outcome })], ..found },
            None => found,
        }
    }

    /// What the text of a node says, and what it is rewritten to, where it is portable and nothing is wrong with it.
    fn understood(&self, number: usize, rendered: &Rendered, parents: &Parents<'_>, rules: &Rules<'_>) -> (Inferred, Option<Outcome>) {
        let (sql, node) = (&rendered.sql, parents.node);
        let marks = marks(&rendered.map, rules.declarations, &self.project.sources);
        let is_plain = marks.is_empty() && self.portable.holds(number);
        // There are many tests of numbers: their text is not even read.
        if is_plain && rules.rewrites.is_some() && compares_no_text(parents) {
            return (Inferred { schema: RelationSchema::unknown(), ..Inferred::default() }, Some(Ok(None)));
        }
        if is_plain && let Some((inferred, outcome)) = self.portable.told(number, sql, parents) {
            return (inferred, Some(outcome));
        }
        let (marked, unmarked) = marked_query(rendered, marks);
        // What is written anew is read exactly: the other reading leaves out words that change rows.
        let exact = if is_plain { try_parse_exact(sql).ok().flatten() } else { None };
        let is_exact = exact.is_some();
        let query = exact.or(marked).map_or_else(|| try_parse_query(sql), |query| Ok(Some(query)));
        let mut plain = None;
        let mut inferred = match query {
            Ok(Some(query)) => {
                let inferred = infer_with(sql, &query, parents, rules.declarations);
                plain = is_exact.then_some(query);
                inferred
            }
            Ok(None) => Inferred { schema: RelationSchema::unknown(), ..Inferred::default() },
            Err(why) => {
                let finding = unread_query(node, why, sql, rules.guarded.contains(&number));
                Inferred { schema: RelationSchema::unknown(), doubts: vec![finding], ..Inferred::default() }
            }
        };
        inferred.unit_findings.extend(unmarked);
        if !self.portable.holds(number) {
            return (inferred, None);
        }
        let outcome = match plain {
            Some(query) => {
                let places = rules.rewrites != Some(Texts::First);
                let outcome = self.rewrite((sql, &query), &inferred, parents, places);
                self.portable.tell(number, (sql, &query), (&inferred, &outcome), parents, places);
                outcome
            }
            // Its tree is not that of the text.
            None => self.lower(sql, parents),
        };
        (inferred, Some(outcome))
    }

    /// A name that nothing reads is spoken of only where it stands so in the node's own file: a macro or a loop may write more than is
    /// needed here.
    fn is_written(&self, doubt: &Finding, map: &SpanMap) -> bool {
        if !is_unused(&doubt.diagnostic) {
            return true;
        }
        let place = doubt.range.clone().and_then(|range| map.locate(range));
        place.is_some_and(|place| {
            let text = self.project.sources.text(place.call).trim_matches('"');
            place.within.is_none() && doubt.diagnostic.message.to_lowercase().contains(&format!("'{}'", text.to_lowercase()))
        })
    }

    /// What a node reads, and its own relation.
    pub(super) fn parents_of<'s>(&'s self, number: usize, node: &'s Node, done: &Analysis) -> Vec<Parent<'s>> {
        self.parents(number, node, done, done.nodes.get(&number).map(|own| &own.schema))
    }

    fn parent<'s>(&'s self, number: usize, done: &Analysis) -> Option<Parent<'s>> {
        let node = self.manifest.nodes.get(number)?;
        Some(Parent { number, node, schema: Arc::clone(&done.nodes.get(&number)?.schema) })
    }
}

/// The tree in which the calls of declared macros are marked, when there are any, and which of them cannot be.
fn marked_query(rendered: &Rendered, mut marks: Vec<Mark>) -> (Option<Box<sqlparser::ast::Query>>, Vec<Finding>) {
    if marks.is_empty() || parse_query(&rendered.sql).is_none() {
        return (None, Vec::new());
    }
    let whole = parse_marked(&rendered.sql, &marks);
    if whole.is_some() {
        return (whole, Vec::new());
    }
    let mut findings = Vec::new();
    marks.retain(|mark| {
        let fits = parse_marked(&rendered.sql, std::slice::from_ref(mark)).is_some();
        if !fits {
            let message = "a macro that acca.yml declares writes something here that is no expression of its own";
            let problem = Diagnostic::new(&codes::INVALID_UNIT, message).help("put parentheses around what the macro writes");
            findings.push(Finding::new(problem, Some(mark.range.clone())));
        }
        fits
    });
    (parse_marked(&rendered.sql, &marks), findings)
}

/// Of a table that is added to: rows of several runs are told apart by its `unique_key` alone, and only if those of one run are.
fn kept_unique(node: &Node, unique: &[Vec<String>]) -> Vec<Vec<String>> {
    let key: Vec<String> = match node.config.get("unique_key") {
        Some(serde_json::Value::String(column)) => vec![column.to_lowercase()],
        Some(serde_json::Value::Array(columns)) => columns.iter().filter_map(|column| Some(column.as_str()?.to_lowercase())).collect(),
        _ => return Vec::new(),
    };
    let is_kept = unique.iter().any(|held| held.iter().all(|column| key.contains(column)));
    if is_kept { vec![key] } else { Vec::new() }
}

/// Columns that no query gives.
fn declared(node: &Node, mut schema: RelationSchema, rules: &Rules<'_>) -> NodeAnalysis {
    let mut problems = described_columns(node, &schema, rules.manifest);
    declare_meaning(node, &mut schema, rules.declarations, &Shown { places: &|_| None, strangers: &[] }, &mut problems);
    NodeAnalysis { problems, again: true, ..NodeAnalysis::of(schema) }
}

fn assemble(number: usize, node: &Node, rendered: &Rendered, inferred: Inferred, rules: &Rules<'_>, done: &Analysis) -> NodeAnalysis {
    let names: Vec<String> = inferred.schema.columns.iter().map(|column| column.name.clone()).collect();
    let places = |name: &str| {
        let range = inferred.places.get(names.iter().position(|held| held == name)?)?.clone()?;
        Some(rendered.map.locate(range)?.call)
    };
    let mut schema = inferred.schema;
    let mut edges: Vec<ColumnEdge> = Vec::new();
    let edge = |origin: &super::facts::Origin, column: &str| {
        let (from, from_column) = inferred.reads.get(usize::try_from(origin.column).ok()?)?;
        Some(ColumnEdge { from: *from, from_column: from_column.clone(), column: column.to_owned(), kind: origin.kind })
    };
    // Nobody asks for the lineage of what is only rewritten.
    let origins: &[_] = if rules.rewrites.is_some() { &[] } else { &inferred.origins };
    for (column, origins) in schema.columns.iter().zip(origins) {
        edges.extend(origins.iter().chain(&inferred.indirect).filter_map(|origin| edge(origin, &column.name)));
    }
    edges.sort();
    edges.dedup();
    // One mistake, one error: who reads a mistaken model stays quiet.
    schema.open |= !inferred.findings.is_empty();
    let of_configuration = configured_columns(node, &schema);
    if is_incremental(node) {
        schema.unique = kept_unique(node, &schema.unique);
    }
    let mut schema = match node.resource {
        ResourceType::Snapshot => snapshot_schema(node, schema),
        _ => RelationSchema { keyed: has_key(node), ..with_identities(node, schema) },
    };
    let doubts = if is_doubted(node) { inferred.doubts } else { Vec::new() };
    let findings = inferred.findings.into_iter().chain(inferred.unit_findings).chain(doubts);
    let mut problems: Vec<Diagnostic> = findings.map(|finding| placed(finding, &rendered.map, node)).collect();
    problems.extend(of_configuration);
    problems.extend(described_columns(node, &schema, rules.manifest));
    let shown = Shown { places: &places, strangers: &inferred.strangers };
    declare_meaning(node, &mut schema, rules.declarations, &shown, &mut problems);
    if rules.reports.contains(&number) {
        problems.extend(personal_data(node, &schema, &edges, &places, (rules.manifest, rules.declarations), done));
    }
    NodeAnalysis { schema: Arc::new(schema), edges, problems, again: rendered.momentary, rewritten: Vec::new() }
}

/// The first column whose name another one has before it.
fn named_twice(inferred: &Inferred) -> Option<Finding> {
    let columns = &inferred.schema.columns;
    let is_there = |at: &usize| columns.get(*at).is_some_and(|column| columns.iter().take(*at).any(|held| held.name == column.name));
    let at = (0..columns.len()).find(is_there)?;
    let name = &inferred.schema.columns.get(at)?.name;
    let place = |at: usize| inferred.places.get(at).cloned().flatten();
    let first = inferred.schema.columns.iter().position(|column| column.name == *name).and_then(place);
    let problem = Diagnostic::new(&codes::DUPLICATE_COLUMN, format!("two columns are called '{name}'"));
    let problem = problem.help(format!("name the columns that are wanted, and one of these otherwise: … as other_{name}"));
    let also = first.filter(|first| Some(first) != place(at).as_ref()).map(|first| (first, "the other is this"));
    Some(Finding { also: also.into_iter().collect(), ..Finding::new(problem, place(at)) })
}

/// Whether its table or view is made of what its query gives; what a macro of the project makes may need none.
pub(super) fn is_built(node: &Node) -> bool {
    let known = ["ephemeral", "incremental", "materialized_view", "table", "view"];
    matches!(node.detail, Detail::Model(_)) && known.contains(&node.materialized())
}

pub(super) fn is_incremental(node: &Node) -> bool {
    matches!(node.detail, Detail::Model(_)) && node.config.str("materialized") == Some("incremental")
}

/// What is wrong in the run that makes the table and in one that adds to it. What nothing reads is read by neither; a clock is bad only in
/// a filter that the first run does not have.
fn of_both_runs(first: Vec<Diagnostic>, again: NodeAnalysis) -> Vec<Diagnostic> {
    let added: Vec<Diagnostic> = again.problems.iter().filter(|problem| !is_unused(problem) && !first.contains(problem)).cloned().collect();
    let is_kept =
        |problem: &Diagnostic| problem.code != &codes::NONDETERMINISTIC_FILTER && (!is_unused(problem) || again.problems.contains(problem));
    first.into_iter().filter(is_kept).chain(added).collect()
}

fn has_key(node: &Node) -> bool {
    let primary = |constraint: &serde_json::Value| constraint.get("type").and_then(serde_json::Value::as_str) == Some("primary_key");
    let of_model = match &node.detail {
        Detail::Model(model) => model.constraints.iter().any(primary),
        _ => false,
    };
    of_model || node.columns.iter().any(|column| column.constraints.iter().any(primary))
}

/// One mistake, one error: of what is wrong with its unit nothing more is said, and in a query with such a mistake not what is unused.
fn is_said(doubt: &Finding, units: &[Finding]) -> bool {
    let within = |unit: &Finding| {
        let both = doubt.range.as_ref().zip(unit.range.as_ref());
        is_unused(&doubt.diagnostic) || both.is_some_and(|(one, other)| one.start < other.end && other.start < one.end)
    };
    units.iter().any(within)
}

fn is_unused(problem: &Diagnostic) -> bool {
    [&codes::UNUSED_CTE, &codes::UNUSED_COLUMN].contains(&problem.code)
}

/// What is only doubtful is said of what people wrote for themselves, not of tests that macros write.
fn is_doubted(node: &Node) -> bool {
    !matches!(node.detail, Detail::GenericTest(_))
}

/// The finding at its place in the files.
pub(super) fn placed(finding: Finding, map: &SpanMap, node: &Node) -> Diagnostic {
    let place = finding.range.and_then(|range| map.locate(range));
    let also = finding.also.into_iter().filter_map(|(range, text)| Some((map.locate(range)?.call, text)));
    let diagnostic = also.fold(finding.diagnostic, |diagnostic, (place, text)| diagnostic.also(place, text));
    match place {
        Some(place) => match place.within {
            Some(within) if within != place.call => diagnostic.at(place.call).also(within, "written here"),
            _ => diagnostic.at(place.call),
        },
        None => diagnostic.at(node.body.unwrap_or(node.origin)),
    }
}

pub(super) struct Parent<'s> {
    pub(super) number: usize,
    pub(super) node: &'s Node,
    pub(super) schema: Arc<RelationSchema>,
}

pub(super) struct Parents<'s> {
    pub(super) parents: &'s [Parent<'s>],
    pub(super) promises: &'s Arc<Promises>,
    compilation: &'s Compilation,
    pub(super) node: &'s Node,
    done: &'s Analysis,
    /// Nobody asks what is to be said of the query besides its mistakes.
    is_rewritten_only: bool,
}

impl<'s> Parents<'s> {
    pub(super) fn new(parents: &'s [Parent<'s>], compilation: &'s Compilation, node: &'s Node, done: &'s Analysis) -> Parents<'s> {
        Parents { parents, promises: &done.promises, compilation, node, done, is_rewritten_only: false }
    }

    /// What a query reads that is rewritten, and of which nothing else is asked.
    pub(super) fn only_rewritten(self) -> Parents<'s> {
        Parents { is_rewritten_only: true, ..self }
    }

    /// The first of what is read of which not all is known because of a mistake in it.
    pub(super) fn mistaken(&self) -> Option<&'s Node> {
        let is_mistaken = |parent: &&Parent<'_>| {
            let found = self.done.nodes.get(&parent.number).filter(|_| parent.node.id != self.node.id);
            found.is_some_and(|found| found.problems.iter().any(|problem| problem.severity == Severity::Error))
        };
        self.parents.iter().find(is_mistaken).map(|parent| parent.node)
    }
}

impl Tables for Parents<'_> {
    fn find(&self, name: &[String]) -> Table {
        let fits = |parent: &&Parent<'_>| {
            // Ephemeral models, and fixtures of unit tests.
            if let [single] = name {
                let own = match &parent.node.detail {
                    Detail::Source(source) => ephemeral_name(&format!("{}__{}", source.source_name, parent.node.name)),
                    _ => ephemeral_name(parent.node.alias.as_deref().unwrap_or(&parent.node.name)),
                };
                if *single == own || *single == own.to_lowercase() {
                    return true;
                }
            }
            // To be rewritten it needs types: what an earlier invocation built is taken to have the columns that it has here.
            let deferral = self.compilation.reading.get().and_then(|reading| reading.deferral.as_ref()).filter(|_| is_portable(self.node));
            let elsewhere = deferral.and_then(|deferral| deferral.relations.get(&parent.node.id));
            !parent.node.is_ephemeral() && parent.node.relation.iter().chain(elsewhere).any(|relation| is_called(relation, name))
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

    fn has_foreign_functions(&self) -> bool {
        // What is portable is written in PostgreSQL's SQL, whatever the engine of the target knows besides.
        !self.is_portable() && !self.compilation.project.target.has_the_checked_rules()
    }

    fn is_portable(&self) -> bool {
        is_portable(self.node)
    }

    fn is_looked_into(&self) -> bool {
        !self.is_rewritten_only
    }

    fn keeps_types(&self) -> bool {
        self.compilation.portable.is_used()
    }
}

/// Names without quotes were folded, so case does not count.
pub(super) fn is_called(relation: &Relation, name: &[String]) -> bool {
    let parts = [&relation.identifier, &relation.schema, &relation.database];
    !name.is_empty() && name.len() <= parts.len() && name.iter().rev().zip(parts).all(|(given, part)| given.eq_ignore_ascii_case(part))
}

/// Stands for the database: tells what is known of columns already, and notes that anything else was asked.
struct NoDatabase {
    columns: Vec<(Relation, Arc<RelationSchema>)>,
    own: Option<Relation>,
    asked: AtomicBool,
    /// Something was answered.
    told: AtomicBool,
}

impl NoDatabase {
    fn unanswered<T>(&self) -> Result<T, String> {
        self.asked.store(true, Ordering::Relaxed);
        Err("no database is asked here".to_owned())
    }
}

impl Warehouse for NoDatabase {
    fn is_asked(&self) -> bool {
        false
    }

    fn statement(&self, _: &str, _: bool) -> Result<StatementResult, String> {
        self.unanswered()
    }

    fn relation_kind(&self, relation: &Relation) -> Result<Option<RelationKind>, String> {
        self.told.store(true, Ordering::Relaxed);
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
        self.told.store(true, Ordering::Relaxed);
        match columns.flatten() {
            Some(columns) => Ok(columns),
            None => self.unanswered(),
        }
    }
}
