//! Ends the program on SIGINT and SIGTERM, even if it is PID 1 of a container.
//!
//! The kernel does not deliver a signal without a handler to PID 1, so `docker stop` would wait for its timeout. The
//! handler only calls `_exit` with 128 plus the signal's number (130 and 143), which is async-signal-safe (POSIX.1-2017,
//! XSH 2.4.3). There is nothing to clean up: output is flushed as it is written, and files are replaced atomically.
//!
//! This needs `unsafe`, because the standard library has no signals.
#![expect(unsafe_code, reason = "signal handlers can only be installed through the C library")]

use std::mem::MaybeUninit;
use std::ptr;

/// Installs the handlers. A signal that the parent process ignores, as `nohup` does with SIGHUP, stays ignored.
pub(crate) fn end_on_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        install_handler(signal);
    }
}

fn install_handler(signal: libc::c_int) {
    let mut inherited = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action, sigaction only writes the current one to the pointer, which is valid for writes.
    // On success it has initialized the value, which was zeroed and so valid before.
    let inherited = unsafe {
        if libc::sigaction(signal, ptr::null(), inherited.as_mut_ptr()) != 0 {
            return;
        }
        inherited.assume_init()
    };
    if inherited.sa_sigaction == libc::SIG_IGN {
        return;
    }
    let mut action = inherited;
    action.sa_flags = 0;
    action.sa_sigaction = handler();
    // SAFETY: `action` is initialized. Its handler has the signature for a sigaction without SA_SIGINFO, and its mask
    // is emptied before use. The pointer for the old action may be null.
    // On failure the default action stays, which also ends the program unless it is PID 1.
    unsafe {
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, ptr::null_mut());
    }
}

#[expect(clippy::as_conversions, reason = "libc declares the handler as an integer")]
fn handler() -> libc::sighandler_t {
    end as extern "C" fn(libc::c_int) as libc::sighandler_t
}

extern "C" fn end(signal: libc::c_int) {
    // SAFETY: _exit is async-signal-safe and accepts any status.
    unsafe { libc::_exit(128 + signal) }
}
