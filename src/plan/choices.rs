//! What nodes are configured to be built as, where it is none of what there is: said when the project is read, not when its turn comes.

use super::incremental::unknown_strategy;
use super::materialize::unknown_materialization;
use super::snapshot::unknown_snapshot_strategy;
use crate::analysis::Compilation;
use crate::diag::Diagnostic;
use crate::project::{Detail, Node};

/// A materialization, an incremental strategy or a strategy of snapshots that does not exist.
pub fn check_choices(compilation: &Compilation) -> Vec<Diagnostic> {
    compilation.manifest.nodes.iter().filter_map(|node| check_choice(compilation, node)).collect()
}

fn check_choice(compilation: &Compilation, node: &Node) -> Option<Diagnostic> {
    let templates = &compilation.templates;
    let is_own = || templates.materialization(node.materialized(), &node.package).is_some();
    match (&node.detail, node.materialized()) {
        (Detail::Model(_), "table" | "view" | "materialized_view" | "ephemeral") => None,
        (Detail::Model(_), "incremental") => {
            let strategy = node.config.str("incremental_strategy")?;
            let known = matches!(strategy, "append" | "delete+insert" | "merge" | "microbatch");
            let named = || templates.is_overridden(&strategy_macro(strategy), &node.package);
            (!known && !named() && !is_own()).then(|| unknown_strategy(node, strategy))
        }
        (Detail::Model(_), other) => (!is_own()).then(|| unknown_materialization(node, other)),
        (Detail::Snapshot { .. }, _) => {
            let strategy = node.config.str("strategy").filter(|strategy| !matches!(*strategy, "timestamp" | "check"))?;
            (!is_own()).then(|| unknown_snapshot_strategy(node, Some(strategy)))
        }
        _ => None,
    }
}

/// The macro that dbt builds an incremental model with, for a strategy.
pub fn strategy_macro(strategy: &str) -> String {
    format!("get_incremental_{}_sql", strategy.replace('+', "_"))
}
