//! From a node's configuration, its query and what the database holds to the steps that build it.

use super::alter::{has_limits, is_text};
use super::attributes::finished;
use super::contract::{Contract, contracted_table};
use super::incremental::{SchemaChange, incremental};
use super::materialized_view::{bound_view, materialized_view};
use super::partitions::{gathered, partitioned_table};
use super::physical::Physical;
use super::publication::publish;
use super::snapshot::snapshot;
use super::steps::{Existing, Hook, LandingFiles, NodePlan, Step, TableName, suffixed};
use crate::base::{ColumnInfo, Relation, RelationKind, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::project::{Batch, Landing, Node};

/// What the plan of a node depends on besides its configuration.
pub struct PlanInput<'a> {
    pub node: &'a Node,
    pub relation: &'a Relation,
    /// The node's query, without a semicolon at its end.
    pub query: &'a str,
    pub existing: &'a Existing,
    /// The columns of the query, where [`needs_columns`] asks for them.
    pub incoming: &'a [ColumnInfo],
    /// How its tables are stored.
    pub physical: Physical,
    pub full_refresh: bool,
    /// The batch of time that is built.
    pub batch: Option<Batch>,
    /// What the node's contract declares, its query held against it.
    pub contract: Option<Contract>,
    /// Eight characters that only this run has.
    pub run_tag: &'a str,
    /// Whether names in another letter case are the same names to the engine.
    pub folds_case: bool,
    /// The project's own materialization of that name, if any.
    pub materialization: Option<UniqueId>,
    /// Whether the project itself brings the rows of an incremental model in, by a strategy of its own.
    pub own_strategy: bool,
    pub hooks: Hooks,
    /// The hooks before it and its header have been run already.
    pub begun: bool,
    /// Whether a materialized view is bound for good, can take no other name, and is refreshed outside of transactions.
    pub binds_views: bool,
}

/// The hooks of a node in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    pub before: Vec<Hook>,
    pub after: Vec<Hook>,
}

/// Whether the plan of a node depends on the columns of its query.
pub fn needs_columns(node: &Node, existing: &Existing) -> bool {
    let follows = || SchemaChange::of(node) != SchemaChange::Ignore || has_limits(&existing.columns);
    existing.kind == Some(RelationKind::Table) && (node.materialized() == "snapshot" || node.materialized() == "incremental" && follows())
}

/// The plan of a model or snapshot.
///
/// # Errors
/// `unknown-materialization`, or `invalid-config` for a strategy or key that cannot be used.
pub fn plan_node(input: &PlanInput<'_>) -> Result<NodePlan, Diagnostic> {
    let header = header(input.node).filter(|_| !input.begun);
    let with_header = |steps: Vec<Step>| header.into_iter().chain(steps).collect();
    if let Some(macro_id) = &input.materialization {
        // Indexes, privileges and descriptions are its own affair.
        let steps = with_header(vec![Step::RunMaterialization { macro_id: macro_id.clone() }]);
        return Ok(with_hooks(steps, &input.hooks));
    }
    let steps = match input.node.materialized() {
        "table" => table(input)?,
        "view" => view(input),
        "materialized_view" if input.binds_views => {
            let (steps, after, remark) = bound_view(input);
            let mut plan = finished(input, with_header(steps))?;
            plan.after.splice(0..0, after);
            return Ok(NodePlan { remark, ..plan });
        }
        "materialized_view" => {
            let (steps, remark) = materialized_view(input)?;
            return Ok(NodePlan { remark, ..finished(input, with_header(steps))? });
        }
        "incremental" => incremental(input)?,
        "snapshot" => snapshot(input)?,
        other => return Err(unknown_materialization(input.node, other)),
    };
    finished(input, with_header(steps))
}

/// What comes before everything else of a node.
pub fn plan_leading(node: &Node, hooks: &Hooks) -> NodePlan {
    with_hooks(header(node).into_iter().collect(), &Hooks { before: hooks.before.clone(), after: Vec::new() })
}

fn header(node: &Node) -> Option<Step> {
    node.config.str("sql_header").map(|sql| Step::Statement { title: "sql_header".to_owned(), sql: sql.to_owned() })
}

/// As what the failing rows of a test are kept; `None`: they are only counted. `asked` is the wish of the command line, which a
/// test's own configuration outvotes.
pub fn failures_kept(test: &Node, asked: bool) -> Option<RelationKind> {
    match test.config.str("store_failures_as") {
        Some("table") => Some(RelationKind::Table),
        Some("view") => Some(RelationKind::View),
        Some("ephemeral") => None,
        _ => test.config.bool("store_failures").unwrap_or(asked).then_some(RelationKind::Table),
    }
}

/// The plan that keeps the failing rows of a test.
pub fn plan_failures(input: &PlanInput<'_>, kind: RelationKind) -> NodePlan {
    let steps = if kind == RelationKind::View { view(input) } else { plain_table(input) };
    NodePlan { steps, ..NodePlan::default() }
}

/// Puts hooks around the steps: inside the transaction, or outside where they ask for it.
pub(super) fn with_hooks(steps: Vec<Step>, hooks: &Hooks) -> NodePlan {
    let chosen = |hooks: &[Hook], in_transaction: bool| -> Vec<Step> {
        hooks.iter().filter(|hook| hook.in_transaction == in_transaction).cloned().map(Step::Hook).collect()
    };
    let inside = chosen(&hooks.before, true).into_iter().chain(steps).chain(chosen(&hooks.after, true)).collect();
    NodePlan { before: chosen(&hooks.before, false), steps: inside, after: chosen(&hooks.after, false), remark: None }
}

pub(super) fn unknown_materialization(node: &Node, name: &str) -> Diagnostic {
    let place = node.config.span("materialized").or(node.body).unwrap_or(node.origin);
    Diagnostic::new(&codes::UNKNOWN_MATERIALIZATION, format!("'{}' has the unknown materialization '{name}'", node.name))
        .at(place)
        .did_you_mean(name, ["view", "table", "incremental", "ephemeral", "materialized_view"])
        .help("it is one of view, table, incremental, ephemeral, materialized_view, or a '{% materialization %}' of the project")
}

/// Where a relation is built, beside the live one.
pub fn staged(relation: &Relation) -> Relation {
    relation.with_identifier(&suffixed(&relation.identifier, "__acca_stage"))
}

pub(super) fn table(input: &PlanInput<'_>) -> Result<Vec<Step>, Diagnostic> {
    if let Some(by) = &input.physical.partition_by {
        let table = TableName::Temporary(gathered(input));
        let physical = input.physical.clone().temporary();
        return partitioned_table(input, by, Step::CreateTableAs { table, query: input.query.to_owned(), physical });
    }
    Ok(match &input.contract {
        Some(contract) => contracted_table(input, contract),
        None => plain_table(input),
    })
}

fn plain_table(input: &PlanInput<'_>) -> Vec<Step> {
    let stage = staged(input.relation);
    let mut steps = vec![
        Step::CreateTableAs { table: TableName::Relation(stage.clone()), query: input.query.to_owned(), physical: input.physical.clone() },
        Step::Analyze { table: stage },
    ];
    steps.extend(publish(input, RelationKind::Table));
    steps
}

fn view(input: &PlanInput<'_>) -> Vec<Step> {
    let bound = input.node.config.bool("bind") == Some(true);
    let mut steps = vec![Step::CreateViewAs { view: staged(input.relation), query: input.query.to_owned(), bound }];
    steps.extend(publish(input, RelationKind::View));
    steps
}

impl PlanInput<'_> {
    /// Whether two names of columns, as they stand in the database, are one.
    pub(super) fn is_same(&self, one: &str, other: &str) -> bool {
        if self.folds_case { one.eq_ignore_ascii_case(other) } else { one == other }
    }

    /// Whether a name as it is written in the configuration is that of a column in the database.
    pub(super) fn is_named(&self, written: &str, column: &str) -> bool {
        match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(exact) => self.is_same(&exact.replace("\"\"", "\""), column),
            None => self.is_same(&written.to_lowercase(), column),
        }
    }

    /// Those of the keys of a table that are columns of text.
    pub(super) fn texts_of(&self, keys: &[String]) -> Vec<String> {
        let texts: Vec<&ColumnInfo> = self.existing.columns.iter().filter(|column| is_text(&column.data_type)).collect();
        keys.iter().filter(|key| texts.iter().any(|column| self.is_named(key, &column.name))).cloned().collect()
    }

    /// Columns of `these` that `those` lack.
    pub(super) fn missing(&self, these: &[ColumnInfo], those: &[ColumnInfo]) -> Vec<ColumnInfo> {
        these.iter().filter(|column| !those.iter().any(|other| self.is_same(&other.name, &column.name))).cloned().collect()
    }
}

pub(super) fn invalid(node: &Node, key: &str, message: String) -> Diagnostic {
    let place = node.config.span(key).or(node.body).unwrap_or(node.origin);
    Diagnostic::new(&codes::INVALID_CONFIG, message).at(place)
}

/// The plan of a source with landing files: `create` makes its raw table, `load` is what is sent for the first file.
pub fn plan_load(landing: &Landing, create: String, files: LandingFiles, load: Option<String>) -> NodePlan {
    let create = Step::Statement { title: "create the raw table where it is missing".to_owned(), sql: create };
    NodePlan { steps: vec![create, Step::LoadFiles { pattern: landing.path.clone(), files, statement: load }], ..NodePlan::default() }
}
