//! One client used from many threads: each question has its own observer, and they share what is known.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use super::{MANIFEST, config, config_of, https, manifest, sha256, token, unauthorized};
use crate::support::{Reply, Request, Server};
use regq::reference::Reference;
use regq::registry::{Client, Event, Observer, ResolveOptions};

const THREADS: usize = 8;
const QUESTIONS: usize = 25;

fn token_for(repository: &str) -> String {
    format!("token-of-{}", repository.replace('/', "-"))
}

/// A registry that issues a token for each repository, and accepts it there only.
fn token_for_each_repository(request: &Request) -> Reply {
    let path = request.path().to_owned();
    if path == "/token" {
        let scope = request.query("scope").first().cloned().unwrap_or_default();
        return token(&token_for(scope.split(':').nth(1).unwrap_or_default()));
    }
    let repository =
        path.trim_start_matches("/v2/").split("/manifests/").next().unwrap_or_default();
    match request.header("authorization") {
        Some(sent) if sent == format!("Bearer {}", token_for(repository)) => manifest(),
        _ => unauthorized(
            request,
            &format!(
                r#"Bearer realm="https://HOST/token",service="s",scope="repository:{repository}:pull""#
            ),
        ),
    }
}

fn reference(server: &Server, thread: usize, question: usize) -> Reference {
    let name = format!("{}/team/app-{thread}-{question}:1.0", server.authority());
    Reference::parse(&name).unwrap()
}

#[test]
fn each_thread_observes_its_own_questions_only() {
    let server = https(token_for_each_repository);
    let client = Client::new(config()).unwrap();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (client, server, start) = (&client, &server, &start);
            scope.spawn(move || {
                let seen: Arc<Mutex<Vec<String>>> = Arc::default();
                let urls = Arc::clone(&seen);
                let client = client.observed_by(Observer::new(move |event| {
                    if let Event::Sending { url, .. } = event {
                        urls.lock().unwrap().push((*url).to_owned());
                    }
                }));
                start.wait();
                for question in 0..QUESTIONS {
                    seen.lock().unwrap().clear();
                    let reference = reference(server, number, question);
                    let resolved = client.resolve(&reference, &ResolveOptions::default()).unwrap();
                    assert_eq!(resolved.digest, sha256(MANIFEST));
                    let seen = seen.lock().unwrap();
                    assert_eq!(seen.len(), 3, "{seen:?}");
                    let own = format!("team/app-{number}-{question}");
                    assert!(seen.iter().all(|url| url.contains(&own)), "{own}: {seen:?}");
                }
            });
        }
    });
    assert_eq!(server.requests().len(), THREADS * QUESTIONS * 3);
}

#[test]
fn threads_share_the_token_of_a_repository() {
    let server = https(token_for_each_repository);
    let client = Client::new(config()).unwrap();
    let ask = |client: &Client| {
        client.resolve(&reference(&server, 0, 0), &ResolveOptions::default()).unwrap();
    };
    ask(&client);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| ask(&client.clone()));
        }
    });
    let tokens = server.requests().iter().filter(|request| request.path() == "/token").count();
    assert_eq!((tokens, server.requests().len()), (1, 3 + THREADS));
}

#[test]
fn an_observer_sees_each_connection_of_its_own_requests() {
    let server = https(|_| manifest());
    let client = Client::new(config()).unwrap();
    let connected = AtomicUsize::new(0);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (client, server, start, connected) = (&client, &server, &start, &connected);
            scope.spawn(move || {
                let (count, own) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
                let counted = Arc::clone(&count);
                let client = client.observed_by(Observer::new(move |event| {
                    if let Event::Connected { .. } = event {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                }));
                start.wait();
                for question in 0..QUESTIONS {
                    let reference = reference(server, number, question);
                    client.resolve(&reference, &ResolveOptions::default()).unwrap();
                }
                own.store(count.load(Ordering::SeqCst), Ordering::SeqCst);
                connected.fetch_add(own.load(Ordering::SeqCst), Ordering::SeqCst);
            });
        }
    });
    assert_eq!(connected.load(Ordering::SeqCst), server.connections());
}

/// The requests of a server that had this password.
fn requests_with_password(server: &Server) -> usize {
    let basic = Some("Basic YWRhOnNlY3JldA==");
    server.requests().iter().filter(|request| request.header("authorization") == basic).count()
}

#[test]
fn a_refused_password_is_sent_once_for_a_whole_list() {
    let basic = https(|request| unauthorized(request, r#"Basic realm="x""#));
    let realm = https(|request| match request.path() {
        "/token" => Reply::new(401).body("wrong"),
        _ => super::bearer(request),
    });
    for server in [basic, realm] {
        let client = Client::new(config_of("ada", "secret")).unwrap();
        let errors: Vec<_> = (0..20)
            .map(|question| {
                let reference = reference(&server, 0, question);
                client.resolve(&reference, &ResolveOptions::default()).unwrap_err()
            })
            .collect();
        for error in &errors {
            assert_eq!(error.kind(), regq::error::Kind::Denied, "{error}");
            assert_eq!(super::chain(error), super::chain(&errors[0]));
        }
        assert_eq!(requests_with_password(&server), 1);
    }
}

#[test]
fn a_password_that_was_accepted_before_is_sent_for_other_repositories() {
    // 401 means that this user may not pull from the repository.
    let server = https(|request| match request.header("authorization") {
        Some(_) if !request.path().contains("app-0-1") => manifest(),
        _ => unauthorized(request, r#"Basic realm="x""#),
    });
    let client = Client::new(config_of("ada", "secret")).unwrap();
    let resolve = |question| {
        client.resolve(&reference(&server, 0, question), &ResolveOptions::default()).is_ok()
    };
    assert_eq!([0, 1, 2].map(resolve), [true, false, true]);
    assert_eq!(requests_with_password(&server), 3);
}

#[test]
fn a_pause_that_a_registry_asks_for_holds_for_all_repositories() {
    let server = https(|request| match request.path().contains("app-0-0") {
        true => Reply::new(429).header("Retry-After", "3600"),
        false => manifest(),
    });
    let client = Client::new(config()).unwrap();
    let options = ResolveOptions::default();
    for question in [0, 1] {
        let error = client.resolve(&reference(&server, 0, question), &options).unwrap_err();
        assert_eq!(error.kind(), regq::error::Kind::RateLimited, "{error}");
        assert!(error.retry_after().is_some_and(|wait| wait.as_secs() > 3500), "{error}");
    }
    assert_eq!(server.requests().len(), 1);
    // Another registry may be asked, and another client asks anew.
    let other = https(|_| manifest());
    assert!(client.resolve(&reference(&other, 0, 0), &options).is_ok());
    let client = Client::new(config()).unwrap();
    assert!(client.resolve(&reference(&server, 0, 1), &options).is_ok());
}

#[test]
fn a_short_pause_is_waited_for_and_reported() {
    let server = https(|request| match request.path().contains("app-0-0") {
        true => Reply::new(429).header("Retry-After", "1"),
        false => manifest(),
    });
    let waits: Arc<Mutex<Vec<(Duration, bool)>>> = Arc::default();
    let log = Arc::clone(&waits);
    let client = Client::new(config()).unwrap().observed_by(Observer::new(move |event| {
        if let Event::Retrying { wait, announced, .. } = event {
            log.lock().unwrap().push((*wait, *announced));
        }
    }));
    let options = ResolveOptions::default();
    assert!(client.resolve(&reference(&server, 0, 0), &options).is_err());
    assert!(client.resolve(&reference(&server, 0, 1), &options).is_ok());
    let waits = waits.lock().unwrap();
    assert!(
        matches!(waits.as_slice(), [(wait, true)] if *wait <= Duration::from_secs(1)),
        "{waits:?}"
    );
}
