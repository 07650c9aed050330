//! What a criterion may match: one method a kind of question.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Scope;
use super::wildcard::{has_wildcard, matches, matches_path};
use crate::base::ResourceType;
use crate::diag::{Diagnostic, codes};
use crate::project::{Detail, Node};

/// How a criterion matches nodes. Methods that need more than the project (`state:`, `result:`) find it in [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// The name, or package, folders and name joined by dots.
    Fqn,
    Tag,
    Path,
    File,
    Source,
    ResourceType,
    /// The keys from the outside in.
    Config(Vec<String>),
    Package,
    TestName,
    TestType,
    Group,
    Access,
    Version,
    State,
    Result,
    SourceStatus,
    /// Resources of one type, by name or by package and name.
    Named(&'static str),
}

/// All methods without arguments.
const METHODS: &[(&str, Method)] = &[
    ("access", Method::Access),
    ("exposure", Method::Named("exposure")),
    ("file", Method::File),
    ("fqn", Method::Fqn),
    ("group", Method::Group),
    ("metric", Method::Named("metric")),
    ("package", Method::Package),
    ("path", Method::Path),
    ("resource_type", Method::ResourceType),
    ("result", Method::Result),
    ("saved_query", Method::Named("saved_query")),
    ("semantic_model", Method::Named("semantic_model")),
    ("source", Method::Source),
    ("source_status", Method::SourceStatus),
    ("state", Method::State),
    ("tag", Method::Tag),
    ("test_name", Method::TestName),
    ("test_type", Method::TestType),
    ("unit_test", Method::Named("unit_test")),
    ("version", Method::Version),
];

const RESOURCE_TYPES: [&str; 12] = [
    "analysis",
    "exposure",
    "function",
    "metric",
    "model",
    "saved_query",
    "seed",
    "semantic_model",
    "snapshot",
    "source",
    "test",
    "unit_test",
];
const TEST_TYPES: [&str; 5] = ["generic", "singular", "unit", "schema", "data"];
const STATES: [&str; 10] = [
    "new",
    "old",
    "modified",
    "modified.body",
    "modified.configs",
    "modified.contract",
    "modified.macros",
    "modified.persisted_descriptions",
    "modified.relation",
    "unmodified",
];
const RESULTS: [&str; 9] = ["success", "error", "skipped", "pass", "fail", "warn", "partial success", "no-op", "runtime error"];
const VERSIONS: [&str; 4] = ["latest", "prerelease", "old", "none"];

impl Method {
    /// # Errors
    /// `invalid-selector`, with the methods that exist.
    pub(super) fn parse(name: &str) -> Result<Method, Diagnostic> {
        if let Some(keys) = name.strip_prefix("config.").filter(|keys| !keys.is_empty()) {
            return Ok(Method::Config(keys.split('.').map(str::to_owned).collect()));
        }
        if let Some((_, method)) = METHODS.iter().find(|(known, _)| *known == name) {
            return Ok(method.clone());
        }
        let known = METHODS.iter().map(|(known, _)| *known).chain(["config.<key>"]);
        Err(Diagnostic::new(&codes::INVALID_SELECTOR, format!("there is no selection method '{name}'"))
            .did_you_mean(name, known.clone())
            .help(format!("the methods are: {}", known.collect::<Vec<_>>().join(", "))))
    }

    /// As it is written.
    pub(super) fn name(&self) -> String {
        if let Method::Config(keys) = self {
            return format!("config.{}", keys.join("."));
        }
        METHODS.iter().find(|(_, method)| method == self).map_or_else(String::new, |(name, _)| (*name).to_owned())
    }

    /// The method of a criterion that names none.
    pub(super) fn default_for(value: &str) -> Method {
        let lower = value.to_lowercase();
        if value.contains('/') {
            Method::Path
        } else if [".sql", ".csv", ".py"].iter().any(|suffix| lower.ends_with(suffix)) {
            Method::File
        } else {
            Method::Fqn
        }
    }

    /// Refuses values that can never match in any project.
    ///
    /// # Errors
    /// `invalid-selector`.
    pub(super) fn check_value(&self, value: &str) -> Result<(), Diagnostic> {
        self.check_parts(value)?;
        let (what, allowed): (&str, &[&str]) = match self {
            Method::ResourceType => ("resource type", &RESOURCE_TYPES),
            Method::TestType => ("type of tests", &TEST_TYPES),
            Method::Version => ("kind of version", &VERSIONS),
            Method::State => ("kind of change", &STATES),
            Method::Result => ("status of results", &RESULTS),
            Method::SourceStatus => ("status of sources", &["fresher"]),
            _ => return Ok(()),
        };
        if allowed.iter().any(|known| matches(value, known)) {
            return Ok(());
        }
        Err(Diagnostic::new(&codes::INVALID_SELECTOR, format!("there is no {what} '{value}'"))
            .did_you_mean(value, allowed.iter().copied())
            .help(format!("one of: {}", allowed.join(", "))))
    }

    /// Refuses more dots than a name of that kind has.
    fn check_parts(&self, value: &str) -> Result<(), Diagnostic> {
        let (most, form) = match self {
            Method::Source => (3, "source, source.table or package.source.table"),
            Method::Named(_) => (2, "name or package.name"),
            _ => return Ok(()),
        };
        if value.split('.').count() <= most {
            return Ok(());
        }
        Err(Diagnostic::new(&codes::INVALID_SELECTOR, format!("'{value}' has too many dots")).help(format!("write {form}")))
    }

    pub(super) fn is_match(&self, value: &str, node: &Node, scope: &Scope<'_>) -> bool {
        match self {
            Method::Fqn => !is_outside(node) && matches_fqn(value, node),
            Method::Tag => node.tags().iter().any(|tag| matches(value, tag)),
            Method::Path => paths(node, scope).iter().any(|path| matches_path(value, path)),
            Method::File => matches_file(value, scope.path(node)),
            Method::Source => matches!(&node.detail, Detail::Source(source) if {
                matches_named(value, &[&node.package, &source.source_name, &node.name], 1)
            }),
            Method::Named(resource) => {
                node.resource.as_str() == *resource && matches_named(value, &[&node.package, node.fqn.last().map_or("", String::as_str)], 0)
            }
            Method::ResourceType => matches(value, node.resource.as_str()),
            Method::Config(keys) => matches_config_of(value, node, keys),
            Method::Package => matches(if value == "this" { scope.root } else { value }, &node.package),
            Method::TestName => test_names(node).iter().any(|name| matches(value, name)),
            Method::TestType => test_types(node).iter().any(|kind| matches(value, kind)),
            Method::Group => node.config.str("group").is_some_and(|group| matches(value, group)),
            Method::Access => node.resource == ResourceType::Model && matches(value, node.config.str("access").unwrap_or("protected")),
            Method::State => scope.compared.is_some_and(|compared| compared.matches_state(value, &node.id)),
            Method::Result => scope.compared.is_some_and(|compared| compared.matches_result(value, &node.id)),
            Method::SourceStatus => scope.compared.is_some_and(|compared| compared.is_fresher(&node.id)),
            Method::Version => version_kind(node).is_some_and(|kind| matches(value, kind)),
        }
    }

    /// What might have been meant by a value that matches nothing, for the same method.
    pub(super) fn candidates(&self, scope: &Scope<'_>) -> BTreeSet<String> {
        let nodes = scope.manifest.nodes.iter();
        match self {
            Method::Fqn => nodes.filter(|node| !is_outside(node)).map(|node| node.name.clone()).collect(),
            Method::Tag => nodes.flat_map(Node::tags).collect(),
            Method::Path => nodes.flat_map(|node| folders(scope.path(node))).collect(),
            Method::File => nodes.map(|node| file_name(scope.path(node)).to_owned()).collect(),
            Method::Source => nodes
                .filter_map(|node| match &node.detail {
                    Detail::Source(source) => Some([source.source_name.clone(), format!("{}.{}", source.source_name, node.name)]),
                    _ => None,
                })
                .flatten()
                .collect(),
            Method::Named(resource) => {
                nodes.filter(|node| node.resource.as_str() == *resource).filter_map(|node| node.fqn.last().cloned()).collect()
            }
            Method::Config(keys) => nodes.filter_map(|node| config_value(node, keys)).flat_map(|value| texts(&value)).collect(),
            Method::Package => nodes.map(|node| node.package.to_string()).collect(),
            Method::TestName => nodes.flat_map(test_names).collect(),
            Method::Group => nodes.filter_map(|node| node.config.str("group").map(str::to_owned)).collect(),
            Method::ResourceType
            | Method::TestType
            | Method::Access
            | Method::Version
            | Method::State
            | Method::Result
            | Method::SourceStatus => BTreeSet::new(),
        }
    }
}

/// Sources are selected by methods of their own only.
fn is_outside(node: &Node) -> bool {
    matches!(node.resource, ResourceType::Source | ResourceType::Operation)
}

/// Each part of the value matches a part of the name. A value of fewer parts leaves out the package in front, or, where the name has
/// `behind` parts that may be missing at the end, those first.
fn matches_named(value: &str, name: &[&str], behind: usize) -> bool {
    let asked: Vec<&str> = value.split('.').collect();
    let skipped = usize::from(asked.len() < name.len());
    let held = name.get(skipped..).unwrap_or_default();
    asked.len() + behind >= held.len() && asked.len() <= held.len() && asked.iter().zip(held).all(|(part, name)| matches(part, name))
}

fn matches_fqn(value: &str, node: &Node) -> bool {
    let last = node.fqn.last().map_or("", String::as_str);
    if last == value {
        return true;
    }
    if let (Detail::Model(model), Some(version)) = (&node.detail, node.fqn.last())
        && model.version.is_some()
        && [node.name.clone(), format!("{}.{version}", node.name), format!("{}_{version}", node.name)].iter().any(|name| name == value)
    {
        return true;
    }
    // Dots in names count as folders.
    let full: Vec<&str> = node.fqn.iter().flat_map(|part| part.split('.')).collect();
    let asked: Vec<&str> = value.split('.').collect();
    if has_wildcard(value) && !value.contains('.') && matches(value, leaf(node)) {
        return true;
    }
    matches_prefix(&asked, &full) || full.get(1..).is_some_and(|unscoped| matches_prefix(&asked, unscoped))
}

/// The name as a pattern without dots finds it in any folder: not the version behind it.
fn leaf(node: &Node) -> &str {
    match &node.detail {
        Detail::Model(model) if model.version.is_some() => &node.name,
        _ => node.fqn.last().map_or("", String::as_str),
    }
}

/// Whole folders match what is inside them; from the first part with a wildcard on, the rest is matched as one text.
fn matches_prefix(asked: &[&str], full: &[&str]) -> bool {
    if asked.len() > full.len() {
        return false;
    }
    for (at, (part, name)) in asked.iter().zip(full).enumerate() {
        if has_wildcard(part) {
            let rest = |parts: &[&str]| parts.get(at..).unwrap_or_default().join(".");
            return matches(&rest(asked), &rest(full));
        }
        if part != name {
            return false;
        }
    }
    true
}

/// The file of the body and that of the properties.
fn paths<'a>(node: &Node, scope: &Scope<'a>) -> Vec<&'a str> {
    let properties = node.properties.map(|span| scope.sources.path(span.file));
    std::iter::once(scope.path(node)).chain(properties).collect()
}

fn folders(path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).map(str::to_owned).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn matches_file(value: &str, path: &str) -> bool {
    let name = file_name(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    matches(value, name) || matches(value, stem)
}

fn matches_config_of(value: &str, node: &Node, keys: &[String]) -> bool {
    // The severity of tests is written in capitals by some and not by others.
    let is_severity = matches!(keys, [only] if only == "severity");
    match config_value(node, keys) {
        Some(Value::String(text)) if is_severity => matches(&value.to_lowercase(), &text.to_lowercase()),
        Some(found) => matches_config(value, &found),
        None => false,
    }
}

fn config_value(node: &Node, keys: &[String]) -> Option<Value> {
    let (first, rest) = keys.split_first()?;
    if node.resource == ResourceType::Exposure {
        return None;
    }
    let key = first.as_str();
    let held = match key {
        "materialized" => Value::from(node.materialized()),
        "tags" => Value::from(node.config_tags()),
        _ => match (node.config.get(key), preset(node, key)) {
            (Some(Value::Object(held)), Some(Value::Object(mut preset))) => {
                preset.extend(held.clone());
                Value::Object(preset)
            }
            (Some(held), _) => held.clone(),
            (None, preset) => preset?,
        },
    };
    rest.iter().try_fold(held, |value, key| value.get(key).cloned())
}

/// What holds where nothing is said.
fn preset(node: &Node, key: &str) -> Option<Value> {
    let is = |resource: ResourceType| node.resource == resource;
    let is_built = matches!(node.resource, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Analysis);
    match key {
        "enabled" => Some(Value::Bool(true)),
        "severity" if is(ResourceType::Test) => Some("ERROR".into()),
        "fail_calc" if is(ResourceType::Test) => Some("count(*)".into()),
        "warn_if" | "error_if" if is(ResourceType::Test) => Some("!= 0".into()),
        "schema" if is(ResourceType::Test) => Some("dbt_test__audit".into()),
        "access" if is(ResourceType::Model) => Some("protected".into()),
        "delimiter" if is(ResourceType::Seed) => Some(",".into()),
        "on_schema_change" if is_built => Some("ignore".into()),
        "on_configuration_change" if is_built => Some("apply".into()),
        "docs" if is_built => Some(json!({"show": true})),
        "contract" if is_built => Some(json!({"enforced": false, "alias_types": true})),
        _ => None,
    }
}

/// Lists match by an element, mappings by a key; letter case counts except in `true` and `false`.
fn matches_config(value: &str, found: &Value) -> bool {
    match found {
        Value::String(text) => matches(value, text),
        Value::Bool(truth) => value.eq_ignore_ascii_case(if *truth { "true" } else { "false" }),
        Value::Number(number) => number.to_string() == value,
        Value::Array(items) => items.iter().any(|item| matches_config(value, item)),
        Value::Object(entries) => entries.keys().any(|key| matches(value, key)),
        Value::Null => false,
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(entries) => entries.keys().cloned().collect(),
        Value::Null => Vec::new(),
    }
}

fn test_names(node: &Node) -> Vec<String> {
    match &node.detail {
        Detail::GenericTest(test) => {
            let scoped = test.namespace.as_ref().map(|namespace| format!("{namespace}.{}", test.test));
            std::iter::once(test.test.clone()).chain(scoped).collect()
        }
        _ => Vec::new(),
    }
}

fn test_types(node: &Node) -> &'static [&'static str] {
    match node.detail {
        Detail::GenericTest(_) => &["generic", "schema", "data"],
        Detail::SingularTest => &["singular", "data"],
        Detail::UnitTest(_) => &["unit"],
        _ if node.resource.as_str() == "unit_test" => &["unit"],
        _ => &[],
    }
}

fn version_kind(node: &Node) -> Option<&'static str> {
    let Detail::Model(model) = &node.detail else { return None };
    let number = |text: &str| text.parse::<f64>().ok();
    match (&model.version, &model.latest_version) {
        (None, _) => Some("none"),
        (Some(version), Some(latest)) if version == latest => Some("latest"),
        (Some(version), Some(latest)) => match (number(version), number(latest)) {
            (Some(version), Some(latest)) if version < latest => Some("old"),
            (None, _) | (_, None) if version < latest => Some("old"),
            _ => Some("prerelease"),
        },
        (Some(_), None) => Some("latest"),
    }
}
