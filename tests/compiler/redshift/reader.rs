//! Reads statements from their tokens that the parser does not know.

use sqlparser::tokenizer::Token;

use super::Failure;

/// Tokens without blanks, and which is next.
pub struct Reader {
    pub tokens: Vec<Token>,
    pub at: usize,
}

impl Reader {
    pub fn of(tokens: &[Token]) -> Reader {
        let solid = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_)));
        Reader { tokens: solid.cloned().collect(), at: 0 }
    }

    pub fn word(&self) -> String {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_uppercase(),
            _ => String::new(),
        }
    }

    pub fn takes(&mut self, word: &str) -> bool {
        let there = self.word() == word;
        self.at += usize::from(there);
        there
    }

    /// All of the words, or none.
    pub fn takes_all(&mut self, words: &[&str]) -> bool {
        let before = self.at;
        let taken = words.iter().all(|word| self.takes(word));
        if !taken {
            self.at = before;
        }
        taken
    }

    pub fn takes_sign(&mut self, sign: &Token) -> bool {
        let there = self.tokens.get(self.at) == Some(sign);
        self.at += usize::from(there);
        there
    }

    pub fn text(&mut self) -> Result<String, Failure> {
        match self.tokens.get(self.at) {
            Some(Token::SingleQuotedString(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.wrong()),
        }
    }

    pub fn one_name(&mut self) -> Result<String, Failure> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => {
                let name = word.value.to_lowercase();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.wrong()),
        }
    }

    pub fn name(&mut self) -> Result<Vec<String>, Failure> {
        let mut parts = vec![self.one_name()?];
        while self.takes_sign(&Token::Period) {
            parts.push(self.one_name()?);
        }
        Ok(parts)
    }

    pub fn wrong(&self) -> Failure {
        let near = self.tokens.get(self.at).map_or_else(|| "end of input".to_owned(), ToString::to_string);
        Failure::refused(format!("syntax error at or near \"{near}\""), "42601")
    }
}
