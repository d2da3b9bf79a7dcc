//! Creates keys and certificates for a run with the `openssl` command: a CA, one certificate for all TLS servers, and the
//! key that signs tokens with its certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Outcome;
use crate::peers::Surroundings;

/// All names and addresses of servers in these tests.
const NAMES: &str = "DNS:localhost,IP:127.0.0.1,DNS:registry-1.docker.io,DNS:index.docker.io,DNS:auth.docker.io,\
                     DNS:registry.public.example,DNS:token.private.example,\
                     DNS:registry.private.example,DNS:quay.io,DNS:auth.quay.io,\
                     DNS:registry.example.com,DNS:auth.example.com";

/// Replaces openssl's default configuration, which differs between machines.
const CONFIGURATION: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = end-to-end tests
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = NAMES
[token]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
";

/// The files, all in one folder.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Creates them in the folder `parent/tls`.
    pub(crate) fn make(parent: &Path) -> Outcome<Self> {
        let folder = parent.join("tls");
        let certificates = Self { folder };
        // skopeo reads every `.crt` file of the folder that `--cert-dir` names.
        fs::create_dir_all(certificates.folder_for_skopeo()).map_err(|error| error.to_string())?;
        let configuration = CONFIGURATION.replace("NAMES", NAMES);
        fs::write(certificates.file("openssl.cnf"), configuration)
            .map_err(|error| error.to_string())?;
        certificates.certify("authority", "authority", &["-days", "2"])?;
        let authority = certificates.authority().display().to_string();
        let key = certificates.file("authority.key").display().to_string();
        certificates.certify(
            "server",
            "server",
            &["-days", "1", "-CA", &authority, "-CAkey", &key],
        )?;
        certificates.certify("token", "token", &["-days", "1"])?;
        fs::copy(certificates.authority(), certificates.folder_for_skopeo().join("ca.crt"))
            .map_err(|error| error.to_string())?;
        Ok(certificates)
    }

    /// The certificates that another process created in `parent`.
    pub(crate) fn of(parent: &Path) -> Self {
        Self { folder: parent.join("tls") }
    }

    /// The CA certificate, PEM.
    pub(crate) fn authority(&self) -> PathBuf {
        self.file("authority.crt")
    }

    /// The folder for skopeo's `--cert-dir`.
    pub(crate) fn folder_for_skopeo(&self) -> PathBuf {
        self.folder.join("certs.d")
    }

    /// The certificate of all servers, PEM.
    pub(crate) fn server_certificate(&self) -> PathBuf {
        self.file("server.crt")
    }

    /// The key of the server certificate, PEM (PKCS #8).
    pub(crate) fn server_key(&self) -> PathBuf {
        self.file("server.key")
    }

    /// The certificate of the key that signs tokens, PEM: a registry's `rootcertbundle`.
    pub(crate) fn token_certificate(&self) -> PathBuf {
        self.file("token.crt")
    }

    /// The key that signs tokens (PKCS #8) and its certificate, both DER.
    pub(crate) fn token_pair(&self) -> Outcome<(Vec<u8>, Vec<u8>)> {
        let key = read_key(&self.file("token.key"))?;
        Ok((key.secret_pkcs8_der().to_vec(), read_certificate(&self.token_certificate())?.to_vec()))
    }

    /// The TLS settings of a server in this program.
    pub(crate) fn server_config(&self) -> Outcome<Arc<ServerConfig>> {
        let chain = vec![read_certificate(&self.server_certificate())?];
        let key = PrivateKeyDer::from(read_key(&self.server_key())?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        config.map(Arc::new).map_err(|error| format!("TLS: {error}"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Creates `NAME.key` and `NAME.crt`, self-signed unless `more` names a CA.
    fn certify(&self, name: &str, extensions: &str, more: &[&str]) -> Outcome<()> {
        let key = self.file(&format!("{name}.key")).display().to_string();
        let certificate = self.file(&format!("{name}.crt")).display().to_string();
        let configuration = self.file("openssl.cnf").display().to_string();
        let subject = format!("/CN=end-to-end tests: {name}");
        self.openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            &key,
        ])?;
        let request = ["req", "-x509", "-new", "-sha256", "-config", &configuration];
        let about = ["-key", &key, "-out", &certificate, "-subj", &subject];
        let words = [&request[..], &about, &["-extensions", extensions], more].concat();
        self.openssl(&words)
    }

    fn openssl(&self, arguments: &[&str]) -> Outcome<()> {
        let program = crate::peers::find("openssl").ok_or("the openssl command is needed")?;
        Surroundings::new(&self.folder).run(&program, arguments, "")?.bytes().map(drop)
    }
}

fn read_certificate(file: &Path) -> Outcome<CertificateDer<'static>> {
    CertificateDer::from_pem_file(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn read_key(file: &Path) -> Outcome<PrivatePkcs8KeyDer<'static>> {
    PrivatePkcs8KeyDer::from_pem_file(file).map_err(|error| format!("{}: {error}", file.display()))
}
