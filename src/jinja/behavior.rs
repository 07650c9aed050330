//! `adapter.behavior`: the flags by which dbt's adapters change their ways. None of them is set.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

#[derive(Debug)]
pub(super) struct Behavior;

#[derive(Debug)]
struct Flag;

impl Object for Behavior {
    fn get_value(self: &Arc<Self>, _flag: &Value) -> Option<Value> {
        Some(Value::from_object(Flag))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

impl Object for Flag {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        matches!(key.as_str()?, "setting" | "no_warn").then(|| Value::from(false))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }
}
