//! What a client remembers about a registry for all its repositories: refused passwords and announced pauses.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{bearer_challenge, chain, config, config_with_password, https, manifest, unauthorized};
use crate::support::{Reply, Server};
use regq::credentials::{Credential, Keychain, Secret};
use regq::error::Kind;
use regq::reference::Reference;
use regq::registry::{Client, Config, Event, Observer, ResolveOptions};

/// The reference `team/app-NUMBER:1.0` at a server.
fn reference(server: &Server, number: usize) -> Reference {
    Reference::parse(&format!("{}/team/app-{number}:1.0", server.authority())).unwrap()
}

/// The settings of a client that retries, and so obeys pauses.
fn patient_config() -> Config {
    let mut config = config();
    config.retries = 1;
    config
}

/// The number of requests with the password of "ada".
fn requests_with_password(server: &Server) -> usize {
    let basic = Some("Basic YWRhOnNlY3JldA==");
    server.requests().iter().filter(|request| request.header("authorization") == basic).count()
}

#[test]
fn a_refused_password_is_sent_once_for_many_repositories() {
    let basic = https(|request| unauthorized(request, r#"Basic realm="x""#));
    let realm = https(|request| match request.path() {
        "/token" => Reply::new(401).body("wrong"),
        _ => bearer_challenge(request),
    });
    for server in [basic, realm] {
        let client = Client::new(config_with_password("ada", "secret")).unwrap();
        let errors: Vec<_> = (0..20)
            .map(|number| {
                let reference = reference(&server, number);
                client.resolve(&reference, &ResolveOptions::default()).unwrap_err()
            })
            .collect();
        for error in &errors {
            assert_eq!(error.kind(), Kind::Denied, "{error}");
            assert_eq!(chain(error), chain(&errors[0]));
        }
        assert_eq!(requests_with_password(&server), 1);
    }
}

#[test]
fn an_accepted_password_is_still_sent_after_a_401_for_one_repository() {
    // 401 means that this user may not pull from the repository.
    let server = https(|request| match request.header("authorization") {
        Some(_) if !request.path().contains("app-1") => manifest(),
        _ => unauthorized(request, r#"Basic realm="x""#),
    });
    let client = Client::new(config_with_password("ada", "secret")).unwrap();
    let resolve =
        |number| client.resolve(&reference(&server, number), &ResolveOptions::default()).is_ok();
    assert_eq!([0, 1, 2].map(resolve), [true, false, true]);
    assert_eq!(requests_with_password(&server), 3);
}

#[test]
fn an_announced_pause_applies_to_all_repositories_of_a_client() {
    let server = https(|request| match request.path().contains("app-0") {
        true => Reply::new(429).header("Retry-After", "3600"),
        false => manifest(),
    });
    let client = Client::new(patient_config()).unwrap();
    let options = ResolveOptions::default();
    for number in [0, 1] {
        let error = client.resolve(&reference(&server, number), &options).unwrap_err();
        assert_eq!(error.kind(), Kind::RateLimited, "{error}");
        assert!(error.retry_after().is_some_and(|wait| wait.as_secs() > 3500), "{error}");
    }
    assert_eq!(server.requests().len(), 1);
    // Other registries and other clients are not affected.
    let other = https(|_| manifest());
    assert!(client.resolve(&reference(&other, 0), &options).is_ok());
    let client = Client::new(patient_config()).unwrap();
    assert!(client.resolve(&reference(&server, 1), &options).is_ok());
}

#[test]
fn a_short_announced_pause_is_waited_for_and_reported() {
    let server = https(|request| match request.path().contains("app-0") {
        true => Reply::new(429).header("Retry-After", "2"),
        false => manifest(),
    });
    let waits: Arc<Mutex<Vec<(Duration, bool)>>> = Arc::default();
    let log = Arc::clone(&waits);
    let client = Client::new(patient_config()).unwrap().observed_by(Observer::new(move |event| {
        if let Event::Retrying { wait, announced, .. } = event {
            log.lock().unwrap().push((*wait, *announced));
        }
    }));
    let options = ResolveOptions::default();
    assert!(client.resolve(&reference(&server, 0), &options).is_err());
    assert!(client.resolve(&reference(&server, 1), &options).is_ok());
    // The wait before the retry, then the rest of the pause, for the second question.
    let waits = waits.lock().unwrap();
    let rest = Duration::from_secs(2);
    assert!(matches!(waits.as_slice(), [(_, true), (wait, true)] if *wait <= rest), "{waits:?}");
}

#[test]
fn a_pause_of_a_token_server_holds_for_all_repositories() {
    let server = https(|request| match request.path() {
        "/token" => Reply::new(429).header("Retry-After", "3600"),
        _ => bearer_challenge(request),
    });
    let client = Client::new(patient_config()).unwrap();
    for number in 0..3 {
        let error =
            client.resolve(&reference(&server, number), &ResolveOptions::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    }
    let tokens = server.requests().iter().filter(|request| request.path() == "/token").count();
    assert_eq!(tokens, 1);
}

#[test]
fn a_failing_repository_does_not_pause_the_registry() {
    let server = https(|request| match request.path().contains("app-0") {
        true => Reply::new(503).header("Retry-After", "3600").body("app-0 is down"),
        false => manifest(),
    });
    let client = Client::new(patient_config()).unwrap();
    let options = ResolveOptions::default();
    assert!(client.resolve(&reference(&server, 0), &options).is_err());
    assert!(client.resolve(&reference(&server, 1), &options).is_ok());
}

#[test]
fn a_pause_does_not_count_against_the_deadline() {
    let server = https(|request| match request.path().contains("app-0") {
        true => Reply::new(429).header("Retry-After", "2"),
        false => manifest(),
    });
    let mut config = patient_config();
    config.timeout = Duration::from_secs(1);
    let client = Client::new(config).unwrap();
    let options = ResolveOptions::default();
    assert!(client.resolve(&reference(&server, 0), &options).is_err());
    assert!(client.resolve(&reference(&server, 1), &options).is_ok());
}

#[test]
fn an_identity_token_that_is_not_exchanged_is_sent_once() {
    let server = https(|request| match (request.path(), request.method.as_str()) {
        ("/token", "POST") => Reply::new(401),
        ("/token", _) => super::token("T"),
        _ if request.header("authorization") == Some("Bearer T") => manifest(),
        _ => bearer_challenge(request),
    });
    let mut config = config();
    let token = Secret::new("identity-token");
    config.keychain = Keychain::given(Credential::IdentityToken { token, password: None });
    let client = Client::new(config).unwrap();
    for number in 0..3 {
        assert!(client.resolve(&reference(&server, number), &ResolveOptions::default()).is_ok());
    }
    assert_eq!(server.requests().iter().filter(|request| request.method == "POST").count(), 1);
}

#[test]
fn a_refused_token_is_not_sent_for_the_next_tag() {
    let server = https(|request| match request.path() {
        "/token" => super::token("T"),
        _ => bearer_challenge(request),
    });
    let client = Client::new(config()).unwrap();
    for tag in ["1.0", "2.0"] {
        let name = format!("{}/team/app:{tag}", server.authority());
        let reference = Reference::parse(&name).unwrap();
        assert!(client.resolve(&reference, &ResolveOptions::default()).is_err());
    }
    let first_of_second = server.requests().into_iter().find(|one| one.path().ends_with("2.0"));
    assert_eq!(first_of_second.unwrap().header("authorization"), None);
}

#[test]
fn a_client_without_retries_does_not_wait_for_a_pause() {
    let server = https(|request| match request.path().contains("app-0") {
        true => Reply::new(429).header("Retry-After", "3600"),
        false => manifest(),
    });
    let client = Client::new(config()).unwrap();
    let options = ResolveOptions::default();
    assert!(client.resolve(&reference(&server, 0), &options).is_err());
    assert!(client.resolve(&reference(&server, 1), &options).is_ok());
}

#[test]
fn a_redirect_cannot_pause_another_registry() {
    let target = https(|request| match request.path().contains("app-0") {
        true => Reply::new(429).header("Retry-After", "3600"),
        false => manifest(),
    });
    let location = format!("{}/v2/team/app-0/manifests/1.0", target.url());
    let server = https(move |_| Reply::new(307).header("Location", &location));
    let client = Client::new(patient_config()).unwrap();
    let options = ResolveOptions::default();
    assert!(client.resolve(&reference(&server, 0), &options).is_err());
    assert!(client.resolve(&reference(&target, 1), &options).is_ok());
}
