//! Declarative partitions, which PostgreSQL has.

use super::quote_text;
use super::steps::print_table;
use crate::plan::{MakePartitions, suffixed};
use crate::project::{PartitionBy, PartitionKind, Period};

/// What stands behind the columns of a table.
pub(super) fn clause(by: &PartitionBy) -> String {
    let kind = match by.kind {
        PartitionKind::Time { .. } | PartitionKind::Numbers { .. } => "range",
        PartitionKind::Values | PartitionKind::Lists(_) => "list",
    };
    format!(" partition by {kind} ({})", by.column)
}

/// More partitions than this make every query slow to plan.
const MOST: usize = 2000;

/// Letters of a label, which tells the partitions of a table apart: a value of a list is cut, and a hash keeps it apart.
const LABEL_OF_TIME: usize = 13;
const LABEL_OF_NUMBER: usize = 20;
const LABEL_OF_VALUE: usize = 27;

/// One statement, since which partitions there have to be only the rows tell. Moments are cut in UTC, whatever the session's zone is.
pub(super) fn make(step: &MakePartitions) -> String {
    let MakePartitions { table, by, unlogged, run_tag, .. } = step;
    let label = match by.kind {
        PartitionKind::Time { .. } => LABEL_OF_TIME,
        PartitionKind::Numbers { .. } => LABEL_OF_NUMBER,
        PartitionKind::Values | PartitionKind::Lists(_) => LABEL_OF_VALUE,
    };
    let room = "x".repeat("__p_".len() + label + "_".len() + run_tag.len());
    let prefix = suffixed(&step.named_after.identifier, &room).trim_end_matches(&room).to_owned();
    let (wanted, bounds) = match &by.kind {
        PartitionKind::Time { every, ahead } => (by_time(step, *every, *ahead), RANGE),
        PartitionKind::Numbers { every } => (by_number(step, *every), RANGE),
        PartitionKind::Values => (by_value(step), LIST),
        PartitionKind::Lists(lists) => (by_list(step, lists), LIST),
    };
    let (name, parent) = (quote_text(&table.quoted()), table.quoted());
    let word = if *unlogged { "unlogged table" } else { "table" };
    let create = format!("execute format('create {word} %I.%I partition of {} ", parent.replace('%', "%%").replace('\'', "''"));
    let named = |label: &str| {
        format!(
            "{}, {} || {label} || {}",
            quote_text(&table.schema),
            quote_text(&format!("{prefix}__p_")),
            quote_text(&format!("_{run_tag}"))
        )
    };
    let rest = match by.default {
        true => format!(
            "    if not exists ({HELD} where inhparent = {name}::regclass and pg_get_expr(relpartbound, oid) = 'DEFAULT') then\n        {create}default', {});\n    end if;\n",
            named("'rest'")
        ),
        false => String::new(),
    };
    format!(
        "do $acca$\ndeclare\n    zone text := current_setting('TimeZone');\n    wanted record;\nbegin\n    \
         if not exists (select from pg_partitioned_table where partrelid = {name}::regclass) then\n        \
         raise exception '% has no partitions yet', {name} using hint = 'build it once with --full-refresh';\n    end if;\n    \
         perform set_config('TimeZone', 'UTC', true);\n    for wanted in\n{wanted}        order by 1 limit {MOST} + 1\n    loop\n        \
         if (select count(*) from pg_inherits where inhparent = {name}::regclass) >= {MOST} then\n            \
         raise exception '% would have more than {MOST} partitions', {name} using hint = 'let each of them hold more';\n        end if;\n        \
         {create}{bounds}, {}, wanted.lower_bound, wanted.upper_bound);\n    end loop;\n{rest}    \
         perform set_config('TimeZone', zone, true);\nend\n$acca$",
        named("wanted.label"),
    )
}

const RANGE: &str = "for values from (%L) to (%L)'";
/// Both bounds are the same text.
const LIST: &str = "for values in (%s)'";

const HELD: &str = "select from pg_inherits join pg_class on pg_class.oid = inhrelid";

/// Whether no partition has a range that holds a lower bound of that type. A text in quotes is a moment, one without is a number.
fn unheld_range(step: &MakePartitions, data_type: &str) -> String {
    let bound = |at: u8| {
        format!(
            "(regexp_match(pg_get_expr(relpartbound, oid), 'FROM \\(''?([-0-9].*?)''?\\) TO \\(''?([-0-9].*?)''?\\)'))[{at}]::{data_type}"
        )
    };
    format!(
        "        where not exists (\n            {HELD}\n            where inhparent = {}::regclass and pg_get_expr(relpartbound, oid) <> 'DEFAULT'\n              \
         and cast(lower_bound as {data_type}) >= {} and cast(lower_bound as {data_type}) < {}\n        )\n",
        quote_text(&step.table.quoted()),
        bound(1),
        bound(2),
    )
}

fn by_time(step: &MakePartitions, every: Period, ahead: u32) -> String {
    let label = match every {
        Period::Hour => "YYYY_MM_DD_HH24",
        Period::Day => "YYYY_MM_DD",
        Period::Week => "IYYY_IW",
        Period::Month => "YYYY_MM",
        Period::Quarter => "YYYY_Q",
        Period::Year => "YYYY",
    };
    let (unit, length) = (every.as_str(), if every == Period::Quarter { "3 months".to_owned() } else { format!("1 {}", every.as_str()) });
    let (key, source) = (&step.key, print_table(&step.source));
    format!(
        "        select lower_bound, lower_bound + interval '{length}' as upper_bound, to_char(lower_bound, '{label}') as label\n        from (\n            \
         select date_trunc('{unit}', {key}) as lower_bound from {source} where isfinite({key})\n            union\n            \
         select date_trunc('{unit}', now()) + n * interval '{length}' from generate_series(0, {ahead}) as n\n        ) as periods\n{}",
        unheld_range(step, "timestamptz"),
    )
}

fn by_number(step: &MakePartitions, every: i64) -> String {
    let (key, source) = (&step.key, print_table(&step.source));
    format!(
        "        select lower_bound, lower_bound + {every} as upper_bound, replace(lower_bound::text, '-', 'minus_') as label\n        from (\n            \
         select distinct floor({key}::numeric / {every}) * {every} as lower_bound from {source} where {key} is not null\n        ) as ranges\n{}",
        unheld_range(step, "numeric"),
    )
}

/// Whether no partition has a value, given as text. The list of a partition stands behind `FOR VALUES IN (`, with quotes doubled and nothing else.
fn unheld_value(step: &MakePartitions) -> String {
    format!(
        "        where not exists (\n            {HELD}\n            cross join regexp_matches(substr(pg_get_expr(relpartbound, oid), 16), '''(?:[^'']|'''')*''|[^,() '']+', 'g') as held\n            \
         where inhparent = {}::regclass and pg_get_expr(relpartbound, oid) like 'FOR VALUES IN (%'\n              \
         and held[1] in ('''' || replace(first_value, '''', '''''') || '''', first_value)\n        )\n",
        quote_text(&step.table.quoted()),
    )
}

fn by_value(step: &MakePartitions) -> String {
    let (key, source) = (&step.key, print_table(&step.source));
    format!(
        "        select quote_literal(first_value) as lower_bound, null as upper_bound,\n            \
         left(regexp_replace(lower(first_value), '[^a-z0-9]+', '_', 'g'), 20) || '_' || left(md5(first_value), 6) as label\n        \
         from (select distinct {key}::text as first_value from {source} where {key} is not null) as found\n{}",
        unheld_value(step),
    )
}

fn by_list(step: &MakePartitions, lists: &[(String, Vec<Option<String>>)]) -> String {
    let printed = |value: &Option<String>| value.as_ref().map_or_else(|| "NULL".to_owned(), |text| quote_text(text));
    let row = |(name, values): &(String, Vec<Option<String>>)| {
        let list = values.iter().map(printed).collect::<Vec<_>>().join(", ");
        let first = values.first().and_then(Option::as_deref).unwrap_or("NULL");
        let label: String = name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).take(LABEL_OF_VALUE).collect();
        format!("({}, {}, {})", quote_text(&list), quote_text(first), quote_text(&label))
    };
    format!(
        "        select list as lower_bound, null as upper_bound, label\n        from (values {}) as lists (list, first_value, label)\n{}",
        lists.iter().map(row).collect::<Vec<_>>().join(", "),
        unheld_value(step),
    )
}
