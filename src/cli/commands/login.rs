//! `regq login REGISTRY`: verifies credentials, then saves them where docker does.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use regq::credentials::{Credential, CredentialFile, Keychain, Location};
use regq::error::Error;
use regq::registry::{Config, LoginCheck};

use crate::cli::commands::context::Context;
use crate::cli::failure::denied;
use crate::cli::failure::{CommandError, Failure};
use crate::cli::session::client;
use crate::cli::session::password::read_password;

/// Checks the credentials with the registry. Saves them only if it accepts them.
pub(crate) fn run(context: &mut Context) -> Result<u8, CommandError> {
    let registry = client::registry(context)?;
    let Some(password) = read_password(context)? else {
        let mut failure = Failure::usage("login requires a user name and a password".to_owned());
        failure.hint = Some("add --user NAME and --password-stdin or --password-file FILE".into());
        return Err(failure.into());
    };
    let path = client::credential_file(context)?;
    // Opened before anything is sent: a password that cannot be saved is not sent either.
    let mut file = CredentialFile::open(&path).map_err(|error| Failure::new(&error, None))?;
    let keychain = Keychain::given(Credential::Password(password.clone()));
    let client = client::client_with(context, keychain)?;
    let (client, recorder) = client::recorded(&client);
    let failure = |error: &Error| {
        let typed = context.operands.first().map(|name| name.to_string_lossy());
        denied::login_failure(error, &typed.unwrap_or_default(), &context.given, &recorder)
    };
    let check = client.check_login(&registry).map_err(|error| failure(&error))?;
    if check == LoginCheck::Open {
        context
            .messages
            .note(&format!("{registry} allows anonymous access, so the password was not checked"));
    }
    let timeout = context.options.connection.timeout.unwrap_or(Config::default().timeout);
    file.set_helper_timeout(timeout);
    let location = file.store(&registry, &password).map_err(|error| failure(&error))?;
    let note = match location {
        Location::File(path) => {
            let others = if is_readable_by_others(&path) {
                ", and other users can read that file"
            } else {
                ""
            };
            format!("the password was saved in {} in plain text{others}", path.display())
        }
        Location::Helper(program) => format!("the password was saved with {program}"),
        _ => return Ok(0),
    };
    context.messages.note(&note);
    Ok(0)
}

/// Whether other users than the owner may read a file.
fn is_readable_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}
