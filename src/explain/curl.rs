//! The two command lines that ask by hand: one for the token, one for the manifest.

use crate::explain::attempt::Attempt;
use crate::oci::media_type;
use crate::reference::Reference;
use crate::registry::Endpoint;
use crate::url::Url;

/// A word as a POSIX shell reads it back: in single quotes.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A word in quotes where it needs them.
pub fn quoted_where_needed(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) { word.to_owned() } else { quoted(word) }
}

/// What asks the challenge's realm for its token, and the registry with it. `None` where no token server or no
/// reference is known.
pub(super) fn commands(attempt: &Attempt<'_>, user: Option<&str>) -> Option<[String; 2]> {
    let realm = attempt.realm()?;
    let reference = attempt.reference?;
    let mut url = realm;
    if let Some(service) = attempt.param("service") {
        url = url.with_query("service", service);
    }
    if let Some(scope) = attempt.right_scope() {
        url = url.with_query("scope", &scope);
    }
    let login = user.map(|user| format!("-u {} ", quoted_where_needed(user))).unwrap_or_default();
    let url = url.to_string();
    let token = format!("curl -sS{} {login}{}", globbing(&url), quoted(&url));
    // One header a type: in one line they would be longer than people read.
    let accept =
        media_type::ACCEPTED.map(|kind| format!("-H {} ", quoted(&format!("Accept: {kind}"))));
    let url = manifest(attempt, reference)?.to_string();
    let ask = format!(
        "curl -sSI{} -H \"Authorization: Bearer $T\" {}{}",
        globbing(&url),
        accept.concat(),
        quoted(&url)
    );
    Some([token, ask])
}

/// The flag by which curl takes a URL as it is, where it would take it for many.
fn globbing(url: &str) -> &'static str {
    if url.contains(['{', '}', '[', ']', '\\']) { "g" } else { "" }
}

/// What was asked for, as a reference at the host that a redirect led to, where that has a challenge of its own;
/// the URL where it is no manifest's.
pub(super) fn moved(attempt: &Attempt<'_>) -> Option<String> {
    attempt.moved_from.as_ref().and(attempt.challenges.as_ref())?;
    let url = &attempt.site.as_ref()?.url;
    let path = url.path().strip_prefix("/v2/").and_then(|path| path.rsplit_once("/manifests/"));
    let Some((path, which)) = path else { return Some(url.redacted()) };
    let name = format!("{}/{path}", url.origin().authority());
    let tagged = attempt.reference.is_some_and(|reference| reference.tag().is_some());
    Some(match which {
        "latest" if !tagged => name,
        _ if which.contains(':') => format!("{name}@{which}"),
        _ => format!("{name}:{which}"),
    })
}

fn manifest(attempt: &Attempt<'_>, reference: &Reference) -> Option<Url> {
    let origin = attempt.site.as_ref()?.url.origin().clone();
    Endpoint::new(origin).manifest(reference).ok()
}

#[cfg(test)]
mod tests {
    use super::{quoted, quoted_where_needed};

    #[test]
    fn a_shell_reads_words_back_as_they_were() {
        assert_eq!(quoted("https://a/t?x=1&y=$z"), "'https://a/t?x=1&y=$z'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        for plain in ["alpine:3.20", "quay.io/a/b@sha256:00", "[::1]:5000/a", ""] {
            let needs = plain.is_empty() || plain.starts_with('[');
            assert_eq!(quoted_where_needed(plain) != plain, needs, "{plain}");
        }
        assert_eq!(quoted_where_needed("a b;rm"), "'a b;rm'");
    }
}
