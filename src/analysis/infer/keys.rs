//! Which columns identify a row, and joins in which they are not what is joined on: rows that meet several others are counted more
//! than once.
//!
//! A list of keys that is empty means that nothing is known; a key without columns is that of a query of one row.

use sqlparser::ast::{BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, Select, SelectItem, Spanned};
use sqlparser::tokenizer::Span;

use super::Inference;
use super::expression::unnested;
use super::grouping::{ColumnId, Grouping, children, column_id, own_column};
use super::scope::{Item, QueryResult, Scope, fold};
use super::unused::gives_rows;
use crate::diag::{Diagnostic, codes};

/// Ids of columns.
pub(super) type Key = Vec<u32>;

/// What a condition says of two sides.
#[derive(Default)]
pub(super) struct Bound {
    /// Columns of the left that are equal to something of the right, which has one value for each of its rows.
    pub left: Vec<u32>,
    pub right: Vec<u32>,
    /// Something else is asked of the rows as well, so that fewer may meet.
    restricted: bool,
}

impl Inference<'_> {
    /// The keys of what a join gives. `items` are those of both sides, from `split` on those of the right one.
    pub(super) fn joined_keys(&mut self, join: &Join, left: Vec<Key>, right: &[Key], items: &mut Vec<Item>, split: usize) -> Vec<Key> {
        let Some((constraint, inner)) = constraint_of(&join.join_operator) else { return Vec::new() };
        let Some((bound, span)) = self.bound_of(constraint, items, split) else {
            // Whoever writes a cross join wants every pair.
            return if matches!(constraint, JoinConstraint::None) { product(&left, right) } else { Vec::new() };
        };
        let (one_right, one_left) = (within(right, &bound.right), within(&left, &bound.left));
        let certain = !left.is_empty() && !right.is_empty() && !bound.restricted && !bound.left.is_empty() && !bound.right.is_empty();
        if certain && !one_right && !one_left {
            self.many_to_many(items, split, &bound, right, span);
        } else if certain && !one_right {
            let by = items.get(split).and_then(|item| item.name.clone());
            items.iter_mut().take(split).for_each(|item| item.multiplied_by.clone_from(&by));
        }
        match (one_right, inner && one_left) {
            (true, true) => left.into_iter().chain(right.iter().cloned()).collect(),
            (true, false) => left,
            (false, true) => right.to_vec(),
            (false, false) => product(&left, right),
        }
    }

    /// What the condition of a join says of its sides, and where; `None` where it names no columns.
    pub(super) fn bound_of(&self, constraint: &JoinConstraint, items: &mut Vec<Item>, split: usize) -> Option<(Bound, Span)> {
        match constraint {
            JoinConstraint::On(condition) => {
                let scope = Scope { items: std::mem::take(items), ..Scope::new(None, None) };
                let mut bound = Bound::default();
                let (ours, theirs) = (ids(scope.items.get(..split)), ids(scope.items.get(split..)));
                bind(condition, &scope, &ours, &theirs, &mut bound);
                *items = scope.items;
                Some((bound, condition.span()))
            }
            JoinConstraint::Using(names) => {
                let names: Vec<&Ident> = names.iter().filter_map(|name| name.0.last()?.as_ident()).collect();
                let side = |items: Option<&[Item]>| -> Vec<u32> {
                    let named = |ident: &&Ident| items.unwrap_or_default().iter().find_map(|item| item.id_of(&fold(ident)));
                    names.iter().filter_map(named).collect()
                };
                let bound = Bound { left: side(items.get(..split)), right: side(items.get(split..)), restricted: false };
                Some((bound, names.first().map_or_else(Span::empty, |ident| ident.span)))
            }
            JoinConstraint::None | JoinConstraint::Natural => None,
        }
    }

    fn many_to_many(&mut self, items: &[Item], split: usize, bound: &Bound, right: &[Key], span: Span) {
        let named = |key: &[u32]| -> String {
            let names = items.iter().flat_map(|item| &item.columns).filter(|column| key.contains(&column.id));
            let mut names: Vec<&str> = names.map(|column| &*column.name).collect();
            names.dedup();
            names.join(", ")
        };
        let other = items.get(split).and_then(|item| item.name.as_deref()).unwrap_or("the other side");
        let message =
            format!("neither side of the join with '{other}' has a key in {}, so that rows meet several others", named(&bound.right));
        let mut problem = Diagnostic::new(&codes::JOIN_FAN_OUT, message);
        if let Some(key) = right.first() {
            problem = problem.help(format!("'{other}' is known to be unique by {}: join on that, or aggregate one side first", named(key)));
        }
        self.doubt(span, problem.help("where these columns are a key, say so with a test 'unique'"));
    }

    /// `sum(orders.total)` after a join with the items of each order.
    pub(super) fn doubt_sum(&mut self, argument: &Expr, scope: &Scope<'_>, span: Span) {
        if !self.is_looked_into || scope.items.iter().all(|item| item.multiplied_by.is_none()) {
            return;
        }
        let mut read = Vec::new();
        columns_in(argument, scope, &mut read);
        let owner = |id: &u32| scope.items.iter().find(|item| item.named && item.columns.iter().any(|column| column.id == *id));
        let owners: Option<Vec<&Item>> = read.iter().map(owner).collect();
        let Some(owners) = owners.filter(|owners| owners.iter().all(|item| item.multiplied_by.is_some())) else { return };
        if let Some((of, by)) = owners.first().and_then(|item| Some((item.name.clone()?, item.multiplied_by.clone()?))) {
            let message = format!("a value of '{of}' is added once for each row of '{by}' that it meets");
            let problem = Diagnostic::new(&codes::JOIN_FAN_OUT, message).help(format!("sum '{by}' by its key before it is joined"));
            self.doubt(span, problem.help(format!("where each row of '{of}' meets one of '{by}', say so with a test 'unique'")));
        }
    }
}

impl Item {
    fn id_of(&self, name: &str) -> Option<u32> {
        self.columns.iter().find(|column| *column.name == *name).map(|column| column.id)
    }

    /// Keys given by positions of columns, and those that are proven.
    pub(super) fn keyed_by(mut self, keys: &[Vec<usize>], unique: &[Vec<usize>]) -> Item {
        let key = |key: &Vec<usize>| key.iter().map(|at| self.columns.get(*at).map(|column| column.id)).collect::<Option<Key>>();
        (self.keys, self.unique) = (keys.iter().filter_map(key).collect(), unique.iter().filter_map(key).collect());
        self
    }
}

/// Lists of columns in which no two rows of these entries have the same values.
pub(super) fn unique_of(items: &[Item]) -> Vec<Key> {
    match items {
        [item] => item.unique.clone(),
        _ => Vec::new(),
    }
}

/// The keys of one entry; of several, which nothing joins, those of all pairs.
pub(super) fn keys_of(items: &[Item]) -> Vec<Key> {
    match items {
        [item] => item.keys.clone(),
        _ => Vec::new(),
    }
}

/// Positions of the columns by which the rows of a SELECT can be told apart.
pub(super) fn keys_of_select(select: &Select, scope: &Scope<'_>, grouping: &Grouping, result: &QueryResult) -> Vec<Vec<usize>> {
    let one_row = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => !gives_rows(expression),
        _ => true,
    };
    // Functions that give several rows multiply those of FROM.
    if result.open || select.from.len() != 1 || !select.projection.iter().all(one_row) {
        return Vec::new();
    }
    if grouping.is_single() {
        return vec![Vec::new()];
    }
    if select.distinct.is_some() {
        let is_plain = matches!(select.distinct, Some(sqlparser::ast::Distinct::Distinct));
        return if is_plain { vec![(0..result.columns.len()).collect()] } else { Vec::new() };
    }
    // What a filter leaves may be unique by other columns too: `where row_number = 1`.
    if select.selection.as_ref().is_some_and(pins) || select.qualify.is_some() {
        return Vec::new();
    }
    let keys = match grouping.keys() {
        Some(keys) => vec![keys],
        None if grouping.is_active() => return Vec::new(),
        None => scope.rows.clone(),
    };
    let ids = projected_ids(select, scope, result);
    let position = |id: &u32| ids.iter().position(|held| held == id);
    keys.iter().filter_map(|key| key.iter().map(position).collect()).collect()
}

/// The id of each column that is one of FROM unchanged; 0 for others.
pub(super) fn projected_ids(select: &Select, scope: &Scope<'_>, result: &QueryResult) -> Vec<u32> {
    let starred = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    if select.projection.iter().any(starred) {
        // Columns of stars have theirs; of the others it is not known.
        return result.columns.iter().map(|column| column.id).collect();
    }
    let id = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => own_column(expression, scope),
        _ => None,
    };
    select.projection.iter().map(|item| id(item).unwrap_or(0)).collect()
}

pub(super) fn constraint_of(operator: &JoinOperator) -> Option<(&JoinConstraint, bool)> {
    match operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) | JoinOperator::CrossJoin(constraint) => Some((constraint, true)),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => Some((constraint, false)),
        // Rows of the right without any of the left have nulls in every key.
        _ => None,
    }
}

pub(super) fn product(left: &[Key], right: &[Key]) -> Vec<Key> {
    let pairs = left.iter().flat_map(|one| right.iter().map(|other| one.iter().chain(other).copied().collect()));
    pairs.take(4).collect()
}

/// Whether one of the keys is among some columns.
pub(super) fn within(keys: &[Key], columns: &[u32]) -> bool {
    keys.iter().any(|key| key.iter().all(|id| columns.contains(id)))
}

fn ids(items: Option<&[Item]>) -> Vec<u32> {
    items.unwrap_or_default().iter().flat_map(|item| &item.columns).map(|column| column.id).collect()
}

fn bind(condition: &Expr, scope: &Scope<'_>, left: &[u32], right: &[u32], bound: &mut Bound) {
    match condition {
        Expr::Nested(inner) => bind(inner, scope, left, right, bound),
        Expr::BinaryOp { left: one, op: BinaryOperator::And, right: other } => {
            for part in [one, other] {
                stacker::maybe_grow(64 * 1024, 1024 * 1024, || bind(part, scope, left, right, bound));
            }
        }
        Expr::BinaryOp { left: one, op: BinaryOperator::Eq, right: other } => {
            let sides = [unnested(one), unnested(other)].map(|side| own_column(side, scope));
            match sides {
                [Some(one), Some(other)] if left.contains(&one) && right.contains(&other) => {
                    bound.left.push(one);
                    bound.right.push(other);
                }
                [Some(one), Some(other)] if left.contains(&other) && right.contains(&one) => {
                    bound.left.push(other);
                    bound.right.push(one);
                }
                _ => {
                    // A column is equal to one value for each row of the other side.
                    for (column, value) in [(sides[0], other), (sides[1], one)] {
                        match column {
                            Some(id) if left.contains(&id) && is_made_of(value, scope, right) => bound.left.push(id),
                            Some(id) if right.contains(&id) && is_made_of(value, scope, left) => bound.right.push(id),
                            _ => {}
                        }
                    }
                    bound.restricted = true;
                }
            }
        }
        _ => bound.restricted = true,
    }
}

/// Whether an expression reads nothing but these columns, so that it has one value where these have.
fn is_made_of(expression: &Expr, scope: &Scope<'_>, columns: &[u32]) -> bool {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || match column_id(expression, scope) {
        ColumnId::Here(id) => columns.contains(&id),
        ColumnId::Outer => true,
        ColumnId::Unknown => false,
        ColumnId::None => match expression {
            Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_) => true,
            Expr::InSubquery { .. } => false,
            other => {
                let parts = children(other);
                !parts.is_empty() && parts.into_iter().all(|part| is_made_of(part, scope, columns))
            }
        },
    })
}

/// Whether a filter asks for one value of something, or for a flag.
fn pins(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => pins(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || pins(left)) || pins(right)
        }
        Expr::BinaryOp { op: BinaryOperator::Eq, .. }
        | Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::UnaryOp { .. }
        | Expr::Exists { .. }
        | Expr::InSubquery { .. } => true,
        _ => false,
    }
}

fn columns_in(expression: &Expr, scope: &Scope<'_>, found: &mut Vec<u32>) {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || match own_column(expression, scope) {
        Some(id) => found.push(id),
        None => children(expression).into_iter().for_each(|child| columns_in(child, scope, found)),
    });
}
