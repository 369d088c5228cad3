use std::fmt::Write as _;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_types::sdk_config::Builder;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use proptest::prelude::*;

use super::scripted::{AMPLE, CONTACT, INITIAL, INSTANCE, Reply, Service, sdk, split};
use super::*;

/// A value that a message of the service could quote.
const SECRET: &str = "+15550100";

/// Returns a contact with an unknown member, and a number that no double can hold.
fn contact() -> Reply {
    Reply::ok(
        r#"{"Contact":{"Id":"c","InitiationTimestamp":1770000000.120,"New":{"Number":12345678901234567890123}}}"#,
    )
}

fn contact_that_began_with(initial_contact_id: &str) -> Reply {
    let contact = json!({ "Contact": { "InitialContactId": initial_contact_id } });
    Reply::ok(contact.to_string())
}

fn attributes() -> Reply {
    Reply::ok(r#"{"Attributes":{"order id":"o-1"}}"#)
}

fn both(path: &str, _: usize) -> Reply {
    if path.starts_with("/contacts/") {
        contact()
    } else {
        attributes()
    }
}

fn refused(status: u16, error: &'static str) -> Reply {
    let body = json!({ "message": format!("{SECRET} is not allowed"), "Message": SECRET });
    Reply::Answer(status, error, body.to_string())
}

#[tokio::test]
async fn the_answers_are_passed_on_as_they_came() {
    let read = Service::new(both).read(Some(INITIAL)).await;
    let mut read = read.expect("both answer");
    // Another crate of the build may enable the feature of `serde_json` that keeps the order of members.
    read.sort_all_objects();
    assert_eq!(
        read.to_string(),
        r#"{"Attributes":{"order id":"o-1"},"contact":{"Id":"c","InitiationTimestamp":1770000000.120,"New":{"Number":12345678901234567890123}}}"#
    );
}

#[tokio::test]
async fn both_requests_are_signed_for_connect() {
    let service = Service::new(both);
    service.read(Some(INITIAL)).await.expect("both answer");
    let host = "https://connect.us-west-2.amazonaws.com";
    assert_eq!(
        service.sent(|request| format!("{} {}", request.method(), request.uri())),
        [
            format!("GET {host}/contacts/{INSTANCE}/{CONTACT}"),
            format!("GET {host}/contact/attributes/{INSTANCE}/{INITIAL}"),
        ]
    );
    for header in service.sent(|request| header(request, "authorization")) {
        let scope =
            "AWS4-HMAC-SHA256 Credential=ANOTREAL/20260202/us-west-2/connect/aws4_request, ";
        assert!(header.starts_with(scope), "{header}");
    }
    for header in service.sent(|request| header(request, "amz-sdk-request")) {
        assert_eq!(header, "attempt=1; max=1000");
    }
}

fn header(request: &HttpRequest, name: &str) -> String {
    request.headers().get(name).unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_two_reads_run_side_by_side() {
    let service = Service::new(|_, _| Reply::Silence);
    let read = tokio::time::timeout(Duration::from_millis(1), service.read(None)).await;
    assert!(read.is_err(), "nothing has answered");
    assert_eq!(service.paths().len(), 2);
}

#[tokio::test]
async fn attributes_are_read_of_the_initial_contact_that_only_connect_knows() {
    let first = format!("/contact/attributes/{INSTANCE}/{CONTACT}");
    let refused_path = first.clone();
    let service = Service::new(move |path, _| match path {
        path if path.starts_with("/contacts/") => contact_that_began_with(INITIAL),
        path if path == refused_path => refused(404, "ResourceNotFoundException"),
        _ => attributes(),
    });
    let read = service.read(None).await;
    let read = read.expect("the initial contact has attributes");
    assert_eq!(read["Attributes"], json!({ "order id": "o-1" }));
    let later = format!("/contact/attributes/{INSTANCE}/{INITIAL}");
    assert_eq!(service.paths()[1..], [first, later]);
}

#[tokio::test]
async fn attributes_of_this_contact_or_of_one_that_is_given_are_read_once() {
    for (told, given) in [(CONTACT, None), ("another", Some(INITIAL))] {
        let service = Service::with(move || contact_that_began_with(told), attributes);
        service.read(given).await.expect("both answer");
        assert_eq!(service.paths().len(), 2, "{told}");
    }
}

#[tokio::test]
async fn no_attributes_are_an_empty_object() {
    for body in ["{}", r#"{"Attributes":null}"#, r#"{"Attributes":{}}"#] {
        let service = Service::with(contact, move || Reply::ok(body));
        let read = service.read(Some(INITIAL)).await.expect("both answer");
        assert_eq!(read["Attributes"], json!({}), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again() {
    let faults: [fn() -> Reply; 6] = [
        || refused(429, "TooManyRequestsException"),
        || refused(400, "ThrottlingException"),
        || refused(429, ""),
        || refused(500, "InternalServiceException"),
        || Reply::Broken,
        || Reply::Silence,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let service = Service::new(move |path, before| match before {
            0 | 1 => fault(),
            _ => both(path, before),
        });
        let read = service.read(Some(INITIAL)).await;
        assert!(read.is_ok(), "fault {number}: {read:?}");
        assert_eq!(service.paths().len(), 6, "fault {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_of_throttling_leaves_later_reads_their_retries() {
    let throttled = || refused(429, "ThrottlingException");
    for _ in 0..30 {
        let service = Service::new(move |_, _| throttled());
        let failure = service.read(Some(INITIAL)).await.expect_err("throttled");
        assert_eq!(failure.code, ErrorCode::Throttled, "{failure}");
        assert!(service.paths().len() > 8, "both reads were tried again");
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_is_not_repeated() {
    let mut sentences = String::new();
    for (status, error) in [
        (404, "ResourceNotFoundException"),
        (403, "AccessDeniedException"),
        (400, "InvalidRequestException:http://internal.amazon.com/"),
        (400, "com.amazonaws.connect#InvalidParameterException"),
        (400, ""),
    ] {
        let service = Service::with(move || refused(status, error), attributes);
        let failure = service.read(Some(INITIAL)).await.expect_err("it refuses");
        assert!(service.paths().len() <= 2, "{failure}");
        assert!(!failure.code.is_transient(), "{failure}");
        writeln!(sentences, "{}: {failure}", failure.code).expect("text takes text");
    }
    assert!(!sentences.contains(SECRET), "{sentences}");
    insta::assert_snapshot!(sentences, @"
    ResourceNotFound: DescribeContact answered ResourceNotFoundException (HTTP 404, request r-1): the instance does not know the contact: it is of another instance or Region, or so old that Connect no longer keeps it
    AccessDenied: DescribeContact answered AccessDeniedException (HTTP 403, request r-1): the function's role needs connect:DescribeContact and connect:GetContactAttributes
    RequestRefused: DescribeContact answered InvalidRequestException (HTTP 400, request r-1): it does not take the ids of instance and contact: expected are those of the event, as Connect wrote them
    RequestRefused: DescribeContact answered InvalidParameterException (HTTP 400, request r-1): it does not take the ids of instance and contact: expected are those of the event, as Connect wrote them
    RequestRefused: DescribeContact answered an error without a name (HTTP 400, request r-1): it does not take the ids of instance and contact: expected are those of the event, as Connect wrote them
    ");
}

#[tokio::test]
async fn a_refusal_may_name_its_error_in_the_body() {
    for body in [
        r#"{"__type":"AccessDeniedException"}"#,
        r#"{"code":"AccessDeniedException"}"#,
    ] {
        let service = Service::new(move |_, _| Reply::Answer(400, "", body.to_owned()));
        let failure = service.read(Some(INITIAL)).await.expect_err("it refuses");
        assert_eq!(failure.code, ErrorCode::AccessDenied, "{body}");
    }
}

#[tokio::test]
async fn attributes_that_are_refused_fail_the_read() {
    let service = Service::with(contact, || refused(403, "AccessDeniedException"));
    let failure = service.read(None).await.expect_err("it refuses");
    assert_eq!(failure.code, ErrorCode::AccessDenied);
    let sentence = failure.to_string();
    assert!(sentence.starts_with("GetContactAttributes "), "{sentence}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_transient_and_not_quoted() {
    let unreadable = [format!("<{SECRET}>"), "[".repeat(1000), String::new()];
    let no_contact = [format!(r#"{{"Contact":"{SECRET}"}}"#), "[]".to_owned()];
    for body in unreadable.into_iter().chain(no_contact) {
        let service = Service::new(move |_, _| Reply::ok(body.as_str()));
        let failure = service.read(Some(INITIAL)).await.expect_err("no contact");
        assert_eq!(failure.code, ErrorCode::ServiceUnavailable, "{failure}");
        assert!(!failure.message.contains(SECRET), "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_every_wait() {
    let replies: [(fn() -> Reply, _); 4] = [
        (|| Reply::Silence, ErrorCode::ServiceUnavailable),
        (|| Reply::Broken, ErrorCode::ServiceUnavailable),
        (|| refused(503, ""), ErrorCode::ServiceUnavailable),
        (|| refused(429, "ThrottlingException"), ErrorCode::Throttled),
    ];
    for (reply, code) in replies {
        let service = Service::new(move |_, _| reply());
        let time = Duration::from_secs(1);
        let read = service.read_within(Some(INITIAL), time);
        let read = tokio::time::timeout(time + Duration::from_millis(10), read).await;
        let failure = read.expect("in time").expect_err("no answer");
        assert_eq!(failure.code, code, "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_time_nothing_is_sent() {
    let service = Service::new(both);
    let failure = service.read_within(None, Duration::ZERO).await;
    assert_eq!(failure.expect_err("no time").code, ErrorCode::OutOfTime);
    assert_eq!(service.paths(), [""; 0]);
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let sdk = SdkConfig::builder()
        .region(Region::new("us-west-2"))
        .sleep_impl(TokioSleep::new());
    let service = Service::configured(sdk, both);
    let failure = service.read(None).await.expect_err("it cannot be signed");
    assert_eq!(failure.code, ErrorCode::InternalError, "{failure}");
    assert_eq!(service.paths(), [""; 0]);
}

/// The hosts are those of Connect's own endpoint rules, by Region, FIPS and dual stack.
#[tokio::test]
async fn every_partition_has_its_endpoint() {
    for (region, flags, host) in [
        ("us-east-1", "", ".us-east-1.amazonaws.com"),
        ("eu-west-2", "", ".eu-west-2.amazonaws.com"),
        ("us-east-1", "fips", "-fips.us-east-1.amazonaws.com"),
        ("us-east-1", "dual", ".us-east-1.api.aws"),
        ("us-east-1", "fips dual", "-fips.us-east-1.api.aws"),
        ("us-gov-west-1", "", ".us-gov-west-1.amazonaws.com"),
        ("us-gov-west-1", "fips", ".us-gov-west-1.amazonaws.com"),
        ("us-gov-east-1", "fips dual", "-fips.us-gov-east-1.api.aws"),
        ("cn-north-1", "", ".cn-north-1.amazonaws.com.cn"),
        ("us-iso-east-1", "", ".us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "", ".us-isob-east-1.sc2s.sgov.gov"),
        ("eu-newest-9", "", ".eu-newest-9.amazonaws.com"),
    ] {
        let sdk = sdk(region)
            .use_fips(flags.contains("fips"))
            .use_dual_stack(flags.contains("dual"));
        assert_eq!(asked(sdk).await, format!("https://connect{host}"));
    }
}

#[tokio::test]
async fn an_endpoint_may_be_configured() {
    let (all, connect) = ("https://cases.example.com", "http://127.0.0.1:4599");
    let for_all = || sdk("us-east-1").endpoint_url(all);
    assert_eq!(asked(for_all()).await, all);
    let for_connect = for_all().service_config(Environment(connect));
    assert_eq!(asked(for_connect).await, connect);
}

/// An environment with only `AWS_ENDPOINT_URL_CONNECT`.
#[derive(Debug)]
struct Environment(&'static str);

impl LoadServiceConfig for Environment {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let asked = (key.env(), key.service_id());
        (asked == ("AWS_ENDPOINT_URL", "Connect")).then(|| self.0.to_owned())
    }
}

/// Returns the scheme and the host of the requests.
async fn asked(sdk: Builder) -> String {
    let service = Service::configured(sdk, both);
    service.read(Some(INITIAL)).await.expect("both answer");
    service
        .sent(|request| split(request).0.to_owned())
        .remove(0)
}

proptest! {
    #[test]
    fn an_id_stays_in_its_segment(instance in "\\PC{1,20}", contact in "\\PC{1,20}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let service = Service::new(both);
        let deadline = Deadline::after(AMPLE);
        let read = service.connect.read(&instance, &contact, None, deadline);
        let read = runtime.expect("a runtime").block_on(read);
        prop_assert!(read.is_ok(), "{:?}", read);
        let paths = service.paths();
        let segments = paths.iter().map(|path| path.split('/').count());
        prop_assert_eq!(segments.collect::<Vec<_>>(), [4, 5]);
        prop_assert!(paths.iter().all(|path| path.is_ascii() && !path.contains('?')));
    }
}
