//! Names to addresses: asked once, kept, and handed to the connections that are made.
//!
//! Names are resolved here, before a request is sent, and not by the HTTP library: so that the time counts as
//! connecting, that the addresses which were judged are the very ones connected to, and that `localhost` needs
//! neither DNS nor a hosts file (RFC 6761 section 6.3).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::reach::Reach;
use crate::url::{Origin, literal_address};

/// How long addresses are kept. Long enough for one run, short enough for a long wait.
const KEPT: Duration = Duration::from_secs(60);

/// The HTTP library takes at most so many.
const MOST_ADDRESSES: usize = 16;

/// The names that were asked, by host and port.
#[derive(Debug, Default, Clone)]
pub(super) struct Names {
    known: Arc<Mutex<HashMap<(String, u16), Known>>>,
}

#[derive(Debug)]
struct Known {
    since: Instant,
    addresses: Vec<SocketAddr>,
}

/// Why a name has no address.
#[derive(Debug)]
pub(super) enum NameFault {
    Unknown(io::Error),
    TimedOut,
}

impl Names {
    /// The addresses of an origin, within a time.
    pub(super) fn resolve(
        &self,
        origin: &Origin,
        within: Duration,
    ) -> Result<Vec<SocketAddr>, NameFault> {
        let key = (origin.host().to_owned(), origin.port());
        if let Some(known) = self.lock().get(&key)
            && known.since.elapsed() < KEPT
        {
            return Ok(known.addresses.clone());
        }
        let mut addresses = look_up(origin.host(), origin.port(), within)?;
        addresses.truncate(MOST_ADDRESSES);
        let known = Known { since: Instant::now(), addresses: addresses.clone() };
        self.lock().insert(key, known);
        Ok(addresses)
    }

    /// The most public of an origin's addresses, where it was resolved before.
    pub(super) fn reach(&self, origin: &Origin) -> Option<Reach> {
        let key = (origin.host().to_owned(), origin.port());
        let known = self.lock();
        known.get(&key)?.addresses.iter().map(|address| Reach::of(address.ip())).min()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, u16), Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the HTTP library the addresses that were resolved and judged, and never asks anybody.
impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default);
        let mut addresses = self.empty();
        match self.lock().get(&(host, port)) {
            Some(known) => known.addresses.iter().for_each(|address| addresses.push(*address)),
            None => return Err(ureq::Error::HostNotFound),
        }
        Ok(addresses)
    }
}

/// True for `localhost` and every name under it.
fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
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
    let (sender, receiver) = mpsc::sync_channel(1);
    let name = host.to_owned();
    let worker = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody listens any more when the time was over.
        let _ = sender.send(found);
    };
    thread::Builder::new().spawn(worker).map_err(NameFault::Unknown)?;
    match receiver.recv_timeout(within) {
        Ok(Ok(addresses)) if addresses.is_empty() => {
            Err(NameFault::Unknown(io::Error::other("the name has no address")))
        }
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(NameFault::Unknown(error)),
        Err(_) => Err(NameFault::TimedOut),
    }
}
