//! Expressions: what an operator, a cast, a CASE or a subquery gives.

use sqlparser::ast::{AccessExpr, BinaryOperator, DataType, Expr, Query, Spanned, Subscript, TrimWhereField, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::currencies::hide_currencies;
use super::literal::{is_refused, literal, number_type, quoted};
use super::scope::{Found, Scope, fold};
use super::{Finding, Inference, known, settled, spelled};
use crate::analysis::candidates::{NotFound, binary_operator, operator_result_in_any_case, prefix_operator};
use crate::analysis::catalogue::{Context, TypeId, catalogue};
use crate::analysis::coercion::{array_element, can_coerce, common, has_pathway};
use crate::analysis::facts::{Facts, merge};
use crate::analysis::sql_type::SqlType;
use crate::analysis::units::Measure;
use crate::diag::{Diagnostic, codes};
use crate::syntax::marked_expression;

/// Operators that give a value for all values but nulls.
const NEVER_NULL: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "<", "<=", "=", ">=", ">", "<>", "||", "~~", "!~~", "~~*", "!~~*", "~", "~*", "!~", "!~*", "&&", "@>",
    "<@", "&", "|", "#", "<<", ">>", "?", "?|", "?&", "^@",
];

impl Inference<'_> {
    pub(super) fn expression(&mut self, expression: &Expr, scope: &Scope<'_>) -> Facts {
        let mut facts = stacker::maybe_grow(128 * 1024, 1024 * 1024, || self.expression_kind(expression, scope));
        self.note(expression, &mut facts);
        facts
    }

    fn expression_kind(&mut self, expression: &Expr, scope: &Scope<'_>) -> Facts {
        match expression {
            Expr::Identifier(ident) => self.column(std::slice::from_ref(ident), scope),
            Expr::CompoundIdentifier(parts) => self.column(parts, scope),
            Expr::Value(value) => literal(&value.value),
            Expr::Nested(inner) => self.expression(inner, scope),
            Expr::Collate { expr, .. } => {
                let facts = self.expression(expr, scope);
                Facts { sql_type: settled(facts.sql_type), ..facts }
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope),
            Expr::UnaryOp { op, expr } => self.unary(op, expr, scope),
            Expr::Cast { expr, data_type, .. } => self.cast(expr, data_type, scope),
            Expr::TypedString(typed) => {
                let sql_type = SqlType::parse(&typed.data_type.to_string());
                if let (Some(kind), Value::SingleQuotedString(text)) = (sql_type, &typed.value.value) {
                    self.check_text(text, kind.id, typed.value.span, true);
                }
                Facts::of(sql_type, false)
            }
            Expr::Interval(interval) => {
                let inner = self.expression(&interval.value, scope);
                let digits = interval.leading_precision.map_or_else(String::new, |digits| format!("({digits})"));
                let first = interval.leading_field.as_ref().map_or_else(String::new, |field| format!(" {field}{digits}"));
                let last = interval.last_field.as_ref().map_or_else(String::new, |field| format!(" to {field}"));
                Facts::of(SqlType::parse(&format!("interval{first}{last}")), inner.nullable).reading(&[inner])
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                let conditions: Vec<(&Expr, &Expr)> = conditions.iter().map(|branch| (&branch.condition, &branch.result)).collect();
                self.case(operand.as_deref(), &conditions, else_result.as_deref(), scope)
            }
            Expr::Function(function) => self.function(function, scope),
            Expr::Subquery(query) => self.scalar_subquery(query, scope),
            Expr::Exists { subquery, .. } => {
                let result = self.dependent_query(subquery, scope, scope.ctes);
                let mut facts = Facts::of(Some(known().bool.into()), false);
                merge(&mut facts.origins, &result.indirect);
                facts
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let left = self.expression(expr, scope);
                let name = if *negated { "<>" } else { "=" };
                self.compare_subquery(left, expr, name, subquery, scope)
            }
            Expr::InList { expr, list, negated } => {
                self.doubt_null_in_list(list, *negated);
                self.in_list(expr, list, scope)
            }
            Expr::Between { expr, low, high, .. } => {
                let facts = [expr, low, high].map(|part| self.expression(part, scope));
                let [value, least, most] = &facts;
                self.operator(">=", (value, expr), (least, low), &|| expr.span());
                self.operator("<=", (value, expr), (most, high), &|| expr.span());
                boolean(&facts)
            }
            Expr::Tuple(parts) => {
                let parts: Vec<Facts> = parts.iter().map(|part| self.expression(part, scope)).collect();
                // A row is there, but comparing it gives null where a part of it is.
                Facts::of(Some(known().record.into()), parts.iter().any(|part| part.nullable)).reading(&parts)
            }
            Expr::Array(array) => self.array(&array.elem, scope),
            Expr::CompoundFieldAccess { root, access_chain } => self.field_access(root, access_chain, scope),
            other => self.predicate(other, scope),
        }
    }

    /// Tests that give a boolean.
    fn predicate(&mut self, expression: &Expr, scope: &Scope<'_>) -> Facts {
        match expression {
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                let facts = self.expression(inner, scope);
                let mut told = Facts::of(Some(known().bool.into()), false).reading(&[facts]);
                // Whether there is something says nothing of it.
                told.meaning.labels.clear();
                told
            }
            Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner) => {
                let facts = self.condition(inner, scope, "IS");
                Facts::of(Some(known().bool.into()), false).reading(&[facts])
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                let facts = [self.expression(left, scope), self.expression(right, scope)];
                let [one, other] = &facts;
                self.operator("=", (one, left), (other, right), &|| left.span().union(&right.span()));
                Facts::of(Some(known().bool.into()), false).reading(&facts)
            }
            // `like any (array[…])`
            Expr::Like { expr, pattern, any: true, .. } | Expr::ILike { expr, pattern, any: true, .. } => {
                let facts = self.expression(expr, scope);
                let word = if matches!(expression, Expr::Like { .. }) { "like" } else { "ilike" };
                self.check_like_any(word, pattern);
                self.compare_array(facts, "~~", pattern, scope)
            }
            Expr::Like { expr, pattern, .. } => self.compare("~~", expr, pattern, scope),
            Expr::ILike { expr, pattern, .. } => self.compare("~~*", expr, pattern, scope),
            Expr::SimilarTo { expr, pattern, .. } => self.compare("~", expr, pattern, scope),
            Expr::AnyOp { left, compare_op, right, .. } | Expr::AllOp { left, compare_op, right } => {
                let facts = self.expression(left, scope);
                let name = compare_op.to_string();
                match &**right {
                    Expr::Subquery(query) => self.compare_subquery(facts, left, &name, query, scope),
                    right => self.compare_array(facts, &name, right, scope),
                }
            }
            Expr::IsNormalized { expr, .. } | Expr::IsJson { expr, .. } => {
                let facts = self.expression(expr, scope);
                boolean(&[facts])
            }
            other => self.special_call(other, scope),
        }
    }

    /// Functions that the grammar writes in its own way.
    fn special_call(&mut self, expression: &Expr, scope: &Scope<'_>) -> Facts {
        let (name, arguments): (&str, Vec<&Expr>) = match expression {
            Expr::AtTimeZone { timestamp, time_zone } => ("timezone", vec![time_zone, timestamp]),
            Expr::Extract { expr, .. } => {
                let facts = self.expression(expr, scope);
                let given = [known().text, facts.sql_type.map_or(known().timestamp, |kind| kind.id)];
                return self.call("extract", &given, &[None, Some(expr)], std::slice::from_ref(&facts), expression.span());
            }
            Expr::Position { expr, r#in } => ("position", vec![r#in, expr]),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let parts = std::iter::once(expr).chain(substring_from).chain(substring_for);
                ("substring", parts.map(|part| &**part).collect())
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    Some(TrimWhereField::Both) | None => "btrim",
                };
                let what = trim_what.iter().map(|part| &**part).chain(trim_characters.iter().flatten());
                (name, std::iter::once(&**expr).chain(what).collect())
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let parts = [expr, overlay_what, overlay_from].into_iter().chain(overlay_for);
                ("overlay", parts.map(|part| &**part).collect())
            }
            Expr::Ceil { expr, .. } => ("ceil", vec![expr]),
            Expr::Floor { expr, .. } => ("floor", vec![expr]),
            _ => {
                self.doubts.is_blind = true;
                return Facts::unknown();
            }
        };
        let facts: Vec<Facts> = arguments.iter().map(|argument| self.expression(argument, scope)).collect();
        self.call_with(name, &facts, &arguments, expression.span())
    }

    /// An expression that must be a boolean.
    pub(super) fn condition(&mut self, expression: &Expr, scope: &Scope<'_>, clause: &str) -> Facts {
        let facts = self.expression(expression, scope);
        if let Some(kind) = facts.sql_type
            && !can_coerce(kind.id, known().bool, Context::Assignment)
        {
            let message = format!("{clause} needs a boolean, and this is {kind}");
            let problem = Diagnostic::new(&codes::TYPE_MISMATCH, message);
            self.find(expression.span(), problem.help("compare it with something, as in x = 1 or x is not null"));
        }
        self.check_literal(expression, Some(known().bool));
        facts
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, scope: &Scope<'_>) -> Facts {
        match op {
            BinaryOperator::And | BinaryOperator::Or => {
                let name = if *op == BinaryOperator::And { "AND" } else { "OR" };
                let facts = [self.condition(left, scope, name), self.condition(right, scope, name)];
                boolean(&facts)
            }
            BinaryOperator::Overlaps => {
                let facts = [self.expression(left, scope), self.expression(right, scope)];
                Facts::of(Some(known().bool.into()), true).reading(&facts)
            }
            _ => {
                let name = match op {
                    BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().cloned().unwrap_or_default(),
                    other => other.to_string(),
                };
                if let (Expr::Tuple(lefts), Expr::Tuple(rights)) = (left, right)
                    && lefts.len() == rights.len()
                {
                    let pairs: Vec<Facts> = lefts.iter().zip(rights).map(|(one, other)| self.compare(&name, one, other, scope)).collect();
                    return boolean(&pairs);
                }
                self.compare(&name, left, right, scope)
            }
        }
    }

    fn compare(&mut self, name: &str, left: &Expr, right: &Expr, scope: &Scope<'_>) -> Facts {
        let facts = [self.expression(left, scope), self.expression(right, scope)];
        let [one, other] = &facts;
        let span = || left.span().union(&right.span());
        self.doubt_null(name, left, right, &span);
        let sql_type = self.operator(name, (one, left), (other, right), &span);
        let nullable = facts.iter().any(|facts| facts.nullable) || !never_null(name, &facts);
        Facts::of(sql_type, nullable).reading(&facts).measured(self.operator_measure(name, one, other))
    }

    /// The type of a binary operator's result. A mistake is found only when both sides are known. `span` is asked for where something
    /// is said: the parser finds it by a walk over all that is in it.
    fn operator(&mut self, name: &str, left: (&Facts, &Expr), right: (&Facts, &Expr), span: &dyn Fn() -> Span) -> Option<SqlType> {
        let written = name;
        let name = if name == "!=" { "<>" } else { name };
        self.check_operator_units(name, left.0, right.0, span);
        let (Some(one), Some(other)) = (left.0.sql_type, right.0.sql_type) else {
            return operator_result_in_any_case(name).map(SqlType::from);
        };
        match binary_operator(name, one.id, other.id) {
            Ok(call) => {
                self.check_literal(left.1, call.arguments.first().copied());
                self.check_literal(right.1, call.arguments.get(1).copied());
                self.doubt_operator(name, left, right, &call.arguments, span);
                call.result.map(SqlType::from)
            }
            Err(NotFound::Arguments) if !is_row(one.id) && !is_row(other.id) => {
                let spelled = spelled_operator(name);
                let message = format!("there is no operator {spelled} for {} and {}", spelled_side(one), spelled_side(other));
                let problem = Diagnostic::new(&codes::TYPE_MISMATCH, message).help(operator_help(name, [one, other]));
                let range = self.lines.sign_between(left.1.span(), right.1.span(), written).or_else(|| self.lines.range(span()));
                self.findings.push(Finding::new(problem, range));
                operator_result_in_any_case(name).map(SqlType::from)
            }
            Err(_) => operator_result_in_any_case(name).map(SqlType::from),
        }
    }

    fn unary(&mut self, op: &UnaryOperator, inner: &Expr, scope: &Scope<'_>) -> Facts {
        if *op == UnaryOperator::Not {
            let facts = self.condition(inner, scope, "NOT");
            return boolean(&[facts]);
        }
        // The sign belongs to the number: −2147483648 is an integer.
        if let (UnaryOperator::Minus, Expr::Value(value)) = (op, inner)
            && let Value::Number(text, _) = &value.value
        {
            return Facts::of(Some(number_type(&format!("-{text}")).into()), false).measured(Measure::Number);
        }
        let facts = self.expression(inner, scope);
        let sql_type = facts.sql_type.and_then(|kind| match prefix_operator(&op.to_string(), kind.id) {
            Ok(call) => call.result.map(SqlType::from),
            Err(NotFound::Arguments) => {
                self.mistake(inner.span(), &codes::TYPE_MISMATCH, format!("there is no operator {op} for {kind}"));
                None
            }
            Err(_) => None,
        });
        let measure =
            if matches!(op, UnaryOperator::Minus | UnaryOperator::Plus) { super::units::measure(&facts) } else { Measure::Unknown };
        Facts::of(sql_type, facts.nullable).reading(&[facts]).measured(measure)
    }

    fn cast(&mut self, inner: &Expr, data_type: &DataType, scope: &Scope<'_>) -> Facts {
        let target = SqlType::parse(&data_type.to_string());
        if let (Some(target), Expr::Array(array)) = (target, unnested(inner)) {
            // The type is handed down to the elements, so an empty list is one too.
            let parts: Vec<Facts> = array.elem.iter().map(|part| self.expression(part, scope)).collect();
            return Facts::of(Some(target), false).reading(&parts);
        }
        let facts = self.whole_wanted(inner, target, |this| this.expression(inner, scope));
        if let (Some(from), Some(to)) = (facts.sql_type, target) {
            if from.id != known().unknown && !has_pathway(from.id, to.id, Context::Explicit) {
                self.mistake(inner.span(), &codes::TYPE_MISMATCH, format!("{from} cannot be cast to {to}"));
            }
            // What is written is a cast as it is.
            if let Some(text) = quoted(inner) {
                self.check_text(text, to.id, inner.span(), true);
            }
        }
        // JSON null becomes null.
        let may_vanish = facts.sql_type.is_none_or(|kind| catalogue().entry(kind.id).name == "jsonb");
        let measure = self.cast_measure(&facts, target, data_type, inner.span());
        let same_as = facts.meaning.same_as;
        let mut cast = Facts::of(target, facts.nullable || may_vanish || target.is_none()).reading(&[facts]).measured(measure);
        cast.meaning.same_as = same_as;
        cast
    }

    fn case(&mut self, operand: Option<&Expr>, branches: &[(&Expr, &Expr)], otherwise: Option<&Expr>, scope: &Scope<'_>) -> Facts {
        let subject = operand.map(|operand| {
            let facts = self.expression(operand, scope);
            // A literal that is looked at is text.
            (Facts { sql_type: settled(facts.sql_type), ..facts }, operand)
        });
        let mut conditions: Vec<Facts> = Vec::new();
        let mut results: Vec<(Facts, &Expr)> = Vec::new();
        for (condition, result) in branches {
            let facts = match &subject {
                Some((subject, operand)) => {
                    let facts = self.expression(condition, scope);
                    self.doubt_null("=", operand, condition, &|| condition.span());
                    self.operator("=", (subject, operand), (&facts, condition), &|| condition.span());
                    facts
                }
                None => self.condition(condition, scope, "CASE/WHEN"),
            };
            conditions.push(facts);
            let narrowed = if subject.is_none() { self.narrowed(condition, scope) } else { None };
            results.push((self.expression(result, narrowed.as_ref().unwrap_or(scope)), result));
        }
        // The type is looked for from ELSE on.
        let last = otherwise.map(|otherwise| (self.expression(otherwise, scope), otherwise));
        let nullable = last.as_ref().is_none_or(|(facts, _)| facts.nullable) || results.iter().any(|(facts, _)| facts.nullable);
        let parts: Vec<(Facts, &Expr)> = last.into_iter().chain(results).collect();
        let otherwise_is_null = otherwise.is_none();
        let sql_type = self.common("CASE", &parts, otherwise_is_null);
        let measure = self.common_measure("CASE", &parts);
        let values: Vec<Facts> = parts.into_iter().map(|(facts, _)| facts).collect();
        let facts = Facts::of(sql_type, nullable).reading(&values).measured(measure);
        let deciding = conditions.into_iter().chain(subject.map(|(facts, _)| facts));
        deciding.fold(facts, |facts, condition| facts.deciding_by(&condition))
    }

    /// The common type of branches; what is left out is a null, whose modifier is none.
    pub(super) fn common(&mut self, what: &str, parts: &[(Facts, &Expr)], with_null: bool) -> Option<SqlType> {
        let mut types: Vec<SqlType> = parts.iter().map(|(facts, _)| facts.sql_type).collect::<Option<_>>()?;
        if with_null {
            types.insert(0, known().unknown.into());
        }
        match common(&types) {
            Ok(found) => {
                parts.iter().for_each(|(_, expression)| self.check_literal(expression, Some(found.id)));
                let given: Vec<(&Facts, Span)> = parts.iter().map(|(facts, expression)| (facts, expression.span())).collect();
                self.doubt_common(&given, found);
                Some(found)
            }
            Err((one, other)) => {
                let stranger = parts.iter().find(|(facts, _)| facts.sql_type.is_some_and(|kind| kind.id == other));
                let span = stranger.or(parts.first()).map_or_else(Span::empty, |(_, expression)| expression.span());
                let message = format!("{what} gives {} in one place and {} in another", spelled(one), spelled(other));
                self.mistake(span, &codes::TYPE_MISMATCH, message);
                None
            }
        }
    }

    fn scalar_subquery(&mut self, query: &Query, scope: &Scope<'_>) -> Facts {
        let result = self.dependent_query(query, scope, scope.ctes);
        if result.columns.len() > 1 && !result.open {
            self.mistake(query.span(), &codes::UNEQUAL_COLUMNS, "a subquery that stands for a value gives more than one column".to_owned());
        }
        let Some(column) = result.columns.into_iter().next().filter(|_| !result.open) else { return Facts::unknown() };
        let mut facts = column.facts;
        facts.nullable |= !result.single;
        hide_currencies(&mut facts, scope);
        facts.sql_type = settled(facts.sql_type);
        merge(&mut facts.origins, &result.indirect);
        facts
    }

    fn compare_subquery(&mut self, left: Facts, expression: &Expr, name: &str, query: &Query, scope: &Scope<'_>) -> Facts {
        let result = self.dependent_query(query, scope, scope.ctes);
        let width = if let Expr::Tuple(parts) = unnested(expression) { parts.len() } else { 1 };
        if !result.open && result.columns.len() != width {
            let message = format!("the subquery gives {} columns and is compared with {width}", result.columns.len());
            self.mistake(query.span(), &codes::UNEQUAL_COLUMNS, message);
        }
        let mut nullable = left.nullable || result.open;
        let mut values: Vec<Facts> = vec![left];
        for mut column in result.columns {
            if name == "<>" && width == 1 && !result.open {
                self.doubt_not_in(&column.name, &column.facts, expression.span());
            }
            nullable |= column.facts.nullable;
            hide_currencies(&mut column.facts, scope);
            values.push(column.facts);
        }
        if let ([left, right], 1) = (values.as_slice(), width) {
            let right = Facts { sql_type: settled(right.sql_type), ..right.clone() };
            self.operator(name, (left, expression), (&right, expression), &|| expression.span());
        }
        let mut facts = Facts::of(Some(known().bool.into()), nullable).reading(&values);
        merge(&mut facts.origins, &result.indirect);
        facts
    }

    fn compare_array(&mut self, left: Facts, name: &str, right: &Expr, scope: &Scope<'_>) -> Facts {
        let array = self.expression(right, scope);
        // An array is of the unit of its elements.
        self.check_operator_units(name, &left, &array, &|| right.span());
        if let (Some(one), Some(element)) = (left.sql_type, array.sql_type.and_then(|kind| array_element(kind.id)))
            && binary_operator(if name == "!=" { "<>" } else { name }, one.id, element).is_err_and(|error| error == NotFound::Arguments)
        {
            let message = format!("there is no operator {name} for {one} and {}, the elements of the array", spelled(element));
            self.mistake(right.span(), &codes::TYPE_MISMATCH, message);
        }
        Facts::of(Some(known().bool.into()), true).reading(&[left, array])
    }

    /// `like any ('a', 'b')` is other engines' SQL: ANY takes an array.
    fn check_like_any(&mut self, word: &str, patterns: &Expr) {
        if let Expr::Tuple(patterns) = unnested(patterns)
            && !self.tables.has_foreign_functions()
        {
            let written: Vec<String> = patterns.iter().map(|pattern| unnested(pattern).to_string()).collect();
            let span = patterns.iter().map(Spanned::span).reduce(|one, other| one.union(&other)).unwrap_or_else(Span::empty);
            let problem = Diagnostic::new(&codes::TYPE_MISMATCH, format!("{} ANY needs an array, and this is a list", word.to_uppercase()));
            self.find(span, problem.help(format!("write {word} any (array[{}])", written.join(", "))));
        }
    }

    fn in_list(&mut self, value: &Expr, list: &[Expr], scope: &Scope<'_>) -> Facts {
        let mut facts = vec![self.expression(value, scope)];
        for item in list {
            let other = self.expression(item, scope);
            let one = facts.first().cloned().unwrap_or_default();
            if !matches!(unnested(value), Expr::Tuple(_)) {
                self.operator("=", (&one, value), (&other, item), &|| item.span());
            }
            facts.push(other);
        }
        boolean(&facts)
    }

    fn array(&mut self, parts: &[Expr], scope: &Scope<'_>) -> Facts {
        let facts: Vec<(Facts, &Expr)> = parts.iter().map(|part| (self.expression(part, scope), part)).collect();
        let sql_type = if facts.is_empty() { None } else { self.common("ARRAY", &facts, false) };
        let measure = self.common_measure("ARRAY", &facts);
        let sql_type = sql_type.and_then(|kind| match array_element(kind.id) {
            // Lists of lists are arrays of more dimensions.
            Some(_) => Some(kind),
            None => Some(SqlType { id: catalogue().entry(kind.id).array?, modifier: kind.modifier }),
        });
        let values: Vec<Facts> = facts.into_iter().map(|(facts, _)| facts).collect();
        Facts::of(sql_type, false).reading(&values).measured(measure)
    }

    fn field_access(&mut self, root: &Expr, chain: &[AccessExpr], scope: &Scope<'_>) -> Facts {
        // `(orders).price` is the column, and `orders.prices[1]` of the column.
        let (mut facts, chain) = match (unnested(root), chain) {
            (Expr::Identifier(relation), [AccessExpr::Dot(Expr::Identifier(field)), rest @ ..])
                if matches!(scope.column(&fold(relation)), Found::Missing) && scope.item(None, &fold(relation)).is_some() =>
            {
                (self.column(&[relation.clone(), field.clone()], scope), rest)
            }
            _ => match (chain, self.field(root, chain.first(), scope)) {
                ([_, rest @ ..], Some(field)) => (field, rest),
                _ => (self.expression(root, scope), chain),
            },
        };
        if chain.is_empty() {
            return facts;
        }
        let mut element_taken = false;
        for access in chain {
            match access {
                AccessExpr::Dot(_) => facts.sql_type = None,
                AccessExpr::Subscript(subscript) => {
                    let indexes: Vec<&Expr> = match subscript {
                        Subscript::Index { index } => vec![index],
                        Subscript::Slice { lower_bound, upper_bound, .. } => lower_bound.iter().chain(upper_bound).collect(),
                    };
                    let indexes: Vec<Facts> = indexes.into_iter().map(|index| self.expression(index, scope)).collect();
                    facts = indexes.iter().fold(facts, |facts, index| facts.deciding_by(index));
                    facts.sql_type = facts.sql_type.and_then(|kind| match subscript {
                        Subscript::Slice { .. } => Some(kind),
                        _ if catalogue().entry(kind.id).name == "jsonb" => Some(kind),
                        // `a[1][2]` goes one level down, not two.
                        _ if element_taken => Some(kind),
                        _ => kind.element(),
                    });
                    element_taken = true;
                }
            }
        }
        facts.nullable = true;
        facts
    }

    /// A literal in quotes that is to be of a type must be written as one.
    pub(super) fn check_literal(&mut self, expression: &Expr, wanted: Option<TypeId>) {
        if let Some(types) = &mut self.types {
            types.note_wanted(expression, wanted);
            types.note_wanted(unnested(expression), wanted);
        }
        if let (Some(text), Some(id)) = (quoted(expression), wanted) {
            self.check_text(text, id, expression.span(), false);
        }
    }

    /// `is_told`: the query itself says the type, by a cast or before the text.
    fn check_text(&mut self, text: &str, id: TypeId, span: Span, is_told: bool) {
        if is_refused(text, id) {
            let message = format!("'{text}' is no {}", spelled(id));
            let help = match catalogue().entry(id).name {
                "date" | "timestamp" | "timestamptz" => "write it as 2024-01-31 or 2024-01-31 12:00:00",
                _ if !is_told => "all that is compared or chosen from has one type: if text is meant, cast the rest, as in x::text",
                "int2" | "int4" | "int8" => "write a whole number that the type can hold, as 12",
                "numeric" | "float4" | "float8" => "write a number, as 12.50",
                "bool" => "write true or false",
                "uuid" => "write its 32 hexadecimal digits, as 00000000-0000-0000-0000-000000000000",
                _ => "write it as PostgreSQL writes values of that type",
            };
            self.find(span, Diagnostic::new(&codes::TYPE_MISMATCH, message).help(help));
        }
    }
}

fn is_row(id: TypeId) -> bool {
    id == known().record
}

/// LIKE is an operator with a name of signs.
fn spelled_operator(name: &str) -> &str {
    match name {
        "~~" => "LIKE",
        "!~~" => "NOT LIKE",
        "~~*" => "ILIKE",
        "!~~*" => "NOT ILIKE",
        other => other,
    }
}

/// What is meant by an operator that there is not for these types.
fn operator_help(name: &str, sides: [SqlType; 2]) -> &'static str {
    let is_text = |kind: &SqlType| matches!(kind.name(), "text" | "varchar" | "bpchar" | "unknown");
    let is_moment = |kind: &SqlType| matches!(kind.name(), "timestamp" | "timestamptz");
    let is_number = |kind: &SqlType| matches!(kind.name(), "int2" | "int4" | "int8" | "numeric" | "float4" | "float8");
    match name {
        "||" if sides.iter().any(|kind| kind.element().is_some()) => {
            "a list is put together with elements of its own type, or a list of these"
        }
        "||" if sides.iter().any(|kind| matches!(kind.name(), "json" | "jsonb")) => {
            "documents are put together as jsonb: cast both sides, as in x::jsonb || y::jsonb"
        }
        "||" => "texts are put together: cast one side, as in x::text || y",
        "+" if sides.iter().all(is_text) => "write || to put texts together",
        "+" | "-" if sides.iter().any(is_moment) && sides.iter().any(is_number) => "write moment + interval '1 day' * n",
        "~~" | "!~~" | "~~*" | "!~~*" | "~" | "!~" | "~*" | "!~*" => "cast the left side to text, as in x::text like 'a%'",
        "=" | "<>" if sides.iter().any(|kind| kind.name() == "bool") && sides.iter().any(is_number) => {
            "a boolean is a condition by itself: write is_paid, or not is_paid"
        }
        "=" | "<>" | "<" | "<=" | ">" | ">=" if sides.iter().any(|kind| kind.name() == "date") && sides.iter().any(is_number) => {
            "write a date in single quotes, as in '2024-01-31'"
        }
        _ => "cast one side to the type of the other, if they mean the same",
    }
}

fn spelled_side(kind: SqlType) -> String {
    if kind.id == known().unknown { "a literal".to_owned() } else { SqlType::from(kind.id).to_string() }
}

pub(super) fn unnested(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => unnested(inner),
        other => marked_expression(other).map_or(other, unnested),
    }
}

fn boolean(parts: &[Facts]) -> Facts {
    Facts::of(Some(known().bool.into()), parts.iter().any(|facts| facts.nullable)).reading(parts)
}

/// Whether the operator gives a value for these, when none of them is null.
fn never_null(name: &str, facts: &[Facts]) -> bool {
    let document = |facts: &Facts| facts.sql_type.is_none_or(|kind| catalogue().entry(kind.id).name.starts_with("json"));
    let decides = |name: &str| matches!(name, "=" | "<>" | "!=" | "||" | "@>" | "<@" | "?" | "?|" | "?&");
    (name == "!=" || NEVER_NULL.contains(&name)) && (decides(name) || !facts.iter().any(document))
}
