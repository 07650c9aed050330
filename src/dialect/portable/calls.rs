//! Calls: functions by the list in [`super::functions`], aggregates with DISTINCT, ORDER BY, FILTER and OVER.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, OrderByExpr,
};
use sqlparser::tokenizer::Span;

use super::functions::{self, How};
use super::levels::is_constant;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, lowered};
use crate::analysis::usage;
use crate::dialect::Engine;

/// A call, taken apart.
pub(super) struct Call<'e> {
    pub name: String,
    pub function: &'e Function,
    pub arguments: Vec<&'e Expr>,
    /// `count(*)`
    pub star: bool,
    pub distinct: bool,
    /// Inside of the parentheses.
    pub order_by: &'e [OrderByExpr],
    pub span: Span,
}

impl<'e> Call<'e> {
    /// The argument, where there is one and nothing orders what is aggregated.
    pub(super) fn only(&self) -> Option<&'e Expr> {
        match (self.arguments.as_slice(), self.star, self.order_by) {
            ([argument], false, []) => Some(argument),
            _ => None,
        }
    }

    /// Whether what is aggregated is in an order.
    pub(super) fn is_ordered(&self) -> bool {
        self.order_by.iter().any(|key| !is_constant(&key.expr))
    }
}

impl Writer<'_> {
    pub(super) fn call(&mut self, function: &Function) -> Sql {
        let span = sqlparser::ast::Spanned::span(&function.name);
        let Some(call) = self.taken_apart(function, span) else {
            let help = match function.null_treatment {
                Some(_) => "number the rows by count(x) over (order by key) in a subquery, and take max(x) of each number",
                None => "name the function alone, with arguments in their order",
            };
            return self.refuse(span, format!("'{}' is called in a form that is not the same on all engines", function.name), help);
        };
        let Some(entry) = functions::find(&call.name) else {
            let message = format!("'{}' is not on the list of functions that are the same on all engines", call.name);
            return self.refuse(span, message, functions::way_out(&call.name));
        };
        if matches!(function.args, FunctionArguments::List(_))
            && call.arguments.is_empty()
            && matches!(entry.name, "current_date" | "current_timestamp" | "localtimestamp")
        {
            let message = format!("{} with parentheses is not PostgreSQL's", entry.name);
            return self.refuse(span, message, format!("write {}", entry.name));
        }
        let written = match entry.how(self.engine) {
            How::Same => self.plain_call(&call, entry.name),
            How::Named(name) => self.plain_call(&call, name),
            How::By(write) => write(self, &call),
            How::Not(help) => self.lacks(span, &format!("'{}'", call.name), help),
        };
        self.of_width(&call.name, function, written)
    }

    fn taken_apart<'e>(&mut self, function: &'e Function, span: Span) -> Option<Call<'e>> {
        let parts: Vec<_> = function.name.0.iter().map(|part| part.as_ident()).collect::<Option<_>>()?;
        let name = match parts.as_slice() {
            [name] => name,
            [schema, name] if schema.value.eq_ignore_ascii_case("pg_catalog") => name,
            _ => return None,
        };
        if function.uses_odbc_syntax || function.null_treatment.is_some() || !matches!(function.parameters, FunctionArguments::None) {
            return None;
        }
        let name = lowered(name).into_owned();
        let mut call = Call { name, function, arguments: Vec::new(), star: false, distinct: false, order_by: &[], span };
        let list = match &function.args {
            FunctionArguments::List(list) => list,
            FunctionArguments::None => return Some(call),
            FunctionArguments::Subquery(_) => return None,
        };
        call.distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => call.arguments.push(value),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => call.star = true,
                _ => return None,
            }
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(keys) => call.order_by = keys,
                _ => return None,
            }
        }
        Some(call)
    }

    /// The call under a name, with all that belongs to it.
    pub(super) fn plain_call(&mut self, call: &Call<'_>, name: &str) -> Sql {
        if let Some(refused) = self.rows_counted(call) {
            return refused;
        }
        let mut arguments: Vec<String> = call.arguments.iter().map(|argument| self.expression(argument).text).collect();
        if call.star {
            arguments.push("*".to_owned());
        }
        if functions::is_aggregate(&call.name) && !arguments.is_empty() {
            let rest = arguments.split_off(1);
            let first = arguments.pop().unwrap_or_default();
            return self.aggregate_of(call, name, first, &rest);
        }
        let name = self.marked(call.span, name);
        let over = self.over(call);
        if matches!(call.function.args, FunctionArguments::None) && over.is_empty() {
            return Sql::atom(name);
        }
        Sql::atom([name.as_str(), "(", &arguments.join(", "), ")", &over].concat())
    }

    /// An aggregate of one argument, with all that belongs to the call.
    pub(super) fn aggregate(&mut self, call: &Call<'_>, name: &str, argument: String) -> Sql {
        self.aggregate_of(call, name, argument, &[])
    }

    fn aggregate_of(&mut self, call: &Call<'_>, name: &str, argument: String, rest: &[String]) -> Sql {
        if call.distinct {
            call.arguments.iter().for_each(|argument| self.refuse_json_key(argument));
        }
        let argument = if call.distinct { self.told_apart(call, argument) } else { argument };
        let (argument, filter) = self.filtered(call.function, argument);
        let distinct = if call.distinct { "distinct " } else { "" };
        let order = if call.is_ordered() { format!(" order by {}", self.keys_that_count(call, call.order_by)) } else { String::new() };
        let within = match call.function.within_group.as_slice() {
            [] => String::new(),
            keys => {
                let keys = self.order_keys(keys);
                self.one_order(&keys, call.span);
                format!(" within group (order by {keys})")
            }
        };
        let rest: String = rest.iter().map(|argument| format!(", {argument}")).collect();
        let marked = self.marked(call.span, name);
        let aggregate = format!("{marked}({distinct}{argument}{rest}{order}){within}{filter}");
        if let Some(running) = self.running(call, name, &aggregate) {
            return running;
        }
        Sql::atom(aggregate + &self.over(call))
    }

    /// An aggregate of pairs of floats, of which both come from the rows that count.
    pub(super) fn of_pairs(&mut self, call: &Call<'_>) -> Sql {
        let [one, other] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let first = self.expression(one).text;
        let written = self.expression(other).text;
        let second = self.filtered_too(call.function, other, written);
        self.aggregate_of(call, &call.name, first, &[second])
    }

    /// The keys by which values are put together. A constant decides nothing, and DuckDB takes none.
    pub(super) fn keys_that_count(&mut self, call: &Call<'_>, keys: &[OrderByExpr]) -> String {
        let key = |writer: &mut Self, key: &OrderByExpr| {
            let (written, direction) = writer.order_key_in_parts(key);
            writer.filtered_too(call.function, &key.expr, written) + &direction
        };
        keys.iter().filter(|held| !is_constant(&held.expr)).map(|held| key(self, held)).collect::<Vec<_>>().join(", ")
    }

    /// Texts that are counted once each.
    fn told_apart(&mut self, call: &Call<'_>, argument: String) -> String {
        let is_text = call.arguments.first().is_some_and(|value| self.is_text(value));
        if is_text && call.name == "count" && self.is(Engine::Redshift) && self.rewrites(Rewrite::TrailingBlanks) {
            return format!("({argument}) || '.'");
        }
        argument
    }

    pub(super) fn wrong_arguments(&mut self, call: &Call<'_>) -> Sql {
        let message = format!("'{}' is called with arguments that are not the same on all engines", call.name);
        self.refuse(
            call.span,
            message,
            usage(&call.name).unwrap_or("give it what PostgreSQL's function of this name takes, cast where needed"),
        )
    }
}

/// The name of a function, without its schema.
pub(super) fn name_of(call: &Function) -> String {
    call.name.0.last().and_then(|part| part.as_ident()).map_or_else(String::new, |name| lowered(name).into_owned())
}

/// The arguments of a call that are expressions.
pub(super) fn plain_arguments(call: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &call.args else { return Vec::new() };
    list.args.iter().filter_map(plain_argument).collect()
}

/// The arguments of a call where all are expressions.
pub(super) fn all_arguments(call: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &call.args else { return None };
    list.args.iter().map(plain_argument).collect()
}

fn plain_argument(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        _ => None,
    }
}
