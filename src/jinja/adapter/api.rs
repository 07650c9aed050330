//! `api.Relation` and `api.Column`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, State, Value};

use super::arguments::{Arguments, no_method};
use super::column::{class_method, new_column};
use crate::base::Relation;
use crate::jinja::relation::{CONSTANTS, RelationValue, kind_of};
use crate::jinja::values::List;

pub(in crate::jinja) struct Api;

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<api>")
    }
}

impl Object for Api {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "Relation" => Some(Value::from_object(RelationFactory)),
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
            _ => Err(no_method("api", method, &["Column", "Relation"])),
        }
    }
}

/// `api.Column` itself.
pub(in crate::jinja) fn column_class() -> Value {
    Value::from_object(ColumnFactory)
}

struct RelationFactory;

impl fmt::Debug for RelationFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<api.Relation>")
    }
}

impl Object for RelationFactory {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        CONSTANTS.iter().find(|(constant, _)| *constant == name).map(|(_, value)| Value::from(*value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let arguments = Arguments::new(args);
        match method {
            "create" => {
                let part = |index: usize, name: &str| arguments.text(index, &[name]).unwrap_or_default();
                let relation = Relation::new(&part(0, "database"), &part(1, "schema"), &part(2, "identifier"));
                let mut created = RelationValue::new(relation, kind_of(&part(3, "type")));
                for (key, value) in arguments.named() {
                    created.set_policy(key.as_str().unwrap_or_default(), value);
                }
                Ok(created.into_value())
            }
            "add_ephemeral_prefix" => Ok(Value::from(crate::jinja::ephemeral_name(&arguments.text(0, &["name"]).unwrap_or_default()))),
            "scd_args" => {
                let key = arguments.get(0, &["primary_key"]).unwrap_or_default();
                let mut fields: Vec<Value> = if key.as_str().is_some() { vec![key] } else { key.try_iter()?.collect() };
                fields.extend(arguments.get(1, &["updated_at"]));
                Ok(List::value(fields))
            }
            _ => Err(no_method("api.Relation", method, &["add_ephemeral_prefix", "create", "scd_args"])),
        }
    }
}

#[derive(Debug)]
struct ColumnFactory;

impl Object for ColumnFactory {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        Ok(new_column(args))
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        class_method(method, args)
    }
}
