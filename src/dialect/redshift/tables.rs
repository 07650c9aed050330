//! Tables with their physical design, late-binding and materialized views.

use super::Statement;
use crate::base::{ColumnInfo, Relation, quote_ident};
use crate::dialect::drop_retired;
use crate::dialect::steps::print_table;
use crate::plan::{Distribution, Physical, ReplaceView, Sort, TableName, encoding_of};
use crate::project::Identity;

/// Bytes that a `VARCHAR` may have at most (`r_Character_types`).
const MAX_VARCHAR: usize = 65_535;

/// What stands behind the name of a table (`r_CREATE_TABLE_NEW`): each part on its own, `""` for none.
pub(in crate::dialect) fn attributes(physical: &Physical) -> String {
    let backup = if physical.no_backup { " backup no" } else { "" };
    let distribution = match &physical.distribution {
        None => String::new(),
        Some(Distribution::Auto) => " diststyle auto".to_owned(),
        Some(Distribution::Even) => " diststyle even".to_owned(),
        Some(Distribution::All) => " diststyle all".to_owned(),
        Some(Distribution::Key(column)) => format!(" diststyle key distkey ({column})"),
    };
    let sort = match &physical.sort {
        None => String::new(),
        Some(Sort::Auto) => " sortkey auto".to_owned(),
        Some(Sort::Keys { interleaved, columns }) => {
            format!(" {} sortkey ({})", if *interleaved { "interleaved" } else { "compound" }, columns.join(", "))
        }
    };
    format!("{backup}{distribution}{sort}")
}

/// What stands behind the type of a column, `""` for nothing.
pub(in crate::dialect) fn column_attributes(physical: &Physical, column: &str) -> String {
    encoding_of(physical, column).map_or_else(String::new, |word| format!(" encode {word}"))
}

/// A column that is numbered; numbers of parallel loads have gaps and no order.
pub(in crate::dialect) fn identity(identity: &Identity, physical: &Physical) -> String {
    let Identity { column, start, step } = identity;
    format!("{} bigint identity({start}, {step}){}", quote_ident(column), column_attributes(physical, column))
}

/// A table with columns of its own.
pub(super) fn create(table: &Relation, columns: &[ColumnInfo], physical: &Physical) -> String {
    let print = |column: &ColumnInfo| {
        format!("    {} {}{}", quote_ident(&column.name), column.data_type, column_attributes(physical, &column.name))
    };
    let columns: Vec<String> = columns.iter().map(print).collect();
    format!("create table {} (\n{}\n){}", table.quoted(), columns.join(",\n"), attributes(physical))
}

pub(super) fn create_as(table: &TableName, query: &str, physical: &Physical) -> Statement {
    let word = match table {
        TableName::Temporary(_) => "temporary table",
        TableName::Relation(_) => "table",
    };
    around(format!("create {word} {}{}\nas (\n", print_table(table), attributes(physical)), query, "\n)")
}

/// A late-binding view is not held against what it reads when it is made (`r_CREATE_VIEW`): it is asked for no rows, so that a
/// query that is refused never takes the place of one that works.
pub(super) fn create_view(view: &Relation, query: &str, bound: bool) -> Vec<Statement> {
    let head = format!("create view {} as (\n", view.quoted());
    if bound {
        return vec![around(head, query, "\n)")];
    }
    let probe = Statement::plain(format!("select * from {} limit 0", view.quoted()));
    vec![around(head, query, "\n) with no schema binding"), probe]
}

/// `materialized-view-create-sql-command`: what is distributed has to be said, as the default is EVEN and not AUTO.
pub(super) fn create_materialized_view(view: &Relation, query: &str, physical: &Physical) -> Statement {
    let mut design = physical.clone();
    // It knows neither AUTO nor kinds of sort keys.
    design.distribution = design.distribution.filter(|distribution| *distribution != Distribution::Auto);
    design.sort = None;
    let sort = match &physical.sort {
        Some(Sort::Keys { columns, .. }) => format!(" sortkey ({})", columns.join(", ")),
        Some(Sort::Auto) | None => String::new(),
    };
    let refresh = physical.auto_refresh.map_or("", |refresh| if refresh { " auto refresh yes" } else { " auto refresh no" });
    around(format!("create materialized view {}{}{sort}{refresh}\nas (\n", view.quoted(), attributes(&design)), query, "\n)")
}

/// It takes no other name, so what is there goes first, in the same transaction; nothing is dropped with CASCADE.
pub(super) fn replace_view(step: &ReplaceView) -> Vec<Statement> {
    let drop = step.replaced.map(|kind| Statement::plain(drop_retired(&step.view, kind)));
    let create = create_materialized_view(&step.view, &step.query, &step.physical);
    drop.into_iter().chain([create]).chain(step.settings.iter().cloned().map(Statement::plain)).collect()
}

fn around(head: String, query: &str, tail: &str) -> Statement {
    Statement::from((format!("{head}{query}{tail}"), head.len()))
}

/// A declared type with the size that it would silently get here: text is 256 bytes long, and numbers lose their fractions
/// (`r_Character_types`, `r_Numeric_types201`). `bytes` and `places`: what the longest value of the column has.
pub(in crate::dialect) fn sized_type(data_type: &str, bytes: usize, places: usize) -> String {
    match data_type.trim().to_ascii_lowercase().as_str() {
        "text" | "varchar" | "character varying" | "string" => format!("varchar({})", bytes.clamp(1, MAX_VARCHAR)),
        "numeric" | "decimal" => format!("numeric(38,{})", places.min(37)),
        _ => data_type.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_the_default_size() {
        for (declared, sized) in [
            ("text", "varchar(12)"),
            ("VARCHAR", "varchar(12)"),
            ("varchar(7)", "varchar(7)"),
            ("numeric", "numeric(38,2)"),
            ("date", "date"),
        ] {
            assert_eq!(sized_type(declared, 12, 2), sized);
        }
        assert_eq!(sized_type("text", 0, 0), "varchar(1)");
    }
}
