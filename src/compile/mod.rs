//! The whole compile: from the files of a project to a linked graph whose nodes can be rendered, planned and run.

mod cache;

use std::sync::{Arc, OnceLock};

use cache::{Kept, Unread};
pub use cache::{NoStore, Store};

use crate::analysis::{Compilation, Lowering, Portable, Standing};
use crate::base::{Asked, Digest, Files, Recorded, Sources};
use crate::diag::Diagnostics;
use crate::dialect::Rewriter;
use crate::execute::{PORTABLE_ADAPTER, adapter_chain, engine_of, lowers_names};
use crate::jinja::{BUILTIN_MACROS, Invocation, Parsed, Templates, Unparsed, Work, YamlText};
use crate::plan::{check_choices, check_meta, check_serving};
use crate::project::{AllTargets, LoadOptions, check_vars, open};

/// Reads, parses and links a project. Everything that is wrong is in `diagnostics`.
///
/// What `store` holds of an earlier parse is used where it is still true, and replaced where much has changed.
///
/// # Errors
/// When there is nothing to go on with: no project, no target, a loop in the graph. What comes back are the files that were
/// read, in which the diagnostics point.
pub fn parse(
    files: &Arc<dyn Files>,
    options: &LoadOptions,
    invocation: Invocation,
    store: &dyn Store,
    diagnostics: &mut Diagnostics,
) -> Result<Compilation, Sources> {
    let mut found = Diagnostics::default();
    let mut parsed = attempt(files, options, invocation.clone(), store, &mut found);
    if matches!(parsed, Err(Stopped::Damaged)) {
        found = Diagnostics::default();
        parsed = attempt(files, options, invocation, &Unread(store), &mut found);
    }
    diagnostics.extend(found);
    parsed.map_err(|stopped| match stopped {
        Stopped::Refused(sources) => sources,
        Stopped::Damaged => Sources::default(),
    })
}

/// Looks which targets `--target all` means.
///
/// # Errors
/// As [`parse`].
pub fn all_targets(files: &dyn Files, options: &LoadOptions, diagnostics: &mut Diagnostics) -> Result<AllTargets, Sources> {
    crate::project::all_targets(files, options, &YamlText::default(), diagnostics)
}

enum Stopped {
    /// There is nothing to go on with.
    Refused(Sources),
    /// What is saved cannot be read.
    Damaged,
}

impl From<Sources> for Stopped {
    fn from(sources: Sources) -> Stopped {
        Stopped::Refused(sources)
    }
}

fn attempt(
    files: &Arc<dyn Files>,
    options: &LoadOptions,
    mut invocation: Invocation,
    store: &dyn Store,
    diagnostics: &mut Diagnostics,
) -> Result<Compilation, Stopped> {
    let text = YamlText::default();
    let unrecorded = files.clone();
    let files = Arc::new(Recorded::new(files.clone()));
    let opened = open(&*files, files.unrecorded(), options, &text, diagnostics)?;
    invocation.adapter_chain = adapter_chain(&opened.target.adapter);
    invocation.portable_adapter = PORTABLE_ADAPTER;
    invocation.lowers_names = lowers_names(&opened.target);
    let key = cache::key(store.program(), options, &opened, &invocation);
    let held = store.load(&opened.target_path);
    let kept = held.as_deref().and_then(|bytes| Kept::read(bytes, &key, files.unrecorded(), &opened.sources));
    files.reached("saved parse");

    let (project, work, problems, saved) = match kept {
        Some(kept) => (opened.restored(options, kept.sources, kept.contents), kept.work, kept.problems, Some(kept.saved)),
        None => {
            let mut problems = Diagnostics::default();
            let read = opened.read(&*files, options, &text, &BUILTIN_MACROS, &mut problems);
            let mut project = read.inspect_err(|_| diagnostics.extend(problems.iter().cloned()))?;
            let work = std::mem::take(&mut project.nodes).into_iter().map(|node| Work::New(Box::new(node))).collect();
            (project, work, problems.into_iter().collect(), None)
        }
    };
    diagnostics.extend(problems.iter().cloned());
    crate::plan::select::check_selectors(&project.selectors, diagnostics);
    files.reached("configuration");
    let templates = Templates::new(&project, files.clone(), invocation, diagnostics);
    diagnostics.extend(templates.unused_overrides(&project));
    files.reached("macros");
    let parsed = templates.parse(&project, work, store.saves(), diagnostics);
    let asked = files.take();
    let Parsed { manifest, messages, passed } = match parsed {
        Ok(parsed) => parsed,
        Err(Unparsed::Loop) => return Err(project.sources.into()),
        Err(Unparsed::Damaged) => return Err(Stopped::Damaged),
    };
    let (mut standing, mut besides) = (None, Asked::default());
    if store.saves() && !diagnostics.has_errors() {
        let target_path = &project.target_path;
        let new = |digest: Option<Digest>| Some((digest?, cache::momentary(&manifest, &passed)?));
        standing = match saved {
            None => new(cache::save((key, asked), &project, &manifest, &passed, &problems, store)),
            Some(saved) if saved.is_outdated() => new(saved.renew(asked, &passed, store, target_path)),
            Some(saved) => match saved.standing(&manifest, &passed) {
                Some((digest, edits)) => {
                    // What the first pass of an edited node asks now is not in what is saved.
                    besides = asked;
                    Some((digest, edits))
                }
                None => new(saved.renew(asked, &passed, store, target_path)),
            },
        };
        files.reached("saving the parse");
    }
    let lowering = engine_of(&project.target).ok().map(|engine| Arc::new(Rewriter::new(engine)) as Arc<dyn Lowering>);
    let portable = Portable::new(lowering, unrecorded, &manifest);
    let standing = standing.map(|(parse, edits)| Standing { parse, edits, asked: besides, files });
    let compilation = Compilation {
        standing,
        project,
        templates,
        manifest: Arc::new(manifest),
        messages,
        reading: OnceLock::new(),
        portable,
        certain: OnceLock::new(),
    };
    diagnostics.extend(check_choices(&compilation));
    diagnostics.extend(check_meta(&compilation));
    diagnostics.extend(check_serving(&compilation));
    diagnostics.extend(check_vars(&compilation.project));
    Ok(compilation)
}
