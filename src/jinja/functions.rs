//! dbt's functions and variables, by the names that templates use.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::adapter::{AdapterValue, Api};
use super::failure::{Returned, raise, raise_with};
use super::known::is_lasting;
use super::python::datetime::moment_value;
use super::relation::{EventFilter, RelationValue};
use super::scope::{Message, Scope, Stage};
use super::table::ResultTable;
use super::values::{Dict, List, from_json, locked, operation, split_args, to_json};
use crate::base::{RelationKind, ResourceType, quote_ident};
use crate::diag::{codes, nearest};
use crate::project::{Config, Detail, HookTemplate, RefCall, SourceCall, Unresolved, event_time_column, hooks_of};

/// Every name that [`lookup`] knows.
pub(super) const NAMES: [&str; 40] = [
    "adapter",
    "api",
    "builtins",
    "config",
    "context",
    "database",
    "dbt_version",
    "doc",
    "env_var",
    "execute",
    "fromjson",
    "invocation_id",
    "is_incremental",
    "load_result",
    "log",
    "model",
    "modules",
    "namespace",
    "print",
    "project_name",
    "range",
    "ref",
    "render",
    "return",
    "run_query",
    "schema",
    "set",
    "set_strict",
    "should_full_refresh",
    "source",
    "statement",
    "store_result",
    "target",
    "this",
    "tojson",
    "var",
    "zip",
    "zip_strict",
    "pre_hooks",
    "post_hooks",
];

pub use crate::project::DBT_VERSION;

/// One of dbt's functions or variables. The scope notes when it is one that belongs to the moment.
pub(super) fn lookup(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    let found = find(scope, name)?;
    if name == "flags" {
        locked(&scope.facts).flagged = true;
    } else if !is_lasting(name) {
        locked(&scope.facts).momentary = true;
    }
    Some(found)
}

fn find(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    let call = |function: Function| Some(Value::from_object(Builtin { function, scope: scope.clone() }));
    if let Some(function) = function(name) {
        return call(function);
    }
    Some(match name {
        "execute" => Value::from(scope.executing()),
        "target" => target_value(scope),
        "this" => this_value(scope),
        "schema" => Value::from(&*scope.this().schema),
        "database" => Value::from(&*scope.this().database),
        "model" => model_value(scope),
        "modules" => super::modules::value(scope),
        "project_name" => Value::from(&*scope.shared.root),
        "dbt_version" => Value::from(DBT_VERSION),
        "invocation_id" => Value::from(scope.shared.invocation.id.as_str()),
        "adapter" => Value::from_object(AdapterValue { scope: scope.clone() }),
        "api" => Value::from_object(Api),
        "builtins" => Value::from_object(Builtins { scope: scope.clone() }),
        "context" => Value::from_dyn_object(scope.clone()),
        "pre_hooks" => hook_list(scope, "pre-hook"),
        "post_hooks" => hook_list(scope, "post-hook"),
        _ => return super::context::lookup(scope, name),
    })
}

/// The node itself, with the batch that is built.
fn model_value(scope: &Scope) -> Value {
    let described = super::describe::describe_in(&scope.shared, &scope.node);
    let mut entries: Vec<(Value, Value)> =
        described.as_object().into_iter().flatten().map(|(key, value)| (Value::from(key.as_str()), from_json(value))).collect();
    if let Some(batch) = scope.batch() {
        let parts = [
            ("id", Value::from(batch.id())),
            ("event_time_start", moment_value(batch.window.start)),
            ("event_time_end", moment_value(batch.window.end)),
        ];
        entries.push((Value::from("batch"), Dict::value(parts.map(|(name, value)| (Value::from(name), value)))));
    } else if matches!(scope.node.detail, Detail::Model(_)) {
        entries.push((Value::from("batch"), Value::from(())));
    }
    Dict::value(entries)
}

/// What `run_hooks` of dbt takes.
fn hook_list(scope: &Scope, key: &str) -> Value {
    let entry = |hook: HookTemplate| serde_json::json!({"sql": hook.sql, "transaction": hook.transaction, "index": null});
    from_json(&hooks_of(&scope.node.config, key).into_iter().map(entry).collect())
}

pub(super) fn target_value(scope: &Scope) -> Value {
    let target = &scope.shared.target;
    let mut entries: Vec<(Value, Value)> = target.open_settings().map(|(key, value)| (Value::from(key), from_json(value))).collect();
    for (key, value) in [
        ("name", Value::from(target.name.as_str())),
        ("target_name", Value::from(target.name.as_str())),
        ("profile_name", Value::from(target.profile.as_str())),
        ("type", Value::from(target.adapter.as_str())),
        ("database", Value::from(target.database.as_str())),
        ("dbname", Value::from(target.database.as_str())),
        ("schema", Value::from(target.schema.as_str())),
        ("threads", Value::from(target.threads)),
    ] {
        entries.push((Value::from(key), value));
    }
    Dict::value(entries)
}

fn this_value(scope: &Scope) -> Value {
    let kind = match &scope.stage {
        Stage::Execute { state, .. } => state.existing,
        Stage::Parse => None,
    };
    RelationValue::new(scope.this(), kind).into_value()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Config,
    Doc,
    EnvVar,
    IsIncremental,
    LoadResult,
    Log,
    Print,
    Ref,
    Render,
    Return,
    RunQuery,
    ShouldFullRefresh,
    Source,
    Statement,
    StoreResult,
    Var,
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "config" => Function::Config,
        "doc" => Function::Doc,
        "env_var" => Function::EnvVar,
        "is_incremental" => Function::IsIncremental,
        "load_result" => Function::LoadResult,
        "log" => Function::Log,
        "print" => Function::Print,
        "ref" => Function::Ref,
        "render" => Function::Render,
        "return" => Function::Return,
        "run_query" => Function::RunQuery,
        "should_full_refresh" => Function::ShouldFullRefresh,
        "source" => Function::Source,
        "statement" => Function::Statement,
        "store_result" => Function::StoreResult,
        "var" => Function::Var,
        _ => return None,
    })
}

/// A function of dbt's, bound to the render that it serves.
struct Builtin {
    function: Function,
    scope: Arc<Scope>,
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<function {:?}>", self.function)
    }
}

impl Object for Builtin {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let scope = &self.scope;
        match self.function {
            Function::Ref => call_ref(scope, args),
            Function::Source => call_source(scope, args),
            Function::Config => call_config(scope, args),
            Function::Var => call_var(scope, args),
            Function::EnvVar => call_env_var(scope, args),
            Function::Log => call_log(scope, args),
            Function::Print => {
                let (message,): (Value,) = from_args(args)?;
                Ok(say(scope, false, &message))
            }
            Function::Render => {
                let (text,): (String,) = from_args(args)?;
                let rewritten = super::literals::rewrite(&text).text;
                state.env().render_str(&rewritten, Value::from_dyn_object(scope.clone())).map(Value::from)
            }
            Function::Return => {
                let (value,): (Option<Value>,) = from_args(args)?;
                let value = value.unwrap_or(Value::from(()));
                Err(Error::new(ErrorKind::InvalidOperation, "return() outside of a macro").with_source(Returned(value)))
            }
            Function::RunQuery => {
                let (sql,): (String,) = from_args(args)?;
                if scope.warehouse().is_none() { Ok(Value::from(())) } else { run(scope, &sql, true).map(|(table, _)| table) }
            }
            Function::Statement => call_statement(scope, state, args),
            Function::LoadResult => {
                let (name,): (&str,) = from_args(args)?;
                Ok(locked(&scope.facts).statements.get(name).cloned().unwrap_or(Value::from(())))
            }
            Function::StoreResult => call_store_result(scope, args),
            Function::IsIncremental => Ok(Value::from(is_incremental(scope))),
            Function::ShouldFullRefresh => Ok(Value::from(should_full_refresh(scope))),
            Function::Doc => call_doc(scope, args),
        }
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match (self.function, method) {
            (Function::Config, _) => config_method(&self.scope, method, args),
            (Function::Var, "has_var") => {
                let (name,): (&str,) = from_args(args)?;
                Ok(Value::from(find_var(&self.scope, name).is_some()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    if value.is_none() || value.is_undefined() { None } else { Some(value.to_string()) }
}

fn call_ref(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let (package, name) = match positional {
        [name] => (None, name.to_string()),
        [package, name] => (Some(package.to_string()), name.to_string()),
        _ => {
            let message = format!("ref() takes one or two names, {} are given", positional.len());
            let help = "write ref('model'), or ref('package', 'model')".to_owned();
            return Err(raise_with(&codes::WRONG_ARGUMENTS, message, vec![help]));
        }
    };
    let mut version = None;
    for (key, value) in &named {
        match key.as_str() {
            Some("v" | "version") => version = text_of(value),
            _ => return Err(raise(&codes::WRONG_ARGUMENTS, format!("ref() has no argument {key:?}"))),
        }
    }
    let call = RefCall { package, name, version, via: locked(&scope.facts).stack.clone() };
    let value = match scope.manifest() {
        None => RelationValue::new(scope.this().with_identifier(&call.name), None).into_value(),
        Some(manifest) => {
            let number = manifest.resolve_ref(&call, &scope.node.package, &scope.shared.root).map_err(|why| {
                let near = nearest(&call.name, manifest.refable_names());
                unresolved(&codes::UNKNOWN_REF, &format!("no model, seed or snapshot is called '{}'", call.name), &why, near)
            })?;
            match manifest.nodes.get(number) {
                Some(node) => match scope.unit() {
                    Some(unit) => unit.fixture(node)?,
                    None => referred(scope, node)?,
                },
                None => return Err(operation("the manifest is inconsistent")),
            }
        }
    };
    locked(&scope.facts).refs.push(call);
    Ok(value)
}

/// The relation of a node that a template reads.
fn referred(scope: &Scope, node: &crate::project::Node) -> Result<Value, Error> {
    let declared = scope.node.depends_on.contains(&node.id) || scope.node.id == node.id || scope.node.resource == ResourceType::Operation;
    if !declared {
        let help = format!("add the comment '-- depends_on: {{{{ ref('{}') }}}}' to '{}'", node.name, scope.node.name);
        let message = format!(
            "'{}' reads '{}' only while templates are executed, so the order of the run cannot respect it",
            scope.node.name, node.name
        );
        return Err(raise_with(&codes::UNDECLARED_REF, message, vec![help]));
    }
    let Some(relation) = node.relation.clone() else {
        return Err(operation(format!("'{}' has no relation", node.name)));
    };
    if node.is_ephemeral() {
        let mut facts = locked(&scope.facts);
        if !facts.ephemerals.contains(&node.id) {
            facts.ephemerals.push(node.id.clone());
        }
        let name = super::ephemeral_name(node.alias.as_deref().unwrap_or(&node.name));
        return Ok(RelationValue::cte(&name).read_by(scope).filtered(event_filter(scope, node)).into_value());
    }
    let warehouse = scope.warehouse().map(AsRef::as_ref);
    let deferral = scope.reading().and_then(|reading| reading.deferral.as_ref());
    let deferred = deferral.map_or(Ok(None), |deferral| deferral.of(&node.id, &relation, warehouse)).map_err(operation)?;
    let kind = match node.materialized() {
        "view" => RelationKind::View,
        "materialized_view" => RelationKind::MaterializedView,
        _ => RelationKind::Table,
    };
    Ok(RelationValue::new(deferred.unwrap_or(relation), Some(kind)).read_by(scope).filtered(event_filter(scope, node)).into_value())
}

/// Which rows of a node are read: those of the batch that is built, and those of `--sample`.
fn event_filter(scope: &Scope, read: &crate::project::Node) -> Option<EventFilter> {
    let column = event_time_column(read)?;
    if !matches!(scope.node.detail, Detail::Model(_) | Detail::Snapshot { .. }) {
        return None;
    }
    let sample = || scope.reading().and_then(|reading| reading.sample);
    let window = scope.batch().map(|batch| batch.read).or_else(sample)?;
    Some(EventFilter { column, window })
}

fn unresolved(code: &'static crate::diag::Code, unknown: &str, why: &Unresolved, near: Option<&str>) -> Error {
    match why {
        Unresolved::Unknown => raise_with(code, unknown, near.map(|near| format!("did you mean '{near}'?")).into_iter().collect()),
        Unresolved::Disabled(id) => raise(&codes::DISABLED_REF, format!("'{id}' is disabled")),
        Unresolved::Ambiguous(ids) => raise(&codes::AMBIGUOUS_REF, format!("several packages define it: {}", ids.join(", "))),
    }
}

fn call_source(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (positional, _) = split_args(args);
    let [source, table] = positional else {
        return Err(raise(&codes::WRONG_ARGUMENTS, format!("source() takes a source and a table, {} names are given", positional.len())));
    };
    let call = SourceCall { source: source.to_string(), table: table.to_string(), via: locked(&scope.facts).stack.clone() };
    let value = match scope.manifest() {
        None => RelationValue::new(scope.this().with_identifier(&call.table), None).into_value(),
        Some(manifest) => {
            let number = manifest.resolve_source(&call, &scope.node.package, &scope.shared.root).map_err(|why| {
                unresolved(
                    &codes::UNKNOWN_SOURCE,
                    &format!("no source '{}' with table '{}' is declared", call.source, call.table),
                    &why,
                    None,
                )
            })?;
            let node = manifest.nodes.get(number);
            if let (Some(unit), Some(node)) = (scope.unit(), node) {
                return unit.fixture(node);
            }
            let relation = node.and_then(|node| node.relation.clone());
            match relation {
                Some(relation) => {
                    let filter = node.and_then(|node| event_filter(scope, node));
                    RelationValue::new(relation, Some(RelationKind::Table)).read_by(scope).filtered(filter).into_value()
                }
                None => return Err(operation("the source has no relation")),
            }
        }
    };
    locked(&scope.facts).sources.push(call);
    Ok(value)
}

fn call_config(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let mut given: Vec<(Value, Value)> = Vec::new();
    for mapping in positional {
        if mapping.kind() != ValueKind::Map {
            return Err(raise(&codes::WRONG_ARGUMENTS, "config() takes named arguments or one dictionary"));
        }
        for key in mapping.try_iter()? {
            let value = mapping.get_item(&key)?;
            given.push((key, value));
        }
    }
    given.extend(named);
    if !scope.executing() {
        let mut told = Config::default();
        for (key, value) in &given {
            told.insert(&key.to_string(), to_json(value), None);
        }
        locked(&scope.facts).config.merge(&told);
    }
    Ok(Value::from(""))
}

/// The configuration in force: at parse time with what the template has said so far.
fn current_config(scope: &Scope) -> Config {
    let mut config = scope.node.config.clone();
    if !scope.executing() {
        config.merge(&locked(&scope.facts).config);
    }
    config
}

fn config_method(scope: &Arc<Scope>, method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "get" | "require" | "meta_get" | "meta_require" => {
            let (positional, named) = split_args(args);
            let Some(key) = positional.first().and_then(Value::as_str) else {
                return Err(raise(&codes::WRONG_ARGUMENTS, format!("config.{method}() takes the name of a key")));
            };
            let named_default = named.into_iter().find(|(name, _)| name.as_str() == Some("default")).map(|(_, value)| value);
            let default = positional.get(1).cloned().or(named_default);
            let config = current_config(scope);
            let found = match method {
                "get" | "require" if key == "materialized" => Some(serde_json::Value::from(materialized(scope, &config))),
                "get" | "require" => config.get(key).cloned(),
                _ => config.get("meta").and_then(|meta| meta.get(key)).cloned(),
            };
            if let (Some(batch), true) = (scope.batch(), key.starts_with(BATCH_KEY)) {
                let window = batch.window;
                return Ok(moment_value(if key.ends_with("_start") { window.start } else { window.end }));
            }
            match found {
                Some(value) => Ok(from_json(&value)),
                None if method.ends_with("require") => {
                    Err(raise(&codes::INVALID_CONFIG, format!("'{}' needs the configuration key '{key}'", scope.node.name)))
                }
                None => Ok(default.unwrap_or(Value::from(()))),
            }
        }
        "set" => {
            let (name, value): (&str, Value) = from_args(args)?;
            if !scope.executing() {
                let mut told = Config::default();
                told.insert(name, to_json(&value), None);
                locked(&scope.facts).config.merge(&told);
            }
            Ok(Value::from(""))
        }
        "persist_relation_docs" | "persist_column_docs" => {
            let part = if method == "persist_relation_docs" { "relation" } else { "columns" };
            let config = current_config(scope);
            Ok(Value::from(
                config.get("persist_docs").and_then(|docs| docs.get(part)).and_then(serde_json::Value::as_bool).unwrap_or(false),
            ))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// Under what dbt's own macros of strategies ask for the time of a batch.
const BATCH_KEY: &str = "__dbt_internal_microbatch_event_time";

fn materialized(scope: &Scope, config: &Config) -> String {
    config.str("materialized").unwrap_or_else(|| scope.node.materialized()).to_owned()
}

/// `--vars`, then the root project's variables for the package, the root's, the package's own.
fn find_var(scope: &Scope, name: &str) -> Option<serde_json::Value> {
    if let Some(value) = scope.unit_var(name) {
        return Some(value);
    }
    if let Some(value) = scope.shared.cli_vars.get(name) {
        return Some(value.clone());
    }
    let package_name = &*scope.node.package;
    let root = scope.shared.packages.iter().find(|package| package.name == scope.shared.root);
    let own = scope.shared.packages.iter().find(|package| &*package.name == package_name);
    for package in [root, own].into_iter().flatten() {
        let scoped = package.vars.get(package_name).and_then(|scoped| scoped.get(name));
        if let Some(value) = scoped.or_else(|| package.vars.get(name)) {
            return Some(value.clone());
        }
    }
    None
}

fn call_var(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let Some(name) = positional.first().and_then(Value::as_str) else {
        return Err(raise(&codes::WRONG_ARGUMENTS, "var() takes the name of a variable"));
    };
    let named_default = named.into_iter().find(|(key, _)| key.as_str() == Some("default")).map(|(_, value)| value);
    match (find_var(scope, name), positional.get(1).cloned().or(named_default)) {
        (Some(value), _) => Ok(from_json(&value)),
        (None, Some(default)) => Ok(default),
        (None, None) => {
            let help = format!("set it under 'vars:' in dbt_project.yml, pass --vars '{{{name}: …}}', or give a default: var('{name}', …)");
            Err(raise_with(&codes::UNSET_VARIABLE, format!("variable '{name}' is not set and has no default"), vec![help]))
        }
    }
}

/// What goes into SQL, artefacts and messages may not hold secrets.
pub(super) fn refuse_secret(name: &str) -> Result<(), Error> {
    if !name.starts_with("DBT_ENV_SECRET") {
        return Ok(());
    }
    let help = "secrets may be used in profiles.yml and packages.yml only".to_owned();
    Err(raise_with(&codes::UNSET_VARIABLE, format!("the secret '{name}' cannot be used here"), vec![help]))
}

fn call_env_var(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (name, default): (&str, Option<Value>) = from_args(args)?;
    refuse_secret(name)?;
    match (scope.unit_env_var(name).or_else(|| scope.shared.files.env(name)), default) {
        (Some(value), _) => Ok(Value::from(value)),
        (None, Some(default)) => Ok(default),
        (None, None) => {
            let help = format!("export it, or give a default: env_var('{name}', '…')");
            Err(raise_with(&codes::UNSET_VARIABLE, format!("environment variable '{name}' is not set and has no default"), vec![help]))
        }
    }
}

/// `doc('name')` or `doc('package', 'name')`: the text of a block, of the own package first.
fn call_doc(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (first, second): (&str, Option<&str>) = from_args(args)?;
    let docs = &scope.shared.docs;
    let (package, name) = match second {
        Some(name) => (Some(first), name),
        None => (None, first),
    };
    let own = &*scope.node.package;
    let order = match package {
        Some(package) => vec![package],
        None => vec![own, &*scope.shared.root],
    };
    let found = order.into_iter().find_map(|package| docs.get(&(package.into(), name.to_owned())));
    let anywhere = || docs.iter().find(|((_, held), _)| package.is_none() && held == name).map(|(_, text)| text);
    match found.or_else(anywhere) {
        Some(text) => Ok(Value::from(text.as_str())),
        None => {
            let near = nearest(name, docs.keys().map(|(_, name)| name.as_str()));
            let help = near.map(|near| format!("did you mean '{near}'?")).into_iter().collect();
            Err(raise_with(&codes::UNKNOWN_DOC, format!("no doc block is called '{name}'"), help))
        }
    }
}

pub(super) fn say(scope: &Scope, warning: bool, message: &Value) -> Value {
    locked(&scope.facts).messages.push(Message { warning, text: message.to_string() });
    Value::from("")
}

fn call_log(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let (message, info): (Value, Option<bool>) = from_args(positional)?;
    let info = info.unwrap_or_else(|| named.iter().any(|(key, value)| key.as_str() == Some("info") && value.is_true()));
    if info && scope.executing() {
        say(scope, false, &message);
    }
    Ok(Value::from(""))
}

/// Runs a statement and gives its rows as a table, with the response beside it.
pub(super) fn run(scope: &Arc<Scope>, sql: &str, fetch: bool) -> Result<(Value, Value), Error> {
    let Some(warehouse) = scope.warehouse() else {
        return Ok((Value::from(()), Value::from("")));
    };
    let result = warehouse.statement(sql, fetch).map_err(|message| raise(&codes::STATEMENT_FAILED, message))?;
    let response = Dict::value([
        (Value::from("_message"), Value::from("OK")),
        (Value::from("code"), Value::from("OK")),
        (Value::from("rows_affected"), Value::from(result.rows_affected)),
    ]);
    Ok((Value::from_object(ResultTable::new(&result)), response))
}

/// Keeps a result under a name, for `load_result()`.
pub(super) fn store_response(scope: &Scope, name: &str, response: Value, table: Value) {
    locked(&scope.facts).statements.insert(name.to_owned(), result_value(response, table));
}

fn result_value(response: Value, table: Value) -> Value {
    let rows = table.get_attr("rows").unwrap_or_else(|_| List::value([]));
    Dict::value([(Value::from("response"), response), (Value::from("data"), rows), (Value::from("table"), table)])
}

fn call_statement(scope: &Arc<Scope>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let option = |name: &str| named.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value.clone());
    let name = positional.first().cloned().or_else(|| option("name")).and_then(|value| text_of(&value));
    let fetch = positional.get(1).cloned().or_else(|| option("fetch_result")).is_some_and(|value| value.is_true());
    let Some(caller) = option("caller") else {
        return Err(raise(&codes::WRONG_ARGUMENTS, "statement() is used as '{% call statement('name') %} … {% endcall %}'"));
    };
    locked(&scope.facts).in_statements += 1;
    let sql = caller.call(state, &[]);
    locked(&scope.facts).in_statements -= 1;
    let sql = sql?.to_string();
    if !scope.executing() {
        return Ok(Value::from(""));
    }
    let (table, response) = run(scope, &sql, fetch)?;
    if let Some(name) = name {
        locked(&scope.facts).statements.insert(name, result_value(response, table));
    }
    Ok(Value::from(""))
}

fn call_store_result(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let option = |name: &str| named.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value.clone());
    let Some(name) = positional.first().cloned().or_else(|| option("name")) else {
        return Err(raise(&codes::WRONG_ARGUMENTS, "store_result() takes a name"));
    };
    let stored = result_value(option("response").unwrap_or(Value::from(())), option("agate_table").unwrap_or(Value::from(())));
    locked(&scope.facts).statements.insert(name.to_string(), stored);
    Ok(Value::from(""))
}

fn should_full_refresh(scope: &Scope) -> bool {
    if scope.batch().is_some_and(|batch| batch.incremental) {
        return false;
    }
    let told = current_config(scope).bool("full_refresh");
    match &scope.stage {
        Stage::Execute { state, .. } => told.unwrap_or(state.full_refresh),
        Stage::Parse => told.unwrap_or(scope.shared.invocation.full_refresh),
    }
}

fn is_incremental(scope: &Scope) -> bool {
    let Stage::Execute { state, .. } = &scope.stage else { return false };
    let model = matches!(scope.node.detail, Detail::Model(_));
    model && scope.node.materialized() == "incremental" && state.existing == Some(RelationKind::Table) && !should_full_refresh(scope)
}

/// `builtins.ref(…)`: dbt's own function where a project has a macro of that name.
struct Builtins {
    scope: Arc<Scope>,
}

impl fmt::Debug for Builtins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<builtins>")
    }
}

impl Object for Builtins {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        lookup(&self.scope, key.as_str()?).or_else(|| super::library::function(key.as_str()?))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

/// An identifier as the engines read it exactly.
pub(super) fn quoted(name: &str) -> Value {
    Value::from(quote_ident(name))
}
