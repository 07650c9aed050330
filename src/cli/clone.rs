//! `acca clone`: relations of an earlier invocation under this target's names, as views that point at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Exit;
use super::arguments::CloneArguments;
use super::context::Context;
use super::ls::resources;
use super::run::{CLONE, Work, chosen, conclude, run_nodes};
use crate::analysis::Compilation;
use crate::base::{Dag, Relation, ResourceType};
use crate::dialect::folds_case;
use crate::execute::{AdapterError, Connected, connection_failed};
use crate::plan::{NodeResult, RunResult, Status};
use crate::project::{Config, Detail, ModelDetail, Node};

/// What the view keeps of a node's configuration.
const KEPT: [&str; 5] = ["enabled", "grants", "persist_docs", "pre-hook", "post-hook"];

pub(super) fn cmd_clone(context: &Context<'_>, arguments: &CloneArguments) -> Result<(), Exit> {
    let resources = resources(&arguments.resources, CLONE.resources);
    let refable = resources.into_iter().filter(|resource| CLONE.resources.contains(resource)).collect();
    carry_out_clone(context, &Work::new(&CLONE, &arguments.run, refable))
}

pub(super) fn carry_out_clone(context: &Context<'_>, work: &Work<'_>) -> Result<(), Exit> {
    let mut loaded = context.load()?;
    let compilation = &mut *loaded.compilation;
    let selection = &work.arguments.selection;
    let selected = chosen(context, compilation, selection, &work.resources, work.only.as_ref())?;
    let state = &selection.state;
    let earlier = context.deferred_manifest(state).map_err(|problem| context.refuse_state(compilation, &problem))?;
    let connected = context.open(compilation)?;
    // Under a name that differs in nothing that counts, a view would take the place of the table that it reads.
    let folds = folds_case(connected.engine);
    let held = existing(context, compilation, &connected, &selected)?;
    let (mut pointers, mut result) = (BTreeMap::new(), RunResult::default());
    for number in selected {
        let Some(node) = compilation.manifest.nodes.get(number) else { continue };
        let Some(own) = node.relation.as_ref().filter(|_| !node.is_ephemeral()) else { continue };
        match earlier.relation(&node.id) {
            None => result.nodes.push(nothing_done(context, node, "the earlier state has no relation of it")),
            Some(other) if is_same(&other, own, folds) => result.nodes.push(nothing_done(context, node, "the earlier state built it here")),
            Some(_) if !work.arguments.full_refresh && held.contains(&key(own, folds)) => {
                result.nodes.push(nothing_done(context, node, "it is there already"));
            }
            Some(other) => drop(pointers.insert(number, other)),
        }
    }
    let original = compilation.manifest.clone();
    point(compilation, &pointers);
    if !pointers.is_empty() {
        let ran = run_nodes(context, compilation, pointers.into_keys().collect(), work, connected);
        result = RunResult { nodes: result.nodes.into_iter().chain(ran.nodes).collect(), ..ran };
    } else if result.nodes.is_empty() {
        context.log.line("NothingToDo", CLONE.nothing, json!({}));
    }
    compilation.manifest = original;
    conclude(context, compilation, work, &result)
}

/// Schema and name, as the engine compares them.
fn key(relation: &Relation, folds: bool) -> (String, String) {
    let folded = |name: &str| if folds { name.to_lowercase() } else { name.to_owned() };
    (folded(&relation.schema), folded(&relation.identifier))
}

fn is_same(one: &Relation, other: &Relation, folds: bool) -> bool {
    let database = if folds { one.database.eq_ignore_ascii_case(&other.database) } else { one.database == other.database };
    database && key(one, folds) == key(other, folds)
}

/// What stands in the schemas of the selected nodes.
fn existing(
    context: &Context<'_>,
    compilation: &Compilation,
    connected: &Connected,
    selected: &[usize],
) -> Result<std::collections::BTreeSet<(String, String)>, Exit> {
    let relations = selected.iter().filter_map(|number| compilation.manifest.nodes.get(*number)?.relation.as_ref());
    let mut schemas: Vec<String> = relations.map(|relation| relation.schema.to_string()).collect();
    schemas.sort();
    schemas.dedup();
    let found = connected.adapter.connect().and_then(|mut session| session.relations(&schemas));
    let found = found.map_err(|error: AdapterError| {
        context.log.diagnostic(&connection_failed(&compilation.project.target, &error), &compilation.project.sources);
        Exit::Failed
    })?;
    Ok(found.iter().map(|held| key(&held.relation, folds_case(connected.engine))).collect())
}

/// Makes each node a view of another relation. They do not wait for each other: what they read is there.
fn point(compilation: &mut Compilation, pointers: &BTreeMap<usize, Relation>) {
    let sources = &mut compilation.project.sources;
    let manifest = Arc::make_mut(&mut compilation.manifest);
    manifest.dag = Dag::new(manifest.nodes.len(), []).unwrap_or_default();
    for (number, relation) in pointers {
        let Some(node) = manifest.nodes.get_mut(*number) else { continue };
        let file = sources.add(format!("<clone of {}>", relation.display()), format!("select * from {}", relation.quoted()));
        node.body = Some(sources.whole(file));
        node.resource = ResourceType::Model;
        node.detail = Detail::Model(ModelDetail::default());
        node.depends_on = Vec::new();
        let mut config = Config::default();
        for (name, held) in node.config.iter().filter(|(name, _)| KEPT.contains(name)) {
            config.insert(name, held.value.clone(), held.span);
        }
        config.insert("materialized", Value::from("view"), None);
        node.config = config;
        node.root_config = Config::default();
    }
}

fn nothing_done(context: &Context<'_>, node: &Node, why: &str) -> NodeResult {
    let name = node.relation.as_ref().map_or_else(|| node.name.clone(), Relation::display);
    context.log.remark("CloneSkipped", &format!("{name} is not cloned: {why}"));
    NodeResult::without_work(node.id.clone(), Status::Success, format!("no-op: {why}"), context.metadata().generated_at)
}
