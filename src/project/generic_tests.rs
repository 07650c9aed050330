//! Makes test nodes of the uses of generic tests in properties files, named and identified exactly as dbt names them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use md5::{Digest, Md5};
use serde_json::{Map, Value};

use super::Config;
use super::config_tree::insert_config;
use super::fields::Fields;
use super::loader::Loader;
use super::node::{Detail, GenericTest, Node};
use super::properties::Scope;
use super::python;
use super::resources::Catalog;
use super::yaml::{Entry, Yaml, YamlValue, find};
use crate::base::{ResourceType, Span, UniqueId};
use crate::diag::{Diagnostic, codes};

/// What the tests are attached to.
#[derive(Clone)]
pub(super) struct TestTarget {
    pub attached: UniqueId,
    pub kind: TargetKind,
    /// Tags that the tests take over (of a source and its table).
    pub tags: Vec<String>,
}

#[derive(Clone)]
pub(super) enum TargetKind {
    Node { name: String, version: Option<String> },
    Source { source: String, table: String },
}

impl TestTarget {
    fn expression(&self) -> String {
        match &self.kind {
            TargetKind::Node { name, version: None } => format!("ref('{name}')"),
            TargetKind::Node { name, version: Some(version) } => format!("ref('{name}', version='{version}')"),
            TargetKind::Source { source, table } => format!("source('{source}', '{table}')"),
        }
    }

    /// The part of a test's name that says what is tested.
    fn name(&self) -> String {
        match &self.kind {
            TargetKind::Node { name, version: None } => name.clone(),
            TargetKind::Node { name, version: Some(version) } => format!("{name}_v{version}"),
            TargetKind::Source { source, table } => format!("{source}_{table}"),
        }
    }
}

/// The column that tests stand under.
#[derive(Clone)]
pub(super) struct TestColumn {
    /// In quotes where the column says so.
    pub name: String,
    pub span: Span,
    pub tags: Vec<String>,
}

/// Configuration that may stand beside a test's arguments, from before there was `config:`.
const CONFIG_KEYS: &[&str] = &[
    "severity",
    "tags",
    "enabled",
    "where",
    "limit",
    "warn_if",
    "error_if",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "meta",
    "database",
    "schema",
    "alias",
];

/// Notes the tests of one `data_tests:` list in the catalog, to be made when all are known.
pub(super) fn add_tests(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    catalog: &mut Catalog,
    target: &TestTarget,
    column: Option<&TestColumn>,
    tests: &[Yaml],
) {
    for test in tests {
        let written = written_test(loader, test);
        catalog.tests.extend(written.and_then(|written| test_use(loader, scope, target, column, &written)));
    }
}

/// A use of a test with its keys not yet sorted out.
struct Written<'y> {
    name: String,
    span: Span,
    entries: Vec<&'y Entry>,
}

fn wrong(loader: &mut Loader<'_>, message: &str, span: Span, help: &str) {
    loader.diagnostics.push(Diagnostic::new(&codes::INVALID_CONFIG, message).at(span).help(help));
}

fn written_test<'y>(loader: &mut Loader<'_>, test: &'y Yaml) -> Option<Written<'y>> {
    match &test.value {
        YamlValue::Text(name) => Some(Written { name: name.clone(), span: test.span, entries: Vec::new() }),
        YamlValue::Map(entries) => {
            if let Some(named) = find(entries, "test_name") {
                let name = named.value.scalar_text()?;
                let entries = entries.iter().filter(|entry| entry.key != "test_name").collect();
                return Some(Written { name, span: named.value.span, entries });
            }
            let [entry] = entries.as_slice() else {
                let span = entries.get(1).map_or(test.span, |entry| entry.key_span);
                wrong(loader, "a test has more than one name", span, "indent the arguments under the name of the test");
                return None;
            };
            match &entry.value.value {
                YamlValue::Map(inner) => Some(Written { name: entry.key.clone(), span: entry.key_span, entries: inner.iter().collect() }),
                YamlValue::Null => Some(Written { name: entry.key.clone(), span: entry.key_span, entries: Vec::new() }),
                _ => {
                    let message = format!("the arguments of test '{}' are {}, and a mapping is needed", entry.key, entry.value.kind());
                    wrong(loader, &message, entry.value.span, "write each argument with its name");
                    None
                }
            }
        }
        _ => {
            let message = format!("a test is {}, and the name of a test is needed", test.kind());
            wrong(loader, &message, test.span, "write '- not_null', or '- accepted_values:' with arguments under it");
            None
        }
    }
}

/// A use of a test, sorted out.
#[derive(Default)]
struct Parts {
    arguments: BTreeMap<String, Value>,
    /// In the order of the file, which the values of a mapping keep in the name.
    config: Config,
    custom_name: Option<String>,
    description: String,
}

/// A use of a test of which only the node is to be made: its name and its id are sums over all that it says.
pub(super) struct TestUse {
    package: Arc<str>,
    /// Package and folders.
    place: Vec<String>,
    target: TestTarget,
    column: Option<TestColumn>,
    namespace: Option<String>,
    test: String,
    span: Span,
    parts: Parts,
}

fn test_use(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    target: &TestTarget,
    column: Option<&TestColumn>,
    written: &Written<'_>,
) -> Option<TestUse> {
    let (namespace, test) = split_name(loader, written)?;
    let parts = parts(loader, scope, written)?;
    let mut place = scope.test_fqn("");
    place.pop();
    let package = Arc::clone(&scope.package);
    Some(TestUse { package, place, target: target.clone(), column: column.cloned(), namespace, test, span: written.span, parts })
}

impl TestUse {
    pub(super) fn into_node(self) -> Node {
        let TestUse { package, place: mut fqn, target, column, namespace, test, span, mut parts } = self;
        let mut hashed = parts.arguments.clone();
        if let Some(column) = &column {
            hashed.entry("column_name".to_owned()).or_insert_with(|| Value::from(column.name.as_str()));
        }
        let name = match parts.custom_name.take() {
            Some(name) => name,
            None => {
                let prefix = if matches!(target.kind, TargetKind::Source { .. }) { "source_" } else { "" };
                let kind = namespace.as_ref().map_or_else(|| format!("{prefix}{test}"), |space| format!("{space}_{prefix}{test}"));
                let names = synthesize(&kind, &target.name(), &hashed);
                if names.short != names.full && parts.config.get("alias").is_none() {
                    parts.config.insert("alias", Value::from(names.short), None);
                }
                names.full
            }
        };
        let expression = target.expression();
        hashed.insert("model".to_owned(), Value::from(format!("{{{{ get_where_subquery({expression}) }}}}")));
        let hash = metadata_hash(&name, namespace.as_deref(), &test, &hashed);
        let (tags, config_call) = (all_tags(&parts.config, &target, column.as_ref()), config_call(&parts.config));
        let id = format!("test.{package}.{name}.{hash}").into();
        fqn.push(name.clone());
        let detail = GenericTest {
            test,
            namespace,
            arguments: parts.arguments,
            model_expression: expression,
            attached: target.attached,
            column_span: column.as_ref().map(|column| column.span),
            column: column.map(|column| column.name),
            span,
            tags,
            config_call,
        };
        let mut node = Node::new(ResourceType::Test, &package, &name, fqn, span, Detail::GenericTest(Box::new(detail)));
        node.id = id;
        node.properties = Some(span);
        node.description = parts.description;
        node.config = parts.config;
        node
    }
}

/// `dbt_utils.equal_rowcount` → its namespace and its name.
fn split_name(loader: &mut Loader<'_>, written: &Written<'_>) -> Option<(Option<String>, String)> {
    let word = |text: &str| {
        !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let (namespace, test) = written.name.split_once('.').map_or((None, written.name.as_str()), |(space, test)| (Some(space), test));
    if !namespace.is_none_or(word) || !word(test) {
        let message = format!("'{}' cannot be the name of a test", written.name);
        wrong(loader, &message, written.span, "write 'test' or 'package.test', of letters, digits and '_'");
        return None;
    }
    Some((namespace.map(str::to_owned), test.to_owned()))
}

fn parts(loader: &mut Loader<'_>, scope: &Scope<'_>, written: &Written<'_>) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut config = Vec::new();
    for entry in &written.entries {
        match entry.key.as_str() {
            "model" => {
                wrong(loader, "a test takes its 'model' from where it stands", entry.key_span, "remove the argument 'model'");
                return None;
            }
            "name" => parts.custom_name = entry.value.scalar_text(),
            "description" => parts.description = entry.value.scalar_text().unwrap_or_default(),
            "config" => {
                let owner = format!("'config' of test '{}'", written.name);
                let fields = Fields::of(&entry.value, &owner, loader.diagnostics)?;
                config.extend(fields.entries);
            }
            "arguments" if entry.value.as_map().is_some() => {
                for argument in entry.value.as_map().into_iter().flatten() {
                    parts.arguments.insert(argument.key.clone(), argument.value.to_json());
                }
            }
            "arguments" if entry.value.is_null() => {}
            key if CONFIG_KEYS.contains(&key) => config.push(*entry),
            key => {
                parts.arguments.entry(key.to_owned()).or_insert_with(|| entry.value.to_json());
            }
        }
    }
    for entry in config {
        let rendered = Entry { value: loader.render_one(&entry.value, scope.vars, Some(scope.target)), ..(*entry).clone() };
        insert_config(&mut parts.config, &entry.key, &rendered, loader.diagnostics);
    }
    Some(parts)
}

/// Tags of the use and of what is tested, which does not tell the configuration of them.
fn all_tags(config: &Config, target: &TestTarget, column: Option<&TestColumn>) -> Vec<String> {
    let inherited = target.tags.iter().chain(column.iter().flat_map(|column| &column.tags)).cloned();
    let tags: BTreeSet<String> = inherited.chain(config.strings("tags")).collect();
    tags.into_iter().collect()
}

/// What a use configures, as dbt writes it behind the test's template: its own keys first, in its order.
fn config_call(config: &Config) -> String {
    let known = CONFIG_KEYS.iter().filter_map(|key| Some((*key, config.get(key)?)));
    let others = config.iter().filter(|(key, _)| !CONFIG_KEYS.contains(key)).map(|(key, held)| (key, &held.value));
    let printed = |(key, value): (&str, &Value)| match value {
        Value::String(text) => format!("{key}=\"{}\"", text.replace('"', "\\\"")),
        other => format!("{key}={}", python::str_of(other)),
    };
    let all: Vec<String> = known.chain(others).filter(|(_, value)| !value.is_null()).map(printed).collect();
    if all.is_empty() { String::new() } else { format!("{{{{ config({}) }}}}", all.join(",")) }
}

struct Names {
    /// At most 63 characters: the name of a file or relation.
    short: String,
    full: String,
}

/// The name that dbt gives a test: its kind, what is tested, and all arguments in the order of their names.
fn synthesize(kind: &str, target: &str, arguments: &BTreeMap<String, Value>) -> Names {
    let mut values: Vec<String> = Vec::new();
    for (name, value) in arguments {
        match value {
            _ if name == "model" => {}
            Value::Object(entries) => values.extend(entries.values().map(python::str_of)),
            Value::Array(items) => values.extend(items.iter().map(python::str_of)),
            other => values.push(python::str_of(other)),
        }
    }
    let values: Vec<String> = values.iter().map(|value| cleaned(value)).collect();
    let identifier = format!("{kind}_{target}");
    let full = format!("{identifier}_{}", values.join("__"));
    if full.chars().count() < 64 {
        return Names { short: full.clone(), full };
    }
    let start: String = identifier.chars().take(30).collect();
    Names { short: format!("{start}_{}", md5_hex(&full)), full }
}

/// Runs of anything but ASCII letters, digits and `_` become one `_`.
fn cleaned(value: &str) -> String {
    let mut out = String::new();
    let mut in_run = false;
    for c in value.chars() {
        let keeps = c.is_ascii_alphanumeric() || c == '_';
        if keeps {
            out.push(c);
        } else if !in_run {
            out.push('_');
        }
        in_run = !keeps;
    }
    out
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The last ten digits of the sum over the name and everything that makes the test what it is, printed by Python.
fn metadata_hash(name: &str, namespace: Option<&str>, test: &str, arguments: &BTreeMap<String, Value>) -> String {
    let mut metadata = Map::new();
    metadata
        .insert("kwargs".to_owned(), Value::Object(arguments.iter().map(|(key, value)| (key.clone(), leaves_as_text(value))).collect()));
    metadata.insert("name".to_owned(), Value::from(test));
    metadata.insert("namespace".to_owned(), Value::from(namespace.unwrap_or("None")));
    let hash = md5_hex(&format!("{name}{}", python::repr(&Value::Object(metadata))));
    hash.get(hash.len() - 10..).unwrap_or("").to_owned()
}

fn leaves_as_text(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let sorted: BTreeMap<&String, &Value> = entries.iter().collect();
            Value::Object(sorted.into_iter().map(|(key, value)| (key.clone(), leaves_as_text(value))).collect())
        }
        Value::Array(items) => items.iter().map(leaves_as_text).collect(),
        other => Value::from(python::str_of(other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::project::testing::{load_files, problems};

    /// Names and ids that dbt-core 1.11 gives to the same files.
    #[test]
    fn names_and_ids_are_dbts() {
        let loaded = load_files(&[
            ("models/staging/stg_orders.sql", "select 1"),
            ("models/staging/stg_customers.sql", "select 1"),
            ("models/cust_v1.sql", "select 1"),
            (
                "models/staging/schema.yml",
                r#"
models:
  - name: stg_orders
    data_tests:
      - my_test:
          arguments:
            expr: "a > 'b' and \"c\""
            lst: [1, two, null, true, 1.50, [x, y]]
            dct: {k: v, z: 1}
          config: {severity: error, where: "1=1", meta: {m: 1}}
      - custom_named: {name: nice_name, description: some text, expr: x}
      - pkg.ptest: {a: 1}
    columns:
      - name: id
        data_tests:
          - not_null: {severity: WARN, tags: [tt]}
          - accepted_values:
              values: ['placed', 'shipped it', "it's", "ü"]
              quote: false
          - relationships:
              arguments: {to: "ref('stg_customers')", field: id}
          - dbt_very_long_test_name_for_truncation_purposes:
              arguments: {argument_one: "a long value that goes on and on", argument_two: 123456}
      - name: Quoted Col
        quote: true
        data_tests: [not_null]
  - name: stg_customers
    tests: [{test_name: unique, column_name: id, name: tn}]
  - name: cust
    versions: [{v: 1}]
    columns: [{name: id, tests: [unique]}]
sources:
  - name: raw
    tables:
      - name: orders
        columns:
          - name: id
            data_tests: [{accepted_values: {values: [1, 2]}}]
"#,
            ),
        ]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let mut found: Vec<&str> = loaded.ids().into_iter().filter_map(|id| id.strip_prefix("test.shop.")).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "accepted_values_stg_orders_id__False__placed__shipped_it__it_s___.7bc1809d32",
                "dbt_very_long_test_name_for_truncation_purposes_stg_orders_a_long_value_that_goes_on_and_on__123456__id.15be9bcc59",
                "my_test_stg_orders_v__1__a_b_and_c___1__two__None__True__1_5___x_y_.547b40b186",
                "nice_name.5dd870adac",
                "not_null_stg_orders__Quoted_Col_.a073c1c0d0",
                "not_null_stg_orders_id.8cf5724805",
                "pkg_ptest_stg_orders_1.551b2d498e",
                "relationships_stg_orders_id__id__ref_stg_customers_.75e0845742",
                "source_accepted_values_raw_orders_id__1__2.d1f0c3652e",
                "tn.aa7b701b50",
                "unique_cust_v1_id.7b4aac18ef",
            ]
        );
        let long = loaded.node("test.shop.my_test_stg_orders_v__1__a_b_and_c___1__two__None__True__1_5___x_y_.547b40b186");
        assert_eq!(long.config.str("alias"), Some("my_test_stg_orders_bf94fe3a001dc10b2be944bad9d98c92"));
        assert_eq!(long.config.get("where"), Some(&json!("1=1")));
        assert_eq!(long.fqn[..2], ["shop", "staging"]);
    }

    fn generic(node: &crate::project::Node) -> &GenericTest {
        match &node.detail {
            Detail::GenericTest(test) => test,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arguments_configuration_and_places_are_told_apart() {
        let loaded = load_files(&[
            ("dbt_project.yml", "name: shop\nvars: {severity: warn}\ndata_tests:\n  +severity: error\n  +tags: [all]\n"),
            ("models/m.sql", "select 1"),
            (
                "models/m.yml",
                "models:\n  - name: m\n    columns:\n      - name: id\n        tags: [c]\n        data_tests:\n          - range:\n              min: \"{{ 1 }}\"\n              config: {severity: \"{{ var('severity') }}\", tags: t}\n",
            ),
        ]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let id = loaded.ids()[1].to_owned();
        let node = loaded.node(&id);
        let test = generic(node);
        assert_eq!(test.arguments, BTreeMap::from([("min".to_owned(), json!("{{ 1 }}"))]));
        assert_eq!((test.column.as_deref(), test.model_expression.as_str(), &*test.attached), (Some("id"), "ref('m')", "model.shop.m"));
        assert_eq!((node.config.str("severity"), node.tags()), (Some("warn"), vec!["c".to_owned(), "t".to_owned(), "all".to_owned()]));
        assert_eq!(
            (node.config_tags(), test.config_call.as_str()),
            (vec!["all".to_owned(), "t".to_owned()], "{{ config(severity=\"warn\",tags=\"t\") }}")
        );
        let sources = &loaded.project().sources;
        assert_eq!((sources.text(test.span), sources.text(test.column_span.unwrap())), ("range", "id"));
    }

    #[test]
    fn mistakes_in_tests() {
        let cases = [
            ("- accepted_values:\n          values: [1]", vec![]),
            (
                "- accepted_values:\n        values: [1]",
                vec![
                    "error[invalid-config] models/m.yml:5:9 'values': a test has more than one name",
                    "  help: indent the arguments under the name of the test",
                ],
            ),
            (
                "- 7",
                vec![
                    "error[invalid-config] models/m.yml:4:9 '7': a test is a number, and the name of a test is needed",
                    "  help: write '- not_null', or '- accepted_values:' with arguments under it",
                ],
            ),
            (
                "- unique: id",
                vec![
                    "error[invalid-config] models/m.yml:4:17 'id': the arguments of test 'unique' are a text, and a mapping is needed",
                    "  help: write each argument with its name",
                ],
            ),
            (
                "- a-b",
                vec![
                    "error[invalid-config] models/m.yml:4:9 'a-b': 'a-b' cannot be the name of a test",
                    "  help: write 'test' or 'package.test', of letters, digits and '_'",
                ],
            ),
            (
                "- unique: {model: x}",
                vec![
                    "error[invalid-config] models/m.yml:4:18 'model': a test takes its 'model' from where it stands",
                    "  help: remove the argument 'model'",
                ],
            ),
            (
                "- unique: {config: {severity: fatal}}",
                vec![
                    "error[invalid-config] models/m.yml:4:37 'fatal': the configuration 'severity' is 'fatal', and one of 'error', 'warn' is needed",
                ],
            ),
            (
                "- unique\n      - unique",
                vec![
                    "error[duplicate-name] models/m.yml:5:9 'unique': the test 'unique_m_' is defined twice",
                    "  also models/m.yml:4:9 'unique': first defined here",
                    "  help: remove one, or give one a 'name:'",
                ],
            ),
        ];
        for (tests, expected) in cases {
            let yaml = format!("models:\n  - name: m\n    data_tests:\n      {tests}\n");
            assert_eq!(problems(&[("models/m.sql", "select 1"), ("models/m.yml", &yaml)]), expected, "{tests}");
        }
    }
}
