//! The whole compile: from the files of a project to a linked graph whose nodes can be rendered, planned and run.

use std::sync::{Arc, OnceLock};

use crate::analysis::Compilation;
use crate::base::{Files, Sources};
use crate::diag::Diagnostics;
use crate::execute::{adapter_chain, lowers_names};
use crate::jinja::{BUILTIN_MACROS, Invocation, Templates, YamlText};
use crate::project::LoadOptions;

/// Reads, parses and links a project. Everything that is wrong is in `diagnostics`.
///
/// # Errors
/// When there is nothing to go on with: no project, no target, a loop in the graph. What comes back are the files that were
/// read, in which the diagnostics point.
pub fn parse(
    files: &Arc<dyn Files>,
    options: &LoadOptions,
    mut invocation: Invocation,
    diagnostics: &mut Diagnostics,
) -> Result<Compilation, Sources> {
    let mut project = crate::project::load(&**files, options, &YamlText::default(), &BUILTIN_MACROS, diagnostics)?;
    crate::plan::select::check_selectors(&project.selectors, diagnostics);
    files.reached("configuration");
    invocation.adapter_chain = adapter_chain(&project.target.adapter);
    invocation.lowers_names = lowers_names(&project.target);
    let templates = Templates::new(&project, files.clone(), invocation, diagnostics);
    diagnostics.extend(templates.unused_overrides(&project));
    files.reached("macros");
    match templates.parse(&mut project, diagnostics) {
        Some(parsed) => {
            Ok(Compilation { project, templates, manifest: Arc::new(parsed.manifest), messages: parsed.messages, reading: OnceLock::new() })
        }
        None => Err(project.sources),
    }
}
