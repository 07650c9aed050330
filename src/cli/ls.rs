//! `acca ls`: lists what a selection selects.

use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{LsArguments, LsOutput, Resource, ResourceArguments};
use super::context::{Context, nodes};
use crate::base::{ResourceType, Sources};
use crate::jinja::describe;
use crate::project::{Detail, Node};

const LISTED: [ResourceType; 6] =
    [ResourceType::Model, ResourceType::Snapshot, ResourceType::Seed, ResourceType::Test, ResourceType::Source, ResourceType::Exposure];
const ALL: [ResourceType; 7] = [
    ResourceType::Model,
    ResourceType::Snapshot,
    ResourceType::Seed,
    ResourceType::Test,
    ResourceType::Source,
    ResourceType::Exposure,
    ResourceType::Analysis,
];
/// dbt's keys of an object.
const KEYS: [&str; 10] =
    ["alias", "name", "package_name", "depends_on", "tags", "config", "resource_type", "source_name", "original_file_path", "unique_id"];

pub(super) fn cmd_ls(context: &Context<'_>, arguments: &LsArguments) -> Result<(), Exit> {
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let selected = context.select(compilation, &arguments.selection, &resources(&arguments.resources, &LISTED))?;
    let mut lines: Vec<String> =
        nodes(compilation, &selected).into_iter().map(|node| line(node, arguments, &compilation.project.sources)).collect();
    if arguments.output == LsOutput::Path {
        lines.sort();
        lines.dedup();
    }
    lines.iter().for_each(|line| context.log.output("ListCmdOut", line));
    Ok(())
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

fn line(node: &Node, arguments: &LsArguments, sources: &Sources) -> String {
    match arguments.output {
        LsOutput::Selector => selector(node),
        LsOutput::Name => match &node.detail {
            Detail::Source(source) => format!("{}.{}", source.source_name, node.name),
            _ => node.name.clone(),
        },
        LsOutput::Path => sources.path(node.origin.file).to_owned(),
        LsOutput::Json => object(node, &arguments.output_keys, sources).to_string(),
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

fn object(node: &Node, keys: &[String], sources: &Sources) -> Value {
    let mut described = match describe::node(node) {
        Value::Object(entries) => entries,
        _ => Map::new(),
    };
    described.insert("original_file_path".to_owned(), json!(sources.path(node.origin.file)));
    let keys: Vec<&str> = if keys.is_empty() { KEYS.to_vec() } else { keys.iter().flat_map(|key| key.split([' ', ','])).collect() };
    keys.into_iter().filter_map(|key| described.get(key).map(|value| (key.to_owned(), value.clone()))).collect()
}
