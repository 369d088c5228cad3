//! The Runtime API as a client on a bare socket sees it.

#![expect(clippy::expect_used, reason = "helpers of tests may fail as tests do")]

use std::time::Duration;

use runtime_api::{Answer, InvokeError, RuntimeApi};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(3);

/// One request on a connection of its own; the whole response as text, header names in lower case as sent.
async fn send(api: &RuntimeApi, request_line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(api.address())
        .await
        .expect("the port is open");
    let request = format!(
        "{request_line} HTTP/1.1\r\nhost: runtime\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is taken");
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .await
        .expect("the response is text");
    response
}

async fn next(api: &RuntimeApi) -> String {
    send(api, "GET /2018-06-01/runtime/invocation/next", "", "").await
}

async fn post(api: &RuntimeApi, path: &str, body: &str) -> String {
    send(api, &format!("POST /2018-06-01/runtime/{path}"), "", body).await
}

fn header<'a>(response: &'a str, name: &str) -> &'a str {
    response
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .expect("the header is there")
}

fn status(response: &str) -> &str {
    response.lines().next().expect("a status line")
}

#[tokio::test]
async fn an_event_is_fetched_with_its_headers_and_answered() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let function = async {
        let event = next(&api).await;
        assert_eq!(status(&event), "HTTP/1.1 200 OK");
        assert!(event.ends_with(r#"{"n":1}"#));
        assert_eq!(
            header(&event, "lambda-runtime-invoked-function-arn"),
            "arn:aws:lambda:us-east-1:111122223333:function:casebridge"
        );
        assert!(header(&event, "lambda-runtime-trace-id").starts_with("Root=1-"));
        let deadline: u64 = header(&event, "lambda-runtime-deadline-ms")
            .parse()
            .expect("milliseconds");
        let id = header(&event, "lambda-runtime-aws-request-id");
        let taken = post(
            &api,
            &format!("invocation/{id}/response"),
            r#"{"status":"created"}"#,
        )
        .await;
        assert_eq!(status(&taken), "HTTP/1.1 202 Accepted");
        let again = post(&api, &format!("invocation/{id}/response"), "{}").await;
        assert!(again.contains("InvalidRequestID"), "{again}");
        deadline
    };
    let before = std::time::SystemTime::now();
    let (answer, deadline) = tokio::join!(api.invoke(r#"{"n":1}"#, TIMEOUT), function);
    assert_eq!(
        answer,
        Ok(Answer::Response(r#"{"status":"created"}"#.into()))
    );
    let left = Duration::from_millis(deadline)
        .checked_sub(
            before
                .duration_since(std::time::UNIX_EPOCH)
                .expect("after 1970"),
        )
        .expect("a deadline to come");
    assert!((2..=5).contains(&left.as_secs()), "{left:?}");
}

#[tokio::test]
async fn an_error_keeps_its_type_and_message() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let function = async {
        let event = next(&api).await;
        let id = header(&event, "lambda-runtime-aws-request-id").to_owned();
        let report = r#"{"errorType":"CasesUnavailable","errorMessage":"try again"}"#;
        post(&api, &format!("invocation/{id}/error"), report).await
    };
    let (answer, _) = tokio::join!(api.invoke("{}", TIMEOUT), function);
    let Ok(Answer::Error(report)) = answer else {
        panic!("an error is expected, not {answer:?}");
    };
    assert_eq!(report.to_string(), "CasesUnavailable: try again");
}

#[tokio::test]
async fn a_response_beyond_lambdas_limit_is_an_error() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let function = async {
        let mut last = String::new();
        for length in [6_291_556, 6_291_557] {
            let event = next(&api).await;
            let id = header(&event, "lambda-runtime-aws-request-id");
            last = post(
                &api,
                &format!("invocation/{id}/response"),
                &" ".repeat(length),
            )
            .await;
        }
        last
    };
    let events = async {
        let largest = api.invoke("{}", TIMEOUT).await;
        (largest, api.invoke("{}", TIMEOUT).await)
    };
    let ((largest, larger), refusal) = tokio::join!(events, function);
    assert!(matches!(largest, Ok(Answer::Response(body)) if body.len() == 6_291_556));
    assert!(
        matches!(larger, Ok(Answer::Error(report)) if report.error_type == "Function.ResponseSizeTooLarge")
    );
    assert_eq!(status(&refusal), "HTTP/1.1 413 Payload Too Large");
}

#[tokio::test]
async fn an_init_error_is_reported_before_any_event() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let report = r#"{"errorType":"Configuration","errorMessage":"CASES_DOMAIN_ID is not set"}"#;
    let (initialized, taken) = tokio::join!(api.initialized(), post(&api, "init/error", report));
    assert_eq!(status(&taken), "HTTP/1.1 202 Accepted");
    assert_eq!(
        initialized.expect_err("the function failed").to_string(),
        "Configuration: CASES_DOMAIN_ID is not set"
    );
}

#[tokio::test]
async fn events_that_overlap_go_to_one_poller_each() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let poll = async || {
        let event = next(&api).await;
        let id = header(&event, "lambda-runtime-aws-request-id").to_owned();
        let body = event.split("\r\n\r\n").nth(1).expect("a body").to_owned();
        (id, body)
    };
    let functions = async {
        let (one, two) = tokio::join!(poll(), poll());
        // The other way round than they were fetched.
        post(&api, &format!("invocation/{}/response", two.0), &two.1).await;
        post(&api, &format!("invocation/{}/response", one.0), &one.1).await;
    };
    let (first, second, ()) = tokio::join!(
        api.invoke("1", TIMEOUT),
        api.invoke("2", TIMEOUT),
        functions
    );
    assert_eq!(first, Ok(Answer::Response("1".into())));
    assert_eq!(second, Ok(Answer::Response("2".into())));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_nobody_fetches_is_given_up() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let error = api.invoke("{}", TIMEOUT).await.expect_err("nobody polls");
    assert_eq!(error, InvokeError::NotFetched(Duration::from_secs(10)));
    assert_eq!(
        error.to_string(),
        "no function asked for the event within 10 s"
    );
}

#[tokio::test]
async fn a_path_that_lambda_does_not_have_is_refused() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let response = send(&api, "GET /2018-06-01/runtime/invocation", "", "").await;
    assert_eq!(status(&response), "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn the_server_ends_when_it_is_dropped() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let address = api.address();
    drop(api);
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn idle_is_a_function_that_waits_for_an_event() {
    let api = RuntimeApi::start("casebridge").await.expect("a port");
    let is_idle = async || {
        tokio::select! {
            biased;
            () = api.idle() => true,
            () = std::future::ready(()) => false,
        }
    };
    assert!(!is_idle().await, "nobody has asked");
    let caller = async {
        api.idle().await;
        assert!(is_idle().await);
        // Nobody answers the event; that it is handed out is what counts.
        let _ = api.invoke("{}", Duration::ZERO).await;
    };
    tokio::join!(next(&api), caller);
    assert!(!is_idle().await, "the event is on its way");
}
