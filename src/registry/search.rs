//! Looking for credentials on behalf of an exchange: who is told, and what is remembered.

use super::client::{Inner, lock};
use crate::credentials::{Credential, Found, Look, Search, Searcher, ask_helper};
use crate::error::{HelperFault, Trouble};
use crate::reference::Registry;
use crate::transport::Event;
use crate::url::Origin;

/// Whether it was looked for credentials already.
#[derive(Debug)]
pub(super) enum Lookup {
    /// Not yet: nobody asked.
    Open,
    /// Yes, and this was found.
    Done(Option<Found>),
}

impl Inner {
    /// What the user keeps for the host that asks: the registry that was named, or one that it led to.
    pub(super) fn search(
        &self,
        registry: &Registry,
        origin: &Origin,
        repository: &str,
        asked: bool,
    ) -> Search {
        let keychain = &self.config.keychain;
        let mut teller = Teller { client: self };
        let search = if asked {
            keychain.find(registry, repository, true, &mut teller)
        } else {
            match Registry::parse(&origin.authority()) {
                Ok(other) => keychain.find(&other, repository, false, &mut teller),
                // A host that no reference could name has no credentials.
                Err(_) => Search::default(),
            }
        };
        // A helper that fails is said at once: the question goes on without it. Of a file nothing is known before
        // the registry has answered to a request without credentials.
        if let Some(trouble @ Trouble::Helper { .. }) = &search.trouble {
            self.say(trouble);
        }
        search
    }

    /// Tells of what kept a search from going on, once.
    pub(super) fn say(&self, trouble: &Trouble) {
        let text = trouble.to_string();
        if lock(&self.said).insert(text.clone()) {
            self.transport.observer().tell(&Event::Trouble { text: &text });
        }
    }
}

/// Tells the client's observer, and asks each helper once for a server.
struct Teller<'a> {
    client: &'a Inner,
}

impl Searcher for Teller<'_> {
    fn looked(&mut self, place: &str, look: &Look) {
        self.client.transport.observer().tell(&Event::Looked { place, look });
    }

    fn ask(&mut self, helper: &str, server: &str) -> Result<Option<Credential>, HelperFault> {
        let key = (helper.to_owned(), server.to_owned());
        if let Some(known) = lock(&self.client.helped).get(&key) {
            return Ok(known.clone());
        }
        let answer = ask_helper(helper, server)?;
        lock(&self.client.helped).insert(key, answer.clone());
        Ok(answer)
    }
}
