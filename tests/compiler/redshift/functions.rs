//! Functions: the list of those that are imitated, under which name PostgreSQL is to find them, and what they return.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, NullTreatment,
    WindowFrame, WindowFrameUnits, WindowSpec, WindowType,
};

use super::Failure;
use super::expressions::literal;
use super::query::{Scope, Translator, parts};
use super::typing::{MAX_TEXT, Type};

/// What a function returns.
#[derive(Clone, Copy)]
enum Returns {
    Is(Type),
    /// The type of its first argument.
    First,
    /// What all its arguments can be.
    United,
    /// Nothing is known of it.
    Open,
}

use Returns::{First, Is, Open, United};

const TEXT: Returns = Is(Type::Varchar(MAX_TEXT));

/// What a function counts as in a query.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Aggregate,
    /// Of windows only.
    Window,
}

use Kind::{Aggregate, Plain, Window};

/// Name there, name here, kind, result. A name without a schema stands for a form of the grammar, such as COALESCE.
#[rustfmt::skip]
const FUNCTIONS: &[(&str, &str, Kind, Returns)] = &[
    ("abs", "pg_catalog.abs", Plain, First), ("sign", "pg_catalog.sign", Plain, First), ("mod", "pg_catalog.mod", Plain, First),
    ("round", "redshift.round", Plain, First), ("ceiling", "pg_catalog.ceil", Plain, First),
    ("sqrt", "pg_catalog.sqrt", Plain, Is(Type::Float8)), ("cbrt", "pg_catalog.cbrt", Plain, Is(Type::Float8)),
    ("exp", "pg_catalog.exp", Plain, Is(Type::Float8)), ("ln", "pg_catalog.ln", Plain, Is(Type::Float8)), ("log", "pg_catalog.log", Plain, Is(Type::Float8)),
    ("power", "pg_catalog.power", Plain, Is(Type::Float8)), ("pow", "pg_catalog.power", Plain, Is(Type::Float8)),
    ("pi", "pg_catalog.pi", Plain, Is(Type::Float8)), ("random", "pg_catalog.random", Plain, Is(Type::Float8)),
    ("sin", "pg_catalog.sin", Plain, Is(Type::Float8)), ("cos", "pg_catalog.cos", Plain, Is(Type::Float8)), ("tan", "pg_catalog.tan", Plain, Is(Type::Float8)),
    ("asin", "pg_catalog.asin", Plain, Is(Type::Float8)), ("acos", "pg_catalog.acos", Plain, Is(Type::Float8)), ("atan", "pg_catalog.atan", Plain, Is(Type::Float8)),
    ("atan2", "pg_catalog.atan2", Plain, Is(Type::Float8)), ("degrees", "pg_catalog.degrees", Plain, Is(Type::Float8)), ("radians", "pg_catalog.radians", Plain, Is(Type::Float8)),
    ("greatest", "GREATEST", Plain, United), ("least", "LEAST", Plain, United), ("coalesce", "COALESCE", Plain, United), ("nvl", "COALESCE", Plain, United),
    ("nullif", "NULLIF", Plain, First), ("grouping", "GROUPING", Plain, Is(Type::Int4)),
    ("lower", "pg_catalog.lower", Plain, First), ("upper", "pg_catalog.upper", Plain, First), ("initcap", "pg_catalog.initcap", Plain, First),
    ("len", "pg_catalog.length", Plain, Is(Type::Int4)), ("length", "pg_catalog.length", Plain, Is(Type::Int4)), ("textlen", "pg_catalog.length", Plain, Is(Type::Int4)),
    ("char_length", "pg_catalog.length", Plain, Is(Type::Int4)), ("character_length", "pg_catalog.length", Plain, Is(Type::Int4)),
    ("octet_length", "pg_catalog.octet_length", Plain, Is(Type::Int4)),
    ("concat", "redshift.concat", Plain, TEXT), ("left", "redshift.left", Plain, First), ("right", "redshift.right", Plain, First),
    ("lpad", "pg_catalog.lpad", Plain, TEXT), ("rpad", "pg_catalog.rpad", Plain, TEXT), ("btrim", "pg_catalog.btrim", Plain, First),
    ("ltrim", "pg_catalog.ltrim", Plain, First), ("rtrim", "pg_catalog.rtrim", Plain, First), ("replace", "pg_catalog.replace", Plain, TEXT),
    ("translate", "pg_catalog.translate", Plain, First), ("repeat", "pg_catalog.repeat", Plain, TEXT), ("replicate", "pg_catalog.repeat", Plain, TEXT),
    ("reverse", "pg_catalog.reverse", Plain, First), ("ascii", "pg_catalog.ascii", Plain, Is(Type::Int4)), ("chr", "pg_catalog.chr", Plain, Is(Type::Varchar(4))),
    ("strpos", "pg_catalog.strpos", Plain, Is(Type::Int4)), ("split_part", "redshift.split_part", Plain, First),
    ("quote_ident", "pg_catalog.quote_ident", Plain, TEXT), ("quote_literal", "pg_catalog.quote_literal", Plain, TEXT),
    ("md5", "pg_catalog.md5", Plain, Is(Type::Varchar(32))), ("sha2", "redshift.sha2", Plain, Is(Type::Varchar(128))),
    ("to_hex", "redshift.to_hex", Plain, TEXT), ("from_hex", "redshift.from_hex", Plain, Is(Type::Varbyte)),
    ("to_varbyte", "redshift.to_varbyte", Plain, Is(Type::Varbyte)), ("from_varbyte", "redshift.from_varbyte", Plain, TEXT),
    ("regexp_substr", "redshift.regexp_substr", Plain, TEXT), ("regexp_instr", "redshift.regexp_instr", Plain, Is(Type::Int4)),
    ("regexp_count", "redshift.regexp_count", Plain, Is(Type::Int4)), ("regexp_replace", "redshift.regexp_replace", Plain, TEXT),
    ("getdate", "redshift.getdate", Plain, Is(Type::Timestamp)), ("to_char", "pg_catalog.to_char", Plain, TEXT),
    ("to_date", "redshift.to_date", Plain, Is(Type::Date)), ("to_timestamp", "redshift.to_timestamp", Plain, Is(Type::TimestampTz)),
    ("to_number", "pg_catalog.to_number", Plain, Open),
    ("last_day", "redshift.last_day", Plain, Is(Type::Date)), ("add_months", "redshift.add_months", Plain, Is(Type::Timestamp)),
    ("months_between", "redshift.months_between", Plain, Is(Type::Float8)), ("convert_timezone", "redshift.convert_timezone", Plain, Is(Type::Timestamp)),
    ("json_extract_path_text", "redshift.json_extract_path_text", Plain, TEXT),
    ("json_extract_array_element_text", "redshift.json_extract_array_element_text", Plain, TEXT),
    ("json_array_length", "redshift.json_array_length", Plain, Is(Type::Int4)), ("is_valid_json", "redshift.is_valid_json", Plain, Is(Type::Bool)),
    ("is_valid_json_array", "redshift.is_valid_json_array", Plain, Is(Type::Bool)), ("can_json_parse", "redshift.can_json_parse", Plain, Is(Type::Bool)),
    ("json_parse", "redshift.json_parse", Plain, Is(Type::Super)), ("json_serialize", "redshift.json_serialize", Plain, TEXT),
    ("json_typeof", "redshift.json_typeof", Plain, Is(Type::Varchar(16))), ("get_array_length", "redshift.get_array_length", Plain, Is(Type::Int8)),
    ("is_array", "redshift.is_array", Plain, Is(Type::Bool)), ("is_object", "redshift.is_object", Plain, Is(Type::Bool)),
    ("is_varchar", "redshift.is_varchar", Plain, Is(Type::Bool)), ("is_bigint", "redshift.is_bigint", Plain, Is(Type::Bool)), ("split_to_array", "redshift.split_to_array", Plain, Is(Type::Super)),
    ("array", "redshift.array", Plain, Is(Type::Super)), ("object", "redshift.object", Plain, Is(Type::Super)),
    ("current_date", "CURRENT_DATE", Plain, Is(Type::Date)), ("current_user", "CURRENT_USER", Plain, Is(Type::Varchar(128))),
    ("current_schema", "pg_catalog.current_schema", Plain, Is(Type::Varchar(128))), ("current_database", "redshift.current_database", Plain, Is(Type::Varchar(128))),
    ("version", "pg_catalog.version", Plain, TEXT), ("pg_backend_pid", "pg_catalog.pg_backend_pid", Plain, Is(Type::Int4)),
    ("count", "pg_catalog.count", Aggregate, Is(Type::Int8)), ("min", "pg_catalog.min", Aggregate, First), ("max", "pg_catalog.max", Aggregate, First),
    ("sum", "redshift.sum", Aggregate, Open), ("avg", "redshift.avg", Aggregate, Open),
    ("stddev", "redshift.stddev_samp", Aggregate, Is(Type::Float8)), ("stddev_samp", "redshift.stddev_samp", Aggregate, Is(Type::Float8)),
    ("stddev_pop", "redshift.stddev_pop", Aggregate, Is(Type::Float8)), ("variance", "redshift.var_samp", Aggregate, Is(Type::Float8)),
    ("var_samp", "redshift.var_samp", Aggregate, Is(Type::Float8)), ("var_pop", "redshift.var_pop", Aggregate, Is(Type::Float8)),
    ("bool_and", "pg_catalog.bool_and", Aggregate, Is(Type::Bool)), ("bool_or", "pg_catalog.bool_or", Aggregate, Is(Type::Bool)),
    ("bit_and", "pg_catalog.bit_and", Aggregate, First), ("bit_or", "pg_catalog.bit_or", Aggregate, First),
    ("row_number", "pg_catalog.row_number", Window, Is(Type::Int8)), ("rank", "pg_catalog.rank", Window, Is(Type::Int8)),
    ("dense_rank", "pg_catalog.dense_rank", Window, Is(Type::Int8)), ("ntile", "pg_catalog.ntile", Window, Is(Type::Int8)),
    ("percent_rank", "pg_catalog.percent_rank", Window, Is(Type::Float8)), ("cume_dist", "pg_catalog.cume_dist", Window, Is(Type::Float8)),
    ("lag", "pg_catalog.lag", Window, First), ("lead", "pg_catalog.lead", Window, First),
    ("first_value", "pg_catalog.first_value", Window, First), ("last_value", "pg_catalog.last_value", Window, First), ("nth_value", "pg_catalog.nth_value", Window, First),
];

/// Functions whose first argument is a part of a date, written as a name or a text.
const OF_PARTS: &[(&str, Returns)] = &[
    ("dateadd", Open),
    ("date_add", Open),
    ("datediff", Is(Type::Int8)),
    ("date_diff", Is(Type::Int8)),
    ("date_part", Is(Type::Float8)),
    ("date_trunc", Open),
];

/// Only on the leader node: not beside tables, facts 85, 87, 106.
pub const LEADER_ONLY: &[&str] = &["now", "current_timestamp", "localtimestamp", "current_time", "localtime", "age", "generate_series"];

/// A translated argument.
struct Argument {
    sql: String,
    of: Type,
}

impl Translator<'_> {
    pub(super) fn function(&mut self, function: &Function, scope: &Scope<'_>) -> Result<(String, Type), Failure> {
        let name = parts(&function.name)?;
        let [name] = name.as_slice() else { return Err(Failure::not_imitated(format!("function {}", function.name))) };
        if function.filter.is_some() {
            // Fact 109.
            return Err(Failure::refused("syntax error at or near \"FILTER\"", "42601"));
        }
        if LEADER_ONLY.contains(&name.as_str()) {
            self.leader_only = Some(name.clone());
            return match name.as_str() {
                "now" | "current_timestamp" => Ok(("pg_catalog.now()".to_owned(), Type::TimestampTz)),
                // Refused beside a table, and unread without one: `finish` says so.
                _ => Ok(("NULL".to_owned(), Type::Unknown)),
            };
        }
        let (distinct, arguments) = self.arguments(function, scope)?;
        match name.as_str() {
            "listagg" | "median" | "percentile_cont" | "percentile_disc" => {
                return self.ordered_set(name, function, distinct, &arguments, scope);
            }
            _ if !function.within_group.is_empty() => return Err(Failure::refused(format!("{name} takes no WITHIN GROUP"), "42601")),
            "nvl2" | "decode" | "trunc" | "ratio_to_report" | "charindex" => return self.written_out(name, function, &arguments, scope),
            _ => {}
        }
        if let Some((_, returns)) = OF_PARTS.iter().find(|(known, _)| known == name) {
            return self.of_parts(name, function, *returns, scope);
        }
        let Some((_, here, kind, returns)) = FUNCTIONS.iter().find(|(known, ..)| known == name) else {
            let types: Vec<String> = arguments.iter().map(|argument| format!("{:?}", argument.of)).collect();
            return Err(Failure::refused(format!("function {name}({}) does not exist", types.join(", ")), "42883"));
        };
        check_arguments(name, &arguments)?;
        let list: Vec<&str> = arguments.iter().map(|argument| argument.sql.as_str()).collect();
        let distinct = if distinct { "DISTINCT " } else { "" };
        let call = match function.args {
            FunctionArguments::None => (*here).to_owned(),
            _ => format!("{here}({distinct}{})", list.join(", ")),
        };
        let first = arguments.first().map_or(Type::Unknown, |argument| argument.of);
        let of = match (name.as_str(), returns) {
            ("sum", _) => summed(first),
            ("avg", _) => averaged(first),
            (_, Is(of)) => *of,
            (_, First) if matches!(first, Type::Literal(_)) => Type::Varchar(MAX_TEXT),
            (_, First) => first,
            (_, United) => arguments.iter().fold(Type::Null, |of, argument| of.merged(argument.of)),
            (_, Open) => Type::Unknown,
        };
        // What has more than 19 digits does not fit, fact 35.
        let wide = arguments.iter().any(|argument| argument.of.digits().is_some_and(|(precision, _)| precision > 19));
        let call = match (returns, of) {
            (United, Type::Decimal(precision, scale)) if wide => format!("redshift.to_decimal({call}, {precision}, {scale})"),
            _ => call,
        };
        match (&function.over, kind) {
            (None, Window) => Err(Failure::refused(format!("{name} needs OVER"), "42809")),
            (None, _) => Ok((call, of)),
            (Some(_), Plain) => Err(Failure::refused(format!("{name} is no window function"), "42809")),
            (Some(window), kind) => {
                if let Some(ignoring) = self.ignoring_nulls(name, function, &arguments, window, scope)? {
                    return Ok((ignoring, of));
                }
                let needs_frame = *kind == Aggregate || matches!(name.as_str(), "first_value" | "last_value" | "nth_value");
                Ok((format!("{call} OVER ({})", self.window(name, window, needs_frame, scope)?), of))
            }
        }
    }

    fn arguments(&mut self, function: &Function, scope: &Scope<'_>) -> Result<(bool, Vec<Argument>), Failure> {
        let list = match &function.args {
            FunctionArguments::None => return Ok((false, Vec::new())),
            FunctionArguments::List(list) => list,
            FunctionArguments::Subquery(_) => return Err(Failure::refused(format!("syntax error in {}", function.name), "42601")),
        };
        if list.clauses.iter().any(|clause| !matches!(clause, FunctionArgumentClause::IgnoreOrRespectNulls(_))) {
            // ORDER BY among the arguments and the like, fact 61.
            return Err(Failure::refused(format!("syntax error in the arguments of {}", function.name), "42601"));
        }
        let part_first = parts(&function.name).is_ok_and(|name| OF_PARTS.iter().any(|(known, _)| name == [*known]));
        let mut arguments = Vec::new();
        for (at, argument) in list.args.iter().enumerate() {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(part))) if at == 0 && part_first => {
                    arguments.push(Argument { sql: literal(&part.value.to_lowercase()), of: Type::Literal(0) });
                }
                FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => {
                    // What is an argument is a value, not a predicate.
                    let predicate = std::mem::replace(&mut self.predicate, false);
                    let translated = self.expression(argument, scope);
                    self.predicate = predicate;
                    let (sql, of) = translated?;
                    arguments.push(Argument { sql, of });
                }
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => arguments.push(Argument { sql: "*".to_owned(), of: Type::Unknown }),
                other => return Err(Failure::refused(format!("syntax error at or near \"{other}\""), "42601")),
            }
        }
        Ok((list.duplicate_treatment == Some(DuplicateTreatment::Distinct), arguments))
    }

    fn of_parts(&mut self, name: &str, function: &Function, returns: Returns, scope: &Scope<'_>) -> Result<(String, Type), Failure> {
        let (_, arguments) = self.arguments(function, scope)?;
        let here = name.replace("date_add", "dateadd").replace("date_diff", "datediff");
        let value = arguments.last().map_or(Type::Unknown, |argument| argument.of);
        let of = match returns {
            Is(of) => of,
            // TIMESTAMP even for a date, facts 88 and 101.
            _ if value == Type::TimestampTz => Type::TimestampTz,
            _ => Type::Timestamp,
        };
        let expected = if matches!(here.as_str(), "dateadd" | "datediff") { 3 } else { 2 };
        if arguments.len() != expected || function.over.is_some() {
            return Err(Failure::refused(format!("function {name} takes {expected} arguments"), "42883"));
        }
        let list: Vec<String> = arguments
            .iter()
            .enumerate()
            .map(|(at, argument)| match argument.of {
                Type::Literal(_) if at == 0 => argument.sql.clone(),
                Type::Literal(_) => format!("{}::timestamp", argument.sql),
                _ => argument.sql.clone(),
            })
            .collect();
        Ok((format!("redshift.{here}({})", list.join(", ")), of))
    }

    /// LISTAGG, MEDIAN and percentiles: the values are sorted by PostgreSQL and put together by functions here.
    fn ordered_set(
        &mut self,
        name: &str,
        function: &Function,
        distinct: bool,
        arguments: &[Argument],
        scope: &Scope<'_>,
    ) -> Result<(String, Type), Failure> {
        self.compute_only = Some(name.to_uppercase());
        let order = self.sort_items(&function.within_group, scope)?;
        if !order.is_empty() {
            // One order in a SELECT, fact 64.
            match &self.group_order {
                Some(other) if *other != order => {
                    return Err(Failure::refused("WITHIN GROUP ORDER BY clauses of one query must be the same", "0A000"));
                }
                _ => self.group_order = Some(order.clone()),
            }
        }
        let (value, of, sorting) = match (name, arguments) {
            ("listagg", [value]) | ("listagg", [value, _]) => (value.sql.clone(), value.of, order.clone()),
            ("median", [value]) if order.is_empty() => (value.sql.clone(), value.of, value.sql.clone()),
            ("percentile_cont" | "percentile_disc", [_]) if !order.is_empty() => {
                let value = function.within_group.first().map(|item| self.expression(&item.expr, scope)).transpose()?.unwrap_or_default();
                (value.0, value.1, order.clone())
            }
            _ => return Err(Failure::refused(format!("wrong arguments of {name}"), "42883")),
        };
        let value_text = if name == "listagg" { format!("({value})::text") } else { value.clone() };
        let collected = match &function.over {
            None if sorting.is_empty() => format!("array_agg({value_text}) FILTER (WHERE {value} IS NOT NULL)"),
            None => format!("array_agg({value_text} ORDER BY {sorting}) FILTER (WHERE {value} IS NOT NULL)"),
            Some(window) => {
                let partition = self.partition(name, window, scope)?;
                let sorting = if sorting.is_empty() { String::new() } else { format!(" ORDER BY {sorting}") };
                let frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
                format!("array_agg({value_text}) FILTER (WHERE {value} IS NOT NULL) OVER ({partition}{sorting} {frame})")
            }
        };
        Ok(match name {
            "listagg" => {
                let collected = if distinct { format!("redshift.distinct_texts({collected})") } else { collected };
                let delimiter = match arguments.get(1) {
                    // A constant, fact 61.
                    Some(Argument { sql, of: Type::Literal(_) }) => sql.clone(),
                    None => "''".to_owned(),
                    Some(_) => return Err(Failure::refused("LISTAGG delimiter must be a constant", "0A000")),
                };
                (format!("redshift.listagg({collected}, {delimiter})"), Type::Varchar(MAX_TEXT))
            }
            _ if distinct => return Err(Failure::refused(format!("{name} takes no DISTINCT"), "42601")),
            "median" => (format!("redshift.percentile_cont(0.5, {collected})"), of),
            _ => (format!("redshift.{name}({}, {collected})", arguments.first().map_or("", |argument| argument.sql.as_str())), of),
        })
    }

    /// Functions that are written out with CASE and operators.
    fn written_out(
        &mut self,
        name: &str,
        function: &Function,
        arguments: &[Argument],
        scope: &Scope<'_>,
    ) -> Result<(String, Type), Failure> {
        Ok(match (name, arguments) {
            ("nvl2", [value, some, none]) => {
                (format!("(CASE WHEN {} IS NOT NULL THEN {} ELSE {} END)", value.sql, some.sql, none.sql), some.of.united(none.of))
            }
            // NULL is equal to NULL here, fact 131.
            ("decode", [value, rest @ ..]) if rest.len() >= 2 => {
                let (mut text, mut of) = ("(CASE".to_owned(), Type::Null);
                let pairs = rest.chunks(2);
                for pair in pairs {
                    match pair {
                        [search, result] => {
                            let same = format!("({0} = {1} OR ({0} IS NULL AND {1} IS NULL))", value.sql, search.sql);
                            text += &format!(" WHEN {same} THEN {}", result.sql);
                            of = of.merged(result.of);
                        }
                        [otherwise] => {
                            text += &format!(" ELSE {}", otherwise.sql);
                            of = of.merged(otherwise.of);
                        }
                        _ => {}
                    }
                }
                (format!("{text} END)"), of)
            }
            // Of a moment: its date.
            ("trunc", [value]) if matches!(value.of, Type::Timestamp | Type::Date | Type::TimestampTz) => {
                (format!("({})::date", value.sql), Type::Date)
            }
            ("trunc", [value]) => (format!("pg_catalog.trunc({})", value.sql), value.of),
            ("trunc", [value, places]) => (format!("pg_catalog.trunc(({})::numeric, {})", value.sql, places.sql), value.of),
            ("charindex", [part, whole]) => (format!("pg_catalog.strpos({}, {})", whole.sql, part.sql), Type::Int4),
            ("ratio_to_report", [value]) => {
                let Some(window) = &function.over else { return Err(Failure::refused("ratio_to_report needs OVER", "42809")) };
                let partition = self.partition(name, window, scope)?;
                let value = format!("({})::float8", value.sql);
                (format!("({value} / NULLIF(sum({value}) OVER ({partition}), 0))"), Type::Float8)
            }
            _ => return Err(Failure::refused(format!("wrong arguments of {name}"), "42883")),
        })
    }

    fn partition(&mut self, name: &str, window: &WindowType, scope: &Scope<'_>) -> Result<String, Failure> {
        let WindowType::WindowSpec(WindowSpec { window_name: None, partition_by, order_by, window_frame: None }) = window else {
            return Err(Failure::refused(format!("syntax error in the window of {name}"), "42601"));
        };
        if !order_by.is_empty() {
            return Err(Failure::refused(format!("{name} takes no ORDER BY in OVER"), "42601"));
        }
        self.partition_by(partition_by, scope)
    }

    fn partition_by(&mut self, items: &[Expr], scope: &Scope<'_>) -> Result<String, Failure> {
        let mut list = Vec::new();
        for item in items {
            let (sql, of) = self.expression(item, scope)?;
            if matches!(of, Type::Literal(_)) {
                // Fact 120.
                return Err(Failure::refused("constant expressions are not supported in partition by clauses", "0A000"));
            }
            list.push(sql);
        }
        Ok(if list.is_empty() { String::new() } else { format!("PARTITION BY {}", list.join(", ")) })
    }

    /// The inside of OVER. An aggregate with an order has a frame of rows, facts 115 and 116.
    fn window(&mut self, name: &str, window: &WindowType, needs_frame: bool, scope: &Scope<'_>) -> Result<String, Failure> {
        let WindowType::WindowSpec(WindowSpec { window_name: None, partition_by, order_by, window_frame }) = window else {
            return Err(Failure::refused("syntax error at a named window", "42601"));
        };
        let mut text = self.partition_by(partition_by, scope)?;
        if !order_by.is_empty() {
            text += &format!(" ORDER BY {}", self.sort_items(order_by, scope)?);
        }
        match window_frame {
            Some(frame @ WindowFrame { units: WindowFrameUnits::Rows, .. }) => text += &format!(" {}", frame_text(frame)?),
            Some(frame) => return Err(Failure::refused(format!("frame of {} is not supported", frame.units), "0A000")),
            None if needs_frame && !order_by.is_empty() => {
                return Err(Failure::refused(
                    format!("Aggregate window functions with an ORDER BY clause require a frame clause: {name}"),
                    "42601",
                ));
            }
            None => {}
        }
        Ok(text)
    }

    /// FIRST_VALUE, LAST_VALUE, LAG and LEAD that pass over NULL, fact 118: PostgreSQL has none, so the values of the frame are collected.
    fn ignoring_nulls(
        &mut self,
        name: &str,
        function: &Function,
        arguments: &[Argument],
        window: &WindowType,
        scope: &Scope<'_>,
    ) -> Result<Option<String>, Failure> {
        let inside = match &function.args {
            FunctionArguments::List(list) => {
                list.clauses.contains(&FunctionArgumentClause::IgnoreOrRespectNulls(NullTreatment::IgnoreNulls))
            }
            _ => false,
        };
        if !inside && function.null_treatment != Some(NullTreatment::IgnoreNulls) {
            return Ok(None);
        }
        let collect = |value: &str, window: &str| format!("array_agg({value}) FILTER (WHERE {value} IS NOT NULL) OVER ({window})");
        Ok(Some(match (name, arguments) {
            ("first_value" | "last_value", [value]) => {
                let collected = collect(&value.sql, &self.window(name, window, true, scope)?);
                let at = if name == "first_value" { "1".to_owned() } else { format!("cardinality({collected})") };
                format!("({collected})[{at}]")
            }
            ("lag" | "lead", [value]) => {
                let spec = self.window(name, window, false, scope)?;
                if name == "lag" {
                    let collected = collect(&value.sql, &format!("{spec} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"));
                    format!("({collected})[cardinality({collected})]")
                } else {
                    let collected = collect(&value.sql, &format!("{spec} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING"));
                    format!("({collected})[1]")
                }
            }
            _ => return Err(Failure::not_imitated(format!("IGNORE NULLS of {name}"))),
        }))
    }
}

fn frame_text(frame: &WindowFrame) -> Result<String, Failure> {
    use sqlparser::ast::WindowFrameBound::{CurrentRow, Following, Preceding};
    let bound = |bound: &sqlparser::ast::WindowFrameBound| {
        Ok(match bound {
            CurrentRow => "CURRENT ROW".to_owned(),
            Preceding(None) => "UNBOUNDED PRECEDING".to_owned(),
            Following(None) => "UNBOUNDED FOLLOWING".to_owned(),
            Preceding(Some(rows)) if matches!(&**rows, Expr::Value(_)) => format!("{rows} PRECEDING"),
            Following(Some(rows)) if matches!(&**rows, Expr::Value(_)) => format!("{rows} FOLLOWING"),
            other => return Err(Failure::refused(format!("syntax error in a frame: {other}"), "42601")),
        })
    };
    Ok(match &frame.end_bound {
        Some(end) => format!("ROWS BETWEEN {} AND {}", bound(&frame.start_bound)?, bound(end)?),
        None => format!("ROWS {}", bound(&frame.start_bound)?),
    })
}

/// Arguments that PostgreSQL would take and Redshift does not.
fn check_arguments(name: &str, arguments: &[Argument]) -> Result<(), Failure> {
    let wrong = match name {
        // A default value, fact 117.
        "lag" | "lead" => arguments.len() > 2,
        // Fact 57.
        "concat" => arguments.len() != 2,
        // Fact 103, 104.
        "to_timestamp" | "to_date" => arguments.len() < 2,
        // One argument only, fact 49.
        "log" => arguments.len() != 1,
        "coalesce" | "nvl" | "greatest" | "least" => arguments.is_empty(),
        _ => false,
    };
    if wrong {
        return Err(Failure::refused(format!("function {name} with {} arguments does not exist", arguments.len()), "42883"));
    }
    Ok(())
}

fn summed(of: Type) -> Type {
    match of {
        Type::Int2 | Type::Int4 | Type::Int8 => Type::Int8,
        Type::Decimal(_, scale) => Type::Decimal(38, scale),
        Type::Float4 | Type::Float8 => Type::Float8,
        Type::Interval => Type::Interval,
        _ => Type::Unknown,
    }
}

fn averaged(of: Type) -> Type {
    match of {
        Type::Int2 | Type::Int4 | Type::Int8 => Type::Int8,
        other => summed(other),
    }
}
