//! `regq login REGISTRY`: credentials checked, then kept where docker keeps them.

use regq::credentials::{Credential, Kept, Keychain, store};
use regq::registry::LoginCheck;

use super::context::Context;
use super::failure::Failure;
use super::options::Loudness;
use super::output::Stop;
use super::session;

/// Asks the registry first; nothing is written unless it takes them.
pub(crate) fn run(context: &mut Context) -> Result<u8, Stop> {
    let registry = session::registry(context)?;
    let Some(password) = session::given(&context.options, &mut *context.stdin)? else {
        let mut failure = Failure::usage("login needs a user name and a password".to_owned());
        failure.hint = Some("give --user NAME and --password-stdin or --password-file FILE".into());
        return Err(failure.into());
    };
    let path = session::credential_file(context)?;
    let keychain = Keychain::given(Credential::Password(password.clone()));
    let client = session::client_with(context, keychain)?;
    let told = |error: &regq::error::Error| {
        let mut failure = Failure::new(error, None);
        failure.message = format!("{registry}: {}", failure.message);
        failure
    };
    let check = client.check_login(&registry).map_err(|error| told(&error))?;
    if check == LoginCheck::Open {
        let line = format!("note: {registry} lets everybody in, so nobody checked the password");
        context.messages.say(Loudness::Normal, &line);
    }
    let line = match store(&path, &registry, &password).map_err(|error| told(&error))? {
        Kept::File(path) => format!(
            "note: the password is kept in {}, in plain text for whoever can read that file",
            path.display()
        ),
        Kept::Helper(program) => format!("note: the password is kept by {program}"),
        _ => return Ok(0),
    };
    context.messages.say(Loudness::Normal, &line);
    Ok(0)
}
