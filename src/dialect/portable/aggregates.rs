//! Aggregates and window functions whose type or rows differ.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_SUM.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LAG.html>
//! - <https://duckdb.org/docs/stable/sql/functions/aggregates>

use sqlparser::ast::Expr;

use super::calls::Call;
use super::levels::is_constant;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::analysis::SqlType;
use crate::dialect::Engine;

impl Writer<'_> {
    /// The sum of integers is a `bigint` and that of `bigint` an exact number: never cut, never of 128 bits.
    pub(super) fn sum(&mut self, call: &Call<'_>) -> Sql {
        let Some(argument) = call.only() else { return self.wrong_arguments(call) };
        let kind = self.type_name(argument);
        let written = self.expression(argument).text;
        match (kind, self.target()) {
            ("float4", _) => self.refuse(call.span, "the sum of real has other digits on every engine", "cast it to double precision"),
            ("int2" | "int4", Engine::DuckDb) if self.rewrites(Rewrite::SumType) => {
                Sql::atom(format!("cast({} as bigint)", self.aggregate(call, "sum", written).text))
            }
            ("int8", Engine::DuckDb) if self.rewrites(Rewrite::SumType) => {
                Sql::atom(format!("cast({} as decimal(38,0))", self.aggregate(call, "sum", written).text))
            }
            ("int8", Engine::Redshift) if self.rewrites(Rewrite::SumType) => {
                self.aggregate(call, "sum", format!("cast({written} as decimal(38,0))"))
            }
            ("int2" | "int4" | "int8" | "numeric" | "float8", _) => self.aggregate(call, "sum", written),
            _ => self.wrong_arguments(call),
        }
    }

    /// `min` and `max`: of text, by its bytes.
    pub(super) fn extreme(&mut self, call: &Call<'_>) -> Sql {
        let Some(argument) = call.only() else { return self.wrong_arguments(call) };
        let written = self.ordered_text(argument);
        let found = self.aggregate(call, &call.name, written);
        let found = if self.is_text(argument) { self.plain_letters(found) } else { found };
        if self.is(Engine::Redshift) && self.is_text(argument) { Sql::atom(format!("rtrim({}, chr(1))", found.text)) } else { found }
    }

    /// Of exact numbers PostgreSQL gives exact digits that no other engine has.
    pub(super) fn spread(&mut self, call: &Call<'_>) -> Sql {
        let Some(argument) = call.only() else { return self.wrong_arguments(call) };
        if !matches!(self.type_name(argument), "float4" | "float8") {
            let message = format!("'{}' of exact numbers has other digits on every engine", call.name);
            return self.refuse(call.span, message, format!("write {}(x::double precision)", call.name));
        }
        self.plain_call(call, &call.name)
    }

    /// Where one side does not vary PostgreSQL gives null, DuckDB no number.
    pub(super) fn correlation(&mut self, call: &Call<'_>) -> Sql {
        Sql::atom(format!("nullif({}, cast('nan' as double))", self.of_pairs(call).text))
    }

    /// Without an order each engine has its own.
    pub(super) fn array_agg(&mut self, call: &Call<'_>) -> Sql {
        if !call.is_ordered() {
            let help = "write the order: array_agg(x order by x)";
            return self.refuse(call.span, "in which order values are put into a list is not said, so each engine chooses", help);
        }
        self.plain_call(call, "array_agg")
    }

    pub(super) fn percentile(&mut self, call: &Call<'_>) -> Sql {
        let (Some(share), [key]) = (call.arguments.first(), call.function.within_group.as_slice()) else {
            return self.wrong_arguments(call);
        };
        let falls = key.options.sort.as_ref().is_some_and(|sort| *sort == sqlparser::ast::OrderBySort::Desc);
        let share = self.expression(share).text;
        let mut value = self.expression(&key.expr).text;
        if call.name == "percentile_cont" {
            value = format!("cast({value} as {})", self.double());
        }
        // Text by its bytes, as for `min`.
        let is_text = self.is_text(&key.expr);
        if is_text {
            value = self.ordered_text(&key.expr);
        }
        let direction = if falls { " desc" } else { "" };
        let name = self.marked(call.span, &call.name);
        self.one_order(&format!("{value}{direction}"), call.span);
        let (value, filter) = self.filtered(call.function, value);
        let over = self.over(call);
        let found = Sql::atom(format!("{name}({share}) within group (order by {value}{direction}){filter}{over}"));
        let found = if is_text { self.plain_letters(found) } else { found };
        if self.is(Engine::Redshift) && is_text { Sql::atom(format!("rtrim({}, chr(1))", found.text)) } else { found }
    }

    /// Redshift's ranks are of a smaller type.
    pub(super) fn whole_rank(&mut self, call: &Call<'_>, kind: &str) -> Sql {
        let written = self.plain_call(call, &call.name).text;
        let narrows = self.is(Engine::Redshift) || kind == "integer";
        if narrows { Sql::atom(format!("cast({written} as {kind})")) } else { Sql::atom(written) }
    }

    /// `lag` and `lead`. Redshift has no value for rows that are not there: those are told by a number that every row has.
    pub(super) fn neighbour(&mut self, call: &Call<'_>) -> Sql {
        let [value, rest @ ..] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let Some(default) = rest.get(1) else { return self.plain_call(call, &call.name) };
        if self.common_digits(&[*value, *default]).is_some() {
            let help = "cast both to one numeric(p,s)";
            return self.lacks(call.span, "a default with more digits behind the point than the values", help);
        }
        if self.is(Engine::DuckDb) && self.is_wider(default, value) {
            let help = "cast the values to the type of the default";
            return self.lacks(span_of(default), "a default of a wider type than the values", help);
        }
        if self.are_integers(&[*value, *default]) {
            let value = self.one_of(value, None, true).text;
            let rest: Vec<String> = rest.iter().map(|argument| self.expression(argument).text).collect();
            return Sql::atom(format!("{}({value}, {}){}", call.name, rest.join(", "), self.over(call)));
        }
        if !self.is(Engine::Redshift) {
            return self.plain_call(call, &call.name);
        }
        if !self.rewrites(Rewrite::MissingNeighbour) {
            return self.plain_call(call, &call.name);
        }
        let distance = rest.first().map_or_else(|| "1".to_owned(), |distance| self.expression(distance).text);
        let (value, default) = (self.expression(value).text, self.expression(default).text);
        let (name, over) = (&call.name, self.over(call));
        Sql::loose(format!("case when {name}(1, {distance}){over} is null then {default} else {name}({value}, {distance}){over} end"))
    }

    /// Whether a value is of a type that holds more than that of another; literals of whole numbers fit everywhere.
    fn is_wider(&self, value: &Expr, other: &Expr) -> bool {
        const NUMBERS: &[&str] = &["int2", "int4", "int8", "numeric", "float4", "float8"];
        const MOMENTS: &[&str] = &["date", "timestamp", "timestamptz"];
        let kinds = [self.type_name(value), self.type_name(other)];
        if kinds == ["numeric", "numeric"] {
            let [one, other] = [value, other].map(|side| (self.typed(side).digits, self.type_of(side).and_then(SqlType::precision)));
            let whole = |(digits, precision): (Option<i32>, Option<i32>)| Some(precision? - digits?);
            return one.0 > other.0 || whole(one) > whole(other);
        }
        let is_whole = super::numbers::whole_number(value).is_some_and(|number| match kinds[1] {
            "int2" => i16::try_from(number).is_ok(),
            "int4" => i32::try_from(number).is_ok(),
            _ => true,
        });
        [NUMBERS, MOMENTS].iter().any(|list| {
            let [one, other] = kinds.map(|kind| list.iter().position(|known| *known == kind));
            one.zip(other).is_some_and(|(one, other)| one > other) && !is_whole
        })
    }

    /// Each text once. A character that no text has ends each, so that blanks before it count; it is taken out again.
    fn distinct_list(&mut self, call: &Call<'_>, delimiter: &str, value: &str, length: usize) -> Sql {
        let falls = call.order_by.first().is_some_and(|key| key.options.sort == Some(sqlparser::ast::OrderBySort::Desc));
        let direction = if falls { " desc" } else { "" };
        let (joined, filter) = self.filtered(call.function, format!("{delimiter} || {value} || chr(1)"));
        self.one_order(&format!("{joined}{direction}"), call.span);
        let over = self.over(call);
        let list = format!("listagg(distinct {joined}) within group (order by {joined}{direction}){filter}{over}");
        Sql::atom(format!("substring(replace({list}, chr(1), ''), {})", length + 1))
    }

    /// What may be an error is not seen to be the same as the key of its order, so that the list is sorted by itself.
    fn list_of_distinct(&mut self, call: &Call<'_>, value: &Expr, delimiter: &Expr) -> Sql {
        let text = self.expression(value).text;
        let (joined, filter) = self.filtered(call.function, text);
        let delimiter = self.expression(delimiter).text;
        let direction = call.order_by.first().map(|key| self.direction(key)).unwrap_or_default();
        if joined.contains("error(") {
            let known = if filter.is_empty() { format!(" filter (where {joined} is not null)") } else { filter };
            let order = if direction.starts_with(" desc") { "'desc'" } else { "'asc'" };
            return Sql::atom(format!("array_to_string(list_sort(list(distinct {joined}){known}, {order}), {delimiter})"));
        }
        let over = self.over(call);
        // It takes no literal for a key.
        let order = if is_constant(value) { String::new() } else { format!(" order by {joined}{direction}") };
        Sql::atom(format!("string_agg(distinct {joined}, {delimiter}{order}){filter}{over}"))
    }

    /// Redshift leaves out empty strings, so each string comes with its delimiter, and the first delimiter is cut off.
    pub(super) fn string_agg(&mut self, call: &Call<'_>) -> Sql {
        let [value, delimiter] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        // What is put together once each is sorted for that by PostgreSQL, going up.
        if !call.is_ordered() && !call.distinct {
            let help = "write the order: string_agg(x, ',' order by x)";
            return self.refuse(call.span, "in which order strings are put together is not said, so each engine chooses", help);
        }
        if self.is_null_literal(delimiter) {
            // With nothing between them in PostgreSQL, nothing at all in DuckDB.
            return self.refuse(span_of(delimiter), "a delimiter that is null is not the same on all engines", "write ''");
        }
        if self.is(Engine::DuckDb) && super::literals::plain_text(delimiter).is_none() {
            return self.lacks(span_of(delimiter), "a delimiter that is no literal", "write the delimiter as a literal");
        }
        if self.is(Engine::Postgres) && call.distinct {
            // What is ordered by has to be what is aggregated, which is of the type text.
            let falls = call.order_by.first().is_some_and(|key| key.options.sort == Some(sqlparser::ast::OrderBySort::Desc));
            let direction = if falls { " desc" } else { "" };
            let collated = if self.rewrites(Rewrite::Collation) { " collate \"C\"" } else { "" };
            let text = format!("cast({} as text){collated}", self.expression(value).text);
            let (joined, filter) = self.filtered(call.function, text.clone());
            let (delimiter, over) = (self.expression(delimiter).text, self.over(call));
            let list = Sql::atom(format!("string_agg(distinct {joined}, {delimiter} order by {text}{direction}){filter}{over}"));
            return self.plain_letters(list);
        }
        if self.is(Engine::DuckDb) && call.distinct {
            return self.list_of_distinct(call, value, delimiter);
        }
        if !self.is(Engine::Redshift) {
            return self.plain_call(call, "string_agg");
        }
        let Some(text) = super::literals::plain_text(delimiter) else {
            return self.lacks(span_of(delimiter), "a delimiter that is no literal", "write the delimiter as a literal");
        };
        let written = self.expression(value);
        let delimiter = self.text(text);
        let keys = if call.is_ordered() { self.keys_that_count(call, call.order_by) } else { self.ordered_text(value) };
        if !call.distinct {
            self.one_order(&keys, call.span);
        }
        if !self.rewrites(Rewrite::StringAggregate) {
            return Sql::atom(format!("listagg({}, {delimiter}) within group (order by {keys})", written.text));
        }
        if call.distinct {
            return self.distinct_list(call, &delimiter, &written.part(), text.chars().count());
        }
        let (joined, filter) = self.filtered(call.function, format!("{delimiter} || {}", written.part()));
        let over = self.over(call);
        let list = format!("listagg({joined}) within group (order by {keys}){filter}{over}");
        match text.chars().count() {
            0 => Sql::atom(list),
            length => Sql::atom(format!("substring({list}, {})", length + 1)),
        }
    }
}
