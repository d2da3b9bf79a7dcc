//! `regq login REGISTRY`: credentials checked, then kept where docker keeps them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use regq::credentials::{Credential, Kept, Keychain, check, store};
use regq::error::Error;
use regq::registry::{Config, LoginCheck};

use super::context::Context;
use super::failure::Failure;
use super::options::Loudness;
use super::output::Stop;
use super::{refusal, session};

/// Asks the registry first; nothing is written unless it takes them.
pub(crate) fn run(context: &mut Context) -> Result<u8, Stop> {
    let registry = session::registry(context)?;
    let Some(password) = session::given(context)? else {
        let mut failure = Failure::usage("login needs a user name and a password".to_owned());
        failure.hint = Some("give --user NAME and --password-stdin or --password-file FILE".into());
        return Err(failure.into());
    };
    let path = session::credential_file(context)?;
    // Before anything is sent: a password that could not be kept need not travel.
    check(&path).map_err(|error| Failure::new(&error, None))?;
    let keychain = Keychain::given(Credential::Password(password.clone()));
    let client = session::client_with(context, keychain)?;
    let told = |error: &Error| {
        let name = context.operands.first().map(|name| name.to_string_lossy());
        refusal::of_login(error, &name.unwrap_or_default(), &context.recorder)
    };
    let checked = client.check_login(&registry).map_err(|error| told(&error))?;
    if checked == LoginCheck::Open {
        let line = format!("note: {registry} lets everybody in, so nobody checked the password");
        context.messages.say(Loudness::Normal, &line);
    }
    let time = context.options.timeout.unwrap_or(Config::default().timeout);
    let kept = store(&path, &registry, &password, time).map_err(|error| told(&error))?;
    let line = match kept {
        Kept::File(path) if is_open(&path) => format!(
            "note: the password is kept in {}, in plain text, and others on this machine may read \
             that file",
            path.display()
        ),
        Kept::File(path) => {
            format!("note: the password is kept in {}, in plain text", path.display())
        }
        Kept::Helper(program) => format!("note: the password is kept by {program}"),
        _ => return Ok(0),
    };
    context.messages.say(Loudness::Normal, &line);
    Ok(0)
}

/// True when others than its owner may read a file.
fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}
