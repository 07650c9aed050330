//! `acca schema`: the columns of relations as the project says them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Exit;
use super::arguments::{SchemaArguments, SchemaFormat, SelectionArguments};
use super::context::Context;
use super::style::{self, paint};
use super::text::{pad_right, width};
use crate::analysis::{NodeAnalysis, RelationSchema};
use crate::base::{Files, ResourceType};
use crate::project::{Detail, Node};

const ALL: [ResourceType; 1] = [ResourceType::Model];
const NAMED: [ResourceType; 4] = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Source];

pub(super) fn cmd_schema(context: &Context<'_>, arguments: &SchemaArguments) -> Result<(), Exit> {
    let loaded = context.load()?;
    let compilation = &loaded.compilation;
    let resources = if arguments.models.is_empty() { &ALL[..] } else { &NAMED[..] };
    let selection = SelectionArguments { select: arguments.models.clone(), ..SelectionArguments::default() };
    let selected: BTreeSet<usize> = context.select(compilation, &selection, resources)?.into_iter().collect();
    let analysis = compilation.analyse(&*context.files, Some(&selected));
    context.disk.reached("columns");
    let mut parts: Vec<String> = Vec::new();
    for number in &selected {
        let (Some(node), Some(found)) = (compilation.manifest.nodes.get(*number), analysis.nodes.get(number)) else { continue };
        parts.push(match arguments.format {
            SchemaFormat::Json => object(node, found).to_string(),
            SchemaFormat::Text => text(node, &found.schema),
        });
    }
    let between = if arguments.format == SchemaFormat::Json { "\n" } else { "\n\n" };
    context.terminal.print(&parts.join(between));
    Ok(())
}

/// The name that people give the node.
pub(super) fn shown_name(node: &Node) -> String {
    match &node.detail {
        Detail::Source(source) => format!("{}.{}", source.source_name, node.name),
        _ => node.name.clone(),
    }
}

fn object(node: &Node, found: &NodeAnalysis) -> Value {
    let columns = found.schema.columns.iter().map(|column| {
        // What nullability would be is not known of a column of which nothing is known.
        let nullable = if column.nullable && column.sql_type.is_none() { Value::Null } else { json!(column.nullable) };
        json!({
            "name": column.name,
            "type": column.sql_type.map(|kind| kind.to_string()),
            "nullable": nullable,
            "bytes": column.bytes,
            "unit": column.measure.spelled(),
            "labels": column.labels,
        })
    });
    let mut object = Map::new();
    object.insert("model".to_owned(), json!(shown_name(node)));
    object.insert("unique_id".to_owned(), json!(&*node.id));
    object.insert("columns".to_owned(), columns.collect());
    object.insert("complete".to_owned(), json!(!found.schema.open));
    Value::Object(object)
}

fn counted_bytes(bytes: u32) -> String {
    if bytes == 1 { "at most 1 byte".to_owned() } else { format!("at most {bytes} bytes") }
}

fn text(node: &Node, schema: &RelationSchema) -> String {
    let names = schema.columns.iter().map(|column| width(&column.name)).max().unwrap_or(0);
    let mut lines = vec![paint(style::BOLD, &shown_name(node))];
    for column in &schema.columns {
        let kind = column.sql_type.map_or_else(|| "?".to_owned(), |kind| kind.to_string());
        let not_null = if column.nullable { "" } else { " not null" };
        let bytes = column.bytes.map_or_else(String::new, |bytes| format!(" ({})", counted_bytes(bytes)));
        let unit = column.measure.spelled().map_or_else(String::new, |unit| format!("  {unit}"));
        let labels = if column.labels.is_empty() { String::new() } else { format!("  [{}]", column.labels.join(", ")) };
        lines.push(format!("  {}  {kind}{not_null}{bytes}{unit}{labels}", pad_right(&column.name, names)));
    }
    if schema.open {
        lines.push(paint(style::DIM, "  … (there may be more columns)"));
    }
    lines.join("\n")
}
