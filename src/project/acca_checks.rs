//! `checks:` of `acca.yml`: how much each kind of finding of `acca check` weighs, in the project and in its folders.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::loader::Loader;
use super::yaml::{Entry, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Severity, codes};

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weight {
    Off,
    As(Severity),
}

/// The weights that a project gives: code, folder, weight, in the order in which they are written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Weights(Vec<(String, String, Weight)>);

impl Weights {
    /// That of the innermost folder that holds the file; `None` where nothing is said.
    pub fn of(&self, code: &Code, path: &str) -> Option<Weight> {
        let holds =
            |folder: &str| folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let said = self.0.iter().filter(|(said, folder, _)| said == code.name && holds(folder));
        said.max_by_key(|(_, folder, _)| folder.len()).map(|(.., weight)| *weight)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `code: weight`, or `code: {folder: weight}`.
pub(super) fn read_weights(fields: &Fields<'_, '_>, loader: &mut Loader<'_>) -> Weights {
    let mut weights = Weights::default();
    for entry in fields.map("checks", loader.diagnostics) {
        let Some(code) = codes::find(&entry.key) else {
            let names = codes::ALL.iter().map(|code| code.name);
            let problem = Diagnostic::new(&codes::INVALID_CONFIG, format!("'checks' names '{}', which is no code of acca", entry.key));
            loader.diagnostics.push(problem.at(entry.key_span).did_you_mean(&entry.key, names));
            continue;
        };
        match entry.value.as_map() {
            Some(folders) => {
                for Entry { key, value, .. } in folders {
                    let folder = key.trim_matches('/').to_owned();
                    weights.0.extend(weight(value, loader.diagnostics).map(|weight| (code.name.to_owned(), folder, weight)));
                }
            }
            None => weights.0.extend(weight(&entry.value, loader.diagnostics).map(|weight| (code.name.to_owned(), String::new(), weight))),
        }
    }
    weights
}

fn weight(value: &Yaml, diagnostics: &mut Diagnostics) -> Option<Weight> {
    let text = value.scalar_text().unwrap_or_default().to_lowercase();
    match text.as_str() {
        "error" => Some(Weight::As(Severity::Error)),
        "warning" | "warn" => Some(Weight::As(Severity::Warning)),
        "note" => Some(Weight::As(Severity::Note)),
        // What YAML calls false as well.
        "off" | "false" | "no" => Some(Weight::Off),
        _ => {
            let problem = Diagnostic::new(&codes::INVALID_CONFIG, "a check is 'error', 'warning', 'note' or 'off'");
            diagnostics.push(problem.at(value.span).help("a mapping says it for folders: {models/staging: off}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::{load_files, problems};

    #[test]
    fn the_innermost_folder_counts() {
        let file = "checks:\n  unused-cte: off\n  lossy-cast: {models: note, models/marts/: error}\n";
        let loaded = load_files(&[("dbt_project.yml", "name: shop\n"), ("acca.yml", file)]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let weights = &loaded.project().acca.weights;
        let of = |code: &Code, path: &str| weights.of(code, path);
        assert_eq!(of(&codes::UNUSED_CTE, "models/a.sql"), Some(Weight::Off));
        assert_eq!(of(&codes::LOSSY_CAST, "models/a.sql"), Some(Weight::As(Severity::Note)));
        assert_eq!(of(&codes::LOSSY_CAST, "models/marts/a.sql"), Some(Weight::As(Severity::Error)));
        assert_eq!(of(&codes::LOSSY_CAST, "models2/a.sql"), None);
        assert_eq!(of(&codes::NULL_COMPARISON, "models/a.sql"), None);
    }

    #[test]
    fn mistakes() {
        let found = problems(&[("dbt_project.yml", "name: shop\n"), ("acca.yml", "checks: {unused-ctes: off, lossy-cast: never}\n")]);
        assert_eq!(
            found,
            [
                "error[invalid-config] acca.yml:1:10 'unused-ctes': 'checks' names 'unused-ctes', which is no code of acca",
                "  help: did you mean 'unused-cte'?",
                "error[invalid-config] acca.yml:1:40 'never': a check is 'error', 'warning', 'note' or 'off'",
                "  help: a mapping says it for folders: {models/staging: off}",
            ]
        );
    }
}
