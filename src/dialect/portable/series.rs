//! Functions in FROM: `generate_series` and `unnest`. Redshift counts with digits, as its own function runs where no table is.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html>
//! - <https://duckdb.org/docs/stable/sql/query_syntax/unnest>

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, SelectItem, SetExpr, Spanned, TableAlias,
    TableFactor, visit_expressions,
};

use sqlparser::tokenizer::Span;

use super::intervals::scaled;
use super::literals::plain_text;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::walk::outside_of_queries;
use super::writer::{Writer, span_of};
use crate::dialect::Engine;

/// Digits of the numbers that are counted on Redshift: 100,000 rows at most.
const COUNTED: usize = 5;
/// The same of numbers that are counted for each row of another relation.
const COUNTED_A_ROW: usize = 4;

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
                let help = match function.as_str() {
                    "flatten" | "openjson" | "json_array_elements" | "jsonb_array_elements" => "take the list apart where it is loaded",
                    "string_split" | "split" | "split_to_table" | "regexp_split_to_table" => {
                        "write split_part(text, ',', n) for each n of generate_series(1, 10) as g (n)"
                    }
                    _ => "generate_series and unnest of one list may stand there",
                };
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
        let kind = self.kind_of_series(from, to);
        let is_exact = |bound: &Expr| self.type_name(bound) == "numeric";
        if !self.is(Engine::Postgres) && (is_exact(from) || is_exact(to) || step.is_some_and(is_exact)) {
            let help = "count in integers, and compute from them: select n * 0.5 from generate_series(1, 5) as n";
            return self.lacks(span_of(from), "a series of numbers with a fraction", help).text;
        }
        if self.is(Engine::Redshift) && self.rewrites(Rewrite::Series) {
            return self.counted(from, to, step, alias);
        }
        let mut written = vec![self.series_bound(from, kind), self.series_bound(to, kind)];
        written.extend(step.map(|step| match plain_text(step) {
            // In text alone DuckDB sees no interval.
            Some(_) if self.is(Engine::DuckDb) && self.rewrites(Rewrite::Series) => self.interval_spelled(step).text,
            _ => self.series_bound(step, kind),
        }));
        let called = self.marked(name.span(), "generate_series");
        let rows = format!("{called}({})", written.join(", "));
        if self.is(Engine::DuckDb) && matches!(kind, "int2" | "int4") && self.rewrites(Rewrite::IntegerWidth) {
            return format!("(select cast(acca_n as integer) from {rows} as acca_rows (acca_n)) as {alias}");
        }
        // Of moments with a zone DuckDB gives nothing at all for many rows once the first has nothing; of a list it does.
        let is_of_rows = matches!(kind, "date" | "timestamptz") && [from, to].into_iter().any(reads_columns);
        if self.is(Engine::DuckDb) && is_of_rows && self.rewrites(Rewrite::Series) {
            return format!("(select unnest({rows})) as {alias}");
        }
        format!("{rows} as {alias}")
    }

    /// What a series is of: a moment beside a date makes the date one.
    fn kind_of_series(&self, from: &Expr, to: &Expr) -> &'static str {
        let kinds = [from, to].map(|bound| self.type_name(bound));
        let moment = ["timestamptz", "timestamp"].into_iter().find(|moment| kinds.contains(moment));
        moment.filter(|_| kinds.contains(&"date")).unwrap_or(kinds[0])
    }

    /// Of dates PostgreSQL makes instants.
    fn series_bound(&mut self, part: &Expr, kind: &str) -> String {
        let is_date = self.type_name(part) == "date";
        if let (Engine::DuckDb, "date" | "timestamp" | "timestamptz", Some(text)) = (self.target(), kind, plain_text(part))
            && Writer::is_moment(text)
        {
            let kind = if kind == "date" { "timestamptz" } else { kind };
            return format!("cast({} as {kind})", self.text(text));
        }
        let written = self.expression(part).text;
        match kind {
            "date" if is_date && self.is(Engine::DuckDb) => format!("cast({written} as timestamptz)"),
            "timestamp" | "timestamptz" if is_date && self.is(Engine::DuckDb) => format!("cast({written} as {kind})"),
            _ => written,
        }
    }

    /// Numbers from digits, and the values that they stand for. Bounds that are queries are asked once, in a relation beside the numbers.
    fn counted(&mut self, from: &Expr, to: &Expr, step: Option<&Expr>, alias: &str) -> String {
        if [from, to].into_iter().any(reads_columns) {
            let help = "join it by CROSS JOIN to the one relation that has the columns";
            return self.lacks(span_of(from), "a series whose bounds are columns in this place", help).text;
        }
        let kind = self.kind_of_series(from, to);
        let Some(step) = self.step(from, step, kind) else { return "null".to_owned() };
        let written = [self.series_end(from, kind), self.series_end(to, kind)];
        let asked = [from, to].into_iter().any(has_query);
        let [first, last] = match &written {
            _ if asked => ["acca_bounds.acca_first".to_owned(), "acca_bounds.acca_last".to_owned()],
            plain => plain.clone(),
        };
        let digits = literal_rows(from, to, step).map_or(COUNTED + usize::from(step.is_fine()), |rows| rows.to_string().len());
        let mut numbers = format!("{} as acca_numbers", numbers("n", digits));
        if let ([first, last], true) = (&written, asked) {
            numbers.push_str(&format!(" cross join (select {first} as acca_first, {last} as acca_last) as acca_bounds"));
        }
        let (value, condition) = step.value_and_condition("n", kind, [&first, &last], digits);
        format!("(select {value} from {numbers} where {condition}) as {alias}")
    }

    /// A series between columns of the row outside: the value that stands for its column, and what is joined.
    pub(super) fn series_of_row(&mut self, series: &RowSeries<'_>) -> Option<(String, String)> {
        let RowSeries { from, to, step, alias, .. } = *series;
        let kind = self.kind_of_series(from, to);
        let step = self.step(from, step, kind)?;
        let [first, last] = [self.series_end(from, kind), self.series_end(to, kind)];
        let name = self.name(&alias.name);
        let (value, condition) = step.value_and_condition(&format!("{name}.acca_n"), kind, [&first, &last], COUNTED_A_ROW);
        Some((value, format!("{} as {name} on {condition}", numbers("acca_n", COUNTED_A_ROW))))
    }

    /// A bound, as a value of the kind that is counted.
    fn series_end(&mut self, bound: &Expr, kind: &str) -> String {
        let own = self.type_name(bound);
        let written = self.expression(bound).part();
        match (own, kind) {
            ("date", "timestamp" | "timestamptz") => format!("cast({written} as {kind})"),
            _ => written,
        }
    }

    /// `None` where it was refused.
    fn step(&mut self, from: &Expr, step: Option<&Expr>, kind: &str) -> Option<Step> {
        let span = span_of(from);
        match kind {
            "int2" | "int4" | "int8" => {
                let count = step.map_or(Some(1), whole_number).filter(|step| *step != 0);
                if count.is_none() {
                    self.lacks(span, "a series with this step", "write the step as a literal");
                }
                count.map(Step::Number)
            }
            "date" | "timestamp" | "timestamptz" => {
                let unit = step.and_then(scaled).filter(|(_, times)| times.is_none()).and_then(|(span, _)| span.in_one_unit());
                let Some((count, unit)) = unit else {
                    self.lacks(span, "a series with this step", "step by a literal interval of months, of days, or of hours and less");
                    return None;
                };
                if unit == "month" && !starts_early(from) {
                    // PostgreSQL goes on from the last day of a short month, not from the first moment.
                    let help = "start at a month that is cut by date_trunc, or at a literal date up to the 28th";
                    self.lacks(span, "a series of months from this day", help);
                    return None;
                }
                Some(Step::Span(count, unit))
            }
            _ => {
                self.lacks(span, "a series of this type", "generate integers, dates or timestamps");
                None
            }
        }
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

/// Numbers of so many digits.
fn numbers(name: &str, digits: usize) -> String {
    let from: Vec<String> = (0..digits).map(|at| format!("{DIGITS} as d{at} (d{at})")).collect();
    let sum: Vec<String> = (0..digits).map(|at| format!("d{at} * {}", 10_usize.pow(u32::try_from(at).unwrap_or(0)))).collect();
    format!("(select {} as {name} from {})", sum.join(" + "), from.join(" cross join "))
}

/// A series in FROM between columns of another entry.
#[derive(Clone, Copy)]
pub(super) struct RowSeries<'e> {
    from: &'e Expr,
    to: &'e Expr,
    step: Option<&'e Expr>,
    pub alias: &'e TableAlias,
}

impl<'e> RowSeries<'e> {
    pub(super) fn of(factor: &'e TableFactor) -> Option<RowSeries<'e>> {
        let (name, arguments, alias) = match factor {
            TableFactor::Table { name, alias: Some(alias), args: Some(arguments), with_ordinality: false, .. } => {
                (name, &arguments.args, alias)
            }
            TableFactor::Function { name, args, alias: Some(alias), with_ordinality: false, .. } => (name, args, alias),
            _ => return None,
        };
        let values: Vec<&Expr> = arguments
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let (from, to, step) = match values.as_slice() {
            [from, to] => (*from, *to, None),
            [from, to, step] => (*from, *to, Some(*step)),
            _ => return None,
        };
        let reads = [from, to].into_iter().any(reads_columns) && ![from, to].into_iter().any(has_query);
        (reads && name.to_string().eq_ignore_ascii_case("generate_series")).then_some(RowSeries { from, to, step, alias })
    }
}

const DIGITS: &str = "(select 0 union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all \
                      select 6 union all select 7 union all select 8 union all select 9)";

/// What lies between the values of a series.
#[derive(Clone, Copy)]
enum Step {
    Number(i64),
    /// So many units of DATEADD.
    Span(i64, &'static str),
}

impl Step {
    /// The value for a number, and the condition that it belongs to the series.
    fn value_and_condition(self, number: &str, kind: &str, [first, last]: [&str; 2], digits: usize) -> (String, String) {
        let reached = if self.is_down() { ">=" } else { "<=" };
        // Between integers may lie more than one.
        let rows = match self {
            Step::Number(count) => format!("(cast({last} as bigint) - {first}) / {count}"),
            Step::Span(count, unit) => format!("datediff({unit}, {first}, {last}) / {count}"),
        };
        // More rows than are counted are an error, never left out.
        let enough = format!("1 / case when {rows} >= {} then 0 else 1 end = 1", 10_usize.pow(u32::try_from(digits).unwrap_or(0)));
        // What lies behind the last value may be too large to be one, so nothing there is computed.
        match self {
            Step::Number(count) => {
                let value = if kind != "int8" && count.unsigned_abs() > 10_000 {
                    format!("cast(cast({first} as bigint) + {number} * cast({count} as bigint) as integer)")
                } else {
                    format!("{first} + {number} * {count}")
                };
                (value, format!("{first} {reached} {last} and {number} <= {rows} and {enough}"))
            }
            Step::Span(count, unit) => {
                let moment = if kind == "date" { "timestamptz" } else { kind };
                let value = |number: &str| format!("cast(dateadd({unit}, {number} * cast({count} as bigint), {first}) as {moment})");
                let within = value(&format!("least({number}, {rows})"));
                (value(number), format!("{number} <= {rows} and {within} {reached} {last} and {enough}"))
            }
        }
    }

    fn is_down(self) -> bool {
        let (Step::Number(count) | Step::Span(count, _)) = self;
        count < 0
    }

    /// Parts of a day are many.
    fn is_fine(self) -> bool {
        matches!(self, Step::Span(_, unit) if !matches!(unit, "month" | "day"))
    }
}

/// A day up to the 28th: of a literal, or the first of a month.
fn starts_early(from: &Expr) -> bool {
    let literal = literal_moment(from).and_then(|text| text.get(8..10)).and_then(|day| day.parse::<u8>().ok()).is_some_and(|day| day <= 28);
    let of_months = |added: &Expr| scaled(added).is_some_and(|(span, _)| span.in_one_unit().is_some_and(|(_, unit)| unit == "month"));
    literal
        || match from {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => starts_early(inner),
            Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, right } => starts_early(left) && of_months(right),
            Expr::Function(call) => {
                let FunctionArguments::List(list) = &call.args else { return false };
                let arguments: Vec<&Expr> = list
                    .args
                    .iter()
                    .filter_map(|argument| match argument {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
                        _ => None,
                    })
                    .collect();
                match (call.name.to_string().to_lowercase().as_str(), arguments.as_slice()) {
                    ("date_trunc", [unit, ..]) => {
                        plain_text(unit).is_some_and(|unit| matches!(unit.to_lowercase().as_str(), "month" | "quarter" | "year"))
                    }
                    ("min" | "max", [value]) => starts_early(value),
                    _ => false,
                }
            }
            Expr::Subquery(query) => match &*query.body {
                SetExpr::Select(select) => match select.projection.as_slice() {
                    [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }] => starts_early(value),
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
}

/// Rows of a series between literals, at most: of minutes where both are dates.
fn literal_rows(from: &Expr, to: &Expr, step: Step) -> Option<u64> {
    let day = |bound: &Expr| literal_moment(bound)?.get(..10)?.parse::<jiff::civil::Date>().ok();
    let rows = match (whole_number(from), whole_number(to)) {
        (Some(from), Some(to)) => match step {
            Step::Number(count) => to.checked_sub(from)?.checked_div(count)?.checked_add(1)?,
            Step::Span(..) => return None,
        },
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

/// Whether a bound names a column of another entry of FROM.
fn reads_columns(expression: &Expr) -> bool {
    let mut found = false;
    outside_of_queries(expression, |part| found |= matches!(part, Expr::Identifier(_) | Expr::CompoundIdentifier(_)));
    found
}

fn has_query(expression: &Expr) -> bool {
    let found = visit_expressions(expression, |part| match part {
        Expr::Subquery(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}
