//! What is refused in a query in which there is a mistake too: all of it is said at once, but for what only comes of the mistake.

use std::ops::{ControlFlow, Range};

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Spanned, visit_expressions};

use super::infer::{ExpressionTypes, Finding};
use super::mistyped::UNKNOWN_TYPE;
use crate::syntax::Lines;

/// A refusal that says this depends on no type.
const OF_A_NAME: &str = "is not on the list";

/// The refusals that hold whatever the mistaken parts are meant to be.
pub(super) fn independent(refusals: Vec<Finding>, mistakes: &[Finding], sql: &str, query: &Query, types: &ExpressionTypes) -> Vec<Finding> {
    // A mistake without a place may have a part in everything.
    let places: Option<Vec<Range<usize>>> = mistakes.iter().map(|mistake| mistake.range.clone()).collect();
    let Some(mistaken) = places else { return Vec::new() };
    let unknown = unknown_places(sql, query, types);
    let holds = |refusal: &Finding| {
        let message = &refusal.diagnostic.message;
        let Some(range) = &refusal.range else { return false };
        let is_apart = |places: &[Range<usize>]| places.iter().all(|place| !overlap(place, range));
        is_apart(&mistaken) && !message.ends_with(UNKNOWN_TYPE) && (message.contains(OF_A_NAME) || is_apart(&unknown))
    };
    refusals.into_iter().filter(holds).collect()
}

/// Where values stand of which the type is not known, and names of functions that are called with them.
fn unknown_places(sql: &str, query: &Query, types: &ExpressionTypes) -> Vec<Range<usize>> {
    let lines = Lines::new(sql);
    let mut places = Vec::new();
    let _ = visit_expressions(query, |expression| {
        let is_unknown = |expression: &Expr| types.of(expression).sql_type.is_none();
        match expression {
            Expr::Function(call) => {
                let FunctionArguments::List(list) = &call.args else { return ControlFlow::<()>::Continue(()) };
                let value = |argument: &FunctionArg| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => is_unknown(value),
                    _ => false,
                };
                places.extend(list.args.iter().any(value).then(|| lines.range(call.name.span())).flatten());
            }
            value if is_unknown(value) => places.extend(lines.range(value.span())),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    places
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}
