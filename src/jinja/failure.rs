//! How an error travels out of nested templates: what went wrong once, and every place on the way, innermost first.

use std::fmt;
use std::ops::Range;

use minijinja::{Error, ErrorKind, Value};

use super::open_blocks::open_block;
use crate::base::Sources;
use crate::diag::{Code, Diagnostic, codes, nearest};

/// A place in a template: the template's name and a range of its (rewritten) text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) template: String,
    pub(super) range: Option<Range<usize>>,
}

/// What a template failed with. Carried as the source of the engine's error.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: &'static Code,
    pub(super) message: String,
    pub(super) help: Vec<String>,
    pub(super) frames: Vec<Frame>,
    /// The name that is not known, to look for near ones.
    pub(super) unknown: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// `return(v)` leaves a macro as an error that the call catches.
#[derive(Debug)]
pub(super) struct Returned(pub(super) Value);

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("return() was called outside of a macro")
    }
}

impl std::error::Error for Returned {}

/// An error of ours, for functions to return.
pub(super) fn raise(code: &'static Code, message: impl Into<String>) -> Error {
    raise_with(code, message, Vec::new())
}

pub(super) fn raise_with(code: &'static Code, message: impl Into<String>, help: Vec<String>) -> Error {
    wrap(Failure { code, message: message.into(), help, frames: Vec::new(), unknown: None })
}

pub(super) fn wrap(failure: Failure) -> Error {
    Error::new(ErrorKind::InvalidOperation, failure.message.clone()).with_source(failure)
}

/// What is said of the use of a name that is not set.
pub(super) const UNDEFINED: &str = "an undefined value is used in an expression";

/// Says which name is not set where something of it is called: often that of a package that is not there.
pub(super) fn with_the_name(mut problem: Diagnostic, sources: &Sources) -> Diagnostic {
    let Some(label) = problem.secondary.last().or(problem.primary.as_ref()).filter(|_| problem.message == UNDEFINED) else {
        return problem;
    };
    let before = sources.file(label.span.file).text.get(..label.span.start as usize).unwrap_or_default();
    let name = before.rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
    if !name.is_empty() && sources.text(label.span).starts_with('.') {
        problem.message = format!("'{name}' is not defined");
        problem.help.push(format!("if '{name}' is a package, name it in packages.yml and run 'acca deps'"));
    }
    problem
}

/// The first error of type `T` on the chain of sources.
pub(super) fn find_source<T: std::error::Error + 'static>(error: &Error) -> Option<&T> {
    let mut at: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(source) = at {
        if let Some(found) = source.downcast_ref::<T>() {
            return Some(found);
        }
        at = source.source();
    }
    None
}

/// Turns the engine's error into ours and adds the place where the engine saw it.
pub(super) fn describe(error: &Error, template: &str) -> Failure {
    let mut failure = match find_source::<Failure>(error) {
        Some(failure) => failure.clone(),
        None => from_engine(error),
    };
    let template = error.name().unwrap_or(template).to_owned();
    let mut range = error.range();
    let ended =
        error.kind() == ErrorKind::SyntaxError && error.detail().is_some_and(|detail| detail.starts_with("unexpected end of input"));
    if let Some((word, opened)) = error.template_source().filter(|_| ended).and_then(open_block) {
        failure.message = format!("the template ends within a block: this '{word}' has no 'end{word}'");
        failure.help.push(format!("write '{{% end{word} %}}' where it ends"));
        range = Some(opened);
    }
    failure.frames.push(Frame { template, range });
    failure
}

fn from_engine(error: &Error) -> Failure {
    let detail = error.detail().unwrap_or_default().trim_end_matches('.').to_owned();
    let (mut help, detail) = (Vec::new(), detail.replace('`', "'"));
    let unknown = match error.kind() {
        ErrorKind::UnknownFunction => detail.strip_suffix(" is unknown").map(str::to_owned),
        _ => None,
    };
    let (code, message) = match error.kind() {
        ErrorKind::SyntaxError => (&codes::JINJA_SYNTAX, format!("the template cannot be read: {detail}")),
        ErrorKind::UnknownFunction => {
            (&codes::UNKNOWN_MACRO, format!("no macro or function is called '{}'", unknown.as_deref().unwrap_or(&detail)))
        }
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest => {
            let is_filter = error.kind() == ErrorKind::UnknownFilter;
            let what = if is_filter { "filter" } else { "test" };
            let name = detail.strip_prefix(what).and_then(|rest| rest.strip_suffix(" is unknown")).unwrap_or(&detail).trim();
            let near = if is_filter { nearest(name, super::filters::filter_names()) } else { nearest(name, super::filters::test_names()) };
            help.extend(near.map(|near| format!("did you mean '{near}'?")));
            (&codes::JINJA_ERROR, format!("no {what} is called '{name}'"))
        }
        ErrorKind::MissingArgument | ErrorKind::TooManyArguments => (&codes::WRONG_ARGUMENTS, or_kind(error, &detail)),
        _ => (&codes::JINJA_ERROR, or_kind(error, &detail)),
    };
    Failure { code, message, help, frames: Vec::new(), unknown }
}

fn or_kind(error: &Error, detail: &str) -> String {
    if detail.is_empty() { error.kind().to_string() } else { detail.to_owned() }
}
