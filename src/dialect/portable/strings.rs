//! Functions of text.
//!
//! - <https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html>
//! - <https://duckdb.org/docs/stable/sql/functions/text>

use sqlparser::ast::Expr;

use super::calls::Call;
use super::literals::plain_text;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, span_of};
use crate::dialect::Engine;

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
    pub(super) fn part(&mut self, text: &Expr, start: &Expr, length: Option<&Expr>) -> Sql {
        let text = self.expression(text).text;
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
        let wrong = "error('negative substring length not allowed')";
        let shown = format!(
            "case when {count} < 0 then {wrong} when {first} >= 1 then {count} when {first} + {count} <= 1 then 0 else {first} + {count} - 1 end"
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
                let [text, delimiter, number] = [text, delimiter, number].map(|part| self.expression(part).part());
                return Sql::loose(format!(
                    "case when len({delimiter}) = 0 then case when {number} in (1, -1) then {text} when {text} is not null and {number} is not null then '' end \
                     else split_part({text}, {delimiter}, {number}) end"
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

    /// Words in DuckDB are what PostgreSQL takes for words: letters and digits.
    pub(super) fn initcap(&mut self, call: &Call<'_>) -> Sql {
        let Some(text) = call.only() else { return self.wrong_arguments(call) };
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
        if !self.rewrites(Rewrite::Hexadecimal) {
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
