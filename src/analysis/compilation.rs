//! A linked project, and the SQL of its nodes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::empty::without_doubled_aliases;
use super::kept::Standing;
use super::portable::{Piece, Portable, is_portable};
use crate::base::{ResourceType, Span, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::jinja::{Empty, Linked, Message, NodeState, Place, Reading, Rendered, SpanMap, Templates, Warehouse, ephemeral_name};
use crate::project::{Detail, Manifest, Node, Package, Project};
use crate::syntax::{before_semicolon, cte_insertion, is_single_query, past_comments};

/// A project that was read, parsed and linked: ready to be listed, compiled and planned.
pub struct Compilation {
    pub project: Project,
    pub templates: Templates,
    pub manifest: Arc<Manifest>,
    /// What templates said while they were parsed.
    pub messages: Vec<Message>,
    /// The saved parse that it agrees with; `None` where nothing is saved.
    pub standing: Option<Standing>,
    /// How relations are read; as the manifest says, where nobody has said otherwise.
    pub reading: OnceLock<Arc<Reading>>,
    pub portable: Portable,
    /// Mistakes by the numbers of their nodes, once somebody has looked ahead.
    pub certain: OnceLock<BTreeMap<usize, Vec<Diagnostic>>>,
}

/// The SQL of one node, ephemeral models put in, with the way back to the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CompiledNode {
    pub sql: String,
    /// Of what its template gave.
    pub(super) map: SpanMap,
    /// Where the text was written anew for the engine, in parts: what of it comes from where in what the template gave.
    pub(super) pieces: Option<Vec<Piece>>,
    pub messages: Vec<Message>,
    pub macros: Vec<UniqueId>,
}

impl CompiledNode {
    /// A text that no template gave.
    pub fn of(sql: String) -> CompiledNode {
        CompiledNode { sql, ..CompiledNode::default() }
    }

    /// The place of a byte range of its SQL, where that comes from a file.
    pub fn locate(&self, range: Range<usize>) -> Option<Place> {
        let Some(pieces) = &self.pieces else { return self.map.locate(range) };
        let piece = pieces.get(pieces.partition_point(|piece| piece.written().end <= range.start))?;
        let is_between = piece.written().start > range.start && range.end <= piece.written().start;
        if is_between { None } else { self.map.locate(piece.read()) }
    }

    /// With a text put in at `at`.
    fn with(mut self, at: usize, text: &str) -> CompiledNode {
        self.sql.insert_str(at, text);
        match &mut self.pieces {
            Some(pieces) => {
                let first = pieces.partition_point(|piece| piece.written().start < at);
                pieces.iter_mut().skip(first).for_each(|piece| piece.written_later(text.len()));
            }
            None => self.map = self.map.shifted(at, text.len()),
        }
        self
    }
}

impl Compilation {
    pub fn linked(&self, warehouse: Option<Arc<dyn Warehouse>>) -> Linked {
        let reading = self.reading.get().cloned().unwrap_or_default();
        Linked { manifest: self.manifest.clone(), warehouse, reading }
    }

    /// Renders a node and puts the ephemeral models that it reads before it. `state` is what the database holds under its
    /// name; `warehouse` answers the queries of macros, if it may.
    ///
    /// # Errors
    /// What its templates fail with, or the first that keeps a portable query from being rewritten, and how much more there is.
    pub fn compile_node(&self, node: &Node, state: NodeState, warehouse: Option<Arc<dyn Warehouse>>) -> Result<CompiledNode, Diagnostic> {
        self.compile_with_all(node, state, warehouse).map_err(|problems| first_of(node, problems))
    }

    /// As [`Compilation::compile_node`].
    ///
    /// # Errors
    /// What its templates fail with, or all that keeps a portable query from being rewritten.
    pub fn compile_with_all(
        &self,
        node: &Node,
        state: NodeState,
        warehouse: Option<Arc<dyn Warehouse>>,
    ) -> Result<CompiledNode, Vec<Diagnostic>> {
        let linked = self.linked(warehouse);
        let reading = self.reading.get();
        let filtered = state.batch.is_some() || reading.is_some_and(|reading| reading.sample.is_some());
        let aliased = filtered || reading.is_some_and(|reading| reading.empty == Some(Empty::Aliased));
        let (mut compiled, ephemerals) = match self.prepared(node, state).filter(|_| !aliased) {
            Some(held) => held.compiled(self, node)?,
            None => {
                let rendered = self.templates.render(&self.project.sources, node, state, &linked).map_err(|problem| vec![problem])?;
                let (mut compiled, ephemerals) = unlowered(rendered);
                if aliased && is_portable(node) {
                    compiled.sql = without_doubled_aliases(&compiled.sql);
                }
                (self.lowered(node, compiled)?, ephemerals)
            }
        };
        let mut ctes = Vec::new();
        for id in &ephemerals {
            self.collect_ephemeral(id, &linked, &mut ctes).map_err(|problem| vec![problem])?;
        }
        if !ctes.is_empty() {
            compiled = with_ctes(compiled, &ctes);
        }
        if aliased {
            compiled.sql = without_doubled_aliases(&compiled.sql);
        }
        Ok(compiled)
    }

    /// A file's path inside of its package's folder.
    pub fn path_in_package<'p>(&self, path: &'p str, package: &str) -> &'p str {
        let held = self.project.packages.iter().find(|held| &*held.name == package);
        held.map_or(path, |held| held.path_inside(path))
    }

    /// A stand-in node for a text that belongs to no node: a hook of a project file, an inline query.
    pub fn operation(&self, package: &Package, name: &str, span: Span) -> Node {
        let fqn = vec![package.name.to_string(), name.to_owned()];
        Node { body: Some(span), ..Node::new(ResourceType::Operation, &package.name, name, fqn, span, Detail::Operation) }
    }

    /// The ephemeral model after those that it reads, each once. The graph has no loop, so this ends.
    fn collect_ephemeral(&self, id: &UniqueId, linked: &Linked, ctes: &mut Vec<(String, String)>) -> Result<(), Diagnostic> {
        let Some(node) = self.manifest.node(id) else { return Ok(()) };
        let name = ephemeral_name(node.alias.as_deref().unwrap_or(&node.name));
        if ctes.iter().any(|(held, _)| *held == name) {
            return Ok(());
        }
        let rendered = self.templates.render(&self.project.sources, node, NodeState::default(), linked)?;
        for inner in &rendered.ephemerals {
            self.collect_ephemeral(inner, linked, ctes)?;
        }
        let compiled = CompiledNode { sql: rendered.sql, map: rendered.map, ..CompiledNode::default() };
        let compiled = self.lowered(node, compiled).map_err(|problems| first_of(node, problems))?;
        ctes.push((name, before_semicolon(&compiled.sql).trim_start().to_owned()));
        Ok(())
    }
}

/// The text as the template gives it, and the ephemeral models that it reads.
fn unlowered(rendered: Rendered) -> (CompiledNode, Vec<UniqueId>) {
    let Rendered { sql, map, messages, macros, ephemerals, momentary: _ } = rendered;
    (CompiledNode { sql, map, pieces: None, messages, macros }, ephemerals)
}

pub(super) fn first_of(node: &Node, problems: Vec<Diagnostic>) -> Diagnostic {
    let more = problems.len().saturating_sub(1);
    let first = problems.into_iter().next();
    let first = first.unwrap_or_else(|| Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, "the query cannot be rewritten").at(node.origin));
    if more == 0 { first } else { first.note(format!("{more} more in '{}': acca compile lists them all", node.name)) }
}

/// Puts common table expressions before those that the query has, or before the query.
pub(super) fn with_ctes(compiled: CompiledNode, ctes: &[(String, String)]) -> CompiledNode {
    let place = cte_insertion(&compiled.sql);
    let list = ctes.iter().map(|(name, sql)| format!("{name} as (\n{sql}\n)")).collect::<Vec<_>>().join(", ");
    let inserted = if place.has_with { format!(" {list},") } else { format!("with {list}\n") };
    compiled.with(place.offset, &inserted)
}

/// Refuses what cannot stand inside `create table … as`: no SQL at all, several statements, or something that is no query.
///
/// # Errors
/// `not-a-query`, at the node's file.
pub fn check_is_query(node: &Node, compiled: &CompiledNode) -> Result<(), Diagnostic> {
    if is_single_query(&compiled.sql) {
        return Ok(());
    }
    let what =
        if past_comments(&compiled.sql).trim().is_empty() { "renders to nothing" } else { "renders to something else than one query" };
    Err(Diagnostic::new(&codes::NOT_A_QUERY, format!("'{}' {what}", node.name))
        .at(node.body.unwrap_or(node.origin))
        .help("a model is one SELECT (or WITH … SELECT, VALUES); put other statements into hooks"))
}
