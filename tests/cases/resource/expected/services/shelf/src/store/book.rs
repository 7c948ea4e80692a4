// Yours: written once by Linkwright, never overwritten.

use anyhow::Result;
use kit::Failure;
use kit_store::{Columns as _, List, Micros, Revision, Scaled, Sort, Text, Tx, changed, found, on_unique};
use shelf_contract::{Book, BookId, BookPage, BookSort, ListBooks, Price};
use sqlx::{
    Sqlite, SqliteExecutor, SqlitePool,
    sqlite::{SqliteArguments, SqliteRow},
};

/// The book, or `not_found`.
pub async fn get(db: impl SqliteExecutor<'_>, id: &BookId) -> Result<Book> {
    let query = sqlx::query(r#"select * from "books" where "id" = ?"#).bind(Text(&id));
    item(&found(query.fetch_optional(db).await?, format_args!("book {id}"))?)
}

pub async fn list(db: &SqlitePool, query: &ListBooks) -> Result<BookPage> {
    let page = List::new("select * from \"books\"", "id")
        .any_of("author", query.author.iter())
        .any_of("price_amount", query.price_amount.iter().copied().map(Scaled::<2>))
        .gte("price_amount", query.price_amount_gte.map(Scaled::<2>))
        .gt("price_amount", query.price_amount_gt.map(Scaled::<2>))
        .lte("price_amount", query.price_amount_lte.map(Scaled::<2>))
        .lt("price_amount", query.price_amount_lt.map(Scaled::<2>))
        .sort(query.sort.iter().filter_map(|by| match by {
            BookSort::AddedAt => Some(Sort::by("added_at", false)),
            BookSort::AddedAtDescending => Some(Sort::by("added_at", true)),
            BookSort::Unrecognised(_) => None,
        }))
        .page(db, query.limit, query.cursor.as_ref())
        .await?;
    Ok(BookPage { items: page.rows.iter().map(item).collect::<Result<_>>()?, next: page.next })
}

/// Fails with `exists` if something that must be unique is taken.
pub async fn insert(tx: &mut Tx, book: &Book) -> Result<()> {
    let query = sqlx::query(
        r#"insert into "books" ("title", "author", "price_amount", "price_currency", "isbn", "added_at", "id",
             "revision")
           values (?, ?, ?, ?, ?, ?, ?, 1)"#,
    );
    on_unique(bind(query, book).execute(&mut **tx).await, UNIQUE)?;
    Ok(())
}

/// Writes the book, which gets its next revision; `stale` if it has changed since it was read.
pub async fn update(tx: &mut Tx, book: &mut Book) -> Result<()> {
    let query = sqlx::query(
        r#"update "books" set "title" = ?, "author" = ?, "price_amount" = ?, "price_currency" = ?, "isbn" = ?,
             "added_at" = ?, "revision" = "revision" + 1
           where "id" = ? and "revision" = ?"#,
    );
    let query = bind(query, book).bind(Revision(book.etag));
    let done = on_unique(query.execute(&mut **tx).await, UNIQUE)?;
    changed(&done, "book").map_err(|_| Failure::stale())?;
    book.etag = book.etag.next();
    Ok(())
}

pub async fn delete(tx: &mut Tx, id: &BookId) -> Result<()> {
    let done = sqlx::query(r#"delete from "books" where "id" = ?"#).bind(Text(&id)).execute(&mut **tx).await?;
    Ok(changed(&done, format_args!("book {id}"))?)
}

const UNIQUE: &[(&str, &str)] = &[("books.id", "id"), ("books.isbn", "isbn")];

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, book: &'q Book) -> Query<'q> {
    query
        .bind(&book.title)
        .bind(&book.author)
        .bind(Scaled::<2>(book.price.amount))
        .bind(Text(&book.price.currency))
        .bind(&book.isbn)
        .bind(Micros(book.added_at))
        .bind(Text(&book.id))
}

fn item(row: &SqliteRow) -> Result<Book> {
    Ok(Book {
        id: row.read::<Text<_>>("id")?,
        title: row.read::<String>("title")?,
        author: row.read::<Option<String>>("author")?,
        price: Price {
            amount: row.read::<Scaled<2>>("price_amount")?,
            currency: row.read::<Text<_>>("price_currency")?,
        },
        isbn: row.read::<String>("isbn")?,
        added_at: row.read::<Micros>("added_at")?,
        etag: row.read::<Revision>("revision")?,
    })
}
