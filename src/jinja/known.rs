//! What need not be rendered, because it is known already: what acca's own tests and naming macros say, and texts that were
//! rendered before and asked for nothing that differs from node to node.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};

use super::render::is_call;
use super::templates::{BUILTIN_PACKAGE, CompiledMacro, Shared};
use super::values::{from_json, locked};
use crate::base::UniqueId;
use crate::project::{Config, Detail, GenericTest, Node, RefCall, SourceCall};

/// The functions and variables whose values are the same for every node of a package.
const ALIKE: [&str; 19] = [
    "adapter",
    "dbt_version",
    "doc",
    "env_var",
    "exceptions",
    "execute",
    "flags",
    "fromjson",
    "invocation_id",
    "log",
    "print",
    "project_name",
    "range",
    "return",
    "run_started_at",
    "set",
    "target",
    "tojson",
    "var",
];

/// Whether a name means the same for every node of a package.
pub(super) fn is_alike(name: &str) -> bool {
    ALIKE.binary_search(&name).is_ok()
}

/// The functions and variables that give, before anything is linked, the same for the same node in every invocation, as long as
/// the project, its target, `--vars` and the environment stay the same. What is not here makes a render one of the moment:
/// it is done anew each time.
const LASTING: [&str; 34] = [
    "adapter",
    "api",
    "config",
    "database",
    "dbt_version",
    "doc",
    "env_var",
    "exceptions",
    "execute",
    "fromjson",
    "is_incremental",
    "log",
    "model",
    "namespace",
    "post_hooks",
    "pre_hooks",
    "print",
    "project_name",
    "range",
    "ref",
    "return",
    "run_query",
    "schema",
    "set",
    "set_strict",
    "source",
    "target",
    "this",
    "tojson",
    "try_or_compiler_error",
    "validation",
    "var",
    "zip",
    "zip_strict",
];

/// Whether a name gives the same in every invocation.
pub(super) fn is_lasting(name: &str) -> bool {
    LASTING.binary_search(&name).is_ok()
}

/// The package of the node, and what was rendered for it.
type Rendering = (Arc<str>, String);

/// Texts that were rendered.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) held: Mutex<HashMap<Rendering, Arc<str>>>,
    /// Renders everything anew.
    pub(super) forgets: bool,
}

impl Memory {
    /// The text, from memory or else rendered; `render` says with it whether it may be remembered.
    pub(super) fn text<E>(
        &self,
        package: &Arc<str>,
        what: String,
        render: impl FnOnce() -> Result<(String, bool), E>,
    ) -> Result<Arc<str>, E> {
        let key = (package.clone(), what);
        if let Some(known) = locked(&self.held).get(&key) {
            return Ok(known.clone());
        }
        let (text, alike) = render()?;
        let text: Arc<str> = text.into();
        if alike && !self.forgets {
            locked(&self.held).insert(key, text.clone());
        }
        Ok(text)
    }
}

/// The argument `node` of naming macros: described when a macro looks beyond its name.
pub(super) struct DescribedNode {
    pub(super) node: Arc<Node>,
    described: OnceLock<Value>,
    asked: Arc<OnceLock<()>>,
}

impl DescribedNode {
    /// The value, and what tells afterwards whether anything was asked of it.
    pub(super) fn value(node: Arc<Node>) -> (Value, Arc<OnceLock<()>>) {
        let asked = Arc::new(OnceLock::new());
        let described = DescribedNode { node, described: OnceLock::new(), asked: asked.clone() };
        (Value::from_object(described), asked)
    }

    fn whole(&self) -> &Value {
        let _ = self.asked.set(());
        self.described.get_or_init(|| from_json(&super::describe::node(&self.node)))
    }
}

impl fmt::Debug for DescribedNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.whole(), f)
    }
}

impl Object for DescribedNode {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let _ = self.asked.set(());
        if self.described.get().is_none() && key.as_str() == Some("name") {
            return Some(Value::from(self.node.name.as_str()));
        }
        self.whole().get_item(key).ok().filter(|value| !value.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.whole().try_iter().map(Iterator::collect).unwrap_or_default())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        self.whole().call_method(state, method, args)
    }
}

/// acca's own generic tests.
const TESTS: [&str; 4] = ["accepted_values", "not_null", "relationships", "unique"];
/// The functions that acca's own macros use, which a project may have macros before.
const USED: [&str; 5] = ["adapter", "config", "ref", "return", "source"];
/// What the tests call besides the variant of their own.
const WHERE: &str = "get_where_subquery";

/// Which of acca's own macros stand as they are, no package having one that could come before them.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) alias: bool,
    tests: bool,
}

impl Own {
    pub(super) fn of(shared: &Shared) -> Own {
        let names = || shared.macros.iter().filter(|(package, _)| &***package != BUILTIN_PACKAGE).flat_map(|(_, macros)| macros.keys());
        // A variant for an adapter has the macro's name behind two underscores.
        let free = |name: &str| !names().any(|other| other.ends_with(name));
        let dispatched = shared.packages.iter().any(|package| package.dispatch.contains_key(BUILTIN_PACKAGE));
        let usual = !dispatched && !names().any(|name| USED.contains(&name.as_str()));
        Own {
            alias: usual && free("generate_alias_name"),
            tests: usual && free(WHERE) && TESTS.iter().all(|test| free(&format!("test_{test}"))),
        }
    }
}

impl Own {
    /// Whether a node is one of acca's own tests.
    pub(super) fn is_test(&self, node: &Node) -> bool {
        matches!(&node.detail, Detail::GenericTest(test) if self.tests && test.namespace.is_none() && TESTS.contains(&test.test.as_str()))
    }
}

/// What a generic test says when it is rendered before anything is linked.
#[derive(Debug, PartialEq)]
pub(super) struct TestFacts {
    pub(super) refs: Vec<RefCall>,
    pub(super) sources: Vec<SourceCall>,
    pub(super) macros: BTreeSet<UniqueId>,
}

/// What one of acca's own tests says, where its arguments are such that rendering it cannot fail; `None` for all others.
pub(super) fn test_facts(shared: &Shared, own: &Own, test: &GenericTest, config: &Config) -> Option<TestFacts> {
    let known = own.tests && test.namespace.is_none() && TESTS.contains(&test.test.as_str());
    let condition = config.get("where").is_none_or(|condition| condition.is_string() || condition.is_null());
    if !known || !condition || ["pre-hook", "post-hook"].iter().any(|key| config.get(key).is_some()) {
        return None;
    }
    let mut facts = TestFacts { refs: Vec::new(), sources: Vec::new(), macros: BTreeSet::new() };
    note_call(&mut facts, &test.model_expression)?;
    for (name, value) in &test.arguments {
        match (test.test.as_str(), name.as_str(), value) {
            ("relationships", "to", serde_json::Value::String(call)) => note_call(&mut facts, call)?,
            ("relationships", "field", serde_json::Value::String(field)) if is_plain(field) => {}
            ("accepted_values", "quote", serde_json::Value::Bool(_)) => {}
            ("accepted_values", "values", serde_json::Value::Array(values)) if values.iter().all(is_plain_value) => {}
            _ => return None,
        }
    }
    let needed: &[&str] = match test.test.as_str() {
        "relationships" => &["to", "field"],
        "accepted_values" => &["values"],
        _ => &[],
    };
    if test.column.is_none() || !needed.iter().all(|name| test.arguments.contains_key(*name)) {
        return None;
    }
    for name in [WHERE.to_owned(), format!("default__{WHERE}"), format!("test_{}", test.test), format!("default__test_{}", test.test)] {
        facts.macros.insert(own_macro(shared, &name)?.id.clone());
    }
    Some(facts)
}

fn own_macro<'s>(shared: &'s Shared, name: &str) -> Option<&'s Arc<CompiledMacro>> {
    shared.package_macro(BUILTIN_PACKAGE, name)
}

fn is_plain(text: &str) -> bool {
    !is_call(text) && !text.contains('{')
}

fn is_plain_value(value: &serde_json::Value) -> bool {
    value.as_str().is_some_and(is_plain)
}

/// Notes `ref('a')`, `ref('p', 'a')` or `source('a', 'b')`; `None` for any other call.
fn note_call(facts: &mut TestFacts, call: &str) -> Option<()> {
    let inside = |function: &str| call.trim().strip_prefix(function)?.strip_prefix('(')?.strip_suffix(')');
    let argument = |text: &str| {
        let text = text.trim();
        let name = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        let name = name.or_else(|| text.strip_prefix('"').and_then(|text| text.strip_suffix('"')))?;
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '));
        plain.then(|| name.to_owned())
    };
    if let Some(inside) = inside("ref") {
        let (package, name) = match inside.split_once(',') {
            Some((package, name)) => (Some(argument(package)?), argument(name)?),
            None => (None, argument(inside)?),
        };
        facts.refs.push(RefCall { package, name, version: None, via: Vec::new() });
        return Some(());
    }
    let (source, table) = inside("source")?.split_once(',')?;
    facts.sources.push(SourceCall { source: argument(source)?, table: argument(table)?, via: Vec::new() });
    Some(())
}

/// The alias that acca's own macro gives a node, where nothing but its name counts.
pub(super) fn own_alias(own: &Own, node: &Node) -> Option<String> {
    let versioned = matches!(&node.detail, Detail::Model(model) if model.version.is_some());
    (own.alias && !versioned && node.config.get("alias").is_none()).then(|| node.name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name is either one that lasts or one of these: whoever adds a name decides.
    #[test]
    fn each_name_lasts_or_belongs_to_the_moment() {
        const MOMENTARY: [&str; 29] = [
            "adapter_macro",
            "builtins",
            "column",
            "compiled_code",
            "context",
            "dbt_metadata_envs",
            "defer_relation",
            "env",
            "flags",
            "function",
            "graph",
            "invocation_args_dict",
            "invocation_id",
            "load_agate_table",
            "load_result",
            "metric",
            "modules",
            "render",
            "run_started_at",
            "selected_resources",
            "should_full_refresh",
            "sql",
            "sql_now",
            "statement",
            "store_raw_result",
            "store_result",
            "submit_python_job",
            "thread_id",
            "write",
        ];
        assert!(LASTING.is_sorted() && ALIKE.is_sorted());
        let names = super::super::functions::NAMES.iter().chain(&super::super::context::NAMES).chain(&super::super::rare::NAMES);
        let undecided: Vec<&&str> = names.filter(|name| !is_lasting(name) && !MOMENTARY.contains(name)).collect();
        assert_eq!(undecided, Vec::<&&str>::new());
        assert!(MOMENTARY.iter().all(|name| !is_lasting(name)));
    }
}
