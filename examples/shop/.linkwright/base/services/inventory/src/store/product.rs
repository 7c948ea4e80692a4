// Yours: written once by Linkwright, never overwritten.

use anyhow::Result;
use inventory_contract::{ListProducts, Money, Product, ProductId, ProductPage, ProductSort};
use kit::Failure;
use kit_store::{Columns as _, List, Revision, Scaled, Sort, Text, Tx, changed, found, on_unique};
use sqlx::{
    Sqlite, SqliteExecutor, SqlitePool,
    sqlite::{SqliteArguments, SqliteRow},
};

/// The product, or `not_found`.
pub async fn get(db: impl SqliteExecutor<'_>, id: &ProductId) -> Result<Product> {
    let query = sqlx::query(r#"select * from "products" where "sku" = ?"#).bind(Text(&id));
    item(&found(query.fetch_optional(db).await?, format_args!("product {id}"))?)
}

pub async fn list(db: &SqlitePool, query: &ListProducts) -> Result<ProductPage> {
    let page = List::new("select rowid, * from \"products\"", "sku")
        .newest_by("rowid")
        .sort(query.sort.iter().filter_map(|by| match by {
            ProductSort::Name => Some(Sort::by("name", false)),
            ProductSort::NameDescending => Some(Sort::by("name", true)),
            ProductSort::Unrecognised(_) => None,
        }))
        .page(db, query.limit, query.cursor.as_ref())
        .await?;
    Ok(ProductPage { items: page.rows.iter().map(item).collect::<Result<_>>()?, next: page.next })
}

/// Fails with `exists` if something that must be unique is taken.
pub async fn insert(tx: &mut Tx, product: &Product) -> Result<()> {
    let query = sqlx::query(
        r#"insert into "products" ("name", "price_amount", "price_currency", "on_hand", "reserved", "sku",
             "revision")
           values (?, ?, ?, ?, ?, ?, 1)"#,
    );
    on_unique(bind(query, product).execute(&mut **tx).await, UNIQUE)?;
    Ok(())
}

/// Writes the product, which gets its next revision; `stale` if it has changed since it was read.
pub async fn update(tx: &mut Tx, product: &mut Product) -> Result<()> {
    let query = sqlx::query(
        r#"update "products" set "name" = ?, "price_amount" = ?, "price_currency" = ?, "on_hand" = ?, "reserved" = ?,
             "revision" = "revision" + 1
           where "sku" = ? and "revision" = ?"#,
    );
    let query = bind(query, product).bind(Revision(product.etag));
    let done = on_unique(query.execute(&mut **tx).await, UNIQUE)?;
    changed(&done, "product").map_err(|_| Failure::stale())?;
    product.etag = product.etag.next();
    Ok(())
}

const UNIQUE: &[(&str, &str)] = &[("products.sku", "sku")];

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, product: &'q Product) -> Query<'q> {
    query
        .bind(&product.name)
        .bind(Scaled::<2>(product.price.amount))
        .bind(Text(&product.price.currency))
        .bind(product.on_hand)
        .bind(product.reserved)
        .bind(Text(&product.sku))
}

fn item(row: &SqliteRow) -> Result<Product> {
    Ok(Product {
        sku: row.read::<Text<_>>("sku")?,
        name: row.read::<String>("name")?,
        price: Money {
            amount: row.read::<Scaled<2>>("price_amount")?,
            currency: row.read::<Text<_>>("price_currency")?,
        },
        on_hand: row.read::<u32>("on_hand")?,
        reserved: row.read::<u32>("reserved")?,
        etag: row.read::<Revision>("revision")?,
    })
}
