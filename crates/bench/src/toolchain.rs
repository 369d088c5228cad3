//! What has to be there before anything can be measured: binaries, built by Cargo; packages, installed by pip and npm. All of it goes below
//! Cargo's target folder.

#![expect(
    clippy::disallowed_methods,
    reason = "this file is where other programs are run"
)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use cargo_metadata::{Message, MetadataCommand};

/// Where things are, and where they are put.
#[derive(Clone, Debug)]
pub struct Toolchain {
    root: PathBuf,
    target: PathBuf,
}

impl Toolchain {
    /// Asks Cargo for its target folder.
    ///
    /// # Errors
    /// Cargo cannot be run, or the repository is not where this was built from.
    pub fn find() -> anyhow::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here
            .ancestors()
            .nth(2)
            .context("the crate does not lie two folders deep in its repository")?;
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .no_deps()
            .exec()
            .with_context(|| format!("Cargo cannot read the workspace in {}", root.display()))?;
        Ok(Self {
            root: root.to_owned(),
            target: metadata.target_directory.into_std_path_buf(),
        })
    }

    /// A file of the repository.
    #[must_use]
    pub fn source(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// A folder for what the benchmark makes, which exists afterwards.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.target.join("side-by-side").join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(folder)
    }

    /// The function as it is deployed, for this processor.
    ///
    /// # Errors
    /// It cannot be built; Cargo has said why.
    pub fn build_function(&self) -> anyhow::Result<PathBuf> {
        let architecture = match std::env::consts::ARCH {
            "aarch64" => "arm64",
            other => other,
        };
        let output = self
            .cargo_lambda(self.source("deploy/build"), &self.target)?
            .arg(architecture)
            .output()?;
        ensure!(
            output.status.success(),
            "the function cannot be built; deploy/build has said why above"
        );
        let printed = String::from_utf8(output.stdout)?;
        Ok(self.root.join(printed.trim_end()))
    }

    /// A peer in Rust as the function is deployed: static, by musl.
    ///
    /// # Errors
    /// It cannot be built, such as without the standard library of the target.
    pub fn build_static_peer(&self, package: &str) -> anyhow::Result<PathBuf> {
        let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]))?;
        let library = Path::new(sysroot.trim())
            .join("lib/rustlib")
            .join(&target)
            .join("lib");
        if !library.is_dir() {
            run(Command::new("rustup").args(["target", "add", &target]))
                .with_context(|| format!("the standard library of {target} cannot be had"))?;
        }
        let (folder, binaries) = (self.folder("peers")?, self.folder("static")?);
        let built = self
            .cargo_lambda("cargo-lambda", &folder)?
            .args(["lambda", "build", "--release", "--locked"])
            .args(["--package", package, "--target", &target])
            .arg("--lambda-dir")
            .arg(&binaries)
            .current_dir(self.source("crates/bench/peers"))
            .stdout(io::stderr())
            .status()?;
        ensure!(
            built.success(),
            "{package} cannot be built for {target}; Cargo has said why above"
        );
        Ok(binaries.join(package).join("bootstrap"))
    }

    /// A build by cargo-lambda, which `./test tools` installs with the zig that it takes.
    fn cargo_lambda(&self, program: impl AsRef<OsStr>, target: &Path) -> anyhow::Result<Command> {
        let installed = self.source("target/tools/venv/bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths([installed].into_iter().chain(std::env::split_paths(&path)))?;
        run(Command::new("cargo-lambda").args(["lambda", "--version"]).env("PATH", &path)).context(
            "the static build takes cargo-lambda and zig: `./test tools` installs both below target/tools",
        )?;
        let mut command = cargo(program);
        command.env("PATH", path).env("CARGO_TARGET_DIR", target);
        Ok(command)
    }

    /// Builds a peer in Rust, alone, with `--package`: a workspace's build unifies features. Returns its binary.
    ///
    /// # Errors
    /// It cannot be built; Cargo has said why.
    pub fn build_peer(&self, package: &str) -> anyhow::Result<PathBuf> {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = cargo(&program)
            .args(["build", "--release", "--locked", "--package", package])
            .arg("--manifest-path")
            .arg(self.source("crates/bench/peers/Cargo.toml"))
            .arg("--target-dir")
            .arg(self.folder("peers")?)
            .arg("--message-format=json-render-diagnostics")
            .current_dir(&self.root)
            .output()
            .with_context(|| format!("{} cannot be run", program.display()))?;
        ensure!(
            output.status.success(),
            "{package} cannot be built; Cargo has said why above"
        );
        Message::parse_stream(output.stdout.as_slice())
            .filter_map(Result::ok)
            .find_map(|message| match message {
                Message::CompilerArtifact(artifact) if artifact.target.name == package => {
                    artifact.executable.map(Into::into)
                }
                _ => None,
            })
            .with_context(|| format!("Cargo built {package} and named no binary of it"))
    }

    /// The folder of the peer in Python with what it needs, and the interpreter itself: a launcher in the PATH may be a script.
    ///
    /// # Errors
    /// There is no Python 3, or pip cannot install: a peer that is missing.
    pub fn python(&self) -> anyhow::Result<Installed> {
        let folder = self.folder("boto3")?;
        let requirements = self.source("crates/bench/peers/python/requirements.txt");
        let printed =
            run(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]))
                .context("there is no python3 in the PATH")?;
        let program = PathBuf::from(printed.trim());
        install_once(&folder, &requirements, || {
            run(Command::new(&program)
                .args(["-m", "pip", "install", "--quiet", "--target"])
                .arg(folder.join("packages"))
                .arg("--requirement")
                .arg(&requirements))
        })
        .context("pip cannot install boto3 and awslambdaric")?;
        let handler = copy(&self.source("crates/bench/peers/python/app.py"), &folder)?;
        let arguments = ["-m", "awslambdaric", "app.handler"];
        Ok(Installed {
            program,
            arguments: arguments.map(Into::into).into(),
            handler,
        })
    }

    /// The folder of the peer in JavaScript with what it needs, and Node.js itself.
    ///
    /// # Errors
    /// There is no Node.js, or npm cannot install: a peer that is missing.
    pub fn node(&self) -> anyhow::Result<Installed> {
        let folder = self.folder("sdk-v3")?;
        let peer = self.source("crates/bench/peers/node");
        let printed = run(Command::new("node").args(["-p", "process.execPath"]))
            .context("there is no node in the PATH")?;
        copy(&peer.join("package.json"), &folder)?;
        copy(&peer.join("package-lock.json"), &folder)?;
        install_once(&folder, &peer.join("package-lock.json"), || {
            run(Command::new("npm")
                .args(["ci", "--silent", "--no-audit", "--no-fund"])
                .current_dir(&folder))
        })
        .context("npm cannot install @aws-sdk/client-connectcases")?;
        let handler = copy(&peer.join("app.mjs"), &folder)?;
        Ok(Installed {
            program: PathBuf::from(printed.trim()),
            arguments: vec![handler.clone().into()],
            handler,
        })
    }

    /// `rustc 1.95.0`
    ///
    /// # Errors
    /// rustc cannot be run.
    pub fn compiler(&self) -> anyhow::Result<String> {
        let printed = run(Command::new("rustc").arg("-vV").current_dir(&self.root))?;
        let release = printed
            .lines()
            .find_map(|line| line.strip_prefix("release: "));
        Ok(format!(
            "rustc {}",
            release.context("`rustc -vV` names no release")?
        ))
    }
}

/// A peer that an interpreter runs.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The interpreter.
    pub program: PathBuf,
    /// What it is given.
    pub arguments: Vec<OsString>,
    /// The script, with its packages beside it.
    pub handler: PathBuf,
}

/// A program that runs Cargo, and tells on standard error what it does.
fn cargo(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    // `cargo run` sets these for us; build scripts that look at them would run again on every change of caller.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Whether a program of this name can be run.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    run(Command::new(program).arg("--version")).is_ok()
}

/// Copies a file into a folder.
///
/// # Errors
/// It cannot be copied.
pub fn copy(file: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let copy = folder.join(file.file_name().unwrap_or(OsStr::new("copy")));
    // Not over what may be running.
    let _ = std::fs::remove_file(&copy);
    std::fs::copy(file, &copy).with_context(|| {
        format!(
            "{} cannot be copied to {}",
            file.display(),
            folder.display()
        )
    })?;
    Ok(copy)
}

/// Installs unless what is asked for is there already: the list's text is kept beside what it gave.
fn install_once(
    folder: &Path,
    list: &Path,
    install: impl FnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let stamp = folder.join("installed");
    let wanted = std::fs::read(list).with_context(|| format!("{}", list.display()))?;
    if std::fs::read(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    install()?;
    std::fs::write(&stamp, wanted).with_context(|| format!("{}", stamp.display()))
}

/// Runs a program to its end; what it said on standard error is the error's text.
fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!(
            "{} is not installed",
            command.get_program().to_string_lossy()
        ),
        _ => error.into(),
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
