//! The binaries that Cargo builds and the packages that pip and npm install, all of it below Cargo's target folder.

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

/// The repository, and Cargo's target folder.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    root: PathBuf,
    target: PathBuf,
}

impl Toolchain {
    /// Asks Cargo for its target folder.
    pub(crate) fn find() -> anyhow::Result<Self> {
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
    pub(crate) fn source(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Makes a folder for files of the benchmark.
    pub(crate) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.target.join("side-by-side").join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(folder)
    }

    /// Builds the function as it is deployed, for this processor.
    pub(crate) fn build_function(&self) -> anyhow::Result<PathBuf> {
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

    /// Builds a peer in Rust as the function is deployed: static, by musl.
    pub(crate) fn build_static_peer(&self, package: &str) -> anyhow::Result<PathBuf> {
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

    /// A build by cargo-lambda, which `./test tools` installs with the zig that it needs.
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
    pub(crate) fn build_peer(&self, package: &str) -> anyhow::Result<PathBuf> {
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

    /// Installs the peer in Python. The program is the interpreter itself: a launcher in the PATH may be a script.
    pub(crate) fn python(&self) -> anyhow::Result<Installed> {
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

    /// Installs the peer in JavaScript. The program is Node.js itself.
    pub(crate) fn node(&self) -> anyhow::Result<Installed> {
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
    pub(crate) fn compiler(&self) -> anyhow::Result<String> {
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
pub(crate) struct Installed {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// The script, in the folder of its packages.
    pub(crate) handler: PathBuf,
}

/// A program that runs Cargo, with its output on standard error.
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

/// Returns true when a program of this name can be run.
pub(crate) fn is_installed(program: &str) -> bool {
    run(Command::new(program).arg("--version")).is_ok()
}

/// Copies a file into a folder.
pub(crate) fn copy(file: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
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

/// Installs the packages of a list unless they are installed: a copy of the list marks the folder.
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

/// Runs a program to its end; its standard error is the error's text.
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

/// The type of the segment that names the dynamic loader.
const INTERPRETER: u64 = 3;

/// Returns the target of a binary by its header: `x86_64-unknown-linux-musl` without a loader, `x86_64-unknown-linux-gnu` with one.
/// A static glibc would count as musl; nothing that is deployed is built so.
pub(crate) fn target(binary: &Path) -> anyhow::Result<String> {
    let content =
        std::fs::read(binary).with_context(|| format!("{} cannot be read", binary.display()))?;
    header(&content).with_context(|| {
        format!(
            "{} is no binary of 64 bits for Linux on x86_64 or aarch64",
            binary.display()
        )
    })
}

fn header(binary: &[u8]) -> Option<String> {
    // 64 bits, the least significant byte first.
    binary.strip_prefix(b"\x7fELF\x02\x01")?;
    let number = |at: u64, length: u64| {
        let range = usize::try_from(at).ok()?..usize::try_from(at.checked_add(length)?).ok()?;
        let bytes = binary.get(range)?.iter().rev();
        Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let processor = match number(18, 2)? {
        0x3e => "x86_64",
        0xb7 => "aarch64",
        _ => return None,
    };
    let (segments, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let mut libc = "musl";
    for segment in 0..count {
        if number(segments.checked_add(segment * size)?, 4)? == INTERPRETER {
            libc = "gnu";
        }
    }
    Some(format!("{processor}-unknown-linux-{libc}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn of_this_test() {
        let libc = if cfg!(target_env = "musl") {
            "musl"
        } else {
            "gnu"
        };
        assert_eq!(
            target(&std::env::current_exe().unwrap()).unwrap(),
            format!("{}-unknown-linux-{libc}", std::env::consts::ARCH)
        );
    }

    /// A header with one segment of this type behind it.
    fn binary(processor: u8, segment: u8) -> Vec<u8> {
        let mut binary = vec![0; 64 + 56];
        binary[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (binary[18], binary[32], binary[54], binary[56]) = (processor, 64, 56, 1);
        binary[64] = segment;
        binary
    }

    #[test]
    fn the_processor_and_the_loader_tell() {
        assert_eq!(
            header(&binary(0xb7, 1)).unwrap(),
            "aarch64-unknown-linux-musl"
        );
        assert_eq!(
            header(&binary(0x3e, 3)).unwrap(),
            "x86_64-unknown-linux-gnu"
        );
    }

    #[test]
    fn what_is_no_such_binary_has_no_target() {
        assert_eq!(header(b"#!/bin/sh"), None);
        assert_eq!(header(&binary(0x28, 1)), None);
        assert_eq!(header(&binary(0x3e, 3)[..64]), None);
    }
}
