//! Unit tests as the manifest holds them.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::manifest::Writer;
use crate::project::{Node, UnitInput, UnitOverrides, UnitTest};

impl Writer<'_> {
    pub(super) fn unit_test(&self, node: &Node, test: &UnitTest) -> Value {
        let given: Vec<Value> = test.given.iter().map(given).collect();
        let overrides = &test.overrides;
        let overrides = (*overrides != UnitOverrides::default())
            .then(|| json!({"macros": overrides.macros, "vars": overrides.vars, "env_vars": overrides.env_vars}));
        let state = json!([test.model, test.versions, given, test.expect.to_json(), overrides]);
        let checksum: String = Sha256::digest(state.to_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let model = self.compilation.manifest.node(&test.tested);
        let schema = model.and_then(|model| model.relation.as_ref()).map(|relation| relation.schema.to_string());
        json!({
            "model": test.model,
            "given": given,
            "expect": test.expect.to_json(),
            "name": node.name,
            "resource_type": "unit_test",
            "package_name": &*node.package,
            "path": self.path_in_folder(node),
            "original_file_path": self.original_path(node),
            "unique_id": &*node.id,
            "fqn": node.fqn,
            "description": node.description,
            "overrides": overrides,
            "depends_on": {"macros": node.macros, "nodes": node.depends_on},
            "config": {
                "tags": node.tags(),
                "meta": node.config.get("meta").cloned().unwrap_or_else(|| json!({})),
                "enabled": node.config.enabled(),
                "static_analysis": node.config.get("static_analysis"),
            },
            "checksum": checksum,
            "schema": schema,
            "created_at": self.metadata.created_at,
            "versions": test.versions,
            "version": test.version,
        })
    }
}

fn given(input: &UnitInput) -> Value {
    let mut entry = input.rows.to_json();
    if let Some(entry) = entry.as_object_mut() {
        entry.insert("input".to_owned(), json!(input.call));
    }
    entry
}
