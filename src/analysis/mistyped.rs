//! A type that a source's column is declared with and that is none: said once, where it is written, and not in each portable model that reads the
//! column and cannot be rewritten for it.

use std::collections::BTreeSet;

use super::compilation::Compilation;
use super::infer::Finding;
use super::sql_type::SqlType;
use crate::diag::{Diagnostic, codes};
use crate::project::{Column, Detail, Node};

/// What whoever rewrites says of a column behind its name.
pub const UNKNOWN_TYPE: &str = "is not known, so it cannot be rewritten for all engines";

/// Types that people declare, and those of other engines with what PostgreSQL calls them.
const TYPES: [&str; 16] = [
    "bigint",
    "boolean",
    "date",
    "double precision",
    "integer",
    "json",
    "jsonb",
    "numeric",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
    "varchar",
];
const OTHERS: [(&str, &str); 28] = [
    ("blob", "bytea"),
    ("byteint", "smallint"),
    ("clob", "text"),
    ("datetime", "timestamp"),
    ("datetime2", "timestamp"),
    ("datetimeoffset", "timestamptz"),
    ("double", "double precision"),
    ("float32", "real"),
    ("float64", "double precision"),
    ("hugeint", "numeric(38,0)"),
    ("int32", "integer"),
    ("int64", "bigint"),
    ("long", "bigint"),
    ("ntext", "text"),
    ("number", "numeric(38,0)"),
    ("nvarchar", "varchar"),
    ("smalldatetime", "timestamp"),
    ("str", "text"),
    ("string", "text"),
    ("super", "jsonb"),
    ("timestamp_ltz", "timestamptz"),
    ("timestamp_ntz", "timestamp"),
    ("timestamp_tz", "timestamptz"),
    ("tinyint", "smallint"),
    ("tinytext", "text"),
    ("uniqueidentifier", "uuid"),
    ("varchar2", "varchar"),
    ("variant", "jsonb"),
];

/// What is written for a type that PostgreSQL lacks; `None` for what is no well-known one.
pub fn type_instead(written: &str) -> Option<String> {
    let (base, rest) = written.split_at(written.find('(').unwrap_or(written.len()));
    let base = base.trim().to_lowercase();
    let (_, instead) = OTHERS.iter().find(|(other, _)| *other == base)?;
    // Digits that are written outrank those that are proposed.
    let bare = instead.split('(').next().unwrap_or(instead);
    Some(with_digits(bare, rest).unwrap_or_else(|| (*instead).to_owned()))
}

/// A type with the digits or the width that another one was written with, where it has any: `nvarchar(max)` is as long as it likes. Moments
/// have their six digits everywhere.
fn with_digits(bare: &str, rest: &str) -> Option<String> {
    let whole = format!("{bare}{rest}");
    let takes_them = matches!(bare, "numeric" | "varchar") && !rest.is_empty();
    (takes_them && SqlType::parse(&whole).is_some()).then_some(whole)
}

impl Compilation {
    /// The mistake of the declaration that a finding comes from; `None` where the query itself is at fault.
    pub(super) fn of_declaration(&self, node: &Node, finding: &Finding, sql: &str) -> Option<Diagnostic> {
        if !finding.diagnostic.message.ends_with(UNKNOWN_TYPE) {
            return None;
        }
        let written = sql.get(finding.range.clone()?)?;
        let name = written.rsplit('.').next().unwrap_or(written).trim_matches('"');
        let number = self.manifest.number(&node.id)?;
        let above = self.manifest.dag.ancestors_of(&BTreeSet::from([number]), None);
        let sources = above.iter().filter_map(|number| self.manifest.nodes.get(*number));
        sources.filter(|above| matches!(above.detail, Detail::Source(_))).find_map(|source| {
            let column = source.columns.iter().find(|column| column.name.trim_matches('"').eq_ignore_ascii_case(name))?;
            mistyped(source, column)
        })
    }
}

fn mistyped(source: &Node, column: &Column) -> Option<Diagnostic> {
    let declared = column.data_type.as_deref().filter(|declared| SqlType::parse(declared).is_none())?;
    let of = match &source.detail {
        Detail::Source(table) => format!("{}.{}", table.source_name, source.name),
        _ => source.name.clone(),
    };
    let message = format!("'{declared}', the declared type of column '{}' of '{of}', is no type of PostgreSQL", column.name);
    let problem = Diagnostic::new(&codes::UNKNOWN_TYPE, message);
    let problem = problem.at(column.data_type_span.or(column.span).unwrap_or(source.origin));
    let problem = problem.note("portable models read it, and have to know its type");
    let (base, rest) = declared.split_at(declared.find('(').unwrap_or(declared.len()));
    Some(match (type_instead(declared), crate::diag::nearest(&base.trim().to_lowercase(), TYPES)) {
        (Some(instead), _) => problem.help(format!("write {instead}")),
        (None, Some(near)) => problem.help(format!("did you mean '{}'?", with_digits(near, rest).unwrap_or_else(|| near.to_owned()))),
        (None, None) => problem.help("write the type that PostgreSQL has for its values, as text or numeric(18,2)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proposed_is_a_type() {
        for (other, instead) in OTHERS {
            for digits in ["", "(5)", "(10,2)", "(max)", "(20 char)"] {
                let proposed = type_instead(&format!("{other}{digits}")).unwrap();
                assert!(SqlType::parse(&proposed).is_some(), "{other}{digits}: {proposed}");
            }
            assert_eq!(type_instead(other).as_deref(), Some(instead));
        }
        let instead = |written: &str| type_instead(written).unwrap();
        assert_eq!(instead("NUMBER(10, 2)"), "numeric(10, 2)");
        assert_eq!(instead("nvarchar(20)"), "varchar(20)");
        assert_eq!(instead("nvarchar(MAX)"), "varchar");
        assert_eq!(instead("string(50)"), "text");
        assert_eq!(instead("double(10,2)"), "double precision");
        assert_eq!(instead("datetime2(7)"), "timestamp");
        assert_eq!(instead("tinyint(1)"), "smallint");
    }
}
