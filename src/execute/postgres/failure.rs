//! What went wrong on PostgreSQL, in terms of the profile that the user can change. Never quotes a password.

use std::io::ErrorKind;

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use super::PgSettings;
use crate::execute::adapter::AdapterError;

/// A statement that was sent, and how many bytes of it the adapter put before the caller's own text.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) sql: &'a str,
    pub(super) prefix: usize,
}

/// A failure to open a connection.
pub(super) fn connect_failure(settings: &PgSettings, error: &sqlx::Error) -> AdapterError {
    let place = settings.place();
    match error {
        sqlx::Error::Database(database) => match database.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => refused(settings, error),
            None => connection(format!("{place} refuses the connection: {database}"), Vec::new()),
        },
        sqlx::Error::Io(error) => unreachable_server(settings, error),
        sqlx::Error::Tls(error) => connection(
            format!("no secure connection to {place}: {error}"),
            vec![
                "'sslmode' in profiles.yml says what is demanded: disable, allow, prefer, require, verify-ca, verify-full".to_owned(),
                "'sslrootcert' names the certificate of the authority that signed the server's".to_owned(),
            ],
        ),
        other => connection(format!("cannot connect to {place}: {other}"), Vec::new()),
    }
}

/// The time for connecting ran out.
pub(super) fn connect_timeout(settings: &PgSettings) -> AdapterError {
    connection(
        format!("{} does not answer within {} seconds", settings.place(), settings.connect_timeout.as_secs()),
        vec![
            "check 'host' and 'port' in profiles.yml, and whether a firewall or VPN is in the way".to_owned(),
            "'connect_timeout' in profiles.yml allows more seconds".to_owned(),
        ],
    )
}

fn connection(message: String, hints: Vec<String>) -> AdapterError {
    AdapterError::Connection { message, hints }
}

fn unreachable_server(settings: &PgSettings, error: &std::io::Error) -> AdapterError {
    let place = settings.place();
    let text = error.to_string();
    let hint = if settings.host.starts_with('/') {
        "is the server running, and is this the folder of its socket? 'host' in profiles.yml names it; a host name connects by TCP"
    } else if error.kind() == ErrorKind::ConnectionRefused {
        "is the server running, and does it listen there? check 'host' and 'port' in profiles.yml"
    } else if text.contains("lookup") || text.contains("resolve") {
        "the name is not known: check 'host' in profiles.yml"
    } else {
        "check 'host' and 'port' in profiles.yml, and the network between"
    };
    connection(format!("cannot reach {place}: {text}"), vec![hint.to_owned()])
}

/// The server answered and said no.
fn refused(settings: &PgSettings, error: &PgDatabaseError) -> AdapterError {
    let place = settings.place();
    let user = &settings.user;
    let hint = match error.code() {
        "28P01" if settings.password.is_none() => {
            format!("no password is given for '{user}': set 'password' in profiles.yml, best as env_var('…')")
        }
        "28P01" => {
            format!("check 'user' and 'password' of '{user}' in profiles.yml, and the environment variable that the password comes from")
        }
        "28000" => format!("does the role '{user}' exist with LOGIN, and does pg_hba.conf of the server let it in from this machine?"),
        "3D000" => {
            format!("create the database (createdb {}), or correct 'dbname' in profiles.yml", settings.dbname)
        }
        "53300" => "fewer 'threads' in profiles.yml need fewer connections".to_owned(),
        "57P03" => "the server is starting or stopping: try again in a moment".to_owned(),
        "42501" => format!("does '{user}' have the CONNECT privilege on the database '{}'?", settings.dbname),
        _ => return connection(format!("{place} refuses the connection: {}", error.message()), extra(error)),
    };
    let mut hints = vec![hint];
    hints.extend(extra(error));
    connection(format!("{place} refuses the connection: {}", error.message()), hints)
}

/// A failure of a statement on an open connection.
pub(super) fn statement_failure(settings: &PgSettings, error: &sqlx::Error, sent: Sent<'_>, cancelled: bool) -> AdapterError {
    let place = settings.place();
    match error {
        sqlx::Error::Database(database) => match database.try_downcast_ref::<PgDatabaseError>() {
            Some(error) if error.code() == "57014" && cancelled => AdapterError::Cancelled,
            Some(error) if is_loss(error.code()) => lost(&place, error.message()),
            Some(error) => AdapterError::Statement {
                message: error.message().to_owned(),
                code: Some(error.code().to_owned()),
                offset: offset(error, sent),
                hints: extra(error),
            },
            None => AdapterError::Statement { message: database.to_string(), code: None, offset: None, hints: Vec::new() },
        },
        sqlx::Error::Io(error) => lost(&place, &error.to_string()),
        other => AdapterError::Statement { message: other.to_string(), code: None, offset: None, hints: Vec::new() },
    }
}

/// SQLSTATE classes after which the connection is gone: 08 (connection), and shutdown or crash of the server.
fn is_loss(code: &str) -> bool {
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03")
}

pub(super) fn lost(place: &str, detail: &str) -> AdapterError {
    connection(
        format!("the connection to {place} was lost: {detail}"),
        vec!["the open transaction is rolled back by the server; run again once it answers".to_owned()],
    )
}

fn extra(error: &PgDatabaseError) -> Vec<String> {
    // The context's first line names the row of a COPY or the function in which it happened.
    let context = error.r#where().and_then(|context| context.lines().next());
    [error.detail(), error.hint(), context].into_iter().flatten().map(str::to_owned).collect()
}

/// PostgreSQL counts characters from 1; bytes from 0 within the caller's text are wanted.
fn offset(error: &PgDatabaseError, sent: Sent<'_>) -> Option<usize> {
    match error.position()? {
        PgErrorPosition::Original(position) => {
            let byte = sent.sql.char_indices().nth(position.checked_sub(1)?).map_or(sent.sql.len(), |(byte, _)| byte);
            byte.checked_sub(sent.prefix)
        }
        PgErrorPosition::Internal { .. } => None,
    }
}
