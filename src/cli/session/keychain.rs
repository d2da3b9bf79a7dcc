//! Collects the sources of credentials in the order of lookup, from flags and environment.
//!
//! `environment` declares the variables, `main.rs` reads them, and the library's `credentials` parses their contents.

use regq::credentials::{Credential, Keychain};

use crate::cli::commands::context::Context;
use crate::cli::failure::Failure;
use crate::cli::session::auth_paths;
use crate::cli::session::environment::local_failure;
use crate::cli::session::password::read_password;

/// Returns the sources of credentials in the order of lookup. Files that the user named are read now.
pub(crate) fn keychain(context: &mut Context) -> Result<Keychain, Failure> {
    if context.options.credentials.anonymous {
        return Ok(Keychain::default());
    }
    let mut keychain = match read_password(context)? {
        Some(password) => Keychain::given(Credential::Password(password)),
        None => Keychain::default(),
    };
    let Context { options, environment, .. } = context;
    let failure = |error| local_failure(&error, options, environment);
    if let Some(path) = &options.credentials.token_file {
        keychain.add_token_file(path).map_err(failure)?;
    }
    if let Some(path) = auth_paths::named(options, environment) {
        keychain.add_file(&path).map_err(failure)?;
    }
    if let Some(text) = &environment.docker_auth_config {
        keychain.add_variable("DOCKER_AUTH_CONFIG", text.to_string_lossy());
    }
    for path in auth_paths::docker(environment).into_iter().chain(auth_paths::podman(environment)) {
        keychain.add_default_file(path);
    }
    Ok(keychain)
}
