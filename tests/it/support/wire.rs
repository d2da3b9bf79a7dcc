//! The two kinds of connections of a server: TCP, and TLS over TCP.

use rustls::{ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

/// A connection with the operations that faults need.
pub(crate) trait Wire: Read + Write {
    /// Waits for the last byte of a request. Returns it, and the number of bytes that are still unread: 1 if it was only
    /// peeked at, otherwise 0.
    fn last_byte(&mut self) -> io::Result<(u8, usize)>;

    /// Ends writing: `close_notify` with TLS, then FIN.
    fn finish(&mut self) -> io::Result<()>;

    /// Whether dropping the connection after `last_byte` resets it. The system does that if there are unread bytes; the
    /// standard library has no other way.
    fn resets(&self) -> bool;
}

impl Wire for TcpStream {
    fn last_byte(&mut self) -> io::Result<(u8, usize)> {
        let mut byte = [0];
        match self.peek(&mut byte)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok((byte[0], 1)),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn resets(&self) -> bool {
        true
    }
}

impl Wire for StreamOwned<ServerConnection, TcpStream> {
    fn last_byte(&mut self) -> io::Result<(u8, usize)> {
        let mut byte = [0];
        self.read_exact(&mut byte)?;
        Ok((byte[0], 0))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()?;
        self.sock.shutdown(Shutdown::Write)
    }

    /// TLS reads whole records, so the socket has no unread byte.
    fn resets(&self) -> bool {
        false
    }
}
