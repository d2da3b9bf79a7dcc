//! `regq manifest REF`: a manifest or index, byte for byte.

use super::context::Context;
use super::output::Stop;
use super::{items, refusal, session};

/// Writes the bytes, which the library has verified, and nothing else.
pub(crate) fn run(context: &mut Context) -> Result<u8, Stop> {
    let client = session::client(context)?;
    let Some(operand) = context.operands.first() else { return Ok(0) };
    let item = items::item(operand.as_encoded_bytes());
    let manifest = item.reference.and_then(|reference| {
        client
            .fetch_manifest(&reference, context.options.platform.as_ref())
            .map_err(|error| refusal::failure(&error, &reference, &item.typed, &context.recorder))
    });
    match manifest {
        Ok(manifest) => {
            context.stdout.bytes(&manifest.bytes)?;
            Ok(0)
        }
        Err(failure) => {
            context.messages.error(&failure.about(&item.typed), failure.hint.as_deref());
            Ok(failure.kind.exit_code())
        }
    }
}
