use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{Connection, Row, SqliteConnection};

/// One step in the life of the tables. Once applied somewhere, a step never changes: the next change is another step.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Names the step in the database: `orders_1`. Steps are applied in the order they are given.
    pub name: &'static str,
    /// One or more statements; `include_str!("../migrations/orders_1.sql")`.
    pub sql: &'static str,
}

/// Applies what the database has not seen, all of it or nothing. Several processes may do so at once.
pub(crate) async fn migrate(connection: &mut SqliteConnection, migrations: &[Migration]) -> Result<()> {
    // Mostly there is nothing to do, and then nobody who writes has to be waited for.
    if pending(connection, migrations).await?.is_empty() {
        return Ok(());
    }
    // Off while tables are rebuilt, as https://www.sqlite.org/lang_altertable.html#otheralter asks; checked below.
    sqlx::query("pragma foreign_keys = off").execute(&mut *connection).await?;
    let mut tx = connection.begin_with("begin immediate").await?;
    sqlx::query("create table if not exists \"kit_migrations\" (\"name\" text primary key, \"sql\" text not null)")
        .execute(&mut *tx)
        .await?;
    // Another process may have been first.
    for migration in pending(&mut tx, migrations).await? {
        sqlx::raw_sql(migration.sql)
            .execute(&mut *tx)
            .await
            .with_context(|| format!("migration {}", migration.name))?;
        sqlx::query("insert into \"kit_migrations\" (\"name\", \"sql\") values (?, ?)")
            .bind(migration.name)
            .bind(migration.sql)
            .execute(&mut *tx)
            .await
            .with_context(|| format!("migration {}", migration.name))?;
    }
    if let Some(row) = sqlx::query("pragma foreign_key_check").fetch_optional(&mut *tx).await? {
        bail!("after the migrations a row of table {} points at nothing", row.try_get::<&str, _>(0)?);
    }
    tx.commit().await?;
    sqlx::query("pragma foreign_keys = on").execute(connection).await?;
    Ok(())
}

/// Those that were not applied. What was has not changed since, and is known.
async fn pending<'m>(connection: &mut SqliteConnection, migrations: &'m [Migration]) -> Result<Vec<&'m Migration>> {
    let is_there = "select 1 from sqlite_schema where type = 'table' and name = 'kit_migrations'";
    let rows = match sqlx::query(is_there).fetch_optional(&mut *connection).await? {
        None => Vec::new(),
        Some(_) => sqlx::query("select \"name\", \"sql\" from \"kit_migrations\"").fetch_all(connection).await?,
    };
    let mut pending: Vec<&Migration> = migrations.iter().collect();
    for row in &rows {
        let (name, sql): (String, String) = (row.try_get("name")?, row.try_get("sql")?);
        let Some(place) = pending.iter().position(|migration| migration.name == name) else {
            bail!("migration {name} was applied by another version of this program, which this one does not know")
        };
        // The text itself and not its hash: whoever repairs a database wants to see what ran.
        ensure!(
            lines(pending.remove(place).sql) == lines(&sql),
            "migration {name} was changed after it was applied; undo the change and write another migration"
        );
    }
    Ok(pending)
}

/// A checkout with other line ends holds the same migration.
fn lines(sql: &str) -> impl PartialEq + '_ {
    sql.lines().collect::<Vec<_>>()
}
