//! What the database knows of types, operators, casts and functions, as data that `scripts/postgres-catalogue` takes from a real
//! server. Read once, when it is first needed.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A type of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TypeId(u16);

#[derive(Debug)]
pub(super) struct TypeEntry {
    /// As in `pg_type`: `int4`, `_int4`.
    pub name: &'static str,
    pub category: Category,
    pub preferred: bool,
    pub kind: Kind,
    /// Of an array: what it consists of.
    pub element: Option<TypeId>,
    /// The array of this type.
    pub array: Option<TypeId>,
    /// Of a range: what lies in it; of a multirange: its range.
    pub subtype: Option<TypeId>,
    /// As `format_type` spells it: `integer`, `integer[]`.
    pub display: &'static str,
}

/// The letter of `pg_type.typcategory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Category(u8);

impl Category {
    pub(super) const STRING: Category = Category(b'S');
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Base,
    Pseudo,
    Range,
    Multirange,
}

#[derive(Debug)]
pub(super) struct Operator {
    /// `None` before a prefix operator.
    pub left: Option<TypeId>,
    pub right: TypeId,
    pub result: TypeId,
}

/// When a cast happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Context {
    Implicit,
    Assignment,
    Explicit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cast {
    pub context: Context,
    /// The bytes stay as they are.
    pub binary: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FunctionKind {
    Plain,
    Window,
    Aggregate,
    /// With `WITHIN GROUP`: how many arguments stand in the parentheses.
    OrderedSet(usize),
    /// Likewise, of hypothetical rows.
    Hypothetical,
}

#[derive(Debug)]
pub(super) struct Function {
    pub kind: FunctionKind,
    pub variadic: bool,
    pub defaults: usize,
    pub arguments: Vec<TypeId>,
    pub result: TypeId,
    /// Columns that it gives back, where it names them.
    pub columns: Vec<(&'static str, TypeId)>,
}

/// Types that rules name.
#[derive(Clone, Copy, Debug)]
pub(super) struct WellKnown {
    pub any: TypeId,
    pub bit: TypeId,
    pub bool: TypeId,
    pub bpchar: TypeId,
    pub date: TypeId,
    pub int4: TypeId,
    pub int8: TypeId,
    pub interval: TypeId,
    pub name: TypeId,
    pub numeric: TypeId,
    pub record: TypeId,
    pub text: TypeId,
    pub time: TypeId,
    pub timestamp: TypeId,
    pub timestamptz: TypeId,
    pub timetz: TypeId,
    pub unknown: TypeId,
    pub varbit: TypeId,
    pub varchar: TypeId,
}

/// Nobody chooses what it holds to make it slow.
type Fixed<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

pub(super) struct Catalogue {
    types: Vec<TypeEntry>,
    by_name: Fixed<&'static str, TypeId>,
    operators: Fixed<&'static str, Vec<Operator>>,
    casts: Fixed<(TypeId, TypeId), Cast>,
    functions: Fixed<&'static str, Vec<Function>>,
    pub known: WellKnown,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(read);

pub(super) fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    pub(super) fn entry(&self, id: TypeId) -> &TypeEntry {
        match self.types.get(usize::from(id.0)) {
            Some(entry) => entry,
            None => panic!("{id:?} belongs to another catalogue"),
        }
    }

    /// By the name in `pg_type`.
    pub(super) fn type_named(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    pub(super) fn operators(&self, name: &str) -> &[Operator] {
        self.operators.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn functions(&self, name: &str) -> &[Function] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn function_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.functions.keys().copied()
    }

    pub(super) fn cast(&self, from: TypeId, to: TypeId) -> Option<Cast> {
        self.casts.get(&(from, to)).copied()
    }

    pub(super) fn multirange_of(&self, range: TypeId) -> Option<TypeId> {
        let at = self.types.iter().position(|entry| entry.kind == Kind::Multirange && entry.subtype == Some(range))?;
        u16::try_from(at).ok().map(TypeId)
    }
}

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().map(|line| line.split(' ').collect())
}

fn field<'t>(line: &[&'t str], at: usize) -> &'t str {
    line.get(at).copied().unwrap_or("-")
}

fn read() -> Catalogue {
    let text = include_str!("types.txt");
    let by_name: Fixed<&'static str, TypeId> = (0u16..).zip(lines(text)).map(|(at, line)| (field(&line, 0), TypeId(at))).collect();
    let id = |name: &str| by_name.get(name).copied();
    let types = lines(text).map(|line| TypeEntry {
        name: field(&line, 0),
        category: Category(field(&line, 1).bytes().next().unwrap_or(b'U')),
        preferred: field(&line, 2) == "p",
        kind: match field(&line, 3) {
            "p" => Kind::Pseudo,
            "r" => Kind::Range,
            "m" => Kind::Multirange,
            _ => Kind::Base,
        },
        element: id(field(&line, 4)),
        array: id(field(&line, 5)),
        subtype: id(field(&line, 6)),
        display: display(text, field(&line, 0)),
    });
    let types = types.collect();
    let mut operators: Fixed<&'static str, Vec<Operator>> = Fixed::default();
    for line in lines(include_str!("operators.txt")) {
        if let (Some(right), Some(result)) = (id(field(&line, 2)), id(field(&line, 3))) {
            operators.entry(field(&line, 0)).or_default().push(Operator { left: id(field(&line, 1)), right, result });
        }
    }
    let casts = lines(include_str!("casts.txt")).filter_map(|line| {
        let context = match field(&line, 2) {
            "i" => Context::Implicit,
            "a" => Context::Assignment,
            _ => Context::Explicit,
        };
        Some(((id(field(&line, 0))?, id(field(&line, 1))?), Cast { context, binary: field(&line, 3) == "b" }))
    });
    let casts = casts.collect();
    let mut functions: Fixed<&'static str, Vec<Function>> = Fixed::default();
    // What servers later than that of the dump have under names that it has too.
    for line in lines(include_str!("functions.txt")).chain(lines(include_str!("functions_later.txt"))) {
        if let Some(function) = read_function(&line, &id) {
            functions.entry(field(&line, 0)).or_default().push(function);
        }
    }
    let known = well_known(&|name| id(name).unwrap_or(TypeId(0)));
    Catalogue { types, operators, casts, functions, known, by_name }
}

/// The last field, which may hold blanks.
fn display(text: &'static str, name: &str) -> &'static str {
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.and_then(|line| line.splitn(8, ' ').nth(7)).unwrap_or("")
}

fn read_function(line: &[&'static str], id: &dyn Fn(&str) -> Option<TypeId>) -> Option<Function> {
    let list = |text: &'static str| text.split(',').filter(|part| *part != "-");
    let kind = field(line, 1);
    Some(Function {
        kind: match kind.as_bytes().first() {
            Some(b'a') => FunctionKind::Aggregate,
            Some(b'w') => FunctionKind::Window,
            Some(b'o') => FunctionKind::OrderedSet(kind.get(1..).and_then(|count| count.parse().ok()).unwrap_or(0)),
            Some(b'h') => FunctionKind::Hypothetical,
            _ => FunctionKind::Plain,
        },
        variadic: field(line, 3) == "v",
        defaults: field(line, 4).parse().unwrap_or(0),
        arguments: list(field(line, 5)).map(id).collect::<Option<_>>()?,
        result: id(field(line, 6))?,
        columns: list(field(line, 7))
            .filter_map(|column| column.split_once(':'))
            .filter_map(|(name, kind)| Some((name, id(kind)?)))
            .collect(),
    })
}

fn well_known(id: &dyn Fn(&str) -> TypeId) -> WellKnown {
    WellKnown {
        any: id("any"),
        bit: id("bit"),
        bool: id("bool"),
        bpchar: id("bpchar"),
        date: id("date"),
        int4: id("int4"),
        int8: id("int8"),
        interval: id("interval"),
        name: id("name"),
        numeric: id("numeric"),
        record: id("record"),
        text: id("text"),
        time: id("time"),
        timestamp: id("timestamp"),
        timestamptz: id("timestamptz"),
        timetz: id("timetz"),
        unknown: id("unknown"),
        varbit: id("varbit"),
        varchar: id("varchar"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_the_files_name_is_known() {
        let catalogue = catalogue();
        assert!(catalogue.types.len() > 150 && catalogue.functions.len() > 500);
        assert_eq!(catalogue.entry(catalogue.known.timestamptz).display, "timestamp with time zone");
        for (text, held) in [
            (include_str!("operators.txt"), catalogue.operators.values().map(Vec::len).sum::<usize>()),
            (concat!(include_str!("functions.txt"), include_str!("functions_later.txt")), catalogue.functions.values().map(Vec::len).sum()),
            (include_str!("casts.txt"), catalogue.casts.len()),
        ] {
            assert_eq!(text.lines().count(), held, "types.txt lacks types that are named there");
        }
    }
}
