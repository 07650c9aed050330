//! Which rows of a unit test differ, and how that is shown.

use crate::base::Datum;

/// One row, as its values are compared and shown.
type Row = Vec<String>;

/// A row that is not as it is expected: one of the two sides may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Number of the expected row.
    pub number: Option<usize>,
    pub expected: Option<Row>,
    pub actual: Option<Row>,
}

/// Rows beyond this are not paired: each side is shown by itself.
const MOST_PAIRED: usize = 500;
/// Rows that are shown.
const MOST_SHOWN: usize = 20;

/// The values of a row as texts. Zeros behind a decimal's last digit say nothing.
pub fn shown(row: &[Datum]) -> Row {
    let cell = |value: &Datum| match value {
        Datum::Decimal(digits) if digits.contains('.') => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        other => other.to_string(),
    };
    row.iter().map(cell).collect()
}

/// What differs, whatever the order of the rows. Rows that share most values are shown as one.
pub fn differences(expected: &[Row], actual: &[Row]) -> Vec<Difference> {
    let mut left: Vec<&Row> = actual.iter().collect();
    let mut missing: Vec<(usize, &Row)> = Vec::new();
    for (number, row) in expected.iter().enumerate() {
        match left.iter().position(|other| *other == row) {
            Some(at) => {
                left.remove(at);
            }
            None => missing.push((number, row)),
        }
    }
    let mut found = Vec::new();
    for (number, row) in missing {
        let partner = if left.len() <= MOST_PAIRED { nearest(row, &left) } else { None };
        let actual = partner.map(|at| left.remove(at).clone());
        found.push(Difference { number: Some(number), expected: Some(row.clone()), actual });
    }
    found.extend(left.into_iter().map(|row| Difference { number: None, expected: None, actual: Some(row.clone()) }));
    found
}

/// The row that shares most values, when it shares any; of a row of one column any other is the nearest.
fn nearest(row: &Row, others: &[&Row]) -> Option<usize> {
    let shared = |other: &Row| row.iter().zip(other).filter(|(one, two)| one == two).count();
    let best = others.iter().enumerate().map(|(at, other)| (shared(other), std::cmp::Reverse(at))).max()?;
    (best.0 > 0 || row.len() == 1).then_some(best.1.0)
}

impl Difference {
    /// The first column that differs, with both values.
    pub fn words(&self, columns: &[String]) -> String {
        match (&self.expected, &self.actual) {
            (Some(expected), Some(actual)) => {
                let mut cells = columns.iter().zip(expected.iter().zip(actual)).filter(|(_, (one, two))| one != two);
                let words = |(column, (one, two)): (&String, (&String, &String))| format!("'{column}' is {two}, expected is {one}");
                cells.next().map(words).unwrap_or_default()
            }
            (Some(_), None) => "the model does not give this row".to_owned(),
            (None, _) => "the model gives more rows".to_owned(),
        }
    }

    fn cells(&self) -> (&'static str, Row) {
        match (&self.expected, &self.actual) {
            (Some(expected), Some(actual)) => {
                let cell = |(one, two): (&String, &String)| if one == two { one.clone() } else { format!("{one} → {two}") };
                ("→", expected.iter().zip(actual).map(cell).collect())
            }
            (Some(expected), None) => ("-", expected.clone()),
            (None, actual) => ("+", actual.clone().unwrap_or_default()),
        }
    }
}

/// A table of the differences: `→` a row with other values (expected → actual), `-` one that is missing, `+` one too many.
pub fn table(columns: &[String], differences: &[Difference]) -> String {
    let header = (" ", columns.to_vec());
    let lines: Vec<(&str, Row)> = std::iter::once(header).chain(differences.iter().take(MOST_SHOWN).map(Difference::cells)).collect();
    let width = |at: usize| lines.iter().filter_map(|(_, row)| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let print = |(sign, row): &(&str, Row)| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>().join(" | ");
        format!("{sign} {cells}").trim_end().to_owned()
    };
    let mut text = lines.iter().map(print).collect::<Vec<_>>().join("\n");
    if let Some(more) = differences.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("\n… and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Row> {
        text.lines().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
    }

    #[test]
    fn rows_are_paired_with_those_that_share_most() {
        let columns = ["id", "name", "n"].map(str::to_owned);
        let found = differences(&rows("1 a 5\n2 b 6\n3 c 7\n2 b 6"), &rows("2 b 6\n3 c 8\n1 a 5\n9 z 0"));
        assert_eq!(table(&columns, &found), "  id | name | n\n→ 3  | c    | 7 → 8\n- 2  | b    | 6\n+ 9  | z    | 0");
        assert_eq!(found[0].words(&columns), "'n' is 8, expected is 7");
        assert_eq!(differences(&rows("1 a\n2 b"), &rows("2 b\n1 a")), []);
    }

    #[test]
    fn zeros_at_the_end_are_the_same_number() {
        assert_eq!(shown(&[Datum::Decimal("5.500".to_owned()), Datum::Decimal("100".to_owned()), Datum::Null]), ["5.5", "100", "NULL"]);
    }
}
