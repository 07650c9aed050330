//! From a node's configuration, its query and what the database holds to the steps that build it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::steps::{
    Attachments, Dependent, Existing, Merge, NodePlan, Publish, SnapshotSpec, SnapshotStrategy, Step, TableName, retired_name, suffixed,
};
use crate::base::{Relation, RelationKind, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::project::{Detail, Node};

/// What the plan of a node depends on besides its configuration.
pub struct PlanInput<'a> {
    pub node: &'a Node,
    pub relation: &'a Relation,
    /// The node's query, without a semicolon at its end.
    pub query: &'a str,
    pub existing: &'a Existing,
    pub full_refresh: bool,
    /// Eight characters that only this run has.
    pub run_tag: &'a str,
    /// The project's own materialization of that name, if any.
    pub materialization: Option<UniqueId>,
    /// Rendered hooks.
    pub hooks: Hooks,
}

/// A hook of a node, rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    pub sql: String,
    pub in_transaction: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    pub before: Vec<Hook>,
    pub after: Vec<Hook>,
}

/// The plan of a model or snapshot.
///
/// # Errors
/// `unknown-materialization`, or `invalid-config` for a strategy or key that cannot be used.
pub fn plan_node(input: &PlanInput<'_>) -> Result<NodePlan, Diagnostic> {
    let steps = match (&input.materialization, input.node.materialized()) {
        (Some(macro_id), _) => vec![Step::RunMaterialization { macro_id: macro_id.clone() }],
        (None, "table") => table(input),
        (None, "view") => view(input),
        (None, "incremental") => incremental(input)?,
        (None, "snapshot") => snapshot(input)?,
        (None, other) => return Err(unknown_materialization(input.node, other)),
    };
    Ok(with_hooks(steps, &input.hooks))
}

/// Puts hooks around the steps: inside the transaction, or outside where they ask for it.
pub(super) fn with_hooks(steps: Vec<Step>, hooks: &Hooks) -> NodePlan {
    let statements = |hooks: &[Hook], in_transaction: bool, title: &str| -> Vec<Step> {
        let chosen = hooks.iter().filter(|hook| hook.in_transaction == in_transaction && !hook.sql.trim().is_empty());
        chosen.map(|hook| Step::Statement { title: title.to_owned(), sql: hook.sql.clone() }).collect()
    };
    let mut inside = statements(&hooks.before, true, "pre-hook");
    inside.extend(steps);
    inside.extend(statements(&hooks.after, true, "post-hook"));
    NodePlan { before: statements(&hooks.before, false, "pre-hook"), steps: inside, after: statements(&hooks.after, false, "post-hook") }
}

fn unknown_materialization(node: &Node, name: &str) -> Diagnostic {
    let place = node.config.span("materialized").or(node.body).unwrap_or(node.origin);
    Diagnostic::new(&codes::UNKNOWN_MATERIALIZATION, format!("'{}' has the unknown materialization '{name}'", node.name))
        .at(place)
        .did_you_mean(name, ["view", "table", "incremental", "ephemeral"])
        .help("it is one of view, table, incremental, ephemeral, or a '{% materialization %}' of the project")
}

/// Where a relation is built, beside the live one.
pub fn staged(relation: &Relation) -> Relation {
    relation.with_identifier(&suffixed(&relation.identifier, "__acca_stage"))
}

fn table(input: &PlanInput<'_>) -> Vec<Step> {
    let stage = staged(input.relation);
    let mut steps = vec![
        Step::CreateTableAs { table: TableName::Relation(stage.clone()), query: input.query.to_owned() },
        Step::Analyze { table: stage },
    ];
    steps.extend(publish(input, RelationKind::Table));
    steps
}

fn view(input: &PlanInput<'_>) -> Vec<Step> {
    let mut steps = vec![Step::CreateViewAs { view: staged(input.relation), query: input.query.to_owned() }];
    steps.extend(publish(input, RelationKind::View));
    steps
}

/// The steps that put the staged relation in place. What hangs on the one that is replaced is added when it is that step's
/// turn ([`Publish::carrying`]): it may change until then.
pub(super) fn publish(input: &PlanInput<'_>, kind: RelationKind) -> Vec<Step> {
    let publish = Publish {
        staged: staged(input.relation),
        live: input.relation.clone(),
        kind,
        replaced: input.existing.kind,
        retired: input.relation.with_identifier(&retired_name(&input.relation.identifier, input.run_tag)),
        rebind: Vec::new(),
        keep_retired: false,
        settings: Vec::new(),
    };
    let reserve = input.existing.owner.clone().map(|owner| Step::Reserve { live: input.relation.clone(), owner });
    reserve.into_iter().chain([Step::Publish(publish)]).collect()
}

impl Publish {
    /// The same publication, with what now hangs on the relation that is replaced. Dependents that this run rebuilds stay on
    /// the replaced relation until their turn; the others are bound to the new one at once.
    #[must_use]
    pub fn carrying(self, attachments: &Attachments, rebuilt_later: &BTreeSet<Relation>) -> Publish {
        let waits = |view: &&Dependent| view.direct && rebuilt_later.contains(&view.relation);
        let (later, now): (Vec<&Dependent>, Vec<&Dependent>) = attachments.dependents.iter().partition(waits);
        let rebind = if now.iter().any(|view| view.direct) { now.into_iter().cloned().collect() } else { Vec::new() };
        Publish { rebind, keep_retired: !later.is_empty(), settings: attachments.settings.clone(), ..self }
    }
}

fn incremental(input: &PlanInput<'_>) -> Result<Vec<Step>, Diagnostic> {
    let refresh = input.node.config.bool("full_refresh").unwrap_or(input.full_refresh);
    if input.existing.kind != Some(RelationKind::Table) || refresh {
        return Ok(table(input));
    }
    let keys = input.node.config.strings("unique_key");
    let default = if keys.is_empty() { "append" } else { "delete+insert" };
    let strategy = input.node.config.str("incremental_strategy").unwrap_or(default);
    let needs_keys = matches!(strategy, "merge" | "delete+insert");
    if needs_keys && keys.is_empty() {
        let message = format!("the incremental strategy '{strategy}' of '{}' needs a 'unique_key'", input.node.name);
        return Err(invalid(input.node, "incremental_strategy", message));
    }
    let changes = suffixed(&input.relation.identifier, "__acca_changes");
    let source = TableName::Temporary(changes.clone());
    let target = input.relation.clone();
    let columns = input.existing.columns.clone();
    let predicates = input.node.config.strings("incremental_predicates");
    let append = Step::Append { target: target.clone(), source: source.clone(), columns: columns.clone() };
    let mut steps = vec![Step::CreateTableAs { table: source.clone(), query: input.query.to_owned() }];
    match strategy {
        "append" => steps.push(append),
        "delete+insert" => {
            steps.push(Step::DeleteMatching { target, source, keys, predicates });
            steps.push(append);
        }
        "merge" => {
            let update = merge_update(input.node, &columns, &keys);
            steps.push(Step::Merge(Merge { target, source, keys, columns, update, predicates }));
        }
        other => {
            let message = format!("'{}' has the unknown incremental strategy '{other}'", input.node.name);
            let problem = invalid(input.node, "incremental_strategy", message);
            return Err(problem.help("it is one of append, delete+insert, merge"));
        }
    }
    steps.push(Step::DropTemporary { name: changes });
    steps.push(Step::Analyze { table: input.relation.clone() });
    Ok(steps)
}

/// The columns that a match updates: those named, or all but the keys and those excluded.
fn merge_update(node: &Node, columns: &[String], keys: &[String]) -> Vec<String> {
    let named = node.config.strings("merge_update_columns");
    if !named.is_empty() {
        return named;
    }
    let excluded = node.config.strings("merge_exclude_columns");
    let is_in = |list: &[String], column: &String| list.iter().any(|other| other.eq_ignore_ascii_case(column));
    columns.iter().filter(|column| !is_in(keys, column) && !is_in(&excluded, column)).cloned().collect()
}

fn invalid(node: &Node, key: &str, message: String) -> Diagnostic {
    let place = node.config.span(key).or(node.body).unwrap_or(node.origin);
    Diagnostic::new(&codes::INVALID_CONFIG, message).at(place)
}

/// Columns that a snapshot adds.
pub const SNAPSHOT_COLUMNS: [&str; 4] = ["dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"];

fn snapshot(input: &PlanInput<'_>) -> Result<Vec<Step>, Diagnostic> {
    let node = input.node;
    let keys = node.config.strings("unique_key");
    if keys.is_empty() {
        return Err(invalid(node, "unique_key", format!("the snapshot '{}' needs a 'unique_key'", node.name)));
    }
    let strategy = match node.config.str("strategy") {
        Some("timestamp") => match node.config.str("updated_at") {
            Some(column) => SnapshotStrategy::Timestamp(column.to_owned()),
            None => return Err(invalid(node, "strategy", format!("the strategy 'timestamp' of '{}' needs 'updated_at'", node.name))),
        },
        Some("check") => match node.config.get("check_cols") {
            Some(Value::String(all)) if all == "all" => SnapshotStrategy::Check(Vec::new()),
            Some(Value::Array(_)) => SnapshotStrategy::Check(node.config.strings("check_cols")),
            _ => {
                return Err(invalid(
                    node,
                    "check_cols",
                    format!("the strategy 'check' of '{}' needs 'check_cols': 'all' or a list", node.name),
                ));
            }
        },
        other => {
            let message = format!(
                "the snapshot '{}' has {}",
                node.name,
                other.map_or("no strategy".to_owned(), |other| format!("the unknown strategy '{other}'"))
            );
            return Err(invalid(node, "strategy", message).help("it is 'timestamp' or 'check'"));
        }
    };
    let close_deleted = node.config.str("hard_deletes") == Some("invalidate") || node.config.bool("invalidate_hard_deletes") == Some(true);
    let own = |column: &&String| !SNAPSHOT_COLUMNS.contains(&column.to_lowercase().as_str());
    let columns = input.existing.columns.iter().filter(own).cloned().collect();
    let spec = SnapshotSpec { target: input.relation.clone(), query: input.query.to_owned(), keys, strategy, close_deleted, columns };
    if input.existing.kind.is_none() {
        let first = Step::SnapshotFirst { table: staged(input.relation), spec };
        return Ok([first].into_iter().chain(publish(input, RelationKind::Table)).collect());
    }
    let changes = suffixed(&input.relation.identifier, "__acca_changes");
    Ok(vec![
        Step::SnapshotChanges { changes: changes.clone(), spec: spec.clone() },
        Step::SnapshotApply { changes: changes.clone(), spec },
        Step::DropTemporary { name: changes },
    ])
}

/// The plan of a source with landing files.
pub fn plan_load(node: &Node) -> NodePlan {
    let pattern = match &node.detail {
        Detail::Source(source) => source.landing.as_ref().map(|landing| landing.path.clone()).unwrap_or_default(),
        _ => String::new(),
    };
    NodePlan { steps: vec![Step::LoadFiles { source: node.id.clone(), pattern }], ..NodePlan::default() }
}
