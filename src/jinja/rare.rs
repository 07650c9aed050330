//! Names of dbt's context that few templates use: what is deprecated there, and what acca refuses with the reason.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, State, Value};

use super::adapter::column_class;
use super::failure::{raise, raise_with};
use super::functions::{store_response, target_value};
use super::python::{bind, printed};
use super::scope::Scope;
use super::values::Dict;
use crate::diag::codes;

/// Names that [`lookup`] knows.
pub(super) const NAMES: [&str; 13] = [
    "adapter_macro",
    "column",
    "compiled_code",
    "defer_relation",
    "env",
    "function",
    "load_agate_table",
    "metric",
    "sql",
    "sql_now",
    "store_raw_result",
    "submit_python_job",
    "write",
];

pub(super) fn lookup(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    let function = |name: &'static str| Some(Value::from_object(Rare { name, scope: scope.clone() }));
    match name {
        "column" => Some(column_class()),
        "env" => Some(target_value(scope)),
        "sql_now" => Some(Value::from("now()")),
        // A materialization has them; elsewhere nothing is compiled yet.
        "compiled_code" | "defer_relation" | "sql" => Some(Value::from(())),
        "adapter_macro" => function("adapter_macro"),
        "function" => function("function"),
        "load_agate_table" => function("load_agate_table"),
        "metric" => function("metric"),
        "store_raw_result" => function("store_raw_result"),
        "submit_python_job" => function("submit_python_job"),
        "write" => function("write"),
        _ => None,
    }
}

struct Rare {
    name: &'static str,
    scope: Arc<Scope>,
}

impl fmt::Debug for Rare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<function {}>", self.name)
    }
}

impl Object for Rare {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let scope = &self.scope;
        let said = || args.first().map(printed).unwrap_or_default();
        match self.name {
            "store_raw_result" => {
                let [name, message, code, rows, table] =
                    bind(self.name, args, ["name", "message", "code", "rows_affected", "agate_table"], 1)?;
                let response = [("_message", message), ("code", code), ("rows_affected", rows)];
                let response = Dict::value(response.map(|(key, value)| (Value::from(key), value.unwrap_or(Value::from(())))));
                store_response(scope, &name.map(|name| name.to_string()).unwrap_or_default(), response, table.unwrap_or(Value::from(())));
                Ok(Value::from(""))
            }
            // What dbt writes there, acca writes by itself.
            "write" => Ok(Value::from("")),
            "adapter_macro" => {
                let message = format!("'adapter_macro' is gone from dbt; '{}' is asked for", said());
                Err(raise_with(&codes::UNKNOWN_MACRO, message, vec!["write adapter.dispatch('name', 'package')(…)".to_owned()]))
            }
            "function" => {
                let message = format!("functions of the database are not made here, so none is called '{}'", said());
                Err(raise_with(&codes::UNKNOWN_REF, message, vec!["call it by its name, and make it in an 'on-run-start' hook".to_owned()]))
            }
            "metric" => Err(raise(&codes::UNKNOWN_REF, format!("there are no metrics here, so none is called '{}'", said()))),
            name => {
                let message = format!("'{name}' is for materializations of dbt: acca loads seeds itself and runs no Python");
                Err(raise(&codes::JINJA_ERROR, message))
            }
        }
    }
}
