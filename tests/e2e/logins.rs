//! Logging in and out: what one program keeps, the others find, and what it forgets, they miss.
//!
//! Every login here is made by the real program, none of the files by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Outcome;
use crate::peers::{Answer, Surroundings};
use crate::report::Report;
use crate::stage::Stage;
use crate::token_server::OWNER;

/// A registry to log in to, and an image in it that only its owner may pull.
struct Logins<'a> {
    stage: &'a Stage,
    /// As it is typed.
    registry: &'a str,
    /// As docker spells it in its file.
    key: &'a str,
    image: String,
    /// Where the files go; nothing else is in there.
    folder: PathBuf,
}

/// Logs in to a registry and out of it with everybody who can.
pub(crate) fn against(
    stage: &Stage,
    registry: &str,
    key: &str,
    report: &mut Report,
) -> Outcome<()> {
    let folder = stage.folder.join("logins");
    // An earlier registry's files would be found as well.
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let image = format!("{registry}/private/single:1");
    let logins = Logins { stage, registry, key, image, folder };
    report.check("skopeo logs in, regq reads: --authfile", logins.by_flag());
    report.check("skopeo logs in, regq reads: REGISTRY_AUTH_FILE", logins.by_variable());
    report.check("skopeo logs in, regq reads: XDG_RUNTIME_DIR", logins.by_folder());
    report.check("regq forgets what skopeo keeps", logins.forgets_others());
    report.check("regq login with a wrong password: exit 4, no file", logins.wrong());
    report.check("regq logs in, skopeo reads: --authfile", logins.keeps());
    // skopeo does not remove docker's own key for Docker Hub: it refers to `docker logout`.
    if key == registry {
        report.check("skopeo forgets what regq keeps", logins.is_forgotten());
    }
    report.check("regq logs in, the others read: DOCKER_CONFIG", logins.keeps_for_docker());
    report.check("regq login with a wrong password changes nothing", logins.wrong_later());
    report.check("regq logs out, nobody reads", logins.forgets());
    Ok(())
}

impl Logins<'_> {
    fn by_flag(&self) -> Outcome<()> {
        let file = self.path("skopeo.json");
        self.skopeo_logs_in(&self.stage.surroundings, &["--authfile", &file])?;
        self.reads(self.regq(&self.stage.surroundings, &["digest", "--authfile", &file])?)
    }

    fn by_variable(&self) -> Outcome<()> {
        let around = self.stage.surroundings.with("REGISTRY_AUTH_FILE", self.path("skopeo.json"));
        self.reads(self.regq(&around, &["digest"])?)
    }

    /// skopeo's own file is the one in the runtime folder, which has to be there.
    fn by_folder(&self) -> Outcome<()> {
        let folder = self.folder.join("runtime");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let around = self.stage.surroundings.with("XDG_RUNTIME_DIR", &folder);
        self.skopeo_logs_in(&around, &[])?;
        if !folder.join("containers/auth.json").is_file() {
            return Err("skopeo keeps it elsewhere".to_owned());
        }
        self.reads(self.regq(&around, &["digest"])?)?;
        self.regq(&around, &["digest", "--anonymous"])?.exits(4)
    }

    fn forgets_others(&self) -> Outcome<()> {
        let file = self.path("skopeo.json");
        let around = &self.stage.surroundings;
        self.regq_on_registry(around, &["logout", "--authfile", &file], "")?.silent()?;
        self.is_refused(around, &["--authfile", &file])?;
        self.skopeo_is_refused(&file)
    }

    /// Neither a new file, nor a folder for it, nor anything left beside.
    fn wrong(&self) -> Outcome<()> {
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
        if left.is_empty() { Ok(()) } else { Err(format!("there is: {left:?}")) }
    }

    fn keeps(&self) -> Outcome<()> {
        let file = self.path("regq.json");
        let around = &self.stage.surroundings;
        self.regq_logs_in(around, &["--authfile", &file])?;
        self.is_as_docker_has_it(Path::new(&file))?;
        self.reads(self.regq(around, &["digest", "--authfile", &file])?)?;
        let words = ["login", "--get-login", "--authfile", &file, self.registry];
        let user = around.run(&self.stage.peers.skopeo, &words, "")?.text()?;
        if user != OWNER.0 {
            return Err(format!("skopeo takes the user for {user:?}"));
        }
        self.skopeo_reads(&file)
    }

    fn is_forgotten(&self) -> Outcome<()> {
        let file = self.path("regq.json");
        let around = &self.stage.surroundings;
        let words = ["logout", "--authfile", &file, self.registry];
        around.run(&self.stage.peers.skopeo, &words, "")?.bytes()?;
        self.is_refused(around, &["--authfile", &file])
    }

    fn keeps_for_docker(&self) -> Outcome<()> {
        let around = self.docker();
        self.regq_logs_in(&around, &[])?;
        self.is_as_docker_has_it(&self.docker_file())?;
        self.reads(self.regq(&around, &["digest"])?)?;
        self.skopeo_reads(&self.docker_file().display().to_string())?;
        for answer in self.others(&around)? {
            self.reads(answer)?;
        }
        Ok(())
    }

    fn wrong_later(&self) -> Outcome<()> {
        let (around, file) = (self.docker(), self.docker_file());
        let before = fs::read(&file).map_err(|error| error.to_string())?;
        let words = ["login", "--user", OWNER.0, "--password-stdin"];
        self.regq_on_registry(&around, &words, "wrong\n")?.exits(4)?;
        let after = fs::read(&file).map_err(|error| error.to_string())?;
        if before == after { Ok(()) } else { Err("the file is another".to_owned()) }
    }

    fn forgets(&self) -> Outcome<()> {
        let (around, file) = (self.docker(), self.docker_file());
        self.regq_on_registry(&around, &["logout"], "")?.silent()?;
        let left = read_json(&file)?;
        if left != json!({"auths": {}}) {
            return Err(format!("there is left: {left}"));
        }
        self.is_refused(&around, &[])?;
        self.skopeo_is_refused(&file.display().to_string())?;
        let reading = self.others(&around)?.into_iter().find(|answer| answer.code == 0);
        reading.map_or(Ok(()), |answer| Err(answer.describe()))
    }

    /// One entry under the right key, in a file for its owner alone.
    fn is_as_docker_has_it(&self, file: &Path) -> Outcome<()> {
        let pair = STANDARD.encode(format!("{}:{}", OWNER.0, OWNER.1));
        let (due, is) = (json!({"auths": {self.key: {"auth": pair}}}), read_json(file)?);
        if is != due {
            return Err(format!("{due} is due, not {is}"));
        }
        let data = fs::metadata(file).map_err(|error| error.to_string())?;
        let mode = data.permissions().mode() & 0o7777;
        if mode == 0o600 { Ok(()) } else { Err(format!("its mode is {mode:o}")) }
    }

    fn regq_logs_in(&self, around: &Surroundings, more: &[&str]) -> Outcome<()> {
        let words = [&["login", "--user", OWNER.0, "--password-stdin"], more].concat();
        self.regq_on_registry(around, &words, &format!("{}\n", OWNER.1))?.silent()
    }

    fn skopeo_logs_in(&self, around: &Surroundings, more: &[&str]) -> Outcome<()> {
        let folder = self.stage.certificates.folder_for_skopeo().display().to_string();
        let words = ["login", "--username", OWNER.0, "--password-stdin", "--cert-dir", &folder];
        let words = [&words[..], more, &[self.registry]].concat();
        around.run(&self.stage.peers.skopeo, &words, OWNER.1)?.bytes().map(drop)
    }

    fn skopeo_reads(&self, file: &str) -> Outcome<()> {
        self.reads(self.skopeo(file)?)
    }

    fn skopeo_is_refused(&self, file: &str) -> Outcome<()> {
        let answer = self.skopeo(file)?;
        if answer.code == 0 { Err(answer.describe()) } else { Ok(()) }
    }

    fn skopeo(&self, file: &str) -> Outcome<Answer> {
        self.stage.skopeo(&["--authfile", file, "--format", "{{.Digest}}"], &self.image)
    }

    /// crane's and regctl's answers, where they are.
    fn others(&self, around: &Surroundings) -> Outcome<Vec<Answer>> {
        let (crane, regctl) = (&self.stage.peers.crane, &self.stage.peers.regctl);
        let crane = crane.as_ref().map(|crane| (crane, vec!["digest"]));
        let regctl = regctl.as_ref().map(|regctl| (regctl, vec!["image", "digest"]));
        let ask = |(program, words): (&PathBuf, Vec<&str>)| {
            around.run(program, &[&words[..], &[&self.image]].concat(), "")
        };
        crane.into_iter().chain(regctl).map(ask).collect()
    }

    /// regq with the image as its last argument.
    fn regq(&self, around: &Surroundings, words: &[&str]) -> Outcome<Answer> {
        around.run(Path::new(crate::REGQ), &[words, &[&self.image]].concat(), "")
    }

    /// regq with the registry as its last argument.
    fn regq_on_registry(
        &self,
        around: &Surroundings,
        words: &[&str],
        input: &str,
    ) -> Outcome<Answer> {
        around.run(Path::new(crate::REGQ), &[words, &[self.registry]].concat(), input)
    }

    /// The image's digest is the answer.
    fn reads(&self, answer: Answer) -> Outcome<()> {
        let (described, due) = (answer.describe(), &self.stage.images.private.top.digest);
        if answer.text()? == *due { Ok(()) } else { Err(format!("{due} is due:\n{described}")) }
    }

    fn is_refused(&self, around: &Surroundings, words: &[&str]) -> Outcome<()> {
        self.regq(around, &[&["digest"], words].concat())?.exits(4)
    }

    /// Where docker, crane and regctl look.
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
