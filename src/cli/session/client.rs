//! From flags to a client: whom to be, whom to trust, and whom to tell what happens.
//!
//! The only place of the command line that reads files. Everything here fails before a request is
//! sent.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use regq::credentials::{Credential, Keychain, Password, Secret};
use regq::error::{Error, HumanDuration};
use regq::explain::Recorder;
use regq::files;
use regq::reference::{Reference, Registry};
use regq::registry::{Client, Config, Event, Observer};

use crate::cli::args::values::{self, Options, Verbosity};
use crate::cli::commands::context::{Context, Environment};
use crate::cli::failure::Failure;
use crate::cli::output::Messages;
use crate::cli::session::auth_paths;

/// The longest password that is read, in bytes.
const PASSWORD_LIMIT: u64 = 64 * 1024;

/// Waits that are longer than this are told of.
const NOTABLE: Duration = Duration::from_secs(1);

/// The client that the flags and the environment describe.
pub(crate) fn client(context: &mut Context) -> Result<Client, Failure> {
    let keychain = keychain(context)?;
    client_with(context, keychain)
}

/// The same, with these credentials and no others.
pub(crate) fn client_with(context: &Context, keychain: Keychain) -> Result<Client, Failure> {
    let Context { options, environment, .. } = context;
    let mut config = Config::default();
    config.keychain = keychain;
    config.ca_files.clone_from(&options.ca_files);
    config.ca_files.extend(environment.ssl_cert_file.clone());
    config.insecure = options.insecure;
    config.plain_http = options.plain_http;
    config.trusted_realms = trusted_realms(options, environment)?;
    config.allow_private = options.allow_private;
    config.timeout = options.timeout.unwrap_or(config.timeout);
    config.connect_timeout = options.connect_timeout.unwrap_or(config.connect_timeout);
    config.retries = options.retries.unwrap_or(config.retries);
    config.max_wait = options.max_wait.unwrap_or(config.max_wait);
    let messages = Arc::clone(&context.messages);
    config.observer = Observer::new(move |event| tell(&messages, event));
    Client::new(config).map_err(|error| local(&error, options, environment))
}

/// The same client for one question, and the recorder of that question.
pub(crate) fn recorded(client: &Client, messages: &Arc<Messages>) -> (Client, Recorder) {
    let recorder = Recorder::default();
    let (events, exchanges) = (recorder.clone(), recorder.clone());
    let messages = Arc::clone(messages);
    let observer = Observer::with_conversation(
        move |event| {
            events.record(event);
            tell(&messages, event);
        },
        move |exchange| exchanges.record_exchange(exchange),
    );
    (client.observed_by(observer), recorder)
}

/// A file that cannot be used: said with the variable that names it, where no flag does.
fn local(error: &Error, options: &Options, environment: &Environment) -> Failure {
    let mut failure = Failure::new(error, None);
    let Error::Local { path, .. } = error else { return failure };
    let certificates =
        environment.ssl_cert_file.as_ref().filter(|_| !options.ca_files.contains(path));
    let credentials =
        environment.registry_auth_file.as_ref().filter(|_| options.authfile.is_none());
    let variables = [("SSL_CERT_FILE", certificates), ("REGISTRY_AUTH_FILE", credentials)];
    if let Some((name, _)) = variables.iter().find(|(_, named)| *named == Some(path)) {
        failure.message = format!("{name}: {}", failure.message);
    }
    failure
}

/// The token servers that the user trusts: those of the flags and those of the environment.
fn trusted_realms(options: &Options, environment: &Environment) -> Result<Vec<String>, Failure> {
    let mut hosts = options.trusted_realms.clone();
    let named = environment.trusted_realms.as_deref().unwrap_or_default().to_string_lossy();
    for host in named.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        let wrong = |why| Failure::usage(format!("REGQ_TRUST_REALM: {why}"));
        hosts.push(values::realm(host).map_err(wrong)?);
    }
    Ok(hosts)
}

/// Where credentials are looked for, in this order. Files that the user named are read now.
fn keychain(context: &mut Context) -> Result<Keychain, Failure> {
    if context.options.anonymous {
        return Ok(Keychain::default());
    }
    let mut keychain = match given(context)? {
        Some(password) => Keychain::given(Credential::Password(password)),
        None => Keychain::default(),
    };
    let Context { options, environment, .. } = context;
    let local = |error| local(&error, options, environment);
    if let Some(path) = &options.token_file {
        keychain.add_token_file(path).map_err(local)?;
    }
    if let Some(path) = auth_paths::named(options, environment) {
        keychain.add_file(&path).map_err(local)?;
    }
    if let Some(text) = &environment.docker_auth_config {
        keychain.add_variable("DOCKER_AUTH_CONFIG", text.to_string_lossy());
    }
    for path in auth_paths::docker(environment).into_iter().chain(auth_paths::podman(environment)) {
        keychain.add_default_file(path);
    }
    Ok(keychain)
}

/// The user name and password of the flags, where they are given.
pub(crate) fn given(context: &mut Context) -> Result<Option<Password>, Failure> {
    let Context { options, stdin, stdin_is_terminal, messages, .. } = context;
    let Some(user) = &options.user else { return Ok(None) };
    if *stdin_is_terminal && options.password_stdin {
        let line = "note: type the password (it is visible), then press Enter and Ctrl-D";
        messages.say(Verbosity::Normal, line);
    }
    let (place, secret) = match &options.password_file {
        Some(path) => {
            let place = path.display().to_string();
            let unreadable = |error| Failure::local(format!("{place}: cannot be read: {error}"));
            let file = File::open(path).map_err(unreadable)?;
            let secret = password(&place, file)?;
            (place, secret)
        }
        None => ("standard input".to_owned(), password("standard input", stdin)?),
    };
    let password = Password::new(user.clone(), secret);
    password.map(Some).map_err(|error| Failure::local(format!("{place}: {error}")))
}

/// Holds the credentials that were given to the registry that was asked first: whoever gives a password for a
/// list of references gives it for one registry, not for every host in the list.
#[derive(Default)]
pub(crate) struct OneRegistry {
    first: Option<Registry>,
}

impl OneRegistry {
    /// Refuses a reference of another registry than the first one's, when there are credentials that were given.
    pub(crate) fn check(
        &mut self,
        reference: &Reference,
        options: &Options,
    ) -> Result<(), Failure> {
        if options.user.is_none() && options.token_file.is_none() {
            return Ok(());
        }
        let registry = reference.registry();
        let first = self.first.get_or_insert_with(|| registry.clone());
        if first == registry {
            return Ok(());
        }
        let mut failure =
            Failure::usage(format!("the credentials on the command line are for {first}"));
        failure.hint = Some(format!("run regq separately for {registry}"));
        Err(failure)
    }
}

/// The registry that login and logout are about.
pub(crate) fn registry(context: &Context) -> Result<Registry, Failure> {
    let typed = context.operands.first().map(|operand| operand.to_string_lossy());
    let typed = typed.unwrap_or_default();
    Registry::parse(&typed).map_err(|error| Failure::new(&Error::from(error), None))
}

/// The credential file that login and logout change.
pub(crate) fn credential_file(context: &Context) -> Result<PathBuf, Failure> {
    let Context { options, environment, .. } = context;
    let path = auth_paths::named(options, environment).or_else(|| auth_paths::docker(environment));
    path.ok_or_else(|| {
        let mut failure =
            Failure::local("no file to save credentials in: HOME is not set".to_owned());
        failure.hint = Some("name a file with --authfile FILE".to_owned());
        failure
    })
}

/// Reads a password to its end, without the one line end that editors and `echo` put there.
fn password(place: &str, source: impl Read) -> Result<Secret, Failure> {
    let failed = |why: String| Failure::local(format!("{place}: {why}"));
    let bytes = files::read_to_limit(source, PASSWORD_LIMIT)
        .map_err(|fault| Failure::new(&Error::Local { path: place.into(), fault }, None))?;
    let mut text = String::from_utf8(bytes)
        .map_err(|_| failed("the password is not UTF-8 text".to_owned()))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(failed("the password is empty".to_owned()));
    }
    if text.contains('\n') {
        return Err(failed("the password has more than one line".to_owned()));
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
            messages.say(Verbosity::Trace, &line);
        }
        Event::Sending { method, url, headers } => {
            messages.say(Verbosity::Trace, &format!("> {method} {url} [{}]", headers.join(", ")));
        }
        Event::Received { status, headers, elapsed } => {
            let time = elapsed.as_millis();
            let line = format!("< {status} after {time} ms [{}]", headers.join(", "));
            messages.say(Verbosity::Trace, &line);
        }
        Event::Retrying { host, reason, wait, announced } => {
            let from = if *wait > NOTABLE { Verbosity::Normal } else { Verbosity::Trace };
            let asked = if *announced { ", as requested" } else { "" };
            let wait = HumanDuration(*wait);
            messages.say(from, &format!("retrying {host} in {wait}{asked}: {reason}"));
        }
        Event::Warning { host, text } => {
            messages.say_once(Verbosity::Normal, &format!("warning from {host}: {text:?}"));
        }
        Event::CredentialLookup { source, result } => {
            let source = if source.is_empty() { "command line" } else { *source };
            messages.say(Verbosity::Trace, &format!("* {source}: {result}"));
        }
        Event::CredentialProblem { text } => {
            messages
                .say(Verbosity::Normal, &format!("note: {text}; continuing without credentials"));
        }
        Event::PlainHttp { host } => {
            let line = format!("note: {host} does not use TLS; using plain HTTP");
            messages.say_once(Verbosity::Normal, &line);
        }
        // Events that later versions of the library add are ignored until they have a line here.
        Event::Resolved { .. } | _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex, PoisonError};

    use super::{Duration, Environment, Event, Messages, Verbosity, tell};
    use crate::cli::{Process, run};
    use std::ffi::OsString;

    /// A stderr that is read afterwards.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is said of a wait.
    fn said(verbosity: Verbosity, wait: Duration, announced: bool) -> String {
        let sink = Sink::default();
        let messages = Messages::new(Box::new(sink.clone()), verbosity);
        let event = Event::Retrying { host: "h", reason: "status 429", wait, announced };
        tell(&messages, &event);
        let bytes = sink.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn a_wait_is_told_when_it_is_longer_than_a_second() {
        let [short, long] = [1_000, 1_001].map(Duration::from_millis);
        for (verbosity, wait, announced, due) in [
            (Verbosity::Normal, short, true, ""),
            (Verbosity::Normal, long, false, "retrying h in 1 s: status 429\n"),
            (
                Verbosity::Normal,
                Duration::from_secs(20),
                true,
                "retrying h in 20 s, as requested: status 429\n",
            ),
            (Verbosity::Quiet, Duration::from_secs(20), true, ""),
            (Verbosity::Trace, short, true, "retrying h in 1 s, as requested: status 429\n"),
        ] {
            assert_eq!(said(verbosity, wait, announced), due, "{verbosity:?}, {wait:?}");
        }
    }

    /// What is said when a password is read from stdin, which holds none, and how it ends.
    fn reading_a_password(stdin_is_terminal: bool, flags: &[&str]) -> (u8, String) {
        let sink = Sink::default();
        let args = ["login", "h.example", "--user", "ada"];
        let code = run(Process {
            args: args.iter().chain(flags).map(OsString::from).collect(),
            environment: Environment { docker_config: Some("/".into()), ..Environment::default() },
            stdin: Box::new(io::empty()),
            stdin_is_terminal,
            stdout: Box::new(io::sink()),
            stdout_is_terminal: false,
            stderr: Box::new(sink.clone()),
        });
        let bytes = sink.0.lock().unwrap_or_else(PoisonError::into_inner);
        (code, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn a_password_that_is_typed_is_said_to_be_seen() {
        let empty = "regq: standard input: the password is empty\n";
        let seen = "note: type the password (it is visible), then press Enter and Ctrl-D\n";
        for (terminal, flags, due) in [
            (true, &["--password-stdin"][..], format!("{seen}{empty}")),
            (true, &["-q", "--password-stdin"], empty.to_owned()),
            (false, &["--password-stdin"], empty.to_owned()),
        ] {
            assert_eq!(reading_a_password(terminal, flags), (8, due), "{flags:?}");
        }
        let (_, said) = reading_a_password(true, &["--password-file", "/dev/null"]);
        assert_eq!(said, "regq: /dev/null: the password is empty\n");
    }
}
