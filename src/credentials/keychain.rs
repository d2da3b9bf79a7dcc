//! Finds the credential for a registry: which sources are searched, and in which order.
//!
//! The caller adds the sources. A file that the user named is read at once; default files and variables are read when a
//! registry requires a login. The first source with a credential wins. If a source names a helper, the helper runs before
//! the source's own entries are searched. A source that fails ends the lookup, and no later source is tried
//! (CVE-2021-41092).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::credentials::auth_file::{AuthFile, HelperName, MAX_FILE_SIZE};
use crate::credentials::credential::Credential;
use crate::credentials::key::Target;
use crate::credentials::secret::Secret;
use crate::error::{CredentialFault, Error, HelperFault, LocalFault, Result};
use crate::files::read_bounded;
use crate::reference::Registry;

/// The sources of credentials. `Keychain::default()` has none, so all access is anonymous.
///
/// ```
/// use regq::credentials::{Credential, Keychain, Secret};
/// use regq::registry::{Client, Config};
///
/// // One credential, for every registry that the caller names.
/// let password = Secret::new("correct horse battery staple");
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// let ada = Keychain::given(Credential::password("ada", password)?);
///
/// // docker's credentials, from the first source that has an entry for the registry. Nothing is read yet.
/// let mut docker = Keychain::default();
/// docker.add_variable("DOCKER_AUTH_CONFIG", r#"{"auths":{"quay.io/org":{"auth":"YWRhOnNlY3JldA=="}}}"#);
/// docker.add_default_file("/root/.docker/config.json");
///
/// let mut config = Config::default();
/// config.keychain = docker;
/// let client = Client::new(config)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each source is read and parsed once, at its first use ([`Keychain::add_file`] reads at once), and clones share the
/// result. To pick up changes in the files, make a new keychain and a new client. A source that cannot be read or parsed is tried again at the next lookup.
#[derive(Debug, Clone, Default)]
pub struct Keychain {
    given: Option<Credential>,
    token: Option<(Credential, PathBuf)>,
    sources: Vec<Source>,
}

/// A file or variable with credentials.
#[derive(Debug, Clone)]
struct Source {
    kind: SourceKind,
    /// The parsed file, once it has been read; `None` inside for a file that does not exist.
    parsed: Arc<OnceLock<Option<AuthFile>>>,
}

#[derive(Debug, Clone)]
enum SourceKind {
    /// A file that the user named. It must exist.
    Named(PathBuf),
    /// The name and the text of an environment variable.
    Variable(&'static str, Secret),
    /// A default location. The file need not exist.
    Default(PathBuf),
}

/// A credential and where it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) credential: Credential,
    /// A description for messages; `None` if the caller passed the credential.
    pub(crate) source: Option<String>,
}

/// The outcome of a credential lookup.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    pub(crate) found: Option<Found>,
    /// Why the lookup stopped early, if it did.
    pub(crate) error: Option<CredentialFault>,
}

/// What the lookup in one source found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupResult {
    /// The caller passed a credential, so no source was searched.
    Given {
        /// The user name, if any.
        user: Option<String>,
    },
    /// The file does not exist.
    Missing,
    /// The source has no entry for the registry.
    Nothing,
    /// The source names a helper, and the helper has no credential for the registry.
    HelperHasNothing {
        /// The program.
        helper: String,
    },
    /// The source, or a helper that it names, has a credential.
    Entry {
        /// The key that matched, or the helper.
        key: String,
        /// The user name, if any.
        user: Option<String>,
    },
    /// The source is unreadable or invalid, or its helper failed.
    Unusable,
}

impl fmt::Display for LookupResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupResult::Given { user } => {
                write!(f, "credentials of {:?}", user.as_deref().unwrap_or_default())
            }
            LookupResult::Missing => f.write_str("no such file"),
            LookupResult::Nothing => f.write_str("no credentials for this registry"),
            LookupResult::HelperHasNothing { helper } => {
                write!(f, "{helper} has no credentials for this registry")
            }
            LookupResult::Entry { key, user: Some(user) } => {
                write!(f, "credentials of {user:?} under {key:?}")
            }
            LookupResult::Entry { key, user: None } => write!(f, "a token under {key:?}"),
            LookupResult::Unusable => f.write_str("unusable"),
        }
    }
}

/// What a lookup needs from the client: it reports each step, and runs helpers.
pub(crate) trait LookupContext {
    /// Reports the result for one source; `source` is empty for [`LookupResult::Given`].
    fn report(&mut self, source: &str, result: &LookupResult);
    /// Gets the credential for a server from a helper.
    fn run_helper(&mut self, helper: &str, server: &str)
    -> Result<Option<Credential>, HelperFault>;
}

impl Keychain {
    /// Makes a keychain with one credential. It is sent to registries that the caller names, and to no host that they
    /// refer to, except a token server that is trusted to belong to the registry.
    pub fn given(credential: Credential) -> Keychain {
        Keychain { given: Some(credential), ..Keychain::default() }
    }

    /// Adds a bearer token from a file. It is sent with the first request to each registry that the caller names. If the
    /// registry refuses it, no other token is fetched.
    ///
    /// # Errors
    /// [`Error::Local`] if the file cannot be read or does not contain a token.
    pub fn add_token_file(&mut self, path: &Path) -> Result<()> {
        let local = |fault| Error::Local { path: path.to_owned(), fault };
        let bytes = read_bounded(path, MAX_FILE_SIZE).map_err(local)?;
        let text = String::from_utf8(bytes).map_err(|_| local(LocalFault::NoToken))?;
        let token =
            Credential::token(Secret::new(text.trim())).map_err(|_| local(LocalFault::NoToken))?;
        self.token = Some((token, path.to_owned()));
        Ok(())
    }

    /// Adds a credential file that the user named. It is read at once.
    ///
    /// # Errors
    /// [`Error::Local`] if the file does not exist, cannot be read, or is not a credential file.
    pub fn add_file(&mut self, path: &Path) -> Result<()> {
        let source = Source::new(SourceKind::Named(path.to_owned()));
        source.parsed().map_err(|fault| Error::Local { path: path.to_owned(), fault })?;
        self.sources.push(source);
        Ok(())
    }

    /// Adds the text of a credential file from an environment variable. It is parsed when needed.
    pub fn add_variable(&mut self, name: &'static str, text: impl Into<String>) {
        self.sources.push(Source::new(SourceKind::Variable(name, Secret::new(text))));
    }

    /// Adds a default credential file, which need not exist. It is read when needed.
    pub fn add_default_file(&mut self, path: impl Into<PathBuf>) {
        self.sources.push(Source::new(SourceKind::Default(path.into())));
    }

    /// The token that is sent with the first request.
    pub(crate) fn ready_token(&self) -> Option<Found> {
        let (credential, path) = self.token.as_ref()?;
        let source = Some(path.display().to_string());
        Some(Found { credential: credential.clone(), source })
    }

    /// Looks up the credential for a repository. `named` is true for a registry that the caller named, false for a host
    /// that a registry refers to.
    pub(crate) fn find(
        &self,
        registry: &Registry,
        path: &str,
        named: bool,
        context: &mut dyn LookupContext,
    ) -> Lookup {
        if let Some(credential) = self.given.as_ref().filter(|_| named) {
            let user = credential.user().map(str::to_owned);
            context.report("", &LookupResult::Given { user });
            let found = Some(Found { credential: credential.clone(), source: None });
            return Lookup { found, error: None };
        }
        let target = Target::new(registry, path);
        for source in &self.sources {
            let lookup = source.look_up(&target, context);
            if lookup.found.is_some() || lookup.error.is_some() {
                return lookup;
            }
        }
        Lookup::default()
    }
}

impl Source {
    fn new(kind: SourceKind) -> Source {
        Source { kind, parsed: Arc::default() }
    }

    /// Reads and parses the source, unless that has been done. `None` if the file does not exist.
    fn parsed(&self) -> Result<Option<&AuthFile>, LocalFault> {
        if self.parsed.get().is_none() {
            let file = match &self.kind {
                SourceKind::Named(path) => {
                    Some(AuthFile::parse(&read_bounded(path, MAX_FILE_SIZE)?)?)
                }
                SourceKind::Variable(_, text) => Some(AuthFile::parse(text.expose().as_bytes())?),
                SourceKind::Default(path) => AuthFile::read(path)?,
            };
            // If another thread was faster, both have read the same file.
            let _ = self.parsed.set(file);
        }
        Ok(self.parsed.get().and_then(Option::as_ref))
    }

    fn look_up(&self, target: &Target, context: &mut dyn LookupContext) -> Lookup {
        let result = match self.parsed() {
            Ok(None) => {
                context.report(&self.to_string(), &LookupResult::Missing);
                return Lookup::default();
            }
            Ok(Some(file)) => self.look_up_in(file, target, context),
            Err(fault) => Err(self.error(fault)),
        };
        match result {
            Ok(found) => Lookup { found, error: None },
            Err(error) => {
                context.report(&self.to_string(), &LookupResult::Unusable);
                Lookup { found: None, error: Some(error) }
            }
        }
    }

    /// Runs the helper that the file names. If it has no credential, searches the entries of the file.
    fn look_up_in(
        &self,
        file: &AuthFile,
        target: &Target,
        context: &mut dyn LookupContext,
    ) -> Result<Option<Found>, CredentialFault> {
        let name = &self.to_string();
        if let Some(helper) = file.helper(target) {
            let program = helper.program();
            match context.run_helper(&helper.name, &target.name) {
                Ok(Some(credential)) => {
                    let user = credential.user().map(str::to_owned);
                    let role = role(&helper);
                    let key = format!("{program}, {role}");
                    context.report(name, &LookupResult::Entry { key, user });
                    let source = Some(format!("{program} ({role} in {name})"));
                    return Ok(Some(Found { credential, source }));
                }
                Ok(None) => {
                    context.report(name, &LookupResult::HelperHasNothing { helper: program });
                }
                Err(fault) => return Err(CredentialFault::Helper { program, fault }),
            }
        }
        match file.entry(target).map_err(|fault| self.error(fault))? {
            Some((key, credential)) => {
                let user = credential.user().map(str::to_owned);
                let source = Some(format!("the entry {key:?} in {name}"));
                context.report(name, &LookupResult::Entry { key, user });
                Ok(Some(Found { credential, source }))
            }
            None => {
                context.report(name, &LookupResult::Nothing);
                Ok(None)
            }
        }
    }

    fn error(&self, fault: LocalFault) -> CredentialFault {
        CredentialFault::Source {
            name: self.to_string(),
            default: matches!(self.kind, SourceKind::Default(_)),
            fault,
        }
    }
}

/// The setting that names a helper.
fn role(helper: &HelperName) -> String {
    match &helper.key {
        Some(key) => format!("credHelpers {key}"),
        None => "credsStore".to_owned(),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SourceKind::Named(path) | SourceKind::Default(path) => write!(f, "{}", path.display()),
            SourceKind::Variable(name, _) => f.write_str(name),
        }
    }
}
