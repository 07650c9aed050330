//! A relation as templates see it: prints as its quoted name, knows its parts.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::reading::Empty;
use super::scope::Scope;
use super::values::split_args;
use crate::base::{Relation, RelationKind, quote_ident};

/// dbt's `Relation`. The parts that `include()` left out are not printed, those that `quote()` excepted are printed bare.
#[derive(Clone)]
pub(super) struct RelationValue {
    pub(super) relation: Relation,
    pub(super) kind: Option<RelationKind>,
    included: [bool; 3],
    quoted: [bool; 3],
    /// `(select …)` of an ephemeral model or an alias that replaces the whole printed name.
    pub(super) rendered: Option<Arc<str>>,
    /// It prints as a subquery without rows.
    empty: Option<Empty>,
}

const PARTS: [&str; 3] = ["database", "schema", "identifier"];

impl RelationValue {
    pub(super) fn new(relation: Relation, kind: Option<RelationKind>) -> RelationValue {
        RelationValue { relation, kind, included: [true; 3], quoted: [true; 3], rendered: None, empty: None }
    }

    /// A relation that prints as `text`: the common table expression of an ephemeral model.
    pub(super) fn printed_as(relation: Relation, text: &str) -> RelationValue {
        RelationValue { rendered: Some(text.into()), ..RelationValue::new(relation, None) }
    }

    /// The relation as this invocation reads it.
    pub(super) fn read_by(self, scope: &Scope) -> RelationValue {
        RelationValue { empty: scope.reading().and_then(|reading| reading.empty), ..self }
    }

    /// The name alone, whatever is read of it.
    fn name(&self) -> String {
        RelationValue { empty: None, ..self.clone() }.to_string()
    }

    pub(super) fn into_value(self) -> Value {
        Value::from_object(self)
    }

    fn parts(&self) -> [&str; 3] {
        [&self.relation.database, &self.relation.schema, &self.relation.identifier]
    }

    fn with_flags(&self, args: &[Value], flags: impl Fn(&mut RelationValue) -> &mut [bool; 3]) -> Result<Value, Error> {
        let mut changed = self.clone();
        let (positional, named) = split_args(args);
        if let Some(extra) = positional.first() {
            return Err(Error::new(ErrorKind::TooManyArguments, format!("takes only named arguments, not {extra:?}")));
        }
        for (key, value) in named {
            let at = PARTS.iter().position(|part| Some(*part) == key.as_str());
            let slot = at.and_then(|at| flags(&mut changed).get_mut(at));
            match slot {
                Some(slot) => *slot = value.is_true(),
                None => return Err(Error::new(ErrorKind::TooManyArguments, format!("a relation has no part {key:?}"))),
            }
        }
        Ok(changed.into_value())
    }

    fn incorporate(&self, args: &[Value]) -> Result<Value, Error> {
        let mut changed = self.clone();
        for (key, value) in split_args(args).1 {
            match key.as_str() {
                Some("path") => {
                    for (part, slot) in
                        PARTS.iter().zip([&mut changed.relation.database, &mut changed.relation.schema, &mut changed.relation.identifier])
                    {
                        if let Some(text) = value.get_attr(part)?.as_str() {
                            *slot = text.into();
                        }
                    }
                }
                Some("type") => changed.kind = value.as_str().and_then(kind_of),
                _ => {}
            }
        }
        Ok(changed.into_value())
    }
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
                Empty::Aliased => write!(f, " _dbt_limit_subq_{}", self.rendered.as_deref().unwrap_or(&self.relation.identifier)),
            };
        }
        if let Some(text) = &self.rendered {
            return f.write_str(text);
        }
        let mut first = true;
        for ((part, included), quoted) in self.parts().into_iter().zip(self.included).zip(self.quoted) {
            if !included || part.is_empty() {
                continue;
            }
            if !first {
                f.write_str(".")?;
            }
            first = false;
            if quoted { f.write_str(&quote_ident(part))? } else { f.write_str(part)? }
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
        Some(match key.as_str()? {
            "database" => Value::from(&*self.relation.database),
            "schema" => Value::from(&*self.relation.schema),
            "identifier" | "name" | "table" => Value::from(&*self.relation.identifier),
            "type" => self.kind.map_or(Value::from(()), |kind| Value::from(kind.as_str())),
            "is_table" => is(RelationKind::Table),
            "is_view" => is(RelationKind::View),
            "is_materialized_view" => is(RelationKind::MaterializedView),
            "is_cte" => Value::from(self.rendered.is_some()),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["database", "schema", "identifier", "type"])
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "include" => self.with_flags(args, |relation| &mut relation.included),
            "quote" => self.with_flags(args, |relation| &mut relation.quoted),
            "incorporate" => self.incorporate(args),
            "render" => Ok(Value::from(self.name())),
            "without_identifier" => {
                let mut changed = RelationValue::clone(self);
                changed.included = [true, true, false];
                Ok(changed.into_value())
            }
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self.get_value(&key).or(default).unwrap_or(Value::from(())))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
