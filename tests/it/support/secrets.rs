//! The secrets of the tests about credentials, and the search for them in what was said.
//!
//! Every run of the program is searched, whatever a test is about. A secret counts in its own letters and in
//! base64 at each of the three ways in which it can lie there, as in `user:password`.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The user of the tests' credentials.
pub(crate) const USER: &str = "ada";
/// The user's password.
pub(crate) const PASSWORD: &str = "p4ssw0rd-of-ada";
/// A refresh token.
pub(crate) const IDENTITY: &str = "1dentity-t0ken-of-ada";
/// A bearer token that the user keeps.
pub(crate) const READY: &str = "r3gistry-t0ken-of-ada";
/// A bearer token that a token server gives for any of these.
pub(crate) const GRANTED: &str = "gr4nted-t0ken-of-ada";

/// What stands in front of every other user's password.
const PASSWORDS: &str = "p4ssw0rd-of-";

/// The first secret in a text, in the form in which it is there.
pub(crate) fn leaked(text: &[u8]) -> Option<String> {
    static FORMS: LazyLock<Vec<String>> = LazyLock::new(|| {
        [PASSWORDS, IDENTITY, READY, GRANTED].iter().flat_map(|secret| forms(secret)).collect()
    });
    let text = String::from_utf8_lossy(text);
    FORMS.iter().find(|form| text.contains(form.as_str())).cloned()
}

/// A secret itself, and what of its base64 does not depend on what stands around it.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for before in 0..3 {
        let text = format!("{}{secret}", "x".repeat(before));
        let open = usize::from(!text.len().is_multiple_of(3));
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let begin = (before * 8).div_ceil(6);
            let own = encoded.get(begin..encoded.len() - open);
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
    fn a_secret_is_found_in_every_form() {
        assert_eq!(leaked(b"the user ada has a password"), None);
        assert_eq!(leaked(format!("<{GRANTED}>").as_bytes()).as_deref(), Some(GRANTED));
        for around in ["", "a", "ab", "abc", "ada:", "\u{ff}?>"] {
            let pair = format!("{around}{PASSWORD}{around}");
            assert!(leaked(STANDARD.encode(&pair).as_bytes()).is_some(), "{pair}");
            assert!(leaked(URL_SAFE.encode(&pair).as_bytes()).is_some(), "{pair}");
        }
    }
}
