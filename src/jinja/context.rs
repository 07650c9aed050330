//! What a run says about itself and its project to templates: `flags`, `graph`, `invocation_args_dict`, `run_started_at`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::describe::{describe_group, describe_in};
use super::failure::{raise, raise_with};
use super::flags::Flags;
use super::functions::say;
use super::python::datetime::{DateTimeValue, Zone};
use super::python::{bind, printed};
use super::scope::Scope;
use super::templates::Shared;
use super::values::{Dict, List, from_json, split_args};
use crate::base::ResourceType;
use crate::diag::{codes, nearest};
use crate::project::{Group, Node};

/// Names that [`lookup`] knows.
pub(super) const NAMES: [&str; 10] = [
    "dbt_metadata_envs",
    "exceptions",
    "flags",
    "graph",
    "invocation_args_dict",
    "run_started_at",
    "selected_resources",
    "thread_id",
    "try_or_compiler_error",
    "validation",
];

pub(super) fn lookup(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    Some(match name {
        "flags" => Flags::of(scope),
        "graph" => graph(scope),
        "invocation_args_dict" => super::flags::arguments(scope),
        "run_started_at" => started_at(scope),
        "dbt_metadata_envs" => metadata_envs(scope),
        "selected_resources" => List::value(scope.reading().into_iter().flat_map(|reading| &reading.selected).map(|id| Value::from(&**id))),
        "thread_id" => Value::from(if scope.executing() { "Thread-1" } else { "MainThread" }),
        "exceptions" => Value::from_object(Exceptions { scope: scope.clone() }),
        "validation" => Dict::value([(Value::from("any"), Value::from_object(Anything))]),
        "try_or_compiler_error" => Value::from_object(TryOrError),
        _ => return super::rare::lookup(scope, name),
    })
}

/// What the environment says under `DBT_ENV_CUSTOM_ENV_`, by the names after it.
fn metadata_envs(scope: &Scope) -> Value {
    let named = &scope.shared.invocation.metadata_envs;
    Dict::value(named.iter().map(|(name, value)| (Value::from(name.as_str()), Value::from(value.as_str()))))
}

/// A moment of UTC; the text itself when it cannot be read.
fn started_at(scope: &Scope) -> Value {
    let text = scope.shared.invocation.started_at.as_str();
    match text.parse::<jiff::Timestamp>() {
        Ok(instant) => DateTimeValue::at(instant, &Zone::utc()).into_value(),
        Err(_) => Value::from(text),
    }
}

/// The linked project as dictionaries; empty while it is parsed, as in dbt.
fn graph(scope: &Arc<Scope>) -> Value {
    let shared = &scope.shared;
    let Some(manifest) = scope.manifest() else { return parts(shared, &[], &[]) };
    shared.graph.get_or_init(|| parts(shared, &manifest.nodes, &shared.groups)).clone()
}

fn parts(shared: &Shared, nodes: &[Node], groups: &[Group]) -> Value {
    let of = |chosen: fn(ResourceType) -> bool| {
        let chosen = nodes.iter().filter(|node| chosen(node.resource));
        Dict::value(chosen.map(|node| (Value::from(&*node.id), from_json(&describe_in(shared, node)))))
    };
    let groups = Dict::value(groups.iter().map(|group| (Value::from(group.id()), from_json(&describe_group(shared, group)))));
    let parts = [
        ("exposures", of(|kind| kind == ResourceType::Exposure)),
        ("functions", of(|_| false)),
        ("groups", groups),
        ("metrics", of(|_| false)),
        // Unit tests are in none of them, as in dbt.
        ("nodes", of(|kind| !matches!(kind, ResourceType::Source | ResourceType::Exposure | ResourceType::UnitTest))),
        ("saved_queries", of(|_| false)),
        ("semantic_models", of(|_| false)),
        ("sources", of(|kind| kind == ResourceType::Source)),
    ];
    Dict::value(parts.map(|(name, part)| (Value::from(name), part)))
}

/// `validation.any[…]`: a type that a configuration value must have. Types are not checked.
#[derive(Debug)]
struct Anything;

impl Object for Anything {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, _types: &Value) -> Option<Value> {
        Some(Value::from_dyn_object(self.clone()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        Ok(args.first().cloned().unwrap_or_default())
    }
}

/// `try_or_compiler_error(message, function, …)`
#[derive(Debug)]
struct TryOrError;

impl Object for TryOrError {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let [message, function, rest @ ..] = args else {
            return Err(raise(&codes::WRONG_ARGUMENTS, "try_or_compiler_error() takes a message and a function"));
        };
        function.call(state, rest).map_err(|_| raise(&codes::RAISED, message.to_string()))
    }
}

/// `exceptions.raise_compiler_error(…)` and its kin.
struct Exceptions {
    scope: Arc<Scope>,
}

const EXCEPTIONS: &[&str] = &[
    "column_type_missing",
    "missing_config",
    "missing_materialization",
    "missing_relation",
    "raise_ambiguous_alias",
    "raise_ambiguous_catalog_match",
    "raise_cache_inconsistent",
    "raise_compiler_error",
    "raise_contract_error",
    "raise_database_error",
    "raise_dataclass_not_dict",
    "raise_dep_not_found",
    "raise_dependency_error",
    "raise_duplicate_alias",
    "raise_duplicate_patch_name",
    "raise_duplicate_resource_name",
    "raise_fail_fast_error",
    "raise_invalid_property_yml_version",
    "raise_not_implemented",
    "raise_parsing_error",
    "raise_unrecognized_credentials_type",
    "relation_wrong_type",
    "warn",
    "warn_once",
];

impl fmt::Debug for Exceptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<exceptions>")
    }
}

impl Object for Exceptions {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let said = |at: usize| split_args(args).0.get(at).map(printed).unwrap_or_default();
        let name = &self.scope.node.name;
        let message = match method {
            "warn" | "warn_once" => {
                let [message, _] = bind(method, args, ["msg", "node"], 1)?;
                return Ok(say(&self.scope, true, &message.unwrap_or_default()));
            }
            "missing_config" => format!("'{name}' needs the configuration key '{}'", said(1)),
            "missing_materialization" => format!("no materialization of that kind serves '{name}'"),
            "missing_relation" => format!("the relation {} does not exist", said(0)),
            "relation_wrong_type" => format!("{} was to be a {}, but is something else", said(0), said(1)),
            "column_type_missing" => format!("the contract of '{name}' lacks the types of columns: {}", said(0)),
            "raise_contract_error" => format!("the columns of '{name}' are not those of its contract"),
            _ if EXCEPTIONS.contains(&method) => {
                let (positional, named) = split_args(args);
                let given = named.iter().find(|(key, _)| matches!(key.as_str(), Some("msg" | "message"))).map(|(_, message)| message);
                positional.first().or(given).map(printed).unwrap_or_default()
            }
            _ => {
                let help = nearest(method, EXCEPTIONS.iter().copied()).map(|near| format!("did you mean '{near}'?"));
                let message = format!("'exceptions' has no function '{method}'");
                return Err(raise_with(&codes::UNKNOWN_MACRO, message, help.into_iter().collect()));
            }
        };
        Err(raise(&codes::RAISED, message))
    }
}
