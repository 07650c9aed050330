//! Statements for what a relation has besides its rows: indexes, descriptions, privileges.

use super::{Engine, quote_text, redshift, relation_word};
use crate::base::{Relation, quote_ident};
use crate::plan::{Comment, Index, Privilege};

/// DuckDB renames no table that has an index, so it makes them when the table is in place; elsewhere readers would wait for that.
pub(super) fn create_indexes(table: &Relation, indexes: &[Index], published: bool, engine: Engine) -> Vec<String> {
    let due = match engine {
        Engine::DuckDb => published,
        Engine::Postgres => !published,
        // It has none.
        Engine::Redshift => false,
    };
    let create = |index: &Index| {
        let unique = if index.unique { "unique " } else { "" };
        let method = match (&index.method, engine) {
            (Some(method), Engine::Postgres) => format!(" using {method}"),
            // DuckDB has one method.
            _ => String::new(),
        };
        let include = if index.include.is_empty() { String::new() } else { format!(" include ({})", index.include.join(", ")) };
        let predicate = index.predicate.as_ref().map_or_else(String::new, |predicate| format!(" where {predicate}"));
        let columns = index.columns.join(", ");
        let extra = if engine == Engine::Postgres { format!("{include}{predicate}") } else { String::new() };
        format!("create {unique}index {} on {}{method} ({columns}){extra}", quote_ident(&index.name), table.quoted())
    };
    // DuckDB has no index of some rows: one of all rows in its place would be larger, and a unique one would refuse rows that are
    // none of its affair. Nor has it one of ranges of blocks.
    let of_ranges = |index: &Index| index.method.as_deref().is_some_and(|method| method.eq_ignore_ascii_case("brin"));
    let is_had = |index: &&Index| engine == Engine::Postgres || index.predicate.is_none() && !of_ranges(index);
    if due { indexes.iter().filter(is_had).map(create).collect() } else { Vec::new() }
}

pub(super) fn comment(comment: &Comment) -> Vec<String> {
    let name = comment.relation.quoted();
    let own = comment.text.iter().map(|text| format!("comment on {} {name} is {}", relation_word(comment.kind), quote_text(text)));
    let columns =
        comment.columns.iter().map(|(column, text)| format!("comment on column {name}.{} is {}", quote_ident(column), text_or_null(text)));
    own.chain(columns).collect()
}

fn text_or_null(text: &Option<String>) -> String {
    text.as_ref().map_or_else(|| "null".to_owned(), |text| quote_text(text))
}

pub(super) fn set_privileges(relation: &Relation, wanted: &[Privilege], held: &[Privilege], exact: bool, engine: Engine) -> Vec<String> {
    if engine == Engine::DuckDb {
        return Vec::new();
    }
    let name = relation.quoted();
    let revoke = held.iter().filter(|privilege| exact && !wanted.contains(privilege));
    let grant = wanted.iter().filter(|privilege| !held.contains(privilege));
    let revoke = revoke.map(|privilege| format!("revoke {} on {name} from {}", privilege.right, grantee(privilege, engine)));
    revoke.chain(grant.map(|privilege| self::grant(relation, privilege, engine))).collect()
}

/// The statement that grants a privilege.
pub fn grant(relation: &Relation, privilege: &Privilege, engine: Engine) -> String {
    format!("grant {} on {} to {}", privilege.right, relation.quoted(), grantee(privilege, engine))
}

fn grantee(privilege: &Privilege, engine: Engine) -> String {
    match privilege.grantee.as_str() {
        "public" => "public".to_owned(),
        written if engine == Engine::Redshift => redshift::grantee(written),
        role => quote_ident(role),
    }
}

/// Whether the engine knows who may do what.
pub fn has_privileges(engine: Engine) -> bool {
    engine != Engine::DuckDb
}
