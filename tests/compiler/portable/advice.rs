//! What is refused in portable models, and what to write instead: from what acca says of the queries that announce a refusal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use acca::analysis::{Finding, Lowering, TypedQuery, habits, infer};
use acca::dialect::Rewriter;
use acca::syntax::parse_query;

use super::{ENGINES, Query, TrapTables, folder};

/// A form as it is shown in a table.
const WIDEST: usize = 60;

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
        let form = shown(finding.range.clone().and_then(|range| query.sql.get(range)).unwrap_or(&query.sql));
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
        for (function, instead) in habits() {
            page.push_str(&format!("| `{function}` | `{}` |\n", escaped(instead)));
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
    rewriter.lower(&TypedQuery { sql: &query.sql, query: &tree, types: &inferred.types }).err().unwrap_or_default()
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
