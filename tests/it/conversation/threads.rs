//! One client used from many threads: each question has its own observer, and all share what is known about registries.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use super::{MANIFEST, config, https, manifest, sha256, token, unauthorized};
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
fn an_observer_sees_only_the_requests_of_its_own_client() {
    let server = https(token_for_each_repository);
    let client = Client::new(config()).unwrap();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (client, server, start) = (&client, &server, &start);
            scope.spawn(move || {
                let urls: Arc<Mutex<Vec<String>>> = Arc::default();
                let log = Arc::clone(&urls);
                let client = client.observed_by(Observer::new(move |event| {
                    if let Event::Sending { url, .. } = event {
                        log.lock().unwrap().push((*url).to_owned());
                    }
                }));
                start.wait();
                for question in 0..QUESTIONS {
                    urls.lock().unwrap().clear();
                    let reference = reference(server, number, question);
                    let resolved = client.resolve(&reference, &ResolveOptions::default()).unwrap();
                    assert_eq!(resolved.digest, sha256(MANIFEST));
                    let urls = urls.lock().unwrap();
                    assert_eq!(urls.len(), 3, "{urls:?}");
                    let own = format!("team/app-{number}-{question}");
                    assert!(urls.iter().all(|url| url.contains(&own)), "{own}: {urls:?}");
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
    let resolve = |client: &Client| {
        client.resolve(&reference(&server, 0, 0), &ResolveOptions::default()).unwrap();
    };
    resolve(&client);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| resolve(&client.clone()));
        }
    });
    let tokens = server.requests().iter().filter(|request| request.path() == "/token").count();
    assert_eq!((tokens, server.requests().len()), (1, 3 + THREADS));
}

#[test]
fn each_connection_is_reported_to_exactly_one_observer() {
    let server = https(|_| manifest());
    let client = Client::new(config()).unwrap();
    let connected = AtomicUsize::new(0);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (client, server, start, connected) = (&client, &server, &start, &connected);
            scope.spawn(move || {
                let own = Arc::new(AtomicUsize::new(0));
                let count = Arc::clone(&own);
                let client = client.observed_by(Observer::new(move |event| {
                    if let Event::Connected { .. } = event {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                }));
                start.wait();
                for question in 0..QUESTIONS {
                    let reference = reference(server, number, question);
                    client.resolve(&reference, &ResolveOptions::default()).unwrap();
                }
                connected.fetch_add(own.load(Ordering::SeqCst), Ordering::SeqCst);
            });
        }
    });
    assert_eq!(connected.load(Ordering::SeqCst), server.connections());
}
