//! Comparisons: of text, of rows, with lists, with nulls.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_comparison_condition.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_Boolean_type.html>

use sqlparser::ast::{BinaryOperator, Expr, Query, SelectItem, SetExpr};

use super::calls::Call;
use super::numbers::whole_number;
use super::products::has_real_and_other;
use super::rewrite::Rewrite;
use super::turns::unnested;
use super::writer::{Form, Sql, Writer, span_of};
use crate::dialect::Engine;

impl Writer<'_> {
    pub(super) fn comparison(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Sql {
        if let Some(rows) = self.rows_compared(left, op, right) {
            return rows;
        }
        if let Some(durations) = self.durations_compared(left, op, right) {
            return durations;
        }
        self.refuse_json_compared(&[left, right]);
        // Two literals are text too.
        let literals = [left, right].map(|side| self.is_text_literal(side));
        let is_text = self.is_text(left) || self.is_text(right) || literals == [true, true];
        let blanks = is_text && self.is(Engine::Redshift);
        match op {
            BinaryOperator::Eq | BinaryOperator::NotEq if blanks && self.rewrites(Rewrite::TrailingBlanks) => {
                self.texts_compared(left, op, right)
            }
            BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq if is_text => {
                let [one, other] = [left, right].map(|side| self.ordered_side(side));
                Sql::loose(format!("{one} {op} {other}"))
            }
            _ => {
                if let Some(wide) = self.wide_compared(left, op, right) {
                    return wide;
                }
                let kinds = (self.type_name(left), self.type_name(right));
                let (mut one, mut other) = (self.widened(left, kinds.1).part(), self.widened(right, kinds.0).part());
                if matches!(op, BinaryOperator::Eq | BinaryOperator::NotEq) {
                    (one, other) = (self.hide_cut(unnested(left), one), self.hide_cut(unnested(right), other));
                }
                Sql::loose(format!("{one} {op} {other}"))
            }
        }
    }

    /// Texts that are equal have as many bytes. Columns stay bare in this, so that tables that are distributed and sorted by them are joined and
    /// cut by them; of anything longer that would be computed twice, a point behind both does the same.
    fn texts_compared(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Sql {
        let (one, other) = (self.expression(left).part(), self.expression(right).part());
        let (Some(length), Some(other_length)) = (bytes_of(left, &one), bytes_of(right, &other)) else {
            return Sql::loose(format!("({one} || '.') {op} ({other} || '.')"));
        };
        let (form, word) = if *op == BinaryOperator::Eq { (Form::And, "and") } else { (Form::Or, "or") };
        Sql { text: format!("{one} {op} {other} {word} {length} {op} {other_length}"), form }
    }

    /// A value that is compared for being equal: on Redshift blanks at the end of text do not count, but a point behind them does.
    pub(super) fn equal_text(&mut self, expression: &Expr) -> Sql {
        let is_text = self.is_text(expression) || self.is_text_literal(expression);
        let written = self.expression(expression);
        if is_text && self.is(Engine::Redshift) && self.rewrites(Rewrite::TrailingBlanks) {
            return Sql::loose(format!("{} || '.'", written.part()));
        }
        written
    }

    /// Whether values are compared as texts: one is text, or all are literals without a type.
    fn compares_text(&self, parts: &[&Expr]) -> bool {
        parts.iter().any(|part| self.is_text(part)) || parts.iter().all(|part| self.type_name(part) == "unknown")
    }

    /// A side of a comparison of texts for being equal, which may be a literal.
    fn equal_side(&mut self, side: &Expr) -> Sql {
        let written = self.expression(side);
        let marks = self.is(Engine::Redshift) && self.rewrites(Rewrite::TrailingBlanks);
        if marks { Sql::loose(format!("{} || '.'", written.part())) } else { written }
    }

    pub(super) fn in_list(&mut self, value: &Expr, list: &[Expr], negated: bool) -> Sql {
        if let Some(rows) = self.row_in_list(value, list, negated) {
            return rows;
        }
        let not = if negated { "not " } else { "" };
        let parts: Vec<&Expr> = std::iter::once(value).chain(list).collect();
        self.refuse_json_compared(&parts);
        // Of whole numbers that small every engine finds the same ones.
        let is_small = |part: &Expr| whole_number(part).is_some_and(|number| number.unsigned_abs() < 1 << 24);
        let told: Vec<&Expr> = parts.iter().copied().filter(|part| !is_small(part)).collect();
        if self.mixes_real(&told) {
            let message = "a list with real and other numbers is not the same on all engines";
            return self.refuse(span_of(value), message, "cast all of it to double precision, or to numeric(p,s)");
        }
        if self.are_wide(&parts) {
            let equal: Vec<String> = list.iter().map(|item| self.comparison(value, &BinaryOperator::Eq, item).part()).collect();
            let equal = Sql { text: equal.join(" or "), form: Form::Or };
            return if negated { Sql::loose(format!("not {}", equal.part())) } else { equal };
        }
        let is_text = self.compares_text(&parts);
        let write = |writer: &mut Self, part: &Expr| if is_text { writer.equal_side(part) } else { writer.expression(part) };
        let written = write(self, value).part();
        let list: Vec<String> = list.iter().map(|item| write(self, item).text).collect();
        Sql::loose(format!("{written} {not}in ({})", list.join(", ")))
    }

    pub(super) fn in_subquery(&mut self, value: &Expr, query: &Query, negated: bool) -> Sql {
        self.has_subquery = true;
        self.refuse_json_key(value);
        self.refuse_limited_lookup(query, "number the rows with row_number() in a subquery that is joined, and keep those up to n");
        if let Some(rows) = self.row_in_subquery(value, query, negated) {
            return rows;
        }
        let not = if negated { "not " } else { "" };
        let found = self.columns_of(query).and_then(|columns| columns.first()).map(|column| column.typed);
        let lost = found.filter(|_| self.is(Engine::DuckDb)).and_then(|found| self.part_of_column(found).with(self.part_of(value)).lost());
        if lost.is_some_and(|behind| !self.scale_item(&query.body, 0, behind)) {
            let what = "numbers that are looked for among others, where one side has more digits behind the point than fit";
            return self.lacks(span_of(value), what, "cast both sides to one numeric(p,s)");
        }
        let of_query = found.and_then(|found| found.sql_type);
        let is_text = match self.type_name(value) {
            "unknown" => of_query.is_none_or(|kind| matches!(kind.name(), "text" | "varchar" | "unknown")),
            _ => self.is_text(value),
        };
        if has_real_and_other(&[of_query, self.type_of(value).filter(|kind| kind.name() != "unknown")]) {
            let message = "real that is looked for among other numbers is not the same on all engines";
            return self.refuse(span_of(value), message, "cast both to double precision, or to numeric(p,s)");
        }
        let written = if is_text { self.equal_side(value).part() } else { self.aligned(value, lost).part() };
        if let (true, Some(item)) = (is_text && self.is(Engine::Redshift), only_item(query)) {
            if self.rewrites(Rewrite::TrailingBlanks) {
                self.dotted.insert(std::ptr::from_ref(item).addr());
            }
            let subquery = self.subquery(query);
            return Sql::loose(format!("{written} {not}in {subquery}"));
        }
        let subquery = self.subquery(query);
        if is_text && self.is(Engine::Redshift) && self.rewrites(Rewrite::TrailingBlanks) {
            return Sql::loose(format!("{written} {not}in (select acca_rows.value || '.' from {subquery} as acca_rows (value))"));
        }
        Sql::loose(format!("{written} {not}in {subquery}"))
    }

    /// `nullif` compares too.
    pub(super) fn null_if(&mut self, call: &Call<'_>) -> Sql {
        let [one, other] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        self.refuse_json_compared(&[*one, *other]);
        let kinds = [self.type_name(one), self.type_name(other)];
        if self.is(Engine::DuckDb)
            && kinds[0] != kinds[1]
            && matches!(kinds[1], "float4" | "float8")
            && matches!(kinds[0], "int2" | "int4" | "int8" | "numeric")
        {
            // What is compared with a binary number is one.
            let [one, other] = [one, other].map(|side| self.expression(side).text);
            return Sql::atom(format!("nullif(cast({one} as double), cast({other} as double))"));
        }
        if self.are_wide(&[*one, *other]) {
            let written = self.expression(one).text;
            return Sql::loose(format!("case when {} then null else {written} end", self.comparison(one, &BinaryOperator::Eq, other).text));
        }
        if self.is(Engine::DuckDb) && kinds[0] == "float4" && self.mixes_real(&[one, other]) {
            let written = self.expression(one).text;
            let [one, other] = self.compared([one, other]).map(Sql::part);
            return Sql::loose(format!("case when {one} = {other} then null else {written} end"));
        }
        if !self.compares_text(&[one, other]) || !self.is(Engine::Redshift) || !self.rewrites(Rewrite::TrailingBlanks) {
            return self.plain_call(call, "nullif");
        }
        let written = self.expression(one).text;
        let (one, other) = (self.equal_side(one).part(), self.equal_side(other).part());
        Sql::loose(format!("case when {one} = {other} then null else {written} end"))
    }

    /// Not null whatever is compared. Redshift has no such test.
    pub(super) fn distinct_from(&mut self, left: &Expr, right: &Expr, negated: bool) -> Sql {
        self.refuse_json_compared(&[left, right]);
        if self.is(Engine::Redshift) && (matches!(left, Expr::Tuple(_)) || matches!(right, Expr::Tuple(_))) {
            return self.lacks(span_of(left), "IS DISTINCT FROM of rows", "compare their parts one by one");
        }
        if self.is(Engine::Redshift) && self.rewrites(Rewrite::DistinctFrom) || self.are_wide(&[left, right]) {
            let (one, other) = (self.expression(left).part(), self.expression(right).part());
            let (op, null, half) = if negated { (BinaryOperator::Eq, "true", "false") } else { (BinaryOperator::NotEq, "false", "true") };
            let compared = self.comparison(left, &op, right).text;
            return Sql::loose(format!(
                "case when {one} is null and {other} is null then {null} when {one} is null or {other} is null then {half} else {compared} end"
            ));
        }
        let [one, other] = self.compared([left, right]).map(Sql::part);
        let not = if negated { "not " } else { "" };
        Sql::loose(format!("{one} is {not}distinct from {other}"))
    }

    /// `= any (array[…])` and `<> all (array[…])` are lists.
    pub(super) fn with_list(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, all: bool) -> Sql {
        let negated = match (op, all) {
            (BinaryOperator::Eq, false) => false,
            (BinaryOperator::NotEq, true) => true,
            _ => return self.refuse(span_of(left), "this comparison with a list is not the same on all engines", "write IN or NOT IN"),
        };
        match right {
            Expr::Nested(inner) => self.with_list(left, op, inner, all),
            Expr::Array(array) => self.in_list(left, &array.elem, negated),
            Expr::Subquery(query) => self.in_subquery(left, query, negated),
            other => {
                self.refuse(span_of(other), "a list that is no literal is not the same on all engines", "write its elements, or a subquery")
            }
        }
    }

    /// `IS TRUE` and its kin. Redshift has them in WHERE only.
    pub(super) fn truth(&mut self, inner: &Expr, is: bool, negated: bool) -> Sql {
        let part = self.expression(inner).part();
        if self.is(Engine::Redshift) && self.rewrites(Rewrite::TruthTest) {
            let subject = if is { part } else { format!("not {part}") };
            let sql = format!("coalesce({subject}, false)");
            return if negated { Sql::loose(format!("not {sql}")) } else { Sql::atom(sql) };
        }
        let not = if negated { "not " } else { "" };
        Sql::loose(format!("{part} is {not}{is}"))
    }

    /// A side of a comparison by order; a literal takes part too.
    pub(super) fn ordered_side(&mut self, side: &Expr) -> String {
        if self.is_text(side) {
            return format!("({})", self.ordered_text(side));
        }
        let written = self.expression(side);
        match (super::literals::plain_text(side), self.target()) {
            (Some(_), Engine::Redshift) if self.rewrites(Rewrite::TrailingBlanks) => format!("({} || chr(1))", written.part()),
            (Some(_), Engine::Postgres) if self.rewrites(Rewrite::Collation) => format!("({} collate \"C\")", written.part()),
            _ => written.part(),
        }
    }

    pub(super) fn between(&mut self, value: &Expr, low: &Expr, high: &Expr, negated: bool) -> Sql {
        if let Some(durations) = self.duration_between(value, low, high, negated) {
            return durations;
        }
        if self.are_wide(&[value, low, high]) {
            let [above, below] =
                [(BinaryOperator::GtEq, low), (BinaryOperator::LtEq, high)].map(|(op, bound)| self.comparison(value, &op, bound).part());
            let within = Sql { text: format!("{above} and {below}"), form: Form::And };
            return if negated { Sql::loose(format!("not {}", within.part())) } else { within };
        }
        let [written, low, high] = match self.compares_text(&[value, low, high]) {
            true => [value, low, high].map(|part| self.ordered_side(part)),
            false => self.compared([value, low, high]).map(Sql::part),
        };
        let not = if negated { "not " } else { "" };
        Sql::loose(format!("{written} {not}between {low} and {high}"))
    }
}

/// The only item of a plain SELECT.
fn only_item(query: &Query) -> Option<&SelectItem> {
    let SetExpr::Select(select) = &*query.body else { return None };
    let plain = select.distinct.is_none() && query.order_by.is_none();
    match select.projection.as_slice() {
        [item @ (SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. })] if plain => Some(item),
        _ => None,
    }
}

/// How many bytes of UTF-8 a column or a literal has, as SQL; `None` for anything else.
fn bytes_of(expression: &Expr, written: &str) -> Option<String> {
    match expression {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => Some(format!("octet_length({written})")),
        other => super::literals::plain_text(other).map(|text| text.len().to_string()),
    }
}
