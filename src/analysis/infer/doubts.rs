//! What the database takes and hardly anybody means: comparisons with NULL, times with and without a zone, division of integers,
//! exact numbers that become binary ones, misspelled functions.

use sqlparser::ast::{BinaryOperator, Expr, Spanned, Value};
use sqlparser::tokenizer::Span;

use super::expression::unnested;
use super::grouping::has_aggregate;
use super::unused::{CteUse, Mention};
use super::windows::window_function;
use super::{Finding, Inference, known, spelled};
use crate::analysis::catalogue::{TypeId, catalogue};
use crate::analysis::facts::{EdgeKind, Facts};
use crate::analysis::other_names::written_instead;
use crate::analysis::sql_type::SqlType;
use crate::diag::{Code, Diagnostic, codes, nearest};

/// Operators that compare, and so give NULL for NULL.
const COMPARISONS: &[&str] = &["=", "<>", "!=", "<", "<=", ">", ">="];

impl Inference<'_> {
    pub(super) fn doubt(&mut self, span: Span, diagnostic: Diagnostic) {
        let range = self.lines.range(span);
        self.doubts.findings.push(Finding::new(diagnostic, range));
    }

    /// A comparison that is never true: one side is NULL.
    pub(super) fn doubt_null(&mut self, name: &str, left: &Expr, right: &Expr, span: &dyn Fn() -> Span) {
        if !self.is_looked_into || !COMPARISONS.contains(&name) || !(is_null(left) || is_null(right)) {
            return;
        }
        let other = if is_null(right) { left } else { right };
        let test = if matches!(name, "<>" | "!=") { "is not null" } else { "is null" };
        let problem = Diagnostic::new(&codes::NULL_COMPARISON, format!("a comparison ({name}) with NULL is never true"));
        self.doubt(span(), problem.help(format!("write {other} {test}")));
    }

    /// `x in (…, null)` and its negation.
    pub(super) fn doubt_null_in_list(&mut self, list: &[Expr], negated: bool) {
        if let Some(item) = list.iter().find(|item| is_null(item)).filter(|_| self.is_looked_into) {
            let message = match negated {
                true => "NOT IN with a NULL in its list is never true",
                false => "a NULL in the list of IN is equal to nothing",
            };
            let problem = Diagnostic::new(&codes::NULL_COMPARISON, message);
            self.doubt(item.span(), problem.help("take NULL out of the list, and test for it with IS NULL"));
        }
    }

    /// What an operator makes of two types that it takes.
    pub(super) fn doubt_operator(
        &mut self,
        name: &str,
        left: (&Facts, &Expr),
        right: (&Facts, &Expr),
        taken: &[TypeId],
        span: &dyn Fn() -> Span,
    ) {
        let (Some(one), Some(other), true) = (left.0.sql_type, right.0.sql_type, self.is_looked_into) else { return };
        if COMPARISONS.contains(&name) || name == "-" {
            self.doubt_zone("compared", &[one, other], span);
        }
        for ((facts, expression), wanted) in [left, right].into_iter().zip(taken) {
            self.doubt_cast(facts, *wanted, &|| expression.span());
        }
        if name == "/" && is_integer(one.id) && is_integer(other.id) && !self.doubts.whole_wanted {
            // Between constants it is arithmetic that somebody looked at.
            // How many rows there are comes from no column.
            let counts = |expression: &Expr| has_aggregate(expression) || window_function(expression).is_some();
            let constant = [left, right].iter().all(|(facts, expression)| facts.origins.is_empty() && !counts(expression));
            if !constant {
                let message = format!("{} is divided by {}, which drops the fraction", one, other);
                let problem = Diagnostic::new(&codes::INTEGER_DIVISION, message);
                let help = "cast one side to numeric, or the result to an integer where whole numbers are meant";
                self.doubt(span(), problem.help(help));
            }
        }
    }

    /// Branches, sides of UNION or columns of USING that get one type.
    pub(super) fn doubt_common(&mut self, parts: &[(&Facts, Span)], common: SqlType) {
        if !self.is_looked_into {
            return;
        }
        let types: Vec<SqlType> = parts.iter().filter_map(|(facts, _)| facts.sql_type).collect();
        let is_plain = |facts: &Facts| facts.sql_type.is_some_and(|kind| kind.id == known().timestamp);
        let plain = parts.iter().find(|(facts, _)| is_plain(facts));
        if let Some((_, span)) = plain {
            self.doubt_zone("put together", &types, &|| *span);
        }
        for (facts, span) in parts {
            self.doubt_cast(facts, common.id, &|| *span);
        }
    }

    fn doubt_zone(&mut self, what: &str, types: &[SqlType], span: &dyn Fn() -> Span) {
        let has = |id: TypeId| types.iter().any(|kind| kind.id == id);
        if has(known().timestamp) && has(known().timestamptz) {
            let message = format!("a timestamp without time zone is {what} with one that has it, in the zone of whoever asks");
            let problem = Diagnostic::new(&codes::ZONE_MISMATCH, message);
            self.doubt(span(), problem.help("say which zone is meant: the_timestamp at time zone 'Europe/London'"));
        }
    }

    /// A value of a column that is cast by itself to a type with fewer digits.
    fn doubt_cast(&mut self, facts: &Facts, wanted: TypeId, span: &dyn Fn() -> Span) {
        let Some(given) = facts.sql_type.filter(|_| !facts.origins.is_empty()) else { return };
        let name = |id: TypeId| catalogue().entry(id).name;
        let loses = match name(wanted) {
            "float8" => given.id == known().numeric,
            "float4" => matches!(name(given.id), "numeric" | "int4" | "int8"),
            _ => false,
        };
        if loses {
            let message = format!("{} becomes {} by itself, which has fewer exact digits", SqlType::from(given.id), spelled(wanted));
            let problem = Diagnostic::new(&codes::LOSSY_CAST, message);
            self.doubt(span(), problem.help("cast the other side to numeric, or write the cast where the loss is meant"));
        }
    }

    /// `not in (select x …)`, where x may be null: no row comes then.
    pub(super) fn doubt_not_in(&mut self, column: &str, facts: &Facts, span: Span) {
        if !self.is_looked_into || !facts.nullable || self.is_assured(facts) {
            return;
        }
        let message = format!("NOT IN is never true as soon as one '{column}' of the subquery is null");
        let problem = Diagnostic::new(&codes::NULLABLE_NOT_IN, message);
        self.doubt(span, problem.help(format!("add where {column} is not null to the subquery, or use NOT EXISTS")));
    }

    /// Whether it is the value of one column that a test or constraint keeps from being null.
    fn is_assured(&self, facts: &Facts) -> bool {
        let mut values = facts.origins.iter().filter(|origin| origin.kind == EdgeKind::Value);
        let (Some(only), None) = (values.next(), values.next()) else { return false };
        let read = usize::try_from(only.column).ok().and_then(|at| self.reads.get_index(at));
        read.is_some_and(|(node, column)| self.tables.is_never_null(*node, column))
    }

    /// A function that the database does not bring with it. It may come from an extension or from the project, unless it is
    /// nearly the name of one that everybody has.
    pub(super) fn doubt_function(&mut self, name: &str, span: Span) {
        if !catalogue().functions(name).is_empty() {
            return;
        }
        let near = nearest(name, catalogue().function_names().chain(GRAMMAR.iter().copied()));
        let portable = self.tables.is_portable();
        // Short names are near to many others.
        let certain = near.filter(|near| name.len() > 4 && (near.len().abs_diff(name.len()) <= 1) && !name.contains('_'));
        // Looking through the project's own functions reads all of its files, so that is asked last.
        if (portable || certain.is_some()) && !self.tables.has_function(name) {
            let code: &'static Code = &codes::UNKNOWN_FUNCTION;
            let mut problem = Diagnostic::new(code, format!("there is no function '{name}'"));
            match (written_instead(name), near) {
                (Some(instead), _) => problem = problem.help(format!("write {instead}")),
                (None, Some(near)) => problem = problem.help(format!("did you mean '{near}'?")),
                (None, None) => {}
            }
            if portable {
                problem.severity = crate::diag::Severity::Error;
                problem = problem.note("the model is portable: only functions that every server has may be called");
            }
            self.doubt(span, problem);
        }
    }

    /// In a filter of an incremental run, what the answer depends on besides the data: rows that come late are never taken.
    pub(super) fn doubt_clock(&mut self, name: &str, span: Span) {
        let filters = self.is_looked_into && matches!(self.aggregates, Some("WHERE" | "JOIN conditions"));
        if filters && CHANGING.contains(&name) && self.tables.watches_clocks() {
            let message = format!("which rows an incremental run takes depends on '{name}', not on the rows that are there");
            let problem = Diagnostic::new(&codes::NONDETERMINISTIC_FILTER, message);
            self.doubt(span, problem.help("compare with what the table holds: (select max(…) from {{ this }})"));
        }
    }

    /// Walks what is divided to be a whole number: `(a / b)::int`.
    pub(super) fn whole_wanted<T>(&mut self, inner: &Expr, target: Option<SqlType>, walk: impl FnOnce(&mut Self) -> T) -> T {
        let divided = matches!(unnested(inner), Expr::BinaryOp { op: BinaryOperator::Divide, .. });
        let before = self.doubts.whole_wanted;
        self.doubts.whole_wanted = divided && target.is_some_and(|kind| is_integer(kind.id));
        let result = walk(self);
        self.doubts.whole_wanted = before;
        result
    }
}

/// What is something else in each run.
const CHANGING: &[&str] = &[
    "now",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "random",
    "gen_random_uuid",
    "setseed",
];

/// Names that the grammar gives a meaning.
const GRAMMAR: &[&str] = &["coalesce", "nullif", "greatest", "least", "grouping", "extract", "array", "exists"];

/// Whether neither the catalogue nor the grammar has a function of that name.
pub(super) fn is_unknown_function(name: &str) -> bool {
    catalogue().functions(name).is_empty() && catalogue().type_named(name).is_none() && !GRAMMAR.contains(&name) && name != "row"
}

fn is_null(expression: &Expr) -> bool {
    matches!(unnested(expression), Expr::Value(value) if value.value == Value::Null)
}

fn is_integer(id: TypeId) -> bool {
    matches!(catalogue().entry(id).name, "int2" | "int4" | "int8")
}

/// What is doubtful in a query, and what is needed to see it.
#[derive(Default)]
pub(super) struct Doubts {
    pub findings: Vec<Finding>,
    /// The result of the division that is walked is cast to an integer.
    pub whole_wanted: bool,
    pub ctes: Vec<CteUse>,
    pub mentions: Vec<Mention>,
    /// Part of the query was not walked: who reads what is not known.
    pub is_blind: bool,
}
