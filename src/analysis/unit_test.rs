//! The SQL of a unit test: its model, reading fixtures.

use std::sync::Arc;

use super::CompiledNode;
use super::compilation::{Compilation, first_of, with_ctes};
use crate::diag::Diagnostic;
use crate::jinja::{UnitScope, Warehouse};
use crate::project::Node;

impl Compilation {
    /// The query of a model with fixtures, given by name and query, in place of all that it reads.
    ///
    /// # Errors
    /// What its templates fail with.
    pub fn compile_unit_test(
        &self,
        model: &Node,
        unit: UnitScope,
        fixtures: &[(String, String)],
        warehouse: Option<Arc<dyn Warehouse>>,
    ) -> Result<CompiledNode, Diagnostic> {
        let rendered = self.templates.render_unit(&self.project.sources, model, unit, &self.linked(warehouse))?;
        let compiled = CompiledNode {
            sql: rendered.sql,
            map: rendered.map,
            messages: rendered.messages,
            macros: rendered.macros,
            ..CompiledNode::default()
        };
        let compiled = self.lowered(model, compiled).map_err(|problems| first_of(model, problems))?;
        Ok(if fixtures.is_empty() { compiled } else { with_ctes(compiled, fixtures) })
    }
}
