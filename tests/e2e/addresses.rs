//! Checks that regq does not follow a registry to more private addresses or out of TLS without a flag.
//!
//! Scripted servers listen on public and private addresses in their own network and mount namespaces. `namespaces` does the
//! same with real registries, which cannot be scripted.

use std::env;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::certificates::Certificates;
use crate::peers::{self, RunResult, Surroundings};
use crate::report::Report;
use crate::stage::Stage;
use crate::support::content::sha256;
use crate::support::{Reply, Request, Server};
use crate::{Outcome, REGQ};

/// The argument of the copy of this program inside.
pub(crate) const INSIDE: &str = "inside-addresses";

/// The addresses of the loopback device: a documentation address (RFC 5737), which counts as public, and a private one.
const ADDRESSES: [&str; 2] = ["192.0.2.1/32", "10.1.2.3/32"];

/// Addresses that neither accept nor refuse connections.
const UNREACHABLE: &str = "203.0.113.0/24";

/// An address with a route from another source address. The resolver sorts addresses with the same source address first,
/// so this one comes after the unreachable one.
const SORTED_LAST: &str = "198.51.100.7";

/// The hosts file, which scenes change. The second name also has a private address.
const HOSTS: &str = "\
127.0.0.1 localhost
192.0.2.1 registry.public.example
192.0.2.1 registry.private.example
10.1.2.3 registry.private.example
203.0.113.9 slow.public.example
198.51.100.7 slow.public.example
";

const MANIFEST: &str = r#"{"schemaVersion":2,"config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;

/// Runs the scenes in a copy of this program, and counts its checks.
pub(crate) fn run(stage: &Stage, report: &mut Report) {
    let (passed, failed) = report.counts();
    let outcome = start_inside(&stage.folder).and_then(|(output, succeeded)| {
        report.adopt(&output);
        match report.counts() {
            counts if counts == (passed, failed) => Err(format!("nothing was checked: {output}")),
            (_, after) if after == failed && !succeeded => {
                Err(format!("the scene failed: {output}"))
            }
            _ => Ok(()),
        }
    });
    if outcome.is_err() {
        report.check("scenes with addresses", outcome);
    }
}

fn start_inside(folder: &Path) -> Outcome<(String, bool)> {
    let unshare = peers::find("unshare").ok_or("unshare is required (util-linux)")?;
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(unshare);
    command.args(["--map-root-user", "--net", "--mount", "--"]).arg(this).arg(INSIDE).arg(folder);
    let output = command.output().map_err(|error| format!("starting unshare: {error}"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((text, output.status.success()))
}

/// Runs the scenes inside the namespaces. Returns whether no check failed.
pub(crate) fn inside(folder: &Path) -> Outcome<bool> {
    let place = Place::build(folder)?;
    let mut report = Report::default();
    report.scope("addresses");
    place.check_private_addresses(&mut report)?;
    place.check_plain_http(&mut report)?;
    place.check_cleartext_credentials(&mut report)?;
    place.check_deadlines(&mut report)?;
    Ok(!report.has_failures())
}

/// The namespaces from inside: mounted files of `/etc`, certificates, and surroundings that trust them.
struct Place {
    folder: PathBuf,
    hosts: PathBuf,
    certificates: Certificates,
    surroundings: Surroundings,
}

impl Place {
    fn build(folder: &Path) -> Outcome<Place> {
        let certificates = Certificates::of(folder);
        let folder = folder.join("addresses");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let hosts = folder.join("hosts");
        let surroundings = Surroundings::new(&folder).trusting(&certificates.authority());
        let place = Place { folder, hosts, certificates, surroundings };
        let ip = peers::find("ip").ok_or("ip is required (iproute2)")?;
        place.command(&ip, &["link", "set", "lo", "up"])?;
        for address in ADDRESSES {
            place.command(&ip, &["addr", "add", address, "dev", "lo"])?;
        }
        place.command(&ip, &["route", "add", UNREACHABLE, "dev", "lo"])?;
        let from = ["dev", "lo", "src", "192.0.2.1"];
        place.command(&ip, &[&["route", "add", "local", SORTED_LAST], &from[..]].concat())?;
        let resolver = place.folder.join("resolv.conf");
        fs::write(&resolver, "nameserver 127.0.0.1\n").map_err(|error| error.to_string())?;
        place.write_hosts(HOSTS)?;
        let mount = peers::find("mount").ok_or("mount is required")?;
        for (file, over) in [(&place.hosts, "/etc/hosts"), (&resolver, "/etc/resolv.conf")] {
            place.command(&mount, &["--bind", &file.display().to_string(), over])?;
        }
        Ok(place)
    }

    fn command(&self, program: &Path, words: &[&str]) -> Outcome<()> {
        self.surroundings.run(program, words, "")?.bytes().map(drop)
    }

    /// Rewrites the file that is mounted over `/etc/hosts`.
    fn write_hosts(&self, hosts: &str) -> Outcome<()> {
        fs::write(&self.hosts, hosts).map_err(|error| error.to_string())
    }

    /// Starts a server at an address, with or without TLS.
    fn serve(
        &self,
        address: &str,
        tls: bool,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Outcome<Server> {
        let config = if tls { Some(self.certificates.server_config()?) } else { None };
        Ok(Server::start_on(listen(address)?, config, handler))
    }

    fn regq(&self, line: &str) -> Outcome<RunResult> {
        let words: Vec<_> = line.split(' ').collect();
        self.surroundings.run(Path::new(REGQ), &words, "")
    }

    /// Checks all ways in which a public registry can lead to private addresses.
    fn check_private_addresses(&self, report: &mut Report) -> Outcome<()> {
        // Listens on all private addresses. regq must not connect to it.
        let private = self.serve("0.0.0.0:5001", true, |request| match request.path() {
            "/token" => Reply::new(200).body(r#"{"token":"T"}"#),
            _ => manifest(),
        })?;
        let hosts = self.hosts.clone();
        let registry = self.serve("192.0.2.1:5000", true, move |request| {
            if request.header("authorization").is_some() {
                return manifest();
            }
            let to = |url: &str| Reply::new(307).header("Location", url);
            let realm = |url: &str| {
                Reply::new(401).header("WWW-Authenticate", format!("Bearer realm=\"{url}\""))
            };
            // From now on the registry's own name resolves to another address.
            let moved = |address: &str| {
                let line = format!("{address} registry.public.example\n");
                fs::write(&hosts, line).expect("the hosts file");
            };
            match request.path().split('/').nth(2).unwrap_or_default() {
                "private-port" => {
                    moved("10.1.2.3");
                    to("https://registry.public.example:5001/x")
                }
                "loopback-port" => {
                    moved("127.0.0.1");
                    to("https://registry.public.example:5001/x")
                }
                "private-literal" => to("https://10.1.2.3:5001/x"),
                "loopback-literal" => to("https://127.0.0.1:5001/x"),
                "mixed" => to("https://registry.private.example:5001/x"),
                "realm-port" => {
                    moved("10.1.2.3");
                    realm("https://registry.public.example:5001/token")
                }
                "realm-literal" => realm("https://127.0.0.1:5001/token"),
                "public" => to("/v2/"),
                _ => manifest(),
            }
        })?;
        for way in [
            "private-port",
            "loopback-port",
            "private-literal",
            "loopback-literal",
            "mixed",
            "realm-port",
            "realm-literal",
        ] {
            // The certificate does not cover this address.
            let line = format!("digest --insecure registry.public.example:5000/{way}:1");
            self.write_hosts(HOSTS)?;
            let before = private.connections();
            let outcome =
                self.regq(&line)?.exits(7).and_then(|()| check_no_connection(&private, before));
            report.check(&format!("{way}: exit 7 without a connection"), outcome);
            self.write_hosts(HOSTS)?;
            let line = line.replace("--insecure", "--insecure --allow-private");
            report.check(&format!("{way}: --allow-private"), check_digest(self.regq(&line)?));
        }
        self.write_hosts(HOSTS)?;
        let result = self.regq("digest registry.public.example:5000/public:1")?;
        report.check("from a public to a public address", check_digest(result));
        drop((registry, private));
        // An origin that the user named may have any address, even after a redirect back to it.
        let named = self.serve("10.1.2.3:5000", true, |request| match request.path() {
            "/x" => manifest(),
            _ => Reply::new(307).header("Location", "https://registry.private.example:5000/x"),
        })?;
        let result = self.regq("digest registry.private.example:5000/x:1")?;
        report.check("a private registry named by the user", check_digest(result));
        drop(named);
        Ok(())
    }

    /// Checks that regq sends nothing over plain http to other machines without --plain-http.
    fn check_plain_http(&self, report: &mut Report) -> Outcome<()> {
        let plain = self.serve("192.0.2.1:5002", false, |_| manifest())?;
        let result = self.regq("digest registry.public.example:5002/team/app:1")?;
        let outcome = result.exits(6).and_then(|()| {
            let hint = "hint: if the registry does not use TLS, add --plain-http\n";
            if result.stderr.ends_with(hint) { Ok(()) } else { Err(result.describe()) }
        });
        report.check("public registry without TLS: exit 6 and a hint", outcome);
        let outcome = match (plain.lines().as_slice(), plain.not_http()) {
            ([], 1) => Ok(()),
            (lines, handshakes) => Err(format!("{handshakes} TLS handshakes, then {lines:?}")),
        };
        report.check("public registry without TLS: gets no request", outcome);
        let result = self.regq("digest --plain-http registry.public.example:5002/team/app:1")?;
        report.check("public registry without TLS: --plain-http", check_digest(result));
        Ok(())
    }

    /// A registry on this machine redirects over plain http to another machine, for which there are credentials.
    fn check_cleartext_credentials(&self, report: &mut Report) -> Outcome<()> {
        let other =
            self.serve("192.0.2.1:5003", false, |request| match request.header("authorization") {
                Some(_) => manifest(),
                None => Reply::new(401).header("WWW-Authenticate", r#"Basic realm="beyond""#),
            })?;
        let _registry = self.serve("127.0.0.1:5003", false, |_| {
            Reply::new(307).header("Location", "http://registry.public.example:5003/x")
        })?;
        for (what, entry) in [
            ("a password", r#"{"auth":"YWRhOnNlY3JldA=="}"#),
            ("a registry token", r#"{"registrytoken":"secret"}"#),
        ] {
            let file = self.folder.join("auth.json");
            let text = format!(r#"{{"auths":{{"registry.public.example:5003":{entry}}}}}"#);
            fs::write(&file, text).map_err(|error| error.to_string())?;
            let line = format!("digest --authfile {} localhost:5003/team/app:1", file.display());
            let outcome = self.regq(&line)?.exits(7);
            report.check(&format!("{what} for another host without TLS: exit 7"), outcome);
            let sent = other.requests().into_iter().find(|r| r.header("authorization").is_some());
            let outcome = sent.map_or(Ok(()), |request| Err(request.line()));
            report.check(&format!("{what} for another host without TLS: not sent"), outcome);
        }
        Ok(())
    }

    /// Checks the deadlines before a request is sent.
    fn check_deadlines(&self, report: &mut Report) -> Outcome<()> {
        let resolver = UdpSocket::bind("127.0.0.1:53").map_err(|error| error.to_string())?;
        let start = Instant::now();
        let result =
            self.regq("digest --timeout 1 --retries 0 silent.public.example/team/app:1")?;
        let elapsed = start.elapsed();
        let question = resolver.set_nonblocking(true).and_then(|()| resolver.recv(&mut [0; 512]));
        let outcome = question.map_err(|error| format!("the resolver got no question: {error}"));
        let outcome = outcome.and_then(|_| result.exits(6)).and_then(|()| {
            let is_reported = result.stderr.contains("timed out after 1 s");
            if is_reported && elapsed < Duration::from_secs(4) {
                Ok(())
            } else {
                Err(format!("after {elapsed:?}: {}", result.describe()))
            }
        });
        report.check("silent resolver: --timeout", outcome);
        let start = Instant::now();
        let line = "digest --connect-timeout 1 silent.public.example/team/app:1";
        let result = self.regq(line)?;
        let elapsed = start.elapsed();
        // A lookup is not retried.
        let outcome = result.exits(6).and_then(|()| {
            let is_reported = result
                .stderr
                .contains("cannot resolve silent.public.example: no answer within 1 s");
            if is_reported && elapsed < Duration::from_secs(2) {
                Ok(())
            } else {
                Err(format!("after {elapsed:?}: {}", result.describe()))
            }
        });
        report.check("silent resolver: --connect-timeout", outcome);
        // The first address takes two thirds of the time for connecting; the second does not respond to the TLS handshake.
        let silent = listen("0.0.0.0:5004")?;
        let start = Instant::now();
        let line = "digest --connect-timeout 3 --retries 0 slow.public.example:5004/team/app:1";
        let result = self.regq(line)?;
        let elapsed = start.elapsed().as_millis();
        let outcome = result.exits(6).and_then(|()| match elapsed {
            2_500..=4_200 => Ok(()),
            _ => Err(format!("after {elapsed} ms: {}", result.describe())),
        });
        let reached = silent.set_nonblocking(true).and_then(|()| silent.accept());
        let reached =
            reached.map_err(|error| format!("the second address was not reached: {error}"));
        let outcome = outcome.and(reached.map(drop));
        report.check("--connect-timeout covers TCP and TLS", outcome);
        Ok(())
    }
}

fn listen(address: &str) -> Outcome<TcpListener> {
    TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))
}

fn manifest() -> Reply {
    Reply::new(200)
        .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        .header("Docker-Content-Digest", sha256(MANIFEST.as_bytes()))
        .body(MANIFEST)
}

/// Checks that regq printed the manifest's digest.
fn check_digest(result: RunResult) -> Outcome<()> {
    let expected = sha256(MANIFEST.as_bytes());
    let digest = result.text()?;
    if digest == expected { Ok(()) } else { Err(format!("expected {expected}, not {digest}")) }
}

/// Checks that a server got no further connection.
fn check_no_connection(server: &Server, before: usize) -> Outcome<()> {
    match server.connections() - before {
        0 => Ok(()),
        count => Err(format!("{count} connections")),
    }
}
