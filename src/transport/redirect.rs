//! Where a redirect leads, and whether it may be followed.
//!
//! ureq's own redirects are off: they carry headers to other ports of a host and follow https to http. Which
//! headers go along is decided by the caller, who sees whether the origin is another.

use crate::error::Refusal;
use crate::transport::response::Answer;
use crate::url::Url;

/// How many redirects are followed for one question.
pub(crate) const MAX_REDIRECTS: u32 = 5;

/// The target of a redirect.
///
/// # Errors
/// When there is none, it is no URL, or it leads from https to http.
pub(crate) fn target(from: &Url, answer: &Answer) -> Result<Url, Refusal> {
    let host = from.origin().authority();
    let Some(location) = answer.header("location") else {
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

/// True for the statuses that send a client elsewhere.
pub(crate) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}
