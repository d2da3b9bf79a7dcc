//! `regq logout REGISTRY`: what is kept for a registry, forgotten.

use regq::credentials::{CredentialFile, Location};
use regq::error::Error;
use regq::registry::Config;

use crate::cli::args::values::Verbosity;
use crate::cli::commands::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Stop;
use crate::cli::session::client;

/// Nobody is asked; that nothing was kept is said and no failure.
pub(crate) fn run(context: &mut Context) -> Result<u8, Stop> {
    let registry = client::registry(context)?;
    let path = client::credential_file(context)?;
    let time = context.options.timeout.unwrap_or(Config::default().timeout);
    let failed = |error: Error| Failure::new(&error, None);
    let mut file = CredentialFile::open(&path).map_err(failed)?;
    file.set_helper_timeout(time);
    let erased = file.erase(&registry).map_err(failed)?;
    if erased.from.is_empty() && erased.failed.is_none() {
        let line = format!("note: no credentials for {registry} in {}", path.display());
        context.messages.say(Verbosity::Normal, &line);
    }
    for kept in erased.from {
        let place = match kept {
            Location::File(path) => path.display().to_string(),
            Location::Helper(program) => program,
            _ => continue,
        };
        let line = format!("note: removed the credentials for {registry} from {place}");
        context.messages.say(Verbosity::Normal, &line);
    }
    match erased.failed {
        Some(error) => Err(Failure::new(&error, None).into()),
        None => Ok(0),
    }
}
