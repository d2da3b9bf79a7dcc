//! Whom TLS trusts, and what its failures say.
//!
//! The roots are those built in, joined with the files that the caller names. rustls is told so here; the
//! connection itself is made in `connect.rs`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, KeyProvider, WebPkiSupportedAlgorithms, verify_tls12_signature,
    verify_tls13_signature,
};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SigningKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};

use crate::error::{CertificateFault, Error, LocalFault};
use crate::transport::settings::Settings;

/// The TLS configuration for all connections of a client.
pub(super) fn client_config(settings: &Settings) -> Result<Arc<ClientConfig>, Error> {
    let mut named = Vec::new();
    for path in &settings.ca_files {
        read_certificates(path, &mut named)
            .map_err(|fault| Error::Local { path: path.clone(), fault })?;
    }
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let trusted = (!settings.insecure).then(|| Trusted::new(named));
    let config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::TlsSetup(Box::new(error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { algorithms, trusted }))
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

/// What a server's certificate is held against.
#[derive(Debug)]
struct Trusted {
    roots: RootCertStore,
    named: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn new(named: Vec<CertificateDer<'static>>) -> Trusted {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        // Each was added to an empty store when it was read, so none is skipped here.
        roots.add_parsable_certificates(named.iter().cloned());
        Trusted { roots, named }
    }

    /// The usual check, and one case more: a server that shows an authority's certificate (which is what
    /// `openssl req -x509` makes) is trusted when exactly this certificate is named as trusted.
    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), TlsError> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let chain = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            algorithms.all,
        );
        match chain {
            // Dates were checked before this fault is found.
            Err(error) if is_authority_as_server(&error) && self.named.contains(certificate) => {}
            chain => chain?,
        }
        verify_server_name(&parsed, name)
    }
}

/// Checks a server's certificate, and the handshake's signatures with its key. As `WebPkiServerVerifier` does, but
/// for its lists of revoked certificates, which nobody gives to regq.
#[derive(Debug)]
struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    /// `None` when the caller asked for no check of the certificate. The peer must own the key of what it shows all
    /// the same.
    trusted: Option<Trusted>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if let Some(trusted) = &self.trusted {
            trusted.check(certificate, intermediates, name, now, &self.algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
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
