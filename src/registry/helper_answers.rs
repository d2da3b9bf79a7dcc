//! Remembers the answers of credential helpers, so that each runs once for a server, even if several threads need it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::credentials::{Credential, HELPER_MAX_TIME};
use crate::error::HelperFault;
use crate::lock::lock;
use crate::registry::lru::Lru;

/// What a helper answered: a credential, that it has none, or why it failed.
type Answer = Result<Option<Credential>, HelperFault>;

/// The answers of helpers, by helper and server.
#[derive(Debug)]
pub(super) struct HelperAnswers {
    states: Mutex<Lru<(String, String), HelperState>>,
    answered: Condvar,
}

/// How many answers are remembered.
const MAX_ANSWERS: usize = 1024;

impl Default for HelperAnswers {
    fn default() -> HelperAnswers {
        HelperAnswers { states: Mutex::new(Lru::new(MAX_ANSWERS)), answered: Condvar::new() }
    }
}

#[derive(Debug, Clone)]
enum HelperState {
    /// A thread has started the helper. Other threads wait for its answer, since a helper may prompt the user.
    Running,
    Answered(Answer),
}

impl HelperAnswers {
    /// Returns the answer of a helper for a server: from memory if it ran before, otherwise from `ask`. `ask` gets the
    /// time left until `deadline`, at most [`HELPER_MAX_TIME`].
    ///
    /// Failures are remembered, too: a helper that hangs would block again. The lock is not held while a
    /// helper runs, so other helpers are not delayed.
    pub(super) fn get(
        &self,
        helper: &str,
        server: &str,
        deadline: Instant,
        ask: impl FnOnce(Duration) -> Answer,
    ) -> Answer {
        let start = Instant::now();
        let left = || deadline.saturating_duration_since(Instant::now());
        let key = (helper.to_owned(), server.to_owned());
        let mut states = lock(&self.states);
        loop {
            match states.get(&key) {
                Some(HelperState::Answered(answer)) => return answer.clone(),
                Some(HelperState::Running) if left().is_zero() => {
                    return Err(HelperFault::TimedOut(start.elapsed()));
                }
                Some(HelperState::Running) => {
                    let woken = self.answered.wait_timeout(states, left());
                    states = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => break,
            }
        }
        states.insert(key.clone(), HelperState::Running);
        drop(states);
        let mut run = Run { answers: self, key, outcome: None };
        let time = left().min(HELPER_MAX_TIME);
        let answer = ask(time);
        // A helper that had less than the full time may succeed if it runs again.
        if time == HELPER_MAX_TIME || !matches!(answer, Err(HelperFault::TimedOut(_))) {
            run.outcome = Some(answer.clone());
        }
        answer
    }
}

/// A running helper. When it is dropped, even by a panic, other threads stop waiting: they find the outcome, if any, or
/// run the helper themselves.
struct Run<'a> {
    answers: &'a HelperAnswers,
    key: (String, String),
    outcome: Option<Answer>,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let mut states = lock(&self.answers.states);
        match self.outcome.take() {
            Some(answer) => states.insert(self.key.clone(), HelperState::Answered(answer)),
            None => drop(states.remove(&self.key)),
        }
        drop(states);
        self.answers.answered.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Answer, HelperAnswers, HelperFault};

    fn in_one_hour() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    fn is_timeout(answer: &Answer) -> bool {
        matches!(answer, Err(HelperFault::TimedOut(_)))
    }

    #[test]
    fn each_helper_runs_once_for_a_server() {
        let answers = HelperAnswers::default();
        let mut calls = Vec::new();
        for (helper, server) in [("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"), ("b", "x")] {
            let answer = answers.get(helper, server, in_one_hour(), |_| {
                calls.push((helper, server));
                Err(HelperFault::Missing)
            });
            assert!(matches!(answer, Err(HelperFault::Missing)));
        }
        assert_eq!(calls, [("a", "x"), ("a", "y"), ("b", "x")]);
    }

    #[test]
    fn a_second_thread_waits_for_the_answer_of_the_first() {
        let answers = HelperAnswers::default();
        let (started, is_started) = mpsc::channel();
        let (finish, is_finished) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                answers.get("a", "x", in_one_hour(), move |_| {
                    let _ = started.send(());
                    let _ = is_finished.recv();
                    Ok(None)
                })
            });
            assert!(is_started.recv().is_ok());
            let second =
                scope.spawn(|| answers.get("a", "x", in_one_hour(), |_| Err(HelperFault::Missing)));
            // Another helper, and the same helper for another server, are not delayed.
            for (helper, server) in [("b", "x"), ("a", "y")] {
                assert!(answers.get(helper, server, in_one_hour(), |_| Ok(None)).is_ok());
            }
            drop(finish);
            for thread in [first, second] {
                assert!(thread.join().is_ok_and(|answer| matches!(answer, Ok(None))));
            }
        });
    }

    #[test]
    fn waiting_for_another_thread_ends_at_the_deadline() {
        let answers = HelperAnswers::default();
        let (started, is_started) = mpsc::channel();
        let (finish, is_finished) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(|| {
                answers.get("a", "x", in_one_hour(), move |_| {
                    let _ = started.send(());
                    let _ = is_finished.recv();
                    Ok(None)
                })
            });
            assert!(is_started.recv().is_ok());
            let soon = Instant::now() + Duration::from_millis(20);
            let answer = answers.get("a", "x", soon, |_| Ok(None));
            assert!(is_timeout(&answer) && Instant::now() >= soon, "{answer:?}");
            drop(finish);
        });
    }

    #[test]
    fn a_helper_whose_thread_panicked_runs_again() {
        let answers = HelperAnswers::default();
        let panicked = thread::scope(|scope| {
            let ask = |_| -> Answer { std::panic::resume_unwind(Box::new(())) };
            let answers = &answers;
            scope.spawn(move || answers.get("a", "x", in_one_hour(), ask)).join().is_err()
        });
        assert!(panicked);
        assert!(matches!(answers.get("a", "x", in_one_hour(), |_| Ok(None)), Ok(None)));
    }

    #[test]
    fn a_timeout_is_remembered_only_if_the_helper_had_its_full_time() {
        for (deadline, expected) in [(Instant::now(), 2), (in_one_hour(), 1)] {
            let answers = HelperAnswers::default();
            let mut calls = 0;
            for _ in 0..2 {
                let answer = answers.get("a", "x", deadline, |time| {
                    calls += 1;
                    Err(HelperFault::TimedOut(time))
                });
                assert!(is_timeout(&answer));
            }
            assert_eq!(calls, expected);
        }
    }
}
