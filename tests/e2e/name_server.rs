//! A name server on UDP port 53 of 127.0.0.1 (RFC 1035 section 4). It resolves every name to 127.0.0.1, and responds to
//! AAAA questions as configured. It reads one question without compression.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::Outcome;

/// The type of IPv4 address records.
const A: u16 = 1;

/// The response to an AAAA question.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ipv6 {
    /// No record.
    None,
    /// SERVFAIL.
    Failure,
    /// NXDOMAIN, although the name exists.
    NoSuchName,
}

/// A name server that runs until it is dropped.
pub(crate) struct NameServer {
    stopping: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts it. Port 53 must be free, as it is in a network namespace.
    pub(crate) fn start(ipv6: Ipv6) -> Outcome<Self> {
        let socket =
            UdpSocket::bind("127.0.0.1:53").map_err(|error| format!("port 53: {error}"))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stopping);
        let worker = thread::spawn(move || {
            let mut message = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut message) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let question = message.get(..length).unwrap_or_default();
                if let Some(response) = respond(question, ipv6) {
                    // The client may have stopped waiting.
                    drop(socket.send_to(&response, client));
                }
            }
        });
        Ok(Self { stopping, worker: Some(worker) })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Any message wakes the worker.
        let woken = UdpSocket::bind("127.0.0.1:0")
            .and_then(|socket| socket.send_to(&[], (Ipv4Addr::LOCALHOST, 53)));
        if let (Ok(_), Some(worker)) = (woken, self.worker.take()) {
            drop(worker.join());
        }
    }
}

/// Returns the response to a message; `None` if the message is not a question.
fn respond(message: &[u8], ipv6: Ipv6) -> Option<Vec<u8>> {
    let (header, mut rest) = message.split_at_checked(12)?;
    while let Some((&length, after)) = rest.split_first() {
        rest = after.get(usize::from(length)..)?;
        if length == 0 {
            break;
        }
    }
    let kind = u16::from_be_bytes(rest.first_chunk().copied()?);
    let question = message.get(12..message.len() - rest.len() + 4)?;
    let (records, code) = match (kind, ipv6) {
        (A, _) => (1_u16, 0_u8),
        (_, Ipv6::None) => (0, 0),
        (_, Ipv6::Failure) => (0, 2),
        (_, Ipv6::NoSuchName) => (0, 3),
    };
    // ID, flags (response, recursion) with the code, and the numbers of records.
    let mut response = header.get(..2)?.to_vec();
    response.extend([0x81, 0x80 | code, 0, 1]);
    response.extend(records.to_be_bytes());
    response.extend([0, 0, 0, 0]);
    response.extend(question);
    if records > 0 {
        // Pointer to the name in the question, type A, class IN, TTL 60 s, 4 bytes.
        response.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        response.extend(Ipv4Addr::LOCALHOST.octets());
    }
    Some(response)
}
