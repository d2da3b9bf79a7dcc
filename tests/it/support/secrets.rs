//! The secrets in tests about credentials, and a search for them in the program's output.
//!
//! The output of every run is searched, in all tests. A secret is found verbatim and in base64 at each of the three possible
//! offsets, as in `user:password`.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The user of the tests' credentials.
pub(crate) const USER: &str = "ada";
/// The user's password.
pub(crate) const PASSWORD: &str = "p4ssw0rd-of-ada";
/// A refresh token.
pub(crate) const IDENTITY: &str = "1dentity-t0ken-of-ada";
/// A bearer token that the user stored.
pub(crate) const READY: &str = "r3gistry-t0ken-of-ada";
/// A bearer token that a token server issues for any of these.
pub(crate) const GRANTED: &str = "gr4nted-t0ken-of-ada";

/// The prefix of all passwords.
const PASSWORDS: &str = "p4ssw0rd-of-";

/// Finds the first secret in a text, and returns the form in which it occurs.
pub(crate) fn leaked(text: &[u8]) -> Option<String> {
    static FORMS: LazyLock<Vec<String>> = LazyLock::new(|| {
        [PASSWORDS, IDENTITY, READY, GRANTED].iter().flat_map(|secret| forms(secret)).collect()
    });
    let text = String::from_utf8_lossy(text);
    FORMS.iter().find(|form| text.contains(form.as_str())).cloned()
}

/// A secret and the parts of its base64 that do not depend on the surrounding text.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for offset in 0..3 {
        let text = format!("{}{secret}", "x".repeat(offset));
        let partial = usize::from(!text.len().is_multiple_of(3));
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let begin = (offset * 8).div_ceil(6);
            let own = encoded.get(begin..encoded.len() - partial);
            forms.extend(own.map(str::to_owned));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::{GRANTED, PASSWORD, leaked};
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    #[test]
    fn secrets_are_found_in_every_form() {
        assert_eq!(leaked(b"the user ada has a password"), None);
        assert_eq!(leaked(format!("<{GRANTED}>").as_bytes()).as_deref(), Some(GRANTED));
        for around in ["", "a", "ab", "abc", "ada:", "\u{ff}?>"] {
            let pair = format!("{around}{PASSWORD}{around}");
            assert!(leaked(STANDARD.encode(&pair).as_bytes()).is_some(), "{pair}");
            assert!(leaked(URL_SAFE.encode(&pair).as_bytes()).is_some(), "{pair}");
        }
    }
}
