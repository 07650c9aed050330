//! What is common to all parts of the printer: types, refusals, places, indentation.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::sync::OnceLock;

use sqlparser::ast::{Expr, Ident, Query, Select, Spanned};
use sqlparser::keywords::ALL_KEYWORDS;
use sqlparser::tokenizer::Span;

use super::alike::Open;
use super::digits::Part;
use super::levels::Levels;
use super::lists::reads_a_table;
use super::rewrite::Rewrite;
use super::typed_literals::read_as;
use super::using::Sources;
use super::walk::is_repeatable;
use super::windows::Window;
use crate::analysis::{ExpressionTypes, Finding, Lowered, OuterColumn, Output, Piece, Renamed, SqlType, Typed, TypedQuery, UNKNOWN_TYPE};
use crate::base::quote_ident;
use crate::diag::{Diagnostic, codes};
use crate::dialect::Engine;
use crate::syntax::Lines;

/// Characters that no font has stand before what has a place in the portable text, until the text is whole: where it begins in two of them,
/// and how long it is. They are all of three bytes, of which the first is the same.
const DIGITS: RangeInclusive<char> = '\u{E000}'..='\u{EFFF}';
const DIGIT: u8 = 0xEE;
const BITS: u32 = 12;
const LOW: usize = (1 << BITS) - 1;
/// Behind it.
const CLOSE: char = '\u{F8FF}';
const CLOSING: u8 = 0xEF;
/// Bytes of all four.
const MARK: usize = 12;

/// Printed SQL of an expression, and whether it can stand beside an operator as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sql {
    pub text: String,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A name, a literal, a call, something in parentheses.
    Atom,
    And,
    Or,
    /// Anything else: parentheses are written around it where it is a part.
    Loose,
}

impl Sql {
    pub(super) fn atom(text: impl Into<String>) -> Sql {
        Sql { text: text.into(), form: Form::Atom }
    }

    pub(super) fn loose(text: impl Into<String>) -> Sql {
        Sql { text: text.into(), form: Form::Loose }
    }

    /// As a part of something: engines differ in what binds tighter, so nothing is left to them.
    pub(super) fn part(self) -> String {
        if self.form == Form::Atom { self.text } else { format!("({})", self.text) }
    }
}

/// The windows that a SELECT names.
pub(super) type Windows = BTreeMap<String, Window>;

/// A SELECT that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Selected {
    pub windows: Windows,
    pub group_keys: Option<Vec<String>>,
    /// Names of its columns that other engines know within it too, where something in the query may mean another column by one of them.
    pub aliases: Vec<String>,
    /// The names of its columns, where another SELECT stands around it.
    pub around: Option<Vec<String>>,
    /// Where it is written in two.
    pub levels: Option<Levels>,
}

/// The printer of one query.
pub(super) struct Writer<'q> {
    pub engine: Engine,
    query: &'q Query,
    /// Known once it was asked for.
    reads_a_table: Option<bool>,
    is_repeatable: Option<bool>,
    pub(super) types: &'q ExpressionTypes,
    pub(super) renamed: &'q [Renamed<'q>],
    lines: Lines<'q>,
    without: Option<Rewrite>,
    /// Whether something is written in another way than the query has it.
    changed: BTreeSet<Rewrite>,
    refusals: Vec<Finding>,
    depth: usize,
    /// The SELECTs that are being written, innermost last.
    pub(super) selects: Vec<Selected>,
    /// What the FROM of each SELECT that is being written adds, innermost last.
    pub sources: Vec<Sources>,
    /// Those of the SELECT that was written last.
    pub(super) last_sources: Option<Sources>,
    pub(super) last_select: Option<Selected>,
    /// Whether a value or a condition is a query. Unknown of what is refused.
    pub(super) has_subquery: bool,
    /// Items of recursive queries that are written as text of any length, by their places in memory.
    pub(super) widened: BTreeSet<usize>,
    /// Calls whose width says nothing where they stand, by their places in memory.
    pub(super) bare: BTreeSet<usize>,
    /// Parts of expressions over binary floats whose overflow shows in the whole, by their places in memory.
    pub(super) covered: BTreeSet<usize>,
    /// AND and OR whose second side DuckDB computes where it is needed, by their places in memory.
    pub(super) in_turn: BTreeSet<usize>,
    /// What is asked first, in the WHERE of a SELECT and around an aggregate of its list, by their places in memory: of the CASEs around, outermost first.
    pub(super) guards: BTreeMap<usize, Vec<String>>,
    /// Columns of the row outside that what is written now reads, while it is written into a query within.
    pub(super) outside: &'q [OuterColumn],
    /// Items that are written with a point behind them, by their places in memory.
    pub(super) dotted: BTreeSet<usize>,
    /// Items that get so many digits behind the point, by their places in memory.
    pub(super) scaled: BTreeMap<usize, i32>,
    /// What is known of the columns of set operations, by the places of their left sides in memory.
    pub(super) united: BTreeMap<usize, Option<Rc<[Part]>>>,
    /// Names that differ in case only are looked for among these.
    pub(super) open: Open,
    pub(super) has_capitals: bool,
    /// Parts of what is written now that have a name within it, by their places in memory.
    pub(super) named: Vec<(usize, &'static str)>,
    /// Where somebody asks for places, but for a query that has such characters itself.
    marks: bool,
}

impl<'q> Writer<'q> {
    pub(super) fn new(query: &TypedQuery<'q>, engine: Engine, without: Option<Rewrite>) -> Writer<'q> {
        Writer {
            engine,
            query: query.query,
            reads_a_table: None,
            is_repeatable: None,
            types: query.types,
            renamed: query.renamed,
            lines: Lines::new(query.sql),
            without,
            changed: BTreeSet::new(),
            refusals: Vec::new(),
            depth: 0,
            selects: Vec::new(),
            sources: Vec::new(),
            last_sources: None,
            last_select: None,
            has_subquery: false,
            widened: BTreeSet::new(),
            bare: BTreeSet::new(),
            covered: BTreeSet::new(),
            in_turn: BTreeSet::new(),
            guards: BTreeMap::new(),
            outside: &[],
            dotted: BTreeSet::new(),
            scaled: BTreeMap::new(),
            united: BTreeMap::new(),
            open: Open::default(),
            has_capitals: query.types.has_capitals()
                || query.sql.contains('"') && query.sql.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()),
            named: Vec::new(),
            marks: query.places && (query.sql.is_ascii() || !query.sql.contains(|c| DIGITS.contains(&c) || c == CLOSE)),
        }
    }

    /// Whether a rewrite is to be made here. Asked only where the engine needs it.
    pub(super) fn rewrites(&mut self, rewrite: Rewrite) -> bool {
        if self.without == Some(rewrite) {
            return false;
        }
        self.changed.insert(rewrite);
        true
    }

    /// Whether the query reads something that it does not make itself.
    pub(super) fn reads_a_table(&mut self) -> bool {
        *self.reads_a_table.get_or_insert_with(|| reads_a_table(self.query))
    }

    /// Whether what it makes itself, under a name, has the same rows each time that it is read.
    pub(super) fn is_repeatable(&mut self) -> bool {
        *self.is_repeatable.get_or_insert_with(|| is_repeatable(self.query))
    }

    /// By value, so that what is asked of the writer may change it.
    pub(super) fn target(&self) -> Engine {
        self.engine
    }

    pub(super) fn is(&self, engine: Engine) -> bool {
        self.engine == engine
    }

    pub(super) fn typed(&self, expression: &Expr) -> Typed {
        self.types.of(expression)
    }

    pub(super) fn columns_of(&self, query: &Query) -> Option<&'q [Output]> {
        self.types.columns_of_query(query)
    }

    /// The columns of a SELECT, as far as they are known.
    pub(super) fn columns(&self, select: &Select) -> Option<&'q [Output]> {
        self.types.columns(select)
    }

    pub(super) fn enter_select(&mut self, select: Selected) {
        self.selects.push(select);
    }

    pub(super) fn leave_select(&mut self) -> Option<Selected> {
        self.selects.pop()
    }

    pub(super) fn window_named(&self, name: &str) -> Option<Window> {
        self.selects.last()?.windows.get(name).cloned()
    }

    /// The keys by which the SELECT groups.
    pub(super) fn group_keys(&self) -> Option<&[String]> {
        self.selects.last()?.group_keys.as_deref()
    }

    pub(super) fn set_around(&mut self, columns: &[Output]) {
        if let Some(select) = self.selects.last_mut() {
            select.around = Some(columns.iter().map(|column| print_name(&column.name)).collect());
        }
    }

    pub(super) fn is_around(&self) -> bool {
        self.selects.last().is_some_and(|select| select.around.is_some())
    }

    /// What an expression of the list is called around the SELECT.
    pub(super) fn name_around(&self, select: &Select, key: &Expr) -> Option<String> {
        let names = self.selects.last()?.around.as_ref()?;
        if let Some(number) = super::numbers::whole_number(key) {
            return Some(number.to_string());
        }
        let at = super::query::place_in_list(select, key)?;
        names.get(at).cloned()
    }

    pub(super) fn levels_mut(&mut self) -> Option<&mut Levels> {
        self.selects.last_mut()?.levels.as_mut()
    }

    pub(super) fn type_of(&self, expression: &Expr) -> Option<SqlType> {
        let typed = self.types.of(expression);
        read_as(expression, &typed).or(typed.sql_type)
    }

    /// As in the catalogue: `int4`; empty where it is not known.
    pub(super) fn type_name(&self, expression: &Expr) -> &'static str {
        self.type_of(expression).map_or("", SqlType::name)
    }

    /// Refuses something. What comes back is never used.
    pub(super) fn refuse(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) -> Sql {
        let problem = Diagnostic::new(&codes::UNSUPPORTED_IN_DIALECT, message).help(help);
        let finding = Finding::new(problem, self.lines.range(span));
        let is_said = |held: &Finding| held.diagnostic == finding.diagnostic && held.range == finding.range;
        if !self.refusals.iter().any(is_said) {
            self.refusals.push(finding);
        }
        Sql::atom("null")
    }

    /// Refuses something that this engine lacks.
    pub(super) fn lacks(&mut self, span: Span, what: &str, help: impl Into<String>) -> Sql {
        let message = format!("{} has no equivalent of {what}", self.engine_name());
        self.refuse(span, message, help)
    }

    /// Whether an expression, most often one of no known type, is refused for itself: what follows from that is not said then.
    pub(super) fn is_refused(&mut self, expression: &Expr) -> bool {
        self.expression(expression);
        self.has_refused()
    }

    pub(super) fn has_refused(&self) -> bool {
        !self.refusals.is_empty()
    }

    pub(super) fn engine_name(&self) -> &'static str {
        match self.target() {
            Engine::DuckDb => "DuckDB",
            Engine::Postgres => "PostgreSQL",
            Engine::Redshift => "Redshift",
        }
    }

    /// A line break, and blanks up to where the query stands that is being written; nobody reads further in than this reaches.
    pub(super) fn line(&self) -> &'static str {
        const LINE: &str = "\n                                                                                                ";
        LINE.get(..=4 * self.depth).unwrap_or(LINE)
    }

    pub(super) fn indented<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let written = write(self);
        self.depth -= 1;
        written
    }

    /// A name, as PostgreSQL reads it; in quotes where another engine might take it for a word of its own.
    pub(super) fn name(&self, ident: &Ident) -> String {
        self.names([ident])
    }

    pub(super) fn names<'i>(&self, parts: impl IntoIterator<Item = &'i Ident>) -> String {
        self.spelled(parts.into_iter().map(|part| (part.span, lowered(part))))
    }

    /// The parts of a name, with where they stand.
    pub(super) fn spelled<'i>(&self, parts: impl Iterator<Item = (Span, Cow<'i, str>)>) -> String {
        let mut text = String::with_capacity(64);
        for (span, part) in parts {
            if !text.is_empty() {
                text.push('.');
            }
            self.mark(span, &printed(&part), &mut text);
        }
        text
    }

    /// The text, with the place of the portable query that it comes from.
    pub(super) fn marked(&self, span: Span, text: &str) -> String {
        let mut marked = String::with_capacity(text.len() + 24);
        self.mark(span, text, &mut marked);
        marked
    }

    /// For each name of a query: by hand, for speed.
    fn mark(&self, span: Span, text: &str, into: &mut String) {
        let place = if self.marks { self.lines.range(span) } else { None };
        let digits = place.and_then(|range| Some([digit(range.start >> BITS)?, digit(range.start & LOW)?, digit(range.len())?]));
        let Some(digits) = digits else { return into.push_str(text) };
        digits.into_iter().for_each(|digit| into.push(digit));
        into.push_str(text);
        into.push(CLOSE);
    }

    /// The whole text. PostgreSQL gets the text of the query itself where nothing is written in another way.
    pub(super) fn finish(mut self, text: &str) -> Result<Option<Lowered>, Vec<Finding>> {
        if !self.refusals.is_empty() {
            forget_consequences(&mut self.refusals);
            return Err(self.refusals);
        }
        if self.engine == Engine::Postgres && self.changed.is_empty() {
            return Ok(None);
        }
        Ok(Some(if self.marks { unmarked(text) } else { Lowered { sql: text.to_owned(), places: Vec::new() } }))
    }
}

/// Where the type of something is not known, nothing else is said of it.
fn forget_consequences(refusals: &mut Vec<Finding>) {
    let is_unknown = |refusal: &Finding| refusal.diagnostic.message.ends_with(UNKNOWN_TYPE);
    let unknown: Vec<Range<usize>> =
        refusals.iter().filter(|refusal| is_unknown(refusal)).filter_map(|refusal| refusal.range.clone()).collect();
    let is_there = |range: &Range<usize>| unknown.contains(range);
    refusals.retain(|refusal| is_unknown(refusal) || !refusal.range.as_ref().is_some_and(is_there));
}

fn digit(number: usize) -> Option<char> {
    let first = u32::from(*DIGITS.start());
    char::from_u32(first + u32::try_from(number).ok()?).filter(|digit| DIGITS.contains(digit))
}

fn count_of_marks(text: &str) -> usize {
    memchr::memchr_iter(DIGIT, text.as_bytes()).count() / 3
}

/// Bytes of a text without its marks: what is written does not depend on whether somebody asks for places.
pub(super) fn length(text: &str) -> usize {
    text.len().saturating_sub(MARK * count_of_marks(text))
}

/// Takes the marks out. They do not lie in each other.
pub(super) fn unmarked(text: &str) -> Lowered {
    // Exactly as large as they get: they are held as long as the project is.
    let count = count_of_marks(text);
    let mut lowered = Lowered { sql: String::with_capacity(text.len().saturating_sub(MARK * count)), places: Vec::with_capacity(count) };
    let mut rest = text;
    while let Some((before, range, piece, behind)) = parted(rest) {
        lowered.sql.push_str(before);
        let start = lowered.sql.len();
        lowered.sql.push_str(piece);
        lowered.places.extend(Piece::new(start..lowered.sql.len(), range));
        rest = behind;
    }
    lowered.sql.push_str(rest);
    lowered
}

/// What stands before the first piece that has a place, that place, the piece, and what stands behind it.
fn parted(text: &str) -> Option<(&str, Range<usize>, &str, &str)> {
    let (before, marked) = text.split_at_checked(memchr::memchr(DIGIT, text.as_bytes())?)?;
    let mut chars = marked.chars();
    let mut number = || usize::try_from(u32::from(chars.next()?).checked_sub(u32::from(*DIGITS.start()))?).ok();
    let (high, low, len) = (number()?, number()?, number()?);
    let start = (high << BITS) + low;
    // The search of the standard library for a character is slow where it is near.
    let rest = chars.as_str();
    let mut ends = memchr::memchr_iter(CLOSING, rest.as_bytes());
    ends.find_map(|at| {
        let (piece, behind) = rest.split_at_checked(at)?;
        Some((before, start..start + len, piece, behind.strip_prefix(CLOSE)?))
    })
}

pub(super) fn print_name(name: &str) -> String {
    printed(name).into_owned()
}

fn printed(name: &str) -> Cow<'_, str> {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
        && !is_word(name);
    if plain { Cow::Borrowed(name) } else { Cow::Owned(quote_ident(name)) }
}

/// A name as PostgreSQL reads it.
pub(super) fn lowered(ident: &Ident) -> Cow<'_, str> {
    // Letters beyond ASCII keep their case.
    let is_small = || !ident.value.bytes().any(|byte| byte.is_ascii_uppercase());
    if ident.quote_style.is_some() || is_small() { Cow::Borrowed(&ident.value) } else { Cow::Owned(ident.value.to_ascii_lowercase()) }
}

/// Whether an engine may take a name, in small letters, for a word of its own.
fn is_word(name: &str) -> bool {
    // Words of the parser's that no engine keeps for itself.
    const FREE: &[&str] = &["id", "key", "main", "name", "part", "status", "total", "value"];
    // The hash of the standard library takes longer than all else here, and nobody chooses words to make this one slow.
    static WORDS: OnceLock<HashSet<String, foldhash::fast::RandomState>> = OnceLock::new();
    let kept = || REDSHIFT.split(' ').chain(DUCKDB.split(' ')).map(str::to_owned);
    let words = WORDS.get_or_init(|| ALL_KEYWORDS.iter().map(|word| word.to_lowercase()).chain(kept()).collect());
    words.contains(name) && !FREE.contains(&name)
}

/// Words that only Redshift keeps for itself, <https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html>.
const REDSHIFT: &str = "aes128 aes256 allowoverwrite analyse az64 backup blanksasnull bytedict bzip2 current_user_id deflate defrag delta \
                        delta32k emptyasnull encode encrypt encryption explicit globaldict256 globaldict64k gzip lun luns lzo lzop mostly16 \
                        mostly32 mostly8 offline oid percent permissions raw readratio recover rejectlog resort restore snapshot sysdate tag \
                        tdes text255 text32k truncatecolumns wallet";

/// Words that DuckDB keeps for itself and the parser does not know (`duckdb_keywords()`); PostgreSQL keeps `isnull` and `notnull`, too.
const DUCKDB: &str = "isnull notnull pivot_longer pivot_wider positional summarize";

/// Where an expression stands, as far as the parser tells.
pub(super) fn span_of(expression: &Expr) -> Span {
    expression.span()
}
