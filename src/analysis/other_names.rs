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
    ("add_months", "moment + interval '1 month' * n"),
    ("any_value", "min(x) or max(x)"),
    ("charindex", "position(part in text)"),
    ("contains", "text like '%part%'"),
    ("convert_timezone", "moment at time zone 'UTC' at time zone 'Europe/London'"),
    ("date_add", "moment + interval '1 day'"),
    ("date_diff", "date - date for days, extract(epoch from moment - moment) for seconds"),
    ("date_sub", "moment - interval '1 day'"),
    ("dateadd", "moment + interval '1 day'"),
    ("datediff", "date - date for days, extract(epoch from moment - moment) for seconds"),
    ("datename", "to_char(moment, 'Month')"),
    ("datepart", "extract(year from moment)"),
    ("datetrunc", "date_trunc('month', moment)"),
    ("day", "extract(day from moment)"),
    ("dayofweek", "extract(dow from moment)"),
    ("dayofyear", "extract(doy from moment)"),
    ("eomonth", "date_trunc('month', moment) + interval '1 month' - interval '1 day'"),
    ("getdate", "now()"),
    ("group_concat", "string_agg(text, ',' order by key)"),
    ("hour", "extract(hour from moment)"),
    ("if", "case when condition then x else y end"),
    ("iff", "case when condition then x else y end"),
    ("ifnull", "coalesce(x, y)"),
    ("iif", "case when condition then x else y end"),
    ("instr", "position(part in text)"),
    ("isnull", "coalesce(x, y)"),
    ("json_extract", "document ->> 'key'"),
    ("json_extract_string", "document ->> 'key'"),
    ("last_day", "date_trunc('month', moment) + interval '1 month' - interval '1 day'"),
    ("lcase", "lower(text)"),
    ("len", "length(text)"),
    ("listagg", "string_agg(text, ',' order by key)"),
    ("median", "percentile_cont(0.5) within group (order by x)"),
    ("minute", "extract(minute from moment)"),
    ("month", "extract(month from moment)"),
    ("months_between", "extract(year from age(one, other)) * 12 + extract(month from age(one, other))"),
    ("nullifzero", "nullif(x, 0)"),
    ("nvl", "coalesce(x, y)"),
    ("nvl2", "case when x is not null then y else z end"),
    ("quarter", "extract(quarter from moment)"),
    ("ratio_to_report", "x / sum(x) over ()"),
    ("second", "extract(second from moment)"),
    ("strftime", "to_char(moment, 'YYYY-MM-DD')"),
    ("strptime", "to_timestamp(text, 'YYYY-MM-DD')"),
    ("sysdate", "now()"),
    ("sysdatetime", "now()"),
    ("systimestamp", "now()"),
    ("today", "current_date"),
    ("ucase", "upper(text)"),
    ("week", "extract(week from moment)"),
    ("weekofyear", "extract(week from moment)"),
    ("year", "extract(year from moment)"),
    ("zeroifnull", "coalesce(x, 0)"),
];

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
    }
}
