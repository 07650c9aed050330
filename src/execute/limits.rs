//! What an engine takes of a statement at most.

use crate::analysis::CompiledNode;
use crate::diag::{Diagnostic, codes};
use crate::dialect::{Engine, max_statement};
use crate::project::Node;

/// Bytes that acca puts around the query of a node: names, keys, the comment on statements.
const AROUND: usize = 2_000;

/// Refuses a query that the engine would not take, before anything is sent.
///
/// # Errors
/// `statement-too-large`.
pub(super) fn statement_fits(node: &Node, compiled: &CompiledNode, engine: Engine) -> Result<(), Diagnostic> {
    let bytes = compiled.sql.len();
    match max_statement(engine) {
        Some(most) if bytes + AROUND > most => {
            let message = format!("the SQL of '{}' has {bytes} bytes, and the target takes statements of {most}", node.name);
            Err(Diagnostic::new(&codes::STATEMENT_TOO_LARGE, message)
                .at(node.body.map_or(node.origin, |body| body.sub(0, 0)))
                .help("put parts of it into models of their own, and long lists into a seed that is joined"))
        }
        _ => Ok(()),
    }
}
