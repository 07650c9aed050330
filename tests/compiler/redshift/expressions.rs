//! Expressions: each kind is translated here or refused; nothing goes through unread.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType, Expr, Ident, Interval, JsonPath, JsonPathElem, Subscript,
    TrimWhereField, TypedString, UnaryOperator, Value,
};

use super::Failure;
use super::query::{Scope, Translator, quoted};
use super::typing::{MAX_TEXT, Type};

/// Words that are reserved in Redshift and not in PostgreSQL, fact 171.
const RESERVED: &[&str] = &[
    "defrag",
    "delta",
    "encrypt",
    "encryption",
    "explicit",
    "lun",
    "luns",
    "new",
    "oid",
    "old",
    "open",
    "percent",
    "permissions",
    "raw",
    "readratio",
    "recover",
    "rejectlog",
    "resort",
    "restore",
    "snapshot",
    "system",
    "tag",
    "wallet",
];

type Typed = Result<(String, Type), Failure>;

/// A text as a literal of PostgreSQL.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Translator<'_> {
    pub(super) fn expression(&mut self, expression: &Expr, scope: &Scope<'_>) -> Typed {
        match expression {
            Expr::Identifier(name) => self.identifier(name, scope),
            Expr::CompoundIdentifier(names) => self.compound(names, scope),
            Expr::CompoundFieldAccess { root, access_chain } => self.navigation(root, access_chain, scope),
            Expr::JsonAccess { value, path } => self.json_path(value, path, scope),
            Expr::Value(value) => self.value(&value.value),
            Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }) => {
                let of = Type::read(data_type)?;
                let (Some(text), Some(name)) = (value.value.clone().into_string(), of.postgres()) else {
                    return Err(Failure::not_imitated(format!("{expression}")));
                };
                match of {
                    Type::Date | Type::Time | Type::TimeTz | Type::Timestamp | Type::TimestampTz | Type::Interval => {
                        Ok((format!("{}::{name}", literal(&text)), of))
                    }
                    _ => Err(Failure::refused(format!("syntax error at or near \"{text}\""), "42601")),
                }
            }
            Expr::Interval(interval) => self.interval(interval),
            Expr::Nested(inner) => {
                let (sql, of) = self.expression(inner, scope)?;
                Ok((format!("({sql})"), of))
            }
            Expr::IsNull(inner) => self.test(inner, "IS NULL", scope),
            Expr::IsNotNull(inner) => self.test(inner, "IS NOT NULL", scope),
            Expr::IsTrue(inner) => self.truth(inner, "IS TRUE", scope),
            Expr::IsNotTrue(inner) => self.truth(inner, "IS NOT TRUE", scope),
            Expr::IsFalse(inner) => self.truth(inner, "IS FALSE", scope),
            Expr::IsNotFalse(inner) => self.truth(inner, "IS NOT FALSE", scope),
            Expr::IsUnknown(inner) => self.truth(inner, "IS UNKNOWN", scope),
            Expr::IsNotUnknown(inner) => self.truth(inner, "IS NOT UNKNOWN", scope),
            // Fact 131.
            Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => Err(Failure::refused("IS DISTINCT FROM is not supported", "0A000")),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope),
            Expr::UnaryOp { op, expr } => {
                let (sql, of) = self.expression(expr, scope)?;
                match op {
                    UnaryOperator::Minus => Ok((format!("(- {sql})"), of)),
                    UnaryOperator::Plus => Ok((format!("(+ {sql})"), of)),
                    UnaryOperator::Not => Ok((format!("(NOT {})", self.condition(expr, scope)?), Type::Bool)),
                    _ => Err(Failure::refused(format!("operator does not exist: {op}"), "42883")),
                }
            }
            Expr::Subquery(query) => {
                let inner = self.query(query, Some(scope))?;
                let of = inner.columns.and_then(|columns| columns.first().map(|column| column.of));
                Ok((format!("({})", inner.sql), of.unwrap_or(Type::Unknown)))
            }
            Expr::Case { operand, conditions, else_result, .. } => self.case(operand.as_deref(), conditions, else_result.as_deref(), scope),
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None } => self.cast(expr, data_type, scope),
            Expr::Convert { is_try: false, expr, data_type: Some(data_type), charset: None, target_before_value: true, styles }
                if styles.is_empty() =>
            {
                self.cast(expr, data_type, scope)
            }
            Expr::Function(function) => self.function(function, scope),
            other => self.predicate_form(other, scope),
        }
    }

    /// What is true or false.
    fn predicate_form(&mut self, expression: &Expr, scope: &Scope<'_>) -> Typed {
        match expression {
            Expr::InList { expr, list, negated } => {
                let left = self.expression(expr, scope)?;
                let mut items = Vec::new();
                for item in list {
                    items.push(self.expression(item, scope)?.0);
                }
                Ok((format!("({} {}IN ({}))", left.0, not(*negated), items.join(", ")), Type::Bool))
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let left = match &**expr {
                    // Fact 143.
                    Expr::Tuple(items) => self.list(items, scope)?,
                    other => self.expression(other, scope)?.0,
                };
                let inner = self.query(subquery, Some(scope))?;
                Ok((format!("({left} {}IN ({}))", not(*negated), inner.sql), Type::Bool))
            }
            Expr::Between { expr, negated, low, high } => {
                let (value, low, high) = (self.expression(expr, scope)?.0, self.expression(low, scope)?.0, self.expression(high, scope)?.0);
                Ok((format!("({value} {}BETWEEN {low} AND {high})", not(*negated)), Type::Bool))
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, "LIKE", *negated, pattern, escape_char.as_deref(), scope)
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(expr, "ILIKE", *negated, pattern, escape_char.as_deref(), scope)
            }
            Expr::SimilarTo { negated, expr, pattern, escape_char } => {
                self.like(expr, "SIMILAR TO", *negated, pattern, escape_char.as_deref(), scope)
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => self.quantified(left, "= ANY", right, scope),
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => self.quantified(left, "<> ALL", right, scope),
            Expr::Exists { subquery, negated } => {
                let inner = self.query(subquery, Some(scope))?;
                Ok((format!("({}EXISTS ({}))", not(*negated), inner.sql), Type::Bool))
            }
            other => self.function_form(other, scope),
        }
    }

    /// Functions that the grammar spells with words between their arguments.
    fn function_form(&mut self, expression: &Expr, scope: &Scope<'_>) -> Typed {
        match expression {
            Expr::AtTimeZone { timestamp, time_zone } => {
                let ((moment, of), (zone, _)) = (self.expression(timestamp, scope)?, self.expression(time_zone, scope)?);
                let of = match of {
                    Type::TimestampTz => Type::Timestamp,
                    Type::Timestamp | Type::Date => Type::TimestampTz,
                    _ => Type::Unknown,
                };
                Ok((format!("({moment} AT TIME ZONE {zone})"), of))
            }
            Expr::Extract { field, expr, .. } => {
                let (sql, of) = self.expression(expr, scope)?;
                match field.to_string().to_lowercase().trim_matches('\'') {
                    "epoch" => {
                        let result = if of == Type::TimestampTz { Type::Float8 } else { Type::Int4 };
                        Ok((format!("redshift.extract_epoch({sql})"), result))
                    }
                    part => Ok((format!("redshift.extract({}, {sql})", literal(part)), Type::Int4)),
                }
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime) } => {
                self.rounded("ceil", expr, scope)
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime) } => {
                self.rounded("floor", expr, scope)
            }
            Expr::Position { expr, r#in } => {
                let (part, whole) = (self.expression(expr, scope)?.0, self.expression(r#in, scope)?.0);
                Ok((format!("pg_catalog.strpos({whole}, {part})"), Type::Int4))
            }
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let (sql, of) = self.expression(expr, scope)?;
                let mut arguments = vec![sql, self.expression(from, scope)?.0];
                if let Some(length) = substring_for {
                    arguments.push(self.expression(length, scope)?.0);
                }
                if !matches!(from.as_ref(), Expr::Value(_) | Expr::UnaryOp { .. }) && self.expression(from, scope)?.1.is_text() {
                    return Err(Failure::refused("SUBSTRING takes a position, no pattern", "42883"));
                }
                Ok((format!("pg_catalog.substring({})", arguments.join(", ")), of))
            }
            // Fact 70.
            Expr::Overlay { .. } => Err(Failure::refused("syntax error at or near \"PLACING\"", "42601")),
            Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let (sql, of) = self.expression(expr, scope)?;
                let name = match trim_where {
                    None | Some(TrimWhereField::Both) => "btrim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let letters = trim_what
                    .as_ref()
                    .map(|what| Ok::<_, Failure>(self.expression(what, scope)?.0))
                    .transpose()?
                    .unwrap_or_else(|| "' '".to_owned());
                Ok((format!("pg_catalog.{name}({sql}, {letters})"), of))
            }
            other => Err(Failure::not_imitated(format!("expression {other}"))),
        }
    }

    fn identifier(&mut self, name: &Ident, scope: &Scope<'_>) -> Typed {
        let lower = name.value.to_lowercase();
        if name.quote_style.is_none() && RESERVED.contains(&lower.as_str()) {
            return Err(Failure::refused(format!("syntax error at or near \"{lower}\""), "42601"));
        }
        if let Some(of) = scope.column(None, &lower) {
            return Ok((quoted(&lower), of));
        }
        if name.quote_style.is_none() && lower == "sysdate" {
            return Ok(("redshift.sysdate()".to_owned(), Type::Timestamp));
        }
        // A column of FROM wins, where all of them are known.
        let known = scope.relations.iter().all(|rel| rel.columns.is_some());
        if let Some((_, sql, of)) = self.aliases.iter().rev().find(|(alias, ..)| known && *alias == lower) {
            return Ok((sql.clone(), *of));
        }
        Ok((quoted(&lower), Type::Unknown))
    }

    /// `table.column`, or a way into a SUPER column: `column.attribute`, `table.column.attribute`.
    fn compound(&mut self, names: &[Ident], scope: &Scope<'_>) -> Typed {
        let names: Vec<String> = names.iter().map(|name| name.value.to_lowercase()).collect();
        let (column, of, path) = match names.as_slice() {
            // A value of a SUPER array is called as its relation is.
            [value, path @ ..] if scope.column(Some(value), value) == Some(Type::Super) && path.first().is_some_and(|key| key != value) => {
                (format!("{0}.{0}", quoted(value)), Type::Super, path)
            }
            [table, column, path @ ..] if scope.has_relation(table) => {
                let of = scope.column(Some(table), column).unwrap_or(Type::Unknown);
                (format!("{}.{}", quoted(table), quoted(column)), of, path)
            }
            [column, path @ ..] if scope.column(None, column) == Some(Type::Super) => (quoted(column), Type::Super, path),
            [.., table, column] if scope.has_relation(table) => {
                let of = scope.column(Some(table), column).unwrap_or(Type::Unknown);
                (format!("{}.{}", quoted(table), quoted(column)), of, &[][..])
            }
            _ => (names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join("."), Type::Unknown, &[][..]),
        };
        if path.is_empty() {
            return Ok((column, of));
        }
        if of != Type::Super {
            return Err(Failure::refused(format!("column {} is no SUPER", names.join(".")), "42703"));
        }
        // Letters of a path are folded, fact 147.
        Ok((path.iter().fold(column, |value, key| attribute(&value, &literal(key))), Type::Super))
    }

    fn navigation(&mut self, root: &Expr, chain: &[AccessExpr], scope: &Scope<'_>) -> Typed {
        let (mut sql, of) = self.expression(root, scope)?;
        if of != Type::Super {
            return Err(Failure::refused(format!("{root} is no SUPER"), "42809"));
        }
        for access in chain {
            sql = match access {
                AccessExpr::Dot(Expr::Identifier(name)) => attribute(&sql, &literal(&name.value.to_lowercase())),
                AccessExpr::Subscript(Subscript::Index { index }) => self.subscript(&sql, index, scope)?,
                other => return Err(Failure::not_imitated(format!("path {other:?}"))),
            };
        }
        Ok((sql, Type::Super))
    }

    fn json_path(&mut self, value: &Expr, path: &JsonPath, scope: &Scope<'_>) -> Typed {
        let (mut sql, _) = self.expression(value, scope)?;
        for element in &path.path {
            sql = match element {
                JsonPathElem::Dot { key, .. } => attribute(&sql, &literal(&key.to_lowercase())),
                JsonPathElem::Bracket { key } => self.subscript(&sql, key, scope)?,
                other => return Err(Failure::not_imitated(format!("path {other:?}"))),
            };
        }
        Ok((sql, Type::Super))
    }

    fn subscript(&mut self, value: &str, index: &Expr, scope: &Scope<'_>) -> Result<String, Failure> {
        match self.expression(index, scope)? {
            (sql, of) if of.is_integer() => Ok(format!("redshift.element({value}, ({sql})::integer)")),
            (sql, Type::Literal(_)) => Ok(attribute(value, &sql)),
            (sql, _) => Err(Failure::refused(format!("subscript {sql} is no number"), "42804")),
        }
    }

    fn value(&mut self, value: &Value) -> Typed {
        Ok(match value {
            Value::Null => ("NULL".to_owned(), Type::Null),
            Value::Boolean(truth) => (truth.to_string(), Type::Bool),
            Value::SingleQuotedString(text) => (literal(text), Type::Literal(u32::try_from(text.len()).unwrap_or(MAX_TEXT))),
            Value::Number(digits, false) => (digits.clone(), number_type(digits)),
            other => return Err(Failure::refused(format!("syntax error at or near \"{other}\""), "42601")),
        })
    }

    fn interval(&mut self, interval: &Interval) -> Typed {
        let Interval { value, leading_field, leading_precision: None, last_field, fractional_seconds_precision: None } = interval else {
            return Err(Failure::not_imitated(format!("{interval}")));
        };
        let Expr::Value(value) = &**value else { return Err(Failure::refused("syntax error at INTERVAL", "42601")) };
        let Some(text) = value.value.clone().into_string() else { return Err(Failure::refused("syntax error at INTERVAL", "42601")) };
        // A qualifier may stand in the literal or behind it.
        let field = match (leading_field, last_field) {
            (None, _) => String::new(),
            (Some(first), None) if text.trim().parse::<f64>().is_ok() => {
                return Ok((
                    format!("{}::interval", literal(&format!("{} {}", text.trim(), first.to_string().to_lowercase()))),
                    Type::Interval,
                ));
            }
            (Some(first), None) => format!(" {first}"),
            (Some(first), Some(last)) => format!(" {first} TO {last}"),
        };
        Ok((format!("(INTERVAL {}{field})", literal(&text)), Type::Interval))
    }

    fn test(&mut self, inner: &Expr, test: &str, scope: &Scope<'_>) -> Typed {
        let (sql, of) = self.expression(inner, scope)?;
        // A JSON null of a SUPER value is NULL to the test.
        let sql = if of == Type::Super { format!("NULLIF({sql}, 'null'::jsonb)") } else { sql };
        Ok((format!("({sql} {test})"), Type::Bool))
    }

    /// Only a predicate, never a value, fact 22; a number that is not zero is true, fact 21.
    fn truth(&mut self, inner: &Expr, test: &str, scope: &Scope<'_>) -> Typed {
        if !self.predicate {
            return Err(Failure::refused(format!("{test} is supported as a predicate only"), "0A000"));
        }
        let sql = self.condition(inner, scope)?;
        Ok((format!("({sql} {test})"), Type::Bool))
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, scope: &Scope<'_>) -> Typed {
        use BinaryOperator as Op;
        if matches!(op, Op::And | Op::Or) {
            let (left, right) = (self.condition(left, scope)?, self.condition(right, scope)?);
            return Ok((format!("({left} {op} {right})"), Type::Bool));
        }
        let ((a, left_type), (b, right_type)) = (self.expression(left, scope)?, self.expression(right, scope)?);
        match op {
            Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
                let (a, b) = match (left_type == Type::Super, right_type == Type::Super) {
                    (true, false) => (a, format!("to_jsonb({})", typed(&b, right_type))),
                    (false, true) => (format!("to_jsonb({})", typed(&a, left_type)), b),
                    _ => (a, b),
                };
                Ok((format!("({a} {op} {b})"), Type::Bool))
            }
            Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo => self.arithmetic((a, left_type), op, (b, right_type)),
            Op::StringConcat => Ok((format!("({a} || {b})"), left_type.joined(right_type))),
            Op::PGExp | Op::BitwiseXor if op.to_string() == "^" => Ok((format!("({a}::float8 ^ {b}::float8)"), Type::Float8)),
            Op::BitwiseAnd | Op::BitwiseOr | Op::PGBitwiseXor | Op::PGBitwiseShiftLeft | Op::PGBitwiseShiftRight => {
                Ok((format!("({a} {op} {b})"), left_type))
            }
            // The pattern is a literal, fact 78.
            Op::PGRegexMatch | Op::PGRegexNotMatch => match right_type {
                Type::Literal(_) => Ok((format!("({a} COLLATE \"C\" {op} {b})"), Type::Bool)),
                _ => Err(Failure::refused("The pattern must be a valid UTF-8 literal character expression", "0A000")),
            },
            // Facts 79, 145 and others.
            other => Err(Failure::refused(format!("operator does not exist: {other}"), "42883")),
        }
    }

    fn arithmetic(&mut self, left: (String, Type), op: &BinaryOperator, right: (String, Type)) -> Typed {
        let sign = op.to_string();
        let plain = format!("({} {sign} {})", left.0, right.0);
        let sign = sign.chars().next().unwrap_or(' ');
        if sign == '%' {
            return remainder(&plain, left.1, right.1);
        }
        match left.1.reckoned(sign, right.1) {
            Some(Type::Decimal(precision, scale)) if sign == '/' => {
                Ok((format!("redshift.divide({}, {}, {precision}, {scale})", left.0, right.0), Type::Decimal(precision, scale)))
            }
            // Places that give way to others are lost, fact 39.
            Some(Type::Decimal(precision, scale)) if sign == '*' && loses_places(left.1, right.1, scale) => {
                Ok((format!("redshift.to_decimal({plain}, {precision}, {scale})"), Type::Decimal(precision, scale)))
            }
            Some(of) => Ok((plain, of)),
            // The value of a quotient hangs on the types of both sides.
            None if sign == '/' && (left.1 == Type::Unknown || right.1 == Type::Unknown) => {
                Err(Failure::not_imitated(format!("division {plain}: types {:?} and {:?}", left.1, right.1)))
            }
            None => Ok((plain, moved(left.1, sign, right.1))),
        }
    }

    fn like(&mut self, value: &Expr, word: &str, negated: bool, pattern: &Expr, escape: Option<&Expr>, scope: &Scope<'_>) -> Typed {
        let (value, of) = self.expression(value, scope)?;
        let pattern = self.expression(pattern, scope)?.0;
        // Trailing blanks count, fact 55, also those that pad a CHAR no more.
        let value = if of == Type::Unknown || of.is_text() { value } else { format!("{value}::text") };
        let escape = escape.map(|escape| Ok::<_, Failure>(format!(" ESCAPE {}", self.expression(escape, scope)?.0))).transpose()?;
        Ok((format!("({value} {}{word} {pattern}{})", not(negated), escape.unwrap_or_default()), Type::Bool))
    }

    /// Of a subquery only, fact 130.
    fn quantified(&mut self, left: &Expr, word: &str, right: &Expr, scope: &Scope<'_>) -> Typed {
        let Expr::Subquery(query) = right else { return Err(Failure::refused(format!("{word} takes a subquery only"), "0A000")) };
        let left = self.expression(left, scope)?.0;
        let inner = self.query(query, Some(scope))?;
        Ok((format!("({left} {word} ({}))", inner.sql), Type::Bool))
    }

    fn list(&mut self, items: &[Expr], scope: &Scope<'_>) -> Result<String, Failure> {
        let items = items.iter().map(|item| Ok(self.expression(item, scope)?.0)).collect::<Result<Vec<_>, Failure>>()?;
        Ok(format!("({})", items.join(", ")))
    }

    fn case(&mut self, operand: Option<&Expr>, conditions: &[CaseWhen], otherwise: Option<&Expr>, scope: &Scope<'_>) -> Typed {
        let mut text = "CASE".to_owned();
        if let Some(operand) = operand {
            text += &format!(" {}", self.expression(operand, scope)?.0);
        }
        let mut of = Type::Null;
        for CaseWhen { condition, result } in conditions {
            let condition = if operand.is_some() { self.expression(condition, scope)?.0 } else { self.condition(condition, scope)? };
            let (result, branch) = self.expression(result, scope)?;
            of = of.united(branch);
            text += &format!(" WHEN {condition} THEN {result}");
        }
        if let Some(otherwise) = otherwise {
            let (result, branch) = self.expression(otherwise, scope)?;
            of = of.united(branch);
            text += &format!(" ELSE {result}");
        }
        Ok((format!("({text} END)"), of))
    }

    fn rounded(&mut self, name: &str, expr: &Expr, scope: &Scope<'_>) -> Typed {
        let (sql, of) = self.expression(expr, scope)?;
        let of = if of.is_integer() { Type::Float8 } else { of };
        Ok((format!("pg_catalog.{name}({sql})"), of))
    }

    pub(super) fn cast(&mut self, expr: &Expr, data_type: &DataType, scope: &Scope<'_>) -> Typed {
        let target = Type::read(data_type)?;
        let (sql, of) = self.expression(expr, scope)?;
        let name = target.postgres().ok_or_else(|| Failure::not_imitated(format!("cast to {data_type}")))?;
        let text = match target {
            // An exact number has as many places as its type.
            Type::Varchar(bytes) if matches!(of, Type::Decimal(..)) => {
                let scale = of.digits().map_or(0, |(_, scale)| scale);
                format!("redshift.cut(redshift.to_text(({sql})::numeric(38,{scale})), {bytes})::{name}")
            }
            Type::Varchar(bytes) => format!("redshift.cut(redshift.to_text({}), {bytes})::{name}", typed(&sql, of)),
            Type::Char(bytes) => format!("redshift.cut(redshift.to_text({}), {bytes})::{name}", typed(&sql, of)),
            Type::Decimal(precision, scale) => {
                // Only what comes from a table is not rounded, fact 10.
                let round = if of == Type::Unknown || has_column(expr) { "" } else { "::float8" };
                let constant = round.is_empty() || of == Type::Super;
                let value = if constant { typed(&sql, of) } else { format!("round(({sql})::numeric, {scale})") };
                format!("redshift.to_decimal({value}, {precision}, {scale})::{name}")
            }
            Type::Bool if matches!(of, Type::Literal(_) | Type::Null) => format!("({sql})::boolean"),
            Type::Bool => format!("redshift.to_boolean({sql})"),
            Type::Int2 | Type::Int4 | Type::Int8 if of == Type::Super => format!("redshift.to_bigint({sql})::{name}"),
            Type::Int8 | Type::Int2 if of == Type::Bool => format!("({sql})::integer::{name}"),
            Type::Float4 | Type::Float8 if of == Type::Super => format!("redshift.to_double({sql})::{name}"),
            Type::Date | Type::Timestamp | Type::TimestampTz | Type::Time | Type::TimeTz if of == Type::Super => {
                format!("({sql} #>> '{{}}')::{name}")
            }
            Type::Super if of == Type::Super => sql,
            Type::Super => format!("to_jsonb({})", typed(&sql, of)),
            _ => format!("({sql})::{name}"),
        };
        Ok((text, target))
    }
}

/// Whether a product has more places behind the point than its type.
fn loses_places(left: Type, right: Type, scale: u32) -> bool {
    left.digits().zip(right.digits()).is_some_and(|((_, one), (_, other))| one + other > scale)
}

impl Scope<'_> {
    /// The type of a column; `None` where no relation is known to have it.
    pub(super) fn column(&self, table: Option<&str>, name: &str) -> Option<Type> {
        let own = self.relations.iter().filter(|rel| table.is_none_or(|table| rel.name == table)).find_map(|rel| {
            let columns = rel.columns.as_ref()?;
            columns.iter().find(|column| column.name == name).map(|column| column.of)
        });
        own.or_else(|| self.parent.and_then(|parent| parent.column(table, name)))
    }

    fn has_relation(&self, name: &str) -> bool {
        self.relations.iter().any(|rel| rel.name == name) || self.parent.is_some_and(|parent| parent.has_relation(name))
    }
}

/// What an object has under a key.
fn attribute(value: &str, key: &str) -> String {
    format!("redshift.attribute({value}, {key})")
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

/// A literal with its type, so that a function of many types takes it for a text.
pub(super) fn typed(sql: &str, of: Type) -> String {
    match of {
        Type::Literal(_) | Type::Null => format!("{sql}::text"),
        _ => sql.to_owned(),
    }
}

/// Whether an expression reads a column: any name will do, functions are none.
fn has_column(expression: &Expr) -> bool {
    let mut found = false;
    let _ = sqlparser::ast::visit_expressions(expression, |inner: &Expr| {
        found |= matches!(inner, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. } | Expr::Subquery(_));
        std::ops::ControlFlow::<()>::Continue(())
    });
    found
}

fn number_type(digits: &str) -> Type {
    if digits.contains(['e', 'E']) {
        return Type::Float8;
    }
    match digits.split_once('.') {
        Some((whole, fraction)) => {
            let (whole, scale) = (whole.trim_start_matches('0').len(), fraction.len());
            let size = |length: usize| u32::try_from(length).unwrap_or(38).min(38);
            Type::Decimal(size(whole + scale).max(1), size(scale))
        }
        None if digits.parse::<i32>().is_ok() => Type::Int4,
        None if digits.parse::<i64>().is_ok() => Type::Int8,
        None => Type::Decimal(u32::try_from(digits.len()).unwrap_or(38).min(38), 0),
    }
}

/// The type of sums and differences of dates, moments and spans.
fn moved(left: Type, sign: char, right: Type) -> Type {
    match (left, sign, right) {
        (Type::Date, '-', Type::Date) => Type::Int4,
        (Type::Date, _, right) if right.is_integer() => Type::Date,
        (left, '+', Type::Date) if left.is_integer() => Type::Date,
        (Type::Date | Type::Timestamp, _, Type::Interval) | (Type::Interval, '+', Type::Date | Type::Timestamp) => Type::Timestamp,
        (Type::TimestampTz, _, Type::Interval) | (Type::Interval, '+', Type::TimestampTz) => Type::TimestampTz,
        (Type::Timestamp | Type::TimestampTz | Type::Date, '-', Type::Timestamp | Type::TimestampTz | Type::Date) => Type::Interval,
        (Type::Interval, _, _) | (_, '*', Type::Interval) => Type::Interval,
        _ => Type::Unknown,
    }
}

/// A decimal beside an integer, and a smallint beside a bigint, have no remainder; one of an integer is an integer:
/// <https://docs.aws.amazon.com/redshift/latest/dg/r_MOD.html>
fn remainder(plain: &str, left: Type, right: Type) -> Typed {
    match (left, right) {
        (Type::Decimal(..), of) | (of, Type::Decimal(..)) if of.is_integer() => {
            Err(Failure::refused(format!("function mod({left:?}, {right:?}) does not exist"), "42883"))
        }
        (Type::Int2, Type::Int8) | (Type::Int8, Type::Int2) => {
            Err(Failure::refused("function mod of a smallint and a bigint does not exist".to_owned(), "42883"))
        }
        (Type::Int4, of) | (of, Type::Int4) if of.is_integer() => Ok((format!("{plain}::integer"), Type::Int4)),
        _ => Ok((plain.to_owned(), left.reckoned('%', right).unwrap_or(left))),
    }
}
