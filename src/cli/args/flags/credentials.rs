//! Flags that select the credentials, and the servers that receive them.

use super::flag::{Action, Flag, Group};
use crate::cli::args::values;

const BASE: Flag = Flag { group: Group::Credentials, ..Flag::BASE };

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "user",
        help: "Log in to the registry as this user",
        long_help: "Requires --password-stdin or --password-file.",
        identity: true,
        action: Action::Value("NAME", |options, text| {
            options.credentials.user = Some(values::user(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "password-stdin",
        help: "Read the password from standard input",
        long_help: "One trailing newline is removed; the same applies to --password-file.",
        identity: true,
        action: Action::Switch(|options| options.credentials.password_stdin = true),
        ..BASE
    },
    Flag {
        long: "password-file",
        help: "Read the password from this file",
        identity: true,
        action: Action::Value("FILE", |options, text| {
            options.credentials.password_file = Some(values::file(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "token-file",
        help: "Send the bearer token from this file",
        long_help: "It is sent only to the registry. If it is refused, no other token is \
                    requested.",
        identity: true,
        action: Action::Value("FILE", |options, text| {
            options.credentials.token_file = Some(values::file(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "authfile",
        help: "Use this credential file",
        long_help: "In the format of docker's config.json. Without this flag, the file named by \
                    REGISTRY_AUTH_FILE is used. login and logout change this file; other commands \
                    look in DOCKER_AUTH_CONFIG and the files of docker and podman, too.",
        action: Action::Value("FILE", |options, text| {
            options.credentials.authfile = Some(values::file(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "anonymous",
        help: "Use no credentials",
        long_help: "Stored credentials are ignored.",
        identity: true,
        action: Action::Switch(|options| options.credentials.anonymous = true),
        ..BASE
    },
    Flag {
        long: "trust-realm",
        help: "Also send credentials to this token server",
        long_help: "By default they are sent only to the registry and to token servers with \
                    the registry's host name, its parent domain, or a name under that parent \
                    (not for shared domains). \
                    REGQ_TRUST_REALM has the same effect, with host names separated by commas.",
        repeatable: true,
        action: Action::Value("HOST", |options, text| {
            options.credentials.trusted_realms.push(values::realm(text)?);
            Ok(())
        }),
        ..BASE
    },
];
