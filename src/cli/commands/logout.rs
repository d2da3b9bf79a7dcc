//! `regq logout REGISTRY`: removes the stored credentials for a registry.

use regq::credentials::{CredentialFile, Location};
use regq::error::Error;
use regq::registry::Config;

use crate::cli::commands::context::Context;
use crate::cli::failure::{CommandError, Failure};
use crate::cli::session::client;

/// Removes them from the file and from the helper that it names. Sends no request. Missing credentials are not an error.
pub(crate) fn run(context: &mut Context) -> Result<u8, CommandError> {
    let registry = client::registry(context)?;
    let path = client::credential_file(context)?;
    let time = context.options.connection.timeout.unwrap_or(Config::default().timeout);
    let failed = |error: Error| Failure::new(&error, None);
    let mut file = CredentialFile::open(&path).map_err(failed)?;
    file.set_helper_timeout(time);
    let erased = file.erase(&registry).map_err(failed)?;
    if erased.from.is_empty() && erased.failed.is_none() {
        let note = format!("no credentials for {registry} in {}", path.display());
        context.messages.note(&note);
    }
    for location in erased.from {
        let location = match location {
            Location::File(path) => path.display().to_string(),
            Location::Helper(program) => program,
            _ => continue,
        };
        let note = format!("removed the credentials for {registry} from {location}");
        context.messages.note(&note);
    }
    match erased.failed {
        Some(error) => Err(Failure::new(&error, None).into()),
        None => Ok(0),
    }
}
