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
const OTHERS: [(&str, &str); 19] = [
    ("blob", "bytea"),
    ("byteint", "smallint"),
    ("datetime", "timestamp"),
    ("datetime2", "timestamp"),
    ("double", "double precision"),
    ("float64", "double precision"),
    ("hugeint", "numeric(38,0)"),
    ("int64", "bigint"),
    ("long", "bigint"),
    ("number", "numeric(18,2)"),
    ("nvarchar", "varchar"),
    ("str", "text"),
    ("string", "text"),
    ("super", "jsonb"),
    ("timestamp_ntz", "timestamp"),
    ("timestamp_tz", "timestamptz"),
    ("tinyint", "smallint"),
    ("uniqueidentifier", "uuid"),
    ("varchar2", "varchar"),
];

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
    let base = base.trim().to_lowercase();
    Some(match OTHERS.iter().find(|(other, _)| *other == base) {
        Some((_, written)) if rest.is_empty() || written.contains('(') => problem.help(format!("write {written}")),
        Some((_, written)) => problem.help(format!("write {written}{rest}")),
        None => match crate::diag::nearest(&base, TYPES) {
            Some(near) => problem.help(format!("did you mean '{near}{rest}'?")),
            None => problem.help("write the type that PostgreSQL has for its values, as text or numeric(18,2)"),
        },
    })
}
