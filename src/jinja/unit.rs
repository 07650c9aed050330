//! Renders a model for a unit test: what it reads are fixtures, and macros and variables say what the test wants.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, State, Value};

use super::failure::raise_with;
use super::relation::RelationValue;
use super::render::{Linked, Rendered, template_of};
use super::scope::{NodeState, Scope, Stage};
use super::templates::Templates;
use super::values::from_json;
use crate::base::{Sources, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::project::{Node, UnitOverrides};

/// What a model gets instead of what it asks for, while a unit test renders it.
#[derive(Clone, Debug, Default)]
pub struct UnitScope {
    /// For error messages.
    pub test: String,
    /// The names of the common table expressions that stand for what it reads.
    pub inputs: BTreeMap<UniqueId, String>,
    /// The one that stands for the model itself.
    pub this: Option<String>,
    pub overrides: UnitOverrides,
}

impl UnitScope {
    /// The fixture that stands for a node.
    pub(super) fn fixture(&self, node: &Node) -> Result<Value, Error> {
        match self.inputs.get(&node.id) {
            Some(name) => Ok(RelationValue::cte(name).into_value()),
            None => {
                let message = format!("the unit test '{}' has no input for '{}', which its model reads", self.test, node.name);
                let help = "add an input for it under 'given:', with 'rows: []' where none are wanted".to_owned();
                Err(raise_with(&codes::INVALID_UNIT_TEST, message, vec![help]))
            }
        }
    }
}

impl Templates {
    /// Renders the model of a unit test.
    ///
    /// # Errors
    /// As [`Templates::render`]; also when the model reads what the test has no input for.
    pub fn render_unit(&self, sources: &Sources, model: &Node, unit: UnitScope, linked: &Linked) -> Result<Rendered, Diagnostic> {
        let Some(origin) = template_of(model, sources) else { return Ok(Rendered::default()) };
        let mut extra = overridden(&unit.overrides);
        if let Some(name) = &unit.this {
            extra.insert("this".to_owned(), RelationValue::cte(name).into_value());
        }
        let mut stage = linked.stage_of_query(model, NodeState::default());
        if let Stage::Execute { unit: inner, .. } = &mut stage {
            *inner = Some(Arc::new(unit));
        }
        self.render_in(model, origin, stage, extra)
    }
}

/// Macros that give what the test says. Those of a package are asked for where a template goes into the package.
fn overridden(overrides: &UnitOverrides) -> BTreeMap<String, Value> {
    let plain = overrides.macros.iter().filter(|(name, _)| !name.contains('.'));
    plain.map(|(name, value)| (name.clone(), Value::from_object(Constant(from_json(value))))).collect()
}

/// A macro that always gives the same.
struct Constant(Value);

impl fmt::Debug for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<macro of a unit test>")
    }
}

impl Object for Constant {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
        Ok(self.0.clone())
    }
}

impl Scope {
    /// What a unit test says instead.
    pub(super) fn unit(&self) -> Option<&UnitScope> {
        match &self.stage {
            Stage::Execute { unit, .. } => unit.as_deref(),
            Stage::Parse => None,
        }
    }

    /// A macro of a package that a unit test has overridden.
    pub(super) fn unit_macro(&self, package: &str, name: &str) -> Option<Value> {
        let value = self.unit()?.overrides.macros.get(&format!("{package}.{name}"))?;
        Some(Value::from_object(Constant(from_json(value))))
    }

    pub(super) fn unit_var(&self, name: &str) -> Option<serde_json::Value> {
        self.unit()?.overrides.vars.get(name).cloned()
    }

    pub(super) fn unit_env_var(&self, name: &str) -> Option<String> {
        let value = self.unit()?.overrides.env_vars.get(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}
