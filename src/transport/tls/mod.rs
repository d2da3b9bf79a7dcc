//! TLS settings: the roots that are trusted, how certificates are verified, and the names of negotiated parameters.
//!
//! `connector.rs` makes the connections.

mod certificate_error;
mod names;
mod roots;
mod verifier;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{ClientConfig, Error as TlsError};

pub(super) use self::certificate_error::certificate_fault;
pub(super) use self::names::{cipher_name, version_name};
use self::roots::Roots;
use self::verifier::Verifier;
use crate::error::Error;
use crate::transport::settings::Settings;

/// Makes the TLS configuration for all connections of a client.
///
/// # Errors
/// If a CA file is unreadable or has an invalid certificate.
pub(super) fn client_config(settings: &Settings) -> Result<Arc<ClientConfig>, Error> {
    let roots = Roots::read(&settings.ca_files)?;
    let provider = provider();
    let verifier = Verifier {
        algorithms: provider.signature_verification_algorithms,
        roots: (!settings.insecure).then_some(roots),
    };
    let config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::TlsSetup(Box::new(error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Returns ring's algorithms, but without reading private keys. Client certificates are not supported, so that code
/// would only make the program larger.
fn provider() -> CryptoProvider {
    CryptoProvider { key_provider: &NoClientKey, ..rustls::crypto::ring::default_provider() }
}

#[derive(Debug)]
struct NoClientKey;

impl KeyProvider for NoClientKey {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, TlsError> {
        Err(TlsError::General("client certificates are not supported".to_owned()))
    }
}
