//! Prints events of the client: requests with `-v`, waits and warnings always, unless `-q` is given.

use std::time::Duration;

use regq::error::HumanDuration;
use regq::event::Event;

use crate::cli::args::flags::Verbosity;
use crate::cli::output::Messages;

/// Longer waits are printed without `-v`.
const LONG_WAIT: Duration = Duration::from_secs(1);

/// Prints an event if the verbosity includes it.
pub(super) fn print(messages: &Messages, event: &Event<'_>) {
    match event {
        Event::Connected { host, addresses, tls } => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let tls = tls
                .as_ref()
                .map_or("no TLS".to_owned(), |tls| format!("{} with {}", tls.version, tls.cipher));
            let line = format!("* connected to {host} ({}), {tls}", addresses.join(", "));
            messages.print(Verbosity::Trace, &line);
        }
        Event::Sending { method, url, headers } => {
            messages.print(Verbosity::Trace, &format!("> {method} {url} [{}]", headers.join(", ")));
        }
        Event::Received { status, headers, elapsed } => {
            let time = elapsed.as_millis();
            let line = format!("< {status} after {time} ms [{}]", headers.join(", "));
            messages.print(Verbosity::Trace, &line);
        }
        Event::Retrying { host, reason, wait, announced } => {
            let min = if *wait > LONG_WAIT { Verbosity::Normal } else { Verbosity::Trace };
            let requested = if *announced { ", as requested" } else { "" };
            let wait = HumanDuration(*wait);
            messages.print(min, &format!("retrying {host} in {wait}{requested}: {reason}"));
        }
        Event::Warning { host, text } => {
            messages.print_once(Verbosity::Normal, &format!("warning from {host}: {text:?}"));
        }
        Event::CredentialLookup { source, result } => {
            let source = if source.is_empty() { "command line" } else { *source };
            messages.print(Verbosity::Trace, &format!("* {source}: {result}"));
        }
        Event::CredentialProblem { text } => {
            messages.note(&format!("{text}; continuing without credentials"));
        }
        Event::PlainHttp { host } => {
            let line = format!("note: {host} does not use TLS; using plain HTTP");
            messages.print_once(Verbosity::Normal, &line);
        }
        // Events that the library adds later are ignored until they are handled here.
        Event::Resolved { .. } | _ => {}
    }
}

#[cfg(test)]
mod tests {

    use super::{Duration, Event, Messages, Verbosity, print};
    use crate::cli::tests::Sink;

    /// Returns what is printed about a wait.
    fn printed(verbosity: Verbosity, wait: Duration, announced: bool) -> String {
        let sink = Sink::default();
        let messages = Messages::new(Box::new(sink.clone()), verbosity);
        let event = Event::Retrying { host: "h", reason: "status 429", wait, announced };
        print(&messages, &event);
        sink.text()
    }

    #[test]
    fn waits_of_more_than_a_second_are_printed() {
        let [short, long] = [1_000, 1_001].map(Duration::from_millis);
        let twenty = Duration::from_secs(20);
        for (verbosity, wait, announced, expected) in [
            (Verbosity::Normal, short, true, ""),
            (Verbosity::Normal, long, false, "retrying h in 1 s: status 429\n"),
            (Verbosity::Normal, twenty, true, "retrying h in 20 s, as requested: status 429\n"),
            (Verbosity::Quiet, twenty, true, ""),
            (Verbosity::Trace, short, true, "retrying h in 1 s, as requested: status 429\n"),
        ] {
            assert_eq!(printed(verbosity, wait, announced), expected, "{verbosity:?}, {wait:?}");
        }
    }
}
