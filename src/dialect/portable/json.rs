//! Paths into JSON. DuckDB reads a key as a path unless it is written as one, and Redshift goes into SUPER with points and brackets.
//!
//! - <https://www.postgresql.org/docs/15/functions-json.html>
//! - <https://docs.aws.amazon.com/redshift/latest/dg/query-super.html>
//! - <https://duckdb.org/docs/stable/data/json/json_functions>

use sqlparser::ast::{BinaryOperator, Expr};

use super::calls::Call;
use super::literals::plain_text;
use super::numbers::whole_number;
use super::rewrite::Rewrite;
use super::writer::{Sql, Writer, print_name, span_of};
use crate::base::quote_ident;
use crate::dialect::Engine;

enum Step {
    Key(String),
    Position(i64),
}

impl Step {
    fn has_capitals(&self) -> bool {
        matches!(self, Step::Key(key) if key.chars().any(char::is_uppercase))
    }
}

impl Writer<'_> {
    /// `->`, `->>`, `#>` and `#>>`.
    pub(super) fn json_path(&mut self, expression: &Expr) -> Sql {
        self.json_value(expression, Wanted::Text)
    }

    /// `(document ->> key)::numeric` and its kin, to be cast by the caller.
    pub(super) fn json_number(&mut self, expression: &Expr) -> Sql {
        self.json_value(expression, Wanted::Number)
    }

    /// `(document ->> key)::integer`: what is none is found by whoever casts it.
    pub(super) fn json_whole(&mut self, expression: &Expr) -> Sql {
        self.json_value(expression, Wanted::Whole)
    }

    /// On Redshift a null of JSON is null itself, in PostgreSQL it is a value.
    pub(super) fn refuse_json_null(&mut self, parts: &[&Expr]) {
        let is_json = |part: &&&Expr| is_json_value(part);
        if let (true, Some(part)) = (self.is(Engine::Redshift), parts.iter().find(is_json)) {
            self.lacks(span_of(part), "a null of JSON that is not null", "take text out of the document with ->>");
        }
    }

    /// How many elements a list has. What is no list is an error, and a null of JSON is null, as it is on Redshift.
    pub(super) fn json_length(&mut self, call: &Call<'_>) -> Sql {
        let Some(list) = call.only() else { return self.wrong_arguments(call) };
        let written = self.expression(list).part();
        if !self.rewrites(Rewrite::JsonPath) {
            return self.plain_call(call, &call.name);
        }
        let no_list = "'cannot get array length of ' || ";
        match self.target() {
            Engine::Postgres => {
                let kind = if call.name == "jsonb_array_length" { "jsonb_typeof" } else { "json_typeof" };
                Sql::loose(format!("case when {kind}({written}) <> 'null' then {}({written}) end", call.name))
            }
            Engine::DuckDb => Sql::loose(format!(
                "case json_type({written}) when 'ARRAY' then cast(json_array_length({written}) as integer) when 'NULL' then null \
                 else cast(error({no_list}json_type({written})) as integer) end"
            )),
            Engine::Redshift => Sql::loose(format!(
                "case when is_array({written}) then cast(get_array_length({written}) as integer) \
                 when {written} is not null then cast({no_list}json_typeof({written}) as integer) end"
            )),
        }
    }

    fn json_value(&mut self, expression: &Expr, wanted: Wanted) -> Sql {
        let Expr::BinaryOp { left, op, right } = without_parentheses(expression) else { return Sql::atom("null") };
        let wanted = if gives_text(op) { wanted } else { Wanted::Json };
        if self.is(Engine::Postgres) || !self.rewrites(Rewrite::JsonPath) {
            let (one, other) = (self.expression(left).part(), self.expression(right).part());
            // A value of `jsonb` that is no list is its own first element.
            let by_place = self.is(Engine::Postgres) && self.type_name(left) == "jsonb" && whole_number(right).is_some();
            if by_place && self.rewrites(Rewrite::JsonPath) {
                return Sql::loose(format!("case when jsonb_typeof({one}) = 'array' then {one} {op} {other} end"));
            }
            // As `json` a number keeps its spelling, which no other engine knows: 1e3, -0.
            if self.is(Engine::Postgres) && gives_text(op) && self.type_name(left) == "json" && self.rewrites(Rewrite::JsonPath) {
                let op = if *op == BinaryOperator::LongArrow { "->" } else { "#>" };
                return Sql::loose(format!("cast({one} {op} {other} as jsonb) #>> '{{}}'"));
            }
            return Sql::loose(format!("{one} {op} {other}"));
        }
        let mut steps = Vec::new();
        let Some(root) = collect(expression, &mut steps) else {
            let help = "write keys and positions as literals, one by one: doc -> 'list' ->> 0";
            return self.refuse(span_of(right), "a path into JSON has to be a literal to be translated", help);
        };
        if self.is(Engine::DuckDb) && steps.iter().any(|step| matches!(step, Step::Key(key) if key.is_empty() || key.contains('*'))) {
            return self.lacks(span_of(right), "an empty key, or one with a star", "load the document with another key");
        }
        let document = self.expression(root);
        match self.target() {
            Engine::DuckDb => {
                let path = self.text(&duckdb_path(&steps));
                let complaint = self.complaint(&steps);
                let value = duckdb_value(&format!("{}, {path}", document.text), wanted, &complaint);
                if wanted == Wanted::Whole { value } else { self.read_once(&document.text, &steps, &value) }
            }
            _ => self.super_path(document, &steps, wanted, expression),
        }
    }

    /// What is cast from the text of a document by [`Self::json_whole`], but an error where a key on the way is there twice.
    pub(super) fn of_single_keys(&mut self, text: &Expr, cast: Sql) -> Sql {
        let mut steps = Vec::new();
        match collect(text, &mut steps) {
            Some(root) if is_json_text(text) && self.is(Engine::DuckDb) && self.rewrites(Rewrite::JsonPath) => {
                let document = self.expression(root).text;
                self.read_once(&document, &steps, &cast)
            }
            _ => cast,
        }
    }

    /// Of a key that an object has twice DuckDB reads the first value, PostgreSQL the last one. Redshift reads no such document.
    fn read_once(&mut self, document: &str, steps: &[Step], value: &Sql) -> Sql {
        let twice: Vec<String> = steps
            .iter()
            .enumerate()
            .filter_map(|(at, step)| {
                let Step::Key(key) = step else { return None };
                let object = self.text(&duckdb_path(steps.get(..at)?));
                Some(format!("len(list_filter(json_keys({document}, {object}), lambda acca_key: acca_key = {})) > 1", self.text(key)))
            })
            .collect();
        if twice.is_empty() {
            return Sql::loose(value.text.clone());
        }
        Sql::loose(format!("case when {} then error('an object of JSON has this key twice') else {} end", twice.join(" or "), value.text))
    }

    fn super_path(&mut self, document: Sql, steps: &[Step], wanted: Wanted, expression: &Expr) -> Sql {
        if steps.iter().any(Step::has_capitals) {
            return self.path_of_capitals(document, steps, wanted, expression);
        }
        let mut path = document.part();
        for step in steps {
            match step {
                Step::Key(key) => path.push_str(&format!(".{}", if print_name(key) == *key { key.clone() } else { quote_ident(key) })),
                Step::Position(at @ 0..) => path.push_str(&format!("[{at}]")),
                Step::Position(_) => return self.lacks(span_of(expression), "positions from the end", "count from the beginning"),
            }
        }
        super_value(path, wanted, &self.complaint(steps))
    }

    /// What is wrong with a value that no two engines spell alike, and of which key or position it is: what kind it is comes behind.
    fn complaint(&mut self, steps: &[Step]) -> String {
        let step = steps.last().map_or_else(String::new, |step| match step {
            Step::Key(key) => format!("->> '{key}'"),
            Step::Position(at) => format!("->> {at}"),
        });
        self.text(&format!("{step} gives what is spelled otherwise by each engine (cast numbers to numeric): "))
    }
}

/// How many steps the function of paths takes.
const STEPS: usize = 5;

impl Writer<'_> {
    /// A path of SUPER folds its keys, unless the session of whoever reads a view says otherwise. The functions of text do not, but show
    /// neither whether a value is a string nor, of nothing, whether it is missing, null or empty. So in the text a letter is put before
    /// what is a string under the last key, and nulls there get another key.
    fn path_of_capitals(&mut self, document: Sql, steps: &[Step], wanted: Wanted, expression: &Expr) -> Sql {
        let plain = |step: &Step| match step {
            Step::Key(key) => key.chars().all(|c| c == ' ' || c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '/')),
            Step::Position(at) => *at >= 0,
        };
        let Some(Step::Key(last)) = steps.last().filter(|_| steps.iter().all(plain) && wanted != Wanted::Json) else {
            let help = "take text out of the document by keys of ASCII, or load it with keys in lower case";
            return self.lacks(span_of(expression), "keys with capitals in this path, which it folds", help);
        };
        let key = format!("\"{last}\":");
        let mut text = format!("json_serialize({})", document.text);
        for (held, written) in [(" ", ""), ("\"", "\"s"), ("null", "")] {
            let written = if held == "null" { "\"\":null".to_owned() } else { format!("{key}{written}") };
            text = format!("replace({text}, {}, {})", self.text(&format!("{key}{held}")), self.text(&written));
        }
        let mut rest = steps;
        while let Some(first) = rest.first() {
            let keys: Vec<&String> =
                rest.iter().map_while(|step| if let Step::Key(key) = step { Some(key) } else { None }).take(STEPS).collect();
            let within = if rest.len() == steps.len() { text } else { format!("nullif({text}, '')") };
            if let Step::Position(at) = first {
                text = format!("json_extract_array_element_text({within}, {at})");
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let path: Vec<String> = keys.iter().map(|key| self.text(key)).collect();
            text = format!("json_extract_path_text({within}, {})", path.join(", "));
            rest = rest.get(keys.len()..).unwrap_or_default();
        }
        marked_value(&text, wanted, &self.complaint(steps))
    }
}

/// The value of a text in which an `s` stands before what is a string. Numbers with a fraction, objects and lists are an error, as elsewhere.
fn marked_value(text: &str, wanted: Wanted, complaint: &str) -> Sql {
    let value = format!("regexp_replace(nullif({text}, ''), '^s', '')");
    if wanted == Wanted::Number {
        return Sql::atom(value);
    }
    let wrong = format!("cast(cast({complaint} || left({text}, 20) as integer) as varchar(65535))");
    Sql::loose(format!("case when {text} !~ '^(s|true$|false$|0$|-?[1-9][0-9]{{0,17}}$|$)' then {wrong} else {value} end"))
}

/// What becomes of the value at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Json,
    Text,
    /// Text that is cast to a number at once.
    Number,
    /// Text of which the cast to another type tells what is wrong.
    Whole,
}

/// Whether an operator takes text out of a document.
fn gives_text(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::LongArrow | BinaryOperator::HashLongArrow)
}

fn without_parentheses(mut expression: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expression {
        expression = inner;
    }
    expression
}

/// Whether an expression takes a value out of a document, as JSON.
pub(super) fn is_json_value(expression: &Expr) -> bool {
    let expression = without_parentheses(expression);
    matches!(expression, Expr::BinaryOp { op: BinaryOperator::Arrow | BinaryOperator::HashArrow, .. })
}

/// Whether an expression takes text out of a document.
pub(super) fn is_json_text(expression: &Expr) -> bool {
    matches!(without_parentheses(expression), Expr::BinaryOp { op, .. } if gives_text(op))
}

fn duckdb_path(steps: &[Step]) -> String {
    let steps = steps.iter().map(|step| match step {
        Step::Key(key) => format!(".\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")),
        Step::Position(at @ 0..) => format!("[{at}]"),
        Step::Position(at) => format!("[#{at}]"),
    });
    format!("${}", steps.collect::<String>())
}

/// PostgreSQL gives an object with the blanks and a number with the zeros of the document. The other engines do not keep them: they say so
/// where it would show.
fn duckdb_value(arguments: &str, wanted: Wanted, complaint: &str) -> Sql {
    let (kind, text) = (format!("json_type({arguments})"), format!("json_extract_string({arguments})"));
    match wanted {
        Wanted::Json => Sql::atom(format!("json_extract({arguments})")),
        Wanted::Text => {
            Sql::loose(format!("case when {kind} in ('OBJECT', 'ARRAY', 'DOUBLE') then error({complaint} || {kind}) else {text} end"))
        }
        Wanted::Whole => Sql::atom(text),
        // Numbers are binary floats there, of which fifteen decimal digits are certain, and which are infinite in place of too large.
        Wanted::Number => Sql::loose(format!(
            "case when {kind} = 'DOUBLE' and (length(regexp_replace({text}, '[-.]|e.*', '', 'g')) > 15 or isinf(cast({text} as double))) \
             then error({complaint} || {kind}) when {text} = '-0.0' then '0.0' else {text} end"
        )),
    }
}

fn super_value(path: String, wanted: Wanted, complaint: &str) -> Sql {
    let text = format!("cast({path} as varchar(65535))");
    match wanted {
        Wanted::Json => Sql::atom(path),
        Wanted::Number => Sql::atom(text),
        // What does not fit would be NULL.
        Wanted::Text | Wanted::Whole => {
            // What is no number cannot be cast to one, so the statement fails.
            let wrong = format!("cast(cast({complaint} || json_typeof({path}) as integer) as varchar(65535))");
            let shown = format!("is_object({path}) or is_array({path}) or json_typeof({path}) = 'number' and not is_bigint({path})");
            Sql::loose(format!("case when {shown} then {wrong} else {text} end"))
        }
    }
}

/// The document, and the way into it.
fn collect<'e>(expression: &'e Expr, steps: &mut Vec<Step>) -> Option<&'e Expr> {
    match expression {
        Expr::Nested(inner) => collect(inner, steps),
        Expr::BinaryOp { left, op: BinaryOperator::Arrow | BinaryOperator::LongArrow, right } => {
            let root = collect(left, steps)?;
            let step = match plain_text(right) {
                Some(key) => Step::Key(key.to_owned()),
                None => Step::Position(whole_number(right)?),
            };
            steps.push(step);
            Some(root)
        }
        Expr::BinaryOp { left, op: BinaryOperator::HashArrow | BinaryOperator::HashLongArrow, right } => {
            let root = collect(left, steps)?;
            let path = plain_text(right)?.strip_prefix('{')?.strip_suffix('}')?;
            for step in path.split(',').map(str::trim) {
                if step.contains('"') || step.is_empty() {
                    return None;
                }
                // A number is a position in a list, and a key of an object: which of them only the document tells.
                if step.parse::<i64>().is_ok() {
                    return None;
                }
                steps.push(Step::Key(step.to_owned()));
            }
            Some(root)
        }
        other => Some(other),
    }
}
