//! `acca.yml`: what a project says that dbt has no word for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::acca_checks::{Weights, read_weights};
use super::fields::Fields;
use super::loader::Loader;
use super::serving::{Serving, read_serving};
use super::yaml::{Entry, Yaml};
use crate::base::Span;
use crate::diag::{Diagnostic, codes};

const FILE_NAME: &str = "acca.yml";

/// The file, as written; what the parts mean is known where they are used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AccaFile {
    /// Units with names of the project's own.
    pub units: Vec<Told>,
    pub conversions: Vec<Conversion>,
    /// Macros that make personal data anonymous.
    pub anonymising: Vec<(String, Span)>,
    /// Folders or tags of models that are reports.
    pub reports: Vec<(String, Span)>,
    /// Labels that reports may not receive, `personal` aside.
    pub forbidden_labels: Vec<(String, Span)>,
    /// How much findings weigh.
    pub weights: Weights,
    /// Which targets serve which models.
    pub serving: Option<Serving>,
}

/// A name and what is said of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    pub name: String,
    pub name_span: Span,
    pub value: Value,
    pub value_span: Span,
}

/// A macro that makes a value of one unit of a value of another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Conversion {
    pub name: String,
    pub name_span: Span,
    /// Units of its parameters.
    pub takes: Vec<Told>,
    pub gives: Value,
    pub gives_span: Span,
}

/// The file of the root project; nothing where there is none.
pub(super) fn load_acca_file(loader: &mut Loader<'_>) -> AccaFile {
    if !loader.files.exists(FILE_NAME) {
        return AccaFile::default();
    }
    let Some(yaml) = loader.read_yaml(FILE_NAME) else { return AccaFile::default() };
    let owner = format!("'{FILE_NAME}'");
    let Some(fields) = Fields::of(&yaml, &owner, loader.diagnostics) else { return AccaFile::default() };
    let known = ["version", "units", "conversions", "anonymising", "reports", "forbidden_labels", "checks", "serving"];
    fields.check_keys(&known, loader.diagnostics);
    let units = fields.map("units", loader.diagnostics).iter().map(told).collect();
    let conversions = fields.list("conversions", loader.diagnostics).iter().filter_map(|item| conversion(loader, item)).collect();
    AccaFile {
        units,
        conversions,
        anonymising: fields.spanned_strings("anonymising", loader.diagnostics),
        reports: fields.spanned_strings("reports", loader.diagnostics),
        forbidden_labels: fields.spanned_strings("forbidden_labels", loader.diagnostics),
        weights: read_weights(&fields, loader),
        serving: read_serving(&fields, loader),
    }
}

fn told(entry: &Entry) -> Told {
    Told { name: entry.key.clone(), name_span: entry.key_span, value: entry.value.to_json(), value_span: entry.value.span }
}

fn conversion(loader: &mut Loader<'_>, item: &Yaml) -> Option<Conversion> {
    let owner = match item.get("macro").and_then(Yaml::scalar_text) {
        Some(name) => format!("the conversion '{name}'"),
        None => "a conversion".to_owned(),
    };
    let fields = Fields::of(item, &owner, loader.diagnostics)?;
    fields.check_keys(&["macro", "takes", "gives"], loader.diagnostics);
    let (name, name_span) = fields.required_text("macro", loader.diagnostics)?;
    let takes = fields.map("takes", loader.diagnostics).iter().map(told).collect();
    let Some(gives) = fields.get("gives") else {
        let problem = Diagnostic::new(&codes::MISSING_PROPERTY, format!("{owner} has no 'gives'")).at(name_span);
        loader.diagnostics.push(problem.help("add 'gives:' with the unit that comes out"));
        return None;
    };
    Some(Conversion { name, name_span, takes, gives: gives.to_json(), gives_span: gives.span })
}

#[cfg(test)]
mod tests {
    use crate::project::testing::{load_files, problems};

    #[test]
    fn what_the_file_says() {
        let file = "units:\n  pounds: {unit: major, currency: GBP}\nconversions:\n  - {macro: to_pounds, takes: {amount: minor}, gives: pounds}\nanonymising: hashed\nreports: [models/marts]\n";
        let loaded = load_files(&[("dbt_project.yml", "name: shop\n"), ("acca.yml", file)]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let acca = &loaded.project().acca;
        let names: Vec<&str> =
            acca.units.iter().map(|unit| unit.name.as_str()).chain(acca.conversions.iter().map(|c| c.name.as_str())).collect();
        assert_eq!(names, ["pounds", "to_pounds"]);
        assert_eq!((acca.anonymising[0].0.as_str(), acca.reports[0].0.as_str()), ("hashed", "models/marts"));
    }

    #[test]
    fn mistakes() {
        let found = problems(&[("dbt_project.yml", "name: shop\n"), ("acca.yml", "unit: {}\nconversions: [{macro: a}]\n")]);
        assert_eq!(
            found,
            [
                "warning[unexpected-property] acca.yml:1:1 'unit': the key 'unit' means nothing in 'acca.yml'",
                "  help: did you mean 'units'?",
                "error[missing-property] acca.yml:2:23 'a': the conversion 'a' has no 'gives'",
                "  help: add 'gives:' with the unit that comes out",
            ]
        );
    }
}
