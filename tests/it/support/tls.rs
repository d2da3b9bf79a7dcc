//! The certificates of the loopback servers, from `tests/vectors/tls`. `make.sh` there creates and describes them.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::PathBuf;
use std::sync::Arc;

/// The certificate of a TLS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// Valid, signed by [`ca_path`], for 127.0.0.1, `::1`, `localhost`, and `registry`, `auth` and `other` under
    /// `localhost`.
    Server,
    /// Signed by [`ca_path`], for `other.example`.
    WrongName,
    /// Signed by [`ca_path`] for the right names, expired in 2021.
    Expired,
    /// Self-signed, with the right names and `CA:TRUE`.
    SelfSignedCa,
}

impl Certificate {
    fn name(self) -> &'static str {
        match self {
            Certificate::Server => "server",
            Certificate::WrongName => "wrong-name",
            Certificate::Expired => "expired",
            Certificate::SelfSignedCa => "self-signed",
        }
    }

    /// The file of the certificate, PEM.
    pub(crate) fn path(self) -> PathBuf {
        vector(&format!("{}.pem", self.name()))
    }

    /// The TLS settings of a server with this certificate.
    pub(crate) fn config(self) -> Arc<ServerConfig> {
        let chain = CertificateDer::pem_file_iter(self.path())
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .expect("a certificate of the tests");
        let key = PrivateKeyDer::from_pem_file(vector(&format!("{}.key", self.name())))
            .expect("a key of the tests");
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("the protocol versions of ring")
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .expect("a key that fits its certificate");
        Arc::new(config)
    }
}

/// The CA that signed the certificates.
pub(crate) fn ca_path() -> PathBuf {
    vector("ca.pem")
}

/// A CA that signed none of them.
pub(crate) fn other_ca_path() -> PathBuf {
    vector("other-ca.pem")
}

fn vector(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", "tls", name].iter().collect()
}
