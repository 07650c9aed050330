//! The template engine with all macros of a project compiled into it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde_json::Map;

use super::failure::{Failure, Frame, describe};
use super::flags::AskedFlags;
use super::literals::{Rewritten, rewrite};
use super::scope::Scope;
use super::span_map::{Origin, Segment, SpanMap};
use crate::base::{Files, Sources, Span, UniqueId, Window};
use crate::diag::{Diagnostic, Diagnostics};
use crate::project::{Group, Macro, Package, Project, Target};

/// What a run says about itself to templates.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub full_refresh: bool,
    /// `--empty`.
    pub empty: bool,
    /// `--sample`.
    pub sample: Option<Window>,
    /// Whether failing rows of tests are kept that say nothing of it.
    pub store_failures: bool,
    /// The name of the verb: `build`, `compile`, …
    pub which: String,
    /// What was said of flags, by their lower-case names.
    pub flags: Map<String, serde_json::Value>,
    /// `DBT_ENV_CUSTOM_ENV_…` of the environment, by the names after the prefix.
    pub metadata_envs: BTreeMap<String, String>,
    /// The adapter's own name and those whose macros it falls back on, nearest first, without `default`.
    pub adapter_chain: Vec<String>,
    /// The adapter in whose SQL portable models are written.
    pub portable_adapter: &'static str,
    /// Whether the engine lowers names that are not quoted.
    pub lowers_names: bool,
}

/// The environment of templates, and everything that does not change between renders.
pub struct Templates {
    pub(super) env: Environment<'static>,
    /// As dbt has it once everything is known: an attribute of what is undefined is a mistake.
    strict: Environment<'static>,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) root: Arc<str>,
    /// In search order, the built-in package last.
    pub(super) packages: Vec<Package>,
    pub(super) macros: HashMap<Arc<str>, BTreeMap<String, Arc<CompiledMacro>>>,
    pub(super) target: Target,
    pub(super) cli_vars: Map<String, serde_json::Value>,
    pub(super) files: Arc<dyn Files>,
    pub(super) invocation: Invocation,
    /// `flags`, once a template has asked for them.
    pub(super) flags: OnceLock<Value>,
    pub(super) asked_flags: AskedFlags,
    /// `graph`, once a template has asked for it.
    pub(super) graph: OnceLock<Value>,
    /// Texts of `{% docs %}` blocks by package and name.
    pub(super) docs: BTreeMap<(Arc<str>, String), String>,
    pub(super) groups: Vec<Group>,
    /// The texts of the project's files, for `raw_code`.
    pub(super) sources: Sources,
    /// Where the text of each named template comes from.
    origins: HashMap<String, TemplateOrigin>,
}

/// Names of parameters with the texts of their defaults.
pub(super) type Parameters = [(String, Option<String>)];

/// A macro whose body is a template of its own, called with its arguments as context.
pub(super) struct CompiledMacro {
    pub(super) id: UniqueId,
    pub(super) name: String,
    pub(super) parameters: Vec<(String, Option<String>)>,
    pub(super) takes_varargs: bool,
    pub(super) takes_kwargs: bool,
}

/// Where a template's text lies in the project.
#[derive(Clone)]
pub(super) struct TemplateOrigin {
    pub(super) body: Span,
    pub(super) rewritten: Rewritten,
    /// The text was made by acca: every place in it is the whole of `body`.
    synthetic: bool,
}

impl TemplateOrigin {
    pub(super) fn new(body: Span, text: &str) -> TemplateOrigin {
        TemplateOrigin { body, rewritten: rewrite(text), synthetic: false }
    }

    pub(super) fn synthetic(body: Span, text: &str) -> TemplateOrigin {
        TemplateOrigin { body, rewritten: rewrite(text), synthetic: true }
    }

    /// The span of a range of the rewritten text.
    pub(super) fn span(&self, range: std::ops::Range<usize>) -> Span {
        if self.synthetic {
            return self.body;
        }
        let start = self.rewritten.original(range.start);
        let end = self.rewritten.original(range.end).max(start);
        self.body.sub(start, end - start)
    }
}

/// acca's own macros, compiled once in a process: they are the same in every project.
struct OwnMacros {
    env: Environment<'static>,
    /// By id: the text, and what it was rewritten to.
    texts: HashMap<String, (String, Rewritten)>,
}

impl OwnMacros {
    fn of(project: &Project) -> &'static OwnMacros {
        static OWN: OnceLock<OwnMacros> = OnceLock::new();
        OWN.get_or_init(|| {
            let mut own = OwnMacros { env: base_environment(), texts: HashMap::new() };
            for definition in project.macros.iter().filter(|definition| &*definition.package == BUILTIN_PACKAGE) {
                let text = project.sources.text(definition.body);
                let rewritten = rewrite(text);
                if own.env.add_template_owned(definition.id.to_string(), rewritten.text.clone()).is_ok() {
                    own.texts.insert(definition.id.to_string(), (text.to_owned(), rewritten));
                }
            }
            own
        })
    }

    /// What a macro was rewritten to, if it is one of these.
    fn rewritten(&self, definition: &Macro, text: &str) -> Option<&Rewritten> {
        self.texts.get(&*definition.id).filter(|(held, _)| held == text).map(|(_, rewritten)| rewritten)
    }
}

/// Calls of macros that a diagnostic shows beside the place in the body.
const MOST_CALLS: usize = 3;

/// The package of acca's own macros, under dbt's name.
pub const BUILTIN_PACKAGE: &str = "dbt";

impl Templates {
    /// Compiles all macros. One that cannot be compiled is reported and left out.
    pub fn new(project: &Project, files: Arc<dyn Files>, invocation: Invocation, diagnostics: &mut Diagnostics) -> Templates {
        let own = OwnMacros::of(project);
        let mut env = own.env.clone();
        let mut macros: HashMap<Arc<str>, BTreeMap<String, Arc<CompiledMacro>>> = HashMap::new();
        let mut origins = HashMap::new();
        for definition in &project.macros {
            let text = project.sources.text(definition.body);
            if let Some(rewritten) = own.rewritten(definition, text) {
                let compiled = Arc::new(compiled(definition, &project.sources));
                macros.entry(definition.package.clone()).or_default().insert(definition.name.clone(), compiled);
                let origin = TemplateOrigin { body: definition.body, rewritten: rewritten.clone(), synthetic: false };
                origins.insert(definition.id.to_string(), origin);
                continue;
            }
            let origin = TemplateOrigin::new(definition.body, text);
            match env.add_template_owned(definition.id.to_string(), origin.rewritten.text.clone()) {
                Ok(()) => {
                    let compiled = Arc::new(compiled(definition, &project.sources));
                    macros.entry(definition.package.clone()).or_default().insert(definition.name.clone(), compiled);
                }
                Err(error) => {
                    let failure = describe(&error, &definition.id);
                    diagnostics.push(syntax_diagnostic(&failure, &origin));
                }
            }
            origins.insert(definition.id.to_string(), origin);
        }
        let shared = Shared {
            root: project.name.clone(),
            packages: project.packages.clone(),
            macros,
            target: project.target.clone(),
            cli_vars: project.cli_vars.clone(),
            files,
            invocation,
            flags: OnceLock::new(),
            asked_flags: AskedFlags::default(),
            graph: OnceLock::new(),
            docs: docs(project),
            groups: project.groups.clone(),
            sources: project.sources.clone(),
            origins,
        };
        let mut strict = env.clone();
        strict.set_undefined_behavior(UndefinedBehavior::Lenient);
        Templates { env, strict, shared: Arc::new(shared) }
    }

    /// What the run says of itself.
    pub fn invocation(&self) -> &Invocation {
        &self.shared.invocation
    }

    pub(super) fn env_of(&self, scope: &Scope) -> &Environment<'static> {
        if scope.executing() { &self.strict } else { &self.env }
    }

    /// Whether the project defines (or acca has) a materialization of that name for the target.
    pub fn materialization(&self, name: &str, package: &str) -> Option<UniqueId> {
        let chain = self.shared.invocation.adapter_chain.iter().map(String::as_str).chain(["default"]);
        chain.into_iter().find_map(|adapter| {
            let full = format!("materialization_{name}_{adapter}");
            self.shared.find_macro(&full, package).map(|found| found.id.clone())
        })
    }

    /// Whether a materialization runs the hooks of its nodes itself.
    pub fn runs_hooks(&self, materialization: &str) -> bool {
        let origin = self.shared.macro_origin(materialization);
        origin.is_some_and(|origin| ["run_hooks", "pre_hooks", "post_hooks"].iter().any(|name| origin.rewritten.text.contains(name)))
    }

    /// Whether a generic test of that name is defined; its parameters with their defaults if so, and whether it takes others too.
    pub(super) fn generic_test(&self, name: &str, namespace: Option<&str>, package: &str) -> Option<(&Parameters, bool)> {
        let full = format!("test_{name}");
        let found = match namespace {
            Some(namespace) => self.shared.package_macro(namespace, &full),
            None => self.shared.find_macro(&full, package),
        }?;
        Some((&found.parameters, found.takes_kwargs))
    }

    /// Names of all generic tests that `package` can use, ascending.
    pub fn generic_test_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .shared
            .packages
            .iter()
            .filter_map(|package| self.shared.macros.get(&package.name))
            .flat_map(BTreeMap::keys)
            .filter_map(|name| name.strip_prefix("test_").map(str::to_owned))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Shared {
    pub(super) fn package_macro(&self, package: &str, name: &str) -> Option<&Arc<CompiledMacro>> {
        self.macros.get(package)?.get(name)
    }

    /// dbt's order: the template's own package, the root project, then acca's own macros.
    pub(super) fn find_macro(&self, name: &str, package: &str) -> Option<&Arc<CompiledMacro>> {
        [package, &self.root, BUILTIN_PACKAGE].into_iter().find_map(|package| self.package_macro(package, name))
    }

    /// The packages in which a namespace's variants are looked for: as configured, or the root project and the package itself.
    pub(super) fn search_order(&self, namespace: &str) -> Vec<String> {
        let root = self.packages.iter().find(|package| package.name == self.root);
        let configured = root.and_then(|root| root.dispatch.get(namespace));
        configured.cloned().unwrap_or_else(|| vec![self.root.to_string(), namespace.to_owned()])
    }

    /// The names under which a macro serves the target, the nearest first.
    pub(super) fn variants(&self, name: &str) -> Vec<String> {
        self.invocation.adapter_chain.iter().map(String::as_str).chain(["default"]).map(|adapter| format!("{adapter}__{name}")).collect()
    }

    /// Whether the project has a macro in the place of acca's own, or a variant that comes before it.
    pub(super) fn is_overridden(&self, name: &str, package: &str) -> bool {
        let own = |package: &str| package == BUILTIN_PACKAGE;
        let direct = || [package, &self.root].into_iter().any(|package| !own(package) && self.package_macro(package, name).is_some());
        let dispatched = || {
            let order = self.search_order(BUILTIN_PACKAGE);
            let variants = self.variants(name);
            order
                .iter()
                .take_while(|package| !own(package))
                .any(|package| variants.iter().any(|name| self.package_macro(package, name).is_some()))
        };
        direct() || dispatched()
    }

    pub(super) fn origin<'a>(&'a self, template: &str, body: &'a (String, TemplateOrigin)) -> Option<&'a TemplateOrigin> {
        if template == body.0 { Some(&body.1) } else { self.origins.get(template) }
    }

    /// The map of a rendered template; `children` are the outputs of macros called meanwhile, in order.
    pub(super) fn span_map(
        &self,
        output: &str,
        spans: &[minijinja::OutputSpan],
        origin: &TemplateOrigin,
        children: Vec<(String, Arc<SpanMap>)>,
    ) -> SpanMap {
        let mut children = children.into_iter().peekable();
        let segments = spans.iter().map(|piece| {
            let range = piece.output_range();
            let source = origin.span(piece.source_range());
            if piece.kind() == minijinja::OutputSpanKind::Raw {
                return Segment { output: range, source, origin: Origin::Text };
            }
            let text = output.get(range.clone()).unwrap_or("");
            let mut ahead = children.clone();
            let found = ahead.position(|(written, _)| written == text);
            let origin = match found.and_then(|steps| children.nth(steps)) {
                Some((_, map)) => Origin::Macro(map),
                None => Origin::Expression,
            };
            Segment { output: range, source, origin }
        });
        SpanMap { segments: segments.collect(), of_macro: None }
    }

    pub(super) fn macro_origin(&self, template: &str) -> Option<&TemplateOrigin> {
        self.origins.get(template)
    }

    /// The diagnostic of a failed render: the place in the body first, the macros' places beside it.
    pub(super) fn diagnostic(&self, failure: Failure, body: &(String, TemplateOrigin), names: &[&str]) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(failure.code, failure.message);
        let span_of = |frame: &Frame| {
            let origin = self.origin(&frame.template, body)?;
            Some(frame.range.clone().map_or(origin.body, |range| origin.span(range)))
        };
        let mut frames = failure.frames.iter().rev();
        let outermost = frames.next().and_then(span_of);
        diagnostic = diagnostic.at(outermost.unwrap_or(body.1.body));
        let inner: Vec<(Span, &str)> =
            frames.filter_map(|frame| Some((span_of(frame)?, frame.template.rsplit('.').next().unwrap_or(&frame.template)))).collect();
        let shown = innermost(&inner);
        let hidden = inner.len() - shown.len();
        for (span, name) in shown {
            diagnostic = diagnostic.also(span, format!("in macro '{name}'"));
        }
        if hidden > 0 {
            diagnostic = diagnostic.note(format!("… and {hidden} more call{}", if hidden == 1 { "" } else { "s" }));
        }
        for help in failure.help {
            diagnostic = diagnostic.help(help);
        }
        if let Some(unknown) = failure.unknown {
            diagnostic = diagnostic.did_you_mean(&unknown, names.iter().copied());
        }
        diagnostic
    }

    /// Everything that a template of `package` can call by a bare name.
    pub(super) fn callable_names(&self, package: &str) -> Vec<&str> {
        let packages = [package, &self.root, BUILTIN_PACKAGE];
        let macros = packages.into_iter().filter_map(|package| self.macros.get(package)).flat_map(BTreeMap::keys);
        macros
            .map(String::as_str)
            .chain(super::functions::NAMES.iter().copied())
            .chain(super::library::NAMES)
            .chain(super::context::NAMES)
            .chain(super::rare::NAMES)
            .collect()
    }
}

/// The last few different calls, in the order in which they were made: a macro without end calls itself from one place again and again.
fn innermost<'a>(calls: &[(Span, &'a str)]) -> Vec<(Span, &'a str)> {
    let mut shown: Vec<(Span, &str)> = Vec::new();
    for call in calls.iter().rev() {
        if shown.len() < MOST_CALLS && !shown.contains(call) {
            shown.push(*call);
        }
    }
    shown.reverse();
    shown
}

fn docs(project: &Project) -> BTreeMap<(Arc<str>, String), String> {
    let text = |span: Span| project.sources.text(span).trim().to_owned();
    project.docs.iter().map(|block| ((block.package.clone(), block.name.clone()), text(block.text))).collect()
}

fn compiled(definition: &Macro, sources: &Sources) -> CompiledMacro {
    let body = sources.text(definition.body);
    CompiledMacro {
        id: definition.id.clone(),
        name: definition.name.clone(),
        parameters: definition
            .parameters
            .iter()
            .map(|parameter| (parameter.name.clone(), parameter.default.map(|span| sources.text(span).to_owned())))
            .collect(),
        takes_varargs: body.contains("varargs"),
        takes_kwargs: body.contains("kwargs"),
    }
}

pub(super) fn syntax_diagnostic(failure: &Failure, origin: &TemplateOrigin) -> Diagnostic {
    let range = failure.frames.first().and_then(|frame| frame.range.clone());
    let span = range.map_or(origin.body, |range| origin.span(range));
    Diagnostic::new(failure.code, failure.message.clone()).at(span)
}

/// dbt's Jinja: nothing is escaped, undefined names print as nothing, Python's methods exist, literals may be made changeable.
pub(super) fn base_environment() -> Environment<'static> {
    static BASE: OnceLock<Environment<'static>> = OnceLock::new();
    BASE.get_or_init(new_environment).clone()
}

fn new_environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_debug(true);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    if let Ok(syntax) = minijinja::syntax::SyntaxConfig::builder().keep_trailing_newline(true).build() {
        env.set_syntax(syntax);
    }
    super::python::add_language(&mut env);
    super::filters::add_filters(&mut env);
    super::library::add_functions(&mut env);
    env
}
