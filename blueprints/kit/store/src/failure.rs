use std::fmt::Display;

use kit::{Failure, FieldError, Kind};
use sqlx::sqlite::SqliteQueryResult;

/// What an error of the database is to the caller: `unavailable` where waiting may help (the file is locked, the disk
/// is full or failing, every connection is taken), else `internal`.
pub fn failure(error: sqlx::Error) -> Failure {
    // Primary result codes of SQLite: BUSY, LOCKED, IOERR, FULL. https://www.sqlite.org/rescode.html
    const PASSING: [i32; 4] = [5, 6, 10, 13];
    let passing = match &error {
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(e) => {
            e.code().and_then(|c| c.parse::<i32>().ok()).is_some_and(|c| PASSING.contains(&(c & 0xff)))
        }
        _ => false,
    };
    if passing { Failure::unavailable(error) } else { Failure::internal(error) }
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

/// The row, or a failure of kind `not_found`. `what` is a noun with its name: `format_args!("order {id}")`.
pub fn found<T>(row: Option<T>, what: impl Display) -> Result<T, Failure> {
    row.ok_or_else(|| Failure::not_found(what))
}

/// A failure of kind `not_found` if an update or delete changed nothing.
pub fn changed(done: &SqliteQueryResult, what: impl Display) -> Result<(), Failure> {
    if done.rows_affected() > 0 { Ok(()) } else { Err(Failure::not_found(what)) }
}
