//! Reads the expressions of a template as Jinja2 does, and says which of them are to be calls.

use std::borrow::Cow;

use minijinja::machinery::Token;

use super::literals::{CLOSES, Edit, OPENS, Piece, REPLACES};

/// Where an expression stands, and what is known of its value.
#[derive(Clone, Copy)]
struct Operand {
    start: usize,
    end: usize,
    literal: Literal,
    /// Nothing but a call.
    is_call: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Literal {
    /// Compares as the engine compares.
    Simple,
    Unknown,
}

/// Reads expressions as Jinja2 does, for nothing but their extents. `None` means: not understood, leave it to the engine.
pub(super) struct Parser<'a> {
    tokens: Vec<Piece<'a>>,
    at: usize,
    edits: Vec<Edit>,
    /// Within the arguments of a call that keeps nothing: literals stay as they are.
    plain: usize,
    /// The token at which a literal list is only looked at.
    plain_at: usize,
    depth: usize,
}

/// Deeper expressions are left to the engine, which refuses them.
const MAX_DEPTH: usize = 100;

impl<'a> Parser<'a> {
    pub(super) fn new(tokens: Vec<Piece<'a>>) -> Parser<'a> {
        Parser { tokens, at: 0, edits: Vec::new(), plain: 0, plain_at: usize::MAX, depth: 0 }
    }

    /// What is to be changed in the blocks of a template.
    pub(super) fn edits_of_template(mut self) -> Vec<Edit> {
        self.template();
        self.edits
    }

    /// What is to be changed in a bare expression.
    pub(super) fn edits_of_expression(mut self) -> Vec<Edit> {
        self.attempt(Parser::tuple);
        self.edits
    }

    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at).map(|piece| &piece.token)
    }

    fn word(&self) -> &'a str {
        match self.peek() {
            Some(Token::Ident(word)) => word,
            _ => "",
        }
    }

    fn skip(&mut self, wanted: impl Fn(&Token<'_>) -> bool) -> bool {
        let found = self.peek().is_some_and(wanted);
        self.at += usize::from(found);
        found
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let found = self.word() == word;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: impl Fn(&Token<'_>) -> bool) -> Option<()> {
        self.skip(wanted).then_some(())
    }

    fn start(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |piece| piece.start)
    }

    fn last_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |piece| piece.end)
    }

    fn edit(&mut self, start: usize, end: usize, text: impl Into<Cow<'static, str>>, rank: u8) {
        let created = self.edits.len() as i64;
        // Of what opens at one place the last found is outermost.
        let order = if rank == OPENS { -created } else { created };
        self.edits.push(Edit { start, end, text: text.into(), rank, order });
    }

    /// Replaces the token before the current one.
    fn replace_last(&mut self, text: impl Into<Cow<'static, str>>) {
        let Some(piece) = self.at.checked_sub(1).and_then(|last| self.tokens.get(last)) else { return };
        let (start, end) = (piece.start, piece.end);
        self.edit(start, end, text, REPLACES);
    }

    /// Keeps the edits only if all was understood.
    fn attempt<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) {
        let kept = self.edits.len();
        self.depth = 0;
        self.plain = 0;
        if parse(self).is_none() {
            self.edits.truncate(kept);
        }
    }

    fn template(&mut self) {
        while self.at < self.tokens.len() {
            match self.peek() {
                Some(Token::VariableStart) => {
                    self.at += 1;
                    self.attempt(|parser| {
                        parser.tuple()?;
                        parser.expect(|token| matches!(token, Token::VariableEnd))
                    });
                }
                Some(Token::BlockStart) => {
                    self.at += 1;
                    self.attempt(|parser| {
                        parser.statement()?;
                        parser.expect(|token| matches!(token, Token::BlockEnd))
                    });
                }
                _ => self.at += 1,
            }
        }
    }

    fn statement(&mut self) -> Option<()> {
        let keyword = self.word();
        self.at += 1;
        match keyword {
            "if" | "elif" | "print" => {
                self.tuple()?;
            }
            "do" => {
                let done = self.tuple()?;
                // The engine does calls only.
                if !done.is_call {
                    self.edit(done.start, done.start, "__do(", OPENS);
                    self.edit(done.end, done.end, ")", CLOSES);
                }
            }
            "set" => {
                self.skip_until(|token| matches!(token, Token::Assign))?;
                self.at += 1;
                self.tuple()?;
            }
            "for" => {
                self.skip_until(|token| matches!(token, Token::Ident("in")))?;
                self.at += 1;
                self.plain_at = self.at;
                let first = self.or()?;
                self.rest_of_tuple(first, Self::or)?;
                if self.skip_word("if") {
                    self.expression()?;
                }
                self.skip_word("recursive");
            }
            "call" => {
                if matches!(self.peek(), Some(Token::ParenOpen)) {
                    self.at += 1;
                    self.skip_until(|token| matches!(token, Token::ParenClose))?;
                    self.at += 1;
                }
                self.expression()?;
            }
            "with" => loop {
                self.expect(|token| matches!(token, Token::Ident(_)))?;
                self.expect(|token| matches!(token, Token::Assign))?;
                self.expression()?;
                if !self.skip(|token| matches!(token, Token::Comma)) {
                    break;
                }
            },
            _ => {}
        }
        Some(())
    }

    /// To the next such token outside of brackets, within this block.
    fn skip_until(&mut self, wanted: impl Fn(&Token<'_>) -> bool) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                token if depth == 0 && wanted(token) => return Some(()),
                Token::BlockEnd | Token::VariableEnd => return None,
                Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => depth += 1,
                Token::ParenClose | Token::BracketClose | Token::BraceClose => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// An expression, or several with commas between them, which are a tuple without its brackets.
    fn tuple(&mut self) -> Option<Operand> {
        let first = self.expression()?;
        self.rest_of_tuple(first, Self::expression)
    }

    fn rest_of_tuple(&mut self, first: Operand, item: fn(&mut Self) -> Option<Operand>) -> Option<Operand> {
        if !matches!(self.peek(), Some(Token::Comma)) {
            return Some(first);
        }
        while self.skip(|token| matches!(token, Token::Comma)) {
            if matches!(self.peek(), None | Some(Token::BlockEnd | Token::VariableEnd)) {
                break;
            }
            item(self)?;
        }
        let end = self.last_end();
        self.edit(first.start, first.start, "(", OPENS);
        self.edit(end, end, ")", CLOSES);
        Some(Operand { end, literal: Literal::Unknown, is_call: false, ..first })
    }

    fn expression(&mut self) -> Option<Operand> {
        self.deeper()?;
        let mut found = self.or()?;
        while self.skip_word("if") {
            self.or()?;
            if self.skip_word("else") {
                self.expression()?;
            }
            found = Operand { end: self.last_end(), literal: Literal::Unknown, is_call: false, ..found };
        }
        self.depth -= 1;
        Some(found)
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn or(&mut self) -> Option<Operand> {
        self.joined(|parser| parser.joined(Self::not, "and"), "or")
    }

    fn joined(&mut self, part: impl Fn(&mut Self) -> Option<Operand>, word: &str) -> Option<Operand> {
        let mut found = part(self)?;
        while self.skip_word(word) {
            let right = part(self)?;
            found = Operand { end: right.end, literal: Literal::Unknown, is_call: false, ..found };
        }
        Some(found)
    }

    fn not(&mut self) -> Option<Operand> {
        if self.word() == "not" {
            let start = self.start();
            self.at += 1;
            self.deeper()?;
            let negated = self.not()?;
            self.depth -= 1;
            return Some(Operand { start, end: negated.end, literal: Literal::Simple, is_call: false });
        }
        self.compare()
    }

    fn compare(&mut self) -> Option<Operand> {
        let first = self.sum()?;
        let mut operators: Vec<(&'static str, usize)> = Vec::new();
        let mut simple = first.literal == Literal::Simple;
        let mut contains = false;
        let mut last = first;
        loop {
            let operator = match self.peek() {
                Some(Token::Eq) => "==",
                Some(Token::Ne) => "!=",
                Some(Token::Lt) => "<",
                Some(Token::Lte) => "<=",
                Some(Token::Gt) => ">",
                Some(Token::Gte) => ">=",
                Some(Token::Ident("in")) => "in",
                Some(Token::Ident("not")) => {
                    self.at += 1;
                    "in"
                }
                _ => break,
            };
            operators.push((operator, self.at));
            self.at += 1;
            if operator == "in" {
                contains = true;
                self.plain_at = self.at;
            }
            last = self.sum()?;
            simple |= last.literal == Literal::Simple;
        }
        let Some((operator, _)) = operators.first() else { return Some(first) };
        let whole = Operand { start: first.start, end: last.end, literal: Literal::Simple, is_call: false };
        let equality = matches!(*operator, "==" | "!=");
        if contains || (operators.len() == 1 && equality && simple) {
            return Some(whole);
        }
        let single = operators.len() == 1;
        let function = if single { function_of(operator) } else { "__compare(" };
        self.edit(first.start, first.start, function, OPENS);
        for (operator, at) in operators {
            let Some((start, end)) = self.tokens.get(at).map(|piece| (piece.start, piece.end)) else { continue };
            let text = if single { Cow::Borrowed(",") } else { Cow::Owned(format!(",'{operator}',")) };
            self.edit(start, end, text, REPLACES);
        }
        self.edit(last.end, last.end, ")", CLOSES);
        Some(whole)
    }

    fn sum(&mut self) -> Option<Operand> {
        self.binary(Self::concatenation, |token| match token {
            Token::Plus => Some("__add("),
            Token::Minus => Some("__sub("),
            _ => None,
        })
    }

    fn concatenation(&mut self) -> Option<Operand> {
        let mut found = self.product()?;
        while self.skip(|token| matches!(token, Token::Tilde)) {
            let right = self.product()?;
            found = Operand { end: right.end, literal: Literal::Simple, is_call: false, ..found };
        }
        Some(found)
    }

    fn product(&mut self) -> Option<Operand> {
        self.binary(Self::power, |token| match token {
            Token::Mul => Some("__mul("),
            Token::Div => Some("__div("),
            Token::FloorDiv => Some("__floordiv("),
            Token::Mod => Some("__mod("),
            _ => None,
        })
    }

    fn power(&mut self) -> Option<Operand> {
        self.binary(Self::unary, |token| matches!(token, Token::Pow).then_some("__pow("))
    }

    fn binary(&mut self, part: fn(&mut Self) -> Option<Operand>, function: fn(&Token<'_>) -> Option<&'static str>) -> Option<Operand> {
        let mut found = part(self)?;
        while let Some(name) = self.peek().and_then(function) {
            self.at += 1;
            self.replace_last(",");
            let right = part(self)?;
            self.edit(found.start, found.start, name, OPENS);
            self.edit(right.end, right.end, ")", CLOSES);
            found = Operand { start: found.start, end: right.end, literal: Literal::Unknown, is_call: false };
        }
        Some(found)
    }

    fn unary(&mut self) -> Option<Operand> {
        let operand = self.signed()?;
        let operand = self.postfix(operand)?;
        self.filters(operand)
    }

    fn signed(&mut self) -> Option<Operand> {
        let function = match self.peek() {
            Some(Token::Minus) => "__neg(",
            Some(Token::Plus) => "__pos(",
            _ => return self.primary(),
        };
        let start = self.start();
        self.at += 1;
        let is_number = matches!(self.peek(), Some(Token::Int(_) | Token::Int128(_) | Token::Float(_)));
        let native = is_number && function == "__neg(";
        if !native {
            self.replace_last(function);
        }
        self.deeper()?;
        let operand = self.signed()?;
        self.depth -= 1;
        let operand = self.postfix(operand)?;
        if !native {
            self.edit(operand.end, operand.end, ")", CLOSES);
        }
        Some(Operand { start, end: operand.end, literal: Literal::Unknown, is_call: false })
    }

    fn postfix(&mut self, operand: Operand) -> Option<Operand> {
        let mut found = operand;
        loop {
            let mut is_call = false;
            match self.peek() {
                Some(Token::Dot) => {
                    self.at += 1;
                    self.expect(|token| matches!(token, Token::Ident(_) | Token::Int(_) | Token::Int128(_)))?;
                }
                Some(Token::BracketOpen) => self.subscript(found.start)?,
                Some(Token::ParenOpen) => {
                    is_call = true;
                    self.arguments()?;
                }
                _ => return Some(found),
            }
            found = Operand { start: found.start, end: self.last_end(), literal: Literal::Unknown, is_call };
        }
    }

    fn subscript(&mut self, start: usize) -> Option<()> {
        let open = (self.start(), self.start() + 1);
        self.at += 1;
        let mut parts = 0;
        let has_start = !matches!(self.peek(), Some(Token::Colon));
        if has_start {
            self.tuple()?;
        }
        let mut missing_before = !has_start;
        let mut colons: Vec<(usize, usize, bool)> = Vec::new();
        while matches!(self.peek(), Some(Token::Colon)) {
            colons.push((self.start(), self.start() + 1, missing_before));
            self.at += 1;
            parts += 1;
            missing_before = matches!(self.peek(), Some(Token::Colon | Token::BracketClose));
            if !missing_before {
                self.expression()?;
            }
        }
        let close = (self.start(), self.start() + 1);
        self.expect(|token| matches!(token, Token::BracketClose))?;
        if parts == 0 {
            return Some(());
        }
        self.edit(start, start, "__slice(", OPENS);
        self.edit(open.0, open.1, ",", REPLACES);
        for (from, to, missing) in colons {
            self.edit(from, to, if missing { "none," } else { "," }, REPLACES);
        }
        let mut end = String::new();
        if missing_before {
            end.push_str("none");
        }
        if parts == 1 {
            end.push_str(",none");
        }
        end.push(')');
        self.edit(close.0, close.1, end, REPLACES);
        (parts <= 2).then_some(())
    }

    fn arguments(&mut self) -> Option<()> {
        self.at += 1;
        while !self.skip(|token| matches!(token, Token::ParenClose)) {
            self.skip(|token| matches!(token, Token::Mul | Token::Pow));
            let named = matches!(self.peek(), Some(Token::Ident(_)))
                && matches!(self.tokens.get(self.at + 1).map(|piece| &piece.token), Some(Token::Assign));
            if named {
                self.at += 2;
            }
            self.expression()?;
            if !self.skip(|token| matches!(token, Token::Comma)) {
                self.expect(|token| matches!(token, Token::ParenClose))?;
                break;
            }
        }
        Some(())
    }

    fn filters(&mut self, operand: Operand) -> Option<Operand> {
        let mut found = operand;
        loop {
            if self.skip(|token| matches!(token, Token::Pipe)) {
                self.dotted_name()?;
                if matches!(self.peek(), Some(Token::ParenOpen)) {
                    self.arguments()?;
                }
            } else if self.skip_word("is") {
                self.skip_word("not");
                self.dotted_name()?;
                self.test_argument()?;
            } else {
                return Some(found);
            }
            found = Operand { start: found.start, end: self.last_end(), literal: Literal::Unknown, is_call: false };
        }
    }

    fn dotted_name(&mut self) -> Option<()> {
        self.expect(|token| matches!(token, Token::Ident(_)))?;
        while self.skip(|token| matches!(token, Token::Dot)) {
            self.expect(|token| matches!(token, Token::Ident(_)))?;
        }
        Some(())
    }

    /// `is divisibleby 3`: one operand without brackets.
    fn test_argument(&mut self) -> Option<()> {
        match self.peek() {
            Some(Token::ParenOpen) => self.arguments(),
            Some(Token::Ident("and" | "or" | "else" | "is" | "if" | "in" | "not" | "recursive")) => Some(()),
            Some(
                Token::Ident(_)
                | Token::Str(_)
                | Token::String(_)
                | Token::Int(_)
                | Token::Int128(_)
                | Token::Float(_)
                | Token::BracketOpen
                | Token::BraceOpen,
            ) => {
                let operand = self.signed()?;
                self.postfix(operand)?;
                Some(())
            }
            _ => Some(()),
        }
    }

    fn primary(&mut self) -> Option<Operand> {
        let start = self.start();
        let at = self.at;
        let token = self.tokens.get(at).map(|piece| &piece.token)?;
        let mut literal = Literal::Unknown;
        let mut is_call = false;
        match token {
            Token::Ident(name) => {
                let name = *name;
                self.at += 1;
                match name {
                    "not" | "and" | "or" | "in" | "is" | "if" | "else" => return None,
                    "true" | "True" | "none" | "None" | "false" | "False" => literal = Literal::Simple,
                    "config" if matches!(self.peek(), Some(Token::ParenOpen)) => {
                        self.plain += 1;
                        self.arguments()?;
                        self.plain -= 1;
                        is_call = true;
                    }
                    _ => {}
                }
            }
            Token::Str(_) | Token::String(_) => {
                while self.skip(|token| matches!(token, Token::Str(_) | Token::String(_))) {}
                literal = Literal::Simple;
            }
            Token::Int(_) | Token::Int128(_) | Token::Float(_) => self.at += 1,
            Token::ParenOpen => {
                self.at += 1;
                self.items(|token| matches!(token, Token::ParenClose), false)?;
            }
            Token::BracketOpen => {
                let wrap = self.plain == 0 && self.plain_at != at;
                self.at += 1;
                self.items(|token| matches!(token, Token::BracketClose), false)?;
                self.wrap(wrap, "__list(", start);
            }
            Token::BraceOpen => {
                let wrap = self.plain == 0;
                self.at += 1;
                self.items(|token| matches!(token, Token::BraceClose), true)?;
                self.wrap(wrap, "__dict(", start);
            }
            _ => return None,
        }
        Some(Operand { start, end: self.last_end(), literal, is_call })
    }

    fn wrap(&mut self, wrap: bool, function: &'static str, start: usize) {
        if wrap {
            let end = self.last_end();
            self.edit(start, start, function, OPENS);
            self.edit(end, end, ")", CLOSES);
        }
    }

    fn items(&mut self, close: fn(&Token<'_>) -> bool, pairs: bool) -> Option<()> {
        while !self.skip(close) {
            self.expression()?;
            if pairs {
                self.expect(|token| matches!(token, Token::Colon))?;
                self.expression()?;
            }
            if !self.skip(|token| matches!(token, Token::Comma)) {
                return self.expect(close);
            }
        }
        Some(())
    }
}

fn function_of(operator: &str) -> &'static str {
    match operator {
        "==" => "__eq(",
        "!=" => "__ne(",
        "<" => "__lt(",
        "<=" => "__le(",
        ">" => "__gt(",
        _ => "__ge(",
    }
}
