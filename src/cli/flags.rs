//! dbt's other flags: those that change nothing here, those that cannot be had, their places before the command, and the flags that
//! a project file sets.

use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::project::parse_yaml;

/// Switches of dbt that change nothing here, each with its `--no-…`. Why is said in docs/dbt.md.
const WITHOUT_EFFECT: [&str; 17] = [
    "partial-parse-file-diff",
    "static-parser",
    "use-experimental-parser",
    "use-fast-test-edges",
    "populate-cache",
    "cache-selected-only",
    "log-cache-events",
    "macro-debugging",
    "send-anonymous-usage-stats",
    "show-all-deprecations",
    "show-resource-report",
    "use-colors-file",
    "version-check",
    "export-saved-queries",
    "include-saved-query",
    "clean-project-files-only",
    "inject-ephemeral-ctes",
];

/// Flags with a value that change nothing here.
const VALUES_WITHOUT_EFFECT: [&str; 4] = ["partial-parse-file-path", "record-timing-info", "sqlparse", "log-file-max-bytes"];

/// Flags that are refused, and why.
const REFUSED: [(&str, bool, &str); 1] = [("upload-to-artifacts-ingest-api", false, "acca sends nothing to anybody")];

/// Lets the command line take them all.
pub(super) fn with_flags_of_dbt(mut command: Command) -> Command {
    let hidden = |name: &'static str| Arg::new(name).long(name).global(true).hide(true);
    for name in WITHOUT_EFFECT {
        let no: &'static str = format!("no-{name}").leak();
        command = command.arg(hidden(name).action(ArgAction::SetTrue).overrides_with(no));
        command = command.arg(hidden(no).action(ArgAction::SetTrue).overrides_with(name));
    }
    for name in VALUES_WITHOUT_EFFECT {
        let argument = hidden(name).action(ArgAction::Set);
        command = command.arg(if name == "record-timing-info" { argument.short('r') } else { argument });
    }
    for (name, takes_value, _) in REFUSED {
        command = command.arg(hidden(name).action(if takes_value { ArgAction::Set } else { ArgAction::SetTrue }));
    }
    command
}

/// The flag that is refused, and why.
pub(super) fn refused(matches: &ArgMatches) -> Option<(&'static str, &'static str)> {
    let given = |matches: &ArgMatches, name: &str, takes_value: bool| match takes_value {
        true => matches.try_get_one::<String>(name).ok().flatten().is_some(),
        false => matches.try_get_one::<bool>(name).ok().flatten().is_some_and(|set| *set),
    };
    let found = REFUSED.iter().find(|(name, takes_value, _)| given(matches, name, *takes_value));
    found.map(|(name, _, why)| (*name, *why))
}

/// dbt takes flags of one command before its name too, and there for every command: those are put behind it, or dropped where the
/// command has no use for them.
pub(super) fn in_their_places(command: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let mut words = words.into_iter();
    let mut placed: Vec<OsString> = words.next().into_iter().collect();
    let (mut before, mut moved): (Vec<OsString>, Vec<Vec<OsString>>) = (Vec::new(), Vec::new());
    let rest: Vec<OsString> = words.collect();
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        let text = word.to_string_lossy();
        if !text.starts_with('-') || text == "--" {
            break;
        }
        let own = find(command, &text);
        let foreign = own.is_none().then(|| command.get_subcommands().find_map(|below| find(below, &text))).flatten();
        let has_value = text.starts_with("--") && text.contains('=');
        let values = own.or(foreign).map_or(0, |argument| usize::from(argument.get_action().takes_values() && !has_value));
        let group: Vec<OsString> = rest.iter().skip(at).take(1 + values).cloned().collect();
        at += group.len();
        if foreign.is_some() { moved.push(group) } else { before.extend(group) }
    }
    placed.append(&mut before);
    let mut behind = rest.into_iter().skip(at).peekable();
    let mut current = command;
    while let Some(below) = behind.peek().and_then(|word| current.find_subcommand(word)) {
        current = below;
        placed.extend(behind.next());
    }
    for group in moved {
        if group.first().is_some_and(|flag| find(current, &flag.to_string_lossy()).is_some()) {
            placed.extend(group);
        }
    }
    placed.extend(behind);
    placed
}

fn find<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let long = word.strip_prefix("--").and_then(|flag| flag.split('=').next());
    let short = word.strip_prefix('-').filter(|flag| flag.chars().count() == 1).and_then(|flag| flag.chars().next());
    command.get_arguments().find(|argument| match long {
        Some(long) => {
            argument.get_long_and_visible_aliases().is_some_and(|names| names.contains(&long)) || argument.get_long() == Some(long)
        }
        None => short.is_some() && argument.get_short() == short,
    })
}

/// `flags` of the project file: names and values as texts. A file that cannot be read says so later.
pub(super) fn project_flags(root: &Path) -> Vec<(String, String)> {
    let Ok(text) = std::fs::read_to_string(root.join("dbt_project.yml")) else { return Vec::new() };
    if !text.contains("flags") {
        return Vec::new();
    }
    let file = crate::base::Sources::default().add("dbt_project.yml", text.as_str());
    let Ok(parsed) = parse_yaml(file, &text) else { return Vec::new() };
    let value = parsed.root.to_json();
    let flags = value.get("flags").and_then(serde_json::Value::as_object);
    let as_text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    flags.into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), as_text(value))).collect()
}

/// The command with the project's flags as defaults: what the environment or the command line says counts more.
pub(super) fn with_project_flags(command: Command, flags: &[(String, String)]) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let mut command = command.mut_args(|argument| with_default(argument, flags));
    for name in names {
        command = command.mut_subcommand(name, |below| with_project_flags(below, flags));
    }
    command
}

fn with_default(argument: Arg, flags: &[(String, String)]) -> Arg {
    let Some(long) = argument.get_long() else { return argument };
    let key = long.replace('-', "_");
    let value = |key: &str| flags.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.clone());
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
    let is = |value: &Option<String>, wanted: &str| value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    let found = match key.as_str() {
        "color" => Some("true".to_owned()).filter(|_| is(&value("use_colors"), "true")),
        "no_color" => Some("true".to_owned()).filter(|_| is(&value("use_colors"), "false")),
        // Only the command line says no: what is off from the start need not be turned off.
        no if no.starts_with("no_") => None,
        key if is_switch => Some("true".to_owned()).filter(|_| is(&value(key), "true")),
        key => value(key),
    };
    match found {
        Some(found) => argument.default_value(&*found.leak()),
        None => argument,
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::arguments::{Arguments, Command as Verb, Indirect};

    fn command() -> Command {
        with_flags_of_dbt(Arguments::command())
    }

    fn placed(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        let placed = in_their_places(&command(), words);
        placed.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flags_of_a_command_may_stand_before_it() {
        assert_eq!(
            placed("acca --quiet -x --indirect-selection cautious build -s a"),
            "acca --quiet build -x --indirect-selection cautious -s a"
        );
        assert_eq!(placed("acca --target prod --fail-fast parse"), "acca --target prod parse");
        assert_eq!(placed("acca --select=a docs generate --static"), "acca docs generate --select=a --static");
        assert_eq!(placed("acca --nonsense build"), "acca --nonsense build");
        assert_eq!(placed("acca --version"), "acca --version");
    }

    #[test]
    fn every_global_flag_of_dbt_is_taken() {
        let lines = [
            "--cache-selected-only --no-cache-selected-only --debug --no-debug -d --defer --no-defer --defer-state x --fail-fast --no-fail-fast",
            "--favor-state --no-favor-state --indirect-selection buildable --log-cache-events --no-log-cache-events --log-file-max-bytes 1",
            "--log-format debug --log-format-file json --log-level warn --log-level-file info --log-path logs --macro-debugging",
            "--partial-parse --no-partial-parse --partial-parse-file-path x --partial-parse-file-diff --populate-cache --no-populate-cache",
            "--print --no-print --printer-width 100 --profile p --quiet --no-quiet -q -r x --send-anonymous-usage-stats",
            "--no-send-anonymous-usage-stats --single-threaded --no-single-threaded --show-all-deprecations --static-parser --no-static-parser",
            "--state x --target t --use-colors --no-use-colors --use-colors-file --no-use-colors-file --use-experimental-parser --version-check",
            "--no-version-check --warn-error --warn-error-options {} --write-json --no-write-json --use-fast-test-edges",
        ];
        for line in lines {
            let words = format!("acca {line} build").split(' ').map(OsString::from).collect::<Vec<_>>();
            let known: Vec<OsString> = in_their_places(&command(), words);
            // What is not there yet is refused by name, nothing else.
            let parsed = command().try_get_matches_from(&known);
            let told = parsed.err().map(|error| error.to_string()).unwrap_or_default();
            let later = ["--defer", "--state", "--favor-state", "--no-defer", "--no-favor-state", "--no-fail-fast"];
            assert!(told.is_empty() || later.iter().any(|flag| told.contains(flag)), "{line}\n{told}");
        }
    }

    #[test]
    fn a_project_sets_defaults_and_the_command_line_counts_more() {
        let flags = [("fail_fast", "true"), ("indirect_selection", "cautious"), ("write_json", "false"), ("unheard_of", "1")];
        let flags: Vec<(String, String)> = flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let parse = |line: &str| {
            let matches = with_project_flags(command(), &flags).get_matches_from(line.split(' '));
            Arguments::from_arg_matches(&matches).unwrap()
        };
        let found = parse("acca build");
        assert!(!found.global.writes_json());
        let Verb::Build(build) = found.command else { panic!() };
        assert!(build.run.fail_fast && build.run.selection.indirect_selection == Indirect::Cautious);
        let found = parse("acca --write-json build --indirect-selection eager");
        assert!(found.global.writes_json());
        let Verb::Build(build) = found.command else { panic!() };
        assert!(build.run.selection.indirect_selection == Indirect::Eager);
    }

    #[test]
    fn what_cannot_be_had_says_why() {
        let matches = command().get_matches_from(["acca", "build", "--upload-to-artifacts-ingest-api"]);
        assert!(refused(&matches).is_some_and(|(name, why)| name == "upload-to-artifacts-ingest-api" && why.contains("sends nothing")));
        assert_eq!(refused(&command().get_matches_from(["acca", "build"])), None);
    }
}
