//! Declarative partitions, which PostgreSQL has.

use std::collections::BTreeMap;

use super::quote_text;
use super::steps::print_table;
use crate::base::Relation;
use crate::plan::{CheckPartitions, MakePartitions, Seen, suffixed};
use crate::project::{PartitionBy, PartitionKind, Period};

/// What stands behind the columns of a table.
pub(super) fn clause(by: &PartitionBy) -> String {
    format!(" partition by {} ({})", word(by), by.column)
}

fn word(by: &PartitionBy) -> &'static str {
    match by.kind {
        PartitionKind::Time { .. } | PartitionKind::Numbers { .. } => "range",
        PartitionKind::Values | PartitionKind::Lists(_) => "list",
    }
}

/// More partitions than this make every query slow to plan.
const MOST: usize = 2000;

/// Letters of a label, which tells the partitions of a table apart: a value of a list is cut, and a hash keeps it apart.
const LABEL_OF_TIME: usize = 13;
const LABEL_OF_NUMBER: usize = 20;
const LABEL_OF_VALUE: usize = 27;

/// Of the label of a value that is cut: of two thousand values that begin alike, no two have one hash.
const LETTERS: usize = 16;
const HASH: usize = 10;

/// What all names of partitions have that acca made.
const MARK: &str = "__p_";

/// Bytes of the partition for the rest that are looked through in no time, however many wait for it.
const SOON_READ: u64 = 8 << 20;

/// One statement, since which partitions there have to be only the rows tell. Moments are cut in UTC, whatever the session's zone is.
///
/// Whoever reads a table meanwhile waits for a partition of its own to be put in, where there is one for the rest, and that waits for
/// whoever reads already: so it is tried again and again, with a pause for others.
pub(super) fn make(step: &MakePartitions) -> String {
    let MakePartitions { table, by, .. } = step;
    let (wanted, bounds, belongs) = match &by.kind {
        PartitionKind::Time { every, ahead } => (by_time(step, *every, *ahead), RANGE, range_of(&by.column)),
        PartitionKind::Numbers { every } => (by_number(step, *every), RANGE, range_of(&by.column)),
        PartitionKind::Values => {
            (by_value(step), LIST, format!("format('{0} is not null and {0} in (%s)', wanted.lower_bound)", in_text(&by.column)))
        }
        PartitionKind::Lists(lists) => (by_list(step, lists), LIST, "wanted.belongs".to_owned()),
    };
    let name = quote_text(&table.quoted());
    let put = |label: &str, bounds: &str, belongs: Option<&str>| match step.seen {
        Seen::ByNobody => create_of(step, label, bounds),
        Seen::InUse | Seen::Ahead => attach(step, label, bounds, belongs),
    };
    let rest = match by.default {
        true => format!("    if rest is null then\n{}    end if;\n", put("'rest'", "default'", None)),
        false => String::new(),
    };
    let declared = match step.seen {
        Seen::ByNobody => "",
        Seen::InUse | Seen::Ahead => {
            "    patience bigint := (select setting::bigint from pg_settings where name = 'lock_timeout');\n    \
             began timestamptz;\n    part text;\n    command text;\n"
        }
    };
    format!(
        "do $acca$\ndeclare\n    zone text := current_setting('TimeZone');\n    rest text := ({REST});\n{declared}    wanted record;\nbegin\n{clean}    \
         perform set_config('TimeZone', 'UTC', true);\n    for wanted in\n{wanted}        order by 1 limit {MOST} + 1\n    loop\n        \
         if (select count(*) from pg_inherits where inhparent = {name}::regclass) >= {MOST} then\n            \
         raise exception '% would have more than {MOST} partitions', {name} using hint = 'let each of them hold more';\n        end if;\n\
         {each}    end loop;\n{rest}    \
         perform set_config('TimeZone', zone, true);\nend\n$acca$",
        REST = format_args!(
            "select inhrelid::regclass::text {HELD_FROM} where inhparent = {name}::regclass and pg_get_expr(relpartbound, oid) = 'DEFAULT'"
        ),
        clean = if step.seen == Seen::Ahead { FREE_THE_REST } else { "" },
        each = put("wanted.label", bounds, Some(&belongs)),
    )
}

/// What a run that was killed may have left of [`attach`].
const FREE_THE_REST: &str = "    if exists (select from pg_constraint where conrelid = rest::regclass and conname = 'acca_rest') then\n        \
     execute format('alter table %s drop constraint acca_rest', rest);\n    end if;\n";

/// Seconds for which [`free_the_rest`] waits for those who use the partition.
const CLEANING: u8 = 10;

/// Takes away what is left of [`attach`] where it failed: nobody could write rows of that part meanwhile.
pub fn free_the_rest(table: &Relation) -> String {
    let parent = quote_text(&table.quoted());
    format!(
        "do $acca$\ndeclare\n    command text := (select format('alter table %s drop constraint acca_rest', inhrelid::regclass) {HELD_FROM} \
         join pg_constraint on conrelid = inhrelid and conname = 'acca_rest' where inhparent = to_regclass({parent}) \
         and pg_get_expr(relpartbound, pg_class.oid) = 'DEFAULT');\n    began timestamptz := clock_timestamp();\nbegin\n    loop\n        \
         exit when command is null;\n        begin\n            perform set_config('lock_timeout', '500', true);\n            \
         execute command;\n            exit;\n        exception when lock_not_available then\n            \
         if clock_timestamp() > began + interval '{CLEANING} s' then\n                raise;\n            end if;\n        end;\n        \
         perform pg_sleep(0.25);\n    end loop;\nend\n$acca$"
    )
}

const RANGE: &str = "for values from (%L) to (%L)'";
/// Both bounds are the same text.
const LIST: &str = "for values in (%s)'";

const HELD_FROM: &str = "from pg_inherits join pg_class on pg_class.oid = inhrelid";
const HELD: &str = "select from pg_inherits join pg_class on pg_class.oid = inhrelid";

/// Within quotes of SQL, as part of what `format` takes.
fn in_text(sql: &str) -> String {
    sql.replace('%', "%%").replace('\'', "''")
}

/// What is true of the rows of a range.
fn range_of(column: &str) -> String {
    format!("format('{0} is not null and {0} >= %L and {0} < %L', wanted.lower_bound, wanted.upper_bound)", in_text(column))
}

/// The arguments of `format` that are the schema and the name of a partition.
fn named(step: &MakePartitions, label: &str) -> String {
    let room = match step.by.kind {
        PartitionKind::Time { .. } => LABEL_OF_TIME,
        PartitionKind::Numbers { .. } => LABEL_OF_NUMBER,
        PartitionKind::Values | PartitionKind::Lists(_) => LABEL_OF_VALUE,
    };
    let tag = format!("_{}", step.run_tag);
    let room = "x".repeat(MARK.len() + room + tag.len());
    let prefix = suffixed(&step.named_after.identifier, &room).trim_end_matches(&room).to_owned();
    format!("{}, {} || {label} || {}", quote_text(&step.table.schema), quote_text(&format!("{prefix}{MARK}")), quote_text(&tag))
}

fn table_word(step: &MakePartitions) -> &'static str {
    if step.unlogged { "unlogged table" } else { "table" }
}

fn bound_arguments(label: &str) -> &'static str {
    if label == "'rest'" { "" } else { ", wanted.lower_bound, wanted.upper_bound" }
}

fn create_of(step: &MakePartitions, label: &str, bounds: &str) -> String {
    format!(
        "        execute format('create {} %I.%I partition of {} {bounds}, {}{});\n",
        table_word(step),
        in_text(&step.table.quoted()),
        named(step, label),
        bound_arguments(label),
    )
}

/// Puts a table of its own in as a partition. A partition for the rest is looked through for its rows first, while others read and
/// write it: a constraint that is known to hold spares it being looked through while nobody may.
fn attach(step: &MakePartitions, label: &str, bounds: &str, belongs: Option<&str>) -> String {
    let parent = in_text(&step.table.quoted());
    let create = format!(
        "format('create {} %s (like {parent} including defaults including constraints including generated including storage); \
         alter table {parent} attach partition %1$s {}, part{})",
        table_word(step),
        numbered(bounds),
        bound_arguments(label),
    );
    let ahead = step.seen == Seen::Ahead;
    let commands = match belongs.filter(|_| ahead) {
        Some(belongs) => format!(
            "case when pg_relation_size(rest::regclass) > {SOON_READ} then array[\n            \
             format('alter table %s add constraint acca_rest check (not (%s)) not valid', rest, {belongs}),\n            \
             format('alter table %s validate constraint acca_rest', rest),\n            {create},\n            \
             format('alter table %s drop constraint acca_rest', rest)\n        ] else array[{create}] end"
        ),
        None => format!("array[{create}]"),
    };
    let held = belongs.map_or_else(String::new, |belongs| {
        format!(
            "        if rest is not null then\n            execute format('select ''x'' from %s where %s limit 1', rest, {belongs}) into command;\n            \
             if command is not null then\n                \
             raise exception 'rows of % are in the partition for other rows, %', part, rest using hint = 'move them away, or build it with --full-refresh';\n            \
             end if;\n        end if;\n"
        )
    });
    let kept = if ahead { "            commit;\n            perform set_config('TimeZone', 'UTC', true);\n" } else { "" };
    format!(
        "        part := format('%I.%I', {});\n{held}        foreach command in array {commands}\n        loop\n            began := clock_timestamp();\n            loop\n                \
         begin\n                    perform set_config('lock_timeout', '500', true);\n                    execute command;\n                    \
         exit;\n                exception when lock_not_available then\n                    \
         if patience > 0 and clock_timestamp() > began + patience * interval '1 ms' then\n                        raise;\n                    end if;\n                \
         end;\n                perform pg_sleep(0.25);\n            end loop;\n            \
         perform set_config('lock_timeout', patience::text, true);\n{kept}        end loop;\n",
        named(step, label),
    )
}

/// Behind an argument that is taken twice, the others need their numbers.
fn numbered(bounds: &str) -> String {
    bounds.replacen('%', "%2$", 1).replacen("(%L)", "(%3$L)", 1)
}

/// Whether no partition has a range that holds a lower bound of that type. A text in quotes is a moment, one without is a number.
fn unheld_range(step: &MakePartitions, data_type: &str) -> String {
    format!(
        "        where not exists (\n            {HELD}\n            where inhparent = {}::regclass and pg_get_expr(relpartbound, oid) <> 'DEFAULT'\n              \
         and cast(lower_bound as {data_type}) >= {}::{data_type} and cast(lower_bound as {data_type}) < {}::{data_type}\n        )\n",
        quote_text(&step.table.quoted()),
        bound(1),
        bound(2),
    )
}

/// A bound of a range, as text.
fn bound(at: u8) -> String {
    format!("(regexp_match(pg_get_expr(relpartbound, oid), 'FROM \\(''?([-0-9].*?)''?\\) TO \\(''?([-0-9].*?)''?\\)'))[{at}]")
}

fn length(every: Period) -> String {
    if every == Period::Quarter { "3 months".to_owned() } else { format!("1 {}", every.as_str()) }
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
    let (unit, length) = (every.as_str(), length(every));
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

/// The parts of a list of values that stands behind `FOR VALUES IN (`, with quotes doubled and nothing else.
const LISTED: &str = "regexp_matches(substr(pg_get_expr(relpartbound, oid), 16), '''(?:[^'']|'''')*''|[^,() '']+', 'g')";

/// Whether no partition has a value, given as text.
fn unheld_value(step: &MakePartitions) -> String {
    format!(
        "        where not exists (\n            {HELD}\n            cross join {LISTED} as held\n            \
         where inhparent = {}::regclass and pg_get_expr(relpartbound, oid) like 'FOR VALUES IN (%'\n              \
         and held[1] in ('''' || replace(first_value, '''', '''''') || '''', first_value)\n        )\n",
        quote_text(&step.table.quoted()),
    )
}

/// A value as the database has it in a column of that type.
fn typed(value: &str, data_type: Option<&String>) -> String {
    data_type.map_or_else(|| format!("{value}::text"), |data_type| format!("{value}::{data_type}::text"))
}

fn by_value(step: &MakePartitions) -> String {
    let (key, source) = (typed(&step.key, step.data_type.as_ref()), print_table(&step.source));
    format!(
        "        select quote_literal(first_value) as lower_bound, null as upper_bound,\n            \
         left(regexp_replace(lower(first_value), '[^a-z0-9]+', '_', 'g'), {LETTERS}) || '_' || left(md5(first_value), {HASH}) as label\n        \
         from (select distinct {key} as first_value from {source} where {} is not null) as found\n{}",
        step.key,
        unheld_value(step),
    )
}

type Lists = [(String, Vec<Option<String>>)];

fn by_list(step: &MakePartitions, lists: &Lists) -> String {
    let column = &step.by.column;
    let labels = labels(lists);
    let row = |((_, values), label): (&(String, Vec<Option<String>>), String)| {
        let list = values.iter().map(|value| value.as_ref().map_or_else(|| "NULL".to_owned(), |text| quote_text(text))).collect::<Vec<_>>();
        let filled: Vec<String> = values.iter().flatten().map(|text| quote_text(text)).collect();
        let belongs = match (filled.is_empty(), filled.len() < values.len()) {
            (true, _) => format!("{column} is null"),
            (false, true) => format!("{column} is null or {column} in ({})", filled.join(", ")),
            (false, false) => format!("{column} is not null and {column} in ({})", filled.join(", ")),
        };
        let first = values.first().cloned().flatten();
        let first = first.map_or_else(|| "'NULL'".to_owned(), |text| typed(&quote_text(&text), step.data_type.as_ref()));
        format!("({}, {first}, {}, {})", quote_text(&list.join(", ")), quote_text(&label), quote_text(&belongs))
    };
    format!(
        "        select list as lower_bound, null as upper_bound, label, belongs\n        from (values {}) as lists (list, first_value, label, belongs)\n{}",
        lists.iter().zip(labels).map(row).collect::<Vec<_>>().join(", "),
        unheld_value(step),
    )
}

/// A label for each list, of letters that names of tables have: a hash where that is not enough to tell it apart.
fn labels(lists: &Lists) -> Vec<String> {
    let plain = |name: &str| name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect::<String>();
    let mut times = BTreeMap::from([("rest".to_owned(), 1)]);
    lists.iter().for_each(|(name, _)| *times.entry(plain(name)).or_insert(0) += 1);
    let label = |(name, _): &(String, Vec<Option<String>>)| {
        let plain = plain(name);
        // The room is counted in bytes.
        if times.get(&plain) == Some(&1) && plain.len() <= LABEL_OF_VALUE {
            return plain;
        }
        let mut cut: String = plain;
        while cut.len() > LETTERS {
            cut.pop();
        }
        format!("{cut}_{:08x}", crc32fast::hash(name.as_bytes()))
    };
    lists.iter().map(label).collect()
}

/// Says in what the partitions of a table are others than they are to be: the first row.
pub(super) fn check(step: &CheckPartitions) -> String {
    let CheckPartitions { table, by, data_type } = step;
    let name = quote_text(&table.quoted());
    let column = match by.column.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(exact) => exact.replace("\"\"", "\""),
        None => by.column.to_lowercase(),
    };
    // Bounds of time are moments of UTC without zone, whatever zone the session shows them in.
    let in_utc = |bound: String| {
        format!("case when {bound} ~ ':[0-9]+(\\.[0-9]+)?[-+]' then {bound}::timestamptz at time zone 'UTC' else {bound}::timestamp end")
    };
    let bounds =
        |lower: String, upper: String| format!("cross join lateral (select {lower} as lower_bound, {upper} as upper_bound) as bounds\n");
    let (bounds, unlike) = match &by.kind {
        PartitionKind::Time { every, .. } => (
            bounds(in_utc(bound(1)), in_utc(bound(2))),
            format!(
                "lower_bound <> date_trunc('{}', lower_bound) or upper_bound <> lower_bound + interval '{}'",
                every.as_str(),
                length(*every)
            ),
        ),
        PartitionKind::Numbers { every } => (
            bounds(format!("{}::numeric", bound(1)), format!("{}::numeric", bound(2))),
            format!("lower_bound % {every} <> 0 or upper_bound <> lower_bound + {every}"),
        ),
        PartitionKind::Values => (String::new(), format!("(select count(*) from {LISTED}) <> 1")),
        PartitionKind::Lists(lists) => {
            (String::new(), format!("({}) <> all (array[{}])", held_values(), wanted_values(lists, data_type.as_ref())))
        }
    };
    let of = |relation: &Relation| quote_text(&relation.display());
    let mut checks = vec![
        format!(
            "select 'it has no partitions yet' as differs where not exists (select from pg_partitioned_table where partrelid = {name}::regclass)"
        ),
        format!(
            "select 'it is partitioned by ' || pg_get_partkeydef(partrelid)\n\
             from pg_partitioned_table left join pg_attribute on attrelid = partrelid and partnatts = 1 and attnum = partattrs[0]\n\
             where partrelid = {name}::regclass and (partstrat <> '{}' or attname is distinct from {})",
            word(by).get(..1).unwrap_or_default(),
            quote_text(&column),
        ),
        // Partitions of other names are somebody's own affair.
        format!(
            "select 'its partition ' || relname || ' is ' || pg_get_expr(relpartbound, oid)\n\
             {HELD_FROM}\n{bounds}where inhparent = {name}::regclass and pg_get_expr(relpartbound, oid) <> 'DEFAULT' and strpos(relname, '{MARK}') > 0 and ({unlike})"
        ),
    ];
    if !by.default {
        checks.push(format!(
            "select relname || ' is a partition for other rows of ' || {} {HELD_FROM} where inhparent = {name}::regclass and pg_get_expr(relpartbound, oid) = 'DEFAULT'",
            of(table)
        ));
    }
    // In this order, since the later ones make sense only where the earlier ones find nothing.
    let numbered: Vec<String> = checks
        .iter()
        .enumerate()
        .map(|(at, sql)| format!("(select {at} as place, differs from ({sql} limit 1) as found (differs))"))
        .collect();
    format!("select differs from (\n{}\n) as checks order by place limit 1", numbered.join("\nunion all\n"))
}

/// The values of a list as the database shows them, in order, without quotes.
fn held_values() -> String {
    format!(
        "select string_agg(quote_literal(value), ',' order by value) from (select case when held[1] like '''%' \
         then replace(substr(held[1], 2, length(held[1]) - 2), '''''', '''') else held[1] end as value from {LISTED} as held) as listed"
    )
}

/// The same for each list that is wanted.
fn wanted_values(lists: &Lists, data_type: Option<&String>) -> String {
    let one = |(_, values): &(String, Vec<Option<String>>)| {
        let value = |value: &Option<String>| match value {
            Some(text) => format!("({})", typed(&quote_text(text), data_type)),
            None => "('NULL')".to_owned(),
        };
        let values: Vec<String> = values.iter().map(value).collect();
        format!("(select string_agg(quote_literal(value), ',' order by value) from (values {}) as wanted (value))", values.join(", "))
    };
    lists.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_have_one_label() {
        let list = |name: &str| (name.to_owned(), vec![Some(name.to_owned())]);
        let long = "a name that is longer than what there is room for";
        let names = ["Isles", "rest", "a b", "a-b", long, &format!("{long} too"), "ÄÖÜäöüÄÖÜäöüÄÖÜ"];
        let labels = labels(&names.map(list));
        assert_eq!(labels.first().unwrap(), "isles");
        assert!(labels.iter().all(|label| label.len() <= LABEL_OF_VALUE && label != "rest"), "{labels:?}");
        let unique: std::collections::BTreeSet<&String> = labels.iter().collect();
        assert_eq!(unique.len(), names.len(), "{labels:?}");
    }
}
