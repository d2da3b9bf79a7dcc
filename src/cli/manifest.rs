//! `regq manifest REF`: a manifest or index, byte for byte.

use super::context::Context;
use super::failure::Failure;
use super::output::Stop;
use super::{items, session};

/// Writes the bytes, which the library has verified, and nothing else.
pub(crate) fn run(context: &mut Context) -> Result<u8, Stop> {
    let client = session::client(context)?;
    for operand in &context.operands {
        let item = items::item(operand.as_encoded_bytes());
        let manifest = item.reference.and_then(|reference| {
            client
                .fetch_manifest(&reference, context.options.platform.as_ref())
                .map_err(|error| Failure::new(&error, Some(&reference)))
        });
        match manifest {
            Ok(manifest) => context.stdout.bytes(&manifest.bytes)?,
            Err(failure) => {
                context.messages.error(&failure.about(&item.typed), failure.hint.as_deref());
                return Ok(failure.kind.exit_code());
            }
        }
    }
    Ok(0)
}
