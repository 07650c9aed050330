//! Calls of the project's own macros in the places where dbt calls its own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::adapter::column;
use super::known::DescribedNode;
use super::relation::RelationValue;
use super::render::{Linked, Rendered};
use super::scope::NodeState;
use super::templates::{TemplateOrigin, Templates};
use super::values::{Dict, List, from_json, locked};
use crate::base::{Relation, RelationKind, Span};
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
    List(Vec<Argument>),
    /// As the variable `model` of its own templates.
    Node(NodeArgument),
    /// What came of a node.
    Result(Vec<(String, Argument)>),
}

/// A node as an argument; its id tells it from others.
#[derive(Clone, Debug)]
pub struct NodeArgument(pub Arc<Node>);

impl PartialEq for NodeArgument {
    fn eq(&self, other: &NodeArgument) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for NodeArgument {}

impl Argument {
    fn value(&self) -> Value {
        match self {
            Argument::Json(value) => from_json(value),
            Argument::Relation(relation, kind) => RelationValue::new(relation.clone(), Some(*kind)).into_value(),
            Argument::Temporary(name) => RelationValue::new(Relation::new("", "", name), Some(RelationKind::Table)).into_value(),
            Argument::Columns(columns) => List::value(columns.iter().map(|(name, data_type)| column(name, data_type))),
            Argument::Dict(entries) => Dict::value(values_of(entries)),
            Argument::List(items) => List::value(items.iter().map(Argument::value)),
            Argument::Node(node) => DescribedNode::value(node.0.clone()).0,
            Argument::Result(entries) => Value::from_object(ResultValue(Dict::value(values_of(entries)))),
        }
    }
}

fn values_of(entries: &[(String, Argument)]) -> Vec<(Value, Value)> {
    entries.iter().map(|(name, value)| (Value::from(name.as_str()), value.value())).collect()
}

/// dbt's result of a node: its parts, and all of them as a dictionary.
struct ResultValue(Value);

impl fmt::Debug for ResultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Object for ResultValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get_item(key).ok().filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.try_iter().map(Iterator::collect).unwrap_or_default())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if method == "to_dict" { Ok(self.0.clone()) } else { self.0.call_method(state, method, args) }
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

    /// As [`Templates::render_text`], with more names that the text can use.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn render_with(
        &self,
        text: &str,
        span: Span,
        node: &Node,
        state: NodeState,
        linked: &Linked,
        known: &[(String, Argument)],
    ) -> Result<Rendered, Diagnostic> {
        let extra = known.iter().map(|(name, value)| (name.clone(), value.value())).collect();
        self.render_template(node, TemplateOrigin::synthetic(span, text), state, linked, extra)
    }

    /// What a macro gives for a node.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn call(&self, call: &MacroCall, node: &Node, state: NodeState, linked: &Linked) -> Result<Rendered, Diagnostic> {
        let names: Vec<String> = (0..call.arguments.len()).map(|at| format!("__argument_{at}")).collect();
        let extra: BTreeMap<String, Value> = names.iter().cloned().zip(call.arguments.iter().map(Argument::value)).collect();
        let stage = linked.stage(state);
        let scope = self.scope(Arc::new(node.clone()), stage, extra);
        let text = format!("{{{{ {}({}) }}}}", call.name, names.join(", "));
        let (sql, map) = self.run_text(&scope, TemplateOrigin::synthetic(node.origin, &text))?;
        let mut facts = locked(&scope.facts);
        let messages = std::mem::take(&mut facts.messages);
        Ok(Rendered { sql, map, ephemerals: Vec::new(), macros: facts.macros.iter().cloned().collect(), messages, momentary: false })
    }
}
