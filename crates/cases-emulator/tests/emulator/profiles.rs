//! Customer Profiles through the official client.

use std::time::Duration;

use aws_sdk_customerprofiles::Client;
use aws_sdk_customerprofiles::error::ProvideErrorMetadata;
use aws_sdk_customerprofiles::operation::search_profiles::SearchProfilesOutput;
use aws_sdk_customerprofiles::types::{AdditionalSearchKey, Address, LogicalOperator};
use cases_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use crate::{PROFILES, emulator, in_process, with_profiles};

const DOMAIN: &str = "amazon-connect-example";
const ADA: &str = "1b4e28ba2fa14d2e883f0016d3cca427";
const BO: &str = "6fa459eaee8a4ca4894edb77e160355e";
const BAKERY: &str = "9c5b94b1358740b6a0d8f1e2c3b4a596";

/// Returns the official client of Customer Profiles on the emulator.
pub(crate) fn client(emulator: &Emulator) -> Client {
    Client::new(&in_process(emulator))
}

fn also(key: &str, value: &str) -> AdditionalSearchKey {
    let key = AdditionalSearchKey::builder().key_name(key).values(value);
    key.build().expect("a key has a name and values")
}

fn ids(found: &SearchProfilesOutput) -> Vec<&str> {
    let ids = found.items().iter().map(|item| item.profile_id());
    ids.map(|id| id.expect("a profile has an id")).collect()
}

/// Returns the ids of the profiles that one key with one value finds.
async fn found(client: &Client, key: &str, value: &str) -> Vec<String> {
    let search = client.search_profiles().domain_name(DOMAIN);
    let found = search.key_name(key).values(value).send().await;
    let found = found.expect("an answer");
    ids(&found).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn each_predefined_key_finds_by_the_very_value() {
    let client = client(&with_profiles());
    for (key, value, expected) in [
        ("_phone", "+15550100", vec![ADA, BO]),
        ("_phone", "+15550142", vec![BAKERY]),
        ("_phone", "15550100", vec![]),
        ("_email", "bo.quill@example.com", vec![BO]),
        ("_email", "orders@bakery.example.com", vec![BAKERY]),
        ("_email", "ADA.QUILL@example.com", vec![]),
        ("_fullName", "Ada Quill", vec![ADA]),
        ("_fullName", "Bo J. Quill", vec![BO]),
        ("_fullName", "Bo Quill", vec![]),
        ("_account", "B-2001", vec![BAKERY]),
        ("_profileId", BO, vec![BO]),
        ("_ctrContactId", "c-0001", vec![ADA]),
        ("_noSuchKey", "x", vec![]),
    ] {
        assert_eq!(found(&client, key, value).await, expected, "{key} {value}");
    }
}

#[tokio::test]
async fn keys_are_joined_by_or_unless_and_is_asked_for() {
    let client = client(&with_profiles());
    let search = |operator: Option<LogicalOperator>| {
        client
            .search_profiles()
            .domain_name(DOMAIN)
            .key_name("_phone")
            .values("+15550100")
            .values("+15550199")
            .additional_search_keys(also("_email", "ada.quill@example.com"))
            .set_logical_operator(operator)
            .send()
    };
    let either = search(None).await.expect("an answer");
    assert_eq!(ids(&either), [ADA, BO]);
    let by = |found: &SearchProfilesOutput, index: usize| -> Vec<String> {
        let keys = found.items()[index].found_by_items().iter();
        keys.map(|key| key.key_name().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(by(&either, 0), ["_phone", "_email"]);
    assert_eq!(by(&either, 1), ["_phone"]);

    let both = search(Some(LogicalOperator::And)).await.expect("an answer");
    assert_eq!(ids(&both), [ADA]);
    let ada = &both.items()[0];
    assert_eq!(ada.first_name(), Some("Ada"));
    assert_eq!(ada.address().and_then(Address::city), Some("Springfield"));
    let tier = ada
        .attributes()
        .and_then(|attributes| attributes.get("tier"));
    assert_eq!(tier.map(String::as_str), Some("gold"));
    assert_eq!(ada.found_by_items()[0].values(), ["+15550100", "+15550199"]);
}

#[tokio::test]
async fn found_profiles_come_in_pages() {
    let client = client(&with_profiles());
    let search = |value: &str| {
        client
            .search_profiles()
            .domain_name(DOMAIN)
            .key_name("_phone")
            .values(value)
            .max_results(1)
    };
    let first = search("+15550100").send().await.expect("an answer");
    assert_eq!(ids(&first), [ADA]);
    let token = first.next_token().expect("a next page");
    let rest = search("+15550100").next_token(token).send().await;
    let rest = rest.expect("an answer");
    assert_eq!((ids(&rest), rest.next_token()), (vec![BO], None));
    let other = search("+15550142").next_token(token).send().await;
    let error = other.expect_err("another search").into_service_error();
    assert!(error.is_bad_request_exception(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn every_create_profile_is_one_more_profile() {
    let emulator = with_profiles();
    emulator.set_profile_lag(Duration::from_secs(3));
    let client = client(&emulator);
    let create = || {
        client
            .create_profile()
            .domain_name(DOMAIN)
            .first_name("Cy")
            .phone_number("+15550177")
            .address(Address::builder().city("Springfield").build())
            .attributes("source", "flow")
            .send()
    };
    let first = create().await.expect("a profile").profile_id;
    let second = create().await.expect("another profile").profile_id;
    assert_ne!(first, second);
    for id in [&first, &second] {
        assert_eq!(id.len(), 32);
        let lower_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        assert!(id.chars().all(lower_hex), "{id}");
    }
    tokio::time::advance(Duration::from_millis(2999)).await;
    assert!(found(&client, "_phone", "+15550177").await.is_empty());
    assert_eq!(found(&client, "_email", "bo.quill@example.com").await, [BO]);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(
        found(&client, "_phone", "+15550177").await,
        [first.as_str(), &second]
    );

    let profiles = emulator.profiles();
    assert_eq!(profiles.len(), 5);
    assert_eq!(
        profiles[3],
        json!({
            "ProfileId": first,
            "FirstName": "Cy",
            "PhoneNumber": "+15550177",
            "Address": { "City": "Springfield" },
            "Attributes": { "source": "flow" },
        })
    );
}

#[tokio::test]
async fn without_a_profiles_domain_every_call_is_refused() {
    let emulator = emulator();
    let client = client(&emulator);
    let search = client.search_profiles().domain_name(DOMAIN);
    let error = search.key_name("_phone").values("x").send().await;
    let error = error.expect_err("no domain").into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    assert!(error.message().is_some_and(|text| text.contains(DOMAIN)));
    let error = client.create_profile().domain_name(DOMAIN).send().await;
    let error = error.expect_err("no domain").into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    assert!(emulator.profiles().is_empty());
}

#[tokio::test]
async fn faults_have_the_form_of_customer_profiles() {
    let emulator = with_profiles();
    let slow = Fault::status(429, "ThrottlingException", "slow down");
    emulator.inject(slow.on("CreateProfile"));
    emulator.inject(Fault::status(403, "AccessDeniedException", "no").on("SearchProfiles"));
    let client = client(&emulator);
    let search = client.search_profiles().domain_name(DOMAIN);
    let error = search.key_name("_phone").values("x").send().await;
    let error = error.expect_err("the second fault").into_service_error();
    assert!(error.is_access_denied_exception(), "{error:?}");
    assert_eq!(error.message(), Some("no"));
    let error = client.create_profile().domain_name(DOMAIN).send().await;
    let error = error.expect_err("the first fault").into_service_error();
    assert!(error.is_throttling_exception(), "{error:?}");
}

#[tokio::test]
async fn preferences_of_the_seed_are_shown() {
    let mut seed: Value = serde_json::from_str(PROFILES).expect("JSON");
    let preferences = json!({ "Email": [{ "ContactType": "EmailAddress" }] });
    seed["profiles"][0]["EngagementPreferences"] = preferences.clone();
    let emulator = emulator();
    emulator.set_profiles(&seed.to_string()).expect("a seed");
    assert_eq!(emulator.profiles()[0]["EngagementPreferences"], preferences);
}
