//! Functions in FROM: `generate_series` and `unnest`. Redshift counts with digits, as its own function runs where no table is.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html>
//! - <https://duckdb.org/docs/stable/sql/query_syntax/unnest>

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, ObjectName, Spanned, TableAlias, visit_expressions};

use sqlparser::tokenizer::Span;

use super::literals::plain_text;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Writer, span_of};
use crate::dialect::Engine;

/// Digits of the numbers that are counted on Redshift: 100,000 rows at most.
const COUNTED: usize = 5;

impl Writer<'_> {
    pub(super) fn table_function(&mut self, name: &ObjectName, arguments: &[FunctionArg], alias: Option<&TableAlias>) -> String {
        let values: Option<Vec<&Expr>> = arguments
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
                _ => None,
            })
            .collect();
        let function = name.to_string().to_lowercase();
        let alias_text = self.alias_of_one(&function, alias);
        match (function.as_str(), values.as_deref()) {
            ("generate_series", Some([from, to])) => self.series(from, to, None, &alias_text, name),
            ("generate_series", Some([from, to, step])) => self.series(from, to, Some(step), &alias_text, name),
            ("unnest", Some([array])) => self.unnested(array, &alias_text),
            _ => {
                let help = "generate_series and unnest of one list may stand there";
                self.refuse(name.span(), format!("'{name}' in FROM is not the same on all engines"), help).text
            }
        }
    }

    pub(super) fn unnest(&mut self, arrays: &[Expr], alias: Option<&TableAlias>, span: Span) -> String {
        match arrays {
            [array] => {
                let alias = self.alias_of_one("unnest", alias);
                self.unnested(array, &alias)
            }
            _ => self.refuse(span, "several lists beside each other are not the same on all engines", "take them apart one by one").text,
        }
    }

    /// The name of the entry and that of its column: in PostgreSQL a name for a function's rows is one for its only column too.
    fn alias_of_one(&mut self, function: &str, alias: Option<&TableAlias>) -> String {
        match alias {
            None => format!("{function} ({function})"),
            Some(alias) if alias.columns.is_empty() => format!("{0} ({0})", self.name(&alias.name)),
            Some(alias) => self.alias(alias),
        }
    }

    fn series(&mut self, from: &Expr, to: &Expr, step: Option<&Expr>, alias: &str, name: &ObjectName) -> String {
        let kind = self.type_name(from);
        if self.is(Engine::Redshift) && self.rewrites(Rewrite::Series) {
            return self.counted(from, to, step, alias);
        }
        let written: Vec<String> = [Some(from), Some(to), step].into_iter().flatten().map(|part| self.series_bound(part, kind)).collect();
        let called = self.marked(name.span(), "generate_series");
        format!("{called}({}) as {alias}", written.join(", "))
    }

    /// Of dates PostgreSQL makes instants.
    fn series_bound(&mut self, part: &Expr, kind: &str) -> String {
        let is_date = kind == "date" && self.type_name(part) == "date";
        let written = self.expression(part).text;
        if is_date && self.is(Engine::DuckDb) { format!("cast({written} as timestamptz)") } else { written }
    }

    fn counted(&mut self, from: &Expr, to: &Expr, step: Option<&Expr>, alias: &str) -> String {
        let span = span_of(from);
        if [from, to].into_iter().any(reads_columns) {
            let help = "generate a series between fixed bounds, and join it";
            return self.lacks(span, "a series whose bounds are columns", help).text;
        }
        let counted = literal_rows(from, to).map_or(COUNTED, |rows| rows.to_string().len());
        let digits: Vec<String> = (0..counted).map(|at| format!("{DIGITS} as d{at} (d{at})")).collect();
        let number =
            (0..counted).map(|at| format!("d{at} * {}", 10_usize.pow(u32::try_from(at).unwrap_or(0)))).collect::<Vec<_>>().join(" + ");
        let numbers = format!("(select {number} as n from {}) as acca_numbers", digits.join(" cross join "));
        let (first, last) = (self.expression(from).part(), self.expression(to).part());
        let kind = self.type_name(from);
        let (value, rows) = match kind {
            "int2" | "int4" | "int8" => {
                let Some(step) = step.map_or(Some(1), whole_number).filter(|step| *step > 0) else {
                    return self.lacks(span, "a series with this step", "write the step as a positive literal").text;
                };
                (format!("{first} + n * {step}"), format!("({last} - {first}) / {step}"))
            }
            "date" | "timestamp" | "timestamptz" => {
                let unit = step.and_then(interval_of_one_unit);
                let Some((count, unit)) = unit else {
                    return self.lacks(span, "a series with this step", "step by whole days, weeks, months, hours or minutes").text;
                };
                if unit == "month" && !starts_early(from) {
                    // PostgreSQL goes on from the last day of a short month, not from the first moment.
                    let help = "start at a literal date up to the 28th of its month";
                    return self.lacks(span, "a series of months from this day", help).text;
                }
                let moment = if kind == "date" { "timestamptz" } else { kind };
                (format!("cast(dateadd({unit}, n * {count}, {first}) as {moment})"), format!("datediff({unit}, {first}, {last}) / {count}"))
            }
            _ => return self.lacks(span, "a series of this type", "generate integers, dates or timestamps").text,
        };
        // More rows than are counted are an error, never left out.
        let enough = format!("1 / case when {rows} < {} then 1 else 0 end = 1", 10_usize.pow(u32::try_from(counted).unwrap_or(0)));
        format!("(select {value} from {numbers} where {value} <= {last} and {enough}) as {alias}")
    }

    fn unnested(&mut self, array: &Expr, alias: &str) -> String {
        if let (Engine::Redshift, Expr::Array(array)) = (self.engine, array) {
            let rows: Vec<String> = array.elem.iter().map(|element| format!("select {}", self.expression(element).text)).collect();
            return format!("({}) as {alias}", rows.join(" union all "));
        }
        let written = self.expression(array).text;
        match self.target() {
            Engine::Postgres => format!("unnest({written}) as {alias}"),
            Engine::DuckDb => format!("(select unnest({written})) as {alias}"),
            Engine::Redshift => self.lacks(span_of(array), "a list that is no literal", "give each element a row of its own").text,
        }
    }
}

const DIGITS: &str = "(select 0 union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all \
                      select 6 union all select 7 union all select 8 union all select 9)";

/// `interval '1 month'` as a number and a unit of DATEDIFF.
fn interval_of_one_unit(step: &Expr) -> Option<(i64, &'static str)> {
    let text = match step {
        Expr::Interval(interval) => match &interval.leading_field {
            None => plain_text(&interval.value)?.to_owned(),
            Some(field) => format!("{} {field}", plain_text(&interval.value)?),
        },
        Expr::Cast { expr, .. } => plain_text(expr)?.to_owned(),
        Expr::Nested(inner) => return interval_of_one_unit(inner),
        _ => return None,
    };
    let text = text.to_lowercase();
    let mut words = text.split_whitespace();
    let (count, unit) = (words.next()?.parse::<i64>().ok().filter(|count| *count > 0)?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    Some(match unit.trim_end_matches('s') {
        "minute" => (count, "minute"),
        "hour" => (count, "hour"),
        "day" => (count, "day"),
        "week" => (count * 7, "day"),
        "month" => (count, "month"),
        "year" => (count * 12, "month"),
        _ => return None,
    })
}

/// A literal date up to the 28th.
fn starts_early(from: &Expr) -> bool {
    literal_moment(from).and_then(|text| text.get(8..10)).and_then(|day| day.parse::<u8>().ok()).is_some_and(|day| day <= 28)
}

/// Rows of a series between literals by steps of one, at most: of days where both are dates.
fn literal_rows(from: &Expr, to: &Expr) -> Option<u64> {
    let day = |bound: &Expr| literal_moment(bound)?.get(..10)?.parse::<jiff::civil::Date>().ok();
    let rows = match (whole_number(from), whole_number(to)) {
        (Some(from), Some(to)) => to.checked_sub(from)?,
        // By minutes at most.
        _ => i64::from((day(to)? - day(from)?).get_days()).checked_add(1)?.checked_mul(24 * 60)?,
    };
    u64::try_from(rows).ok().filter(|rows| *rows < 10_000_000)
}

fn literal_moment(bound: &Expr) -> Option<&str> {
    match bound {
        Expr::TypedString(typed) => match &typed.value.value {
            sqlparser::ast::Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::Cast { expr, .. } => plain_text(expr),
        Expr::Nested(inner) => literal_moment(inner),
        _ => None,
    }
}

fn reads_columns(expression: &Expr) -> bool {
    let found = visit_expressions(expression, |part| match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Subquery(_) => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    });
    found.is_break()
}
