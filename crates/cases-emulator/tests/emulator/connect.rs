//! The two reads of Connect, over plain HTTP: the official client is too large for two calls.

use cases_emulator::{Emulator, Fault};
use serde_json::json;

use crate::{CONTACTS, emulator, get};

const INSTANCE: &str = "2c0f3a51-8c0e-4d0f-9a53-3f0b6d1c7e42";

fn with_contacts() -> Emulator {
    let emulator = emulator();
    let contacts = emulator.set_contacts(CONTACTS);
    contacts.expect("a seed");
    emulator
}

#[tokio::test]
async fn a_contact_is_described_with_times_as_the_service_writes_them() {
    let emulator = with_contacts();
    let (status, _, answer) = get(&emulator, &format!("/contacts/{INSTANCE}/c-0001")).await;
    assert_eq!(status, 200);
    let contact = &answer["Contact"];
    assert_eq!(contact["Id"], "c-0001");
    assert_eq!(contact["CustomerEndpoint"]["Address"], "+15550100");
    assert_eq!(contact["InitiationTimestamp"], json!(1_767_257_998));
    assert_eq!(
        contact["ConnectedToSystemTimestamp"],
        json!(1_767_258_000.25)
    );
    assert_eq!(
        contact["QueueInfo"]["EnqueueTimestamp"],
        json!(1_767_258_000)
    );
    assert_eq!(emulator.requests()[0].operation, "DescribeContact");
}

#[tokio::test]
async fn attributes_are_found_by_the_contact_and_by_its_initial_contact() {
    let emulator = with_contacts();
    for (id, order) in [
        ("c-0001", "A-4711"),
        ("c-0002", "A-4712"),
        ("c-0003", "A-4712"),
    ] {
        let path = format!("/contact/attributes/{INSTANCE}/{id}");
        let (status, _, answer) = get(&emulator, &path).await;
        assert_eq!(
            (status, &answer["Attributes"]["orderId"]),
            (200, &json!(order))
        );
    }
}

#[tokio::test]
async fn what_is_unknown_is_not_found() {
    let known = format!("/contacts/{INSTANCE}/c-0001");
    let bare = emulator();
    let emulator = with_contacts();
    for (emulator, path) in [
        (&bare, known.as_str()),
        (&emulator, "/contacts/another/c-0001"),
        (&emulator, &format!("/contacts/{INSTANCE}/c-0002")),
        (&emulator, &format!("/contact/attributes/{INSTANCE}/c-0009")),
    ] {
        let (status, exception, answer) = get(emulator, path).await;
        assert_eq!(
            (status, exception.as_str()),
            (404, "ResourceNotFoundException"),
            "{path}"
        );
        assert!(answer["Message"].is_string(), "{answer}");
    }
    let long = format!("/contacts/{INSTANCE}/{}", "x".repeat(257));
    let (status, exception, _) = get(&emulator, &long).await;
    assert_eq!(
        (status, exception.as_str()),
        (400, "InvalidRequestException")
    );
}

#[tokio::test]
async fn errors_have_the_form_of_connect() {
    let emulator = with_contacts();
    emulator.inject(Fault::status(429, "ThrottlingException", "slow down").on("DescribeContact"));
    let path = format!("/contacts/{INSTANCE}/c-0001");
    let (status, _, answer) = get(&emulator, &path).await;
    assert_eq!((status, answer), (429, json!({ "Message": "slow down" })));

    emulator.set_rate_limits(true);
    for _ in 0..15 {
        assert_eq!(get(&emulator, &path).await.0, 200);
    }
    let (status, exception, answer) = get(&emulator, &path).await;
    assert_eq!((status, exception.as_str()), (429, "ThrottlingException"));
    assert!(answer["Message"].is_string(), "{answer}");
}
