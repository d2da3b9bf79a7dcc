//! Turns the requests of a correct login into curl commands.

use regq::explain::ManualRequests;
use regq::oci::media_type;

use crate::cli::output::shell::{quote, quote_if_needed};

/// Returns two commands for a POSIX shell. The first prints the token server's response. The second requests the
/// manifest, with the token in the variable `T`.
pub(crate) fn commands(requests: &ManualRequests) -> [String; 2] {
    let ManualRequests { token_url, user, manifest_url, .. } = requests;
    let login = user.as_ref().map(|user| format!("-u {} ", quote_if_needed(user)));
    let token =
        format!("curl -sS{} {}{}", globoff(token_url), login.unwrap_or_default(), quote(token_url));
    // One header per type, so that no line is too long to read.
    let accept =
        media_type::ACCEPTED.map(|kind| format!("-H {} ", quote(&format!("Accept: {kind}"))));
    let manifest = format!(
        "curl -sSI{} -H \"Authorization: Bearer $T\" {}{}",
        globoff(manifest_url),
        accept.concat(),
        quote(manifest_url)
    );
    [token, manifest]
}

/// The flag that stops curl from expanding brackets and braces, if the URL contains any.
fn globoff(url: &str) -> &'static str {
    if url.contains(['{', '}', '[', ']', '\\']) { "g" } else { "" }
}
