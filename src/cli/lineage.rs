//! `acca lineage`: which columns a column comes from, and what comes from it.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::Exit;
use super::arguments::{LineageArguments, LineageFormat};
use super::context::Context;
use super::schema::shown_name;
use super::style::{self, paint};
use crate::analysis::{Analysis, Compilation, EdgeKind};
use crate::base::{ResourceType, Sources};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::project::Node;

/// A column of a node by its number.
type Place = (usize, String);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: Place,
    to: Place,
    kind: EdgeKind,
}

pub(super) fn cmd_lineage(context: &Context<'_>, arguments: &LineageArguments) -> Result<(), Exit> {
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let (number, column) = find_target(compilation, &arguments.place).map_err(|problem| {
        context.log.diagnostic(&problem, &Sources::default());
        Exit::Usage
    })?;
    let up = arguments.up || !arguments.down;
    let dag = &compilation.manifest.dag;
    let mut wanted = BTreeSet::from([number]);
    if arguments.down {
        wanted.extend(dag.descendants(number, arguments.depth));
    }
    wanted.retain(|number| compilation.manifest.nodes.get(*number).is_some_and(is_relation));
    let analysis = compilation.analyse(&*context.files, Some(&wanted));
    let starts = starts(compilation, &analysis, number, column.as_deref()).map_err(|problem| {
        context.log.diagnostic(&problem, &Sources::default());
        Exit::Usage
    })?;
    let all = edges(compilation, &analysis);
    // All columns of a model, and all that they come from, is more than anybody reads.
    let is_cut = arguments.depth.is_none() && column.is_none() && arguments.format == LineageFormat::Text;
    let depth = if is_cut { Some(1) } else { arguments.depth };
    let mut kept: BTreeSet<Edge> = BTreeSet::new();
    if up {
        follow(&all, &starts, depth, |edge| (&edge.to, &edge.from), &mut kept);
    }
    if arguments.down {
        follow(&all, &starts, depth, |edge| (&edge.from, &edge.to), &mut kept);
    }
    let kept: Vec<Edge> = kept.into_iter().collect();
    let printed = match arguments.format {
        LineageFormat::Json => json(compilation, &kept).to_string(),
        LineageFormat::Text => text(compilation, &kept),
        LineageFormat::Mermaid => mermaid(compilation, &kept),
        LineageFormat::Dot => dot(compilation, &kept),
    };
    context.terminal.print(&printed);
    let mut unread = Diagnostics::default();
    for found in wanted.iter().filter_map(|number| analysis.nodes.get(number)) {
        unread.extend(found.problems.iter().filter(|problem| problem.code == &codes::UNREAD_QUERY).cloned());
    }
    context.log.diagnostics(&context.judged(unread), &compilation.project.sources);
    if is_cut && goes_on(&all, &kept, up, arguments.down) {
        context.log.remark("LineageDepth", "One relation away; --depth goes further, and MODEL.COLUMN follows one column to its end");
    }
    Ok(())
}

/// Whether there is more behind what is shown.
fn goes_on(all: &[Edge], kept: &[Edge], up: bool, down: bool) -> bool {
    let ends: BTreeSet<&Place> = kept.iter().map(|edge| &edge.from).collect();
    let begins: BTreeSet<&Place> = kept.iter().map(|edge| &edge.to).collect();
    all.iter().any(|edge| up && ends.contains(&edge.to) || down && begins.contains(&edge.from) && !kept.contains(edge))
}

/// Every edge between columns of the project, for `lineage.json` beside the artefacts.
pub(super) fn whole(context: &Context<'_>, compilation: &Compilation) -> Value {
    let analysis = compilation.analyse(&*context.files, None);
    let edges: BTreeSet<Edge> = edges(compilation, &analysis).into_iter().collect();
    json(compilation, &edges.into_iter().collect::<Vec<_>>())
}

fn is_relation(node: &Node) -> bool {
    matches!(node.resource, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Source)
}

/// The node whose name (or unique id) the text is or begins with, and the rest as a column.
fn find_target(compilation: &Compilation, target: &str) -> Result<(usize, Option<String>), Diagnostic> {
    let relations = || compilation.manifest.nodes.iter().enumerate().filter(|(_, node)| is_relation(node));
    let named = |text: &str| relations().find(|(_, node)| &*node.id == text || shown_name(node) == text).map(|(number, _)| number);
    if let Some(number) = named(target) {
        return Ok((number, None));
    }
    if let Some((relation, column)) = target.rsplit_once('.')
        && let Some(number) = named(relation)
    {
        return Ok((number, Some(column.to_owned())));
    }
    let names: Vec<String> = relations().map(|(_, node)| shown_name(node)).collect();
    let wrong = target.rsplit_once('.').map_or(target, |(relation, _)| relation);
    Err(Diagnostic::new(&codes::INVALID_SELECTOR, format!("no model, seed, snapshot or source is called '{target}'"))
        .did_you_mean(wrong, names.iter().map(String::as_str)))
}

fn starts(compilation: &Compilation, analysis: &Analysis, number: usize, column: Option<&str>) -> Result<Vec<Place>, Diagnostic> {
    let schema = analysis.nodes.get(&number).map(|found| &found.schema);
    let names: Vec<&str> = schema.iter().flat_map(|schema| &schema.columns).map(|column| column.name.as_str()).collect();
    match column {
        None => Ok(names.into_iter().map(|name| (number, name.to_owned())).collect()),
        Some(wanted) => {
            let found = names.iter().find(|name| **name == wanted).or_else(|| names.iter().find(|name| name.eq_ignore_ascii_case(wanted)));
            match found {
                Some(name) => Ok(vec![(number, (*name).to_owned())]),
                None if schema.is_none_or(|schema| schema.open) => Ok(vec![(number, wanted.to_owned())]),
                None => {
                    let node = compilation.manifest.nodes.get(number).map(shown_name).unwrap_or_default();
                    let problem = Diagnostic::new(&codes::UNKNOWN_COLUMN, format!("'{node}' has no column '{wanted}'"));
                    Err(problem.did_you_mean(wanted, names))
                }
            }
        }
    }
}

/// All edges between relations that were looked at.
fn edges(compilation: &Compilation, analysis: &Analysis) -> Vec<Edge> {
    let relations = analysis.nodes.iter().filter(|(number, _)| compilation.manifest.nodes.get(**number).is_some_and(is_relation));
    let all = relations.flat_map(|(number, found)| {
        found.edges.iter().map(|edge| Edge {
            from: (edge.from, edge.from_column.clone()),
            to: (*number, edge.column.clone()),
            kind: edge.kind,
        })
    });
    all.collect()
}

/// Breadth first from the columns, at most `depth` edges.
fn follow(all: &[Edge], starts: &[Place], depth: Option<usize>, ends: impl Fn(&Edge) -> (&Place, &Place), kept: &mut BTreeSet<Edge>) {
    let mut by_end: std::collections::BTreeMap<&Place, Vec<&Edge>> = std::collections::BTreeMap::new();
    for edge in all {
        by_end.entry(ends(edge).0).or_default().push(edge);
    }
    let mut seen: BTreeSet<&Place> = starts.iter().collect();
    let mut queue: VecDeque<(&Place, usize)> = starts.iter().map(|start| (start, 0)).collect();
    while let Some((place, distance)) = queue.pop_front() {
        if depth.is_some_and(|limit| distance >= limit) {
            continue;
        }
        for edge in by_end.get(place).into_iter().flatten() {
            kept.insert((*edge).clone());
            let next = ends(edge).1;
            if seen.insert(next) {
                queue.push_back((next, distance + 1));
            }
        }
    }
}

fn id(compilation: &Compilation, place: &Place) -> String {
    compilation.manifest.nodes.get(place.0).map(|node| node.id.to_string()).unwrap_or_default()
}

fn shown(compilation: &Compilation, place: &Place) -> String {
    format!("{}.{}", compilation.manifest.nodes.get(place.0).map(shown_name).unwrap_or_default(), place.1)
}

fn json(compilation: &Compilation, edges: &[Edge]) -> Value {
    let edges: Vec<Value> = edges
        .iter()
        .map(|edge| {
            json!({
                "from": {"node": id(compilation, &edge.from), "column": edge.from.1},
                "to": {"node": id(compilation, &edge.to), "column": edge.to.1},
                "kind": edge.kind.as_str(),
            })
        })
        .collect();
    json!({"edges": edges})
}

/// Each column with what it comes from, values first. What decides about the rows of a relation is said once for all its columns.
fn text(compilation: &Compilation, edges: &[Edge]) -> String {
    let line = |edge: &Edge| {
        let line = format!("  <- {} ({})", shown(compilation, &edge.from), edge.kind.as_str());
        if edge.kind.is_direct() { line } else { paint(style::DIM, &line) }
    };
    let mut lines = Vec::new();
    let nodes: BTreeSet<usize> = edges.iter().map(|edge| edge.to.0).collect();
    for node in nodes {
        let into: Vec<&Edge> = edges.iter().filter(|edge| edge.to.0 == node).collect();
        let columns: BTreeSet<&Place> = into.iter().map(|edge| &edge.to).collect();
        let of_all = |edge: &Edge| {
            let same = |other: &&&Edge| other.from == edge.from && other.kind == edge.kind;
            columns.len() > 1
                && !matches!(edge.kind, EdgeKind::Value | EdgeKind::Condition)
                && into.iter().filter(same).count() == columns.len()
        };
        for column in &columns {
            let mut own: Vec<&Edge> = into.iter().copied().filter(|edge| edge.to == **column && !of_all(edge)).collect();
            own.sort_by_key(|edge| (edge.kind, &edge.from));
            lines.push(paint(style::BOLD, &shown(compilation, column)));
            lines.extend(own.into_iter().map(line));
        }
        let shared: Vec<&Edge> = into.iter().copied().filter(|edge| columns.first() == Some(&&edge.to) && of_all(edge)).collect();
        if !shared.is_empty() {
            let name = compilation.manifest.nodes.get(node).map(shown_name).unwrap_or_default();
            lines.push(paint(style::BOLD, &format!("{name}: all {} columns", columns.len())));
            lines.extend(shared.into_iter().map(line));
        }
    }
    if lines.is_empty() { "(no columns are read)".to_owned() } else { lines.join("\n") }
}

fn numbered<'e>(edges: &'e [Edge]) -> Vec<&'e Place> {
    let places: BTreeSet<&'e Place> = edges.iter().flat_map(|edge| [&edge.from, &edge.to]).collect();
    places.into_iter().collect()
}

fn mermaid(compilation: &Compilation, edges: &[Edge]) -> String {
    let places = numbered(edges);
    let name = |place: &Place| places.iter().position(|other| *other == place).map_or_else(String::new, |at| format!("c{at}"));
    let mut lines = vec!["flowchart LR".to_owned()];
    let label = |place: &Place| shown(compilation, place).replace('"', "#quot;");
    lines.extend(places.iter().map(|place| format!("    {}[\"{}\"]", name(place), label(place))));
    lines.extend(edges.iter().map(|edge| {
        let arrow = if edge.kind.is_direct() { "-->".to_owned() } else { format!("-. {} .->", edge.kind.as_str()) };
        format!("    {} {arrow} {}", name(&edge.from), name(&edge.to))
    }));
    lines.join("\n")
}

fn dot(compilation: &Compilation, edges: &[Edge]) -> String {
    let quoted = |place: &Place| format!("\"{}\"", shown(compilation, place).replace('\\', "\\\\").replace('"', "\\\""));
    let mut lines = vec!["digraph lineage {".to_owned(), "    rankdir=LR;".to_owned()];
    lines.extend(edges.iter().map(|edge| {
        let attributes = if edge.kind.is_direct() { String::new() } else { format!(" [style=dashed, label=\"{}\"]", edge.kind.as_str()) };
        format!("    {} -> {}{attributes};", quoted(&edge.from), quoted(&edge.to))
    }));
    lines.push("}".to_owned());
    lines.join("\n")
}
