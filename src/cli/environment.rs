//! Flags from the environment: `ACCA_<FLAG>`, then `DBT_<FLAG>`. What stands on the command line wins.

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

/// Flags that say what a command prints, that have rules of their own, or that delete what nothing brings back.
const COMMAND_LINE_ONLY: [&str; 10] =
    ["diagnostics", "prune", "help", "version", "color", "no-color", "inline", "limit", "output", "output-keys"];

/// Lets every flag of the command take its value from the environment that `variable` reads.
pub(super) fn with_environment(command: Command, variable: &dyn Fn(&str) -> Option<String>) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    let mut command = command.mut_args(|argument| with_variable(argument, variable));
    for name in names {
        command = command.mut_subcommand(name, |subcommand| with_environment(subcommand, variable));
    }
    command
}

fn with_variable(argument: Arg, variable: &dyn Fn(&str) -> Option<String>) -> Arg {
    let Some(flag) = argument.get_long().filter(|flag| !COMMAND_LINE_ONLY.contains(flag)) else { return argument };
    let suffix = flag.replace('-', "_").to_uppercase();
    // dbt has a second prefix since 1.11, and its names of these two are plural.
    let plural = matches!(flag, "resource-type" | "exclude-resource-type").then(|| format!("DBT_{suffix}S"));
    let names = [format!("ACCA_{suffix}"), format!("DBT_ENGINE_{suffix}"), format!("DBT_{suffix}")].into_iter().chain(plural);
    let mut names = names;
    let Some(name) = names.find(|name| variable(name).is_some_and(|value| !value.is_empty())) else { return argument };
    let argument = match argument.get_action() {
        // "1", "yes" and "on" are as good as "true" there.
        ArgAction::SetTrue => argument.value_parser(BoolishValueParser::new()),
        _ => argument,
    };
    // The parser keeps names for as long as the program runs; there are a handful.
    argument.env(&*name.leak()).hide_env(true)
}

/// The variable whose value the error complains of.
pub(super) fn blamed(command: &Command, error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::ValueValidation && error.kind() != ErrorKind::InvalidValue {
        return None;
    }
    let ContextValue::String(blamed) = error.get(ContextKind::InvalidArg)? else { return None };
    let flag = blamed.split([' ', '=']).next()?.strip_prefix("--")?;
    let commands = std::iter::once(command).chain(command.get_subcommands());
    let argument =
        commands.flat_map(Command::get_arguments).find(|argument| argument.get_long() == Some(flag) && argument.get_env().is_some())?;
    let variable = argument.get_env()?.to_string_lossy().into_owned();
    // The command line wins, so what stands there is to blame.
    let given = std::env::args().any(|word| word.starts_with(&format!("--{flag}")));
    (!given).then_some(variable)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::arguments::{Arguments, Command as Verb, LogFormat};

    fn suffixes(command: &Command) -> Vec<String> {
        let own = command.get_arguments().filter_map(Arg::get_env).map(|name| name.to_string_lossy().into_owned());
        own.chain(command.get_subcommands().flat_map(suffixes)).collect()
    }

    #[test]
    fn a_variable_of_acca_stands_before_one_of_dbt_and_empty_ones_do_not_count() {
        let variable = |name: &str| match name {
            "ACCA_TARGET" | "DBT_TARGET" | "DBT_FULL_REFRESH" => Some("1".to_owned()),
            "ACCA_QUIET" => Some(String::new()),
            _ => None,
        };
        let mut found = suffixes(&with_environment(Arguments::command(), &variable));
        found.dedup();
        assert_eq!(found, ["ACCA_TARGET", "DBT_FULL_REFRESH"]);
    }

    #[test]
    fn the_command_line_is_sound_and_reads_as_dbt_does() {
        Arguments::command().debug_assert();
        let parse = |words: &[&str]| Arguments::from_arg_matches(&Arguments::command().get_matches_from(words)).unwrap();
        let found = parse(&["acca", "--quiet", "build", "-s", "a", "b+", "--exclude", "c", "-f", "--log-format", "json", "-m", "d"]);
        assert!(found.global.quiet && found.global.log_format == LogFormat::Json);
        let Verb::Build(build) = found.command else { panic!() };
        assert_eq!(build.run.selection.select, ["a", "b+", "d"]);
        assert!(build.run.full_refresh && !build.run.fail_fast);
    }
}
