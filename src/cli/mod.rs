//! Floor 9: the command line. One file a command; the only floor that prints.

mod arguments;
mod check;
mod clean;
mod clone;
mod command;
mod compile;
mod context;
mod debug;
mod deps;
mod diagnostic_format;
mod disk;
mod docs;
mod environment;
mod event_time;
mod explain;
mod explain_code;
mod failures;
mod flag_values;
mod flags;
mod freshness;
mod init;
mod interrupts;
mod joined;
mod lineage;
mod log;
mod log_file;
mod ls;
mod node_line;
mod parse;
mod parse_store;
mod progress;
mod retry;
mod run;
mod run_operation;
mod schema;
mod self_check;
mod serve;
mod shell;
mod show;
mod sides;
mod state;
mod style;
mod table;
mod terminal;
mod text;
mod trace;
mod warn_error;

pub use disk::Disk;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches};

use self::arguments::{Arguments, Command, GlobalArguments};
use self::context::{Context, new_id};
use self::diagnostic_format::Collected;
use self::interrupts::Interrupts;
use self::style::paint;
use self::terminal::{Colour, Terminal};
use crate::jinja::Invocation;

/// How a command ended, where it did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// A mistake in the project, a failed node or test, no connection.
    Failed,
    /// The command line cannot be carried out as it is, or acca itself has failed.
    Usage,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        }
    }
}

/// Carries out the command line of the process and returns its exit code.
pub fn main() -> ExitCode {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(exit)) => ExitCode::from(exit.code()),
        Err(_) => {
            // The message of the panic is on the screen already.
            Terminal::new(Colour::Auto).print_error("acca has failed on its own account: this is a mistake in acca, please report it");
            ExitCode::from(Exit::Usage.code())
        }
    }
}

fn run() -> Result<(), Exit> {
    let plain = flags::with_flags_of_dbt(Arguments::command());
    let words = flags::in_their_places(&plain, std::env::args_os().collect());
    let mut command = environment::with_environment(plain, &|name| std::env::var(name).ok());
    let mut parsed = parse(&mut command, &words);
    let mut project = Vec::new();
    let root = parsed.as_ref().ok().and_then(|parsed| context::root_of(&parsed.arguments.global));
    if let Some(root) = &root {
        project = flags::project_flags(root);
        if !project.is_empty() {
            command = flags::with_project_flags(command, &project);
            parsed = parse(&mut command, &words);
        }
    }
    let (arguments, matches) = match parsed {
        Ok(Parsed { arguments, matches, refused: None }) => (arguments, matches),
        Ok(Parsed { refused: Some((flag, why)), .. }) => {
            let text = format!("{} '--{flag}' cannot be had: {why}", paint(style::BAD, "error:"));
            Terminal::new(Colour::Auto).print_error(&text);
            return Err(Exit::Usage);
        }
        Err(error) => {
            // Help goes to standard output, mistakes to standard error; a closed pipe is no mistake.
            let _ = error.print();
            if let Some(variable) = environment::blamed(&command, &error) {
                Terminal::new(Colour::Auto).print_error(&format!("note: the value is that of {variable} in the environment"));
            }
            return if error.exit_code() == 0 { Ok(()) } else { Err(Exit::Usage) };
        }
    };
    let collected = Collected::new(arguments.command.output());
    let terminal = Terminal::new(colour(&arguments.global)).with_width(arguments.global.printer_width);
    // Standard output is the document's alone.
    let terminal = Arc::new(if collected.is_some() { terminal.on_standard_error() } else { terminal });
    let interrupts = Interrupts::install(&terminal);
    let invocation = Invocation {
        id: new_id(),
        started_at: crate::base::timestamp(jiff::Timestamp::now()),
        full_refresh: arguments.command.full_refresh(),
        empty: arguments.command.empty(),
        sample: arguments.command.sample(),
        store_failures: arguments.command.store_failures(),
        which: arguments.command.name().to_owned(),
        flags: flags_of(&command, &matches, &project, &arguments.global, root.as_deref(), &words),
        metadata_envs: flag_values::metadata_envs(),
        // Told by the target, when it is known.
        adapter_chain: Vec::new(),
        portable_adapter: "",
        lowers_names: false,
    };
    let done = dispatch(&terminal, &arguments, &interrupts, &invocation, collected.as_ref());
    if let Some(collected) = &collected {
        terminal.document(&collected.text());
    }
    match terminal.failure() {
        Some(why) if done.is_ok() => {
            terminal.print_error(&format!("{} what was printed could not be written: {why}", paint(style::BAD, "error:")));
            Err(Exit::Usage)
        }
        _ => done,
    }
}

/// What templates see of the flags.
fn flags_of(
    command: &clap::Command,
    matches: &clap::ArgMatches,
    project: &[(String, String)],
    global: &GlobalArguments,
    root: Option<&std::path::Path>,
    words: &[std::ffi::OsString],
) -> serde_json::Map<String, serde_json::Value> {
    let words: Vec<String> = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut flags = flag_values::flag_values(command, matches, project);
    flags.extend(flag_values::of_the_invocation(global, root, &words));
    flags
}

/// A command line that was read.
struct Parsed {
    arguments: Arguments,
    matches: clap::ArgMatches,
    /// The flag that cannot be had, and why.
    refused: Option<(&'static str, &'static str)>,
}

fn parse(command: &mut clap::Command, words: &[std::ffi::OsString]) -> Result<Parsed, clap::Error> {
    let matches = command.try_get_matches_from_mut(words)?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    arguments.command.gather_names();
    Ok(Parsed { arguments, refused: flags::refused(&matches), matches })
}

fn dispatch(
    terminal: &Terminal,
    arguments: &Arguments,
    interrupts: &Interrupts,
    invocation: &Invocation,
    collected: Option<&Collected>,
) -> Result<(), Exit> {
    match &arguments.command {
        Command::Init(init) => return init::cmd_init(terminal, init, arguments.global.level() > arguments::LogLevel::Info),
        Command::Completions(arguments) => return shell::cmd_completions(terminal, arguments),
        Command::Man(arguments) => return shell::cmd_man(terminal, arguments),
        Command::ExplainCode(code) => return explain_code::cmd_explain_code(terminal, code),
        _ => {}
    }
    let context = Context::find(terminal, &arguments.global, interrupts, invocation, collected)?;
    context.opening();
    let began = std::time::Instant::now();
    let done = carry_out(&context, &arguments.command);
    context.closing(done.is_ok(), began.elapsed());
    if let Some(trace) = context.disk.trace() {
        terminal.print_error(&trace.table());
    }
    done
}

fn carry_out(context: &Context<'_>, command: &Command) -> Result<(), Exit> {
    match command {
        Command::Debug(arguments) => debug::cmd_debug(context, arguments),
        Command::Parse(_) => parse::cmd_parse(context),
        Command::Compile(arguments) => compile::cmd_compile(context, arguments),
        Command::Ls(arguments) => ls::cmd_ls(context, arguments),
        Command::Run(arguments) => run::cmd_run(context, &run::RUN, arguments),
        Command::Test(arguments) => run::cmd_build(context, &run::TEST, arguments),
        Command::Build(arguments) => run::cmd_build(context, &run::BUILD, arguments),
        Command::Seed(arguments) => run::cmd_seed(context, arguments),
        Command::Snapshot(arguments) => run::cmd_run(context, &run::SNAPSHOT, arguments),
        Command::Load(arguments) => run::cmd_load(context, arguments),
        Command::Clone(arguments) => clone::cmd_clone(context, arguments),
        Command::Retry(arguments) => retry::cmd_retry(context, arguments),
        Command::Show(arguments) => show::cmd_show(context, arguments),
        Command::Explain(arguments) => explain::cmd_explain(context, arguments),
        Command::RunOperation(arguments) => run_operation::cmd_run_operation(context, arguments),
        Command::Deps => deps::cmd_deps(context),
        Command::Schema(arguments) => schema::cmd_schema(context, arguments),
        Command::Lineage(arguments) => lineage::cmd_lineage(context, arguments),
        Command::Check(arguments) => check::cmd_check(context, arguments),
        Command::Source(arguments) => freshness::cmd_source(context, arguments),
        Command::Docs(arguments) => docs::cmd_docs(context, arguments),
        Command::Clean => clean::cmd_clean(context),
        Command::SelfCheck => self_check::cmd_self_check(context),
        // Carried out before a project was looked for.
        Command::Init(_) | Command::ExplainCode(_) | Command::Completions(_) | Command::Man(_) => Ok(()),
    }
}

/// Flags win over the environment: `NO_COLOR`, `ACCA_USE_COLORS`, `DBT_USE_COLORS`, `CLICOLOR_FORCE`, `FORCE_COLOR`.
fn colour(global: &GlobalArguments) -> Colour {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let wanted = set("ACCA_USE_COLORS").or_else(|| set("DBT_USE_COLORS")).map(|value| value.to_lowercase());
    let refused = |value: &str| matches!(value, "0" | "false" | "no" | "n" | "f" | "off");
    if global.no_color {
        Colour::Never
    } else if global.color {
        Colour::Always
    } else if set("NO_COLOR").is_some() {
        Colour::Never
    } else if let Some(wanted) = wanted {
        if refused(&wanted) { Colour::Never } else { Colour::Always }
    } else if ["CLICOLOR_FORCE", "FORCE_COLOR"].iter().any(|name| set(name).is_some_and(|value| value != "0")) {
        Colour::Always
    } else {
        Colour::Auto
    }
}
