//! What the joins and filters of the graph ask of distribution and sort keys: few recommendations, each of which many readers bear out.

use std::collections::{BTreeMap, BTreeSet};

use super::physical::{Physical, StorageFeatures};
use crate::analysis::{Analysis, Compilation, EdgeKind};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};
use crate::project::{Detail, Node};

/// Readers that have to ask for the same.
const FEWEST_READERS: usize = 2;

/// Views through which a column is followed.
const DEEPEST: usize = 20;

/// A table and a column of it.
type Place = (usize, String);
type Readers = BTreeSet<usize>;

struct Advisor<'a> {
    compilation: &'a Compilation,
    analysis: &'a Analysis,
}

/// Recommendations for the tables of a project, by `key-advice`. Nothing is said unless the target is `columnar` or some table has a key.
/// `analysis`: of all nodes.
pub fn key_advice(compilation: &Compilation, analysis: &Analysis, columnar: bool) -> Vec<Diagnostic> {
    if !advises(compilation, columnar) {
        return Vec::new();
    }
    let advisor = Advisor { compilation, analysis };
    let (joined, filtered) = advisor.read();
    let nodes = compilation.manifest.nodes.iter().enumerate();
    let advice = nodes.filter(|(_, node)| is_kept(node)).flat_map(|(number, node)| {
        let spread = advisor.distribution(number, node, &joined);
        let sorted = advisor.sort(number, node, &filtered);
        spread.into_iter().chain(sorted)
    });
    compilation.weighed(advice.collect())
}

/// Whether anybody wants to hear of keys.
pub fn advises(compilation: &Compilation, columnar: bool) -> bool {
    let has_key = |node: &Node| ["dist", "sort"].iter().any(|key| node.stored(key).is_some());
    columnar || compilation.manifest.nodes.iter().any(has_key)
}

/// What the words about storage say that cannot be so, as far as it is known without a connection: of engines that have these features.
pub fn check_design(compilation: &Compilation, analysis: &Analysis, has: StorageFeatures) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (number, node) in compilation.manifest.nodes.iter().enumerate().filter(|(_, node)| is_kept(node)) {
        match Physical::of(node, has) {
            Err(problem) => problems.push(problem),
            Ok(physical) => problems.extend(unknown_columns(node, number, &physical, analysis)),
        }
    }
    compilation.weighed(problems)
}

/// Keys that are no columns of the table.
fn unknown_columns(node: &Node, number: usize, physical: &Physical, analysis: &Analysis) -> Vec<Diagnostic> {
    let Some(schema) = analysis.nodes.get(&number).map(|found| &found.schema).filter(|schema| !schema.open) else { return Vec::new() };
    let named = physical.named_columns();
    let names = || schema.columns.iter().map(|column| column.name.as_str());
    let is_unknown = |name: &str| !names().any(|held| held.eq_ignore_ascii_case(name.trim_matches('"')));
    let unknown = named.into_iter().filter(|(_, name)| is_unknown(name));
    let told = unknown.map(|(key, name)| {
        let message = format!("'{key}' of '{}' names '{name}', which is no column of it", node.name);
        Diagnostic::new(&codes::INVALID_CONFIG, message).at(node.stored_at(key)).did_you_mean(&name, names())
    });
    told.collect()
}

/// Whether its rows are kept in a table of which the project can say how.
fn is_kept(node: &Node) -> bool {
    match node.detail {
        Detail::Model(_) => matches!(node.materialized(), "table" | "incremental"),
        Detail::Snapshot { .. } | Detail::Seed { .. } => true,
        _ => false,
    }
}

impl Advisor<'_> {
    fn node(&self, number: usize) -> Option<&Node> {
        self.compilation.manifest.nodes.get(number)
    }

    /// For each column of a table that meets one of the same name of another table in a join: the other table, with the readers; and for each
    /// column that decides which rows there are, its readers.
    fn read(&self) -> (BTreeMap<Place, BTreeMap<usize, Readers>>, BTreeMap<Place, Readers>) {
        let mut joined: BTreeMap<Place, BTreeMap<usize, Readers>> = BTreeMap::new();
        let mut filtered: BTreeMap<Place, Readers> = BTreeMap::new();
        for (reader, found) in &self.analysis.nodes {
            if !self.node(*reader).is_some_and(|node| matches!(node.detail, Detail::Model(_) | Detail::Snapshot { .. } | Detail::Analysis))
            {
                continue;
            }
            let asked: BTreeSet<(EdgeKind, usize, &str)> =
                found.edges.iter().map(|edge| (edge.kind, edge.from, &*edge.from_column)).collect();
            let mut in_joins: BTreeSet<Place> = BTreeSet::new();
            for (kind, from, column) in asked {
                let place = || self.kept_in(from, column);
                match kind {
                    EdgeKind::Join => in_joins.extend(place()),
                    EdgeKind::Filter => {
                        if let Some(place) = place() {
                            filtered.entry(place).or_default().insert(*reader);
                        }
                    }
                    _ => {}
                }
            }
            for (table, column) in &in_joins {
                for (other, _) in in_joins.iter().filter(|(other, same)| other != table && same == column) {
                    joined.entry((*table, column.clone())).or_default().entry(*other).or_default().insert(*reader);
                }
            }
        }
        (joined, filtered)
    }

    /// The table in which a column is kept, through views that hand it on unchanged.
    fn kept_in(&self, from: usize, column: &str) -> Option<Place> {
        let mut place = (from, column.to_lowercase());
        for _ in 0..DEEPEST {
            let node = self.node(place.0)?;
            if is_kept(node) {
                return Some(place);
            }
            let edges = &self.analysis.nodes.get(&place.0)?.edges;
            let mut values = edges.iter().filter(|edge| edge.kind == EdgeKind::Value && edge.column.eq_ignore_ascii_case(&place.1));
            let (Some(only), None) = (values.next(), values.next()) else { return None };
            place = (only.from, only.from_column.to_lowercase());
        }
        None
    }

    /// The column by which most readers join a table to tables that are not copied to every node, with those tables and readers.
    fn wanted_key<'j>(
        &self,
        table: usize,
        joined: &'j BTreeMap<Place, BTreeMap<usize, Readers>>,
    ) -> Option<(&'j str, Readers, BTreeSet<usize>)> {
        let of_table = joined.iter().filter(|((held, _), _)| *held == table).map(|((_, column), others)| {
            let others = others.iter().filter(|(other, _)| self.node(**other).is_some_and(|other| !is_everywhere(other)));
            let (mut readers, mut tables) = (Readers::new(), BTreeSet::new());
            for (other, by) in others {
                readers.extend(by);
                tables.insert(*other);
            }
            (column.as_str(), readers, tables)
        });
        // Of two that are as good the first by name.
        of_table
            .min_by_key(|(column, readers, _)| (std::cmp::Reverse(readers.len()), *column))
            .filter(|(_, readers, _)| !readers.is_empty())
    }

    fn distribution(&self, table: usize, node: &Node, joined: &BTreeMap<Place, BTreeMap<usize, Readers>>) -> Option<Diagnostic> {
        if node.stored("dist").is_some() {
            return None;
        }
        let joins = |(held, _): &&Place| *held == table;
        if matches!(node.detail, Detail::Seed { .. }) {
            let readers: Readers =
                joined.iter().filter(|(place, _)| joins(place)).flat_map(|(_, others)| others.values().flatten().copied()).collect();
            let message =
                format!("the seed '{}' is joined in {}, and its few rows are not on every node", node.name, models(readers.len()));
            return (readers.len() >= FEWEST_READERS)
                .then(|| advice(node, message).help("write dist: all, so that no join moves rows of it"));
        }
        let (column, readers, others) = self.wanted_key(table, joined)?;
        if readers.len() < FEWEST_READERS {
            return None;
        }
        // What does not help both sides helps nobody.
        let agrees = |other: &&usize| {
            let Some(partner) = self.node(**other) else { return false };
            match partner.stored("dist").and_then(|dist| dist.as_str()) {
                Some(dist) => dist.eq_ignore_ascii_case(column),
                None => self.wanted_key(**other, joined).is_some_and(|(wanted, ..)| wanted == column),
            }
        };
        let partner = self.node(*others.iter().find(agrees)?)?;
        let message = format!(
            "'{}' is joined to '{}' on '{column}' in {}, and its rows are not distributed by it",
            node.name,
            partner.name,
            models(readers.len())
        );
        let help = match partner.stored("dist") {
            Some(_) => format!("write dist: {column}, as '{}' has it", partner.name),
            None => format!("write dist: {column} for both, so that rows which meet are on one node"),
        };
        Some(advice(node, message).help(help))
    }

    fn sort(&self, table: usize, node: &Node, filtered: &BTreeMap<Place, Readers>) -> Option<Diagnostic> {
        if node.stored("sort").is_some() || matches!(node.detail, Detail::Seed { .. }) {
            return None;
        }
        let schema = &self.analysis.nodes.get(&table)?.schema;
        let of_time = |name: &str| {
            let held = schema.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).and_then(|column| column.sql_type);
            held.is_some_and(|kind| matches!(kind.name(), "date" | "timestamp" | "timestamptz"))
        };
        let of_table = || filtered.iter().filter(|((held, _), _)| *held == table);
        let all: Readers = of_table().flat_map(|(_, readers)| readers.iter().copied()).collect();
        let ((_, column), readers) = of_table()
            .filter(|((_, column), _)| of_time(column))
            .min_by_key(|((_, column), readers)| (std::cmp::Reverse(readers.len()), column))?;
        if readers.len() < FEWEST_READERS || readers.len() * 2 < all.len() {
            return None;
        }
        let message = format!(
            "{} of {} that filter '{}' do so by '{column}', and its rows are not sorted by it",
            readers.len(),
            models(all.len()),
            node.name
        );
        Some(advice(node, message).help(format!("write sort: {column}, so that blocks of other times are not read")))
    }
}

/// Small tables that every node has.
fn is_everywhere(node: &Node) -> bool {
    let all = node.stored("dist").and_then(|dist| dist.as_str()).is_some_and(|dist| dist.eq_ignore_ascii_case("all"));
    all || matches!(node.detail, Detail::Seed { .. })
}

fn models(count: usize) -> String {
    if count == 1 { "1 model".to_owned() } else { format!("{count} models") }
}

fn advice(node: &Node, message: String) -> Diagnostic {
    let first_line: Option<Span> = node.body.map(|body| body.sub(0, 0));
    let place = node.config.span("materialized").or(first_line).or(node.properties).unwrap_or(node.origin);
    Diagnostic::new(&codes::KEY_ADVICE, message).at(place)
}
