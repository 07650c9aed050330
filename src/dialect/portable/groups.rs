//! `(regexp_match(s, p))[1]`: the first group of a pattern, as `substring(s from p)` gives it.
//!
//! - <https://www.postgresql.org/docs/15/functions-matching.html#FUNCTIONS-POSIX-REGEXP>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_SUBSTR.html>

use sqlparser::ast::{AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Subscript};

use super::numbers::whole_number;
use super::writer::{Sql, Writer};

impl Writer<'_> {
    /// `None` where it is something else.
    pub(super) fn first_group(&mut self, expression: &Expr) -> Option<Sql> {
        let Expr::CompoundFieldAccess { root, access_chain } = expression else { return None };
        let [AccessExpr::Subscript(Subscript::Index { index })] = access_chain.as_slice() else { return None };
        let (value, pattern) = matched(root).filter(|_| whole_number(index) == Some(1))?;
        Some(self.part_by_pattern(value, pattern))
    }
}

fn matched(root: &Expr) -> Option<(&Expr, &Expr)> {
    match root {
        Expr::Nested(inner) => matched(inner),
        Expr::Function(Function { name, args: FunctionArguments::List(list), over: None, filter: None, .. })
            if name.to_string().eq_ignore_ascii_case("regexp_match") =>
        {
            match list.args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(value)), FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern))] => {
                    Some((value, pattern))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
