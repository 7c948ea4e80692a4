use std::{
    ops::{Deref, DerefMut},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use kit::Failure;
use sqlx::{
    Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::{
    Migration,
    failure::{failure, is_locked},
    migrate::migrate,
};

/// How long to wait for the file, or for a connection to it, before the answer is `unavailable`.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that read at the same time.
const READERS: u32 = 4;

/// A SQLite database in WAL mode with one connection that writes and several that read. Clones share them.
///
/// An acknowledged commit survives power loss (`synchronous = FULL`); with `?durability=process` in the URL it survives
/// the end of the process only (`synchronous = NORMAL`), which saves the wait for the disk.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    marks: watch::Sender<u64>,
    /// Deleted with the last clone.
    _folder: Option<Arc<TempDir>>,
}

impl Store {
    /// Opens or creates the file, folders included, and applies the migrations it has not seen.
    ///
    /// `url` is `sqlite:path/to/file.db`, or `:memory:` for a database of its own that is gone with the store: a file
    /// in a temporary folder, for nothing in memory lets readers pass a writer as a file in WAL mode does.
    ///
    /// # Errors
    /// The URL is of another database, the file cannot be opened, or the migrations do not fit it.
    pub async fn open(url: &str, migrations: &[Migration]) -> Result<Self> {
        let (options, folder) = options(url).with_context(|| format!("opening {url}"))?;
        let mut connection =
            SqliteConnection::connect_with(&options).await.with_context(|| format!("opening {url}"))?;
        migrate(&mut connection, migrations).await.with_context(|| format!("migrating {url}"))?;
        connection.close().await?;
        let pool = || {
            let pool = SqlitePoolOptions::new().acquire_timeout(PATIENCE).test_before_acquire(false);
            // SQLite itself ends a transaction that meets a full disk. Of such a connection sqlx goes on to think that it
            // is inside one, and can neither end it nor begin another.
            pool.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        };
        let writer = pool().max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
        // SQLite tries again after 1, 2, 5, … 100 ms, and who waits longest tries least. Give up early, and begin anew.
        let writer = writer.after_connect(|connection, _| {
            Box::pin(async { sqlx::query("pragma busy_timeout = 8").execute(connection).await.map(drop) })
        });
        let writer = writer.connect_with(options.clone()).await.with_context(|| format!("opening {url}"))?;
        let reader = pool().max_connections(READERS).connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { writer, reader, marks: watch::Sender::new(0), _folder: folder })
    }

    /// For queries that change nothing. They see the last commit, and never wait for one.
    pub fn read(&self) -> &SqlitePool {
        &self.reader
    }

    /// Begins to write (`BEGIN IMMEDIATE`): until the end of the transaction nobody else does. Dropped, it is undone.
    ///
    /// # Errors
    /// `unavailable` if others wrote for too long.
    pub async fn begin(&self) -> Result<Tx, Failure> {
        let begun = Instant::now();
        loop {
            match self.writer.begin_with("begin immediate").await {
                Ok(inner) => return Ok(Tx { inner, marks: self.marks.clone(), marked: false }),
                Err(error) if is_locked(&error) && begun.elapsed() < PATIENCE => {}
                Err(error) => return Err(failure(error)),
            }
        }
    }

    /// Changes with each commit of a transaction that was [marked](Tx::mark).
    pub fn marks(&self) -> watch::Receiver<u64> {
        self.marks.subscribe()
    }

    /// The database answers.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.reader).await?;
        Ok(())
    }

    /// Waits for what is running and closes the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// A transaction. `&mut *tx` is what a query runs on.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Sqlite>,
    marks: watch::Sender<u64>,
    marked: bool,
}

impl Tx {
    /// Wakes those who wait for [`Store::marks`], once this is committed.
    pub fn mark(&mut self) {
        self.marked = true;
    }

    /// # Errors
    /// `unavailable` if the disk is full or fails; nothing is changed then.
    pub async fn commit(self) -> Result<(), Failure> {
        self.inner.commit().await.map_err(failure)?;
        if self.marked {
            self.marks.send_modify(|mark| *mark += 1);
        }
        Ok(())
    }
}

impl Deref for Tx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}

fn options(url: &str) -> Result<(SqliteConnectOptions, Option<Arc<TempDir>>)> {
    let path = match url.split_once(':') {
        Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
        Some(("", _)) => url,
        _ => bail!("not a SQLite URL such as sqlite:data/orders.db"),
    };
    let (path, mut synchronous) = match path.split_once('?') {
        None => (path, SqliteSynchronous::Full),
        Some((path, "durability=power")) => (path, SqliteSynchronous::Full),
        Some((path, "durability=process")) => (path, SqliteSynchronous::Normal),
        Some((_, other)) => bail!("{other:?} is neither durability=power nor durability=process"),
    };
    let (path, folder) = match path {
        "" => bail!("the path is missing"),
        ":memory:" => {
            synchronous = SqliteSynchronous::Off;
            let folder = TempDir::new()?;
            (folder.path().join("memory.db"), Some(Arc::new(folder)))
        }
        path => (PathBuf::from(path), None),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(true);
    Ok((options.journal_mode(SqliteJournalMode::Wal).synchronous(synchronous).busy_timeout(PATIENCE), folder))
}
