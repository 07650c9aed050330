//! Comparisons of rows. DuckDB takes nulls in them for equal and never answers null; Redshift compares values only. Both get what the standard
//! says a comparison of rows means.
//!
//! - <https://www.postgresql.org/docs/15/functions-comparisons.html#ROW-WISE-COMPARISON>
//! - <https://duckdb.org/docs/stable/sql/data_types/struct>

use sqlparser::ast::{BinaryOperator, Expr, Query};

use super::calls::Call;
use super::products::has_real_and_other;
use super::rewrite::Rewrite;
use super::writer::{Form, Sql, Writer, span_of};
use crate::analysis::Output;
use crate::dialect::Engine;

impl Writer<'_> {
    /// `None` where no rows are compared, or the engine does it as PostgreSQL.
    pub(super) fn rows_compared(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Sql> {
        let (Expr::Tuple(lefts), Expr::Tuple(rights)) = (left, right) else { return None };
        let is_order = matches!(op, BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq);
        let by_locale = is_order && lefts.iter().chain(rights).any(|part| self.is_text(part));
        if self.is(Engine::Postgres) && !by_locale || lefts.len() != rights.len() || !self.rewrites(Rewrite::RowComparison) {
            return None;
        }
        let pairs: Vec<(&Expr, &Expr)> = lefts.iter().zip(rights).collect();
        let (word, form) = match op {
            BinaryOperator::Eq => (" and ", Form::And),
            BinaryOperator::NotEq => (" or ", Form::Or),
            BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq => return self.row_order(&pairs, op),
            _ => {
                return Some(self.refuse(
                    span_of(left),
                    "this comparison of rows is not the same on all engines",
                    "compare value by value",
                ));
            }
        };
        let parts: Vec<String> = pairs.into_iter().map(|(one, other)| self.comparison(one, op, other).part()).collect();
        Some(Sql { text: parts.join(word), form })
    }

    /// The first pair that is not equal decides.
    fn row_order(&mut self, pairs: &[(&Expr, &Expr)], op: &BinaryOperator) -> Option<Sql> {
        let [(one, other), rest @ ..] = pairs else { return None };
        if rest.is_empty() {
            return Some(self.comparison(one, op, other));
        }
        let strict = match op {
            BinaryOperator::Lt | BinaryOperator::LtEq => BinaryOperator::Lt,
            _ => BinaryOperator::Gt,
        };
        let decided = self.comparison(one, &strict, other).part();
        let equal = self.comparison(one, &BinaryOperator::Eq, other).part();
        let rest = self.row_order(rest, op)?.part();
        Some(Sql { text: format!("{decided} or ({equal} and {rest})"), form: Form::Or })
    }

    /// `(a, b) in ((1, 2), …)`
    /// `count(distinct (a, b))`, where no row is a value.
    pub(super) fn rows_counted(&mut self, call: &Call<'_>) -> Option<Sql> {
        let row = call.only().filter(|row| call.name == "count" && call.distinct && matches!(row, Expr::Tuple(_)))?;
        let help = "count the rows of a subquery: select count(*) from (select distinct a, b from …) as x";
        self.is(Engine::Redshift).then(|| self.lacks(span_of(row), "a row as a value", help))
    }

    pub(super) fn row_in_list(&mut self, value: &Expr, list: &[Expr], negated: bool) -> Option<Sql> {
        if self.is(Engine::Postgres) || !matches!(value, Expr::Tuple(_)) || !list.iter().all(|item| matches!(item, Expr::Tuple(_))) {
            return None;
        }
        let mut equal = Vec::new();
        for item in list {
            equal.push(self.rows_compared(value, &BinaryOperator::Eq, item)?.part());
        }
        let sql = Sql { text: equal.join(" or "), form: Form::Or };
        Some(if negated { Sql::loose(format!("not {}", sql.part())) } else { sql })
    }

    /// `(a, b) in (select …)`
    pub(super) fn row_in_subquery(&mut self, value: &Expr, query: &Query, negated: bool) -> Option<Sql> {
        let Expr::Tuple(parts) = value else { return None };
        if self.is(Engine::Postgres) || !self.rewrites(Rewrite::RowComparison) {
            return None;
        }
        let columns = self.columns_of(query).filter(|columns| columns.len() == parts.len());
        let Some(columns) = columns else {
            let help = "name the columns of the subquery";
            return Some(self.refuse(span_of(value), "a row is looked for among rows that are not known", help));
        };
        if parts.iter().zip(columns).any(|(part, column)| has_real_and_other(&[self.type_of(part), column.typed.sql_type])) {
            let message = "real that is looked for among other numbers is not the same on all engines";
            return Some(self.refuse(span_of(value), message, "cast both to double precision, or to numeric(p,s)"));
        }
        let texts: Vec<bool> = parts.iter().zip(columns).map(|(part, column)| self.is_text(part) || is_text(column)).collect();
        let marks = |text: bool, sql: String| if text { format!("{sql} || '.'") } else { sql };
        let redshift = self.is(Engine::Redshift);
        let names: Vec<String> = (1..=parts.len()).map(|number| format!("acca_{number}")).collect();
        let list = names.join(", ");
        let written: Vec<String> = parts.iter().map(|part| self.expression(part).part()).collect();
        let rows = format!("{} as acca_rows ({list})", self.subquery(query));
        let not = if negated { "not " } else { "" };
        if redshift {
            let marked =
                |sides: &[String]| sides.iter().zip(&texts).map(|(side, text)| marks(*text, side.clone())).collect::<Vec<_>>().join(", ");
            return Some(Sql::loose(format!("({}) {not}in (select {} from {rows})", marked(&written), marked(&names))));
        }
        if parts.iter().all(|part| !self.typed(part).nullable) && columns.iter().all(|column| !column.typed.nullable) {
            return Some(Sql::loose(format!("({}) {not}in (select {list} from {rows})", written.join(", "))));
        }
        // Where a null leaves open whether a row is equal, the answer is null unless another one is.
        let pairs = |open: bool| {
            let pair = |(part, name): (&String, &String)| {
                if open { format!("coalesce({part} = {name}, true)") } else { format!("{part} = {name}") }
            };
            written.iter().zip(&names).map(pair).collect::<Vec<_>>().join(" and ")
        };
        let (equal, perhaps) = (pairs(false), pairs(true));
        Some(Sql::loose(format!(
            "{not}(case when exists (select 1 from {rows} where {equal}) then true \
             when exists (select 1 from {rows} where {perhaps}) then cast(null as boolean) else false end)"
        )))
    }
}

fn is_text(column: &Output) -> bool {
    column.typed.sql_type.is_some_and(|kind| matches!(kind.name(), "text" | "varchar"))
}
