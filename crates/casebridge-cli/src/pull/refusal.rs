//! Why a call gave no answer, as a sentence for whoever has to change something: permissions, a sign-in, an address.
//! What a pull reads is configuration, so Cases' own message may be shown: there is no customer in it.

use anyhow::anyhow;
use aws_sdk_connectcases::config::http::HttpResponse;
use aws_sdk_connectcases::error::{ProvideErrorMetadata, SdkError};

use super::quotas::Operation;

/// What a pull must be allowed to do.
pub(super) const ACTIONS: &str = "cases:ListDomains on every resource, and cases:GetDomain, ListTemplates, GetTemplate, \
     ListFields, BatchGetField, ListFieldOptions, ListCaseRules and BatchGetCaseRule on the domain and what it holds";

/// The sentence for an operation that failed after the SDK's retries. `place` is where it was sent: `in us-east-1`, or
/// `at` an address.
pub(super) fn explain<E>(
    operation: Operation,
    place: &str,
    error: SdkError<E, HttpResponse>,
) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let name = operation.name();
    match error {
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            let error = refused.err();
            let code = error.code().unwrap_or("no error type");
            let said = error
                .message()
                .map_or_else(String::new, |said| format!(": {said}"));
            let advice = advice(operation, place, code, status);
            anyhow!("Cases refused {name} ({code}, HTTP {status}{said}): {advice}")
        }
        SdkError::TimeoutError(_) => {
            anyhow!("Cases {place} did not answer {name} in time: try again")
        }
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().map_or_else(
                || "the request could not be sent".to_owned(),
                |error| causes(error),
            );
            anyhow!(
                "Cases {place} could not be reached ({cause}): is the address right, and the network up?"
            )
        }
        SdkError::ResponseError(_) => anyhow!(
            "the answer to {name} {place} is none of Cases': is something else listening there?"
        ),
        other => anyhow!("{name} could not be called: {}", causes(&other)),
    }
}

fn advice(operation: Operation, place: &str, code: &str, status: u16) -> String {
    match code {
        "AccessDeniedException" if operation == Operation::ListDomains => {
            format!("name the domain with --domain-id, or allow {ACTIONS}")
        }
        "AccessDeniedException" => format!("allow {ACTIONS}"),
        "ResourceNotFoundException" if operation == Operation::GetDomain => format!(
            "there is no such domain {place}; see --domain-id, CASES_DOMAIN_ID and --region (`aws connectcases list-domains` \
             shows the domains)"
        ),
        "ResourceNotFoundException" => {
            "something was deleted while the domain was read; pull again".to_owned()
        }
        "ThrottlingException" => {
            "another program uses up the account's quota; try again in a few minutes".to_owned()
        }
        "ExpiredToken" | "ExpiredTokenException" => "sign in again".to_owned(),
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidSignatureException" => {
            "the credentials are wrong or of another partition; name the right profile with --profile".to_owned()
        }
        _ if status >= 500 => "try again".to_owned(),
        _ => "see the service's own words".to_owned(),
    }
}

/// An error and what caused it, without repetitions.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !texts.iter().any(|before| before.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts.join(": ")
}
