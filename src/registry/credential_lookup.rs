//! Looks up credentials for an exchange, and reports which sources were read.

use std::time::Instant;

use crate::credentials::{Credential, Lookup, LookupContext, LookupResult, get_from_helper};
use crate::error::{CredentialFault, HelperFault};
use crate::event::Event;
use crate::reference::Registry;
use crate::registry::client::Client;
use crate::registry::endpoint::Endpoint;

impl Client {
    /// Looks up the user's credentials for an endpoint: the registry that the user named, or a host that it led to.
    /// Helpers may run until `deadline`.
    pub(super) fn lookup_credentials(
        &self,
        registry: &Registry,
        endpoint: &Endpoint,
        repository: &str,
        deadline: Instant,
    ) -> Lookup {
        let keychain = &self.shared.config.keychain;
        let mut context = Context { client: self, deadline };
        let lookup = if endpoint.is_named_by_user() {
            keychain.find(registry, repository, true, &mut context)
        } else {
            match Registry::parse(&endpoint.origin().authority()) {
                Ok(other) => keychain.find(&other, repository, false, &mut context),
                // No credentials can be kept for a host that is not a valid registry name.
                Err(_) => Lookup::default(),
            }
        };
        // A failing helper is reported at once, since the question goes on without it. An unusable file is reported
        // once the registry has responded to a request without credentials.
        if let Some(fault @ CredentialFault::Helper { .. }) = &lookup.error {
            self.report_credential_problem(&fault.to_string());
        }
        lookup
    }

    /// Reports, once for each text, why a question goes on without credentials.
    pub(super) fn report_credential_problem(&self, text: &str) {
        if self.shared.is_new(text) {
            self.observer.emit(&Event::CredentialProblem { text });
        }
    }
}

/// Reports a lookup to the client's observer, and runs helpers.
struct Context<'a> {
    client: &'a Client,
    deadline: Instant,
}

impl LookupContext for Context<'_> {
    fn report(&mut self, source: &str, result: &LookupResult) {
        self.client.observer.emit(&Event::CredentialLookup { source, result });
    }

    fn run_helper(
        &mut self,
        helper: &str,
        server: &str,
    ) -> Result<Option<Credential>, HelperFault> {
        let helpers = &self.client.shared.helpers;
        helpers.get(helper, server, self.deadline, |time| get_from_helper(helper, server, time))
    }
}
