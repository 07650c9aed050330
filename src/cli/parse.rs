//! `acca parse`: reads and checks the project.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use super::Exit;
use super::context::Context;
use super::text::{counted, seconds};
use crate::base::ResourceType;

pub(super) fn cmd_parse(context: &Context<'_>) -> Result<(), Exit> {
    let began = Instant::now();
    let loaded = context.load()?;
    let manifest = &loaded.compilation.manifest;
    context.write_artifacts(&loaded.compilation, &BTreeMap::new(), None);
    let kinds = [
        ResourceType::Model,
        ResourceType::Seed,
        ResourceType::Snapshot,
        ResourceType::Source,
        ResourceType::Test,
        ResourceType::UnitTest,
        ResourceType::Analysis,
        ResourceType::Exposure,
    ];
    let counts = kinds.map(|kind| (kind, manifest.nodes.iter().filter(|node| node.resource == kind).count()));
    let mut parts: Vec<String> =
        counts.into_iter().filter(|(_, count)| *count > 0).map(|(kind, count)| counted(count, kind.as_str())).collect();
    if loaded.warnings > 0 {
        parts.push(counted(loaded.warnings, "warning"));
    }
    let text = format!("Parsed {} in {}", parts.join(", "), seconds(began.elapsed().as_secs_f64()));
    context.log.line("ParseDone", &text, json!({"warnings": loaded.warnings}));
    Ok(())
}
