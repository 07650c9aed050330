//! Which macros a text may call, without running it: for the graph of macros in artefacts.

/// The names that are called inside of the tags of a template, in order, each once: the package where one is named, and the name.
pub fn macro_calls(text: &str) -> Vec<(Option<&str>, &str)> {
    let mut calls = Vec::new();
    let mut rest = text;
    while let Some((start, close)) = next_tag(rest) {
        let inside = rest.get(start + 2..).unwrap_or("");
        let end = inside.find(close).unwrap_or(inside.len());
        if close != "#}" {
            for call in calls_in(inside.get(..end).unwrap_or("")) {
                if !calls.contains(&call) {
                    calls.push(call);
                }
            }
        }
        rest = inside.get(end + 2..).unwrap_or("");
    }
    calls
}

/// Where the next tag begins and what closes it.
fn next_tag(text: &str) -> Option<(usize, &'static str)> {
    let at = |open: &str| text.find(open);
    [("{{", "}}"), ("{%", "%}"), ("{#", "#}")].into_iter().filter_map(|(open, close)| Some((at(open)?, close))).min()
}

fn calls_in(code: &str) -> Vec<(Option<&str>, &str)> {
    let mut calls = Vec::new();
    let mut quote = None;
    for (at, character) in code.char_indices() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(') => calls.extend(called(code.get(..at).unwrap_or("").trim_end())),
            (None, _) => {}
        }
    }
    calls
}

/// The name at the end of the text: `name` or `package.name`.
fn called(before: &str) -> Option<(Option<&str>, &str)> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let start = before.rfind(|character: char| !(is_name(character) || character == '.')).map_or(0, |at| at + 1);
    let start = (start..=before.len()).find(|at| before.is_char_boundary(*at))?;
    let path = before.get(start..)?;
    match path.split_once('.') {
        None if !path.is_empty() => Some((None, path)),
        Some((package, name)) if !package.is_empty() && !name.is_empty() && !name.contains('.') => Some((Some(package), name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_in_tags_only() {
        let text = "select f(1) {# g(1) #} {{ a(b.c(1), 'd(1)') }} {% if e () and x.y.z(1) %} {{ a(2) }} {%- do é() %}";
        assert_eq!(macro_calls(text), [(None, "a"), (Some("b"), "c"), (None, "e"), (None, "é")]);
        assert_eq!(macro_calls("{{ open("), [(None, "open")]);
    }
}
