//! Sets up the HTTP library: one pool of connections over our own resolver, TCP and TLS stages.
//!
//! The library's redirects and status errors are switched off, since the callers handle them, and so are its proxies.

use std::collections::HashSet;
use std::sync::Mutex;

use ureq::Agent;
use ureq::unversioned::transport::{Connector as _, TcpConnector};

use crate::error::Result;
use crate::transport::connector::{TcpStage, TlsStage};
use crate::transport::resolver::Resolver;
use crate::transport::settings::Settings;
use crate::transport::tls;

/// Sends requests over one pool of connections.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(super) agent: Agent,
    pub(super) resolver: Resolver,
    pub(super) settings: Settings,
    /// Warnings that have been reported, with their hosts.
    pub(super) warnings: Mutex<HashSet<String>>,
}

impl Transport {
    /// Makes a transport. Nothing is sent yet.
    ///
    /// # Errors
    /// If a CA file is unreadable or has an invalid certificate.
    pub(crate) fn new(settings: Settings) -> Result<Transport> {
        let resolver = Resolver::default();
        let tcp = TcpStage { inner: TcpConnector::default(), resolver: resolver.clone() };
        let tls = TlsStage {
            config: tls::client_config(&settings)?,
            verified: !settings.insecure,
            resolver: resolver.clone(),
        };
        let agent = Agent::with_parts(agent_config(), ().chain(tcp).chain(tls), resolver.clone());
        Ok(Transport { agent, resolver, settings, warnings: Mutex::default() })
    }
}

fn agent_config() -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // By default ureq reads proxies from the environment.
        .proxy(None)
        .user_agent("")
        .accept("")
        // Must fit into the input buffer, or the error for a longer header is misleading.
        .max_response_header_size(64 * 1024)
        .input_buffer_size(80 * 1024)
        // A request header is written in one piece, and a token may have 64 KiB.
        .output_buffer_size(96 * 1024)
        .max_idle_connections(32)
        .max_idle_connections_per_host(16)
        .build()
}
