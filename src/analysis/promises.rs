//! What tests, constraints and macros of the project promise of the data, beyond what queries say.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::compilation::Compilation;
use crate::base::{Digest, digest};
use crate::project::{Detail, GenericTest, Manifest, Node};

/// Columns that are never null, columns that identify a row, functions that the project makes. Looked up when they are asked for: after an
/// edit hardly any node asks.
#[derive(Debug, Default)]
pub(super) struct Promises {
    manifest: Arc<Manifest>,
    /// By number.
    nodes: Vec<OnceLock<Promised>>,
    functions: OnceLock<BTreeSet<String>>,
}

/// What is promised of one node.
#[derive(Debug, Default, PartialEq, Eq)]
struct Promised {
    never_null: BTreeSet<String>,
    keys: Vec<Vec<String>>,
}

impl Promises {
    pub(super) fn of(manifest: &Arc<Manifest>) -> Promises {
        Promises {
            manifest: Arc::clone(manifest),
            nodes: manifest.nodes.iter().map(|_| OnceLock::new()).collect(),
            functions: OnceLock::new(),
        }
    }

    /// Whether anybody asked for a function of the project's.
    pub(super) fn functions_asked(&self) -> bool {
        self.functions.get().is_some()
    }

    /// Of the functions that the project makes.
    pub(super) fn digest_of_functions(&self, compilation: &Compilation) -> Digest {
        let functions: Vec<&str> = self.functions(compilation).iter().map(String::as_str).collect();
        digest(functions.join("\0").as_bytes())
    }

    fn promised(&self, number: usize) -> Option<&Promised> {
        let of_node = || {
            let mut promised = Promised::default();
            let node = self.manifest.nodes.get(number);
            node.into_iter().for_each(|node| promised.constrained(node));
            for reader in self.manifest.dag.children(number).into_iter().filter_map(|reader| self.manifest.nodes.get(reader)) {
                if let Detail::GenericTest(test) = &reader.detail
                    && reader.config.get("where").is_none_or(Value::is_null)
                    && node.is_some_and(|node| node.id == test.attached)
                {
                    promised.tested(test);
                }
            }
            promised
        };
        self.nodes.get(number).map(|held| held.get_or_init(of_node))
    }

    /// Whether the same is promised of a node elsewhere.
    pub(super) fn promise_the_same(&self, elsewhere: &Promises, number: usize) -> bool {
        self.promised(number) == elsewhere.promised(number)
    }

    pub(super) fn is_never_null(&self, node: usize, column: &str) -> bool {
        self.promised(node).is_some_and(|promised| promised.never_null.contains(&column.to_lowercase()))
    }

    /// Lists of columns of which no two rows have the same values.
    pub(super) fn keys(&self, node: usize) -> &[Vec<String>] {
        self.promised(node).map_or(&[], |promised| promised.keys.as_slice())
    }

    pub(super) fn has_function(&self, compilation: &Compilation, name: &str) -> bool {
        self.functions(compilation).contains(name)
    }

    fn functions(&self, compilation: &Compilation) -> &BTreeSet<String> {
        let made = || {
            let files = compilation.project.sources.iter();
            files.flat_map(|(_, file)| made_functions(&file.text)).collect()
        };
        self.functions.get_or_init(made)
    }
}

impl Promised {
    fn tested(&mut self, test: &GenericTest) {
        let column = test.column.as_deref().map(|column| column.trim_matches('"').to_lowercase());
        let columns = || {
            let list = test.arguments.get("combination_of_columns")?.as_array()?;
            list.iter().map(|column| Some(column.as_str()?.to_lowercase())).collect::<Option<Vec<String>>>()
        };
        match (test.test.as_str(), column) {
            ("not_null", Some(column)) => {
                self.never_null.insert(column);
            }
            ("unique", Some(column)) => self.keys.push(vec![column]),
            ("unique_combination_of_columns", _) => self.keys.extend(columns()),
            _ => {}
        }
    }

    fn constrained(&mut self, node: &Node) {
        let kind = |constraint: &Value| constraint.get("type").and_then(Value::as_str).map(str::to_owned);
        for column in &node.columns {
            let name = column.name.to_lowercase();
            for kind in column.constraints.iter().filter_map(kind) {
                if matches!(kind.as_str(), "not_null" | "primary_key") {
                    self.never_null.insert(name.clone());
                }
                if matches!(kind.as_str(), "unique" | "primary_key") {
                    self.keys.push(vec![name.clone()]);
                }
            }
        }
        let Detail::Model(model) = &node.detail else { return };
        for constraint in model.constraints.iter().filter(|held| matches!(kind(held).as_deref(), Some("unique" | "primary_key"))) {
            let columns = constraint.get("columns").and_then(Value::as_array).into_iter().flatten();
            let columns: Vec<String> = columns.filter_map(|column| Some(column.as_str()?.to_lowercase())).collect();
            if !columns.is_empty() {
                self.keys.push(columns);
            }
        }
    }
}

/// Names behind `function`, as in `create or replace function audit.cents(…)`.
fn made_functions(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split("function ").skip(1);
    let names = words.map(|rest| rest.split('(').next().unwrap_or_default().trim());
    names.filter_map(|name| name.rsplit('.').next()).map(|name| name.trim_matches('"').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_macros_are_found() {
        assert_eq!(made_functions("create or replace function {{ schema }}.cents(x int) returns"), ["cents"]);
        assert_eq!(made_functions("CREATE FUNCTION Pounds\n(x)"), ["pounds"]);
        assert_eq!(made_functions("Function \"audit\".\"Pounds\" (x)"), ["pounds"]);
    }
}
