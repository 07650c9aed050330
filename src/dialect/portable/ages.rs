//! Whole years between dates, `extract(year from age(a, b))`: Redshift has no `age`, and intervals have other parts on every engine.
//!
//! - <https://www.postgresql.org/docs/15/functions-datetime.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html>

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::rewrite::Rewrite;
use super::writer::Writer;

impl Writer<'_> {
    /// `None` where it is something else.
    pub(super) fn years_of_age(&mut self, field: &str, value: &Expr) -> Option<String> {
        let (later, earlier) = age_of(value)?;
        let are_dates = self.type_name(later) == "date" && self.type_name(earlier) == "date";
        if field != "year" || !are_dates || !self.rewrites(Rewrite::Age) {
            return None;
        }
        let [later, earlier] = [later, earlier].map(|side| self.expression(side).part());
        let day = |date: &str| format!("extract(month from {date}) * 100 + extract(day from {date})");
        // A year is whole when its day has come; back in time the same.
        let years = |later: &str, earlier: &str| {
            format!(
                "extract(year from {later}) - extract(year from {earlier}) - case when {} < {} then 1 else 0 end",
                day(later),
                day(earlier)
            )
        };
        let (forth, back) = (years(&later, &earlier), years(&earlier, &later));
        Some(format!("case when {later} >= {earlier} then {forth} else -({back}) end"))
    }
}

pub(super) fn is_age(value: &Expr) -> bool {
    age_of(value).is_some()
}

fn age_of(value: &Expr) -> Option<(&Expr, &Expr)> {
    match value {
        Expr::Nested(inner) => age_of(inner),
        Expr::Function(Function { name, args: FunctionArguments::List(list), over: None, filter: None, .. })
            if name.to_string().eq_ignore_ascii_case("age") =>
        {
            match list.args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(later)), FunctionArg::Unnamed(FunctionArgExpr::Expr(earlier))] => {
                    Some((later, earlier))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
