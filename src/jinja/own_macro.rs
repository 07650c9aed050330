//! Calls of the project's own macros in the places where dbt calls its own.

use std::collections::BTreeMap;

use minijinja::Value;

use super::adapter::column;
use super::relation::RelationValue;
use super::render::{Linked, Rendered};
use super::scope::{NodeState, Stage};
use super::templates::{TemplateOrigin, Templates};
use super::values::{Dict, List, from_json, locked};
use crate::base::{Relation, RelationKind};
use crate::diag::Diagnostic;
use crate::project::Node;

/// An argument of a macro that acca calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Json(serde_json::Value),
    Relation(Relation, RelationKind),
    /// A temporary table of the session.
    Temporary(String),
    /// Names and types.
    Columns(Vec<(String, String)>),
    Dict(Vec<(String, Argument)>),
}

impl Argument {
    fn value(&self) -> Value {
        match self {
            Argument::Json(value) => from_json(value),
            Argument::Relation(relation, kind) => RelationValue::new(relation.clone(), Some(*kind)).into_value(),
            Argument::Temporary(name) => RelationValue::new(Relation::new("", "", name), Some(RelationKind::Table)).into_value(),
            Argument::Columns(columns) => List::value(columns.iter().map(|(name, data_type)| column(name, data_type))),
            Argument::Dict(entries) => Dict::value(entries.iter().map(|(name, value)| (Value::from(name.as_str()), value.value()))),
        }
    }
}

/// One call: the name of a macro, and what it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroCall {
    pub name: String,
    pub arguments: Vec<Argument>,
}

impl Templates {
    /// Whether the project has a macro in the place of dbt's, or a variant that comes before dbt's.
    pub fn is_overridden(&self, name: &str, package: &str) -> bool {
        self.shared.is_overridden(name, package)
    }

    /// Whether a template of the package can call a macro of that name.
    pub fn has_macro(&self, name: &str, package: &str) -> bool {
        self.shared.find_macro(name, package).is_some()
    }

    /// What a macro gives for a node.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn call(&self, call: &MacroCall, node: &Node, state: NodeState, linked: &Linked) -> Result<Rendered, Diagnostic> {
        let names: Vec<String> = (0..call.arguments.len()).map(|at| format!("__argument_{at}")).collect();
        let extra: BTreeMap<String, Value> = names.iter().cloned().zip(call.arguments.iter().map(Argument::value)).collect();
        let stage = Stage::Execute { manifest: linked.manifest.clone(), state, warehouse: linked.warehouse.clone() };
        let scope = self.scope(std::sync::Arc::new(node.clone()), stage, extra);
        let text = format!("{{{{ {}({}) }}}}", call.name, names.join(", "));
        let (sql, map) = self.run_text(&scope, TemplateOrigin::synthetic(node.origin, &text))?;
        let mut facts = locked(&scope.facts);
        let messages = std::mem::take(&mut facts.messages);
        Ok(Rendered { sql, map, ephemerals: Vec::new(), macros: facts.macros.iter().cloned().collect(), messages })
    }
}
