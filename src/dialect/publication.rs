//! Statements that put a relation in the place of another.

use super::steps::{Fallback, Statement};
use super::{Engine, quote_text, relation_word};
use crate::base::{Relation, RelationKind, quote_ident};
use crate::plan::{Dependent, Publish, Reserve};

/// Two publications that bind the same views would wait for each other: of those that have what they replace, one at a time
/// takes the views along. The lock belongs to the session, so it can be given back before the transaction ends.
pub fn one_publication() -> String {
    format!("select pg_advisory_lock({})", publication_key())
}

/// Gives [`one_publication`] back; does nothing when it is not held.
pub fn end_publication() -> String {
    format!(
        "select pg_advisory_unlock({0}) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and objsubid = 1 \
         and (classid::bigint << 32 | objid::bigint) = {0} and granted",
        publication_key()
    )
}

fn publication_key() -> String {
    format!("hashtextextended({}, 0)", quote_text("acca: publication"))
}

/// What a replaced relation says of itself, so that a later run may drop it and nothing else.
const RETIRED: &str = "acca: replaced, to be dropped when nothing reads it any more";

/// Asks which of these relations acca has left behind: schema and name. `None` for none, and on engines where none is left.
pub fn retired_among<'r>(relations: impl Iterator<Item = &'r Relation>, engine: Engine) -> Option<String> {
    let pair = |relation: &Relation| format!("({}, {})", quote_text(&relation.schema), quote_text(&relation.identifier));
    let pairs = relations.map(pair).collect::<Vec<_>>().join(", ");
    (engine == Engine::Postgres && !pairs.is_empty()).then(|| {
        format!(
            "select n.nspname::text, c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where (n.nspname, c.relname) in ({pairs}) and obj_description(c.oid, 'pg_class') = {}",
            quote_text(RETIRED)
        )
    })
}

/// One row when a view reads something that acca has replaced.
pub fn reads_retired(view: &Relation) -> String {
    format!(
        "select 1 from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass \
         join pg_class v on v.oid = r.ev_class join pg_namespace n on n.oid = v.relnamespace \
         where n.nspname = {} and v.relname = {} and obj_description(d.refobjid, 'pg_class') = {} limit 1",
        quote_text(&view.schema),
        quote_text(&view.identifier),
        quote_text(RETIRED)
    )
}

/// How long the statements of this session wait for a lock from now on: not longer than they did. Engines without locks have none.
pub fn patience_of_session(milliseconds: u128, engine: Engine) -> Option<String> {
    (engine == Engine::Postgres).then(|| {
        format!(
            "select set_config('lock_timeout', (case when setting::bigint between 1 and {milliseconds} then setting else '{milliseconds}' end), \
             false) from pg_settings where name = 'lock_timeout'"
        )
    })
}

/// How long the statements after this one wait for a lock, within the transaction.
pub fn patience(milliseconds: u64) -> String {
    format!("set local lock_timeout = {milliseconds}")
}

/// Keeps everybody from a relation. `lock table` would take what a view reads along and knows no materialized views; an owner
/// that stays the same changes nothing, and locks a relation of any kind.
pub fn lock_out(relation: &Relation, kind: RelationKind, owner: &str) -> String {
    match kind {
        RelationKind::Table => format!("lock table {} in access exclusive mode", relation.quoted()),
        RelationKind::View | RelationKind::MaterializedView | RelationKind::External => {
            format!("alter table {} owner to {}", relation.quoted(), quote_ident(owner))
        }
    }
}

/// As [`lock_out`], for a view that goes along; one that the session may not change is left, as it is changed only in an emergency.
pub fn lock_reader(view: &Dependent) -> Option<String> {
    (view.direct || view.changeable).then(|| lock_out(&view.relation, view.kind, &view.owner))
}

/// As [`lock_out`], for a table whose foreign key is made anew.
pub fn lock_referring(table: &Relation) -> String {
    lock_out(table, RelationKind::Table, "")
}

pub(super) fn reserve(step: &Reserve) -> Vec<String> {
    let mut statements = vec![lock_out(&step.live, step.kind, &step.owner), one_publication()];
    statements.extend(step.referring.iter().map(lock_referring));
    statements.extend(step.readers.iter().filter_map(lock_reader));
    statements
}

fn rename(kind: RelationKind, from: &Relation, to: &Relation) -> Statement {
    Statement::plain(format!("alter {} {} rename to {}", relation_word(kind), from.quoted(), quote_ident(&to.identifier)))
}

pub(super) fn publish(step: &Publish, engine: Engine) -> Vec<Statement> {
    let into_place = rename(step.kind, &step.staged, &step.live);
    let Some(replaced) = step.replaced else { return vec![into_place] };
    if engine == Engine::DuckDb {
        // Views are bound by name at each query: nothing holds on to the old relation.
        return vec![Statement::plain(drop_retired(&step.live, replaced)), into_place];
    }
    let mut statements = vec![rename(replaced, &step.live, &step.retired)];
    statements.extend(step.retired_indexes.iter().map(|(from, to)| {
        Statement::plain(format!("alter index {} rename to {}", step.live.with_identifier(from).quoted(), quote_ident(to)))
    }));
    statements.push(into_place);
    statements.extend(step.settings.iter().cloned().map(Statement::plain));
    let references = step.references.iter().flat_map(|key| [Some(&key.take), key.anew.then_some(&key.give)]);
    statements.extend(references.flatten().cloned().map(Statement::plain));
    statements.extend(rebind(step));
    statements.push(Statement::plain(match step.keep_retired {
        true => format!("comment on {} {} is {}", relation_word(replaced), step.retired.quoted(), quote_text(RETIRED)),
        false => drop_retired(&step.retired, replaced),
    }));
    statements
}

/// The last reader first.
pub(super) fn drop_views(views: &[Dependent]) -> Vec<String> {
    views.iter().rev().map(|view| format!("drop {} {}", relation_word(view.kind), view.relation.quoted())).collect()
}

pub(super) fn create_views(views: &[Dependent]) -> Vec<String> {
    let create = |view: &Dependent| format!("create {} {} as\n{}", relation_word(view.kind), view.relation.quoted(), view.definition);
    views.iter().flat_map(|view| [create(view)].into_iter().chain(view.settings.iter().cloned())).collect()
}

/// Binds views to the new relation in place, which keeps their privileges. PostgreSQL refuses that with 42P16 when a column's
/// type or name has changed: then the views are dropped and made anew, the last reader first.
fn rebind(step: &Publish) -> Vec<Statement> {
    if step.rebind.is_empty() {
        return Vec::new();
    }
    let anew = [drop_views(&step.rebind), create_views(&step.rebind)].concat();
    let rebinding = |sql: String| Statement { rebinds: true, ..Statement::plain(sql) };
    let direct = step.rebind.iter().filter(|view| view.direct);
    if direct.clone().any(|view| view.kind != RelationKind::View) {
        return anew.into_iter().map(rebinding).collect();
    }
    let in_place = direct.map(|view| bind_view(view, &view.definition)).collect::<Vec<_>>().join(";\n");
    vec![Statement { otherwise: Some(Fallback { code: "42P16", statements: anew }), ..rebinding(in_place) }]
}

/// `create or replace view` forgets the options that it does not repeat.
fn bind_view(view: &Dependent, definition: &str) -> String {
    let options = if view.options.is_empty() { String::new() } else { format!(" with ({})", view.options) };
    format!("create or replace view {}{options} as\n{definition}", view.relation.quoted())
}

/// Binds a reader of a retired relation to the one in its place, for the end of a run. The retired name exists once in the
/// world: replacing its text cannot hit anything else.
pub fn bind_to_live(view: &Dependent, retired: &Relation, live: &Relation) -> String {
    let name = quote_ident(&live.identifier);
    bind_view(view, &view.definition.replace(&quote_ident(&retired.identifier), &name).replace(&*retired.identifier, &name))
}

pub fn drop_retired(retired: &Relation, kind: RelationKind) -> String {
    format!("drop {} {}", relation_word(kind), retired.quoted())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::print_step;
    use crate::plan::{Managed, Step};

    fn publish_step(rebind: Vec<Dependent>, keep_retired: bool) -> Step {
        let live = Relation::new("d", "s", "orders");
        Step::Publish(Publish {
            staged: live.with_identifier("orders__acca_stage"),
            retired: live.with_identifier("orders__acca_old_1"),
            live,
            kind: RelationKind::Table,
            replaced: Some(RelationKind::View),
            rebind,
            keep_retired,
            retired_indexes: Vec::new(),
            settings: Vec::new(),
            references: Vec::new(),
            managed: Managed::default(),
        })
    }

    fn printed(step: &Step, engine: Engine) -> String {
        print_step(step, engine).into_iter().map(|statement| statement.shown()).collect::<Vec<_>>().join(";\n")
    }

    #[test]
    fn publishing_never_cascades() {
        let view = Dependent {
            relation: Relation::new("d", "s", "v"),
            kind: RelationKind::View,
            owner: "o".to_owned(),
            changeable: true,
            direct: true,
            reads: Vec::new(),
            columns: Vec::new(),
            definition: "SELECT 1".to_owned(),
            options: "security_barrier=true".to_owned(),
            settings: Vec::new(),
        };
        insta::assert_snapshot!(printed(&publish_step(vec![view], false), Engine::Postgres), @r#"
        alter view "d"."s"."orders" rename to "orders__acca_old_1";
        alter table "d"."s"."orders__acca_stage" rename to "orders";
        create or replace view "d"."s"."v" with (security_barrier=true) as
        SELECT 1;
        -- if that is refused with 42P16, then instead:
        -- drop view "d"."s"."v";
        -- create view "d"."s"."v" as
        -- SELECT 1;
        drop view "d"."s"."orders__acca_old_1"
        "#);
        insta::assert_snapshot!(printed(&publish_step(Vec::new(), true), Engine::DuckDb), @r#"
        drop view "d"."s"."orders";
        alter table "d"."s"."orders__acca_stage" rename to "orders"
        "#);
    }
}
