//! Calls of functions, aggregates and windows.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Ident,
    Spanned, visit_expressions,
};
use sqlparser::tokenizer::Span;

use super::currencies::{hide_currencies, without_currency};
use super::grouping::is_aggregate_call;
use super::scope::{Column, Found, Item, Scope, fold};
use super::{Inference, known, opaque, settled, spelled};
use crate::analysis::candidates::{Call, NotFound, function, is_aggregate, result_in_any_case};
use crate::analysis::catalogue::{self, TypeId, catalogue};
use crate::analysis::facts::{Facts, merge};
use crate::analysis::other_names::usage;
use crate::analysis::polymorphic::is_polymorphic;
use crate::analysis::sql_type::SqlType;
use crate::diag::{Diagnostic, codes};
use crate::syntax::mark_of;

/// Functions that give a value whenever they are given values.
const NEVER_NULL: &[&str] = &[
    "abs",
    "ascii",
    "bit_length",
    "btrim",
    "cbrt",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "chr",
    "clock_timestamp",
    "cos",
    "date_trunc",
    "degrees",
    "exp",
    "floor",
    "format",
    "gen_random_uuid",
    "greatest",
    "initcap",
    "isfinite",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "left",
    "length",
    "ln",
    "log",
    "lower_inc",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "md5",
    "mod",
    "now",
    "octet_length",
    "overlay",
    "pi",
    "position",
    "power",
    "radians",
    "random",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "sign",
    "sin",
    "split_part",
    "sqrt",
    "starts_with",
    "statement_timestamp",
    "strpos",
    "substr",
    "tan",
    "timezone",
    "to_hex",
    "to_json",
    "to_jsonb",
    "transaction_timestamp",
    "translate",
    "trunc",
    "isempty",
    "cardinality",
    "num_nulls",
    "num_nonnulls",
    "pg_typeof",
    "sha256",
    "uuid_generate_v4",
    "row_to_json",
];
/// Functions that give a value whatever they are given.
const ALWAYS_VALUE: &[&str] = &[
    "concat",
    "jsonb_build_object",
    "jsonb_build_array",
    "json_build_object",
    "json_build_array",
    "row",
    "num_nulls",
    "num_nonnulls",
    "count",
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "grouping",
    "pg_typeof",
    "quote_nullable",
    "current_date",
    "current_timestamp",
    "localtimestamp",
    "localtime",
    "current_time",
    "current_user",
    "session_user",
    "current_database",
    "current_catalog",
    "user",
    "current_role",
    "regr_count",
];
/// Aggregates that give a value for every group that has one.
const VALUE_OF_GROUP: &[&str] =
    &["sum", "min", "max", "avg", "bool_and", "bool_or", "every", "array_agg", "string_agg", "json_agg", "jsonb_agg", "bit_and", "bit_or"];

/// What aggregates of aggregates are said to stand in.
const OF_AGGREGATE: &str = "another aggregate";

struct Arguments<'f> {
    expressions: Vec<Option<&'f Expr>>,
    facts: Vec<Facts>,
    named: bool,
    star: bool,
}

impl Inference<'_> {
    pub(super) fn function(&mut self, call: &Function, scope: &Scope<'_>) -> Facts {
        let Some(name) = call.name.0.last().and_then(|part| part.as_ident()).map(fold) else { return Facts::unknown() };
        let span = call.name.span();
        if let Some((name, inner)) = mark_of(call) {
            return self.marked(name, inner, scope);
        }
        if let FunctionArguments::Subquery(query) = &call.args {
            return self.array_subquery(&name, query, scope);
        }
        if is_aggregate_call(call)
            && let Some(clause) = self.aggregates
        {
            let message = format!("the aggregate '{name}' cannot stand in {clause}");
            let problem = Diagnostic::new(&codes::MISPLACED_AGGREGATE, message);
            let help = match clause {
                OF_AGGREGATE => "aggregate in a subquery first",
                _ => "aggregate in a subquery first, or filter groups with HAVING",
            };
            self.find(span, problem.help(help));
        }
        if call.over.is_some()
            && let Some(clause) = self.aggregates
        {
            let problem = Diagnostic::new(&codes::MISPLACED_AGGREGATE, format!("the window function '{name}' cannot stand in {clause}"));
            self.find(span, problem.help("put it into the list of a subquery, and name it outside"));
        }
        self.doubt_clock(&name, span);
        if call.over.is_some() && !call.within_group.is_empty() && !self.tables.has_foreign_functions() {
            let problem = Diagnostic::new(&codes::MISPLACED_AGGREGATE, format!("'{name}' of WITHIN GROUP cannot have OVER"));
            self.find(span, problem.help("compute it in a subquery with GROUP BY, and join that by what it is grouped by"));
        }
        let before = self.aggregates;
        if is_aggregate_call(call) {
            self.aggregates = Some(OF_AGGREGATE);
        } else if is_aggregate(&name) {
            self.aggregates = None;
        }
        let narrowed = call.filter.as_deref().and_then(|filter| self.narrowed(filter, scope));
        let arguments = self.arguments(call, narrowed.as_ref().unwrap_or(scope));
        let mut facts = self.named_call(&name, call, &arguments, scope, span);
        if name == "sum"
            && let ([Some(argument)], false) = (arguments.expressions.as_slice(), is_distinct(call))
        {
            self.doubt_sum(argument, scope, span);
        }
        if let Some(filter) = &call.filter {
            let condition = self.condition(filter, scope, "FILTER");
            facts = facts.deciding_by(&condition);
        }
        if let Some(over) = &call.over {
            facts = self.over(over, scope).iter().fold(facts, Facts::deciding_by);
        }
        self.aggregates = before;
        facts
    }

    fn arguments<'f>(&mut self, call: &'f Function, scope: &Scope<'_>) -> Arguments<'f> {
        let mut arguments = Arguments { expressions: Vec::new(), facts: Vec::new(), named: false, star: false };
        let FunctionArguments::List(list) = &call.args else { return arguments };
        let name = call.name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
        let foreign = catalogue().functions(&name).is_empty();
        for argument in &list.args {
            let value = match argument {
                // `normalize(text, nfc)`
                FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(word))) if name == "normalize" && is_form(word) => {
                    arguments.facts.push(Facts::of(Some(known().text.into()), false));
                    arguments.expressions.push(None);
                    continue;
                }
                FunctionArg::Unnamed(value) => value,
                FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } => {
                    arguments.named = true;
                    arg
                }
            };
            match value {
                FunctionArgExpr::Expr(Expr::Identifier(word)) if foreign && is_date_part(word, scope) => {
                    arguments.facts.push(Facts::unknown());
                    arguments.expressions.push(None);
                }
                FunctionArgExpr::Expr(value) => {
                    let inner = if foreign { lambda_scope(value, scope) } else { None };
                    arguments.facts.push(self.expression(value, inner.as_ref().unwrap_or(scope)));
                    arguments.expressions.push(Some(value));
                }
                FunctionArgExpr::Wildcard => arguments.star = true,
                FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::WildcardWithOptions(_) => {
                    self.doubts.is_blind = true;
                    let item = match value {
                        FunctionArgExpr::QualifiedWildcard(name) => {
                            name.0.last().and_then(|part| part.as_ident()).and_then(|ident| scope.item(None, &fold(ident)))
                        }
                        _ => None,
                    };
                    arguments.facts.push(item.map_or_else(Facts::unknown, |(item, _)| self.whole_row(item)));
                    arguments.expressions.push(None);
                }
            }
        }
        for clause in &list.clauses {
            if let FunctionArgumentClause::OrderBy(orders) = clause {
                for order in orders {
                    self.expression(&order.expr, scope);
                }
            }
        }
        arguments
    }

    fn named_call(&mut self, name: &str, call: &Function, arguments: &Arguments<'_>, scope: &Scope<'_>, span: Span) -> Facts {
        let facts = &arguments.facts;
        if let Some(special) = self.grammar_function(name, call, arguments, span) {
            return special;
        }
        let mut all = facts.clone();
        let mut expressions = arguments.expressions.clone();
        for order in &call.within_group {
            all.push(self.expression(&order.expr, scope));
            expressions.push(Some(&order.expr));
        }
        let mut found = if arguments.named {
            let same = result_in_any_case(name, all.len()).or_else(|| catalogue().functions(name).first().map(|f| f.result));
            let only = catalogue().functions(name).iter().all(|function| Some(function.result) == same);
            Facts::of(same.filter(|_| only).map(SqlType::from), true).reading(&all)
        } else if arguments.star || (all.is_empty() && is_aggregate(name)) {
            let result = self.plain_call(name, &[], span).and_then(|call| call.result);
            Facts::of(result.map(SqlType::from), true)
        } else {
            let given: Option<Vec<TypeId>> = all.iter().map(|facts| facts.sql_type.map(|kind| kind.id)).collect();
            match given {
                Some(given) => self.call(name, &given, &expressions, &all, span),
                None => Facts::of(result_in_any_case(name, all.len()).map(SqlType::from), true).reading(&all),
            }
        };
        found.nullable = self.may_be_null(name, call, arguments, scope, &all);
        // An ordered set is of the unit of what it is ordered by.
        let (of, written) = match call.within_group.is_empty() {
            true => (&all[..], &expressions[..]),
            false => (all.get(facts.len()..).unwrap_or(&[]), expressions.get(facts.len()..).unwrap_or(&[])),
        };
        found.meaning.measure = self.call_measure(name, of, written, span);
        let keys = match &call.over {
            None => self.group_keys.clone().filter(|_| is_aggregate(name)),
            Some(over) if is_aggregate(name) => self.window_of(over).map(|spec| self.identities(&spec.partition_by, scope)),
            Some(_) => None,
        };
        if !self.check_currencies(name, of, keys.as_deref(), scope, span) {
            found.meaning.measure = without_currency(&found.meaning.measure);
        }
        if let Some(other) = self.of_other_row(name, call, of, scope) {
            found.meaning.measure = other;
        }
        if name == "array_agg" {
            found.meaning.measure = self.in_one_array(&found.meaning.measure, keys.as_deref(), scope);
        }
        if let ("min" | "max" | "any_value", [only], Some(keys)) = (name, of, &keys)
            && self.determines(keys, only)
        {
            found.meaning.same_as = only.meaning.same_as;
            found.meaning.determined_by.clone_from(&only.meaning.determined_by);
        }
        if Self::is_counted(name) {
            found.meaning.labels.clear();
        }
        found
    }

    fn may_be_null(&self, name: &str, call: &Function, arguments: &Arguments<'_>, scope: &Scope<'_>, all: &[Facts]) -> bool {
        let any = all.iter().any(|facts| facts.nullable);
        if arguments.named {
            // What is left out is not seen, nor what an array of arguments holds.
            return true;
        }
        if ALWAYS_VALUE.contains(&name) || (arguments.star && name == "count") {
            return false;
        }
        if VALUE_OF_GROUP.contains(&name) && call.over.is_none() && call.filter.is_none() && scope.grouped {
            return any;
        }
        let pattern = matches!(name, "substring" | "substr")
            && all.get(1).and_then(|facts| facts.sql_type).is_none_or(|kind| kind.id != known().int4);
        any || pattern || !(NEVER_NULL.contains(&name) || matches!(name, "upper" | "lower" | "substring" | "ntile") && is_text(all))
    }

    /// What the grammar treats as functions, with rules of their own.
    fn grammar_function(&mut self, name: &str, call: &Function, arguments: &Arguments<'_>, span: Span) -> Option<Facts> {
        let facts = &arguments.facts;
        let plain = call.name.0.len() == 1;
        let parts = || -> Vec<(Facts, &Expr)> {
            facts.iter().cloned().zip(&arguments.expressions).filter_map(|(facts, expression)| Some((facts, (*expression)?))).collect()
        };
        match name {
            "coalesce" if plain && !facts.is_empty() => {
                let sql_type = self.common("COALESCE", &parts(), false);
                let measure = self.common_measure("COALESCE", &parts());
                let columns: Vec<u32> = facts.iter().map(|facts| facts.meaning.same_as).collect();
                let mut found = Facts::of(sql_type, facts.iter().all(|facts| facts.nullable)).reading(facts).measured(measure);
                found.meaning.same_as = self.equalities.first_of(&columns);
                Some(found)
            }
            "greatest" | "least" if plain && !facts.is_empty() => {
                let sql_type = self.common(&name.to_uppercase(), &parts(), false);
                let measure = self.common_measure(&name.to_uppercase(), &parts());
                Some(Facts::of(sql_type, facts.iter().all(|facts| facts.nullable)).reading(facts).measured(measure))
            }
            "nullif" if plain => {
                let [one, other] = facts.as_slice() else { return Some(opaque(facts)) };
                self.check_operator_units("=", one, other, &|| span);
                let measure = super::units::measure(one);
                let sql_type = match (one.sql_type, other.sql_type) {
                    (Some(left), Some(right)) => match crate::analysis::candidates::binary_operator("=", left.id, right.id) {
                        Ok(call) => {
                            let id = call.arguments.first().copied()?;
                            for (argument, wanted) in arguments.expressions.iter().zip(&call.arguments) {
                                argument.iter().for_each(|argument| self.check_literal(argument, Some(*wanted)));
                            }
                            let polymorphic = is_polymorphic(id);
                            Some(if id == left.id || polymorphic { left } else { id.into() })
                        }
                        Err(NotFound::Arguments) => {
                            self.mistake(span, &codes::TYPE_MISMATCH, format!("NULLIF cannot compare {left} with {right}"));
                            None
                        }
                        Err(_) => None,
                    },
                    _ => None,
                };
                Some(Facts::of(settled(sql_type), true).reading(std::slice::from_ref(one)).deciding_by(other).measured(measure))
            }
            "row" if plain => Some(Facts::of(Some(known().record.into()), facts.iter().any(|facts| facts.nullable)).reading(facts)),
            "grouping" if plain => Some(Facts::of(Some(known().int4.into()), false).reading(facts)),
            _ if plain && session_type(name).is_some() => Some(Facts::of(session_value(name, arguments), name == "current_schema")),
            _ if plain => xml_type(name, facts).map(|kind| Facts::of(Some(kind), true).reading(facts)),
            _ => None,
        }
    }

    fn array_subquery(&mut self, name: &str, query: &sqlparser::ast::Query, scope: &Scope<'_>) -> Facts {
        let result = self.query(query, Some(scope), scope.ctes);
        let column = result.columns.into_iter().next();
        let (Some(column), "array") = (column, name) else { return Facts::unknown() };
        let sql_type = settled(column.facts.sql_type).and_then(|kind| match catalogue().entry(kind.id).name.starts_with('_') {
            true => Some(kind),
            false => Some(SqlType { id: catalogue().entry(kind.id).array?, modifier: kind.modifier }),
        });
        let mut element = column.facts;
        hide_currencies(&mut element, scope);
        let measure = element.meaning.measure.clone();
        let mut facts = Facts::of(sql_type, false).reading(&[element]).measured(measure);
        merge(&mut facts.origins, &result.indirect);
        facts
    }

    /// A call by types; what is wrong with it is said.
    pub(super) fn call(&mut self, name: &str, given: &[TypeId], expressions: &[Option<&Expr>], facts: &[Facts], span: Span) -> Facts {
        let found = self.found_call(name, given, span);
        if let Some(call) = &found {
            for (expression, wanted) in expressions.iter().zip(&call.arguments) {
                // What stands for a missing neighbour is of the type of the others.
                let wanted = if is_polymorphic(*wanted) && matches!(name, "lag" | "lead") { call.result } else { Some(*wanted) };
                if let Some(expression) = expression {
                    self.check_literal(expression, wanted);
                }
            }
        }
        let result = found.and_then(|call| call.result);
        Facts::of(result.map(SqlType::from), true).reading(facts)
    }

    pub(super) fn call_with(&mut self, name: &str, facts: &[Facts], expressions: &[&Expr], span: Span) -> Facts {
        let given: Option<Vec<TypeId>> = facts.iter().map(|facts| facts.sql_type.map(|kind| kind.id)).collect();
        let expressions: Vec<Option<&Expr>> = expressions.iter().copied().map(Some).collect();
        let mut found = match given {
            Some(given) => self.call(name, &given, &expressions, facts, span),
            None => Facts::of(result_in_any_case(name, facts.len()).map(SqlType::from), true).reading(facts),
        };
        let by_pattern = name == "substring" && facts.get(1).and_then(|facts| facts.sql_type).is_none_or(|kind| kind.id != known().int4);
        found.nullable = by_pattern || facts.iter().any(|facts| facts.nullable) || !(NEVER_NULL.contains(&name) || name == "substring");
        found.meaning.measure = self.call_measure(name, facts, &expressions, span);
        found
    }

    /// The function that a call means, when the types of all arguments are known.
    pub(super) fn plain_call(&mut self, name: &str, facts: &[Facts], span: Span) -> Option<Call> {
        let given: Vec<TypeId> = facts.iter().map(|facts| facts.sql_type.map(|kind| kind.id)).collect::<Option<_>>()?;
        self.found_call(name, &given, span)
    }

    fn found_call(&mut self, name: &str, given: &[TypeId], span: Span) -> Option<Call> {
        match function(name, given) {
            Ok(call) => {
                self.note_fields(&call, given);
                Some(call)
            }
            Err(NotFound::Arguments) => {
                let types: Vec<String> =
                    given.iter().map(|id| if *id == known().unknown { "a literal".to_owned() } else { spelled(*id) }).collect();
                let message = format!("no function '{name}' takes ({})", types.join(", "));
                let problem = Diagnostic::new(&codes::TYPE_MISMATCH, message);
                self.find(span, problem.help(usage(name).map_or_else(|| taken_by(name), str::to_owned)));
                None
            }
            // A function of the user's own, or of an extension.
            Err(NotFound::Name) => {
                self.doubt_function(name, span);
                None
            }
            Err(NotFound::Ambiguous) => None,
        }
    }
}

/// What a function takes, of which it may have many forms.
fn taken_by(name: &str) -> String {
    let forms = catalogue().functions(name).iter().take(3);
    let spelled = |function: &catalogue::Function| function.arguments.iter().map(|id| spelled(*id)).collect::<Vec<_>>().join(", ");
    format!("it takes {}", forms.map(|form| format!("({})", spelled(form))).collect::<Vec<_>>().join(" or "))
}

fn is_distinct(call: &Function) -> bool {
    matches!(&call.args, FunctionArguments::List(list) if list.duplicate_treatment == Some(DuplicateTreatment::Distinct))
}

/// `dateadd(day, 1, x)`: functions of other engines take units as bare words.
fn is_date_part(word: &Ident, scope: &Scope<'_>) -> bool {
    let word = fold(word);
    let units = ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"];
    units.contains(&word.trim_end_matches('s')) && matches!(scope.column(&word), Found::Missing)
}

/// `list_filter(items, x -> x > 1)`: a function that the catalogue lacks may be given a lambda, and in it the names before the arrow
/// are its own.
fn lambda_scope<'e>(argument: &Expr, scope: &Scope<'e>) -> Option<Scope<'e>> {
    let mut parameters = Vec::new();
    let _ = visit_expressions(argument, |part| {
        if let Expr::BinaryOp { left, op: BinaryOperator::Arrow, .. } = part {
            let names: Vec<&Expr> = match &**left {
                Expr::Tuple(names) => names.iter().collect(),
                Expr::Nested(name) => vec![name],
                name => vec![name],
            };
            parameters.extend(names.into_iter().filter_map(|name| match name {
                Expr::Identifier(name) if matches!(scope.column(&fold(name)), Found::Missing) => Some(fold(name)),
                _ => None,
            }));
        }
        ControlFlow::<()>::Continue(())
    });
    if parameters.is_empty() {
        return None;
    }
    let mut items = scope.items.clone();
    let columns = parameters.into_iter().map(|name| Column { name: name.into(), facts: Facts::unknown(), id: 0 }).collect();
    items.push(Item { columns, plain: true, ..Item::default() });
    Some(Scope { items, grouped: scope.grouped, ..Scope::new(scope.outer, scope.ctes) })
}

fn is_form(word: &Ident) -> bool {
    ["nfc", "nfd", "nfkc", "nfkd"].contains(&fold(word).as_str())
}

/// What those functions of XML give that are parts of the grammar, not of the catalogue.
fn xml_type(name: &str, facts: &[Facts]) -> Option<SqlType> {
    match name {
        "xmlelement" | "xmlforest" | "xmlattributes" | "xmlconcat" | "xmlparse" | "xmlpi" | "xmlroot" => SqlType::parse("xml"),
        "xmlexists" => Some(known().bool.into()),
        "xmlserialize" => facts.first().and_then(|facts| facts.sql_type),
        _ => None,
    }
}

fn is_text(facts: &[Facts]) -> bool {
    facts.first().and_then(|facts| facts.sql_type).is_some_and(|kind| {
        let known = known();
        [known.text, known.varchar, known.bpchar, known.unknown, known.int4, known.name].contains(&kind.id)
    })
}

/// The type of what the grammar knows as a value of the session.
pub(super) fn session_type(name: &str) -> Option<TypeId> {
    let known = known();
    Some(match name {
        "current_date" => known.date,
        "current_timestamp" => known.timestamptz,
        "localtimestamp" => known.timestamp,
        "localtime" => known.time,
        "current_time" => known.timetz,
        "current_user" | "session_user" | "current_catalog" | "user" | "current_role" | "current_schema" => known.name,
        _ => return None,
    })
}

/// `current_timestamp(3)` and the like.
fn session_value(name: &str, arguments: &Arguments<'_>) -> Option<SqlType> {
    let id = session_type(name)?;
    let digits = arguments.expressions.first().copied().flatten().and_then(super::query::number);
    let modifier = digits.map_or(-1, |digits| i32::try_from(digits.min(6)).unwrap_or(-1));
    Some(SqlType { id, modifier })
}
