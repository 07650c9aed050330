//! Macros of the project in the places of dbt's: the steps of a node are what they say, and the rest stays acca's.

use std::sync::Arc;

use super::node::{Outcome, Turn, statement_refused, write_script};
use super::prepare::{NodeError, RunJob};
use super::warehouse::{SessionWarehouse, SharedSession, locked};
use crate::base::{ColumnInfo, Relation, RelationKind};
use crate::diag::Diagnostic;
use crate::jinja::{Argument, MacroCall, NodeArgument, NodeState, Rendered, Warehouse};
use crate::plan::{NodePlan, Step, TableName, predicates_key, strategy_macro};
use crate::project::Node;

const VIEW: &str = "get_create_view_as_sql";

/// What dbt sets privileges with, and descriptions: the first of them is called, and calls the others.
const GRANTS: [&str; 5] = ["apply_grants", "get_dcl_statement_list", "call_dcl_statements", "get_grant_sql", "get_revoke_sql"];
const DOCS: [&str; 3] = ["persist_docs", "alter_relation_comment", "alter_column_comment"];

/// The macros that a strategy of dbt's ends in; one of the project's in the place of any of them counts.
fn strategy_macros(strategy: &str) -> Vec<String> {
    let inner: &[&str] = match strategy {
        "merge" => &["get_merge_sql", "get_merge_update_columns", "get_merge_unique_key_match"],
        "delete+insert" => &["get_delete_insert_merge_sql", "get_insert_into_sql"],
        "append" => &["get_insert_into_sql"],
        _ => &[],
    };
    [strategy_macro(strategy)].into_iter().chain(inner.iter().map(|name| (*name).to_owned())).collect()
}

struct Overrides<'a> {
    turn: &'a Turn<'a>,
    /// The columns of the incremental table and of its query.
    columns: Vec<&'a ColumnInfo>,
}

impl Overrides<'_> {
    fn any(&self, names: &[&str]) -> bool {
        let templates = &self.turn.job.compilation.templates;
        names.iter().any(|name| templates.is_overridden(name, &self.turn.node.package))
    }

    fn call(&self, name: &str, arguments: Vec<Argument>) -> Step {
        Step::CallMacro(MacroCall { name: name.to_owned(), arguments })
    }

    fn argument(table: &TableName) -> Argument {
        match table {
            TableName::Relation(relation) => Argument::Relation(relation.clone(), RelationKind::Table),
            TableName::Temporary(name) => Argument::Temporary(name.clone()),
        }
    }

    /// The step as a macro of the project has it.
    fn step(&self, step: Step) -> Step {
        match &step {
            Step::CreateTableAs { table, query, .. } if self.any(&["create_table_as", "get_create_table_as_sql"]) => {
                let temporary = Argument::Json(matches!(table, TableName::Temporary(_)).into());
                self.call("get_create_table_as_sql", vec![temporary, Self::argument(table), Argument::Json(query.as_str().into())])
            }
            Step::CreateViewAs { view, query, .. } if self.any(&["create_view_as", VIEW]) => {
                self.call(VIEW, vec![Argument::Relation(view.clone(), RelationKind::View), Argument::Json(query.as_str().into())])
            }
            Step::SetPrivileges { relation, exact, .. } if self.any(&GRANTS) => {
                let node = self.turn.node;
                let kind = match node.materialized() {
                    "view" => RelationKind::View,
                    "materialized_view" => RelationKind::MaterializedView,
                    _ => RelationKind::Table,
                };
                let grants = node.config.get("grants").cloned().unwrap_or_default();
                let arguments = vec![Argument::Relation(relation.clone(), kind), Argument::Json(grants), Argument::Json((*exact).into())];
                self.call("apply_grants", arguments)
            }
            Step::Comment(comment) if self.any(&DOCS) => {
                let model = Argument::Node(NodeArgument(Arc::new(self.turn.node.clone())));
                self.call("persist_docs", vec![Argument::Relation(comment.relation.clone(), comment.kind), model])
            }
            _ => step,
        }
    }

    /// The steps that bring the new rows in, as the macro of the strategy has them.
    fn incremental(&self, steps: Vec<Step>) -> Vec<Step> {
        let config = &self.turn.node.config;
        let keys = config.strings("unique_key");
        let default = if keys.is_empty() { "append" } else { "delete+insert" };
        let strategy = config.str("incremental_strategy").unwrap_or(default);
        let names = strategy_macros(strategy);
        if !self.any(&names.iter().map(String::as_str).collect::<Vec<_>>()) {
            return steps;
        }
        let mut kept = Vec::new();
        for step in steps {
            let (target, source, columns) = match &step {
                Step::Append { target, source, columns } => (target, source, columns),
                Step::Merge(merge) => (&merge.target, &merge.source, &merge.columns),
                Step::DeleteMatching { .. } | Step::DeleteWindow { .. } | Step::CheckKeys { .. } => continue,
                _ => {
                    kept.push(step);
                    continue;
                }
            };
            let type_of = |name: &String| self.columns.iter().find(|held| held.name == *name).map(|held| held.data_type.clone());
            let columns = columns.iter().map(|name| (name.clone(), type_of(name).unwrap_or_default())).collect();
            let key = || config.get("unique_key").cloned().unwrap_or_default();
            let predicates = || predicates_key(self.turn.node).and_then(|key| config.get(key)).cloned().unwrap_or_default();
            let arguments = vec![
                ("target_relation".to_owned(), Argument::Relation(target.clone(), RelationKind::Table)),
                ("temp_relation".to_owned(), Self::argument(source)),
                ("unique_key".to_owned(), Argument::Json(key())),
                ("dest_columns".to_owned(), Argument::Columns(columns)),
                ("incremental_predicates".to_owned(), Argument::Json(predicates())),
            ];
            kept.push(self.call(&strategy_macro(strategy), vec![Argument::Dict(arguments)]));
        }
        kept
    }
}

/// Puts the project's macros into a plan.
pub(super) fn apply(turn: &Turn<'_>, plan: NodePlan, columns: Vec<&ColumnInfo>, state: NodeState) -> Result<NodePlan, Diagnostic> {
    let overrides = Overrides { turn, columns };
    let mut plan = plan;
    if turn.node.materialized() == "incremental" {
        plan.steps = overrides.incremental(plan.steps);
    }
    plan.steps = plan.steps.into_iter().map(|step| overrides.step(step)).collect();
    if turn.node.materialized() == "snapshot" && overrides.any(&["snapshot_get_time", "current_timestamp"]) {
        let call = MacroCall { name: "snapshot_get_time".to_owned(), arguments: Vec::new() };
        let now = render(turn, &call, state)?.sql.trim().to_owned();
        for step in &mut plan.steps {
            if let Step::SnapshotFirst { spec, .. } | Step::SnapshotChanges { spec, .. } | Step::SnapshotApply { spec, .. } = step {
                spec.now = Some(now.clone());
            }
        }
    }
    Ok(plan)
}

fn render(turn: &Turn<'_>, call: &MacroCall, state: NodeState) -> Result<Rendered, Diagnostic> {
    let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(turn.session.clone()));
    turn.job.compilation.templates.call(call, turn.node, state, &turn.job.compilation.linked(Some(warehouse)))
}

/// Renders the call of a macro and sends what it gives.
pub(super) fn run_call(turn: &Turn<'_>, call: &MacroCall, state: NodeState, outcome: &mut Outcome) -> Result<(), NodeError> {
    let rendered = render(turn, call, state)?;
    outcome.messages.extend(rendered.messages);
    let sql = rendered.sql.trim();
    if sql.is_empty() {
        return Ok(());
    }
    outcome.script.push_str(&format!("-- {}\n{sql}\n\n", call.name));
    write_script(turn, outcome);
    let rows = locked(turn.session).execute(sql).map_err(|error| statement_refused(turn.node, error, body_of(turn.node)))?;
    if ![VIEW, "apply_grants", "persist_docs"].contains(&call.name.as_str()) {
        outcome.rows_affected = Some(rows);
    }
    Ok(())
}

fn body_of(node: &Node) -> crate::base::Span {
    node.body.map_or(node.origin, |body| body.sub(0, 0))
}

/// Title and statement of a call for `explain`.
pub(super) fn explain_call(turn: &Turn<'_>, call: &MacroCall, state: NodeState) -> Result<(String, Vec<String>), Diagnostic> {
    let rendered = render(turn, call, state)?;
    Ok((format!("as macro {} says", call.name), vec![rendered.sql.trim().trim_end_matches(';').to_owned()]))
}

/// The query of a test, where the project has a macro of its own for it: the number of failures is its first cell.
pub(super) fn test_query(turn: &Turn<'_>, rows: &str) -> Result<Option<String>, Diagnostic> {
    const NAME: &str = "get_test_sql";
    if !turn.job.compilation.templates.is_overridden(NAME, &turn.node.package) {
        return Ok(None);
    }
    let config = &turn.node.config;
    let text = |key: &str, default: &str| Argument::Json(config.str(key).unwrap_or(default).into());
    let limit = Argument::Json(config.get("limit").cloned().unwrap_or_default());
    let arguments =
        vec![Argument::Json(rows.into()), text("fail_calc", "count(*)"), text("warn_if", "!= 0"), text("error_if", "!= 0"), limit];
    let rendered = render(turn, &MacroCall { name: NAME.to_owned(), arguments }, NodeState::default())?;
    Ok(Some(rendered.sql.trim().trim_end_matches(';').to_owned()))
}

/// Makes a schema as the project's macro does it; whether it has one.
pub(super) fn create_schema(job: &RunJob<'_>, session: &SharedSession, schema: &str) -> Result<bool, Diagnostic> {
    const NAME: &str = "create_schema";
    let project = &job.compilation.project;
    let Some(root) = project.packages.first().filter(|root| job.compilation.templates.is_overridden(NAME, &root.name)) else {
        return Ok(false);
    };
    let place = project.macros.iter().find(|held| held.name.ends_with(NAME) && held.package == root.name).map(|held| held.name_span);
    let Some(place) = place else { return Ok(false) };
    let node = job.compilation.operation(root, NAME, place);
    let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session.clone()));
    let relation = Relation::new(&project.target.database, schema, "");
    let call = MacroCall { name: NAME.to_owned(), arguments: vec![Argument::Relation(relation, RelationKind::Table)] };
    job.compilation.templates.call(&call, &node, NodeState::default(), &job.compilation.linked(Some(warehouse)))?;
    Ok(true)
}
