//! `regq logout REGISTRY`: what is kept for a registry, forgotten.

use regq::credentials::{Kept, erase};
use regq::registry::Config;

use super::context::Context;
use super::failure::Failure;
use super::options::Loudness;
use super::output::Stop;
use super::session;

/// Nobody is asked; that nothing was kept is said and no failure.
pub(crate) fn run(context: &mut Context) -> Result<u8, Stop> {
    let registry = session::registry(context)?;
    let path = session::credential_file(context)?;
    let time = context.options.timeout.unwrap_or(Config::default().timeout);
    let erased = erase(&path, &registry, time).map_err(|error| Failure::new(&error, None))?;
    if erased.from.is_empty() && erased.failed.is_none() {
        let line = format!("note: nothing was kept for {registry} in {}", path.display());
        context.messages.say(Loudness::Normal, &line);
    }
    for kept in erased.from {
        let place = match kept {
            Kept::File(path) => path.display().to_string(),
            Kept::Helper(program) => program,
            _ => continue,
        };
        let line = format!("note: removed the credentials for {registry} from {place}");
        context.messages.say(Loudness::Normal, &line);
    }
    match erased.failed {
        Some(error) => Err(Failure::new(&error, None).into()),
        None => Ok(0),
    }
}
