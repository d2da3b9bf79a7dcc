//! The error type: which errors are transient, what a server's `Retry-After` becomes, and the traits that callers need.

use std::io;
use std::time::Duration;

use regq::error::{
    CertificateFault, ConnectionError, ConnectionFault, CredentialFault, Error, HelperFault, Kind,
    LocalFault, Party, Refusal, StatusError, UnusableChallenge,
};

fn status(status: u16) -> Error {
    Error::Status(Box::new(StatusError::new(Party::Registry, "registry.example", status)))
}

fn limited(retry_after: Duration) -> Error {
    let mut error = StatusError::new(Party::TokenServer, "auth.example", 429);
    error.retry_after = Some(retry_after);
    Error::Status(Box::new(error))
}

fn connection(fault: ConnectionFault) -> Error {
    Error::Connection(Box::new(ConnectionError::new("registry.example", fault)))
}

fn unavailable(response: Error) -> Error {
    let cause = CredentialFault::Helper { program: "h".to_owned(), fault: HelperFault::Missing };
    Error::CredentialsUnavailable { cause, response: Box::new(response) }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn errors_can_cross_threads_and_be_boxed() {
    fn check<T: std::error::Error + Send + Sync + 'static>() {}
    check::<Error>();
}

#[test]
fn transient_errors_are_those_that_are_retried() {
    let io = || io::Error::other("x");
    let refusal = Refusal::TooManyRedirects { host: "h".to_owned() };
    for (error, expected) in [
        (status(408), true),
        (status(429), true),
        (status(500), true),
        (status(502), true),
        (status(503), true),
        (status(504), true),
        (status(400), false),
        (status(401), false),
        (status(403), false),
        (status(404), false),
        (status(418), false),
        (status(501), false),
        (connection(ConnectionFault::Connect(io().into())), true),
        (connection(ConnectionFault::ConnectTimeout(SECOND)), true),
        (connection(ConnectionFault::Broken(io().into())), true),
        (connection(ConnectionFault::IdleTimeout(SECOND)), true),
        (connection(ConnectionFault::Name(io().into())), false),
        (connection(ConnectionFault::Certificate(CertificateFault::Expired(None))), false),
        (connection(ConnectionFault::Tls(std::sync::Arc::new(io()))), false),
        (connection(ConnectionFault::NotTls), false),
        (connection(ConnectionFault::NotHttp("x".to_owned())), false),
        (Error::Deadline { limit: SECOND }, true),
        (unavailable(status(503)), true),
        (unavailable(status(401)), false),
        (Error::from(refusal), false),
        (Error::Challenge(Box::new(UnusableChallenge::new("h", Vec::new()))), false),
        (Error::TooLarge { what: "manifest", limit: 1 }, false),
        (Error::TlsSetup(Box::new(io())), false),
        (Error::Local { path: "x".into(), fault: LocalFault::NoToken }, false),
        (Error::Helper { program: "h".to_owned(), fault: HelperFault::TimedOut(SECOND) }, false),
    ] {
        assert_eq!(error.is_transient(), expected, "{error}");
    }
}

#[test]
fn retry_after_is_the_wait_that_the_server_requests() {
    let long = Duration::from_secs(86_400);
    assert_eq!(limited(long).retry_after(), Some(long));
    assert_eq!(unavailable(limited(long)).retry_after(), Some(long));
    assert_eq!(status(429).retry_after(), None);
    assert_eq!(Error::Deadline { limit: SECOND }.retry_after(), None);
    assert_eq!(connection(ConnectionFault::NotTls).retry_after(), None);
}

#[test]
fn messages_name_what_failed_and_where() {
    let mut attempts = ConnectionError::new("h.example", ConnectionFault::NotTls);
    attempts.attempts = 4;
    let certificate = |expected: &str, presented: &[&str]| {
        connection(ConnectionFault::Certificate(CertificateFault::Name {
            expected: expected.to_owned(),
            presented: presented.iter().map(|&name| name.to_owned()).collect(),
        }))
    };
    let authority = ConnectionFault::Certificate(CertificateFault::AuthorityAsServer);
    for (error, expected) in [
        (status(404), "not found on registry.example (404)"),
        (status(401), "registry.example denied anonymous access (401)"),
        (status(403), "registry.example denied access (403)"),
        (status(451), "registry.example: unavailable for legal reasons (451)"),
        (status(429), "registry.example: rate limit exceeded (429)"),
        (status(503), "registry.example: server error (503)"),
        (status(418), "registry.example: unexpected status 418"),
        (
            limited(Duration::from_secs(20)),
            "token server auth.example: rate limit exceeded (429); retry after 20 s",
        ),
        (
            connection(ConnectionFault::Connect(io::Error::other("x").into())),
            "cannot connect to registry.example",
        ),
        (
            connection(ConnectionFault::ConnectTimeout(Duration::from_secs(10))),
            "connecting to registry.example timed out after 10 s",
        ),
        (Error::Connection(Box::new(attempts)), "h.example does not use TLS (4 attempts)"),
        (
            certificate("a.example", &[]),
            "the certificate of registry.example is valid for no host name (wanted a.example)",
        ),
        (
            certificate("a.example", &["b.example", "c.example"]),
            "the certificate of registry.example is not valid for a.example, only for b.example, c.example",
        ),
        (
            connection(authority),
            "the certificate of registry.example is a CA certificate used as a server certificate",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(unavailable(status(503)).kind(), Kind::Unavailable);
}
