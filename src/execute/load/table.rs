//! The tables that loads need: made where they are missing, held against their declaration, made anew by a full refresh where nothing is lost by it.

use std::sync::{Mutex, PoisonError};

use super::error::{LoadError, Remedy};
use super::fit::check_files;
use super::{RawTable, Refresh, names, raw_columns};
use crate::dialect::load::{self as sql, FILE_COLUMN, LOADED_AT_COLUMN};
use crate::dialect::{ColumnType, Engine};
use crate::execute::adapter::{AdapterError, Datum, Session};

/// Sessions of DuckDB create schemas and tables one after the other: at the same time they would conflict. PostgreSQL's take
/// turns by a lock in the database.
static CREATION: Mutex<()> = Mutex::new(());

/// Creates schema `_acca` and its tables, where they are missing. Safe from several sessions and processes at once.
///
/// # Errors
/// Those of the engine.
pub fn ensure_state(session: &mut dyn Session, engine: Engine) -> Result<(), AdapterError> {
    let _turn = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
    in_transaction(session, |session| session.execute(&sql::create_state(engine)))?;
    Ok(())
}

/// Makes the raw table and its reject table, where they are missing, and checks that an existing one is as declared. With
/// `refresh` one of acca's own that differs is made anew, if nothing is lost by it and every file fits the declaration; one that does
/// not differ keeps its rows until newer ones replace them. The manifest forgets the files of a table that is new.
pub(super) fn ensure_raw(
    session: &mut dyn Session,
    engine: Engine,
    table: &RawTable<'_>,
    refresh: Option<Refresh<'_>>,
    interrupted: &dyn Fn() -> bool,
) -> Result<(), LoadError> {
    if let Some(refresh) = make_raw(session, engine, table, refresh, false)? {
        check_files(session, engine, table, refresh, interrupted)?;
        make_raw(session, engine, table, Some(refresh), true)?;
    }
    Ok(())
}

/// Gives back the refresh, and nothing is done, where a table that holds rows is to be dropped and the files are not known to have
/// `fitted` its declaration: they are read outside of the transaction and of the turn.
fn make_raw<'r>(
    session: &mut dyn Session,
    engine: Engine,
    table: &RawTable<'_>,
    refresh: Option<Refresh<'r>>,
    fitted: bool,
) -> Result<Option<Refresh<'r>>, LoadError> {
    let _turn = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
    in_transaction(session, |session| {
        session.execute(sql::creation_lock(engine))?;
        let found = found_columns(session, table)?;
        let differences = if found.is_empty() { Vec::new() } else { differences(&expected_columns(engine, table), &found) };
        if found.is_empty() {
            session.execute(&sql::forget_files(table.relation))?;
        } else if !differences.is_empty() {
            let remedy = match remedy(session, table, &found, refresh)? {
                Remedy::Refresh if refresh.is_some() => read_by(session, engine, table)?,
                other => other,
            };
            match (remedy, refresh) {
                (Remedy::Refresh, Some(refresh)) if !fitted && !is_empty(session, table)? => return Ok(Some(refresh)),
                (Remedy::Refresh, Some(_)) => session.execute(&sql::drop_raw(table.relation))?,
                (remedy, _) => return Err(LoadError::TableDiffers { table: table.relation.clone(), differences, remedy }),
            };
        }
        session.execute(&sql::create_raw(engine, table.relation, &raw_columns(table.columns)))?;
        Ok(None)
    })
}

/// Only PostgreSQL lets no table go that views read, and tells which ones they are.
fn read_by(session: &mut dyn Session, engine: Engine, table: &RawTable<'_>) -> Result<Remedy, AdapterError> {
    if engine != Engine::Postgres {
        return Ok(Remedy::Refresh);
    }
    let views: Vec<String> = session.readers(table.relation)?.dependents.iter().map(|view| view.relation.display()).collect();
    Ok(if views.is_empty() { Remedy::Refresh } else { Remedy::ReadBy(views) })
}

fn is_empty(session: &mut dyn Session, table: &RawTable<'_>) -> Result<bool, AdapterError> {
    Ok(session.query(&sql::select_is_empty(table.relation), None)?.rows.concat() == [Datum::Bool(true)])
}

/// What to do about a raw table that differs. It is acca's own when files are recorded as loaded into it, or when it has acca's
/// columns and no row: then no load into it has succeeded yet.
fn remedy(
    session: &mut dyn Session,
    table: &RawTable<'_>,
    found: &[(String, String)],
    refresh: Option<Refresh<'_>>,
) -> Result<Remedy, AdapterError> {
    let has = |column: &str| found.iter().any(|(name, _)| name == column);
    let mut files = names(session, &sql::select_recorded_files(table.relation))?;
    if files.is_empty() {
        return Ok(if is_empty(session, table)? && has(FILE_COLUMN) && has(LOADED_AT_COLUMN) { Remedy::Refresh } else { Remedy::NotOwn });
    }
    let Some(refresh) = refresh.filter(|refresh| !refresh.prune) else { return Ok(Remedy::Refresh) };
    let present = refresh.present();
    if has(FILE_COLUMN) {
        files.extend(names(session, &sql::select_stored_files(table.relation))?);
    }
    let gone: Vec<String> = files.into_iter().filter(|file| !present.contains(file.as_str())).collect();
    Ok(if gone.is_empty() { Remedy::Refresh } else { Remedy::FilesGone(gone) })
}

/// Names and types in the order of the declaration.
fn expected_columns(engine: Engine, table: &RawTable<'_>) -> Vec<(String, String)> {
    let own = [(FILE_COLUMN, ColumnType::Text), (LOADED_AT_COLUMN, ColumnType::Timestamptz)];
    let declared = raw_columns(table.columns).into_iter().map(|column| (column.name, column.data_type));
    declared
        .chain(own.map(|(name, data_type)| (name.to_owned(), data_type)))
        .map(|(name, data_type)| (name, data_type.catalogue_name(engine)))
        .collect()
}

fn found_columns(session: &mut dyn Session, table: &RawTable<'_>) -> Result<Vec<(String, String)>, AdapterError> {
    Ok(session.columns(table.relation)?.into_iter().map(|column| (column.name, column.data_type)).collect())
}

fn differences(expected: &[(String, String)], found: &[(String, String)]) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, data_type) in expected {
        match found.iter().find(|(other, _)| other == name) {
            None => differences.push(format!("it lacks the column '{name}'")),
            Some((_, other)) if other != data_type => differences.push(format!("its column '{name}' is {other} instead of {data_type}")),
            Some(_) => {}
        }
    }
    for (name, _) in found {
        if !expected.iter().any(|(other, _)| other == name) {
            differences.push(format!("its column '{name}' is not declared"));
        }
    }
    differences
}

/// Runs `body` between BEGIN and COMMIT; after an error everything is rolled back.
pub(super) fn in_transaction<T, E: From<AdapterError>>(
    session: &mut dyn Session,
    body: impl FnOnce(&mut dyn Session) -> Result<T, E>,
) -> Result<T, E> {
    session.execute("BEGIN")?;
    let done = body(session).and_then(|value| {
        session.execute("COMMIT")?;
        Ok(value)
    });
    if done.is_err() {
        // The first error counts; a connection that is gone has rolled back by itself.
        let _ = session.execute("ROLLBACK");
    }
    done
}
