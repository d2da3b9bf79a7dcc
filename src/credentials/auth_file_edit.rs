//! Changing a credential file: one entry, and everything else as it was.
//!
//! The new file is written beside the old one and renamed over it, so that a crash at any point leaves one of
//! the two whole. Keys keep their order, values their bytes; only the blanks between them may change.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::ser::PrettyFormatter;
use serde_json::value::RawValue;

use crate::credentials::auth_file::{
    AuthFile, LIMIT, Pairs, is_bounded, is_missing, json_fault, read_bounded,
};
use crate::credentials::credential::Password;
use crate::credentials::helper;
use crate::credentials::key::Target;
use crate::error::{Error, LocalFault, Result};
use crate::reference::Registry;

/// Where a credential went, or was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A file, in which everybody who can read it can read the password.
    File(PathBuf),
    /// A helper program.
    Helper(String),
}

/// Keeps a registry's credential: in the helper that the file names, which is given so much time, else in the file
/// itself.
///
/// # Errors
/// [`Error::Local`] when the file cannot be read or written, [`Error::Helper`] when the helper fails; nothing is
/// changed then.
pub fn store(
    path: &Path,
    registry: &Registry,
    password: &Password,
    time: Duration,
) -> Result<Location> {
    let target = Target::new(registry, "");
    let file = Document::open(path, true)?;
    if let Some(named) = file.parsed.helper(&target) {
        let program = format!("docker-credential-{}", named.name);
        helper::store(&named.name, &target.name, password, time)
            .map_err(|fault| Error::Helper { program: program.clone(), fault })?;
        // What was kept in plain text before is not left for others to use.
        if file.has(&target)? {
            file.write(&target, None)?;
        }
        return Ok(Location::Helper(program));
    }
    let mut entry = Pairs(Vec::new());
    entry.0.push(("auth".to_owned(), raw(password.encoded().expose())?));
    file.write(&target, Some(entry))?;
    Ok(Location::File(path.to_owned()))
}

/// What was forgotten, and what could not be.
#[derive(Debug)]
#[non_exhaustive]
pub struct Removed {
    /// Where something was taken from; empty when there was nothing.
    pub from: Vec<Location>,
    /// The failure of the helper, which may still keep the credential.
    pub failed: Option<Error>,
}

/// Forgets a registry's credential, under every spelling of its name: in the file, and in the helper that the file
/// names, which is given so much time.
///
/// # Errors
/// [`Error::Local`] when the file cannot be read or written; nothing is changed then.
pub fn erase(path: &Path, registry: &Registry, time: Duration) -> Result<Removed> {
    let target = Target::new(registry, "");
    let file = Document::open(path, false)?;
    let helper = file.parsed.helper(&target);
    let mut erased = Removed { from: Vec::new(), failed: None };
    // The file first: a helper that fails must not keep a password in plain text.
    if file.has(&target)? {
        file.write(&target, None)?;
        erased.from.push(Location::File(path.to_owned()));
    }
    if let Some(named) = helper {
        let program = format!("docker-credential-{}", named.name);
        match helper::erase(&named.name, &target.name, time) {
            Ok(true) => erased.from.push(Location::Helper(program)),
            Ok(false) => {}
            Err(fault) => erased.failed = Some(Error::Helper { program, fault }),
        }
    }
    Ok(erased)
}

/// Whether a credential could be kept in a file: that what is there can be read.
///
/// # Errors
/// [`Error::Local`] when it cannot.
pub fn check(path: &Path) -> Result<()> {
    Document::open(path, false).map(|_| ())
}

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

type Object = Pairs<Box<RawValue>>;

/// A credential file as it stands, to be changed.
struct Document {
    /// Where it really is: what a symbolic link points at is replaced, not the link.
    path: PathBuf,
    object: Object,
    parsed: AuthFile,
    /// Whose the file is that is there, and who may read it.
    old: Option<Metadata>,
    /// The folder, locked until the change is made; `None` where there is no folder, and so no file.
    folder: Option<File>,
}

/// What a path leads to, through symbolic links, also when the last one leads to a file that is not there yet.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(link) => path = path.parent().unwrap_or(Path::new("")).join(link),
            // No link, or nothing there.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput || is_missing(&error) => {
                return Ok(path);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

impl Document {
    /// Reads a file; one that is not there is empty. Whoever else changes a file of the folder this way waits.
    fn open(path: &Path, creating: bool) -> Result<Document> {
        let local = |fault| Error::Local { path: path.to_owned(), fault };
        let io = |error| local(LocalFault::Io(error));
        let path = &target(path).map_err(io)?;
        let folder = folder_of(path);
        if creating {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(|error| local(LocalFault::Write(error)))?;
        }
        let folder = match File::open(&folder) {
            Ok(folder) => {
                // Some file systems know no locks; a change is whole all the same.
                let _ = folder.lock();
                Some(folder)
            }
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(io(error)),
        };
        let old = match fs::metadata(path) {
            // Neither a device nor a pipe is replaced by a file.
            Ok(metadata) if !metadata.is_file() => {
                return Err(local(LocalFault::Write(io::Error::other("not a regular file"))));
            }
            Ok(metadata) => Some(metadata),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(io(error)),
        };
        let bytes = match old {
            Some(_) => read_bounded(path).map_err(local)?,
            None => Vec::new(),
        };
        let parsed = AuthFile::parse(&bytes).map_err(local)?;
        let object = match bytes.trim_ascii() {
            b"" => Pairs(Vec::new()),
            bytes => serde_json::from_slice(bytes).map_err(|error| local(json_fault(&error)))?,
        };
        Ok(Document { path: path.to_owned(), object, parsed, old, folder })
    }

    fn local(&self, fault: LocalFault) -> Error {
        Error::Local { path: self.path.clone(), fault }
    }

    fn unwritable(&self) -> impl Fn(io::Error) -> Error {
        |error| self.local(LocalFault::Write(error))
    }

    /// True when there is an entry for the registry, however it is spelled.
    fn has(&self, target: &Target) -> Result<bool> {
        Ok(self.auths()?.0.iter().any(|(key, _)| target.fit(key).is_some()))
    }

    /// The object under `auths`.
    fn auths(&self) -> Result<Object> {
        let found = self.object.0.iter().find(|(key, _)| key == "auths");
        match found {
            Some((_, value)) => serde_json::from_slice(value.get().as_bytes())
                .map_err(|error| self.local(json_fault(&error))),
            None => Ok(Pairs(Vec::new())),
        }
    }

    /// Puts an entry in place of every spelling of the registry, or nothing.
    fn write(self, target: &Target, entry: Option<Object>) -> Result<()> {
        let mut auths = self.auths()?;
        let is_registry = |key: &str| target.fit(key).is_some();
        let place = auths.0.iter().position(|(key, _)| is_registry(key));
        auths.0.retain(|(key, _)| !is_registry(key));
        if let Some(entry) = entry {
            let place = place.unwrap_or(auths.0.len());
            auths.0.insert(place, (target.name.clone(), raw(&Written(&entry))?));
        }
        let mut text = Vec::new();
        let indented = PrettyFormatter::with_indent(b"\t");
        let mut writer = serde_json::Serializer::with_formatter(&mut text, indented);
        Whole { object: &self.object, auths: &auths }
            .serialize(&mut writer)
            .map_err(|error| self.local(json_fault(&error)))?;
        text.push(b'\n');
        self.replace(&text)
    }

    fn replace(&self, text: &[u8]) -> Result<()> {
        if !is_bounded(text) {
            return Err(self.local(LocalFault::TooLarge(LIMIT)));
        }
        let beside = TempFile::create(&self.path).map_err(self.unwritable())?;
        let written = beside
            .fill(text, self.old.as_ref())
            .and_then(|()| fs::rename(&beside.path, &self.path));
        if let Err(error) = written {
            // The old file is whole; what was begun beside it is not kept.
            let _ = fs::remove_file(&beside.path);
            return Err(self.local(LocalFault::Write(error)));
        }
        // The new name is on disk once its folder is. Some file systems cannot say so.
        let _ = self.folder.as_ref().map(File::sync_all);
        Ok(())
    }
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// The new file, beside the old one.
struct TempFile {
    path: PathBuf,
    file: File,
}

impl TempFile {
    /// A file for its owner alone. Its name is always the same, since the folder is locked: one that is there was
    /// left by a change that was cut off.
    fn create(of: &Path) -> io::Result<TempFile> {
        let name = of.file_name().unwrap_or_default().to_string_lossy();
        let path = folder_of(of).join(format!(".{name}.regq-tmp"));
        match fs::remove_file(&path) {
            Err(error) if !is_missing(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(TempFile { path, file })
    }

    /// Writes it, then gives it the owner and the mode of the old file.
    fn fill(&self, text: &[u8], old: Option<&Metadata>) -> io::Result<()> {
        (&self.file).write_all(text)?;
        if let Some(old) = old {
            // Where root logs in for somebody, the file stays theirs. Others can give nothing away.
            let _ = fchown(&self.file, Some(old.uid()), Some(old.gid()));
            let mut mode = old.permissions().mode() & 0o7777;
            if self.file.metadata()?.gid() != old.gid() {
                // What one group might read is not for another.
                mode &= !0o070;
            }
            self.file.set_permissions(Permissions::from_mode(mode))?;
        }
        self.file.sync_all()
    }
}

fn raw<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>> {
    serde_json::value::to_raw_value(value)
        .map_err(|source| Error::Document { what: "credential file", source: source.into() })
}

/// The whole document with new `auths`, in the place of the old or at the end.
struct Whole<'a> {
    object: &'a Object,
    auths: &'a Object,
}

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Whole { object: Pairs(pairs), auths } = self;
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in pairs {
            match key.as_str() {
                "auths" => map.serialize_entry(key, &Written(auths))?,
                key => map.serialize_entry(key, value)?,
            }
        }
        if !pairs.iter().any(|(key, _)| key == "auths") {
            map.serialize_entry("auths", &Written(auths))?;
        }
        map.end()
    }
}

/// An object, written in its order.
struct Written<'a>(&'a Object);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Written(Pairs(pairs)) = self;
        let mut map = serializer.serialize_map(Some(pairs.len()))?;
        for (key, value) in pairs {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{Metadata, TempFile};
    use std::fs;
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    /// What becomes of a file's mode, and whether its group stays.
    fn filled(old: &Metadata) -> io::Result<(u32, bool)> {
        let of = std::env::temp_dir().join(format!("regq-group-{}.json", std::process::id()));
        let beside = TempFile::create(&of)?;
        let filled = beside.fill(b"{}", Some(old)).and_then(|()| beside.file.metadata());
        fs::remove_file(&beside.path)?;
        filled.map(|new| (new.permissions().mode() & 0o7777, new.gid() == old.gid()))
    }

    #[test]
    fn what_one_group_may_read_is_not_for_another() {
        // A file of root's that every machine has, for the group and all others to read.
        let Ok(old) = fs::metadata("/etc/passwd") else { return };
        let mode = old.permissions().mode() & 0o7777;
        let new = filled(&old).ok();
        // Root can give a file to any group, all others to their own.
        assert!([Some((mode, true)), Some((mode & !0o070, false))].contains(&new), "{new:?}");
    }
}
