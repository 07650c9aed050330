//! What is refused in portable models, and what to write instead: from what acca says of the queries that announce a refusal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

use acca::analysis::{Finding, Lowering, TypedQuery, habits, infer};
use acca::dialect::Rewriter;
use acca::syntax::parse_query;

use super::{ENGINES, Query, TrapTables, folder};

/// A form as it is shown in a table.
const WIDEST: usize = 80;

/// One thing that is refused.
struct Refused {
    form: String,
    engines: BTreeSet<&'static str>,
    why: String,
    instead: String,
}

pub(super) struct Advice {
    refused: Vec<Refused>,
    /// The forms of each query, by its place.
    forms: BTreeMap<String, Vec<String>>,
}

impl Advice {
    pub(super) fn of(queries: &[Query]) -> Advice {
        let tables = TrapTables::read(&fs::read_to_string(folder().join("tables.sql")).unwrap());
        let mut advice = Advice { refused: Vec::new(), forms: BTreeMap::new() };
        for query in queries {
            for (name, engine) in ENGINES.iter().filter(|(_, engine)| query.refusal(*engine).is_some()) {
                for finding in refusals(query, &tables, &Rewriter::new(*engine)) {
                    advice.note(query, name, &finding);
                }
            }
        }
        advice
    }

    fn note(&mut self, query: &Query, engine: &'static str, finding: &Finding) {
        let form = shown(&finding.range.clone().map_or_else(|| query.sql.clone(), |range| whole_form(&query.sql, range)));
        let forms = self.forms.entry(query.place.clone()).or_default();
        if !forms.contains(&form) {
            forms.push(form.clone());
        }
        let why = finding.diagnostic.message.replace("DuckDB has", "the engine has").replace("Redshift has", "the engine has");
        let why = why.replace("PostgreSQL has no", "the engine has no");
        let instead = finding.diagnostic.help.join("; ");
        // One row for a reason: the first form stands for the others.
        match self.refused.iter_mut().find(|held| held.instead == instead && (held.why == why || held.form == form)) {
            Some(held) => drop(held.engines.insert(engine)),
            None => self.refused.push(Refused { form, engines: BTreeSet::from([engine]), why, instead }),
        }
    }

    /// What is refused of a difference.
    pub(super) fn forms(&self, queries: &[&Query]) -> String {
        let forms = queries.iter().filter_map(|query| self.forms.get(&query.place)).flatten();
        let mut told: Vec<&str> = Vec::new();
        for form in forms {
            if !told.contains(&form.as_str()) {
                told.push(form);
            }
        }
        told.join(", ")
    }

    pub(super) fn section(&self) -> String {
        let mut page =
            "\n## What to write instead\n\nWhat is refused in a portable model, and the way out that the error names.\n\n".to_owned();
        page.push_str("| you wrote | refused on | why | write |\n| --- | --- | --- | --- |\n");
        for Refused { form, engines, why, instead } in &self.refused {
            let on = if engines.len() == ENGINES.len() { "all".to_owned() } else { engines.iter().copied().collect::<Vec<_>>().join(", ") };
            page.push_str(&format!("| {form} | {on} | {} | {} |\n", escaped(why), escaped(instead)));
        }
        page.push_str("\nFunctions of other engines:\n\n| you wrote | write |\n| --- | --- |\n");
        let mut written: Vec<(&str, Vec<String>)> = Vec::new();
        for (function, instead) in habits() {
            let function = format!("`{function}`");
            match written.iter_mut().find(|(held, _)| *held == instead) {
                Some((_, functions)) => functions.push(function),
                None => written.push((instead, vec![function])),
            }
        }
        for (instead, functions) in written {
            page.push_str(&format!("| {} | `{}` |\n", functions.join(", "), escaped(instead)));
        }
        page
    }
}

fn refusals(query: &Query, tables: &TrapTables, rewriter: &Rewriter) -> Vec<Finding> {
    let Some(tree) = parse_query(&query.sql) else { return Vec::new() };
    let inferred = infer(&query.sql, &tree, tables);
    if !inferred.findings.is_empty() {
        return inferred.findings;
    }
    rewriter
        .lower(&TypedQuery { sql: &query.sql, query: &tree, types: &inferred.types, renamed: &[], places: true })
        .err()
        .unwrap_or_default()
}

/// What stands at a place, with the call or the cast that it is a part of; the whole query for a bare name.
fn whole_form(sql: &str, range: Range<usize>) -> String {
    let Range { mut start, mut end } = range;
    let behind = |end: usize| sql.get(end..).unwrap_or_default();
    if sql.get(..start).is_some_and(|before| before.ends_with("cast(")) {
        start -= 1;
        end = start + inside(behind(start));
        start -= "cast".len();
    }
    for opens in ["(", " over (", " within group ("] {
        if behind(end).starts_with(opens) {
            end += opens.len() - 1;
            end += inside(behind(end));
        }
    }
    if let Some(kind) = behind(end).strip_prefix("::") {
        end += 2 + kind.find(|c: char| !c.is_alphanumeric()).unwrap_or(kind.len());
        end += if behind(end).starts_with('(') { inside(behind(end)) } else { 0 };
    }
    let form = sql.get(start..end).unwrap_or(sql);
    let depth = |open: char, close: char| form.matches(open).count() == form.matches(close).count();
    let is_whole = depth('(', ')') && depth('[', ']');
    let says_little =
        form.starts_with(['\'', '"']) || form.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '*' | '_' | ',' | ' '));
    if is_whole && !says_little { form.to_owned() } else { call_around(sql, start).unwrap_or(sql).to_owned() }
}

/// The call that a place stands in.
fn call_around(sql: &str, place: usize) -> Option<&str> {
    let mut closed = 0;
    let open = sql.get(..place)?.char_indices().rev().find_map(|(at, character)| match character {
        ')' => {
            closed += 1;
            None
        }
        '(' if closed == 0 => Some(at),
        '(' => {
            closed -= 1;
            None
        }
        _ => None,
    })?;
    let name = sql.get(..open)?.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    let called = sql.get(name..open)?;
    let is_name = !called.is_empty() && !matches!(called, "in" | "as" | "lateral" | "from" | "over" | "values" | "by" | "on" | "exists");
    is_name.then(|| sql.get(name..open + inside(sql.get(open..)?))).flatten()
}

/// Bytes up to the parenthesis that closes the first one.
fn inside(text: &str) -> usize {
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 1 => return at + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// On one line, in the quotes of code.
fn shown(form: &str) -> String {
    let words = form.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(WIDEST).collect();
    let cut = if short.len() < words.len() { "…" } else { "" };
    format!("`{}{cut}`", escaped(&short).replace('`', "'"))
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}
