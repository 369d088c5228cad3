//! [`Function`] over real processes: `lambda_runtime` in this very test binary, and shells that fail.

#![expect(clippy::expect_used, reason = "helpers of tests may fail as tests do")]

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use runtime_api::{
    Answer, Function, FunctionConfiguration, FunctionError, Phase, serve_invocations,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The function that the tests run: this test binary, which runs [`handler`] alone.
fn configuration() -> FunctionConfiguration {
    FunctionConfiguration::new(std::env::current_exe().expect("a path"))
        .args(["--ignored", "--exact", "handler", "--nocapture"])
        .function_name("casebridge")
        .env("GREETING", "hello")
}

fn shell(script: &str) -> FunctionConfiguration {
    FunctionConfiguration::new("/bin/sh").args(["-c", script])
}

#[tokio::test]
#[ignore = "is the function of the other tests, which start it as a process"]
async fn handler() {
    let handler = service_fn(async |event: LambdaEvent<Value>| {
        match event.payload.get("do").and_then(Value::as_str) {
            Some("crash") => {
                std::io::Write::write_all(&mut std::io::stderr(), b"about to crash\n")
                    .expect("a pipe");
                std::process::exit(7);
            }
            Some("hang") => std::future::pending().await,
            Some("fail") => Err(Diagnostic {
                error_type: "MissingValue".to_owned(),
                error_message: "no order number".to_owned(),
            }),
            _ => Ok(json!({
                "name": event.context.env_config.function_name,
                "greeting": std::env::var("GREETING").ok(),
                "home": std::env::var("HOME").ok(),
                "memory": event.context.env_config.memory,
            })),
        }
    });
    lambda_runtime::run(handler)
        .await
        .expect("the runtime runs until it is killed");
}

async fn invoke(function: &Function, event: &Value) -> Result<Answer, FunctionError> {
    function.invoke(event.to_string()).await
}

#[tokio::test]
async fn a_function_sees_lambdas_environment_and_nothing_of_ours() {
    let function = configuration().start().await.expect("it starts");
    let Ok(Answer::Response(body)) = invoke(&function, &json!({})).await else {
        panic!("a response is expected");
    };
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(
        body,
        json!({ "name": "casebridge", "greeting": "hello", "home": null, "memory": 128 })
    );
}

#[tokio::test]
async fn a_launcher_runs_the_binary_in_the_binarys_folder() {
    let path = std::env::current_exe().expect("a path");
    let script = r#"exec "$0" "$@" "$LAMBDA_TASK_ROOT""#;
    let function = FunctionConfiguration::new(&path)
        .launcher(["/bin/sh", "-c", script, "/bin/echo"])
        .start()
        .await
        .expect_err("it only prints");
    let (path, folder) = (path.display(), path.parent().expect("a folder").display());
    assert!(
        function
            .to_string()
            .ends_with(&format!("\n  {path} {folder}")),
        "{function}"
    );
}

#[tokio::test]
async fn an_error_of_the_handler_is_an_answer() {
    let function = configuration().start().await.expect("it starts");
    let Ok(Answer::Error(report)) = invoke(&function, &json!({ "do": "fail" })).await else {
        panic!("an error report is expected");
    };
    assert_eq!(report.to_string(), "MissingValue: no order number");
}

#[tokio::test]
async fn what_is_not_json_never_reaches_the_function() {
    let function = configuration().start().await.expect("it starts");
    for (payload, reason) in [
        (&b"{"[..], "EOF while parsing an object at line 1 column 1"),
        (b"\"\xff\"", "byte 2 is not UTF-8"),
    ] {
        let error = function.invoke(payload).await.expect_err(reason);
        assert_eq!(error.error_type(), "InvalidRequestContentException");
        assert!(error.to_string().ends_with(reason), "{error}");
    }
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(matches!(function.invoke(deep).await, Ok(Answer::Error(_))));
}

#[tokio::test]
async fn a_crash_is_told_with_its_last_lines_and_the_next_event_starts_anew() {
    let function = configuration().start().await.expect("it starts");
    let error = invoke(&function, &json!({ "do": "crash" }))
        .await
        .expect_err("it crashes");
    assert_eq!(error.error_type(), "Runtime.ExitError");
    let FunctionError::Exited {
        phase,
        exit,
        output,
    } = &error
    else {
        panic!("an exit is expected, not {error}");
    };
    assert_eq!((*phase, exit.as_str()), (Phase::Invoke, "exit status 7"));
    assert_eq!(
        output.lines().last().map(String::as_str),
        Some("about to crash")
    );
    assert!(matches!(
        invoke(&function, &json!({})).await,
        Ok(Answer::Response(_))
    ));
}

#[tokio::test]
async fn a_function_that_does_not_answer_in_time_is_killed() {
    let function = configuration()
        .timeout(Duration::from_millis(200))
        .start()
        .await
        .expect("it starts");
    let error = invoke(&function, &json!({ "do": "hang" }))
        .await
        .expect_err("it hangs");
    assert_eq!(error.error_type(), "Sandbox.Timedout");
    assert!(
        error
            .to_string()
            .starts_with("the function did not answer within 0.2 s and was stopped"),
        "{error}"
    );
    assert_eq!(function.pid(), None);
}

#[tokio::test]
async fn a_function_that_ends_before_it_is_ready_says_why() {
    let error = shell("echo no mapping >&2; exit 3")
        .start()
        .await
        .expect_err("it ends");
    assert_eq!(
        error.to_string(),
        "the function ended with exit status 3 before it was ready; it wrote:\n  no mapping"
    );
}

#[tokio::test(start_paused = true)]
async fn the_initialisation_has_the_time_that_it_is_given() {
    let error = shell("exec sleep 600")
        .init_timeout(Duration::from_mins(1))
        .start()
        .await
        .expect_err("it hangs");
    assert_eq!(
        error.to_string(),
        "the function was not ready for an event after 60 s and was stopped; it wrote nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_never_ready_is_killed() {
    let error = shell("exec sleep 600").start().await.expect_err("it hangs");
    assert_eq!(
        error.to_string(),
        "the function was not ready for an event after 10 s and was stopped; it wrote nothing"
    );
}

#[tokio::test]
async fn a_binary_that_is_not_there_is_named() {
    let error = FunctionConfiguration::new("/nowhere/bootstrap")
        .start()
        .await
        .expect_err("no file");
    assert_eq!(error.to_string(), "/nowhere/bootstrap could not be run");
}

#[tokio::test]
async fn killed_in_the_middle_of_an_event() {
    let function = configuration().start().await.expect("it starts");
    let event = json!({ "do": "hang" }).to_string();
    let (answer, ()) = tokio::join!(function.invoke(event), function.kill());
    let error = answer.expect_err("it was killed");
    assert!(error.to_string().contains("signal 9"), "{error}");
}

#[tokio::test]
async fn invoke_over_http_answers_as_lambda_does() {
    let function = Arc::new(configuration().start().await.expect("it starts"));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(serve_invocations(function, listener));
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("the port is open");
    let request = "POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nhost: lambda\r\n\
                   connection: close\r\ncontent-length: 13\r\n\r\n{\"do\":\"fail\"}";
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is taken");
    let mut response = String::new();
    stream.read_to_string(&mut response).await.expect("text");
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
    assert!(
        response.contains("x-amz-function-error: Unhandled"),
        "{response}"
    );
    assert!(response.contains("no order number"), "{response}");
    server.abort();
}
