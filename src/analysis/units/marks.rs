//! Where in the SQL of a node the macros stand that `acca.yml` declares.

use super::Declarations;
use crate::base::Sources;
use crate::jinja::{Origin, SpanMap};
use crate::syntax::{MARK_PREFIX, Mark};

/// What a mark means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind<'n> {
    Conversion(usize),
    /// An argument of that conversion, by the name of the parameter.
    Argument(usize, &'n str),
    Anonymising,
}

/// The meaning of a mark's name.
pub fn read_mark(name: &str) -> Option<MarkKind<'_>> {
    let rest = name.strip_prefix(MARK_PREFIX)?;
    if rest == "anonymising" {
        return Some(MarkKind::Anonymising);
    }
    if let Some(number) = rest.strip_prefix("conversion_") {
        return Some(MarkKind::Conversion(number.parse().ok()?));
    }
    let (number, parameter) = rest.strip_prefix("argument_")?.split_once('_')?;
    Some(MarkKind::Argument(number.parse().ok()?, parameter))
}

/// The marks of a text, outer ones first.
pub fn marks(map: &SpanMap, declarations: &Declarations, sources: &Sources) -> Vec<Mark> {
    let mut found = Vec::new();
    if !declarations.conversions.is_empty() || !declarations.anonymising.is_empty() {
        collect(map, 0, None, declarations, sources, &mut found);
    }
    found
}

fn collect(map: &SpanMap, at: usize, within: Option<usize>, declarations: &Declarations, sources: &Sources, found: &mut Vec<Mark>) {
    for segment in &map.segments {
        let range = at + segment.output.start..at + segment.output.end;
        let mut mark = |name: String| found.push(Mark { range: range.clone(), name: format!("{MARK_PREFIX}{name}") });
        if let Some(number) = within
            && segment.origin != Origin::Text
            && let Some(conversion) = declarations.conversions.get(number)
        {
            let written = sources.text(segment.source).trim_matches(|c: char| matches!(c, '{' | '}' | '-') || c.is_whitespace());
            if conversion.takes.iter().any(|(parameter, _)| parameter == written) {
                mark(format!("argument_{number}_{written}"));
            }
        }
        let Origin::Macro(inner) = &segment.origin else { continue };
        let Some(id) = &inner.of_macro else {
            collect(inner, range.start, None, declarations, sources, found);
            continue;
        };
        if declarations.anonymising.contains(id) {
            mark("anonymising".to_owned());
        }
        let conversion = declarations.conversions.iter().position(|conversion| conversion.id == *id);
        if let Some(number) = conversion {
            mark(format!("conversion_{number}"));
        }
        collect(inner, range.start, conversion, declarations, sources, found);
    }
}
