//! What may stand on the command line. Names are dbt's wherever dbt has one.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::DateTime;

use super::event_time::{parse_event_time, parse_sample};
use crate::base::Window;

/// Builds, tests and explains a data model of SQL and YAML files.
#[derive(Debug, Parser)]
#[command(
    name = "acca",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Every flag can also be set in the environment, as ACCA_<FLAG> or DBT_<FLAG>. Exit codes: 0 all is well, 1 something failed, \
                  2 wrong use, 130 Ctrl-C."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: GlobalArguments,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags that every command takes, before or after its name.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct GlobalArguments {
    /// Folder of the project; otherwise it is looked for from here upwards.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(super) project_dir: Option<PathBuf>,
    /// Folder of profiles.yml; otherwise the project's, then ~/.dbt.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(super) profiles_dir: Option<PathBuf>,
    /// Profile to use in place of the project's.
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// Target of the profile to work on.
    #[arg(long, short, global = true, value_name = "NAME")]
    pub(super) target: Option<String>,
    /// Variables, as YAML or JSON: '{day: 2025-01-31}'.
    #[arg(long, global = true, value_name = "YAML")]
    pub(super) vars: Option<String>,
    /// How many nodes are worked on at once.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) threads: Option<u16>,
    /// Folder for what is written, in place of the project's target-path.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(super) target_path: Option<String>,
    /// Print results and errors only.
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    #[arg(long, global = true, hide = true, overrides_with = "quiet")]
    pub(super) no_quiet: bool,
    /// Colours even when nobody seems to be looking.
    #[arg(long, global = true, alias = "use-colors", overrides_with = "no_color")]
    pub(super) color: bool,
    /// No colours; NO_COLOR does the same.
    #[arg(long, global = true, alias = "no-use-colors", overrides_with = "color")]
    pub(super) no_color: bool,
    /// Say how long each stage takes.
    #[arg(long, short, global = true)]
    pub(super) debug: bool,
    #[arg(long, global = true, hide = true, overrides_with = "debug")]
    pub(super) no_debug: bool,
    /// Show at the end where the time went: stages, files, nodes, statements.
    #[arg(long, global = true)]
    pub(super) profile_compile: bool,
    /// How events are printed.
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) log_format: LogFormat,
    /// From which level on events are printed.
    #[arg(long, global = true, value_enum, value_name = "LEVEL", default_value_t)]
    pub(super) log_level: LogLevel,
    /// Also write everything that is said to acca.log in this folder.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(super) log_path: Option<PathBuf>,
    #[arg(long, global = true, hide = true, value_enum, value_name = "FORMAT", default_value = "debug")]
    pub(super) log_format_file: LogFormat,
    #[arg(long, global = true, hide = true, value_enum, value_name = "LEVEL", default_value = "debug")]
    pub(super) log_level_file: LogLevel,
    /// Treat warnings as errors.
    #[arg(long, global = true)]
    pub(super) warn_error: bool,
    /// Which warnings are errors: '{error: all, warn: [nothing-selected], silence: [test-warning]}'.
    #[arg(long, global = true, value_name = "YAML")]
    pub(super) warn_error_options: Option<String>,
    /// Columns of what is printed, where no terminal tells.
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub(super) printer_width: Option<usize>,
    /// Write no artefacts.
    #[arg(long, global = true, overrides_with = "write_json")]
    pub(super) no_write_json: bool,
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new(), overrides_with = "no_write_json")]
    pub(super) write_json: Option<bool>,
    /// Read everything anew: use nothing of an earlier parse.
    #[arg(long, global = true, overrides_with = "partial_parse", hide_short_help = true)]
    pub(super) no_partial_parse: bool,
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new(), overrides_with = "no_partial_parse")]
    pub(super) partial_parse: Option<bool>,
    /// Do not print what templates say with print() and log().
    #[arg(long, global = true, overrides_with = "print")]
    pub(super) no_print: bool,
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new(), overrides_with = "no_print")]
    pub(super) print: Option<bool>,
    #[arg(long, global = true, hide = true, overrides_with = "no_single_threaded")]
    pub(super) single_threaded: bool,
    #[arg(long, global = true, hide = true, overrides_with = "single_threaded")]
    pub(super) no_single_threaded: bool,
}

impl GlobalArguments {
    pub(super) fn writes_json(&self) -> bool {
        !self.no_write_json && self.write_json.unwrap_or(true)
    }

    /// Whether the parse of an earlier run is used.
    pub(super) fn parses_partially(&self) -> bool {
        !self.no_partial_parse && self.partial_parse.unwrap_or(true)
    }

    pub(super) fn prints(&self) -> bool {
        !self.no_print && self.print.unwrap_or(true)
    }

    /// From which level on events are printed.
    pub(super) fn level(&self) -> LogLevel {
        if self.quiet && !self.no_quiet {
            self.log_level.max(LogLevel::Error)
        } else if self.debug && !self.no_debug {
            LogLevel::Debug
        } else {
            self.log_level
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Sentences for people.
    #[default]
    #[value(alias = "default")]
    Text,
    /// One object a line.
    Json,
    /// Sentences with the time before them.
    Debug,
}

/// Ascending: what is printed at one is printed at those before it too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum LogLevel {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    None,
}

impl LogLevel {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error | LogLevel::None => "error",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a small working project into a new folder.
    #[command(after_help = "Example: acca init shop && cd shop && acca build")]
    Init(InitArguments),
    /// Check the project, the profile and the connection.
    #[command(after_help = "Example: acca debug --target prod")]
    Debug(DebugArguments),
    /// Read and check the project, and write manifest.json.
    #[command(after_help = "Example: acca parse --quiet")]
    Parse(ParseArguments),
    /// Write the SQL of models, tests and analyses without running it.
    ///
    /// Of an incremental model that is the text of the run that makes its table; 'acca check' looks at the one that adds to it too.
    #[command(after_help = "Example: acca compile --inline \"select * from {{ ref('orders') }}\"")]
    Compile(CompileArguments),
    /// List what a selection selects.
    #[command(alias = "list", after_help = "Example: acca ls --select +orders --resource-type model")]
    Ls(LsArguments),
    /// Build models.
    #[command(after_help = "Example: acca run --select staging.* orders+")]
    Run(RunArguments),
    /// Run data tests.
    #[command(after_help = "Example: acca test --select orders")]
    Test(BuildArguments),
    /// Load, build and test in the order of the graph; a failed test holds up what reads it.
    #[command(after_help = "Example: acca build --select +orders --exclude tag:slow")]
    Build(BuildArguments),
    /// Load the CSV files of seeds.
    #[command(after_help = "Example: acca seed --full-refresh")]
    Seed(SeedArguments),
    /// Record how rows change over time.
    #[command(after_help = "Example: acca snapshot --select customers")]
    Snapshot(RunArguments),
    /// Load new and changed landing files of sources.
    #[command(after_help = "Example: acca load --select source:shop.orders")]
    Load(LoadArguments),
    /// Give relations of an earlier invocation this target's names, as views that point at them.
    #[command(after_help = "Example: acca clone --state prod-artefacts --select +orders")]
    Clone(CloneArguments),
    /// Run once more what failed or was skipped in the last run, with its flags.
    #[command(after_help = "Example: acca retry")]
    Retry(RetryArguments),
    /// Print the first rows of a model, seed, source or query.
    #[command(after_help = "Example: acca show --select orders --limit 20")]
    Show(ShowArguments),
    /// Print the steps and the SQL that a run would send, against the database as it is now.
    #[command(after_help = "Example: acca explain --select orders")]
    Explain(ExplainArguments),
    /// Call a macro for what it does.
    #[command(after_help = "Example: acca run-operation grant_all --args '{role: reporter}'")]
    RunOperation(RunOperationArguments),
    /// Put the packages that packages.yml or dependencies.yml names where they are read.
    #[command(after_help = "Example: acca deps")]
    Deps,
    /// Print the columns that models, seeds, snapshots and sources have, without asking a database.
    #[command(after_help = "Example: acca schema orders customers")]
    Schema(SchemaArguments),
    /// Print which columns a column comes from, and what comes from it.
    #[command(after_help = "Example: acca lineage orders.amount --up")]
    Lineage(LineageArguments),
    /// Find what the database would refuse in the SQL of models, snapshots and tests, without asking it.
    #[command(after_help = "Example: acca check --select staging")]
    Check(CheckArguments),
    /// Check how old the newest rows of sources are.
    #[command(after_help = "Example: acca source freshness --select source:shop")]
    Source(SourceArguments),
    /// Document the project and what stands in the database, as a page.
    #[command(after_help = "Example: acca docs generate && acca docs serve")]
    Docs(DocsArguments),
    /// Delete the folders that clean-targets names.
    #[command(after_help = "Example: acca clean")]
    Clean,
    /// Hold what acca takes for granted of the target's engine against it.
    #[command(after_help = "Example: acca self-check --target warehouse")]
    SelfCheck,
    /// Explain a code of an error or a warning.
    #[command(after_help = "Example: acca explain-code unknown-ref")]
    ExplainCode(ExplainCodeArguments),
    /// Print the script that completes commands and flags in a shell.
    #[command(after_help = "Example: acca completions bash > ~/.local/share/bash-completion/completions/acca")]
    Completions(CompletionsArguments),
    /// Print the manual page of acca or of a command.
    #[command(after_help = "Example: acca man build | man -l -")]
    Man(ManArguments),
}

/// Which nodes a command works on.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectionArguments {
    /// Nodes to work on: names, 'tag:', 'path:', … with '+' for what lies above and below.
    #[arg(long, short, short_alias = 'm', visible_aliases = ["models", "model"], num_args = 1.., value_name = "SELECTOR")]
    pub(super) select: Vec<String>,
    /// Nodes to leave out.
    #[arg(long, num_args = 1.., value_name = "SELECTOR")]
    pub(super) exclude: Vec<String>,
    /// The nodes of a selector of selectors.yml.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["select", "exclude"])]
    pub(super) selector: Option<String>,
    /// Which tests come along with the nodes that they test.
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    pub(super) indirect_selection: Indirect,
    #[command(flatten)]
    pub(super) state: StateArguments,
}

/// An earlier invocation to compare with, or to read from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Earlier state")]
pub(super) struct StateArguments {
    /// Folder with the artefacts of an earlier invocation, for state:, result: and source_status:.
    #[arg(long, value_name = "FOLDER")]
    pub(super) state: Option<PathBuf>,
    /// Read what is neither selected nor built from where the earlier invocation built it.
    #[arg(long)]
    pub(super) defer: bool,
    #[arg(long, hide = true)]
    no_defer: bool,
    /// Folder of the manifest to defer to, in place of that of --state.
    #[arg(long, value_name = "FOLDER")]
    pub(super) defer_state: Option<PathBuf>,
    /// With --defer: also what is built here, unless it is selected.
    #[arg(long)]
    pub(super) favor_state: bool,
    #[arg(long, hide = true)]
    no_favor_state: bool,
}

impl StateArguments {
    /// `--no-defer` wins, over the environment too.
    pub(super) fn defers(&self) -> bool {
        self.defer && !self.no_defer
    }

    pub(super) fn favors_state(&self) -> bool {
        self.favor_state && !self.no_favor_state
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Indirect {
    #[default]
    Eager,
    Cautious,
    Buildable,
    Empty,
}

#[derive(Debug, Clone, Default, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// Build incremental models and load files from nothing.
    #[arg(help_heading = "This command", long, short)]
    pub(super) full_refresh: bool,
    /// Build from no rows: every ref() and source() gives none.
    #[arg(help_heading = "This command", long)]
    pub(super) empty: bool,
    #[arg(long, hide = true)]
    pub(super) no_empty: bool,
    /// Stop at the first failure.
    #[arg(help_heading = "This command", long, short = 'x')]
    pub(super) fail_fast: bool,
    /// Stop a node that takes longer: 90, 90s, 5m, 2h; 'meta.timeout' of a node counts more.
    #[arg(help_heading = "This command", long, value_name = "TIME", value_parser = crate::plan::parse_timeout)]
    pub(super) node_timeout: Option<std::time::Duration>,
    /// Keep the failing rows of tests as tables.
    #[arg(help_heading = "This command", long)]
    pub(super) store_failures: bool,
    /// Build the batches of models of strategy microbatch from this time on.
    #[arg(help_heading = "This command", long, value_name = "TIME", value_parser = parse_event_time, requires = "event_time_end")]
    pub(super) event_time_start: Option<DateTime>,
    /// … and up to this time.
    #[arg(help_heading = "This command", long, value_name = "TIME", value_parser = parse_event_time, requires = "event_time_start")]
    pub(super) event_time_end: Option<DateTime>,
    /// Read only rows of this time of what has an event_time: '3 days', '{start: 2026-01-01, end: 2026-02-01}'.
    #[arg(help_heading = "This command", long, value_name = "TIME", value_parser = parse_sample)]
    pub(super) sample: Option<Window>,
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

/// How a command says what is wrong.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct OutputArguments {
    /// How diagnostics are printed; what is not for people has standard output for itself.
    #[arg(help_heading = "This command", long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) output: DiagnosticFormat,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ParseArguments {
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

impl RunArguments {
    /// `--no-empty` wins, over the environment too.
    pub(super) fn is_empty(&self) -> bool {
        self.empty && !self.no_empty
    }
}

#[derive(Debug, Clone, Args)]
pub(super) struct CloneArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,
    #[command(flatten)]
    pub(super) resources: ResourceArguments,
}

#[derive(Debug, Clone, Args)]
pub(super) struct RetryArguments {
    /// Folder with the results to start from, in place of where this project's are written.
    #[arg(help_heading = "This command", long, value_name = "FOLDER")]
    pub(super) state: Option<PathBuf>,
    /// Build incremental models and load files from nothing, even if the last run did not.
    #[arg(help_heading = "This command", long, short)]
    pub(super) full_refresh: bool,
    /// The arguments of the macro of a run-operation, whose values are not kept.
    #[arg(help_heading = "This command", long, value_name = "YAML")]
    pub(super) args: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct LoadArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,
    /// With --full-refresh: delete the rows of files that are gone from the landing folders, which are kept otherwise.
    #[arg(help_heading = "This command", long, requires = "full_refresh")]
    pub(super) prune: bool,
}

#[derive(Debug, Clone, Args)]
pub(super) struct SeedArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,
    /// Print the first rows of each seed that was loaded.
    #[arg(help_heading = "This command", long)]
    pub(super) show: bool,
}

#[derive(Debug, Clone, Args)]
pub(super) struct BuildArguments {
    #[command(flatten)]
    pub(super) run: RunArguments,
    #[command(flatten)]
    pub(super) resources: ResourceArguments,
}

/// Types of nodes to keep or to leave out.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct ResourceArguments {
    /// Only nodes of these types.
    #[arg(long, visible_alias = "resource-types", num_args = 1.., value_enum, value_name = "TYPE")]
    pub(super) resource_type: Vec<Resource>,
    /// No nodes of these types.
    #[arg(long, visible_alias = "exclude-resource-types", num_args = 1.., value_enum, value_name = "TYPE")]
    pub(super) exclude_resource_type: Vec<Resource>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Resource {
    Model,
    Seed,
    Snapshot,
    Test,
    #[value(name = "unit_test", alias = "unit-test")]
    UnitTest,
    Source,
    Exposure,
    Analysis,
    /// What the command works on when nothing is said.
    Default,
    All,
}

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// Name of the project and of its folder.
    pub(super) name: Option<String>,
    /// Accepted for scripts written for dbt: no profile is asked for anyway.
    #[arg(long, hide = true)]
    pub(super) skip_profile_setup: bool,
}

#[derive(Debug, Default, Args)]
pub(super) struct DebugArguments {
    /// Try the connection only; the project may have mistakes.
    #[arg(help_heading = "This command", long)]
    pub(super) connection: bool,
    /// Print the folder where profiles.yml is looked for, and nothing else.
    #[arg(help_heading = "This command", long)]
    pub(super) config_dir: bool,
}

#[derive(Debug, Default, Args)]
pub(super) struct CompileArguments {
    /// Nodes to work on, as --select names them.
    #[arg(value_name = "MODEL", conflicts_with_all = ["selector", "inline"])]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    #[command(flatten)]
    pub(super) resources: ResourceArguments,
    /// Compile this text and print it.
    #[arg(help_heading = "This command", long, value_name = "SQL", conflicts_with = "select")]
    pub(super) inline: Option<String>,
    /// How SQL is printed.
    #[arg(help_heading = "This command", long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) output: ExplainOutput,
    /// Ask the database nothing: a template that does fails.
    #[arg(help_heading = "This command", long)]
    pub(super) no_introspect: bool,
    #[arg(long, hide = true, overrides_with = "no_introspect")]
    pub(super) introspect: bool,
    /// See the SQL as it is with --empty.
    #[arg(help_heading = "This command", long)]
    pub(super) empty: bool,
    /// See the SQL of incremental models as it is on a full refresh.
    #[arg(help_heading = "This command", long, short)]
    pub(super) full_refresh: bool,
    #[command(flatten)]
    pub(super) diagnostics: DiagnosticsArguments,
}

#[derive(Debug, Args)]
pub(super) struct LsArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    #[command(flatten)]
    pub(super) resources: ResourceArguments,
    /// What is printed of each node.
    #[arg(help_heading = "This command", long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) output: LsOutput,
    /// Keys of the JSON objects.
    #[arg(help_heading = "This command", long, num_args = 1.., value_name = "KEY")]
    pub(super) output_keys: Vec<String>,
    #[command(flatten)]
    pub(super) diagnostics: DiagnosticsArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LsOutput {
    /// What --select takes.
    #[default]
    Selector,
    Name,
    Path,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// Nodes to work on, as --select names them.
    #[arg(value_name = "MODEL", conflicts_with_all = ["selector", "inline", "inline_direct"])]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// Run this query.
    #[arg(help_heading = "This command", long, value_name = "SQL", conflicts_with = "select")]
    pub(super) inline: Option<String>,
    /// Run this query as it is, without templates.
    #[arg(help_heading = "This command", long, value_name = "SQL", conflicts_with_all = ["select", "inline"])]
    pub(super) inline_direct: Option<String>,
    /// How many rows; -1 for all.
    #[arg(help_heading = "This command", long, value_name = "N", default_value_t = 5, allow_negative_numbers = true)]
    pub(super) limit: i64,
    /// How the rows are printed.
    #[arg(help_heading = "This command", long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) output: ShowOutput,
    #[command(flatten)]
    pub(super) diagnostics: DiagnosticsArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ShowOutput {
    #[default]
    Text,
    Json,
    Csv,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// Nodes to work on, as --select names them.
    #[arg(value_name = "MODEL", conflicts_with = "selector")]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// How the steps are printed.
    #[arg(help_heading = "This command", long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) output: ExplainOutput,
    /// Explain a run with --full-refresh.
    #[arg(help_heading = "This command", long, short)]
    pub(super) full_refresh: bool,
    /// Explain without a connection, as if the database were empty, or as if all of the project were built.
    #[arg(help_heading = "This command", long, value_enum, value_name = "STATE", num_args = 0..=1, default_missing_value = "empty")]
    pub(super) offline: Option<Offline>,
    #[command(flatten)]
    pub(super) diagnostics: DiagnosticsArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Offline {
    /// Nothing is there: a first run.
    Empty,
    /// All is there: a later run.
    Built,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ExplainOutput {
    #[default]
    Text,
    /// One document for programs.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct RunOperationArguments {
    /// The macro, or 'package.macro'.
    #[arg(value_name = "MACRO")]
    pub(super) name: String,
    /// Its arguments, as YAML or JSON: '{schema: scratch}'.
    #[arg(help_heading = "This command", long, value_name = "YAML")]
    pub(super) args: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
    /// What to print, as --select names it; all models when nothing is named.
    #[arg(value_name = "MODEL")]
    pub(super) models: Vec<String>,
    /// The same.
    #[arg(long, short, num_args = 1.., value_name = "SELECTOR")]
    pub(super) select: Vec<String>,
    /// How it is printed.
    #[arg(help_heading = "This command", long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) format: SchemaFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaFormat {
    #[default]
    Text,
    /// One object a relation and line.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct LineageArguments {
    /// A model, seed, snapshot or source, or one column of it: orders, orders.amount, shop.payments.amount.
    #[arg(value_name = "MODEL[.COLUMN]")]
    pub(super) place: String,
    /// What it comes from; the default.
    #[arg(help_heading = "This command", long)]
    pub(super) up: bool,
    /// What comes from it.
    #[arg(help_heading = "This command", long)]
    pub(super) down: bool,
    /// How many relations away at most; of a whole model as text one, otherwise all.
    #[arg(help_heading = "This command", long, value_name = "N")]
    pub(super) depth: Option<usize>,
    /// How it is printed.
    #[arg(help_heading = "This command", long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) format: LineageFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LineageFormat {
    #[default]
    Text,
    Json,
    Mermaid,
    Dot,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Nodes to work on, as --select names them.
    #[arg(value_name = "MODEL", conflicts_with = "selector")]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum DiagnosticFormat {
    #[default]
    Human,
    /// One object a diagnostic and line.
    Json,
    /// One line each.
    Concise,
    /// Annotations of GitHub's workflows.
    Github,
    /// One SARIF document.
    Sarif,
    /// One JUnit document.
    Junit,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// The command, with the one below it if it has any: docs generate.
    pub(super) command: Vec<String>,
    /// Write all pages into this folder.
    #[arg(help_heading = "This command", long, short, value_name = "FOLDER", conflicts_with = "command")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ExplainCodeArguments {
    /// The code in square brackets; without one, all codes are listed.
    pub(super) code: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SourceArguments {
    #[command(subcommand)]
    pub(super) command: SourceCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum SourceCommand {
    /// Ask sources for their newest rows and write sources.json; fails when one is older than its 'freshness' allows.
    #[command(alias = "snapshot-freshness", after_help = "Example: acca source freshness --select source:shop.orders")]
    Freshness(FreshnessArguments),
}

#[derive(Debug, Args)]
pub(super) struct FreshnessArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// File to write in place of sources.json in the target folder.
    #[arg(help_heading = "This command", long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DocsArguments {
    #[command(subcommand)]
    pub(super) command: DocsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum DocsCommand {
    /// Write catalog.json, manifest.json and the page index.html.
    #[command(after_help = "Example: acca docs generate --static")]
    Generate(GenerateArguments),
    /// Show the page at an address of this computer.
    #[command(after_help = "Example: acca docs serve --port 8081 --no-browser")]
    Serve(ServeArguments),
}

#[derive(Debug, Args)]
pub(super) struct GenerateArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    /// Do not compile the models: the page shows them without their SQL.
    #[arg(help_heading = "This command", long)]
    pub(super) no_compile: bool,
    /// Do not ask the database: the page shows described columns only.
    #[arg(help_heading = "This command", long)]
    pub(super) empty_catalog: bool,
    /// Also write static_index.html, which holds everything in one file.
    #[arg(help_heading = "This command", long = "static")]
    pub(super) r#static: bool,
    #[arg(long, hide = true, overrides_with = "no_compile")]
    pub(super) compile: bool,
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Port to listen on; 0 for any that is free.
    #[arg(help_heading = "This command", long, value_name = "N", default_value_t = 8080)]
    pub(super) port: u16,
    /// Address to listen on; 0.0.0.0 lets other computers in.
    #[arg(help_heading = "This command", long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(super) host: String,
    /// Do not open a browser.
    #[arg(help_heading = "This command", long)]
    pub(super) no_browser: bool,
    #[arg(long, hide = true, overrides_with = "no_browser")]
    pub(super) browser: bool,
}

/// Adds `--diagnostics` to commands whose `--output` is that of their result.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct DiagnosticsArguments {
    /// How diagnostics are printed; what is not for people has standard output for itself, and the result goes to standard error.
    #[arg(help_heading = "This command", long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) diagnostics: DiagnosticFormat,
}
