//! Warnings about weak secrets, and about files with secrets that others can read. Such an installation runs on, with a
//! warning.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{
    secrets::{Keep, jwt_secret},
    settings::Settings,
};

/// Minimum length of a secret for JWTs that gives no warning, in bytes.
const MIN_JWT_SECRET: usize = 32;

/// Returns weaknesses of the installation's secrets, each as a sentence that says what to do. `database` is the file of
/// SQLite.
pub(super) fn warnings(settings: &Settings, keep: &Keep, database: Option<&Path>) -> Vec<String> {
    let is_weak = jwt_secret(settings, keep).is_some_and(|secret| secret.trim().len() < MIN_JWT_SECRET);
    let weak = is_weak.then(|| {
        format!(
            "The secret that signs JWTs is shorter than {MIN_JWT_SECRET} characters: anyone with a JWT can guess it, and \
             act as any user. Set PUSHER_LITE_JWT_SECRET to a longer one (`openssl rand -base64 48` makes one); that ends all JWTs."
        )
    });
    let beside = |database: &Path| ["", "-wal"].map(|end| PathBuf::from(format!("{}{end}", database.display())));
    let database = database.into_iter().flat_map(beside);
    let others = [settings.file_with_secrets(), settings.get("tls_key").map(|(path, _)| Path::new(path))];
    let others = others.into_iter().flatten().map(Path::to_owned);
    let exposed = keep.files().into_iter().chain(database).chain(others).filter(|path| is_open_to_all(path));
    let exposed = exposed.map(|path| {
        let path = path.display();
        format!(
            "Every user of this machine can read or change {path}, which holds secrets; `chmod o= {path}` ends that."
        )
    });
    weak.into_iter().chain(exposed).collect()
}

/// Returns true if users of the machine who neither own the file nor are of its group can read or write it. A folder
/// that they cannot enter keeps them out as well.
fn is_open_to_all(path: &Path) -> bool {
    let mode = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.permissions().mode());
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let is_open = mode(&path).is_some_and(|mode| mode & 0o006 != 0);
    is_open && path.ancestors().skip(1).all(|folder| mode(folder).is_none_or(|mode| mode & 0o001 != 0))
}

#[cfg(test)]
mod tests {
    use super::{super::Secrets, *};

    #[test]
    fn what_weakens_secrets_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::Folder(folder.path().to_owned());
        let database = folder.path().join("data.db");
        let chmod = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let warnings = |settings: &Settings| warnings(settings, &keep, Some(&database));
        chmod(folder.path(), 0o755);
        Secrets::load(&Settings::default(), &keep).unwrap();
        fs::write(&database, "").unwrap();
        chmod(&database, 0o640);
        assert_eq!(warnings(&Settings::default()), [""; 0]);

        for name in ["jwt_secret", "cookie_secret", "data.db"] {
            for mode in [0o644, 0o602, 0o666] {
                chmod(&folder.path().join(name), mode);
                let said = warnings(&Settings::default());
                assert!(
                    said.len() == 1 && said[0].contains(&format!("{name}, which holds secrets")),
                    "{name}: {said:?}"
                );
            }
            chmod(folder.path(), 0o750);
            assert_eq!(warnings(&Settings::default()), [""; 0], "nobody else gets into the folder");
            chmod(folder.path(), 0o755);
            chmod(&folder.path().join(name), 0o600);
        }
        for (secret, warned) in [("a".repeat(32), 0), ("a".repeat(31), 1), ("a".to_owned(), 1), (" ".repeat(99), 1)] {
            let mut settings = Settings::default();
            settings.set_flag("jwt_secret", secret.clone());
            let said = warnings(&settings);
            assert!(said.len() == warned && !said.concat().contains(&"a".repeat(31)), "{secret}: {said:?}");
        }
    }
}
