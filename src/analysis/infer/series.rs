//! What tells rows apart beside columns themselves: series, which never give a value twice, and casts that keep different values different.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, Value};

use super::expression::unnested;
use super::grouping::own_column;
use super::known;
use super::scope::{Item, Scope};
use crate::analysis::sql_type::SqlType;

/// How far the values of a series lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// On different dates each.
    Days,
    Shorter,
}

impl Item {
    /// The rows of `generate_series`, and numbers of rows (`with ordinality`), which come last.
    pub(super) fn of_series(mut self, function: &str, arguments: &[FunctionArg], ordinality: bool) -> Item {
        if ordinality {
            self.unique.extend(self.columns.last().map(|column| vec![column.id]));
        }
        let first = self.columns.first().filter(|_| function == "generate_series" && !self.open);
        if let (Some(column), Some(step)) = (first, step_of(arguments)) {
            self.unique.push(vec![column.id]);
            self.daily.extend((step == Step::Days).then_some(column.id));
        }
        self
    }
}

/// `None` where steps may go to and fro (`1 month -30 days`), or are not known.
fn step_of(arguments: &[FunctionArg]) -> Option<Step> {
    let values: Option<Vec<&Expr>> = arguments
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(unnested(value)),
            _ => None,
        })
        .collect();
    match values?.as_slice() {
        // Numbers; steps of zero are an error.
        [_, _] => Some(Step::Shorter),
        [_, _, step] => match step {
            Expr::Interval(interval) => {
                let field = interval.leading_field.as_ref().map_or_else(String::new, |field| format!(" {field}"));
                length(&format!("{}{field}", text(&interval.value)?))
            }
            Expr::TypedString(typed) => match &typed.value.value {
                Value::SingleQuotedString(text) => length(text),
                _ => None,
            },
            Expr::Cast { expr, .. } => length(text(expr)?),
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => length(text),
                _ => Some(Step::Shorter),
            },
            Expr::UnaryOp { expr, .. } if matches!(unnested(expr), Expr::Value(_)) => Some(Step::Shorter),
            _ => None,
        },
        _ => None,
    }
}

fn text(expression: &Expr) -> Option<&str> {
    match unnested(expression) {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            Value::Number(text, _) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The length that the text of an interval gives: numbers of one sign with their units.
fn length(text: &str) -> Option<Step> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.chunks(2).map(|pair| match pair {
        [number, unit] => Some((number.parse::<i64>().ok()?, unit.to_lowercase())),
        _ => None,
    });
    let pairs: Vec<(i64, String)> = pairs.collect::<Option<_>>()?;
    let one_sign = pairs.iter().all(|(number, _)| *number >= 0) || pairs.iter().all(|(number, _)| *number <= 0);
    let of_days = |(number, unit): &(i64, String)| {
        let unit = unit.strip_suffix('s').unwrap_or(unit);
        *number != 0 && ["day", "week", "mon", "month", "quarter", "year"].contains(&unit)
    };
    match pairs.as_slice() {
        [] => None,
        _ if !one_sign => None,
        pairs if pairs.iter().any(of_days) => Some(Step::Days),
        _ => Some(Step::Shorter),
    }
}

/// The column of which an expression keeps all values apart: the column itself, or a cast of it that makes no two values one.
pub(super) fn told_apart(expression: &Expr, scope: &Scope<'_>) -> Option<u32> {
    match unnested(expression) {
        Expr::Cast { expr, data_type, .. } => {
            let id = told_apart(expr, scope)?;
            let target = SqlType::parse(&data_type.to_string())?;
            let daily = || target.id == known().date && scope.items.iter().any(|item| item.daily.contains(&id));
            let column = || scope.items.iter().flat_map(|item| &item.columns).find(|column| column.id == id);
            // Of a cast of a cast, only the innermost value has the type of the column.
            let direct = own_column(expr, scope).is_some();
            let keeps = || direct && column().and_then(|column| column.facts.sql_type).is_some_and(|from| keeps_apart(from, target));
            (keeps() || direct && daily()).then_some(id)
        }
        column => own_column(column, scope),
    }
}

/// Whether a cast gives different values for different values, or an error.
fn keeps_apart(from: SqlType, to: SqlType) -> bool {
    let whole = |kind: SqlType| ["int2", "int4", "int8"].contains(&kind.name());
    let text = |kind: SqlType| ["text", "varchar"].contains(&kind.name());
    let unlimited = to.modifier == -1;
    match (from.name(), to.name()) {
        (one, other) if one == other => unlimited || from == to,
        ("date", "timestamp") => true,
        ("date" | "uuid", _) => unlimited && text(to),
        (_, "numeric") => unlimited && whole(from),
        _ if whole(from) => whole(to) || unlimited && text(to),
        _ => unlimited && text(from) && text(to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_steps() {
        for (text, step) in [
            ("1 day", Some(Step::Days)),
            ("-1 week", Some(Step::Days)),
            ("1 month 12 hours", Some(Step::Days)),
            ("0 days 6 hours", Some(Step::Shorter)),
            ("1 hour", Some(Step::Shorter)),
            ("1 month -30 days", None),
            ("1 day 12:00", None),
            ("P1D", None),
            ("", None),
        ] {
            assert_eq!(length(text), step, "{text}");
        }
    }

    #[test]
    fn casts_that_keep_values_apart() {
        let kind = |text: &str| SqlType::parse(text).unwrap();
        for (from, to, keeps) in [
            ("int", "bigint", true),
            ("bigint", "int", true),
            ("bigint", "numeric(5,0)", false),
            ("int", "text", true),
            ("uuid", "varchar", true),
            ("text", "varchar(3)", false),
            ("text", "int", false),
            ("date", "timestamp", true),
            ("timestamp", "date", false),
            ("timestamptz", "timestamp", false),
        ] {
            assert_eq!(keeps_apart(kind(from), kind(to)), keeps, "{from} as {to}");
        }
    }
}
