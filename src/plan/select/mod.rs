//! dbt's language of node selection: which nodes a command works on.
//!
//! Text becomes an [`expression`], criteria ask [`methods`], the graph adds what lies above and below, and tests follow the
//! nodes that they test.

mod breaking;
mod expression;
mod methods;
mod selectors;
mod state;
mod wildcard;

use std::collections::BTreeSet;

use expression::{Criterion, Expression};
use methods::Method;
pub use selectors::{check_selectors, normalised_selectors};
pub use state::Compared;

use crate::base::{ResourceType, Sources};
use crate::diag::{Diagnostic, Severity, codes, nearest};
use crate::project::{Manifest, Node, Selector};

/// What a selection is matched against.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub manifest: &'a Manifest,
    pub sources: &'a Sources,
    /// Name of the root package.
    pub root: &'a str,
    pub selectors: &'a [Selector],
    /// An earlier invocation, for the methods that compare with it.
    pub compared: Option<&'a Compared<'a>>,
}

impl<'a> Scope<'a> {
    fn path(&self, node: &Node) -> &'a str {
        self.sources.path(node.origin.file)
    }
}

/// What the command line asks for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Arguments of `--select`; none selects everything.
    pub select: &'a [String],
    pub exclude: &'a [String],
    /// `--selector`; it takes the place of both.
    pub selector: Option<&'a str>,
    /// What the command works on; other nodes fall out at the end.
    pub resources: &'a [ResourceType],
    pub indirect: IndirectSelection,
}

/// Which tests come along with the nodes that they test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndirectSelection {
    /// All that test a selected node.
    #[default]
    Eager,
    /// Those that read selected nodes only.
    Cautious,
    /// Those that read selected nodes and what lies above them.
    Buildable,
    /// None.
    Empty,
}

/// Numbers of manifest nodes, and what is odd about the selection.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub nodes: BTreeSet<usize>,
    /// `nothing-selected`, one a criterion without a match. An error where a plain name is unknown and nothing else is selected.
    pub warnings: Vec<Diagnostic>,
    /// The selector that holds because nothing was asked for.
    pub default: Option<String>,
}

/// What of an earlier invocation a selection asks about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub manifest: bool,
    pub results: bool,
    pub freshness: bool,
}

/// Whether the request compares with an earlier invocation, and with what of it.
///
/// # Errors
/// As [`select`].
pub fn needs(scope: &Scope<'_>, request: &Request<'_>) -> Result<Needs, Vec<Diagnostic>> {
    let mut needs = Needs::default();
    if let Some(expression) = &read(scope, request)? {
        expression.each_criterion(&mut |criterion| match criterion.method {
            Method::State => needs.manifest = true,
            Method::Result => needs.results = true,
            Method::SourceStatus => needs.freshness = true,
            _ => {}
        });
    }
    Ok(needs)
}

fn read(scope: &Scope<'_>, request: &Request<'_>) -> Result<Option<Expression>, Vec<Diagnostic>> {
    match request.selector.or(default_selector(scope, request)) {
        Some(name) => Ok(Some(selectors::named(scope.selectors, name)?)),
        None => parse(request),
    }
}

/// Evaluates a request.
///
/// # Errors
/// `invalid-selector` for each criterion that cannot be read, and for an empty text.
pub fn select(scope: &Scope<'_>, request: &Request<'_>) -> Result<Selection, Vec<Diagnostic>> {
    let default = default_selector(scope, request);
    let expression = read(scope, request)?;
    if let Some(expression) = &expression {
        refuse_without_state(scope, expression)?;
    }
    let mut evaluation =
        Evaluation { scope, indirect: request.indirect, warnings: Vec::new(), has_unknown_name: false, in_selector: false };
    let found = match &expression {
        Some(expression) => evaluation.evaluate(expression).certain,
        None => (0..scope.manifest.nodes.len()).collect(),
    };
    let Evaluation { mut warnings, has_unknown_name, .. } = evaluation;
    let broken = expression.as_ref().map(|expression| broken_contracts(scope, expression)).unwrap_or_default();
    let wanted = |number: &usize| scope.manifest.nodes.get(*number).is_some_and(|node| request.resources.contains(&node.resource));
    let nodes: BTreeSet<usize> = found.iter().copied().filter(wanted).collect();
    if nodes.is_empty() && warnings.is_empty() {
        warnings.push(nothing_left(scope, request, &found));
    }
    if nodes.is_empty() && has_unknown_name {
        warnings.iter_mut().for_each(|warning| warning.severity = Severity::Error);
    }
    warnings.extend(broken);
    Ok(Selection { nodes, warnings, default: default.map(str::to_owned) })
}

/// Who asks for changes is told which of them break a contract.
fn broken_contracts(scope: &Scope<'_>, expression: &Expression) -> Vec<Diagnostic> {
    let mut asked = false;
    expression.each_criterion(&mut |criterion| {
        asked |= criterion.method == Method::State && matches!(criterion.value.as_str(), "modified" | "unmodified" | "modified.contract");
    });
    let state = scope.compared.filter(|_| asked).map(|compared| compared.state);
    match state.and_then(|state| state.previous.as_ref().zip(state.current.as_ref())) {
        Some((previous, current)) => breaking::breaking_changes(previous, current, scope.manifest),
        None => Vec::new(),
    }
}

fn refuse_without_state(scope: &Scope<'_>, expression: &Expression) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    expression.each_criterion(&mut |criterion| {
        if scope.compared.is_none() && matches!(criterion.method, Method::State | Method::Result | Method::SourceStatus) {
            let message = format!("the selector '{}' compares with an earlier invocation, and none is named", criterion.text);
            let problem = Diagnostic::new(&codes::INVALID_SELECTOR, message);
            problems.push(problem.help("name the folder of its artefacts: --state <FOLDER>, or DBT_STATE in the environment"));
        }
    });
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn default_selector<'a>(scope: &Scope<'a>, request: &Request<'_>) -> Option<&'a str> {
    let asks = request.selector.is_some() || !request.select.is_empty() || !request.exclude.is_empty();
    scope.selectors.iter().find(|selector| selector.default && !asks).map(|selector| selector.name.as_str())
}

/// An empty text is most likely a variable of the shell that is not set: it must not select everything.
fn refuse_empty(arguments: &[String], flag: &str, without: &str) -> Result<(), Vec<Diagnostic>> {
    if arguments.iter().all(|text| !text.trim().is_empty()) {
        return Ok(());
    }
    let problem = Diagnostic::new(&codes::INVALID_SELECTOR, format!("the text of {flag} is empty"));
    Err(vec![problem.help(format!("leave {flag} out to {without}"))])
}

fn parse(request: &Request<'_>) -> Result<Option<Expression>, Vec<Diagnostic>> {
    refuse_empty(request.select, "--select", "select everything")?;
    refuse_empty(request.exclude, "--exclude", "exclude nothing")?;
    match (expression::parse(request.select), expression::parse(request.exclude)) {
        (Ok(included), Ok(None)) => Ok(included),
        (Ok(included), Ok(Some(excluded))) => {
            let included = included.unwrap_or(Expression::Union(Vec::new()));
            Ok(Some(Expression::Difference(Box::new(included), Box::new(excluded))))
        }
        (Err(mut problems), Err(others)) => {
            problems.extend(others);
            Err(problems)
        }
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
    }
}

fn nothing_left(scope: &Scope<'_>, request: &Request<'_>, found: &BTreeSet<usize>) -> Diagnostic {
    let wanted = request.resources.iter().map(|resource| resource.as_str()).collect::<Vec<_>>().join(", ");
    let problem = Diagnostic::new(&codes::NOTHING_SELECTED, "nothing is selected that this command works on");
    let held: BTreeSet<&str> =
        found.iter().filter_map(|number| scope.manifest.nodes.get(*number)).map(|node| node.resource.as_str()).collect();
    let problem = if held.is_empty() {
        problem
    } else {
        problem.note(format!("selected is only: {}", held.into_iter().collect::<Vec<_>>().join(", ")))
    };
    problem.note(format!("the command works on: {wanted}"))
}

/// What an expression selects.
#[derive(Clone, Debug, Default)]
struct Selected {
    certain: BTreeSet<usize>,
    /// `certain`, and tests that may still come along when all that they test is selected in the end.
    possible: BTreeSet<usize>,
}

struct Evaluation<'a> {
    scope: &'a Scope<'a>,
    indirect: IndirectSelection,
    warnings: Vec<Diagnostic>,
    /// A plain name that is to be selected is the name of nothing.
    has_unknown_name: bool,
    /// Inside of a selector of a file, sets do not look for tests once more after they were combined.
    in_selector: bool,
}

impl Evaluation<'_> {
    fn evaluate(&mut self, expression: &Expression) -> Selected {
        match expression {
            Expression::Criterion(criterion) => self.criterion(criterion),
            Expression::Nothing => Selected::default(),
            Expression::Named(definition) => {
                let outer = std::mem::replace(&mut self.in_selector, true);
                let selected = self.evaluate(definition);
                self.in_selector = outer;
                selected
            }
            // The left side of an exclusion without a selection: everything.
            Expression::Union(parts) if parts.is_empty() => {
                let all: BTreeSet<usize> = (0..self.scope.manifest.nodes.len()).collect();
                Selected { certain: all.clone(), possible: all }
            }
            Expression::Union(parts) => {
                let parts = self.evaluate_all(parts);
                self.combined(parts, |left, right| left | right)
            }
            Expression::Intersection(parts) => {
                let parts = self.evaluate_all(parts);
                self.combined(parts, |left, right| left & right)
            }
            Expression::Difference(included, excluded) => {
                let included = self.evaluate(included);
                let has_unknown_name = self.has_unknown_name;
                let parts = vec![included, self.evaluate(excluded)];
                self.has_unknown_name = has_unknown_name;
                self.combined(parts, |left, right| left - right)
            }
        }
    }

    fn evaluate_all(&mut self, parts: &[Expression]) -> Vec<Selected> {
        parts.iter().map(|part| self.evaluate(part)).collect()
    }

    fn combined(&self, parts: Vec<Selected>, combine: impl Fn(&BTreeSet<usize>, &BTreeSet<usize>) -> BTreeSet<usize>) -> Selected {
        let joined = parts.into_iter().reduce(|left, right| Selected {
            certain: combine(&left.certain, &right.certain),
            possible: combine(&left.possible, &right.possible),
        });
        let mut joined = joined.unwrap_or_default();
        if self.in_selector {
            return joined;
        }
        let reach = self.testable(&joined.certain, self.indirect);
        let tests: Vec<usize> =
            joined.possible.difference(&joined.certain).copied().filter(|test| self.tests_within(*test, &reach)).collect();
        joined.certain.extend(tests);
        joined
    }

    fn criterion(&mut self, criterion: &Criterion) -> Selected {
        let Scope { manifest, .. } = *self.scope;
        let matched: BTreeSet<usize> = manifest
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| criterion.method.is_match(&criterion.value, node, self.scope))
            .map(|(number, _)| number)
            .collect();
        if matched.is_empty() {
            self.has_unknown_name |= criterion.is_plain_name();
            self.warnings.push(no_match(criterion, self.scope));
        }
        let mut certain = matched.clone();
        if let Some(depth) = criterion.parents {
            certain.extend(manifest.dag.ancestors_of(&matched, depth));
        }
        if let Some(depth) = criterion.children {
            certain.extend(manifest.dag.descendants_of(&matched, depth));
        }
        if criterion.childrens_parents {
            certain.extend(manifest.dag.ancestors_of(&manifest.dag.descendants_of(&matched, None), None));
        }
        self.with_tests(certain, criterion.indirect.unwrap_or(self.indirect))
    }

    /// Adds the tests that follow from the selected nodes.
    fn with_tests(&self, selected: BTreeSet<usize>, indirect: IndirectSelection) -> Selected {
        if indirect == IndirectSelection::Empty {
            return Selected { certain: selected.clone(), possible: selected };
        }
        let Scope { manifest, .. } = *self.scope;
        let is_test = |number: &usize| manifest.nodes.get(*number).is_some_and(follows_what_it_tests);
        let tests: BTreeSet<usize> = selected.iter().flat_map(|node| manifest.dag.children(*node)).filter(is_test).collect();
        let mut reach = self.testable(&selected, indirect);
        if indirect == IndirectSelection::Buildable {
            // Sources are there in any case.
            let is_source = |number: &usize| manifest.nodes.get(*number).is_some_and(|node| node.resource == ResourceType::Source);
            reach.extend((0..manifest.nodes.len()).filter(is_source));
        }
        let follows = |test: &usize| indirect == IndirectSelection::Eager || self.tests_within(*test, &reach);
        let certain = selected.iter().copied().chain(tests.iter().copied().filter(follows)).collect();
        Selected { certain, possible: &selected | &tests }
    }

    /// The nodes that a test may read and still come along.
    fn testable(&self, selected: &BTreeSet<usize>, indirect: IndirectSelection) -> BTreeSet<usize> {
        if indirect != IndirectSelection::Buildable {
            return selected.clone();
        }
        self.scope.manifest.dag.ancestors_of(selected, None)
    }

    fn tests_within(&self, test: usize, reach: &BTreeSet<usize>) -> bool {
        self.scope.manifest.dag.parents(test).iter().all(|parent| reach.contains(parent))
    }
}

fn follows_what_it_tests(node: &Node) -> bool {
    matches!(node.resource.as_str(), "test" | "unit_test")
}

fn no_match(criterion: &Criterion, scope: &Scope<'_>) -> Diagnostic {
    let problem = Diagnostic::new(&codes::NOTHING_SELECTED, format!("the selector '{}' matches nothing", criterion.text));
    let candidates = criterion.method.candidates(scope);
    if let Some(near) = nearest(&criterion.value, candidates.iter().map(String::as_str)) {
        return problem.help(format!("did you mean '{}'?", with_value(criterion, near)));
    }
    if let Some(other) = other_method(criterion, scope) {
        return problem.help(format!("did you mean '{}'?", with_value(criterion, &other)));
    }
    if let Some(node) = scope.manifest.disabled.iter().find(|node| node.name == criterion.value) {
        return problem.note(format!("the {} '{}' is disabled", node.resource, node.name));
    }
    problem
}

/// The criterion as it was written, with another value.
fn with_value(criterion: &Criterion, value: &str) -> String {
    match criterion.text.rsplit_once(&criterion.value) {
        Some((before, after)) => format!("{before}{value}{after}"),
        None => value.to_owned(),
    }
}

/// A source or a tag of that name, which a plain name does not select.
fn other_method(criterion: &Criterion, scope: &Scope<'_>) -> Option<String> {
    use Method::{Fqn, Source, Tag};
    if criterion.method != Fqn {
        return None;
    }
    let value = &criterion.value;
    let table = |name: &String| name == value || name.rsplit_once('.').is_some_and(|(_, table)| table == value);
    let sources = Source.candidates(scope).into_iter().find(table).map(|name| format!("source:{name}"));
    sources.or_else(|| Tag.candidates(scope).contains(value).then(|| format!("tag:{value}")))
}

#[cfg(test)]
mod tests;
