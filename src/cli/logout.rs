//! `regq logout REGISTRY`: what is kept for a registry, forgotten.

use regq::credentials::{Kept, erase};

use super::context::Context;
use super::failure::Failure;
use super::options::Loudness;
use super::output::Stop;
use super::session;

/// Nobody is asked; that nothing was kept is said and no failure.
pub(crate) fn run(context: &mut Context) -> Result<u8, Stop> {
    let registry = session::registry(context)?;
    let path = session::credential_file(context)?;
    let kept = erase(&path, &registry).map_err(|error| Failure::new(&error, None))?;
    if kept.is_empty() {
        let line = format!("note: nothing was kept for {registry} in {}", path.display());
        context.messages.say(Loudness::Normal, &line);
    }
    for kept in kept {
        let place = match kept {
            Kept::File(path) => path.display().to_string(),
            Kept::Helper(program) => program,
            _ => continue,
        };
        let line = format!("note: removed the credentials for {registry} from {place}");
        context.messages.say(Loudness::Normal, &line);
    }
    Ok(0)
}
