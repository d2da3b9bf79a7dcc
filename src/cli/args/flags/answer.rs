//! Flags that select what is printed, and how.

use super::flag::{Action, Flag, Group};
use crate::cli::args::values;

const BASE: Flag = Flag { group: Group::Answer, ..Flag::BASE };

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "platform",
        help: "Select the image for this platform",
        long_help: "For example linux/amd64 or linux/arm/v7; local is the platform of this \
                    machine. If the index has no exact match, an older variant that runs on the \
                    platform is used.",
        action: Action::Value("OS/ARCH[/VARIANT]", |options, text| {
            options.answer.platform = Some(values::platform(text)?);
            Ok(())
        }),
        ..BASE
    },
    Flag {
        long: "full-ref",
        help: "Print the full reference with the digest",
        long_help: "For example docker.io/library/alpine@sha256:..., instead of the digest alone.",
        action: Action::Switch(|options| options.answer.full_ref = true),
        ..BASE
    },
    Flag {
        long: "verify",
        help: "Download the manifest and compute its digest",
        long_help: "By default the digest that the registry announces is printed.",
        action: Action::Switch(|options| options.answer.verify = true),
        ..BASE
    },
    Flag {
        long: "json",
        help: "Print one JSON object per line",
        long_help: "For a reference that fails, digest and parse print an object with an \
                    \"error\": kind, message and hint.",
        action: Action::Switch(|options| options.answer.json = true),
        ..BASE
    },
    Flag {
        long: "get",
        help: "Print one value of the JSON object",
        long_help: "KEY can be a dotted path, such as error.kind. Strings are printed bare, \
                    anything else as JSON. If the value is null or missing, nothing is printed \
                    and the exit code is 1, unless the reference failed.",
        action: Action::Value("KEY", |options, text| {
            options.answer.get = Some(values::key(text)?);
            Ok(())
        }),
        ..BASE
    },
];
