//! The program: one line when it is ready, a sentence when it cannot be.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator/domain.json");

fn program(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_cases-emulator"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

#[test]
fn it_prints_its_address_and_answers_there() {
    let mut program = program(&["--domain", SNAPSHOT, "--port", "0"]);
    let mut output = BufReader::new(program.stdout.take().expect("standard output"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    let (before, address, after) = line
        .split_once("http://")
        .and_then(|(before, rest)| {
            let (address, after) = rest.split_once(' ')?;
            Some((before, address, after))
        })
        .expect("an address");
    assert_eq!(before, "cases-emulator: ");
    assert!(address.starts_with("127.0.0.1:"));
    assert_eq!(after, "(domain d-1, 3 templates, 20 fields)\n");

    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = "POST /domains-list HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"d-1\""),
        "{answer}"
    );

    let killed = Command::new("kill").arg(program.id().to_string()).status();
    assert!(killed.expect("a signal").success());
    assert!(
        program.wait().expect("an end").success(),
        "SIGTERM is a clean end"
    );
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("the rest");
    assert_eq!(rest, "", "one line is all");
}

#[test]
fn profiles_and_contacts_are_served_beside_the_domain() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/emulator");
    let profiles = format!("{seeds}/profiles.json");
    let contacts = format!("{seeds}/contacts.json");
    let mut program = program(&[
        "--domain",
        SNAPSHOT,
        "--profiles",
        &profiles,
        "--contacts",
        &contacts,
        "--profile-lag-ms",
        "1000",
        "--port",
        "0",
    ]);
    let mut output = BufReader::new(program.stdout.take().expect("standard output"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    assert!(
        line.ends_with("(domain d-1, 3 templates, 20 fields, 3 profiles)\n"),
        "{line}"
    );
    let killed = Command::new("kill").arg(program.id().to_string()).status();
    assert!(killed.expect("a signal").success());
    assert!(program.wait().expect("an end").success());
}

#[test]
fn tables_and_queues_are_served_beside_the_domain() {
    let url = "http://localhost/123456789012/failures.fifo";
    let mut program = program(&[
        "--domain", SNAPSHOT, "--table", "ledger", "--table", "other", "--queue", url, "--port",
        "0",
    ]);
    let mut output = BufReader::new(program.stdout.take().expect("standard output"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    assert!(
        line.ends_with(&format!(
            ", 20 fields, table ledger, table other, queue {url})\n"
        )),
        "{line}"
    );
    let killed = Command::new("kill").arg(program.id().to_string()).status();
    assert!(killed.expect("a signal").success());
    assert!(program.wait().expect("an end").success());
}

#[test]
fn a_missing_snapshot_is_a_sentence() {
    let output = program(&["--domain", "no/such/domain.json"]).wait_with_output();
    let output = output.expect("an end");
    assert_eq!(output.status.code(), Some(2));
    let sentence = String::from_utf8_lossy(&output.stderr);
    assert!(
        sentence
            .starts_with("cases-emulator: cannot read the domain snapshot no/such/domain.json: "),
        "{sentence}"
    );
    assert_eq!(sentence.lines().count(), 1);
}

#[test]
fn profiles_that_are_none_are_a_sentence() {
    let output = program(&["--domain", SNAPSHOT, "--profiles", SNAPSHOT]).wait_with_output();
    let output = output.expect("an end");
    assert_eq!(output.status.code(), Some(2));
    let sentence = String::from_utf8_lossy(&output.stderr);
    assert!(
        sentence.contains("domain.json: the profiles seed is wrong at the top level: "),
        "{sentence}"
    );
    assert_eq!(sentence.lines().count(), 1);
}
