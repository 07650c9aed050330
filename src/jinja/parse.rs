//! The first pass: renders every node once without a database, learns what it reads and how it is configured, and links the project.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::calls::find_call;
use super::failure::with_the_name;
use super::first_pass::Pass;
use super::known::{Memory, Own};
use super::scope::Message;
use super::templates::{Shared, Templates};
use crate::base::{Dag, FileId, Sources, Span, UniqueId};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::project::{Detail, Manifest, Node, Project, RefCall, SourceCall, Unresolved, unfiltered_batches};

/// The linked project with what its templates said aloud while they were parsed.
pub struct Parsed {
    pub manifest: Manifest,
    pub messages: Vec<Message>,
    /// By the position of the work: what came of a node that was new, where it was asked for.
    pub passed: Vec<Option<Passed>>,
}

/// Why there is no linked project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unparsed {
    /// The graph has a loop, which was reported.
    Loop,
    /// What was written down of an earlier run cannot be read.
    Damaged,
}

/// A node for the first pass.
pub enum Work<'b> {
    New(Box<Node>),
    /// It has been through it in an earlier run: [`Passed::after`].
    Done(&'b [u8]),
}

/// A node before and after its first pass, written down.
pub struct Passed {
    /// Empty for acca's own tests.
    pub before: Vec<u8>,
    pub after: Vec<u8>,
    /// The file in which its body lies.
    pub body: Option<FileId>,
    /// See [`super::Found::momentary`].
    pub momentary: bool,
}

impl Templates {
    /// Renders and links all nodes of the project. Mistakes are collected; a node with a mistake stays in the manifest with
    /// what is known of it. With `write_down`, what comes of new nodes is given back as bytes too.
    ///
    /// # Errors
    /// See [`Unparsed`].
    pub fn parse(
        &self,
        project: &Project,
        work: Vec<Work<'_>>,
        write_down: bool,
        diagnostics: &mut Diagnostics,
    ) -> Result<Parsed, Unparsed> {
        let pass = Pass {
            templates: self,
            sources: &project.sources,
            own: Own::of(&self.shared),
            names: Memory::default(),
            descriptions: Memory::default(),
        };
        let (nodes, done): (Vec<Option<Node>>, Vec<_>) = work.into_par_iter().map(|work| pass.work(work, write_down)).unzip();
        let nodes: Vec<Node> = nodes.into_iter().collect::<Option<_>>().ok_or(Unparsed::Damaged)?;
        let (mut messages, mut passed) = (Vec::new(), Vec::with_capacity(done.len()));
        for (found, bytes) in done {
            messages.extend(found.messages);
            diagnostics.extend(found.problems.into_iter().map(|problem| with_the_name(problem, &project.sources)));
            passed.push(bytes);
        }
        self.shared.files.reached("templates");
        let (enabled, disabled) = split_enabled(nodes);
        diagnostics.extend(duplicate_relations(&enabled));
        let mut manifest = Manifest::new(enabled, disabled, Arc::new(project.macros.clone()), Arc::new(project.docs.clone()));
        self.link(&mut manifest, &project.sources, diagnostics);
        diagnostics.extend(self.link_unit_tests(&mut manifest, &project.sources));
        diagnostics.extend(self.check_access(&manifest, project));
        diagnostics.extend(unfiltered_batches(&manifest));
        let edges: Vec<(usize, usize)> = edges(&manifest);
        match Dag::new(manifest.nodes.len(), edges) {
            Ok(dag) => {
                manifest.dag = dag;
                self.shared.files.reached("links");
                Ok(Parsed { manifest, messages, passed })
            }
            Err(cycles) => {
                diagnostics.extend(cycles.iter().map(|cycle| cycle_diagnostic(&cycle.0, &manifest, &project.sources)));
                Err(Unparsed::Loop)
            }
        }
    }

    /// Resolves what every node reads.
    fn link(&self, manifest: &mut Manifest, sources: &Sources, diagnostics: &mut Diagnostics) {
        let linked: Vec<(Vec<UniqueId>, Vec<Diagnostic>)> =
            manifest.nodes.par_iter().map(|node| self.dependencies(node, manifest, sources)).collect();
        for (node, (depends_on, problems)) in manifest.nodes.iter_mut().zip(linked) {
            node.depends_on = depends_on;
            diagnostics.extend(problems);
        }
    }

    fn dependencies(&self, node: &Node, manifest: &Manifest, sources: &Sources) -> (Vec<UniqueId>, Vec<Diagnostic>) {
        let root = &self.shared.root;
        let mut depends_on = Vec::new();
        let mut problems = Vec::new();
        for call in &node.refs {
            match manifest.resolve_ref(call, &node.package, root) {
                Ok(number) => depends_on.extend(manifest.nodes.get(number).map(|read| read.id.clone())),
                Err(why) => problems.push(self.unresolved_ref(node, call, &why, manifest, sources)),
            }
        }
        for call in &node.source_calls {
            match manifest.resolve_source(call, &node.package, root) {
                Ok(number) => depends_on.extend(manifest.nodes.get(number).map(|read| read.id.clone())),
                Err(why) => problems.push(self.unresolved_source(node, call, &why, manifest, sources)),
            }
        }
        depends_on.sort();
        depends_on.dedup();
        (depends_on, problems)
    }

    fn unresolved_ref(&self, node: &Node, call: &RefCall, why: &Unresolved, manifest: &Manifest, sources: &Sources) -> Diagnostic {
        let arguments: Vec<&str> = call.package.iter().chain([&call.name]).map(String::as_str).collect();
        let problem = match why {
            Unresolved::Unknown => self.unknown_ref(call, manifest),
            Unresolved::Disabled(id) => disabled(id),
            Unresolved::Ambiguous(ids) => {
                Diagnostic::new(&codes::AMBIGUOUS_REF, format!("several packages define '{}': {}", call.name, ids.join(", ")))
                    .help(format!("name the package: ref('package', '{}')", call.name))
            }
        };
        at_call(&self.shared, problem, node, "ref", &arguments, &call.via, sources)
    }

    /// Says what is unknown of a reference: its package, its name, or its version.
    fn unknown_ref(&self, call: &RefCall, manifest: &Manifest) -> Diagnostic {
        let unknown = |message: String| Diagnostic::new(&codes::UNKNOWN_REF, message);
        if call.name.is_empty() {
            return unknown("this ref() names nothing".to_owned())
                .help("put the name in quotes, ref('name'): without them it is a variable");
        }
        let packages = || self.shared.packages.iter().map(|package| &*package.name);
        if let Some(package) = call.package.as_deref().filter(|name| packages().all(|known| known != *name)) {
            return unknown(format!("there is no package '{package}'")).did_you_mean(package, packages());
        }
        let is_meant = |node: &&Node| call.package.as_deref().is_none_or(|package| package == &*node.package);
        let named: Vec<&Node> = manifest.refable_nodes(&call.name).filter(is_meant).collect();
        if let (Some(version), Some(first)) = (&call.version, named.first()) {
            let message = format!("the {} '{}' has no version '{version}'", first.resource, call.name);
            let versions: Vec<&str> = named.iter().filter_map(|node| version_of(node)).collect();
            return unknown(message).help(match versions.as_slice() {
                [] => "it has no versions: leave 'v' out".to_owned(),
                versions => format!("the versions are: {}", versions.join(", ")),
            });
        }
        match call.package.as_deref() {
            Some(package) => unknown(format!("no model, seed or snapshot of the package '{package}' is called '{}'", call.name)),
            None => unknown(format!("no model, seed or snapshot is called '{}'", call.name)),
        }
        .did_you_mean(&call.name, manifest.refable_names().into_iter().filter(|name| *name != call.name))
    }

    fn unresolved_source(&self, node: &Node, call: &SourceCall, why: &Unresolved, manifest: &Manifest, sources: &Sources) -> Diagnostic {
        let problem = match why {
            Unresolved::Unknown => unknown_source(call, manifest),
            Unresolved::Disabled(id) => disabled(id),
            Unresolved::Ambiguous(ids) => {
                Diagnostic::new(&codes::AMBIGUOUS_REF, format!("several packages declare it: {}", ids.join(", ")))
            }
        };
        at_call(&self.shared, problem, node, "source", &[&call.source, &call.table], &call.via, sources)
    }
}

/// Labels the call in the node's file, and the line in the macro when the call stands in one.
pub(super) fn at_call(
    shared: &Shared,
    problem: Diagnostic,
    node: &Node,
    function: &str,
    arguments: &[&str],
    via: &[UniqueId],
    sources: &Sources,
) -> Diagnostic {
    let place = call_place(node, function, arguments, via, sources);
    let mut problem = problem.at(place);
    if let Some(innermost) = via.last()
        && let Some(origin) = shared.macro_origin(innermost)
    {
        let text = sources.text(origin.body);
        let span = find_call(text, function, arguments).map_or(origin.body, |range| origin.body.sub(range.start, range.len()));
        let name = innermost.rsplit('.').next().unwrap_or(innermost);
        problem = problem.also(span, format!("in macro '{name}'"));
    }
    problem
}

fn version_of(node: &Node) -> Option<&str> {
    match &node.detail {
        Detail::Model(model) => model.version.as_deref(),
        _ => None,
    }
}

/// Where the node's own file makes the call: the call itself, or that of the macro which makes it.
fn call_place(node: &Node, function: &str, arguments: &[&str], via: &[UniqueId], sources: &Sources) -> Span {
    let Some(body) = node.body else {
        return node.made_template().map_or_else(|| node.properties.unwrap_or(node.origin), |(_, span)| span);
    };
    let text = sources.text(body);
    let range = match via.first() {
        None => find_call(text, function, arguments).or_else(|| find_call(text, function, &[])),
        Some(outermost) => find_call(text, outermost.rsplit('.').next().unwrap_or(outermost), &[]),
    };
    if range.is_none()
        && let Some((_, place)) =
            node.constraint_targets().iter().find(|(call, _)| find_call(&format!("{{{{ {call} }}}}"), function, arguments).is_some())
    {
        return *place;
    }
    let first_line = || 0..text.find('\n').unwrap_or(text.len());
    let range = range.unwrap_or_else(first_line);
    body.sub(range.start, range.len())
}

fn disabled(id: &str) -> Diagnostic {
    Diagnostic::new(&codes::DISABLED_REF, format!("'{id}' is disabled")).help("enable it, or disable what reads it as well")
}

fn unknown_source(call: &SourceCall, manifest: &Manifest) -> Diagnostic {
    let tables: Vec<(&str, &str)> = manifest
        .nodes
        .iter()
        .filter_map(|node| match &node.detail {
            Detail::Source(table) => Some((table.source_name.as_str(), node.name.as_str())),
            _ => None,
        })
        .collect();
    if tables.iter().any(|(source, _)| *source == call.source) {
        let message = format!("source '{}' has no table '{}'", call.source, call.table);
        let names = tables.iter().filter(|(source, _)| *source == call.source).map(|(_, table)| *table);
        Diagnostic::new(&codes::UNKNOWN_SOURCE, message).did_you_mean(&call.table, names)
    } else {
        let message = format!("no source is called '{}'", call.source);
        Diagnostic::new(&codes::UNKNOWN_SOURCE, message).did_you_mean(&call.source, tables.iter().map(|(source, _)| *source))
    }
}

/// Tests of a node that is disabled are disabled with it.
fn split_enabled(mut nodes: Vec<Node>) -> (Vec<Node>, Vec<Node>) {
    let off: HashSet<UniqueId> = nodes.iter().filter(|node| !node.config.enabled()).map(|node| node.id.clone()).collect();
    // In place: the rule is that nothing is disabled.
    let is_off = |node: &mut Node| {
        let attached_off = match &node.detail {
            Detail::GenericTest(test) => off.contains(&test.attached),
            Detail::UnitTest(test) => off.contains(&test.tested),
            _ => false,
        };
        attached_off || !node.config.enabled()
    };
    let disabled = nodes.extract_if(.., is_off).collect();
    (nodes, disabled)
}

fn duplicate_relations(nodes: &[Node]) -> Vec<Diagnostic> {
    let mut seen: HashMap<String, &Node> = HashMap::new();
    let mut problems = Vec::new();
    for node in nodes {
        let builds = matches!(node.detail, Detail::Model(_) | Detail::Seed { .. } | Detail::Snapshot { .. }) && !node.is_ephemeral();
        let Some(relation) = node.relation.as_ref().filter(|_| builds) else { continue };
        match seen.entry(relation.quoted().to_lowercase()) {
            Entry::Occupied(first) => {
                let first = first.get();
                let message = format!("'{}' and '{}' would both be built as {}", first.id, node.id, relation.display());
                let problem = Diagnostic::new(&codes::DUPLICATE_RELATION, message).at(node.origin).also(first.origin, "the first one");
                problems.push(problem.help("give one of them an 'alias' or another 'schema'"));
            }
            Entry::Vacant(place) => {
                place.insert(node);
            }
        }
    }
    problems
}

fn edges(manifest: &Manifest) -> Vec<(usize, usize)> {
    let readers = manifest.nodes.par_iter().enumerate();
    readers
        .flat_map_iter(|(reader, node)| node.depends_on.iter().filter_map(|id| manifest.number(id)).map(move |read| (read, reader)))
        .collect()
}

/// One label an edge: the whole loop can be read from the places.
fn cycle_diagnostic(cycle: &[usize], manifest: &Manifest, sources: &Sources) -> Diagnostic {
    let nodes: Vec<&Node> = cycle.iter().filter_map(|number| manifest.nodes.get(*number)).collect();
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let chain = names.iter().chain(names.first()).copied().collect::<Vec<_>>().join(" → ");
    let mut problem = Diagnostic::new(&codes::CYCLE, format!("models read each other in a loop: {chain}"));
    // Each node is read by the next one, the last by the first.
    for (position, read) in nodes.iter().enumerate() {
        let Some(reader) = nodes.get((position + 1) % nodes.len()) else { continue };
        let call = reader.refs.iter().find(|call| call.name == read.name);
        let place = call.map_or(reader.origin, |call| call_place(reader, "ref", &[&call.name], &call.via, sources));
        let words = format!("'{}' reads '{}'", reader.name, read.name);
        problem = if position == 0 { problem.labelled(place, words) } else { problem.also(place, words) };
    }
    problem.help("take one of these reads out, or move what both need into a model of its own")
}
