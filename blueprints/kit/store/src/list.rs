use anyhow::Result;
use kit::{Cursor, Failure, page};
use serde::Serialize;
use serde_json::Value;
use sqlx::{
    Arguments, AssertSqlSafe, Encode, QueryBuilder, Row, Sqlite, SqliteExecutor, SqlitePool, Type,
    error::BoxDynError,
    sqlite::{SqliteArguments, SqliteRow},
};

use crate::raw::Raw;

/// One column to sort by. NULL is less than any value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: &'static str,
    pub descending: bool,
    /// The column may be NULL.
    pub nullable: bool,
}

impl Sort {
    /// By a column that is never NULL.
    pub fn by(column: &'static str, descending: bool) -> Self {
        Self { column, descending, nullable: false }
    }

    /// The column may be NULL.
    pub fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }
}

/// A page of a list.
#[derive(Debug)]
pub struct Rows {
    pub rows: Vec<SqliteRow>,
    /// Where the next page begins; none after the last.
    pub next: Option<Cursor>,
}

/// A `select` that filters, sorts and gives a page at a time. A page begins after the last row of the one before
/// (keyset), so rows that come and go meanwhile are neither skipped nor doubled.
///
/// ```
/// # use kit_store::{List, Micros, Rows, Sort, Store, Text};
/// # async fn example(store: &Store, status: Vec<String>, since: Option<chrono::DateTime<chrono::Utc>>) -> anyhow::Result<Rows> {
/// List::new(r#"select * from "orders""#, "id")
///     .any_of("status", status.iter().map(Text))
///     .gte("placed_at", since.map(Micros))
///     .sort([Sort::by("placed_at", true)])
///     .page(store.read(), Some(50), None)
///     .await
/// # }
/// ```
#[derive(Debug)]
pub struct List {
    sql: String,
    arguments: SqliteArguments,
    /// The arguments once more, in JSON.
    values: Vec<Value>,
    refused: Option<BoxDynError>,
    key: &'static str,
    newest: Sort,
    sort: Vec<Sort>,
}

impl List {
    /// `select` goes as far as `from`; `key` is a unique column, which breaks ties. Without [`sort`](Self::sort) the
    /// order is newest first, which UUIDs of version 7 as keys give.
    pub fn new(select: &'static str, key: &'static str) -> Self {
        let sql = format!("{select} where true");
        Self {
            sql,
            arguments: SqliteArguments::default(),
            values: Vec::new(),
            refused: None,
            key,
            newest: Sort::by(key, true),
            sort: Vec::new(),
        }
    }

    /// The column that says which is newest, where the key does not.
    pub fn newest_by(mut self, column: &'static str) -> Self {
        self.newest = Sort::by(column, true);
        self
    }

    /// One of these values; no values, no condition. SQLite takes 32 766 values in a statement, so their number has to
    /// be bounded where they come in.
    pub fn any_of<'q, V: Encode<'q, Sqlite> + Type<Sqlite> + Serialize>(
        mut self,
        column: &'static str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let mut before = format!(" and \"{column}\" in (");
        for value in values {
            self.sql += &before;
            self.bind(value);
            before = ", ".into();
        }
        if before == ", " {
            self.sql.push(')');
        }
        self
    }

    pub fn gte<'q, V: Encode<'q, Sqlite> + Type<Sqlite> + Serialize>(
        self,
        column: &'static str,
        value: Option<V>,
    ) -> Self {
        self.compare(column, ">=", value)
    }

    pub fn gt<'q, V: Encode<'q, Sqlite> + Type<Sqlite> + Serialize>(
        self,
        column: &'static str,
        value: Option<V>,
    ) -> Self {
        self.compare(column, ">", value)
    }

    pub fn lte<'q, V: Encode<'q, Sqlite> + Type<Sqlite> + Serialize>(
        self,
        column: &'static str,
        value: Option<V>,
    ) -> Self {
        self.compare(column, "<=", value)
    }

    pub fn lt<'q, V: Encode<'q, Sqlite> + Type<Sqlite> + Serialize>(
        self,
        column: &'static str,
        value: Option<V>,
    ) -> Self {
        self.compare(column, "<", value)
    }

    fn compare<'q, V: Encode<'q, Sqlite> + Type<Sqlite> + Serialize>(
        mut self,
        column: &'static str,
        than: &str,
        value: Option<V>,
    ) -> Self {
        if let Some(value) = value {
            self.sql += &format!(" and \"{column}\" {than} ");
            self.bind(value);
        }
        self
    }

    /// In this order, the first weighs most; none: newest first. A column that comes again weighs nothing.
    pub fn sort(mut self, by: impl IntoIterator<Item = Sort>) -> Self {
        for by in by {
            if !self.sort.iter().any(|known| known.column == by.column) {
                self.sort.push(by);
            }
        }
        self
    }

    /// `limit` and `cursor` as the caller gave them.
    ///
    /// # Errors
    /// `invalid` if the limit is out of range or the cursor is not one of this list, filter and sort.
    pub async fn page(mut self, pool: &SqlitePool, limit: Option<u32>, cursor: Option<&Cursor>) -> Result<Rows> {
        let limit = page::limit(limit)?;
        let order = self.order();
        // The statement with its values: all that decides which rows come in which order.
        let query = (self.sql.clone(), self.values.clone(), words(&order));
        if let Some(cursor) = cursor {
            let position: Vec<Raw> = cursor.open(&query)?;
            self.after(&order, &position)?;
        }
        if let Some(refused) = self.refused {
            return Err(Failure::invalid(refused).into());
        }
        let sql = format!("{} order by {} limit {}", self.sql, query.2, limit + 1);
        let mut rows =
            sqlx::query_with(AssertSqlSafe(sql), self.arguments).fetch_all(pool).await.map_err(crate::failure)?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = match rows.last() {
            Some(last) if more => {
                let position = order.iter().map(|by| last.try_get(by.column)).collect::<sqlx::Result<Vec<Raw>>>()?;
                Some(Cursor::seal(&query, &position))
            }
            _ => None,
        };
        Ok(Rows { rows, next })
    }

    /// The sort, made unique by the key.
    fn order(&self) -> Vec<Sort> {
        let mut order = if self.sort.is_empty() { vec![self.newest] } else { self.sort.clone() };
        if !order.iter().any(|by| by.column == self.key) {
            let descending = order.last().is_some_and(|by| by.descending);
            order.push(Sort::by(self.key, descending));
        }
        order
    }

    /// Only rows after the position: greater in the first column, or the same there and greater in the second, …
    fn after(&mut self, order: &[Sort], position: &[Raw]) -> Result<(), Failure> {
        if order.len() != position.len() {
            return Err(Failure::invalid("the cursor is not one of ours"));
        }
        // Says nothing new, but lets SQLite begin in the middle of an index.
        if let (Some(first), Some(value)) = (order.first(), position.first())
            && !(matches!(value, Raw::Null) || first.descending && first.nullable)
        {
            self.sql += &format!(" and \"{}\" {} ", first.column, if first.descending { "<=" } else { ">=" });
            self.bind(value.clone());
        }
        self.sql += " and (";
        for (by, value) in order.iter().zip(position) {
            let column = by.column;
            match (by.descending, value) {
                (false, Raw::Null) => self.sql += &format!("\"{column}\" is not null"),
                (true, Raw::Null) => self.sql += "false",
                (false, _) => {
                    self.sql += &format!("\"{column}\" > ");
                    self.bind(value.clone());
                }
                (true, _) => {
                    self.sql += &if by.nullable {
                        format!("\"{column}\" is null or \"{column}\" < ")
                    } else {
                        format!("\"{column}\" < ")
                    };
                    self.bind(value.clone());
                }
            }
            self.sql += &format!(" or \"{column}\" is ");
            self.bind(value.clone());
            self.sql += " and (";
        }
        self.sql += "false";
        self.sql += &")".repeat(order.len() + 1);
        Ok(())
    }

    fn bind<'q, V: Encode<'q, Sqlite> + Type<Sqlite> + Serialize>(&mut self, value: V) {
        self.sql.push('?');
        self.values.push(serde_json::to_value(&value).unwrap_or_default());
        if let Err(error) = self.arguments.add(value) {
            self.refused = Some(error);
        }
    }
}

/// As after `order by`.
fn words(order: &[Sort]) -> String {
    let words = order.iter().map(|by| format!("\"{}\"{}", by.column, if by.descending { " desc" } else { "" }));
    words.collect::<Vec<_>>().join(", ")
}

/// The rows that have one of these values in a column, in any order. SQLite takes 32 766 values in a statement, so their
/// number has to be bounded where they come in.
pub async fn any_of<V>(
    db: impl SqliteExecutor<'_>,
    select: &'static str,
    column: &'static str,
    values: impl IntoIterator<Item = V>,
) -> Result<Vec<SqliteRow>>
where
    V: for<'q> Encode<'q, Sqlite> + Type<Sqlite>,
{
    let mut query = QueryBuilder::<Sqlite>::new(format!("{select} where \"{column}\" in ("));
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    list.push_unseparated(")");
    // As many statements as there are numbers of values: none of them is worth keeping.
    Ok(query.build().persistent(false).fetch_all(db).await.map_err(crate::failure)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Migration, Store, Text};

    #[tokio::test]
    async fn a_page_in_the_middle_begins_in_the_index() {
        const ITEMS: Migration = Migration {
            name: "items_1",
            sql: "create table items (id text unique, size integer); create index by_size on items (size, id)",
        };
        let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
        for descending in [false, true] {
            let mut list = List::new("select * from items", "id").sort([Sort::by("size", descending)]);
            let order = list.order();
            list.after(&order, &[Raw::Integer(1), Raw::Text("x".into())]).unwrap();
            let sql = format!("explain query plan {} order by {} limit 9", list.sql, words(&order));
            let steps = sqlx::query_with(AssertSqlSafe(sql), list.arguments).fetch_all(store.read()).await.unwrap();
            let steps: Vec<String> = steps.iter().map(|row| row.try_get("detail").unwrap()).collect();
            let found = if descending { "size<?" } else { "size>?" };
            assert_eq!(steps, [format!("SEARCH items USING COVERING INDEX by_size ({found})")]);
        }
    }

    /// An update of anything must not turn away the cursors that are on their way.
    #[tokio::test]
    async fn the_hash_in_a_cursor_is_of_what_was_asked_alone() {
        const ITEMS: Migration =
            Migration { name: "items_1", sql: "create table items (id text); insert into items values ('1'), ('2')" };
        let store = Store::open(":memory:", &[ITEMS]).await.unwrap();
        let list = List::new("select * from items", "id").any_of("id", ["1", "2"].map(Text)).lt("id", Some("9"));
        let next = list.page(store.read(), Some(1), None).await.unwrap().next.unwrap();
        let asked =
            (r#"select * from items where true and "id" in (?, ?) and "id" < ?"#, ["1", "2", "9"], r#""id" desc"#);
        assert!(next.open::<Vec<Raw>>(&asked).is_ok());
    }
}
