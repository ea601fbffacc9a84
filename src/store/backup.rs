//! Copies of an SQLite database in use.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use diesel::{sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;

use super::{DatabaseUrl, Db, Error, Options, Result, connect::RawConn};

/// Copies the SQLite database that `url` names into the new file `to`, as it is at one moment, without blocking readers
/// and writers. Only the owner can read the file, and it is on disk when this returns.
///
/// # Errors
///
/// [`Error::Unusable`] when there is no such database, it is not SQLite, or `to` exists or cannot be created. A partly
/// written file is removed after any other error.
pub async fn copy(url: &DatabaseUrl, to: &Path) -> Result<()> {
    let DatabaseUrl::Sqlite(from) = url else {
        return Err(Error::Unusable("only SQLite is backed up this way; with Postgres, use pg_dump".to_owned()));
    };
    // Opening a pool would create the file.
    if !from.exists() {
        return Err(Error::Unusable(format!("there is no database {}", from.display())));
    }
    let name = to.to_str().ok_or_else(|| Error::Unusable("the path of the copy is no UTF-8".to_owned()))?;
    let unusable = |error: io::Error| Error::Unusable(format!("the copy {name} cannot be made: {error}"));
    let file = create(to).map_err(unusable)?;
    let copied = match write(url, name).await {
        Ok(()) => sync(&file, to).map_err(unusable),
        Err(error) => Err(error),
    };
    if copied.is_err() {
        // It fails if another process has removed the file.
        let _ = std::fs::remove_file(to);
    }
    copied
}

/// Writes the copy. SQLite writes into an existing file if it is empty.
async fn write(url: &DatabaseUrl, to: &str) -> Result<()> {
    let db = Db::connect(url, &Options { pool_size: 1, ..Options::default() }).await?;
    let mut conn = db.conn().await?;
    let RawConn::Sqlite(conn) = conn.raw() else { return Ok(()) };
    sql_query("VACUUM INTO ?").bind::<Text, _>(to).execute(&mut **conn).await?;
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Flushes the file and its directory entry to disk.
fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
