//! Declared tables: their columns with constraints, and which of those an engine has.

use super::steps::{partition_clause, table_word};
use super::{Engine, redshift};
use crate::base::{Relation, quote_ident};
use crate::plan::{Contract, suffixed};
use crate::project::{Constraint, ConstraintKind, Identity};

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

/// A declared type as `engine` reads it: `string` is the one name that dbt lets projects use everywhere. Text without a length gets
/// that of `bytes` where the engine would make it short; `None`: the greatest one.
pub fn declared_type(declared: &str, alias_types: bool, bytes: Option<u32>, engine: Engine) -> String {
    let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX);
    let is_string = alias_types && declared.trim().eq_ignore_ascii_case("string");
    match engine {
        Engine::Postgres if is_string => "text".to_owned(),
        Engine::Redshift if is_string => redshift::sized_type("text", bytes, 0),
        Engine::Redshift if !loses_its_fraction(declared, engine) => redshift::sized_type(declared, bytes, 0),
        _ => declared.to_owned(),
    }
}

/// Whether the engine silently makes whole numbers of a type that has fractions elsewhere (`r_Numeric_types201`).
pub fn loses_its_fraction(declared: &str, engine: Engine) -> bool {
    engine == Engine::Redshift && matches!(declared.trim().to_ascii_lowercase().as_str(), "numeric" | "decimal")
}

/// Whether the engine believes keys that it does not watch over.
pub fn trusts_keys(engine: Engine) -> bool {
    engine == Engine::Redshift
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
    let identities = contract.physical.identities.iter().map(|identity| format!("    {}", numbered(identity, contract, engine)));
    let columns = contract.columns.iter().map(|column| {
        let constraints = column.constraints.iter().filter(|constraint| support(constraint.kind, engine) != Support::Missing);
        let mut printed: String = constraints.map(|constraint| format!(" {}", of_column(constraint))).collect();
        if engine == Engine::Redshift && is_filled(contract, &column.name) && !printed.contains("not null") {
            printed.push_str(" not null");
        }
        let attributes =
            if engine == Engine::Redshift { redshift::column_attributes(&contract.physical, &column.name) } else { String::new() };
        format!("    {} {}{attributes}{printed}", quote_ident(&column.name), column.data_type)
    });
    let columns = identities.chain(columns);
    let own = contract.constraints.iter().filter(|constraint| support(constraint.kind, engine) != Support::Missing);
    // It has no checks, by which the others say this.
    let own = own.filter(|constraint| !(engine == Engine::Redshift && constraint.kind == ConstraintKind::NotNull));
    let own = own.flat_map(|constraint| of_table(constraint, contract, engine)).map(|constraint| format!("    {constraint}"));
    let cut = partition_clause(&contract.physical, engine);
    let table_word = table_word(contract.physical.unlogged && cut.is_empty(), engine);
    let stored = if engine == Engine::Redshift { redshift::attributes(&contract.physical) } else { cut };
    format!("create {table_word} {} (\n{}\n){stored}", table.quoted(), columns.chain(own).collect::<Vec<_>>().join(",\n"))
}

fn numbered(identity: &Identity, contract: &Contract, engine: Engine) -> String {
    if engine == Engine::Redshift {
        return redshift::identity(identity, &contract.physical);
    }
    let Identity { column, start, step } = identity;
    format!("{} bigint generated always as identity (start with {start} increment by {step})", quote_ident(column))
}

/// Whether a constraint of the whole table says that a column is never NULL.
fn is_filled(contract: &Contract, column: &str) -> bool {
    let of_table = contract.constraints.iter().filter(|constraint| constraint.kind == ConstraintKind::NotNull);
    of_table.flat_map(|constraint| &constraint.columns).any(|name| name.trim_matches('"').eq_ignore_ascii_case(column))
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
    fn declared_types_keep_what_they_hold() {
        let declared = |text: &str, engine| declared_type(text, true, None, engine);
        assert_eq!(declared_type("text", true, Some(36), Engine::Redshift), "varchar(36)");
        assert_eq!(
            (declared("string", Engine::Postgres).as_str(), declared("String", Engine::Redshift).as_str()),
            ("text", "varchar(65535)")
        );
        assert_eq!(
            (declared("varchar", Engine::Redshift).as_str(), declared("varchar(9)", Engine::Redshift).as_str()),
            ("varchar(65535)", "varchar(9)")
        );
        assert!(loses_its_fraction("NUMERIC", Engine::Redshift) && !loses_its_fraction("numeric(9,2)", Engine::Redshift));
        assert!(!loses_its_fraction("numeric", Engine::Postgres));
    }

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
