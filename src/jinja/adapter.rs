//! `adapter` and `api`: what macros ask of the database, and how they find the variant for its dialect.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::failure::{raise, raise_with};
use super::functions::{quoted, run};
use super::relation::{RelationValue, kind_of};
use super::scope::Scope;
use super::templates::BUILTIN_PACKAGE;
use super::values::{List, split_args};
use crate::base::Relation;
use crate::diag::codes;

pub(super) struct AdapterValue {
    pub(super) scope: Arc<Scope>,
}

impl fmt::Debug for AdapterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<adapter {}>", self.scope.shared.target.adapter)
    }
}

impl Object for AdapterValue {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let scope = &self.scope;
        match method {
            "dispatch" => dispatch(scope, args),
            "type" => Ok(Value::from(scope.shared.target.adapter.as_str())),
            "quote" => {
                let (name,): (String,) = from_args(args)?;
                Ok(quoted(&name))
            }
            "get_relation" | "load_relation" => get_relation(scope, args),
            "get_columns_in_relation" => columns(scope, args),
            "get_missing_columns" => missing_columns(scope, args),
            "list_relations_without_caching" | "list_relations" => list_relations(scope, args),
            "check_schema_exists" => {
                let (_, schema): (Value, String) = from_args(args)?;
                let found = ask(scope, |warehouse| warehouse.relations(&schema))?;
                Ok(Value::from(found.is_some_and(|relations| !relations.is_empty())))
            }
            "execute" => {
                let (sql,): (String,) = from_args(args.get(..1).unwrap_or(&[]))?;
                let (table, response) = run(scope, &sql, true)?;
                Ok(List::value([response, table]))
            }
            "drop_relation" | "truncate_relation" | "rename_relation" | "create_schema" | "drop_schema" => change(scope, method, args),
            "expand_target_column_types"
            | "cache_added"
            | "cache_dropped"
            | "cache_renamed"
            | "commit"
            | "clear_transaction"
            | "valid_snapshot_target"
            | "verify_database" => Ok(Value::from("")),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
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

/// Finds `<adapter>__<name>` or `default__<name>` in the packages of the namespace.
fn dispatch(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_args(args);
    let option = |name: &str| named.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value.to_string());
    let Some(name) = positional.first().map(ToString::to_string).or_else(|| option("macro_name")) else {
        return Err(raise(&codes::WRONG_ARGUMENTS, "adapter.dispatch() takes the name of a macro"));
    };
    let namespace = positional.get(1).filter(|value| !value.is_none()).map(ToString::to_string).or_else(|| option("macro_namespace"));
    let shared = &scope.shared;
    let root = shared.packages.iter().find(|package| package.name == shared.root);
    let configured = namespace.as_deref().and_then(|namespace| root.and_then(|root| root.dispatch.get(namespace)));
    let packages: Vec<String> = match (&namespace, configured) {
        (_, Some(order)) => order.clone(),
        (Some(namespace), None) => vec![shared.root.to_string(), namespace.clone()],
        (None, None) => vec![scope.node.package.to_string(), shared.root.to_string(), BUILTIN_PACKAGE.to_owned()],
    };
    let variants: Vec<String> =
        shared.invocation.adapter_chain.iter().map(String::as_str).chain(["default"]).map(|adapter| format!("{adapter}__{name}")).collect();
    for package in &packages {
        for variant in &variants {
            if let Some(found) = scope.macro_value(package, variant) {
                return Ok(found);
            }
        }
    }
    let help = format!("looked for {} in {}", variants.join(", "), packages.join(", "));
    Err(raise_with(&codes::UNKNOWN_MACRO, format!("no variant of macro '{name}' serves '{}'", shared.target.adapter), vec![help]))
}

fn get_relation(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let relation = match args.first().and_then(Value::downcast_object_ref::<RelationValue>) {
        Some(given) => given.relation.clone(),
        None => {
            let (positional, named) = split_args(args);
            let part = |index: usize, name: &str| {
                let by_name = named.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value.clone());
                positional.get(index).cloned().or(by_name).filter(|value| !value.is_none()).map(|value| value.to_string())
            };
            let target = &scope.shared.target;
            let database = part(0, "database").unwrap_or_else(|| target.database.clone());
            let schema = part(1, "schema").unwrap_or_else(|| target.schema.clone());
            Relation::new(&database, &schema, &part(2, "identifier").unwrap_or_default())
        }
    };
    let kind = ask(scope, |warehouse| warehouse.relation_kind(&relation))?.flatten();
    Ok(kind.map_or(Value::from(()), |kind| RelationValue::new(relation, Some(kind)).into_value()))
}

fn columns(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let relation = relation_argument(args.first(), "get_columns_in_relation")?;
    let found = ask(scope, |warehouse| warehouse.columns(&relation))?.unwrap_or_default();
    Ok(List::value(found.into_iter().map(|(name, data_type)| Value::from_object(ColumnValue { name, data_type }))))
}

fn missing_columns(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let from = relation_argument(args.first(), "get_missing_columns")?;
    let to = relation_argument(args.get(1), "get_missing_columns")?;
    let from = ask(scope, |warehouse| warehouse.columns(&from))?.unwrap_or_default();
    let to = ask(scope, |warehouse| warehouse.columns(&to))?.unwrap_or_default();
    let missing = from.into_iter().filter(|(name, _)| !to.iter().any(|(held, _)| held == name));
    Ok(List::value(missing.map(|(name, data_type)| Value::from_object(ColumnValue { name, data_type }))))
}

fn list_relations(scope: &Arc<Scope>, args: &[Value]) -> Result<Value, Error> {
    let schema = match args.first().and_then(Value::downcast_object_ref::<RelationValue>) {
        Some(relation) => relation.relation.schema.to_string(),
        None => args.last().map(ToString::to_string).unwrap_or_default(),
    };
    let found = ask(scope, |warehouse| warehouse.relations(&schema))?.unwrap_or_default();
    Ok(List::value(found.into_iter().map(|(relation, kind)| RelationValue::new(relation, Some(kind)).into_value())))
}

/// Changes that a macro asks for: plain DDL, never with CASCADE.
fn change(scope: &Arc<Scope>, method: &str, args: &[Value]) -> Result<Value, Error> {
    let first = relation_argument(args.first(), method)?;
    let kind = args.first().and_then(Value::downcast_object_ref::<RelationValue>).and_then(|relation| relation.kind);
    let word = match kind {
        Some(crate::base::RelationKind::View) => "view",
        Some(crate::base::RelationKind::MaterializedView) => "materialized view",
        _ => "table",
    };
    let schema = crate::base::quote_ident(&first.schema);
    let sql = match method {
        "drop_relation" => format!("drop {word} if exists {}", first.quoted()),
        "truncate_relation" => format!("delete from {}", first.quoted()),
        "rename_relation" => {
            let to = relation_argument(args.get(1), method)?;
            format!("alter {word} {} rename to {}", first.quoted(), crate::base::quote_ident(&to.identifier))
        }
        "create_schema" => format!("create schema if not exists {schema}"),
        _ => format!("drop schema if exists {schema}"),
    };
    run(scope, &sql, false)?;
    Ok(Value::from(""))
}

/// dbt's `Column`.
#[derive(Debug)]
struct ColumnValue {
    name: String,
    data_type: String,
}

impl ColumnValue {
    fn base_type(&self) -> String {
        self.data_type.split('(').next().unwrap_or("").trim().to_lowercase()
    }

    fn is_one_of(&self, types: &[&str]) -> Value {
        Value::from(types.contains(&self.base_type().as_str()))
    }
}

impl Object for ColumnValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "name" | "column" => Value::from(self.name.as_str()),
            "quoted" => quoted(&self.name),
            "dtype" => Value::from(self.base_type()),
            "data_type" => Value::from(self.data_type.as_str()),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["name", "dtype", "data_type", "quoted"])
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, _args: &[Value]) -> Result<Value, Error> {
        const INTEGERS: [&str; 9] = ["smallint", "integer", "bigint", "int", "int2", "int4", "int8", "hugeint", "tinyint"];
        const FLOATS: [&str; 6] = ["real", "float", "double", "double precision", "float4", "float8"];
        const NUMERICS: [&str; 2] = ["numeric", "decimal"];
        const STRINGS: [&str; 6] = ["text", "varchar", "character varying", "character", "char", "bpchar"];
        match method {
            "is_integer" => Ok(self.is_one_of(&INTEGERS)),
            "is_float" => Ok(self.is_one_of(&FLOATS)),
            "is_numeric" => Ok(self.is_one_of(&NUMERICS)),
            "is_number" => Ok(self.is_one_of(&[&INTEGERS[..], &FLOATS[..], &NUMERICS[..]].concat())),
            "is_string" => Ok(self.is_one_of(&STRINGS)),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// `api.Relation.create(…)` and `api.Column(…)`.
pub(super) struct Api {
    pub(super) scope: Arc<Scope>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<api>")
    }
}

impl Object for Api {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "Relation" => Some(Value::from_object(RelationFactory { scope: self.scope.clone() })),
            "Column" => Some(Value::from_object(ColumnFactory)),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["Relation", "Column"])
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "Column" => Value::from_object(ColumnFactory).call(state, args),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

struct RelationFactory {
    scope: Arc<Scope>,
}

impl fmt::Debug for RelationFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<api.Relation>")
    }
}

impl Object for RelationFactory {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if method != "create" {
            return Err(Error::from(ErrorKind::UnknownMethod));
        }
        let (_, named) = split_args(args);
        let part = |name: &str| {
            named
                .iter()
                .find(|(key, value)| key.as_str() == Some(name) && !value.is_none())
                .map(|(_, value)| value.to_string())
                .unwrap_or_default()
        };
        let database = Some(part("database")).filter(|name| !name.is_empty()).unwrap_or_else(|| self.scope.shared.target.database.clone());
        let relation = Relation::new(&database, &part("schema"), &part("identifier"));
        Ok(RelationValue::new(relation, kind_of(&part("type"))).into_value())
    }
}

/// The type that stands for a general word, as dbt spells it; any other name is a type already.
fn translate_type(label: &str) -> String {
    match label.to_lowercase().as_str() {
        "string" => "TEXT".to_owned(),
        "timestamp" => "TIMESTAMP".to_owned(),
        "float" => "FLOAT".to_owned(),
        "integer" => "INT".to_owned(),
        "boolean" => "BOOLEAN".to_owned(),
        _ => label.to_owned(),
    }
}

#[derive(Debug)]
struct ColumnFactory;

impl Object for ColumnFactory {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (positional, named) = split_args(args);
        let part = |index: usize, names: [&str; 2]| {
            let by_name =
                named.iter().find(|(key, _)| key.as_str().is_some_and(|key| names.contains(&key))).map(|(_, value)| value.to_string());
            positional.get(index).map(ToString::to_string).or(by_name).unwrap_or_default()
        };
        Ok(Value::from_object(ColumnValue { name: part(0, ["column", "name"]), data_type: part(1, ["dtype", "data_type"]) }))
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "create" => self.call(state, args),
            "translate_type" => {
                let (label,): (String,) = from_args(args)?;
                Ok(Value::from(translate_type(&label)))
            }
            "string_type" => {
                let (size,): (i64,) = from_args(args)?;
                Ok(Value::from(format!("character varying({size})")))
            }
            "numeric_type" => {
                let (name, precision, scale): (String, Option<i64>, Option<i64>) = from_args(args)?;
                Ok(Value::from(match (precision, scale) {
                    (Some(precision), Some(scale)) => format!("{name}({precision},{scale})"),
                    _ => name,
                }))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
