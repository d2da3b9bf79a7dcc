//! `regq manifest REF`: writes a manifest or index, byte for byte.

use crate::cli::commands::context::Context;
use crate::cli::failure::CommandError;
use crate::cli::failure::denied;
use crate::cli::session::client;
use crate::cli::session::references;

/// Writes the bytes, which the library has verified.
pub(crate) fn run(context: &mut Context) -> Result<u8, CommandError> {
    let (client, recorder) = client::recorded(&client::client(context)?);
    let Some(operand) = context.operands.first() else { return Ok(0) };
    let item = references::item(operand.as_encoded_bytes());
    let manifest = item.reference.and_then(|reference| {
        client.fetch_manifest(&reference, context.options.answer.platform.as_ref()).map_err(
            |error| denied::failure(&error, &reference, &item.typed, &context.given, &recorder),
        )
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
