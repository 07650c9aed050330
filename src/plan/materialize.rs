//! From a node's configuration, its query and what the database holds to the steps that build it.

use std::collections::BTreeSet;

use super::attributes::finished;
use super::contract::{Contract, contracted_table};
use super::incremental::{SchemaChange, incremental};
use super::snapshot::snapshot;
use super::steps::{Attachments, Dependent, Existing, Hook, LandingFiles, NodePlan, Publish, Step, TableName, retired_name, suffixed};
use crate::base::{ColumnInfo, Relation, RelationKind, UniqueId};
use crate::diag::{Diagnostic, codes};
use crate::project::{Landing, Node};

/// What the plan of a node depends on besides its configuration.
pub struct PlanInput<'a> {
    pub node: &'a Node,
    pub relation: &'a Relation,
    /// The node's query, without a semicolon at its end.
    pub query: &'a str,
    pub existing: &'a Existing,
    /// The columns of the query, where [`needs_columns`] asks for them.
    pub incoming: &'a [ColumnInfo],
    pub full_refresh: bool,
    /// What the node's contract declares, its query held against it.
    pub contract: Option<Contract>,
    /// Eight characters that only this run has.
    pub run_tag: &'a str,
    /// The project's own materialization of that name, if any.
    pub materialization: Option<UniqueId>,
    pub hooks: Hooks,
}

/// The hooks of a node in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    pub before: Vec<Hook>,
    pub after: Vec<Hook>,
}

/// Whether the plan of a node depends on the columns of its query.
pub fn needs_columns(node: &Node, existing: &Existing) -> bool {
    let follows = || SchemaChange::of(node) != SchemaChange::Ignore;
    existing.kind == Some(RelationKind::Table) && (node.materialized() == "snapshot" || node.materialized() == "incremental" && follows())
}

/// The plan of a model or snapshot.
///
/// # Errors
/// `unknown-materialization`, or `invalid-config` for a strategy or key that cannot be used.
pub fn plan_node(input: &PlanInput<'_>) -> Result<NodePlan, Diagnostic> {
    let header = input.node.config.str("sql_header").map(|sql| Step::Statement { title: "sql_header".to_owned(), sql: sql.to_owned() });
    let with_header = |steps: Vec<Step>| header.into_iter().chain(steps).collect();
    if let Some(macro_id) = &input.materialization {
        // Indexes, privileges and descriptions are its own affair.
        let steps = with_header(vec![Step::RunMaterialization { macro_id: macro_id.clone() }]);
        return Ok(with_hooks(steps, &input.hooks));
    }
    let steps = match input.node.materialized() {
        "table" => table(input),
        "view" => view(input),
        "incremental" => incremental(input)?,
        "snapshot" => snapshot(input)?,
        other => return Err(unknown_materialization(input.node, other)),
    };
    finished(input, with_header(steps))
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
    let steps = if kind == RelationKind::View { view(input) } else { table(input) };
    NodePlan { steps, ..NodePlan::default() }
}

/// Puts hooks around the steps: inside the transaction, or outside where they ask for it.
pub(super) fn with_hooks(steps: Vec<Step>, hooks: &Hooks) -> NodePlan {
    let chosen = |hooks: &[Hook], in_transaction: bool| -> Vec<Step> {
        hooks.iter().filter(|hook| hook.in_transaction == in_transaction).cloned().map(Step::Hook).collect()
    };
    let inside = chosen(&hooks.before, true).into_iter().chain(steps).chain(chosen(&hooks.after, true)).collect();
    NodePlan { before: chosen(&hooks.before, false), steps: inside, after: chosen(&hooks.after, false) }
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

pub(super) fn table(input: &PlanInput<'_>) -> Vec<Step> {
    if let Some(contract) = &input.contract {
        return contracted_table(input, contract);
    }
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
        // A table that this run makes anew brings its key along.
        let references = attachments.references.iter().flat_map(|key| {
            let anew = (!rebuilt_later.contains(&key.table)).then(|| key.give.clone());
            [Some(key.take.clone()), anew].into_iter().flatten()
        });
        let settings = attachments.settings.iter().cloned().chain(references).collect();
        Publish { rebind, keep_retired: !later.is_empty(), settings, ..self }
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
