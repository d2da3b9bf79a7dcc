//! Builds supplied data of a login attempt in one expression.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regq::credentials::Secret;
use regq::explain::{Case, Explanation, Given, Severity, explain, parse_date};
use regq::reference::Reference;
use serde_json::{Value, json};

/// The reference of tests that are not about names.
pub(super) const NAME: &str = "reg.example.com/team/app:1";
/// The registry's challenge.
pub(super) const CHALLENGE: &str = "Bearer realm=\"https://auth.example.com/token\",\
     service=\"reg.example.com\",scope=\"repository:team/app:pull\"";
/// A correct token URL.
pub(super) const URL: &str =
    "https://auth.example.com/token?service=reg.example.com&scope=repository:team/app:pull";
/// A Date at which the token of [`claims`] is valid.
pub(super) const DATE: &str = "Thu, 22 Sep 2016 12:23:10 GMT";

/// Docker Hub's challenge.
pub(super) const HUB: &str = "Bearer realm=\"https://auth.docker.io/token\",\
     service=\"registry.docker.io\",scope=\"repository:library/alpine:pull\"";

/// Supplied data.
#[derive(Debug, Default)]
pub(super) struct Supplied {
    name: Option<String>,
    given: Given,
    plain_http: bool,
}

/// Only a reference; not even that if it is empty.
pub(super) fn of(name: &str) -> Supplied {
    let name = Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
    Supplied { name, ..Supplied::default() }
}

/// A correct login: it has no finding.
pub(super) fn correct() -> Supplied {
    of(NAME).token_url(URL).token(claims(json!({}))).challenge(CHALLENGE).date(DATE)
}

/// A valid token with changed claims; null removes one.
pub(super) fn claims(changes: Value) -> String {
    let mut claims = json!({
        "iss": "auth.example.com", "sub": "", "aud": "reg.example.com",
        "iat": 1_474_546_983, "nbf": 1_474_546_983, "exp": 1_474_547_283, "jti": "x7Ha",
        "access": [{"type": "repository", "name": "team/app", "actions": ["pull"]}],
    });
    for (name, value) in changes.as_object().expect("an object") {
        let all = claims.as_object_mut().expect("an object");
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    jwt(r#"{"alg":"RS256","typ":"JWT","kid":"K1"}"#, &claims.to_string())
}

/// A token of this header and these claims.
pub(super) fn jwt(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}.c2lnbmF0dXJl")
}

/// An entry of `access`.
pub(super) fn access(name: &str, actions: &[&str]) -> Value {
    json!({"access": [{"type": "repository", "name": name, "actions": actions}]})
}

impl Supplied {
    /// The token URL.
    pub(super) fn token_url(mut self, url: impl Into<String>) -> Supplied {
        self.given.token_url = Some(url.into());
        self
    }

    /// The token or token response.
    pub(super) fn token(mut self, token: impl Into<String>) -> Supplied {
        self.given.token = Some(Secret::new(token));
        self
    }

    /// Replaces the challenge lines.
    pub(super) fn challenge(mut self, line: impl Into<String>) -> Supplied {
        self.given.challenges = Some(vec![line.into()]);
        self
    }

    /// Adds a challenge line.
    pub(super) fn line(mut self, line: impl Into<String>) -> Supplied {
        self.given.challenges.get_or_insert_default().push(line.into());
        self
    }

    /// Removes the challenges.
    pub(super) fn no_challenge(mut self) -> Supplied {
        self.given.challenges = None;
        self
    }

    /// Removes the token.
    pub(super) fn no_token(mut self) -> Supplied {
        self.given.token = None;
        self
    }

    /// Removes the token URL.
    pub(super) fn not_asked(mut self) -> Supplied {
        self.given.token_url = None;
        self
    }

    /// Appends a text to the last challenge line.
    pub(super) fn error(mut self, code: &str) -> Supplied {
        let lines = self.given.challenges.get_or_insert_default();
        let line = lines.last_mut().expect("a challenge");
        line.push_str(&format!(",error=\"{code}\""));
        self
    }

    /// The status of the final response.
    pub(super) fn status(mut self, status: u16) -> Supplied {
        self.given.status = Some(status);
        self
    }

    /// The body of the final response.
    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Supplied {
        self.given.body = Some(body.into());
        self
    }

    /// The body of the final response, with these error codes.
    pub(super) fn codes(self, codes: &[&str]) -> Supplied {
        let errors: Vec<_> = codes.iter().map(|code| json!({"code": code})).collect();
        self.body(json!({"errors": errors}).to_string())
    }

    /// The `Date` of the final response.
    pub(super) fn date(mut self, date: &str) -> Supplied {
        self.given.date = Some(parse_date(date).expect("a date"));
        self
    }

    /// Removes the `Date`.
    pub(super) fn no_date(mut self) -> Supplied {
        self.given.date = None;
        self
    }

    /// Uses plain http for the registry.
    pub(super) fn plain_http(mut self) -> Supplied {
        self.plain_http = true;
        self
    }

    /// Explains the data.
    #[track_caller]
    pub(super) fn explain(&self) -> Explanation {
        let name = self.name.as_deref();
        let reference = name.map(|name| Reference::parse(name).expect("a reference"));
        let case = Case::new(&self.given).plain_http(self.plain_http);
        explain(&match &reference {
            Some(reference) => case.reference(reference),
            None => case,
        })
    }

    /// The findings in order, as `severity id`.
    #[track_caller]
    pub(super) fn found(&self) -> Vec<String> {
        let findings = self.explain().findings;
        findings.iter().map(|one| format!("{} {}", one.severity.as_str(), one.id)).collect()
    }

    /// The findings above `note`.
    #[track_caller]
    pub(super) fn faults(&self) -> Vec<String> {
        let findings = self.explain().findings;
        let above = findings.iter().filter(|one| one.severity != Severity::Note);
        above.map(|one| format!("{}: {}", one.id, one.evidence)).collect()
    }
}
