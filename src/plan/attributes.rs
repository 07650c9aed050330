//! What a relation has besides its rows, as the configuration asks for it: indexes, descriptions, privileges.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::materialize::{PlanInput, with_hooks};
use super::partitions::check_indexes;
use super::publication::Managed;
use super::steps::{Comment, Index, NodePlan, Privilege, Step, suffixed};
use crate::base::{ColumnInfo, Relation, RelationKind};
use crate::diag::Diagnostic;
use crate::project::Node;

/// The whole plan of a relation that `steps` build: indexes where a table is made anew; privileges, descriptions and hooks in
/// the order in which dbt's materializations have them.
///
/// # Errors
/// `invalid-config` for an index that is no index.
pub(super) fn finished(input: &PlanInput<'_>, steps: Vec<Step>) -> Result<NodePlan, Diagnostic> {
    let (mut steps, kind) = with_indexes(input, steps)?;
    let anew = steps.iter().any(|step| matches!(step, Step::Publish(_) | Step::ReplaceView(_)));
    let relation = input.relation.clone();
    let privileges = privileges(input.node).map(|wanted| Step::SetPrivileges { relation, wanted, held: Vec::new(), exact: !anew });
    let settings: Vec<Step> = privileges.into_iter().chain(comment(input, kind, anew).map(Step::Comment)).collect();
    // Hooks of tables run before privileges are set, those of everything else behind.
    if input.node.materialized() == "table" {
        let mut plan = with_hooks(steps, &input.hooks);
        plan.steps.extend(settings);
        return Ok(plan);
    }
    steps.extend(settings);
    Ok(with_hooks(steps, &input.hooks))
}

/// The steps with those that make indexes, and the kind of relation that they build.
fn with_indexes(input: &PlanInput<'_>, steps: Vec<Step>) -> Result<(Vec<Step>, RelationKind), Diagnostic> {
    let indexes = indexes(input)?;
    let mut all = Vec::with_capacity(steps.len());
    let is_view = input.node.materialized() == "materialized_view";
    let mut kind = if is_view { RelationKind::MaterializedView } else { RelationKind::Table };
    for step in steps {
        let Step::Publish(publish) = step else {
            all.push(step);
            continue;
        };
        kind = publish.kind;
        let is_table = matches!(kind, RelationKind::Table | RelationKind::MaterializedView) && !indexes.is_empty();
        let build = |table: &Relation, published: bool| Step::CreateIndexes { table: table.clone(), indexes: indexes.clone(), published };
        let (before, after) = (build(&publish.staged, false), build(&publish.live, true));
        // Readers wait from the reservation on: what takes long stands before it.
        let reserved = all.iter().position(|step| matches!(step, Step::Reserve(_))).unwrap_or(all.len());
        if is_table {
            all.insert(reserved, before);
        }
        all.push(Step::Publish(publish));
        if is_table {
            all.push(after);
        }
    }
    Ok((all, kind))
}

/// The name holds what the index is and this run: the table that is replaced still has the index of an earlier one.
pub(super) fn indexes(input: &PlanInput<'_>) -> Result<Vec<Index>, Diagnostic> {
    let described = input.node.indexes()?;
    let indexes: Vec<Index> = described
        .into_iter()
        .map(|index| {
            let mut said = format!("{:?}{}{:?}", index.columns, index.unique, index.method);
            // Names of indexes that dbt's words describe stay what they were.
            if index.predicate.is_some() || !index.include.is_empty() {
                said.push_str(&format!("{:?}{:?}", index.predicate, index.include));
            }
            let digest = Sha256::digest(said);
            let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            let name = suffixed(&input.relation.identifier, &format!("__{hash}_{}", input.run_tag));
            Index {
                name,
                columns: index.columns,
                unique: index.unique,
                method: index.method,
                predicate: index.predicate,
                include: index.include,
            }
        })
        .collect();
    check_indexes(input, &indexes)?;
    Ok(indexes)
}

/// The part of an index's name that only indexes of its columns and method have, whichever run made them.
pub(super) fn index_family(name: &str) -> &str {
    name.rsplit_once('_').map_or(name, |(family, _)| family)
}

impl PlanInput<'_> {
    /// Whether an index of the relation has a name that acca gives.
    pub(super) fn made_by_acca(&self, index: &str) -> bool {
        let any = suffixed(&self.relation.identifier, "__00000000_00000000");
        let prefix = any.strip_suffix("00000000_00000000").unwrap_or(&any);
        let tail = index.strip_prefix(prefix).and_then(|rest| rest.split_once('_'));
        tail.is_some_and(|(hash, tag)| hash.len() == 8 && tag.len() == 8)
    }
}

/// Whether the configuration asks for descriptions in the database: of the `relation`, of its `columns`.
fn persists(node: &Node, what: &str) -> bool {
    node.config.get("persist_docs").and_then(|docs| docs.get(what)).and_then(Value::as_bool) == Some(true)
}

/// What the configuration says of a relation, which therefore does not come from the one before it.
pub(super) fn managed(node: &Node) -> Managed {
    Managed { privileges: privileges(node), comment: persists(node, "relation"), column_comments: persists(node, "columns") }
}

/// A relation made anew has no descriptions; from columns of one that stays, those that are not described any more are taken.
fn comment(input: &PlanInput<'_>, kind: RelationKind, anew: bool) -> Option<Comment> {
    let node = input.node;
    let written = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let text = written(&node.description).filter(|_| persists(node, "relation"));
    let columns: Vec<(String, Option<String>)> = if persists(node, "columns") {
        let described = node.columns.iter().map(|column| (column.name.clone(), written(&column.description)));
        described.filter(|(_, text)| text.is_some() || !anew).collect()
    } else {
        Vec::new()
    };
    (text.is_some() || !columns.is_empty()).then(|| Comment { relation: input.relation.clone(), kind, text, columns })
}

impl Comment {
    /// The comment on the columns that there are, by their own names. A relation without columns is not there yet.
    #[must_use]
    pub fn of_columns(self, held: &[ColumnInfo]) -> Comment {
        let own_name = |written: &str| {
            let (name, exact) = match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                Some(exact) => (exact, true),
                None => (written, false),
            };
            let same = |column: &&ColumnInfo| column.name == name || !exact && column.name.eq_ignore_ascii_case(name);
            held.iter().find(same).map(|column| column.name.clone())
        };
        let columns = match held {
            [] => self.columns,
            _ => self.columns.into_iter().filter_map(|(written, text)| Some((own_name(&written)?, text))).collect(),
        };
        Comment { columns, ..self }
    }
}

/// `None` when the configuration says nothing of privileges: then they stay as they are.
fn privileges(node: &Node) -> Option<Vec<Privilege>> {
    let grants = node.config.get("grants")?.as_object().filter(|grants| !grants.is_empty())?;
    let mut wanted: Vec<Privilege> = grants
        .iter()
        .flat_map(|(right, grantees)| {
            let named: Vec<&str> = match grantees {
                Value::String(one) => vec![one],
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            named.into_iter().map(|grantee| Privilege { right: right.to_lowercase(), grantee: role_name(grantee) }).collect::<Vec<_>>()
        })
        .collect();
    wanted.sort();
    wanted.dedup();
    Some(wanted)
}

/// A role as SQL reads it: folded to lower case unless it is in quotes.
fn role_name(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(exact) => exact.replace("\"\"", "\""),
        None => written.to_lowercase(),
    }
}
