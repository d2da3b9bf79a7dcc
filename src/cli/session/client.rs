//! Makes the client that flags and environment describe: credentials, trust, time limits.
//!
//! Everything here fails before a request is sent.

use std::path::PathBuf;
use std::sync::Arc;

use regq::credentials::Keychain;
use regq::error::Error;
use regq::event::Observer;
use regq::explain::Recorder;
use regq::reference::{Reference, Registry};
use regq::registry::{Client, Config};

use crate::cli::args::flags::Options;
use crate::cli::args::values;
use crate::cli::commands::context::Context;
use crate::cli::failure::Failure;
use crate::cli::session::auth_paths;
use crate::cli::session::environment::{Environment, local_failure};
use crate::cli::session::keychain::keychain;
use crate::cli::session::trace;

/// Returns a client with the credentials that flags and environment select.
pub(crate) fn client(context: &mut Context) -> Result<Client, Failure> {
    let keychain = keychain(context)?;
    client_with(context, keychain)
}

/// Returns a client with these credentials only.
pub(crate) fn client_with(context: &Context, keychain: Keychain) -> Result<Client, Failure> {
    let Context { options, environment, .. } = context;
    let connection = &options.connection;
    let mut config = Config::default();
    config.keychain = keychain;
    config.ca_files.clone_from(&connection.ca_files);
    config.ca_files.extend(environment.ssl_cert_file.clone());
    config.insecure = connection.insecure;
    config.plain_http = connection.plain_http;
    config.trusted_realms = trusted_realms(options, environment)?;
    config.allow_private = connection.allow_private;
    config.timeout = connection.timeout.unwrap_or(config.timeout);
    config.connect_timeout = connection.connect_timeout.unwrap_or(config.connect_timeout);
    config.retries = connection.retries.unwrap_or(config.retries);
    config.max_wait = connection.max_wait.unwrap_or(config.max_wait);
    let messages = Arc::clone(&context.messages);
    config.observer = Observer::new(move |event| trace::print(&messages, event));
    Client::new(config).map_err(|error| local_failure(&error, options, environment))
}

/// Returns the client for one question, and the recorder of that question.
pub(crate) fn recorded(client: &Client) -> (Client, Recorder) {
    let recorder = Recorder::default();
    (client.also_observed_by(&recorder.observer()), recorder)
}

/// Returns the token servers that the user trusts, by flags and by `REGQ_TRUST_REALM`.
fn trusted_realms(options: &Options, environment: &Environment) -> Result<Vec<String>, Failure> {
    let mut hosts = options.credentials.trusted_realms.clone();
    let variable = environment.trusted_realms.as_deref().unwrap_or_default().to_string_lossy();
    for host in variable.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        let invalid = |reason| Failure::usage(format!("REGQ_TRUST_REALM: {reason}"));
        hosts.push(values::realm(host).map_err(invalid)?);
    }
    Ok(hosts)
}

/// Limits credentials from the command line to the registry of the first reference. A user who gives a password for a
/// list of references means one registry, not every host in the list.
#[derive(Default)]
pub(crate) struct OneRegistry {
    first: Option<Registry>,
}

impl OneRegistry {
    /// Refuses a reference of another registry, if the flags select credentials.
    pub(crate) fn check(
        &mut self,
        reference: &Reference,
        options: &Options,
    ) -> Result<(), Failure> {
        if options.credentials.user.is_none() && options.credentials.token_file.is_none() {
            return Ok(());
        }
        let registry = reference.registry();
        let first = self.first.get_or_insert_with(|| registry.clone());
        if first == registry {
            return Ok(());
        }
        let mut failure =
            Failure::usage(format!("the credentials on the command line are for {first}"));
        failure.hint = Some(format!("run regq separately for {registry}"));
        Err(failure)
    }
}

/// Returns the operand of `login` and `logout`.
pub(crate) fn registry(context: &Context) -> Result<Registry, Failure> {
    let typed = context.operands.first().map(|operand| operand.to_string_lossy());
    let typed = typed.unwrap_or_default();
    Registry::parse(&typed).map_err(|error| Failure::new(&Error::from(error), None))
}

/// Returns the credential file that `login` and `logout` change.
pub(crate) fn credential_file(context: &Context) -> Result<PathBuf, Failure> {
    let Context { options, environment, .. } = context;
    let path = auth_paths::named(options, environment).or_else(|| auth_paths::docker(environment));
    path.ok_or_else(|| {
        let mut failure =
            Failure::local("no file to save credentials in: HOME is not set".to_owned());
        failure.hint = Some("name a file with --authfile FILE".to_owned());
        failure
    })
}
