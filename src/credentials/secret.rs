//! A text that is never printed.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::redact::Redactor;

/// A password or token. Its `Debug` output does not contain it, and it has no `Display`.
///
/// Cheap to clone: clones share the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into().into())
    }

    /// Returns the secret itself, to be sent or stored but never printed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns a redactor that knows these secrets: unchanged, without base64 padding, and inside base64 text.
    pub(crate) fn redactor(secrets: &[Secret]) -> Redactor {
        let secrets = secrets.iter().map(Secret::expose);
        let secrets = secrets.filter(|secret| secret.len() >= Redactor::MIN_LENGTH);
        Redactor::new(secrets.flat_map(|secret| {
            let unpadded = secret.trim_end_matches('=').to_owned();
            [secret.to_owned(), unpadded]
                .into_iter()
                .chain((0..3).map(|offset| base64_core(secret, offset)))
        }))
    }
}

/// Returns the base64 characters that encode only `secret` if `offset` bytes precede it. The characters at both ends also
/// encode bits of its neighbors, so they are left out.
fn base64_core(secret: &str, offset: usize) -> String {
    let bytes = [vec![0; offset].as_slice(), secret.as_bytes()].concat();
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    let core = encoded.get((offset * 8).div_ceil(6)..).unwrap_or_default();
    let shared = usize::from(offset > 0 && !bytes.len().is_multiple_of(3));
    core.get(..core.len() - shared).unwrap_or_default().to_owned()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
