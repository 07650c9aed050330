//! What a command says of the flags that several have.

use super::arguments::{Command, DiagnosticFormat, DocsArguments, DocsCommand};
use crate::base::Window;

impl Command {
    /// Names that stand without a flag are selected as `--select` selects them.
    pub(super) fn gather_names(&mut self) {
        match self {
            Command::Compile(compile) => compile.selection.select.append(&mut compile.names),
            Command::Show(show) => show.selection.select.append(&mut show.names),
            Command::Explain(explain) => explain.selection.select.append(&mut explain.names),
            Command::Check(check) => check.selection.select.append(&mut check.names),
            Command::Schema(schema) => schema.models.append(&mut schema.select),
            _ => {}
        }
    }

    /// How diagnostics are printed.
    pub(super) fn output(&self) -> DiagnosticFormat {
        match self {
            Command::Parse(parse) => parse.output.output,
            Command::Check(check) => check.output.output,
            Command::Run(run) | Command::Snapshot(run) => run.output.output,
            Command::Seed(seed) => seed.run.output.output,
            Command::Load(load) => load.run.output.output,
            Command::Build(build) | Command::Test(build) => build.run.output.output,
            Command::Clone(clone) => clone.run.output.output,
            Command::Compile(compile) => compile.diagnostics.diagnostics,
            Command::Ls(ls) => ls.diagnostics.diagnostics,
            Command::Show(show) => show.diagnostics.diagnostics,
            Command::Explain(explain) => explain.diagnostics.diagnostics,
            _ => DiagnosticFormat::Human,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Command::Init(_) => "init",
            Command::Debug(_) => "debug",
            Command::Parse(_) => "parse",
            Command::Compile(_) => "compile",
            Command::Ls(_) => "list",
            Command::Run(_) => "run",
            Command::Test(_) => "test",
            Command::Build(_) => "build",
            Command::Seed(_) => "seed",
            Command::Snapshot(_) => "snapshot",
            Command::Load(_) => "load",
            Command::Clone(_) => "clone",
            Command::Retry(_) => "retry",
            Command::Show(_) => "show",
            Command::Explain(_) => "explain",
            Command::RunOperation(_) => "run-operation",
            Command::Deps => "deps",
            Command::Schema(_) => "schema",
            Command::Lineage(_) => "lineage",
            Command::Check(_) => "check",
            Command::Source(_) => "freshness",
            Command::Docs(DocsArguments { command: DocsCommand::Generate(_) }) => "generate",
            Command::Docs(DocsArguments { command: DocsCommand::Serve(_) }) => "serve",
            Command::Clean => "clean",
            Command::SelfCheck => "self-check",
            Command::ExplainCode(_) => "explain-code",
            Command::Completions(_) => "completions",
            Command::Man(_) => "man",
        }
    }

    pub(super) fn store_failures(&self) -> bool {
        match self {
            Command::Test(test) => test.run.store_failures,
            Command::Build(build) => build.run.store_failures,
            _ => false,
        }
    }

    pub(super) fn sample(&self) -> Option<Window> {
        match self {
            Command::Run(run) | Command::Snapshot(run) => run.sample,
            Command::Seed(seed) => seed.run.sample,
            Command::Build(build) | Command::Test(build) => build.run.sample,
            _ => None,
        }
    }

    pub(super) fn empty(&self) -> bool {
        match self {
            Command::Run(run) | Command::Snapshot(run) => run.is_empty(),
            Command::Seed(seed) => seed.run.is_empty(),
            Command::Build(build) | Command::Test(build) => build.run.is_empty(),
            Command::Compile(compile) => compile.empty,
            _ => false,
        }
    }

    pub(super) fn full_refresh(&self) -> bool {
        match self {
            Command::Run(run) | Command::Snapshot(run) => run.full_refresh,
            Command::Seed(seed) => seed.run.full_refresh,
            Command::Load(load) => load.run.full_refresh,
            Command::Build(build) | Command::Test(build) => build.run.full_refresh,
            Command::Clone(clone) => clone.run.full_refresh,
            Command::Compile(compile) => compile.full_refresh,
            Command::Explain(explain) => explain.full_refresh,
            Command::Init(_)
            | Command::Debug(_)
            | Command::Parse(_)
            | Command::Ls(_)
            | Command::Retry(_)
            | Command::Show(_)
            | Command::RunOperation(_)
            | Command::Deps
            | Command::Schema(_)
            | Command::Lineage(_)
            | Command::Check(_)
            | Command::Source(_)
            | Command::Docs(_)
            | Command::Clean
            | Command::SelfCheck
            | Command::ExplainCode(_)
            | Command::Completions(_)
            | Command::Man(_) => false,
        }
    }
}
