//! SIGINT and SIGTERM end the program, as PID 1 of a container too.
//!
//! The kernel drops a signal without a handler when it is sent to PID 1, so `docker stop` would wait
//! for its timeout. The handlers here do one thing, which is allowed at any moment (POSIX.1-2017,
//! XSH 2.4.3): end at once with 128 and the signal's number, 130 and 143. Nothing needs tidying up,
//! since whatever is written to stdout is flushed as it is written.
//!
//! This is the one file with `unsafe`: the standard library has no signals.
#![expect(unsafe_code, reason = "signal handlers can only be set through the C library")]

use std::mem::MaybeUninit;
use std::ptr;

/// Sets the handlers. A signal that the parent process had ignored (as `nohup` does with others)
/// stays ignored.
pub(crate) fn end_on_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        end_on(signal);
    }
}

fn end_on(signal: libc::c_int) {
    let mut inherited = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with a null pointer for the new action, sigaction only writes the current one to the
    // place it is given, which is valid for that and zeroed, as all fields of a sigaction may be.
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
    // SAFETY: `action` is whole: its handler is a function of the signature that a sigaction without
    // SA_SIGINFO has, and its mask is emptied before use. The old action is not asked for.
    // A failure leaves the default action, which ends the program too unless it is PID 1.
    unsafe {
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, ptr::null_mut());
    }
}

#[expect(clippy::as_conversions, reason = "the C library takes the handler as a number")]
fn handler() -> libc::sighandler_t {
    end as extern "C" fn(libc::c_int) as libc::sighandler_t
}

extern "C" fn end(signal: libc::c_int) {
    // SAFETY: _exit is async-signal-safe and takes any status.
    unsafe { libc::_exit(128 + signal) }
}
