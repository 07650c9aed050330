//! What a run says about itself and its project to templates: `flags`, `graph`, `invocation_args_dict`, `run_started_at`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};
use serde_json::json;

use super::failure::{raise, raise_with};
use super::functions::say;
use super::python::datetime::{DateTimeValue, Zone};
use super::python::{bind, printed};
use super::scope::Scope;
use super::values::{Dict, List, from_json, split_args};
use crate::base::ResourceType;
use crate::diag::{codes, nearest};
use crate::project::Node;

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
        "flags" => Value::from_object(Flags { scope: scope.clone() }),
        "graph" => graph(scope),
        "invocation_args_dict" => from_json(&arguments(scope)),
        "run_started_at" => started_at(scope),
        "dbt_metadata_envs" => Dict::value([]),
        "selected_resources" => List::value([]),
        "thread_id" => Value::from(if scope.executing() { "Thread-1" } else { "MainThread" }),
        "exceptions" => Value::from_object(Exceptions { scope: scope.clone() }),
        "validation" => Dict::value([(Value::from("any"), Value::from_object(Anything))]),
        "try_or_compiler_error" => Value::from_object(TryOrError),
        _ => return None,
    })
}

/// A moment of UTC; the text itself when it cannot be read.
fn started_at(scope: &Scope) -> Value {
    let text = scope.shared.invocation.started_at.as_str();
    match text.parse::<jiff::Timestamp>() {
        Ok(instant) => DateTimeValue::at(instant, &Zone::utc()).into_value(),
        Err(_) => Value::from(text),
    }
}

fn arguments(scope: &Scope) -> serde_json::Value {
    let invocation = &scope.shared.invocation;
    json!({
        "which": invocation.which,
        "full_refresh": invocation.full_refresh,
        "store_failures": invocation.store_failures,
        "target": scope.shared.target.name,
        "profile": scope.shared.target.profile,
        "threads": scope.shared.target.threads,
        "vars": scope.shared.cli_vars,
        "invocation_command": format!("acca {}", invocation.which),
    })
}

/// `flags.FULL_REFRESH` and its kin.
struct Flags {
    scope: Arc<Scope>,
}

const FLAGS: &[&str] = &[
    "CACHE_SELECTED_ONLY",
    "DEBUG",
    "DEFER",
    "EMPTY",
    "FAIL_FAST",
    "FULL_REFRESH",
    "INDIRECT_SELECTION",
    "INTROSPECT",
    "LOG_FORMAT",
    "PARTIAL_PARSE",
    "POPULATE_CACHE",
    "PRINT",
    "PRINTER_WIDTH",
    "PROFILE",
    "QUIET",
    "SEND_ANONYMOUS_USAGE_STATS",
    "STATIC_PARSER",
    "STORE_FAILURES",
    "TARGET",
    "USE_COLORS",
    "USE_EXPERIMENTAL_PARSER",
    "VARS",
    "VERSION_CHECK",
    "WARN_ERROR",
    "WHICH",
    "WRITE_JSON",
];

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<flags>")
    }
}

impl Object for Flags {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (shared, name) = (&self.scope.shared, key.as_str()?.to_ascii_uppercase());
        Some(match FLAGS.iter().find(|known| **known == name).copied()? {
            "FULL_REFRESH" => Value::from(shared.invocation.full_refresh),
            "STORE_FAILURES" => Value::from(shared.invocation.store_failures),
            "WHICH" => Value::from(shared.invocation.which.as_str()),
            "TARGET" => Value::from(shared.target.name.as_str()),
            "PROFILE" => Value::from(shared.target.profile.as_str()),
            "VARS" => from_json(&serde_json::Value::Object(shared.cli_vars.clone())),
            "INDIRECT_SELECTION" => Value::from("eager"),
            "LOG_FORMAT" => Value::from("default"),
            "PRINTER_WIDTH" => Value::from(80),
            "INTROSPECT" | "PARTIAL_PARSE" | "POPULATE_CACHE" | "PRINT" | "USE_COLORS" | "VERSION_CHECK" | "WRITE_JSON"
            | "STATIC_PARSER" => Value::from(true),
            _ => Value::from(false),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(FLAGS)
    }
}

/// The linked project as dictionaries; empty while it is parsed, as in dbt.
fn graph(scope: &Arc<Scope>) -> Value {
    let Some(manifest) = scope.manifest() else { return parts(&[]) };
    scope.shared.graph.get_or_init(|| parts(&manifest.nodes)).clone()
}

fn parts(nodes: &[Node]) -> Value {
    let of = |chosen: fn(ResourceType) -> bool| {
        let chosen = nodes.iter().filter(|node| chosen(node.resource));
        Dict::value(chosen.map(|node| (Value::from(&*node.id), from_json(&super::describe::node(node)))))
    };
    let parts = [
        ("nodes", of(|kind| !matches!(kind, ResourceType::Source | ResourceType::Exposure))),
        ("sources", of(|kind| kind == ResourceType::Source)),
        ("exposures", of(|kind| kind == ResourceType::Exposure)),
        ("groups", of(|_| false)),
        ("metrics", of(|_| false)),
        ("semantic_models", of(|_| false)),
        ("saved_queries", of(|_| false)),
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
