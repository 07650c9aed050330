//! `acca run-operation`: calls one macro with arguments.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use super::Exit;
use super::arguments::RunOperationArguments;
use super::context::Context;
use super::run::{names_only, recorded};
use super::style::{self, paint};
use crate::diag::Diagnostic;
use crate::execute::{find_operation, run_operation};
use crate::plan::{NodeResult, RunResult, Status};

pub(super) fn cmd_run_operation(context: &Context<'_>, arguments: &RunOperationArguments) -> Result<(), Exit> {
    let named = arguments.args.as_deref().map_or(Ok(Default::default()), |text| context.parse_mapping("--args", text))?;
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let fail = |problem: &Diagnostic| context.log.diagnostic(problem, &compilation.project.sources);
    let definition = find_operation(compilation, &arguments.name).map_err(|problem| {
        fail(&problem);
        Exit::Usage
    })?;
    let recorded = || {
        let arguments = [("macro".to_owned(), json!(arguments.name)), ("args".to_owned(), names_only(&named))];
        recorded(context, "run-operation", arguments.into_iter().collect())
    };
    let connected = context.open(compilation)?;
    let (began, started_at) = (Instant::now(), context.metadata().generated_at);
    let interrupt = context.interrupts.begin();
    let values: BTreeMap<_, _> = named.clone().into_iter().collect();
    let done = run_operation(compilation, &*connected.adapter, definition, values, &interrupt, &|message| context.log.said(message, false));
    context.interrupts.end();
    let (status, message) = match &done {
        Ok(_) => (Status::Success, String::new()),
        Err(problem) => (Status::Error, problem.message.clone()),
    };
    let elapsed = began.elapsed().as_secs_f64();
    let node = NodeResult {
        failures: Some(u64::from(status.is_failure())),
        started_at,
        execution_time: elapsed,
        ..NodeResult::without_work(definition.id.clone(), status, message, context.metadata().generated_at)
    };
    let result = RunResult { nodes: vec![node], elapsed, ..RunResult::default() };
    context.write_artifacts(compilation, &BTreeMap::new(), Some((&result, recorded())));
    match done {
        Ok(_) => {
            let text = format!("{} ran '{}'", paint(style::GOOD, "done:"), definition.name);
            context.log.remark("OperationDone", &text);
            Ok(())
        }
        Err(_) if interrupt.is_raised() => Err(Exit::Interrupted),
        Err(problem) => {
            fail(&problem);
            Err(Exit::Failed)
        }
    }
}
