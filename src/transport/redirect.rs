//! Determines where a redirect leads, and whether it may be followed (RFC 9110 section 15.4).
//!
//! ureq's own redirects are off, because they send `Authorization` to other ports of a host and follow https to
//! http. The caller sees whether the origin changes, and decides what to send there.

use crate::error::Refusal;
use crate::http::Head;
use crate::url::Url;

/// The maximum number of redirects that are followed for one question.
pub(crate) const MAX_REDIRECTS: u32 = 5;

/// Returns the target of a redirect.
///
/// # Errors
/// If the `Location` header is missing or not a URL, or leads from https to http.
pub(crate) fn target(from: &Url, head: &Head) -> Result<Url, Refusal> {
    let host = from.origin().authority();
    let Some(location) = head.header("location") else {
        return Err(Refusal::RedirectTarget { host, fault: None });
    };
    match from.join(location) {
        Ok(to) if to.scheme() < from.scheme() => {
            Err(Refusal::PlainHttp { from: host, to: to.origin().to_string() })
        }
        Ok(to) => Ok(to),
        Err(fault) => Err(Refusal::RedirectTarget { host, fault: Some(fault) }),
    }
}

/// Whether this status is a redirect.
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}
