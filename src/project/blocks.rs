//! Finds dbt's statement blocks (`{% macro %}`, `{% test %}`, `{% snapshot %}`, `{% materialization %}`, `{% docs %}`) in a file.
//!
//! Jinja itself knows none but the first. Only tags, comments and raw blocks are looked at; the rest is left to the template engine.

use super::Parameter;
use crate::base::Span;
use crate::diag::{Diagnostic, codes};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    Macro,
    Test,
    Materialization,
    Snapshot,
    Docs,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub kind: BlockKind,
    pub name: String,
    pub name_span: Span,
    /// Parameters of a macro or test.
    pub parameters: Vec<Parameter>,
    /// `default`, or the adapter of a materialization.
    pub adapter: Option<String>,
    /// Inside of the block, white-space control of its own tags applied.
    pub body: Span,
    /// Everything from the opening tag to the closing one.
    pub whole: Span,
}

struct Tag<'a> {
    /// Offset of `{%` and just past `%}`.
    start: usize,
    end: usize,
    /// Inside without the signs of white-space control.
    inside: &'a str,
    inside_start: usize,
    trims_before: bool,
    trims_after: bool,
}

impl<'a> Tag<'a> {
    fn keyword(&self) -> &'a str {
        let rest = self.inside.trim_start();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        rest.get(..end).unwrap_or("")
    }

    /// What follows the keyword, with its offset in the file.
    fn arguments(&self) -> (&'a str, usize) {
        let lead = self.inside.len() - self.inside.trim_start().len();
        let skip = lead + self.keyword().len();
        (self.inside.get(skip..).unwrap_or(""), self.inside_start + skip)
    }
}

fn block_kind(keyword: &str) -> Option<(BlockKind, &'static str)> {
    match keyword {
        "macro" => Some((BlockKind::Macro, "endmacro")),
        "test" | "data_test" => Some((BlockKind::Test, "endtest")),
        "materialization" => Some((BlockKind::Materialization, "endmaterialization")),
        "snapshot" => Some((BlockKind::Snapshot, "endsnapshot")),
        "docs" => Some((BlockKind::Docs, "enddocs")),
        _ => None,
    }
}

/// All top-level blocks of `text`, the whole text of the file of `file`. An unclosed or badly named block is reported and left out.
pub fn scan_blocks(file: Span, text: &str) -> (Vec<Block>, Vec<Diagnostic>) {
    let mut blocks = Vec::new();
    let mut problems = Vec::new();
    let mut at = 0;
    while let Some(open) = next_tag(text, at) {
        at = open.end;
        let Some((kind, end_keyword)) = block_kind(open.keyword()) else {
            if open.keyword() == "raw" {
                at = find_end(text, at, "raw", "endraw").map_or(text.len(), |close| close.end);
            }
            continue;
        };
        // The text of documentation is Markdown: nothing in it but its own end is a tag.
        let close =
            if kind == BlockKind::Docs { find_plain_end(text, at, end_keyword) } else { find_end(text, at, open.keyword(), end_keyword) };
        let Some(close) = close else {
            let span = Span::new(file.file, open.start, open.end);
            problems.push(
                Diagnostic::new(&codes::JINJA_SYNTAX, format!("the block '{}' is never closed", open.keyword()))
                    .at(span)
                    .help(format!("end it with '{{% {end_keyword} %}}'")),
            );
            continue;
        };
        at = close.end;
        match header(file, kind, &open) {
            Ok((name, name_span, parameters, adapter)) => {
                let body = body_span(file, text, &open, &close);
                let whole = Span::new(file.file, open.start, close.end);
                blocks.push(Block { kind, name, name_span, parameters, adapter, body, whole });
            }
            Err(problem) => problems.push(*problem),
        }
    }
    (blocks, problems)
}

fn body_span(file: Span, text: &str, open: &Tag<'_>, close: &Tag<'_>) -> Span {
    let inside = text.get(open.end..close.start).unwrap_or("");
    let (mut start, mut end) = (open.end, close.start);
    if open.trims_after {
        start += inside.len() - inside.trim_start().len();
    }
    if close.trims_before {
        end -= inside.len() - inside.trim_end().len();
    }
    Span::new(file.file, start.min(end), end)
}

/// The next `{% … %}` from `at` on, past comments.
fn next_tag(text: &str, mut at: usize) -> Option<Tag<'_>> {
    loop {
        let found = at + text.get(at..)?.find('{')?;
        match text.as_bytes().get(found + 1) {
            Some(b'#') => at = text.get(found..)?.find("#}").map(|end| found + end + 2)?,
            Some(b'{') => at = expression_end(text, found + 2)?,
            Some(b'%') => return tag_at(text, found),
            _ => at = found + 1,
        }
    }
}

/// Past the `}}` that ends an expression, quotes respected. A stray `{{` ends where the next tag would.
fn expression_end(text: &str, at: usize) -> Option<usize> {
    Some(scan_to(text, at, "}}").unwrap_or(at))
}

fn tag_at(text: &str, start: usize) -> Option<Tag<'_>> {
    let end = scan_to(text, start + 2, "%}")?;
    let mut inside_start = start + 2;
    let mut inside_end = end - 2;
    let sign = |at: usize| matches!(text.as_bytes().get(at), Some(b'-' | b'+'));
    let trims_before = text.as_bytes().get(inside_start) == Some(&b'-');
    if sign(inside_start) {
        inside_start += 1;
    }
    let trims_after = inside_end > inside_start && text.as_bytes().get(inside_end - 1) == Some(&b'-');
    if inside_end > inside_start && sign(inside_end - 1) {
        inside_end -= 1;
    }
    let inside = text.get(inside_start..inside_end)?;
    Some(Tag { start, end, inside, inside_start, trims_before, trims_after })
}

/// Offset just past the next `end` outside of quotes.
fn scan_to(text: &str, at: usize, end: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quote: Option<u8> = None;
    let mut index = at;
    while let Some(byte) = bytes.get(index) {
        match (quote, *byte) {
            (Some(_), b'\\') => index += 1,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None, _) if text.get(index..).is_some_and(|rest| rest.starts_with(end)) => return Some(index + end.len()),
            (None, _) => {}
        }
        index += 1;
    }
    None
}

/// The tag that closes a block opened just before `at`; blocks of the same kind may nest.
fn find_end<'a>(text: &'a str, mut at: usize, open: &str, end: &str) -> Option<Tag<'a>> {
    let mut depth = 0usize;
    while let Some(tag) = next_tag(text, at) {
        at = tag.end;
        let keyword = tag.keyword();
        if keyword == end || (end == "endtest" && keyword == "enddata_test") {
            if depth == 0 {
                return Some(tag);
            }
            depth -= 1;
        } else if keyword == open && open != "raw" {
            depth += 1;
        }
    }
    None
}

fn find_plain_end<'a>(text: &'a str, mut at: usize, end: &str) -> Option<Tag<'a>> {
    loop {
        let found = at + text.get(at..)?.find("{%")?;
        match tag_at(text, found) {
            Some(tag) if tag.keyword() == end => return Some(tag),
            _ => at = found + 2,
        }
    }
}

type Header = (String, Span, Vec<Parameter>, Option<String>);

fn header(file: Span, kind: BlockKind, open: &Tag<'_>) -> Result<Header, Box<Diagnostic>> {
    let (rest, offset) = open.arguments();
    let lead = rest.len() - rest.trim_start().len();
    let rest = rest.trim();
    let name_len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let name = rest.get(..name_len).unwrap_or("").to_owned();
    let name_span = Span::new(file.file, offset + lead, offset + lead + name_len);
    if name.is_empty() {
        let whole = Span::new(file.file, open.start, open.end);
        return Err(Box::new(Diagnostic::new(&codes::JINJA_SYNTAX, format!("the block '{}' has no name", open.keyword())).at(whole)));
    }
    let arguments = rest.get(name_len..).unwrap_or("");
    let arguments_start = offset + lead + name_len;
    match kind {
        BlockKind::Macro | BlockKind::Test => Ok((name, name_span, parameters(file, arguments, arguments_start, open)?, None)),
        BlockKind::Materialization => Ok((name, name_span, Vec::new(), Some(adapter_of(arguments)))),
        BlockKind::Snapshot | BlockKind::Docs => Ok((name, name_span, Vec::new(), None)),
    }
}

/// `, adapter='postgres'` → `postgres`; `, default` and nothing → `default`.
fn adapter_of(arguments: &str) -> String {
    let named =
        arguments.split(',').find_map(|part| part.trim().strip_prefix("adapter").map(|rest| rest.trim_start().trim_start_matches('=')));
    named.map_or_else(|| "default".to_owned(), |value| value.trim().trim_matches(['\'', '"']).to_owned())
}

fn parameters(file: Span, text: &str, start: usize, open: &Tag<'_>) -> Result<Vec<Parameter>, Box<Diagnostic>> {
    let lead = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    let broken = |what: &str| {
        let span = Span::new(file.file, open.start, open.end);
        Box::new(Diagnostic::new(&codes::JINJA_SYNTAX, what.to_owned()).at(span).help("write it as '{% macro name(first, second=none) %}'"))
    };
    let Some(inside) = trimmed.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return Err(broken("the parameters of a macro stand in parentheses after its name"));
    };
    let mut found = Vec::new();
    let mut at = start + lead + 1;
    for part in split_commas(inside) {
        let name_end = part.find('=').unwrap_or(part.len());
        let name = part.get(..name_end).unwrap_or("").trim();
        let default = part.get(name_end + 1..).map(|value| {
            let skipped = value.len() - value.trim_start().len();
            let value_start = at + name_end + 1 + skipped;
            Span::new(file.file, value_start, value_start + value.trim().len())
        });
        at += part.len() + 1;
        if name.is_empty() && default.is_none() && part.trim().is_empty() {
            continue;
        }
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(broken("a parameter of a macro has no name"));
        }
        found.push(Parameter { name: name.to_owned(), default });
    }
    Ok(found)
}

/// Splits at commas outside of quotes and brackets.
fn split_commas(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut quote, mut start) = (0i32, None, 0);
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), c) if c == open && !escaped => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.extend(text.get(start..index));
                start = index + 1;
            }
            (None, _) => {}
        }
        escaped = false;
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;

    fn scan(text: &str) -> (Vec<Block>, Vec<Diagnostic>) {
        scan_blocks(Span::new(FileId(0), 0, text.len()), text)
    }

    fn slice(text: &str, span: Span) -> &str {
        &text[span.range()]
    }

    #[test]
    fn macros_with_defaults_and_trimming() {
        let text = "{# {% macro no() %} #}\n{%- macro add(a, b='x,(', c=[1, 2]) -%}\n  {{ a }} {{ '{% endmacro %}' }}\n{%- endmacro %}";
        let (blocks, problems) = scan(text);
        assert_eq!(problems, vec![]);
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].name, "add");
        assert_eq!(slice(text, blocks[0].name_span), "add");
        let defaults: Vec<_> = blocks[0].parameters.iter().map(|p| (p.name.as_str(), p.default.map(|s| slice(text, s)))).collect();
        assert_eq!(defaults, vec![("a", None), ("b", Some("'x,('")), ("c", Some("[1, 2]"))]);
        assert_eq!(slice(text, blocks[0].body), "{{ a }} {{ '{% endmacro %}' }}");
    }

    #[test]
    fn snapshots_docs_tests_and_materializations() {
        let text = "{% snapshot s %}select 1{% endsnapshot %}{% docs d %}it's {% raw text{% enddocs %}\
                    {% test positive(model, column_name) %}x{% endtest %}{% materialization m, adapter='postgres' %}y{% endmaterialization %}";
        let (blocks, problems) = scan(text);
        assert_eq!(problems, vec![]);
        let found: Vec<_> = blocks.iter().map(|b| (b.kind, b.name.as_str(), slice(text, b.body), b.adapter.as_deref())).collect();
        assert_eq!(
            found,
            vec![
                (BlockKind::Snapshot, "s", "select 1", None),
                (BlockKind::Docs, "d", "it's {% raw text", None),
                (BlockKind::Test, "positive", "x", None),
                (BlockKind::Materialization, "m", "y", Some("postgres")),
            ]
        );
    }

    #[test]
    fn raw_text_holds_no_blocks_and_an_open_block_is_reported() {
        let (blocks, problems) = scan("{% raw %}{% macro x() %}{% endraw %}{% macro y() %}");
        assert_eq!(blocks, vec![]);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].message, "the block 'macro' is never closed");
    }
}
