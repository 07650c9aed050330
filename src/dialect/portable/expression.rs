//! Expressions: every form of the grammar that is written, and a refusal for all others.

use sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, Ident, Query, UnaryOperator, Value};

use super::json::is_json_value;
use super::literals::is_moment;
use super::lookups::JOIN_THE_FIRST;
use super::writer::{Form, Sql, Writer, span_of};
use crate::analysis::UNKNOWN_TYPE;
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn expression(&mut self, expression: &Expr) -> Sql {
        stacker::maybe_grow(128 * 1024, 1024 * 1024, || {
            let named = if self.named.is_empty() { None } else { self.named_part(expression) };
            named.or_else(|| self.on_its_level(expression)).unwrap_or_else(|| self.finite(expression))
        })
    }

    pub(super) fn expression_kind(&mut self, expression: &Expr) -> Sql {
        match expression {
            Expr::Identifier(ident) => self.column(std::slice::from_ref(ident), expression),
            Expr::CompoundIdentifier(parts) => self.column(parts, expression),
            Expr::Value(_) => self.literal(expression),
            Expr::Nested(inner) => {
                let inner = self.expression(inner);
                if inner.form == Form::Atom { inner } else { Sql::atom(format!("({})", inner.text)) }
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, expression),
            Expr::UnaryOp { op, expr } => self.unary(op, expr),
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None } => {
                self.cast(expression, expr, data_type)
            }
            Expr::Function(call) => self.interval_made(call, expression).unwrap_or_else(|| self.call(call)),
            Expr::Case { .. } => self.case(expression),
            Expr::Subquery(query) => {
                self.has_subquery = true;
                Sql::atom(self.looked_up(query).unwrap_or_else(|| {
                    self.refuse_limited_lookup(query, JOIN_THE_FIRST);
                    self.subquery(query)
                }))
            }
            Expr::Exists { subquery, negated } => {
                self.has_subquery = true;
                self.refuse_limited_lookup(subquery, "leave LIMIT out: whether there is a row does not depend on it");
                let not = if *negated { "not " } else { "" };
                Sql::loose(format!("{not}exists {}", self.subquery(subquery)))
            }
            Expr::InSubquery { expr, subquery, negated } => self.in_subquery(expr, subquery, *negated),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Expr::Between { expr, negated, low, high } => self.between(expr, low, high, *negated),
            Expr::Like { .. } | Expr::ILike { .. } => self.like(expression),
            Expr::Interval(interval) => self.interval(interval, expression),
            Expr::TypedString(typed) => self.typed_literal(&typed.data_type, &typed.value.value, expression),
            Expr::Extract { field, expr, .. } => self.extract(&field.to_string().to_lowercase(), expr, span_of(expression)),
            Expr::AtTimeZone { timestamp, time_zone } => self.at_time_zone(timestamp, time_zone),
            Expr::SimilarTo { .. } => self.similar_to(expression),
            Expr::Trim { .. } => self.trim(expression),
            Expr::Ceil { expr, .. } => self.rounding_of("ceil", expr, expression),
            Expr::Floor { expr, .. } => self.rounding_of("floor", expr, expression),
            Expr::Position { expr, r#in } => {
                let (part, whole) = (self.expression(expr).text, self.expression(r#in).text);
                let place = Sql::atom(format!("strpos({whole}, {part})"));
                if self.is(Engine::DuckDb) { self.integer(place) } else { place }
            }
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.substring(expr, substring_from.as_deref(), substring_for.as_deref(), expression)
            }
            Expr::Array(array) if array.named && !self.is(Engine::Redshift) => {
                let elements: Vec<String> = array.elem.iter().map(|element| self.expression(element).text).collect();
                Sql::atom(format!("array[{}]", elements.join(", ")))
            }
            Expr::Tuple(_) if self.is(Engine::Redshift) => {
                self.lacks(span_of(expression), "a row as a value", "write its parts one by one")
            }
            Expr::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.expression(part).text).collect();
                Sql::atom(format!("({})", parts.join(", ")))
            }
            other => self.first_group(other).unwrap_or_else(|| self.test(other)),
        }
    }

    /// Tests of one value.
    fn test(&mut self, expression: &Expr) -> Sql {
        match expression {
            Expr::IsNull(inner) | Expr::IsNotNull(inner) if is_json_value(inner) && self.is(Engine::Redshift) => {
                self.refuse_json_null(&[&**inner]);
                Sql::atom("null")
            }
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => Sql::loose(format!("{} is null", self.expression(inner).part())),
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => Sql::loose(format!("{} is not null", self.expression(inner).part())),
            Expr::IsTrue(inner) => self.truth(inner, true, false),
            Expr::IsNotTrue(inner) => self.truth(inner, true, true),
            Expr::IsFalse(inner) => self.truth(inner, false, false),
            Expr::IsNotFalse(inner) => self.truth(inner, false, true),
            Expr::IsDistinctFrom(left, right) => self.distinct_from(left, right, false),
            Expr::IsNotDistinctFrom(left, right) => self.distinct_from(left, right, true),
            Expr::AnyOp { left, compare_op, right, .. } => self.with_list(left, compare_op, right, false),
            Expr::AllOp { left, compare_op, right } => self.with_list(left, compare_op, right, true),
            other => self.unknown_form(other),
        }
    }

    fn rounding_of(&mut self, name: &str, value: &Expr, expression: &Expr) -> Sql {
        self.rounded(name, &[value], span_of(expression))
    }

    fn substring(&mut self, text: &Expr, from: Option<&Expr>, length: Option<&Expr>, expression: &Expr) -> Sql {
        match (from, length) {
            (Some(pattern), None) if super::literals::plain_text(pattern).is_some() || self.is_text(pattern) => {
                self.part_by_pattern(text, pattern)
            }
            (Some(start), Some(_)) if self.is_text_literal(start) || self.is_text(start) => self.refuse(
                span_of(expression),
                "a pattern with an escape character is not the same on all engines",
                "write places as numbers, or a regular expression alone: substring(text from 'pattern')",
            ),
            (Some(start), length) => self.part(text, start, length),
            _ => self.unknown_form(expression),
        }
    }

    /// `date '2024-01-31'`
    fn typed_literal(&mut self, data_type: &DataType, value: &Value, expression: &Expr) -> Sql {
        let Value::SingleQuotedString(text) = value else { return self.unknown_form(expression) };
        let (kind, spelled) = self.type_written(data_type, None, span_of(expression));
        match kind.map_or("", |kind| kind.name()) {
            "date" | "timestamp" | "timestamptz" if Writer::is_moment(text) => {
                let text = self.text(text);
                Sql::atom(format!("cast({text} as {spelled})"))
            }
            _ => self.refuse(
                span_of(expression),
                "this literal is not the same on all engines",
                "write it as 2024-01-31 or 2024-01-31 12:00:00",
            ),
        }
    }

    /// Written in the form that every engine reads, not by a word such as `infinity`.
    pub(super) fn is_moment(text: &str) -> bool {
        is_moment(text.trim()).is_some()
    }

    fn unknown_form(&mut self, expression: &Expr) -> Sql {
        let message = format!("'{}' is not on the list of what is the same on all engines", shortened(expression));
        self.refuse(span_of(expression), message, written_instead(expression))
    }

    fn column(&mut self, parts: &[Ident], expression: &Expr) -> Sql {
        if self.type_of(expression).is_none() {
            let name = parts.last().map_or("", |name| name.value.as_str());
            let message = format!("the type of column '{name}' {UNKNOWN_TYPE}");
            return self.refuse(
                span_of(expression),
                message,
                "declare the data_type of the source's columns, or cast it where it is read first",
            );
        }
        if self.type_name(expression) == "bpchar" {
            return self.refuse_padded(span_of(expression));
        }
        if self.is(Engine::Redshift) && self.is_captured(parts) {
            let help = "select it in a CTE that has the lateral columns, and read that; or give the relations other names";
            return self.lacks(
                span_of(expression),
                "a lateral column in a query within, whose own names hide what it is computed from",
                help,
            );
        }
        self.known_column(parts)
    }

    pub(super) fn known_column(&mut self, parts: &[Ident]) -> Sql {
        let [name] = parts else { return self.merged_column(parts).unwrap_or_else(|| Sql::atom(self.names(parts))) };
        let outside = if self.outside.is_empty() { None } else { self.outside_column(name) };
        let known = outside.or_else(|| self.merged_column(parts)).or_else(|| self.behind_alias(name));
        known.unwrap_or_else(|| Sql::atom(self.name(name)))
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, expression: &Expr) -> Sql {
        let joined = |form: Form, word: &str, writer: &mut Self| {
            let side = |sql: Sql| if sql.form == form { sql.text } else { sql.part() };
            if let Some(in_turns) = writer.in_turns(expression, op) {
                return in_turns;
            }
            let (one, other) = (side(writer.expression(left)), side(writer.expression(right)));
            Sql { text: [one.as_str(), " ", word, " ", &other].concat(), form }
        };
        match op {
            BinaryOperator::And => joined(Form::And, "and", self),
            BinaryOperator::Or => joined(Form::Or, "or", self),
            BinaryOperator::Divide => self.division(left, right),
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => self.comparison(left, op, right),
            BinaryOperator::StringConcat => self.joined_text(left, right),
            BinaryOperator::Modulo => self.remainder(left, right),
            BinaryOperator::PGRegexMatch
            | BinaryOperator::PGRegexIMatch
            | BinaryOperator::PGRegexNotMatch
            | BinaryOperator::PGRegexNotIMatch => self.matches(left, op, right),
            BinaryOperator::Arrow | BinaryOperator::LongArrow | BinaryOperator::HashArrow | BinaryOperator::HashLongArrow => {
                self.json_path(expression)
            }
            BinaryOperator::PGExp => {
                let float = |name: &str| matches!(name, "float4" | "float8" | "int2" | "int4" | "int8");
                if !float(self.type_name(left)) || !float(self.type_name(right)) {
                    return self.refuse(
                        span_of(left),
                        "powers of exact numbers have other digits on every engine",
                        "cast to double precision",
                    );
                }
                Sql::atom(format!("power({}, {})", self.expression(left).text, self.expression(right).text))
            }
            BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply => {
                if let Some(moved) = self.moved(left, op, right) {
                    return moved;
                }
                self.arithmetic(left, op, right)
            }
            other => {
                let message = format!("the operator {other} is not on the list of what is the same on all engines");
                let help = match other {
                    BinaryOperator::Spaceship => "write x is not distinct from y",
                    BinaryOperator::BitwiseAnd => "write || to put texts together; bits of numbers are not the same on all engines",
                    _ => "use an operator or a function that docs/portable.md lists",
                };
                self.refuse(span_of(left), message, help)
            }
        }
    }

    fn unary(&mut self, op: &UnaryOperator, inner: &Expr) -> Sql {
        if let (UnaryOperator::Minus | UnaryOperator::Plus, Expr::BinaryOp { op: BinaryOperator::PGExp, .. }) = (op, inner) {
            // The sign binds tighter in PostgreSQL, and looser in the tree.
            return self.refuse(
                span_of(inner),
                "a sign before a power is not read alike",
                "put parentheses around the power, or the number",
            );
        }
        let part = self.expression(inner).part();
        match op {
            UnaryOperator::Not => Sql::loose(format!("not {part}")),
            // Two signs beside each other would begin a comment.
            UnaryOperator::Minus if part.starts_with('-') => Sql::loose(format!("-({part})")),
            UnaryOperator::Minus => Sql::loose(format!("-{part}")),
            UnaryOperator::Plus => Sql::loose(part),
            other => {
                let message = format!("the operator {other} is not on the list of what is the same on all engines");
                self.refuse(span_of(inner), message, "use a function that docs/portable.md lists")
            }
        }
    }

    fn case(&mut self, expression: &Expr) -> Sql {
        let Expr::Case { conditions, else_result, .. } = expression else { return self.unknown_form(expression) };
        let branches: Vec<&Expr> = conditions.iter().map(|branch| &branch.result).chain(else_result.as_deref()).collect();
        let digits = self.common_digits(&branches);
        let integers = self.are_integers(&branches);
        self.case_of(expression, &mut |writer, result| writer.one_of(result, digits, integers).text)
    }

    /// A CASE whose results are written in a way of their own.
    pub(super) fn case_of(&mut self, case: &Expr, write: &mut dyn FnMut(&mut Self, &Expr) -> String) -> Sql {
        let Expr::Case { operand, conditions, else_result, .. } = case else { return self.unknown_form(case) };
        let mut text = "case".to_owned();
        let compared: Vec<&Expr> =
            operand.iter().map(|operand| &**operand).chain(conditions.iter().map(|branch| &branch.condition)).collect();
        if operand.is_some() {
            self.refuse_json_compared(&compared);
        }
        let doubles = operand.is_some() && self.is(Engine::DuckDb) && self.mixes_real(&compared);
        let side = |writer: &mut Self, side: &Expr| {
            if doubles { Sql::atom(format!("cast({} as double)", writer.expression(side).text)) } else { writer.equal_text(side) }
        };
        if let Some(operand) = operand {
            text.push_str(&format!(" {}", side(self, operand).part()));
        }
        for (at, branch) in conditions.iter().enumerate() {
            let condition = if operand.is_some() { side(self, &branch.condition).part() } else { self.condition(&branch.condition).text };
            text.extend([" when ", &condition, " then ", &self.guarded(case, at, &branch.result, write)]);
        }
        if let Some(otherwise) = else_result {
            text.extend([" else ", &self.guarded(case, conditions.len(), otherwise, write)]);
        }
        Sql::loose(text + " end")
    }

    /// A query in parentheses.
    pub(super) fn subquery(&mut self, query: &Query) -> String {
        self.refuse_query_outside(query);
        let inner = self.indented(|writer| [writer.line(), &writer.query(query)].concat());
        ["(", &inner, self.line(), ")"].concat()
    }
}

/// What people write for a form of another engine.
fn written_instead(expression: &Expr) -> &'static str {
    match expression {
        Expr::Cast { kind: CastKind::TryCast | CastKind::SafeCast, .. } => {
            "cast what can be cast: case when x ~ '^[-+]?[0-9]{1,9}$' then x::integer end"
        }
        Expr::Cast { format: Some(_), .. } => "write to_char(moment, 'YYYY-MM-DD') or to_date(text, 'YYYY-MM-DD')",
        Expr::Convert { .. } => "write cast(x as integer)",
        Expr::RLike { .. } => "write text ~ 'pattern'",
        Expr::Array(array) if !array.named => "write array[…]",
        Expr::Array(_) => "give each element a column of its own, or a row",
        Expr::CompoundFieldAccess { .. } => {
            "take the value before it becomes a part of a list, by DISTINCT ON, min(x), or split_part(text, ',', n)"
        }
        Expr::JsonAccess { .. } => "write document ->> 'key'",
        _ => "write it with what docs/portable.md lists",
    }
}

fn shortened(expression: &Expr) -> String {
    let text = expression.to_string();
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
