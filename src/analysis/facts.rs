//! What is known of a value: the one record that every expression and every column carries.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::sql_type::SqlType;
use super::units::Measure;

/// Everything that is known of a value. What else is to be followed through expressions becomes a further field here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// `None` where it is not known. A literal in quotes that nothing has given a type yet has the type `unknown`.
    pub sql_type: Option<SqlType>,
    /// `false` only where it is certain that the value is never null.
    pub nullable: bool,
    /// Columns of other relations that it comes from, ascending, each kind of edge once.
    pub origins: Origins,
    pub meaning: Meaning,
    /// Of an exact number: so many digits stand behind the point at most, where its type does not say it. PostgreSQL forgets that; engines
    /// whose exact numbers all have a scale do not.
    pub digits: Option<i32>,
    /// Of a text: so many bytes of UTF-8 it has at most, where its type does not say it or says more.
    pub bytes: Option<u32>,
}

/// What a value means to people, which the database does not know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meaning {
    pub measure: Measure,
    /// Such as `personal`, ascending.
    pub labels: Vec<Arc<str>>,
    /// The column of which it is the value unchanged; 0 for none.
    pub same_as: u32,
    /// A code that is written in the query, such as that of a currency.
    pub constant: Option<Arc<str>>,
    /// Where the query writes it as a column.
    pub written: Option<sqlparser::tokenizer::Span>,
    /// Columns that determine it, where it was declared so: one currency for each bet.
    pub determined_by: Vec<u32>,
}

impl Facts {
    pub fn of(sql_type: Option<SqlType>, nullable: bool) -> Facts {
        Facts { sql_type, nullable, ..Facts::default() }
    }

    /// Nothing is known.
    pub fn unknown() -> Facts {
        Facts::of(None, true)
    }

    pub fn reading(mut self, others: &[Facts]) -> Facts {
        for other in others {
            merge(&mut self.origins, &other.origins);
            merge_labels(&mut self.meaning.labels, &other.meaning.labels);
        }
        self
    }

    pub fn measured(mut self, measure: Measure) -> Facts {
        self.meaning.measure = measure;
        self
    }

    /// Reads these only to decide, not for their values.
    pub fn deciding_by(mut self, other: &Facts) -> Facts {
        let origins: Origins = other.origins.iter().map(|origin| origin.as_condition()).collect();
        merge(&mut self.origins, &origins);
        self
    }
}

/// Most values come from one column or two, and facts are copied at every step: so these need no allocation.
pub(super) type Origins = SmallVec<[Origin; 2]>;

/// One column that something comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Number of the column among all that the query reads.
    pub column: u32,
    pub kind: EdgeKind,
}

impl Origin {
    fn as_condition(self) -> Origin {
        let kind = if self.kind == EdgeKind::Value { EdgeKind::Condition } else { self.kind };
        Origin { kind, ..self }
    }

    pub fn of_kind(self, kind: EdgeKind) -> Origin {
        if self.kind == EdgeKind::Value { Origin { kind, ..self } } else { self }
    }
}

/// How a column comes from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EdgeKind {
    Value,
    /// It decides which value is taken: `case when`, `filter`.
    Condition,
    /// It decides which rows there are.
    Filter,
    Join,
    Group,
    Order,
}

impl EdgeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            EdgeKind::Value => "value",
            EdgeKind::Condition => "condition",
            EdgeKind::Filter => "filter",
            EdgeKind::Join => "join",
            EdgeKind::Group => "group",
            EdgeKind::Order => "order",
        }
    }

    /// Whether the value itself goes this way.
    pub fn is_direct(self) -> bool {
        self == EdgeKind::Value
    }
}

/// Puts the others in, keeping the order.
pub(super) fn merge(into: &mut Origins, others: &[Origin]) {
    for origin in others {
        if let Err(at) = into.binary_search(origin) {
            into.insert(at, *origin);
        }
    }
}

pub(super) fn merge_labels(into: &mut Vec<Arc<str>>, others: &[Arc<str>]) {
    for label in others {
        if let Err(at) = into.binary_search(label) {
            into.insert(at, Arc::clone(label));
        }
    }
}

/// The columns of a relation, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RelationSchema {
    pub columns: Vec<SchemaColumn>,
    /// There may be columns that are not listed.
    pub open: bool,
    /// It may have a primary key, on which other columns depend.
    pub keyed: bool,
    /// Lists of columns by which its rows can be told apart, as far as its query shows.
    pub keys: Vec<Vec<String>>,
    /// Lists of columns in which no two rows have the same values, for certain; there may be others. Looked for in portable queries.
    pub unique: Vec<Vec<String>>,
    /// It is files behind a catalogue, of which the engine tells the place too.
    pub outside: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SchemaColumn {
    pub name: String,
    pub sql_type: Option<SqlType>,
    pub nullable: bool,
    /// Currencies by names of columns of the same relation.
    pub measure: Measure,
    pub labels: Vec<Arc<str>>,
    /// Columns of the same relation that determine it.
    pub determined_by: Vec<String>,
    /// As in [`Facts`].
    pub digits: Option<i32>,
    /// Of a text: so many bytes it has at most.
    pub bytes: Option<u32>,
}

impl RelationSchema {
    /// Nothing is known of it.
    pub fn unknown() -> RelationSchema {
        RelationSchema { open: true, keyed: true, ..RelationSchema::default() }
    }
}
