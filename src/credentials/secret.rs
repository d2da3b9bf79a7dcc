//! A text that is never shown.

use std::fmt;

use crate::url::percent_encode;

/// A password or token. Its `Debug` shows nothing of it and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Shorter ones, in bytes, are not looked for in texts.
    pub(crate) const SHORTEST: usize = 6;

    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The forms in which secrets turn up in what others say, longest first: one may be a part of another's.
    /// Short ones are left out. They are found in any text, and what is left out of it would tell them.
    pub(crate) fn forms(secrets: &[Secret]) -> Vec<String> {
        let long = secrets.iter().map(Secret::expose).filter(|text| text.len() >= Secret::SHORTEST);
        // In quotes a backslash stands before quotes and backslashes, in headers and JSON as in what is shown here.
        let escaped = |secret: &str| {
            let quoted = format!("{secret:?}");
            quoted.get(1..quoted.len() - 1).unwrap_or(secret).to_owned()
        };
        let mut forms: Vec<_> = long
            .flat_map(|secret| {
                // A challenge's schemes and names are read in lower case.
                let lower = secret.to_ascii_lowercase();
                [secret.to_owned(), percent_encode(secret), escaped(secret), lower]
            })
            .collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        forms
    }

    /// The secret itself, to be sent and to nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
