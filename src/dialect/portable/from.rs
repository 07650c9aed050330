//! FROM: relations, subqueries, joins.

use sqlparser::ast::{Ident, Join, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias, TableFactor, TableWithJoins};
use sqlparser::tokenizer::Span;

use super::writer::Writer;

impl Writer<'_> {
    pub(super) fn from(&mut self, relations: &[TableWithJoins]) -> String {
        let written: Vec<String> = relations.iter().map(|relation| self.joined(relation)).collect();
        written.join(", ")
    }

    fn joined(&mut self, relation: &TableWithJoins) -> String {
        let mut text = self.factor(&relation.relation);
        for join in &relation.joins {
            text.push_str(&self.line());
            text.push_str(&self.join(join));
        }
        text
    }

    fn factor(&mut self, factor: &TableFactor) -> String {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                let name = self.object_name(name);
                self.aliased(name, alias.as_ref(), factor.span())
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                let subquery = self.subquery(subquery);
                self.aliased(subquery, alias.as_ref(), factor.span())
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let inner = self.joined(table_with_joins);
                self.aliased(format!("({inner})"), alias.as_ref(), factor.span())
            }
            other => {
                let help = "read relations and subqueries";
                self.refuse(other.span(), "this entry of FROM is not on the list of what is the same on all engines", help);
                String::new()
            }
        }
    }

    pub(super) fn object_name(&mut self, name: &ObjectName) -> String {
        let parts: Option<Vec<Ident>> = name.0.iter().map(|part| part.as_ident().cloned()).collect();
        match parts {
            Some(parts) => self.names(&parts),
            None => self.refuse(name.span(), format!("'{name}' is no plain name"), "name the relation").text,
        }
    }

    fn aliased(&mut self, text: String, alias: Option<&TableAlias>, span: Span) -> String {
        let Some(alias) = alias else { return text };
        if alias.at.is_some() || alias.columns.iter().any(|column| column.data_type.is_some()) {
            self.refuse(span, "this kind of alias is not the same on all engines", "give the relation a plain name");
        }
        format!("{text} as {}", self.alias(alias))
    }

    /// A name with names of columns.
    pub(super) fn alias(&mut self, alias: &TableAlias) -> String {
        let name = self.name(&alias.name);
        if alias.columns.is_empty() {
            return name;
        }
        let columns: Vec<String> = alias.columns.iter().map(|column| self.name(&column.name)).collect();
        format!("{name} ({})", columns.join(", "))
    }

    fn join(&mut self, join: &Join) -> String {
        let relation = self.factor(&join.relation);
        let (words, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => ("join", constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => ("left join", constraint),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => ("right join", constraint),
            JoinOperator::FullOuter(constraint) => ("full join", constraint),
            JoinOperator::CrossJoin(constraint @ JoinConstraint::None) => ("cross join", constraint),
            _ => {
                self.refuse(join.relation.span(), "this kind of join is not PostgreSQL's", "use inner, left, right, full or cross join");
                return String::new();
            }
        };
        match constraint {
            JoinConstraint::On(condition) => format!("{words} {relation} on {}", self.expression(condition).text),
            JoinConstraint::Using(columns) => {
                let columns: Vec<String> = columns.iter().map(|column| self.object_name(column)).collect();
                format!("{words} {relation} using ({})", columns.join(", "))
            }
            JoinConstraint::Natural => format!("natural {words} {relation}"),
            JoinConstraint::None => format!("{words} {relation}"),
        }
    }
}
