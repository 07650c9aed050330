//! `modules`: the parts of Python's library that dbt hands to templates.

mod datetime;
mod itertools;
mod pytz;
mod re;

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::failure::raise_with;
use super::scope::Scope;
use crate::diag::{codes, nearest};

/// A member of a module: its name, and how it is made.
type Members = &'static [&'static str];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Module {
    Datetime,
    Itertools,
    Pytz,
    Re,
}

const MODULES: [(&str, Module); 4] =
    [("datetime", Module::Datetime), ("itertools", Module::Itertools), ("pytz", Module::Pytz), ("re", Module::Re)];

pub(super) fn value(scope: &Arc<Scope>) -> Value {
    Value::from_object(Modules { scope: scope.clone() })
}

struct Modules {
    scope: Arc<Scope>,
}

impl fmt::Debug for Modules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<modules>")
    }
}

impl Object for Modules {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let (name, module) = MODULES.iter().find(|(known, _)| *known == name)?;
        Some(Value::from_object(ModuleValue { name, module: *module, scope: self.scope.clone() }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["datetime", "itertools", "pytz", "re"])
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, _args: &[Value]) -> Result<Value, Error> {
        Err(unknown("modules", method, &["datetime", "itertools", "pytz", "re"]))
    }
}

struct ModuleValue {
    name: &'static str,
    module: Module,
    scope: Arc<Scope>,
}

impl ModuleValue {
    fn members(&self) -> Members {
        match self.module {
            Module::Datetime => datetime::MEMBERS,
            Module::Itertools => itertools::MEMBERS,
            Module::Pytz => pytz::MEMBERS,
            Module::Re => re::MEMBERS,
        }
    }

    fn member(&self, name: &str) -> Option<Value> {
        match self.module {
            Module::Datetime => datetime::member(&self.scope, name),
            Module::Itertools => None,
            Module::Pytz => pytz::member(name),
            Module::Re => re::member(name),
        }
    }
}

impl fmt::Debug for ModuleValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<module {}>", self.name)
    }
}

impl Object for ModuleValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let (known, module) = (self.members().iter().find(|known| **known == name)?, self.clone());
        Some(self.member(name).unwrap_or_else(|| Value::from_object(MemberValue { module, name: known })))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(self.members())
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if let Some(member) = self.member(method) {
            return member.call(state, args);
        }
        let found = match self.module {
            Module::Itertools => itertools::call(state, method, args),
            Module::Pytz => pytz::call(method, args),
            Module::Re => re::call(state, method, args),
            Module::Datetime => None,
        };
        found.unwrap_or_else(|| Err(unknown(self.name, method, self.members())))
    }
}

/// A function of a module as a value.
struct MemberValue {
    module: Arc<ModuleValue>,
    name: &'static str,
}

impl fmt::Debug for MemberValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<function {}>", self.name)
    }
}

impl Object for MemberValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.module.call_method(state, self.name, args)
    }
}

/// What is said of a member that a module does not have.
fn unknown(module: &str, name: &str, known: &[&str]) -> Error {
    let help = nearest(name, known.iter().copied()).map(|near| format!("did you mean '{near}'?")).into_iter().collect();
    raise_with(&codes::JINJA_ERROR, format!("the module '{module}' has no '{name}'"), help)
}
