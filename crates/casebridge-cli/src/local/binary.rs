//! Builds the function with Cargo, and reads the binary's path from Cargo's messages.

use std::env;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::sources::workspace_root;

const PACKAGE: &str = "casebridge";

/// This tool, named in the same build: the function then shares the features of dependencies that are built already. A
/// deployed binary is built alone.
const SHARED: [&str; 2] = ["--package", env!("CARGO_PKG_NAME")];

/// Builds the function. Cargo writes its progress and diagnostics to standard error.
///
/// # Errors
///
/// When Cargo cannot be run or the build fails; Cargo has said why by then.
pub(super) fn build(release: bool) -> anyhow::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command
        .args(["build", "--package", PACKAGE, "--bin", PACKAGE])
        .args(if release { &[] as &[_] } else { &SHARED })
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace_root().context(
            "the function's source was not found: run `cargo casebridge local`, or name a binary with --binary",
        )?)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if release {
        command.arg("--release");
    }
    // A terminal needs only the progress bar; a log needs Cargo's lines.
    if std::io::stderr().is_terminal() {
        command.args([
            "--quiet",
            "--config=term.progress.when='always'",
            "--config=term.progress.width=80",
        ]);
    }
    // `cargo run` sets these variables, and build scripts that read them would run again.
    for (name, _) in env::vars_os() {
        let set_by_run = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if set_by_run {
            command.env_remove(name);
        }
    }
    let output = command
        .output()
        .with_context(|| format!("{} could not be run to build the function", cargo.display()))?;
    if !output.status.success() {
        bail!("the function could not be built; Cargo has said why above");
    }
    executable(&output.stdout).context("cargo built the function and named no binary of it")
}

/// The path in the messages of `--message-format=json`:
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>
fn executable(messages: &[u8]) -> Option<PathBuf> {
    let lines = messages.split(|byte| *byte == b'\n');
    let mut messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    messages.find_map(|message| {
        let text = |pointer| message.pointer(pointer).and_then(Value::as_str);
        let is_ours =
            text("/reason") == Some("compiler-artifact") && text("/target/name") == Some(PACKAGE);
        text("/executable").filter(|_| is_ours).map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_the_one_that_cargo_names() {
        let messages = br#"{"reason":"compiler-artifact","target":{"name":"serde","kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","target":{"name":"casebridge","kind":["lib"]},"executable":null}
{"reason":"build-script-executed","package_id":"ring"}
{"reason":"compiler-artifact","target":{"name":"casebridge","kind":["bin"]},"executable":"/t/debug/casebridge"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(
            executable(messages),
            Some(PathBuf::from("/t/debug/casebridge"))
        );
    }

    #[test]
    fn a_library_is_no_binary() {
        let messages =
            br#"{"reason":"compiler-artifact","target":{"name":"casebridge"},"executable":null}"#;
        assert_eq!(executable(messages), None);
    }
}
