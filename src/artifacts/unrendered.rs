//! The configuration of a node as it was written, so that another target or variable is no change of it.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::manifest::Writer;
use crate::base::Sources;
use crate::project::{ConfigValue, Node, parse_yaml};

/// The keys that anybody has set. Templates of project files stay as they stand there; all else is written with its value, as dbt
/// does.
pub(super) struct UnrenderedConfig<'a> {
    node: &'a Node,
    sources: &'a Sources,
}

impl Writer<'_> {
    pub(super) fn unrendered_config<'n>(&'n self, node: &'n Node) -> UnrenderedConfig<'n> {
        UnrenderedConfig { node, sources: self.sources() }
    }
}

impl Serialize for UnrenderedConfig<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = serializer.serialize_map(None)?;
        for (key, held) in self.node.config.iter() {
            match template(held, self.sources) {
                Some(template) => entries.serialize_entry(key, &template)?,
                None => entries.serialize_entry(key, &held.value)?,
            }
        }
        entries.end()
    }
}

/// What a project file says where it holds a template.
fn template(held: &ConfigValue, sources: &Sources) -> Option<Value> {
    let span = held.span?;
    if !sources.path(span.file).ends_with("dbt_project.yml") {
        return None;
    }
    let text = sources.text(span);
    if !(text.contains("{{") || text.contains("{%")) {
        return None;
    }
    // A mapping in block form is no YAML without its first indentation: its text stands for it.
    Some(parse_yaml(span.file, text).map_or_else(|_| Value::from(text), |parsed| parsed.root.to_json()))
}
