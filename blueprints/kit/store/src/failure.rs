use std::fmt::Display;

use kit::{Failure, FieldError, Kind};
use sqlx::sqlite::SqliteQueryResult;

/// What an error of the database is to the caller: `unavailable` where waiting may help (the file is locked, the disk
/// is full or failing, every connection is taken), else `internal`.
pub fn failure(error: sqlx::Error) -> Failure {
    let passing = match code(&error) {
        Some(code) => [BUSY, LOCKED, IOERR, FULL].contains(&code),
        None => matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)),
    };
    if passing { Failure::unavailable(error) } else { Failure::internal(error) }
}

// Primary result codes: https://www.sqlite.org/rescode.html
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const IOERR: i32 = 10;
const FULL: i32 = 13;

/// Somebody else writes.
pub(crate) fn is_locked(error: &sqlx::Error) -> bool {
    code(error) == Some(BUSY)
}

/// The primary result code.
fn code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// Makes a failure of kind `exists` out of a value that must be unique and is taken.
///
/// `fields` pairs `table.column` with the name of the field that callers know; several columns of one constraint are
/// written as SQLite names them, `t.a, t.b`.
pub fn on_unique<T>(result: sqlx::Result<T>, fields: &[(&str, &str)]) -> anyhow::Result<T> {
    let error = match result {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    let sqlx::Error::Database(cause) = &error else { return Err(failure(error).into()) };
    if !cause.is_unique_violation() {
        return Err(failure(error).into());
    }
    // "UNIQUE constraint failed: orders.sku"
    let constraint = cause.message().rsplit_once("failed: ").map_or("", |(_, columns)| columns);
    let mut exists = Failure::new(Kind::Exists, "there is one already");
    if let Some((_, field)) = fields.iter().find(|(columns, _)| *columns == constraint) {
        exists.detail = format!("{field} is taken");
        exists.fields = vec![FieldError { field: (*field).into(), detail: "is taken".into() }];
    }
    Err(exists.caused_by(error).into())
}

/// Makes a failure of kind `invalid` out of a foreign key that no row has. `fields` are those that callers know and that
/// are foreign keys of the table; SQLite does not tell which of them it was. Other errors stay as they are.
pub fn on_reference<T>(result: sqlx::Result<T>, fields: &[&str]) -> Result<sqlx::Result<T>, Failure> {
    match result {
        Err(error) if is_foreign_key_violation(&error) => {
            let mut invalid = Failure::new(Kind::Invalid, format!("{} refers to nothing", fields.join(" or ")));
            if let [field] = fields {
                invalid.fields = vec![FieldError { field: (*field).into(), detail: "refers to nothing".into() }];
            }
            Err(invalid.caused_by(error))
        }
        other => Ok(other),
    }
}

/// Makes a failure of kind `conflict` out of a row that cannot be deleted, for others refer to it by foreign keys.
pub fn on_referred<T>(result: sqlx::Result<T>, what: impl Display) -> Result<T, Failure> {
    result.map_err(|error| match is_foreign_key_violation(&error) {
        true => Failure::new(Kind::Conflict, format!("others refer to {what}")).caused_by(error),
        false => failure(error),
    })
}

fn is_foreign_key_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|cause| cause.is_foreign_key_violation())
}

/// The row, or a failure of kind `not_found`. `what` is a noun with its name: `format_args!("order {id}")`.
pub fn found<T>(row: Option<T>, what: impl Display) -> Result<T, Failure> {
    row.ok_or_else(|| Failure::not_found(what))
}

/// A failure of kind `not_found` if an update or delete changed nothing.
pub fn changed(done: &SqliteQueryResult, what: impl Display) -> Result<(), Failure> {
    if done.rows_affected() > 0 { Ok(()) } else { Err(Failure::not_found(what)) }
}
