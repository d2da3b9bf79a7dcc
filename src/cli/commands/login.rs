//! `regq login REGISTRY`: credentials checked, then kept where docker keeps them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use regq::credentials::{Credential, CredentialFile, Keychain, Location};
use regq::error::Error;
use regq::registry::{Config, LoginCheck};

use crate::cli::args::values::Verbosity;
use crate::cli::commands::context::Context;
use crate::cli::failure::Failure;
use crate::cli::failure::denied;
use crate::cli::output::Stop;
use crate::cli::session::client;

/// Asks the registry first; nothing is written unless it takes them.
pub(crate) fn run(context: &mut Context) -> Result<u8, Stop> {
    let registry = client::registry(context)?;
    let Some(password) = client::given(context)? else {
        let mut failure = Failure::usage("login requires a user name and a password".to_owned());
        failure.hint = Some("add --user NAME and --password-stdin or --password-file FILE".into());
        return Err(failure.into());
    };
    let path = client::credential_file(context)?;
    // Before anything is sent: a password that could not be kept need not travel.
    let mut file = CredentialFile::open(&path).map_err(|error| Failure::new(&error, None))?;
    let keychain = Keychain::given(Credential::Password(password.clone()));
    let client = client::client_with(context, keychain)?;
    let (client, recorder) = client::recorded(&client, &context.messages);
    let told = |error: &Error| {
        let name = context.operands.first().map(|name| name.to_string_lossy());
        denied::of_login(error, &name.unwrap_or_default(), &recorder)
    };
    let checked = client.check_login(&registry).map_err(|error| told(&error))?;
    if checked == LoginCheck::Open {
        let line =
            format!("note: {registry} allows anonymous access, so the password was not checked");
        context.messages.say(Verbosity::Normal, &line);
    }
    let time = context.options.timeout.unwrap_or(Config::default().timeout);
    file.set_helper_timeout(time);
    let kept = file.store(&registry, &password).map_err(|error| told(&error))?;
    let line = match kept {
        Location::File(path) if is_open(&path) => format!(
            "note: the password was saved in {} in plain text, and other users can read that file",
            path.display()
        ),
        Location::File(path) => {
            format!("note: the password was saved in {} in plain text", path.display())
        }
        Location::Helper(program) => format!("note: the password was saved with {program}"),
        _ => return Ok(0),
    };
    context.messages.say(Verbosity::Normal, &line);
    Ok(0)
}

/// True when others than its owner may read a file.
fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}
