//! Python's values and operators for templates, where the engine has none or others.

mod arguments;
mod bytes;
mod compare;
mod decimal;
mod dict;
mod format;
mod list;
mod methods;
mod number;
mod operators;
mod set;
mod string;
mod text;

use minijinja::value::{DynObject, Tuple, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

pub(super) use dict::Dict;
pub(super) use list::List;
use number::float_text;
pub(super) use set::Set;
pub(super) use text::{printed, repr};

use super::failure::{raise, raise_with};
use crate::diag::{codes, nearest};
use decimal::{Decimal, Rounding};

/// Teaches the engine the operators that [`super::desugar`] writes as calls, and to print as Python prints.
pub(super) fn add_language(env: &mut Environment<'static>) {
    operators::add_operators(env);
    env.set_unknown_method_callback(methods::unknown_method);
    env.set_formatter(|out, _state, value| text::print(out, value));
}

pub(super) fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
    Value::from(Tuple::new(items.into_iter().collect()))
}

/// The name of a value's type in Python.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "an undefined value",
        ValueKind::None => "None",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable if value.downcast_object_ref::<Set>().is_some() => "set",
        ValueKind::Seq if value.is_tuple() => "tuple",
        ValueKind::Seq => "list",
        ValueKind::Iterable => "iterator",
        ValueKind::Map => "dict",
        _ if Decimal::of(value).is_some() => "Decimal",
        _ => "object",
    }
}

/// What is said of a method that a value does not have.
pub(super) fn no_method(value: &Value, method: &str, known: &[&str]) -> Error {
    let help = nearest(method, known.iter().copied()).map(|near| format!("did you mean '{near}'?")).into_iter().collect();
    raise_with(&codes::JINJA_ERROR, format!("{} has no method '{method}'", with_article(type_name(value))), help)
}

/// What is said of an operator between values that it cannot take.
pub(super) fn no_operator(operator: &str, left: &Value, right: &Value) -> Error {
    if let Some(error) = undefined(left).or_else(|| undefined(right)) {
        return error;
    }
    let message = format!("'{operator}' does not work between {} and {}", with_article(type_name(left)), with_article(type_name(right)));
    raise(&codes::JINJA_ERROR, message)
}

pub(super) fn undefined(value: &Value) -> Option<Error> {
    value.is_undefined().then(|| raise(&codes::JINJA_ERROR, "an undefined value is used in an expression"))
}

fn with_article(name: &str) -> String {
    match name {
        "None" | "an undefined value" => name.to_owned(),
        "int" | "iterator" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// What values make of a format that have one of their own; dates do.
fn formatted_by_itself(_value: &Value, _spec: &str) -> Option<Result<String, Error>> {
    None
}

/// The order of two objects of one type that is ordered.
fn ordered_objects(left: &DynObject, right: &DynObject) -> Option<std::cmp::Ordering> {
    left.custom_cmp(right)
}

/// A cell of a result as dbt hands it to templates: numbers with a fraction are decimals, whatever the engine's type.
pub(super) fn cell(cell: &serde_json::Value, data_type: &str) -> Value {
    let data_type = data_type.to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| data_type.starts_with(name));
    let text = match cell {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(fraction) => float_text(fraction),
            None => number.to_string(),
        },
        _ => return super::values::from_json(cell),
    };
    if is(&["numeric", "decimal", "double", "real", "float"]) {
        return Decimal::parse(&text).map_or_else(|| super::values::from_json(cell), Decimal::into_value);
    }
    super::values::from_json(cell)
}

/// All items of a value that can be iterated over.
pub(super) fn items(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::None | ValueKind::Bool | ValueKind::Number | ValueKind::Plain => {
            Err(Error::new(ErrorKind::InvalidOperation, format!("{} cannot be iterated over", with_article(type_name(value)))))
        }
        _ => Ok(value.try_iter()?.collect()),
    }
}
