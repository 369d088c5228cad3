//! Writes a snapshot's file: whole or not at all.

use std::fs::Permissions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// Checks that the file's folder exists: a pull needs that before it reads a domain.
///
/// # Errors
///
/// When there is none.
pub(super) fn expect_folder(path: &Path) -> anyhow::Result<()> {
    ensure!(
        folder(path).is_dir(),
        "{} cannot be written: its folder does not exist",
        path.display()
    );
    Ok(())
}

/// Replaces the file's text in one step. A link stays one, and permissions stay what they are.
///
/// # Errors
///
/// When the folder is not there or cannot be written to; the file is then as it was.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    replace(path, text).with_context(|| format!("{} could not be written", path.display()))
}

fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let existing = std::fs::canonicalize(path).ok();
    let path = existing.clone().unwrap_or_else(|| path.to_owned());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".domain").suffix(".json");
    let permissions = match existing {
        Some(path) => Some(std::fs::metadata(path)?.permissions()),
        None => ordinary_permissions(),
    };
    // At birth the umask still takes its share, which is right for a new file.
    if let Some(permissions) = &permissions {
        builder.permissions(permissions.clone());
    }
    let mut file = builder.tempfile_in(folder(&path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Permissions of a new file that is not secret.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn ordinary_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;

    Some(Permissions::from_mode(0o666))
}

/// Permissions of a new file that is not secret.
#[cfg(not(unix))]
fn ordinary_permissions() -> Option<Permissions> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_link_and_its_permissions_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (
            folder.path().join("domain.json"),
            folder.path().join("link"),
        );
        write(&file, "old").expect("written");
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("set");
        symlink(&file, &link).expect("a link");
        write(&link, "new").expect("written");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).expect("text"), "new");
        let mode = std::fs::metadata(&file).expect("it").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 2, "nothing is left behind");
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        assert!(expect_folder(Path::new("/nowhere-at-all/domain.json")).is_err());
        assert!(expect_folder(Path::new("domain.json")).is_ok());
    }
}
