//! Every rule of the imitation is shown by a paragraph of `rules/*.txt`, under the numbers of its facts:
//!
//! ```text
//! fact 40: the average of whole numbers is whole
//! select avg(a) from t
//! > 2
//! ```
//!
//! Rows stand behind `>`, a piece of the message of what is refused behind `!`. A paragraph without either prepares the next.

use std::fs;
use std::path::Path;

use super::Imitation;

fn check_rules(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compiler/redshift/rules").join(file);
    let text = fs::read_to_string(path).unwrap();
    let imitation = Imitation::new();
    let mut session = imitation.session();
    let mut wrong = Vec::new();
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        let (title, body) = paragraph.trim().split_once('\n').unwrap_or((paragraph, ""));
        let told = |mark: char| {
            body.lines()
                .filter_map(move |line| line.strip_prefix(mark))
                .map(|line| line.strip_prefix(' ').unwrap_or(line))
                .collect::<Vec<_>>()
        };
        let (rows, refusal) = (told('>'), told('!'));
        let sql: Vec<&str> = body.lines().filter(|line| !line.starts_with(['>', '!'])).collect();
        let sql = sql.join("\n");
        let (found, expected) = match session.execute(&sql) {
            Ok(outcome) => {
                (outcome.lines().join("\n"), if refusal.is_empty() { rows.join("\n") } else { format!("refusal: {}", refusal.join(" ")) })
            }
            Err(failure) if !refusal.is_empty() && failure.message.contains(&refusal.join(" ")) && failure.code.is_some() => continue,
            Err(failure) => (format!("{} ({:?})", failure.message, failure.code), format!("{}{}", rows.join("\n"), refusal.join(" "))),
        };
        if found != expected {
            let sent = session.translate(&sql).unwrap_or_default();
            wrong.push(format!("{file}: {title}\n{sql}\n  expected: {expected}\n  found:    {found}\n  sent: {sent}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n\n"));
}

#[test]
fn numbers() {
    check_rules("numbers.txt");
}

#[test]
fn texts() {
    check_rules("texts.txt");
}

#[test]
fn dates() {
    check_rules("dates.txt");
}

#[test]
fn aggregates() {
    check_rules("aggregates.txt");
}

#[test]
fn queries() {
    check_rules("queries.txt");
}

#[test]
fn statements() {
    check_rules("statements.txt");
}
