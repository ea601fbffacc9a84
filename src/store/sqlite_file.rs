//! The file of an SQLite database, and its folder, in which SQLite creates files of its own.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{Error, Result};

/// Creates the file and its folders if they are missing, with the file readable by its owner only. Returns the absolute
/// path, which does not depend on the working directory and cannot be mistaken for a special name like `:memory:`.
///
/// # Errors
///
/// [`Error::Unusable`], which names the file or folder that cannot be written.
pub(super) fn prepare(path: &Path) -> Result<String> {
    let path = absolute(path)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| unwritable_folder(folder, &error))?;
        try_folder(folder)?;
    }
    open(OpenOptions::new().create(true).mode(0o600), &path)?;
    path.into_os_string()
        .into_string()
        .map_err(|_| Error::Unusable("the path of the SQLite database is no UTF-8".to_owned()))
}

/// Checks that file and folder can be written, or created if missing, and creates neither.
///
/// # Errors
///
/// The errors of [`prepare`].
pub(super) fn check(path: &Path) -> Result<()> {
    let path = absolute(path)?;
    if path.exists() {
        open(&mut OpenOptions::new(), &path)?;
    }
    match path.ancestors().skip(1).find(|folder| folder.exists()) {
        Some(folder) => try_folder(folder),
        None => Ok(()),
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| Error::Unusable(format!("the SQLite database {} cannot be found: {error}", path.display())))
}

/// Opens the file as SQLite does, for reading and writing.
fn open(options: &mut OpenOptions, path: &Path) -> Result<()> {
    let opened = options.read(true).append(true).open(path);
    opened.map(drop).map_err(|error| {
        Error::Unusable(format!("the SQLite database {} cannot be written: {error}{}", path.display(), whose(&error)))
    })
}

/// Creates a file in the folder and deletes it again: no other check is reliable.
fn try_folder(folder: &Path) -> Result<()> {
    let probe = folder.join(format!(".pusher-lite-{}", std::process::id()));
    let tried = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe) {
        Ok(_) => fs::remove_file(&probe),
        // Another thread of this process is doing the same.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    tried.map_err(|error| unwritable_folder(folder, &error))
}

fn unwritable_folder(folder: &Path, error: &io::Error) -> Error {
    let (folder, whose) = (folder.display(), whose(error));
    Error::Unusable(format!("the folder {folder} of the SQLite database cannot be written: {error}{whose}"))
}

fn whose(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; it must belong to the user that runs this",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_the_way_is_named() {
        let outer = tempfile::tempdir().unwrap();
        let file = outer.path().join("file");
        fs::write(&file, "").unwrap();
        // Root may write everywhere, but makes no file in a file, nor opens a folder as one.
        let inside = file.join("data/pusher-lite.db");
        for error in [check(&inside).unwrap_err(), prepare(&inside).unwrap_err()] {
            let error = error.to_string();
            assert!(error.contains("cannot be written") && error.contains(&file.display().to_string()), "{error}");
        }
        let expected = format!("the SQLite database {} cannot be written: ", outer.path().display());
        for error in [check(outer.path()).unwrap_err(), prepare(outer.path()).unwrap_err()] {
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn a_check_makes_nothing() {
        let outer = tempfile::tempdir().unwrap();
        check(&outer.path().join("a/b/pusher-lite.db")).unwrap();
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 0);
        let path = outer.path().join("a/pusher-lite.db");
        assert_eq!(prepare(&path).unwrap(), path.display().to_string());
        check(&path).unwrap();
        assert_eq!(fs::read_dir(outer.path().join("a")).unwrap().count(), 1);
    }
}
