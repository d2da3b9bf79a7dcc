//! Describes the response that ends a question, and converts it to an error if it is a failure.

use crate::credentials::Secret;
use crate::error::{ChallengeFault, CredentialFault, Error, Identity, Party, StatusError};
use crate::oci::ErrorBody;
use crate::registry::authorization::Authorization;
use crate::registry::challenge_plan;
use crate::transport::Fetched;
use crate::url::Url;

/// The response that ends a question: neither a redirect nor a 401 after which the client can log in.
#[derive(Debug)]
pub(super) struct FinalResponse {
    pub(super) response: Fetched,
    /// The URL it came from, after all redirects.
    pub(super) url: Url,
    /// What was sent with the request.
    pub(super) authorization: Option<Authorization>,
    /// All secrets that were sent during the exchange.
    pub(super) secrets: Vec<Secret>,
    /// Why the challenges of a final 401 could not be used.
    pub(super) challenge_faults: Vec<ChallengeFault>,
    /// Why credentials could not be looked up, if the response is a failure because of that.
    pub(super) credential_fault: Option<CredentialFault>,
}

impl FinalResponse {
    /// True if a bearer token was sent.
    pub(super) fn sent_token(&self) -> bool {
        self.authorization.as_ref().is_some_and(|sent| sent.password().is_none())
    }

    /// True if a password was sent and refused. It must not be sent again.
    pub(super) fn refused_password(&self) -> bool {
        let password = self.authorization.as_ref().and_then(Authorization::password);
        self.response.status() == 401 && password.is_some()
    }

    /// Converts this response to an error. Its status must be a failure.
    pub(super) fn into_error(self) -> Error {
        let host = self.url.origin().authority();
        let invalid = self.challenge_faults.iter().any(ChallengeFault::is_invalid);
        let error = if self.response.status() == 401 && invalid {
            let body = error_body(&self.response.body, &self.secrets);
            challenge_plan::unusable(host, self.challenge_faults, body)
        } else {
            let identity = self.authorization.map(|sent| sent.identity().clone());
            let identity = identity.unwrap_or(Identity::Anonymous);
            let error =
                status_error(Party::Registry, host, &self.response, identity, &self.secrets);
            Error::Status(Box::new(error))
        };
        match self.credential_fault {
            Some(cause) => Error::CredentialsUnavailable { cause, response: Box::new(error) },
            None => error,
        }
    }
}

/// Describes a failed response, with the server's error message.
pub(super) fn status_error(
    party: Party,
    host: String,
    response: &Fetched,
    identity: Identity,
    secrets: &[Secret],
) -> StatusError {
    StatusError {
        party,
        host,
        status: response.status(),
        body: error_body(&response.body, secrets),
        identity,
        retry_after: response.retry_after(),
    }
}

/// Reads the error message of a failed response. Secrets that were sent are redacted: some servers echo them.
pub(super) fn error_body(body: &[u8], secrets: &[Secret]) -> ErrorBody {
    ErrorBody::read_redacted(body, &Secret::redactor(secrets))
}
