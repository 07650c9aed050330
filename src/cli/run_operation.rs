//! `acca run-operation`: calls one macro with arguments.

use std::collections::BTreeMap;

use super::Exit;
use super::arguments::RunOperationArguments;
use super::context::Context;
use super::style::{self, paint};
use crate::diag::Diagnostic;
use crate::execute::{find_operation, run_operation};

pub(super) fn cmd_run_operation(context: &Context<'_>, arguments: &RunOperationArguments) -> Result<(), Exit> {
    let named = arguments.args.as_deref().map_or(Ok(Default::default()), |text| context.parse_mapping("--args", text))?;
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let fail = |problem: &Diagnostic| context.log.diagnostic(problem, &compilation.project.sources);
    let definition = find_operation(compilation, &arguments.name).map_err(|problem| {
        fail(&problem);
        Exit::Usage
    })?;
    let connected = context.open(compilation)?;
    let interrupt = context.interrupts.begin();
    let named: BTreeMap<_, _> = named.into_iter().collect();
    let done = run_operation(compilation, &*connected.adapter, definition, named, &interrupt, &|message| context.log.said(message, false));
    context.interrupts.end();
    context.write_artifacts(compilation, &BTreeMap::new(), None);
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
