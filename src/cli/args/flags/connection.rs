//! Flags that control connections: TLS, addresses, time limits and retries.

use super::flag::{Action, Flag, Group};
use crate::cli::args::values;

const BASE: Flag = Flag { group: Group::Connection, ..Flag::BASE };

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "ca-file",
        help: "Also trust the CA certificates in this file",
        long_help: "A PEM file. The built-in CA certificates and those in SSL_CERT_FILE stay \
                    trusted.",
        repeatable: true,
        action: Action::Value("FILE", |options, text| {
            options.connection.ca_files.push(values::file(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "insecure",
        help: "Do not verify TLS certificates",
        long_help: "Anyone between you and the registry can then read and change everything, \
                    passwords included.",
        action: Action::Switch(|options| options.connection.insecure = true),
        ..BASE
    },
    Flag {
        long: "plain-http",
        help: "Use HTTP instead of HTTPS",
        long_help: "Not needed for a registry on this machine.",
        action: Action::Switch(|options| options.connection.plain_http = true),
        ..BASE
    },
    Flag {
        long: "allow-private",
        help: "Allow token servers and redirects at private addresses",
        long_help: "By default no connection is made to a token server or redirect target \
                    whose address is more private than that of the registry.",
        action: Action::Switch(|options| options.connection.allow_private = true),
        ..BASE
    },
    Flag {
        long: "timeout",
        help: "Timeout per reference or login",
        long_help: "Waits that a registry asks for do not count. A credential helper may use at \
                    most 30s of it. TIME is in seconds, or has a unit: ms, s, m or h.",
        default: Some("60s"),
        action: Action::Value("TIME", |options, text| {
            options.connection.timeout = Some(values::deadline(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "connect-timeout",
        help: "Timeout per connection",
        long_help: "Covers the name lookup, the connection and the TLS handshake.",
        default: Some("10s"),
        action: Action::Value("TIME", |options, text| {
            options.connection.connect_timeout = Some(values::deadline(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "retries",
        help: "Retry a failed request up to N times",
        default: Some("3"),
        action: Action::Value("N", |options, text| {
            options.connection.retries = Some(values::count(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "max-wait",
        help: "Longest requested wait that is obeyed",
        long_help: "If a registry asks for more, the request fails immediately; the error says \
                    when to retry.",
        default: Some("60s"),
        action: Action::Value("TIME", |options, text| {
            options.connection.max_wait = Some(values::duration(text)?);
            Ok(())
        }),
        ..BASE
    },
];
