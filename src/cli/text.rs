//! Fits text into columns of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns the text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text, cut with `…` when it takes more than `limit` columns.
pub(super) fn clip(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        let taken = character.width().unwrap_or(0);
        if used + taken + 1 > limit {
            break;
        }
        kept.push(character);
        used += taken;
    }
    if limit > 0 {
        kept.push('…');
    }
    kept
}

/// A name, cut in its middle with `…`: ends tell names apart as often as beginnings do.
pub(super) fn clip_middle(name: &str, limit: usize) -> String {
    if width(name) <= limit || limit < 4 {
        return clip(name, limit);
    }
    let behind = (limit - 1) / 2;
    let mut kept = Vec::new();
    let mut used = 0;
    for character in name.chars().rev() {
        used += character.width().unwrap_or(0);
        if used > behind {
            break;
        }
        kept.push(character);
    }
    let end: String = kept.into_iter().rev().collect();
    format!("{}{end}", clip(name, limit - width(&end)))
}

/// The text with blanks behind it up to `columns`.
pub(super) fn pad_right(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text with blanks before it up to `columns`.
pub(super) fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// One line without characters that move the cursor or hide something: `\n`, `\t`, `\u{1b}` are spelled out.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' | '\r' => out.extend(character.escape_default()),
            _ if character.is_control() || is_invisible(character) => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    out
}

/// Signs that change the direction of text or take no room.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `2 rows`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if noun.ends_with("is") => format!("{}es", noun.trim_end_matches("is")),
        None => format!("{noun}s"),
    };
    let number_text = thousands(number as u64);
    if number == 1 { format!("{number_text} {noun}") } else { format!("{number_text} {plural}") }
}

/// `0.03s`, `12.3s`, `2m05s`.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        short if short < 9.995 => format!("{short:.2}s"),
        middle if middle < 99.95 => format!("{middle:.1}s"),
        long => {
            let whole = long.round() as u64;
            match whole / 3600 {
                0 => format!("{}m{:02}s", whole / 60, whole % 60),
                hours => format!("{hours}h{:02}m", whole % 3600 / 60),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_by_columns_not_characters() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("日本語", 5), "日本…");
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!(clip("abc", 0), "");
        assert_eq!(clip_middle("abcdef", 6), "abcdef");
        assert_eq!(clip_middle("unique_bets_bet_id", 11), "uniqu…et_id");
        assert_eq!(clip_middle("日本語の名前", 7), "日本…前");
        assert_eq!(clip_middle("abcdef", 3), "ab…");
        assert_eq!(pad_right("日", 4), "日  ");
        assert_eq!(pad_left("ab", 4), "  ab");
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(printable("a\nb\u{1b}[31mc\u{202e}"), "a\\nb\\u{1b}[31mc\\u{202e}");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 12, 1234, 1_234_567].map(thousands).join(" "), "0 12 1,234 1,234,567");
        assert_eq!([0.034, 9.999, 42.0, 125.2, 7500.0].map(seconds).join(" "), "0.03s 10.0s 42.0s 2m05s 2h05m");
        assert_eq!([counted(1, "row"), counted(1200, "row"), counted(2, "analysis")].join(" "), "1 row 1,200 rows 2 analyses");
    }
}
