//! Rows of a query as a table of text.

use super::style::{self, paint};
use super::text::{clip, counted, pad_left, pad_right, printable, width};
use crate::base::{Datum, Table};

/// No cell is wider than this when the terminal's width is known.
const WIDEST_CELL: usize = 60;
/// No column is cut below this, so that a cell still says something; rather, columns are left out.
const NARROWEST_COLUMN: usize = 12;

/// The table with a line of names; numbers stand to the right. With `limit`, cells are cut and columns left out so that no line
/// is wider.
pub(super) fn draw(table: &Table, limit: Option<usize>) -> String {
    if table.columns.is_empty() {
        return paint(style::DIM, "(no columns)");
    }
    let names: Vec<String> = table.columns.iter().map(|column| printable(&column.name)).collect();
    let cells: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(|cell| printable(&cell.to_string())).collect()).collect();
    let natural: Vec<usize> = names
        .iter()
        .enumerate()
        .map(|(at, name)| cells.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).chain([width(name)]).max().unwrap_or(1).max(1))
        .collect();
    let widths = fit(&natural, limit);
    let last = widths.len().saturating_sub(1);
    // No blanks at the end of a line.
    let fill = |at: usize, text: &str, columns: usize| if at == last { text.to_owned() } else { pad_right(text, columns) };
    let mut lines = vec![
        line(
            &widths,
            |at, columns| paint(style::BOLD, &fill(at, &clip(names.get(at).map_or("", String::as_str), columns), columns)),
            " | ",
        ),
        widths.iter().map(|columns| "-".repeat(*columns)).collect::<Vec<_>>().join("-+-"),
    ];
    for (row, data) in cells.iter().zip(&table.rows) {
        let cell = |at: usize, columns: usize| {
            let text = clip(row.get(at).map_or("", String::as_str), columns);
            match data.get(at) {
                Some(Datum::Int(_) | Datum::Float(_) | Datum::Decimal(_)) => pad_left(&text, columns),
                Some(Datum::Null) => paint(style::DIM, &fill(at, &text, columns)),
                _ => fill(at, &text, columns),
            }
        };
        lines.push(line(&widths, cell, " | "));
    }
    let left_out = names.len() - widths.len();
    if left_out > 0 {
        let text = format!("({} left out: {})", counted(left_out, "column"), names.get(widths.len()..).unwrap_or_default().join(", "));
        lines.push(paint(style::DIM, &clip(&text, limit.unwrap_or(usize::MAX))));
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn line(widths: &[usize], cell: impl Fn(usize, usize) -> String, between: &str) -> String {
    widths.iter().enumerate().map(|(at, columns)| cell(at, *columns)).collect::<Vec<_>>().join(between)
}

/// Widths of the columns that fit, from the left; the widest give way first.
fn fit(natural: &[usize], limit: Option<usize>) -> Vec<usize> {
    let Some(limit) = limit else { return natural.to_vec() };
    let mut widths: Vec<usize> = natural.iter().map(|columns| (*columns).min(WIDEST_CELL.min(limit.max(1)))).collect();
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + 3 * widths.len().saturating_sub(1);
    while total(&widths) > limit {
        let widest = widths.iter().copied().max().unwrap_or(0);
        if widest > NARROWEST_COLUMN {
            let excess = total(&widths) - limit;
            // At once as far as the next widest column, or as far as is needed.
            let next = widths.iter().copied().filter(|columns| *columns < widest).max().unwrap_or(0).max(NARROWEST_COLUMN);
            let count = widths.iter().filter(|columns| **columns == widest).count();
            let cut = excess.div_ceil(count).min(widest - next).max(1);
            for columns in widths.iter_mut().filter(|columns| **columns == widest) {
                *columns -= cut;
            }
        } else if widths.len() > 1 {
            widths.pop();
        } else {
            // The only column left.
            return vec![limit.max(1)];
        }
    }
    widths
}

/// Comma-separated values with a line of names, quoted where needed. NULL is an empty field, an empty text `""`.
pub(super) fn csv(table: &Table) -> String {
    let mut lines = vec![table.columns.iter().map(|column| field(&column.name)).collect::<Vec<_>>().join(",")];
    for row in &table.rows {
        let cells = row.iter().map(|cell| match cell {
            Datum::Null => String::new(),
            other => field(&other.to_string()),
        });
        lines.push(cells.collect::<Vec<_>>().join(","));
    }
    lines.join("\n")
}

fn field(text: &str) -> String {
    if text.is_empty() || text.contains(['"', ',', '\n', '\r']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ColumnInfo;

    fn table() -> Table {
        let column = |name: &str| ColumnInfo { name: name.to_owned(), data_type: String::new() };
        Table {
            columns: vec![column("bet_id"), column("stake"), column("note"), column("placed_at")],
            rows: vec![
                vec![
                    Datum::Text("B-1".to_owned()),
                    Datum::Decimal("12.50".to_owned()),
                    Datum::Text("two\nlines, and a long remark about nothing in particular".to_owned()),
                    Datum::Text("2025-01-01 12:00:00".to_owned()),
                ],
                vec![Datum::Text("B-22".to_owned()), Datum::Decimal("3.00".to_owned()), Datum::Null, Datum::Text(String::new())],
            ],
        }
    }

    #[test]
    fn a_table_is_as_wide_as_it_must_be() {
        insta::assert_snapshot!(style::plain(&draw(&table(), None)), @r"
        bet_id | stake | note                                                      | placed_at
        -------+-------+-----------------------------------------------------------+--------------------
        B-1    | 12.50 | two\nlines, and a long remark about nothing in particular | 2025-01-01 12:00:00
        B-22   |  3.00 | NULL                                                      |
        ");
    }

    #[test]
    fn a_narrow_terminal_cuts_cells_then_columns() {
        insta::assert_snapshot!(style::plain(&draw(&table(), Some(50))), @r"
        bet_id | stake | note            | placed_at
        -------+-------+-----------------+----------------
        B-1    | 12.50 | two\nlines, an… | 2025-01-01 12:…
        B-22   |  3.00 | NULL            |
        ");
        insta::assert_snapshot!(style::plain(&draw(&table(), Some(20))), @r"
        bet_id | stake
        -------+------
        B-1    | 12.50
        B-22   |  3.00
        (2 columns left out…
        ");
        for limit in 1..60 {
            let drawn = style::plain(&draw(&table(), Some(limit)));
            let widest = drawn.lines().map(width).max().unwrap();
            assert!(widest <= limit, "{limit}\n{drawn}");
        }
    }

    #[test]
    fn csv_tells_null_from_empty() {
        assert_eq!(
            csv(&table()),
            "bet_id,stake,note,placed_at\nB-1,12.50,\"two\nlines, and a long remark about nothing in particular\",2025-01-01 12:00:00\nB-22,3.00,,\"\""
        );
    }
}
