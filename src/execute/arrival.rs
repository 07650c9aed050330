//! Tables that come from another target: written into files there, loaded here, and published when all rows are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::connect::{connection_failed, engine_of};
use super::node::{Outcome, Turn, go_on, run_plan, write_script};
use super::prepare::{NodeError, Prepared, check_name, look_up};
use super::warehouse::locked;
use super::{Adapter, AdapterError, Buckets, Session};
use crate::analysis::CompiledNode;
use crate::base::{ColumnInfo, Relation, RelationKind, Span, UniqueId, quote_ident};
use crate::diag::{Diagnostic, codes};
use crate::dialect::transfer::{Bucket, Transfer, arriving, instant_or_number};
use crate::dialect::{ColumnType, Engine, folds_case, storage};
use crate::jinja::{Message, NodeState};
use crate::plan::{Arrival, Counted, Existing, Hooks, Newer, Physical, PlanInput, SendRows, Status, StorageFeatures, plan_arrival, staged};
use crate::project::{Node, Target, TransferPlace};

/// Where the rows of a node come from that is built on another target.
#[derive(Clone)]
pub struct Origin {
    pub target: Target,
    pub relation: Relation,
    /// `None`: nothing says where rows pass.
    pub place: Option<TransferPlace>,
    /// `None`: the target is not connected to.
    pub adapter: Option<Arc<dyn Adapter>>,
    /// Whether what it answers comes from a database.
    pub asked: bool,
    /// For `explain`: the columns that the table will have, where it is not there yet.
    pub expected: Option<Vec<ColumnInfo>>,
}

/// The nodes of a run that are built elsewhere, by id.
pub type Origins = BTreeMap<UniqueId, Origin>;

/// What stands for the highest watermark where nobody is asked for it.
const UNASKED: &str = ":highest_watermark_there";

/// The rows that left another target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    rows: u64,
    /// All rows of the table, where only some were sent.
    total: Option<u64>,
}

impl Sent {
    pub(super) fn is_empty(self) -> bool {
        self.rows == 0
    }
}

impl Origin {
    fn connect(&self) -> Result<Box<dyn Session>, NodeError> {
        let adapter = self.adapter.as_ref().ok_or_else(|| {
            let message = format!("target '{}' would be asked, which is not connected to", self.target.name);
            NodeError::from(Diagnostic::new(&codes::CONNECTION_FAILED, message).help("explain it with a connection"))
        })?;
        adapter.connect().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: AdapterError) -> NodeError {
        match error {
            AdapterError::Cancelled => NodeError::Adapter(AdapterError::Cancelled),
            error @ AdapterError::Connection { .. } => connection_failed(&self.target, &error).into(),
            error => {
                let message = format!("on target '{}': {error}", self.target.name);
                Diagnostic::new(&codes::STATEMENT_FAILED, message).into()
            }
        }
    }
}

/// Fetches the table and puts it into the place of what is there.
pub(super) fn run(turn: &Turn<'_>, origin: &Origin, outcome: &mut Outcome) -> Result<(), NodeError> {
    let done = prepare(turn, origin).and_then(|prepared| run_plan(turn, &prepared, outcome)).map_err(|error| placed(turn.node, error));
    write_script(turn, outcome);
    if outcome.unloaded {
        delete_files(turn, origin, outcome);
    }
    done?;
    let rows = outcome.sent.map_or(0, |sent| sent.rows);
    outcome.status = Some(Status::Success);
    outcome.rows_affected = Some(rows);
    outcome.message = format!("{} from {}", if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }, origin.target.name);
    Ok(())
}

fn placed(node: &Node, error: NodeError) -> NodeError {
    match error {
        NodeError::Diagnostic(problem) if problem.primary.is_none() => problem.at(place(node)).into(),
        error => error,
    }
}

fn place(node: &Node) -> Span {
    node.config.span("meta").unwrap_or(node.origin)
}

/// Plans the steps of both targets.
pub(super) fn prepare(turn: &Turn<'_>, origin: &Origin) -> Result<Prepared, NodeError> {
    let Turn { job, node, .. } = *turn;
    let Some(relation) = &node.relation else {
        return Err(Diagnostic::new(&codes::INVALID_CONFIG, format!("'{}' has no relation", node.name)).at(node.origin).into());
    };
    check_name(job, node, relation)?;
    let from = engine_of(&origin.target)?;
    let Some(through) = &origin.place else { return Err(no_place(turn, origin).into()) };
    let mut asked = origin.connect()?;
    let joined = turn.running.join(asked.cancel_handle());
    let held = asked.columns(&origin.relation).map_err(|error| origin.failed(error))?;
    drop((joined, asked));
    let origin = &match (held.is_empty(), &origin.expected) {
        (true, Some(_)) => Origin { asked: false, ..origin.clone() },
        _ => origin.clone(),
    };
    let held = if origin.asked { held } else { origin.expected.clone().unwrap_or(held) };
    if held.is_empty() {
        let message =
            format!("{} is not there on target '{}', from which it is to go to this one", origin.relation.display(), origin.target.name);
        return Err(Diagnostic::new(&codes::STATEMENT_FAILED, message).at(place(node)).help("build it with --target all").into());
    }
    let columns = match arriving(&held, from, job.engine) {
        Ok(columns) => columns,
        // What a query gives is known more exactly by the engine: of what cannot go as it looks from here, the type is shown that it has there.
        Err(_) if !origin.asked => {
            let as_there = |column: &ColumnInfo| {
                let arriving = arriving(std::slice::from_ref(column), from, job.engine).ok().and_then(|mut columns| columns.pop());
                arriving.unwrap_or_else(|| column.clone())
            };
            held.iter().map(as_there).collect()
        }
        Err(why) => return Err(untransferable(turn, origin, &why).into()),
    };
    let state = NodeState { existing: turn.catalog.kind(relation), full_refresh: job.options.full_refresh, batch: None };
    let existing = look_up(node, relation, state.existing, turn.catalog, turn.session)?;
    let newer = newer(turn, origin, &held, &columns, &existing)?;
    let transfer = Transfer {
        from: (from, origin.relation.clone()),
        to: (job.engine, staged(relation)),
        columns: columns.clone(),
        bucket: bucket(turn, origin, through),
        folder: folder(turn),
        only: newer.clone(),
    };
    let plan = transfer.plan().map_err(|why| untransferable(turn, origin, &why))?;
    let count = |relation: &Relation| format!("select count(*) from {}", relation.quoted());
    let arrival = Arrival {
        send: SendRows {
            target: origin.target.name.clone(),
            table: origin.relation.clone(),
            place: plan.place,
            settings: plan.settings,
            unsafe_rows: plan.unsafe_rows,
            unload: plan.unload,
            sent: plan.sent,
            total: newer.as_ref().map(|_| count(&origin.relation)),
        },
        columns,
        load: plan.load,
        arrived: plan.arrived,
        newer: newer.map(|replaced| Newer { replaced, total: count(relation) }),
    };
    // Numbers are given where the table is built.
    let has = StorageFeatures { identity: true, partitions: false, ..storage(job.engine) };
    let physical = Physical { identities: Vec::new(), ..Physical::of(node, has)? };
    let input = PlanInput {
        node,
        relation,
        query: "",
        existing: &existing,
        incoming: &[],
        contract: None,
        physical,
        full_refresh: state.full_refresh,
        batch: None,
        run_tag: &job.options.tag(),
        folds_case: folds_case(job.engine),
        materialization: None,
        own_strategy: false,
        // They belong to what builds the table.
        hooks: Hooks::default(),
        begun: false,
        binds_views: false,
    };
    Ok(Prepared { compiled: CompiledNode::default(), plan: plan_arrival(&input, arrival)?, state })
}

/// Of two warehouses, one is on Redshift: its role is the one that a place without one means.
fn bucket(turn: &Turn<'_>, origin: &Origin, place: &TransferPlace) -> Bucket {
    let role = |target: &Target| target.settings.get("iam_role").and_then(serde_json::Value::as_str).map(str::to_owned);
    let iam_role = place.iam_role.clone().or_else(|| role(&turn.job.compilation.project.target)).or_else(|| role(&origin.target));
    Bucket { name: place.bucket.clone(), region: place.region.clone(), prefix: place.prefix.clone(), iam_role }
}

fn no_place(turn: &Turn<'_>, origin: &Origin) -> Diagnostic {
    let (node, here) = (turn.node, &turn.job.compilation.project.target.name);
    let message = format!("'{}' goes from target '{}' to '{here}', and nothing says through which bucket", node.name, origin.target.name);
    Diagnostic::new(&codes::INVALID_CONFIG, message)
        .at(place(node))
        .help("add to 'serving:' of acca.yml: transfer: {bucket: s3://name/prefix, region: …, iam_role: …}")
}

fn untransferable(turn: &Turn<'_>, origin: &Origin, why: &str) -> Diagnostic {
    let (node, here) = (turn.node, &turn.job.compilation.project.target.name);
    let message = format!("'{}' cannot go from target '{}' to '{here}': {why}", node.name, origin.target.name);
    Diagnostic::new(&codes::INVALID_CONFIG, message).at(node.body.unwrap_or(node.origin))
}

/// The condition of the rows that go over, where others are there already: those from the highest watermark on, which may not have
/// been complete when they were sent last, and those without one. `None`: all rows, as where columns have other types than before.
fn newer(
    turn: &Turn<'_>,
    origin: &Origin,
    held: &[ColumnInfo],
    columns: &[ColumnInfo],
    existing: &Existing,
) -> Result<Option<String>, NodeError> {
    let Turn { job, node, .. } = *turn;
    let said = node.config.get("meta").and_then(|meta| meta.get("watermark")).and_then(serde_json::Value::as_str);
    let Some(watermark) = said.filter(|_| node.materialized() == "incremental") else { return Ok(None) };
    let Some(column) = held.iter().find(|column| column.name.eq_ignore_ascii_case(watermark)) else {
        let message = format!("'meta.watermark' of '{}' names '{watermark}', which is no column of it", node.name);
        let problem = Diagnostic::new(&codes::INVALID_CONFIG, message).at(place(node));
        return Err(problem.did_you_mean(watermark, held.iter().map(|column| column.name.as_str())).into());
    };
    let is_there = |column: &ColumnInfo| {
        let same = |other: &ColumnInfo| other.name.eq_ignore_ascii_case(&column.name) && is_type(&other.data_type, &column.data_type);
        existing.columns.iter().any(same)
    };
    let same = columns.len() == existing.columns.len() && columns.iter().all(is_there);
    let refresh = node.config.bool("full_refresh").unwrap_or(job.options.full_refresh);
    if existing.kind != Some(RelationKind::Table) || refresh || !same {
        return Ok(None);
    }
    let Some(relation) = &node.relation else { return Ok(None) };
    let name = quote_ident(&column.name);
    let highest = if origin.asked {
        let sql = format!("select cast(max({name}) as varchar) from {}", relation.quoted());
        let Some(value) = locked(turn.session).value(&sql)?.map(|value| value.to_string()) else { return Ok(None) };
        let kind = &column.data_type;
        if value.is_empty() || value == "NULL" {
            return Ok(None);
        }
        instant_or_number(&value, kind).ok_or_else(|| {
            let message =
                format!("'meta.watermark' of '{}' is of type {kind}, and engines do not agree on the order of such values", node.name);
            Diagnostic::new(&codes::INVALID_CONFIG, message)
                .at(place(node))
                .help("name a column of whole numbers, numerics, days or timestamps")
        })?
    } else {
        UNASKED.to_owned()
    };
    Ok(Some(format!("{name} >= {highest} or {name} is null")))
}

/// Whether two spellings are those of one type.
fn is_type(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || matches!((ColumnType::parse(one), ColumnType::parse(other)), (Ok(one), Ok(other)) if one == other)
}

/// Writes the rows into files, in one transaction with the counts of them.
pub(super) fn send(turn: &Turn<'_>, send: &SendRows, outcome: &mut Outcome) -> Result<(), NodeError> {
    let Some(origin) = turn.job.served.origins.get(&turn.node.id) else { return Ok(()) };
    let engine = engine_of(&origin.target)?;
    let mut session = origin.connect()?;
    let _joined = turn.running.join(session.cancel_handle());
    let begin = if engine == Engine::Postgres { "begin isolation level repeatable read" } else { "begin" };
    let mut unsafe_rows = 0;
    let mut sent = || {
        if let Some(settings) = &send.settings {
            session.execute(settings)?;
        }
        session.execute(begin)?;
        let total = send.total.as_ref().map(|sql| count(&mut *session, sql)).transpose()?;
        go_on(turn)?;
        let rows = count(&mut *session, &send.sent)?;
        if let Some(sql) = &send.unsafe_rows
            && rows > 0
        {
            unsafe_rows = count(&mut *session, sql)?;
        }
        go_on(turn)?;
        if rows > 0 && unsafe_rows == 0 {
            outcome.unloaded = true;
            session.execute(&send.unload)?;
        }
        go_on(turn)?;
        session.execute("commit")?;
        Ok(Sent { rows, total })
    };
    let sent = sent().map_err(|error| origin.failed(error))?;
    if unsafe_rows > 0 {
        let message = format!(
            "{unsafe_rows} of {} rows of '{}' have a number that is infinite or none, and of those it is not known how Redshift loads them",
            sent.rows, turn.node.name
        );
        return Err(Diagnostic::new(&codes::STATEMENT_FAILED, message)
            .at(place(turn.node))
            .help("make them NULL, or cast the column to text, in the model")
            .into());
    }
    outcome.sent = Some(sent);
    Ok(())
}

/// Deletes the files of a transfer, whatever has become of it. Files that stay cost a little: that is no reason to fail.
fn delete_files(turn: &Turn<'_>, origin: &Origin, outcome: &mut Outcome) {
    let Some(through) = origin.place.as_ref().filter(|place| !place.keep_files) else { return };
    let here = &turn.job.compilation.project.target;
    // Who knows best how AWS is asked.
    let asks = if engine_of(&origin.target).is_ok_and(|engine| engine == Engine::Redshift) { &origin.target } else { here };
    let folder = folder(turn);
    let prefix = if through.prefix.is_empty() { format!("{folder}/") } else { format!("{}/{folder}/", through.prefix) };
    let deleted = Buckets::of(asks).and_then(|buckets| {
        let files = buckets.list(&through.bucket, &prefix)?;
        files.iter().try_for_each(|file| buckets.delete(&file.url))
    });
    if let Err(error) = deleted {
        let hints = match &error {
            AdapterError::Connection { hints, .. } => hints.join("; "),
            _ => String::new(),
        };
        let text = format!("files of '{}' stay in s3://{}/{prefix}: {error} ({hints})", turn.node.name, through.bucket);
        outcome.messages.push(Message { warning: true, text });
    }
}

/// Where the files of a transfer lie: nobody else's.
fn folder(turn: &Turn<'_>) -> String {
    format!("{}/{}/{}", turn.job.options.run_id, turn.job.compilation.project.target.name, turn.node.id)
}

fn count(session: &mut dyn Session, sql: &str) -> Result<u64, AdapterError> {
    let value = session.value(sql)?.map(|value| value.to_string()).unwrap_or_default();
    value.parse().map_err(|_| AdapterError::Io(format!("'{value}' is no count of rows")))
}

/// Refuses to go on where other rows are there than were sent.
pub(super) fn compare(turn: &Turn<'_>, table: &Relation, arrived: &str, of: Counted, outcome: &Outcome) -> Result<(), NodeError> {
    let Some(sent) = outcome.sent else { return Ok(()) };
    let Some(expected) = (match of {
        Counted::Sent => Some(sent.rows),
        Counted::All => sent.total,
    }) else {
        return Ok(());
    };
    let found = count(&mut **locked(turn.session), arrived)?;
    if found == expected {
        return Ok(());
    }
    let node = turn.node;
    let message = match of {
        Counted::Sent => format!("{expected} rows of '{}' were sent and {found} have arrived in {}", node.name, table.display()),
        Counted::All => format!("'{}' has {expected} rows where it is built and {found} in {}", node.name, table.display()),
    };
    let help = match of {
        Counted::Sent => "nothing was published; try it again, and see what else writes into the bucket",
        Counted::All => "rows below the watermark were added or deleted: --full-refresh sends all of them",
    };
    Err(Diagnostic::new(&codes::TRANSFER_MISMATCH, message).at(place(node)).help(help).into())
}
