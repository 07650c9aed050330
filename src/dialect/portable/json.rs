//! Paths into JSON. DuckDB reads a key as a path unless it is written as one, and Redshift goes into SUPER with points and brackets.
//!
//! - <https://www.postgresql.org/docs/15/functions-json.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/query-super.html>
//! - <https://duckdb.org/docs/stable/data/json/json_functions>

use sqlparser::ast::{BinaryOperator, Expr};

use super::literals::plain_text;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, print_name, span_of};
use crate::base::quote_ident;
use crate::dialect::Engine;

enum Step {
    Key(String),
    Position(i64),
}

impl Writer<'_> {
    /// `->`, `->>`, `#>` and `#>>`.
    pub(super) fn json_path(&mut self, expression: &Expr) -> Sql {
        let Expr::BinaryOp { left, op, right } = expression else { return Sql::atom("null") };
        let as_text = matches!(op, BinaryOperator::LongArrow | BinaryOperator::HashLongArrow);
        if self.is(Engine::Postgres) || !self.rewrites(Rewrite::JsonPath) {
            let (one, other) = (self.expression(left).part(), self.expression(right).part());
            return Sql::loose(format!("{one} {op} {other}"));
        }
        let mut steps = Vec::new();
        let Some(root) = collect(expression, &mut steps) else {
            let help = "write keys and positions as literals";
            return self.refuse(span_of(right), "a path into JSON has to be a literal to be translated", help);
        };
        let document = self.expression(root);
        match self.target() {
            Engine::DuckDb => {
                let path: String = steps
                    .iter()
                    .map(|step| match step {
                        Step::Key(key) => format!(".\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")),
                        Step::Position(at @ 0..) => format!("[{at}]"),
                        Step::Position(at) => format!("[#{at}]"),
                    })
                    .collect();
                let (document, path) = (document.text, self.text(&format!("${path}")));
                if !as_text {
                    return Sql::atom(format!("json_extract({document}, {path})"));
                }
                // Of an object PostgreSQL gives the text with its blanks, which DuckDB does not keep.
                let wrong = "error('->> gives an object or a list, whose text is not the same on all engines')";
                Sql::loose(format!(
                    "case when json_type({document}, {path}) in ('OBJECT', 'ARRAY') then {wrong} else json_extract_string({document}, {path}) end"
                ))
            }
            _ => self.super_path(document, &steps, as_text, expression),
        }
    }

    fn super_path(&mut self, document: Sql, steps: &[Step], as_text: bool, expression: &Expr) -> Sql {
        let mut path = document.part();
        for step in steps {
            match step {
                Step::Key(key) if key.chars().any(char::is_uppercase) => {
                    let help = "load the document with keys in lower case";
                    return self.lacks(span_of(expression), "keys with capitals, which it folds", help);
                }
                Step::Key(key) => path.push_str(&format!(".{}", if print_name(key) == *key { key.clone() } else { quote_ident(key) })),
                Step::Position(at @ 0..) => path.push_str(&format!("[{at}]")),
                Step::Position(_) => return self.lacks(span_of(expression), "positions from the end", "count from the beginning"),
            }
        }
        if as_text { Sql::atom(format!("cast({path} as varchar(65535))")) } else { Sql::atom(path) }
    }
}

/// The document, and the way into it.
fn collect<'e>(expression: &'e Expr, steps: &mut Vec<Step>) -> Option<&'e Expr> {
    match expression {
        Expr::Nested(inner) => collect(inner, steps),
        Expr::BinaryOp { left, op: BinaryOperator::Arrow | BinaryOperator::LongArrow, right } => {
            let root = collect(left, steps)?;
            let step = match plain_text(right) {
                Some(key) => Step::Key(key.to_owned()),
                None => Step::Position(whole_number(right)?),
            };
            steps.push(step);
            Some(root)
        }
        Expr::BinaryOp { left, op: BinaryOperator::HashArrow | BinaryOperator::HashLongArrow, right } => {
            let root = collect(left, steps)?;
            let path = plain_text(right)?.strip_prefix('{')?.strip_suffix('}')?;
            for step in path.split(',').map(str::trim) {
                if step.contains('"') || step.is_empty() {
                    return None;
                }
                // A number is a position in a list, and a key of an object: which of them the document tells.
                steps.push(step.parse().map_or_else(|_| Step::Key(step.to_owned()), Step::Position));
            }
            Some(root)
        }
        other => Some(other),
    }
}
