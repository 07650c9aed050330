//! Arguments of methods that take them by position or by name, as Python's do.

use minijinja::{Error, Value};

use crate::diag::{codes, nearest};
use crate::jinja::failure::raise_with;
use crate::jinja::values::split_args;

pub(super) struct Arguments<'a> {
    positional: &'a [Value],
    named: Vec<(Value, Value)>,
}

impl<'a> Arguments<'a> {
    pub(super) fn new(args: &'a [Value]) -> Arguments<'a> {
        let (positional, named) = split_args(args);
        Arguments { positional, named }
    }

    /// The argument, unless it is missing, none or undefined.
    pub(super) fn get(&self, index: usize, names: &[&str]) -> Option<Value> {
        let by_name = || self.named.iter().find(|(key, _)| key.as_str().is_some_and(|key| names.contains(&key))).map(|(_, value)| value);
        self.positional.get(index).or_else(by_name).filter(|value| !value.is_none() && !value.is_undefined()).cloned()
    }

    pub(super) fn text(&self, index: usize, names: &[&str]) -> Option<String> {
        self.get(index, names).map(|value| value.to_string())
    }

    pub(super) fn named(&self) -> &[(Value, Value)] {
        &self.named
    }
}

/// A method that is not there, with the nearest one that is.
pub(in crate::jinja) fn no_method(object: &str, method: &str, methods: &[&str]) -> Error {
    let help = nearest(method, methods.iter().copied()).map(|near| format!("did you mean '{near}'?")).into_iter().collect();
    raise_with(&codes::UNKNOWN_MACRO, format!("{object} has no method '{method}'"), help)
}
