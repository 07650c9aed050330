//! Expressions: every form of the grammar that is written, and a refusal for all others.

use sqlparser::ast::{BinaryOperator, CastKind, Expr, Ident, Query, UnaryOperator};

use super::writer::{Form, Sql, Writer, span_of};

impl Writer<'_> {
    pub(super) fn expression(&mut self, expression: &Expr) -> Sql {
        stacker::maybe_grow(128 * 1024, 1024 * 1024, || self.expression_kind(expression))
    }

    fn expression_kind(&mut self, expression: &Expr) -> Sql {
        match expression {
            Expr::Identifier(ident) => self.column(std::slice::from_ref(ident), expression),
            Expr::CompoundIdentifier(parts) => self.column(parts, expression),
            Expr::Value(value) => self.value(&value.value, value.span),
            Expr::Nested(inner) => {
                let inner = self.expression(inner);
                if inner.form == Form::Atom { inner } else { Sql::atom(format!("({})", inner.text)) }
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(op, expr),
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None } => {
                self.cast(expression, expr, data_type)
            }
            Expr::Function(call) => self.call(call),
            Expr::Case { .. } => self.case(expression),
            Expr::Subquery(query) => Sql::atom(self.subquery(query)),
            Expr::Exists { subquery, negated } => {
                let not = if *negated { "not " } else { "" };
                Sql::loose(format!("{not}exists {}", self.subquery(subquery)))
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let value = self.expression(expr).part();
                Sql::loose(format!("{value} {}in {}", not(*negated), self.subquery(subquery)))
            }
            Expr::InList { expr, list, negated } => {
                let value = self.expression(expr).part();
                let list: Vec<String> = list.iter().map(|item| self.expression(item).text).collect();
                Sql::loose(format!("{value} {}in ({})", not(*negated), list.join(", ")))
            }
            Expr::Between { expr, negated, low, high } => {
                let [value, low, high] = [expr, low, high].map(|part| self.expression(part).part());
                Sql::loose(format!("{value} {}between {low} and {high}", not(*negated)))
            }
            Expr::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.expression(part).text).collect();
                Sql::atom(format!("({})", parts.join(", ")))
            }
            other => self.test(other),
        }
    }

    /// Tests of one value.
    fn test(&mut self, expression: &Expr) -> Sql {
        let (inner, words) = match expression {
            Expr::IsNull(inner) => (inner, "is null"),
            Expr::IsNotNull(inner) => (inner, "is not null"),
            Expr::IsTrue(inner) => (inner, "is true"),
            Expr::IsNotTrue(inner) => (inner, "is not true"),
            Expr::IsFalse(inner) => (inner, "is false"),
            Expr::IsNotFalse(inner) => (inner, "is not false"),
            Expr::IsUnknown(inner) => (inner, "is null"),
            Expr::IsNotUnknown(inner) => (inner, "is not null"),
            other => return self.unknown_form(other),
        };
        let inner = self.expression(inner).part();
        Sql::loose(format!("{inner} {words}"))
    }

    fn unknown_form(&mut self, expression: &Expr) -> Sql {
        self.refuse(
            span_of(expression),
            format!("'{}' is not on the list of what is the same on all engines", shortened(expression)),
            "write it with what docs/portable.md lists",
        )
    }

    fn column(&mut self, parts: &[Ident], expression: &Expr) -> Sql {
        if self.type_of(expression).is_none() {
            let name = parts.last().map_or("", |name| name.value.as_str());
            let message = format!("the type of column '{name}' is not known, so it cannot be rewritten for all engines");
            return self.refuse(
                span_of(expression),
                message,
                "declare the data_type of the source's columns, or cast it where it is read first",
            );
        }
        Sql::atom(self.names(parts))
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Sql {
        let joined = |form: Form, word: &str, writer: &mut Self| {
            let side = |sql: Sql| if sql.form == form { sql.text } else { sql.part() };
            let (one, other) = (side(writer.expression(left)), side(writer.expression(right)));
            Sql { text: format!("{one} {word} {other}"), form }
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
            | BinaryOperator::GtEq
            | BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::StringConcat => {
                let (one, other) = (self.expression(left).part(), self.expression(right).part());
                Sql::loose(format!("{one} {op} {other}"))
            }
            other => {
                let message = format!("the operator {other} is not on the list of what is the same on all engines");
                self.refuse(span_of(left), message, "use an operator or a function that docs/portable.md lists")
            }
        }
    }

    fn unary(&mut self, op: &UnaryOperator, inner: &Expr) -> Sql {
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

    fn cast(&mut self, expression: &Expr, inner: &Expr, data_type: &sqlparser::ast::DataType) -> Sql {
        let digits = self.typed(expression).digits;
        let (_, spelled) = self.type_written(data_type, digits, span_of(inner));
        let value = self.expression(inner).text;
        Sql::atom(format!("cast({value} as {spelled})"))
    }

    fn case(&mut self, expression: &Expr) -> Sql {
        let Expr::Case { operand, conditions, else_result, .. } = expression else { return self.unknown_form(expression) };
        let mut text = "case".to_owned();
        if let Some(operand) = operand {
            text.push_str(&format!(" {}", self.expression(operand).text));
        }
        for branch in conditions {
            let (condition, result) = (self.expression(&branch.condition).text, self.expression(&branch.result).text);
            text.push_str(&format!(" when {condition} then {result}"));
        }
        if let Some(otherwise) = else_result {
            text.push_str(&format!(" else {}", self.expression(otherwise).text));
        }
        Sql::loose(text + " end")
    }

    /// A query in parentheses.
    pub(super) fn subquery(&mut self, query: &Query) -> String {
        let inner = self.indented(|writer| {
            let line = writer.line();
            format!("{line}{}", writer.query(query))
        });
        format!("({inner}{})", self.line())
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

fn shortened(expression: &Expr) -> String {
    let text = expression.to_string();
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
