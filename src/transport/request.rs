//! A request: what is sent, and the rules for sending it.

use ureq::http;

use crate::credentials::Secret;
use crate::transport::address_scope::AddressScope;
use crate::url::Url;

const USER_AGENT: &str = concat!("regq/", env!("CARGO_PKG_VERSION"));

/// A request method. regq only reads; `POST` is for token requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
        }
    }
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    accept: &'a str,
    /// The value of the `Authorization` header.
    pub(crate) authorization: Option<&'a Secret>,
    /// The body of a `POST`: URL-encoded form fields.
    pub(super) form: Option<&'a Secret>,
    /// The most private kind of address that this request may connect to. `None` for hosts the user named: any
    /// address is allowed.
    pub(super) max_scope: Option<AddressScope>,
    /// Whether to retry after transient failures.
    pub(super) retried: bool,
}

impl<'a> Request<'a> {
    /// Makes a request without a body: `GET` or `HEAD`.
    pub(crate) fn new(method: Method, url: &'a Url) -> Request<'a> {
        Request {
            method,
            url,
            accept: "*/*",
            authorization: None,
            form: None,
            max_scope: None,
            retried: true,
        }
    }

    pub(crate) fn get(url: &'a Url) -> Request<'a> {
        Request::new(Method::Get, url)
    }

    /// Makes a `POST` of URL-encoded form fields.
    pub(crate) fn post_form(url: &'a Url, form: &'a Secret) -> Request<'a> {
        Request { form: Some(form), ..Request::new(Method::Post, url) }
    }

    /// Sets the `Accept` header. The default is `*/*`.
    pub(crate) fn accept(self, accept: &'a str) -> Request<'a> {
        Request { accept, ..self }
    }

    /// Sets the `Authorization` header.
    pub(crate) fn authorization(self, authorization: Option<&'a Secret>) -> Request<'a> {
        Request { authorization, ..self }
    }

    /// Refuses to connect to addresses more private than this.
    pub(crate) fn max_scope(self, max_scope: Option<AddressScope>) -> Request<'a> {
        Request { max_scope, ..self }
    }

    /// Sends the request once, without retries.
    pub(crate) fn once(self) -> Request<'a> {
        Request { retried: false, ..self }
    }

    /// Converts to the HTTP library's request. Its headers are listed in order; `host` is added when it is sent.
    ///
    /// # Errors
    /// If the URL is longer than the library accepts, or the authorization is not a header value.
    pub(super) fn to_http(self) -> Result<http::Request<()>, http::Error> {
        let mut request = http::Request::builder()
            .method(self.method.as_str())
            .uri(self.url.to_string())
            .header("accept", self.accept)
            .header("accept-encoding", "identity")
            .header("user-agent", USER_AGENT);
        if let Some(authorization) = self.authorization {
            let mut value = http::HeaderValue::from_str(authorization.expose())?;
            value.set_sensitive(true);
            request = request.header("authorization", value);
        }
        if self.form.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        request.body(())
    }
}
