//! `acca ls`: lists what a selection selects.

use serde_json::{Map, Value};

use super::Exit;
use super::arguments::{LsArguments, LsOutput, Resource, ResourceArguments};
use super::context::{Context, nodes};
use super::sides::{Side, sides};
use crate::analysis::Compilation;
use crate::artifacts::describe_nodes;
use crate::base::{ResourceType, Sources};
use crate::project::{Detail, ModelDetail, Node};

const LISTED: [ResourceType; 7] = [
    ResourceType::Model,
    ResourceType::Snapshot,
    ResourceType::Seed,
    ResourceType::Test,
    ResourceType::UnitTest,
    ResourceType::Source,
    ResourceType::Exposure,
];
const ALL: [ResourceType; 8] = [
    ResourceType::Model,
    ResourceType::Snapshot,
    ResourceType::Seed,
    ResourceType::Test,
    ResourceType::UnitTest,
    ResourceType::Source,
    ResourceType::Exposure,
    ResourceType::Analysis,
];
/// dbt's keys of an object.
const KEYS: [&str; 10] =
    ["alias", "name", "package_name", "depends_on", "tags", "config", "resource_type", "source_name", "original_file_path", "unique_id"];

pub(super) fn cmd_ls(context: &Context<'_>, arguments: &LsArguments) -> Result<(), Exit> {
    let mut lines = match sides(context)? {
        Some(sides) => sides.sides.iter().map(|side| lines(&side.context, &side.loaded.compilation, arguments, Some(side))).collect(),
        None => lines(context, &context.load()?.compilation, arguments, None).map(|lines| vec![lines]),
    }?
    .concat();
    if arguments.output == LsOutput::Path {
        lines.sort();
        lines.dedup();
    }
    lines.iter().for_each(|line| context.log.output("ListCmdOut", line));
    Ok(())
}

/// One for each node; of several targets, with the target and where the node comes from that is not built there.
fn lines(context: &Context<'_>, compilation: &Compilation, arguments: &LsArguments, side: Option<&Side<'_>>) -> Result<Vec<String>, Exit> {
    let mut selected = context.select(compilation, &arguments.selection, &resources(&arguments.resources, &LISTED))?;
    selected.retain(|number| side.is_none_or(|side| side.builds(*number) || side.gets(*number)));
    let place = |number: usize| {
        let side = side?;
        Some((side.target().name.as_str(), side.gets(number)))
    };
    if arguments.output == LsOutput::Json {
        let described = describe_nodes(compilation, &*context.files, &context.metadata(), &selected);
        let entry = |(number, entry): (&usize, &Value)| {
            let mut object = object(entry, &arguments.output_keys);
            if let (Some((target, gets)), Some(entries)) = (place(*number), object.as_object_mut()) {
                entries.insert("target".to_owned(), target.into());
                entries.insert("transferred".to_owned(), gets.into());
            }
            object.to_string()
        };
        return Ok(selected.iter().zip(&described).map(entry).collect());
    }
    let named = |(number, node): (&usize, &Node)| {
        let line = line(node, arguments.output, &compilation.project.sources);
        match place(*number) {
            None => line,
            Some((target, false)) => format!("{target} {line}"),
            Some((target, true)) => format!("{target} {line} (transferred)"),
        }
    };
    Ok(selected.iter().zip(nodes(compilation, &selected)).map(named).collect())
}

/// The types that the flags leave of those that a command works on.
pub(super) fn resources(arguments: &ResourceArguments, default: &[ResourceType]) -> Vec<ResourceType> {
    let named = |resources: &[Resource]| -> Vec<ResourceType> {
        resources
            .iter()
            .flat_map(|resource| match resource {
                Resource::Model => vec![ResourceType::Model],
                Resource::Seed => vec![ResourceType::Seed],
                Resource::Snapshot => vec![ResourceType::Snapshot],
                Resource::Test => vec![ResourceType::Test],
                Resource::UnitTest => vec![ResourceType::UnitTest],
                Resource::Source => vec![ResourceType::Source],
                Resource::Exposure => vec![ResourceType::Exposure],
                Resource::Analysis => vec![ResourceType::Analysis],
                Resource::Default => default.to_vec(),
                Resource::All => ALL.to_vec(),
            })
            .collect()
    };
    let kept = if arguments.resource_type.is_empty() { default.to_vec() } else { named(&arguments.resource_type) };
    let left_out = named(&arguments.exclude_resource_type);
    kept.into_iter().filter(|resource| !left_out.contains(resource)).collect()
}

fn line(node: &Node, output: LsOutput, sources: &Sources) -> String {
    match (output, &node.detail) {
        (LsOutput::Selector | LsOutput::Json, _) => selector(node),
        (LsOutput::Name, Detail::Source(source)) => format!("{}.{}", source.source_name, node.name),
        (LsOutput::Name, Detail::Model(ModelDetail { version: Some(version), .. })) => format!("{}.v{version}", node.name),
        (LsOutput::Name, _) => node.name.clone(),
        (LsOutput::Path, _) => sources.path(node.origin.file).to_owned(),
    }
}

/// What `--select` takes for this node alone.
pub(super) fn selector(node: &Node) -> String {
    match &node.detail {
        Detail::Source(source) => format!("source:{}.{}.{}", node.package, source.source_name, node.name),
        Detail::Exposure(_) => format!("exposure:{}.{}", node.package, node.name),
        _ => node.fqn.join("."),
    }
}

/// The keys that are asked for, also those inside of others (`config.materialized`); what is not there is left out.
fn object(entry: &Value, asked: &[String]) -> Value {
    let keys: Vec<&str> = if asked.is_empty() { KEYS.to_vec() } else { asked.iter().flat_map(|key| key.split([' ', ','])).collect() };
    let value = |key: &str| match entry.get(key) {
        Some(value) => Some(value),
        None => key.split('.').try_fold(entry, |value, part| value.get(part)).filter(|value| !value.is_null()),
    };
    let found: Map<String, Value> = keys.into_iter().filter_map(|key| Some((key.to_owned(), value(key)?.clone()))).collect();
    Value::Object(found)
}
