//! A credential file that is locked while it is changed. Everything but the changed entry keeps its order and bytes;
//! only white space may differ.
//!
//! `auth_file.rs` is the read-only view of the same format.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::ser::PrettyFormatter;
use serde_json::value::RawValue;

use crate::credentials::auth_file::{AuthFile, HelperName, MAX_FILE_SIZE, Pairs, json_fault};
use crate::credentials::credential::Password;
use crate::credentials::key::Target;
use crate::error::{Error, LocalFault, Result};
use crate::files::{AtomicFile, check_size, folder_of, is_missing, read_bounded};

/// The maximum number of symbolic links that are followed, as in Linux.
const MAX_LINKS: usize = 40;

/// A JSON object whose values keep their bytes.
type Members = Pairs<Box<RawValue>>;

/// A credential file, locked until this value is dropped.
pub(super) struct Document {
    /// The path after following symbolic links: a link is kept, and the file that it points to is replaced.
    path: PathBuf,
    members: Members,
    parsed: AuthFile,
    /// The existing file's owner and mode; `None` for a new file.
    existing: Option<Metadata>,
    /// Held for its lock. `None` if the folder does not exist.
    _lock: Option<File>,
}

impl Document {
    /// Locks and reads a file. A file that does not exist is empty.
    pub(super) fn open(path: &Path) -> Result<Document> {
        Document::lock_and_read(path).map_err(|fault| local(path, fault))
    }

    fn lock_and_read(path: &Path) -> Result<Document, LocalFault> {
        let path = follow_links(path).map_err(LocalFault::Io)?;
        let lock = lock_folder(folder_of(&path)).map_err(LocalFault::Io)?;
        let existing = metadata(&path)?;
        let bytes = match existing {
            Some(_) => read_bounded(&path, MAX_FILE_SIZE)?,
            None => Vec::new(),
        };
        let parsed = AuthFile::parse(&bytes)?;
        let members = parse_members(&bytes)?;
        Ok(Document { path, members, parsed, existing, _lock: lock })
    }

    /// Like [`Document::open`], but creates the file's folder first.
    pub(super) fn open_or_create_folder(path: &Path) -> Result<Document> {
        let target = follow_links(path).map_err(|error| local(path, LocalFault::Io(error)))?;
        let created = DirBuilder::new().recursive(true).mode(0o700).create(folder_of(&target));
        created.map_err(|error| local(path, LocalFault::Write(error)))?;
        Document::open(path)
    }

    /// The helper that the file names for a registry.
    pub(super) fn helper(&self, target: &Target) -> Option<HelperName> {
        self.parsed.helper(target)
    }

    /// Whether the file has an entry for the registry, under any spelling of its name.
    pub(super) fn has(&self, target: &Target) -> Result<bool> {
        Ok(self.auths()?.0.iter().any(|(key, _)| target.matches(key)))
    }

    /// Replaces all entries of the registry by one, and writes the file.
    pub(super) fn set(self, target: &Target, password: &Password) -> Result<()> {
        let auth = raw(password.encoded().expose())?;
        let entry = raw(&WithOrder(&Pairs(vec![("auth".to_owned(), auth)])))?;
        let mut auths = self.auths()?;
        let first = auths.0.iter().position(|(key, _)| target.matches(key));
        auths.0.retain(|(key, _)| !target.matches(key));
        let index = first.unwrap_or(auths.0.len());
        auths.0.insert(index, (target.name.clone(), entry));
        self.write(&auths)
    }

    /// Removes all entries of the registry, and writes the file.
    pub(super) fn remove(self, target: &Target) -> Result<()> {
        let mut auths = self.auths()?;
        auths.0.retain(|(key, _)| !target.matches(key));
        self.write(&auths)
    }

    /// The members of `auths`.
    fn auths(&self) -> Result<Members> {
        match self.members.0.iter().find(|(key, _)| key == "auths") {
            Some((_, value)) => serde_json::from_slice(value.get().as_bytes())
                .map_err(|error| local(&self.path, json_fault(&error))),
            None => Ok(Pairs(Vec::new())),
        }
    }

    /// Replaces the file by one with these `auths`.
    fn write(&self, auths: &Members) -> Result<()> {
        let mut text = Vec::new();
        let tabs = PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, tabs);
        WithAuths { members: &self.members, auths }
            .serialize(&mut serializer)
            .map_err(|error| local(&self.path, json_fault(&error)))?;
        text.push(b'\n');
        check_size(&text, MAX_FILE_SIZE).map_err(|fault| local(&self.path, fault))?;
        self.replace(&text).map_err(|error| local(&self.path, LocalFault::Write(error)))
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        AtomicFile::remove_leftover(&self.path)?;
        let mut file = AtomicFile::create(&self.path, 0o600)?;
        file.write_all(text)?;
        if let Some(existing) = &self.existing {
            // When root logs in for another user, the file stays that user's.
            file.copy_access(existing)?;
        }
        file.commit()
    }
}

fn local(path: &Path, fault: LocalFault) -> Error {
    Error::Local { path: path.to_owned(), fault }
}

/// Follows symbolic links at the end of a path. The file that the last one points to need not exist.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(link) => path = folder_of(&path).join(link),
            // Not a link, or it does not exist.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput || is_missing(&error) => {
                return Ok(path);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Waits until no other regq changes a file in this folder. `None` if the folder does not exist.
fn lock_folder(folder: &Path) -> io::Result<Option<File>> {
    match File::open(folder) {
        Ok(folder) => {
            // Some file systems have no locks. The file is still replaced atomically.
            let _ = folder.lock();
            Ok(Some(folder))
        }
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The metadata of a regular file; `None` if it does not exist.
fn metadata(path: &Path) -> Result<Option<Metadata>, LocalFault> {
    match fs::metadata(path) {
        // A device or a pipe must not be replaced by a file.
        Ok(metadata) if !metadata.is_file() => {
            Err(LocalFault::Write(io::Error::other("not a regular file")))
        }
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(LocalFault::Io(error)),
    }
}

fn parse_members(bytes: &[u8]) -> Result<Members, LocalFault> {
    match bytes.trim_ascii() {
        b"" => Ok(Pairs(Vec::new())),
        bytes => serde_json::from_slice(bytes).map_err(|error| json_fault(&error)),
    }
}

fn raw<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>> {
    serde_json::value::to_raw_value(value)
        .map_err(|source| Error::Document { what: "credential file", source: source.into() })
}

/// Serializes a document with new `auths`, in their old position or at the end.
struct WithAuths<'a> {
    members: &'a Members,
    auths: &'a Members,
}

impl Serialize for WithAuths<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WithAuths { members: Pairs(pairs), auths } = self;
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in pairs {
            match key.as_str() {
                "auths" => map.serialize_entry(key, &WithOrder(auths))?,
                key => map.serialize_entry(key, value)?,
            }
        }
        if !pairs.iter().any(|(key, _)| key == "auths") {
            map.serialize_entry("auths", &WithOrder(auths))?;
        }
        map.end()
    }
}

/// Serializes an object in its own order.
struct WithOrder<'a>(&'a Members);

impl Serialize for WithOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WithOrder(Pairs(pairs)) = self;
        let mut map = serializer.serialize_map(Some(pairs.len()))?;
        for (key, value) in pairs {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
