//! From a node to its plan: looks at the database, renders the templates, plans. `explain` ends here, a run goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::bound_views::{check_reads, check_replaced};
use super::external::{self, reads_fit};
use super::hook::hooks;
use super::limits::statement_fits;
use super::microbatch::batches;
use super::node::{Turn, query_failed};
use super::warehouse::{SessionWarehouse, SharedSession, locked};
use super::{Adapter, AdapterError, CatalogRelation, Origins, Partner};
use super::{arrival, contract, copied_rows, load_source, overrides, partitions};
use crate::analysis::{Compilation, CompiledNode, check_is_query};
use crate::base::{Relation, RelationKind, UniqueId, Window};
use crate::diag::{Diagnostic, codes};
use crate::dialect::{
    Engine, binds_materialized_views, folds_case, has_materialized_views, lowers_names, max_identifier, reads_retired, seed_type, storage,
    unload,
};
use crate::jinja::{NodeState, Warehouse};
use crate::plan::{
    BatchResults, Existing, Hooks, NodePlan, Physical, PlanInput, SeedRules, Step, Unloading, failures_kept, needs_columns,
    partitions_ahead, plan_failures, plan_leading, plan_node, plan_seed, retired_prefix, strategy_macro, unload_place,
};
use crate::project::{Detail, Node};
use crate::syntax::before_semicolon;

/// What is to be run, where, and how.
pub struct RunJob<'a> {
    pub compilation: &'a Compilation,
    pub adapter: Arc<dyn Adapter>,
    pub engine: Engine,
    /// Numbers of nodes of the manifest.
    pub selected: Vec<usize>,
    pub options: RunOptions,
    /// Its part in what is built on several targets.
    pub served: Served,
}

/// What a run has to do with other targets; nothing, where it is the only one.
#[derive(Clone, Default)]
pub struct Served {
    /// What is built there and comes from there.
    pub origins: Origins,
    /// The runs that go on there at the same time.
    pub partner: Option<Partner>,
}

impl RunJob<'_> {
    /// Whether the run does something for a node.
    pub(super) fn works_on(&self, node: &Node) -> bool {
        node.is_runnable() || self.served.origins.contains_key(&node.id)
    }
}

#[derive(Clone, Debug)]
pub struct RunOptions {
    pub threads: usize,
    pub fail_fast: bool,
    pub full_refresh: bool,
    /// Whether the failing rows of tests are kept that say nothing of it.
    pub store_failures: bool,
    /// With a full refresh: rows of landing files that are gone are deleted.
    pub prune: bool,
    /// `build`: what reads a relation waits for its tests and is skipped when one fails.
    pub gate_on_tests: bool,
    /// How long a node may take that says nothing of it.
    pub node_timeout: Option<Duration>,
    /// `--event-time-start` and `--event-time-end`.
    pub event_time: Option<Window>,
    /// `retry`: what came of the batches of a model in the last run, by its id.
    pub batches: Arc<BTreeMap<String, BatchResults>>,
    /// Seconds that nodes took in earlier runs, by id: with several threads, the longest way begins first.
    pub timings: Arc<BTreeMap<String, f64>>,
    /// Unique to this run.
    pub run_id: String,
    /// The project's folder on disk.
    pub root: PathBuf,
    /// Folder for compiled and run SQL.
    pub target_path: PathBuf,
    /// Nobody outside of this machine is asked anything.
    pub offline: bool,
}

impl RunOptions {
    /// Eight characters that only this run has.
    pub(super) fn tag(&self) -> String {
        self.run_id.chars().filter(char::is_ascii_alphanumeric).take(8).collect()
    }
}

/// What stood in the schemas of the run when it began, by schema and name as the engine tells them apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    found: BTreeMap<(String, String), CatalogRelation>,
    /// Whether names in another letter case are the same names.
    folds: bool,
    /// Relations that the run builds.
    pub(super) built: BTreeSet<Relation>,
    /// External schemas and tables are made one at a time: two statements for one schema would be in each other's way.
    pub(super) external: Arc<Mutex<()>>,
}

impl Catalog {
    pub(super) fn new(job: &RunJob<'_>, relations: Vec<CatalogRelation>) -> Catalog {
        let nodes = job.selected.iter().filter_map(|number| job.compilation.manifest.nodes.get(*number));
        let built = nodes
            .filter(|node| match node.detail {
                _ if job.served.origins.contains_key(&node.id) => true,
                Detail::Source(_) | Detail::UnitTest(_) => false,
                Detail::SingularTest | Detail::GenericTest(_) => failures_kept(node, job.options.store_failures).is_some(),
                _ => true,
            })
            .filter_map(|node| node.relation.clone());
        let mut catalog = Catalog { folds: folds_case(job.engine), built: built.collect(), ..Catalog::default() };
        catalog.found = relations.into_iter().map(|held| (catalog.key(&held.relation), held)).collect();
        catalog
    }

    fn folded(&self, name: &str) -> String {
        if self.folds { name.to_lowercase() } else { name.to_owned() }
    }

    fn key(&self, relation: &Relation) -> (String, String) {
        (self.folded(&relation.schema), self.folded(&relation.identifier))
    }

    /// What earlier runs left under the names that a relation gets when it is replaced.
    pub(super) fn retired_of(&self, live: &Relation) -> Vec<(Relation, RelationKind)> {
        let prefix = self.folded(&retired_prefix(&live.identifier));
        let schema = self.folded(&live.schema);
        let named = self.found.iter().filter(|((held, name), _)| *held == schema && name.starts_with(&prefix));
        named.map(|(_, held)| (held.relation.clone(), held.kind)).collect()
    }

    fn held(&self, relation: &Relation) -> Option<&CatalogRelation> {
        self.found.get(&self.key(relation))
    }

    fn existing(&self, relation: &Relation) -> Existing {
        let held = self.held(relation);
        Existing { kind: held.map(|held| held.kind), owner: held.and_then(|held| held.owner.clone()), ..Existing::default() }
    }

    pub(super) fn kind(&self, relation: &Relation) -> Option<RelationKind> {
        self.held(relation).map(|held| held.kind)
    }
}

/// A node whose templates are rendered, before it is planned.
pub(super) struct Draft {
    pub(super) compiled: CompiledNode,
    pub(super) state: NodeState,
    relation: Relation,
    materialization: Option<UniqueId>,
    existing: Existing,
    hooks: Hooks,
    /// The plan depends on the columns of the query, which the engine is asked for.
    described: bool,
    physical: Physical,
    /// Its table is made of columns that are written out.
    declares: bool,
}

/// A node ready to be run.
pub(super) struct Prepared {
    pub(super) compiled: CompiledNode,
    pub(super) plan: NodePlan,
    pub(super) state: NodeState,
}

/// Why a node could not be prepared or run.
#[derive(Debug)]
pub(super) enum NodeError {
    Diagnostic(Box<Diagnostic>),
    Adapter(AdapterError),
}

impl NodeError {
    /// The same, with something more to know. A node that somebody stopped says nothing.
    pub(super) fn with_help(mut self, help: String) -> NodeError {
        match &mut self {
            NodeError::Diagnostic(problem) => problem.help.push(help),
            NodeError::Adapter(AdapterError::Connection { hints, .. } | AdapterError::Statement { hints, .. }) => hints.push(help),
            NodeError::Adapter(AdapterError::Cancelled | AdapterError::Io(_)) => {}
        }
        self
    }
}

impl From<Diagnostic> for NodeError {
    fn from(problem: Diagnostic) -> NodeError {
        NodeError::Diagnostic(Box::new(problem))
    }
}

impl From<AdapterError> for NodeError {
    fn from(error: AdapterError) -> NodeError {
        NodeError::Adapter(error)
    }
}

/// Compiles and plans a node that builds a relation or loads files. Tests are not planned: they are queries. Of a model that is
/// built in batches, the first.
pub(super) fn prepare(turn: &Turn<'_>) -> Result<Prepared, NodeError> {
    if let Some(origin) = turn.job.served.origins.get(&turn.node.id) {
        return arrival::prepare(turn, origin);
    }
    if matches!(turn.node.detail, Detail::Source(_)) {
        return Ok(Prepared {
            compiled: CompiledNode::default(),
            plan: match external::is_external(turn) {
                true => external::plan(turn)?,
                false => load_source::plan(turn.job, turn.node, turn.session)?,
            },
            state: NodeState::default(),
        });
    }
    let batch = batches(turn).and_then(|batches| batches.at(0, false));
    plan(turn, draft_in(turn, NodeState { batch, ..state_of(turn) }, hooks(turn.node))?, false)
}

/// What stands in the database under the node's name when the run begins.
pub(super) fn state_of(turn: &Turn<'_>) -> NodeState {
    let existing = turn.node.relation.as_ref().and_then(|relation| turn.catalog.kind(relation));
    NodeState { existing, full_refresh: turn.job.options.full_refresh, batch: None }
}

/// Looks at the database and renders the templates.
pub(super) fn draft(turn: &Turn<'_>) -> Result<Draft, NodeError> {
    draft_in(turn, state_of(turn), hooks(turn.node))
}

/// The same for a given state of the database.
pub(super) fn draft_in(turn: &Turn<'_>, state: NodeState, hooks: Hooks) -> Result<Draft, NodeError> {
    let Turn { job, node, catalog, session, .. } = *turn;
    let Some(relation) = &node.relation else {
        return Err(Diagnostic::new(&codes::INVALID_CONFIG, format!("'{}' has no relation to build", node.name)).at(node.origin).into());
    };
    check_name(job, node, relation)?;
    let warehouse: Arc<dyn Warehouse> = Arc::new(SessionWarehouse(session.clone()));
    let compiled = job.compilation.compile_node(node, state, Some(warehouse))?;
    job.compilation.check_certain(node)?;
    node_fits(job.compilation, node, &compiled, job.engine)?;
    let materialization = match node.detail {
        Detail::Model(_) | Detail::Snapshot { .. } => job.compilation.templates.materialization(node.materialized(), &node.package),
        _ => None,
    };
    if materialization.is_none() && node.materialized() == "materialized_view" && !has_materialized_views(job.engine) {
        let message = format!("'{}' is to be a materialized view, which this engine does not have", node.name);
        let place = node.config.span("materialized").or(node.body).unwrap_or(node.origin);
        let problem = Diagnostic::new(&codes::UNKNOWN_MATERIALIZATION, message).at(place);
        return Err(problem
            .help("make it a table there: materialized: \"{{ 'table' if target.type == 'duckdb' else 'materialized_view' }}\"")
            .into());
    }
    if materialization.is_none() && node.materialized() == "materialized_view" && crate::dialect::binds_materialized_views(job.engine) {
        check_reads(turn)?;
    }
    if materialization.is_none() && !matches!(node.detail, Detail::Seed { .. }) {
        check_is_query(node, &compiled)?;
    }
    let physical = Physical::of(node, storage(job.engine))?;
    partitions::check_numbers(turn, &physical)?;
    let mut existing = look_up(node, relation, state.existing, catalog, session)?;
    if node.materialized() == "materialized_view" && !crate::dialect::binds_materialized_views(job.engine) {
        look_up_view(relation, &mut existing, session)?;
    }
    // What the database numbers is nobody else's affair.
    existing.columns.retain(|column| !physical.numbers(&column.name));
    let refreshes = node.config.bool("full_refresh").unwrap_or(state.full_refresh);
    let stays = node.materialized() == "incremental" && existing.kind == Some(RelationKind::Table) && !refreshes;
    let declares = physical.is_declared() && !stays;
    let leaves_hooks = materialization.as_ref().is_some_and(|macro_id| job.compilation.templates.runs_hooks(macro_id));
    Ok(Draft {
        described: node.contract_enforced() || (declares || needs_columns(node, &existing)) && materialization.is_none(),
        declares,
        physical,
        relation: relation.clone(),
        hooks: if leaves_hooks { Hooks::default() } else { hooks },
        compiled,
        state,
        materialization,
        existing,
    })
}

impl Draft {
    /// The hooks and the header that the query may need, where the engine is asked about the query: they come first then.
    pub(super) fn leading(&self, node: &Node) -> Option<NodePlan> {
        let plan = plan_leading(node, &self.hooks);
        let described = self.described && !matches!(node.detail, Detail::Seed { .. });
        (described && plan.all().next().is_some()).then_some(plan)
    }
}

/// Plans a node. `begun`: what leads its steps has been run already, in the transaction that is open.
pub(super) fn plan(turn: &Turn<'_>, draft: Draft, begun: bool) -> Result<Prepared, NodeError> {
    let Turn { job, node, session, .. } = *turn;
    let leads = !begun && draft.leading(node).is_some();
    let Draft { compiled, state, relation, materialization, existing, hooks, described, physical, declares } = draft;
    let query = before_semicolon(&compiled.sql);
    let is_seed = matches!(node.detail, Detail::Seed { .. });
    let described = if described && !is_seed { locked(session).describe(query) } else { Ok(Vec::new()) };
    let mut incoming = described.map_err(|error| match query_failed(node, &compiled, error) {
        NodeError::Diagnostic(problem) if leads => {
            problem.help("what its pre-hook or header makes is not there yet: a run makes it first").into()
        }
        error => error,
    })?;
    let contract = match node.contract_enforced() {
        true => Some(contract::check(turn, state, &mut incoming, begun)?),
        false if declares && materialization.is_none() && !is_seed => Some(contract::of_query(turn, &incoming)?),
        false => None,
    };
    if let Some(contract) = &contract {
        let typed = contract.columns.iter().map(|column| (column.name.as_str(), column.data_type.as_str())).collect::<Vec<_>>();
        physical.check_columns(node, &typed)?;
    }
    let input = PlanInput {
        node,
        relation: &relation,
        query,
        existing: &existing,
        incoming: &incoming,
        contract,
        physical,
        full_refresh: state.full_refresh,
        batch: state.batch,
        run_tag: &job.options.tag(),
        folds_case: folds_case(job.engine),
        materialization,
        own_strategy: own_strategy(job, node),
        hooks: if begun { Hooks { before: Vec::new(), ..hooks } } else { hooks },
        begun,
        binds_views: binds_materialized_views(job.engine),
    };
    let mut plan = match &node.detail {
        Detail::Seed { path } => {
            let file = std::fs::read(job.options.root.join(path)).map_err(|error| {
                Diagnostic::new(&codes::MISSING_FILE, format!("the file of seed '{}' cannot be read: {error}", node.name)).at(node.origin)
            })?;
            {
                let sized = |data_type: &str, bytes: usize, places: usize| seed_type(data_type, bytes, places, job.engine);
                let rules = SeedRules { lowers_names: lowers_names(job.engine), sized: &sized };
                let mut plan = plan_seed(&input, &file, rules)?;
                copied_rows::through_bucket(job, &mut plan)?;
                plan
            }
        }
        _ => plan_node(&input)?,
    };
    plan.steps.extend(unload_step(job.compilation, node, job.engine)?);
    let columns = existing.columns.iter().chain(&incoming).collect();
    if input.binds_views {
        check_replaced(turn, &plan)?;
    }
    let plan = overrides::apply(turn, plan, columns, state)?;
    Ok(Prepared { plan: if begun { plan } else { partitions_ahead(plan) }, compiled, state })
}

/// What writes a model to files, once it is in its place.
fn unload_step(compilation: &Compilation, node: &Node, engine: Engine) -> Result<Option<Step>, Diagnostic> {
    let (Detail::Model(_), Some(relation)) = (&node.detail, &node.relation) else { return Ok(None) };
    let sources = &compilation.project.sources;
    let Some(wanted) = Unloading::of(node, sources)? else { return Ok(None) };
    let iam_role = compilation.project.target.settings.get("iam_role").and_then(serde_json::Value::as_str);
    let Some(printed) = unload(relation, &wanted, iam_role, engine) else { return Ok(None) };
    let sql = printed.map_err(|why| {
        let message = format!("'{}' cannot be unloaded so: {why}", node.name);
        Diagnostic::new(&codes::INVALID_UNLOAD, message).at(unload_place(node, "", sources))
    })?;
    Ok(Some(Step::Unload { place: wanted.to, sql }))
}

/// Whether a run could do with a node what its configuration asks for on the engine: what `compile` finds without a connection.
///
/// # Errors
/// `statement-too-large`, `unsupported-in-dialect` for sources that the engine cannot read, `invalid-unload`.
pub fn node_fits(compilation: &Compilation, node: &Node, compiled: &CompiledNode, engine: Engine) -> Result<(), Diagnostic> {
    statement_fits(node, compiled, engine)?;
    reads_fit(compilation, node, engine)?;
    unload_step(compilation, node, engine).map(|_| ())
}

/// The plan that keeps the failing rows of a test, given as a query.
pub(super) fn prepare_failures(turn: &Turn<'_>, kind: RelationKind, compiled: &CompiledNode, query: &str) -> Result<Prepared, NodeError> {
    let Turn { job, node, catalog, .. } = *turn;
    let Some(relation) = &node.relation else {
        return Err(Diagnostic::new(&codes::INVALID_CONFIG, format!("'{}' has no relation for its failures", node.name))
            .at(node.origin)
            .into());
    };
    check_name(job, node, relation)?;
    let existing = catalog.existing(relation);
    let input = PlanInput {
        node,
        relation,
        query,
        existing: &existing,
        incoming: &[],
        contract: None,
        physical: Physical::default(),
        full_refresh: false,
        batch: None,
        run_tag: &job.options.tag(),
        folds_case: folds_case(job.engine),
        materialization: None,
        own_strategy: false,
        hooks: Hooks::default(),
        begun: false,
        binds_views: false,
    };
    Ok(Prepared { compiled: compiled.clone(), plan: plan_failures(&input, kind), state: NodeState::default() })
}

/// Whether the project has the macro of a strategy that is none of dbt's.
pub(super) fn own_strategy(job: &RunJob<'_>, node: &Node) -> bool {
    let strategy = node.config.str("incremental_strategy").filter(|strategy| !matches!(*strategy, "append" | "delete+insert" | "merge"));
    strategy.is_some_and(|strategy| job.compilation.templates.is_overridden(&strategy_macro(strategy), &node.package))
}

/// An engine that cuts names would build another relation than the one that is looked up the next time.
pub(super) fn check_name(job: &RunJob<'_>, node: &Node, relation: &Relation) -> Result<(), Diagnostic> {
    match max_identifier(job.engine) {
        Some(most) if relation.identifier.len() > most => {
            let message =
                format!("the name '{}' has {} bytes, and the engine keeps {most}", relation.identifier, relation.identifier.len());
            Err(Diagnostic::new(&codes::INVALID_CONFIG, message)
                .at(node.config.span("alias").unwrap_or(node.origin))
                .help("give it a shorter 'alias'"))
        }
        _ => Ok(()),
    }
}

/// What the plan needs to know of the relation that is there.
pub(super) fn look_up(
    node: &Node,
    relation: &Relation,
    kind: Option<RelationKind>,
    catalog: &Catalog,
    session: &SharedSession,
) -> Result<Existing, AdapterError> {
    let mut existing = Existing { kind, ..catalog.existing(relation) };
    if existing.kind.is_some() && matches!(node.materialized(), "incremental" | "snapshot") {
        existing.columns = locked(session).columns(relation)?;
    }
    Ok(existing)
}

/// What the plan needs to know of a materialized view that is there.
fn look_up_view(relation: &Relation, existing: &mut Existing, session: &SharedSession) -> Result<(), AdapterError> {
    if existing.kind == Some(RelationKind::MaterializedView) {
        let mut session = locked(session);
        existing.indexes = session.readers(relation)?.indexes;
        existing.outdated = session.value(&reads_retired(relation))?.is_some();
    }
    Ok(())
}
