//! Flags of every command, and those that replace a command.

use super::flag::{Flag, FlagAction, Group};
use crate::cli::args::values::{self, Verbosity};

const BASE: Flag = Flag { group: Group::General, ..Flag::BASE };

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "verbose",
        short: Some('v'),
        help: "Print each request to standard error",
        long_help: "Secrets are never printed.",
        action: FlagAction::Switch(|options| options.verbosity = Verbosity::Trace),
        ..BASE
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        help: "Print only errors",
        long_help: "Hides notes, warnings and messages about retries.",
        action: FlagAction::Switch(|options| options.verbosity = Verbosity::Quiet),
        ..BASE
    },
    Flag {
        long: "help",
        short: Some('h'),
        help: "Show help (--help shows more)",
        action: FlagAction::Help,
        ..BASE
    },
    Flag {
        long: "version",
        short: Some('V'),
        help: "Print the version",
        action: FlagAction::Version,
        ..BASE
    },
    Flag {
        long: "generate",
        group: Group::Alone,
        help: "Print the man page or a completion script",
        long_help: "KIND is man, bash, zsh or fish.",
        action: FlagAction::Value("KIND", |options, text| {
            options.generate = Some(values::generated(text)?);
            Ok(())
        }),
        ..BASE
    },
];
