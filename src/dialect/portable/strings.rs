//! Functions of text.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html>
//! - <https://duckdb.org/docs/stable/sql/functions/text>

use sqlparser::ast::{Expr, Value};

use super::calls::Call;
use super::lateral::has_window;
use super::literals::plain_text;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

/// Characters of which all engines agree whether they are letters: those without marks of their own, as ranges of a class.
const SURE: &str = " -\u{2cf}\u{370}-\u{482}\u{48a}-\u{58f}\u{10a0}-\u{10ff}\u{13a0}-\u{13ff}\u{1c80}-\u{1c88}\u{1c90}-\u{1cbf}\
    \u{1d00}-\u{1dbf}\u{1e00}-\u{206f}\u{2c00}-\u{2cee}\u{2d00}-\u{2d25}\u{a640}-\u{a66e}\u{a680}-\u{a69d}\u{a722}-\u{a7bf}\
    \u{ab30}-\u{ab5a}\u{ab70}-\u{abbf}\u{fb00}-\u{fb17}\
    \u{20a0}-\u{20bf}\u{2100}-\u{215f}\u{2190}-\u{24b5}\u{24ea}-\u{2bff}\u{3000}-\u{3020}\u{3041}-\u{3096}\u{30a0}-\u{30ff}\
    \u{4e00}-\u{9fff}\u{ac00}-\u{d7a3}\u{ff01}-\u{ff5e}\u{1f18a}-\u{1faff}";
/// Where letters with two cases are.
const CASED: &str = "A-Za-z\u{b5}\u{c0}-\u{24f}\u{250}-\u{2af}\u{370}-\u{58f}\u{10a0}-\u{10ff}\u{13a0}-\u{13ff}\u{1c80}-\u{1cbf}\
    \u{1d79}-\u{1d8e}\u{1e00}-\u{1fff}\u{2126}-\u{218f}\u{2c00}-\u{2d2f}\u{a640}-\u{a7ff}\u{ab30}-\u{abbf}\u{ff21}-\u{ff5a}";
/// Those that have two cases, and are letters to some only: numbers, letters in circles, a mark.
const UNSURE: &str = "\u{345}\u{2160}-\u{2188}\u{24b6}-\u{24e9}";

impl Writer<'_> {
    /// Nulls count as nothing. Redshift's function takes two arguments and gives null where one is.
    pub(super) fn concat(&mut self, call: &Call<'_>) -> Sql {
        if call.arguments.iter().any(|argument| self.type_name(argument) == "bool") {
            // Here PostgreSQL writes t and f.
            return self.refuse(call.span, "concat spells booleans in another way than a cast does", "cast it to text first");
        }
        let parts: Vec<Sql> = call.arguments.iter().map(|argument| self.as_text(argument)).collect();
        if self.is(Engine::DuckDb) || !self.rewrites(Rewrite::Concat) {
            return Sql::atom(format!("concat({})", parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join(", ")));
        }
        let part = |(part, argument): (Sql, &&Expr)| match plain_text(argument) {
            Some(_) => part.text,
            None => format!("coalesce({}, '')", part.text),
        };
        let parts: Vec<String> = parts.into_iter().zip(&call.arguments).map(part).collect();
        Sql::loose(parts.join(" || "))
    }

    /// Redshift has none: each value comes with the separator before it, and the first separator is cut off.
    pub(super) fn concat_with_separator(&mut self, call: &Call<'_>) -> Sql {
        let [separator, values @ ..] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        if values.iter().any(|value| self.type_name(value) == "bool") {
            return self.refuse(call.span, "concat_ws spells booleans in another way than a cast does", "cast it to text first");
        }
        let Some(text) = plain_text(separator) else {
            return self.refuse(span_of(separator), "the separator is to be a literal", "write it as a literal");
        };
        let parts: Vec<Sql> = values.iter().map(|value| self.as_text(value)).collect();
        let separator = self.text(text);
        if self.is(Engine::DuckDb) || !self.rewrites(Rewrite::Concat) {
            let parts: Vec<String> = parts.into_iter().map(|part| part.text).collect();
            return Sql::atom(format!("concat_ws({separator}, {})", parts.join(", ")));
        }
        let joined: Vec<String> = parts.into_iter().map(|part| format!("coalesce({separator} || {}, '')", part.part())).collect();
        Sql::atom(format!("substring({}, {})", joined.join(" || "), text.chars().count() + 1))
    }

    /// `||`: what is not text is spelled alike on all engines.
    pub(super) fn joined_text(&mut self, left: &Expr, right: &Expr) -> Sql {
        let textual = |name: &str| matches!(name, "text" | "varchar" | "unknown");
        let (one, other) = (self.type_name(left), self.type_name(right));
        if !textual(one) && !textual(other) {
            return self.refuse(span_of(left), format!("{one} || {other} is not the same on all engines"), "cast both sides to text");
        }
        let (one, other) = (self.as_text(left).part(), self.as_text(right).part());
        Sql::loose(format!("{one} || {other}"))
    }

    /// DuckDB pads with nothing unless it is told with what.
    pub(super) fn pad(&mut self, call: &Call<'_>) -> Sql {
        if let Some(empty) = call.arguments.get(2).filter(|fill| plain_text(fill) == Some("")) {
            return self.refuse(span_of(empty), "to pad with nothing is not the same on all engines", "write left(text, n)");
        }
        let mut arguments: Vec<String> = call.arguments.iter().map(|argument| self.expression(argument).text).collect();
        if arguments.len() == 2 && self.is(Engine::DuckDb) && self.rewrites(Rewrite::Pad) {
            arguments.push("' '".to_owned());
        }
        Sql::atom(format!("{}({})", call.name, arguments.join(", ")))
    }

    pub(super) fn substring_call(&mut self, call: &Call<'_>) -> Sql {
        match call.arguments.as_slice() {
            [text, start] if self.type_name(start) != "int4" && self.is_text(start) || plain_text(start).is_some() => {
                self.part_by_pattern(text, start)
            }
            [text, start] => self.part(text, start, None),
            [text, start, length] => self.part(text, start, Some(length)),
            _ => self.wrong_arguments(call),
        }
    }

    /// A part of a text by its place. Before the first character PostgreSQL and Redshift count on; DuckDB counts from the end.
    pub(super) fn part(&mut self, whole: &Expr, start: &Expr, length: Option<&Expr>) -> Sql {
        let text = self.expression(whole).text;
        let plain =
            whole_number(start).is_some_and(|start| start > 0) && length.is_none_or(|length| whole_number(length).is_some_and(|n| n >= 0));
        let (first, count) = (self.expression(start), length.map(|length| self.expression(length)));
        if plain || !self.is(Engine::DuckDb) || !self.rewrites(Rewrite::Substring) {
            let count = count.map_or_else(String::new, |count| format!(", {}", count.text));
            return Sql::atom(format!("substring({text}, {}{count})", first.text));
        }
        let first = first.part();
        let from = format!("case when {first} < 1 then 1 else {first} end");
        let Some(count) = count.map(Sql::part) else { return Sql::atom(format!("substring({text}, {from})")) };
        let is_there = self.and_is_there(whole) + &self.and_is_there(start);
        let wrong = "error('negative substring length not allowed')";
        let shown = format!(
            "case when {count} < 0{is_there} then {wrong} when {first} >= 1 then {count} when {first} + {count} <= 1 then 0 else {first} + {count} - 1 end"
        );
        Sql::atom(format!("substring({text}, {from}, {shown})"))
    }

    /// Redshift counts from the beginning only.
    pub(super) fn left_or_right(&mut self, call: &Call<'_>) -> Sql {
        let [text, length] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        match whole_number(length) {
            Some(0..) => self.plain_call(call, &call.name),
            _ if !self.is(Engine::Redshift) => self.plain_call(call, &call.name),
            Some(cut) => {
                let part = self.expression(text).part();
                let cut = -cut;
                match call.name.as_str() {
                    "left" => Sql::atom(format!("substring({part}, 1, greatest(len({part}) - {cut}, 0))")),
                    _ => Sql::atom(format!("substring({part}, {})", cut + 1)),
                }
            }
            None => {
                let (part, count) = (self.expression(text).part(), self.expression(length).part());
                let cut = match call.name.as_str() {
                    "left" => format!("substring({part}, 1, greatest(len({part}) + {count}, 0))"),
                    _ => format!("substring({part}, 1 - {count})"),
                };
                Sql::loose(format!("case when {count} >= 0 then {}({part}, {count}) when {count} < 0 then {cut} end", call.name))
            }
        }
    }

    /// An empty delimiter divides nothing in PostgreSQL, DuckDB takes each character for a part.
    pub(super) fn split_part(&mut self, call: &Call<'_>) -> Sql {
        let [text, delimiter, number] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        if plain_text(delimiter) == Some("") {
            return self.refuse(span_of(delimiter), "an empty delimiter is not the same on all engines", "write what divides the text");
        }
        let counted = whole_number(number);
        if counted == Some(0) {
            return self.refuse(span_of(number), "there is no part 0", "count the parts from 1");
        }
        match self.target() {
            Engine::Redshift if !matches!(counted, Some(1..)) => {
                let Some(divider) = plain_text(delimiter) else {
                    return self.lacks(
                        span_of(delimiter),
                        "counting parts from the end, by a delimiter that is no literal",
                        "write it as a literal",
                    );
                };
                let [text, number] = [text, number].map(|part| self.expression(part).part());
                let (length, divider) = (divider.chars().count(), self.text(divider));
                // Redshift counts from the beginning, so from the end it is told how many parts there are.
                let from_start = format!("(len({text}) - len(replace({text}, {divider}, ''))) / {length} + 2 + {number}");
                return Sql::loose(format!(
                    "case when {number} >= 0 then split_part({text}, {divider}, {number}) when {number} < 0 then \
                     case when {from_start} > 0 then split_part({text}, {divider}, {from_start}) when {text} is not null then '' end end"
                ));
            }
            // Redshift does not say what it does with an empty one.
            Engine::Redshift | Engine::DuckDb if plain_text(delimiter).is_none() && self.rewrites(Rewrite::SplitPart) => {
                let is_there = match self.target() {
                    Engine::DuckDb => self.and_is_there(text) + &self.and_is_there(delimiter),
                    _ => String::new(),
                };
                let [text, delimiter, number] = [text, delimiter, number].map(|part| self.expression(part).part());
                let zero = match (self.target(), counted) {
                    (Engine::DuckDb, None) => format!("{number} = 0{is_there} then error('field position must not be zero') when "),
                    _ => String::new(),
                };
                return Sql::loose(format!(
                    "case when {zero}len({delimiter}) = 0 then case when {number} in (1, -1) then {text} when {text} is not null and {number} is not null then '' end \
                     else split_part({text}, {delimiter}, {number}) end"
                ));
            }
            // DuckDB has nothing to say against a part 0.
            Engine::DuckDb if counted.is_none() && self.rewrites(Rewrite::SplitPart) => {
                let is_there = self.and_is_there(text);
                let number = self.expression(number).part();
                let written = self.plain_call(call, "split_part").text;
                return Sql::loose(format!(
                    "case when {number} = 0{is_there} then error('field position must not be zero') else {written} end"
                ));
            }
            _ => {}
        }
        self.plain_call(call, "split_part")
    }

    /// DuckDB keeps characters together that are drawn as one.
    pub(super) fn reverse(&mut self, call: &Call<'_>) -> Sql {
        let Some(text) = call.only() else { return self.wrong_arguments(call) };
        if !self.rewrites(Rewrite::Reverse) {
            return self.plain_call(call, "reverse");
        }
        Sql::atom(format!("array_to_string(list_reverse(string_split({}, '')), '')", self.expression(text).text))
    }

    /// Of a null that has no type DuckDB repeats bytes.
    pub(super) fn repeat(&mut self, call: &Call<'_>) -> Sql {
        let [text, times] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let (mut written, times) = (self.expression(text).text, self.expression(times).text);
        if matches!(text, Expr::Value(value) if value.value == Value::Null) {
            written = "cast(null as varchar)".to_owned();
        }
        Sql::atom(format!("repeat({written}, {times})"))
    }

    /// Words in DuckDB are what PostgreSQL takes for words: letters and digits. Whether a mark ends a word each locale and engine says for
    /// itself, so a letter behind one is an error.
    pub(super) fn initcap(&mut self, call: &Call<'_>) -> Sql {
        let Some(text) = call.only() else { return self.wrong_arguments(call) };
        if has_window(text) {
            // PostgreSQL's words come out of a subquery, into which no window function can go.
            let help = "select the value in a subquery, and call initcap around it";
            return self.refuse(call.span, "initcap of a window function is not the same on all engines", help);
        }
        let made = self.capital_words(call, text);
        if plain_text(text).is_some_and(str::is_ascii) || !self.rewrites(Rewrite::Initcap) {
            return made;
        }
        let written = self.expression(text).part();
        let marks = self.text(&format!("[^[:space:]{SURE}][{CASED}]|[{UNSURE}]"));
        let message = format!("'initcap of a letter behind a mark is not the same on all engines: ' || left({written}, 20)");
        let (found, error) = match self.target() {
            Engine::DuckDb => (format!("regexp_matches({written}, {marks})"), format!("error({message})")),
            // What is no number cannot be cast to one, so the statement fails.
            Engine::Postgres => (format!("{written} ~ {marks}"), format!("cast(cast({message} as integer) as text)")),
            Engine::Redshift => (format!("{written} ~ {marks}"), format!("cast(cast({message} as integer) as varchar(65535))")),
        };
        Sql::loose(format!("case when {found} then {error} else {} end", made.text))
    }

    fn capital_words(&mut self, call: &Call<'_>, text: &Expr) -> Sql {
        if self.is(Engine::Redshift) || !self.rewrites(Rewrite::Initcap) {
            return self.plain_call(call, "initcap");
        }
        let written = self.expression(text).text;
        if self.is(Engine::Postgres) {
            // The function asks the locale whether an apostrophe ends a word.
            let first = format!("({})", self.capital_of("left(acca_word[1], 1)"));
            let rest = self.small_letters("lower", "substr(acca_word[1], 2)").text;
            return Sql::loose(format!(
                "case when {written} is not null then (select coalesce(string_agg({first} || {rest}, \
                 '' order by acca_place), '') from regexp_matches({written}, '[[:alnum:]]+|[^[:alnum:]]+', 'g') \
                 with ordinality as acca_words (acca_word, acca_place)) end"
            ));
        }
        let first = self.capital_of("left(word, 1)");
        Sql::atom(format!(
            "array_to_string(list_transform(regexp_extract_all({written}, '[\\pL\\p{{Nd}}]+|[^\\pL\\p{{Nd}}]+'), \
             lambda word: ({first}) || lower(substring(word, 2))), '')"
        ))
    }

    pub(super) fn starts_with(&mut self, call: &Call<'_>) -> Sql {
        let [text, start] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let (text, start) = (self.expression(text).text, self.expression(start).part());
        Sql::loose(format!("(substring({text}, 1, len({start})) || '.') = ({start} || '.')"))
    }

    /// PostgreSQL writes lower-case digits, and an `integer` below zero as one of 32 bits.
    pub(super) fn hexadecimal(&mut self, call: &Call<'_>) -> Sql {
        let Some(number) = call.only() else { return self.wrong_arguments(call) };
        if self.is(Engine::Postgres) && self.type_name(number) == "int2" && self.rewrites(Rewrite::Hexadecimal) {
            return Sql::atom(format!("to_hex(cast({} as integer))", self.expression(number).text));
        }
        if self.is(Engine::Postgres) || !self.rewrites(Rewrite::Hexadecimal) {
            return self.plain_call(call, "to_hex");
        }
        let part = self.expression(number).part();
        match self.type_name(number) {
            "int8" => Sql::atom(format!("lower(to_hex({part}))")),
            _ => Sql::atom(format!("lower(to_hex(cast({part} as bigint) + case when {part} < 0 then 4294967296 else 0 end))")),
        }
    }

    /// `format('%s …', …)`: the parts, put together.
    pub(super) fn format_call(&mut self, call: &Call<'_>) -> Sql {
        let [pattern, values @ ..] = call.arguments.as_slice() else { return self.wrong_arguments(call) };
        let help = "put the parts together with ||";
        let Some(pattern_text) = plain_text(pattern) else { return self.lacks(span_of(pattern), "a format that is no literal", help) };
        let mut values = values.iter();
        let mut parts = Vec::new();
        let mut rest = pattern_text;
        while let Some((before, after)) = rest.split_once('%') {
            let mut literal = before.to_owned();
            rest = if let Some(after) = after.strip_prefix('%') {
                literal.push('%');
                after
            } else if let Some(after) = after.strip_prefix('s') {
                parts.push(self.text(&std::mem::take(&mut literal)));
                let Some(value) = values.next() else { return self.wrong_arguments(call) };
                if self.type_name(value) == "bool" {
                    return self.refuse(span_of(value), "the text of a boolean is not the same on all engines", "cast it to text first");
                }
                parts.push(format!("coalesce({}, '')", self.as_text(value).text));
                after
            } else {
                return self.lacks(span_of(pattern), "formats other than %s", help);
            };
            if !literal.is_empty() {
                parts.push(self.text(&literal));
            }
        }
        parts.push(self.text(rest));
        parts.retain(|part| part != "''");
        if !self.rewrites(Rewrite::Format) {
            return self.plain_call(call, "format");
        }
        Sql::loose(if parts.is_empty() { "''".to_owned() } else { parts.join(" || ") })
    }
}
