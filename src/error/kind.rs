//! The kinds of failure, with their JSON names and exit codes. Both are stable: scripts depend on them.

/// The kind of a failure, which decides the program's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A requested value is null or missing.
    No,
    /// Invalid command line or reference.
    Usage,
    /// The repository, tag, platform or blob does not exist.
    NotFound,
    /// Access denied: no credentials, wrong ones, or not enough rights.
    Denied,
    /// The registry's rate limit was reached.
    RateLimited,
    /// DNS, connection, TLS, a timeout, or a server error (5xx).
    Unavailable,
    /// An invalid response, or one that a safety rule of regq rejects.
    Invalid,
    /// A problem on this machine, such as an unreadable file.
    Local,
}

impl Kind {
    /// The kind's name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::No => "no",
            Kind::Usage => "usage",
            Kind::NotFound => "not-found",
            Kind::Denied => "denied",
            Kind::RateLimited => "rate-limited",
            Kind::Unavailable => "unavailable",
            Kind::Invalid => "invalid",
            Kind::Local => "local",
        }
    }

    /// The program's exit code, from 1 to 8.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::No => 1,
            Kind::Usage => 2,
            Kind::NotFound => 3,
            Kind::Denied => 4,
            Kind::RateLimited => 5,
            Kind::Unavailable => 6,
            Kind::Invalid => 7,
            Kind::Local => 8,
        }
    }
}
