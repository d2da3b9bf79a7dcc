//! Locks a mutex, even after a panic in another thread.
//!
//! For state that every change leaves intact, because each is one insertion, one removal or one assignment.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
