//! Verifies server certificates.
//!
//! Does what rustls' `WebPkiServerVerifier` does, with two differences: a CA certificate that is used as a server
//! certificate is accepted if the caller trusts exactly this one, and revocation lists are not supported.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error as TlsError, SignatureScheme};

use crate::transport::tls::certificate_error::is_ca_used_as_end_entity;
use crate::transport::tls::roots::Roots;

/// Verifies certificates, and the handshake signatures made with their keys.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    /// `None` accepts every certificate. The peer must still prove that it has the certificate's key.
    pub(super) roots: Option<Roots>,
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
        if let Some(roots) = &self.roots {
            verify(roots, certificate, intermediates, name, now, &self.algorithms)?;
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

/// Verifies the chain, the dates and the name.
///
/// `openssl req -x509` makes self-signed certificates that are CA certificates. webpki never accepts one from a server.
/// Here it is accepted if it is in the caller's files and its dates and names are right.
fn verify(
    roots: &Roots,
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    now: UnixTime,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), TlsError> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    let chain = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &roots.store,
        intermediates,
        now,
        algorithms.all,
    );
    match chain {
        // webpki checks the dates before it reports this error.
        Err(TlsError::InvalidCertificate(error))
            if is_ca_used_as_end_entity(&error) && roots.named.contains(certificate) => {}
        chain => chain?,
    }
    verify_server_name(&parsed, name)
}
