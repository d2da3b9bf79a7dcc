//! A registry to which no connection can be made is tried once for a whole list.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{chain, config, https, manifest};
use regq::error::Kind;
use regq::reference::Reference;
use regq::registry::{Client, Event, Observer, ResolveOptions};

#[test]
fn an_unreachable_registry_is_tried_once_and_does_not_stop_others() {
    let mut config = config();
    config.retries = 1;
    let attempts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&attempts);
    config.observer = Observer::new(move |event| {
        if let Event::Sending { .. } = event {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    // Nothing listens on port 1.
    let client = Client::new(config).unwrap();
    let options = ResolveOptions::default();
    let errors: Vec<_> = (0..10)
        .map(|number| {
            let name = format!("127.0.0.1:1/team/app-{number}:1.0");
            client.resolve(&Reference::parse(&name).unwrap(), &options).unwrap_err()
        })
        .collect();
    for error in &errors {
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(chain(error), chain(&errors[0]));
    }
    // The first reference, and its retry.
    assert_eq!(attempts.load(Ordering::SeqCst), 2);

    let server = https(|_| manifest());
    assert!(client.resolve(&super::reference(&server), &options).is_ok());
}
