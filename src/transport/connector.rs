//! Makes connections: TCP by ureq, TLS by rustls.
//!
//! ureq's own TLS connector cannot combine the built-in roots with others, and does not report what was negotiated
//! or why a handshake failed. So this file has its own connector and transport. ureq's traits
//! (`ureq::unversioned::transport`) determine their shape.

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

use crate::event::{Event, TlsFacts};
use crate::transport::resolver::{Progress, Resolver};
use crate::transport::tls;

/// The stage in which connecting failed. `ureq::Error::Other` passes it through unchanged.
#[derive(Debug)]
pub(super) enum Stage {
    /// The TCP connection.
    Connect(io::Error),
    /// The TLS handshake.
    Handshake(io::Error),
    /// The first bytes that the peer sent are not TLS.
    NotTls,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Connect(_) => "connecting",
            Stage::Handshake(_) => "TLS handshake",
            Stage::NotTls => "not TLS",
        })
    }
}

impl StdError for Stage {}

impl From<Stage> for ureq::Error {
    fn from(stage: Stage) -> ureq::Error {
        ureq::Error::Other(Box::new(stage))
    }
}

/// The first connector of the chain: makes a TCP connection by the inner connector, and marks its errors.
#[derive(Debug)]
pub(super) struct TcpStage<C> {
    pub(super) inner: C,
    pub(super) resolver: Resolver,
}

impl<In: Transport, C: Connector<In>> Connector<In> for TcpStage<C> {
    type Out = C::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<C::Out>, ureq::Error> {
        self.resolver.set_progress(details.config, Progress::Connecting);
        self.inner.connect(details, chained).map_err(|error| with_stage(error, Stage::Connect))
    }
}

/// The last connector of the chain: adds TLS to the connection if the URL is https.
pub(super) struct TlsStage {
    pub(super) config: Arc<ClientConfig>,
    /// Whether certificates are verified.
    pub(super) verified: bool,
    pub(super) resolver: Resolver,
}

impl fmt::Debug for TlsStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsStage")
    }
}

impl<In: Transport> Connector<In> for TlsStage {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        let host = details.uri.host().unwrap_or_default();
        if !details.needs_tls() {
            self.report(details, host, None);
            return Ok(Some(Either::A(transport)));
        }
        let without_brackets = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(without_brackets).map_err(|error| {
            Stage::Handshake(io::Error::new(io::ErrorKind::InvalidInput, error))
        })?;
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name)
            .map_err(|error| Stage::Handshake(io::Error::other(error)))?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(time_left(details));
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut socket) {
                return Err(handshake_error(error, &connection));
            }
        }
        self.report(details, host, self.facts(&connection));
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        let stream = StreamOwned::new(connection, socket);
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

impl TlsStage {
    /// Records and reports that the connection is ready.
    fn report(&self, details: &ConnectionDetails<'_>, host: &str, tls: Option<TlsFacts>) {
        self.resolver.set_progress(details.config, Progress::Connected);
        let event = Event::Connected { host, addresses: &details.addrs, tls };
        self.resolver.observer(details.config).emit(&event);
    }

    fn facts(&self, connection: &ClientConnection) -> Option<TlsFacts> {
        Some(TlsFacts {
            version: tls::version_name(connection.protocol_version()?),
            cipher: tls::cipher_name(connection.negotiated_cipher_suite()?.suite()),
            verified: self.verified,
        })
    }
}

/// Returns what is left of the time for connecting. ureq gives every connector of a chain the whole time again.
fn time_left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Budget::Exact(after), Instant::Exact(since)) = (timeout.after, details.now) {
        timeout.after = Budget::Exact(after.saturating_sub(since.elapsed()));
    }
    timeout
}

fn handshake_error(error: io::Error, connection: &ClientConnection) -> ureq::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let not_tls =
        matches!(inner, Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)));
    // The version is known from the peer's hello on. Without it, these were the first bytes of the peer.
    if not_tls && connection.protocol_version().is_none() {
        return Stage::NotTls.into();
    }
    with_stage(error.into(), Stage::Handshake)
}

/// Adds the stage to an I/O error. Other errors, such as timeouts, do not need one.
fn with_stage(error: ureq::Error, stage: fn(io::Error) -> Stage) -> ureq::Error {
    if let ureq::Error::Io(error) = error { stage(error).into() } else { error }
}

/// A TLS connection as a transport for ureq.
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
