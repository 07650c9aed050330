//! `catalog.json`, version 1.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Metadata;
use crate::base::{RelationFacts, ResourceType};
use crate::project::{Manifest, Node};

/// What the database holds of the project's relations, as dbt writes it. Only nodes that `wanted` accepts are listed; a node whose
/// relation is not there is left out.
pub fn catalog(found: &[RelationFacts], manifest: &Manifest, wanted: &dyn Fn(&Node) -> bool, metadata: &Metadata) -> Value {
    let key = |database: &str, schema: &str, name: &str| [database, schema, name].map(str::to_lowercase);
    let held: BTreeMap<[String; 3], &RelationFacts> =
        found.iter().map(|facts| (key(&facts.database, &facts.schema, &facts.name), facts)).collect();
    let (mut nodes, mut sources) = (Map::new(), Map::new());
    for node in manifest.nodes.iter().filter(|node| is_catalogued(node) && wanted(node)) {
        let Some(relation) = &node.relation else { continue };
        let Some(facts) = held.get(&key(&relation.database, &relation.schema, &relation.identifier)) else { continue };
        let section = if node.resource == ResourceType::Source { &mut sources } else { &mut nodes };
        section.insert(node.id.to_string(), entry(node, facts));
    }
    json!({"metadata": metadata.describe("catalog/v1"), "nodes": nodes, "sources": sources, "errors": null})
}

/// Whether a node has a relation that belongs into the catalogue.
pub fn is_catalogued(node: &Node) -> bool {
    let kept = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Source];
    kept.contains(&node.resource) && !node.is_ephemeral()
}

fn entry(node: &Node, facts: &RelationFacts) -> Value {
    let columns: Map<String, Value> = facts
        .columns
        .iter()
        .map(|column| {
            let entry = json!({"type": column.data_type, "index": column.index, "name": column.name, "comment": column.comment});
            (column.name.clone(), entry)
        })
        .collect();
    json!({
        "metadata": {
            "type": facts.kind, "schema": facts.schema, "name": facts.name, "database": facts.database,
            "comment": facts.comment, "owner": facts.owner,
        },
        "columns": columns,
        "stats": stats(facts),
        "unique_id": &*node.id,
    })
}

/// dbt's form of statistics: whoever reads them looks at `include` first, and at `has_stats` for whether there are any.
fn stats(facts: &RelationFacts) -> Value {
    let mut stats = Map::new();
    let numbers =
        [("row_count", "Rows", "As the engine estimates them", facts.rows), ("bytes", "Bytes", "On disk, indexes included", facts.bytes)];
    for (id, label, description, value) in numbers {
        if let Some(value) = value {
            stats.insert(id.to_owned(), json!({"id": id, "label": label, "value": value, "include": true, "description": description}));
        }
    }
    let has_stats = json!({
        "id": "has_stats", "label": "Has Stats?", "value": !stats.is_empty(), "include": false,
        "description": "Whether the engine tells statistics of this relation",
    });
    stats.insert("has_stats".to_owned(), has_stats);
    Value::Object(stats)
}
