//! An HTTP/1.1 server on loopback that records every request and answers by a
//! function: keep-alive, one thread a connection, with TLS or without.
//!
//! It does what it is told, wrong answers included (`reply` has the faults). It
//! is no general server: requests have a `Content-Length` or no body.
//!
//! A request is recorded before it is answered, so a client that has its answer
//! finds its request in [`Server::requests`]. Dropping the server closes every
//! connection, joins every thread, and passes on the panic of a handler.

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

/// A server that runs until it is dropped.
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
    /// Second handles of the open connections, to shut them down from outside.
    open: Mutex<HashMap<usize, TcpStream>>,
}

impl Server {
    /// Serves on 127.0.0.1, with TLS when a certificate is given.
    pub(crate) fn start(
        tls: Option<Certificate>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        Server::start_at(Ipv4Addr::LOCALHOST.into(), tls, handler)
    }

    /// As [`Server::start`], at another loopback address: `[::1]`, `127.0.0.2`.
    pub(crate) fn start_at(
        host: IpAddr,
        tls: Option<Certificate>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        Server::start_on(bind(host), tls.map(Certificate::config), handler)
    }

    /// As [`Server::start`], at an address and with settings of the caller's.
    pub(crate) fn start_on(
        listener: TcpListener,
        config: Option<Arc<ServerConfig>>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Server {
        let scheme = if config.is_some() { "https" } else { "http" };
        Server::listen(listener, scheme, move |shared, stream, connection| {
            // The client's going away is an end like any other.
            let _ = serve(shared, wire(stream, config.as_ref()).as_mut(), connection, &handler);
        })
    }

    /// As [`Server::start`] with TLS, but on the first connection only: a peer that was changed for another.
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

    /// Accepts, and says nothing until the client goes away.
    pub(crate) fn silent() -> Server {
        Server::listen(bind(Ipv4Addr::LOCALHOST.into()), "http", |_, mut stream, _| {
            let _ = io::copy(&mut stream, &mut io::sink());
        })
    }

    /// Says `bytes` on accept whatever comes, such as the banner of another
    /// protocol, then only listens until the client goes away.
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

    /// What arrived so far, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The same, each as its [`Request::line`].
    pub(crate) fn lines(&self) -> Vec<String> {
        lock(&self.shared.requests).iter().map(Request::line).collect()
    }

    /// How many TCP connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections began with bytes that are no HTTP request, such as
    /// a TLS handshake that met a server without TLS.
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

/// A free port of an address.
fn bind(host: IpAddr) -> TcpListener {
    TcpListener::bind((host, 0)).expect("a free port on loopback")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that waits in accept; it sees the flag and ends.
        let _ = TcpStream::connect(self.address);
        let Some(acceptor) = self.acceptor.take() else { return };
        let workers = acceptor.join();
        // No connection is added any more, so none is missed here.
        for stream in lock(&self.shared.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let mut ends = Vec::new();
        match workers {
            Ok(workers) => ends.extend(workers.into_iter().map(JoinHandle::join)),
            Err(panic) => ends.push(Err(panic)),
        }
        for end in ends {
            if let Err(panic) = end
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
        // A client that went away while it queued is nobody's failure.
        let Ok(stream) = stream else { continue };
        let connection = shared.accepted.fetch_add(1, Ordering::SeqCst);
        let second = stream.try_clone().expect("a second handle of a connection");
        lock(&shared.open).insert(connection, second);
        let (shared, worker) = (Arc::clone(shared), Arc::clone(worker));
        workers.push(thread::spawn(move || {
            // The connection closes when its second handle goes as well, also
            // when a handler panics.
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

/// A connection as it is, or with TLS over it.
fn wire(stream: TcpStream, tls: Option<&Arc<ServerConfig>>) -> Box<dyn Wire> {
    let Some(config) = tls else { return Box::new(stream) };
    let session = ServerConnection::new(Arc::clone(config));
    Box::new(StreamOwned::new(session.expect("settings that rustls accepts"), stream))
}

/// Request after request on one connection, until one side ends it.
fn serve(
    shared: &Shared,
    wire: &mut dyn Wire,
    connection: usize,
    handler: &impl Fn(&Request) -> Reply,
) -> io::Result<()> {
    loop {
        let (request, owed) = match Request::read(wire, connection)? {
            Incoming::Request(request, owed) => (request, owed),
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
            assert!(wire.resets(), "a reset before the answer needs a server without TLS");
            return Ok(());
        }
        wire.read_exact(&mut vec![0; owed])?;
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

/// What common servers say to bytes that are no HTTP. They are read to their
/// end, so that the answer is not lost in a reset.
fn refuse(wire: &mut dyn Wire) -> io::Result<()> {
    wire.write_all(
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
          Connection: close\r\n\r\n400 Bad Request",
    )?;
    wire.finish()?;
    io::copy(wire, &mut io::sink()).map(|_| ())
}

/// A lock that a panicking handler held is as good as any other.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
