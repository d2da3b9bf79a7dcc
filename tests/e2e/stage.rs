//! Prepares a run: its folder, certificates, images, and the programs on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::Outcome;
use crate::certificates::Certificates;
use crate::images::Image;
use crate::peers::{Peers, RUNTIME, RunResult, Surroundings};
use crate::servers::{Program, Registry, Settings};
use crate::token_server::{ISSUER, OWNER, TokenServer};

/// The service name of the registries on loopback.
const SERVICE: &str = "the registry of the end-to-end tests";

/// Everything that the checks use. Dropping it removes the folder unless it is kept.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The folder for all files of this run.
    pub(crate) folder: PathBuf,
    /// The other clients.
    pub(crate) peers: Peers,
    /// The registries.
    pub(crate) programs: Vec<Program>,
    /// Keys and certificates.
    pub(crate) certificates: Certificates,
    /// The images to push.
    pub(crate) images: Images,
    /// Surroundings that trust the test CA.
    pub(crate) surroundings: Surroundings,
    keep: std::cell::Cell<bool>,
}

/// The images by purpose.
#[derive(Debug)]
pub(crate) struct Images {
    /// An image for one platform.
    pub(crate) single: Image,
    /// Another one, which only its owner may pull.
    pub(crate) private: Image,
    /// An index of three platforms.
    pub(crate) index: Image,
}

impl Images {
    /// Writes the images. Writing them again gives the same bytes.
    fn write(folder: &Path) -> Outcome<Self> {
        Ok(Self {
            single: Image::single(&folder.join("single"), "single")?,
            private: Image::single(&folder.join("private"), "private")?,
            index: Image::index(&folder.join("index"), "index")?,
        })
    }
}

impl Stage {
    /// Finds the programs, prints which are missing, and creates everything else.
    pub(crate) fn prepare() -> Outcome<Self> {
        let peers = Peers::find()?;
        let programs = Program::find_all()?;
        let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = temporary.join(format!("e2e-{}", std::process::id()));
        fs::create_dir_all(folder.join("home").join(RUNTIME)).map_err(|error| error.to_string())?;
        let certificates = Certificates::make(&folder)?;
        Self::assemble(folder, peers, programs, certificates)
    }

    /// Opens the stage of the program that started this one, with the files in its folder.
    pub(crate) fn reopen(folder: &Path, program: &str) -> Outcome<Self> {
        let certificates = Certificates::of(folder);
        let programs = if program.is_empty() { vec![] } else { vec![Program::named(program)?] };
        let folder = folder.to_owned();
        let stage = Self::assemble(folder, Peers::find_quietly()?, programs, certificates)?;
        stage.keep();
        Ok(stage)
    }

    fn assemble(
        folder: PathBuf,
        peers: Peers,
        programs: Vec<Program>,
        certificates: Certificates,
    ) -> Outcome<Self> {
        let images = Images::write(&folder.join("images"))?;
        let surroundings = Surroundings::new(&folder.join("home"));
        let surroundings = surroundings.trusting(&certificates.authority());
        let keep = std::cell::Cell::new(false);
        Ok(Self { folder, peers, programs, certificates, images, surroundings, keep })
    }

    /// Keeps the folder, to look for the cause of a failure.
    pub(crate) fn keep(&self) {
        self.keep.set(true);
    }

    /// Starts a registry on loopback with a token server, and pushes the images to it.
    pub(crate) fn open(&self, program: &Program) -> Outcome<Open> {
        let tokens = TokenServer::start("127.0.0.1:0", &self.certificates)?;
        let realm = tokens.realm_on_loopback();
        let registry = Registry::start(
            program,
            &Settings {
                folder: program.folder(&self.folder),
                address: "127.0.0.1:0",
                realm: &realm,
                service: SERVICE,
                issuer: ISSUER,
                certificates: &self.certificates,
                tls: true,
            },
        )?;
        let host = format!("localhost:{}", registry.address.port());
        let open = Open { registry, tokens, host };
        let Images { single, private, index } = &self.images;
        self.push(single, &open.name("public/single:1"), &[])?;
        self.push(single, &open.name("public/single:latest"), &[])?;
        self.push(single, &open.name("public/docker:1"), &["--format", "v2s2"])?;
        self.push(index, &open.name("public/index:1"), &["--preserve-digests"])?;
        self.push(index, &open.name("library/alpine:latest"), &["--preserve-digests"])?;
        self.push(index, &open.name("library/alpine:3.20"), &["--preserve-digests"])?;
        self.push(single, &open.name("podman/hello:latest"), &["--preserve-digests"])?;
        self.push(private, &open.name("team/app:latest"), &["--preserve-digests"])?;
        self.push(private, &open.name("private/single:1"), &["--preserve-digests"])?;
        Ok(open)
    }

    fn push(&self, image: &Image, name: &str, more: &[&str]) -> Outcome<()> {
        let from = format!("oci:{}", image.layout.display());
        let to = format!("docker://{name}");
        let folder = self.certificates.folder_for_skopeo().display().to_string();
        let credentials = format!("{}:{}", OWNER.0, OWNER.1);
        let words = ["--insecure-policy", "copy", "--quiet", "--all", "--dest-cert-dir", &folder];
        let words = [&words[..], &["--dest-creds", &credentials], more, &[&from, &to]].concat();
        self.surroundings.run(&self.peers.skopeo, &words, "")?.bytes().map(drop)
    }

    /// Runs regq.
    pub(crate) fn regq(&self, arguments: &[&str]) -> Outcome<RunResult> {
        self.regq_with_input(arguments, "")
    }

    /// Runs regq with `input` on stdin.
    pub(crate) fn regq_with_input(&self, arguments: &[&str], input: &str) -> Outcome<RunResult> {
        self.surroundings.run(Path::new(crate::REGQ), arguments, input)
    }

    /// Runs `skopeo inspect OPTIONS NAME`.
    pub(crate) fn skopeo(&self, options: &[&str], name: &str) -> Outcome<RunResult> {
        let folder = self.certificates.folder_for_skopeo().display().to_string();
        let name = format!("docker://{name}");
        let words = ["--insecure-policy", "inspect", "--cert-dir", &folder];
        let words = [&words[..], options, &[&name]].concat();
        self.surroundings.run(&self.peers.skopeo, &words, "")
    }

    /// Runs crane, if installed.
    pub(crate) fn crane(&self, arguments: &[&str]) -> Option<Outcome<RunResult>> {
        let crane = self.peers.crane.as_ref()?;
        Some(self.surroundings.run(crane, arguments, ""))
    }

    /// Runs crane with the owner's credentials for `host`.
    pub(crate) fn crane_as_owner(
        &self,
        host: &str,
        arguments: &[&str],
    ) -> Outcome<Option<Outcome<RunResult>>> {
        let Some(crane) = &self.peers.crane else { return Ok(None) };
        let folder = self.folder.join("docker");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let entry = json!({"username": OWNER.0, "password": OWNER.1});
        let config = json!({"auths": {host: entry}}).to_string();
        fs::write(folder.join("config.json"), config).map_err(|error| error.to_string())?;
        Ok(Some(self.surroundings.with_docker_config(&folder).run(crane, arguments, "")))
    }

    /// Runs regctl, if installed.
    pub(crate) fn regctl(&self, arguments: &[&str]) -> Option<Outcome<RunResult>> {
        let regctl = self.peers.regctl.as_ref()?;
        Some(self.surroundings.run(regctl, arguments, ""))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.keep.get() {
            // A leftover in the target folder does no harm.
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

/// A running registry on loopback with its token server and images.
pub(crate) struct Open {
    /// The registry.
    pub(crate) registry: Registry,
    /// Its token server.
    pub(crate) tokens: TokenServer,
    /// `localhost:PORT`
    pub(crate) host: String,
}

impl Open {
    /// The full name of an image or repository in it.
    pub(crate) fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.host)
    }
}
