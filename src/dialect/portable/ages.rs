//! Whole years and months between moments, `extract(year from age(a, b))`: Redshift has no `age`, and intervals have other parts on every
//! engine.
//!
//! - <https://www.postgresql.org/docs/15/functions-datetime.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html>

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::rewrite::Rewrite;
use super::writer::Writer;
use crate::dialect::Engine;

impl Writer<'_> {
    /// `None` where it is something else.
    pub(super) fn part_of_age(&mut self, field: &str, value: &Expr) -> Option<String> {
        let (later, earlier) = age_of(value)?;
        let kinds = [later.map_or("date", |later| self.type_name(later)), self.type_name(earlier)];
        let known = kinds == ["date", "date"] || kinds == ["timestamp", "timestamp"];
        if !matches!(field, "year" | "month") || !known || !self.rewrites(Rewrite::Age) {
            return None;
        }
        let later = later.map_or_else(|| "current_date".to_owned(), |later| self.expression(later).part());
        let earlier = self.expression(earlier).part();
        // A month is whole when its day has come, and the time of that day; back in time the same.
        let is_date = kinds == ["date", "date"];
        let within = |moment: &str| match self.engine {
            _ if is_date => format!("extract(day from {moment})"),
            Engine::Postgres => format!("{moment} - date_trunc('month', {moment})"),
            Engine::DuckDb => format!("epoch_us({moment}) - epoch_us(date_trunc('month', {moment}))"),
            Engine::Redshift => format!("datediff(microsecond, date_trunc('month', {moment}), {moment})"),
        };
        let months = |later: &str, earlier: &str| {
            format!(
                "(extract(year from {later}) - extract(year from {earlier})) * 12 + extract(month from {later}) - extract(month from {earlier}) \
                 - case when {} < {} then 1 else 0 end",
                within(later),
                within(earlier)
            )
        };
        let part = |later: &str, earlier: &str| match (field, self.engine) {
            ("month", _) => format!("({}) % 12", months(later, earlier)),
            (_, Engine::DuckDb) => format!("({}) // 12", months(later, earlier)),
            (_, Engine::Redshift) => format!("({}) / 12", months(later, earlier)),
            (_, Engine::Postgres) => format!("div({}, 12)", months(later, earlier)),
        };
        let (forth, back) = (part(&later, &earlier), part(&earlier, &later));
        Some(format!("case when {later} >= {earlier} then {forth} else -({back}) end"))
    }
}

pub(super) fn is_age(value: &Expr) -> bool {
    age_of(value).is_some()
}

/// The moments of a call of `age`; the first is this day where none is given.
fn age_of(value: &Expr) -> Option<(Option<&Expr>, &Expr)> {
    match value {
        Expr::Nested(inner) => age_of(inner),
        Expr::Function(Function { name, args: FunctionArguments::List(list), over: None, filter: None, .. })
            if name.to_string().eq_ignore_ascii_case("age") =>
        {
            match list.args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(later)), FunctionArg::Unnamed(FunctionArgExpr::Expr(earlier))] => {
                    Some((Some(later), earlier))
                }
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(earlier))] => Some((None, earlier)),
                _ => None,
            }
        }
        _ => None,
    }
}
