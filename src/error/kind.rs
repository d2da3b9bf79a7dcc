//! The kinds of failure, their names in JSON and their exit codes: a promise to scripts.

/// The kinds of failure that scripts tell apart, each with its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Asked and answered no.
    No,
    /// A wrong command line or an unreadable reference.
    Usage,
    /// No such repository, tag, platform or blob.
    NotFound,
    /// Refused: no credentials, wrong ones, or not enough rights.
    Denied,
    /// The registry's limit is reached, after the retries.
    RateLimited,
    /// Names, connections, TLS, time, 5xx.
    Unavailable,
    /// What came back is not what was asked for, or a safety rule of regq's own forbids to go on.
    Invalid,
    /// This machine: files that cannot be read or written.
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

    /// The exit code of the program, 1 to 8.
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
