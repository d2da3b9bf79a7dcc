//! From flags to a client: whom to be, whom to trust, and whom to tell what happens.
//!
//! The only place of the command line that reads files. Everything here fails before a request is
//! sent.

use std::fs::File;
use std::io::{BufRead, Read};
use std::sync::Arc;
use std::time::Duration;

use regq::credentials::{Credential, Keychain, Secret};
use regq::registry::{Client, Config, Event, Observer};

use super::context::Context;
use super::failure::Failure;
use super::options::{Loudness, Options};
use super::output::Messages;

/// The longest password that is read, in bytes.
const PASSWORD_LIMIT: u64 = 64 * 1024;

/// Waits that are longer than this are told of.
const NOTABLE: Duration = Duration::from_secs(1);

/// The client that the flags describe.
pub(crate) fn client(context: &mut Context) -> Result<Client, Failure> {
    let keychain = keychain(&context.options, &mut *context.stdin)?;
    let options = &context.options;
    let mut config = Config::default();
    config.keychain = keychain;
    config.ca_files.clone_from(&options.ca_files);
    config.ca_files.extend(context.ssl_cert_file.clone());
    config.insecure = options.insecure;
    config.plain_http = options.plain_http;
    config.trusted_realms.clone_from(&options.trusted_realms);
    config.allow_private = options.allow_private;
    config.timeout = options.timeout.unwrap_or(config.timeout);
    config.connect_timeout = options.connect_timeout.unwrap_or(config.connect_timeout);
    config.retries = options.retries.unwrap_or(config.retries);
    config.max_wait = options.max_wait.unwrap_or(config.max_wait);
    let messages = Arc::clone(&context.messages);
    config.observer = Observer::new(move |event| tell(&messages, event));
    Client::new(config).map_err(|error| Failure::new(&error, None))
}

fn keychain(options: &Options, stdin: &mut dyn BufRead) -> Result<Keychain, Failure> {
    let Some(user) = &options.user else { return Ok(Keychain::Anonymous) };
    let (place, password) = match &options.password_file {
        Some(path) => {
            let place = path.display().to_string();
            let unreadable = |error| Failure::local(format!("{place}: cannot be read: {error}"));
            let password = password(&place, File::open(path).map_err(unreadable)?)?;
            (place, password)
        }
        None => ("standard input".to_owned(), password("standard input", stdin)?),
    };
    match Credential::password(user.clone(), password) {
        Ok(credential) => Ok(Keychain::Given(credential)),
        Err(error) => Err(Failure::local(format!("{place}: {error}"))),
    }
}

/// Reads a password to its end, without the one line end that editors and `echo` put there.
fn password(place: &str, source: impl Read) -> Result<Secret, Failure> {
    let failed = |why: String| Failure::local(format!("{place}: {why}"));
    let mut bytes = Vec::new();
    source
        .take(PASSWORD_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(format!("cannot be read: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > PASSWORD_LIMIT) {
        return Err(failed(format!("a password has at most {PASSWORD_LIMIT} bytes")));
    }
    let mut text =
        String::from_utf8(bytes).map_err(|_| failed("a password is UTF-8 text".to_owned()))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Secret::new(text))
}

/// Tells of an event, where as much was asked for.
fn tell(messages: &Messages, event: &Event<'_>) {
    match event {
        Event::Connected { host, addresses, tls } => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let tls = tls
                .as_ref()
                .map_or("no TLS".to_owned(), |tls| format!("{} with {}", tls.version, tls.cipher));
            let line = format!("* connected to {host} ({}), {tls}", addresses.join(", "));
            messages.say(Loudness::Trace, &line);
        }
        Event::Sending { method, url, headers } => {
            messages.say(Loudness::Trace, &format!("> {method} {url} [{}]", headers.join(", ")));
        }
        Event::Answered { status, headers, elapsed } => {
            let time = elapsed.as_millis();
            let line = format!("< {status} after {time} ms [{}]", headers.join(", "));
            messages.say(Loudness::Trace, &line);
        }
        Event::Retrying { host, reason, wait, announced } => {
            let from = if *wait > NOTABLE { Loudness::Normal } else { Loudness::Trace };
            let asked = if *announced { ", as it asks" } else { "" };
            let wait = shown(*wait);
            messages.say(from, &format!("waiting {wait} for {host}{asked}: {reason}"));
        }
        Event::Warning { host, text } => {
            messages.say_once(Loudness::Normal, &format!("warning: {host} says {text:?}"));
        }
        Event::PlainHttp { host } => {
            let line = format!("note: {host} does not speak TLS and is asked in plain http");
            messages.say_once(Loudness::Normal, &line);
        }
        // What the library learns to tell later is of no interest before it is named here.
        _ => {}
    }
}

/// A duration for people: `0.3 s`, `20 s`.
fn shown(duration: Duration) -> String {
    if duration.subsec_millis() == 0 || duration >= Duration::from_secs(10) {
        format!("{:.0} s", duration.as_secs_f64())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}
