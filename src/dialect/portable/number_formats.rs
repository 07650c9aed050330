//! `to_char` of numbers. DuckDB has none: the digits of the rounded number are put together. Formats are those without blanks around
//! (FM), which show a digit before the point at least, and all that are asked for behind it.
//!
//! - <https://www.postgresql.org/docs/15/functions-formatting.html#FUNCTIONS-FORMATTING-NUMERIC-TABLE>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_formating.html>

use sqlparser::ast::Expr;

use super::calls::Call;
use super::literals::plain_text;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

/// A format such as `FM999,990.00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NumberFormat {
    /// Digits before the point at most.
    most: usize,
    /// And at least: zeros fill them.
    least: usize,
    behind: usize,
    in_groups: bool,
}

impl Writer<'_> {
    pub(super) fn formatted_number(&mut self, call: &Call<'_>, value: &Expr, format: &Expr) -> Sql {
        if self.type_name(value).is_empty() && self.is_refused(value) {
            return Sql::atom("null");
        }
        let Some((text, read)) = plain_text(format).and_then(|text| Some((text, read_format(text)?))) else {
            let help = "write a format such as 'FM999,990.00' or 'FM00000', or round the number and cast it to text";
            return self.refuse(span_of(format), "this format of numbers is not the same on all engines", help);
        };
        if !matches!(self.type_name(value), "int2" | "int4" | "int8" | "numeric") {
            return self.refuse(call.span, "to_char of binary floats is not the same on all engines", "cast it to numeric(p,s) first");
        }
        let written = self.expression(value).text;
        if !self.is(Engine::DuckDb) || !self.rewrites(Rewrite::NumberFormat) {
            return Sql::atom(format!("to_char({written}, {})", self.text(text)));
        }
        let NumberFormat { most, least, behind, in_groups } = read;
        let Some(digits) = self.typed(value).digits.and_then(|digits| usize::try_from(digits).ok()) else {
            // It would be rounded to some number of digits first.
            return self.lacks(call.span, "to_char of a number of any number of digits", "cast it to numeric(p,s) first");
        };
        let rounded = format!("cast(round(cast({written} as decimal(38,{})), {behind}) as decimal(38,{behind}))", digits.max(behind));
        let whole = format!("cast(trunc(abs({rounded})) as bigint)");
        let shown = if in_groups {
            format!("format('{{:,}}', {whole})")
        } else {
            format!("lpad(cast({whole} as varchar), cast(greatest({least}, len(cast({whole} as varchar))) as integer), '0')")
        };
        let fraction = if behind == 0 { String::new() } else { format!(" || '.' || right(cast({rounded} as varchar), {behind})") };
        let overflow = text.trim_start_matches("FM").replace(['9', '0'], "#");
        let limit = format!("1{}", "0".repeat(most));
        Sql::loose(format!(
            "case when {rounded} < 0 then '-' else '' end || case when {whole} >= {limit} then {} else {shown}{fraction} end",
            self.text(&overflow)
        ))
    }
}

fn read_format(text: &str) -> Option<NumberFormat> {
    let body = text.strip_prefix("FM")?;
    let (before, behind) = body.split_once('.').unwrap_or((body, ""));
    let in_groups = before.contains(',');
    let digits: String = before.chars().filter(|c| *c != ',').collect();
    let grouped_well =
        before.rsplit(',').enumerate().all(|(at, group)| group.len() == 3 || at == before.matches(',').count() && group.len() < 4);
    let nines = digits.bytes().take_while(|c| *c == b'9').count();
    let least = digits.len() - nines;
    let is_plain = least > 0
        && digits.bytes().skip(nines).all(|c| c == b'0')
        && behind.bytes().all(|c| c == b'0')
        && (!body.contains('.') || !behind.is_empty())
        && (!in_groups || grouped_well && least == 1)
        && digits.len() <= 18;
    is_plain.then_some(NumberFormat { most: digits.len(), least, behind: behind.len(), in_groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_numbers_are_read_or_refused() {
        let read = |text| read_format(text).map(|format| (format.most, format.least, format.behind, format.in_groups));
        assert_eq!(read("FM999,990.00"), Some((6, 1, 2, true)));
        assert_eq!(read("FM00000"), Some((5, 5, 0, false)));
        assert_eq!(read("FM9990.0"), Some((4, 1, 1, false)));
        for refused in ["999", "FM999", "FM9,90.00", "FM990.99", "FM990.", "FM$990", "FM000,000"] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }
}
