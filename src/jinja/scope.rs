//! What one render can see: macros, then dbt's functions and variables. Shared by the body and all macros that it calls.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use minijinja::value::{Enumerator, Object};
use minijinja::{Environment, Error, State, Value};

use super::failure::{Returned, describe, find_source, raise, raise_with, wrap};
use super::functions;
use super::known::is_alike;
use super::literals::rewrite_expression;
use super::reading::Reading;
use super::span_map::SpanMap;
use super::templates::{BUILTIN_PACKAGE, Shared};
use super::unit::UnitScope;
use super::values::{Dict, List, locked, split_args};
use super::warehouse::Warehouse;
use crate::base::{Relation, RelationKind, UniqueId};
use crate::diag::codes;
use crate::project::{Batch, Config, Manifest, Node, RefCall, SourceCall};

/// What is known while a template is rendered.
#[derive(Clone)]
pub(super) enum Stage {
    /// The first pass: `execute` is false, `ref()` collects, nothing is resolved.
    Parse,
    /// The second: everything is linked; a database may be at hand.
    Execute {
        manifest: Arc<Manifest>,
        state: NodeState,
        warehouse: Option<Arc<dyn Warehouse>>,
        reading: Arc<Reading>,
        unit: Option<Arc<UnitScope>>,
        /// What is rendered is a query that is written anew for the engine: the macros of package `dbt` give PostgreSQL's SQL.
        portable: bool,
    },
}

/// What the database holds for the node that is rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    /// What stands under the node's name now.
    pub existing: Option<RelationKind>,
    pub full_refresh: bool,
    /// The batch of time that is built.
    pub batch: Option<Batch>,
}

/// What a render tells besides its text.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) refs: Vec<RefCall>,
    pub(super) sources: Vec<SourceCall>,
    pub(super) config: Config,
    pub(super) macros: std::collections::BTreeSet<UniqueId>,
    /// Macros being called now, outermost first.
    pub(super) stack: Vec<UniqueId>,
    /// Text and map of each macro call that is finished, since the enclosing template began.
    pub(super) emitted: Vec<(String, Arc<SpanMap>)>,
    pub(super) ephemerals: Vec<UniqueId>,
    pub(super) statements: BTreeMap<String, Value>,
    /// Blocks of `statement` that are rendered now, one in the other.
    pub(super) in_statements: usize,
    /// `log(…, info=true)` and `print()`; `exceptions.warn()`.
    pub(super) messages: Vec<Message>,
    /// Something was asked for that may differ from one invocation to the next.
    pub(super) momentary: bool,
    /// The flags of the invocation were asked for.
    pub(super) flagged: bool,
}

impl Facts {
    /// Whether another invocation may find something else.
    pub(super) fn may_change(&self) -> bool {
        self.momentary || self.flagged
    }
}

/// Something that a template said aloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub warning: bool,
    pub text: String,
}

pub(super) struct Scope {
    pub(super) shared: Arc<Shared>,
    pub(super) node: Arc<Node>,
    pub(super) stage: Stage,
    /// Names that only this render has.
    pub(super) extra: BTreeMap<String, Value>,
    pub(super) facts: Mutex<Facts>,
    /// Something was asked for that differs from node to node.
    pub(super) asked: AtomicBool,
}

/// Macros call each other on the machine's stack, a few kilobytes a call, on threads whose stacks are small.
fn with_room<T>(render: impl FnOnce() -> T) -> T {
    const ENOUGH_FOR_A_CALL: usize = 256 * 1024;
    const MORE: usize = 4 * 1024 * 1024;
    stacker::maybe_grow(ENOUGH_FOR_A_CALL, MORE, render)
}

/// Nested macro calls beyond this are a macro that calls itself for ever.
const MAX_DEPTH: usize = 120;

impl Scope {
    pub(super) fn executing(&self) -> bool {
        matches!(self.stage, Stage::Execute { .. })
    }

    pub(super) fn manifest(&self) -> Option<&Arc<Manifest>> {
        match &self.stage {
            Stage::Execute { manifest, .. } => Some(manifest),
            Stage::Parse => None,
        }
    }

    pub(super) fn warehouse(&self) -> Option<&Arc<dyn Warehouse>> {
        match &self.stage {
            Stage::Execute { warehouse, .. } => warehouse.as_ref(),
            Stage::Parse => None,
        }
    }

    /// How relations are read.
    pub(super) fn reading(&self) -> Option<&Reading> {
        match &self.stage {
            Stage::Execute { reading, .. } => Some(reading),
            Stage::Parse => None,
        }
    }

    pub(super) fn is_portable(&self) -> bool {
        matches!(self.stage, Stage::Execute { portable: true, .. })
    }

    /// The batch of time that is built.
    pub(super) fn batch(&self) -> Option<Batch> {
        match &self.stage {
            Stage::Execute { state, .. } => state.batch,
            Stage::Parse => None,
        }
    }

    /// The node's own relation; before it is known, a stand-in in the target's schema.
    pub(super) fn this(&self) -> Relation {
        self.node.relation.clone().unwrap_or_else(|| {
            let target = &self.shared.target;
            Relation::new(&target.database, &target.schema, self.node.alias.as_deref().unwrap_or(&self.node.name))
        })
    }

    pub(super) fn macro_value(self: &Arc<Self>, package: &str, name: &str) -> Option<Value> {
        Some(self.macro_object(self.shared.package_macro(package, name)?.clone()))
    }

    pub(super) fn macro_object(self: &Arc<Self>, definition: Arc<CompiledMacroRef>) -> Value {
        Value::from_object(MacroValue { definition, scope: self.clone() })
    }

    fn lookup(self: &Arc<Self>, name: &str) -> Option<Value> {
        if let Some(value) = self.extra.get(name) {
            self.asked.store(true, Ordering::Relaxed);
            return Some(value.clone());
        }
        // The operators, which the engine has.
        if name.starts_with("__") {
            return None;
        }
        if let Some(definition) = self.shared.find_macro(name, &self.node.package) {
            return Some(Value::from_object(MacroValue { definition: definition.clone(), scope: self.clone() }));
        }
        if let Some(value) = functions::lookup(self, name) {
            if !is_alike(name) {
                self.asked.store(true, Ordering::Relaxed);
            }
            return Some(value);
        }
        let is_package = self.shared.macros.contains_key(name) || self.shared.packages.iter().any(|package| &*package.name == name);
        is_package.then(|| Value::from_object(Namespace { package: name.into(), scope: self.clone() }))
    }

    /// Calls a macro: binds the arguments, renders its body, and hands back its text or what it returned.
    pub(super) fn call_macro(
        self: &Arc<Self>,
        env: &Environment<'_>,
        definition: &Arc<CompiledMacroRef>,
        args: &[Value],
    ) -> Result<Value, Error> {
        let arguments = bind(self, env, definition, args)?;
        let template = env.get_template(&definition.id)?;
        let arguments_made = self.lately_emitted();
        let children_from = self.enter(definition)?;
        let context = Value::from_object(CallScope { arguments, scope: self.clone() });
        let rendered = with_room(|| {
            if self.executing() {
                template.render_with_spans(context).map(|(text, spans)| (text, Some(spans)))
            } else {
                template.render(context).map(|text| (text, None))
            }
        });
        let children = self.leave(children_from);
        match rendered {
            Ok((text, spans)) => {
                if let (Some(spans), Some(origin)) = (spans, self.shared.macro_origin(&definition.id)) {
                    let map = self.shared.span_map(&text, &spans, origin, children);
                    let map = SpanMap { of_macro: Some(definition.id.clone()), ..map }.with_arguments(&text, &arguments_made);
                    locked(&self.facts).emitted.push((text.clone(), Arc::new(map)));
                }
                Ok(Value::from(text))
            }
            Err(error) => match find_source::<Returned>(&error) {
                Some(returned) => {
                    let value = returned.0.clone();
                    if let (true, Some(text)) = (self.executing(), value.as_str()) {
                        let map = self.returned_map(definition, text);
                        locked(&self.facts).emitted.push((text.to_owned(), Arc::new(map)));
                    }
                    Ok(value)
                }
                None => Err(wrap(describe(&error, &definition.id))),
            },
        }
    }

    /// Text that a macro returned as a value: all of it comes from the macro as a whole.
    fn returned_map(&self, definition: &CompiledMacroRef, text: &str) -> SpanMap {
        let Some(origin) = self.shared.macro_origin(&definition.id) else { return SpanMap::default() };
        let segment = super::span_map::Segment { output: 0..text.len(), source: origin.body, origin: super::span_map::Origin::Expression };
        SpanMap { segments: vec![segment], of_macro: Some(definition.id.clone()) }
    }

    fn enter(&self, definition: &CompiledMacroRef) -> Result<usize, Error> {
        let mut facts = locked(&self.facts);
        if facts.stack.len() >= MAX_DEPTH {
            let help = "end the calls with a condition, or let one of the macros do without the others".to_owned();
            return Err(raise_with(&codes::JINJA_ERROR, format!("macro '{}' calls itself without end", definition.name), vec![help]));
        }
        facts.macros.insert(definition.id.clone());
        facts.stack.push(definition.id.clone());
        Ok(facts.emitted.len())
    }

    /// What macros gave last in the calling template: it may be an argument of the next.
    fn lately_emitted(&self) -> Vec<(String, Arc<SpanMap>)> {
        if !self.executing() {
            return Vec::new();
        }
        let facts = locked(&self.facts);
        facts.emitted.iter().rev().take(MOST_ARGUMENTS).cloned().collect()
    }

    fn leave(&self, children_from: usize) -> Vec<(String, Arc<SpanMap>)> {
        let mut facts = locked(&self.facts);
        facts.stack.pop();
        let from = children_from.min(facts.emitted.len());
        facts.emitted.split_off(from)
    }
}

use super::templates::CompiledMacro as CompiledMacroRef;

/// Python's rules for arguments, with Jinja's `varargs`, `kwargs` and `caller`.
fn bind(
    scope: &Arc<Scope>,
    env: &Environment<'_>,
    definition: &CompiledMacroRef,
    args: &[Value],
) -> Result<BTreeMap<String, Value>, Error> {
    let (positional, named) = split_args(args);
    let mut bound: BTreeMap<String, Value> = BTreeMap::new();
    for ((name, _), value) in definition.parameters.iter().zip(positional) {
        bound.insert(name.clone(), value.clone());
    }
    let extra = positional.get(definition.parameters.len()..).unwrap_or(&[]);
    if definition.takes_varargs {
        bound.insert("varargs".to_owned(), List::value(extra.iter().cloned()));
    } else if !extra.is_empty() {
        let most = match definition.parameters.len() {
            1 => "1 argument".to_owned(),
            many => format!("{many} arguments"),
        };
        return Err(raise(
            &codes::WRONG_ARGUMENTS,
            format!("macro '{}' takes at most {most}, {} are given", definition.name, positional.len()),
        ));
    }
    let mut rest = Vec::new();
    for (key, value) in named {
        let name = key.as_str().unwrap_or_default().to_owned();
        let known = definition.parameters.iter().any(|(parameter, _)| *parameter == name);
        if known && bound.contains_key(&name) {
            return Err(raise(&codes::WRONG_ARGUMENTS, format!("macro '{}' is given argument '{name}' twice", definition.name)));
        }
        if known || name == "caller" {
            bound.insert(name, value);
        } else if definition.takes_kwargs {
            rest.push((key, value));
        } else {
            let error = raise(&codes::WRONG_ARGUMENTS, format!("macro '{}' has no argument '{name}'", definition.name));
            return Err(error);
        }
    }
    if definition.takes_kwargs {
        bound.insert("kwargs".to_owned(), Dict::value(rest));
    }
    for (name, default) in &definition.parameters {
        if !bound.contains_key(name) {
            let value = match default {
                Some(text) => default_value(scope, env, text, &bound)?,
                None => Value::UNDEFINED,
            };
            bound.insert(name.clone(), value);
        }
    }
    Ok(bound)
}

fn default_value(scope: &Arc<Scope>, env: &Environment<'_>, text: &str, bound: &BTreeMap<String, Value>) -> Result<Value, Error> {
    match text {
        "none" | "None" | "null" => Ok(Value::from(())),
        "true" | "True" => Ok(Value::from(true)),
        "false" | "False" => Ok(Value::from(false)),
        "''" | "\"\"" => Ok(Value::from("")),
        "[]" => Ok(List::value([])),
        "{}" => Ok(Dict::value([])),
        _ => {
            let context = Value::from_object(CallScope { arguments: bound.clone(), scope: scope.clone() });
            env.compile_expression_owned(rewrite_expression(text))?.eval(context)
        }
    }
}

/// Calls in the arguments of one call that a map tells apart.
const MOST_ARGUMENTS: usize = 4;

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<context of {}>", self.node.id)
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        // Functions of the language are the engine's own: templates find them there, `context['tojson']` here.
        self.lookup(name).or_else(|| super::library::function(name))
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.lookup(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if let Some(held) = self.lookup(method) {
            return held.call(state, args);
        }
        match method {
            "get" => {
                let [name, default] = super::python::bind(method, args, ["key", "default"], 1)?;
                let found = name.as_ref().and_then(|name| self.get_value(name));
                Ok(found.or(default).unwrap_or(Value::from(())))
            }
            _ => Err(raise(&codes::UNKNOWN_MACRO, format!("no macro or function is called '{method}'"))),
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

/// The context inside a macro: its arguments, then the scope of the render.
#[derive(Debug)]
struct CallScope {
    arguments: BTreeMap<String, Value>,
    scope: Arc<Scope>,
}

impl Object for CallScope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.arguments.get(key) {
            Some(value) => Some(value.clone()),
            None => self.scope.lookup(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

/// A macro that a template can call or pass on.
pub(super) struct MacroValue {
    definition: Arc<CompiledMacroRef>,
    scope: Arc<Scope>,
}

impl fmt::Debug for MacroValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macro {}>", self.definition.id)
    }
}

impl Object for MacroValue {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("name")).then(|| Value::from(self.definition.name.as_str()))
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        super::caller::call(&self.scope, state, &self.definition, args)
    }
}

/// `dbt_utils.` before a macro's name.
struct Namespace {
    package: Arc<str>,
    scope: Arc<Scope>,
}

impl Namespace {
    /// dbt's macros that are functions here.
    fn native(&self, name: &str) -> Option<Value> {
        const NATIVE: [&str; 4] = ["is_incremental", "run_query", "should_full_refresh", "statement"];
        let is_one = &*self.package == BUILTIN_PACKAGE && NATIVE.contains(&name);
        is_one.then(|| functions::lookup(&self.scope, name)).flatten()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<package {}>", self.package)
    }
}

impl Object for Namespace {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        self.scope.unit_macro(&self.package, name).or_else(|| self.scope.macro_value(&self.package, name)).or_else(|| self.native(name))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if let Some(constant) = self.scope.unit_macro(&self.package, method) {
            return constant.call(state, args);
        }
        match (self.scope.shared.package_macro(&self.package, method), self.native(method)) {
            (Some(definition), _) => {
                let definition = definition.clone();
                super::caller::call(&self.scope, state, &definition, args)
            }
            (None, Some(function)) => function.call(state, args),
            (None, None) => {
                let mut failure = super::failure::Failure {
                    code: &codes::UNKNOWN_MACRO,
                    message: format!("package '{}' has no macro '{method}'", self.package),
                    help: Vec::new(),
                    frames: Vec::new(),
                    unknown: None,
                };
                let names = self.scope.shared.macros.get(&self.package).into_iter().flat_map(|macros| macros.keys());
                if let Some(near) = crate::diag::nearest(method, names.map(String::as_str)) {
                    failure.help.push(format!("did you mean '{near}'?"));
                }
                Err(wrap(failure))
            }
        }
    }
}
