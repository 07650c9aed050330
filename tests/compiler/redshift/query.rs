//! Queries: clauses that Redshift has, names and types of what they give. A clause that is not named here is refused.

use sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderBy, OrderByExpr, OrderByKind,
    Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, TableAlias, TableFactor,
    TableWithJoins, TopQuantity, WildcardAdditionalOptions,
};

use super::Failure;
use super::typing::Type;

/// A column of a relation or of a result.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub of: Type,
}

/// What a relation of FROM is called, and its columns where they are known.
pub struct Rel {
    pub name: String,
    pub columns: Option<Vec<Column>>,
}

/// The names that an expression can see.
#[derive(Default)]
pub struct Scope<'s> {
    pub relations: Vec<Rel>,
    pub parent: Option<&'s Scope<'s>>,
}

/// A query in PostgreSQL's SQL, and its columns where they are known.
pub struct Translated {
    pub sql: String,
    pub columns: Option<Vec<Column>>,
}

/// An item of a select list and the columns that it stands for, where they are known.
type Item = (String, Option<Vec<Column>>);

/// What stands under a name.
pub enum Found {
    Columns(Vec<Column>),
    /// A view that binds late: its SQL.
    Late(String),
}

/// Where tables are looked up: the parts of a name in; `None` where there is no such table.
pub type Lookup<'l> = &'l mut dyn FnMut(&[String]) -> Option<Found>;

pub struct Translator<'l> {
    lookup: Lookup<'l>,
    /// The database to which names of three parts must belong.
    database: String,
    ctes: Vec<(String, Option<Vec<Column>>)>,
    /// Whether a table of the user's is read: then the leader's functions are gone and those of compute nodes are there.
    pub(super) reads_table: bool,
    pub(super) leader_only: Option<String>,
    pub(super) compute_only: Option<String>,
    /// Whether the expression stands where a predicate does.
    pub(super) predicate: bool,
    /// What the select list has named so far: later items may read it, fact 137.
    pub(super) aliases: Vec<(String, String, Type)>,
    /// The order of WITHIN GROUP that this SELECT has used.
    pub(super) group_order: Option<String>,
}

/// The name as PostgreSQL is to read it: Redshift folds letters to lower case, quoted or not.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.to_lowercase().replace('"', "\"\""))
}

pub fn parts(name: &ObjectName) -> Result<Vec<String>, Failure> {
    let idents = name.0.iter().map(|part| part.as_ident().map(|ident| ident.value.to_lowercase()));
    idents.collect::<Option<_>>().ok_or_else(|| Failure::not_imitated(format!("name {name}")))
}

fn quoted_parts(parts: &[String]) -> String {
    parts.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(".")
}

impl<'l> Translator<'l> {
    pub fn new(database: &str, lookup: Lookup<'l>) -> Translator<'l> {
        Translator {
            lookup,
            database: database.to_owned(),
            ctes: Vec::new(),
            reads_table: false,
            leader_only: None,
            compute_only: None,
            predicate: false,
            aliases: Vec::new(),
            group_order: None,
        }
    }

    /// # Errors
    /// Where functions of the leader node meet tables, or those of compute nodes meet none: facts 85, 110, 111.
    pub fn finish(&self) -> Result<(), Failure> {
        match (&self.leader_only, &self.compute_only) {
            (Some(name), _) if self.reads_table => Err(Failure::refused(
                format!("Specified types or functions (one per INFO message) not supported on Redshift tables: {name}"),
                "0A000",
            )),
            (Some(name), _) if super::functions::LEADER_ONLY.contains(&name.as_str()) && name != "now" && name != "current_timestamp" => {
                Err(Failure::not_imitated(format!("{name} on the leader node")))
            }
            (_, Some(name)) if !self.reads_table => {
                Err(Failure::refused(format!("{name} must be used on at least one user created table"), "0A000"))
            }
            _ => Ok(()),
        }
    }

    /// A name without its database.
    pub(super) fn within(&self, parts: &[String]) -> Result<Vec<String>, Failure> {
        match parts {
            [database, schema, name] if *database == self.database => Ok(vec![schema.clone(), name.clone()]),
            [database, ..] if parts.len() > 2 => Err(Failure::refused(format!("database \"{database}\" is another one"), "0A000")),
            parts => Ok(parts.to_vec()),
        }
    }

    /// The name of a relation as PostgreSQL is to read it.
    pub(super) fn place(&self, name: &ObjectName) -> Result<String, Failure> {
        Ok(quoted_parts(&self.within(&parts(name)?)?))
    }

    pub(super) fn is_late(&mut self, name: &[String]) -> bool {
        matches!((self.lookup)(name), Some(Found::Late(_)))
    }

    /// The query of a view that binds late, read now and without the names around it.
    fn late_view(&mut self, body: &str) -> Result<Translated, Failure> {
        let ctes = std::mem::take(&mut self.ctes);
        let statements = super::read::statements(super::read::tokens(body)?)?;
        let [sqlparser::ast::Statement::Query(query)] = statements.as_slice() else {
            return Err(Failure::not_imitated(format!("view {body}")));
        };
        let translated = self.query(query, None);
        self.ctes = ctes;
        translated
    }

    pub fn query(&mut self, query: &Query, outer: Option<&Scope<'_>>) -> Result<Translated, Failure> {
        let Query { with, body, order_by, limit_clause, fetch, locks, for_clause, settings, format_clause, pipe_operators } = query;
        if fetch.is_some()
            || !locks.is_empty()
            || for_clause.is_some()
            || settings.is_some()
            || format_clause.is_some()
            || !pipe_operators.is_empty()
        {
            return Err(Failure::refused("syntax error in the clauses behind SELECT", "42601"));
        }
        let known = self.ctes.len();
        let mut text = String::new();
        if let Some(with) = with {
            let ctes = with.cte_tables.iter().map(|cte| self.cte(cte, with.recursive, outer)).collect::<Result<Vec<_>, _>>()?;
            text = format!("WITH {}{} ", if with.recursive { "RECURSIVE " } else { "" }, ctes.join(", "));
        }
        let outside = std::mem::take(&mut self.group_order);
        let aliases = std::mem::take(&mut self.aliases);
        let predicate = std::mem::replace(&mut self.predicate, false);
        let ordering = Scope { relations: Vec::new(), parent: outer };
        let (inner, scope) = self.set_expression(body, outer, order_by.as_ref())?;
        text += &inner.sql;
        if let (Some(order), SetExpr::SetOperation { .. }) = (order_by, &**body) {
            text += &self.order_by(order, &ordering)?;
        }
        text += scope.as_deref().unwrap_or("");
        if let Some(limit) = limit_clause {
            text += &self.limit(limit, &ordering)?;
        }
        (self.group_order, self.predicate, self.aliases) = (outside, predicate, aliases);
        self.ctes.truncate(known);
        Ok(Translated { sql: text, columns: inner.columns })
    }

    fn cte(&mut self, cte: &Cte, recursive: bool, outer: Option<&Scope<'_>>) -> Result<String, Failure> {
        let Cte { alias, query, from: None, materialized: None, .. } = cte else {
            return Err(Failure::refused("syntax error at or near \"MATERIALIZED\"", "42601"));
        };
        let name = alias.name.value.to_lowercase();
        let names: Vec<String> = alias.columns.iter().map(|column| column.name.value.to_lowercase()).collect();
        let reads_itself = recursive && mentions(query, &name);
        if reads_itself {
            // Fact 134: a list of columns, and UNION ALL.
            if names.is_empty() {
                return Err(Failure::refused(format!("Recursive CTE {name} must have column aliases"), "42601"));
            }
            if !matches!(&*query.body, SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, .. }) {
                return Err(Failure::refused(format!("Recursive CTE {name} must be a UNION ALL"), "42601"));
            }
            let seed = match &*query.body {
                SetExpr::SetOperation { left, .. } => self.set_expression(left, outer, None)?.0,
                _ => return Err(Failure::not_imitated("recursion")),
            };
            let columns = seed.columns.map(|columns| renamed(columns, &names));
            self.ctes.push((name.clone(), columns));
        }
        let translated = self.query(query, outer)?;
        if !reads_itself {
            let columns = translated.columns.map(|columns| renamed(columns, &names));
            self.ctes.push((name.clone(), columns));
        }
        let list = if names.is_empty() {
            String::new()
        } else {
            format!(" ({})", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
        };
        Ok(format!("{}{list} AS ({})", quoted(&name), translated.sql))
    }

    /// The text of a set expression; for one SELECT the text of its ORDER BY too, which may read the columns of its FROM.
    fn set_expression(
        &mut self,
        body: &SetExpr,
        outer: Option<&Scope<'_>>,
        order: Option<&OrderBy>,
    ) -> Result<(Translated, Option<String>), Failure> {
        match body {
            SetExpr::Select(select) => self.select(select, outer, order),
            SetExpr::Query(query) => {
                let inner = self.query(query, outer)?;
                let order = order.map(|order| self.order_by(order, &Scope { relations: Vec::new(), parent: outer })).transpose()?;
                Ok((Translated { sql: format!("({})", inner.sql), columns: inner.columns }, order))
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let sign = match (op, set_quantifier) {
                    (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
                    (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => "UNION",
                    (SetOperator::Intersect, SetQuantifier::None | SetQuantifier::Distinct) => "INTERSECT",
                    (SetOperator::Except | SetOperator::Minus, SetQuantifier::None | SetQuantifier::Distinct) => "EXCEPT",
                    // Fact 133.
                    _ => return Err(Failure::refused(format!("{op} {set_quantifier} is not supported"), "0A000")),
                };
                let (left, right) = (self.set_expression(left, outer, None)?.0, self.set_expression(right, outer, None)?.0);
                let kept = |sql: String| match (&left.columns, &right.columns) {
                    (Some(left), Some(right)) => kept_digits(sql, left, right),
                    _ => sql,
                };
                let sql = format!("({} {sign} {})", kept(left.sql), kept(right.sql));
                let columns = left.columns.zip(right.columns).map(|(left, right)| {
                    left.into_iter().zip(right).map(|(a, b)| Column { name: a.name, of: a.of.merged(b.of) }).collect()
                });
                Ok((Translated { sql, columns }, None))
            }
            // Fact 128.
            SetExpr::Values(_) => Err(Failure::refused("VALUES is not supported as a table", "0A000")),
            _ => Err(Failure::not_imitated(format!("query {body}"))),
        }
    }

    fn select(
        &mut self,
        select: &Select,
        outer: Option<&Scope<'_>>,
        order: Option<&OrderBy>,
    ) -> Result<(Translated, Option<String>), Failure> {
        check_clauses(select)?;
        let mut scope = Scope { relations: Vec::new(), parent: outer };
        let mut from = Vec::new();
        for item in &select.from {
            from.push(self.table_with_joins(item, &mut scope)?);
        }
        let mut tail = if from.is_empty() { String::new() } else { format!(" FROM {}", from.join(", ")) };
        if let Some(condition) = &select.selection {
            tail += &format!(" WHERE {}", self.condition(condition, &scope)?);
        }
        let items = self.projection(select, &scope)?;
        tail += &self.group_by(&select.group_by, &scope)?;
        if let Some(condition) = &select.having {
            tail += &format!(" HAVING {}", self.condition(condition, &scope)?);
        }
        let qualify = select.qualify.as_ref().map(|condition| self.condition(condition, &scope)).transpose()?;
        let distinct = match &select.distinct {
            None | Some(Distinct::All) => "",
            Some(Distinct::Distinct) => "DISTINCT ",
            // Fact 124.
            Some(Distinct::On(_)) => return Err(Failure::refused("SELECT DISTINCT ON is not supported", "0A000")),
        };
        let mut beside = Vec::new();
        let mut order = match (order, &qualify) {
            (Some(order), Some(_)) => Some(self.order_beside(order, &items, &mut beside, &scope)?),
            (order, _) => order.map(|order| self.order_by(order, &scope)).transpose()?,
        };
        if let Some(top) = &select.top {
            let limit = match &top.quantity {
                Some(TopQuantity::Constant(rows)) if !top.percent && !top.with_ties => format!(" LIMIT {rows}"),
                _ => return Err(Failure::refused("syntax error at TOP", "42601")),
            };
            order = Some(order.unwrap_or_default() + &limit);
        }
        let list: Vec<String> = items.iter().map(|(sql, _)| sql.clone()).collect();
        let columns: Option<Vec<Column>> =
            items.into_iter().map(|(_, columns)| columns).collect::<Option<Vec<_>>>().map(|all| all.concat());
        let sql = match qualify {
            None => format!("SELECT {distinct}{}{tail}", list.join(", ")),
            // Fact 125: a SELECT around it keeps the rows for which the condition holds.
            Some(condition) => {
                let names = columns.as_ref().ok_or_else(|| Failure::not_imitated("QUALIFY over columns that are not known"))?;
                let names: Vec<String> = names.iter().map(|column| format!("q.{}", quoted(&column.name))).collect();
                let beside: Vec<String> = beside.iter().enumerate().map(|(at, sql)| format!(", {sql} AS \"qualify order {at}\"")).collect();
                let inner = format!("SELECT {}, {condition} AS \"qualify condition\"{}{tail}", list.join(", "), beside.concat());
                format!("SELECT {distinct}{} FROM ({inner}) q WHERE q.\"qualify condition\"", names.join(", "))
            }
        };
        Ok((Translated { sql, columns }, order))
    }

    fn projection(&mut self, select: &Select, scope: &Scope<'_>) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        let outside = std::mem::take(&mut self.aliases);
        for item in &select.projection {
            items.push(match item {
                SelectItem::UnnamedExpr(expression) => self.named(expression, &output_name(expression), scope)?,
                SelectItem::ExprWithAlias { expr, alias } => self.named(expr, &alias.value, scope)?,
                SelectItem::Wildcard(options) if *options == plain(options) => {
                    let all: Option<Vec<_>> = scope.relations.iter().map(|rel| rel.columns.clone()).collect();
                    match &all {
                        // Spelled out, so that what stands beside it can be told apart.
                        Some(all) if select.qualify.is_some() => (expanded(scope, all), Some(all.concat())),
                        _ => ("*".to_owned(), all.map(|all| all.concat()).filter(|_| !joins_by_name(&select.from))),
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) if *options == plain(options) => {
                    let name = self.within(&parts(name)?)?;
                    let rel = name.last().and_then(|last| scope.relations.iter().find(|rel| rel.name == *last));
                    (format!("{}.*", quoted(name.last().map_or("", String::as_str))), rel.and_then(|rel| rel.columns.clone()))
                }
                other => return Err(Failure::not_imitated(format!("item {other} of a select list"))),
            });
        }
        self.aliases = outside;
        Ok(items)
    }

    fn named(&mut self, expression: &Expr, name: &str, scope: &Scope<'_>) -> Result<Item, Failure> {
        let (sql, of) = self.expression(expression, scope)?;
        self.aliases.push((name.to_lowercase(), sql.clone(), of));
        let column = Column { name: name.to_lowercase(), of };
        Ok((format!("{sql} AS {}", quoted(name)), Some(vec![column])))
    }

    pub(super) fn condition(&mut self, expression: &Expr, scope: &Scope<'_>) -> Result<String, Failure> {
        let before = std::mem::replace(&mut self.predicate, true);
        let translated = self.expression(expression, scope);
        self.predicate = before;
        let (sql, of) = translated?;
        match of {
            // A number that is not zero is true, fact 21.
            of if of.is_integer() => Ok(format!("({sql} <> 0)")),
            _ => Ok(sql),
        }
    }

    fn group_by(&mut self, group_by: &GroupByExpr, scope: &Scope<'_>) -> Result<String, Failure> {
        let GroupByExpr::Expressions(expressions, modifiers) = group_by else {
            return Err(Failure::refused("syntax error at or near \"ALL\"", "42601"));
        };
        if !modifiers.is_empty() {
            return Err(Failure::not_imitated("modifiers of GROUP BY"));
        }
        if expressions.is_empty() {
            return Ok(String::new());
        }
        let list = expressions.iter().map(|expression| self.grouping(expression, scope)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!(" GROUP BY {}", list.join(", ")))
    }

    fn grouping(&mut self, expression: &Expr, scope: &Scope<'_>) -> Result<String, Failure> {
        let (word, sets) = match expression {
            Expr::Rollup(sets) => ("ROLLUP", sets),
            Expr::Cube(sets) => ("CUBE", sets),
            Expr::GroupingSets(sets) => ("GROUPING SETS", sets),
            Expr::Tuple(items) if items.is_empty() => return Ok("()".to_owned()),
            other => return Ok(self.expression(other, scope)?.0),
        };
        let mut texts = Vec::new();
        for set in sets {
            let items = set.iter().map(|item| Ok(self.expression(item, scope)?.0)).collect::<Result<Vec<_>, Failure>>()?;
            texts.push(format!("({})", items.join(", ")));
        }
        Ok(format!("{word} ({})", texts.join(", ")))
    }

    fn order_by(&mut self, order: &OrderBy, scope: &Scope<'_>) -> Result<String, Failure> {
        match order {
            OrderBy { kind: OrderByKind::Expressions(items), interpolate: None } => {
                Ok(format!(" ORDER BY {}", self.sort_items(items, scope)?))
            }
            _ => Err(Failure::not_imitated(format!("{order}"))),
        }
    }

    /// The order of rows that a SELECT around theirs keeps: what is no column of the output goes along beside them.
    fn order_beside(&mut self, order: &OrderBy, items: &[Item], beside: &mut Vec<String>, scope: &Scope<'_>) -> Result<String, Failure> {
        let OrderBy { kind: OrderByKind::Expressions(keys), interpolate: None } = order else {
            return Err(Failure::not_imitated(format!("{order}")));
        };
        let names: Vec<&str> = items.iter().flat_map(|(_, columns)| columns.iter().flatten()).map(|column| column.name.as_str()).collect();
        let mut texts = Vec::new();
        for key in keys {
            let sql = match &key.expr {
                Expr::Value(_) => key.expr.to_string(),
                Expr::Identifier(name) if names.contains(&name.value.to_lowercase().as_str()) => quoted(&name.value.to_lowercase()),
                expression => {
                    beside.push(self.expression(expression, scope)?.0);
                    format!("\"qualify order {}\"", beside.len() - 1)
                }
            };
            texts.push(format!("{sql}{}", key.options));
        }
        Ok(format!(" ORDER BY {}", texts.join(", ")))
    }

    /// NULL is last ascending and first descending, as PostgreSQL has it, fact 123.
    pub(super) fn sort_items(&mut self, items: &[OrderByExpr], scope: &Scope<'_>) -> Result<String, Failure> {
        let mut texts = Vec::new();
        for item in items {
            let OrderByExpr { expr, options, with_fill: None } = item else { return Err(Failure::not_imitated(format!("{item}"))) };
            let (sql, _) = self.expression(expr, scope)?;
            texts.push(format!("{sql}{options}"));
        }
        Ok(texts.join(", "))
    }

    fn limit(&mut self, limit: &LimitClause, scope: &Scope<'_>) -> Result<String, Failure> {
        let LimitClause::LimitOffset { limit, offset, limit_by } = limit else {
            return Err(Failure::refused("syntax error at LIMIT", "42601"));
        };
        if !limit_by.is_empty() {
            return Err(Failure::refused("syntax error at LIMIT", "42601"));
        }
        let mut text = String::new();
        if let Some(rows) = limit {
            text += &format!(" LIMIT {}", self.expression(rows, scope)?.0);
        }
        if let Some(rows) = offset {
            text += &format!(" OFFSET {}", self.expression(&rows.value, scope)?.0);
        }
        Ok(text)
    }

    pub(super) fn table_with_joins(&mut self, item: &TableWithJoins, scope: &mut Scope<'_>) -> Result<String, Failure> {
        let mut text = self.table_factor(&item.relation, scope)?;
        for join in &item.joins {
            text += &self.join(join, scope)?;
        }
        Ok(text)
    }

    fn join(&mut self, join: &Join, scope: &mut Scope<'_>) -> Result<String, Failure> {
        let (word, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => ("JOIN", constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => ("LEFT JOIN", constraint),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => ("RIGHT JOIN", constraint),
            JoinOperator::FullOuter(constraint) => ("FULL JOIN", constraint),
            JoinOperator::CrossJoin(constraint) => ("CROSS JOIN", constraint),
            other => return Err(Failure::not_imitated(format!("join {other:?}"))),
        };
        let relation = self.table_factor(&join.relation, scope)?;
        Ok(match constraint {
            JoinConstraint::On(condition) => format!(" {word} {relation} ON {}", self.condition(condition, scope)?),
            JoinConstraint::Using(columns) => {
                let columns = columns.iter().map(|column| Ok(quoted_parts(&parts(column)?))).collect::<Result<Vec<_>, Failure>>()?;
                format!(" {word} {relation} USING ({})", columns.join(", "))
            }
            JoinConstraint::Natural => format!(" NATURAL {word} {relation}"),
            JoinConstraint::None => format!(" {word} {relation}"),
        })
    }

    pub(super) fn table_factor(&mut self, factor: &TableFactor, scope: &mut Scope<'_>) -> Result<String, Failure> {
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
                sample,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                if sample.is_some() {
                    return Err(Failure::refused("TABLESAMPLE is not supported", "0A000"));
                }
                if let Some(values) = super_values(&parts(name)?, alias.as_ref(), scope) {
                    return Ok(values);
                }
                let name = self.within(&parts(name)?)?;
                let own = name.last().cloned().unwrap_or_default();
                let cte = self.ctes.iter().rev().find(|(cte, _)| name.len() == 1 && *cte == name[0]).map(|(_, columns)| columns.clone());
                let mut sql = quoted_parts(&name);
                let columns = match cte {
                    Some(columns) => columns,
                    None => {
                        if is_catalogue(&name) {
                            // Not beside tables, fact 203.
                            self.leader_only = Some(own.clone());
                        } else {
                            self.reads_table = true;
                        }
                        match (self.lookup)(&name) {
                            Some(Found::Late(body)) => {
                                let inner = self.late_view(&body)?;
                                sql = format!("({})", inner.sql);
                                if alias.is_none() {
                                    scope.relations.push(Rel { name: own.clone(), columns: inner.columns });
                                    return Ok(format!("{sql} AS {}", quoted(&own)));
                                }
                                inner.columns
                            }
                            Some(Found::Columns(columns)) => Some(columns),
                            None => None,
                        }
                    }
                };
                let list = add_relation(scope, own, alias.as_ref(), columns);
                Ok(format!("{sql}{list}"))
            }
            // Fact 126.
            TableFactor::Derived { lateral: true, .. } => Err(Failure::refused("LATERAL is not supported", "0A000")),
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                let inner = self.query(subquery, scope.parent)?;
                // A name is not needed here, fact 138.
                let list = add_relation(scope, format!("derived {}", scope.relations.len()), alias.as_ref(), inner.columns);
                let list = if alias.is_some() { list } else { format!(" AS \"derived {}\"", scope.relations.len()) };
                Ok(format!("({}){list}", inner.sql))
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                Ok(format!("({})", self.table_with_joins(table_with_joins, scope)?))
            }
            TableFactor::Table { .. } | TableFactor::Function { .. } | TableFactor::TableFunction { .. } | TableFactor::UNNEST { .. } => {
                Err(Failure::refused(format!("a function or TABLE clause in FROM is not supported: {factor}"), "0A000"))
            }
            other => Err(Failure::not_imitated(format!("{other} in FROM"))),
        }
    }
}

/// Puts a relation into the scope and returns its alias as SQL.
fn add_relation(scope: &mut Scope<'_>, own: String, alias: Option<&TableAlias>, columns: Option<Vec<Column>>) -> String {
    let Some(alias) = alias else {
        scope.relations.push(Rel { name: own, columns });
        return String::new();
    };
    let names: Vec<String> = alias.columns.iter().map(|column| column.name.value.to_lowercase()).collect();
    let list = if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
    };
    let name = alias.name.value.to_lowercase();
    let text = format!(" AS {}{list}", quoted(&name));
    scope.relations.push(Rel { name, columns: columns.map(|columns| renamed(columns, &names)) });
    text
}

fn renamed(mut columns: Vec<Column>, names: &[String]) -> Vec<Column> {
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    columns
}

fn expanded(scope: &Scope<'_>, all: &[Vec<Column>]) -> String {
    let lists = scope.relations.iter().zip(all).map(|(rel, columns)| {
        columns.iter().map(|column| format!("{}.{}", quoted(&rel.name), quoted(&column.name))).collect::<Vec<_>>().join(", ")
    });
    lists.collect::<Vec<_>>().join(", ")
}

/// Whether a join shows columns of two relations as one.
fn joins_by_name(from: &[TableWithJoins]) -> bool {
    let joins = from.iter().flat_map(|item| &item.joins);
    joins.into_iter().any(|join| match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural),
        _ => false,
    })
}

fn plain(options: &WildcardAdditionalOptions) -> WildcardAdditionalOptions {
    WildcardAdditionalOptions { wildcard_token: options.wildcard_token.clone(), ..WildcardAdditionalOptions::default() }
}

/// What a column is called that nobody named.
fn output_name(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()).unwrap_or_default(),
        Expr::Function(function) => function.name.0.last().map(ToString::to_string).unwrap_or_default(),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => output_name(expr),
        Expr::Case { .. } => "case".to_owned(),
        Expr::Extract { .. } => "date_part".to_owned(),
        Expr::Substring { .. } => "substring".to_owned(),
        Expr::Trim { .. } => "btrim".to_owned(),
        _ => "?column?".to_owned(),
    }
}

/// Whether a query reads a relation of that name anywhere.
fn mentions(query: &Query, name: &str) -> bool {
    let mut found = false;
    let _ = sqlparser::ast::visit_relations(query, |relation| {
        found |= parts(relation).is_ok_and(|parts| parts == [name]);
        std::ops::ControlFlow::<()>::Continue(())
    });
    found
}

/// A side of a set operation: of numbers of two sides that have more than 19 digits together 19 are kept, fact 35.
fn kept_digits(sql: String, left: &[Column], right: &[Column]) -> String {
    let wide = |(one, other): (&Column, &Column)| match (one.of, other.of, one.of.united(other.of)) {
        (Type::Null, ..) | (_, Type::Null, _) => None,
        (.., Type::Decimal(precision, scale)) if precision > 19 => Some(scale.min(19)),
        _ => None,
    };
    let wide: Vec<Option<_>> = left.iter().zip(right).map(wide).collect();
    if wide.iter().all(Option::is_none) {
        return sql;
    }
    let names: Vec<String> = (1..=wide.len()).map(|number| format!("side_{number}")).collect();
    let items = names.iter().zip(&wide).zip(left).map(|((name, wide), column)| {
        let value = wide.map_or_else(|| name.clone(), |scale| format!("redshift.to_decimal({name}, 19, {scale})"));
        format!("{value} AS {}", quoted(&column.name))
    });
    format!("(SELECT {} FROM ({sql}) AS side ({}))", items.collect::<Vec<_>>().join(", "), names.join(", "))
}

/// Clauses of SELECT that Redshift has not, or that are not imitated.
fn check_clauses(select: &Select) -> Result<(), Failure> {
    let Select {
        exclude,
        into,
        lateral_views,
        prewhere,
        connect_by,
        cluster_by,
        distribute_by,
        sort_by,
        named_window,
        value_table_mode,
        ..
    } = select;
    if !named_window.is_empty() {
        // Fact 119.
        return Err(Failure::refused("syntax error at or near \"WINDOW\"", "42601"));
    }
    let plain = exclude.is_none()
        && into.is_none()
        && lateral_views.is_empty()
        && prewhere.is_none()
        && connect_by.is_empty()
        && cluster_by.is_empty()
        && distribute_by.is_empty()
        && sort_by.is_empty()
        && value_table_mode.is_none();
    if plain { Ok(()) } else { Err(Failure::not_imitated(format!("a clause of {select}"))) }
}

/// Tables of the leader node.
fn is_catalogue(name: &[String]) -> bool {
    match name {
        [schema, _] => schema == "pg_catalog" || schema == "information_schema",
        [name] => name.starts_with("pg_") || name.starts_with("svv_"),
        _ => false,
    }
}

/// `FROM t, t.items AS x`: the values of an array in a SUPER column, fact 129. The name of each value is that of its relation.
fn super_values(name: &[String], alias: Option<&TableAlias>, scope: &mut Scope<'_>) -> Option<String> {
    let alias = alias.filter(|alias| alias.columns.is_empty())?.name.value.to_lowercase();
    let (table, column, path) = match name {
        [table, column, path @ ..] if scope.column(Some(table), column) == Some(Type::Super) => (table, column, path),
        // Of a value that is itself one of these.
        [value, path @ ..] if !path.is_empty() && scope.column(Some(value), value) == Some(Type::Super) => (value, value, path),
        _ => return None,
    };
    let keys: Vec<String> = path.iter().map(|key| super::expressions::literal(key)).collect();
    let from = format!("{}.{}", quoted(table), quoted(column));
    let value = if keys.is_empty() { from } else { format!("({from} #> ARRAY[{}])", keys.join(", ")) };
    let array = format!("CASE WHEN jsonb_typeof({value}) = 'array' THEN {value} END");
    scope.relations.push(Rel { name: alias.clone(), columns: Some(vec![Column { name: alias.clone(), of: Type::Super }]) });
    Some(format!("LATERAL jsonb_array_elements({array}) AS {0} ({0})", quoted(&alias)))
}
