//! No output contains a secret: with every kind of credential, at every kind of registry, in every output format.

use super::{Access, Folder, auths, encoded, entry, name, question, registry};
use crate::support::secrets::{GRANTED, IDENTITY, PASSWORD, READY, leaked};
use crate::support::{Regq, Reply, Server};
use regq::credentials::{Credential, Keychain, Password, Secret};
use regq::reference::Reference;
use regq::registry::{Client, Config, Observer, ResolveOptions};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Servers that accept, refuse and echo credentials.
fn servers() -> Vec<Server> {
    let mut servers: Vec<_> =
        [Access::Open, Access::Public, Access::Private, Access::Basic].map(registry).into();
    for status in [400, 401, 403, 404, 429, 500] {
        servers.push(Server::start(None, move |request| match request.path() {
            "/token" => Reply::new(status).body("go away"),
            _ => super::challenge(request),
        }));
        servers.push(Server::start(None, move |request| match request.header("authorization") {
            None => Reply::new(401).header("WWW-Authenticate", "Basic realm=x"),
            Some(_) => Reply::new(status).body("go away"),
        }));
    }
    // These echo the credential, as sent and decoded.
    for (access, status) in [(Access::Private, 200), (Access::Private, 403), (Access::Basic, 403)] {
        servers.push(Server::start(None, move |request| match request.header("authorization") {
            None if request.method == "HEAD" => super::answer(access, request),
            None if request.method == "GET" && request.path() != "/token" => {
                super::answer(access, request)
            }
            sent => {
                let sent = sent.unwrap_or_default();
                let decoded = super::sent_credential(request).unwrap_or_default();
                let form = String::from_utf8_lossy(&request.body);
                let padding = "x".repeat(170);
                let body = format!("<p>no: {sent} {form} {decoded} {padding} {decoded}");
                Reply::new(status).body(body)
            }
        }));
    }
    let signed = "https://example.invalid/?X-Amz-Signature=p4ssw0rd-of-nobody";
    servers.push(Server::start(None, move |_| Reply::new(307).header("Location", signed)));
    servers.push(Server::start(None, move |request| match request.path() {
        "/token" => Reply::new(307).header("Location", signed),
        _ => super::challenge(request),
    }));
    servers.push(Server::start(None, |request| match request.path() {
        "/token" => super::token(&format!("{GRANTED} {GRANTED}")),
        _ => super::challenge(request),
    }));
    servers
}

/// Every way to pass a credential.
fn given(folder: &Folder, host: &str) -> Vec<Box<dyn Fn(Regq) -> Regq>> {
    let file = |name: &str, text: &str| -> Box<dyn Fn(Regq) -> Regq> {
        let path = folder.write(name, text);
        Box::new(move |regq: Regq| regq.arg("--authfile").arg(&path))
    };
    let token = folder.write("token", READY);
    let password = folder.write("password", PASSWORD);
    folder.write("store/config.json", r#"{"credsStore":"x"}"#);
    let (path, docker) = (folder.search_path(), folder.path("store"));
    folder.program("x", &format!(r#"echo '{{"Username":"<token>","Secret":"{IDENTITY}"}}'"#));
    let both = format!(r#"{{"auth":"{}","identitytoken":"{IDENTITY}"}}"#, encoded("ada", PASSWORD));
    let variable = auths(host, &entry());
    vec![
        file("password.json", &auths(host, &entry())),
        file("identity.json", &auths(host, &both)),
        file("ready.json", &auths(host, &format!(r#"{{"registrytoken":"{READY}"}}"#))),
        // Invalid JSON in the middle of a secret.
        file(
            "cut.json",
            &format!(r#"{{"auths":{{"{host}":{{"auth":"{}"#, encoded("ada", PASSWORD)),
        ),
        file("type.json", &format!(r#"{{"auths":"{PASSWORD}"}}"#)),
        file("number.json", &format!(r#"{{"auths":{{"{host}":{{"auth":["{PASSWORD}"]}}}}}}"#)),
        file("unusable.json", &auths(host, &format!(r#"{{"auth":"{PASSWORD}"}}"#))),
        file("spaces.json", &auths(host, &format!(r#"{{"registrytoken":"{READY} {READY}"}}"#))),
        Box::new(move |regq: Regq| regq.arg("--token-file").arg(&token)),
        Box::new(move |regq: Regq| regq.args(["--user", "ada", "--password-file"]).arg(&password)),
        Box::new(move |regq: Regq| regq.env("DOCKER_AUTH_CONFIG", &variable)),
        Box::new(move |regq: Regq| regq.env("PATH", &path).env("DOCKER_CONFIG", &docker)),
    ]
}

#[test]
fn no_output_contains_a_secret() {
    for server in servers() {
        let folder = Folder::new();
        for give in given(&folder, &server.authority()) {
            // The runner searches the output for secrets.
            for flags in [&["-v"][..], &["-v", "--json"]] {
                let regq = question(&server).args(flags).args(["--retries", "0"]);
                let ran = give(regq).run();
                assert!(ran.code != 2 && !ran.stderr.is_empty(), "{ran}");
            }
        }
        let login = ["login", "-v", "--plain-http", "--retries", "0", "--user", "ada"];
        Regq::new()
            .args(login)
            .args(["--password-stdin", &server.authority(), "--authfile"])
            .arg(folder.path("login.json"))
            .stdin(PASSWORD)
            .run();
    }
}

fn keychains(folder: &Path) -> Vec<Keychain> {
    let password = || Password::new("ada", Secret::new(PASSWORD)).unwrap();
    let identity =
        Credential::IdentityToken { token: Secret::new(IDENTITY), password: Some(password()) };
    let mut all = Keychain::given(Credential::Password(password()));
    all.add_file(&folder.join("auth.json")).unwrap();
    all.add_token_file(&folder.join("token")).unwrap();
    all.add_variable("DOCKER_AUTH_CONFIG", auths("other.example", &entry()));
    vec![
        Keychain::given(Credential::Password(password())),
        Keychain::given(Credential::token(Secret::new(READY)).unwrap()),
        Keychain::given(identity),
        all,
    ]
}

#[test]
fn no_debug_output_contains_a_secret() {
    let folder = Folder::new();
    folder.write("token", READY);
    folder.write("auth.json", auths("other.example", &entry()));
    for server in servers() {
        for keychain in keychains(&folder.0) {
            let events = Arc::new(Mutex::new(String::new()));
            let (log, exchanges) = (Arc::clone(&events), Arc::clone(&events));
            let mut config = Config::default();
            config.plain_http = true;
            config.retries = 0;
            config.observer = Observer::with_conversation(
                move |event| log.lock().unwrap().push_str(&format!("{event:?}")),
                move |exchange| exchanges.lock().unwrap().push_str(&format!("{exchange:?}")),
            );
            config.keychain = keychain.clone();
            let mut shown = format!("{keychain:?}{config:#?}");
            let client = Client::new(config).unwrap();
            let reference = Reference::parse(&name(&server)).unwrap();
            // Twice, to cover what the client remembers.
            for _ in 0..2 {
                let outcome = client.resolve(&reference, &ResolveOptions::default());
                shown.push_str(&format!("{outcome:?}{outcome:#?}{client:?}{client:#?}"));
                if let Err(error) = outcome {
                    shown.push_str(&crate::conversation::chain(&error));
                }
            }
            shown.push_str(&events.lock().unwrap());
            assert_eq!(leaked(shown.as_bytes()), None, "{shown}");
            assert!(shown.contains("Secret(..)"), "{shown}");
        }
    }
}

#[test]
fn debug_output_of_credentials_contains_no_secret() {
    let password = Password::new("ada", Secret::new(PASSWORD)).unwrap();
    let token = Credential::token(Secret::new(READY)).unwrap();
    let identity = Credential::IdentityToken {
        token: Secret::new(IDENTITY),
        password: Some(password.clone()),
    };
    let shown = format!(
        "{:?}{:?}{password:?}{token:?}{identity:#?}{:?}",
        password.encoded(),
        password.basic(),
        Credential::Password(password.clone()),
    );
    assert_eq!(leaked(shown.as_bytes()), None, "{shown}");
    // The search does find secrets.
    assert!(leaked(password.basic().expose().as_bytes()).is_some());
    for wrong in [format!("{PASSWORD}\n"), format!("{PASSWORD}\u{0}")] {
        let error = Password::new("ada", Secret::new(wrong)).expect_err("a control character");
        assert_eq!(leaked(format!("{error}{error:?}").as_bytes()), None);
    }
    let error = Credential::token(Secret::new(format!("{READY} {READY}"))).expect_err("a blank");
    assert_eq!(leaked(format!("{error}{error:?}").as_bytes()), None);
}
