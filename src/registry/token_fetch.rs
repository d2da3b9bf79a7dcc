//! Fetches a token from a token server: by GET with a password or anonymously, by POST with an identity token.

use crate::credentials::{Credential, Found, Password, Secret};
use crate::error::{Error, Identity, Party, Refusal, Result, TokenFault};
use crate::registry::authorization::{Authorization, identity};
use crate::registry::exchange::{Exchange, Requester, follow};
use crate::registry::final_response::{error_body, status_error};
use crate::token::{TokenRequest, TokenResponse};
use crate::transport::{Fetched, Limit, Request, redirect};

/// How much of a token response is read at most.
const TOKEN_LIMIT: Limit = Limit { what: "token response", bytes: 64 * 1024 };

impl Exchange<'_> {
    /// Requests a token from the realm that a challenge names.
    ///
    /// # Errors
    /// [`Error::Status`] if the token server refuses, or has refused the same credential before: then nothing is sent.
    /// [`Error::Token`] if its response has no usable token.
    pub(super) fn fetch_token(
        &mut self,
        request: &TokenRequest,
        found: Option<&Found>,
    ) -> Result<Authorization> {
        let credential = found.map(|found| &found.credential);
        let server = self.client.shared.registries.state(request.realm().origin());
        if let Some(error) = credential.and_then(|credential| server.refusal(credential)) {
            return Err(Error::Status(Box::new(error)));
        }
        let requester = Requester {
            identity: found.map_or(Identity::Anonymous, identity),
            secrets: credential.map(Credential::secrets).unwrap_or_default(),
        };
        let exchanged = match credential {
            Some(credential @ Credential::IdentityToken { token, .. })
                if !server.is_unexchanged(credential) =>
            {
                let exchanged = self.exchange_identity_token(request, token, &requester)?;
                if exchanged.is_none() {
                    server.record_unexchanged(credential);
                }
                exchanged
            }
            Some(_) | None => None,
        };
        let (host, response, used) = match exchanged {
            Some(response) => (request.realm().origin().authority(), response, found),
            None => {
                let password = credential.and_then(Credential::as_password);
                let (host, response) = self.get_token(request, password, &requester)?;
                (host, response, found.filter(|_| password.is_some()))
            }
        };
        if !(200..300).contains(&response.status()) {
            let identity = requester.identity;
            let error = status_error(Party::TokenServer, host, &response, identity, &self.secrets);
            if let (Some(credential), 401) = (credential, response.status()) {
                server.record_refused(credential, &error);
            }
            return Err(Error::Status(Box::new(error)));
        }
        let token = self.read_token(&response).map_err(|fault| Error::Token { host, fault })?;
        match (found, used) {
            (Some(found), Some(_)) => server.record_accepted(&found.credential),
            (Some(found), None) => {
                let host = request.realm().origin().authority();
                let text = format!("{host} did not accept {}", identity(found));
                self.client.report_credential_problem(&text);
            }
            (None, _) => {}
        }
        Ok(Authorization::issued_token(token, request.clone(), used))
    }

    fn read_token(&self, response: &Fetched) -> Result<Secret, TokenFault> {
        let content_type = response.head.header("content-type");
        TokenResponse::read_token(content_type, &response.body).map_err(|mut fault| {
            if let TokenFault::Json { body, .. } = &mut fault
                && !body.is_empty()
            {
                *body = error_body(&response.body, &self.secrets);
            }
            fault
        })
    }

    /// Exchanges an identity token by POST. `None` if the server does not support that, which servers report with 400,
    /// 401, 404 or 405.
    fn exchange_identity_token(
        &mut self,
        request: &TokenRequest,
        identity_token: &Secret,
        requester: &Requester,
    ) -> Result<Option<Fetched>> {
        let url = request.realm();
        let form = request.form(identity_token);
        let post = Request::post_form(url, &form)
            .accept("application/json")
            .max_scope(self.max_scope(url));
        self.wait_for_pause(url)?;
        let response = self.send(Party::TokenServer, requester, post, TOKEN_LIMIT)?;
        if redirect::is_redirect(response.status()) {
            let to = redirect::target(url, &response.head)?.origin().authority();
            let from = url.origin().authority();
            return Err(Refusal::TokenRedirect { from, to }.into());
        }
        Ok((!matches!(response.status(), 400 | 401 | 404 | 405)).then_some(response))
    }

    /// Requests a token by GET, with a password or anonymously. With a password, only redirects within its origin are
    /// followed. Also returns the host that the response came from.
    fn get_token(
        &mut self,
        request: &TokenRequest,
        password: Option<&Password>,
        requester: &Requester,
    ) -> Result<(String, Fetched)> {
        let basic = password.map(Password::basic);
        // The redactor must still know a credential that was sent by POST.
        let anonymous =
            Requester { identity: Identity::Anonymous, secrets: requester.secrets.clone() };
        let requester = if basic.is_some() { requester } else { &anonymous };
        let mut url = request.url();
        let mut redirects = 0;
        loop {
            let get = Request::get(&url)
                .accept("application/json")
                .authorization(basic.as_ref())
                .max_scope(self.max_scope(&url));
            self.wait_for_pause(&url)?;
            let response = self.send(Party::TokenServer, requester, get, TOKEN_LIMIT)?;
            if !redirect::is_redirect(response.status()) {
                return Ok((url.origin().authority(), response));
            }
            redirects += 1;
            let to = follow(&url, &response.head, redirects)?;
            if basic.is_some() && to.origin() != url.origin() {
                let (from, to) = (url.origin().authority(), to.origin().authority());
                return Err(Refusal::TokenRedirect { from, to }.into());
            }
            url = to;
        }
    }
}
