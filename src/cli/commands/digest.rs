//! `regq digest REF...`: prints the digest of each reference.

use regq::explain::Recorder;
use regq::reference::Reference;
use regq::registry::{Client, ResolveOptions, Resolved};
use serde::Serialize;

use crate::cli::args::given::GivenFlags;
use crate::cli::commands::context::Context;
use crate::cli::failure::denied;
use crate::cli::failure::{CommandError, Failure};
use crate::cli::output::{ItemKey, Report};
use crate::cli::session::client;
use crate::cli::session::references::Items;

/// The JSON object of an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DigestObject<'a> {
    reference: &'a str,
    digest: String,
    media_type: Option<&'a str>,
    size: Option<u64>,
}

/// Resolves each reference, one after the other.
pub(crate) fn run(context: &mut Context) -> Result<u8, CommandError> {
    let client = client::client(context)?;
    let options = &context.options;
    let resolve_options = ResolveOptions {
        verify: options.answer.verify,
        platform: options.answer.platform.clone(),
        error_details: false,
    };
    let alone = matches!(context.operands.as_slice(), [only] if only != "-");
    let mut registry = client::OneRegistry::default();
    let mut items = Items::new(&context.operands, &mut *context.stdin);
    let (stdout, messages) = (&mut context.stdout, &context.messages);
    let mut report = Report::new(stdout, messages, options.answer.format(), ItemKey::Reference);
    while let Some(item) = items.next()? {
        let answer = item.reference.and_then(|reference| {
            registry.check(&reference, options)?;
            let (client, recorder) = client::recorded(&client);
            resolve(&client, reference, &item.typed, &resolve_options, &context.given, &recorder)
        });
        let (reference, resolved) = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                report.failed(&item.typed, &failure)?;
                continue;
            }
        };
        let digest = resolved.digest.to_string();
        let mut line = if options.answer.full_ref {
            full_reference(&reference, &digest)
        } else {
            digest.clone()
        };
        if !alone {
            line = format!("{line}  {}", item.typed);
        }
        let object = DigestObject {
            reference: &item.typed,
            digest,
            media_type: resolved.media_type.as_deref(),
            size: resolved.size,
        };
        report.answer(&object, &[line])?;
    }
    Ok(report.code())
}

fn resolve(
    client: &Client,
    reference: Reference,
    typed: &str,
    resolve_options: &ResolveOptions,
    given: &GivenFlags,
    recorder: &Recorder,
) -> Result<(Reference, Resolved), Failure> {
    match client.resolve(&reference, resolve_options) {
        Ok(resolved) => Ok((reference, resolved)),
        Err(error) => Err(denied::failure(&error, &reference, typed, given, recorder)),
    }
}

/// Returns the reference with the digest, which any client can pull.
fn full_reference(reference: &Reference, digest: &str) -> String {
    format!("{}@{digest}", reference.repository())
}
