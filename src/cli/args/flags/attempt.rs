//! Flags of `explain` that describe the login attempt of another client.

use super::flag::{Action, Flag, Group};
use crate::cli::args::values;

const BASE: Flag = Flag { group: Group::Attempt, ..Flag::BASE };

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "token-url",
        help: "URL that the token was requested from",
        long_help: "Put it in single quotes: in a shell, an unquoted & ends the command.",
        action: Action::Value("URL", |options, text| {
            options.attempt.token_url = Some(text.to_owned());
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "token",
        help: "Token that was received, or - for standard input",
        long_help: "The token alone, or the whole response of the token server. Other users of \
                    this machine can see command lines, so prefer -.",
        secret: true,
        action: Action::Value("TOKEN", |options, text| {
            options.attempt.token = Some(values::token(text));
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "challenge",
        help: "WWW-Authenticate header of the response",
        long_help: "The header name may be included. Pass an empty value if the response had no \
                    such header. With --token, this is the header of the response to that token; \
                    without it, of the first response.",
        repeatable: true,
        action: Action::Value("HEADER", |options, text| {
            options.attempt.challenges.get_or_insert_default().push(text.to_owned());
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "status",
        help: "HTTP status of the last response",
        long_help: "Without it, 401 is assumed if --challenge is given.",
        action: Action::Value("CODE", |options, text| {
            options.attempt.status = Some(values::status(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "body",
        help: "File with the body of the last response",
        action: Action::Value("FILE", |options, text| {
            options.attempt.body = Some(values::file(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "date",
        help: "Date header of the last response",
        long_help: "Without it, the lifetime of the token is not checked.",
        action: Action::Value("DATE", |options, text| {
            options.attempt.date = Some(values::date(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "offline",
        help: "Check only the values above; send no request",
        long_help: "Makes REF optional.",
        action: Action::Switch(|options| options.attempt.offline = true),
        ..BASE
    },
    Flag {
        long: "curl",
        help: "Print curl commands for a correct login",
        long_help: "Implied by --token-url.",
        action: Action::Switch(|options| options.attempt.curl = true),
        ..BASE
    },
];
