//! The typed steps of one node. `explain` shows them and the executor runs them: the same list.

use sha2::{Digest, Sha256};

use super::alter::AlterColumns;
use super::contract::Contract;
use super::partitions::{CheckPartitions, MakePartitions};
use super::physical::Physical;
use super::publication::{Publish, ReplaceView, Reserve};
use super::snapshot::SnapshotSpec;
use crate::base::{ColumnInfo, Relation, RelationKind, Span, UniqueId, Window, utc_text};
use crate::jinja::MacroCall;

/// A table that a step writes or reads: in a schema, or a temporary one of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableName {
    Relation(Relation),
    Temporary(String),
}

/// What stands in the database under a node's name before it is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Existing {
    pub kind: Option<RelationKind>,
    /// Its columns in order; filled where the plan needs them.
    pub columns: Vec<ColumnInfo>,
    /// The role that owns it; `None` on engines that bind nothing to a relation by identity.
    pub owner: Option<String>,
    /// Names of its indexes; filled where the plan needs them.
    pub indexes: Vec<String>,
    /// A materialized view that still reads what this run has replaced.
    pub outdated: bool,
}

/// An index, as the configuration asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    pub columns: Vec<String>,
    pub unique: bool,
    /// The engine's word for the method: `btree`, `hash`, `gin`; `None`: its default.
    pub method: Option<String>,
    /// The rows that it is for; `None`: all.
    pub predicate: Option<String>,
    /// Columns that it holds besides, so that a query need not look at the table.
    pub include: Vec<String>,
}

/// Descriptions of a relation and its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub relation: Relation,
    pub kind: RelationKind,
    pub text: Option<String>,
    /// Names, in quotes where they are written so, and texts; `None` takes the text away.
    pub columns: Vec<(String, Option<String>)>,
}

/// A right that somebody else than the owner has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Privilege {
    /// In lower case: `select`.
    pub right: String,
    /// The role's own name; `public` for everybody.
    pub grantee: String,
}

/// A statement of the user's around the steps of a node. Its template is rendered when it is its turn: until then what it asks
/// about is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// `pre-hook` or `post-hook`.
    pub title: &'static str,
    pub template: String,
    /// Where it is written.
    pub span: Span,
    pub in_transaction: bool,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Hook(Hook),
    /// What a macro of the project gives, in the place of acca's own statement; rendered when it is its turn.
    CallMacro(MacroCall),
    /// A statement as it is.
    Statement {
        title: String,
        sql: String,
    },
    /// Rows into files at a place outside, which no transaction takes back.
    Unload {
        place: String,
        sql: String,
    },
    CreateTableAs {
        table: TableName,
        query: String,
        physical: Physical,
    },
    CreateViewAs {
        view: Relation,
        query: String,
        /// Whether it is bound to what it reads by identity, where the engine leaves the choice.
        bound: bool,
    },
    CreateMaterializedView {
        view: Relation,
        query: String,
        physical: Physical,
    },
    ReplaceView(ReplaceView),
    /// Brings the rows of a materialized view up to date.
    Refresh {
        view: Relation,
    },
    /// Drops indexes that an earlier configuration asked for.
    DropIndexes {
        of: Relation,
        names: Vec<String>,
    },
    CreateTable {
        table: Relation,
        columns: Vec<ColumnInfo>,
        physical: Physical,
    },
    /// An empty table with the columns of another.
    CreateLike {
        table: Relation,
        like: TableName,
        physical: Physical,
    },
    CheckPartitions(CheckPartitions),
    MakePartitions(MakePartitions),
    /// Brings the rows of a temporary table into one that has just been made; no columns: all, in the same order.
    FillFrom {
        table: Relation,
        source: TableName,
        columns: Vec<String>,
    },
    /// A table with declared columns and constraints.
    CreateContracted {
        table: Relation,
        contract: Contract,
    },
    /// Adds the rows of the node's query, its columns by name.
    InsertQuery {
        table: TableName,
        columns: Vec<String>,
        query: String,
    },
    /// Rows of text, `None` for NULL; each cell is cast to the type of its column.
    InsertRows {
        table: Relation,
        columns: Vec<ColumnInfo>,
        rows: Vec<Vec<Option<String>>>,
    },
    /// The same where they are many: from files in a bucket.
    CopyRows {
        table: Relation,
        columns: Vec<ColumnInfo>,
        rows: Vec<Vec<Option<String>>>,
        files: BucketFiles,
    },
    /// Waits until nobody uses a relation that is about to be replaced, nor the views that go along, and keeps others from them
    /// until the end of the transaction: what is known of them is true from then on.
    Reserve(Reserve),
    /// Puts what was built beside into the place of what is there, taking dependents along, never with CASCADE.
    Publish(Publish),
    /// Adds all rows of `source` to `target`.
    Append {
        target: Relation,
        source: TableName,
        columns: Vec<String>,
    },
    /// Deletes the rows of `target` whose keys appear in `source`.
    DeleteMatching {
        target: Relation,
        source: TableName,
        keys: Vec<String>,
        /// Those of the keys that are text.
        texts: Vec<String>,
        predicates: Vec<String>,
    },
    /// Deletes the rows of `target` whose time is in the window.
    DeleteWindow {
        target: Relation,
        /// The column with the time, as it prints.
        column: String,
        window: Window,
        predicates: Vec<String>,
    },
    /// Refuses rows of `source` that share a key: which of them counts would be left to the engine.
    CheckKeys {
        source: TableName,
        keys: Vec<String>,
    },
    Merge(Merge),
    DropTemporary {
        name: String,
    },
    AlterColumns(AlterColumns),
    /// Gathers the planner's statistics of a table that has just been filled, where the engine does not do so by itself in time.
    Analyze {
        table: Relation,
    },
    /// Indexes of a table that has just been filled. Engines differ in when they can be made: `published` says whether the
    /// table is in place already, and one of the two steps does nothing.
    CreateIndexes {
        table: Relation,
        indexes: Vec<Index>,
        published: bool,
    },
    /// Writes descriptions into the database.
    Comment(Comment),
    /// Grants the wanted privileges to others than the owner.
    SetPrivileges {
        relation: Relation,
        wanted: Vec<Privilege>,
        held: Vec<Privilege>,
        /// Whether others are taken away. A relation made anew has no others but those that everything new gets by default.
        exact: bool,
    },
    SnapshotFirst {
        table: TableName,
        spec: SnapshotSpec,
        physical: Physical,
    },
    /// Gathers changed and new rows into a temporary table.
    SnapshotChanges {
        changes: String,
        spec: SnapshotSpec,
    },
    /// Closes what has changed or is gone, and adds the new versions.
    SnapshotApply {
        changes: String,
        spec: SnapshotSpec,
    },
    /// Runs a `{% materialization %}` of the project, which sends its own statements.
    RunMaterialization {
        macro_id: UniqueId,
    },
    /// Writes rows of a table of another target into files, on that target and outside of the transaction.
    SendRows(SendRows),
    /// Fills a table with the rows that were sent, where there are any.
    FetchRows {
        table: Relation,
        sql: String,
    },
    /// Refuses to go on where another number of rows is there than was sent.
    CompareCounts {
        table: Relation,
        /// Counts the rows that are there.
        arrived: String,
        of: Counted,
    },
    /// Loads the landing files of a source that are new or have changed, each in a transaction of its own.
    LoadFiles {
        pattern: String,
        files: LandingFiles,
        /// What is sent for the first of them.
        statement: Option<String>,
    },
}

/// Files of rows in a bucket, and by which right the warehouse reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketFiles {
    pub manifest: String,
    pub iam_role: Option<String>,
    /// Of the bucket, where it is elsewhere than the warehouse.
    pub region: Option<String>,
}

/// Rows that leave another target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendRows {
    /// The name of the other target.
    pub target: String,
    pub table: Relation,
    /// Where the files are written.
    pub place: String,
    /// What the session of the other target is set to.
    pub settings: Option<String>,
    /// Counts rows that cannot go.
    pub unsafe_rows: Option<String>,
    pub unload: String,
    /// Counts the rows that are written.
    pub sent: String,
    /// Counts all rows of the table, where only some are written.
    pub total: Option<String>,
}

/// Which rows are counted on both targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Those that were written.
    Sent,
    /// All of the table.
    All,
}

/// The landing files of a source, as they are recorded, in the order of loading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LandingFiles {
    pub new: Vec<String>,
    pub changed: Vec<String>,
    /// Loaded before with the same content; a full refresh loads them all the same.
    pub unchanged: Vec<String>,
    pub refresh: bool,
}

impl LandingFiles {
    /// How many of each there are, and the first names.
    fn summary(&self) -> String {
        const SHOWN: usize = 3;
        let part = |files: &[String], word: &str| {
            let names = files.iter().take(SHOWN).map(|file| format!("'{file}'")).collect::<Vec<_>>().join(", ");
            let more = if files.len() > SHOWN { ", …" } else { "" };
            (!files.is_empty()).then(|| format!("{} {word} ({names}{more})", files.len()))
        };
        let unchanged = match (self.unchanged.len(), self.refresh) {
            (0, _) => None,
            (_, true) => part(&self.unchanged, "unchanged and loaded again"),
            (count, false) => Some(format!("{count} unchanged")),
        };
        [part(&self.new, "new"), part(&self.changed, "changed"), unchanged].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    pub target: Relation,
    pub source: TableName,
    pub keys: Vec<String>,
    /// Those of the keys that are text.
    pub texts: Vec<String>,
    /// All columns, in order.
    pub columns: Vec<String>,
    /// Those that a match updates.
    pub update: Vec<String>,
    pub predicates: Vec<String>,
}

/// All that is done for one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePlan {
    /// Hooks that ask to run outside of the transaction, before it; then what is gathered for partitions, and those.
    pub before: Vec<Step>,
    /// Run in one transaction.
    pub steps: Vec<Step>,
    /// Hooks outside of the transaction, after it.
    pub after: Vec<Step>,
    /// What is said of a run that went well, where rows do not tell.
    pub remark: Option<String>,
}

impl NodePlan {
    /// Temporary tables that outlive the transaction, which ends with dropping them where all goes well.
    pub fn left_behind(&self) -> impl Iterator<Item = &str> {
        self.before.iter().filter_map(|step| match step {
            Step::CreateTableAs { table: TableName::Temporary(name), .. } => Some(name.as_str()),
            Step::SnapshotChanges { changes, .. } => Some(changes.as_str()),
            _ => None,
        })
    }

    /// All steps in order.
    pub fn all(&self) -> impl Iterator<Item = &Step> {
        self.before.iter().chain(&self.steps).chain(&self.after)
    }
}

impl Step {
    /// A short heading for `explain` and for errors.
    pub fn title(&self) -> String {
        let name = |table: &TableName| match table {
            TableName::Relation(relation) => relation.display(),
            TableName::Temporary(name) => name.clone(),
        };
        match self {
            Step::Hook(hook) => hook.title.to_owned(),
            Step::Statement { title, .. } => title.clone(),
            Step::Unload { place, .. } => format!("unload to {place}"),
            Step::CallMacro(call) => format!("as macro {} says", call.name),
            Step::CreateTableAs { table, .. } => format!("build table {}", name(table)),
            Step::CreateViewAs { view, .. } => format!("build view {}", view.display()),
            Step::CreateMaterializedView { view, .. } => format!("build materialized view {}", view.display()),
            Step::ReplaceView(step) => format!("build materialized view {}", step.view.display()),
            Step::Refresh { view } => format!("refresh {}", view.display()),
            Step::DropIndexes { of, names } => format!("drop {} of {}", plural(names.len(), "index", "indexes"), of.display()),
            Step::CreateTable { table, .. } => format!("create table {}", table.display()),
            Step::CreateContracted { table, contract } if contract.of_query => {
                format!("create table {} with the columns of its query", table.display())
            }
            Step::CreateContracted { table, .. } => format!("create table {} as its contract declares it", table.display()),
            Step::CreateLike { table, .. } => format!("create table {} with the columns of its rows", table.display()),
            Step::CheckPartitions(step) => format!("check how {} is partitioned", step.table.display()),
            Step::MakePartitions(step) => format!("make missing partitions of {}", step.table.display()),
            Step::FillFrom { table, .. } => format!("fill table {}", table.display()),
            Step::InsertQuery { table, .. } => format!("fill table {}", name(table)),
            Step::CopyRows { table, rows, .. } => format!("copy {} into {}", plural(rows.len(), "row", "rows"), table.display()),
            Step::InsertRows { table, rows, .. } => format!("insert {} into {}", plural(rows.len(), "row", "rows"), table.display()),
            Step::Reserve(reserve) => format!("reserve {}", reserve.live.display()),
            Step::Publish(publish) => match publish.replaced {
                Some(kind) => format!("publish {} in place of the {}", publish.live.display(), kind.as_str()),
                None => format!("publish {}", publish.live.display()),
            },
            Step::Append { target, .. } => format!("append to {}", target.display()),
            Step::DeleteMatching { target, .. } => format!("delete replaced rows of {}", target.display()),
            Step::DeleteWindow { target, window, .. } => {
                format!("delete rows of {} from {} to {}", target.display(), utc_text(window.start), utc_text(window.end))
            }
            Step::CheckKeys { keys, .. } => format!("check that no two new rows share {}", keys.join(", ")),
            Step::Merge(merge) => format!("merge into {}", merge.target.display()),
            Step::Analyze { table } => format!("gather statistics of {}", table.display()),
            Step::CreateIndexes { table, indexes, .. } => {
                format!("create {} of {}", plural(indexes.len(), "index", "indexes"), table.display())
            }
            Step::Comment(comment) => format!("describe {}", comment.relation.display()),
            Step::SetPrivileges { relation, .. } => format!("grant privileges on {}", relation.display()),
            Step::AlterColumns(alter) => format!("change columns of {}", alter.table.display()),
            Step::DropTemporary { name } => format!("drop temporary table {name}"),
            Step::SnapshotFirst { spec, .. } => format!("first snapshot of {}", spec.target.display()),
            Step::SnapshotChanges { spec, .. } => format!("find changes for {}", spec.target.display()),
            Step::SnapshotApply { spec, .. } => format!("record changes in {}", spec.target.display()),
            Step::RunMaterialization { macro_id } => format!("run {macro_id}"),
            Step::SendRows(send) => format!("on target {}: unload {} to {}", send.target, send.table.display(), send.place),
            Step::FetchRows { table, .. } => format!("load {}", table.display()),
            Step::CompareCounts { table, of: Counted::Sent, .. } => {
                format!("hold the rows in {} against those that were sent", table.display())
            }
            Step::CompareCounts { table, of: Counted::All, .. } => {
                format!("hold all rows of {} against those on the other target", table.display())
            }
            Step::LoadFiles { pattern, files, .. } => format!("load files of {pattern}: {}", files.summary()),
        }
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// PostgreSQL cuts identifiers at 63 bytes; Redshift and DuckDB take more.
const MAX_IDENTIFIER: usize = 63;

/// `name` with a suffix. Where both are too long for an identifier the name is cut, and a hash of the whole name keeps two long
/// names apart that begin alike.
pub fn suffixed(name: &str, suffix: &str) -> String {
    if name.len() + suffix.len() <= MAX_IDENTIFIER {
        return format!("{name}{suffix}");
    }
    let digest: String = Sha256::digest(name.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let mut keep = MAX_IDENTIFIER.saturating_sub(suffix.len() + digest.len() + 1);
    while !name.is_char_boundary(keep) {
        keep -= 1;
    }
    format!("{}_{digest}{suffix}", name.get(..keep).unwrap_or(name))
}

/// Characters of a run's tag.
const TAG: usize = 8;

/// The name of a replaced relation until it is dropped.
pub(super) fn retired_name(name: &str, run_tag: &str) -> String {
    suffixed(name, &format!("__acca_old_{run_tag}"))
}

/// What all names of [`retired_name`] begin with.
pub fn retired_prefix(name: &str) -> String {
    let any = retired_name(name, &"0".repeat(TAG));
    any.get(..any.len() - TAG).unwrap_or(&any).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_before_the_suffix() {
        assert_eq!(suffixed("orders", "__x"), "orders__x");
        let long = "é".repeat(40);
        assert!(suffixed(&long, "__x").len() <= 63);
        assert_ne!(suffixed(&format!("{long}a"), "__x"), suffixed(&format!("{long}b"), "__x"));
    }
}
