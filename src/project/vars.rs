//! Variables of the command line that nothing reads, though one of nearly that name is: they would be without effect, in silence.

use std::collections::BTreeSet;

use serde_json::Value;

use super::model::Project;
use crate::diag::{Diagnostic, codes, nearest};

/// Says nothing of a name that is near to none: a package, a profile or the environment of a colleague may know it.
pub fn check_vars(project: &Project) -> Vec<Diagnostic> {
    if project.cli_vars.is_empty() {
        return Vec::new();
    }
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for package in &project.packages {
        known.extend(package.vars.keys().map(String::as_str));
        let scoped = package.vars.values().filter_map(Value::as_object);
        known.extend(scoped.flat_map(|scoped| scoped.keys().map(String::as_str)));
    }
    project.sources.iter().for_each(|(_, file)| known.extend(asked(&file.text)));
    let unknown = project.cli_vars.keys().filter(|name| !known.contains(name.as_str()));
    let told = unknown.filter_map(|name| {
        let near = nearest(name, known.iter().copied())?;
        let message = format!("nothing reads the variable '{name}', which --vars sets");
        Some(Diagnostic::new(&codes::UNEXPECTED_PROPERTY, message).help(format!("did you mean '{near}'?")))
    });
    told.collect()
}

/// The names in `var('…')`.
fn asked(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("var(").filter_map(|(at, opened)| {
        let rest = text.get(at + opened.len()..)?.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        rest.get(1..)?.split_once(quote).map(|(name, _)| name)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::project::LoadOptions;
    use crate::project::testing::load_with;

    #[test]
    fn a_variable_that_is_nearly_one_of_the_project_s() {
        let files = [
            ("dbt_project.yml", "name: x\nprofile: p\nvars: {country: GB, x: {rate: 2}}\n"),
            ("models/a.sql", "select '{{ var(\"region\") }}' as region, '{{ env_var('HOME') }}' as home"),
        ];
        let told = |name: &str| {
            let vars = json!({name: 1}).as_object().cloned().unwrap_or_default();
            let loaded = load_with(&files, LoadOptions { vars, ..LoadOptions::default() }, &[]);
            super::check_vars(loaded.project()).iter().map(|problem| problem.help.join("; ")).collect::<Vec<_>>()
        };
        assert_eq!(told("contry"), ["did you mean 'country'?"]);
        assert_eq!(told("rates"), ["did you mean 'rate'?"]);
        for fine in ["country", "rate", "region", "something_else"] {
            assert!(told(fine).is_empty(), "{fine}");
        }
    }
}
