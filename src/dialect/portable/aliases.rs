//! Names that the list of a SELECT gives. In PostgreSQL they are known behind it only. DuckDB knows them in the list, WHERE, GROUP BY and HAVING
//! too, and Redshift in the list; both take a column of FROM first, but not one of the row outside, which is written with its entry then.
//!
//! - <https://duckdb.org/docs/stable/sql/query_syntax/select>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html>

use sqlparser::ast::{Expr, Ident, Select, SelectItem};

use super::lateral_keys::Outside;
use super::using::folded;
use super::writer::{Sql, Writer, print_name};
use crate::dialect::Engine;

impl Writer<'_> {
    /// The names that the list of a SELECT is written with, if some name of the query may be taken for one of them.
    pub(super) fn aliases_of(&self, select: &Select) -> Vec<String> {
        if self.is(Engine::Postgres) || !self.types.has_outer_names() {
            return Vec::new();
        }
        let alias = |item: &SelectItem| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
            SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => None,
            SelectItem::UnnamedExpr(expression) => Some(crate::analysis::output_name(expression)),
            _ => None,
        };
        select.projection.iter().filter_map(alias).collect()
    }

    /// A column of the row outside that has the name of an item of a list.
    pub(super) fn behind_alias(&mut self, name: &Ident) -> Option<Sql> {
        if self.is(Engine::Postgres) || !self.types.has_outer_names() {
            return None;
        }
        let outer = self.types.outer_name(std::slice::from_ref(name))?;
        let alias = folded(name);
        if let Some(alike) = &outer.alike {
            let what = format!("column '{alias}' of the row outside where a query within has '{alike}', which differs in case only,");
            let entry = outer.entry.as_deref().unwrap_or("t");
            return Some(self.lacks(name.span, &what, format!("write the entry of FROM before it, as in {entry}.{alias}")));
        }
        let at = self.selects.iter().rev().position(|select| select.aliases.iter().any(|held| held.eq_ignore_ascii_case(&alias)))?;
        match &outer.entry {
            Some(entry) if !outer.is_hidden => Some(self.of_entry(entry, name)),
            // Further out it is known as the column.
            _ if at >= outer.level => None,
            _ => {
                let what = format!("column '{alias}' of the row outside where the list gives another column that name");
                Some(self.lacks(name.span, &what, "give the column of the list another name"))
            }
        }
    }

    /// A column of the row outside, in what is asked of it there and written in a query within, which would take the name for another one.
    pub(super) fn outside_column(&self, name: &Ident) -> Option<Sql> {
        let column = Outside(self.outside).named_around(name)?;
        Some(self.of_entry(column.entry.as_ref()?, name))
    }

    fn of_entry(&self, entry: &str, name: &Ident) -> Sql {
        Sql::atom(format!("{}.{}", print_name(entry), self.name(name)))
    }
}
