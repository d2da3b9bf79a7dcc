//! Tests `login` and `logout` together with other clients: each finds what another saved, and misses what another removed.
//!
//! The real programs write all credential files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Outcome;
use crate::peers::{RunResult, Surroundings};
use crate::report::Report;
use crate::stage::Stage;
use crate::token_server::OWNER;

/// A registry to log in to, with an image that only its owner may pull.
struct Logins<'a> {
    stage: &'a Stage,
    /// Its name on the command line.
    registry: &'a str,
    /// Its key in docker's file.
    key: &'a str,
    image: String,
    /// The folder for credential files.
    folder: PathBuf,
}

/// Logs in to a registry and out of it, with all clients.
pub(crate) fn against(
    stage: &Stage,
    registry: &str,
    key: &str,
    report: &mut Report,
) -> Outcome<()> {
    let folder = stage.folder.join("logins");
    // Removes the files of an earlier registry.
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let image = format!("{registry}/private/single:1");
    let logins = Logins { stage, registry, key, image, folder };
    report.check("login by skopeo, read by regq: --authfile", logins.skopeo_login_by_flag());
    report.check(
        "login by skopeo, read by regq: REGISTRY_AUTH_FILE",
        logins.skopeo_login_by_variable(),
    );
    report.check("login by skopeo, read by regq: XDG_RUNTIME_DIR", logins.skopeo_login_by_folder());
    report.check("login by skopeo, logout by regq", logins.logout_of_skopeo_login());
    report.check("login with a wrong password: exit 4, no file", logins.wrong_password());
    report.check("login by regq, read by skopeo: --authfile", logins.login_by_flag());
    // skopeo does not remove docker's key for Docker Hub, and refers to `docker logout`.
    if key == registry {
        report.check("login by regq, logout by skopeo", logins.logout_by_skopeo());
    }
    report.check("login by regq, read by others: DOCKER_CONFIG", logins.login_in_docker_config());
    report.check("login with a wrong password keeps the file", logins.wrong_password_with_file());
    report.check("logout by regq: all clients are refused", logins.logout());
    Ok(())
}

impl Logins<'_> {
    fn skopeo_login_by_flag(&self) -> Outcome<()> {
        let file = self.path("skopeo.json");
        self.skopeo_login(&self.stage.surroundings, &["--authfile", &file])?;
        self.reads(self.regq(&self.stage.surroundings, &["digest", "--authfile", &file])?)
    }

    fn skopeo_login_by_variable(&self) -> Outcome<()> {
        let around = self.stage.surroundings.with("REGISTRY_AUTH_FILE", self.path("skopeo.json"));
        self.reads(self.regq(&around, &["digest"])?)
    }

    /// skopeo's default file is in the runtime folder, which must exist.
    fn skopeo_login_by_folder(&self) -> Outcome<()> {
        let folder = self.folder.join("runtime");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let around = self.stage.surroundings.with("XDG_RUNTIME_DIR", &folder);
        self.skopeo_login(&around, &[])?;
        if !folder.join("containers/auth.json").is_file() {
            return Err("skopeo saved the login elsewhere".to_owned());
        }
        self.reads(self.regq(&around, &["digest"])?)?;
        self.regq(&around, &["digest", "--anonymous"])?.exits(4)
    }

    fn logout_of_skopeo_login(&self) -> Outcome<()> {
        let file = self.path("skopeo.json");
        let around = &self.stage.surroundings;
        self.regq_on_registry(around, &["logout", "--authfile", &file], "")?.silent()?;
        self.is_refused(around, &["--authfile", &file])?;
        self.skopeo_is_refused(&file)
    }

    /// Leaves no file and no folder.
    fn wrong_password(&self) -> Outcome<()> {
        let folder = self.folder.join("new");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let docker = folder.join("docker");
        let around = self.stage.surroundings.with_docker_config(&docker);
        let file = folder.join("auth.json").display().to_string();
        let words = ["login", "--user", OWNER.0, "--password-stdin"];
        self.regq_on_registry(&around, &words, "wrong\n")?.exits(4)?;
        let words = [&words[..], &["--authfile", &file]].concat();
        self.regq_on_registry(&around, &words, "wrong\n")?.exits(4)?;
        let entries = fs::read_dir(&folder).map_err(|error| error.to_string())?;
        let left: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("left: {left:?}")) }
    }

    fn login_by_flag(&self) -> Outcome<()> {
        let file = self.path("regq.json");
        let around = &self.stage.surroundings;
        self.regq_login(around, &["--authfile", &file])?;
        self.check_file(Path::new(&file))?;
        self.reads(self.regq(around, &["digest", "--authfile", &file])?)?;
        let words = ["login", "--get-login", "--authfile", &file, self.registry];
        let user = around.run(&self.stage.peers.skopeo, &words, "")?.text()?;
        if user != OWNER.0 {
            return Err(format!("skopeo prints the user {user:?}"));
        }
        self.skopeo_reads(&file)
    }

    fn logout_by_skopeo(&self) -> Outcome<()> {
        let file = self.path("regq.json");
        let around = &self.stage.surroundings;
        let words = ["logout", "--authfile", &file, self.registry];
        around.run(&self.stage.peers.skopeo, &words, "")?.bytes()?;
        self.is_refused(around, &["--authfile", &file])
    }

    fn login_in_docker_config(&self) -> Outcome<()> {
        let around = self.docker();
        self.regq_login(&around, &[])?;
        self.check_file(&self.docker_file())?;
        self.reads(self.regq(&around, &["digest"])?)?;
        self.skopeo_reads(&self.docker_file().display().to_string())?;
        for result in self.others(&around)? {
            self.reads(result)?;
        }
        Ok(())
    }

    fn wrong_password_with_file(&self) -> Outcome<()> {
        let (around, file) = (self.docker(), self.docker_file());
        let before = fs::read(&file).map_err(|error| error.to_string())?;
        let words = ["login", "--user", OWNER.0, "--password-stdin"];
        self.regq_on_registry(&around, &words, "wrong\n")?.exits(4)?;
        let after = fs::read(&file).map_err(|error| error.to_string())?;
        if before == after { Ok(()) } else { Err("the file changed".to_owned()) }
    }

    fn logout(&self) -> Outcome<()> {
        let (around, file) = (self.docker(), self.docker_file());
        self.regq_on_registry(&around, &["logout"], "")?.silent()?;
        let left = read_json(&file)?;
        if left != json!({"auths": {}}) {
            return Err(format!("left: {left}"));
        }
        self.is_refused(&around, &[])?;
        self.skopeo_is_refused(&file.display().to_string())?;
        let success = self.others(&around)?.into_iter().find(|result| result.code == 0);
        success.map_or(Ok(()), |result| Err(result.describe()))
    }

    /// Checks that a file has one entry under docker's key, and that only its owner can read it.
    fn check_file(&self, file: &Path) -> Outcome<()> {
        let pair = STANDARD.encode(format!("{}:{}", OWNER.0, OWNER.1));
        let (expected, found) = (json!({"auths": {self.key: {"auth": pair}}}), read_json(file)?);
        if found != expected {
            return Err(format!("expected {expected}, found {found}"));
        }
        let data = fs::metadata(file).map_err(|error| error.to_string())?;
        let mode = data.permissions().mode() & 0o7777;
        if mode == 0o600 { Ok(()) } else { Err(format!("mode {mode:o}")) }
    }

    fn regq_login(&self, around: &Surroundings, more: &[&str]) -> Outcome<()> {
        let words = [&["login", "--user", OWNER.0, "--password-stdin"], more].concat();
        self.regq_on_registry(around, &words, &format!("{}\n", OWNER.1))?.silent()
    }

    fn skopeo_login(&self, around: &Surroundings, more: &[&str]) -> Outcome<()> {
        let folder = self.stage.certificates.folder_for_skopeo().display().to_string();
        let words = ["login", "--username", OWNER.0, "--password-stdin", "--cert-dir", &folder];
        let words = [&words[..], more, &[self.registry]].concat();
        around.run(&self.stage.peers.skopeo, &words, OWNER.1)?.bytes().map(drop)
    }

    fn skopeo_reads(&self, file: &str) -> Outcome<()> {
        self.reads(self.skopeo(file)?)
    }

    fn skopeo_is_refused(&self, file: &str) -> Outcome<()> {
        let result = self.skopeo(file)?;
        if result.code == 0 { Err(result.describe()) } else { Ok(()) }
    }

    fn skopeo(&self, file: &str) -> Outcome<RunResult> {
        self.stage.skopeo(&["--authfile", file, "--format", "{{.Digest}}"], &self.image)
    }

    /// The results of crane and regctl, if installed.
    fn others(&self, around: &Surroundings) -> Outcome<Vec<RunResult>> {
        let (crane, regctl) = (&self.stage.peers.crane, &self.stage.peers.regctl);
        let crane = crane.as_ref().map(|crane| (crane, vec!["digest"]));
        let regctl = regctl.as_ref().map(|regctl| (regctl, vec!["image", "digest"]));
        let run = |(program, words): (&PathBuf, Vec<&str>)| {
            around.run(program, &[&words[..], &[&self.image]].concat(), "")
        };
        crane.into_iter().chain(regctl).map(run).collect()
    }

    /// Runs regq with the image as last argument.
    fn regq(&self, around: &Surroundings, words: &[&str]) -> Outcome<RunResult> {
        around.run(Path::new(crate::REGQ), &[words, &[&self.image]].concat(), "")
    }

    /// Runs regq with the registry as last argument.
    fn regq_on_registry(
        &self,
        around: &Surroundings,
        words: &[&str],
        input: &str,
    ) -> Outcome<RunResult> {
        around.run(Path::new(crate::REGQ), &[words, &[self.registry]].concat(), input)
    }

    /// Checks that a client printed the image's digest.
    fn reads(&self, result: RunResult) -> Outcome<()> {
        let (description, expected) = (result.describe(), &self.stage.images.private.top.digest);
        if result.text()? == *expected {
            Ok(())
        } else {
            Err(format!("expected {expected}:\n{description}"))
        }
    }

    fn is_refused(&self, around: &Surroundings, words: &[&str]) -> Outcome<()> {
        self.regq(around, &[&["digest"], words].concat())?.exits(4)
    }

    /// Surroundings with docker's file, which crane and regctl use too.
    fn docker(&self) -> Surroundings {
        self.stage.surroundings.with_docker_config(&self.folder.join("docker"))
    }

    fn docker_file(&self) -> PathBuf {
        self.folder.join("docker/config.json")
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

fn read_json(file: &Path) -> Outcome<Value> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", file.display()))
}
