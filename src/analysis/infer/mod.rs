//! Names and types of one query, in one walk over its tree.

mod calls;
mod conversions;
mod currencies;
mod doubts;
mod equalities;
mod expression;
mod from;
mod grouping;
mod keys;
mod laterals;
mod literal;
mod narrowing;
mod output_name;
mod query;
mod rows;
mod scope;
mod series;
mod sizes;
mod ties;
mod typed;
mod units;
mod unused;
mod windows;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexSet;
use sqlparser::ast::{Expr, Ident, Query};
use sqlparser::tokenizer::Span;

use self::doubts::Doubts;
pub use self::output_name::output_name;
use self::scope::Scope;
pub use self::typed::{ExpressionTypes, OuterColumn, OuterName, Output, Typed, Using, quotient_digits};
use super::catalogue::{TypeId, catalogue};
use super::facts::{Facts, Origins, RelationSchema};
use super::sql_type::SqlType;
use super::units::Declarations;
use crate::diag::{Code, Diagnostic, Severity, codes};
use crate::syntax::{Lines, double_equals};

/// What a query may read.
pub trait Tables {
    /// The relation that is called so: its number among the nodes, where it is one, and its columns.
    fn find(&self, name: &[String]) -> Table;

    /// Lists of columns of a node of which no two rows have the same values, as tests and constraints say.
    fn keys(&self, _node: usize) -> &[Vec<String>] {
        &[]
    }

    /// Whether a test or a constraint keeps nulls out of a column of a node.
    fn is_never_null(&self, _node: usize, _column: &str) -> bool {
        false
    }

    /// Whether the project makes a function of this name.
    fn has_function(&self, _name: &str) -> bool {
        false
    }

    /// Whether clocks and dice are looked for in filters.
    fn watches_clocks(&self) -> bool {
        false
    }

    /// Whether the engine may have functions and aggregates that the catalogue lacks.
    fn has_foreign_functions(&self) -> bool {
        false
    }

    /// Whether the query may use only what every server has.
    fn is_portable(&self) -> bool {
        false
    }

    /// Whether somebody asks for lineage and for what is doubtful, keys among it. Whoever only rewrites a query wants its types and mistakes.
    fn is_looked_into(&self) -> bool {
        true
    }

    /// Whether the types of expressions are kept, and digits of numbers followed.
    fn keeps_types(&self) -> bool {
        self.is_portable()
    }
}

pub enum Table {
    Node(usize, Arc<RelationSchema>),
    /// Not of this project: a table that somebody else fills, or a mistake.
    Foreign,
}

/// Something wrong, and which bytes of the SQL.
#[derive(Clone, Debug)]
pub struct Finding {
    pub diagnostic: Diagnostic,
    pub range: Option<Range<usize>>,
    /// Other places that it speaks of, and what stands there.
    pub also: Vec<(Range<usize>, &'static str)>,
}

impl Finding {
    pub fn new(diagnostic: Diagnostic, range: Option<Range<usize>>) -> Finding {
        Finding { diagnostic, range, also: Vec::new() }
    }
}

/// What a query turned out to be.
#[derive(Clone, Debug, Default)]
pub struct Inferred {
    pub schema: RelationSchema,
    /// For each column of the schema where the query writes it.
    pub places: Vec<Option<Range<usize>>>,
    /// Names of columns, each with that of one beside it which certainly does not name its currency or its zone.
    pub strangers: Vec<(String, String)>,
    /// For each column of the schema what it comes from; numbers of `reads`.
    pub origins: Vec<Origins>,
    /// What decides about the rows, and so about all columns.
    pub indirect: Origins,
    /// Columns of nodes that are read: number of the node and name.
    pub reads: Vec<(usize, String)>,
    pub findings: Vec<Finding>,
    /// Those about units: names and types are as certain as before.
    pub unit_findings: Vec<Finding>,
    /// What the database takes and hardly anybody means.
    pub doubts: Vec<Finding>,
    /// Where they are kept.
    pub types: ExpressionTypes,
}

impl Inferred {
    /// Forgets what is no mistake: whoever rewrites a query says nothing of it.
    pub(super) fn keep_mistakes(&mut self) {
        let is_mistake = |finding: &Finding| finding.diagnostic.severity == Severity::Error;
        self.unit_findings.retain(is_mistake);
        self.doubts.retain(is_mistake);
    }
}

/// Names and types of a query. `sql` is the text that `query` was read from.
pub fn infer(sql: &str, query: &Query, tables: &dyn Tables) -> Inferred {
    infer_with(sql, query, tables, &Declarations::default())
}

/// As [`infer`]; calls of macros that are marked in the tree convert as `declarations` say.
pub(super) fn infer_with(sql: &str, query: &Query, tables: &dyn Tables, declarations: &Declarations) -> Inferred {
    let mut inference = Inference {
        tables,
        lines: Lines::new(sql),
        findings: Vec::new(),
        unit_findings: Vec::new(),
        reads: IndexSet::default(),
        last_id: 0,
        aggregates: None,
        doubts: Doubts::default(),
        currency_names: HashMap::new(),
        equalities: equalities::Equalities::default(),
        of_other_rows: HashMap::new(),
        group_keys: None,
        windows: Vec::new(),
        row_fields: Vec::new(),
        aliases: Vec::new(),
        declarations,
        conversions: Vec::new(),
        types: tables.keeps_types().then(ExpressionTypes::default),
        mentions: None,
        is_looked_into: tables.is_looked_into(),
    };
    let result = inference.query(query, None, None);
    if !tables.has_foreign_functions() {
        inference.refuse_double_equals(sql);
    }
    inference.doubt_unused();
    let columns = currencies::schema_columns(&result.columns);
    let named = |key: &Vec<usize>| key.iter().map(|at| Some(result.columns.get(*at)?.name.to_string())).collect::<Option<Vec<_>>>();
    let keys = result.keys.iter().filter_map(named).collect();
    let unique = result.unique.iter().filter_map(named).collect();
    Inferred {
        schema: RelationSchema { columns, open: result.open, keys, unique, ..RelationSchema::default() },
        strangers: currencies::strangers(&result.columns),
        places: result.columns.iter().map(|column| inference.lines.range(column.facts.meaning.written?)).collect(),
        origins: result.columns.iter().map(|column| column.facts.origins.clone()).collect(),
        indirect: result.indirect,
        reads: inference.reads.into_iter().collect(),
        findings: inference.findings,
        unit_findings: inference.unit_findings,
        doubts: inference.doubts.findings,
        types: inference.types.unwrap_or_default(),
    }
}

/// The walk.
struct Inference<'a> {
    tables: &'a dyn Tables,
    lines: Lines<'a>,
    findings: Vec<Finding>,
    unit_findings: Vec<Finding>,
    reads: IndexSet<(usize, String), foldhash::fast::RandomState>,
    last_id: u32,
    /// The clause in which aggregates may not stand, while one is walked.
    aggregates: Option<&'static str>,
    doubts: Doubts,
    /// Columns that name currencies, by their numbers.
    currency_names: HashMap<u32, String>,
    equalities: equalities::Equalities,
    /// Numbers for the currencies of other rows, by the number of this row's and by how the other row is found.
    of_other_rows: HashMap<(u32, String), u32>,
    /// What the rows of a group have in common: columns, by their numbers. `None` where rows are not put together.
    group_keys: Option<Vec<u32>>,
    /// What the WINDOW clause of this query names.
    windows: Vec<windows::NamedWindow>,
    /// The fields of the row that the last function gave.
    row_fields: Vec<(String, Option<SqlType>)>,
    /// Names of output columns, which other engines know within the query itself.
    aliases: Vec<String>,
    declarations: &'a Declarations,
    /// The conversions that are being walked, innermost last.
    conversions: Vec<conversions::Running>,
    types: Option<ExpressionTypes>,
    /// Columns that the subquery has named so far which is being walked and may depend on the row outside.
    mentions: Option<Vec<laterals::Mention>>,
    is_looked_into: bool,
}

impl Inference<'_> {
    fn find(&mut self, span: Span, diagnostic: Diagnostic) {
        let range = self.lines.range(span);
        self.findings.push(Finding::new(diagnostic, range));
    }

    fn mistake(&mut self, span: Span, code: &'static Code, message: String) {
        self.find(span, Diagnostic::new(code, message));
    }

    fn note(&mut self, expression: &Expr, facts: &mut Facts) {
        if let Some(types) = &mut self.types {
            types.note(expression, facts);
        }
    }

    fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    /// The parser reads `==`, which PostgreSQL has not, as `=`.
    fn refuse_double_equals(&mut self, sql: &str) {
        for range in double_equals(sql) {
            let problem = Diagnostic::new(&codes::TYPE_MISMATCH, "there is no operator ==").help("write =");
            self.findings.push(Finding::new(problem, Some(range)));
        }
    }

    /// The number of a column that is read.
    fn read(&mut self, node: usize, column: &str) -> u32 {
        let (at, _) = self.reads.insert_full((node, column.to_owned()));
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

fn known() -> &'static super::catalogue::WellKnown {
    &catalogue().known
}

/// A literal that nothing has given a type yet becomes text at the end.
fn settled(sql_type: Option<SqlType>) -> Option<SqlType> {
    sql_type.map(|kind| if kind.id == known().unknown { known().text.into() } else { kind })
}

fn spelled(id: TypeId) -> String {
    SqlType::from(id).to_string()
}

/// The parts of a name, as the database reads them.
pub(super) fn path(parts: &[Ident]) -> Vec<String> {
    parts.iter().map(scope::fold).collect()
}

/// Facts of something of which the parts are known, and nothing else.
fn opaque(parts: &[Facts]) -> Facts {
    Facts::unknown().reading(parts)
}

type Outer<'e> = Option<&'e Scope<'e>>;
