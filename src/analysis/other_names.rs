//! Functions of other engines, and what PostgreSQL's SQL has in their place: what people write from habit.

/// What is written for a function that PostgreSQL lacks; `None` for what is no well-known one.
pub fn written_instead(function: &str) -> Option<&'static str> {
    let at = OTHERS.binary_search_by_key(&function, |(name, _)| name).ok()?;
    OTHERS.get(at).map(|(_, instead)| *instead)
}

/// All of them, with what is written for each.
pub fn habits() -> impl Iterator<Item = (&'static str, &'static str)> {
    OTHERS.iter().copied()
}

const OTHERS: &[(&str, &str)] = &[
    ("add_months", "moment + interval '1 month' * n, by which 29 February goes to 29 March"),
    ("adddate", "moment + interval '1 day'"),
    ("any_value", "min(x) or max(x)"),
    ("approx_count_distinct", "count(distinct x)"),
    ("approx_distinct", "count(distinct x)"),
    ("approx_percentile", "percentile_cont(0.5) within group (order by x)"),
    ("arg_max", "select distinct on (key) key, x from … order by key, y desc"),
    ("arg_min", "select distinct on (key) key, x from … order by key, y"),
    ("booland_agg", "bool_and(x)"),
    ("boolor_agg", "bool_or(x)"),
    ("charindex", "position(part in text)"),
    ("contains", "text like '%part%'"),
    ("contains_substr", "position(lower(part) in lower(text)) > 0"),
    ("convert_timezone", "moment at time zone 'UTC' at time zone 'Europe/London'"),
    ("count_if", "count(*) filter (where condition)"),
    ("countif", "count(*) filter (where condition)"),
    ("curdate", "current_date"),
    ("current_datetime", "now()"),
    ("date_add", "moment + interval '1 day'"),
    ("date_diff", "date - date for days, extract(epoch from moment - moment) for seconds"),
    ("date_format", "to_char(moment, 'YYYY-MM-DD')"),
    ("date_from_parts", "make_date(year, month, day)"),
    ("date_sub", "moment - interval '1 day'"),
    ("dateadd", "moment + interval '1 day'"),
    ("datediff", "date - date for days, extract(epoch from moment - moment) for seconds"),
    ("datefromparts", "make_date(year, month, day)"),
    ("datename", "to_char(moment, 'FMMonth')"),
    ("datepart", "extract(year from moment)"),
    ("datetime_add", "moment + interval '1 day'"),
    ("datetime_diff", "date - date for days, extract(epoch from moment - moment) for seconds"),
    ("datetime_sub", "moment - interval '1 day'"),
    ("datetime_trunc", "date_trunc('month', moment)"),
    ("datetrunc", "date_trunc('month', moment)"),
    ("day", "extract(day from moment)"),
    ("dayname", "to_char(moment, 'FMDay')"),
    ("dayofweek", "extract(dow from moment): 0 on Sunday, 6 on Saturday"),
    ("dayofyear", "extract(doy from moment)"),
    ("div0", "case when y = 0 then x * 0 else x::numeric(18,4) / y end"),
    ("emptyasnull", "nullif(text, '')"),
    ("ends_with", "right(text, length(part)) = part"),
    ("endswith", "right(text, length(part)) = part"),
    ("eomonth", "(date_trunc('month', moment) + interval '1 month' - interval '1 day')::date"),
    ("equal_null", "x is not distinct from y"),
    ("farm_fingerprint", "md5(text)"),
    ("first", "first_value(x) over (order by key), or select distinct on (key) key, x from … order by key, y"),
    ("format_date", "to_char(moment, 'YYYY-MM-DD')"),
    ("format_datetime", "to_char(moment, 'YYYY-MM-DD')"),
    ("format_timestamp", "to_char(moment, 'YYYY-MM-DD')"),
    ("from_unixtime", "to_timestamp(seconds)"),
    ("generate_array", "from generate_series(1, 10) as g (n)"),
    ("generate_date_array", "from generate_series(date '2024-01-01', date '2024-12-31', interval '1 day') as g (day)"),
    ("generate_uuid", "md5(a || '|' || b) of the columns of a key"),
    ("get_json_object", "document ->> 'key'"),
    ("getdate", "now()"),
    ("getutcdate", "now()"),
    ("group_concat", "string_agg(text, ',' order by key)"),
    ("hash", "md5(text)"),
    ("hashbytes", "md5(text)"),
    ("hour", "extract(hour from moment)"),
    ("if", "case when condition then x else y end"),
    ("iff", "case when condition then x else y end"),
    ("ifnull", "coalesce(x, y)"),
    ("iif", "case when condition then x else y end"),
    ("instr", "position(part in text)"),
    ("isnull", "coalesce(x, y)"),
    ("json_extract", "document ->> 'key'"),
    ("json_extract_scalar", "document ->> 'key'"),
    ("json_extract_string", "document ->> 'key'"),
    ("json_value", "document ->> 'key'"),
    ("last", "last_value(x) over (order by key rows between unbounded preceding and unbounded following)"),
    ("last_day", "(date_trunc('month', moment) + interval '1 month' - interval '1 day')::date"),
    ("lcase", "lower(text)"),
    ("len", "length(text)"),
    ("listagg", "string_agg(text, ',' order by key)"),
    ("locate", "position(part in text)"),
    ("log2", "ln(x) / ln(2)"),
    ("logical_and", "bool_and(x)"),
    ("logical_or", "bool_or(x)"),
    ("max_by", "select distinct on (key) key, x from … order by key, y desc"),
    ("median", "percentile_cont(0.5) within group (order by x)"),
    ("mid", "substring(text, start, length)"),
    ("min_by", "select distinct on (key) key, x from … order by key, y"),
    ("minute", "extract(minute from moment)"),
    ("month", "extract(month from moment)"),
    ("monthname", "to_char(moment, 'FMMonth')"),
    ("months_between", "(extract(year from one) - extract(year from other)) * 12 + extract(month from one) - extract(month from other)"),
    ("newid", "md5(a || '|' || b) of the columns of a key"),
    ("next_day", "date + (n + 6 - extract(dow from date)::integer) % 7 + 1, with n from 0 for Sunday to 6"),
    ("nullifzero", "nullif(x, 0)"),
    ("nvl", "coalesce(x, y)"),
    ("nvl2", "case when x is not null then y else z end"),
    ("object_construct", "a column of its own for each field"),
    ("parse_date", "to_date(text, 'YYYY-MM-DD')"),
    ("parse_datetime", "to_timestamp(text, 'YYYY-MM-DD HH24:MI:SS')"),
    ("parse_json", "text::json"),
    ("parse_timestamp", "to_timestamp(text, 'YYYY-MM-DD HH24:MI:SS')"),
    ("quantile", "percentile_cont(0.5) within group (order by x)"),
    ("quarter", "extract(quarter from moment)"),
    ("rand", "random()"),
    ("ratio_to_report", "x::numeric(18,4) / sum(x) over ()"),
    ("regexp_contains", "text ~ 'pattern'"),
    ("regexp_extract", "substring(text from 'pattern')"),
    ("regexp_extract_all", "substring(text from 'pattern'), which is the first"),
    ("replicate", "repeat(text, n)"),
    ("rlike", "text ~ 'pattern'"),
    ("safe_divide", "x::double precision / nullif(y, 0)"),
    ("second", "floor(extract(second from moment))"),
    ("space", "repeat(' ', n)"),
    ("split", "split_part(text, ',', n)"),
    ("split_to_array", "split_part(text, ',', n)"),
    ("square", "x * x"),
    ("startswith", "starts_with(text, part)"),
    ("str", "x::text"),
    ("str_to_date", "to_date(text, 'YYYY-MM-DD')"),
    ("strftime", "to_char(moment, 'YYYY-MM-DD')"),
    ("strptime", "to_timestamp(text, 'YYYY-MM-DD')"),
    ("strtok", "split_part(text, ',', n)"),
    ("stuff", "left(text, start - 1) || part || substring(text, start + length)"),
    ("subdate", "moment - interval '1 day'"),
    ("substring_index", "split_part(text, ',', 1), which is what stands before the first"),
    ("sum_if", "sum(x) filter (where condition)"),
    ("sumif", "sum(x) filter (where condition)"),
    ("sysdate", "now()"),
    ("sysdatetime", "now()"),
    ("systimestamp", "now()"),
    ("time_bucket", "date_bin('15 minutes', moment, timestamp '2000-01-01')"),
    ("time_slice", "date_bin('15 minutes', moment, timestamp '2000-01-01')"),
    ("timestamp_add", "moment + interval '1 day'"),
    ("timestamp_diff", "date - date for days, extract(epoch from moment - moment) for seconds"),
    ("timestamp_sub", "moment - interval '1 day'"),
    ("timestamp_trunc", "date_trunc('month', moment)"),
    ("timestampadd", "moment + interval '1 day'"),
    ("timestampdiff", "date - date for days, extract(epoch from moment - moment) for seconds"),
    ("to_boolean", "text::boolean"),
    ("to_decimal", "text::numeric(18,2)"),
    ("to_double", "text::double precision"),
    ("to_numeric", "text::numeric(18,2)"),
    ("to_timestamp_ntz", "text::timestamp"),
    ("to_timestamp_tz", "text::timestamptz"),
    ("to_varchar", "x::text"),
    ("today", "current_date"),
    ("truncate", "trunc(x, n)"),
    ("try_to_date", "case when text ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then text::date end"),
    ("try_to_decimal", "case when text ~ '^[-+]?[0-9]+([.][0-9]+)?$' then text::numeric(18,2) end"),
    ("try_to_number", "case when text ~ '^[-+]?[0-9]+([.][0-9]+)?$' then text::numeric(18,2) end"),
    ("try_to_numeric", "case when text ~ '^[-+]?[0-9]+([.][0-9]+)?$' then text::numeric(18,2) end"),
    ("ucase", "upper(text)"),
    ("unix_seconds", "floor(extract(epoch from moment))"),
    ("unix_timestamp", "floor(extract(epoch from moment))"),
    ("utc_timestamp", "now()"),
    ("uuid_string", "md5(a || '|' || b) of the columns of a key"),
    ("week", "extract(week from moment)"),
    ("weekday", "extract(dow from moment): 0 on Sunday, 6 on Saturday"),
    ("weekofyear", "extract(week from moment)"),
    ("year", "extract(year from moment)"),
    ("zeroifnull", "coalesce(x, 0)"),
];

/// How a function of PostgreSQL's is called that was given something else, where other engines have it with other arguments or people often
/// forget a cast.
pub fn usage(function: &str) -> Option<&'static str> {
    let at = USAGES.binary_search_by_key(&function, |(name, _)| name).ok()?;
    USAGES.get(at).map(|(_, usage)| *usage)
}

const OF_NUMBERS: &str = "give it numbers: cast text, as in x::numeric(18,2), and count conditions with count(*) filter (where condition)";
const OF_TEXT: &str = "give it text: x::text";
const OF_CONDITIONS: &str = "give it a condition, as in status = 'paid'";

const USAGES: &[(&str, &str)] = &[
    ("avg", OF_NUMBERS),
    ("bool_and", OF_CONDITIONS),
    ("bool_or", OF_CONDITIONS),
    ("btrim", OF_TEXT),
    ("char_length", OF_TEXT),
    ("count", "count rows by count(*), values by count(x), and of several columns the rows of a subquery with SELECT DISTINCT"),
    ("date_part", "write date_part('year', moment)"),
    ("date_trunc", "write date_trunc('month', moment): first the unit in single quotes, then the moment"),
    ("decode", "write case x when a then b else c end"),
    ("extract", "write extract(year from moment)"),
    ("initcap", OF_TEXT),
    ("json_extract_path_text", "write text::json ->> 'key'"),
    ("left", OF_TEXT),
    ("length", OF_TEXT),
    ("log", "give it a double precision: log(x::double precision)"),
    ("lower", OF_TEXT),
    ("lpad", OF_TEXT),
    ("ltrim", OF_TEXT),
    ("md5", OF_TEXT),
    ("mod", "give it exact numbers: mod(x::numeric(18,2), y)"),
    ("percentile_cont", "write percentile_cont(0.5) within group (order by x)"),
    ("percentile_disc", "write percentile_disc(0.5) within group (order by x)"),
    ("regexp_replace", OF_TEXT),
    ("replace", OF_TEXT),
    ("reverse", OF_TEXT),
    ("right", OF_TEXT),
    ("round", "round to digits is for exact numbers: round(x::numeric(18,4), 2)"),
    ("rpad", OF_TEXT),
    ("rtrim", OF_TEXT),
    ("split_part", "write split_part(text, ',', n), with text as in x::text"),
    ("starts_with", OF_TEXT),
    ("string_agg", "write string_agg(x::text, ',' order by key): text and its delimiter"),
    ("strpos", OF_TEXT),
    ("substr", "give it text and whole numbers: substr(x::text, 1, 3)"),
    ("substring", "give it text and whole numbers: substring(x::text, 1, 3)"),
    ("sum", OF_NUMBERS),
    ("to_char", "write to_char(moment, 'YYYY-MM-DD') with a format, or x::text"),
    ("to_date", "write to_date(text, 'YYYY-MM-DD') with a format, or text::date"),
    ("to_number", "write text::numeric(18,2)"),
    ("to_timestamp", "write to_timestamp(text, 'YYYY-MM-DD HH24:MI:SS') with a format, or text::timestamp"),
    ("translate", OF_TEXT),
    ("trunc", "trunc is for numbers: a moment is cut by date_trunc('month', moment)"),
    ("upper", OF_TEXT),
];

/// What units are called, which other engines take as bare words.
pub(super) const UNITS: [&str; 10] = ["year", "quarter", "month", "week", "day", "dow", "hour", "minute", "second", "epoch"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::catalogue::catalogue;

    #[test]
    fn they_are_in_order_and_not_of_postgres() {
        assert!(OTHERS.is_sorted_by_key(|(name, _)| *name));
        for (name, _) in OTHERS {
            assert!(catalogue().functions(name).is_empty(), "{name}");
        }
        assert!(USAGES.is_sorted_by_key(|(name, _)| *name));
        for (name, _) in USAGES.iter().filter(|(name, _)| *name != "extract") {
            assert!(!catalogue().functions(name).is_empty(), "{name}");
        }
    }
}
