//! What names mean at one place of a query.

use std::sync::Arc;

use sqlparser::ast::Ident;

use super::keys::Key;
use super::typed::OuterName;
use crate::analysis::facts::{Facts, Origins};
use crate::analysis::sql_type::SqlType;

/// A column of something in FROM, or of a query's output.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: Arc<str>,
    pub facts: Facts,
    /// The same wherever the column turns up within its query; 0 for a column of a query's output.
    pub id: u32,
}

/// One entry of FROM.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    pub name: Option<String>,
    /// Where it was named with one.
    pub schema: Option<String>,
    pub columns: Vec<Column>,
    pub open: bool,
    /// Can be named before a point.
    pub named: bool,
    /// Its columns can be named alone.
    pub plain: bool,
    pub keyed: bool,
    /// A table, which has columns of the system too.
    pub stored: bool,
    /// Files behind a catalogue, which have columns of their own.
    pub outside: bool,
    /// Lists of columns by which its rows can be told apart; none where that is not known.
    pub keys: Vec<Key>,
    /// Lists of columns in which no two rows have the same values, for certain; there may be others.
    pub unique: Vec<Key>,
    /// Columns whose values all fall on different dates: series in steps of days.
    pub daily: Vec<u32>,
    /// What it is joined with, when each of its rows may meet several of that.
    pub multiplied_by: Option<String>,
}

/// The entries of FROM that can be seen, and what encloses the query.
pub(super) struct Scope<'e> {
    pub items: Vec<Item>,
    pub outer: Option<&'e Scope<'e>>,
    pub ctes: Option<&'e CteLink<'e>>,
    /// Rows are grouped by something, so that no group is empty.
    pub grouped: bool,
    /// The keys of the rows of FROM.
    pub rows: Vec<Key>,
    /// Those that are certain, as of an entry.
    pub unique: Vec<Key>,
}

/// A common table expression, and those before it.
pub(super) struct CteLink<'e> {
    pub name: String,
    pub result: QueryResult,
    /// Among those of the whole text; `None` while it is read by itself.
    pub number: Option<usize>,
    pub before: Option<&'e CteLink<'e>>,
}

/// What a query gives.
#[derive(Clone, Debug, Default)]
pub(super) struct QueryResult {
    pub columns: Vec<Column>,
    pub open: bool,
    /// Columns that decide which rows there are.
    pub indirect: Origins,
    /// Always one row.
    pub single: bool,
    /// Positions of columns by which its rows can be told apart.
    pub keys: Vec<Vec<usize>>,
    /// Those in which no two rows have the same values, for certain; there may be others.
    pub unique: Vec<Vec<usize>>,
}

/// What a name of a column means.
pub(super) enum Found<'s> {
    Column(&'s Column, usize),
    /// Something is there of which not all is known.
    Perhaps,
    Ambiguous(Vec<String>),
    /// One entry has several columns of that name.
    Twice(&'s Item),
    Missing,
}

/// Columns that every table has, and their types.
const SYSTEM_COLUMNS: &[(&str, &str)] =
    &[("ctid", "tid"), ("xmin", "xid"), ("xmax", "xid"), ("cmin", "cid"), ("cmax", "cid"), ("tableoid", "oid")];

/// Columns that rows of files have besides their own (`c-spectrum-external-tables`); what the third holds is not told.
const FILE_COLUMNS: &[(&str, &str)] = &[("$path", "text"), ("$size", "bigint"), ("$spectrum_oid", "")];

/// The type of a column of the system; `None` where the name is no such one.
pub(super) fn system_type(name: &str) -> Option<SqlType> {
    SYSTEM_COLUMNS.iter().chain(FILE_COLUMNS).find(|(column, _)| *column == name).and_then(|(_, kind)| SqlType::parse(kind))
}

/// As the database reads it: letters of ASCII are folded to lower case unless in quotes.
pub(super) fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_ascii_lowercase() }
}

impl<'e> Scope<'e> {
    pub(super) fn new(outer: Option<&'e Scope<'e>>, ctes: Option<&'e CteLink<'e>>) -> Scope<'e> {
        Scope { items: Vec::new(), outer, ctes, grouped: false, rows: Vec::new(), unique: Vec::new() }
    }

    /// A name alone.
    pub(super) fn column(&self, name: &str) -> Found<'_> {
        let mut level = 0;
        let mut scope = self;
        let mut perhaps = false;
        loop {
            match scope.column_here(name, level) {
                Found::Missing => {}
                // Something unknown further in may hold it just as well, so nothing further out is certain.
                Found::Perhaps => perhaps = true,
                _ if perhaps => return Found::Perhaps,
                found => return found,
            }
            match scope.outer {
                Some(outer) => {
                    scope = outer;
                    level += 1;
                }
                None => return if perhaps { Found::Perhaps } else { Found::Missing },
            }
        }
    }

    /// The column of a query further out than `level` that has this very name.
    pub(super) fn same_further_out(&self, name: &str, level: usize) -> Option<(&Column, usize)> {
        let mut scope = (0..=level).try_fold(self, |scope, _| scope.outer);
        let mut at = level + 1;
        while let Some(here) = scope {
            let mut columns = here.items.iter().filter(|item| item.plain).flat_map(|item| &item.columns);
            if let Some(column) = columns.find(|column| *column.name == *name) {
                return Some((column, at));
            }
            (scope, at) = (here.outer, at + 1);
        }
        None
    }

    fn column_here(&self, name: &str, level: usize) -> Found<'_> {
        let mut found: Vec<(&Column, &Item)> = Vec::new();
        let mut open = false;
        for item in self.items.iter().filter(|item| item.plain) {
            let before = found.len();
            found.extend(item.named_so(name).map(|column| (column, item)));
            open |= found.len() == before && item.may_have(name);
        }
        match found.as_slice() {
            [] if open => Found::Perhaps,
            [] => Found::Missing,
            [(column, _)] => Found::Column(column, level),
            [(_, item), others @ ..] if others.iter().all(|(_, other)| std::ptr::eq(*item, *other)) => Found::Twice(item),
            many => Found::Ambiguous(many.iter().map(|(_, item)| item.name.clone().unwrap_or_else(|| "a join".to_owned())).collect()),
        }
    }

    /// The entry of FROM of that name, and how far out it is.
    pub(super) fn item(&self, schema: Option<&str>, name: &str) -> Option<(&Item, usize)> {
        let mut level = 0;
        let mut scope = self;
        loop {
            let fits = |item: &&Item| {
                item.named && item.name.as_deref() == Some(name) && schema.is_none_or(|schema| item.schema.as_deref() == Some(schema))
            };
            if let Some(item) = scope.items.iter().find(fits) {
                return Some((item, level));
            }
            scope = scope.outer?;
            level += 1;
        }
    }

    /// How a column is named that is so many queries further out.
    pub(super) fn outer_name(&self, id: u32, level: usize) -> OuterName {
        let has_it = |item: &&Item| item.named && item.columns.iter().any(|column| column.id == id);
        let scope = (0..level).try_fold(self, |scope, _| scope.outer);
        let entry = scope.and_then(|scope| scope.items.iter().find(has_it)?.name.clone());
        let found = entry.as_ref().and_then(|entry| self.item(None, entry));
        OuterName { is_hidden: found.is_some_and(|(_, at)| at < level), entry, level, alike: None }
    }

    /// All names of columns that could be meant here, for suggestions.
    pub(super) fn column_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut scope = Some(self);
        while let Some(here) = scope {
            names.extend(here.items.iter().filter(|item| item.plain).flat_map(|item| &item.columns).map(|column| column.name.to_string()));
            scope = here.outer;
        }
        names
    }

    pub(super) fn item_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut scope = Some(self);
        while let Some(here) = scope {
            names.extend(here.items.iter().filter(|item| item.named).filter_map(|item| item.name.clone()));
            scope = here.outer;
        }
        names
    }

    pub(super) fn cte(&self, name: &str) -> Option<&'e CteLink<'e>> {
        let mut link = self.ctes;
        while let Some(cte) = link {
            if cte.name == name {
                return Some(cte);
            }
            link = cte.before;
        }
        None
    }

    pub(super) fn cte_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut link = self.ctes;
        while let Some(cte) = link {
            names.push(cte.name.clone());
            link = cte.before;
        }
        names
    }
}

impl Item {
    /// A column by name within this entry alone.
    pub(super) fn column(&self, name: &str) -> Found<'_> {
        let mut found = self.named_so(name);
        match (found.next(), found.next()) {
            (Some(column), None) => Found::Column(column, 0),
            (Some(_), Some(_)) => Found::Twice(self),
            (None, _) if self.may_have(name) => Found::Perhaps,
            (None, _) => Found::Missing,
        }
    }

    /// Whether there may be a column of that name beside those that are listed.
    fn may_have(&self, name: &str) -> bool {
        let among = |columns: &[(&str, &str)]| columns.iter().any(|(column, _)| *column == name);
        self.open || (self.stored && among(SYSTEM_COLUMNS)) || (self.outside && among(FILE_COLUMNS))
    }

    /// The columns of that name. Engines differ in whether letter case counts, so it does only where it tells columns apart.
    pub(super) fn named_so<'i, 'n>(&'i self, name: &'n str) -> impl Iterator<Item = &'i Column> + use<'i, 'n> {
        let exact = self.columns.iter().any(|column| *column.name == *name);
        self.columns.iter().filter(move |column| *column.name == *name || (!exact && column.name.eq_ignore_ascii_case(name)))
    }

    /// What an outer join does to the side that may be missing.
    pub(super) fn may_be_missing(&mut self) {
        self.columns.iter_mut().for_each(|column| column.facts.nullable = true);
    }
}
