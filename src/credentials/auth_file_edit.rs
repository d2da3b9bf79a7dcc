//! Changes credential files for login and logout: one entry, and nothing else in the file.
//!
//! If the file names a credential helper for the registry, the helper stores and erases the credential. How the file is
//! locked and rewritten is in `auth_document.rs`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::credentials::auth_document::Document;
use crate::credentials::credential::Password;
use crate::credentials::helper;
use crate::credentials::key::Target;
use crate::error::{Error, Result};
use crate::reference::Registry;

/// A credential file of docker or podman, to be changed.
///
/// ```no_run
/// use regq::credentials::{CredentialFile, Password, Secret};
/// use regq::reference::Registry;
///
/// let file = CredentialFile::open("/root/.docker/config.json".as_ref())?;
/// let password = Password::new("ada", Secret::new("correct horse battery staple"))?;
/// file.store(&Registry::parse("registry.example.com")?, &password)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The file is locked and read again for each change, so a `CredentialFile` can be kept for as long as needed.
#[derive(Debug, Clone)]
pub struct CredentialFile {
    path: PathBuf,
    helper_timeout: Duration,
}

/// Where a credential was stored, or was removed from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// This file, in plain text.
    File(PathBuf),
    /// The credential helper with this program name.
    Helper(String),
}

/// What was removed, and what was not.
#[derive(Debug)]
#[non_exhaustive]
pub struct Removed {
    /// Where a credential was removed from; empty if none was stored.
    pub from: Vec<Location>,
    /// Why the helper failed. It may still have the credential.
    pub failed: Option<Error>,
}

impl CredentialFile {
    /// Checks that a file can be read and is a credential file. It need not exist.
    ///
    /// # Errors
    /// [`Error::Local`] if it cannot be read or parsed.
    pub fn open(path: &Path) -> Result<CredentialFile> {
        Document::open(path)?;
        Ok(CredentialFile { path: path.to_owned(), helper_timeout: helper::MAX_TIME })
    }

    /// Sets how long a credential helper may take. The default and the maximum are 30 seconds.
    pub fn set_helper_timeout(&mut self, limit: Duration) {
        self.helper_timeout = limit;
    }

    /// Stores the credential for a registry: in the helper that the file names, otherwise in the file itself.
    ///
    /// # Errors
    /// [`Error::Local`] if the file cannot be read or written, [`Error::Helper`] if the helper fails. Neither changes
    /// the file.
    pub fn store(&self, registry: &Registry, password: &Password) -> Result<Location> {
        let target = Target::new(registry, "");
        let document = Document::open_or_create_folder(&self.path)?;
        let Some(helper) = document.helper(&target) else {
            document.set(&target, password)?;
            return Ok(Location::File(self.path.clone()));
        };
        let program = helper.program();
        helper::store(&helper.name, &target.name, password, self.helper_timeout)
            .map_err(|fault| Error::Helper { program: program.clone(), fault })?;
        // An earlier login may have left the password in plain text.
        if document.has(&target)? {
            document.remove(&target)?;
        }
        Ok(Location::Helper(program))
    }

    /// Removes the credential for a registry from the file, under every spelling of the registry's name, and from the
    /// helper that the file names.
    ///
    /// # Errors
    /// [`Error::Local`] if the file cannot be read or written; nothing is removed then. A helper that fails is reported
    /// in [`Removed::failed`].
    pub fn erase(&self, registry: &Registry) -> Result<Removed> {
        let target = Target::new(registry, "");
        let document = Document::open(&self.path)?;
        let helper = document.helper(&target);
        let mut removed = Removed { from: Vec::new(), failed: None };
        // The file comes first: a failing helper must not keep a plain-text password there.
        if document.has(&target)? {
            document.remove(&target)?;
            removed.from.push(Location::File(self.path.clone()));
        }
        if let Some(helper) = helper {
            let program = helper.program();
            match helper::erase(&helper.name, &target.name, self.helper_timeout) {
                Ok(true) => removed.from.push(Location::Helper(program)),
                Ok(false) => {}
                Err(fault) => removed.failed = Some(Error::Helper { program, fault }),
            }
        }
        Ok(removed)
    }
}
