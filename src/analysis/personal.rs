//! Personal data in reports: a value with the label `personal`, or with another that `acca.yml` forbids, may not reach a relation that
//! is a report.

use std::collections::BTreeSet;

use super::columns::{Analysis, ColumnEdge};
use super::facts::{RelationSchema, SchemaColumn};
use super::meaning::{Places, texts};
use super::units::Declarations;
use crate::base::Span;
use crate::diag::{Diagnostic, codes};
use crate::project::{Column, Detail, Manifest, Node, Project};

/// The label that may never reach a report.
pub(super) const PERSONAL: &str = "personal";

/// Whether a column is declared to hold values that not everybody may see.
pub fn is_personal(column: &Column, project: &Project) -> bool {
    let forbidden = |label: &String| label == PERSONAL || project.acca.forbidden_labels.iter().any(|(other, _)| other == label);
    texts(column, "labels").iter().any(forbidden)
}

/// Numbers of the nodes that are reports: in a folder, with a tag or of a name that `acca.yml` lists, with `meta: {report: true}`, or
/// read by an exposure. What is listed and fits nothing is a doubt.
pub(super) fn reports(project: &Project, manifest: &Manifest) -> (BTreeSet<usize>, Vec<Diagnostic>) {
    let mut found = BTreeSet::new();
    for (number, node) in manifest.nodes.iter().enumerate() {
        if let Detail::Exposure(_) = &node.detail {
            found.extend(manifest.dag.parents(number));
        }
        let told = node.config.get("meta").and_then(|meta| meta.get("report"));
        if told == Some(&serde_json::Value::Bool(true)) {
            found.insert(number);
        }
    }
    let mut problems = Vec::new();
    for (wanted, span) in &project.acca.reports {
        let fitting: Vec<usize> =
            manifest.nodes.iter().enumerate().filter(|(_, node)| is_report(project, node, wanted)).map(|(number, _)| number).collect();
        if fitting.is_empty() {
            let message = format!("no model is a report by '{wanted}'");
            problems.push(Diagnostic::new(&codes::NOTHING_SELECTED, message).at(*span).help("name a folder, a model, or 'tag:' and a tag"));
        }
        found.extend(fitting);
    }
    (found, problems)
}

/// The queries that stand between personal data and the reports, the reports themselves whatever they read; none when no column is
/// declared to hold personal data.
pub(super) fn guarded(manifest: &Manifest, reports: &BTreeSet<usize>, declarations: &Declarations) -> BTreeSet<usize> {
    let is_personal =
        |node: &Node| node.columns.iter().flat_map(|column| texts(column, "labels")).any(|label| declarations.is_forbidden(&label));
    let personal: BTreeSet<usize> =
        manifest.nodes.iter().enumerate().filter(|(_, node)| is_personal(node)).map(|(number, _)| number).collect();
    if personal.is_empty() {
        return personal;
    }
    let readers = manifest.dag.descendants_of(&personal, None);
    let between = manifest.dag.ancestors_of(reports, None).into_iter().filter(|number| readers.contains(number));
    between.chain(reports.iter().copied()).collect()
}

fn is_report(project: &Project, node: &Node, wanted: &str) -> bool {
    if !matches!(node.detail, Detail::Model(_) | Detail::Snapshot { .. }) {
        return false;
    }
    if let Some(tag) = wanted.strip_prefix("tag:") {
        return node.tags().iter().any(|held| held == tag);
    }
    let path = &project.sources.file(node.origin.file).path;
    let folder = wanted.trim_end_matches('/');
    node.name == wanted || &**path == wanted || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// What a report shows that it may not, one error for each column.
pub(super) fn personal_data(
    node: &Node,
    schema: &RelationSchema,
    edges: &[ColumnEdge],
    places: Places<'_>,
    (manifest, declarations): (&Manifest, &Declarations),
    done: &Analysis,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut forbidden: Vec<(&SchemaColumn, &str)> = Vec::new();
    for column in &schema.columns {
        forbidden.extend(column.labels.iter().find(|label| declarations.is_forbidden(label)).map(|label| (column, &**label)));
    }
    for (column, label) in forbidden {
        let personal = |labels: &[std::sync::Arc<str>]| labels.iter().any(|held| **held == *label);
        let mut path = vec![format!("{}.{}", node.name, column.name)];
        let mut source: Option<Span> = None;
        let mut here = edges;
        let mut name = column.name.as_str();
        while let Some((from, edge)) = here.iter().filter(|edge| edge.kind.is_direct() && edge.column == name).find_map(|edge| {
            let held = done.nodes.get(&edge.from)?;
            let from = held.schema.columns.iter().find(|column| column.name == edge.from_column)?;
            personal(&from.labels).then_some((held, edge))
        }) {
            let Some(read) = manifest.nodes.get(edge.from) else { break };
            path.push(format!("{}.{}", read_name(read), edge.from_column));
            let told = read.columns.iter().find(|told| told.name.eq_ignore_ascii_case(&edge.from_column));
            source = told.filter(|told| told.meta.contains_key("labels")).and_then(|told| told.span).or(source);
            here = &from.edges;
            name = &edge.from_column;
            if path.len() > manifest.nodes.len() {
                break;
            }
        }
        path.reverse();
        let what = if label == PERSONAL { "personal data".to_owned() } else { format!("data of the label '{label}'") };
        let message = format!("column '{}' of the report '{}' holds {what}", column.name, node.name);
        let declared = node.columns.iter().find(|told| told.name.eq_ignore_ascii_case(&column.name)).and_then(|told| told.span);
        let place = places(&column.name).or(declared).or(node.body).unwrap_or(node.origin);
        let mut problem = Diagnostic::new(&codes::PERSONAL_DATA_IN_REPORT, message).at(place);
        if let Some(source) = source {
            problem = problem.also(source, "the data comes from here");
        }
        let problem = problem.note(format!("its way: {}", path.join(" -> ")));
        problems.push(problem.help("leave it out, count it, or put it through a macro that acca.yml lists under 'anonymising'"));
    }
    problems
}

fn read_name(node: &Node) -> String {
    match &node.detail {
        Detail::Source(source) => format!("{}.{}", source.source_name, node.name),
        _ => node.name.clone(),
    }
}
