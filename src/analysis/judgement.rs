//! What becomes of findings: the weights of `acca.yml`, and comments that allow one with a reason.

use super::compilation::Compilation;
use crate::base::Span;
use crate::diag::{Diagnostic, codes};
use crate::project::{Node, Weight};

const MARK: &str = "acca: allow(";

/// `-- acca: allow(lossy-cast) because …`, or in any other kind of comment.
#[derive(Debug, PartialEq)]
struct Allowance<'t> {
    codes: Vec<&'t str>,
    reasoned: bool,
    /// Bytes of the line, from `acca:` to the closing parenthesis.
    start: usize,
    end: usize,
    /// Nothing but the comment is on its line, so it speaks of the next one.
    alone: bool,
}

impl Compilation {
    /// The findings of a node as the project wants them. `certain` says that its query was understood as a whole.
    pub(super) fn judged(&self, node: &Node, problems: Vec<Diagnostic>, certain: bool) -> Vec<Diagnostic> {
        let allowances = node.body.map(|body| self.allowances(body)).unwrap_or_default();
        if problems.is_empty() && allowances.is_empty() {
            return problems;
        }
        let mut used = Vec::new();
        let mut kept = self.outweighed(problems, &mut used);
        for (place, named, reasoned) in allowances {
            let known = named.iter().find(|name| codes::find(name).is_none());
            let problem = |message: String| Diagnostic::new(&codes::BAD_SUPPRESSION, message).at(place);
            // What is found by others than the analysis is not known here.
            let elsewhere = named.contains(&codes::KEY_ADVICE.name);
            if let Some(name) = known {
                let names = codes::ALL.iter().map(|code| code.name);
                kept.push(problem(format!("'{name}' is no code of acca")).did_you_mean(name, names));
            } else if !reasoned {
                let help = format!("write why: -- acca: allow({}) because …", named.join(", "));
                kept.push(problem("a finding is allowed without a reason".to_owned()).help(help));
            } else if certain && !elsewhere && !used.contains(&place) {
                kept.push(problem(format!("there is no {} here to be allowed", named.join(", "))).help("remove the comment"));
            }
        }
        kept
    }

    /// Findings that say their places themselves, without those that are allowed there, as heavy as the project wants them.
    pub fn weighed(&self, problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
        self.outweighed(problems, &mut Vec::new())
    }

    /// `used` gets the places of comments that allow one.
    fn outweighed(&self, problems: Vec<Diagnostic>, used: &mut Vec<Span>) -> Vec<Diagnostic> {
        let mut kept: Vec<Diagnostic> = Vec::new();
        for mut problem in problems {
            let labels = problem.primary.iter().chain(&problem.secondary);
            if let Some(place) = labels.filter_map(|label| self.allowed_at(label.span, problem.code.name)).next() {
                used.push(place);
                continue;
            }
            let weight = problem.primary.as_ref().and_then(|label| {
                let path = self.project.sources.path(label.span.file);
                self.project.acca.weights.of(problem.code, path)
            });
            match weight {
                Some(Weight::Off) => continue,
                Some(Weight::As(severity)) => problem.severity = severity,
                None => {}
            }
            kept.push(problem);
        }
        kept
    }

    /// All that a body allows: where, which codes, and whether it says why.
    fn allowances(&self, body: Span) -> Vec<(Span, Vec<&str>, bool)> {
        let text = self.project.sources.text(body);
        if memchr::memmem::find(text.as_bytes(), MARK.as_bytes()).is_none() {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            found.extend(allowance(line).map(|held| {
                let place = body.sub(offset + held.start, held.end - held.start);
                (place, held.codes, held.reasoned)
            }));
            offset += line.len();
        }
        found
    }

    /// The comment that allows a finding on the line at which it begins.
    fn allowed_at(&self, span: Span, code: &str) -> Option<Span> {
        let text = &*self.project.sources.file(span.file).text;
        let start = usize::try_from(span.start).ok()?;
        let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(line_start..)?.lines().next()?;
        let place = |from: usize, held: Allowance<'_>| Span::new(span.file, from + held.start, from + held.end);
        if let Some(held) = allowance(line).filter(|held| held.codes.contains(&code)) {
            return Some(place(line_start, held));
        }
        let before_end = line_start.checked_sub(1)?;
        let before_start = text.get(..before_end)?.rfind('\n').map_or(0, |at| at + 1);
        let held = allowance(text.get(before_start..before_end)?).filter(|held| held.alone && held.codes.contains(&code))?;
        Some(place(before_start, held))
    }
}

fn allowance(line: &str) -> Option<Allowance<'_>> {
    let start = line.find(MARK)?;
    let inside = start + MARK.len();
    let end = inside + line.get(inside..)?.find(')')? + 1;
    let codes = line.get(inside..end - 1)?.split(',').map(str::trim).collect();
    let after = line.get(end..)?.trim().trim_end_matches("#}").trim_end_matches("*/").trim_end_matches("-#}");
    let reasoned = after.trim_start().strip_prefix("because").is_some_and(|reason| reason.trim().len() > 2);
    let before = line.get(..start)?.trim();
    let alone = before.chars().all(|c| matches!(c, '-' | '#' | '{' | '/' | '*') || c.is_whitespace());
    Some(Allowance { codes, reasoned, start, end, alone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_all_kinds() {
        let found = allowance("  a / b as c -- acca: allow(integer-division, lossy-cast) because whole crates are sold").unwrap();
        assert_eq!((found.codes, found.reasoned, found.alone), (vec!["integer-division", "lossy-cast"], true, false));
        let found = allowance("{# acca: allow(unused-cte) because #}").unwrap();
        assert_eq!((found.codes, found.reasoned, found.alone), (vec!["unused-cte"], false, true));
        assert_eq!(allowance("-- acca: allow unused-cte"), None);
    }
}
