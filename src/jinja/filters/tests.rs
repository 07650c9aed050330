//! Jinja2's tests.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, State, Value};

use super::joined;
use crate::jinja::python::{Decimal, Number, Set, bind, compare, contains, equal, modulo, number_of, same};
use crate::jinja::values::operation;

/// A test: its value first, then its arguments.
type Test = fn(&mut State<'_, '_>, &[Value]) -> Result<bool, Error>;

pub(super) fn add_tests(env: &mut Environment<'static>) {
    for (name, test) in TESTS {
        let test = *test;
        env.add_test(*name, move |state: &mut State<'_, '_>, args: Rest<Value>, named: Kwargs| test(state, &joined(args, named)));
    }
    let comparisons = [
        ("==", &["eq", "equalto"][..]),
        ("!=", &["ne"]),
        ("<", &["lt", "lessthan"]),
        ("<=", &["le"]),
        (">", &["gt", "greaterthan"]),
        (">=", &["ge"]),
    ];
    for (operator, names) in comparisons {
        for name in names.iter().chain([&operator]) {
            env.add_test(*name, move |left: Value, right: Value| compare(operator, &left, &right));
        }
    }
    for kind in ["safe", "startingwith", "endingwith", "containing"] {
        env.remove_test(kind);
    }
}

/// The names that users write; the signs are names too.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    const COMPARISONS: [&str; 10] = ["eq", "equalto", "ne", "lt", "lessthan", "le", "gt", "greaterthan", "ge", "in"];
    TESTS.iter().map(|(name, _)| *name).chain(COMPARISONS)
}

fn one(args: &[Value]) -> Result<Value, Error> {
    let [value] = bind("the test", args, ["value"], 1)?;
    Ok(value.unwrap_or_default())
}

const TESTS: &[(&str, Test)] = &[
    ("callable", |_, args| Ok(is_callable(&one(args)?))),
    ("defined", |_, args| Ok(!one(args)?.is_undefined())),
    ("undefined", |_, args| Ok(one(args)?.is_undefined())),
    ("none", |_, args| Ok(one(args)?.is_none())),
    ("boolean", |_, args| Ok(one(args)?.kind() == ValueKind::Bool)),
    ("true", |_, args| one(args).map(|value| value.kind() == ValueKind::Bool && value.is_true())),
    ("false", |_, args| one(args).map(|value| value.kind() == ValueKind::Bool && !value.is_true())),
    ("integer", |_, args| one(args).map(|value| value.kind() == ValueKind::Number && value.is_integer())),
    ("float", |_, args| one(args).map(|value| value.kind() == ValueKind::Number && !value.is_integer())),
    ("number", |_, args| Ok(number_of(&one(args)?).is_some())),
    ("string", |_, args| Ok(one(args)?.as_str().is_some())),
    ("mapping", |_, args| one(args).map(|value| value.kind() == ValueKind::Map && value.len().is_some())),
    ("sequence", |_, args| {
        let value = one(args)?;
        Ok(match value.kind() {
            ValueKind::String | ValueKind::Seq => true,
            ValueKind::Map => value.len().is_some(),
            _ => false,
        })
    }),
    ("iterable", |_, args| {
        let value = one(args)?;
        Ok(match value.kind() {
            ValueKind::String | ValueKind::Seq | ValueKind::Iterable | ValueKind::Undefined => true,
            ValueKind::Map => value.len().is_some(),
            _ => false,
        })
    }),
    ("sameas", |_, args| {
        let [value, other] = bind("sameas", args, ["value", "other"], 2)?;
        Ok(same(&value.unwrap_or_default(), &other.unwrap_or_default()))
    }),
    ("in", |_, args| {
        let [value, container] = bind("in", args, ["value", "seq"], 2)?;
        contains(&container.unwrap_or_default(), &value.unwrap_or_default())
    }),
    ("odd", |_, args| remainder(&one(args)?, 2).map(|rest| equal(&rest, &Value::from(1)))),
    ("even", |_, args| remainder(&one(args)?, 2).map(|rest| equal(&rest, &Value::from(0)))),
    ("divisibleby", |_, args| {
        let [value, number] = bind("divisibleby", args, ["value", "num"], 2)?;
        let rest = modulo(&value.unwrap_or_default(), &number.unwrap_or_default())?;
        Ok(equal(&rest, &Value::from(0)))
    }),
    ("lower", |_, args| cased(&one(args)?, char::is_lowercase, char::is_uppercase)),
    ("upper", |_, args| cased(&one(args)?, char::is_uppercase, char::is_lowercase)),
    ("escaped", |_, args| one(args).map(|_| false)),
    ("filter", |state, args| Ok(is_registered(state, &one(args)?, knows_filter))),
    ("test", |state, args| Ok(is_registered(state, &one(args)?, knows_test))),
];

fn remainder(value: &Value, by: i64) -> Result<Value, Error> {
    match number_of(value) {
        Some(Number::Int(_) | Number::Float(_) | Number::Decimal(_)) => modulo(value, &Value::from(by)),
        None => Err(operation("odd and even are said of numbers only")),
    }
}

fn cased(value: &Value, wanted: fn(char) -> bool, other: fn(char) -> bool) -> Result<bool, Error> {
    let text = value.to_string();
    Ok(text.chars().any(wanted) && !text.chars().any(other))
}

/// Functions are objects that are neither data nor collections.
fn is_callable(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Plain => Decimal::of(value).is_none() && !crate::jinja::python::is_plain_data(value),
        ValueKind::Map => value.len().is_none(),
        ValueKind::Seq | ValueKind::Iterable => value.downcast_object_ref::<Set>().is_none() && value.len().is_none(),
        _ => false,
    }
}

fn is_registered(state: &State<'_, '_>, name: &Value, knows: impl Fn(&Environment<'_>, &str) -> bool) -> bool {
    name.as_str().is_some_and(|name| knows(state.env(), name))
}

fn knows_filter(env: &Environment<'_>, name: &str) -> bool {
    use minijinja::ErrorKind;
    let tried = env.empty_state().apply_filter(name, &[]);
    !matches!(tried, Err(error) if error.kind() == ErrorKind::UnknownFilter)
}

fn knows_test(env: &Environment<'_>, name: &str) -> bool {
    use minijinja::ErrorKind;
    let tried = env.empty_state().perform_test(name, &[]);
    !matches!(tried, Err(error) if error.kind() == ErrorKind::UnknownTest)
}
