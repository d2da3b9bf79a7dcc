//! Just enough of an https server for the token server: one request a connection, no body in,
//! JSON out.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::Outcome;
use crate::certificates::{Certificates, pem_body};

/// How long a client may keep a connection without a word.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes a request's head may have.
const HEAD_LIMIT: u64 = 64 * 1024;

/// A request without its body.
#[derive(Debug)]
pub(crate) struct Request {
    /// `GET`
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
}

/// An answer; its body is JSON.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
}

/// A server that runs; it ends with this value.
pub(crate) struct Https {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    ending: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl fmt::Debug for Https {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Https({})", self.address)
    }
}

impl Https {
    /// Listens at an address; every connection has a thread of its own.
    pub(crate) fn start(
        address: &str,
        certificates: &Certificates,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Outcome<Self> {
        let config = server_config(certificates)?;
        let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let ending = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let acceptor = std::thread::spawn({
            let ending = Arc::clone(&ending);
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if ending.load(Ordering::SeqCst) {
                        break;
                    }
                    let (config, answer) = (Arc::clone(&config), Arc::clone(&answer));
                    // A client that goes away in the middle is the client's affair.
                    std::thread::spawn(move || drop(serve(stream, config, &*answer)));
                }
            }
        });
        Ok(Self { address, ending, acceptor: Some(acceptor) })
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // The acceptor waits for a connection: this one tells it to look.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

fn server_config(certificates: &Certificates) -> Outcome<Arc<ServerConfig>> {
    let der = |body: String| STANDARD.decode(body).map_err(|error| error.to_string());
    let certificate = CertificateDer::from(der(pem_body(&certificates.server_certificate())?)?);
    let key = PrivatePkcs8KeyDer::from(der(pem_body(&certificates.server_key())?)?);
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(config))
}

/// Reads one request, answers it, and closes.
fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    answer: &impl Fn(&Request) -> Reply,
) -> Outcome<()> {
    let said = |error: std::io::Error| error.to_string();
    stream.set_read_timeout(Some(PATIENCE)).map_err(said)?;
    let connection = ServerConnection::new(config).map_err(|error| error.to_string())?;
    let mut stream = StreamOwned::new(connection, stream);
    let request = read_head(&mut stream)?;
    let Reply { status, body } = answer(&request);
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).map_err(said)?;
    stream.conn.send_close_notify();
    stream.flush().map_err(said)
}

fn read_head(stream: &mut impl Read) -> Outcome<Request> {
    let mut lines = BufReader::new(stream.take(HEAD_LIMIT)).lines();
    let mut next = || lines.next().unwrap_or(Ok(String::new())).map_err(|error| error.to_string());
    let first = next()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = words.next().zip(words.next()).ok_or("no request line")?;
    let mut request = Request { method, target, authorization: None };
    loop {
        let line = next()?;
        if line.is_empty() {
            return Ok(request);
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            request.authorization = Some(value.trim().to_owned());
        }
    }
}
