//! A name server on 127.0.0.1, port 53, that is asked over UDP (RFC 1035 section 4) and answers every name alike:
//! 127.0.0.1 for its IPv4 address, and for its IPv6 address whatever it is told. No compression is read, and no more
//! than one question.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::Outcome;

/// The address records.
const A: u16 = 1;

/// What a question for an IPv6 address gets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ipv6 {
    /// There is none.
    None,
    /// The server fails: SERVFAIL.
    Failure,
    /// There is no such name: NXDOMAIN, which is wrong since there is.
    NoSuchName,
}

/// A name server that runs until it is dropped.
pub(crate) struct NameServer {
    stopping: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts it. Port 53 has to be free, as it is in a network namespace.
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
                let asked = message.get(..length).unwrap_or_default();
                if let Some(answer) = answer(asked, ipv6) {
                    // Who does not wait for it has no use for it.
                    drop(socket.send_to(&answer, client));
                }
            }
        });
        Ok(Self { stopping, worker: Some(worker) })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Any message wakes it.
        let woken = UdpSocket::bind("127.0.0.1:0")
            .and_then(|socket| socket.send_to(&[], (Ipv4Addr::LOCALHOST, 53)));
        if let (Ok(_), Some(worker)) = (woken, self.worker.take()) {
            drop(worker.join());
        }
    }
}

/// The answer to one message; none to what is no question.
fn answer(message: &[u8], ipv6: Ipv6) -> Option<Vec<u8>> {
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
    // The same number, a response that was recursed for, its code, and how much of everything follows.
    let mut answer = header.get(..2)?.to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1]);
    answer.extend(records.to_be_bytes());
    answer.extend([0, 0, 0, 0]);
    answer.extend(question);
    if records > 0 {
        // The name of the question, an address of the internet, for a minute, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    Some(answer)
}
