//! The whole project as the files say it: [`Project`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{DocBlock, Group, Macro, Node, Selector};
use crate::base::{Files, ResourceType, Sources, Span};
use crate::diag::Diagnostic;

/// A dbt-format project with its packages, read and checked; no template rendered but the texts of YAML files.
#[derive(Debug)]
pub struct Project {
    pub sources: Sources,
    /// Name of the root package.
    pub name: Arc<str>,
    /// The root package first, then the others in dbt's search order.
    pub packages: Vec<Package>,
    pub target: Target,
    /// `--vars`.
    pub cli_vars: Map<String, Value>,
    /// Enabled and disabled nodes alike (templates may still disable one), ascending by id. Parsing moves them into the manifest.
    pub nodes: Vec<Node>,
    pub macros: Vec<Macro>,
    pub docs: Vec<DocBlock>,
    /// Ascending by id.
    pub groups: Vec<Group>,
    /// Named selections of the root project.
    pub selectors: Vec<Selector>,
    /// `acca.yml`.
    pub acca: super::AccaFile,
    /// `target-path`, relative to the project's root.
    pub target_path: String,
    pub clean_targets: Vec<String>,
}

/// One package: the root project or an installed one.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: Arc<str>,
    /// Its folder relative to the project's root; empty for the root.
    pub root: String,
    pub version: Option<String>,
    /// `vars` of its project file: plain ones and those scoped by package name, as written.
    pub vars: Map<String, Value>,
    /// `dispatch`: macro namespace → packages to search.
    pub dispatch: BTreeMap<String, Vec<String>>,
    pub on_run_start: Vec<(String, Span)>,
    pub on_run_end: Vec<(String, Span)>,
    /// `query-comment` as written; null switches it off.
    pub query_comment: Option<(Value, Span)>,
    /// Whether its protected models are closed to other packages.
    pub restrict_access: bool,
    /// `quoting` of its project file.
    pub quoting: BTreeMap<String, bool>,
    /// Folders of each kind, for `acca ls` and the artefacts: `model-paths`, …
    pub paths: BTreeMap<String, Vec<String>>,
}

impl Package {
    /// A file's path inside of the package's folder.
    pub fn path_inside<'p>(&self, path: &'p str) -> &'p str {
        let inside = path.strip_prefix(self.root.as_str()).and_then(|inside| inside.strip_prefix('/'));
        inside.filter(|_| !self.root.is_empty()).unwrap_or(path)
    }

    /// A path inside of the package, without the folder in which such nodes are looked for.
    pub fn path_in_folder<'p>(&self, resource: ResourceType, path: &'p str) -> &'p str {
        let key = match resource {
            ResourceType::Seed => "seed-paths",
            ResourceType::Snapshot => "snapshot-paths",
            ResourceType::Analysis => "analysis-paths",
            ResourceType::Test => "test-paths",
            _ => "model-paths",
        };
        let inside = |folder: &String| path.strip_prefix(folder.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        self.paths.get(key).into_iter().flatten().find_map(inside).unwrap_or(path)
    }
}

/// One output of the profile, rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub profile: String,
    pub name: String,
    /// `type`: `duckdb`, `postgres`, `redshift`.
    pub adapter: String,
    pub database: String,
    pub schema: String,
    pub threads: usize,
    /// All keys of the output with their rendered values, secrets included: never printed.
    pub settings: Map<String, Value>,
    /// Where the output is written, if in a file.
    pub span: Option<Span>,
}

/// What templates and people may see of a target: names and addresses, as in dbt; all else may hold a secret.
const OPEN_SETTINGS: &[&str] = &[
    "application_name",
    "autocommit",
    "autocreate",
    "cluster_id",
    "connect_timeout",
    "database",
    "db_groups",
    "host",
    "iam_profile",
    "keepalives_idle",
    "method",
    "path",
    "port",
    "ra3_node",
    "region",
    "retries",
    "role",
    "schema",
    "search_path",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "type",
    "user",
];

impl Target {
    /// The settings that are no secret.
    pub fn open_settings(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.settings.iter().map(|(key, value)| (key.as_str(), value)).filter(|(key, _)| OPEN_SETTINGS.contains(key))
    }
}

/// What the command line says before a project is read.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// `--profile`
    pub profile: Option<String>,
    /// `--target`
    pub target: Option<String>,
    /// `--profiles-dir`, `DBT_PROFILES_DIR`; searched after the project's folder, before `~/.dbt`.
    pub profiles_dir: Option<String>,
    /// Home folder of the user, for `~/.dbt`.
    pub home: Option<String>,
    /// `--vars`
    pub vars: Map<String, Value>,
    /// `--threads`
    pub threads: Option<usize>,
    /// `--target-path`
    pub target_path: Option<String>,
    /// A folder below the target path for what is written, where several targets write.
    pub target_folder: Option<String>,
}

/// What the texts of YAML files may use when they hold Jinja: `var`, `env_var`, `target`.
pub struct YamlScope<'a> {
    pub files: &'a dyn Files,
    /// Variables visible to the package whose file it is.
    pub vars: &'a Map<String, Value>,
    /// `None` while the profile itself is being read.
    pub target: Option<&'a Target>,
}

/// Renders a YAML text that holds Jinja. The floor of templates lies above this one, so it is handed in.
pub trait RenderText {
    /// The value: text, or a native number or boolean when the whole text is one expression (as dbt does).
    ///
    /// # Errors
    /// A diagnostic at `span`.
    fn render(&self, text: &str, span: Span, scope: &YamlScope<'_>) -> Result<Value, Diagnostic>;
}

#[cfg(test)]
mod tests {
    use crate::project::LoadOptions;
    use crate::project::testing::load_with;

    #[test]
    fn secrets_of_a_target_stay_closed() {
        let profiles = "p: {target: t, outputs: {t: {type: postgres, host: h, user: u, pass: hunter2, dbname: d, schema: s}, \
                        d: {type: duckdb, secrets: [{type: s3, secret: hunter2}], settings: {s3_secret_access_key: hunter2}}}}\n";
        for target in ["t", "d"] {
            let options = LoadOptions { target: Some(target.to_owned()), ..LoadOptions::default() };
            let loaded = load_with(&[("dbt_project.yml", "name: x\nprofile: p\n"), ("profiles.yml", profiles)], options, &[]);
            let target = &loaded.project().target;
            assert!(target.settings.values().any(|value| value.to_string().contains("hunter2")));
            let open: Vec<(&str, String)> = target.open_settings().map(|(key, value)| (key, value.to_string())).collect();
            assert!(open.iter().all(|(_, value)| !value.contains("hunter2")) && open.iter().any(|(key, _)| *key == "database"), "{open:?}");
        }
    }
}
