//! What PostgreSQL's grammar has and the parser lacks, in tokens that it reads and that mean the same, each at the place of what it
//! stands for. Names that begin with [`MARK_PREFIX`] tell the reader of the tree what was written.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use super::marks::MARK_PREFIX;

/// `rows from (f(), g())` is a call of this in FROM.
pub const ROWS_FROM: &str = "__acca_rows_from";
/// `(f(x)).*` is a call of this.
pub const FIELDS: &str = "__acca_fields";
/// The alias in `f() as (a int, b text)`, which has no name.
pub const UNNAMED: &str = "__acca_unnamed";
/// The name of an argument behind VARIADIC.
const VARIADIC: &str = "__acca_variadic";
/// What a name begins with that is the alias of `using (…) as name`.
const USING_ALIAS: &str = "__acca_using_";

/// The alias in `using (a, b) as name`, which stands among the columns.
pub fn using_alias(name: &str) -> Option<&str> {
    name.strip_prefix(USING_ALIAS)
}

/// A column that SEARCH or CYCLE adds to a recursive common table expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedColumn {
    pub name: String,
    /// Its type, as far as it is known.
    pub kind: Option<&'static str>,
}

/// What SEARCH and CYCLE add, as it is kept in the tree: a name behind the columns of the common table expression.
pub fn added_columns(kept: &str) -> Vec<AddedColumn> {
    let Some(kept) = kept.strip_prefix(MARK_PREFIX) else { return Vec::new() };
    let kind = |letter: &str| match letter {
        "s" | "p" => Some("record[]"),
        "b" => Some("boolean"),
        "t" => Some("text"),
        _ => None,
    };
    kept.split('\n')
        .filter_map(|part| part.split_once(':'))
        .map(|(letter, name)| AddedColumn { name: name.to_owned(), kind: kind(letter) })
        .collect()
}

/// Words that the parser reads, but as something else.
const MISREAD: &[&str] = &["isnull", "only", "table"];

/// Whether the text may have words that the parser would misread.
pub(super) fn may_be_misread(sql: &str) -> bool {
    let bytes = sql.as_bytes();
    let is_there = |word: &&str| {
        let first = word.as_bytes().first().copied().unwrap_or_default();
        memchr::memchr2_iter(first, first.to_ascii_uppercase(), bytes)
            .any(|at| bytes.get(at..at + word.len()).is_some_and(|held| held.eq_ignore_ascii_case(word.as_bytes())))
    };
    memchr::memmem::find(bytes, b":=").is_some() || MISREAD.iter().any(is_there)
}

/// What is put in other words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Respelled {
    /// What the parser reads as something else.
    Misread,
    /// That, and what it does not read, but has under words that mean just the same.
    Exactly,
    /// That, and what means the same to whoever asks for types.
    All,
}

/// The tokens with what the parser lacks put in other words; `None` where there is nothing of the kind.
pub(super) fn respelled(tokens: Vec<TokenWithSpan>, how: Respelled) -> Option<Vec<TokenWithSpan>> {
    let tokens: Vec<TokenWithSpan> = tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)).collect();
    let mut pairs = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => open.push(at),
            Token::RParen => {
                let other = open.pop();
                if let (Some(held), Some(other)) = (pairs.get_mut(at), other) {
                    *held = Some(other);
                }
                if let Some(held) = other.and_then(|other| pairs.get_mut(other)) {
                    *held = Some(at);
                }
            }
            _ => {}
        }
    }
    let mut edits = Edits { tokens: &tokens, pairs, dropped: BTreeSet::new(), before: BTreeMap::new(), replaced: BTreeMap::new() };
    for at in 0..tokens.len() {
        if edits.dropped.contains(&at) {
            continue;
        }
        edits.misread(at);
        if how >= Respelled::Exactly {
            edits.trimmed(at);
        }
        if how == Respelled::All {
            edits.clause(at);
            edits.from(at);
            edits.expression(at);
            edits.xml(at);
        }
    }
    edits.is_changed().then(|| edits.applied())
}

struct Edits<'t> {
    tokens: &'t [TokenWithSpan],
    /// Of every parenthesis the other one.
    pairs: Vec<Option<usize>>,
    dropped: BTreeSet<usize>,
    /// Tokens that are put before this one.
    before: BTreeMap<usize, Vec<Token>>,
    replaced: BTreeMap<usize, Token>,
}

/// Words before a relation.
const BEFORE_RELATION: &[&str] = &["from", "join", "only", "lateral"];

impl Edits<'_> {
    /// Words that mean another thing to the parser.
    fn misread(&mut self, at: usize) {
        let before = at.checked_sub(1);
        if self.is_token(at, &Token::Assignment) {
            // The older sign of an argument by name.
            self.replaced.insert(at, Token::RArrow);
        } else if self.is(at, "isnull")
            && before.is_some_and(|before| self.ends_expression(before))
            && !self.is_token(at + 1, &Token::LParen)
        {
            self.replace(at, &["is", "null"]);
        } else if self.is(at, "only") && self.follows(at, &["from", "join", "table"]) || self.is(at, "only") && self.comes_after_comma(at) {
            // `from only t`, `from only (t)`
            if self.is_token(at + 1, &Token::LParen) {
                self.dropped.extend([Some(at), Some(at + 1), self.closing(at + 1)].into_iter().flatten());
            } else if self.is_word(at + 1) {
                self.dropped.insert(at);
            }
        } else if self.is(at, "table")
            && (at == 0 || self.is_token(at - 1, &Token::LParen) || self.follows(at, &["union", "all", "except", "intersect", "distinct"]))
            && self.is_word(at + 1)
        {
            self.replace(at, &["select"]);
            self.put_before(at + 1, [Token::Mul, word("from")]);
        }
    }

    /// Parts of SELECT.
    fn clause(&mut self, at: usize) {
        let after_by = self.follows(at, &["by"]);
        if after_by && (self.is(at, "distinct") || self.is(at, "all") && self.begins_expression(at + 1)) {
            self.dropped.insert(at);
        } else if self.is(at, "exclude") && !self.follows(at, &["as"]) && self.is_any(at + 1, &["current", "group", "ties", "no"]) {
            // Part of a window's frame, which changes no type.
            let last = if self.is_any(at + 1, &["ties", "group"]) { at + 1 } else { at + 2 };
            self.dropped.extend(at..=last);
        } else if self.is(at, "select") && self.is_token(at + 1, &Token::RParen) {
            self.put_before(at + 1, [word("null")]);
        } else if self.is(at, "for") && self.is(at + 1, "no") && self.is(at + 2, "key") {
            self.dropped.extend([at + 1, at + 2]);
        } else if self.is(at, "for") && self.is(at + 1, "key") {
            self.dropped.insert(at + 1);
        } else if at > 0 && self.is_token(at - 1, &Token::RParen) && (self.is(at, "search") || self.is(at, "cycle")) {
            self.added_columns(at);
        }
    }

    /// `search depth first by a set o`, `cycle a set c to 'y' default 'n' using p`
    fn added_columns(&mut self, start: usize) {
        let mut kept = String::from(MARK_PREFIX);
        let mut at = start;
        while self.is(at, "search") && self.is_any(at + 1, &["depth", "breadth"]) || self.is(at, "cycle") {
            let Some(set) = (at..self.tokens.len()).find(|held| self.is(*held, "set")) else { return };
            let Some(name) = self.name(set + 1) else { return };
            if self.is(at, "search") {
                let kind = if self.is(at + 1, "depth") { 's' } else { 'r' };
                kept += &format!("{kind}:{name}\n");
                at = set + 2;
                continue;
            }
            let Some(using) = (set..self.tokens.len()).find(|held| self.is(*held, "using")) else { return };
            let Some(path) = self.name(using + 1) else { return };
            let kind = match self.tokens.get(set + 3).map(|token| &token.token) {
                Some(Token::SingleQuotedString(_)) => 't',
                _ if self.is(set + 2, "to") => 'u',
                _ => 'b',
            };
            kept += &format!("{kind}:{name}\np:{path}\n");
            at = using + 2;
        }
        if at > start {
            self.dropped.extend(start..at);
            self.keep_in_columns(start - 1, Token::make_word(&kept, Some('"')));
        }
    }

    /// Puts a word behind the columns of the common table expression that ends with this parenthesis.
    fn keep_in_columns(&mut self, close: usize, kept: Token) {
        let head = self.opening(close).and_then(|open| (0..open).rev().find(|at| self.is(*at, "as")));
        let Some(head) = head else { return };
        if head > 0 && self.is_token(head - 1, &Token::RParen) {
            self.put_before(head - 1, [Token::Comma, kept]);
        } else {
            self.put_before(head, [Token::LParen, kept, Token::RParen]);
        }
    }

    /// What stands in FROM.
    fn from(&mut self, at: usize) {
        if self.is(at, "rows") && self.is(at + 1, "from") && self.is_token(at + 2, &Token::LParen) {
            self.replaced.insert(at, word(ROWS_FROM));
            self.dropped.insert(at + 1);
            let end = self.closing(at + 2).unwrap_or(self.tokens.len());
            // Columns of one of the functions: `json_to_record(…) as (a int)`.
            for inner in at + 3..end {
                if self.is(inner, "as") && self.is_token(inner + 1, &Token::LParen) {
                    let close = self.closing(inner + 1).unwrap_or(inner);
                    self.dropped.extend(inner..=close);
                }
            }
        } else if self.is(at, "lateral") && self.is_any(at + 1, &["xmltable", "json_table", "rows"]) {
            // Functions see what stands left of them anyway.
            self.dropped.insert(at);
        } else if self.is(at, "using") && self.is_token(at + 1, &Token::LParen) {
            let Some(close) = self.closing(at + 1).filter(|close| self.is(close + 1, "as")) else { return };
            let Some(alias) = self.name(close + 2) else { return };
            self.dropped.extend([close + 1, close + 2]);
            self.put_before(close, [Token::Comma, Token::make_word(&format!("{USING_ALIAS}{alias}"), Some('"'))]);
        } else if self.is(at, "as") && at > 0 && self.is_token(at - 1, &Token::RParen) && self.is_token(at + 1, &Token::LParen) {
            // `f() as (a int)`; a common table expression has a query there.
            if self.is_word(at + 2) && self.is_word(at + 3) && !self.is_any(at + 2, &["select", "with", "values", "table"]) {
                self.put_before(at + 1, [word(UNNAMED)]);
            }
        } else if self.is_token(at, &Token::Mul) && at > 1 && self.is_word(at - 1) && self.is_any(at - 2, BEFORE_RELATION) {
            // `from t *`
            self.dropped.insert(at);
        } else if self.is_token(at, &Token::Mul) && at > 0 && self.comes_after_comma(at - 1) && !self.begins_expression(at + 1) {
            self.dropped.insert(at);
        } else if self.is_any(
            at,
            &["current_date", "current_timestamp", "localtimestamp", "localtime", "current_time", "current_user", "session_user"],
        ) && self.follows(at, &["from", "join"])
            && !self.is_token(at + 1, &Token::LParen)
        {
            self.put_before(at + 1, [Token::LParen, Token::RParen]);
        }
    }

    /// `trim(leading from x)`, `trim(from x)`
    fn trimmed(&mut self, at: usize) {
        let opens = self.is(at, "from") && at > 1 && self.is_token(at - 1, &Token::LParen) && self.is(at - 2, "trim");
        if opens || self.is(at, "from") && self.follows(at, &["leading", "trailing", "both"]) {
            self.dropped.insert(at);
        }
    }

    fn expression(&mut self, at: usize) {
        if self.is(at, "document") && self.follows(at, &["is", "not"]) {
            // A test of a value of another kind with the same result.
            self.replace(at, &["json"]);
        } else if self.is_any(at, &["symmetric", "asymmetric"]) && self.follows(at, &["between"]) {
            self.dropped.insert(at);
        } else if self.is(at, "variadic") && self.begins_expression(at + 1) {
            self.replace(at, &[VARIADIC]);
            self.put_before(at + 1, [Token::RArrow]);
        } else if self.is(at, "collate") && self.is_word(at + 1) && self.ends_cast(at) {
            // The parser knows no collation behind `::`, and it changes no type.
            self.dropped.extend([at, at + 1]);
            if self.is_token(at + 2, &Token::Period) {
                self.dropped.extend([at + 2, at + 3]);
            }
        } else if self.is(at, "national") && self.is_any(at + 1, &["character", "char", "varchar"]) {
            self.dropped.insert(at);
        } else if self.is(at, "collation") && self.is(at + 1, "for") && self.is_token(at + 2, &Token::LParen) {
            self.replace(at, &["pg_collation_for"]);
            self.dropped.insert(at + 1);
        } else if self.is(at, "substring") && self.is_token(at + 1, &Token::LParen) {
            if let Some(similar) = self.inside(at + 1, "similar").filter(|similar| !self.is(similar + 1, "to")) {
                self.replace(similar, &["from"]);
                self.inside(at + 1, "escape").into_iter().for_each(|escape| self.replace(escape, &["for"]));
            }
        } else if self.is(at, "operator") && self.is_token(at + 1, &Token::LParen) {
            // The operator alone, without its schema.
            let Some(close) = self.closing(at + 1) else { return };
            let last = (at + 2..close).rev().find(|held| self.is_token(*held, &Token::Period)).map_or(at + 1, |period| period);
            self.dropped.extend(at..=last);
            self.dropped.insert(close);
        } else if self.is_token(at, &Token::LParen) && !(at > 0 && self.ends_expression(at - 1)) {
            self.fields(at);
        }
    }

    /// `(t).*`, `(f(x)).*`
    fn fields(&mut self, open: usize) {
        let Some(close) = self.closing(open) else { return };
        if !self.is_token(close + 1, &Token::Period) || !self.is_token(close + 2, &Token::Mul) {
            return;
        }
        if close == open + 2 {
            self.dropped.extend([open, close]);
        } else {
            self.put_before(open, [word(FIELDS)]);
            self.dropped.extend([close + 1, close + 2]);
        }
    }

    /// Functions of XML, which have a grammar of their own.
    fn xml(&mut self, at: usize) {
        let names = ["xmlelement", "xmlpi", "xmlforest", "xmlattributes", "xmlparse", "xmlroot", "xmlserialize", "xmlexists"];
        if !self.is_any(at, &names) || !self.is_token(at + 1, &Token::LParen) {
            return;
        }
        let Some(close) = self.closing(at + 1) else { return };
        let first = at + 2;
        if self.is_any(at, &["xmlelement", "xmlpi"]) && self.is(first, "name") {
            self.dropped.extend([first, first + 1]);
            if self.is_token(first + 2, &Token::Comma) {
                self.dropped.insert(first + 2);
            }
        } else if self.is_any(at, &["xmlforest", "xmlattributes"]) {
            for named in self.all_inside(at + 1, "as") {
                self.dropped.extend([named, named + 1]);
            }
        } else if self.is(at, "xmlserialize") && self.is_any(first, &["document", "content"]) {
            self.dropped.insert(first);
            self.put_before(first + 1, [word("cast"), Token::LParen]);
            self.put_before(close, [Token::RParen]);
        } else if self.is(at, "xmlparse") {
            if let Some(kept) = ["preserve", "strip"].iter().find_map(|word| self.inside(at + 1, word)) {
                self.dropped.extend(kept..close);
            }
        } else if self.is(at, "xmlroot") {
            let comma = self.directly_inside(at + 1).find(|held| self.is_token(*held, &Token::Comma));
            comma.into_iter().for_each(|comma| self.dropped.extend(comma..close));
        } else if let Some(passing) = self.inside(at + 1, "passing") {
            self.replaced.insert(passing, Token::Comma);
            for by in self.all_inside(at + 1, "by") {
                self.dropped.extend([by, by + 1]);
            }
        }
    }
}

/// Questions about tokens.
impl Edits<'_> {
    fn is(&self, at: usize, text: &str) -> bool {
        matches!(self.tokens.get(at).map(|token| &token.token), Some(Token::Word(held)) if held.quote_style.is_none() && held.value.eq_ignore_ascii_case(text))
    }

    fn is_any(&self, at: usize, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(at, text))
    }

    fn is_word(&self, at: usize) -> bool {
        matches!(self.tokens.get(at).map(|token| &token.token), Some(Token::Word(_)))
    }

    fn is_token(&self, at: usize, wanted: &Token) -> bool {
        self.tokens.get(at).is_some_and(|token| token.token == *wanted)
    }

    fn follows(&self, at: usize, words: &[&str]) -> bool {
        at.checked_sub(1).is_some_and(|before| self.is_any(before, words))
    }

    /// Whether a relation of a list may stand here: `from a, b`.
    fn comes_after_comma(&self, at: usize) -> bool {
        if !(at > 0 && self.is_token(at - 1, &Token::Comma)) {
            return false;
        }
        let mut held = at;
        while let Some(before) = held.checked_sub(1) {
            // What is in parentheses is passed over, and before an open one another list begins.
            held = if self.is_token(before, &Token::RParen) { self.opening(before).unwrap_or(0) } else { before };
            if self.is_token(before, &Token::LParen) {
                return false;
            }
            if self.is_any(held, &["from", "select", "by", "where", "having", "set"]) {
                return self.is(held, "from");
            }
        }
        false
    }

    fn ends_expression(&self, at: usize) -> bool {
        let before = [
            "as", "select", "where", "and", "or", "not", "on", "having", "when", "then", "else", "by", "distinct", "all", "from", "in",
            "over",
        ];
        match self.tokens.get(at).map(|token| &token.token) {
            Some(Token::Word(held)) => held.quote_style.is_some() || !self.is_any(at, &before),
            Some(Token::RParen | Token::RBracket | Token::Number(..) | Token::SingleQuotedString(_)) => true,
            _ => false,
        }
    }

    /// Whether the type of a cast ends before this: `a::text`, `a::varchar(3)`.
    fn ends_cast(&self, at: usize) -> bool {
        let last = if at > 0 && self.is_token(at - 1, &Token::RParen) { self.opening(at - 1) } else { Some(at) };
        last.is_some_and(|last| last > 1 && self.is_token(last - 2, &Token::DoubleColon))
    }

    fn begins_expression(&self, at: usize) -> bool {
        let ends = [
            "having",
            "order",
            "limit",
            "offset",
            "fetch",
            "window",
            "union",
            "except",
            "intersect",
            "for",
            "as",
            "where",
            "join",
            "left",
            "right",
            "full",
            "inner",
            "cross",
            "natural",
            "group",
            "on",
        ];
        match self.tokens.get(at).map(|token| &token.token) {
            Some(Token::RParen | Token::Comma | Token::SemiColon) | None => false,
            Some(_) => !self.is_any(at, &ends),
        }
    }

    /// The word itself, as the database reads it.
    fn name(&self, at: usize) -> Option<String> {
        match self.tokens.get(at).map(|token| &token.token) {
            Some(Token::Word(held)) if held.quote_style.is_some() => Some(held.value.clone()),
            Some(Token::Word(held)) => Some(held.value.to_ascii_lowercase()),
            _ => None,
        }
    }

    /// The parenthesis that closes this one.
    fn closing(&self, open: usize) -> Option<usize> {
        self.pairs.get(open).copied().flatten().filter(|close| *close > open)
    }

    /// The parenthesis that this one closes.
    fn opening(&self, close: usize) -> Option<usize> {
        self.pairs.get(close).copied().flatten().filter(|open| *open < close)
    }

    /// The tokens directly within a pair of parentheses.
    fn directly_inside(&self, open: usize) -> impl Iterator<Item = usize> {
        let close = self.closing(open).unwrap_or(open);
        let mut next = open + 1;
        std::iter::from_fn(move || {
            let here = (next < close).then_some(next)?;
            next = self.closing(here).unwrap_or(here) + 1;
            Some(here)
        })
    }

    /// The words of that name directly within a pair of parentheses.
    fn all_inside(&self, open: usize, text: &str) -> Vec<usize> {
        self.directly_inside(open).filter(|at| self.is(*at, text)).collect()
    }

    fn inside(&self, open: usize, text: &str) -> Option<usize> {
        self.all_inside(open, text).first().copied()
    }
}

/// Changes.
impl Edits<'_> {
    fn put_before(&mut self, at: usize, tokens: impl IntoIterator<Item = Token>) {
        self.before.entry(at).or_default().extend(tokens);
    }

    /// Words in the place of one.
    fn replace(&mut self, at: usize, words: &[&str]) {
        let mut words = words.iter().map(|text| word(text));
        self.replaced.extend(words.next().map(|first| (at, first)));
        self.put_before(at + 1, words);
    }

    fn is_changed(&self) -> bool {
        !self.dropped.is_empty() || !self.replaced.is_empty() || self.before.values().any(|tokens| !tokens.is_empty())
    }

    fn applied(mut self) -> Vec<TokenWithSpan> {
        let mut all = Vec::with_capacity(self.tokens.len() + 8);
        for (at, token) in self.tokens.iter().enumerate() {
            let place = token.span.start;
            let put = self.before.remove(&at).unwrap_or_default();
            all.extend(put.into_iter().map(|token| TokenWithSpan { token, span: Span::new(place, place) }));
            if self.dropped.contains(&at) {
                continue;
            }
            let replaced = self.replaced.remove(&at);
            all.push(replaced.map_or_else(|| token.clone(), |replaced| TokenWithSpan { token: replaced, span: token.span }));
        }
        let end = self.tokens.last().map_or_else(Span::empty, |token| Span::new(token.span.end, token.span.end));
        let rest = self.before.into_values().flatten();
        all.extend(rest.map(|token| TokenWithSpan { token, span: end }));
        all
    }
}

fn word(text: &str) -> Token {
    Token::make_word(text, None)
}

#[cfg(test)]
mod tests {
    use super::super::query::parse_query;

    #[test]
    fn what_the_parser_lacks_is_read_in_other_words() {
        for (sql, read) in [
            ("select trim(leading from v), x is not document from t", "SELECT TRIM(LEADING v), x IS NOT JSON FROM t"),
            (
                "select sum(i) over (order by d rows 1 preceding exclude current row) from t",
                "SELECT sum(i) OVER (ORDER BY d ROWS 1 PRECEDING) FROM t",
            ),
            ("select b isnull, isnull(b, 1) from t where (a + 1) isnull", "SELECT b IS NULL, isnull(b, 1) FROM t WHERE (a + 1) IS NULL"),
            ("table only t order by 1", "SELECT * FROM t ORDER BY 1"),
            ("select a from only (t) as x, only u fetch first 1 row only", "SELECT a FROM t AS x, u FETCH FIRST 1 ROWS ONLY"),
            ("select a, t * 2 from t *, u *", "SELECT a, t * 2 FROM t, u"),
            (
                "select (t).*, (f(a, (b))).* from t where exists (select)",
                "SELECT t.*, __acca_fields(f(a, (b))) FROM t WHERE EXISTS (SELECT NULL)",
            ),
            ("select f(days := 1, variadic a)", "SELECT f(days => 1, __acca_variadic => a)"),
            ("select a between symmetric 2 and 1, a operator(pg_catalog.+) 1", "SELECT a BETWEEN 2 AND 1, a + 1"),
            (
                "select substring(a similar 'b' escape '#'), a similar to 'c' escape '#'",
                "SELECT SUBSTRING(a FROM 'b' FOR '#'), a SIMILAR TO 'c' ESCAPE '#'",
            ),
            ("select collation for (a), a::varchar(3) collate pg_catalog.\"C\"", "SELECT pg_collation_for(a), a::VARCHAR(3)"),
            (
                "select x.* from rows from (f(1), g(2)) with ordinality as x(a, b)",
                "SELECT x.* FROM __acca_rows_from(f(1), g(2)) WITH ORDINALITY AS x (a, b)",
            ),
            ("select a from t, lateral rows from (f(b), g(b)) as x(a)", "SELECT a FROM t, __acca_rows_from(f(b), g(b)) AS x (a)"),
            ("select * from f('') as (a int, b text)", "SELECT * FROM f('') AS __acca_unnamed (a INT, b TEXT)"),
            (
                "with x(a) as (select 1) select * from x join y using (a) as j",
                "WITH x (a) AS (SELECT 1) SELECT * FROM x JOIN y USING(a, \"__acca_using_j\")",
            ),
            (
                "select xmlelement(name a, xmlattributes(b as c), d), xmlforest(b as c)",
                "SELECT xmlelement(xmlattributes(b), d), xmlforest(b)",
            ),
            (
                "select xmlserialize(content a as text), xmlexists('/' passing by ref a)",
                "SELECT xmlserialize(CAST(a AS TEXT)), xmlexists('/', a)",
            ),
            ("select a from t group by all a for no key update", "SELECT a FROM t GROUP BY a FOR UPDATE"),
        ] {
            assert_eq!(parse_query(sql).map(|query| query.to_string()).as_deref(), Some(read), "{sql}");
        }
        assert!(parse_query("select x is documented").is_none());
    }

    #[test]
    fn columns_of_search_and_cycle_are_kept() {
        let query =
            parse_query("with recursive r as (select 1 as n) search depth first by n set o cycle n set c using \"P\" select 1").unwrap();
        let columns = &query.with.unwrap().cte_tables[0].alias.columns;
        let added = super::added_columns(&columns[0].name.value);
        let told: Vec<String> = added.into_iter().map(|added| format!("{} {}", added.name, added.kind.unwrap_or("?"))).collect();
        assert_eq!(told, ["o record[]", "c boolean", "P record[]"]);
    }
}
