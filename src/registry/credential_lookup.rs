//! Looking for credentials on behalf of an exchange: who is told, and what is remembered.

use std::time::Duration;

use crate::credentials::{
    Credential, Found, HELPER_DEADLINE as LONGEST, Lookup, LookupContext, LookupResult, ask_helper,
};
use crate::error::{CredentialFault, HelperFault};
use crate::event::Event;
use crate::reference::Registry;
use crate::registry::client::{Inner, add, lock};
use crate::url::Origin;

/// Whether it was looked for credentials already.
#[derive(Debug)]
pub(super) enum LookupState {
    /// Not yet: nobody asked.
    Open,
    /// Yes, and this was found.
    Done(Option<Found>),
}

impl LookupState {
    /// What was found.
    pub(super) fn done(&self) -> Option<&Found> {
        match self {
            LookupState::Done(found) => found.as_ref(),
            LookupState::Open => None,
        }
    }
}

impl Inner {
    /// What the user keeps for the host that asks: the registry that was named, or one that it led to. A helper
    /// has so much time at most.
    pub(super) fn search(
        &self,
        registry: &Registry,
        origin: &Origin,
        repository: &str,
        asked: bool,
        time: Duration,
    ) -> Lookup {
        let keychain = &self.config.keychain;
        let mut teller = Teller { client: self, time };
        let search = if asked {
            keychain.find(registry, repository, true, &mut teller)
        } else {
            match Registry::parse(&origin.authority()) {
                Ok(other) => keychain.find(&other, repository, false, &mut teller),
                // A host that no reference could name has no credentials.
                Err(_) => Lookup::default(),
            }
        };
        // A helper that fails is said at once: the question goes on without it. Of a file nothing is known before
        // the registry has answered to a request without credentials.
        if let Some(trouble @ CredentialFault::Helper { .. }) = &search.trouble {
            self.say(&trouble.to_string());
        }
        search
    }

    /// Tells why the question goes on without credentials, once.
    pub(super) fn say(&self, text: &str) {
        if add(&mut lock(&self.said), &text.to_owned()) {
            self.config.observer.emit(&Event::CredentialProblem { text });
        }
    }
}

/// Tells the client's observer, and asks each helper once for a server.
struct Teller<'a> {
    client: &'a Inner,
    time: Duration,
}

impl LookupContext for Teller<'_> {
    fn looked(&mut self, place: &str, look: &LookupResult) {
        self.client.config.observer.emit(&Event::CredentialLookup { source: place, result: look });
    }

    fn ask(&mut self, helper: &str, server: &str) -> Result<Option<Credential>, HelperFault> {
        let key = (helper.to_owned(), server.to_owned());
        // Held while the helper runs: another thread that wants the same waits for this answer, and a person is
        // asked one thing at a time. Failures are remembered too: one that hangs would cost its time again.
        let mut helped = lock(&self.client.helped);
        if let Some((_, known)) = helped.iter().find(|(asked, _)| *asked == key) {
            return known.clone();
        }
        let answer = ask_helper(helper, server, self.time);
        // One that had less time than a helper gets may do better with more.
        if !matches!(answer, Err(HelperFault::TimedOut(limit)) if limit < LONGEST) {
            helped.push((key, answer.clone()));
        }
        answer
    }
}
