//! A text that is never shown.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::redact::Redactor;

/// A password or token. Its `Debug` shows nothing of it and it has no `Display`.
///
/// Cheap to clone: clones share the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into().into())
    }

    /// What is not shown where others repeat these secrets: themselves, and their base64, alone or with whatever
    /// stands before them in it.
    pub(crate) fn forms(secrets: &[Secret]) -> Redactor {
        let long = secrets.iter().map(Secret::expose);
        let long = long.filter(|secret| secret.len() >= Redactor::SHORTEST);
        Redactor::new(long.flat_map(|secret| {
            // Padding is left out by some.
            let bare = secret.trim_end_matches('=').to_owned();
            [secret.to_owned(), bare]
                .into_iter()
                .chain((0..3).map(|before| in_base64(secret, before)))
        }))
    }

    /// The secret itself, to be sent and to nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What of the base64 of a secret with so many bytes before it does not depend on these, nor on what follows.
fn in_base64(secret: &str, before: usize) -> String {
    let whole = [vec![0; before].as_slice(), secret.as_bytes()].concat();
    let encoded = STANDARD_NO_PAD.encode(&whole);
    // Of the first three bytes' four characters the first ones are others'.
    let own = encoded.get((before * 8).div_ceil(6)..).unwrap_or_default();
    let open = usize::from(before > 0 && !whole.len().is_multiple_of(3));
    own.get(..own.len() - open).unwrap_or_default().to_owned()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
