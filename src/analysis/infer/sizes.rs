//! How many bytes of UTF-8 a text has at most, from the widths of what it is made of. PostgreSQL counts characters, and a character has up
//! to four bytes. Nothing is guessed: where it is not certain, nothing is known.

use sqlparser::ast::{BinaryOperator, Expr, Function, Value};

use super::expression::unnested;
use super::scope::fold;
use super::typed::{ExpressionTypes, plain_arguments, whole};
use crate::analysis::catalogue::catalogue;
use crate::analysis::facts::Facts;
use crate::analysis::sql_type::SqlType;

const BYTES_OF_CHARACTER: u32 = 4;

/// Letters that become more than one in the other case, of three times the bytes at most (U+0390).
const GROWTH_OF_CASE: u32 = 3;

/// At most so many bytes; `None` for what is no text, or of any length.
pub(super) fn bytes(facts: &Facts) -> Option<u32> {
    let kind = facts.sql_type.filter(|kind| is_text(*kind))?;
    let limit = kind.length().and_then(characters);
    match (limit, facts.bytes) {
        (Some(limit), Some(bytes)) => Some(limit.min(bytes)),
        (limit, bytes) => limit.or(bytes),
    }
}

/// What two columns have at most that become one.
pub(super) fn merged(one: &Facts, other: &Facts) -> Option<u32> {
    Some(bytes(one)?.max(bytes(other)?))
}

/// Of a value of VALUES or of a set of rows.
pub(super) fn most<'f>(cells: impl Iterator<Item = &'f Facts>) -> Option<u32> {
    cells.map(bytes).collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn is_text(kind: SqlType) -> bool {
    matches!(catalogue().entry(kind.id).name, "text" | "varchar" | "bpchar" | "unknown")
}

fn characters(count: i32) -> Option<u32> {
    u32::try_from(count).ok()?.checked_mul(BYTES_OF_CHARACTER)
}

/// The longest text of a value of a type, as PostgreSQL and Redshift write it.
fn spelled(kind: SqlType) -> Option<u32> {
    Some(match catalogue().entry(kind.id).name {
        "bool" => 5,
        "int2" => 6,
        "int4" => 11,
        "int8" => 20,
        "float4" => 15,
        "float8" => 24,
        // Sign, point, and a zero before it; or `-Infinity`.
        "numeric" => u32::try_from(kind.precision()?.checked_add(3)?).ok()?.max(9),
        "date" => 16,
        "time" => 15,
        "timestamp" => 32,
        "timestamptz" => 42,
        "uuid" => 36,
        _ => return None,
    })
}

impl ExpressionTypes {
    /// Bytes of a text of which its parts tell.
    pub(super) fn bytes(&self, expression: &Expr, facts: &Facts) -> Option<u32> {
        let kind = facts.sql_type.filter(|kind| is_text(*kind))?;
        let of = |part: &Expr| self.text_of(part);
        let found = match expression {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => u32::try_from(text.len()).ok(),
                Value::Null => Some(0),
                _ => None,
            },
            Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => of(inner),
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => of(left)?.checked_add(of(right)?),
            Expr::Cast { expr, .. } => of(expr),
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref());
                results.map(of).collect::<Option<Vec<_>>>()?.into_iter().max()
            }
            // A pattern gives a part of the text too.
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let counts = substring_from.as_deref().is_none_or(|from| self.is_number(from));
                let length = substring_for.as_deref().filter(|_| counts).and_then(whole).and_then(characters);
                at_most(of(expr), length)
            }
            Expr::Trim { expr, .. } => of(expr),
            Expr::Function(call) => self.bytes_of_call(call),
            _ => None,
        };
        at_most(found, kind.length().and_then(characters))
    }

    /// Bytes of a value as text.
    fn text_of(&self, part: &Expr) -> Option<u32> {
        let typed = self.of(part);
        match typed.sql_type {
            Some(kind) if is_text(kind) => typed.bytes,
            Some(kind) => spelled(kind),
            None => None,
        }
    }

    fn is_number(&self, part: &Expr) -> bool {
        self.of(part).sql_type.is_some_and(|kind| matches!(catalogue().entry(kind.id).name, "int2" | "int4" | "int8"))
    }

    fn bytes_of_call(&self, call: &Function) -> Option<u32> {
        let name = call.name.0.last().and_then(|part| part.as_ident()).map(fold)?;
        let arguments = plain_arguments(call);
        let of = |at: usize| arguments.get(at).and_then(|argument| self.text_of(argument));
        let all = || arguments.iter().map(|argument| self.text_of(argument)).collect::<Option<Vec<u32>>>();
        let sum = |sizes: &[u32]| sizes.iter().try_fold(0_u32, |sum, size| sum.checked_add(*size));
        let count = |at: usize| arguments.get(at).and_then(|argument| whole(argument));
        match name.as_str() {
            "min" | "max" | "first_value" | "last_value" | "nth_value" | "any_value" | "nullif" => of(0),
            "btrim" | "ltrim" | "rtrim" | "reverse" | "split_part" => of(0),
            "lag" | "lead" if arguments.len() < 3 => of(0),
            "lag" | "lead" => Some(of(0)?.max(of(2)?)),
            "percentile_disc" | "mode" => call.within_group.first().and_then(|order| self.text_of(&order.expr)),
            "coalesce" | "greatest" | "least" => all()?.into_iter().max(),
            "concat" => sum(&all()?),
            "concat_ws" => {
                let between = of(0)?.checked_mul(u32::try_from(arguments.len().saturating_sub(2)).ok()?)?;
                sum(all()?.get(1..)?)?.checked_add(between)
            }
            "substring" | "substr" => {
                let counts = arguments.get(1).is_some_and(|from| self.is_number(from));
                at_most(of(0), count(2).filter(|_| counts).and_then(characters))
            }
            // A negative count leaves so many out.
            "left" | "right" => at_most(of(0), count(1).and_then(characters)),
            "lpad" | "rpad" => characters(count(1)?),
            "repeat" => of(0)?.checked_mul(u32::try_from(count(1)?.max(0)).ok()?),
            "upper" | "lower" | "initcap" => of(0)?.checked_mul(GROWTH_OF_CASE),
            "replace" => replaced(of(0)?, quoted(arguments.get(1)?)?, of(2)?),
            "translate" => of(0)?.checked_mul(BYTES_OF_CHARACTER),
            "md5" => Some(32),
            "chr" => Some(BYTES_OF_CHARACTER),
            "to_hex" => Some(16),
            _ => None,
        }
    }
}

fn at_most(found: Option<u32>, limit: Option<u32>) -> Option<u32> {
    match (found, limit) {
        (Some(found), Some(limit)) => Some(found.min(limit)),
        (found, limit) => found.or(limit),
    }
}

/// Each occurrence may become longer.
fn replaced(text: u32, from: &str, to: u32) -> Option<u32> {
    let from = u32::try_from(from.len()).ok()?;
    if from == 0 || to <= from {
        return Some(text);
    }
    text.checked_div(from)?.checked_mul(to - from)?.checked_add(text)
}

fn quoted(expression: &Expr) -> Option<&str> {
    match unnested(expression) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
