//! What a subquery reads of the row outside, for whoever writes it as a join: a lateral one of FROM, and one that stands for a value.

use sqlparser::ast::Query;

use super::Inference;
use super::scope::{CteLink, Found, QueryResult, Scope};
use super::typed::OuterColumn;

/// A column that was named: its number, and whether without a relation before it.
pub(super) type Mention = (u32, bool);

impl Inference<'_> {
    /// `left` is what it can see of the query around it.
    pub(super) fn dependent_query<'e>(&mut self, query: &Query, left: &'e Scope<'e>, ctes: Option<&'e CteLink<'e>>) -> QueryResult {
        if self.types.is_none() {
            return self.query(query, Some(left), ctes);
        }
        let last = self.last_id;
        let around = self.mentions.replace(Vec::new());
        let result = self.query(query, Some(left), ctes);
        let mut named = std::mem::replace(&mut self.mentions, around).unwrap_or_default();
        // Numbers ascend: those of its own columns are higher.
        named.retain(|(id, _)| *id <= last);
        let is_near = |(id, _): &Mention| left.items.iter().any(|item| item.columns.iter().any(|column| column.id == *id));
        // What lies further out cannot be said.
        if let Some(types) = self.types.as_mut().filter(|_| named.iter().all(is_near)) {
            types.note_outer(query, outer_columns(&named, left));
        }
        self.mentions.iter_mut().for_each(|mentions| mentions.extend(&named));
        result
    }

    /// A column is named, within such a query or elsewhere.
    pub(super) fn mention(&mut self, id: u32, alone: bool) {
        self.mentions.iter_mut().for_each(|mentions| mentions.push((id, alone)));
    }
}

/// Each column once, in the order of FROM.
fn outer_columns(named: &[Mention], left: &Scope<'_>) -> Vec<OuterColumn> {
    let mut outer: Vec<OuterColumn> = Vec::new();
    let mut seen = Vec::new();
    // An entry that has a name comes before what USING makes of its columns.
    for item in &left.items {
        for column in &item.columns {
            let mut mentions = named.iter().filter(|(id, _)| *id == column.id).peekable();
            if mentions.peek().is_none() || seen.contains(&column.id) {
                continue;
            }
            seen.push(column.id);
            outer.push(OuterColumn {
                entry: item.name.clone().filter(|_| item.named),
                name: column.name.to_string(),
                typed: super::typed::typed(&column.facts),
                alone: mentions.any(|(_, alone)| *alone),
                known_alone: matches!(left.column(&column.name), Found::Column(found, 0) if found.id == column.id),
            });
        }
    }
    outer
}
