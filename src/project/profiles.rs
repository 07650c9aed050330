//! Finds the profile and its target, and checks the target's settings.

use serde_json::{Map, Value};

use super::Target;
use super::fields::Fields;
use super::loader::{Loader, join};
use super::secrets::read_profiles;
use super::yaml::{Entry, Yaml, YamlValue};
use crate::base::Span;
use crate::diag::{Diagnostic, codes, nearest};

const FILE_NAME: &str = "profiles.yml";
/// The database of a project that has no profile, relative to the project's root.
pub const DEFAULT_DATABASE: &str = "build/acca.duckdb";
const DEFAULT_THREADS: usize = 4;

/// One type of target: the keys that it takes.
struct Engine {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// Other names of keys.
    aliases: &'static [(&'static str, &'static str)],
}

impl Target {
    /// Whether the rules that `acca check` knows are those of the target's engine.
    pub fn has_the_checked_rules(&self) -> bool {
        self.adapter == "postgres"
    }
}

const ENGINES: &[Engine] = &[
    Engine {
        name: "duckdb",
        required: &[],
        optional: &[
            "path",
            "schema",
            "database",
            "config_options",
            "extensions",
            "settings",
            "secrets",
            "external_root",
            "use_credential_provider",
            "attach",
            "filesystems",
            "remote",
            "plugins",
            "disable_transactions",
            "keep_open",
            "module_paths",
            "retries",
            "is_ducklake",
        ],
        aliases: &[],
    },
    Engine {
        name: "postgres",
        required: &["host", "user", "database", "schema"],
        optional: &[
            "password",
            "port",
            "connect_timeout",
            "role",
            "search_path",
            "keepalives_idle",
            "sslmode",
            "sslcert",
            "sslkey",
            "sslrootcert",
            "application_name",
            "retries",
            "s3_import",
        ],
        aliases: &[("dbname", "database"), ("pass", "password")],
    },
    Engine {
        name: "redshift",
        required: &["database", "schema"],
        optional: &[
            "host",
            "user",
            "password",
            "port",
            "method",
            "cluster_id",
            "iam_profile",
            "autocreate",
            "db_groups",
            "connect_timeout",
            "role",
            "sslmode",
            "ra3_node",
            "region",
            "autocommit",
            "access_key_id",
            "secret_access_key",
            "retries",
            "retry_all",
            "tcp_keepalive",
            "is_serverless",
            "serverless_work_group",
            "serverless_acct_id",
            "datasharing",
            "query_group",
            "secret_arn",
            "endpoint",
            "s3_endpoint",
            "load_bucket",
            "iam_role",
        ],
        aliases: &[("dbname", "database"), ("pass", "password")],
    },
];

/// Shows how a profile is written. Where there is no profile, the targets that are named are those of this file, for what needs no
/// connection.
pub const EXAMPLE: &str = "profiles.example.yml";

/// The names of the profile's targets; none where there is no profile.
pub(super) fn target_names(loader: &mut Loader<'_>, project_profile: Option<&str>) -> Option<Vec<String>> {
    check_named_folder(loader)?;
    let name = loader.options.profile.clone().or_else(|| project_profile.map(str::to_owned));
    let (Some(name), Some(path)) = (name, find_file(loader)) else { return Some(Vec::new()) };
    let profiles = read_profiles(loader, &path)?;
    let outputs = profiles.get(&name).and_then(|profile| profile.get("outputs")).and_then(Yaml::as_map).unwrap_or_default();
    Some(outputs.iter().map(|output| output.key.clone()).collect())
}

/// The target to work on; `None`, with a diagnostic, when there is none that can be used.
pub(super) fn load_target(loader: &mut Loader<'_>, project_profile: Option<(String, Span)>) -> Option<Target> {
    check_named_folder(loader)?;
    let asked = loader.options.profile.clone();
    let name_span = if asked.is_some() { None } else { project_profile.as_ref().map(|(_, span)| *span) };
    let Some(name) = asked.clone().or(project_profile.map(|(name, _)| name)) else {
        return default_target(loader, "the project names no profile", None);
    };
    let Some(path) = find_file(loader) else {
        return match asked {
            Some(name) => no_such_profile(loader, &name, None, None),
            None => default_target(loader, "there is no profiles.yml", name_span),
        };
    };
    let profiles = read_profiles(loader, &path)?;
    let fields = Fields::of(&profiles, "profiles.yml", loader.diagnostics)?;
    let names: Vec<&str> = fields.entries.iter().map(|entry| entry.key.as_str()).filter(|name| *name != "config").collect();
    match fields.entry(&name) {
        Some(profile) => {
            if path == EXAMPLE {
                let target = loader.options.target.clone().unwrap_or_default();
                let message = format!("there is no profiles.yml, so target '{target}' is that of '{EXAMPLE}'");
                loader
                    .diagnostics
                    .push(Diagnostic::new(&codes::DEFAULT_PROFILE, message).help("write a profiles.yml before anything is run on it"));
            }
            load_profile(loader, profile)
        }
        // The file in the user's home is there for other projects: one without profiles of its own, such as a sample, works beside it.
        None if asked.is_none() && is_at_home(loader, &path) && nearest(&name, names.iter().copied()).is_none() => {
            default_target(loader, &format!("'{path}' has no profile '{name}'"), name_span)
        }
        // Another database than the one that is meant would be built.
        None => no_such_profile(loader, &name, name_span, Some((&path, &names))),
    }
}

/// The folder of profiles that is named for this run, and what names it.
fn named_folder(loader: &Loader<'_>) -> Option<(String, &'static str)> {
    let variable = |name: &'static str| loader.files.env(name).filter(|folder| !folder.is_empty()).map(|folder| (folder, name));
    let option = loader.options.profiles_dir.clone().map(|folder| (folder, "--profiles-dir"));
    option.or_else(|| variable("ACCA_PROFILES_DIR")).or_else(|| variable("DBT_PROFILES_DIR"))
}

/// Refuses a named folder without profiles: another profile than the one that is meant may lead to another database.
fn check_named_folder(loader: &mut Loader<'_>) -> Option<()> {
    let Some((folder, named_by)) = named_folder(loader) else { return Some(()) };
    if loader.files.exists(&join(&folder, FILE_NAME)) {
        return Some(());
    }
    loader.diagnostics.push(
        Diagnostic::new(&codes::INVALID_PROFILE, format!("there is no {FILE_NAME} in the folder '{folder}'"))
            .help(format!("'{named_by}' names this folder: correct it, or leave it out")),
    );
    None
}

/// A folder named for this run comes first, as in dbt; then the project's own file, then the user's.
fn find_file(loader: &Loader<'_>) -> Option<String> {
    let named = named_folder(loader).map(|(folder, _)| folder);
    let home = loader.options.home.as_ref().map(|home| join(home, ".dbt"));
    let folders = named.into_iter().chain([String::new()]).chain(home);
    let written = folders.map(|folder| join(&folder, FILE_NAME)).find(|path| loader.files.exists(path));
    let named = loader.options.target.is_some();
    written.or_else(|| Some(EXAMPLE.to_owned()).filter(|path| named && loader.files.exists(path)))
}

fn is_at_home(loader: &Loader<'_>, path: &str) -> bool {
    loader.options.home.as_ref().is_some_and(|home| path == join(&join(home, ".dbt"), FILE_NAME))
}

/// `found`: the file of profiles and the names that it has.
fn no_such_profile(loader: &mut Loader<'_>, name: &str, span: Option<Span>, found: Option<(&str, &[&str])>) -> Option<Target> {
    let problem = |message: String| Diagnostic::new(&codes::INVALID_PROFILE, message).at_opt(span);
    let diagnostic = match found {
        None | Some((_, [])) => {
            problem(format!("there is no profile '{name}'")).help("write a profiles.yml; 'profiles.example.yml' shows how")
        }
        Some((path, names)) => problem(format!("'{path}' has no profile '{name}'"))
            .did_you_mean(name, names.iter().copied())
            .note(format!("the profiles are: {}", names.join(", "))),
    };
    loader.diagnostics.push(diagnostic);
    None
}

/// DuckDB in a file of the project: the first command needs no set-up.
fn default_target(loader: &mut Loader<'_>, why: &str, span: Option<Span>) -> Option<Target> {
    if let Some(wanted) = loader.options.target.as_deref().filter(|wanted| *wanted != "default") {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_PROFILE, format!("there is no target '{wanted}': {why}"))
                .at_opt(span)
                .help("write a profiles.yml; 'profiles.example.yml' shows how"),
        );
        return None;
    }
    loader.diagnostics.push(
        Diagnostic::new(&codes::DEFAULT_PROFILE, format!("{why}, so DuckDB in '{DEFAULT_DATABASE}' is used"))
            .help("write a profiles.yml to work on another database; 'profiles.example.yml' shows how"),
    );
    let settings = [("type", "duckdb"), ("path", DEFAULT_DATABASE), ("schema", "main"), ("database", "acca")];
    Some(Target {
        profile: "default".to_owned(),
        name: "default".to_owned(),
        adapter: "duckdb".to_owned(),
        database: "acca".to_owned(),
        schema: "main".to_owned(),
        threads: loader.options.threads.unwrap_or(DEFAULT_THREADS),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect(),
        span: None,
    })
}

fn load_profile(loader: &mut Loader<'_>, profile: &Entry) -> Option<Target> {
    let owner = format!("profile '{}'", profile.key);
    let mut fields = Fields::of(&profile.value, &owner, loader.diagnostics)?;
    fields.code = &codes::INVALID_PROFILE;
    fields.check_keys(&["target", "outputs"], loader.diagnostics);
    let outputs = fields.map("outputs", loader.diagnostics);
    if outputs.is_empty() {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_PROFILE, format!("{owner} has no targets"))
                .at(profile.key_span)
                .help("add 'outputs:' with a target under it"),
        );
        return None;
    }
    let (name, span) = match &loader.options.target {
        Some(name) => (name.clone(), None),
        None => match fields.get("target") {
            Some(value) => {
                let vars = &loader.options.vars;
                let rendered = loader.render_one(value, vars, None);
                (rendered.scalar_text()?, Some(value.span))
            }
            None => ("default".to_owned(), None),
        },
    };
    let Some(output) = outputs.iter().find(|output| output.key == name) else {
        let names: Vec<&str> = outputs.iter().map(|output| output.key.as_str()).collect();
        let problem = Diagnostic::new(&codes::INVALID_PROFILE, format!("{owner} has no target '{name}'"))
            .at(span.unwrap_or(profile.key_span))
            .did_you_mean(&name, names.iter().copied())
            .help(format!("the targets are: {}", names.join(", ")));
        let all = "'--target all' is for check, compile, explain, ls, build, run, test, seed, snapshot and load";
        loader.diagnostics.push(if name == "all" { problem.help(all) } else { problem });
        return None;
    };
    load_output(loader, &profile.key, output)
}

fn load_output(loader: &mut Loader<'_>, profile: &str, output: &Entry) -> Option<Target> {
    let vars = &loader.options.vars;
    let before = loader.diagnostics.count(crate::diag::Severity::Error);
    let rendered = loader.render_one(&output.value, vars, None);
    if loader.diagnostics.count(crate::diag::Severity::Error) > before {
        return None;
    }
    let owner = format!("target '{}' of profile '{profile}'", output.key);
    let mut fields = Fields::of(&rendered, &owner, loader.diagnostics)?;
    fields.code = &codes::INVALID_PROFILE;
    let engine = engine(loader, &fields, output)?;
    let settings = settings(loader, &fields, engine)?;
    let threads = fields.count("threads", loader.diagnostics);
    let text = |key: &str| settings.get(key).and_then(Value::as_str).map(str::to_owned);
    let database = text("database").unwrap_or_else(|| duckdb_database(text("path").as_deref()));
    let schema = text("schema").unwrap_or_else(|| "main".to_owned());
    let mut settings = settings;
    settings.insert("database".to_owned(), Value::from(database.as_str()));
    settings.insert("schema".to_owned(), Value::from(schema.as_str()));
    Some(Target {
        profile: profile.to_owned(),
        name: output.key.clone(),
        adapter: engine.name.to_owned(),
        database,
        schema,
        threads: loader.options.threads.or(threads).unwrap_or(1).max(1),
        settings,
        span: Some(output.key_span),
    })
}

fn engine(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, output: &Entry) -> Option<&'static Engine> {
    let names: Vec<&str> = ENGINES.iter().map(|engine| engine.name).collect();
    let Some(kind) = fields.entry("type") else {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_PROFILE, format!("{} has no 'type'", fields.owner))
                .at(output.key_span)
                .help(format!("add 'type:' with one of {}", names.join(", "))),
        );
        return None;
    };
    let written = kind.value.scalar_text().unwrap_or_default();
    let found = ENGINES.iter().find(|engine| engine.name == written);
    if found.is_none() {
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_PROFILE, format!("acca has no target type '{written}'"))
                .at(kind.value.span)
                .did_you_mean(&written, names.iter().copied())
                .help(format!("the types are: {}", names.join(", "))),
        );
    }
    found
}

/// The settings under their first names, texts and numbers as the engine wants them.
fn settings(loader: &mut Loader<'_>, fields: &Fields<'_, '_>, engine: &Engine) -> Option<Map<String, Value>> {
    let known: Vec<&str> = ["type", "threads"]
        .into_iter()
        .chain(engine.required.iter().copied())
        .chain(engine.optional.iter().copied())
        .chain(engine.aliases.iter().map(|(alias, _)| *alias))
        .collect();
    let mut complete = true;
    for entry in fields.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        let mut problem = fields.unexpected(entry, &known);
        // Without its path DuckDB works in memory: what is built would be gone at the end.
        if engine.name == "duckdb" && fields.entry("path").is_none() && nearest(&entry.key, known.iter().copied()) == Some("path") {
            complete = false;
            problem.code = &codes::INVALID_PROFILE;
            problem.severity = codes::INVALID_PROFILE.severity;
        }
        loader.diagnostics.push(problem);
    }
    let mut settings = Map::new();
    for entry in fields.entries {
        let key = engine.aliases.iter().find(|(alias, _)| *alias == entry.key).map_or(entry.key.as_str(), |(_, name)| name);
        settings.insert(key.to_owned(), setting(key, &entry.value));
    }
    let is_iam = settings.get("method").and_then(Value::as_str).is_some_and(|method| method.starts_with("iam"));
    let is_named = ["cluster_id", "serverless_work_group", "secret_arn"].iter().any(|key| settings.contains_key(*key));
    // A workgroup knows the user by the identity of whoever calls.
    let is_serverless = settings.get("is_serverless").and_then(Value::as_bool) == Some(true)
        || settings.get("host").and_then(Value::as_str).is_some_and(|host| host.contains(".redshift-serverless."));
    let redshift: &[&str] = match engine.name {
        "redshift" if is_serverless && !is_named => &["host"],
        "redshift" if !is_iam && !is_named => &["host", "user"],
        _ => &[],
    };
    for key in engine.required.iter().chain(redshift) {
        if settings.get(*key).is_none_or(|value| value.is_null()) {
            complete = false;
            let alias = engine.aliases.iter().find(|(_, name)| name == key).map_or(*key, |(alias, _)| alias);
            loader.diagnostics.push(
                Diagnostic::new(&codes::INVALID_PROFILE, format!("{} has no '{alias}'", fields.owner))
                    .at(fields.entries.first().map_or(fields.span, |entry| entry.key_span))
                    .help(format!("a target of type '{}' needs '{alias}:'", engine.name)),
            );
        }
    }
    if settings.contains_key("port") && settings.get("port").is_none_or(|port| port.as_u64().is_none_or(|port| port > 65535)) {
        complete = false;
        loader.diagnostics.push(
            Diagnostic::new(&codes::INVALID_PROFILE, format!("'port' of {} is no port number", fields.owner))
                .at_opt(fields.get("port").map(|port| port.span))
                .help("write a number from 1 to 65535"),
        );
    }
    complete.then_some(settings)
}

/// Environment variables come as texts, so numbers are read from texts, and names that look like numbers become texts.
fn setting(key: &str, value: &Yaml) -> Value {
    let is_number = matches!(key, "port" | "connect_timeout" | "keepalives_idle" | "retries" | "threads");
    match &value.value {
        YamlValue::Text(text) if is_number => text.trim().parse::<i64>().map_or_else(|_| Value::from(text.as_str()), Value::from),
        YamlValue::Int(number) if is_number => Value::from(*number),
        YamlValue::Int(_) | YamlValue::Float(_)
            if matches!(key, "user" | "password" | "database" | "schema" | "host" | "path" | "role") =>
        {
            value.scalar_text().map_or(Value::Null, Value::from)
        }
        _ => value.to_json(),
    }
}

/// DuckDB names a database by its file: `build/shop.duckdb` is `shop`.
fn duckdb_database(path: Option<&str>) -> String {
    match path {
        None | Some(":memory:" | "") => "memory".to_owned(),
        Some(path) => {
            let file = path.split(['?', '#']).next().unwrap_or(path).rsplit(['/', ':']).next().unwrap_or(path);
            file.trim_start_matches('.').split('.').next().unwrap_or(file).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::project::LoadOptions;
    use crate::project::testing::{Loaded, load_with};

    const PROJECT: (&str, &str) = ("dbt_project.yml", "name: shop\nprofile: p\n");

    fn with(profiles: &str, options: LoadOptions, env: &[(&str, &str)]) -> Loaded {
        load_with(&[PROJECT, ("profiles.yml", profiles)], options, env)
    }

    fn target(loaded: &Loaded) -> (&str, &str, &str, &str, usize) {
        let target = &loaded.project().target;
        (&target.name, &target.adapter, &target.database, &target.schema, target.threads)
    }

    #[test]
    fn targets_of_each_type() {
        let profiles = "p:\n  target: \"{{ env_var('T', 'duck') }}\"\n  outputs:\n    duck: {type: duckdb, path: 'build/my.db.duckdb', threads: 3}\n    \
                        mem: {type: duckdb, schema: x}\n    pg: {type: postgres, host: h, user: u, pass: \"{{ env_var('PW') }}\", port: \"{{ env_var('PORT') }}\", dbname: d, schema: s}\n    \
                        rs: {type: redshift, method: iam, cluster_id: c, dbname: 7, schema: s}\n";
        let env = [("PW", "secret"), ("PORT", "6543")];
        let asked = |target: &str| LoadOptions { target: Some(target.to_owned()), ..LoadOptions::default() };
        let duck = with(profiles, LoadOptions::default(), &env);
        assert_eq!((target(&duck), duck.problems.len()), (("duck", "duckdb", "my", "main", 3), 0));
        assert_eq!(target(&with(profiles, LoadOptions::default(), &[("T", "mem")])), ("mem", "duckdb", "memory", "x", 1));
        let pg = with(profiles, LoadOptions { threads: Some(8), ..asked("pg") }, &env);
        assert_eq!(target(&pg), ("pg", "postgres", "d", "s", 8));
        let settings = &pg.project().target.settings;
        assert_eq!((settings["password"].clone(), settings["port"].clone(), settings.get("pass")), (json!("secret"), json!(6543), None));
        assert_eq!(pg.project().sources.text(pg.project().target.span.unwrap()), "pg");
        assert_eq!(target(&with(profiles, asked("rs"), &env)), ("rs", "redshift", "7", "s", 1));
    }

    #[test]
    fn where_profiles_are_looked_for() {
        let file = |database: &str| format!("p: {{target: t, outputs: {{t: {{type: duckdb, path: {database}.db}}}}}}\n");
        let (own, named, home) = (file("own"), file("named"), file("home"));
        let all =
            [PROJECT, ("profiles.yml", own.as_str()), ("ci/profiles.yml", named.as_str()), ("/home/u/.dbt/profiles.yml", home.as_str())];
        let options = || LoadOptions { home: Some("/home/u".to_owned()), ..LoadOptions::default() };
        let database =
            |files: &[(&str, &str)], options, env: &[(&str, &str)]| load_with(files, options, env).project().target.database.clone();
        assert_eq!(database(&all, options(), &[]), "own");
        assert_eq!(database(&all, LoadOptions { profiles_dir: Some("ci".to_owned()), ..options() }, &[]), "named");
        assert_eq!(database(&all, options(), &[("DBT_PROFILES_DIR", "ci")]), "named");
        assert_eq!(database(&[all[0], all[3]], options(), &[]), "home");
        // Profiles of other projects only.
        let others = |name: &str| format!("{name}: {{target: dev, outputs: {{dev: {{type: duckdb, path: {name}.duckdb}}}}}}\n");
        let (foreign, near) = (others("elsewhere"), others("pp"));
        assert_eq!(database(&[all[0], ("/home/u/.dbt/profiles.yml", &foreign)], options(), &[]), "acca");
        let slip = load_with(&[all[0], ("/home/u/.dbt/profiles.yml", &near)], options(), &[]);
        assert!(slip.project.is_none());
        assert_eq!(database(&[all[0]], options(), &[]), "acca");
    }

    #[test]
    fn a_named_folder_must_hold_profiles() {
        let files = [PROJECT, ("profiles.yml", "p: {target: t, outputs: {t: {type: duckdb}}}\n")];
        let problems = |named_by: &str| {
            [
                "error[invalid-profile]: there is no profiles.yml in the folder '/nope'".to_owned(),
                format!("  help: '{named_by}' names this folder: correct it, or leave it out"),
            ]
        };
        let options = LoadOptions { profiles_dir: Some("/nope".to_owned()), ..LoadOptions::default() };
        let found = load_with(&files, options, &[]);
        assert!(found.project.is_none());
        assert_eq!(found.problems, problems("--profiles-dir"));
        for variable in ["ACCA_PROFILES_DIR", "DBT_PROFILES_DIR"] {
            assert_eq!(load_with(&files, LoadOptions::default(), &[(variable, "/nope")]).problems, problems(variable));
        }
        assert!(load_with(&files, LoadOptions::default(), &[("DBT_PROFILES_DIR", "")]).project.is_some());
    }

    #[test]
    fn without_a_profile_duckdb_is_used_and_said() {
        let notes = |files: &[(&str, &str)]| {
            let mut memory = crate::base::MemoryFiles::default();
            for (path, text) in files {
                memory = memory.with(path, text);
            }
            let mut diagnostics = crate::diag::Diagnostics::default();
            let project =
                crate::project::load(&memory, &LoadOptions::default(), &crate::project::testing::TinyRenderer, &[], &mut diagnostics)
                    .unwrap();
            assert_eq!((project.target.adapter.as_str(), project.target.settings["path"].clone()), ("duckdb", json!("build/acca.duckdb")));
            diagnostics.into_iter().map(|note| format!("{}: {}", note.severity.as_str(), note.message)).collect::<Vec<_>>()
        };
        let used = "so DuckDB in 'build/acca.duckdb' is used";
        assert_eq!(notes(&[PROJECT]), [format!("note: there is no profiles.yml, {used}")]);
        assert_eq!(notes(&[("dbt_project.yml", "name: x\n")]), [format!("note: the project names no profile, {used}")]);
    }

    #[test]
    fn mistakes_point_into_the_profile_and_show_no_secret() {
        let cases: [(&str, Option<&str>, &[&str]); 13] = [
            (
                "{target: dve, outputs: {dev: {type: duckdb}, ci: {type: duckdb}}}",
                None,
                &[
                    "error[invalid-profile] profiles.yml:1:13 'dve': profile 'p' has no target 'dve'",
                    "  help: did you mean 'dev'?",
                    "  help: the targets are: dev, ci",
                ],
            ),
            (
                "{outputs: {dev: {type: duckdb}}}",
                Some("prod"),
                &["error[invalid-profile] profiles.yml:1:1 'p': profile 'p' has no target 'prod'", "  help: the targets are: dev"],
            ),
            (
                "{target: dev, outputs: {dev: {type: postgre}}}",
                None,
                &[
                    "error[invalid-profile] profiles.yml:1:40 'postgre': acca has no target type 'postgre'",
                    "  help: did you mean 'postgres'?",
                    "  help: the types are: duckdb, postgres, redshift",
                ],
            ),
            (
                "{target: dev, outputs: {dev: {path: x}}}",
                None,
                &[
                    "error[invalid-profile] profiles.yml:1:28 'dev': target 'dev' of profile 'p' has no 'type'",
                    "  help: add 'type:' with one of duckdb, postgres, redshift",
                ],
            ),
            (
                "{target: dev, outputs: {dev: {type: postgres, host: h, user: u, password: hunter2, schema: s, port: hunter2, hots: x}}}",
                None,
                &[
                    "warning[unexpected-property] profiles.yml:1:113 'hots': the key 'hots' means nothing in target 'dev' of profile 'p'",
                    "  help: did you mean 'host'?",
                    "error[invalid-profile] profiles.yml:1:34 'type': target 'dev' of profile 'p' has no 'dbname'",
                    "  help: a target of type 'postgres' needs 'dbname:'",
                    "error[invalid-profile] profiles.yml:1:104 'hunter2': 'port' of target 'dev' of profile 'p' is no port number",
                    "  help: write a number from 1 to 65535",
                ],
            ),
            (
                "{target: dev, outputs: {dev: {type: postgres, host: \"{{ env_var('NOPE') }}\"}}}",
                None,
                &["error[jinja-error] profiles.yml:1:56 '\"{{ env_var('NOPE') }}\"': cannot evaluate env_var('NOPE')"],
            ),
            (
                "{target: dev, outputs: {dev: {type: redshift, host: g.1.eu-west-1.redshift-serverless.amazonaws.com, dbname: d, schema: s}}}",
                None,
                &[],
            ),
            (
                "{target: dev, outputs: {dev: {type: redshift, host: c.x.eu-west-1.redshift.amazonaws.com, dbname: d, schema: s}}}",
                None,
                &[
                    "error[invalid-profile] profiles.yml:1:34 'type': target 'dev' of profile 'p' has no 'user'",
                    "  help: a target of type 'redshift' needs 'user:'",
                ],
            ),
            (
                "{target: dev}",
                None,
                &[
                    "error[invalid-profile] profiles.yml:1:1 'p': profile 'p' has no targets",
                    "  help: add 'outputs:' with a target under it",
                ],
            ),
            (
                "{target: dev, outputs: {dev: {type: duckdb, pth: x.duckdb}}}",
                None,
                &[
                    "error[invalid-profile] profiles.yml:1:48 'pth': the key 'pth' means nothing in target 'dev' of profile 'p'",
                    "  help: did you mean 'path'?",
                ],
            ),
            ("[x]", None, &["error[invalid-config] profiles.yml:1:4 '[*]': profile 'p' is a list, and a mapping is needed"]),
            (
                "{target: dev, outputs: {dev: x}}",
                None,
                &["error[invalid-config] profiles.yml:1:33 '*': target 'dev' of profile 'p' is a text, and a mapping is needed"],
            ),
            (
                "{target: dev, outputs: {dev: {type: duckdb, threads: many}}}",
                None,
                &[
                    "error[invalid-profile] profiles.yml:1:57 'many': 'threads' of target 'dev' of profile 'p' is a text, and a whole number from 0 on is needed",
                ],
            ),
        ];
        for (profile, target, expected) in cases {
            let options = LoadOptions { target: target.map(str::to_owned), ..LoadOptions::default() };
            assert_eq!(with(&format!("p: {profile}\n"), options, &[]).problems, expected, "{profile}");
        }
    }

    #[test]
    fn a_profile_asked_for_must_exist() {
        let asked = || LoadOptions { profile: Some("q".to_owned()), ..LoadOptions::default() };
        let found = with("qq: {}\n", asked(), &[]);
        assert!(found.project.is_none());
        assert_eq!(found.problems, ["error[invalid-profile]: 'profiles.yml' has no profile 'q'", "  help: did you mean 'qq'?"]);
        let found = load_with(&[PROJECT, ("profiles.yml", "pp: {outputs: {}}\n")], LoadOptions::default(), &[]);
        assert!(found.project.is_none());
        assert_eq!(
            found.problems,
            ["error[invalid-profile] dbt_project.yml:2:10 'p': 'profiles.yml' has no profile 'p'", "  help: did you mean 'pp'?"]
        );
        let found = load_with(&[PROJECT], LoadOptions { target: Some("prod".to_owned()), ..LoadOptions::default() }, &[]);
        assert_eq!(
            found.problems,
            [
                "error[invalid-profile] dbt_project.yml:2:10 'p': there is no target 'prod': there is no profiles.yml",
                "  help: write a profiles.yml; 'profiles.example.yml' shows how",
            ]
        );
    }
}
