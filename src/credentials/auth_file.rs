//! Credential files as docker and podman write them: `config.json`, `auth.json`.
//!
//! Reading only; `write.rs` changes them. A file may hold entries, the names of helper programs, or both. Errors
//! say where, never what: the text at fault may be a secret.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::marker::PhantomData;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::credentials::credential::{Credential, Password};
use crate::credentials::key::Target;
use crate::credentials::secret::Secret;
use crate::error::LocalFault;

/// No credential file is larger than this, in bytes.
pub(super) const LIMIT: u64 = 1024 * 1024;

/// The user name under which helpers and files keep identity tokens.
pub(super) const TOKEN_USER: &str = "<token>";

/// A credential file that was read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthFile {
    #[serde(default)]
    auths: Pairs<Option<Object<Entry>>>,
    #[serde(default)]
    cred_helpers: Pairs<String>,
    #[serde(default)]
    creds_store: Option<String>,
}

/// A program that keeps credentials, as a file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HelperName {
    /// What stands behind `docker-credential-`.
    pub(crate) name: String,
    /// The key under which `credHelpers` names it; `None` for the `credsStore`.
    pub(crate) key: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

impl AuthFile {
    /// Reads a file; `None` when there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<AuthFile>, LocalFault> {
        // Nobody who writes to a pipe there is known; reading it could wait for ever.
        if fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo()) {
            return Err(LocalFault::Io(io::Error::other("it is a pipe")));
        }
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(LocalFault::Io(error)) if is_missing(&error) || is_hidden(path, &error) => {
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        AuthFile::parse(&bytes).map(Some)
    }

    /// Reads a file's text. One with nothing in it has no entries.
    pub(crate) fn parse(bytes: &[u8]) -> Result<AuthFile, LocalFault> {
        if bytes.trim_ascii().is_empty() {
            return Ok(AuthFile::default());
        }
        let Object(file) = serde_json::from_slice(bytes).map_err(|error| json_fault(&error))?;
        Ok(file)
    }

    /// The helper to ask: the registry's own before the one for all.
    pub(crate) fn helper(&self, target: &Target) -> Option<HelperName> {
        let own = target.best(self.cred_helpers.iter()).map(|(key, name)| (Some(key), name));
        let (key, name) = own.or(self.creds_store.as_ref().map(|name| (None, name)))?;
        (!name.is_empty()).then(|| HelperName { name: name.clone(), key: key.map(str::to_owned) })
    }

    /// The entry for a target, with its key. An empty one is none.
    pub(crate) fn entry(
        &self,
        target: &Target,
    ) -> Result<Option<(String, Credential)>, LocalFault> {
        let entries = self.auths.iter().filter_map(|(key, entry)| Some((key, &entry.as_ref()?.0)));
        let filled = entries.filter(|(_, entry)| !entry.is_empty());
        let Some((key, entry)) = target.best(filled) else { return Ok(None) };
        match entry.credential() {
            Some(credential) => Ok(Some((key.to_owned(), credential))),
            None => Err(LocalFault::Entry(key.to_owned())),
        }
    }
}

impl Entry {
    /// True for `{}`, and for an `auth` of nothing but a colon.
    fn is_empty(&self) -> bool {
        let secrets = [&self.auth, &self.password, &self.identitytoken, &self.registrytoken];
        let text = self.username.as_deref().unwrap_or_default();
        // A colon alone, in base64.
        let none = |secret: &Secret| secret.expose().trim() == "Og==";
        text.is_empty() && secrets.iter().all(|secret| filled(secret).is_none_or(none))
    }

    /// `None` when what is there cannot be used.
    fn credential(&self) -> Option<Credential> {
        if let Some(token) = filled(&self.registrytoken) {
            return Credential::token(token.clone()).ok();
        }
        let password = self.password();
        match filled(&self.identitytoken) {
            Some(token) => Some(Credential::IdentityToken { token: token.clone(), password }),
            None => password.and_then(of_password),
        }
    }

    /// `auth` where there is one, as docker reads it, else the two fields.
    fn password(&self) -> Option<Password> {
        let Some(auth) = filled(&self.auth) else {
            let password = self.password.clone().unwrap_or_else(|| Secret::new(""));
            let user = self.username.as_deref().filter(|user| !user.is_empty())?;
            return Password::new(user, password).ok();
        };
        // As docker reads it: `base64` breaks its lines, and scripts leave the breaks in.
        let unbroken: String = auth.expose().trim().replace(['\r', '\n'], "");
        let pair = STANDARD.decode(unbroken).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        let (user, password) = pair.split_once(':')?;
        // Old clients padded the password with zero bytes.
        let password = password.trim_end_matches('\0');
        // An identity token stands beside a user name without password.
        if password.is_empty() && filled(&self.identitytoken).is_some() {
            return None;
        }
        Password::new(user, Secret::new(password)).ok()
    }
}

/// A user name and password, or the identity token that stands in their place, which is not empty.
pub(super) fn of_password(password: Password) -> Option<Credential> {
    if password.user() != TOKEN_USER {
        return Some(Credential::Password(password));
    }
    let token = password.secret();
    let given = !token.expose().is_empty();
    given.then(|| Credential::IdentityToken { token: token.clone(), password: None })
}

fn filled(secret: &Option<Secret>) -> Option<&Secret> {
    secret.as_ref().filter(|secret| !secret.expose().is_empty())
}

/// Reads a whole file of at most [`LIMIT`] bytes.
pub(super) fn read_bounded(path: &Path) -> Result<Vec<u8>, LocalFault> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        .map_err(LocalFault::Io)?;
    if is_bounded(&bytes) { Ok(bytes) } else { Err(LocalFault::TooLarge(LIMIT)) }
}

pub(super) fn is_bounded(bytes: &[u8]) -> bool {
    u64::try_from(bytes.len()).is_ok_and(|length| length <= LIMIT)
}

/// True when there is no such file, also because what should be its folder is none.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// True when nobody may know whether there is such a file, since its folder lets us in no further.
fn is_hidden(path: &Path, error: &io::Error) -> bool {
    let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    denied(error) && fs::symlink_metadata(path).is_err_and(|error| denied(&error))
}

/// Where reading JSON stopped. Not serde's words: they quote what they do not like, which may be a secret.
pub(super) fn json_fault(error: &serde_json::Error) -> LocalFault {
    // serde counts columns from 0 where it has not begun to read.
    let (line, column) = (error.line().max(1), error.column().max(1));
    LocalFault::Json { line, column, syntax: !error.is_data() }
}

/// A struct that is written as a JSON object; serde alone takes an array of its fields as well.
#[derive(Debug, Clone)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Object<T>, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}

/// A JSON object in the order in which it was written, repeated keys included.
#[derive(Debug, Clone)]
pub(super) struct Pairs<T>(pub(super) Vec<(String, T)>);

impl<T> Pairs<T> {
    fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl<T> Default for Pairs<T> {
    fn default() -> Pairs<T> {
        Pairs(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<T>, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs<T>, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }

            // `"auths": null` is what some tools write for none.
            fn visit_unit<E>(self) -> Result<Pairs<T>, E> {
                Ok(Pairs(Vec::new()))
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}
