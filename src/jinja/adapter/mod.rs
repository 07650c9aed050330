//! `adapter` and `api`: what macros ask of the database, and how they find the variant for its dialect.

mod api;
mod arguments;
mod column;

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, from_args};
use minijinja::{Error, State, Value};

pub(super) use api::{Api, column_class};
use arguments::Arguments;
pub(super) use arguments::no_method;
use column::{ColumnValue, string_type};

use super::failure::{raise, raise_with};
use super::functions::{quoted, run};
use super::relation::RelationValue;
use super::scope::{Message, Scope};
use super::templates::BUILTIN_PACKAGE;
use super::values::{Dict, List, from_json, locked};
use crate::base::Relation;
use crate::diag::codes;

/// The ways of building incremental models that dbt has names for.
const STRATEGIES: [&str; 4] = ["append", "delete+insert", "merge", "microbatch"];

/// Macros that give a part of a query, and may have a variant for an engine: acca's own, or the project's. Not `generate_series`, whose
/// variant for Redshift is PostgreSQL's SQL as well, and counts further than what the other one would be rewritten to.
const CROSS_DATABASE: [&str; 25] = [
    "any_value",
    "array_append",
    "array_concat",
    "array_construct",
    "bool_or",
    "cast",
    "cast_bool_to_text",
    "concat",
    "current_timestamp",
    "current_timestamp_backcompat",
    "current_timestamp_in_utc_backcompat",
    "date",
    "date_trunc",
    "dateadd",
    "datediff",
    "except",
    "hash",
    "intersect",
    "last_day",
    "length",
    "listagg",
    "position",
    "right",
    "safe_cast",
    "split_part",
];

const METHODS: [&str; 36] = [
    "already_exists",
    "assert_valid_snapshot_target_given_strategy",
    "cache_added",
    "cache_dropped",
    "cache_renamed",
    "check_schema_exists",
    "clear_transaction",
    "commit",
    "create_schema",
    "dispatch",
    "drop_relation",
    "drop_schema",
    "execute",
    "expand_target_column_types",
    "get_column_schema_from_query",
    "get_columns_in_relation",
    "get_columns_in_table",
    "get_hard_deletes_behavior",
    "get_incremental_strategy_macro",
    "get_missing_columns",
    "get_relation",
    "list_relations",
    "list_relations_without_caching",
    "load_relation",
    "parse_index",
    "quote",
    "quote_as_configured",
    "quote_seed_column",
    "rename_relation",
    "standardize_grants_dict",
    "truncate_relation",
    "type",
    "valid_incremental_strategies",
    "valid_snapshot_target",
    "verify_database",
    "warn_once",
];

pub(super) struct AdapterValue {
    pub(super) scope: Arc<Scope>,
}

impl fmt::Debug for AdapterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<adapter {}>", self.scope.shared.target.adapter)
    }
}

impl Object for AdapterValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("behavior")).then(|| Value::from_object(Behavior { scope: self.scope.clone() }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let scope = &self.scope;
        let arguments = Arguments::new(args);
        match method {
            "dispatch" => dispatch(scope, &arguments),
            "type" => Ok(Value::from(scope.shared.target.adapter.as_str())),
            "quote" => Ok(quoted(&arguments.text(0, &["identifier"]).unwrap_or_default())),
            "quote_as_configured" => Ok(quote_as_configured(scope, &arguments)),
            "quote_seed_column" => Ok(quote_seed_column(&arguments)),
            "get_relation" | "load_relation" | "already_exists" => get_relation(scope, method, &arguments),
            "get_columns_in_relation" => columns(scope, state, args),
            "get_columns_in_table" => {
                let (schema, identifier): (String, String) = from_args(args)?;
                Ok(columns_value(&columns_of(scope, &Relation::new("", &schema, &identifier))?))
            }
            "get_missing_columns" => missing_columns(scope, &arguments),
            "get_column_schema_from_query" => {
                let sql = arguments.text(0, &["sql"]).unwrap_or_default();
                let found = ask(scope, |warehouse| warehouse.describe(&sql))?.unwrap_or_default();
                Ok(columns_value(&described(found)))
            }
            "expand_target_column_types" => expand_columns(scope, state, &arguments),
            "list_relations_without_caching" | "list_relations" => list_relations(scope, &arguments),
            "check_schema_exists" => check_schema_exists(scope, &arguments),
            "execute" => execute(scope, &arguments),
            "drop_relation" | "truncate_relation" | "rename_relation" | "create_schema" | "drop_schema" => {
                relation_argument(args.first(), method)?;
                if scope.executing() {
                    call_macro(scope, state, method, args)?;
                }
                Ok(Value::from(""))
            }
            "standardize_grants_dict" => grants(arguments.get(0, &["grants_table"])),
            "valid_incremental_strategies" => Ok(List::value(STRATEGIES.map(Value::from))),
            "get_incremental_strategy_macro" => strategy_macro(scope, &arguments),
            "get_hard_deletes_behavior" => hard_deletes(scope, arguments.get(0, &["config"])),
            "parse_index" => Ok(arguments.get(0, &["raw_index"]).unwrap_or_default()),
            "warn_once" => {
                let text = arguments.text(0, &["msg"]).unwrap_or_default();
                locked(&scope.facts).messages.push(Message { warning: true, text });
                Ok(Value::from(""))
            }
            "assert_valid_snapshot_target_given_strategy"
            | "cache_added"
            | "cache_dropped"
            | "cache_renamed"
            | "clear_transaction"
            | "commit"
            | "valid_snapshot_target"
            | "verify_database" => Ok(Value::from("")),
            _ => Err(no_method("adapter", method, &METHODS)),
        }
    }
}

/// dbt's flags for changes of its behaviour: off, unless the project file, the environment or the command line says otherwise.
struct Behavior {
    scope: Arc<Scope>,
}

impl fmt::Debug for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<behavior>")
    }
}

impl Object for Behavior {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        locked(&self.scope.facts).flagged = true;
        let flags = &self.scope.shared.invocation.flags;
        let name = key.as_str()?.to_lowercase();
        locked(&self.scope.shared.asked_flags).insert(name.clone());
        let is_on = flags.get(&name).and_then(serde_json::Value::as_bool).unwrap_or(false);
        Some(Value::from_object(BehaviorFlag(is_on)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// One of them: true where it is on, and with the attributes that dbt's have.
#[derive(Debug)]
struct BehaviorFlag(bool);

impl Object for BehaviorFlag {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        matches!(key.as_str()?, "no_warn" | "setting").then(|| Value::from(self.0))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0
    }
}

/// Asks the database, when templates are executed and one is at hand.
fn ask<T>(scope: &Scope, question: impl FnOnce(&dyn super::Warehouse) -> Result<T, String>) -> Result<Option<T>, Error> {
    match scope.warehouse() {
        Some(warehouse) => question(&**warehouse).map(Some).map_err(|message| raise(&codes::STATEMENT_FAILED, message)),
        None => Ok(None),
    }
}

fn relation_argument(value: Option<&Value>, method: &str) -> Result<Relation, Error> {
    match value.and_then(Value::downcast_object_ref::<RelationValue>) {
        Some(relation) => Ok(relation.relation.clone()),
        None => Err(raise(
            &codes::WRONG_ARGUMENTS,
            format!("adapter.{method}() takes a relation: ref(), source(), this or api.Relation.create()"),
        )),
    }
}

/// Calls the macro of that name: the project's, where it has one.
fn call_macro(scope: &Arc<Scope>, state: &State<'_, '_>, name: &str, args: &[Value]) -> Result<Value, Error> {
    match scope.shared.find_macro(name, &scope.node.package).cloned() {
        Some(definition) => scope.call_macro(state.env(), &definition, args),
        None => Err(raise(&codes::UNKNOWN_MACRO, format!("no macro is called '{name}'"))),
    }
}

/// Finds `<adapter>__<name>` or `default__<name>` in the packages of the namespace.
fn dispatch(scope: &Arc<Scope>, arguments: &Arguments<'_>) -> Result<Value, Error> {
    let Some(name) = arguments.text(0, &["macro_name"]) else {
        return Err(raise(&codes::WRONG_ARGUMENTS, "adapter.dispatch() takes the name of a macro"));
    };
    if let Some((namespace, name)) = name.split_once('.') {
        let help = format!("write adapter.dispatch('{name}', '{namespace}')");
        return Err(raise_with(&codes::WRONG_ARGUMENTS, "adapter.dispatch() takes the name of a macro without its package", vec![help]));
    }
    let namespace = arguments.text(1, &["macro_namespace"]);
    let shared = &scope.shared;
    let packages: Vec<String> = match &namespace {
        Some(namespace) => shared.search_order(namespace),
        None => vec![scope.node.package.to_string(), shared.root.to_string(), BUILTIN_PACKAGE.to_owned()],
    };
    let variants = if gives_portable_sql(scope, &name, namespace.as_deref()) {
        [shared.invocation.portable_adapter, "default"].map(|adapter| format!("{adapter}__{name}")).to_vec()
    } else {
        shared.variants(&name)
    };
    for package in &packages {
        for variant in &variants {
            if namespace.as_ref() == Some(package) && variant.starts_with("default__") {
                // acca's own variant for the engine, of a package that has none.
                let own = shared.invocation.adapter_chain.iter().map(|adapter| format!("{adapter}__{package}__{name}"));
                if let Some(found) = own.into_iter().find_map(|own| scope.macro_value(BUILTIN_PACKAGE, &own)) {
                    return Ok(found);
                }
            }
            if let Some(found) = scope.macro_value(package, variant) {
                return Ok(found);
            }
        }
    }
    let help = format!("looked for {} in {}", variants.join(", "), packages.join(", "));
    Err(raise_with(&codes::UNKNOWN_MACRO, format!("no variant of macro '{name}' serves '{}'", shared.target.adapter), vec![help]))
}

/// Whether a macro of package `dbt` gives a part of a portable query: not within a block of `statement`, which the engine gets as it is. Text
/// that is put together for `run_query()` is not told from the query's, so PostgreSQL's SQL goes into it.
fn gives_portable_sql(scope: &Scope, name: &str, namespace: Option<&str>) -> bool {
    scope.is_portable()
        && namespace.is_none_or(|namespace| namespace == BUILTIN_PACKAGE)
        && (CROSS_DATABASE.contains(&name) || name.starts_with("type_"))
        && locked(&scope.facts).in_statements == 0
}

fn quote_as_configured(scope: &Scope, arguments: &Arguments<'_>) -> Value {
    let identifier = arguments.text(0, &["identifier"]).unwrap_or_default();
    let part = arguments.text(1, &["quote_key"]).unwrap_or_default();
    let root = scope.shared.packages.iter().find(|package| package.name == scope.shared.root);
    let known = ["database", "schema", "identifier"].contains(&part.as_str());
    let wanted = root.and_then(|root| root.quoting.get(&part)).copied().unwrap_or(true);
    if known && wanted { quoted(&identifier) } else { Value::from(identifier) }
}

fn quote_seed_column(arguments: &Arguments<'_>) -> Value {
    let column = arguments.text(0, &["column"]).unwrap_or_default();
    match arguments.get(1, &["quote_config"]) {
        Some(config) if !config.is_true() => Value::from(column),
        _ => quoted(&column),
    }
}

fn get_relation(scope: &Arc<Scope>, method: &str, arguments: &Arguments<'_>) -> Result<Value, Error> {
    let target = &scope.shared.target;
    let given = arguments.get(0, &["relation"]);
    let relation = match given.as_ref().and_then(Value::downcast_object_ref::<RelationValue>) {
        Some(given) => given.relation.clone(),
        None if method == "already_exists" => {
            let part = |index: usize, name: &str| arguments.text(index, &[name]).unwrap_or_default();
            Relation::new(&target.database, &part(0, "schema"), &part(1, "name"))
        }
        None => {
            let part = |index: usize, name: &str| arguments.text(index, &[name]);
            let database = part(0, "database").unwrap_or_else(|| target.database.clone());
            let schema = part(1, "schema").unwrap_or_else(|| target.schema.clone());
            Relation::new(&database, &schema, &part(2, "identifier").unwrap_or_default())
        }
    };
    let kind = ask(scope, |warehouse| warehouse.relation_kind(&relation))?.flatten();
    if method == "already_exists" {
        return Ok(Value::from(kind.is_some()));
    }
    Ok(kind.map_or(Value::from(()), |kind| RelationValue::new(relation, Some(kind)).into_value()))
}

/// A column of that name and type.
pub(super) fn column(name: &str, data_type: &str) -> Value {
    ColumnValue::described(name, data_type).into_value()
}

fn described(found: Vec<(String, String)>) -> Vec<ColumnValue> {
    found.iter().map(|(name, data_type)| ColumnValue::described(name, data_type)).collect()
}

fn columns_of(scope: &Scope, relation: &Relation) -> Result<Vec<ColumnValue>, Error> {
    Ok(described(ask(scope, |warehouse| warehouse.columns(relation))?.unwrap_or_default()))
}

fn columns_value(columns: &[ColumnValue]) -> Value {
    List::value(columns.iter().cloned().map(ColumnValue::into_value))
}

fn columns(scope: &Arc<Scope>, state: &State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    const NAME: &str = "get_columns_in_relation";
    let relation = relation_argument(Arguments::new(args).get(0, &["relation"]).as_ref(), NAME)?;
    // The macro of the project asks the adapter itself only by other ways.
    let within = |facts: &super::scope::Facts| facts.stack.iter().any(|id| id.ends_with(NAME));
    if scope.executing() && scope.shared.is_overridden(NAME, &scope.node.package) && !within(&locked(&scope.facts)) {
        return call_macro(scope, state, NAME, args);
    }
    Ok(columns_value(&columns_of(scope, &relation)?))
}

fn missing_columns(scope: &Arc<Scope>, arguments: &Arguments<'_>) -> Result<Value, Error> {
    let from = relation_argument(arguments.get(0, &["from_relation"]).as_ref(), "get_missing_columns")?;
    let to = relation_argument(arguments.get(1, &["to_relation"]).as_ref(), "get_missing_columns")?;
    let to = columns_of(scope, &to)?;
    let mut missing = columns_of(scope, &from)?;
    missing.retain(|column| !to.iter().any(|held| held.name() == column.name()));
    Ok(columns_value(&missing))
}

/// Makes the texts of the second relation as long as those of the first.
fn expand_columns(scope: &Arc<Scope>, state: &State<'_, '_>, arguments: &Arguments<'_>) -> Result<Value, Error> {
    const NAME: &str = "expand_target_column_types";
    let from = columns_of(scope, &relation_argument(arguments.get(0, &["from_relation"]).as_ref(), NAME)?)?;
    let to_value = arguments.get(1, &["to_relation"]);
    let to = columns_of(scope, &relation_argument(to_value.as_ref(), NAME)?)?;
    for column in &to {
        let Some(longer) = from.iter().find(|other| other.name() == column.name()) else { continue };
        if column.can_expand_to(longer)? {
            let data_type = Value::from(string_type(longer.string_size()?));
            call_macro(scope, state, "alter_column_type", &[to_value.clone().unwrap_or_default(), Value::from(column.name()), data_type])?;
        }
    }
    Ok(Value::from(""))
}

fn list_relations(scope: &Arc<Scope>, arguments: &Arguments<'_>) -> Result<Value, Error> {
    let first = arguments.get(0, &["schema_relation"]);
    let schema = match first.as_ref().and_then(Value::downcast_object_ref::<RelationValue>) {
        Some(relation) => relation.relation.schema.to_string(),
        None => arguments.text(1, &["schema"]).unwrap_or_default(),
    };
    let found = ask(scope, |warehouse| warehouse.relations(&schema))?.unwrap_or_default();
    Ok(List::value(found.into_iter().map(|(relation, kind)| RelationValue::new(relation, Some(kind)).into_value())))
}

fn check_schema_exists(scope: &Arc<Scope>, arguments: &Arguments<'_>) -> Result<Value, Error> {
    let schema = arguments.text(1, &["schema"]).unwrap_or_default().replace('\'', "''");
    let sql = format!("select count(*) from information_schema.schemata where lower(schema_name) = lower('{schema}')");
    let found = ask(scope, |warehouse| warehouse.statement(&sql, true))?;
    let count = found.and_then(|found| found.rows.first()?.first()?.as_i64());
    Ok(Value::from(count.unwrap_or(0) > 0))
}

fn execute(scope: &Arc<Scope>, arguments: &Arguments<'_>) -> Result<Value, Error> {
    let sql = arguments.text(0, &["sql"]).unwrap_or_default();
    let fetch = arguments.get(2, &["fetch"]).is_some_and(|fetch| fetch.is_true());
    let (table, response) = run(scope, &sql, fetch)?;
    Ok(List::value([response, table]))
}

/// Who has each privilege, from rows of `grantee` and `privilege_type`.
fn grants(table: Option<Value>) -> Result<Value, Error> {
    let mut held: Vec<(Value, Vec<Value>)> = Vec::new();
    for row in table.unwrap_or_default().try_iter()? {
        let (privilege, grantee) = (row.get_attr("privilege_type")?, row.get_attr("grantee")?);
        match held.iter_mut().find(|(known, _)| *known == privilege) {
            Some((_, grantees)) => grantees.push(grantee),
            None => held.push((privilege, vec![grantee])),
        }
    }
    Ok(Dict::value(held.into_iter().map(|(privilege, grantees)| (privilege, List::value(grantees)))))
}

fn strategy_macro(scope: &Arc<Scope>, arguments: &Arguments<'_>) -> Result<Value, Error> {
    let strategy = arguments.text(1, &["strategy"]).unwrap_or_else(|| "default".to_owned());
    let name = format!("get_incremental_{}_sql", strategy.replace('+', "_"));
    match scope.shared.find_macro(&name, &scope.node.package).cloned() {
        Some(definition) => Ok(scope.macro_object(definition)),
        None => {
            let help = format!("it is one of {}, or a macro '{name}' of the project", STRATEGIES.join(", "));
            Err(raise_with(&codes::INVALID_CONFIG, format!("'{strategy}' is no strategy of incremental models"), vec![help]))
        }
    }
}

/// Of a configuration as a dictionary, or of the node's own: the `config` of templates is a function.
fn hard_deletes(scope: &Scope, config: Option<Value>) -> Result<Value, Error> {
    let config = config.unwrap_or_default();
    let own = |key: &str| scope.node.config.get(key).map_or(Value::UNDEFINED, from_json);
    let told = |key: &str| config.get_attr(key).map(|value| if value.is_undefined() { own(key) } else { value });
    let deletes = told("hard_deletes")?;
    Ok(if deletes.is_true() {
        deletes
    } else if told("invalidate_hard_deletes")?.is_true() {
        Value::from("invalidate")
    } else {
        Value::from("ignore")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What acca's own variants for engines give that no portable query takes: statements, and `generate_series`.
    const APART: [&str; 4] = ["apply_grants", "dbt_utils__get_tables_by_pattern_sql", "generate_series", "get_create_index_sql"];

    #[test]
    fn the_macros_that_give_parts_of_queries_are_those_with_variants() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/jinja/builtin");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        let text = files.collect::<Vec<_>>().join("\n");
        for name in CROSS_DATABASE {
            assert!(text.contains(&format!("adapter.dispatch('{name}', 'dbt')")), "{name} is no macro of dbt's");
        }
        for defined in text.split("{% macro ").skip(1) {
            let name = defined.split('(').next().unwrap();
            let Some(name) = ["postgres__", "duckdb__", "redshift__"].iter().find_map(|engine| name.strip_prefix(engine)) else { continue };
            assert!(CROSS_DATABASE.contains(&name) != APART.contains(&name), "{name} has a variant");
        }
    }
}
