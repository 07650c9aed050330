//! `--target all`: one command on several targets.

use std::sync::Arc;

use super::Exit;
use super::context::{Context, Loaded};
use crate::analysis::read_together;
use crate::base::UniqueId;
use crate::compile::all_targets;
use crate::diag::{Diagnostic, Diagnostics};
use crate::execute::{Adapter, Origin, Origins};
use crate::plan::{Placed, place};
use crate::project::{AllTargets, Manifest, Target};

/// The project as several targets have it.
pub(super) struct Sides<'a> {
    /// That of the default class first.
    pub(super) sides: Vec<Side<'a>>,
    /// Nodes of all targets, each after what it reads on any of them; `None` where each target has the whole project for itself.
    pub(super) order: Option<Vec<UniqueId>>,
}

impl Sides<'_> {
    /// Where the tables come from that are built on another target, by the side that gets them. `adapters` are those of the sides, as
    /// far as they are connected to.
    pub(super) fn origins(&self, side: &Side<'_>, adapters: &[Option<Arc<dyn Adapter>>]) -> Origins {
        let arrivals = side.placed.iter().flat_map(|placed| &placed.arrivals);
        let origin = |(id, home): (&UniqueId, &usize)| {
            let at = self.sides.get(*home)?;
            let place = side.loaded.compilation.project.acca.serving.as_ref().and_then(|serving| serving.transfer.clone());
            let adapter = adapters.get(*home).cloned().flatten();
            let relation = at.manifest().node(id)?.relation.clone()?;
            Some((id.clone(), Origin { target: at.target().clone(), relation, place, adapter, asked: true }))
        };
        arrivals.filter_map(origin).collect()
    }
}

/// The project as one of several targets has it.
pub(super) struct Side<'a> {
    pub(super) context: Context<'a>,
    pub(super) loaded: Loaded,
    /// `None`: all of it.
    pub(super) placed: Option<Placed>,
}

impl Side<'_> {
    pub(super) fn target(&self) -> &Target {
        &self.loaded.compilation.project.target
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.loaded.compilation.manifest
    }

    /// Whether the node with that number is built here.
    pub(super) fn builds(&self, number: usize) -> bool {
        let Some(placed) = &self.placed else { return true };
        self.manifest().nodes.get(number).is_some_and(|node| placed.built.contains(&node.id))
    }

    /// Whether the node with that number is built elsewhere and comes from there.
    pub(super) fn gets(&self, number: usize) -> bool {
        let (Some(placed), Some(node)) = (&self.placed, self.manifest().nodes.get(number)) else { return false };
        placed.arrivals.contains_key(&node.id)
    }

    /// Says of which target problems are.
    pub(super) fn named(&self, problems: Diagnostics) -> Diagnostics {
        let target = self.target();
        let mut named = Diagnostics::default();
        named.extend(problems.into_iter().map(|problem| problem.note(format!("on target '{}' ({})", target.name, target.adapter))));
        named
    }
}

/// The targets of a command that is to work on all of them, that of the default class first. `None` where it is to work on one.
///
/// # Errors
/// Where one of them cannot be had, or the project on it is wrong: that was said.
pub(super) fn sides<'a>(context: &Context<'a>) -> Result<Option<Sides<'a>>, Exit> {
    if context.side.is_some() || context.global.target.as_deref() != Some("all") {
        return Ok(None);
    }
    let mut problems = Diagnostics::default();
    let (serves, names) = match all_targets(&*context.files, &context.load_options()?, &mut problems) {
        Ok(AllTargets::One) => return Ok(None),
        Ok(AllTargets::Serving(names)) => (true, names),
        Ok(AllTargets::Profile(names)) => (false, names),
        Err(sources) => {
            context.log.diagnostics(&problems, &sources);
            return Err(Exit::Failed);
        }
    };
    let mut sides = Vec::new();
    for name in &names {
        // One target alone has dbt's folders.
        let context = context.on(name, names.len() > 1);
        let loaded = context.load()?;
        sides.push(Side { context, loaded, placed: None });
    }
    read_together(&sides.iter().map(|side| &*side.loaded.compilation).collect::<Vec<_>>());
    let mut order = None;
    if serves
        && sides.len() > 1
        && let Some(serving) = sides.first().and_then(|side| side.loaded.compilation.project.acca.serving.clone())
    {
        let manifests: Vec<(&str, &Manifest)> = sides.iter().map(|side| (side.target().name.as_str(), side.manifest())).collect();
        let placed = place(&serving, &manifests).map_err(|problem| said(context, &problem, &sides))?;
        sides.iter_mut().zip(placed.placed).for_each(|(side, placed)| side.placed = Some(placed));
        order = Some(placed.order);
    }
    Ok(Some(Sides { sides, order }))
}

fn said(context: &Context<'_>, problem: &Diagnostic, sides: &[Side<'_>]) -> Exit {
    if let Some(side) = sides.first() {
        context.log.diagnostic(problem, &side.loaded.compilation.project.sources);
    }
    Exit::Failed
}

/// Carries something out on each target in turn, whatever comes of the others. What is known of one is forgotten before the next.
pub(super) fn each<'a>(sides: Sides<'a>, work: impl Fn(&Side<'a>) -> Result<(), Exit>) -> Result<(), Exit> {
    let mut done = Ok(());
    for side in sides.sides {
        let target = side.target();
        side.context.log.remark("Target", &format!("On target '{}' ({}):", target.name, target.adapter));
        done = done.and(work(&side));
    }
    done
}
