//! The two kinds of connection a server speaks over: TCP, and TLS over it.

use rustls::{ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

/// A connection, with what the faults need beside reading and writing.
pub(crate) trait Wire: Read + Write {
    /// Waits for the last byte of a request. It says as well how many bytes
    /// that leaves unread, which is none or this one.
    fn last_byte(&mut self) -> io::Result<(u8, usize)>;

    /// Says that nothing more will be written: `close_notify`, and FIN.
    fn finish(&mut self) -> io::Result<()>;

    /// Whether dropping the connection after `last_byte` resets it. The system
    /// does so where bytes were not read; the standard library offers no
    /// other way.
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

    /// A record is read whole, so no byte stays behind in the socket.
    fn resets(&self) -> bool {
        false
    }
}
