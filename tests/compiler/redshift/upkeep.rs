//! Statements about how tables are kept, which the parser does not read: they change no rows here.

use sqlparser::tokenizer::Token;

use super::Failure;

/// What is to be done, with the name of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upkeep {
    Refresh(Vec<String>),
    Analyze(Option<Vec<String>>),
    Vacuum(Option<Vec<String>>),
    Lock(Vec<String>),
    /// Distribution, sort keys and encodings.
    Storage(Vec<String>),
    /// The rows of the second table go over to the first.
    Append(Vec<String>, Vec<String>),
}

impl Upkeep {
    /// Whether it cannot run while a transaction is open: facts 188 and 194.
    pub fn needs_its_own_transaction(&self) -> bool {
        matches!(self, Upkeep::Refresh(_) | Upkeep::Vacuum(_) | Upkeep::Append(..))
    }
}

/// `None` for any other statement.
///
/// # Errors
/// Where the statement is not written as Redshift wants it.
pub fn read(tokens: &[Token]) -> Result<Option<Upkeep>, Failure> {
    let solid: Vec<&Token> = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let word = |at: usize| match solid.get(at) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_uppercase(),
        _ => String::new(),
    };
    // The name that begins at a place, and the place behind it.
    let name = |mut at: usize| {
        let mut parts = Vec::new();
        while let Some(Token::Word(word)) = solid.get(at) {
            parts.push(word.value.to_lowercase());
            at += 1;
            if solid.get(at) != Some(&&Token::Period) {
                break;
            }
            at += 1;
        }
        (parts, at)
    };
    let syntax =
        || Failure::refused(format!("syntax error at or near \"{}\"", solid.last().map(ToString::to_string).unwrap_or_default()), "42601");
    let found = match (word(0).as_str(), word(1).as_str()) {
        ("REFRESH", "MATERIALIZED") => {
            let (table, end) = name(3);
            let restricted = matches!(word(end).as_str(), "RESTRICT" | "CASCADE");
            if table.is_empty() || end + usize::from(restricted) < solid.len() {
                return Err(syntax());
            }
            Upkeep::Refresh(table)
        }
        ("ANALYZE", _) => {
            let at = usize::from(word(1) == "VERBOSE") + 1;
            let (table, _) = name(at);
            Upkeep::Analyze((!table.is_empty()).then_some(table))
        }
        ("VACUUM", _) => {
            let mut at = 1;
            while matches!(word(at).as_str(), "FULL" | "SORT" | "DELETE" | "ONLY" | "REINDEX" | "RECLUSTER") {
                at += 1;
            }
            let (table, _) = name(at);
            Upkeep::Vacuum((!table.is_empty()).then_some(table))
        }
        ("LOCK", _) => {
            let (table, end) = name(if word(1) == "TABLE" { 2 } else { 1 });
            if table.is_empty() || end < solid.len() {
                return Err(syntax());
            }
            Upkeep::Lock(table)
        }
        ("ALTER", "TABLE") => {
            let (table, end) = name(2);
            match (word(end).as_str(), word(end + 1).as_str()) {
                ("APPEND", "FROM") => Upkeep::Append(table, name(end + 2).0),
                ("ALTER", "DISTSTYLE" | "DISTKEY" | "SORTKEY" | "COMPOUND" | "ENCODE") => Upkeep::Storage(table),
                ("ALTER", "COLUMN") if word(end + 3) == "ENCODE" => Upkeep::Storage(table),
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(found))
}
