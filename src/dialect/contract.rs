//! Declared tables: their columns with constraints, and which of those an engine has.

use super::steps::table_word;
use super::{Engine, redshift};
use crate::base::{Relation, quote_ident};
use crate::plan::{Contract, suffixed};
use crate::project::{Constraint, ConstraintKind};

/// What an engine does with a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Enforced,
    /// It knows it, and lets rows in that break it.
    NotEnforced,
    /// It is left out of the table.
    Missing,
}

/// What `engine` makes of a constraint.
pub fn support(kind: ConstraintKind, engine: Engine) -> Support {
    match (engine, kind) {
        // It refuses to drop or rename a table that another one refers to, which every replacement does.
        (Engine::DuckDb, ConstraintKind::ForeignKey) => Support::Missing,
        (Engine::Postgres | Engine::DuckDb, _) | (Engine::Redshift, ConstraintKind::NotNull | ConstraintKind::Custom) => Support::Enforced,
        (Engine::Redshift, ConstraintKind::Check) => Support::Missing,
        (Engine::Redshift, ConstraintKind::Unique | ConstraintKind::PrimaryKey | ConstraintKind::ForeignKey) => Support::NotEnforced,
    }
}

/// A declared type as `engine` reads it: `string` is the one name that dbt lets projects use everywhere.
pub fn declared_type(declared: &str, alias_types: bool, engine: Engine) -> &str {
    match engine {
        Engine::Postgres | Engine::Redshift if alias_types && declared.trim().eq_ignore_ascii_case("string") => "text",
        _ => declared,
    }
}

/// Whether two types are the same but for length, precision and scale, which the declared table has and a query need not.
pub fn same_type(one: &str, other: &str) -> bool {
    one == other || family(one) == family(other)
}

/// `character varying(20)[]` → `text[]`.
fn family(spelled: &str) -> String {
    let lower = spelled.trim().to_lowercase();
    let (element, array) = match lower.find('[') {
        Some(at) => lower.split_at(at),
        None => (lower.as_str(), ""),
    };
    // Types made of others are compared as they are spelled.
    if element.starts_with("struct") || element.starts_with("map") || element.starts_with("enum") || element.starts_with("union") {
        return lower;
    }
    let bare = match (element.find('('), element.find(')')) {
        (Some(open), Some(close)) if open < close => {
            format!("{}{}", element.get(..open).unwrap_or(""), element.get(close + 1..).unwrap_or(""))
        }
        _ => element.to_owned(),
    };
    let name = match bare.split_whitespace().collect::<Vec<_>>().join(" ").as_str() {
        "character varying" | "varchar" | "character" | "char" | "bpchar" | "name" | "string" => "text".to_owned(),
        "int" | "int4" | "smallint" | "int2" => "integer".to_owned(),
        "int8" => "bigint".to_owned(),
        "real" | "float4" | "float8" | "double" | "double precision" => "float".to_owned(),
        "numeric" => "decimal".to_owned(),
        "timestamp without time zone" => "timestamp".to_owned(),
        "timestamptz" => "timestamp with time zone".to_owned(),
        "time without time zone" => "time".to_owned(),
        other => other.to_owned(),
    };
    format!("{name}{array}")
}

/// The statement that makes the table.
pub(super) fn create(table: &Relation, contract: &Contract, engine: Engine) -> String {
    let columns = contract.columns.iter().map(|column| {
        let constraints = column.constraints.iter().filter(|constraint| support(constraint.kind, engine) != Support::Missing);
        let printed: String = constraints.map(|constraint| format!(" {}", of_column(constraint))).collect();
        format!("    {} {}{printed}", quote_ident(&column.name), column.data_type)
    });
    let own = contract.constraints.iter().filter(|constraint| support(constraint.kind, engine) != Support::Missing);
    let own = own.flat_map(|constraint| of_table(constraint, contract, engine)).map(|constraint| format!("    {constraint}"));
    let table_word = table_word(contract.physical.unlogged, engine);
    let stored = if engine == Engine::Redshift { redshift::attributes(&contract.physical) } else { String::new() };
    format!("create {table_word} {} (\n{}\n){stored}", table.quoted(), columns.chain(own).collect::<Vec<_>>().join(",\n"))
}

fn of_column(constraint: &Constraint) -> String {
    let expression = constraint.expression.as_deref().unwrap_or("");
    let text = match constraint.kind {
        ConstraintKind::Check => format!("check ({expression})"),
        ConstraintKind::NotNull => format!("not null {expression}"),
        ConstraintKind::Unique => format!("unique {expression}"),
        ConstraintKind::PrimaryKey => format!("primary key {expression}"),
        ConstraintKind::ForeignKey => format!("references {}", target(constraint)),
        ConstraintKind::Custom => expression.to_owned(),
    };
    text.trim_end().to_owned()
}

/// A constraint of the whole table; `not null` is one of each column.
fn of_table(constraint: &Constraint, contract: &Contract, engine: Engine) -> Vec<String> {
    let expression = constraint.expression.as_deref().unwrap_or("");
    let columns = names(&constraint.columns, contract);
    let text = match constraint.kind {
        ConstraintKind::Check => format!("check ({expression})"),
        ConstraintKind::NotNull => {
            let filled = constraint.columns.iter().map(|column| format!("{} is not null", names(std::slice::from_ref(column), contract)));
            return filled.map(|condition| format!("{}check ({condition})", prefix(constraint, contract, engine))).collect();
        }
        ConstraintKind::Unique => format!("unique ({columns}) {expression}"),
        ConstraintKind::PrimaryKey => format!("primary key ({columns}) {expression}"),
        ConstraintKind::ForeignKey => format!("foreign key ({columns}) references {}", target(constraint)),
        ConstraintKind::Custom => expression.to_owned(),
    };
    vec![format!("{}{}", prefix(constraint, contract, engine), text.trim_end())]
}

/// `constraint name `. Keys are indexes, whose names are unique in a schema: there the name has the run behind it, as the table that is
/// replaced still has its own.
fn prefix(constraint: &Constraint, contract: &Contract, engine: Engine) -> String {
    let Some(name) = &constraint.name else { return String::new() };
    let is_index = matches!(constraint.kind, ConstraintKind::Unique | ConstraintKind::PrimaryKey) && engine == Engine::Postgres;
    let name = if is_index { suffixed(name, &format!("__{}", contract.run_tag)) } else { name.clone() };
    format!("constraint {} ", quote_ident(&name))
}

/// What a foreign key refers to: the relation with its columns, or as it is written.
fn target(constraint: &Constraint) -> String {
    match &constraint.to {
        Some(relation) if constraint.to_columns.is_empty() => relation.clone(),
        Some(relation) => format!("{relation} ({})", constraint.to_columns.join(", ")),
        None => constraint.expression.clone().unwrap_or_default(),
    }
}

/// Names in quotes, as the table has them.
fn names(columns: &[String], contract: &Contract) -> String {
    let own = |written: &String| {
        let plain = written.trim_matches('"');
        let held = contract.columns.iter().find(|column| column.name.eq_ignore_ascii_case(plain));
        quote_ident(held.map_or(plain, |column| &column.name))
    };
    columns.iter().map(own).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_synonyms_are_the_same_type() {
        for (one, other, same) in [
            ("character varying(20)", "text", true),
            ("DECIMAL(12,2)", "numeric", true),
            ("numeric(38,6)", "numeric(12,2)", true),
            ("timestamp(3) with time zone", "timestamptz", true),
            ("integer[]", "int4[]", true),
            ("integer[]", "integer", false),
            ("bigint", "integer", false),
            ("text", "integer", false),
            ("STRUCT(a INTEGER)", "STRUCT(a VARCHAR)", false),
            ("timestamp", "timestamptz", false),
        ] {
            assert_eq!(same_type(one, other), same, "{one} {other}");
        }
    }
}
