//! Reads files up to a size limit, and replaces files atomically.
//!
//! Every read has a limit, so that a huge file, or a device such as `/dev/zero`, cannot exhaust memory. Every change
//! writes a new file and renames it over the old one, so that a crash or a full disk leaves the old file untouched.
//! What the bytes mean is up to the caller.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use crate::error::LocalFault;

/// Other programs may be writing temporary files for the same target; this many names are tried.
const MAX_TEMP_NAMES: u32 = 100;

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// [`LocalFault::Io`] if the file cannot be read, [`LocalFault::TooLarge`] if it exceeds the limit.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, LocalFault> {
    File::open(path).map_err(LocalFault::Io).and_then(|file| read_to_limit(file, limit))
}

/// Reads everything from `source`, at most `limit` bytes.
///
/// # Errors
/// The same as [`read_bounded`].
pub fn read_to_limit(source: impl Read, limit: u64) -> Result<Vec<u8>, LocalFault> {
    let mut bytes = Vec::new();
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(LocalFault::Io)?;
    check_size(&bytes, limit)?;
    Ok(bytes)
}

/// Checks that there are at most `limit` bytes.
pub(crate) fn check_size(bytes: &[u8], limit: u64) -> Result<(), LocalFault> {
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
    if fits { Ok(()) } else { Err(LocalFault::TooLarge(limit)) }
}

/// Whether an error means that the file does not exist. Part of its path may be missing, too, or not be a folder.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The folder that contains a path.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// A new file that replaces the file at a path once it is complete.
///
/// It is written next to that path, under a temporary name. [`AtomicFile::commit`] renames it; if it is dropped without a
/// commit, it is removed.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    temp: PathBuf,
    file: File,
    committed: bool,
}

impl AtomicFile {
    /// Creates the temporary file with this mode, reduced by the umask.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(target: &Path, mode: u32) -> io::Result<AtomicFile> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        for number in 0..MAX_TEMP_NAMES {
            let temp = temp_path(target, number);
            match options.open(&temp) {
                Ok(file) => {
                    let target = target.to_owned();
                    return Ok(AtomicFile { target, temp, file, committed: false });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many temporary files are left in its directory"))
    }

    /// Removes a temporary file that was left by a crash. Only safe while the caller holds a lock that all writers of the
    /// target use.
    pub(crate) fn remove_leftover(target: &Path) -> io::Result<()> {
        match fs::remove_file(temp_path(target, 0)) {
            Err(error) if !is_missing(&error) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Copies the owner and the mode of another file, usually of the one that is replaced.
    ///
    /// Only root can give a file away, so a failure to change the owner is ignored. If the group differs afterwards, it
    /// gets no access: what one group may read is not for another.
    ///
    /// # Errors
    /// If the mode cannot be changed.
    pub fn copy_access(&self, other: &Metadata) -> io::Result<()> {
        let _ = fchown(&self.file, Some(other.uid()), Some(other.gid()));
        let mut mode = other.permissions().mode() & 0o7777;
        if self.file.metadata()?.gid() != other.gid() {
            mode &= !0o070;
        }
        self.file.set_permissions(Permissions::from_mode(mode))
    }

    /// Writes the file to disk and renames it to the target.
    ///
    /// # Errors
    /// If either fails; the target is unchanged then.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temp, &self.target)?;
        self.committed = true;
        // The new name is on disk once the folder is. Not every file system can do that, and the change is made anyway.
        let _ = File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            let _ = fs::remove_file(&self.temp);
        }
    }
}

fn temp_path(target: &Path, number: u32) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let number = if number == 0 { String::new() } else { format!("-{number}") };
    folder_of(target).join(format!(".{name}.regq-tmp{number}"))
}

#[cfg(test)]
mod tests {
    use super::{AtomicFile, LocalFault, read_bounded, read_to_limit};
    use std::fs;
    use std::io::{self, Write as _};
    use std::path::{Path, PathBuf};

    /// A new folder that is removed after the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> io::Result<Folder> {
            let path = std::env::temp_dir().join(format!("regq-{name}-{}", std::process::id()));
            fs::create_dir(&path).map(|()| Folder(path))
        }

        fn names(&self) -> io::Result<Vec<String>> {
            let names = fs::read_dir(&self.0)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            let mut names: Vec<_> = names.collect::<io::Result<_>>()?;
            names.sort();
            Ok(names)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn reads_stop_at_the_limit() {
        assert!(matches!(read_to_limit(&b"12345"[..], 5).as_deref(), Ok(b"12345")));
        assert!(matches!(read_to_limit(&b"123456"[..], 5), Err(LocalFault::TooLarge(5))));
        let endless = read_bounded(Path::new("/dev/zero"), 1_000);
        assert!(matches!(endless, Err(LocalFault::TooLarge(1_000))));
        assert!(matches!(read_bounded(Path::new("/nonexistent"), 5), Err(LocalFault::Io(_))));
    }

    #[test]
    fn a_file_appears_only_when_it_is_complete() -> io::Result<()> {
        let folder = Folder::new("atomic")?;
        let target = folder.0.join("a");
        fs::write(&target, "old")?;
        let mut dropped = AtomicFile::create(&target, 0o600)?;
        dropped.write_all(b"half")?;
        // A second writer gets its own temporary file.
        let mut kept = AtomicFile::create(&target, 0o600)?;
        kept.write_all(b"new")?;
        assert_eq!(folder.names()?, [".a.regq-tmp", ".a.regq-tmp-1", "a"]);
        drop(dropped);
        assert_eq!(fs::read(&target)?, b"old");
        kept.commit()?;
        assert_eq!(fs::read(&target)?, b"new");
        assert_eq!(folder.names()?, ["a"]);
        Ok(())
    }
}
