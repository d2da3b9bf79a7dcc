//! Whom TLS trusts, and what its failures say.
//!
//! The roots are those built in, joined with the files that the caller names. rustls is told so here; the
//! connection itself is made in `connect.rs`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, KeyProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SigningKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};

use super::settings::Settings;
use crate::error::{CertificateFault, Error, LocalFault};

/// The TLS configuration for all connections of a client.
pub(super) fn client_config(settings: &Settings) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(provider());
    let mut named = Vec::new();
    for path in &settings.ca_files {
        read_certificates(path, &mut named)
            .map_err(|fault| Error::Local { path: path.clone(), fault })?;
    }
    let verifier = verifier(settings.insecure, &provider, named);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::TlsSetup(Box::new(error)))?
        .dangerous()
        .with_custom_certificate_verifier(verifier?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// ring's suites, groups and checks of signatures, without its reading of private keys: no client certificate is
/// ever shown, so what would sign with one is not linked.
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

fn verifier(
    insecure: bool,
    provider: &Arc<CryptoProvider>,
    named: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    if insecure {
        return Ok(Arc::new(Unchecked(Arc::clone(provider))));
    }
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // Each was added to an empty store when it was read, so none is skipped here.
    roots.add_parsable_certificates(named.iter().cloned());
    let checked = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider))
        .build()
        .map_err(|error| Error::TlsSetup(Box::new(error)))?;
    Ok(Arc::new(Checked { checked, named }))
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> LocalFault {
    LocalFault::Certificate(Box::new(error))
}

/// Reads every certificate of a PEM file. One that cannot be used is an error and never skipped.
fn read_certificates(
    path: &Path,
    into: &mut Vec<CertificateDer<'static>>,
) -> Result<(), LocalFault> {
    let text = fs::read(path).map_err(LocalFault::Io)?;
    let before = into.len();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error: pem::Error| damaged(error))?;
        RootCertStore::empty().add(certificate.clone()).map_err(damaged)?;
        into.push(certificate);
    }
    if into.len() == before { Err(LocalFault::NoCertificate) } else { Ok(()) }
}

/// The usual check, and one case more: a server that shows an authority's certificate (which is what
/// `openssl req -x509` makes) is trusted when exactly this certificate is named as trusted.
#[derive(Debug)]
struct Checked {
    checked: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        match self.checked.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // Dates were checked before this fault is found; the name was not.
            Err(error) if is_authority_as_server(&error) && self.named.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.checked.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.checked.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.checked.supported_verify_schemes()
    }
}

/// No check of the certificate, as the caller asked. The handshake's signatures are still checked: the peer
/// must own the key of what it shows.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let schemes = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let schemes = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn is_authority_as_server(error: &TlsError) -> bool {
    // rustls passes webpki's error on as an opaque one; its text is all there is to tell it by.
    matches!(error, TlsError::InvalidCertificate(CertificateError::Other(other))
        if other.to_string() == "CaUsedAsEndEntity")
}

/// What a refused certificate says, in words of our own.
#[expect(clippy::wildcard_enum_match_arm, reason = "rustls' errors may become more")]
pub(super) fn certificate_fault(error: &CertificateError) -> CertificateFault {
    match error {
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::Expired => CertificateFault::Expired(None),
        CertificateError::ExpiredContext { not_after, .. } => {
            CertificateFault::Expired(Some(not_after.as_secs()))
        }
        CertificateError::NotValidYet => CertificateFault::NotYetValid(None),
        CertificateError::NotValidYetContext { not_before, .. } => {
            CertificateFault::NotYetValid(Some(not_before.as_secs()))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            CertificateFault::Name {
                expected: expected.to_str().into_owned(),
                presented: presented.iter().map(|name| bare_name(name)).collect(),
            }
        }
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            CertificateFault::AuthorityAsServer
        }
        other => CertificateFault::Other(other.to_string()),
    }
}

/// `DnsName("a.example")` and `IpAddress(10.1.2.3)` without their wrapping.
fn bare_name(presented: &str) -> String {
    let inside = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(presented).trim_matches('"').to_owned()
}
