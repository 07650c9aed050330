//! `serving:` of `acca.yml`: which targets of the profile serve which class of models, and where rows pass between them.

use serde::{Deserialize, Serialize};

use super::Node;
use super::fields::Fields;
use super::loader::Loader;
use crate::base::{Span, bucket_and_key};
use crate::diag::{Diagnostic, codes};

/// How soon readers of a model need their answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ServingClass {
    LowLatency,
    HighLatency,
}

impl ServingClass {
    const ALL: [ServingClass; 2] = [ServingClass::LowLatency, ServingClass::HighLatency];
    const NAMES: [&str; 2] = ["low_latency", "high_latency"];

    pub fn as_str(self) -> &'static str {
        match self {
            ServingClass::LowLatency => "low_latency",
            ServingClass::HighLatency => "high_latency",
        }
    }

    fn named(name: &str) -> Option<ServingClass> {
        ServingClass::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// The targets of the classes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Serving {
    low_latency: (String, Span),
    high_latency: (String, Span),
    /// That of models of both classes, and of those of which nothing says where they are built.
    pub default: ServingClass,
    pub transfer: Option<TransferPlace>,
}

/// A place in a bucket that both warehouses reach.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransferPlace {
    pub bucket: String,
    /// In front of every key, without slashes at its ends; empty for none.
    pub prefix: String,
    pub region: String,
    /// The role by which a warehouse on AWS reaches it, or `default`; `None`: that of its target.
    pub iam_role: Option<String>,
    /// The files stay where they are, for somebody who wants to look into them.
    pub keep_files: bool,
}

impl Serving {
    pub fn target_of(&self, class: ServingClass) -> &str {
        match class {
            ServingClass::LowLatency => &self.low_latency.0,
            ServingClass::HighLatency => &self.high_latency.0,
        }
    }

    /// The targets, that of the default class first; one where both classes have the same.
    pub fn targets(&self) -> Vec<&str> {
        let first = self.target_of(self.default);
        let others = ServingClass::ALL.iter().map(|class| self.target_of(*class)).filter(|target| *target != first);
        std::iter::once(first).chain(others).collect()
    }

    /// Where a target is named.
    pub fn place_of(&self, target: &str) -> Span {
        if self.low_latency.0 == target { self.low_latency.1 } else { self.high_latency.1 }
    }

    /// A target that the profile does not have.
    pub(super) fn unknown_target(&self, outputs: &[String]) -> Option<Diagnostic> {
        let said = [("low_latency", &self.low_latency), ("high_latency", &self.high_latency)];
        let (class, (name, span)) = said.into_iter().find(|(_, (name, _))| !outputs.contains(name))?;
        let problem =
            Diagnostic::new(&codes::INVALID_CONFIG, format!("'{class}' is to be served by '{name}', which the profile does not have"));
        let problem = problem.at(*span).did_you_mean(name, outputs.iter().map(String::as_str));
        Some(problem.help(format!("the targets are: {}", outputs.join(", "))))
    }
}

/// What `meta.serving` of a node says; nothing where it says nothing.
///
/// # Errors
/// `invalid-config` for what is no class.
pub fn serving_classes(node: &Node) -> Result<Vec<ServingClass>, Diagnostic> {
    let said = node.config.get("meta").and_then(|meta| meta.get("serving"));
    let Some(said) = said.filter(|said| !said.is_null()) else { return Ok(Vec::new()) };
    let items = said.as_array().map_or_else(|| std::slice::from_ref(said), Vec::as_slice);
    let place = || node.config.span("meta").unwrap_or(node.origin);
    let mut classes = Vec::new();
    for item in items {
        let name = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
        let class = ServingClass::named(&name).ok_or_else(|| {
            let message = format!("'meta.serving' of '{}' names '{name}', which is no class of serving", node.name);
            let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(place()).did_you_mean(&name, ServingClass::NAMES);
            problem.help("a class is low_latency or high_latency; a list of both says that it is served by either")
        })?;
        classes.push(class);
    }
    classes.sort_unstable();
    classes.dedup();
    Ok(classes)
}

pub(super) fn read_serving(fields: &Fields<'_, '_>, loader: &mut Loader<'_>) -> Option<Serving> {
    let written = fields.get("serving")?;
    let vars = loader.options.vars.clone();
    let rendered = loader.render_one(written, &vars, None);
    let serving = Fields::of(&rendered, "'serving'", loader.diagnostics)?;
    serving.check_keys(&["low_latency", "high_latency", "default", "transfer"], loader.diagnostics);
    let low_latency = serving.required_text("low_latency", loader.diagnostics);
    let high_latency = serving.required_text("high_latency", loader.diagnostics);
    let default = match serving.text("default", loader.diagnostics) {
        None => ServingClass::HighLatency,
        Some(name) => ServingClass::named(&name).or_else(|| {
            let message = format!("'default' of 'serving' names '{name}', which is no class of serving");
            let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).did_you_mean(&name, ServingClass::NAMES);
            let problem = problem.at_opt(serving.get("default").map(|value| value.span));
            loader.diagnostics.push(problem.help("write low_latency or high_latency"));
            None
        })?,
    };
    let transfer = match serving.get("transfer") {
        None => None,
        Some(place) => {
            let owner = "'transfer' of 'serving'";
            Some(transfer_place(&Fields::of(place, owner, loader.diagnostics)?, loader)?)
        }
    };
    Some(Serving { low_latency: low_latency?, high_latency: high_latency?, default, transfer })
}

fn transfer_place(fields: &Fields<'_, '_>, loader: &mut Loader<'_>) -> Option<TransferPlace> {
    fields.check_keys(&["bucket", "region", "iam_role", "keep_files"], loader.diagnostics);
    let bucket = fields.required_text("bucket", loader.diagnostics);
    let region = fields.required_text("region", loader.diagnostics);
    let (url, span) = bucket?;
    let Some((bucket, prefix)) = parse_place(&url) else {
        let problem = Diagnostic::new(&codes::INVALID_CONFIG, format!("'{url}' is no place in a bucket")).at(span);
        loader.diagnostics.push(problem.help("write it like s3://bucket/prefix"));
        return None;
    };
    let iam_role = fields.text("iam_role", loader.diagnostics);
    let keep_files = fields.bool("keep_files", loader.diagnostics).unwrap_or(false);
    Some(TransferPlace { bucket, prefix, region: region?.0, iam_role, keep_files })
}

/// `s3://bucket/prefix`.
fn parse_place(url: &str) -> Option<(String, String)> {
    let url = format!("{}/", url.trim_end_matches('/'));
    let (bucket, prefix) = bucket_and_key(&url)?;
    Some((bucket.to_owned(), prefix.trim_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::{load_files, problems};

    const PROJECT: (&str, &str) = ("dbt_project.yml", "name: shop\n");

    #[test]
    fn what_the_file_says() {
        let file =
            "serving: {low_latency: pg, high_latency: rs, transfer: {bucket: 's3://lake/acca/x/', region: eu-west-1, iam_role: default}}\n";
        let loaded = load_files(&[PROJECT, ("acca.yml", file)]);
        assert_eq!(loaded.problems, Vec::<String>::new());
        let serving = loaded.project().acca.serving.as_ref().unwrap();
        assert_eq!((serving.targets(), serving.default), (vec!["rs", "pg"], ServingClass::HighLatency));
        let place = serving.transfer.as_ref().unwrap();
        assert_eq!((place.bucket.as_str(), place.prefix.as_str(), place.region.as_str()), ("lake", "acca/x", "eu-west-1"));
        assert_eq!(place.iam_role.as_deref(), Some("default"));
    }

    #[test]
    fn mistakes() {
        let file = "serving: {low_latencies: pg, default: high, transfer: {bucket: 'lake', region: eu-west-1}}\n";
        assert_eq!(
            problems(&[PROJECT, ("acca.yml", file)]),
            [
                "warning[unexpected-property] acca.yml:1:11 'low_latencies': the key 'low_latencies' means nothing in 'serving'",
                "  help: did you mean 'low_latency'?",
                "error[missing-property] acca.yml:1:11 'low_latencies': 'serving' has no 'low_latency'",
                "  help: add 'low_latency:'",
                "error[missing-property] acca.yml:1:11 'low_latencies': 'serving' has no 'high_latency'",
                "  help: add 'high_latency:'",
                "error[invalid-config] acca.yml:1:39 'high': 'default' of 'serving' names 'high', which is no class of serving",
                "  help: write low_latency or high_latency",
            ]
        );
        let file = "serving: {low_latency: pg, high_latency: rs, transfer: {bucket: 'lake', region: eu-west-1}}\n";
        assert_eq!(
            problems(&[PROJECT, ("acca.yml", file)]),
            ["error[invalid-config] acca.yml:1:65 ''lake'': 'lake' is no place in a bucket", "  help: write it like s3://bucket/prefix"]
        );
    }
}
