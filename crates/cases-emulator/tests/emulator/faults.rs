//! Injected faults and published rate limits, as the SDK's client meets them.

use std::pin::pin;
use std::time::Duration;

use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::retry::RetryConfig;
use aws_sdk_connectcases::config::timeout::TimeoutConfig;
use aws_sdk_connectcases::error::SdkError;
use cases_emulator::{Emulator, Fault, FaultKind};
use tokio::time::timeout;

use crate::{client, config, emulator, make, plain_case, send};

fn patient_client(emulator: &Emulator) -> Client {
    let retries = RetryConfig::standard().with_max_attempts(3);
    let config = config().retry_config(retries);
    Client::new(&config.http_client(emulator.http_client()).build())
}

fn statuses(emulator: &Emulator) -> Vec<u16> {
    emulator
        .requests()
        .iter()
        .map(|request| request.status)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn throttled_twice_then_one_case() {
    let emulator = emulator();
    let slow = Fault::status(429, "ThrottlingException", "slow down").on("CreateCase");
    emulator.inject(slow.times(2));
    make(&patient_client(&emulator), "a").await;
    assert_eq!(statuses(&emulator), [429, 429, 200]);
    assert_eq!(emulator.cases().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn stored_then_lost_is_still_one_case() {
    for kind in [
        Fault::new(FaultKind::CloseAfter),
        Fault::status_after(500, "InternalServerException", "sorry"),
    ] {
        let emulator = emulator();
        emulator.inject(kind);
        let id = make(&patient_client(&emulator), "a").await;
        let [case] = emulator.cases().try_into().expect("one case");
        let case: serde_json::Value = case;
        assert_eq!(case["caseId"], id);
        assert_eq!(emulator.requests().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn closed_before_leaves_no_case() {
    let emulator = emulator();
    emulator.inject(Fault::new(FaultKind::CloseBefore));
    let error = plain_case(&client(&emulator), "a")
        .send()
        .await
        .expect_err("no answer");
    let SdkError::DispatchFailure(failure) = error else {
        panic!("a dispatch failure, not {error:?}");
    };
    assert!(failure.is_io());
    assert!(emulator.cases().is_empty());
    assert_eq!(statuses(&emulator), [0]);
}

#[tokio::test(start_paused = true)]
async fn faults_are_met_in_order_and_by_operation() {
    let emulator = emulator();
    emulator.inject(Fault::status(403, "AccessDeniedException", "no").on("GetDomain"));
    emulator.inject(Fault::status(500, "InternalServerException", "sorry").retry_after(7));
    let client = client(&emulator);

    let error = plain_case(&client, "a")
        .send()
        .await
        .expect_err("the second fault");
    let after = error
        .raw_response()
        .and_then(|raw| raw.headers().get("retry-after"));
    assert_eq!(after, Some("7"));
    assert!(error.into_service_error().is_internal_server_exception());
    let error = client
        .get_domain()
        .domain_id("d-1")
        .send()
        .await
        .expect_err("the first fault");
    assert!(error.into_service_error().is_access_denied_exception());
    make(&client, "a").await;
}

#[tokio::test(start_paused = true)]
async fn late_answers() {
    let emulator = emulator();
    emulator.inject(Fault::new(FaultKind::Delay(Duration::from_secs(3))));
    let client = client(&emulator);
    let mut request = pin!(make(&client, "a"));
    let early = timeout(Duration::from_millis(2999), request.as_mut()).await;
    early.expect_err("the answer is late");
    timeout(Duration::from_millis(2), request)
        .await
        .expect("the answer");

    let timeouts = TimeoutConfig::builder()
        .read_timeout(Duration::from_secs(2))
        .build();
    let config = config()
        .timeout_config(timeouts)
        .http_client(emulator.http_client());
    let hasty = Client::new(&config.build());
    for (kind, cases) in [
        (FaultKind::Delay(Duration::from_secs(3)), 1),
        (FaultKind::Hang, 1),
        (FaultKind::DelayAfter(Duration::from_secs(3)), 2),
    ] {
        emulator.inject(Fault::new(kind));
        let error = plain_case(&hasty, "b")
            .send()
            .await
            .expect_err("a time-out");
        let SdkError::DispatchFailure(failure) = error else {
            panic!("a dispatch failure, not {error:?}");
        };
        assert!(failure.is_timeout());
        assert_eq!(emulator.cases().len(), cases);
    }
}

#[tokio::test(start_paused = true)]
async fn each_operation_has_its_published_burst() {
    for (method, path, burst) in [
        ("POST", "/domains-list", 5),
        ("POST", "/domains/d-1", 5),
        ("POST", "/domains/d-1/cases", 10),
        ("POST", "/domains/d-1/cases/c", 10),
        ("POST", "/domains/d-1/cases/c/audit-history", 10),
        ("POST", "/domains/d-1/cases/c/related-items/", 10),
        ("POST", "/domains/d-1/cases/c/related-items-search", 10),
        ("POST", "/domains/d-1/cases-search", 10),
        ("POST", "/domains/d-1/list-cases-for-contact", 2),
        ("POST", "/domains/d-1/templates-list", 10),
        ("POST", "/domains/d-1/templates/t", 20),
        ("POST", "/domains/d-1/fields-list", 5),
        ("POST", "/domains/d-1/fields-batch", 25),
        ("POST", "/domains/d-1/fields/f/options-list", 16),
        ("POST", "/domains/d-1/rules-list/", 10),
        ("POST", "/domains/d-1/rules-batch", 25),
        ("POST", "/domains/p/profiles", 100),
        ("POST", "/domains/p/profiles/search", 100),
        ("GET", "/contacts/i/c", 15),
        ("GET", "/contact/attributes/i/c", 15),
    ] {
        let emulator = emulator();
        emulator.set_rate_limits(true);
        for number in 0..=burst {
            let request = http::Request::builder().method(method).uri(path);
            let (status, exception, _) = send(&emulator, request, "").await;
            assert_eq!(status == 429, number == burst, "{path}: {number}");
            assert_eq!(exception == "ThrottlingException", number == burst);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn buckets_refill_at_the_published_rate() {
    let emulator = emulator();
    emulator.set_rate_limits(true);
    let client = client(&emulator);
    for _ in 0..10 {
        make(&client, "within the burst").await;
    }
    let error = plain_case(&client, "beyond")
        .send()
        .await
        .expect_err("throttled");
    assert!(error.into_service_error().is_throttling_exception());
    client
        .get_domain()
        .domain_id("d-1")
        .send()
        .await
        .expect("a bucket of its own");
    tokio::time::advance(Duration::from_millis(500)).await;
    make(&client, "half a second, one request").await;
    let error = plain_case(&client, "beyond")
        .send()
        .await
        .expect_err("throttled");
    assert!(error.into_service_error().is_throttling_exception());

    emulator.set_rate_limits(false);
    make(&client, "no limits").await;
}

/// A client that ends while its request is under way: a crash, or a deadline.
#[tokio::test(start_paused = true)]
async fn dropped_requests_leave_what_had_happened_by_then() {
    for (kind, cases) in [
        (FaultKind::Delay(Duration::from_secs(3)), 0),
        (FaultKind::Hang, 0),
        (FaultKind::DelayAfter(Duration::from_secs(3)), 1),
    ] {
        let emulator = emulator();
        emulator.inject(Fault::new(kind));
        let client = client(&emulator);
        let request = timeout(Duration::from_secs(1), make(&client, "a"));
        request.await.expect_err("it is under way");
        assert_eq!(emulator.cases().len(), cases);
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::task::yield_now().await;
        assert_eq!(emulator.cases().len(), cases, "nothing happens later");
        assert_eq!(statuses(&emulator), [0]);
        make(&client, "the fault was met").await;
    }
}
