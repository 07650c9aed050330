//! The language of selections: what the command line says, as a tree.

use super::IndirectSelection;
use super::methods::Method;
use super::wildcard::has_wildcard;
use crate::diag::{Diagnostic, codes};

/// A tree of sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Criterion(Criterion),
    Union(Vec<Expression>),
    Intersection(Vec<Expression>),
    Difference(Box<Expression>, Box<Expression>),
    /// The definition of a selector of a file.
    Named(Box<Expression>),
    Nothing,
}

impl Expression {
    pub(super) fn each_criterion(&self, visit: &mut dyn FnMut(&Criterion)) {
        match self {
            Expression::Criterion(criterion) => visit(criterion),
            Expression::Union(parts) | Expression::Intersection(parts) => parts.iter().for_each(|part| part.each_criterion(visit)),
            Expression::Difference(included, excluded) => {
                included.each_criterion(visit);
                excluded.each_criterion(visit);
            }
            Expression::Named(definition) => definition.each_criterion(visit),
            Expression::Nothing => {}
        }
    }
}

/// One criterion: what is matched, and how far it reaches in the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Criterion {
    /// As it was written.
    pub(super) text: String,
    pub(super) method: Method,
    pub(super) value: String,
    pub(super) parents: Option<Reach>,
    pub(super) children: Option<Reach>,
    /// `@`: everything below, and all that it reads.
    pub(super) childrens_parents: bool,
    /// Which tests come along, where the criterion says so itself.
    pub(super) indirect: Option<IndirectSelection>,
}

impl Criterion {
    /// What is matched and nothing around it.
    pub(super) fn plain(text: String, method: Method, value: String) -> Criterion {
        Criterion { text, method, value, parents: None, children: None, childrens_parents: false, indirect: None }
    }

    /// Without a method and without a wildcard: the writer means one thing that exists.
    pub(super) fn is_plain_name(&self) -> bool {
        self.method == Method::Fqn && !self.text.contains(':') && !has_wildcard(&self.value)
    }
}

/// How many edges away; `None` is any number.
pub(super) type Reach = Option<usize>;

/// The arguments of one flag: a union of intersections. No argument at all is `None`.
///
/// # Errors
/// `invalid-selector` for every criterion that cannot be read.
pub(super) fn parse(arguments: &[String]) -> Result<Option<Expression>, Vec<Diagnostic>> {
    let mut terms = Vec::new();
    let mut problems = Vec::new();
    for term in arguments.iter().flat_map(|argument| argument.split_whitespace()) {
        let mut parts = Vec::new();
        for part in term.split(',') {
            match parse_criterion(part, term) {
                Ok(criterion) => parts.push(Expression::Criterion(criterion)),
                Err(problem) => problems.push(problem),
            }
        }
        terms.push(several(parts, Expression::Intersection));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if terms.is_empty() { Ok(None) } else { Ok(Some(several(terms, Expression::Union))) }
}

pub(super) fn several(mut parts: Vec<Expression>, combine: impl FnOnce(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            combine(parts)
        }
        None => combine(parts),
    }
}

fn invalid(text: &str, why: &str) -> Diagnostic {
    Diagnostic::new(&codes::INVALID_SELECTOR, format!("the selector '{text}' {why}"))
}

pub(super) fn parse_criterion(text: &str, term: &str) -> Result<Criterion, Diagnostic> {
    if text.is_empty() {
        return Err(invalid(term, "has nothing on one side of a comma")
            .help("write 'a,b' without blanks for what both select, 'a b' for what either selects"));
    }
    let (childrens_parents, rest) = text.strip_prefix('@').map_or((false, text), |rest| (true, rest));
    let (parents, rest) = leading_reach(rest);
    let (children, rest) = trailing_reach(rest);
    if childrens_parents && children.is_some() {
        return Err(invalid(text, "has both '@' and a '+' behind the name").help("'@' selects everything below already: leave out the '+'"));
    }
    let (method, value) = parse_method(rest, text)?;
    if value.is_empty() {
        return Err(invalid(text, "names nothing"));
    }
    method.check_value(value).map_err(|problem| problem.note(format!("in the selector '{text}'")))?;
    Ok(Criterion { parents, children, childrens_parents, ..Criterion::plain(text.to_owned(), method, value.to_owned()) })
}

/// `2+x`: the reach and what follows it.
fn leading_reach(text: &str) -> (Option<Reach>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.get(digits..).and_then(|rest| rest.strip_prefix('+')) {
        Some(rest) => (Some(text.get(..digits).and_then(|depth| depth.parse().ok())), rest),
        None => (None, text),
    }
}

/// `x+2`: the reach and what stands before it.
fn trailing_reach(text: &str) -> (Option<Reach>, &str) {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let split = text.len() - digits;
    match text.get(..split).and_then(|rest| rest.strip_suffix('+')) {
        Some(rest) => (Some(text.get(split..).and_then(|depth| depth.parse().ok())), rest),
        None => (None, text),
    }
}

fn parse_method<'a>(rest: &'a str, text: &str) -> Result<(Method, &'a str), Diagnostic> {
    let is_word = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let method = |name| Method::parse(name).map_err(|problem| problem.note(format!("in the selector '{text}'")));
    match rest.split_once(':').filter(|(name, _)| is_word(name)) {
        Some((name, value)) => Ok((method(name)?, value)),
        None => Ok((Method::default_for(rest), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criterion(text: &str) -> Criterion {
        match parse(&[text.to_owned()]) {
            Ok(Some(Expression::Criterion(criterion))) => criterion,
            other => panic!("{other:?}"),
        }
    }

    fn problem(text: &str) -> String {
        parse(&[text.to_owned()]).unwrap_err().remove(0).message
    }

    #[test]
    fn reads_the_graph_operators() {
        for (text, parents, children, at) in [
            ("a", None, None, false),
            ("+a", Some(None), None, false),
            ("a+", None, Some(None), false),
            ("2+a+1", Some(Some(2)), Some(Some(1)), false),
            ("@a", None, None, true),
        ] {
            let found = criterion(text);
            assert_eq!((found.parents, found.children, found.childrens_parents), (parents, children, at), "{text}");
            assert_eq!((found.method, found.value.as_str()), (Method::Fqn, "a"), "{text}");
        }
        assert_eq!(criterion("stg_2").value, "stg_2");
        assert_eq!(criterion("2fa_users").value, "2fa_users");
    }

    #[test]
    fn tells_names_paths_and_files_apart() {
        assert_eq!(criterion("models/staging").method, Method::Path);
        assert_eq!(criterion("stg_bets.sql").method, Method::File);
        assert_eq!(criterion("shop.staging.*").method, Method::Fqn);
        assert_eq!(criterion("config.meta.owner:finance").method, Method::Config(vec!["meta".to_owned(), "owner".to_owned()]));
        let tagged = criterion("+tag:nightly");
        assert_eq!((tagged.method, tagged.value.as_str()), (Method::Tag, "nightly"));
    }

    #[test]
    fn blanks_unite_and_commas_intersect() {
        let Some(Expression::Union(terms)) = parse(&["a b,c".to_owned(), "d".to_owned()]).unwrap() else { panic!() };
        assert!(
            matches!(terms.as_slice(), [Expression::Criterion(_), Expression::Intersection(both), Expression::Criterion(_)] if both.len() == 2)
        );
        assert_eq!(parse(&[" ".to_owned()]), Ok(None));
    }

    #[test]
    fn refuses_what_means_nothing() {
        assert_eq!(problem("a,"), "the selector 'a,' has nothing on one side of a comma");
        assert_eq!(problem("@a+"), "the selector '@a+' has both '@' and a '+' behind the name");
        assert_eq!(problem("+"), "the selector '+' names nothing");
        assert_eq!(problem("tag:"), "the selector 'tag:' names nothing");
        assert_eq!(problem("tga:x"), "there is no selection method 'tga'");
        assert_eq!(problem("resource_type:modle"), "there is no resource type 'modle'");
    }
}
