//! Where regq does not go by itself: to addresses more private than the registry's own, and out of TLS. Against
//! scripted servers at public and private addresses, in network and mount namespaces of their own, as in
//! `namespaces`, whose real registries cannot be told to lead astray.

use std::env;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::certificates::Certificates;
use crate::peers::{self, Answer, Surroundings};
use crate::report::Report;
use crate::stage::Stage;
use crate::support::content::sha256;
use crate::support::{Reply, Request, Server};
use crate::{Outcome, REGQ};

/// The argument that this program gives itself inside.
pub(crate) const INSIDE: &str = "inside-addresses";

/// The addresses of the loopback device: one of the documentation's (RFC 5737), which count as public, and a
/// private one.
const ADDRESSES: [&str; 2] = ["192.0.2.1/32", "10.1.2.3/32"];

/// Addresses at which nothing answers, and nothing says that nothing does.
const NOWHERE: &str = "203.0.113.0/24";

/// An address that is reached from another one: the resolver puts a name's own address in front of others, and
/// this one shall stand behind one of nowhere.
const BEHIND: &str = "198.51.100.7";

/// Who is where, until a scene has it otherwise. The second name has a private address among its own.
const HOSTS: &str = "\
127.0.0.1 localhost
192.0.2.1 registry.public.example
192.0.2.1 registry.private.example
10.1.2.3 registry.private.example
203.0.113.9 slow.public.example
198.51.100.7 slow.public.example
";

const MANIFEST: &str = r#"{"schemaVersion":2,"config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;

/// Starts this program again inside, and counts what it checked there.
pub(crate) fn run(stage: &Stage, report: &mut Report) {
    let (passed, failed) = report.counts();
    let outcome = start_inside(&stage.folder).and_then(|(output, succeeded)| {
        report.adopt(&output);
        match report.counts() {
            counts if counts == (passed, failed) => Err(format!("nothing was checked: {output}")),
            (_, after) if after == failed && !succeeded => Err(format!("it broke off: {output}")),
            _ => Ok(()),
        }
    });
    if outcome.is_err() {
        report.check("the scenes of addresses", outcome);
    }
}

fn start_inside(folder: &Path) -> Outcome<(String, bool)> {
    let unshare = peers::find("unshare").ok_or("the unshare command is needed (util-linux)")?;
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(unshare);
    command.args(["--map-root-user", "--net", "--mount", "--"]).arg(this).arg(INSIDE).arg(folder);
    let output = command.output().map_err(|error| format!("starting unshare: {error}"))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((text, output.status.success()))
}

/// What runs inside; true when nothing failed.
pub(crate) fn inside(folder: &Path) -> Outcome<bool> {
    let place = Place::build(folder)?;
    let mut report = Report::default();
    report.scope("addresses");
    place.leading_astray(&mut report)?;
    place.out_of_tls(&mut report)?;
    place.credentials_in_the_clear(&mut report)?;
    place.times(&mut report)?;
    Ok(!report.has_failures())
}

/// The namespaces from inside: files over those of `/etc`, certificates, and an environment that trusts them.
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
        let ip = peers::find("ip").ok_or("the ip command is needed (iproute2)")?;
        place.command(&ip, &["link", "set", "lo", "up"])?;
        for address in ADDRESSES {
            place.command(&ip, &["addr", "add", address, "dev", "lo"])?;
        }
        place.command(&ip, &["route", "add", NOWHERE, "dev", "lo"])?;
        let from = ["dev", "lo", "src", "192.0.2.1"];
        place.command(&ip, &[&["route", "add", "local", BEHIND], &from[..]].concat())?;
        let resolver = place.folder.join("resolv.conf");
        fs::write(&resolver, "nameserver 127.0.0.1\n").map_err(|error| error.to_string())?;
        place.name(HOSTS)?;
        let mount = peers::find("mount").ok_or("the mount command is needed")?;
        for (file, over) in [(&place.hosts, "/etc/hosts"), (&resolver, "/etc/resolv.conf")] {
            place.command(&mount, &["--bind", &file.display().to_string(), over])?;
        }
        Ok(place)
    }

    fn command(&self, program: &Path, words: &[&str]) -> Outcome<()> {
        self.surroundings.run(program, words, "")?.bytes().map(drop)
    }

    /// Names hosts anew. The file stays the one that lies over `/etc/hosts`.
    fn name(&self, hosts: &str) -> Outcome<()> {
        fs::write(&self.hosts, hosts).map_err(|error| error.to_string())
    }

    /// A server at an address, with TLS or without.
    fn serve(
        &self,
        address: &str,
        tls: bool,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Outcome<Server> {
        let config = if tls { Some(self.certificates.server_config()?) } else { None };
        Ok(Server::start_on(listen(address)?, config, handler))
    }

    fn regq(&self, line: &str) -> Outcome<Answer> {
        let words: Vec<_> = line.split(' ').collect();
        self.surroundings.run(Path::new(REGQ), &words, "")
    }

    /// A public registry leads to private addresses in every way that it can.
    fn leading_astray(&self, report: &mut Report) -> Outcome<()> {
        // Everything private listens here; that it is never connected to is the point.
        let within = self.serve("0.0.0.0:5001", true, |request| match request.path() {
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
            // From here on the registry's own name stands for another address.
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
            // Nothing has this literal address in its certificate.
            let line = format!("digest --insecure registry.public.example:5000/{way}:1");
            self.name(HOSTS)?;
            let before = within.connections();
            let outcome = self.regq(&line)?.exits(7).and_then(|()| none(&within, before));
            report.check(&format!("{way}: exit 7, and nothing is connected"), outcome);
            self.name(HOSTS)?;
            let line = line.replace("--insecure", "--insecure --allow-private");
            report.check(&format!("{way}: --allow-private"), agrees(self.regq(&line)?));
        }
        self.name(HOSTS)?;
        let answer = self.regq("digest registry.public.example:5000/public:1")?;
        report.check("from public to public", agrees(answer));
        drop((registry, within));
        // The origin that was named may have any address, also where a redirect leads back to it.
        let named = self.serve("10.1.2.3:5000", true, |request| match request.path() {
            "/x" => manifest(),
            _ => Reply::new(307).header("Location", "https://registry.private.example:5000/x"),
        })?;
        let answer = self.regq("digest registry.private.example:5000/x:1")?;
        report.check("a private registry that was named", agrees(answer));
        drop(named);
        Ok(())
    }

    /// Nothing is asked in plain http beyond this machine, unless it was said.
    fn out_of_tls(&self, report: &mut Report) -> Outcome<()> {
        let plain = self.serve("192.0.2.1:5002", false, |_| manifest())?;
        let answer = self.regq("digest registry.public.example:5002/team/app:1")?;
        let outcome = answer.exits(6).and_then(|()| {
            let hint = "hint: if the registry does not use TLS, add --plain-http\n";
            if answer.stderr.ends_with(hint) { Ok(()) } else { Err(answer.describe()) }
        });
        report.check("a public registry without TLS: exit 6, and a hint", outcome);
        let outcome = match (plain.lines().as_slice(), plain.not_http()) {
            ([], 1) => Ok(()),
            (lines, hellos) => Err(format!("{hellos} times TLS, then {lines:?}")),
        };
        report.check("it is asked nothing in plain http", outcome);
        let answer = self.regq("digest --plain-http registry.public.example:5002/team/app:1")?;
        report.check("a public registry without TLS: --plain-http", agrees(answer));
        Ok(())
    }

    /// A registry on this machine speaks plain http and leads to one beyond, for which there are credentials.
    fn credentials_in_the_clear(&self, report: &mut Report) -> Outcome<()> {
        let beyond =
            self.serve("192.0.2.1:5003", false, |request| match request.header("authorization") {
                Some(_) => manifest(),
                None => Reply::new(401).header("WWW-Authenticate", r#"Basic realm="beyond""#),
            })?;
        let _registry = self.serve("127.0.0.1:5003", false, |_| {
            Reply::new(307).header("Location", "http://registry.public.example:5003/x")
        })?;
        for (what, entry) in [
            ("a password", r#"{"auth":"YWRhOnNlY3JldA=="}"#),
            ("a ready token", r#"{"registrytoken":"secret"}"#),
        ] {
            let file = self.folder.join("auth.json");
            let text = format!(r#"{{"auths":{{"registry.public.example:5003":{entry}}}}}"#);
            fs::write(&file, text).map_err(|error| error.to_string())?;
            let line = format!("digest --authfile {} localhost:5003/team/app:1", file.display());
            let outcome = self.regq(&line)?.exits(7);
            report.check(&format!("{what} for a host without TLS: exit 7"), outcome);
            let sent = beyond.requests().into_iter().find(|r| r.header("authorization").is_some());
            let outcome = sent.map_or(Ok(()), |request| Err(request.line()));
            report.check(&format!("{what} is not sent"), outcome);
        }
        Ok(())
    }

    /// What takes time before a request can be sent.
    fn times(&self, report: &mut Report) -> Outcome<()> {
        let resolver = UdpSocket::bind("127.0.0.1:53").map_err(|error| error.to_string())?;
        let begun = Instant::now();
        let answer =
            self.regq("digest --timeout 1 --retries 0 silent.public.example/team/app:1")?;
        let took = begun.elapsed();
        let asked = resolver.set_nonblocking(true).and_then(|()| resolver.recv(&mut [0; 512]));
        let outcome = asked.map_err(|error| format!("the resolver was not asked: {error}"));
        let outcome = outcome.and_then(|_| answer.exits(6)).and_then(|()| {
            let said = answer.stderr.contains("timed out after 1 s");
            if said && took < Duration::from_secs(4) {
                Ok(())
            } else {
                Err(format!("after {took:?}: {}", answer.describe()))
            }
        });
        report.check("a resolver that is silent ends with the time", outcome);
        let begun = Instant::now();
        let line = "digest --connect-timeout 1 silent.public.example/team/app:1";
        let answer = self.regq(line)?;
        let took = begun.elapsed();
        // A name is asked once: no other try is made of it.
        let outcome = answer.exits(6).and_then(|()| {
            let said = answer
                .stderr
                .contains("cannot resolve silent.public.example: no answer within 1 s");
            if said && took < Duration::from_secs(2) {
                Ok(())
            } else {
                Err(format!("after {took:?}: {}", answer.describe()))
            }
        });
        report.check("a resolver that is silent, within --connect-timeout", outcome);
        // The first address takes two thirds of the time for connecting, and the second says nothing in TLS.
        let silent = listen("0.0.0.0:5004")?;
        let begun = Instant::now();
        let line = "digest --connect-timeout 3 --retries 0 slow.public.example:5004/team/app:1";
        let answer = self.regq(line)?;
        let took = begun.elapsed().as_millis();
        let outcome = answer.exits(6).and_then(|()| match took {
            2_500..=4_200 => Ok(()),
            _ => Err(format!("after {took} ms: {}", answer.describe())),
        });
        let reached = silent.set_nonblocking(true).and_then(|()| silent.accept());
        let reached = reached.map_err(|error| format!("the second was not reached: {error}"));
        let outcome = outcome.and(reached.map(drop));
        report.check("one time for connecting, TCP and TLS together", outcome);
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

/// Whether a run answered with the manifest's digest.
fn agrees(answer: Answer) -> Outcome<()> {
    let due = sha256(MANIFEST.as_bytes());
    let digest = answer.text()?;
    if digest == due { Ok(()) } else { Err(format!("{due} is due, not {digest}")) }
}

/// Whether a server was connected to no more than before.
fn none(server: &Server, before: usize) -> Outcome<()> {
    match server.connections() - before {
        0 => Ok(()),
        more => Err(format!("{more} connections were made")),
    }
}
