//! The tokens of plain SQL, read by bytes. The library's tokenizer takes every character by itself, and makes tokens of blanks, over which
//! the parser then steps again and again: that was an eighth of what portable models cost.

use std::collections::HashMap;
use std::sync::LazyLock;

use sqlparser::keywords::{ALL_KEYWORDS, ALL_KEYWORDS_INDEX, Keyword};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Word};

/// The tokens of a text without blanks and comments, just as the library's tokenizer reads them; `None` where the text has anything of
/// which only that one knows what it is, or where the parser looks at blanks or comments.
pub(super) fn plain_tokens(sql: &str) -> Option<Vec<TokenWithSpan>> {
    // A token takes five bytes at least in most models. Lists of few sizes take the memory of one another.
    let tokens = Vec::with_capacity((sql.len() / 5).next_power_of_two().max(64));
    let mut reader = Reader { text: sql, at: 0, line: 1, line_start: 0, tokens };
    while let Some(byte) = reader.byte(reader.at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => reader.pass(reader.at + 1),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => reader.word()?,
            b'0'..=b'9' => reader.number()?,
            b'.' => reader.period()?,
            b'\'' => reader.text()?,
            b'"' => reader.name()?,
            b'-' if reader.byte(reader.at + 1) == Some(b'-') => reader.line_comment()?,
            b'/' if reader.byte(reader.at + 1) == Some(b'*') => reader.comment()?,
            _ => reader.sign()?,
        }
    }
    Some(reader.tokens)
}

struct Reader<'t> {
    text: &'t str,
    /// The byte that is read next.
    at: usize,
    line: u64,
    /// Where the line would begin if all characters before `at` were bytes: columns are counted in characters.
    line_start: usize,
    tokens: Vec<TokenWithSpan>,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn rest(&self, from: usize) -> &[u8] {
        self.text.as_bytes().get(from..).unwrap_or_default()
    }

    /// The byte behind those from there on that are alike.
    fn end_of(&self, from: usize, is_alike: impl Fn(&u8) -> bool) -> usize {
        from + self.rest(from).iter().take_while(|byte| is_alike(byte)).count()
    }

    fn location(&self) -> Location {
        Location { line: self.line, column: (self.at - self.line_start + 1) as u64 }
    }

    /// Goes on to a place; there may be anything before it.
    fn pass(&mut self, end: usize) {
        for at in self.at..end {
            match self.byte(at) {
                Some(b'\n') => (self.line, self.line_start) = (self.line + 1, at + 1),
                // All bytes of a character but the first.
                Some(0x80..0xc0) => self.line_start += 1,
                _ => {}
            }
        }
        self.at = end;
    }

    /// Keeps what goes to a place. There is no end of a line and nothing but ASCII in it.
    fn keep(&mut self, token: Token, end: usize) {
        let start = self.location();
        self.at = end;
        self.tokens.push(TokenWithSpan { token, span: Span::new(start, self.location()) });
    }

    /// A name or a keyword. Before a quote it may be the prefix of a string, and with other characters it goes on.
    fn word(&mut self) -> Option<()> {
        let end = self.end_of(self.at, |byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if matches!(self.byte(end), Some(b'\'' | b'"' | b'$' | 0x80..)) {
            return None;
        }
        let value = self.text.get(self.at..end)?;
        self.keep(Token::Word(Word { keyword: keyword(value), value: value.to_owned(), quote_style: None }), end);
        Some(())
    }

    /// `1`, `1.5`
    fn number(&mut self) -> Option<()> {
        let mut end = self.end_of(self.at, u8::is_ascii_digit);
        if self.byte(end) == Some(b'.') {
            let point = end;
            end = self.end_of(point + 1, u8::is_ascii_digit);
            if end == point + 1 {
                return None;
            }
        }
        if matches!(self.byte(end), Some(b'.' | b'_' | b'$' | b'a'..=b'z' | b'A'..=b'Z' | 0x80..)) {
            return None;
        }
        let value = self.text.get(self.at..end)?.to_owned();
        self.keep(Token::Number(value, false), end);
        Some(())
    }

    /// What is between names: a number may begin with one too, and a name that begins with `_` follows right behind a name only.
    fn period(&mut self) -> Option<()> {
        let follows_a_name = |last: &TokenWithSpan| matches!(last.token, Token::Word(_)) && last.span.end == self.location();
        match self.byte(self.at + 1) {
            Some(b'0'..=b'9') => return None,
            Some(b'_') if !self.tokens.last().is_some_and(follows_a_name) => return None,
            _ => self.keep(Token::Period, self.at + 1),
        }
        Some(())
    }

    /// `'text'`, unless another one follows, which may belong to it.
    fn text(&mut self) -> Option<()> {
        let value = self.quoted(b'\'')?;
        if value.contains('\\') || self.tokens.last().is_some_and(|last| matches!(last.token, Token::SingleQuotedString(_))) {
            return None;
        }
        let token = Token::SingleQuotedString(value.to_owned());
        self.keep_quoted(token, value.len());
        Some(())
    }

    /// `"name"`
    fn name(&mut self) -> Option<()> {
        let value = self.quoted(b'"')?;
        let token = Token::Word(Word { value: value.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword });
        self.keep_quoted(token, value.len());
        Some(())
    }

    /// What stands up to the next quote, which must not be doubled.
    fn quoted(&self, quote: u8) -> Option<&str> {
        let start = self.at + 1;
        let end = start + memchr::memchr(quote, self.rest(start))?;
        if self.byte(end + 1) == Some(quote) {
            return None;
        }
        self.text.get(start..end)
    }

    fn keep_quoted(&mut self, token: Token, length: usize) {
        let start = self.location();
        self.pass(self.at + length + 2);
        self.tokens.push(TokenWithSpan { token, span: Span::new(start, self.location()) });
    }

    /// `-- …`, which a carriage return ends, too.
    fn line_comment(&mut self) -> Option<()> {
        let start = self.at + 2;
        let end = memchr::memchr2(b'\n', b'\r', self.rest(start)).map_or(self.text.len(), |length| start + length);
        self.pass_comment(start, end, end)
    }

    /// `/* … */` with no other one inside.
    fn comment(&mut self) -> Option<()> {
        let start = self.at + 2;
        let end = start + memchr::memmem::find(self.rest(start), b"*/")?;
        // The end may be the beginning of another one: `/*/`.
        if memchr::memmem::find(self.text.as_bytes().get(start..=end)?, b"/*").is_some() {
            return None;
        }
        self.pass_comment(start, end, end + 2)
    }

    /// A comment is nothing, unless it is a hint to the optimizer, which the parser keeps: `+ …`, `letters+ …`.
    fn pass_comment(&mut self, start: usize, text_end: usize, end: usize) -> Option<()> {
        let (before, _) = self.text.get(start..text_end)?.split_once('+').unwrap_or((" ", ""));
        if before.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        self.pass(end);
        Some(())
    }

    /// An operator is all the characters of operators that follow one another: of any others it is not certain where they part.
    fn sign(&mut self) -> Option<()> {
        let end = match self.byte(self.at)? {
            b':' => self.at + 2,
            first if is_of_operators(&first) => self.end_of(self.at, is_of_operators),
            _ => self.at + 1,
        };
        let token = match self.text.as_bytes().get(self.at..end)? {
            b"(" => Token::LParen,
            b")" => Token::RParen,
            b"," => Token::Comma,
            b";" => Token::SemiColon,
            b"[" => Token::LBracket,
            b"]" => Token::RBracket,
            b"::" => Token::DoubleColon,
            b":=" => Token::Assignment,
            b"=" => Token::Eq,
            b"<>" | b"!=" => Token::Neq,
            b"<" => Token::Lt,
            b">" => Token::Gt,
            b"<=" => Token::LtEq,
            b">=" => Token::GtEq,
            b"=>" => Token::RArrow,
            b"+" => Token::Plus,
            b"-" => Token::Minus,
            b"*" => Token::Mul,
            b"/" => Token::Div,
            b"%" => Token::Mod,
            b"^" => Token::Caret,
            b"||" => Token::StringConcat,
            b"->" => Token::Arrow,
            b"->>" => Token::LongArrow,
            _ => return None,
        };
        self.keep(token, end);
        Some(())
    }
}

fn is_of_operators(byte: &u8) -> bool {
    matches!(byte, b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=' | b'~' | b'!' | b'@' | b'#' | b'%' | b'^' | b'&' | b'|' | b'`' | b'?')
}

/// The library halves its list of all keywords again and again for every name.
fn keyword(word: &str) -> Keyword {
    static KEYWORDS: LazyLock<HashMap<&[u8], Keyword, foldhash::fast::RandomState>> =
        LazyLock::new(|| ALL_KEYWORDS.iter().map(|word| word.as_bytes()).zip(ALL_KEYWORDS_INDEX.iter().copied()).collect());
    let mut upper = [0; LONGEST_KEYWORD];
    // No keyword is longer.
    let Some(upper) = upper.get_mut(..word.len()) else { return Keyword::NoKeyword };
    upper.copy_from_slice(word.as_bytes());
    upper.make_ascii_uppercase();
    KEYWORDS.get(&*upper).copied().unwrap_or(Keyword::NoKeyword)
}

const LONGEST_KEYWORD: usize = 40;

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, seq::IndexedRandom};
    use rand_chacha::ChaCha8Rng;
    use sqlparser::parser::Parser;

    use super::super::dialect::{Sql, tests::each_sql};
    use super::super::query::tokens_of;
    use super::*;

    /// Whether the short way takes the text; if so, it must be what the library reads, tokens, places, tree and error.
    fn is_plain(sql: &str) -> bool {
        let Some(plain) = plain_tokens(sql) else { return false };
        let all = tokens_of(sql).unwrap_or_else(|error| panic!("{error}: {sql:?}"));
        let solid: Vec<_> = all.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
        assert_eq!(plain.iter().collect::<Vec<_>>(), solid, "{sql:?}");
        let trees = |tokens| Parser::new(&Sql).with_tokens_with_locations(tokens).parse_statements().map(|trees| format!("{trees:?}"));
        assert_eq!(trees(plain), trees(all), "{sql:?}");
        true
    }

    #[test]
    fn it_is_read_as_the_library_reads_it() {
        let (mut taken, mut portable, mut portable_taken) = (0, 0, 0);
        each_sql(|path, piece| {
            let plain = i32::from(is_plain(piece));
            taken += plain;
            if path.parent().is_some_and(|folder| folder.ends_with("portable")) && piece.contains("-- facts") {
                (portable, portable_taken) = (portable + 1, portable_taken + plain);
            }
        });
        assert!(taken > 900, "{taken}");
        assert!(portable > 300 && portable_taken * 10 > portable * 8, "{portable_taken} of {portable}");
    }

    /// What random texts are made of: words and signs, and what the short way has to leave or might mistake.
    const PIECES: &str = "select¦From¦a¦b¦n¦e¦x¦u¦_x¦E1¦t1¦date¦interval¦as¦where¦case when¦then¦end¦is null¦in¦(select¦union all\
        ¦\"A b\"¦\"\"¦\"é\n\"¦'é'¦'a\n\r b'¦''¦'¦\"¦\\¦ ¦ ¦\t¦\n¦\r¦\r\n¦\u{b}¦\u{a0}¦é¦1¦20¦1.5¦.¦..¦._¦0x1¦e5¦1_0¦(¦)¦,¦;¦[¦]¦{\
        ¦::¦:¦:=¦=¦==¦<>¦!=¦<¦>¦<=¦>=¦=>¦+¦-¦*¦/¦%¦^¦|¦||¦->¦->>¦@¦#¦~¦!¦&¦?¦$¦$$¦`\
        ¦-- c\n¦--¦--+ h\n¦--ab+c\r¦-- é + h\n¦/* c */¦/*+ h */¦/*ab+*/¦/**/¦/*¦*/¦/*/¦/* é\n */";

    #[test]
    fn random_texts_are_read_as_the_library_reads_them() {
        let all: Vec<&str> = PIECES.split('¦').collect();
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let (mut taken, mut wild) = (0, 0);
        for _ in 0..20_000 {
            let blank = if random.random_bool(0.5) { " " } else { "" };
            let pieces: Vec<&str> = (0..random.random_range(1..9)).map(|_| *all.choose(&mut random).unwrap()).collect();
            taken += i32::from(is_plain(&pieces.join(blank)));
            let bytes: Vec<u8> = (0..random.random_range(1..5)).map(|_| random.random_range(0..128)).collect();
            wild += i32::from(is_plain(&String::from_utf8(bytes).unwrap()));
        }
        assert!(taken > 4_000 && wild > 1_000, "{taken} of pieces, {wild} of bytes");
    }

    #[test]
    fn keywords_are_the_librarys() {
        for word in ALL_KEYWORDS {
            for word in
                [word.to_lowercase(), (*word).to_owned(), format!("{word}_"), format!("{}1", word.to_lowercase()), format!("_{word}")]
            {
                let Token::Word(theirs) = Token::make_word(&word, None) else { panic!() };
                assert_eq!(keyword(&word), theirs.keyword, "{word}");
            }
        }
    }

    #[test]
    fn what_only_the_library_reads() {
        let taken = "select a._b, \"é\", 1.5::int from t where a <= 'é\n' -- a + b\r\nand /* é\n + */ b->>'k' <> c || 'd';";
        assert!(is_plain(taken));
        let left = "E'a'¦U&'a'¦b'1'¦X'f'¦n'a'¦'it''s'¦'a\\b'¦'a' 'b'¦'a' -- c\n'b'¦$$a$$¦$1¦\"a\"\"b\"¦é¦aé¦a$b¦1e5¦1_0¦0xf¦1.¦.5¦1a¦t.1¦a ._b\
            ¦a ~ b¦a @> b¦a #> b¦a ? b¦a == b¦a & b¦a | b¦a =-1¦:a¦a[1:2]¦'a¦\"a¦/* a¦/* /* a */ */¦/* /*/ */¦--+ a¦/*+ a */¦/*a1+ b */¦{\
            ¦a\u{b}b¦a\u{a0}b";
        for sql in left.split('¦') {
            assert!(plain_tokens(sql).is_none(), "{sql}");
        }
    }
}
