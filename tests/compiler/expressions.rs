//! Expressions and small templates of `jinja/expressions.txt`, with what dbt-core 1.11 prints for them.
//!
//! A line is `expression => output`; what holds `{%` is a template as it stands. In outputs `\n`, `\t` and `\\` are escaped, and
//! `ERROR` stands for whatever is refused.

use std::fmt::Write;

use acca::jinja::NodeState;

use crate::harness::Case;
use crate::workbench::{node_named, parse};

const EXPRESSIONS: &str = include_str!("jinja/expressions.txt");

fn lines() -> Vec<(&'static str, String)> {
    let lines = EXPRESSIONS.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    let unescaped = |text: &str| text.replace("\\\\", "\0").replace("\\n", "\n").replace("\\t", "\t").replace('\0', "\\");
    let halves = |line: &'static str| line.rsplit_once(" => ").or_else(|| line.strip_suffix(" =>").map(|expression| (expression, "")));
    let read = |line| halves(line).unwrap_or_else(|| panic!("this line has no ' => ': {line}"));
    lines.map(read).map(|(expression, output)| (expression, unescaped(output))).collect()
}

/// What each template renders to, or `ERROR`.
fn outputs(templates: &[&str]) -> Vec<String> {
    let mut case = Case::default();
    case.files.insert("dbt_project.yml".to_owned(), "name: shop\nversion: '1.0'\nprofile: shop\n".to_owned());
    case.files.insert("profiles.yml".to_owned(), crate::engines::profiles(None));
    for (number, template) in templates.iter().enumerate() {
        let text =
            if template.contains("{%") || template.contains("{#") { (*template).to_owned() } else { format!("{{{{ {template} }}}}") };
        case.files.insert(format!("models/m{number}.sql"), text);
    }
    let (parsed, _) = parse(&case, None);
    let compilation = parsed.unwrap_or_else(|_| panic!("the project cannot be read"));
    let rendered = (0..templates.len()).map(|number| {
        let node = node_named(&compilation, &format!("m{number}")).unwrap();
        let rendered = compilation.compile_node(node, NodeState::default(), None);
        rendered.map_or_else(|problem| format!("ERROR {}", problem.message), |compiled| compiled.sql)
    });
    rendered.collect()
}

#[test]
fn expressions_print_as_in_dbt() {
    let lines = lines();
    let templates: Vec<&str> = lines.iter().map(|(template, _)| *template).collect();
    let mut wrong = String::new();
    for ((template, expected), found) in lines.iter().zip(outputs(&templates)) {
        let same = if expected == "ERROR" { found.starts_with("ERROR") } else { *expected == found };
        if !same {
            writeln!(wrong, "{template}\n  expected {expected:?}\n  found    {found:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{wrong}", wrong.matches("expected").count(), lines.len());
}
