//! Functions that portable queries may call, and what each engine writes for them. What is not here is refused.

use super::calls::Call;
use super::writer::{Sql, Writer};
use crate::analysis::{usage, written_instead};
use crate::dialect::Engine;

/// What an engine writes for a function.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// The same name, the same meaning.
    Same,
    /// Another name, the same meaning.
    Named(&'static str),
    By(fn(&mut Writer<'_>, &Call<'_>) -> Sql),
    /// Nothing that means the same; the usual way out.
    Not(&'static str),
}

pub(super) struct Entry {
    pub name: &'static str,
    postgres: How,
    duckdb: How,
    redshift: How,
}

impl Entry {
    pub(super) fn how(&self, engine: Engine) -> How {
        match engine {
            Engine::Postgres => self.postgres,
            Engine::DuckDb => self.duckdb,
            Engine::Redshift => self.redshift,
        }
    }
}

use How::{By, Named, Not, Same};

const fn same(name: &'static str) -> Entry {
    Entry { name, postgres: Same, duckdb: Same, redshift: Same }
}

const fn by(name: &'static str, write: fn(&mut Writer<'_>, &Call<'_>) -> Sql) -> Entry {
    Entry { name, postgres: By(write), duckdb: By(write), redshift: By(write) }
}

/// PostgreSQL's own, written anew for the other two.
const fn for_others(name: &'static str, write: fn(&mut Writer<'_>, &Call<'_>) -> Sql) -> Entry {
    Entry { name, postgres: Same, duckdb: By(write), redshift: By(write) }
}

const FLOATS: &str = "compute it from sums of x, y, x * y and their squares, as double precision";

/// In alphabetical order.
const FUNCTIONS: &[Entry] = &[
    same("abs"),
    Entry {
        name: "array_agg",
        postgres: By(|writer, call| writer.array_agg(call)),
        duckdb: By(|writer, call| writer.array_agg(call)),
        redshift: Not("aggregate to text with string_agg"),
    },
    same("ascii"),
    by("avg", |writer, call| writer.average(call)),
    same("bit_and"),
    same("bit_or"),
    same("bool_and"),
    same("bool_or"),
    Entry { name: "btrim", postgres: Same, duckdb: By(|writer, call| writer.trim_call(call)), redshift: Same },
    by("ceil", |writer, call| writer.rounding(call)),
    by("ceiling", |writer, call| writer.rounding(call)),
    Entry { name: "char_length", postgres: Same, duckdb: Named("length"), redshift: Named("len") },
    Entry { name: "character_length", postgres: Same, duckdb: Named("length"), redshift: Named("len") },
    same("chr"),
    for_others("coalesce", |writer, call| writer.coalesce(call)),
    for_others("concat", |writer, call| writer.concat(call)),
    for_others("concat_ws", |writer, call| writer.concat_with_separator(call)),
    Entry { name: "corr", postgres: Same, duckdb: By(|writer, call| writer.correlation(call)), redshift: Not(FLOATS) },
    same("cos"),
    same("count"),
    Entry { name: "covar_pop", postgres: Same, duckdb: By(|writer, call| writer.of_pairs(call)), redshift: Not(FLOATS) },
    Entry { name: "covar_samp", postgres: Same, duckdb: By(|writer, call| writer.of_pairs(call)), redshift: Not(FLOATS) },
    same("cume_dist"),
    by("current_date", |writer, call| writer.today(call)),
    for_others("current_timestamp", |writer, call| writer.moment(call)),
    for_others("date_bin", |writer, call| writer.date_bin(call)),
    by("date_part", |writer, call| writer.date_part(call)),
    by("date_trunc", |writer, call| writer.date_trunc(call)),
    same("degrees"),
    for_others("dense_rank", |writer, call| writer.whole_rank(call, "bigint")),
    by("encode", |writer, call| writer.encode(call)),
    Entry { name: "every", postgres: Same, duckdb: Named("bool_and"), redshift: Named("bool_and") },
    by("exp", |writer, call| writer.of_float(call)),
    for_others("first_value", |writer, call| writer.plain_call(call, "first_value")),
    by("floor", |writer, call| writer.rounding(call)),
    for_others("format", |writer, call| writer.format_call(call)),
    by("greatest", |writer, call| writer.extreme_of(call)),
    same("grouping"),
    by("initcap", |writer, call| writer.initcap(call)),
    by("json_array_length", |writer, call| writer.json_length(call)),
    by("jsonb_array_length", |writer, call| writer.json_length(call)),
    for_others("lag", |writer, call| writer.neighbour(call)),
    same("last_value"),
    for_others("lead", |writer, call| writer.neighbour(call)),
    by("least", |writer, call| writer.extreme_of(call)),
    for_others("left", |writer, call| writer.left_or_right(call)),
    Entry { name: "length", postgres: Same, duckdb: Same, redshift: Named("len") },
    by("ln", |writer, call| writer.of_float(call)),
    for_others("localtimestamp", |writer, call| writer.moment(call)),
    by("log", |writer, call| writer.of_float(call)),
    by("lower", |writer, call| writer.letter_case(call)),
    by("lpad", |writer, call| writer.pad(call)),
    Entry { name: "ltrim", postgres: Same, duckdb: By(|writer, call| writer.trim_call(call)), redshift: Same },
    for_others("make_date", |writer, call| writer.make_date(call)),
    by("max", |writer, call| writer.extreme(call)),
    same("md5"),
    by("min", |writer, call| writer.extreme(call)),
    for_others("mod", |writer, call| writer.remainder_call(call)),
    for_others("now", |writer, call| writer.moment(call)),
    same("nth_value"),
    for_others("ntile", |writer, call| writer.whole_rank(call, "integer")),
    for_others("nullif", |writer, call| writer.null_if(call)),
    Entry { name: "octet_length", postgres: Same, duckdb: Named("strlen"), redshift: Same },
    same("percent_rank"),
    for_others("percentile_cont", |writer, call| writer.percentile(call)),
    for_others("percentile_disc", |writer, call| writer.percentile(call)),
    same("pi"),
    same("position"),
    by("power", |writer, call| writer.of_float(call)),
    same("radians"),
    same("random"),
    for_others("rank", |writer, call| writer.whole_rank(call, "bigint")),
    by("regexp_count", |writer, call| writer.regexp_count(call)),
    by("regexp_replace", |writer, call| writer.regexp_replace(call)),
    Entry { name: "repeat", postgres: Same, duckdb: By(|writer, call| writer.repeat(call)), redshift: Same },
    same("replace"),
    Entry { name: "reverse", postgres: Same, duckdb: By(|writer, call| writer.reverse(call)), redshift: Same },
    for_others("right", |writer, call| writer.left_or_right(call)),
    by("round", |writer, call| writer.rounding(call)),
    same("row_number"),
    by("rpad", |writer, call| writer.pad(call)),
    Entry { name: "rtrim", postgres: Same, duckdb: By(|writer, call| writer.trim_call(call)), redshift: Same },
    by("sign", |writer, call| writer.rounding(call)),
    same("sin"),
    by("split_part", |writer, call| writer.split_part(call)),
    by("sqrt", |writer, call| writer.of_float(call)),
    Entry { name: "starts_with", postgres: Same, duckdb: Same, redshift: By(|writer, call| writer.starts_with(call)) },
    by("stddev", |writer, call| writer.spread(call)),
    by("stddev_pop", |writer, call| writer.spread(call)),
    by("stddev_samp", |writer, call| writer.spread(call)),
    by("string_agg", |writer, call| writer.string_agg(call)),
    same("strpos"),
    by("substr", |writer, call| writer.substring_call(call)),
    by("substring", |writer, call| writer.substring_call(call)),
    by("sum", |writer, call| writer.sum(call)),
    same("tan"),
    by("timezone", |writer, call| writer.time_zone_call(call)),
    for_others("to_char", |writer, call| writer.formatted_moment(call)),
    for_others("to_date", |writer, call| writer.read_date(call)),
    by("to_hex", |writer, call| writer.hexadecimal(call)),
    for_others("to_timestamp", |writer, call| writer.read_instant(call)),
    same("translate"),
    by("trunc", |writer, call| writer.rounding(call)),
    by("upper", |writer, call| writer.letter_case(call)),
    by("var_pop", |writer, call| writer.spread(call)),
    by("var_samp", |writer, call| writer.spread(call)),
    by("variance", |writer, call| writer.spread(call)),
];

/// Aggregates take DISTINCT, FILTER and an order.
const AGGREGATES: &[&str] = &[
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "every",
    "max",
    "min",
    "percentile_cont",
    "percentile_disc",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// Of which rows of the window it is, the frame says.
const FRAMED: &[&str] = &["first_value", "last_value", "nth_value"];

/// What people write in place of functions that are not on the list.
const WAYS_OUT: &[(&str, &str)] = &[
    ("age", "subtract the moments, or take extract(year from …) of each"),
    ("clock_timestamp", "use current_timestamp, which is the start of the transaction"),
    ("date", "write x::date"),
    ("div", "write trunc(a / b)"),
    ("generate_series", "put it into FROM: from generate_series(1, 3) as g(n)"),
    ("json_agg", "aggregate to text with string_agg"),
    ("json_array_elements", "take the list apart where it is loaded"),
    ("json_build_object", "give each field a column of its own"),
    ("json_object_agg", "give each field a column of its own"),
    ("jsonb_agg", "aggregate to text with string_agg"),
    ("jsonb_array_elements", "unnest the list where it is loaded"),
    ("jsonb_build_object", "give each field a column of its own"),
    ("log10", "write log(x)"),
    ("make_interval", "write an interval literal, times a number where it varies"),
    ("mode", "count each value, number the rows by count with row_number() and keep the first"),
    ("pow", "write power(x, y)"),
    ("quote_literal", "write the quotes with ||"),
    ("regexp_instr", "use ~ to test"),
    ("regexp_like", "write text ~ 'pattern'"),
    ("regexp_matches", "use ~ to test, substring(… from …) to take a part"),
    ("regexp_split_to_array", "use split_part"),
    ("regexp_split_to_table", "use split_part, joined with generate_series"),
    ("regexp_substr", "write substring(text from 'pattern')"),
    ("row_to_json", "give each field a column of its own"),
    ("struct", "give each field a column of its own"),
    ("timestamp", "write x::timestamp"),
    ("unnest", "put it into FROM"),
    ("width_bucket", "write a CASE, or floor((x - low) / width)"),
];

pub(super) fn find(name: &str) -> Option<&'static Entry> {
    FUNCTIONS.binary_search_by_key(&name, |entry| entry.name).ok().and_then(|at| FUNCTIONS.get(at))
}

pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name)
}

pub(super) fn is_framed(name: &str) -> bool {
    is_aggregate(name) || FRAMED.contains(&name)
}

/// What is usually written in place of a function that is not on the list.
pub(super) fn way_out(name: &str) -> String {
    let listed = WAYS_OUT.iter().find(|(held, _)| *held == name).map(|(_, help)| (*help).to_owned());
    let foreign = || written_instead(name).map(|instead| format!("write {instead}"));
    // What is PostgreSQL's too, in another form.
    let written_so = || usage(name).filter(|help| help.starts_with("write ")).map(str::to_owned);
    listed.or_else(foreign).or_else(written_so).unwrap_or_else(|| "use a function that docs/portable.md lists".to_owned())
}

/// All names, for the documentation.
pub(super) fn names() -> impl Iterator<Item = (&'static str, [bool; 3])> {
    let has = |how: How| !matches!(how, Not(_));
    FUNCTIONS.iter().map(move |entry| (entry.name, [has(entry.postgres), has(entry.duckdb), has(entry.redshift)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(FUNCTIONS.is_sorted_by_key(|entry| entry.name));
        assert!(WAYS_OUT.is_sorted_by_key(|(name, _)| *name));
        assert!(WAYS_OUT.iter().all(|(name, _)| find(name).is_none()));
    }
}
