//! Decides what to do after a 401, from what was sent to the origin before and what the challenges allow.
//!
//! [`Login::next`] is the whole state machine. It is pure: it takes a state and an offer, and returns the next step. The
//! exchange carries that step out. Follows distribution's token specification (`token.md`, steps 1 to 6).

use crate::registry::authorization::Authorization;
use crate::token::TokenRequest;

/// How many tokens one question may use at one origin: one for the first challenge, and one more if the challenge
/// then asks for something else. A token from an earlier question counts.
const MAX_TOKENS: u8 = 2;

/// The login at one origin, during one question.
#[derive(Debug)]
pub(super) enum Login {
    /// Requests are sent without `Authorization`.
    Anonymous {
        /// How many tokens were used so far.
        tokens: u8,
    },
    /// A redirect led here. What is known for the origin is sent only after the origin responds with 401.
    Withheld(Box<Login>),
    /// A token from an earlier question is sent. If it is refused it may have expired, so another one is fetched.
    Kept {
        /// The token.
        token: Authorization,
        /// How many tokens were used, this one included.
        tokens: u8,
    },
    /// A token that was fetched for this question is sent.
    Fetched {
        /// The token.
        token: Authorization,
        /// How many tokens were used, this one included.
        tokens: u8,
    },
    /// A password or a ready token is sent. If it is refused nothing else is tried, since servers lock accounts.
    Final(Authorization),
}

/// What can be done about a 401.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// A ready token that may be sent.
    pub(super) ready: Option<Authorization>,
    /// A token may be requested.
    pub(super) token: Option<TokenRequest>,
    /// A token that was issued for an equal request before.
    pub(super) kept: Option<Authorization>,
    /// A user name and password that may be sent.
    pub(super) basic: Option<Authorization>,
}

/// What to do about a 401.
#[derive(Debug)]
pub(super) enum Step {
    /// Send the same request again, with this login.
    Resend(Login),
    /// Request a token, then send the same request again.
    Fetch {
        /// What to request.
        request: TokenRequest,
        /// How many tokens are used, this one included.
        tokens: u8,
    },
    /// What was sent was refused. The 401 is the final response.
    Refused(Authorization),
    /// Nothing was sent, and nothing can be.
    Unusable,
}

impl Login {
    /// The login that sends something known from earlier questions.
    pub(super) fn kept(authorization: Authorization) -> Login {
        if authorization.token_request().is_some() {
            Login::Kept { token: authorization, tokens: 1 }
        } else {
            Login::Final(authorization)
        }
    }

    /// The same login for an origin that a redirect leads to.
    pub(super) fn withheld(self) -> Login {
        match self {
            Login::Anonymous { .. } | Login::Withheld(_) => self,
            Login::Kept { .. } | Login::Fetched { .. } | Login::Final(_) => {
                Login::Withheld(Box::new(self))
            }
        }
    }

    /// What is sent in this state, if anything.
    pub(super) fn authorization(&self) -> Option<&Authorization> {
        match self {
            Login::Anonymous { .. } | Login::Withheld(_) => None,
            Login::Kept { token: authorization, .. }
            | Login::Fetched { token: authorization, .. }
            | Login::Final(authorization) => Some(authorization),
        }
    }

    /// True if the next step may depend on the user's credentials. Otherwise they are not looked up: a helper may
    /// ask the user.
    pub(super) fn needs_credentials(&self) -> bool {
        !matches!(self, Login::Withheld(_) | Login::Final(_))
    }

    /// The step that follows a 401.
    pub(super) fn next(self, offer: Offer) -> Step {
        let Offer { ready, token: request, kept, basic } = offer;
        match self {
            Login::Withheld(login) => Step::Resend(*login),
            Login::Final(authorization) => Step::Refused(authorization),
            Login::Anonymous { tokens } => {
                if let Some(ready) = ready {
                    return Step::Resend(Login::Final(ready));
                }
                match (kept, request, basic) {
                    (Some(token), Some(_), _) if tokens < MAX_TOKENS => {
                        Step::Resend(Login::Kept { token, tokens: tokens + 1 })
                    }
                    (_, Some(request), _) if tokens < MAX_TOKENS => {
                        Step::Fetch { request, tokens: tokens + 1 }
                    }
                    (_, None, Some(basic)) => Step::Resend(Login::Final(basic)),
                    _ => Step::Unusable,
                }
            }
            Login::Kept { tokens, .. } => match request {
                Some(request) => Step::Fetch { request, tokens: MAX_TOKENS },
                None => Step::Resend(Login::Anonymous { tokens }),
            },
            Login::Fetched { token, tokens } => match request {
                Some(request) if tokens < MAX_TOKENS && token.token_request() != Some(&request) => {
                    Step::Fetch { request, tokens: tokens + 1 }
                }
                _ => Step::Refused(token),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Login, Offer, Step};
    use crate::credentials::{Credential, Found, Secret};
    use crate::http::challenge;
    use crate::registry::authorization::Authorization;
    use crate::token::TokenRequest;
    use crate::url::Url;

    fn request(scope: &str) -> Option<TokenRequest> {
        let line = format!(r#"Bearer realm="https://auth.example/token",scope="{scope}""#);
        let challenge = challenge::parse([line.as_bytes()]).into_iter().next()?.ok()?;
        let url = Url::parse("https://registry.example/v2/").ok()?;
        TokenRequest::new(&challenge, &url, None).ok()
    }

    fn issued(scope: &str) -> Option<Authorization> {
        Some(Authorization::issued_token(
            Secret::new(format!("for {scope}")),
            request(scope)?,
            None,
        ))
    }

    fn found(credential: Credential) -> Found {
        Found { credential, source: None }
    }

    fn password() -> Option<Authorization> {
        let password = Credential::password("ada", Secret::new("secret")).ok()?;
        Authorization::basic(&found(password))
    }

    fn ready() -> Option<Authorization> {
        Authorization::ready_token(&found(Credential::Token(Secret::new("ready"))))
    }

    /// The states and steps of the table below, in a few letters.
    fn state(name: &str) -> Option<Login> {
        Some(match name {
            "anonymous 0" => Login::Anonymous { tokens: 0 },
            "anonymous 1" => Login::Anonymous { tokens: 1 },
            "anonymous 2" => Login::Anonymous { tokens: 2 },
            "kept a" => Login::kept(issued("a")?),
            "fetched a 1" => Login::Fetched { token: issued("a")?, tokens: 1 },
            "fetched a 2" => Login::Fetched { token: issued("a")?, tokens: 2 },
            "password" => Login::kept(password()?),
            "ready" => Login::kept(ready()?),
            "withheld kept a" => Login::kept(issued("a")?).withheld(),
            "withheld anonymous" => Login::Anonymous { tokens: 0 }.withheld(),
            _ => return None,
        })
    }

    fn offer(names: &str) -> Option<Offer> {
        let mut offer = Offer::default();
        for name in names.split_terminator(' ') {
            match name {
                "ready" => offer.ready = ready(),
                "a" | "b" => offer.token = request(name),
                "kept-a" => offer.kept = issued("a"),
                "basic" => offer.basic = password(),
                _ => return None,
            }
        }
        Some(offer)
    }

    fn described(step: &Step) -> String {
        match step {
            Step::Resend(login) => match login {
                Login::Anonymous { tokens } => format!("send nothing, {tokens} used"),
                Login::Withheld(_) => "withhold".to_owned(),
                Login::Kept { tokens, .. } => format!("send kept token, {tokens} used"),
                Login::Fetched { .. } => "send fetched token".to_owned(),
                Login::Final(sent) if sent.password().is_some() => "send password".to_owned(),
                Login::Final(_) => "send ready token".to_owned(),
            },
            Step::Fetch { request, tokens } => {
                let query = request.url().to_string();
                let scope = query.rsplit_once("scope=").map_or("", |(_, scope)| scope);
                format!("fetch {scope}, {tokens} used")
            }
            Step::Refused(_) => "refused".to_owned(),
            Step::Unusable => "unusable".to_owned(),
        }
    }

    #[test]
    fn each_state_and_offer_has_its_next_step() {
        for (login, offered, expected) in [
            ("anonymous 0", "", "unusable"),
            ("anonymous 0", "a", "fetch a, 1 used"),
            ("anonymous 0", "basic", "send password"),
            ("anonymous 0", "a basic", "fetch a, 1 used"),
            ("anonymous 0", "a kept-a", "send kept token, 1 used"),
            ("anonymous 0", "kept-a", "unusable"),
            ("anonymous 0", "ready a kept-a basic", "send ready token"),
            ("anonymous 1", "a", "fetch a, 2 used"),
            ("anonymous 1", "a kept-a", "send kept token, 2 used"),
            ("anonymous 1", "basic", "send password"),
            ("anonymous 2", "a kept-a", "unusable"),
            // A kept token may have expired: one more, even for the same scope.
            ("kept a", "a", "fetch a, 2 used"),
            ("kept a", "b", "fetch b, 2 used"),
            ("kept a", "", "send nothing, 1 used"),
            ("kept a", "basic", "send nothing, 1 used"),
            // A token that was just fetched: one more only for another scope.
            ("fetched a 1", "a", "refused"),
            ("fetched a 1", "b", "fetch b, 2 used"),
            ("fetched a 1", "", "refused"),
            ("fetched a 1", "basic", "refused"),
            ("fetched a 2", "b", "refused"),
            // The user's own password or token: nothing else is tried.
            ("password", "a kept-a basic", "refused"),
            ("ready", "a kept-a basic ready", "refused"),
            // After a redirect nothing is sent before the origin asks for it.
            ("withheld kept a", "b", "send kept token, 1 used"),
            ("withheld anonymous", "a", "fetch a, 1 used"),
        ] {
            let login_state = state(login).zip(offer(offered));
            let step = login_state.map(|(state, offer)| described(&state.next(offer)));
            assert_eq!(step.as_deref(), Some(expected), "{login}: {offered}");
        }
    }

    #[test]
    fn credentials_are_looked_up_only_if_they_can_matter() {
        for (login, needed) in [
            ("anonymous 0", true),
            ("kept a", true),
            ("fetched a 1", true),
            ("password", false),
            ("ready", false),
            ("withheld kept a", false),
        ] {
            assert_eq!(
                state(login).map(|login| login.needs_credentials()),
                Some(needed),
                "{login}"
            );
        }
    }
}
