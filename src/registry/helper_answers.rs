//! Remembers what credential helpers answered, so that each is asked once for a server, whichever thread asks.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::credentials::{Credential, HELPER_DEADLINE, ask_helper};
use crate::error::HelperFault;
use crate::registry::state::lock;

/// What helpers answered, so that each is asked once for a server.
#[derive(Debug, Default)]
pub(super) struct HelperAnswers {
    answers: Mutex<HashMap<(String, String), HelperState>>,
    answered: Condvar,
}

#[derive(Debug, Clone)]
enum HelperState {
    /// It was started by some thread. The others wait for its answer: a user is asked one thing at a time.
    Running,
    Answered(Result<Option<Credential>, HelperFault>),
}

impl HelperAnswers {
    /// The answer of a helper for a server, from memory if it was asked before. Failures are remembered too: a helper
    /// that hangs would cost its time again.
    pub(super) fn get(
        &self,
        helper: &str,
        server: &str,
        deadline: Instant,
    ) -> Result<Option<Credential>, HelperFault> {
        let started = Instant::now();
        let key = (helper.to_owned(), server.to_owned());
        let mut answers = lock(&self.answers);
        loop {
            match answers.get(&key) {
                Some(HelperState::Answered(answer)) => return answer.clone(),
                None => break,
                Some(HelperState::Running) => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(HelperFault::TimedOut(started.elapsed()));
            }
            let woken = self.answered.wait_timeout(answers, left);
            answers = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        answers.insert(key.clone(), HelperState::Running);
        drop(answers);
        let time = deadline.saturating_duration_since(Instant::now()).min(HELPER_DEADLINE);
        let answer = ask_helper(helper, server, time);
        self.finish(key, time, answer.clone());
        answer
    }

    fn finish(
        &self,
        key: (String, String),
        time: Duration,
        answer: Result<Option<Credential>, HelperFault>,
    ) {
        let mut answers = lock(&self.answers);
        // A helper that had less time than helpers get may answer when it is given more.
        if time < HELPER_DEADLINE && matches!(answer, Err(HelperFault::TimedOut(_))) {
            answers.remove(&key);
        } else {
            answers.insert(key, HelperState::Answered(answer));
        }
        drop(answers);
        self.answered.notify_all();
    }
}
