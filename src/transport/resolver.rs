//! Names to addresses: asked once, kept, and handed to the connections that are made.
//!
//! Names are resolved here, before a request is sent, and not by the HTTP library: so that the time counts as
//! connecting, that the addresses which were judged are the very ones connected to, and that `localhost` needs
//! neither DNS nor a hosts file (RFC 6761 section 6.3).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::transport::address_scope::AddressScope;
use crate::url::{Origin, is_localhost, literal_address};

/// How long addresses are kept. Long enough for one run, short enough for a long wait.
const KEPT: Duration = Duration::from_secs(60);

/// The HTTP library takes at most so many.
const MAX_ADDRESSES: usize = 16;

/// The names that were asked, by host and port, and the addresses of requests that are under way.
#[derive(Debug, Default, Clone)]
pub(super) struct Names {
    known: Arc<Mutex<Vec<Known>>>,
    /// By thread: the HTTP library resolves and connects on the thread that asks.
    handed: Arc<Mutex<Vec<Handed>>>,
}

/// The addresses that one request may connect to.
#[derive(Debug)]
struct Handed {
    to: ThreadId,
    addresses: Vec<SocketAddr>,
    /// True once it made a connection of its own.
    connected: bool,
}

#[derive(Debug)]
struct Known {
    host: String,
    port: u16,
    since: Instant,
    addresses: Vec<SocketAddr>,
}

impl Known {
    fn is_of(&self, origin: &Origin) -> bool {
        self.host == origin.host() && self.port == origin.port()
    }
}

/// Why a name has no address.
#[derive(Debug)]
pub(super) enum NameFault {
    Unknown(io::Error),
    TimedOut,
}

impl Names {
    /// The addresses of an origin, within a time; `new` is told of those that were not known.
    pub(super) fn resolve(
        &self,
        origin: &Origin,
        within: Duration,
        new: impl FnOnce(&[SocketAddr]),
    ) -> Result<Vec<SocketAddr>, NameFault> {
        if let Some(known) = lock(&self.known).iter().find(|known| known.is_of(origin))
            && known.since.elapsed() < KEPT
        {
            return Ok(known.addresses.clone());
        }
        let mut addresses = look_up(origin.host(), origin.port(), within)?;
        addresses.truncate(MAX_ADDRESSES);
        new(&addresses);
        let mut known = lock(&self.known);
        known.retain(|known| !known.is_of(origin));
        known.push(Known {
            host: origin.host().to_owned(),
            port: origin.port(),
            since: Instant::now(),
            addresses: addresses.clone(),
        });
        Ok(addresses)
    }

    /// The most public of an origin's addresses, where it was resolved before.
    pub(super) fn reach(&self, origin: &Origin) -> Option<AddressScope> {
        let known = lock(&self.known);
        let known = known.iter().find(|known| known.is_of(origin))?;
        known.addresses.iter().map(|address| AddressScope::of(address.ip())).min()
    }

    /// Hands this thread's next request the addresses that were judged for it.
    pub(super) fn hand(&self, addresses: Vec<SocketAddr>) {
        let to = thread::current().id();
        let mut handed = lock(&self.handed);
        handed.retain(|handed| handed.to != to);
        handed.push(Handed { to, addresses, connected: false });
    }

    /// Notes that this thread's request made a connection.
    pub(super) fn note_connection(&self) {
        let to = thread::current().id();
        if let Some(handed) = lock(&self.handed).iter_mut().find(|handed| handed.to == to) {
            handed.connected = true;
        }
    }

    /// Ends this thread's request: true when it made a connection, false when it used one that was kept.
    pub(super) fn take_back(&self) -> bool {
        let to = thread::current().id();
        let mut handed = lock(&self.handed);
        let place = handed.iter().position(|handed| handed.to == to);
        place.is_none_or(|place| handed.swap_remove(place).connected)
    }
}

/// A panic in another thread leaves these lists whole: every change is one insertion or removal.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the HTTP library the addresses that were judged for this very request, and never asks anybody.
impl Resolver for Names {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let handed = lock(&self.handed);
        let to = thread::current().id();
        let Some(handed) = handed.iter().find(|handed| handed.to == to) else {
            return Err(ureq::Error::HostNotFound);
        };
        let mut addresses = self.empty();
        handed.addresses.iter().for_each(|address| addresses.push(*address));
        Ok(addresses)
    }
}

fn look_up(host: &str, port: u16, within: Duration) -> Result<Vec<SocketAddr>, NameFault> {
    if let Some(address) = literal_address(host) {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if is_localhost(host) {
        let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(both.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    // The system's resolver knows no deadline, so it works on a thread of its own, which is left behind when
    // the time is over.
    let answer = Arc::new((Mutex::new(None), Condvar::new()));
    let (name, worker) = (host.to_owned(), Arc::clone(&answer));
    let work = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        let (place, arrived) = &*worker;
        // Nobody looks any more when the time was over.
        *lock(place) = Some(found);
        arrived.notify_one();
    };
    thread::Builder::new().spawn(work).map_err(NameFault::Unknown)?;
    let (place, arrived) = &*answer;
    let (mut found, _) = arrived
        .wait_timeout_while(lock(place), within, |found| found.is_none())
        .unwrap_or_else(PoisonError::into_inner);
    match found.take() {
        None => Err(NameFault::TimedOut),
        Some(Ok(addresses)) if addresses.is_empty() => {
            Err(NameFault::Unknown(io::Error::other("the name has no address")))
        }
        Some(Ok(addresses)) => Ok(addresses),
        Some(Err(error)) => Err(NameFault::Unknown(error)),
    }
}
