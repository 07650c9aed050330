//! The case of letters. Every engine pairs single letters as Unicode does, and they differ in the few whose other case is not one letter:
//! PostgreSQL with ICU writes `ß` as `SS` and looks at what stands around a sigma, DuckDB writes `ẞ`. Here a letter has the one other
//! letter that Unicode pairs it with, or stays: what PostgreSQL does with a locale of the operating system.
//!
//! - <https://www.unicode.org/Public/UCD/latest/ucd/SpecialCasing.txt>
//! - <https://www.postgresql.org/docs/15/collation.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/r_UPPER.html>

use super::calls::Call;
use super::lateral::has_window;
use super::literals::plain_text;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer};
use crate::dialect::Engine;

/// Letters whose capital is several by ICU, as a class of a regular expression.
const SEVERAL: &str = "[\
    \u{df}\u{149}\u{1f0}\u{390}\u{3b0}\u{587}\u{1e96}-\u{1e9a}\u{1f50}\u{1f52}\u{1f54}\u{1f56}\u{1f80}-\u{1faf}\
    \u{1fb2}-\u{1fb4}\u{1fb6}\u{1fb7}\u{1fbc}\u{1fc2}-\u{1fc4}\u{1fc6}\u{1fc7}\u{1fcc}\u{1fd2}\u{1fd3}\u{1fd6}\u{1fd7}\
    \u{1fe2}-\u{1fe4}\u{1fe6}\u{1fe7}\u{1ff2}-\u{1ff4}\u{1ff6}\u{1ff7}\u{1ffc}\u{fb00}-\u{fb06}\u{fb13}-\u{fb17}\
    ]";
/// Those of them that are paired with one letter all the same.
const PAIRED: [&str; 2] = [
    "\
        \u{1f80}\u{1f81}\u{1f82}\u{1f83}\u{1f84}\u{1f85}\u{1f86}\u{1f87}\u{1f90}\u{1f91}\u{1f92}\u{1f93}\u{1f94}\u{1f95}\
        \u{1f96}\u{1f97}\u{1fa0}\u{1fa1}\u{1fa2}\u{1fa3}\u{1fa4}\u{1fa5}\u{1fa6}\u{1fa7}\u{1fb3}\u{1fc3}\u{1ff3}",
    "\
        \u{1f88}\u{1f89}\u{1f8a}\u{1f8b}\u{1f8c}\u{1f8d}\u{1f8e}\u{1f8f}\u{1f98}\u{1f99}\u{1f9a}\u{1f9b}\u{1f9c}\u{1f9d}\
        \u{1f9e}\u{1f9f}\u{1fa8}\u{1fa9}\u{1faa}\u{1fab}\u{1fac}\u{1fad}\u{1fae}\u{1faf}\u{1fbc}\u{1fcc}\u{1ffc}",
];

impl Writer<'_> {
    pub(super) fn letter_case(&mut self, call: &Call<'_>) -> Sql {
        let Some(text) = call.only() else { return self.wrong_arguments(call) };
        let is_plain = plain_text(text).is_some_and(str::is_ascii);
        let written = self.expression(text).text;
        let name = self.marked(call.span, &call.name);
        if is_plain || self.is(Engine::Redshift) || (self.is(Engine::DuckDb) && call.name == "lower") {
            return Sql::atom(format!("{name}({written})"));
        }
        if call.name == "upper" && self.is(Engine::Postgres) && has_window(text) && self.rewrites(Rewrite::LetterCase) {
            return capitals_in_one(&name, &written);
        }
        if call.name == "lower" { self.small_letters(&name, &written) } else { self.capitals(&name, &written) }
    }

    /// `lower`, under the name that is written.
    pub(super) fn small_letters(&mut self, name: &str, written: &str) -> Sql {
        if self.is(Engine::Postgres) && self.rewrites(Rewrite::LetterCase) {
            return Sql::atom(format!("{name}(translate({written}, 'İΣ', 'iσ'))"));
        }
        Sql::atom(format!("{name}({written})"))
    }

    fn capitals(&mut self, name: &str, written: &str) -> Sql {
        if !self.rewrites(Rewrite::LetterCase) {
            return Sql::atom(format!("{name}({written})"));
        }
        if self.is(Engine::DuckDb) {
            let parts = format!("string_split({written}, 'ß')");
            return Sql::atom(format!("array_to_string(list_transform({parts}, lambda part: {name}(part)), 'ß')"));
        }
        let letter = capital_letter("acca_letter");
        Sql::loose(format!(
            "case when {written} ~ '{SEVERAL}' then (select string_agg({letter}, '' order by acca_place) \
             from regexp_split_to_table({written}, '') with ordinality as acca_letters (acca_letter, acca_place)) else {name}({written}) end"
        ))
    }

    /// The capital of a text of one letter.
    pub(super) fn capital_of(&mut self, letter: &str) -> String {
        match self.target() {
            Engine::Postgres if self.rewrites(Rewrite::LetterCase) => capital_letter(letter),
            Engine::DuckDb if self.rewrites(Rewrite::LetterCase) => format!("case when {letter} = 'ß' then 'ß' else upper({letter}) end"),
            _ => format!("upper({letter})"),
        }
    }
}

/// Without a subquery, into which no window function can go: signs of no script stand for the letters while `upper` runs.
fn capitals_in_one(name: &str, written: &str) -> Sql {
    let class = SEVERAL.trim_matches(['[', ']']);
    let mut letters = String::new();
    let mut of_class = class.chars().peekable();
    while let Some(first) = of_class.next() {
        let last = if of_class.next_if_eq(&'-').is_some() { of_class.next().unwrap_or(first) } else { first };
        letters.extend(first..=last);
    }
    let signs: String = ('\u{f0000}'..).take(letters.chars().count()).collect();
    let [small, capital] = PAIRED;
    let paired = |letter: char| small.chars().zip(capital.chars()).find(|(held, _)| *held == letter).map_or(letter, |(_, paired)| paired);
    let capitals: String = letters.chars().map(paired).collect();
    Sql::atom(format!("translate({name}(translate({written}, '{letters}', '{signs}')), '{signs}', '{capitals}')"))
}

fn capital_letter(letter: &str) -> String {
    let [small, capital] = PAIRED;
    format!("case when {letter} ~ '{SEVERAL}' then translate({letter}, '{small}', '{capital}') else upper({letter}) end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_with_several_capitals_are_those_of_unicode() {
        let class = regex::Regex::new(SEVERAL).unwrap();
        for letter in '\u{80}'..=char::MAX {
            let several = letter.to_uppercase().count() > 1;
            assert_eq!(class.is_match(&letter.to_string()), several, "{letter}");
        }
        let [small, capital] = PAIRED.map(|letters| letters.chars().collect::<Vec<_>>());
        assert_eq!(small.len(), capital.len());
        assert!(small.iter().zip(&capital).all(|(small, capital)| capital.to_lowercase().eq([*small])));
    }
}
