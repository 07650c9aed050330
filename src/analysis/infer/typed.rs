//! The type of every expression of a query, for whoever rewrites it.

use std::collections::HashMap;
use std::sync::Arc;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Join, Query, Select, SetExpr, UnaryOperator,
    Value,
};

use super::expression::unnested;
use super::literal::quoted;
use super::scope::{QueryResult, fold};
use crate::analysis::catalogue::{TypeId, catalogue};
use crate::analysis::facts::Facts;
use crate::analysis::sql_type::SqlType;

/// Digits behind the point of what a division and an average of exact numbers give in portable SQL, on every engine.
const QUOTIENT: i32 = 16;
/// The same where the divisor has more than [`MANY`] digits itself: 38 digits are not enough for all.
const QUOTIENT_OF_MANY: i32 = 8;
const MANY: i32 = 8;

/// What is known of an expression.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Typed {
    pub sql_type: Option<SqlType>,
    pub nullable: bool,
    /// Digits behind the point at most, of an exact number.
    pub digits: Option<i32>,
    /// Bytes of a text at most.
    pub bytes: Option<u32>,
    /// The type that its place asks for; it is cast to it by itself.
    pub wanted: Option<TypeId>,
}

/// A column that a SELECT gives.
#[derive(Clone, Debug)]
pub struct Output {
    pub name: Arc<str>,
    pub typed: Typed,
}

/// A column that two sides of a join have in common, by USING or NATURAL.
#[derive(Clone, Debug)]
pub struct Using {
    pub name: String,
    pub sql_type: Option<SqlType>,
    /// Its type on each side.
    pub sides: [Option<SqlType>; 2],
    /// The entries of FROM that it can be named by on each side; `None` where there is none.
    pub left: Option<String>,
    pub right: Option<String>,
}

/// A column of the row outside that a subquery reads.
#[derive(Clone, Debug)]
pub struct OuterColumn {
    /// The entry of FROM that it can be named by; `None` where there is none.
    pub entry: Option<String>,
    pub name: String,
    pub typed: Typed,
    /// It is named without its entry, too.
    pub alone: bool,
    /// Around the subquery its name alone means it.
    pub known_alone: bool,
}

/// A column of a query further out that is named without its entry.
#[derive(Clone, Debug)]
pub struct OuterName {
    /// The entry of FROM that it can be named by; `None` where there is none.
    pub entry: Option<String>,
    /// A nearer query has an entry of that name.
    pub is_hidden: bool,
    /// So many queries further out.
    pub level: usize,
    /// A column of a nearer query whose name differs in case only.
    pub alike: Option<Arc<str>>,
}

/// Nobody chooses addresses to make it slow.
type ByAddress<T> = HashMap<usize, T, foldhash::fast::RandomState>;

/// By the places of expressions in memory: good for the tree that was walked, as long as it stays where it is.
#[derive(Clone, Debug, Default)]
pub struct ExpressionTypes {
    expressions: ByAddress<Typed>,
    outputs: ByAddress<Option<Vec<Output>>>,
    using: ByAddress<Vec<Using>>,
    outer: ByAddress<Vec<OuterColumn>>,
    outer_names: ByAddress<OuterName>,
    has_capitals: bool,
}

impl ExpressionTypes {
    pub fn of(&self, expression: &Expr) -> Typed {
        self.expressions.get(&address(expression)).copied().unwrap_or(Typed { nullable: true, ..Typed::default() })
    }

    /// The columns of a SELECT; `None` where not all are known.
    pub fn columns(&self, select: &Select) -> Option<&[Output]> {
        self.outputs.get(&address(select))?.as_deref()
    }

    /// The columns of a query; `None` where not all are known.
    pub fn columns_of_query(&self, query: &Query) -> Option<&[Output]> {
        self.outputs.get(&address(query))?.as_deref()
    }

    /// The columns of a set operation, and of VALUES; `None` where not all are known.
    pub fn columns_of_set(&self, body: &SetExpr) -> Option<&[Output]> {
        self.outputs.get(&address(body))?.as_deref()
    }

    /// What the sides of a join have in common; `None` where that is not known.
    pub fn using(&self, join: &Join) -> Option<&[Using]> {
        self.using.get(&address(join)).map(Vec::as_slice)
    }

    /// What a subquery, lateral or in place of a value, reads of the row outside; `None` where that is not known.
    pub fn outer_columns(&self, query: &Query) -> Option<&[OuterColumn]> {
        self.outer.get(&address(query)).map(Vec::as_slice)
    }

    /// The entry of FROM that has the column of a name alone, where that is one of a query further out.
    pub fn entry_of(&self, name: &[Ident]) -> Option<&str> {
        self.outer_name(name)?.entry.as_deref()
    }

    /// What is known of a name alone, where that is one of a query further out.
    pub fn outer_name(&self, name: &[Ident]) -> Option<&OuterName> {
        self.outer_names.get(&address(name.first()?))
    }

    /// Whether a column of what is read has a name with capitals, or with letters beyond ASCII.
    pub fn has_capitals(&self) -> bool {
        self.has_capitals
    }

    pub(super) fn note_capitals(&mut self) {
        self.has_capitals = true;
    }

    /// Whether there is such a name.
    pub fn has_outer_names(&self) -> bool {
        !self.outer_names.is_empty()
    }

    pub(super) fn note_outer_name(&mut self, name: &Ident, outer: OuterName) {
        self.outer_names.insert(address(name), outer);
    }

    /// Whether a query within reads columns of the one around it.
    pub fn has_dependent_queries(&self) -> bool {
        self.outer.values().any(|columns| !columns.is_empty())
    }

    pub(super) fn note_outer(&mut self, query: &Query, columns: Vec<OuterColumn>) {
        self.outer.insert(address(query), columns);
    }

    pub(super) fn note_using(&mut self, join: &Join, columns: Vec<Using>) {
        self.using.insert(address(join), columns);
    }

    pub(super) fn note(&mut self, expression: &Expr, facts: &mut Facts) {
        if facts.digits.is_none() {
            facts.digits = self.digits(expression, facts);
        }
        if facts.bytes.is_none() {
            facts.bytes = self.bytes(expression, facts);
        }
        self.expressions.insert(address(expression), typed(facts));
    }

    pub(super) fn note_wanted(&mut self, expression: &Expr, wanted: Option<TypeId>) {
        if let Some(held) = self.expressions.get_mut(&address(expression)) {
            held.wanted = wanted;
            if let (true, Some(text)) = (wanted == Some(catalogue().known.numeric), quoted(expression)) {
                held.digits = written_digits(text);
            }
        }
    }

    pub(super) fn note_select(&mut self, select: &Select, result: &QueryResult) {
        self.outputs.insert(address(select), outputs(result));
    }

    pub(super) fn note_set(&mut self, body: &SetExpr, result: &QueryResult) {
        self.outputs.insert(address(body), outputs(result));
    }

    pub(super) fn note_query(&mut self, query: &Query, result: &QueryResult) {
        self.outputs.insert(address(query), outputs(result));
    }

    /// Digits of a number of which the type says nothing, from those of its parts.
    fn digits(&self, expression: &Expr, facts: &Facts) -> Option<i32> {
        if let (Some(text), true) = (quoted(expression), is_unknown(facts.sql_type?)) {
            return written_digits(text);
        }
        if !is_numeric(facts.sql_type?) || digits_of_type(facts.sql_type?).is_some() {
            return None;
        }
        let of = |part: &Expr| self.of(part).digits;
        match expression {
            Expr::Value(value) => match &value.value {
                Value::Number(text, _) => written_digits(text),
                _ => None,
            },
            Expr::Nested(inner) => of(inner),
            // A literal is read together with its sign.
            Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => of(expr).or_else(|| self.digits(expr, facts)),
            Expr::BinaryOp { left, op, right } => {
                let (one, other) = (of(left)?, of(right)?);
                match op {
                    BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Modulo => Some(one.max(other)),
                    BinaryOperator::Multiply => Some(one + other),
                    BinaryOperator::Divide => Some(quotient_digits(other)),
                    _ => None,
                }
            }
            Expr::Cast { expr, .. } => match quoted(expr) {
                Some(text) => written_digits(text),
                None => of(expr),
            },
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref());
                most(results.map(of))
            }
            Expr::Ceil { .. } | Expr::Floor { .. } => Some(0),
            Expr::Extract { field, .. } => Some(digits_of_part(&field.to_string())),
            Expr::Function(call) => self.digits_of_call(call),
            _ => None,
        }
    }

    fn digits_of_call(&self, call: &Function) -> Option<i32> {
        let name = call.name.0.last().and_then(|part| part.as_ident()).map(fold)?;
        let arguments = plain_arguments(call);
        let of = |at: usize| arguments.get(at).and_then(|argument| self.of(argument).digits);
        match name.as_str() {
            "sum" | "min" | "max" | "abs" | "first_value" | "last_value" | "nth_value" | "any_value" | "nullif" => of(0),
            "lag" | "lead" if arguments.len() < 3 => of(0),
            "lag" | "lead" => Some(of(0)?.max(of(2)?)),
            "coalesce" | "greatest" | "least" | "mod" => most(arguments.iter().map(|argument| self.of(argument).digits)),
            "percentile_disc" | "mode" => call.within_group.first().and_then(|order| self.of(&order.expr).digits),
            "round" | "trunc" => match arguments.get(1) {
                None => Some(0),
                Some(digits) => whole(digits).map(|digits| digits.max(0)),
            },
            "ceil" | "ceiling" | "floor" | "sign" | "div" | "factorial" => Some(0),
            "avg" => Some(QUOTIENT),
            "extract" => arguments.first().and_then(|field| quoted(field)).map(digits_of_part),
            _ => None,
        }
    }
}

/// Digits of a part of a moment; of seconds as many as a moment has.
fn digits_of_part(field: &str) -> i32 {
    match field.to_ascii_lowercase().as_str() {
        "second" | "epoch" => 6,
        "millisecond" | "milliseconds" => 3,
        _ => 0,
    }
}

/// Digits of a quotient of exact numbers, by those of the divisor.
pub fn quotient_digits(divisor: i32) -> i32 {
    if divisor > MANY { QUOTIENT_OF_MANY } else { QUOTIENT }
}

pub(super) fn typed(facts: &Facts) -> Typed {
    Typed { sql_type: facts.sql_type, nullable: facts.nullable, digits: digits(facts), bytes: super::sizes::bytes(facts), wanted: None }
}

/// At most so many digits stand behind the point.
pub(super) fn digits(facts: &Facts) -> Option<i32> {
    match facts.sql_type {
        // A literal in quotes has those that are written; a null takes none.
        Some(kind) if is_unknown(kind) => Some(facts.digits.unwrap_or(0)),
        kind => kind.and_then(digits_of_type).or(facts.digits),
    }
}

/// What two columns have at most that become one.
pub(super) fn merged(one: &Facts, other: &Facts) -> Option<i32> {
    Some(digits(one)?.max(digits(other)?))
}

fn digits_of_type(kind: SqlType) -> Option<i32> {
    match catalogue().entry(kind.id).name {
        "int2" | "int4" | "int8" => Some(0),
        "numeric" => kind.scale(),
        _ => None,
    }
}

fn is_unknown(kind: SqlType) -> bool {
    kind.id == catalogue().known.unknown
}

fn is_numeric(kind: SqlType) -> bool {
    kind.id == catalogue().known.numeric
}

fn most(digits: impl Iterator<Item = Option<i32>>) -> Option<i32> {
    digits.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// `12.340` has three digits behind the point, `1e3` none.
fn written_digits(text: &str) -> Option<i32> {
    let text = text.trim().to_ascii_lowercase().replace('_', "");
    let (mantissa, exponent) =
        text.split_once('e').map_or((text.as_str(), 0), |(mantissa, exponent)| (mantissa, exponent.parse().unwrap_or(0)));
    let fraction = mantissa.split_once('.').map_or("", |(_, fraction)| fraction);
    let plain = mantissa.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    let length = i32::try_from(fraction.len()).ok()?;
    let digits = length.checked_sub(exponent)?;
    (plain && !mantissa.is_empty()).then(|| digits.max(0))
}

pub(super) fn whole(expression: &Expr) -> Option<i32> {
    match unnested(expression) {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => whole(expr).map(|number| -number),
        _ => None,
    }
}

/// The arguments of a call that are expressions.
pub(super) fn plain_arguments(call: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &call.args else { return Vec::new() };
    let arguments = list.args.iter();
    arguments
        .filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
            _ => None,
        })
        .collect()
}

fn outputs(result: &QueryResult) -> Option<Vec<Output>> {
    let output = |column: &super::scope::Column| Output { name: Arc::clone(&column.name), typed: typed(&column.facts) };
    (!result.open).then(|| result.columns.iter().map(output).collect())
}

fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}
