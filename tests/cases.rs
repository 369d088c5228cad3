//! Golden cases: each directory of `tests/cases` is a test by its name. It holds a mapping, an event, and the exact request or refusal.
//!
//! | file | content |
//! | --- | --- |
//! | `mapping.yaml` or `mapping.json` | the mapping |
//! | `domain.json`, `profiles.json` | the snapshot and the customers; the repository's own when absent |
//! | `contacts.json` | the contacts that Connect knows |
//! | `event.json` | the payload; absent where the mapping is refused |
//! | `request.json` | the body of `CreateCase` as it went over the wire |
//! | `answer.json` | the answer where no request was sent |
//! | `calls.json` | the other calls, in their order, where the directory is about them: operation and body of each |
//! | `diagnostics.txt` | the mapping's diagnostics as a cold start prints them |
//!
//! `UPDATE_CASES=1 cargo test -p casebridge --test cases` writes the actual outcome: read the difference before you commit it.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends by panicking, and reads the environment"
)]

#[path = "function/function.rs"]
#[expect(dead_code, reason = "a golden case needs a part of it")]
mod function;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use function::{Function, read};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

fn main() -> ExitCode {
    let directories = directories();
    let number = directories.len();
    let mut trials: Vec<Trial> = directories.into_iter().map(trial).collect();
    trials.push(Trial::test("there_are_at_least_forty_cases", move || {
        ensure(number >= 40, || format!("there are {number} directories"))
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn directories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(root).expect("tests/cases");
    let mut directories: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    directories.sort();
    directories
}

/// The test of one directory, with a clock of its own.
fn trial(directory: PathBuf) -> Trial {
    let name = directory.file_name().expect("a name").to_string_lossy();
    Trial::test(name.into_owned(), move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()?
            .block_on(check(&directory))
    })
}

async fn check(directory: &Path) -> Result<(), Failed> {
    let (file, found) = run(directory).await?;
    for other in ["request.json", "answer.json", "diagnostics.txt"] {
        ensure(other == file || !directory.join(other).exists(), || {
            format!("the outcome is {file}, but the directory also holds {other}")
        })?;
    }
    compare(&directory.join(file), &found)
}

/// Returns the name of the file that holds the outcome, and its content.
async fn run(directory: &Path) -> Result<(&'static str, String), Failed> {
    let file = if directory.join("mapping.json").exists() {
        "mapping.json"
    } else {
        "mapping.yaml"
    };
    let snapshot =
        fs::read_to_string(directory.join("domain.json")).unwrap_or_else(|_| read("domain.json"));
    let function = match Function::new(file, &read(directory.join(file)), &snapshot) {
        Ok(function) => function,
        Err(diagnostics) => return Ok(("diagnostics.txt", format!("{diagnostics}\n"))),
    };
    let emulator = &function.emulator;
    if let Ok(profiles) = fs::read_to_string(directory.join("profiles.json")) {
        let set = emulator.set_profiles(&profiles);
        set.expect("the emulator takes the profiles");
    }
    if let Ok(contacts) = fs::read_to_string(directory.join("contacts.json")) {
        let set = emulator.set_contacts(&contacts);
        set.expect("the emulator takes the contacts");
    }
    let answer = function.handle(&read(directory.join("event.json"))).await;
    compare_other_calls(directory, &function)?;
    match function.creations().as_slice() {
        [] => Ok(("answer.json", pretty(&answer))),
        [request] => {
            ensure(emulator.cases().len() == 1, || {
                format!("the emulator refuses the request: {answer}")
            })?;
            Ok(("request.json", pretty(request)))
        }
        requests => Err(format!("there are {} requests", requests.len()).into()),
    }
}

/// Compares the calls other than `CreateCase`, where the directory lists them.
fn compare_other_calls(directory: &Path, function: &Function) -> Result<(), Failed> {
    let path = directory.join("calls.json");
    if !path.exists() {
        return Ok(());
    }
    let calls: Value = function
        .emulator
        .requests()
        .into_iter()
        .filter(|request| request.operation != "CreateCase")
        .map(|request| serde_json::json!({ request.operation: request.body }))
        .collect();
    compare(&path, &pretty(&calls))
}

/// Compares a file with the actual text. With `UPDATE_CASES` set, writes the text instead.
fn compare(path: &Path, found: &str) -> Result<(), Failed> {
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected != found && std::env::var_os("UPDATE_CASES").is_some() {
        return Ok(fs::write(path, found)?);
    }
    ensure(expected == found, || {
        let path = path.display();
        format!("{path}\n--- expected\n{expected}\n--- found\n{found}")
    })
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(message().into()) }
}

/// Sorts the members, whether or not another crate of the build has asked `serde_json` to keep their order.
fn pretty(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    format!("{}\n", serde_json::to_string_pretty(&value).expect("JSON"))
}
