//! Getting a token: GET with or without a password, POST for an identity token, and one way back.

use crate::credentials::{Credential, Found, Password, Secret};
use crate::error::{Error, Identity, Party, Refusal, Result, TokenFault};
use crate::registry::challenge_plan::{Authorization, identity};
use crate::registry::exchange::{Exchange, Requester, follow, status_error, words};
use crate::token::{self, TokenRequest};
use crate::transport::redirect;
use crate::transport::{Fetched, Limit, Request};

/// A token's answer is read so far.
const TOKEN_LIMIT: Limit = Limit { what: "token answer", bytes: 64 * 1024 };

impl Exchange<'_> {
    /// Asks the token server that a challenge names.
    pub(super) fn fetch_token(
        &mut self,
        request: &TokenRequest,
        found: Option<&Found>,
    ) -> Result<Authorization> {
        let credential = found.map(|found| &found.credential);
        let sent = credential.map(Credential::secrets).unwrap_or_default();
        let asker =
            Requester { identity: found.map_or(Identity::Anonymous, identity), secrets: &sent };
        let exchanged = match credential {
            Some(Credential::IdentityToken { token, .. }) => {
                self.exchange_token(request, token, &asker)?
            }
            Some(Credential::Password(_) | Credential::Token(_)) | None => None,
        };
        let (host, answer, used) = match exchanged {
            Some(answer) => (request.realm().origin().authority(), answer, found),
            None => {
                let password = credential.and_then(Credential::as_password);
                let (host, answer) = self.get_token(request, password, &asker)?;
                (host, answer, found.filter(|_| password.is_some()))
            }
        };
        if !(200..300).contains(&answer.status()) {
            let identity = asker.identity;
            return Err(status_error(Party::TokenServer, host, &answer, identity, &self.sent));
        }
        let token = token::read_token(answer.head.header("content-type"), &answer.body)
            .map_err(|mut fault| {
                if let TokenFault::Json { body: quoted, .. } = &mut fault
                    && !quoted.is_empty()
                {
                    *quoted = words(&answer.body, &self.sent);
                }
                fault
            })
            .map_err(|fault| Error::Token { host, fault })?;
        if let (Some(found), None) = (found, used) {
            let host = request.realm().origin().authority();
            self.client.say(&format!("{host} did not take {}", identity(found)));
        }
        Ok(Authorization::bearer(&token, request, used))
    }

    /// POST with the identity token. `None` when the server does not do that, as servers say in four ways.
    fn exchange_token(
        &mut self,
        request: &TokenRequest,
        identity: &Secret,
        asker: &Requester<'_>,
    ) -> Result<Option<Fetched>> {
        let url = request.realm();
        let form = request.form(identity);
        let sent = Request::post_form(url, &form)
            .accept("application/json")
            .max_scope(self.reach_for(url));
        let answer = self.send(Party::TokenServer, asker, sent, TOKEN_LIMIT)?;
        if redirect::is_redirect(answer.status()) {
            let to = redirect::target(url, &answer.head)?.origin().authority();
            let from = url.origin().authority();
            return Err(Refusal::TokenRedirect { from, to }.into());
        }
        Ok((!matches!(answer.status(), 400 | 401 | 404 | 405)).then_some(answer))
    }

    /// GET, with a password or without. With one it is redirected on its own origin only.
    fn get_token(
        &mut self,
        request: &TokenRequest,
        password: Option<&Password>,
        asker: &Requester<'_>,
    ) -> Result<(String, Fetched)> {
        let basic = password.map(Password::basic);
        let nobody = Requester { identity: Identity::Anonymous, secrets: asker.secrets };
        let asker = if basic.is_some() { asker } else { &nobody };
        let mut url = request.url();
        let mut redirects = 0;
        loop {
            let sent = Request::get(&url)
                .accept("application/json")
                .authorization(basic.as_ref())
                .max_scope(self.reach_for(&url));
            let answer = self.send(Party::TokenServer, asker, sent, TOKEN_LIMIT)?;
            if !redirect::is_redirect(answer.status()) {
                return Ok((url.origin().authority(), answer));
            }
            redirects += 1;
            let to = follow(&url, &answer.head, redirects)?;
            if basic.is_some() && to.origin() != url.origin() {
                let (from, to) = (url.origin().authority(), to.origin().authority());
                return Err(Refusal::TokenRedirect { from, to }.into());
            }
            url = to;
        }
    }
}
