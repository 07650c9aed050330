//! Materialized views: made once, their rows brought up to date by each run, their indexes as the configuration says.

use super::attributes::{index_family, indexes, managed};
use super::materialize::{PlanInput, staged};
use super::publication::{ReplaceView, publish};
use super::steps::{Index, Step};
use crate::base::RelationKind;
use crate::diag::{Diagnostic, codes};

/// The steps, and what is to be said of them.
///
/// A query that has changed shows nowhere: like dbt, only a full refresh makes the view of the new one.
pub(super) fn materialized_view(input: &PlanInput<'_>) -> Result<(Vec<Step>, Option<String>), Diagnostic> {
    let refresh = input.node.config.bool("full_refresh").unwrap_or(input.full_refresh);
    // What still reads a replaced relation cannot be bound to the one in its place.
    let anew = refresh || input.existing.outdated || input.existing.kind != Some(RelationKind::MaterializedView);
    if anew {
        let stage = staged(input.relation);
        let mut steps = vec![
            Step::CreateMaterializedView { view: stage.clone(), query: input.query.to_owned(), physical: input.physical.clone() },
            Step::Analyze { table: stage },
        ];
        steps.extend(publish(input, RelationKind::MaterializedView));
        return Ok((steps, None));
    }
    let view = input.relation.clone();
    let update = vec![Step::Refresh { view: view.clone() }, Step::Analyze { table: view.clone() }];
    let (missing, superfluous) = changes(input)?;
    if missing.is_empty() && superfluous.is_empty() {
        return Ok((update, Some("refreshed".to_owned())));
    }
    match input.node.config.str("on_configuration_change") {
        Some("fail") => Err(changed(input, &missing, &superfluous)),
        Some("continue") => Ok((update, Some("refreshed; its indexes are not those of its configuration".to_owned()))),
        _ => {
            let made = Step::CreateIndexes { table: view.clone(), indexes: missing, published: false };
            let indexes = [Step::DropIndexes { of: view, names: superfluous }, made];
            Ok((indexes.into_iter().chain(update).collect(), Some("refreshed, its indexes changed".to_owned())))
        }
    }
}

/// The steps in a transaction and those behind it, and what is to be said of them, where a view can take no other name. What hangs on
/// the one that is there is added at its turn.
pub(super) fn bound_view(input: &PlanInput<'_>) -> (Vec<Step>, Vec<Step>, Option<String>) {
    let refresh = input.node.config.bool("full_refresh").unwrap_or(input.full_refresh);
    let view = input.relation.clone();
    if !refresh && input.existing.kind == Some(RelationKind::MaterializedView) {
        return (Vec::new(), vec![Step::Refresh { view }], Some("refreshed".to_owned()));
    }
    let replace = ReplaceView {
        view,
        query: input.query.to_owned(),
        physical: input.physical.clone(),
        replaced: input.existing.kind,
        settings: Vec::new(),
        managed: managed(input.node),
    };
    (vec![Step::ReplaceView(replace)], Vec::new(), None)
}

/// Indexes that the configuration asks for and the view lacks, and those that an earlier configuration asked for. Indexes of others
/// are their affair.
fn changes(input: &PlanInput<'_>) -> Result<(Vec<Index>, Vec<String>), Diagnostic> {
    let wanted = indexes(input)?;
    let held = &input.existing.indexes;
    let is_of = |name: &String, index: &Index| name.starts_with(index_family(&index.name));
    let superfluous = held.iter().filter(|name| input.made_by_acca(name) && !wanted.iter().any(|index| is_of(name, index)));
    let superfluous = superfluous.cloned().collect();
    let missing = wanted.into_iter().filter(|index| !held.iter().any(|name| is_of(name, index))).collect();
    Ok((missing, superfluous))
}

fn changed(input: &PlanInput<'_>, missing: &[Index], superfluous: &[String]) -> Diagnostic {
    let node = input.node;
    let place = node.config.span("on_configuration_change").or(node.body).unwrap_or(node.origin);
    let message = format!("the indexes of '{}' are not those of its materialized view any more", node.name);
    let mut problem = Diagnostic::new(&codes::SCHEMA_CHANGED, message).at(place);
    for index in missing {
        problem = problem.note(format!("new: an index on {}", index.columns.join(", ")));
    }
    for name in superfluous {
        problem = problem.note(format!("gone: {name}"));
    }
    problem.help("build it once with --full-refresh, or let 'on_configuration_change' be apply")
}
