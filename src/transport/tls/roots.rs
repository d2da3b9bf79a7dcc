//! The CA certificates that are trusted: the built-in ones and those in the caller's PEM files.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

use crate::error::{Error, LocalFault};
use crate::files::read_bounded;

/// Maximum size of a PEM file in bytes. The bundles of Linux distributions have about 200 KiB.
const MAX_CA_FILE_SIZE: u64 = 16 * 1024 * 1024;

/// The certificates that are trusted.
#[derive(Debug)]
pub(super) struct Roots {
    /// All of them, as trust anchors.
    pub(super) store: RootCertStore,
    /// Those in the caller's files.
    pub(super) named: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// Joins the built-in certificates with those in `files`.
    ///
    /// # Errors
    /// If a file is unreadable, has no certificate, or has an invalid one.
    pub(super) fn read(files: &[PathBuf]) -> Result<Roots, Error> {
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let mut named = Vec::new();
        for path in files {
            read_certificates(path, &mut store, &mut named)
                .map_err(|fault| Error::Local { path: path.clone(), fault })?;
        }
        Ok(Roots { store, named })
    }
}

/// Reads every certificate of a PEM file. An invalid certificate is an error; none is skipped.
fn read_certificates(
    path: &Path,
    store: &mut RootCertStore,
    named: &mut Vec<CertificateDer<'static>>,
) -> Result<(), LocalFault> {
    let text = read_bounded(path, MAX_CA_FILE_SIZE)?;
    let before = named.len();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error: pem::Error| invalid(error))?;
        store.add(certificate.clone()).map_err(invalid)?;
        named.push(certificate);
    }
    if named.len() == before { Err(LocalFault::NoCertificate) } else { Ok(()) }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> LocalFault {
    LocalFault::Certificate(Box::new(error))
}
