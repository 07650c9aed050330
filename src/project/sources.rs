//! Sources: every table of a source becomes a node, with what the source says handed down to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Config;
use super::config_tree::insert_config;
use super::external::{described_external, parse_external};
use super::fields::Fields;
use super::generic_tests::{TargetKind, TestTarget, add_tests};
use super::landing::parse_landing;
use super::loader::Loader;
use super::node::{Column, Detail, Node, SourceTable};
use super::properties::{Scope, add_column_tests, check_node_keys, read_columns, tests_of};
use super::resources::Catalog;
use super::yaml::{Entry, Yaml, YamlValue, find};
use crate::base::{ResourceType, Span};
use crate::diag::{Diagnostic, codes};

const SOURCE_KEYS: &[&str] = &[
    "name",
    "description",
    "meta",
    "database",
    "schema",
    "loader",
    "quoting",
    "freshness",
    "loaded_at_field",
    "loaded_at_query",
    "tables",
    "tags",
    "config",
    "overrides",
];
const TABLE_KEYS: &[&str] = &[
    "name",
    "description",
    "meta",
    "docs",
    "data_type",
    "config",
    "loaded_at_field",
    "loaded_at_query",
    "identifier",
    "quoting",
    "freshness",
    "external",
    "tags",
    "columns",
    "data_tests",
    "tests",
    "quote_columns",
    "constraints",
];
const QUOTING: &[&str] = &["database", "schema", "identifier"];

/// `overrides:` entries by package and source; a used one is marked.
#[derive(Default)]
pub(super) struct Overrides {
    entries: BTreeMap<(String, String), (Yaml, Span, bool)>,
}

impl Overrides {
    /// Takes the overriding entries out of a properties file.
    pub(super) fn collect(&mut self, loader: &mut Loader<'_>, yaml: &Yaml) {
        for item in yaml.get("sources").and_then(Yaml::as_list).unwrap_or(&[]) {
            let Some(package) = item.get("overrides").and_then(Yaml::scalar_text) else { continue };
            let Some(fields) = Fields::of(item, "a source", loader.diagnostics) else { continue };
            let Some((name, span)) = fields.required_text("name", loader.diagnostics) else { continue };
            let key = (package, name);
            if let Some((_, first, _)) = self.entries.get(&key) {
                loader.diagnostics.push(
                    Diagnostic::new(&codes::DUPLICATE_NAME, format!("the source '{}' of package '{}' is overridden twice", key.1, key.0))
                        .at(span)
                        .also(*first, "first overridden here")
                        .help("merge the two entries into one"),
                );
                continue;
            }
            self.entries.insert(key, (item.clone(), span, false));
        }
    }

    pub(super) fn report_unused(&self, loader: &mut Loader<'_>) {
        for ((package, name), (_, span, used)) in &self.entries {
            if !used {
                loader.diagnostics.push(
                    Diagnostic::new(&codes::ORPHAN_PROPERTIES, format!("package '{package}' has no source '{name}' to override"))
                        .at(*span)
                        .help("correct 'name:' or 'overrides:', or remove this entry"),
                );
            }
        }
    }

    fn apply(&mut self, package: &str, name: &str, source: &Yaml) -> Option<Yaml> {
        let (patch, _, used) = self.entries.get_mut(&(package.to_owned(), name.to_owned()))?;
        *used = true;
        let mut patched = overlaid(source, patch, &["name", "overrides", "tables"]);
        let patches = patch.get("tables").and_then(Yaml::as_list).unwrap_or(&[]);
        if let YamlValue::Map(entries) = &mut patched.value {
            for table in entries.iter_mut().filter(|entry| entry.key == "tables").filter_map(|entry| match &mut entry.value.value {
                YamlValue::List(tables) => Some(tables),
                _ => None,
            }) {
                for table in table {
                    let same = patches
                        .iter()
                        .find(|patch| patch.get("name").is_some_and(|name| table.get("name").is_some_and(|own| own.value == name.value)));
                    if let Some(patch) = same {
                        *table = overlaid(table, patch, &["name"]);
                    }
                }
            }
        }
        Some(patched)
    }
}

fn overlaid(base: &Yaml, patch: &Yaml, but: &[&str]) -> Yaml {
    let mut entries: Vec<Entry> = base.as_map().unwrap_or(&[]).to_vec();
    for entry in patch.as_map().unwrap_or(&[]).iter().filter(|entry| !but.contains(&entry.key.as_str())) {
        match entries.iter_mut().find(|own| own.key == entry.key) {
            Some(own) => *own = entry.clone(),
            None => entries.push(entry.clone()),
        }
    }
    Yaml { value: YamlValue::Map(entries), span: base.span }
}

/// The sources of one properties file.
pub(super) fn apply_sources(loader: &mut Loader<'_>, scope: &Scope<'_>, yaml: &Yaml, catalog: &mut Catalog, overrides: &mut Overrides) {
    let whole = Fields { entries: yaml.as_map().unwrap_or(&[]), span: yaml.span, owner: scope.path, code: &codes::INVALID_CONFIG };
    for item in whole.list("sources", loader.diagnostics) {
        if item.get("overrides").is_some_and(|package| !package.is_null()) {
            continue;
        }
        let name = item.get("name").and_then(Yaml::scalar_text);
        let patched = name.and_then(|name| overrides.apply(&scope.package, &name, item));
        apply_source(loader, scope, patched.as_ref().unwrap_or(item), catalog);
    }
}

fn apply_source(loader: &mut Loader<'_>, scope: &Scope<'_>, item: &Yaml, catalog: &mut Catalog) {
    let Some(fields) = Fields::of(item, "a source", loader.diagnostics) else { return };
    let Some((name, _)) = fields.required_text("name", loader.diagnostics) else { return };
    let owner = format!("source '{name}'");
    let fields = Fields { owner: &owner, ..fields };
    fields.check_keys(SOURCE_KEYS, loader.diagnostics);
    for table in fields.list("tables", loader.diagnostics) {
        let kind = format!("a table of {owner}");
        let Some(table) = Fields::of(table, &kind, loader.diagnostics) else { continue };
        let Some((table_name, span)) = table.required_text("name", loader.diagnostics) else { continue };
        let owner = format!("source table '{name}.{table_name}'");
        let levels = Levels { source: Fields { owner: fields.owner, ..fields }, table: Fields { owner: &owner, ..table } };
        apply_table(loader, scope, &levels, (&name, &table_name, span), catalog);
    }
}

/// What a source and one of its tables say.
struct Levels<'y, 'o> {
    source: Fields<'y, 'o>,
    table: Fields<'y, 'o>,
}

impl<'y> Levels<'y, '_> {
    /// The mappings from the source to the table's `config:`, the nearest last.
    fn all(&self) -> [&'y [Entry]; 4] {
        let config = |fields: &Fields<'y, '_>| fields.get("config").and_then(Yaml::as_map).unwrap_or(&[]);
        [self.source.entries, config(&self.source), self.table.entries, config(&self.table)]
    }

    fn nearest(&self, key: &str) -> Option<&'y Entry> {
        self.all().into_iter().rev().find_map(|entries| find(entries, key))
    }
}

fn apply_table(
    loader: &mut Loader<'_>,
    scope: &Scope<'_>,
    levels: &Levels<'_, '_>,
    (source, table, span): (&str, &str, Span),
    catalog: &mut Catalog,
) {
    let fields = &levels.table;
    check_node_keys(loader, fields, TABLE_KEYS);
    let columns = read_columns(loader, fields);
    let tags = merged_tags(loader, levels);
    // Tests take over the tags that stand beside `config:`, not those inside it.
    let outer_tags = [&levels.source, fields].into_iter().flat_map(|level| level.strings("tags", loader.diagnostics)).collect();
    let meta = merged_meta(loader, levels);
    let declared: Vec<&Column> = columns.iter().map(|read| &read.column).collect();
    let config = fields.get("config").and_then(Yaml::as_map);
    let detail = SourceTable {
        source_name: source.to_owned(),
        source_description: levels.source.description(loader.diagnostics),
        loader: levels.source.text("loader", loader.diagnostics).unwrap_or_default(),
        identifier: fields.text("identifier", loader.diagnostics).unwrap_or_else(|| table.to_owned()),
        database: levels.source.text("database", loader.diagnostics),
        schema: levels.source.text("schema", loader.diagnostics).unwrap_or_else(|| source.to_owned()),
        loaded_at_field: None,
        loaded_at_query: None,
        freshness: None,
        quoting: quoting(loader, levels),
        meta: BTreeMap::new(),
        source_meta: source_meta(levels),
        tags: Vec::new(),
        landing: parse_landing(loader, &levels.all(), fields, (table, span), &declared),
        external: parse_external(loader, &levels.all(), fields, config, &declared),
        described_external: described_external(fields.entry("external").or_else(|| find(config.unwrap_or(&[]), "external"))),
    };
    let name = format!("{source}.{table}");
    let detail = Detail::Source(Box::new(detail));
    let mut node = Node::new(ResourceType::Source, &scope.package, &name, scope.fqn([source, table]), span, detail);
    table.clone_into(&mut node.name);
    node.properties = Some(span);
    node.description = fields.description(loader.diagnostics);
    node.columns = columns.iter().map(|read| read.column.clone()).collect();
    node.config = source_config(loader, levels, &tags, meta);
    let target = TestTarget {
        attached: Arc::clone(&node.id),
        kind: TargetKind::Source { source: source.to_owned(), table: table.to_owned() },
        tags: outer_tags,
    };
    catalog.nodes.push(node);
    let tests = tests_of(loader, fields);
    add_column_tests(loader, scope, catalog, &target, &columns);
    add_tests(loader, scope, catalog, &target, None, tests);
}

fn quoting(loader: &mut Loader<'_>, levels: &Levels<'_, '_>) -> BTreeMap<String, bool> {
    let mut quoting = levels.source.bools("quoting", QUOTING, loader.diagnostics);
    quoting.extend(levels.table.bools("quoting", QUOTING, loader.diagnostics));
    quoting
}

fn merged_tags(loader: &mut Loader<'_>, levels: &Levels<'_, '_>) -> Vec<String> {
    let mut tags = BTreeSet::new();
    for (entries, owner) in levels.all().into_iter().zip([levels.source, levels.source, levels.table, levels.table]) {
        tags.extend(Fields { entries, ..owner }.strings("tags", loader.diagnostics));
    }
    tags.into_iter().collect()
}

fn merged_meta(loader: &mut Loader<'_>, levels: &Levels<'_, '_>) -> Map<String, Value> {
    let mut meta = Map::new();
    for (entries, owner) in levels.all().into_iter().zip([levels.source, levels.source, levels.table, levels.table]) {
        let more = Fields { entries, ..owner }.map("meta", loader.diagnostics);
        meta.extend(more.iter().map(|entry| (entry.key.clone(), entry.value.to_json())));
    }
    meta
}

fn source_meta(levels: &Levels<'_, '_>) -> BTreeMap<String, Value> {
    let [outer, config, ..] = levels.all();
    let maps = [outer, config].into_iter().filter_map(|entries| find(entries, "meta")?.value.as_map());
    maps.flatten().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
}

/// The configuration of a source table, as dbt computes it: the nearest level wins, `meta`, `tags` and `freshness` are merged.
fn source_config(loader: &mut Loader<'_>, levels: &Levels<'_, '_>, tags: &[String], meta: Map<String, Value>) -> Config {
    let mut config = Config::default();
    let [_, source_config, _, table_config] = levels.all();
    for entry in source_config.iter().chain(table_config) {
        if !matches!(entry.key.as_str(), "tags" | "meta" | "freshness" | "loaded_at_field" | "loaded_at_query") {
            insert_config(&mut config, &entry.key, entry, loader.diagnostics);
        }
    }
    if !tags.is_empty() {
        config.insert("tags", json!(tags), levels.nearest("tags").map(|entry| entry.key_span));
    }
    if !meta.is_empty() {
        config.insert("meta", Value::Object(meta), levels.nearest("meta").map(|entry| entry.key_span));
    }
    // A table that says how it is dated, if only with null, does not ask its source.
    let table_says = |key: &str| find(levels.table.entries, key).or_else(|| find(table_config, key));
    let by_field = table_says("loaded_at_field");
    for key in ["loaded_at_field", "loaded_at_query"] {
        let source_counts = key == "loaded_at_field" || by_field.is_none();
        let source_says = || find(levels.source.entries, key).or_else(|| find(source_config, key)).filter(|_| source_counts);
        if let Some(entry) = table_says(key).or_else(source_says) {
            insert_config(&mut config, key, entry, loader.diagnostics);
        }
    }
    if let Some(freshness) = freshness(loader, levels) {
        config.insert("freshness", freshness, levels.nearest("freshness").map(|entry| entry.value.span));
    }
    config
}

/// `None` where nothing is said; null where it is switched off.
fn freshness(loader: &mut Loader<'_>, levels: &Levels<'_, '_>) -> Option<Value> {
    let mut merged: Option<Value> = None;
    for entries in levels.all() {
        let Some(entry) = find(entries, "freshness") else { continue };
        if !entry.value.is_null() {
            check_freshness(loader, entry);
        }
        merged = Some(match (merged, entry.value.to_json()) {
            (Some(Value::Object(mut below)), Value::Object(above)) => {
                for (key, value) in above {
                    let both = match (below.remove(&key), value) {
                        (Some(Value::Object(mut below)), Value::Object(above)) => {
                            below.extend(above);
                            Value::Object(below)
                        }
                        (_, value) => value,
                    };
                    below.insert(key, both);
                }
                Value::Object(below)
            }
            (_, above) => above,
        });
    }
    merged
}

const PERIODS: &[&str] = &["minute", "hour", "day"];

fn check_freshness(loader: &mut Loader<'_>, entry: &Entry) {
    let Some(fields) = Fields::of(&entry.value, "'freshness'", loader.diagnostics) else { return };
    fields.check_keys(&["warn_after", "error_after", "filter"], loader.diagnostics);
    for key in ["warn_after", "error_after"] {
        let Some(limit) = fields.get(key) else { continue };
        let owner = format!("'{key}'");
        let Some(limit) = Fields::of(limit, &owner, loader.diagnostics) else { continue };
        limit.check_keys(&["count", "period"], loader.diagnostics);
        limit.count("count", loader.diagnostics);
        if let Some((period, span)) = limit.text("period", loader.diagnostics).zip(limit.get("period").map(|period| period.span))
            && !PERIODS.contains(&period.as_str())
        {
            loader.diagnostics.push(
                Diagnostic::new(&codes::INVALID_CONFIG, format!("'{period}' is no period"))
                    .at(span)
                    .did_you_mean(&period, PERIODS.iter().copied())
                    .help(format!("the periods are: {}", PERIODS.join(", "))),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::project::node::{Detail, SourceTable};
    use crate::project::testing::{Loaded, load_files, problems};

    fn table<'l>(loaded: &'l Loaded, id: &str) -> &'l SourceTable {
        match &loaded.node(id).detail {
            Detail::Source(table) => table,
            other => panic!("{other:?}"),
        }
    }

    const RAW: &str = r#"
sources:
  - name: raw
    description: src
    database: rawdb
    schema: "raw_{{ var('env') }}"
    loader: files
    tags: [s1]
    meta: {m: 1, n: 1}
    quoting: {identifier: true}
    loaded_at_field: loaded
    freshness: {warn_after: {count: 1, period: day}, error_after: {count: 2, period: day}}
    tables:
      - name: orders
        identifier: Orders_T
        tags: t1
        meta: {n: 2}
        config: {meta: {o: 3}, tags: [c1]}
        quoting: {schema: false, identifier: false}
        freshness: {warn_after: {count: 6, period: hour}, filter: "x > 1"}
        columns: [{name: id, tags: [k], data_tests: [unique]}]
      - name: customers
        freshness: null
        loaded_at_field: null
      - name: unused
        config: {enabled: false}
        loaded_at_query: select 1
"#;

    #[test]
    fn a_table_inherits_from_its_source() {
        let project = "name: shop\nvars: {env: prod}\nsources: {shop: {+meta: {tree: true}}}\n";
        let loaded = load_files(&[("dbt_project.yml", project), ("models/staging/s.yml", RAW)]);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let node = loaded.node("source.shop.raw.orders");
        assert_eq!((node.name.as_str(), node.fqn.join(".")), ("orders", "shop.staging.raw.orders".to_owned()));
        let orders = table(&loaded, "source.shop.raw.orders");
        assert_eq!(
            (orders.identifier.as_str(), orders.database.as_deref(), orders.schema.as_str(), orders.loader.as_str()),
            ("Orders_T", Some("rawdb"), "raw_prod", "files")
        );
        assert_eq!(json!(orders.quoting), json!({"identifier": false, "schema": false}));
        assert_eq!(json!(orders.meta), json!({"m": 1, "n": 2, "o": 3, "tree": true}));
        assert_eq!((json!(orders.source_meta), orders.tags.join(" ")), (json!({"m": 1, "n": 1}), "c1 s1 t1".to_owned()));
        assert_eq!(orders.loaded_at_field.as_deref(), Some("loaded"));
        assert_eq!(
            orders.freshness,
            Some(json!({"error_after": {"count": 2, "period": "day"}, "warn_after": {"count": 6, "period": "hour"}, "filter": "x > 1"}))
        );
        let customers = table(&loaded, "source.shop.raw.customers");
        assert_eq!((&customers.freshness, &customers.loaded_at_field, customers.identifier.as_str()), (&None, &None, "customers"));
        assert!(!loaded.node("source.shop.raw.unused").config.enabled());
        assert_eq!(table(&loaded, "source.shop.raw.unused").loaded_at_query.as_deref(), Some("select 1"));
        let test = loaded.ids().into_iter().find(|id| id.starts_with("test.")).unwrap().to_owned();
        assert_eq!(loaded.node(&test).tags(), ["k", "s1", "t1"]);
    }

    #[test]
    fn the_root_overrides_a_source_of_a_package() {
        let loaded = load_files(&[
            ("dbt_packages/pkg/dbt_project.yml", "name: pkg\n"),
            (
                "dbt_packages/pkg/models/s.yml",
                "sources:\n  - name: raw\n    description: old\n    tables: [{name: a, description: A}, {name: b, description: B}]\n",
            ),
            (
                "models/o.yml",
                "sources:\n  - name: raw\n    overrides: pkg\n    schema: elsewhere\n    tables: [{name: a, identifier: a2}]\n  - {name: nope, overrides: pkg}\n",
            ),
        ]);
        assert_eq!(
            loaded.problems,
            [
                "warning[orphan-properties] models/o.yml:6:12 'nope': package 'pkg' has no source 'nope' to override",
                "  help: correct 'name:' or 'overrides:', or remove this entry",
            ]
        );
        let (a, b) = (table(&loaded, "source.pkg.raw.a"), table(&loaded, "source.pkg.raw.b"));
        assert_eq!(
            (a.identifier.as_str(), a.schema.as_str(), b.identifier.as_str(), b.schema.as_str()),
            ("a2", "elsewhere", "b", "elsewhere")
        );
        assert_eq!((loaded.node("source.pkg.raw.a").description.as_str(), a.source_description.as_str()), ("A", "old"));
    }

    #[test]
    fn mistakes() {
        let cases: [(&str, &[&str]); 6] = [
            (
                "- name: raw\n    tabels: []\n",
                &[
                    "warning[unexpected-property] models/s.yml:3:5 'tabels': the key 'tabels' means nothing in source 'raw'",
                    "  help: did you mean 'tables'?",
                ],
            ),
            ("- tables: []\n", &["error[missing-property] models/s.yml:2:5 'tables': a source has no 'name'", "  help: add 'name:'"]),
            (
                "- name: raw\n    tables: [{name: a}, {name: a}]\n",
                &[
                    "error[duplicate-name] models/s.yml:3:32 'a': the source table 'raw.a' is defined twice",
                    "  also models/s.yml:3:21 'a': first defined here",
                    "  help: rename one of them",
                ],
            ),
            (
                "- name: raw\n    freshness: {warn_after: {count: 1, period: days}}\n    tables: [{name: a}]\n",
                &[
                    "error[invalid-config] models/s.yml:3:48 'days': 'days' is no period",
                    "  help: did you mean 'day'?",
                    "  help: the periods are: minute, hour, day",
                ],
            ),
            (
                "- name: raw\n    quoting: {table: true, schema: maybe}\n    tables: [{name: a}]\n",
                &[
                    "warning[unexpected-property] models/s.yml:3:15 'table': the key 'table' means nothing in 'quoting' of source 'raw'",
                    "  help: remove it, or move it under 'meta:', where any key may stand",
                    "error[invalid-config] models/s.yml:3:36 'maybe': 'schema' of 'quoting' of source 'raw' is a text, and a boolean is needed",
                ],
            ),
            (
                "- name: raw\n    tables: [{name: a, enabled: false}]\n",
                &[
                    "warning[unexpected-property] models/s.yml:3:24 'enabled': the key 'enabled' means nothing in source table 'raw.a'",
                    "  help: move 'enabled' under 'config:'",
                ],
            ),
        ];
        for (source, expected) in cases {
            let yaml = format!("sources:\n  {source}");
            assert_eq!(problems(&[("models/s.yml", &yaml)]), expected, "{source}");
        }
    }
}
