//! `regq parse REF...`: shows how references are parsed. Sends no request.

use regq::reference::{Reference, Tag};
use serde::Serialize;

use crate::cli::commands::context::Context;
use crate::cli::failure::CommandError;
use crate::cli::output::{ItemKey, Report};
use crate::cli::session::references::Items;

/// The JSON object of an answer.
#[derive(Serialize)]
struct Parsed<'a> {
    input: &'a str,
    registry: String,
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<String>,
    endpoint: String,
}

impl Parsed<'_> {
    fn new<'a>(typed: &'a str, reference: &'a Reference, plain_http: bool) -> Parsed<'a> {
        let registry = reference.registry();
        Parsed {
            input: typed,
            registry: registry.name(),
            repository: reference.repository().path(),
            tag: reference.tag().map(Tag::as_str),
            digest: reference.digest().map(ToString::to_string),
            endpoint: regq::registry::Endpoint::of(registry, plain_http).to_string(),
        }
    }

    /// Returns one line of `key: value` for each value that is present.
    fn lines(&self) -> Vec<String> {
        let Parsed { input, registry, repository, tag, digest, endpoint } = self;
        [
            ("input", Some(*input)),
            ("registry", Some(registry)),
            ("repository", Some(repository)),
            ("tag", *tag),
            ("digest", digest.as_deref()),
            ("endpoint", Some(endpoint)),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| format!("{key}: {value}")))
        .collect()
    }
}

/// Prints the parts of each reference.
pub(crate) fn run(context: &mut Context) -> Result<u8, CommandError> {
    let options = &context.options;
    let mut items = Items::new(&context.operands, &mut *context.stdin);
    let messages = &context.messages;
    let mut report =
        Report::new(&mut context.stdout, messages, options.answer.format(), ItemKey::Input);
    // References are separated by an empty line.
    let mut separator = None;
    while let Some(item) = items.next()? {
        let reference = match &item.reference {
            Ok(reference) => reference,
            Err(failure) => {
                report.failed(&item.typed, failure)?;
                continue;
            }
        };
        if let Some(ambiguity) = reference.ambiguity() {
            messages.note(&format!("{}: {ambiguity}", item.typed));
        }
        let parsed = Parsed::new(&item.typed, reference, options.connection.plain_http);
        let lines: Vec<String> = separator.take().into_iter().chain(parsed.lines()).collect();
        report.answer(&parsed, &lines)?;
        separator = Some(String::new());
    }
    Ok(report.code())
}
