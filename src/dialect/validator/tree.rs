//! What only the tree of a query tells: truths as values, subqueries that reach out, recursion, rows that are compared.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, Spanned, Statement,
    TableFactor, Visit, Visitor,
};
use sqlparser::dialect::{Dialect, RedshiftSqlDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Span;

use super::Findings;
use super::scan::Tokens;
use crate::dialect::correlated;
use crate::syntax::Lines;

/// The parser's own dialect, with grouping sets, which it lacks.
#[derive(Debug)]
struct Grammar(RedshiftSqlDialect);

impl Dialect for Grammar {
    fn dialect(&self) -> std::any::TypeId {
        self.0.dialect()
    }
    fn supports_group_by_expr(&self) -> bool {
        true
    }
    fn is_identifier_start(&self, letter: char) -> bool {
        self.0.is_identifier_start(letter)
    }
    fn is_identifier_part(&self, letter: char) -> bool {
        self.0.is_identifier_part(letter)
    }
    fn convert_type_before_value(&self) -> bool {
        true
    }
    fn supports_top_before_distinct(&self) -> bool {
        true
    }
    fn supports_partiql(&self) -> bool {
        true
    }
    fn allow_extract_single_quotes(&self) -> bool {
        true
    }
    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }
    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }
}

/// A text that the parser cannot read has been looked at by its tokens only.
pub(super) fn check(sql: &str, tokens: &Tokens<'_>, found: &mut Findings) {
    if !is_needed(tokens) {
        return;
    }
    let dialect = Grammar(RedshiftSqlDialect {});
    let parsed = Parser::new(&dialect).with_recursion_limit(300).try_with_sql(sql).and_then(|mut parser| parser.parse_statements());
    let Ok(statements) = parsed else { return };
    let mut rules = Rules { lines: Lines::new(sql), whole: 0..sql.len(), found, outer: Vec::new() };
    for statement in &statements {
        let _ = statement.visit(&mut rules);
        for pattern in correlated::refused(statement) {
            rules.refuse(pattern.span, 127, &format!("{} is not supported", pattern.what), Some(correlated::WAY_OUT));
        }
    }
}

/// Whether something stands in the text of which only the tree tells more: most queries are read by their tokens alone.
fn is_needed(tokens: &Tokens<'_>) -> bool {
    let truths = ["true", "false", "unknown"];
    (0..tokens.len()).any(|at| {
        let is_truth =
            || tokens.is(at, "is") && (tokens.is_any(at + 1, &truths) || tokens.is(at + 1, "not") && tokens.is_any(at + 2, &truths));
        // A subquery that is neither a relation of FROM nor one of WITH.
        let is_inner = || {
            at > 0 && tokens.is(at, "(") && tokens.is_any(at + 1, &["select", "with"]) && !tokens.is_any(at - 1, &["as", "from", "join"])
        };
        let closes_a_row = || tokens.is(at, ")") && tokens.is_any(at + 1, &["in", "=", "<>", "<", ">", "<=", ">="]);
        tokens.is_any(at, &["recursive", "qualify", "sets"]) || is_truth() || is_inner() || closes_a_row()
    })
}

struct Rules<'r> {
    lines: Lines<'r>,
    whole: std::ops::Range<usize>,
    found: &'r mut Findings,
    /// The relations of the queries around, the outermost first.
    outer: Vec<BTreeSet<String>>,
}

impl Rules<'_> {
    fn refuse(&mut self, span: Span, fact: u16, message: &str, help: Option<&'static str>) {
        let range = self.lines.range(span).unwrap_or_else(|| self.whole.clone());
        self.found.refuse(range, fact, message, help);
    }

    fn select(&mut self, select: &Select) {
        for item in &select.projection {
            let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else { continue };
            self.no_truth_as_value(expression);
        }
        // `QUALIFY` right behind FROM needs an alias, fact 125.
        if select.qualify.is_some()
            && select.selection.is_none()
            && select.having.is_none()
            && matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty())
            && let [only] = select.from.as_slice()
            && only.joins.is_empty()
            && let TableFactor::Table { alias: None, name, .. } = &only.relation
        {
            self.refuse(name.span(), 125, "a relation right before QUALIFY needs an alias", Some("give it one"));
        }
    }

    /// `x IS TRUE` is a predicate, no value: fact 22.
    fn no_truth_as_value(&mut self, expression: &Expr) {
        match expression {
            Expr::IsTrue(_) | Expr::IsNotTrue(_) | Expr::IsFalse(_) | Expr::IsNotFalse(_) | Expr::IsUnknown(_) | Expr::IsNotUnknown(_) => {
                self.refuse(expression.span(), 22, "IS TRUE is a condition, no value", Some("write CASE WHEN x THEN TRUE ELSE FALSE END"));
            }
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::UnaryOp { expr: inner, .. } => self.no_truth_as_value(inner),
            Expr::BinaryOp { left, right, .. } => {
                self.no_truth_as_value(left);
                self.no_truth_as_value(right);
            }
            _ => {}
        }
    }

    fn recursion(&mut self, query: &Query) {
        let Some(with) = query.with.as_ref() else { return };
        if with.recursive && !self.outer.is_empty() {
            self.refuse(with.with_token.0.span, 134, "a recursive query does not stand in a subquery", None);
        }
        for cte in &with.cte_tables {
            let name = cte.alias.name.value.to_lowercase();
            if !reads(&cte.query, &name) {
                continue;
            }
            if !with.recursive {
                continue;
            }
            if cte.alias.columns.is_empty() {
                self.refuse(cte.alias.name.span, 134, "a recursive query needs a list of columns", Some("name them: n (i) AS (…)"));
            }
            match &*cte.query.body {
                SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, right, .. } => {
                    if let SetExpr::Select(recursive) = &**right
                        && (recursive.distinct.is_some() || group_is_used(recursive))
                    {
                        self.refuse(cte.alias.name.span, 134, "the recursive part holds neither DISTINCT nor GROUP BY", None);
                    }
                }
                _ => self.refuse(cte.alias.name.span, 134, "a recursive query is a UNION ALL", None),
            }
        }
    }
}

impl Visitor for Rules<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.recursion(query);
        if !self.outer.is_empty() {
            let around: BTreeSet<String> = self.outer.iter().flatten().cloned().collect();
            let limited = query.limit_clause.is_some() || query.fetch.is_some();
            if limited && reaches_out(query, &around) {
                self.refuse(query.span(), 127, "a subquery that reaches out has no LIMIT", Some("number the rows in a joined query"));
            }
        }
        let own = match &*query.body {
            SetExpr::Select(select) => relations_of(select),
            _ => BTreeSet::new(),
        };
        selects(&query.body, &mut |select| self.select(select));
        self.outer.push(own);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.outer.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, _statement: &Statement) -> ControlFlow<()> {
        self.outer.clear();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::BinaryOp { left, op, right } if is_comparison(op) && is_row(left) && is_row(right) => {
                self.refuse(expression.span(), 143, "rows are not compared", Some("compare column by column, joined by AND"));
            }
            Expr::InList { expr, .. } if is_row(expr) => {
                self.refuse(expression.span(), 143, "rows are not compared with a list", Some("use IN with a subquery, or AND and OR"));
            }
            Expr::GroupingSets(sets) if sets.len() > 64 => {
                self.refuse(expression.span(), 139, "there are at most 64 grouping sets", None);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(op, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
}

fn is_row(expression: &Expr) -> bool {
    matches!(expression, Expr::Tuple(items) if items.len() > 1)
}

fn group_is_used(select: &Select) -> bool {
    !matches!(&select.group_by, sqlparser::ast::GroupByExpr::Expressions(items, _) if items.is_empty())
}

/// Every SELECT of a body that may be a UNION.
fn selects(body: &SetExpr, use_it: &mut impl FnMut(&Select)) {
    match body {
        SetExpr::Select(select) => use_it(select),
        SetExpr::SetOperation { left, right, .. } => {
            selects(left, use_it);
            selects(right, use_it);
        }
        _ => {}
    }
}

/// The names under which a SELECT knows its relations.
fn relations_of(select: &Select) -> BTreeSet<String> {
    let factors = select.from.iter().flat_map(|item| std::iter::once(&item.relation).chain(item.joins.iter().map(|join| &join.relation)));
    factors
        .filter_map(|factor| match factor {
            TableFactor::Table { name, alias, .. } => match alias {
                Some(alias) => Some(alias.name.value.to_lowercase()),
                None => name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase()),
            },
            TableFactor::Derived { alias: Some(alias), .. } => Some(alias.name.value.to_lowercase()),
            _ => None,
        })
        .collect()
}

/// Whether a query names a relation of those around it that is none of its own.
fn reaches_out(query: &Query, around: &BTreeSet<String>) -> bool {
    struct Names<'n> {
        around: &'n BTreeSet<String>,
        own: BTreeSet<String>,
        found: bool,
    }
    impl Visitor for Names<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            selects(&query.body, &mut |select| self.own.extend(relations_of(select)));
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if let Expr::CompoundIdentifier(names) = expression
                && let Some(Ident { value, .. }) = names.first()
            {
                let name = value.to_lowercase();
                self.found |= self.around.contains(&name) && !self.own.contains(&name);
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names { around, own: BTreeSet::new(), found: false };
    let _ = query.visit(&mut names);
    names.found
}

/// Whether a query reads a relation of that name.
fn reads(query: &Query, name: &str) -> bool {
    let mut found = false;
    let _ = sqlparser::ast::visit_relations(query, |relation| {
        found |= relation.0.len() == 1
            && relation.0.first().and_then(|part| part.as_ident()).is_some_and(|ident| ident.value.eq_ignore_ascii_case(name));
        ControlFlow::<()>::Continue(())
    });
    found
}
