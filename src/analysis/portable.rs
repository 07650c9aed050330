//! Portable models: written in PostgreSQL's SQL, and rewritten from their typed tree for the engine of the target.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use sqlparser::ast::{ObjectName, ObjectNamePart, Query};

use super::columns::{Analysis, Parent, Parents, Texts, placed};
use super::compilation::{Compilation, CompiledNode};
use super::consequences::independent;
use super::facts::RelationSchema;
use super::generic::of_test;
use super::infer::{ExpressionTypes, Finding, Inferred, infer};
use super::siblings::{Sibling, Siblings};
use super::sql_type::SqlType;
use super::unread::unread_portable;
use crate::base::{Files, Relation, UniqueId};
use crate::diag::{Diagnostic, Severity, codes};
use crate::jinja::{NodeState, Rendered, SpanMap};
use crate::project::{Constraint, ConstraintKind, Detail, GenericTest, Manifest, Node};
use crate::syntax::try_parse_exact;

/// A query with the types of its expressions.
pub struct TypedQuery<'q> {
    pub sql: &'q str,
    /// The tree of `sql`.
    pub query: &'q Query,
    pub types: &'q ExpressionTypes,
    /// The relations that have another name where it is to run.
    pub renamed: &'q [Renamed<'q>],
    /// Whether somebody will ask what of the written text comes from where: where an engine refuses it.
    pub places: bool,
}

/// How a relation is called in a tree, and how it is to be called in what is written.
#[derive(Clone, Copy, Debug)]
pub struct Renamed<'q> {
    pub here: &'q Relation,
    pub there: &'q Relation,
}

impl Renamed<'_> {
    /// Whether a tree has the name in full and in quotes, as `ref` writes it.
    pub fn is(&self, name: &ObjectName) -> bool {
        let is = |(part, named): (&ObjectNamePart, &Arc<str>)| {
            part.as_ident().is_some_and(|ident| ident.quote_style.is_some() && *ident.value == **named)
        };
        let parts = self.here.parts();
        name.0.len() == parts.len() && name.0.iter().zip(parts).all(is)
    }
}

/// The SQL that an engine gets in place of a portable query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    pub sql: String,
    /// Ascending; none where nobody asks.
    pub places: Vec<Piece>,
}

/// Bytes of a text that was written, and the bytes of the portable text that they come from. A query has a hundred of them, and many
/// queries are held at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    written: [u32; 2],
    read: [u32; 2],
}

impl Piece {
    /// `None` of texts of four gigabytes.
    pub fn new(written: Range<usize>, read: Range<usize>) -> Option<Piece> {
        let narrow = |range: Range<usize>| Some([u32::try_from(range.start).ok()?, u32::try_from(range.end).ok()?]);
        Some(Piece { written: narrow(written)?, read: narrow(read)? })
    }

    pub fn written(self) -> Range<usize> {
        wide(self.written)
    }

    /// Behind so many bytes more.
    pub(super) fn written_later(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.written = self.written.map(|at| at.saturating_add(bytes));
    }

    pub fn read(self) -> Range<usize> {
        wide(self.read)
    }
}

fn wide([start, end]: [u32; 2]) -> Range<usize> {
    start as usize..end as usize
}

/// Rewrites portable queries for one engine.
pub trait Lowering: Send + Sync {
    /// `None` where the engine takes the text as it is.
    ///
    /// # Errors
    /// Everything that has no equivalent there.
    fn lower(&self, query: &TypedQuery<'_>) -> Result<Option<Lowered>, Vec<Finding>>;

    /// Whether texts are equal only where they are the same: on Redshift blanks at the end do not count.
    fn tells_blanks_apart(&self) -> bool;

    /// What the engine refuses of a text that it would get, or takes for something else, as far as that is known without asking it.
    fn foreign(&self, sql: &str) -> Vec<Finding>;
}

/// What a text is rewritten to, or why not.
pub(super) type Outcome = Result<Option<Lowered>, Vec<Finding>>;

/// The text of a node as it was rendered to be analysed.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) rendered: Rendered,
    /// What the database was taken to hold.
    pub(super) state: NodeState,
    /// The template asked no database, so that any gives the same text.
    pub(super) asks_nothing: bool,
}

/// What came of rewriting a text, while its tree was at hand.
#[derive(Clone, Debug)]
pub(super) struct Rewritten {
    pub(super) prepared: Prepared,
    pub(super) outcome: Outcome,
}

impl Rewritten {
    /// The node with the text that the engine gets, and the ephemeral models that it reads.
    pub(super) fn compiled(&self, compilation: &Compilation, node: &Node) -> Result<(CompiledNode, Vec<UniqueId>), Vec<Diagnostic>> {
        let Rendered { sql, map, messages, macros, ephemerals, momentary: _ } = &self.prepared.rendered;
        let (sql, pieces) = match &self.outcome {
            Ok(None) => (sql.clone(), None),
            Ok(Some(lowered)) => (lowered.sql.clone(), Some(lowered.places.clone())),
            Err(problems) => return Err(compilation.refused(node, (sql, map), problems.clone())),
        };
        Ok((CompiledNode { sql, map: map.clone(), pieces, messages: messages.clone(), macros: macros.clone() }, ephemerals.clone()))
    }
}

/// What portable models of a project need.
pub struct Portable {
    /// `None` for a target of an unknown engine.
    lowering: Option<Arc<dyn Lowering>>,
    files: Arc<dyn Files>,
    /// Columns of what portable models read; looked for when the first of them is compiled.
    analysis: OnceLock<Analysis>,
    nodes: BTreeSet<usize>,
    /// The targets that are compiled with this one, and which of them it is.
    siblings: OnceLock<(Arc<Siblings>, usize)>,
}

impl Portable {
    pub fn new(lowering: Option<Arc<dyn Lowering>>, files: Arc<dyn Files>, manifest: &Manifest) -> Portable {
        let is_rewritten = |node: &Node| is_portable(node) || is_portable_test(node, manifest, lowering.as_deref());
        let nodes = manifest.nodes.iter().enumerate().filter(|(_, node)| is_rewritten(node)).map(|(number, _)| number).collect();
        Portable { lowering, files, analysis: OnceLock::new(), nodes, siblings: OnceLock::new() }
    }

    /// Whether the project has a portable model.
    pub(super) fn is_used(&self) -> bool {
        !self.nodes.is_empty()
    }

    pub(super) fn files(&self) -> &dyn Files {
        &*self.files
    }

    /// Whether the text of a node is written anew.
    pub(super) fn holds(&self, number: usize) -> bool {
        self.nodes.contains(&number)
    }

    /// What another target has told of a query.
    pub(super) fn told(&self, number: usize, sql: &str, parents: &Parents<'_>) -> Option<(Inferred, Outcome)> {
        let (siblings, at) = self.siblings.get()?;
        siblings.hear((*at, number), sql, parents)
    }

    /// The columns of a node, in the same place as those of the other targets where they are the same.
    pub(super) fn shared(&self, number: usize, schema: Arc<RelationSchema>) -> Arc<RelationSchema> {
        match self.siblings.get() {
            Some((siblings, _)) => siblings.shared(number, schema),
            None => schema,
        }
    }

    /// Tells the other targets of a query.
    pub(super) fn tell(&self, number: usize, read: (&str, &Query), understood: (&Inferred, &Outcome), parents: &Parents<'_>, places: bool) {
        if let Some((siblings, at)) = self.siblings.get() {
            siblings.tell((*at, number), read, understood, parents, places);
        }
    }
}

/// Lets the targets of a command read each portable query once.
pub fn read_together(compilations: &[&Compilation]) {
    let sibling = |compilation: &&Compilation| {
        let lowering = compilation.portable.lowering.clone()?;
        Some(Sibling::new(Arc::clone(&compilation.manifest), lowering))
    };
    let Some(targets) = compilations.iter().map(sibling).collect::<Option<Vec<_>>>() else { return };
    let siblings = Arc::new(Siblings::new(targets));
    for (at, compilation) in compilations.iter().enumerate() {
        let _ = compilation.portable.siblings.set((Arc::clone(&siblings), at));
    }
}

/// `meta: {portable: true}` on something whose SQL people write.
pub fn is_portable(node: &Node) -> bool {
    node.says_portable() == Some(true) && is_written(node)
}

/// Whether a generic test has SQL of the project's: a condition, or an expression in place of a column.
fn is_written_by_people(node: &Node, test: &GenericTest) -> bool {
    let is_name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let field = test.arguments.get("field").and_then(serde_json::Value::as_str);
    node.config.get("where").is_some_and(|condition| !condition.is_null())
        || ![test.column.as_deref(), field].into_iter().flatten().all(is_name)
}

/// Whether a generic test that acca writes compares columns of which none is text: what it says then means the same everywhere.
pub(super) fn compares_no_text(parents: &Parents<'_>) -> bool {
    let Detail::GenericTest(test) = &parents.node.detail else { return false };
    if !is_own(parents.node) || is_written_by_people(parents.node, test) {
        return false;
    }
    let field = test.arguments.get("field").and_then(serde_json::Value::as_str);
    let no_text = |parent: &Parent<'_>| {
        let column = if parent.node.id == test.attached { test.column.as_deref() } else { field };
        let held = column.and_then(|column| parent.schema.columns.iter().find(|held| held.name.eq_ignore_ascii_case(column)));
        let kind = held.and_then(|held| held.sql_type).map(SqlType::name);
        kind.is_some_and(|kind| matches!(kind, "int2" | "int4" | "int8" | "numeric" | "bool" | "date" | "timestamp" | "timestamptz"))
    };
    !parents.parents.is_empty() && parents.parents.iter().all(no_text)
}

/// Whether acca wrote all macros that a test calls.
fn is_own(test: &Node) -> bool {
    !test.macros.is_empty() && test.macros.iter().all(|id| id.starts_with("macro.dbt."))
}

/// The generic tests of which acca writes the SQL are the same for each engine. On something portable they must find the same rows on each:
/// keys of text that differ in a blank at their end are two. Tests of other macros may be written for one engine, and say themselves what
/// they are. Where an engine takes what acca writes to mean that anyway, a text is read only if people have a part in it: there are many tests.
fn is_portable_test(node: &Node, manifest: &Manifest, lowering: Option<&dyn Lowering>) -> bool {
    let Detail::GenericTest(test) = &node.detail else { return false };
    node.says_portable().unwrap_or_else(|| {
        let attached = manifest.node(&test.attached).filter(|attached| is_portable(attached));
        // What an engine's planner is told to be a key has to be one in the engine's own sense of being equal.
        let is_exact = test.test == "not_null" || lowering.is_none_or(Lowering::tells_blanks_apart);
        let is_rewritten = !is_exact || is_written_by_people(node, test);
        is_own(node) && is_rewritten && attached.is_some_and(|attached| !(test.test == "unique" && is_declared_key(test, attached)))
    })
}

/// Whether a constraint says that the tested column is a key.
fn is_declared_key(test: &GenericTest, attached: &Node) -> bool {
    let tested = test.column.as_deref().map(|column| column.trim_matches('"'));
    let is_tested = |name: &str| tested.is_some_and(|tested| tested.eq_ignore_ascii_case(name));
    let is_key = |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::Unique | ConstraintKind::PrimaryKey);
    let of_column = attached.columns.iter().filter(|column| is_tested(&column.name)).any(|column| column.constraints().iter().any(is_key));
    let of_model =
        attached.constraints().iter().any(|constraint| is_key(constraint) && constraint.columns.iter().any(|name| is_tested(name)));
    of_column || of_model
}

/// Whether people write its SQL. Generic tests are written by macros, for each engine.
fn is_written(node: &Node) -> bool {
    matches!(node.detail, Detail::Model(_) | Detail::Snapshot { .. } | Detail::SingularTest | Detail::Analysis)
}

impl Compilation {
    /// Rewrites the SQL of a portable node for the target; that of others stays as it is.
    ///
    /// # Errors
    /// All that is wrong with the query, or that the engine has no equivalent for.
    pub(super) fn lowered(&self, node: &Node, compiled: CompiledNode) -> Result<CompiledNode, Vec<Diagnostic>> {
        let Some(number) = self.manifest.number(&node.id).filter(|number| self.portable.nodes.contains(number)) else {
            return Ok(compiled);
        };
        let analysis = self.portable_columns();
        let outcome = self.known(number, &compiled.sql, analysis).unwrap_or_else(|| {
            let parents = self.parents_of(number, node, analysis);
            self.lower(&compiled.sql, &Parents::new(&parents, self, node, analysis).only_rewritten())
        });
        let lowered = self.with_outcome(node, compiled, outcome);
        lowered.map_err(|problems| of_test(node, problems, &self.manifest, &self.project.sources))
    }

    /// The node with the text that the engine gets.
    fn with_outcome(&self, node: &Node, compiled: CompiledNode, outcome: Outcome) -> Result<CompiledNode, Vec<Diagnostic>> {
        match outcome {
            Ok(None) => Ok(compiled),
            Ok(Some(lowered)) => Ok(CompiledNode { sql: lowered.sql, pieces: Some(lowered.places), ..compiled }),
            Err(problems) => Err(self.refused(node, (&compiled.sql, &compiled.map), problems)),
        }
    }

    /// What is wrong with a text, at its place in the files.
    fn refused(&self, node: &Node, (sql, map): (&str, &SpanMap), problems: Vec<Finding>) -> Vec<Diagnostic> {
        if problems.is_empty() {
            return vec![Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, "the query cannot be rewritten").at(node.origin)];
        }
        let told = |finding: Finding| self.of_declaration(node, &finding, sql).unwrap_or_else(|| placed(finding, map, node));
        problems.into_iter().map(told).collect()
    }

    /// The text of a portable node as the analysis had it, already rewritten; `None` where the database or the moment has a part in it.
    pub(super) fn prepared(&self, node: &Node, state: NodeState) -> Option<Arc<Rewritten>> {
        let number = self.manifest.number(&node.id).filter(|number| self.portable.nodes.contains(number))?;
        let is = |held: &&Arc<Rewritten>| {
            let Prepared { rendered, state: of, asks_nothing } = &held.prepared;
            *asks_nothing && !rendered.momentary && *of == state
        };
        self.portable_columns().nodes.get(&number)?.rewritten.iter().find(is).cloned()
    }

    pub(super) fn read_portable_now(&self) {
        self.portable.analysis.get_or_init(|| self.read_portable_nodes(Texts::Both));
    }

    /// Reads all portable nodes, where one of these is portable, as they are compiled on a database that has none of their tables, and sent
    /// to none. Before workers are sent to compile nodes: they then read on their own threads, whose memory is used again, and nobody waits.
    pub fn read_portable(&self, nodes: &[&Node]) {
        if self.portable.is_used() && nodes.iter().any(|node| is_portable(node)) {
            self.portable.analysis.get_or_init(|| self.read_portable_nodes(Texts::First));
        }
    }

    /// Columns of what portable models read.
    pub(super) fn portable_columns(&self) -> &Analysis {
        self.portable.analysis.get_or_init(|| apart(|| self.read_portable_nodes(Texts::Both)))
    }

    fn read_portable_nodes(&self, texts: Texts) -> Analysis {
        if let Some((siblings, at)) = self.portable.siblings.get() {
            siblings.begin(*at);
        }
        self.analyse_portable(&*self.portable.files, &self.portable.nodes, texts)
    }

    /// The bytes of UTF-8 that a text column of a portable node has at most, where the widths of what it is made of tell.
    pub fn text_bytes(&self, node: &Node, column: &str) -> Option<u32> {
        let number = self.manifest.number(&node.id).filter(|number| self.portable.nodes.contains(number))?;
        let schema = &self.portable_columns().nodes.get(&number)?.schema;
        schema.columns.iter().find(|held| held.name.eq_ignore_ascii_case(column))?.bytes
    }

    /// What came of a text when its node was analysed: only other texts are read here.
    fn known(&self, number: usize, sql: &str, analysis: &Analysis) -> Option<Outcome> {
        let rewritten = analysis.nodes.get(&number)?.rewritten.iter().find(|held| held.prepared.rendered.sql == sql)?;
        Some(rewritten.outcome.clone())
    }

    /// A rewrite wrote what the engine does not have: no mistake of the project's. Only `check` asks; in a run the engine itself would say so.
    pub(super) fn unlowered(&self, node: &Node, lowered: &Lowered) -> Option<Finding> {
        let finding = self.portable.lowering.as_ref()?.foreign(&lowered.sql).into_iter().next()?;
        let piece = finding.range.and_then(|range| lowered.sql.get(range)).unwrap_or("");
        let message = format!("the query of '{}' is rewritten to what the engine does not run: {}", node.name, finding.diagnostic.message);
        let problem = Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, message).note(format!("it would get: {piece}"));
        let problem = problem.help("write it otherwise, and report this as a fault of acca's rewrites");
        Some(Finding::new(problem, None))
    }

    /// What the engine of the target refuses of a node that is written for it, or takes for something else.
    pub fn foreign(&self, node: &Node, compiled: &CompiledNode) -> Vec<Diagnostic> {
        self.foreign_findings(node, &compiled.sql).into_iter().map(|finding| placed(finding, &compiled.map, node)).collect()
    }

    pub(super) fn foreign_findings(&self, node: &Node, sql: &str) -> Vec<Finding> {
        match &self.portable.lowering {
            Some(lowering) if is_written(node) && !is_portable(node) => lowering.foreign(sql),
            _ => Vec::new(),
        }
    }

    /// Reads a text and rewrites it.
    pub(super) fn lower(&self, sql: &str, parents: &Parents<'_>) -> Outcome {
        if self.portable.lowering.is_none() {
            return Ok(None);
        }
        let query = match try_parse_exact(sql) {
            Ok(Some(query)) => query,
            // Whoever asks for one query says that it is none.
            Ok(None) => return Ok(None),
            Err(unread) => return Err(vec![unread_portable(unread, sql)]),
        };
        let inferred = infer(sql, &query, parents);
        self.rewrite((sql, &query), &inferred, parents, true)
    }

    /// Rewrites a text of which the tree and the types are known. Where there is a mistake in it, all else that is wrong is said with it.
    pub(super) fn rewrite(&self, (sql, query): (&str, &Query), inferred: &Inferred, parents: &Parents<'_>, places: bool) -> Outcome {
        let Some(lowering) = &self.portable.lowering else { return Ok(None) };
        let doubts = inferred.doubts.iter().filter(|doubt| doubt.diagnostic.severity == Severity::Error);
        let mut mistakes: Vec<Finding> = inferred.findings.iter().chain(doubts).cloned().collect();
        let lowered = lowering.lower(&TypedQuery { sql, query, types: &inferred.types, renamed: &[], places });
        let above = parents.mistaken();
        let refused = match lowered {
            lowered if mistakes.is_empty() && (lowered.is_ok() || above.is_none()) => return lowered,
            lowered => lowered.err().unwrap_or_default(),
        };
        let first = refused.first().and_then(|refusal| refusal.range.clone());
        let (count, held) = (refused.len(), independent(refused, &mistakes, sql, query, &inferred.types));
        if let (Some(above), true) = (above, mistakes.is_empty() && held.len() < count) {
            let message = format!("what '{}' gives is not known, as there is a mistake in it", above.name);
            let problem = Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, message).help(format!("mend '{}' first", above.name));
            mistakes.push(Finding::new(problem, first));
        }
        mistakes.extend(held);
        Err(mistakes)
    }
}

/// Runs on threads of its own. A worker that waited for others here would take up the next node meanwhile, and wait for what it is
/// making itself.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().build();
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || match pool {
            Ok(pool) => pool.install(work),
            Err(_) => work(),
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
