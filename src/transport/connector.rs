//! The connection: TCP by the HTTP library, TLS over it by ours.
//!
//! ureq's own TLS cannot join the built-in roots with others and tells little of what failed or was agreed, so
//! this is the connector behind its TCP connector, and the transport that it gives back. It is shaped by ureq's
//! traits (`ureq::unversioned::transport`).

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, InvalidMessage, StreamOwned};
use ureq::unversioned::transport::time::{Duration as Budget, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use crate::transport::event::{Event, Observer, TlsFacts};
use crate::transport::resolver::Names;

/// Where a connection failed. Wrapped into `ureq::Error::Other`, which passes it through as it is.
#[derive(Debug)]
pub(super) enum Stage {
    /// TCP.
    Connect(io::Error),
    /// The TLS handshake.
    Handshake(io::Error),
    /// The peer's first bytes are no TLS.
    NotTls,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Connect(_) => "connecting",
            Stage::Handshake(_) => "TLS handshake",
            Stage::NotTls => "no TLS",
        })
    }
}

impl StdError for Stage {}

impl From<Stage> for ureq::Error {
    fn from(stage: Stage) -> ureq::Error {
        ureq::Error::Other(Box::new(stage))
    }
}

/// Names the stage of the inner connector's failures.
#[derive(Debug)]
pub(super) struct Tcp<C>(pub(super) C);

impl<In: Transport, C: Connector<In>> Connector<In> for Tcp<C> {
    type Out = C::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<C::Out>, ureq::Error> {
        self.0.connect(details, chained).map_err(|error| staged(error, Stage::Connect))
    }
}

/// Makes TLS of a connection where the URL says https.
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) observer: Observer,
    /// Whether certificates are checked.
    pub(super) verified: bool,
    pub(super) names: Names,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        let host = details.uri.host().unwrap_or_default();
        self.names.note_connection();
        if !details.needs_tls() {
            self.told(details, host, None);
            return Ok(Some(Either::A(transport)));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|error| {
            Stage::Handshake(io::Error::new(io::ErrorKind::InvalidInput, error))
        })?;
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name)
            .map_err(|error| Stage::Handshake(io::Error::other(error)))?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(left(details));
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut socket) {
                return Err(handshake_error(error, &connection));
            }
        }
        self.told(details, host, Some(&connection));
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        let stream = StreamOwned::new(connection, socket);
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

impl Tls {
    fn told(
        &self,
        details: &ConnectionDetails<'_>,
        host: &str,
        connection: Option<&ClientConnection>,
    ) {
        // By way of `Debug`, which is in the program anyway; the names' own table is as large again.
        let agreed = connection.map(|connection| {
            let version = connection.protocol_version().map(|version| format!("{version:?}"));
            let suite = connection.negotiated_cipher_suite();
            let cipher = suite.map(|suite| format!("{:?}", suite.suite()));
            (version.unwrap_or_default(), cipher.unwrap_or_default())
        });
        let verified = self.verified;
        let tls = agreed.as_ref().map(|(version, cipher)| TlsFacts { version, cipher, verified });
        self.observer.tell(&Event::Connected { host, addresses: &details.addrs, tls });
    }
}

/// What is left of the time for connecting: ureq gives every connector of a chain the whole of it.
fn left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Budget::Exact(after), Instant::Exact(since)) = (timeout.after, details.now) {
        timeout.after = Budget::Exact(after.saturating_sub(since.elapsed()));
    }
    timeout
}

fn handshake_error(error: io::Error, connection: &ClientConnection) -> ureq::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let no_tls =
        matches!(inner, Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)));
    // Before the peer's hello there is no version: these were its very first bytes.
    if no_tls && connection.protocol_version().is_none() {
        return Stage::NotTls.into();
    }
    staged(error.into(), Stage::Handshake)
}

/// Only I/O errors need a stage: timeouts and the rest say for themselves what they are.
fn staged(error: ureq::Error, stage: fn(io::Error) -> Stage) -> ureq::Error {
    if let ureq::Error::Io(error) = error { stage(error).into() } else { error }
}

/// A TLS connection as ureq's transport.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let space = self.buffers.input_append_buf();
        let amount = self.stream.read(space)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
