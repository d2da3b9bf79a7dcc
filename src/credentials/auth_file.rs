//! Reads the credential files of docker and podman: `config.json`, `auth.json`.
//!
//! A file may contain entries, the names of credential helpers, or both. Errors give the position only and never quote the
//! file: the text may be a secret. `auth_document.rs` changes files.

use std::fmt;
use std::fs;
use std::io;
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
use crate::files::{is_missing, read_bounded};

/// Maximum size of a credential file in bytes.
pub(super) const MAX_FILE_SIZE: u64 = 1024 * 1024;

/// The user name that marks a password as an identity token, in files and helpers.
pub(super) const TOKEN_USER: &str = "<token>";

/// A parsed credential file.
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

/// The credential helper that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HelperName {
    /// The program's name without `docker-credential-`.
    pub(crate) name: String,
    /// Its key in `credHelpers`; `None` for the `credsStore`.
    pub(crate) key: Option<String>,
}

impl HelperName {
    /// The program's name.
    pub(crate) fn program(&self) -> String {
        format!("docker-credential-{}", self.name)
    }
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
    /// Reads a file. Returns `None` if it does not exist.
    pub(crate) fn read(path: &Path) -> Result<Option<AuthFile>, LocalFault> {
        // Opening a pipe without a writer would block forever.
        if fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo()) {
            return Err(LocalFault::Io(io::Error::other("it is a pipe")));
        }
        let bytes = match read_bounded(path, MAX_FILE_SIZE) {
            Ok(bytes) => bytes,
            Err(LocalFault::Io(error)) if is_missing(&error) || is_hidden(path, &error) => {
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        AuthFile::parse(&bytes).map(Some)
    }

    /// Parses a file's text. An empty file has no entries.
    pub(crate) fn parse(bytes: &[u8]) -> Result<AuthFile, LocalFault> {
        if bytes.trim_ascii().is_empty() {
            return Ok(AuthFile::default());
        }
        let Object(file) = serde_json::from_slice(bytes).map_err(|error| json_fault(&error))?;
        Ok(file)
    }

    /// Returns the helper for a target: from `credHelpers`, otherwise the `credsStore`.
    pub(crate) fn helper(&self, target: &Target) -> Option<HelperName> {
        let specific = target.best(self.cred_helpers.iter()).map(|(key, name)| (Some(key), name));
        let (key, name) = specific.or(self.creds_store.as_ref().map(|name| (None, name)))?;
        (!name.is_empty()).then(|| HelperName { name: name.clone(), key: key.map(str::to_owned) })
    }

    /// Returns the credential for a target and its key. Empty entries are skipped.
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
    /// Whether the entry contains nothing: `{}`, or an `auth` that encodes a single colon.
    fn is_empty(&self) -> bool {
        let secrets = [&self.auth, &self.password, &self.identitytoken, &self.registrytoken];
        let text = self.username.as_deref().unwrap_or_default();
        let is_colon = |secret: &Secret| secret.expose().trim() == "Og==";
        text.is_empty() && secrets.iter().all(|secret| filled(secret).is_none_or(is_colon))
    }

    /// Returns the entry's credential; `None` if it is invalid.
    fn credential(&self) -> Option<Credential> {
        if let Some(token) = filled(&self.registrytoken) {
            return Credential::token(token.clone()).ok();
        }
        let password = self.password();
        match filled(&self.identitytoken) {
            Some(token) => Some(Credential::IdentityToken { token: token.clone(), password }),
            None => password.and_then(from_password),
        }
    }

    /// Returns the password in `auth`, otherwise in `username` and `password`.
    fn password(&self) -> Option<Password> {
        let Some(auth) = filled(&self.auth) else {
            let password = self.password.clone().unwrap_or_else(|| Secret::new(""));
            let user = self.username.as_deref().filter(|user| !user.is_empty())?;
            return Password::new(user, password).ok();
        };
        // Scripts leave in the line breaks that `base64` makes; docker ignores them.
        let unbroken: String = auth.expose().trim().replace(['\r', '\n'], "");
        let pair = STANDARD.decode(unbroken).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        let (user, password) = pair.split_once(':')?;
        // Old clients padded the password with zero bytes.
        let password = password.trim_end_matches('\0');
        // In an entry with an identity token, `auth` has a user name and no password.
        if password.is_empty() && filled(&self.identitytoken).is_some() {
            return None;
        }
        Password::new(user, Secret::new(password)).ok()
    }
}

/// Converts a stored password. If the user name is `<token>`, it is an identity token, which must not be empty.
pub(super) fn from_password(password: Password) -> Option<Credential> {
    if password.user() != TOKEN_USER {
        return Some(Credential::Password(password));
    }
    let token = password.secret();
    let filled = !token.expose().is_empty();
    filled.then(|| Credential::IdentityToken { token: token.clone(), password: None })
}

fn filled(secret: &Option<Secret>) -> Option<&Secret> {
    secret.as_ref().filter(|secret| !secret.expose().is_empty())
}

/// True when the folder's permissions hide whether the file exists.
fn is_hidden(path: &Path, error: &io::Error) -> bool {
    let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    denied(error) && fs::symlink_metadata(path).is_err_and(|error| denied(&error))
}

/// Converts a JSON error to its position. serde's message is dropped: it quotes the text, which may be a secret.
pub(super) fn json_fault(error: &serde_json::Error) -> LocalFault {
    // serde reports column 0 at the beginning of a line.
    let (line, column) = (error.line().max(1), error.column().max(1));
    LocalFault::Json { line, column, syntax: !error.is_data() }
}

/// A struct that must be a JSON object. serde alone also accepts an array of its fields.
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

/// The members of a JSON object in their order, including repeated keys.
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

            // Some tools write `"auths": null` for an empty list of entries.
            fn visit_unit<E>(self) -> Result<Pairs<T>, E> {
                Ok(Pairs(Vec::new()))
            }
        }

        deserializer.deserialize_any(Reader(PhantomData))
    }
}
