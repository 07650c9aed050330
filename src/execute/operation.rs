//! Runs one macro for what it does: `acca run-operation`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::warehouse::{SessionWarehouse, SharedSession, locked};
use super::{Adapter, AdapterError, Interrupt, connect};
use crate::analysis::Compilation;
use crate::base::UniqueId;
use crate::diag::{Diagnostic, codes};
use crate::jinja::{Message, NodeState, Warehouse};
use crate::project::Macro;

/// Calls the macro with named arguments, each of its statements in a transaction of its own, and gives what it returns.
///
/// # Errors
/// `connection-failed`, or what the macro fails with.
pub fn run_operation(
    compilation: &Compilation,
    adapter: &dyn Adapter,
    definition: &Macro,
    arguments: BTreeMap<String, serde_json::Value>,
    interrupt: &Interrupt,
    say: &dyn Fn(&Message),
) -> Result<serde_json::Value, Diagnostic> {
    let failed = |error: AdapterError| connect::connection_failed(&compilation.project.target, &error);
    let session: SharedSession = Arc::new(Mutex::new(adapter.connect().map_err(failed)?));
    interrupt.watch(locked(&session).cancel_handle());
    let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session));
    let Some(package) = compilation.project.packages.iter().find(|package| package.name == definition.package) else {
        return Err(Diagnostic::new(&codes::UNKNOWN_MACRO, format!("no package is called '{}'", definition.package)));
    };
    let node = compilation.operation(package, &definition.name, definition.name_span);
    let linked = compilation.linked(Some(warehouse));
    let (value, messages) =
        compilation.templates.run_macro(&definition.id, &node, arguments, BTreeMap::new(), NodeState::default(), &linked);
    messages.iter().for_each(say);
    value
}

/// The macro of that name, `package.name` or only `name`: of the root project first, of dbt's own last.
///
/// # Errors
/// `unknown-macro`, with the nearest name.
pub fn find_operation<'c>(compilation: &'c Compilation, name: &str) -> Result<&'c Macro, Diagnostic> {
    let (package, short) = match name.split_once('.') {
        Some((package, short)) => (Some(package), short),
        None => (None, name),
    };
    let named = |held: &&Macro| held.name == short && package.is_none_or(|package| package == &*held.package);
    let place = |held: &&Macro| compilation.project.packages.iter().position(|package| package.name == held.package);
    let found = compilation.project.macros.iter().filter(named).min_by_key(place);
    found.ok_or_else(|| {
        let known = |held: &Macro| if package.is_some() { format!("{}.{}", held.package, held.name) } else { held.name.clone() };
        let names: Vec<UniqueId> = compilation.project.macros.iter().map(|held| known(held).into()).collect();
        let problem = Diagnostic::new(&codes::UNKNOWN_MACRO, format!("no macro is called '{name}'"));
        if short == "stage_external_sources" {
            return problem.help("acca makes external tables itself: 'acca load', for sources that say meta.external_schema");
        }
        problem.did_you_mean(name, names.iter().map(|name| &**name))
    })
}
