//! `CreateCase` with a customer: the profile must be there, and must be seen already.

use std::time::Duration;

use aws_sdk_connectcases::Client;
use cases_emulator::Emulator;

use crate::{client, emulator, plain_case, profile_arn, text, with_profiles};

const ADA: &str = "1b4e28ba2fa14d2e883f0016d3cca427";

/// The message of the refusal, none when the case was made.
async fn refusal(client: &Client, customer_id: &str) -> Option<String> {
    let customer = text("customer_id", customer_id);
    let error = plain_case(client, "a")
        .fields(customer)
        .send()
        .await
        .err()?;
    let error = error.into_service_error();
    assert!(error.is_validation_exception(), "{error:?}");
    Some(error.meta().message().unwrap_or_default().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_customer_must_be_a_profile_of_the_domain() {
    let (bare, emulator) = (emulator(), with_profiles());
    let elsewhere = profile_arn(ADA).replace("us-east-1", "us-west-2");
    let another = profile_arn(ADA).replace("123456789012", "210987654321");
    let partition = profile_arn(ADA).replace("arn:aws:", "arn:aws-cn:");
    let domain = profile_arn(ADA).replace("amazon-connect-example", "another");
    let nobody = profile_arn(&"0".repeat(32));
    for (emulator, arn) in [
        (&bare, &profile_arn(ADA)),
        (&emulator, &elsewhere),
        (&emulator, &another),
        (&emulator, &partition),
        (&emulator, &domain),
        (&emulator, &nobody),
    ] {
        let message = refusal(&client(emulator), arn).await.expect("a refusal");
        assert!(message.contains("No customer profile found"), "{message}");
    }
    assert!(bare.cases().is_empty() && emulator.cases().is_empty());
    assert_eq!(refusal(&client(&emulator), &profile_arn(ADA)).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_profile_made_a_moment_ago_is_not_seen_yet() {
    let emulator: Emulator = with_profiles();
    emulator.set_profile_lag(Duration::from_secs(2));
    let made = crate::profiles::client(&emulator)
        .create_profile()
        .domain_name("amazon-connect-example")
        .first_name("Cy")
        .send()
        .await
        .expect("a profile");
    let client = client(&emulator);
    let arn = profile_arn(made.profile_id());
    tokio::time::advance(Duration::from_millis(1999)).await;
    assert!(refusal(&client, &arn).await.is_some());
    assert_eq!(refusal(&client, &profile_arn(ADA)).await, None);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(refusal(&client, &arn).await, None);
}
