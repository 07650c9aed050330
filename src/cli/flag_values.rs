//! What was said of flags, as templates see it: `flags.FAIL_FAST`, `invocation_args_dict.select`.

use std::collections::BTreeMap;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value, json};

use super::arguments::GlobalArguments;
use crate::base::FileId;
use crate::project::parse_yaml;

/// All flags that the command line, the environment or the project file speaks of, by dbt's lower-case names.
pub(super) fn flag_values(command: &Command, matches: &ArgMatches, project: &[(String, String)]) -> Map<String, Value> {
    let mut values: Map<String, Value> =
        project.iter().map(|(name, text)| (name.to_lowercase(), as_yaml(text))).filter(|(_, value)| !value.is_null()).collect();
    let mut level = Some((command, matches));
    while let Some((command, matches)) = level {
        for argument in command.get_arguments() {
            values.extend(value_of(argument, matches));
        }
        level = matches.subcommand().and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)));
    }
    values.remove("vars");
    values
}

/// What the invocation itself adds: where it runs, and its command line.
pub(super) fn of_the_invocation(global: &GlobalArguments, root: Option<&Path>, words: &[String]) -> Map<String, Value> {
    let folder = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned();
    let profiles = match (&global.profiles_dir, root) {
        (Some(named), _) => Some(named.clone()),
        (None, Some(root)) if root.join("profiles.yml").is_file() => Some(root.to_owned()),
        (None, _) => std::env::home_dir().map(|home| home.join(".dbt")),
    };
    let mut values = Map::new();
    values.insert("invocation_command".to_owned(), json!(format!("acca {}", words.join(" ")).trim_end()));
    values.extend(profiles.map(|path| ("profiles_dir".to_owned(), json!(folder(&path)))));
    values.extend(root.map(|path| ("project_dir".to_owned(), json!(folder(path)))));
    values
}

/// `DBT_ENV_CUSTOM_ENV_…` of the environment, by the names after the prefix.
pub(super) fn metadata_envs() -> BTreeMap<String, String> {
    let named = |(name, value): (String, String)| Some((name.strip_prefix("DBT_ENV_CUSTOM_ENV_")?.to_owned(), value));
    let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(readable).filter_map(named).collect()
}

/// The name and the value of one flag; `None` where nothing was said of it.
fn value_of(argument: &Arg, matches: &ArgMatches) -> Option<(String, Value)> {
    let id = argument.get_id().as_str();
    let name = argument.get_long().unwrap_or(id);
    let said = matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) != Some(ValueSource::DefaultValue);
    if !said {
        return None;
    }
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        let set = matches.try_get_one::<bool>(id).ok().flatten().copied()?;
        // Neither of a pair is set by the other's name.
        let (name, truth) = match name.strip_prefix("no-") {
            Some(name) => (name, !set),
            None => (name, set),
        };
        return (set || matches.value_source(id) == Some(ValueSource::EnvVariable)).then(|| (dbt_name(name), json!(truth)));
    }
    let texts: Vec<String> = matches.get_raw(id)?.map(|text| text.to_string_lossy().into_owned()).collect();
    let several = matches!(argument.get_action(), ArgAction::Append) || argument.get_num_args().is_some_and(|count| count.max_values() > 1);
    let value = match texts.as_slice() {
        [text] if !several => match name {
            "threads" | "limit" | "port" | "printer-width" | "log-file-max-bytes" | "write-json" | "print" | "warn-error-options"
            | "args" => as_yaml(text),
            _ => json!(text),
        },
        texts => json!(texts),
    };
    Some((dbt_name(name), value))
}

fn dbt_name(flag: &str) -> String {
    match flag {
        "color" => "use_colors".to_owned(),
        "resource-type" => "resource_types".to_owned(),
        "exclude-resource-type" => "exclude_resource_types".to_owned(),
        flag => flag.replace('-', "_"),
    }
}

/// A text as YAML reads it, or else as it is.
fn as_yaml(text: &str) -> Value {
    parse_yaml(FileId(0), text).map_or_else(|_| json!(text), |parsed| parsed.root.to_json())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::arguments::Arguments;
    use super::super::flags::with_flags_of_dbt;
    use super::*;

    fn values(line: &str, project: &[(&str, &str)]) -> Value {
        let command = with_flags_of_dbt(Arguments::command());
        let matches = command.clone().get_matches_from(line.split(' '));
        let project: Vec<(String, String)> = project.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Value::Object(flag_values(&command, &matches, &project))
    }

    #[test]
    fn flags_have_the_names_and_values_of_dbt() {
        let line =
            "acca --no-use-colors --threads 4 --no-partial-parse build -s a b+ --exclude c -x --resource-type model test --vars {a:1}";
        let expected = json!({"use_colors": false, "threads": 4, "partial_parse": false, "select": ["a", "b+"], "exclude": ["c"],
            "fail_fast": true, "resource_types": ["model", "test"]});
        assert_eq!(values(line, &[]), expected);
        assert_eq!(
            values("acca build", &[("FAIL_FAST", "true"), ("some_behaviour", "2")]),
            json!({"fail_fast": true, "some_behaviour": 2})
        );
        assert_eq!(values("acca build --no-defer --select a", &[("defer", "true")]), json!({"defer": false, "select": ["a"]}));
        assert_eq!(values("acca --quiet run-operation m --args {x:1}", &[])["quiet"], json!(true));
    }
}
