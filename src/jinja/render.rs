//! Renders one node: the first pass for what it says, the second for its SQL.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use minijinja::{Error, Value};

use super::failure::{Failure, Returned, describe, find_source};
use super::literals::{rewrite, rewrite_expression};
use super::reading::Reading;
use super::scope::{Message, NodeState, Scope, Stage};
use super::span_map::SpanMap;
use super::templates::{TemplateOrigin, Templates, syntax_diagnostic};
use super::values::{List, from_json, kwargs, locked};
use super::warehouse::Warehouse;
use super::yaml_text::single_expression;
use crate::base::{Sources, Span, UniqueId};
use crate::diag::Diagnostic;
use crate::project::{Detail, GenericTest, Manifest, Node};

/// SQL without templates, with the way back to the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    pub sql: String,
    pub map: SpanMap,
    /// Ephemeral models that the SQL reads by [`super::ephemeral_name`], in the order of reading.
    pub ephemerals: Vec<UniqueId>,
    pub macros: Vec<UniqueId>,
    pub messages: Vec<Message>,
    /// Another invocation may give something else, though nothing of the project changes and its flags are the same.
    pub momentary: bool,
}

/// What a template is rendered against.
#[derive(Clone)]
pub struct Linked {
    pub manifest: Arc<Manifest>,
    pub warehouse: Option<Arc<dyn Warehouse>>,
    pub reading: Arc<Reading>,
}

impl Linked {
    /// For the query of a node.
    pub(super) fn stage_of_query(&self, node: &Node, state: NodeState) -> Stage {
        let mut stage = self.stage(state);
        if let Stage::Execute { portable, .. } = &mut stage {
            *portable = node.says_portable() == Some(true);
        }
        stage
    }

    pub(super) fn stage(&self, state: NodeState) -> Stage {
        Stage::Execute {
            manifest: self.manifest.clone(),
            state,
            warehouse: self.warehouse.clone(),
            reading: self.reading.clone(),
            unit: None,
            portable: false,
        }
    }
}

/// The template of a node.
pub(super) fn template_of(node: &Node, sources: &Sources) -> Option<TemplateOrigin> {
    if let Some((text, span)) = node.made_template() {
        return Some(TemplateOrigin::synthetic(span, &text));
    }
    let body = node.body?;
    Some(TemplateOrigin::new(body, sources.text(body)))
}

impl Templates {
    /// Renders the body of a linked node. A node without a body (source, seed) renders to nothing.
    ///
    /// # Errors
    /// What the template fails with, at its place.
    pub fn render(&self, sources: &Sources, node: &Node, state: NodeState, linked: &Linked) -> Result<Rendered, Diagnostic> {
        let Some(origin) = template_of(node, sources) else { return Ok(Rendered::default()) };
        self.render_in(node, origin, linked.stage_of_query(node, state), BTreeMap::new())
    }

    /// Renders a text that belongs to a node (a hook, an inline query) in the node's context.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn render_text(&self, text: &str, span: Span, node: &Node, state: NodeState, linked: &Linked) -> Result<Rendered, Diagnostic> {
        self.render_template(node, TemplateOrigin::synthetic(span, text), state, linked, BTreeMap::new())
    }

    pub(super) fn render_template(
        &self,
        node: &Node,
        origin: TemplateOrigin,
        state: NodeState,
        linked: &Linked,
        extra: BTreeMap<String, Value>,
    ) -> Result<Rendered, Diagnostic> {
        self.render_in(node, origin, linked.stage(state), extra)
    }

    pub(super) fn render_in(
        &self,
        node: &Node,
        origin: TemplateOrigin,
        stage: Stage,
        extra: BTreeMap<String, Value>,
    ) -> Result<Rendered, Diagnostic> {
        let scope = self.scope(Arc::new(node.clone()), stage, extra);
        let (sql, map) = self.run_template(&scope, origin)?;
        let mut facts = locked(&scope.facts);
        Ok(Rendered {
            sql,
            map,
            ephemerals: std::mem::take(&mut facts.ephemerals),
            macros: facts.macros.iter().cloned().collect(),
            messages: std::mem::take(&mut facts.messages),
            momentary: facts.momentary,
        })
    }

    /// Runs a macro for what it does and returns, with the node as context: a materialization, `run-operation`. What it said is
    /// there even when it failed, with what [`Templates::render`] fails with.
    pub fn run_macro(
        &self,
        id: &str,
        node: &Node,
        arguments: BTreeMap<String, serde_json::Value>,
        extra: BTreeMap<String, serde_json::Value>,
        state: NodeState,
        linked: &Linked,
    ) -> (Result<serde_json::Value, Diagnostic>, Vec<Message>) {
        let stage = linked.stage(state);
        let extra = extra.into_iter().map(|(name, value)| (name, from_json(&value))).collect();
        let scope = self.scope(Arc::new(node.clone()), stage, extra);
        let named = kwargs(arguments.into_iter().map(|(name, value)| (name, from_json(&value))));
        let result = self.call_by_id(&scope, id, &[named]);
        let messages = std::mem::take(&mut locked(&scope.facts).messages);
        let result = result.map(|value| super::values::to_json(&value)).map_err(|error| {
            let origin = self.shared.macro_origin(id).cloned().unwrap_or_else(|| TemplateOrigin::synthetic(node.origin, ""));
            self.diagnostic(describe(&error, id), (id.to_owned(), origin), &node.package)
        });
        (result, messages)
    }

    fn call_by_id(&self, scope: &Arc<Scope>, id: &str, args: &[Value]) -> Result<Value, Error> {
        let mut parts = id.splitn(3, '.').skip(1);
        let (package, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match self.shared.package_macro(package, name) {
            Some(definition) => scope.call_macro(self.env_of(scope), definition, args),
            None => Err(super::failure::raise(&crate::diag::codes::UNKNOWN_MACRO, format!("no macro is called '{id}'"))),
        }
    }

    /// Calls a macro by name as a template of the node would, before anything is linked; the text that it gives.
    pub(super) fn call_unlinked(&self, scope: &Arc<Scope>, name: &str, args: &[Value]) -> Option<Result<Value, Diagnostic>> {
        let definition = self.shared.find_macro(name, &scope.node.package)?;
        Some(scope.call_macro(self.env_of(scope), definition, args).map_err(|error| {
            let id = definition.id.to_string();
            let origin = self.shared.macro_origin(&id).cloned().unwrap_or_else(|| TemplateOrigin::synthetic(scope.node.origin, ""));
            self.diagnostic(describe(&error, &id), (id, origin), &scope.node.package)
        }))
    }

    pub(super) fn scope(&self, node: Arc<Node>, stage: Stage, extra: BTreeMap<String, Value>) -> Arc<Scope> {
        Arc::new(Scope { shared: self.shared.clone(), node, stage, extra, facts: Mutex::default(), asked: AtomicBool::new(false) })
    }

    /// The text of a node's template in a scope, and its map when the scope executes.
    pub(super) fn run_template(&self, scope: &Arc<Scope>, origin: TemplateOrigin) -> Result<(String, SpanMap), Diagnostic> {
        let Detail::GenericTest(test) = &scope.node.detail else { return self.run_text(scope, origin) };
        let inner = match self.with_test_arguments(scope, test) {
            Ok(inner) => inner,
            Err(error) => return Err(self.failed(scope, &error, &origin)),
        };
        let rendered = self.run_text(&inner, origin);
        *locked(&scope.facts) = std::mem::take(&mut *locked(&inner.facts));
        rendered
    }

    /// As [`Templates::run_template`], for a text that does not want the arguments of a test.
    pub(super) fn run_text(&self, scope: &Arc<Scope>, origin: TemplateOrigin) -> Result<(String, SpanMap), Diagnostic> {
        let template = match self.env_of(scope).template_from_named_str(&scope.node.id, &origin.rewritten.text) {
            Ok(template) => template,
            Err(error) => return Err(syntax_diagnostic(&describe(&error, &scope.node.id), &origin)),
        };
        let context = Value::from_dyn_object(scope.clone());
        let rendered = if scope.executing() {
            template.render_with_spans(context).map(|(text, spans)| {
                let children = std::mem::take(&mut locked(&scope.facts).emitted);
                let map = self.shared.span_map(&text, &spans, &origin, children);
                (text, map)
            })
        } else {
            template.render(context).map(|text| (text, SpanMap::default()))
        };
        rendered.or_else(|error| match find_source::<Returned>(&error) {
            // A body that says return(…) ends there with nothing, as in dbt.
            Some(_) => Ok((String::new(), SpanMap::default())),
            None => Err(self.failed(scope, &error, &origin)),
        })
    }

    fn failed(&self, scope: &Scope, error: &Error, origin: &TemplateOrigin) -> Diagnostic {
        let name = scope.node.id.to_string();
        self.diagnostic(describe(error, &name), (name, origin.clone()), &scope.node.package)
    }

    fn diagnostic(&self, failure: Failure, body: (String, TemplateOrigin), package: &str) -> Diagnostic {
        self.shared.diagnostic(failure, &body, &self.shared.callable_names(package))
    }

    /// The arguments of a generic test, evaluated; `model` is the relation, narrowed by the configuration `where`.
    fn with_test_arguments(&self, scope: &Arc<Scope>, test: &GenericTest) -> Result<Arc<Scope>, Error> {
        let mut named = vec![("model".to_owned(), self.expression(scope, &format!("get_where_subquery({})", test.model_expression))?)];
        if let Some(column) = &test.column {
            named.push(("column_name".to_owned(), Value::from(column.as_str())));
        }
        for (name, value) in &test.arguments {
            if name != "model" && (name != "column_name" || test.column.is_none()) {
                named.push((name.clone(), self.argument(scope, value)?));
            }
        }
        let mut extra = scope.extra.clone();
        extra.insert("_dbt_generic_test_kwargs".to_owned(), kwargs(named));
        let facts = std::mem::take(&mut *locked(&scope.facts));
        // The facts of evaluating the arguments belong to the test.
        let with_arguments = self.scope(scope.node.clone(), scope.stage.clone(), extra);
        *locked(&with_arguments.facts) = facts;
        Ok(with_arguments)
    }

    fn expression(&self, scope: &Arc<Scope>, text: &str) -> Result<Value, Error> {
        self.env_of(scope).compile_expression_owned(rewrite_expression(text))?.eval(Value::from_dyn_object(scope.clone()))
    }

    /// An argument as written in YAML; texts that are a call or hold Jinja are evaluated.
    fn argument(&self, scope: &Arc<Scope>, value: &serde_json::Value) -> Result<Value, Error> {
        match value {
            serde_json::Value::String(text) if is_call(text) => self.expression(scope, text.trim()),
            serde_json::Value::String(text) if text.contains("{{") || text.contains("{%") => match single_expression(text) {
                Some(expression) => self.expression(scope, expression),
                None => self.env_of(scope).render_str(&rewrite(text).text, Value::from_dyn_object(scope.clone())).map(Value::from),
            },
            serde_json::Value::Array(items) => {
                let items: Result<Vec<Value>, Error> = items.iter().map(|item| self.argument(scope, item)).collect();
                Ok(List::value(items?))
            }
            other => Ok(from_json(other)),
        }
    }
}

/// `ref('x')`, `source('a', 'b')`, `var('y')` and the like without braces, which dbt takes as calls.
pub(super) fn is_call(text: &str) -> bool {
    let text = text.trim();
    let functions = ["ref", "source", "var", "env_var", "doc"];
    text.ends_with(')')
        && functions.iter().any(|function| text.strip_prefix(function).is_some_and(|rest| rest.trim_start().starts_with('(')))
}
