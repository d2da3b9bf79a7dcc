//! Resolves host names, and gives each connection the addresses that were checked for its request.
//!
//! Names are resolved before a request is sent, not by ureq. So the time counts as connecting, a connection goes to
//! the very addresses that were checked, and `localhost` needs neither DNS nor a hosts file (RFC 6761 section 6.3).
//!
//! ureq calls its resolver and connectors by itself. They find the addresses and the observer of their request in a
//! table of the requests in flight. [`FlightGuard::tag`] explains how they know its id.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::{AutoHeaderValue, Config};
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::NextTimeout;

use crate::event::Observer;
use crate::lock::lock;
use crate::url::{Origin, is_localhost, literal_address};

/// How long addresses are cached. Longer than most runs take, but short enough for programs that run for days.
const CACHE_TTL: Duration = Duration::from_secs(60);

/// How many hosts are cached.
const MAX_CACHED: usize = 256;

/// How many addresses ureq accepts.
const MAX_ADDRESSES: usize = 16;

/// DNS cache, and table of the requests in flight. Clones share both.
#[derive(Debug, Default, Clone)]
pub(super) struct Resolver(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// By host and port.
    cache: Mutex<HashMap<(String, u16), CacheEntry>>,
    in_flight: Mutex<HashMap<u64, InFlight>>,
    last_id: AtomicU64,
}

#[derive(Debug, Clone)]
struct CacheEntry {
    since: Instant,
    addresses: Vec<SocketAddr>,
}

/// A request in flight.
#[derive(Debug)]
struct InFlight {
    /// The addresses that it may connect to.
    addresses: Vec<SocketAddr>,
    observer: Observer,
    progress: Progress,
}

/// How far a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It has a connection from the pool, or none yet.
    Pooled,
    /// It is making a new connection. Nothing of the request has been sent.
    Connecting,
    /// It made a new connection.
    Connected,
}

/// Keeps a request in the table until it is dropped.
#[derive(Debug)]
pub(super) struct FlightGuard<'a> {
    resolver: &'a Resolver,
    id: u64,
}

/// Why a name was not resolved.
#[derive(Debug)]
pub(super) enum ResolveError {
    Failed(io::Error),
    TimedOut,
}

impl Resolver {
    /// Returns the addresses of an origin. Calls `on_lookup` with them unless they come from the cache.
    ///
    /// # Errors
    /// If the lookup fails, finds no address, or takes longer than `timeout`.
    pub(super) fn resolve(
        &self,
        origin: &Origin,
        timeout: Duration,
        on_lookup: impl FnOnce(&[SocketAddr]),
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let key = (origin.host().to_owned(), origin.port());
        let cached = lock(&self.0.cache).get(&key).filter(|entry| entry.is_fresh()).cloned();
        if let Some(CacheEntry { addresses, .. }) = cached {
            return Ok(addresses);
        }
        let mut addresses = look_up(origin.host(), origin.port(), timeout)?;
        addresses.truncate(MAX_ADDRESSES);
        on_lookup(&addresses);
        let mut cache = lock(&self.0.cache);
        if cache.len() >= MAX_CACHED {
            cache.retain(|_, entry| entry.is_fresh());
        }
        if cache.len() < MAX_CACHED {
            let entry = CacheEntry { since: Instant::now(), addresses: addresses.clone() };
            cache.insert(key, entry);
        }
        Ok(addresses)
    }

    /// Puts a request into the table. It may connect to `addresses`, and its connection is reported to `observer`.
    pub(super) fn begin(&self, addresses: Vec<SocketAddr>, observer: &Observer) -> FlightGuard<'_> {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed);
        let flight = InFlight { addresses, observer: observer.clone(), progress: Progress::Pooled };
        lock(&self.0.in_flight).insert(id, flight);
        FlightGuard { resolver: self, id }
    }

    /// Returns the addresses of the request to which a configuration belongs.
    fn addresses(&self, config: &Config) -> Option<Vec<SocketAddr>> {
        let in_flight = lock(&self.0.in_flight);
        let flight = tagged(config).and_then(|id| in_flight.get(&id));
        flight.map(|flight| flight.addresses.clone())
    }

    /// Records the progress of the request to which a configuration belongs.
    pub(super) fn set_progress(&self, config: &Config, progress: Progress) {
        let mut in_flight = lock(&self.0.in_flight);
        if let Some(flight) = tagged(config).and_then(|id| in_flight.get_mut(&id)) {
            flight.progress = progress;
        }
    }

    /// Returns the observer of the request to which a configuration belongs.
    pub(super) fn observer(&self, config: &Config) -> Observer {
        let in_flight = lock(&self.0.in_flight);
        let flight = tagged(config).and_then(|id| in_flight.get(&id));
        flight.map(|flight| flight.observer.clone()).unwrap_or_default()
    }
}

impl FlightGuard<'_> {
    /// Returns how far the request got.
    pub(super) fn progress(&self) -> Progress {
        let in_flight = lock(&self.resolver.0.in_flight);
        in_flight.get(&self.id).map_or(Progress::Pooled, |flight| flight.progress)
    }

    /// Returns the value for the `accept` setting of the request's configuration.
    ///
    /// ureq passes a request's configuration to resolver and connectors, but has no field for our data. The
    /// `accept` setting is free: every request has an `Accept` header, which wins, and ureq ignores the setting when
    /// it looks for a pooled connection.
    pub(super) fn tag(&self) -> String {
        self.id.to_string()
    }
}

impl Drop for FlightGuard<'_> {
    fn drop(&mut self) {
        lock(&self.resolver.0.in_flight).remove(&self.id);
    }
}

/// Reads the id that [`FlightGuard::tag`] wrote.
fn tagged(config: &Config) -> Option<u64> {
    match config.accept() {
        AutoHeaderValue::Provided(id) => id.parse().ok(),
        AutoHeaderValue::None | AutoHeaderValue::Default => None,
    }
}

impl CacheEntry {
    fn is_fresh(&self) -> bool {
        self.since.elapsed() < CACHE_TTL
    }
}

/// Returns the addresses that were checked for the request; never looks one up.
impl UreqResolver for Resolver {
    fn resolve(
        &self,
        _: &Uri,
        config: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.addresses(config).ok_or(ureq::Error::HostNotFound)?;
        let mut resolved = self.empty();
        addresses.into_iter().for_each(|address| resolved.push(address));
        Ok(resolved)
    }
}

fn look_up(host: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, ResolveError> {
    if let Some(address) = literal_address(host) {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if is_localhost(host) {
        let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(both.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    // The system's resolver has no timeout, so it runs on its own thread, which is abandoned when time is up.
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    let look_up = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Fails only if the receiver has stopped waiting.
        let _ = sender.send(found);
    };
    thread::Builder::new().spawn(look_up).map_err(ResolveError::Failed)?;
    match receiver.recv_timeout(timeout) {
        Ok(Ok(addresses)) if addresses.is_empty() => {
            Err(ResolveError::Failed(io::Error::other("the name has no address")))
        }
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(ResolveError::Failed(error)),
        Err(RecvTimeoutError::Timeout) => Err(ResolveError::TimedOut),
        Err(RecvTimeoutError::Disconnected) => {
            Err(ResolveError::Failed(io::Error::other("the lookup ended without a result")))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::{Config, Duration, MAX_CACHED, Observer, Progress, Resolver, SocketAddr, lock};
    use crate::event::Event;
    use crate::url::{Origin, Scheme};

    fn config(tag: &str) -> Config {
        ureq::Agent::config_builder().accept(tag).build()
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), port)
    }

    fn resolve(resolver: &Resolver, host: &str, port: u16) -> (Vec<SocketAddr>, bool) {
        let mut looked_up = false;
        let origin = Origin::of_valid_host(Scheme::Https, host, port);
        let addresses = resolver.resolve(&origin, Duration::from_secs(10), |_| looked_up = true);
        (addresses.unwrap_or_default(), looked_up)
    }

    #[test]
    fn requests_in_flight_on_one_thread_do_not_mix() {
        let resolver = Resolver::default();
        let log = Arc::<Mutex<Vec<&str>>>::default();
        let observer = |name| {
            let log = Arc::clone(&log);
            Observer::new(move |_| log.lock().unwrap_or_else(PoisonError::into_inner).push(name))
        };
        let first = resolver.begin(vec![address(1)], &observer("first"));
        let second = resolver.begin(vec![address(2)], &observer("second"));
        let (to_first, to_second) = (config(&first.tag()), config(&second.tag()));
        resolver.set_progress(&to_second, Progress::Connected);
        assert_eq!((first.progress(), second.progress()), (Progress::Pooled, Progress::Connected));
        let event = Event::PlainHttp { host: "h" };
        resolver.observer(&to_second).emit(&event);
        resolver.observer(&to_first).emit(&event);
        assert_eq!(*log.lock().unwrap_or_else(PoisonError::into_inner), ["second", "first"]);
        let resolved = |config| resolver.addresses(config);
        assert_eq!(resolved(&to_first), Some(vec![address(1)]));
        assert_eq!(resolved(&to_second), Some(vec![address(2)]));
        drop(first);
        assert_eq!(resolved(&to_first), None);
        assert_eq!(resolved(&to_second), Some(vec![address(2)]));
        drop(second);
        assert!(lock(&resolver.0.in_flight).is_empty());
    }

    #[test]
    fn addresses_are_looked_up_once() {
        let resolver = Resolver::default();
        let both = ["127.0.0.1:5000", "[::1]:5000"].map(|text| text.parse().ok());
        for looked_up in [true, false] {
            let (addresses, reported) = resolve(&resolver, "a.localhost", 5000);
            assert_eq!(addresses.into_iter().map(Some).collect::<Vec<_>>(), both);
            assert_eq!(reported, looked_up);
        }
        assert!(resolve(&resolver, "a.localhost", 5001).1, "another port is another entry");
    }

    #[test]
    fn the_cache_is_bounded() {
        let resolver = Resolver::default();
        for port in 1..=300 {
            assert_eq!(resolve(&resolver, "127.0.0.1", port).0, [address(port)]);
        }
        assert_eq!(lock(&resolver.0.cache).len(), MAX_CACHED);
    }
}
