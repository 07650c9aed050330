//! Python's values and operators for templates, where the engine has none or others.

mod arguments;
mod bytes;
mod compare;
pub(super) mod datetime;
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

pub(super) use arguments::{bind, text as text_argument, text_or, whole, whole_or};
pub(super) use compare::{compare, contains, equal, order, same};
pub(super) use decimal::{Decimal, Rounding};
pub(super) use dict::Dict;
pub(super) use format::percent;
pub(super) use list::{List, sort_keyed};
pub(super) use number::{Number, float_text, int, of as number_of};
pub(super) use operators::{add, modulo};
pub(super) use set::Set;
pub(super) use string::{lines, padded, recased, replaced, stripped};
pub(super) use text::{printed, repr};

use super::failure::{UNDEFINED, raise, raise_with};
use crate::diag::{codes, nearest};

/// Teaches the engine the operators that [`super::literals`] writes as calls, and to print as Python prints.
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
        _ if datetime::DateTimeValue::of(value).is_some() => "datetime",
        _ if datetime::DateValue::of(value).is_some() => "date",
        _ if datetime::TimeValue::of(value).is_some() => "time",
        _ if datetime::DeltaValue::of(value).is_some() => "timedelta",
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
    value.is_undefined().then(|| raise(&codes::JINJA_ERROR, UNDEFINED))
}

fn with_article(name: &str) -> String {
    match name {
        "None" | "an undefined value" => name.to_owned(),
        "int" | "iterator" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// What values make of a format that have one of their own; dates do.
fn formatted_by_itself(value: &Value, spec: &str) -> Option<Result<String, Error>> {
    if spec.is_empty() {
        return None;
    }
    let moment = match (datetime::DateValue::of(value), datetime::DateTimeValue::of(value)) {
        (Some(date), _) => datetime::DateTimeValue { at: date.0.to_datetime(jiff::civil::Time::midnight()), zone: None, offset: None },
        (None, Some(moment)) => moment,
        (None, None) => return None,
    };
    Some(Ok(datetime::strftime(&moment, spec)))
}

/// Whether a value without items is data, not a function.
pub(super) fn is_plain_data(value: &Value) -> bool {
    use datetime::{DateTimeValue, DateValue, DeltaValue, TimeValue, Zone};
    Decimal::of(value).is_some()
        || DateValue::of(value).is_some()
        || DateTimeValue::of(value).is_some()
        || TimeValue::of(value).is_some()
        || DeltaValue::of(value).is_some()
        || Zone::of(value).is_some()
        || value.downcast_object_ref::<bytes::Bytes>().is_some()
}

/// `a list`, `an int`: a value by its type.
pub(super) fn named(value: &Value) -> String {
    with_article(type_name(value))
}

/// The values of a format: named ones, or a tuple.
pub(super) fn kwargs_or_tuple(args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = super::values::split_args(args);
    match (positional.is_empty(), named.is_empty()) {
        (false, false) => Err(raise(&codes::WRONG_ARGUMENTS, "a format takes values in order or by name, not both")),
        (true, false) => Ok(Dict::value(named)),
        _ => Ok(tuple(positional.iter().cloned())),
    }
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
    let dated = match data_type.split([' ', '(']).next().unwrap_or("") {
        "date" => datetime::parse_date(&text).map(|date| datetime::DateValue(date).into_value()),
        "timestamp" | "timestamptz" | "datetime" => datetime::parse_datetime(&text).map(datetime::DateTimeValue::into_value),
        _ => None,
    };
    dated.unwrap_or_else(|| super::values::from_json(cell))
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
