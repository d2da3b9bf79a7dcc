//! Where credentials come from, in which order, and which one is for a registry.
//!
//! The caller names the places; what they hold is read when a registry asks for a login, helpers last. The first
//! place that has an entry wins. A place that fails stops the search: no other one is tried in its stead
//! (CVE-2021-41092).

use std::fmt;
use std::path::{Path, PathBuf};

use crate::credentials::auth_file::{AuthFile, HelperName};
use crate::credentials::credential::Credential;
use crate::credentials::key::Target;
use crate::credentials::secret::Secret;
use crate::error::{CredentialFault, Error, HelperFault, LocalFault, Result};
use crate::reference::Registry;

/// Where credentials are looked for. `Keychain::default()` has none: every registry is asked anonymously.
///
/// ```
/// use regq::credentials::{Credential, Keychain, Secret};
/// use regq::registry::{Client, Config};
///
/// // One credential, for the registries that are asked by name.
/// let password = Secret::new("correct horse battery staple");
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// let ada = Keychain::given(Credential::password("ada", password)?);
///
/// // What docker and podman keep, the first place with an entry for the registry first. Nothing is read yet.
/// let mut kept = Keychain::default();
/// kept.add_variable("DOCKER_AUTH_CONFIG", r#"{"auths":{"quay.io/org":{"auth":"YWRhOnNlY3JldA=="}}}"#);
/// kept.add_usual_file("/root/.docker/config.json");
///
/// let mut config = Config::default();
/// config.keychain = kept;
/// let client = Client::new(config)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Keychain {
    given: Option<Credential>,
    token: Option<(Credential, PathBuf)>,
    places: Vec<Place>,
}

#[derive(Debug, Clone)]
enum Place {
    /// A file that the user named, read already.
    Named(PathBuf, AuthFile),
    /// The text of a variable of the environment.
    Variable(&'static str, Secret),
    /// A file where tools keep credentials. That there is none is normal.
    Usual(PathBuf),
}

/// A credential, and where it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) credential: Credential,
    /// For messages; `None` for one that the caller gave.
    pub(crate) place: Option<String>,
}

/// The outcome of a search.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    pub(crate) found: Option<Found>,
    /// What kept it from going on.
    pub(crate) trouble: Option<CredentialFault>,
}

/// What was seen at a place where credentials were looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupResult {
    /// The caller gave a credential, so no place was looked at.
    Given {
        /// The user name, where there is one.
        user: Option<String>,
    },
    /// There is no such file.
    Missing,
    /// It has nothing for the registry.
    Nothing,
    /// It names a helper, and the helper has nothing for the registry.
    HelperHasNothing {
        /// The program.
        helper: String,
    },
    /// It has an entry, itself or in a helper.
    Entry {
        /// The key that matched, or the program that was asked.
        key: String,
        /// The user name, where there is one.
        user: Option<String>,
    },
    /// It cannot be used.
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
                write!(f, "{helper} has none for this registry")
            }
            LookupResult::Entry { key, user: Some(user) } => {
                write!(f, "credentials of {user:?} under {key:?}")
            }
            LookupResult::Entry { key, user: None } => write!(f, "a token under {key:?}"),
            LookupResult::Unusable => f.write_str("cannot be used"),
        }
    }
}

/// Who is told of looks, and who asks helpers. Both belong to the client, which remembers.
pub(crate) trait LookupContext {
    /// A place was looked at.
    fn looked(&mut self, place: &str, look: &LookupResult);
    /// Asks a helper for a server's credential.
    fn ask(&mut self, helper: &str, server: &str) -> Result<Option<Credential>, HelperFault>;
}

impl Keychain {
    /// One credential, for the registries that the caller asks by name, and for no host that they lead to.
    pub fn given(credential: Credential) -> Keychain {
        Keychain { given: Some(credential), ..Keychain::default() }
    }

    /// Adds a bearer token from a file, sent with the first request to the registries that the caller asks by
    /// name. It is final: when it is refused no other is fetched.
    ///
    /// # Errors
    /// [`Error::Local`] when the file cannot be read or holds no token.
    pub fn add_token_file(&mut self, path: &Path) -> Result<()> {
        let local = |fault| Error::Local { path: path.to_owned(), fault };
        let bytes = super::auth_file::read_bounded(path).map_err(local)?;
        let text = String::from_utf8(bytes).map_err(|_| local(LocalFault::NoToken))?;
        let token =
            Credential::token(Secret::new(text.trim())).map_err(|_| local(LocalFault::NoToken))?;
        self.token = Some((token, path.to_owned()));
        Ok(())
    }

    /// Adds a credential file that the user named. It is read at once.
    ///
    /// # Errors
    /// [`Error::Local`] when the file does not exist, cannot be read, or is not what docker and podman write.
    pub fn add_file(&mut self, path: &Path) -> Result<()> {
        let local = |fault| Error::Local { path: path.to_owned(), fault };
        let bytes = super::auth_file::read_bounded(path).map_err(local)?;
        let file = AuthFile::parse(&bytes).map_err(local)?;
        self.places.push(Place::Named(path.to_owned(), file));
        Ok(())
    }

    /// Adds the text of a credential file, and the name of the variable that holds it. It is read when needed.
    pub fn add_variable(&mut self, name: &'static str, text: impl Into<String>) {
        self.places.push(Place::Variable(name, Secret::new(text)));
    }

    /// Adds a file where tools keep credentials. It is read when needed, and need not exist.
    pub fn add_usual_file(&mut self, path: impl Into<PathBuf>) {
        self.places.push(Place::Usual(path.into()));
    }

    /// The token that goes with the first request.
    pub(crate) fn ready_token(&self) -> Option<Found> {
        let (credential, path) = self.token.as_ref()?;
        let place = Some(path.display().to_string());
        Some(Found { credential: credential.clone(), place })
    }

    /// The credential for a registry and a repository of it. `asked` tells the registry that the caller named
    /// from one that it led to.
    pub(crate) fn find(
        &self,
        registry: &Registry,
        path: &str,
        asked: bool,
        searcher: &mut dyn LookupContext,
    ) -> Lookup {
        if let Some(credential) = self.given.as_ref().filter(|_| asked) {
            let user = credential.user().map(str::to_owned);
            searcher.looked("", &LookupResult::Given { user });
            let found = Some(Found { credential: credential.clone(), place: None });
            return Lookup { found, trouble: None };
        }
        let target = Target::new(registry, path);
        for place in &self.places {
            let search = place.search(&target, searcher);
            if search.found.is_some() || search.trouble.is_some() {
                return search;
            }
        }
        Lookup::default()
    }
}

impl Place {
    fn search(&self, target: &Target, searcher: &mut dyn LookupContext) -> Lookup {
        let file = match self {
            Place::Named(_, file) => Ok(Some(file.clone())),
            Place::Variable(_, text) => AuthFile::parse(text.expose().as_bytes()).map(Some),
            Place::Usual(path) => AuthFile::read(path),
        };
        let name = &self.to_string();
        let outcome = match file {
            Ok(None) => {
                searcher.looked(name, &LookupResult::Missing);
                return Lookup::default();
            }
            Ok(Some(file)) => self.search_file(&file, target, searcher),
            Err(fault) => Err(self.unusable(fault)),
        };
        match outcome {
            Ok(found) => Lookup { found, trouble: None },
            Err(trouble) => {
                searcher.looked(name, &LookupResult::Unusable);
                Lookup { found: None, trouble: Some(trouble) }
            }
        }
    }

    /// A helper goes before an entry, which counts when the helper has none.
    fn search_file(
        &self,
        file: &AuthFile,
        target: &Target,
        searcher: &mut dyn LookupContext,
    ) -> Result<Option<Found>, CredentialFault> {
        let name = &self.to_string();
        if let Some(helper) = file.helper(target) {
            let program = format!("docker-credential-{}", helper.name);
            match searcher.ask(&helper.name, &target.name) {
                Ok(Some(credential)) => {
                    let user = credential.user().map(str::to_owned);
                    let key = format!("{program}, {}", role(&helper));
                    searcher.looked(name, &LookupResult::Entry { key, user });
                    let place = Some(format!("{program} ({} of {name})", role(&helper)));
                    return Ok(Some(Found { credential, place }));
                }
                Ok(None) => {
                    searcher.looked(name, &LookupResult::HelperHasNothing { helper: program })
                }
                Err(fault) => return Err(CredentialFault::Helper { program, fault }),
            }
        }
        match file.entry(target).map_err(|fault| self.unusable(fault))? {
            Some((key, credential)) => {
                let user = credential.user().map(str::to_owned);
                let place = Some(format!("the entry {key:?} of {name}"));
                searcher.looked(name, &LookupResult::Entry { key, user });
                Ok(Some(Found { credential, place }))
            }
            None => {
                searcher.looked(name, &LookupResult::Nothing);
                Ok(None)
            }
        }
    }

    fn unusable(&self, fault: LocalFault) -> CredentialFault {
        CredentialFault::Source {
            name: self.to_string(),
            default: matches!(self, Place::Usual(_)),
            fault,
        }
    }
}

/// What makes a file's helper the one for a registry.
fn role(helper: &HelperName) -> String {
    match &helper.key {
        Some(key) => format!("credHelpers {key}"),
        None => "credsStore".to_owned(),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Named(path, _) | Place::Usual(path) => write!(f, "{}", path.display()),
            Place::Variable(name, _) => f.write_str(name),
        }
    }
}
