//! `--target all`: one command on several targets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::Exit;
use super::context::{Context, Loaded};
use super::joined::Joined;
use crate::analysis::read_together;
use crate::base::UniqueId;
use crate::compile::all_targets;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::execute::{Adapter, Origin, Origins, is_one_database};
use crate::plan::{Placed, place};
use crate::project::{AllTargets, Manifest, Serving, Target};

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
            Some((id.clone(), Origin { target: at.target().clone(), relation, place, adapter, asked: true, expected: None }))
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
}

/// What `--target all` stands for; `None` where another target is named.
///
/// # Errors
/// As [`sides`].
fn named(context: &Context<'_>) -> Result<Option<AllTargets>, Exit> {
    if context.side.is_some() || context.global.target.as_deref() != Some("all") {
        return Ok(None);
    }
    let mut problems = Diagnostics::default();
    let all = all_targets(&*context.files, &context.load_options()?, &mut problems);
    all.map(Some).map_err(|sources| {
        context.log.diagnostics(&problems, &sources);
        Exit::Failed
    })
}

/// The names of several targets that a command is to work on; none where it is to work on one.
///
/// # Errors
/// As [`sides`].
pub(super) fn several(context: &Context<'_>) -> Result<Vec<String>, Exit> {
    Ok(match named(context)? {
        Some(AllTargets::Serving(names) | AllTargets::Profile(names)) if names.len() > 1 => names,
        _ => Vec::new(),
    })
}

/// The targets of a command that is to work on all of them, that of the default class first. `None` where it is to work on one.
///
/// # Errors
/// Where one of them cannot be had, or the project on it is wrong: that was said.
pub(super) fn sides<'a>(context: &Context<'a>) -> Result<Option<Sides<'a>>, Exit> {
    let sides = sides_apart(context)?;
    if let Some(sides) = &sides {
        read_together(&sides.sides.iter().map(|side| &*side.loaded.compilation).collect::<Vec<_>>());
    }
    Ok(sides)
}

/// As [`sides`], of a command that reads all of every query, which not each target has to know of a query that another one rewrites.
///
/// # Errors
/// As [`sides`].
pub(super) fn sides_apart<'a>(context: &Context<'a>) -> Result<Option<Sides<'a>>, Exit> {
    let (serves, names) = match named(context)? {
        None | Some(AllTargets::One) => return Ok(None),
        Some(AllTargets::Serving(names)) => (true, names),
        Some(AllTargets::Profile(names)) => (false, names),
    };
    let mut sides = Vec::new();
    let mut warned = BTreeSet::new();
    for name in &names {
        // One target alone has dbt's folders.
        let context = context.on(name, names.len() > 1);
        let loaded = context.load_saying_new(&mut warned)?;
        sides.push(Side { context, loaded, placed: None });
    }
    let mut order = None;
    if serves
        && sides.len() > 1
        && let Some(serving) = sides.first().and_then(|side| side.loaded.compilation.project.acca.serving.clone())
    {
        let manifests: Vec<(&str, &Manifest)> = sides.iter().map(|side| (side.target().name.as_str(), side.manifest())).collect();
        let placed = place(&serving, &manifests).map_err(|problems| said(context, &problems, &sides))?;
        sides.iter_mut().zip(placed.placed).for_each(|(side, placed)| side.placed = Some(placed));
        if let Some(problem) = one_database(&serving, &sides) {
            return Err(said(context, &[problem], &sides));
        }
        order = Some(placed.order);
    }
    Ok(Some(Sides { sides, order }))
}

/// Two targets that are one database, in which something would be built twice under one name, or sent onto itself.
fn one_database(serving: &Serving, sides: &[Side<'_>]) -> Option<Diagnostic> {
    let [one, other] = sides else { return None };
    let (first, second) = (one.target(), other.target());
    let same = is_one_database(first, second);
    let made = |side: &Side<'_>, id: &UniqueId| {
        let placed = side.placed.as_ref()?;
        let is_made = placed.built.contains(id) || placed.arrivals.contains_key(id);
        let node = side.manifest().node(id).filter(|node| is_made && node.is_runnable() && !node.resource.is_test())?;
        node.relation.clone()
    };
    let twice = |id: &UniqueId| Some((made(one, id)?, made(other, id)?)).filter(|(one, other)| one == other).map(|(relation, _)| relation);
    let relation = one.manifest().nodes.iter().filter(|_| same).find_map(|node| twice(&node.id))?;
    let (name, other) = (&first.name, &second.name);
    let message = format!("targets '{name}' and '{other}' are one database, and both would have {}", relation.display());
    let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(serving.place_of(other));
    Some(problem.help("let both classes name one target, or give the other target a database or a schema of its own"))
}

fn said(context: &Context<'_>, problems: &[Diagnostic], sides: &[Side<'_>]) -> Exit {
    let sources = sides.first().map(|side| &side.loaded.compilation.project.sources);
    for (problem, sources) in problems.iter().zip(std::iter::repeat(sources)) {
        sources.iter().for_each(|sources| context.log.diagnostic(problem, sources));
    }
    Exit::Failed
}

/// Carries something out on each target in turn, whatever comes of the others, and says at the end what is wrong. What else is known of one
/// target is forgotten before the next. `announces`: what is said meanwhile is said under the name of the target.
pub(super) fn each<'a>(
    context: &Context<'a>,
    sides: Sides<'a>,
    announces: bool,
    work: impl Fn(&Side<'a>, &mut Joined) -> Result<(), Exit>,
) -> Result<(), Exit> {
    let began = Instant::now();
    let mut done = Ok(());
    let mut joined = Joined::default();
    for side in sides.sides {
        let target = side.target();
        if announces {
            side.context.log.remark("Target", &format!("On target '{}' ({}):", target.name, target.adapter));
        }
        done = done.and(work(&side, &mut joined));
    }
    let told = joined.tell(context, began.elapsed());
    done.and(told)
}
