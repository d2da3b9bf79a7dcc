//! An HTTP/1.1 server on loopback that records every request and gets its responses from a function. It supports keep-alive
//! and TLS, and uses one thread per connection.
//!
//! Responses may be faulty (see `reply`). Not a general server: requests must have a `Content-Length` or no body.
//!
//! A request is recorded before the response is sent, so it is in [`Server::requests`] once the client has the response.
//! Dropping the server closes all connections, joins all threads, and propagates a panic of the handler.

use super::reply::{After, Reply};
use super::request::{Incoming, Request};
use super::tls::Certificate;
use super::wire::Wire;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A running server. Dropping it stops it.
pub(crate) struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
    acceptor: Option<JoinHandle<Vec<JoinHandle<()>>>>,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    requests: Mutex<Vec<Request>>,
    accepted: AtomicUsize,
    not_http: AtomicUsize,
    /// Clones of the open connections, to shut them down.
    open: Mutex<HashMap<usize, TcpStream>>,
}

impl Server {
    /// Starts a server on 127.0.0.1, with TLS if there is a certificate.
    pub(crate) fn start(
        tls: Option<Certificate>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        Server::start_at(Ipv4Addr::LOCALHOST.into(), tls, handler)
    }

    /// Like [`Server::start`], on another loopback address: `[::1]`, `127.0.0.2`.
    pub(crate) fn start_at(
        host: IpAddr,
        tls: Option<Certificate>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        Server::start_on(bind(host), tls.map(Certificate::config), handler)
    }

    /// Like [`Server::start`], with the caller's listener and TLS settings.
    pub(crate) fn start_on(
        listener: TcpListener,
        config: Option<Arc<ServerConfig>>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        let scheme = if config.is_some() { "https" } else { "http" };
        Server::listen(listener, scheme, move |shared, stream, connection| {
            // A client may close the connection at any time.
            let _ = serve(shared, wire(stream, config.as_ref()).as_mut(), connection, &handler);
        })
    }

    /// Like [`Server::start`], with TLS on the first connection only, as if the server had been replaced.
    pub(crate) fn tls_at_first(
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        let config = Certificate::Server.config();
        let listener = bind(Ipv4Addr::LOCALHOST.into());
        Server::listen(listener, "https", move |shared, stream, connection| {
            let tls = (connection == 0).then_some(&config);
            let _ = serve(shared, wire(stream, tls).as_mut(), connection, &handler);
        })
    }

    /// Starts a server that accepts connections and sends nothing.
    pub(crate) fn silent() -> Server {
        Server::listen(bind(Ipv4Addr::LOCALHOST.into()), "http", |_, mut stream, _| {
            let _ = io::copy(&mut stream, &mut io::sink());
        })
    }

    /// Starts a server that sends `bytes` to each connection, such as the banner of another protocol, and then nothing.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Server {
        let bytes = bytes.into();
        Server::listen(bind(Ipv4Addr::LOCALHOST.into()), "http", move |_, mut stream, _| {
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = io::copy(&mut stream, &mut io::sink());
        })
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// `127.0.0.1:PORT`, or `[::1]:PORT`.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:PORT`, or with `https`.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The requests so far, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The [`Request::line`]s of the requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        lock(&self.shared.requests).iter().map(Request::line).collect()
    }

    /// The number of accepted connections.
    pub(crate) fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// The number of connections that started with something else than a HTTP request, such as a TLS handshake on a server
    /// without TLS.
    pub(crate) fn not_http(&self) -> usize {
        self.shared.not_http.load(Ordering::SeqCst)
    }

    fn listen(
        listener: TcpListener,
        scheme: &'static str,
        worker: impl Fn(&Shared, TcpStream, usize) + Send + Sync + 'static,
    ) -> Server {
        let address = listener.local_addr().expect("the address of a listener");
        let shared = Arc::new(Shared::default());
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared, &Arc::new(worker))
        });
        Server { shared, address, scheme, acceptor: Some(acceptor) }
    }
}

/// Listens on a free port of an address.
fn bind(host: IpAddr) -> TcpListener {
    TcpListener::bind((host, 0)).expect("a free port on loopback")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then sees the flag.
        let _ = TcpStream::connect(self.address);
        let Some(acceptor) = self.acceptor.take() else { return };
        let workers = acceptor.join();
        // The acceptor has ended, so no connection is added any more.
        for stream in lock(&self.shared.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let mut results = Vec::new();
        match workers {
            Ok(workers) => results.extend(workers.into_iter().map(JoinHandle::join)),
            Err(panic) => results.push(Err(panic)),
        }
        for result in results {
            if let Err(panic) = result
                && !thread::panicking()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    worker: &Arc<impl Fn(&Shared, TcpStream, usize) + Send + Sync + 'static>,
) -> Vec<JoinHandle<()>> {
    let mut workers = Vec::new();
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        // A client may disconnect before it is accepted.
        let Ok(stream) = stream else { continue };
        let connection = shared.accepted.fetch_add(1, Ordering::SeqCst);
        let clone = stream.try_clone().expect("a clone of a connection");
        lock(&shared.open).insert(connection, clone);
        let (shared, worker) = (Arc::clone(shared), Arc::clone(worker));
        workers.push(thread::spawn(move || {
            // Drops the clone too, even if a handler panics, so that the connection closes.
            let _open = Open { shared: &shared, connection };
            let _ = stream.set_nodelay(true);
            worker(&shared, stream, connection);
        }));
    }
    workers
}

struct Open<'a> {
    shared: &'a Shared,
    connection: usize,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        lock(&self.shared.open).remove(&self.connection);
    }
}

/// Returns a connection, with TLS if configured.
fn wire(stream: TcpStream, tls: Option<&Arc<ServerConfig>>) -> Box<dyn Wire> {
    let Some(config) = tls else { return Box::new(stream) };
    let session = ServerConnection::new(Arc::clone(config));
    Box::new(StreamOwned::new(session.expect("settings that rustls accepts"), stream))
}

/// Serves the requests of a connection until one side closes it.
fn serve(
    shared: &Shared,
    wire: &mut dyn Wire,
    connection: usize,
    handler: &impl Fn(&Request) -> Reply,
) -> io::Result<()> {
    loop {
        let (request, unread) = match Request::read(wire, connection)? {
            Incoming::Request(request, unread) => (request, unread),
            Incoming::End => return wire.finish(),
            Incoming::Other => {
                shared.not_http.fetch_add(1, Ordering::SeqCst);
                return refuse(wire);
            }
        };
        let index = {
            let mut requests = lock(&shared.requests);
            requests.push(request.clone());
            requests.len() - 1
        };
        let reply = handler(&request);
        lock(&shared.requests)[index].status = reply.status();
        if reply.is_reset() {
            assert!(wire.resets(), "Reply::reset needs a server without TLS");
            return Ok(());
        }
        wire.read_exact(&mut vec![0; unread])?;
        match reply.write(wire, &request)? {
            After::Next if request.header("connection") != Some("close") => {}
            After::Next | After::Close => return wire.finish(),
            After::Cut => return Ok(()),
            After::Silence => {
                return io::copy(wire, &mut io::sink()).map(|_| ());
            }
        }
    }
}

/// Responds to bytes that are not HTTP as common servers do. Reads all of them, so that a reset does not discard the response.
fn refuse(wire: &mut dyn Wire) -> io::Result<()> {
    wire.write_all(
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
          Connection: close\r\n\r\n400 Bad Request",
    )?;
    wire.finish()?;
    io::copy(wire, &mut io::sink()).map(|_| ())
}

/// Locks a mutex, even if a handler panicked while it held the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
