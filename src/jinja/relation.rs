//! A relation as templates see it: prints as its quoted name, knows its parts.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, from_args};
use minijinja::{Error, State, Value};

use super::adapter::no_method;
use super::failure::raise;
use super::python::datetime::moment_value;
use super::reading::Empty;
use super::scope::Scope;
use super::values::{Dict, split_args};
use crate::base::{Relation, RelationKind, Window, quote_ident, utc_text};
use crate::diag::codes;

/// dbt's `Relation`. The parts that `include()` left out are not printed, those that `quote()` excepted are printed bare.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RelationValue {
    /// A part that is not known is empty.
    pub(super) relation: Relation,
    pub(super) kind: Option<RelationKind>,
    included: [bool; 3],
    quoted: [bool; 3],
    /// A view of the information schema, which prints behind the database.
    information_schema: Option<Arc<str>>,
    /// The common table expression of an ephemeral model.
    is_cte: bool,
    /// It prints as a subquery without rows.
    empty: Option<Empty>,
    /// It prints as a subquery with the rows of this time.
    filter: Option<EventFilter>,
}

/// The column with the time of a row, as it prints, and the rows that are read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventFilter {
    pub(super) column: String,
    pub(super) window: Window,
}

const PARTS: [&str; 3] = ["database", "schema", "identifier"];

/// The names of types that stand in the class and in each relation of it.
pub(super) const CONSTANTS: [(&str, &str); 6] = [
    ("CTE", "cte"),
    ("External", "external"),
    ("Function", "function"),
    ("MaterializedView", "materialized_view"),
    ("Table", "table"),
    ("View", "view"),
];

const METHODS: [&str; 13] = [
    "add_ephemeral_prefix",
    "create",
    "get",
    "include",
    "incorporate",
    "information_schema",
    "information_schema_only",
    "matches",
    "quote",
    "quoted",
    "relation_max_name_length",
    "render",
    "replace_path",
];

/// What the engine with the shortest names keeps of one; macros cut names for all engines so.
const MAX_NAME: i64 = 63;

impl RelationValue {
    pub(super) fn new(relation: Relation, kind: Option<RelationKind>) -> RelationValue {
        RelationValue {
            relation,
            kind,
            included: [true; 3],
            quoted: [true; 3],
            information_schema: None,
            is_cte: false,
            empty: None,
            filter: None,
        }
    }

    /// The common table expression of an ephemeral model.
    pub(super) fn cte(name: &str) -> RelationValue {
        RelationValue { quoted: [true, true, false], is_cte: true, ..RelationValue::new(Relation::new("", "", name), None) }
    }

    /// The relation as this invocation reads it.
    pub(super) fn read_by(self, scope: &Scope) -> RelationValue {
        RelationValue { empty: scope.reading().and_then(|reading| reading.empty), ..self }
    }

    /// Of what is read, the rows of a time.
    pub(super) fn filtered(self, filter: Option<EventFilter>) -> RelationValue {
        RelationValue { filter, ..self }
    }

    /// The name alone, whatever is read of it.
    fn name(&self) -> String {
        RelationValue { empty: None, filter: None, ..self.clone() }.to_string()
    }

    pub(super) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    fn parts(&self) -> [&Arc<str>; 3] {
        [&self.relation.database, &self.relation.schema, &self.relation.identifier]
    }

    fn part_mut(&mut self, name: &str) -> Option<&mut Arc<str>> {
        match name {
            "database" => Some(&mut self.relation.database),
            "schema" => Some(&mut self.relation.schema),
            "identifier" => Some(&mut self.relation.identifier),
            _ => None,
        }
    }

    fn type_name(&self) -> Option<&'static str> {
        if self.is_cte { Some("cte") } else { self.kind.map(RelationKind::as_str) }
    }

    fn with_flags(&self, args: &[Value], flags: impl Fn(&mut RelationValue) -> &mut [bool; 3]) -> Result<Value, Error> {
        let mut changed = self.clone();
        let (positional, named) = split_args(args);
        let by_position = PARTS.iter().map(|part| Value::from(*part)).zip(positional.iter().cloned());
        for (key, value) in by_position.chain(named) {
            let at = PARTS.iter().position(|part| Some(*part) == key.as_str());
            let slot = at.and_then(|at| flags(&mut changed).get_mut(at));
            match slot {
                Some(_) if value.is_none() || value.is_undefined() => {}
                Some(slot) => *slot = value.is_true(),
                None => return Err(unknown_part(&key)),
            }
        }
        Ok(changed.into_value())
    }

    /// Takes what `include_policy` and `quote_policy` say of some parts.
    pub(super) fn set_policy(&mut self, name: &str, policy: &Value) {
        let flags = match name {
            "include_policy" => &mut self.included,
            "quote_policy" => &mut self.quoted,
            _ => return,
        };
        for (part, flag) in PARTS.iter().zip(flags) {
            if let Some(told) = policy.get_attr(part).ok().filter(|told| !told.is_undefined() && !told.is_none()) {
                *flag = told.is_true();
            }
        }
    }

    /// Replaces parts; none takes a part away.
    fn set_parts(&mut self, parts: &[(Value, Value)]) -> Result<(), Error> {
        for (key, value) in parts {
            let slot = key.as_str().and_then(|name| self.part_mut(name)).ok_or_else(|| unknown_part(key))?;
            *slot = if value.is_none() || value.is_undefined() { "".into() } else { value.to_string().into() };
        }
        Ok(())
    }

    fn incorporate(&self, args: &[Value]) -> Result<Value, Error> {
        let mut changed = self.clone();
        for (key, value) in split_args(args).1 {
            match key.as_str() {
                Some("path") => {
                    let parts: Result<Vec<_>, Error> = value.try_iter()?.map(|key| value.get_item(&key).map(|part| (key, part))).collect();
                    changed.set_parts(&parts?)?;
                }
                Some("type") => {
                    changed.kind = value.as_str().and_then(kind_of);
                    changed.is_cte = value.as_str() == Some("cte");
                }
                Some(policy) => changed.set_policy(policy, &value),
                None => {}
            }
        }
        Ok(changed.into_value())
    }

    fn matches(&self, args: &[Value]) -> Result<Value, Error> {
        let (positional, named) = split_args(args);
        let by_position = PARTS.iter().map(|part| Value::from(*part)).zip(positional.iter().cloned());
        let wanted: Vec<(Value, Value)> = by_position.chain(named).filter(|(_, value)| !value.is_none() && !value.is_undefined()).collect();
        if wanted.is_empty() {
            return Err(raise(&codes::WRONG_ARGUMENTS, "matches() takes a database, a schema or an identifier"));
        }
        let held =
            |name: &str| PARTS.iter().position(|part| *part == name).and_then(|at| self.parts().get(at).map(|part| part.to_string()));
        let same = |(key, value): &(Value, Value)| key.as_str().and_then(held).is_some_and(|part| Some(&*part) == value.as_str());
        Ok(Value::from(wanted.iter().all(same)))
    }

    fn policy(flags: [bool; 3]) -> Value {
        Dict::value(PARTS.iter().zip(flags).map(|(part, flag)| (Value::from(*part), Value::from(flag))))
    }

    fn path(&self) -> Value {
        Dict::value(PARTS.iter().zip(self.parts()).map(|(part, held)| (Value::from(*part), known(held))))
    }
}

fn unknown_part(key: &Value) -> Error {
    raise(&codes::WRONG_ARGUMENTS, format!("a relation has a database, a schema and an identifier, and no part {key:?}"))
}

/// A part, or none when it is not known.
fn known(part: &str) -> Value {
    if part.is_empty() { Value::from(()) } else { Value::from(part) }
}

pub(super) fn kind_of(name: &str) -> Option<RelationKind> {
    match name {
        "table" => Some(RelationKind::Table),
        "view" => Some(RelationKind::View),
        "materialized_view" => Some(RelationKind::MaterializedView),
        "external" => Some(RelationKind::External),
        _ => None,
    }
}

impl fmt::Display for RelationValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(empty) = self.empty {
            write!(f, "(select * from {} where false limit 0)", self.name())?;
            return match empty {
                Empty::Bare => Ok(()),
                Empty::Aliased => write!(f, " _dbt_limit_subq_{}", self.relation.identifier),
            };
        }
        if let Some(EventFilter { column, window }) = &self.filter {
            let (start, end) = (utc_text(window.start), utc_text(window.end));
            // An alias is no harm where none is needed, and one that the query gives counts more.
            let alias = &self.relation.identifier;
            return write!(
                f,
                "(select * from {} where {column} >= '{start}' and {column} < '{end}') _dbt_et_filter_subq_{alias}",
                self.name()
            );
        }
        let mut first = true;
        let mut separate = |f: &mut fmt::Formatter<'_>| if std::mem::take(&mut first) { Ok(()) } else { f.write_str(".") };
        for ((part, included), quoted) in self.parts().into_iter().zip(self.included).zip(self.quoted) {
            if !included || part.is_empty() {
                continue;
            }
            separate(f)?;
            if quoted { f.write_str(&quote_ident(part))? } else { f.write_str(part)? }
        }
        if let Some(view) = &self.information_schema {
            separate(f)?;
            f.write_str("INFORMATION_SCHEMA")?;
            if !view.is_empty() {
                write!(f, ".{view}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RelationValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Object for RelationValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let is = |kind: RelationKind| Value::from(self.kind == Some(kind));
        let replaceable = || Value::from(matches!(self.kind, Some(RelationKind::Table | RelationKind::View)));
        let name = key.as_str()?;
        Some(match name {
            "database" => known(&self.relation.database),
            "schema" => known(&self.relation.schema),
            "identifier" | "name" | "table" => known(&self.relation.identifier),
            "type" => self.type_name().map_or(Value::from(()), Value::from),
            "path" => self.path(),
            "include_policy" => RelationValue::policy(self.included),
            "quote_policy" => RelationValue::policy(self.quoted),
            "quote_character" => Value::from("\""),
            "is_table" => is(RelationKind::Table),
            "is_view" => is(RelationKind::View),
            "is_materialized_view" => is(RelationKind::MaterializedView),
            "is_cte" => Value::from(self.is_cte),
            "is_function" | "is_pointer" => Value::from(false),
            "can_be_renamed" | "can_be_replaced" => replaceable(),
            "event_time_filter" => self.filter.as_ref().map_or(Value::from(()), |filter| {
                let EventFilter { column, window } = filter;
                let entries = [
                    ("field_name", Value::from(column.as_str())),
                    ("start", moment_value(window.start)),
                    ("end", moment_value(window.end)),
                ];
                Dict::value(entries.map(|(name, value)| (Value::from(name), value)))
            }),
            "limit" => Value::from(()),
            _ => return CONSTANTS.iter().find(|(constant, _)| *constant == name).map(|(_, value)| Value::from(*value)),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["database", "schema", "identifier", "type"])
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some((**self).cmp(other.downcast_ref::<RelationValue>()?))
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let changed = || RelationValue::clone(self);
        match method {
            "include" => self.with_flags(args, |relation| &mut relation.included),
            "quote" => self.with_flags(args, |relation| &mut relation.quoted),
            "incorporate" => self.incorporate(args),
            "replace_path" => {
                let mut changed = changed();
                changed.set_parts(&split_args(args).1)?;
                Ok(changed.into_value())
            }
            "render" => Ok(Value::from(self.name())),
            "matches" => self.matches(args),
            "quoted" => {
                let (identifier,): (String,) = from_args(args)?;
                Ok(Value::from(quote_ident(&identifier)))
            }
            "without_identifier" => {
                let mut changed = changed();
                changed.included = [changed.included[0], changed.included[1], false];
                changed.relation.identifier = "".into();
                Ok(changed.into_value())
            }
            "information_schema" | "information_schema_only" => {
                let (view,): (Option<Value>,) = from_args(args)?;
                let view = view.as_ref().and_then(Value::as_str).unwrap_or_default();
                let mut changed = changed();
                changed.relation = Relation { schema: "".into(), identifier: "".into(), ..changed.relation };
                changed.kind = None;
                changed.information_schema = Some(view.into());
                Ok(changed.into_value())
            }
            "relation_max_name_length" => Ok(Value::from(MAX_NAME)),
            "add_ephemeral_prefix" => {
                let (name,): (String,) = from_args(args)?;
                Ok(Value::from(super::ephemeral_name(&name)))
            }
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                // Packages ask for the name of the class to tell relations from texts.
                let metadata = || Dict::value([(Value::from("type"), Value::from("Relation"))]);
                let metadata = (key.as_str() == Some("metadata")).then(metadata);
                Ok(self.get_value(&key).or(metadata).or(default).unwrap_or(Value::from(())))
            }
            _ => Err(no_method("a relation", method, &METHODS)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
