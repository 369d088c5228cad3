//! A case is a directory: a mapping, an event, and the exact request or the exact words of the refusal.
//!
//! | file | what |
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
//! `UPDATE_CASES=1 cargo test` writes what came out in place of what was expected: read the difference before you commit it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Function, read};

#[tokio::test(start_paused = true)]
async fn every_directory_gives_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut directories: Vec<PathBuf> = fs::read_dir(&root)
        .expect("tests/cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    directories.sort();
    let mut wrong = Vec::new();
    for directory in &directories {
        let (file, found) = run(directory).await;
        let outcomes = ["request.json", "answer.json", "diagnostics.txt"];
        let others = outcomes
            .iter()
            .filter(|other| **other != file && directory.join(other).exists());
        assert_eq!(
            others.count(),
            0,
            "{} has another outcome than {file}",
            directory.display()
        );
        let path = directory.join(file);
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected != found {
            wrong.push(format!(
                "{}\n--- expected\n{expected}\n--- found\n{found}",
                path.display()
            ));
            if std::env::var_os("UPDATE_CASES").is_some() {
                fs::write(&path, found).expect("the file can be written");
            }
        }
    }
    assert!(
        directories.len() >= 40,
        "there are {} directories",
        directories.len()
    );
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n\n{}",
        wrong.len(),
        directories.len(),
        wrong.join("\n\n")
    );
}

/// Which file holds the outcome, and what should stand in it.
async fn run(directory: &Path) -> (&'static str, String) {
    let file = if directory.join("mapping.json").exists() {
        "mapping.json"
    } else {
        "mapping.yaml"
    };
    let snapshot =
        fs::read_to_string(directory.join("domain.json")).unwrap_or_else(|_| read("domain.json"));
    let function = match Function::new(file, &read(directory.join(file)), &snapshot) {
        Ok(function) => function,
        Err(diagnostics) => return ("diagnostics.txt", format!("{diagnostics}\n")),
    };
    if let Ok(profiles) = fs::read_to_string(directory.join("profiles.json")) {
        let set = function.emulator.set_profiles(&profiles);
        set.expect("the emulator takes the profiles");
    }
    if let Ok(contacts) = fs::read_to_string(directory.join("contacts.json")) {
        let set = function.emulator.set_contacts(&contacts);
        set.expect("the emulator takes the contacts");
    }
    let answer = function.handle(&read(directory.join("event.json"))).await;
    others(directory, &function);
    match function.creations().as_slice() {
        [] => ("answer.json", pretty(&answer)),
        [request] => {
            assert_eq!(
                function.emulator.cases().len(),
                1,
                "{}: the emulator refuses what was sent: {answer}",
                directory.display()
            );
            ("request.json", pretty(request))
        }
        requests => panic!("{}: {} requests", directory.display(), requests.len()),
    }
}

/// Compares the calls beside `CreateCase`, where the directory says what they are.
fn others(directory: &Path, function: &Function) {
    let path = directory.join("calls.json");
    let Ok(expected) = fs::read_to_string(&path) else {
        return;
    };
    let calls: serde_json::Value = function
        .emulator
        .requests()
        .into_iter()
        .filter(|request| request.operation != "CreateCase")
        .map(|request| serde_json::json!({ request.operation: request.body }))
        .collect();
    let found = pretty(&calls);
    if std::env::var_os("UPDATE_CASES").is_some() {
        fs::write(&path, found).expect("the file can be written");
    } else {
        assert_eq!(expected, found, "{}", path.display());
    }
}

/// Members by name, whether or not another crate of the build has asked `serde_json` to keep their order.
fn pretty(value: &serde_json::Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    format!("{}\n", serde_json::to_string_pretty(&value).expect("JSON"))
}
