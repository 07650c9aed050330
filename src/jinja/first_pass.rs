//! The first pass over one node: what it reads, how it is configured, what its relation is called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use minijinja::Value;
use serde::{Deserialize, Serialize};

use super::calls::config_keys;
use super::doc_calls::doc_ids;
use super::known::{DescribedNode, Memory, Own, own_alias, test_facts};
use super::parse::{Passed, Work};
use super::render::template_of;
use super::scope::{Message, Scope, Stage};
use super::templates::{TemplateOrigin, Templates};
use super::values::{from_json, locked};
use crate::base::{Relation, ResourceType, Sources, Span};
use crate::diag::{Diagnostic, codes};
use crate::project::{
    Config, Detail, GenericTest, InputCall, Node, RefCall, check_contract, check_microbatch, check_storage, check_told, hooks_of,
    not_obeyed,
};

/// What the first pass over all nodes shares.
pub(super) struct Pass<'a> {
    pub(super) templates: &'a Templates,
    pub(super) sources: &'a Sources,
    pub(super) own: Own,
    pub(super) names: Memory,
    pub(super) descriptions: Memory,
}

/// What was found besides the node itself.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    pub messages: Vec<Message>,
    pub problems: Vec<Diagnostic>,
    /// Another invocation may find something else, though nothing of the project changes.
    pub momentary: bool,
}

/// `None` for what cannot be written, which is then worked out anew each time.
fn written(value: &impl Serialize) -> Option<Vec<u8>> {
    rmp_serde::to_vec(value).ok()
}

/// Suffix of the schema for failing rows that are kept, where tests name none.
const FAILURES_SCHEMA: &str = "dbt_test__audit";

impl Pass<'_> {
    /// No node comes of bytes that are none.
    pub(super) fn work(&self, work: Work<'_>, write_down: bool) -> (Option<Node>, (Found, Option<Passed>)) {
        let node = match work {
            Work::Done(bytes) => {
                let (node, found) = rmp_serde::from_slice(bytes).unwrap_or_default();
                return (node, (found, None));
            }
            Work::New(node) => *node,
        };
        let body = node.body.map(|body| body.file);
        // acca's own tests, which are most of all nodes, ask for nothing of the moment.
        let may_be_again = body.is_some() || !self.own.is_test(&node);
        let before = if write_down && may_be_again { written(&node) } else { Some(Vec::new()) };
        let (node, found) = self.node(node);
        let after = if write_down { written(&(&node, &found)) } else { None };
        let momentary = found.momentary;
        let passed = before.zip(after).map(|(before, after)| Passed { before, after, body, momentary });
        (Some(node), (found, passed))
    }

    pub(super) fn node(&self, node: Node) -> (Node, Found) {
        let _held = self.templates.shared.files.working_on("nodes parsed", &node.id);
        let mut found = Found::default();
        if let Detail::GenericTest(test) = &node.detail
            && let Some(problem) = self.check_test(&node, test)
        {
            found.problems.push(problem);
            return (node, found);
        }
        // Shared with the scopes of its renders; whole again before it is changed.
        let mut node = Arc::new(node);
        self.render_body(&mut node, &mut found);
        if let Detail::Exposure(exposure) = &node.detail {
            let calls: Vec<(String, Span)> = exposure.depends_on.clone();
            for (text, span) in calls {
                self.extra_call(&mut node, &text, span, &mut found);
            }
        }
        if matches!(node.detail, Detail::UnitTest(_)) {
            self.unit_inputs(&mut node, &mut found);
        }
        for (text, span) in node.constraint_targets() {
            self.extra_call(&mut node, &text, span, &mut found);
        }
        found.problems.extend(check_contract(&node));
        found.problems.extend(not_obeyed(&node));
        found.problems.extend(check_microbatch(&node));
        found.problems.extend(check_storage(&node));
        self.name_relation(&mut node, &mut found);
        self.render_descriptions(&mut node, &mut found);
        (Arc::unwrap_or_clone(node), found)
    }

    fn scope(&self, node: &Arc<Node>) -> Arc<Scope> {
        self.templates.scope(node.clone(), Stage::Parse, BTreeMap::new())
    }

    fn check_test(&self, node: &Node, test: &GenericTest) -> Option<Diagnostic> {
        let Some((parameters, takes_others)) = self.templates.generic_test(&test.test, test.namespace.as_deref(), &node.package) else {
            let names = self.templates.generic_test_names();
            let problem = Diagnostic::new(&codes::UNKNOWN_TEST, format!("no generic test is called '{}'", test.test)).at(test.span);
            let problem = problem.did_you_mean(&test.test, names.iter().map(String::as_str));
            return Some(
                problem.note(format!(
                    "a generic test '{}' is a macro 'test_{}' or a block '{{% test {} %}}'",
                    test.test, test.test, test.test
                )),
            );
        };
        let is_parameter = |name: &String| takes_others || parameters.iter().any(|(parameter, _)| parameter == name);
        let unknown = test.arguments.keys().find(|name| !is_parameter(name))?;
        let names = || parameters.iter().map(|(name, _)| name.as_str());
        let takes = names().filter(|name| *name != "model").collect::<Vec<_>>().join(", ");
        let problem =
            Diagnostic::new(&codes::WRONG_ARGUMENTS, format!("the test '{}' has no argument '{unknown}'", test.test)).at(test.span);
        Some(problem.did_you_mean(unknown, names()).help(format!("it takes: {takes}")))
    }

    fn render_body(&self, node: &mut Arc<Node>, found: &mut Found) {
        if let Detail::GenericTest(test) = &node.detail
            && let Some(facts) = test_facts(&self.templates.shared, &self.own, test, &node.config)
        {
            let node = Arc::make_mut(node);
            node.config.merge(&node.root_config);
            node.refs = facts.refs;
            node.source_calls = facts.sources;
            node.macros = facts.macros.into_iter().collect();
            deduplicate_calls(node);
            return;
        }
        let Some(origin) = template_of(node, self.sources) else { return };
        let scope = self.scope(node);
        found.problems.extend(self.templates.run_template(&scope, origin).err());
        let mut told = std::mem::take(&mut locked(&scope.facts).config);
        place_config(&mut told, node, self.sources);
        found.problems.extend(check_told(&told, node));
        let mut config = node.config.clone();
        config.merge(&told);
        // What a hook reads the node reads.
        for (hook, span) in hook_texts(&config, node) {
            found.problems.extend(self.templates.run_template(&scope, TemplateOrigin::synthetic(span, &hook)).err());
        }
        let facts = std::mem::take(&mut *locked(&scope.facts));
        drop(scope);
        found.momentary |= facts.may_change();
        let node = Arc::make_mut(node);
        config.merge(&node.root_config);
        node.config = config;
        node.refs = facts.refs;
        node.source_calls = facts.sources;
        node.macros = facts.macros.into_iter().collect();
        deduplicate_calls(node);
        found.messages = facts.messages;
    }

    /// What the inputs of a unit test name. The test itself reads its model only.
    fn unit_inputs(&self, node: &mut Arc<Node>, found: &mut Found) {
        let Detail::UnitTest(test) = &node.detail else { return };
        let mut test = test.clone();
        for input in &mut test.given {
            if input.call == "this" {
                input.reads = Some(InputCall::This);
                continue;
            }
            let before = node.clone();
            self.extra_call(node, &input.call, input.span, found);
            let (reference, source) = (node.refs.last().cloned(), node.source_calls.last().cloned());
            input.reads = reference.map(InputCall::Ref).or(source.map(InputCall::Source));
            *node = before;
        }
        let own = Arc::make_mut(node);
        own.refs = vec![RefCall {
            package: Some(own.package.to_string()),
            name: test.model.clone(),
            version: test.version.clone(),
            via: Vec::new(),
        }];
        own.detail = Detail::UnitTest(test);
    }

    /// A call that stands in the properties of a node: it reads what that names.
    fn extra_call(&self, node: &mut Arc<Node>, text: &str, span: Span, found: &mut Found) {
        let scope = self.scope(node);
        let text = format!("{{{{ {text} }}}}");
        let rendered = self.templates.run_template(&scope, TemplateOrigin::synthetic(span, &text));
        found.momentary |= locked(&scope.facts).may_change();
        match rendered {
            Ok(_) => {
                let mut facts = std::mem::take(&mut *locked(&scope.facts));
                drop(scope);
                let node = Arc::make_mut(node);
                node.refs.append(&mut facts.refs);
                node.source_calls.append(&mut facts.sources);
            }
            Err(problem) => found.problems.push(problem),
        }
    }

    /// Database, schema and name of the relation, by the project's own macros where it has them.
    fn name_relation(&self, node: &mut Arc<Node>, found: &mut Found) {
        let target = &self.templates.shared.target;
        if let Detail::Source(source) = &node.detail {
            let database = source.database.as_deref().unwrap_or(&target.database);
            let relation = Relation::new(database, &source.schema, &source.identifier);
            let quoted = |part: &str| source.quoting.get(part) != Some(&false);
            let relation = self.folded(relation, quoted);
            Arc::make_mut(node).relation = Some(relation);
            return;
        }
        let builds = matches!(node.detail, Detail::Model(_) | Detail::Seed { .. } | Detail::Snapshot { .. });
        let stores = matches!(node.detail, Detail::SingularTest | Detail::GenericTest(_));
        if !builds && !stores {
            return;
        }
        let alias: Arc<str> = match own_alias(&self.own, node) {
            Some(name) => name.into(),
            None => self.name(node, "generate_alias_name", &["alias"], &node.name, found),
        };
        let (schema_keys, database_keys): (&[&str], &[&str]) = if node.resource == ResourceType::Snapshot {
            (&["schema", "target_schema"], &["database", "target_database"])
        } else {
            (&["schema"], &["database"])
        };
        // A snapshot's legacy `target_schema` is the schema itself, not a suffix.
        let verbatim = |key: &str| {
            (node.config.get("schema").is_none() && node.config.get("database").is_none()).then(|| node.config.str(key)).flatten()
        };
        let schema = match verbatim("target_schema") {
            Some(schema) => schema.into(),
            None => self.name(node, "generate_schema_name", schema_keys, &target.schema, found),
        };
        let database = match verbatim("target_database") {
            Some(database) => database.into(),
            None => self.name(node, "generate_database_name", database_keys, &target.database, found),
        };
        let root = self.templates.shared.packages.iter().find(|package| package.name == self.templates.shared.root);
        let told = |part: &str| node.config.get("quoting").and_then(|quoting| quoting.get(part)).and_then(serde_json::Value::as_bool);
        let quoted = |part: &str| told(part).or_else(|| root?.quoting.get(part).copied()).unwrap_or(true);
        let relation = self.folded(Relation { database, schema, identifier: alias.clone() }, quoted);
        let node = Arc::make_mut(node);
        node.alias = Some(alias.to_string());
        node.relation = Some(relation);
    }

    /// A name without quotes is one in lower case to an engine that lowers such names, and that is what stands in its quotes.
    fn folded(&self, relation: Relation, quoted: impl Fn(&str) -> bool) -> Relation {
        let fold = |part: &str, name: Arc<str>| {
            if self.templates.shared.invocation.lowers_names && !quoted(part) { name.to_lowercase().into() } else { name }
        };
        Relation {
            database: fold("database", relation.database),
            schema: fold("schema", relation.schema),
            identifier: fold("identifier", relation.identifier),
        }
    }

    /// What a naming macro makes of the first of the configuration `keys` that is set.
    fn name(&self, node: &Arc<Node>, function: &str, keys: &[&str], fallback: &str, found: &mut Found) -> Arc<str> {
        // What tests find is kept apart from what is built.
        let apart = (function == "generate_schema_name" && node.resource == ResourceType::Test).then(|| FAILURES_SCHEMA.into());
        let custom = keys.iter().find_map(|key| node.config.get(key)).or(apart.as_ref());
        let what = format!("{function}({})", custom.unwrap_or(&serde_json::Value::Null));
        let named = self.names.text(&node.package, what, || {
            let scope = self.scope(node);
            let (described, asked) = DescribedNode::value(node.clone());
            let called = self.templates.call_unlinked(&scope, function, &[custom.map_or(Value::from(()), from_json), described]);
            let momentary = locked(&scope.facts).may_change();
            found.momentary |= momentary;
            match called {
                Some(value) => {
                    let text = value?.to_string().trim().to_owned();
                    Ok((text, asked.get().is_none() && !scope.asked.load(Ordering::Relaxed) && !momentary))
                }
                None => Ok((fallback.to_owned(), false)),
            }
        });
        named.unwrap_or_else(|problem| {
            found.problems.push(problem);
            fallback.into()
        })
    }

    fn render_descriptions(&self, node: &mut Arc<Node>, found: &mut Found) {
        let place = node.properties.unwrap_or(node.origin);
        let own = self.description(node, &node.description, place, found);
        let mut columns = Vec::new();
        for (at, column) in node.columns.iter().enumerate() {
            let rendered = self.description(node, &column.description, column.span.unwrap_or(place), found);
            columns.extend(rendered.map(|text| (at, text)));
        }
        if own.is_none() && columns.is_empty() {
            return;
        }
        let node = Arc::make_mut(node);
        let ids = |text: &str| doc_ids(&self.templates.shared, &node.package, text);
        if let Some(text) = own {
            node.doc_blocks = ids(&node.description);
            node.description = text.to_string();
        }
        for (at, text) in columns {
            if let Some(column) = node.columns.get_mut(at) {
                column.doc_blocks = ids(&column.description);
                column.description = text.to_string();
            }
        }
    }

    /// A description that holds a template, rendered.
    fn description(&self, node: &Arc<Node>, text: &str, span: Span, found: &mut Found) -> Option<Arc<str>> {
        if !text.contains("{{") && !text.contains("{%") {
            return None;
        }
        let rendered = self.descriptions.text(&node.package, text.to_owned(), || {
            let scope = self.scope(node);
            let rendered = self.templates.run_text(&scope, TemplateOrigin::synthetic(span, text));
            let momentary = locked(&scope.facts).may_change();
            found.momentary |= momentary;
            Ok((rendered?.0, !scope.asked.load(Ordering::Relaxed) && !momentary))
        });
        rendered.map_err(|problem| found.problems.push(problem)).ok()
    }
}

/// Gives the keys of an in-file `config()` their places.
fn place_config(told: &mut Config, node: &Node, sources: &Sources) {
    if told.is_empty() {
        return;
    }
    let Some(body) = node.body else { return };
    for (key, range) in config_keys(sources.text(body)) {
        told.set_span(&key, body.sub(range.start, range.len()));
    }
}

/// The texts of the node's hooks, with where they are written.
fn hook_texts(config: &Config, node: &Node) -> Vec<(String, Span)> {
    let of = |key: &str| {
        let span = config.span(key).or(node.body).unwrap_or(node.origin);
        hooks_of(config, key).into_iter().map(move |hook| (hook.sql, span)).collect::<Vec<_>>()
    };
    [of("pre-hook"), of("post-hook")].concat()
}

/// Keeps the first of equal calls.
fn deduplicate_calls(node: &mut Node) {
    node.refs = deduplicated(std::mem::take(&mut node.refs), |a, b| (&a.package, &a.name, &a.version) == (&b.package, &b.name, &b.version));
    node.source_calls = deduplicated(std::mem::take(&mut node.source_calls), |a, b| (&a.source, &a.table) == (&b.source, &b.table));
}

fn deduplicated<T>(calls: Vec<T>, same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(calls.len());
    for call in calls {
        if !kept.iter().any(|held| same(held, &call)) {
            kept.push(call);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use crate::base::{Files, MemoryFiles};
    use crate::diag::Diagnostics;
    use crate::jinja::{BUILTIN_MACROS, Invocation, YamlText};
    use crate::project::{LoadOptions, load};

    use super::*;

    const TESTS: &str = r#"
version: 2
models:
  - name: orders
    description: "{{ doc('shared') }}"
    data_tests:
      - unique: {column_name: "id || status"}
      - mine
    columns:
      - name: id
        description: "{{ doc('shared') }}"
        data_tests: [not_null, unique: {config: {where: "id > 0", alias: other}}]
      - name: status
        description: "{{ model.name }} of {{ this }}"
        data_tests:
          - accepted_values: {arguments: {values: [a, "b c"]}}
          - accepted_values: {arguments: {values: [1, 2], quote: false}}
          - accepted_values: {name: listed, arguments: {values: "{{ ['x', 'y'] }}"}}
          - relationships: {arguments: {to: ref('customers'), field: id}}
          - relationships: {name: packaged, arguments: {to: "ref('shop', 'customers')", field: id}}
          - relationships: {name: sourced, arguments: {to: "source('raw', 'people')", field: id}}
          - relationships: {name: computed, arguments: {to: "{{ ref('cus' ~ 'tomers') }}", field: id}}
  - name: customers
    config: {schema: wide}
    columns: [{name: id, description: "{{ doc('shared') }}"}]
sources:
  - name: raw
    tables: [{name: people, columns: [{name: id, data_tests: [not_null]}]}]
"#;

    /// How many tests need not be rendered, and all nodes after the first pass with what was found: once with all that is known
    /// and once with everything rendered.
    fn passes(more: &[(&str, &str)]) -> (usize, [Vec<String>; 2]) {
        let mut files = MemoryFiles::default()
            .with("dbt_project.yml", "name: shop\nversion: '1'")
            .with("models/orders.sql", "{{ config(tags=['x']) }} select * from {{ ref('customers') }}")
            .with("models/customers.sql", "select 1 as id")
            .with("models/docs.md", "{% docs shared %}said of many{% enddocs %}")
            .with("models/all.yml", TESTS)
            .with("macros/mine.sql", "{% test mine(model) %}select * from {{ model }} join {{ ref('customers') }}{% endtest %}");
        for (path, text) in more {
            files = files.with(path, text);
        }
        let mut diagnostics = Diagnostics::default();
        let options = LoadOptions::default();
        let project = load(&files, &options, &YamlText::default(), &BUILTIN_MACROS, &mut diagnostics).expect("a project");
        let files: Arc<dyn Files> = Arc::new(files);
        let templates = Templates::new(&project, files, Invocation::default(), &mut diagnostics);
        let own = Own::of(&templates.shared);
        let is_known = |node: &&Node| match &node.detail {
            Detail::GenericTest(test) => test_facts(&templates.shared, &own, test, &node.config).is_some(),
            _ => false,
        };
        let known = project.nodes.iter().filter(is_known).count();
        let passes = [true, false].map(|known| {
            let own = if known { Own::of(&templates.shared) } else { Own::default() };
            let memory = || Memory { forgets: !known, ..Memory::default() };
            let pass = Pass { templates: &templates, sources: &project.sources, own, names: memory(), descriptions: memory() };
            project
                .nodes
                .iter()
                .map(|node| pass.node(node.clone()))
                .map(|(node, found)| format!("{node:#?} {:#?}", found.problems))
                .collect()
        });
        (known, passes)
    }

    #[test]
    fn what_is_known_is_what_rendering_says() {
        let (tests, [known, rendered]) = passes(&[]);
        assert_eq!(known, rendered);
        assert_eq!((tests, known.len()), (7, 15));
        assert!(known.iter().filter(|node| node.contains("said of many")).count() >= 2 && known.concat().contains("orders of"));
    }

    #[test]
    fn what_a_project_overrides_is_rendered() {
        let names = "{% macro generate_schema_name(custom, node) %}s_{{ custom or node.name }}{% endmacro %}\n\
                     {% macro duckdb__generate_alias_name(custom, node) %}{{ node.name }}_{{ node.resource_type }}{% endmacro %}";
        let (tests, [known, rendered]) = passes(&[("macros/names.sql", names)]);
        assert_eq!(tests, 7);
        assert_eq!(known, rendered);
        let all = known.concat();
        assert!(all.contains("s_wide") && all.contains("s_orders"), "{all}");
        let tests = "{% macro get_where_subquery(relation) %}{{ ref('orders') }}{% endmacro %}";
        let refs = "{% macro ref(name) %}{{ return(builtins.ref(name)) }}{% endmacro %}";
        for overridden in [tests, refs] {
            let (tests, [known, rendered]) = passes(&[("macros/where.sql", overridden)]);
            assert_eq!(tests, 0);
            assert_eq!(known, rendered);
        }
    }
}
