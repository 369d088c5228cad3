//! Amazon Connect Cases: `CreateCase`, `SearchCases` for a case that is there already, and what joins a case that exists.
//!
//! Every attempt of a call carries the same client token, so `CreateCase` may be repeated freely within its time.

#![expect(
    clippy::disallowed_types,
    reason = "this file is where Cases is called"
)]

mod related_items;
mod unseen_profile;

use aws_config::SdkConfig;
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::Builder as ConfigBuilder;
use aws_sdk_connectcases::operation::create_case::CreateCaseError;
use aws_sdk_connectcases::types;
use futures_util::FutureExt as _;

pub use self::related_items::{Addition, Earlier};
use self::unseen_profile::{UnseenProfile, UnseenProfileRetry};
use crate::call::{self, Operation, WarmUp};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::field::FieldValue;
use crate::limits::KEY_TAG;
use crate::outcome::CaseReference;
use crate::request::{CaseRequest, User};

const CREATE_CASE: Operation = Operation {
    name: "CreateCase",
    actions: "cases:CreateCase, cases:TagResource and profile:SearchProfiles",
    quota: "2 a second",
    not_found: "the domain, the template or a field does not exist; the domain may have changed since domain.json was written: run `casebridge pull --check`",
    refused: "it refuses what the mapping and the domain snapshot allow; the domain may have changed since domain.json was written: run `casebridge pull --check`",
};

const SEARCH_CASES: Operation = Operation {
    name: "SearchCases",
    actions: "cases:SearchCases",
    quota: "2 a second",
    not_found: "the domain does not exist: check CASES_DOMAIN_ID",
    refused: "it does not take a search by tag",
};

/// The client of the Cases domain.
#[derive(Clone, Debug)]
pub struct Cases {
    client: Client,
}

/// What became of `CreateCase`.
pub enum Creation {
    /// The case exists.
    Created(CaseReference),
    /// `ConflictException`: the token is known with another request, so the key's case very probably exists.
    Conflict,
}

impl Cases {
    /// A client for the account, Region and endpoint of `config`.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let config = call::configured!(ConfigBuilder::from(config))
            .retry_classifier(UnseenProfileRetry)
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// Opens the connection to Cases, and creates nothing.
    pub async fn warm_up(&self, domain_id: &str) {
        let Ok(call) = CREATE_CASE.warm_up() else {
            return;
        };
        let title = ("title".to_owned(), FieldValue::String(String::new()));
        let sent = self
            .client
            .create_case()
            .domain_id(domain_id)
            .template_id("warm-up")
            .set_fields(field_value(&title).ok().map(|title| vec![title]))
            .client_token("warm-up")
            .performed_by(types::UserUnion::CustomEntity("warm-up".to_owned()))
            .tags("warm-up", "")
            .customize()
            .interceptor(WarmUp::of(&call, r#"{"caseId":"","caseArn":""}"#))
            .send()
            .boxed()
            .await;
        call.warmed_up(&sent);
    }

    /// Creates the case, or finds that its token is taken.
    ///
    /// # Errors
    /// `OutcomeUnknown` when an attempt may have created the case and none came back to say so; otherwise what Cases said, or that it could
    /// not be reached.
    pub async fn create(
        &self,
        request: &CaseRequest,
        deadline: Deadline,
    ) -> Result<Creation, Failure> {
        let call = CREATE_CASE.repeatable(deadline)?;
        let unseen = UnseenProfile::default();
        let sent = self
            .client
            .create_case()
            .domain_id(&request.domain_id)
            .template_id(&request.template_id)
            .set_fields(Some(
                request
                    .fields
                    .iter()
                    .map(field_value)
                    .collect::<Result<_, _>>()?,
            ))
            .client_token(&request.client_token)
            .performed_by(performer(&request.performed_by))
            .set_tags(Some(request.tags.iter().cloned().collect()))
            .customize()
            .interceptor(call.attempts.clone())
            .interceptor(unseen.clone())
            .send()
            .boxed()
            .await;
        match sent {
            Ok(output) => Ok(Creation::Created(CaseReference {
                case_id: output.case_id,
                case_arn: output.case_arn,
            })),
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(CreateCaseError::ConflictException(_))
                ) =>
            {
                Ok(Creation::Conflict)
            }
            Err(error) => {
                let failure = call.failure(&error);
                // A refused attempt leaves no doubt, whatever the time-out was that ended the wait for the next.
                Err(
                    if unseen.was_last() && !call.attempts.may_have_succeeded() {
                        not_visible()
                    } else if call.in_doubt(&failure) {
                        unknown(&failure)
                    } else {
                        failure
                    },
                )
            }
        }
    }

    /// The id of the case that carries the key's hash as its tag, if search shows it. Search may lag behind creation.
    ///
    /// # Errors
    /// What Cases said, or that it could not be reached.
    pub async fn find(
        &self,
        domain_id: &str,
        key_hash: &str,
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        let call = SEARCH_CASES.repeatable(deadline)?;
        let tag = types::TagValue::builder()
            .key(KEY_TAG)
            .value(key_hash)
            .build();
        let sent = self
            .client
            .search_cases()
            .domain_id(domain_id)
            .filter(types::CaseFilter::Tag(types::TagFilter::EqualTo(tag)))
            .max_results(1)
            .customize()
            .interceptor(call.attempts.clone())
            .send()
            .boxed()
            .await;
        let output = sent.map_err(|error| call.failure(&error))?;
        let mut found = output.cases.into_iter().flatten();
        Ok(found.next().map(|case| case.case_id))
    }
}

fn performer(user: &User) -> types::UserUnion {
    match user {
        User::CustomEntity(entity) => types::UserUnion::CustomEntity(entity.clone()),
        User::UserArn(arn) => types::UserUnion::UserArn(arn.clone()),
    }
}

fn field_value((id, value): &(String, FieldValue)) -> Result<types::FieldValue, Failure> {
    let value = match value {
        FieldValue::String(text) => types::FieldValueUnion::StringValue(text.clone()),
        FieldValue::Double(number) => types::FieldValueUnion::DoubleValue(*number),
        FieldValue::Boolean(boolean) => types::FieldValueUnion::BooleanValue(*boolean),
        FieldValue::Empty => {
            types::FieldValueUnion::EmptyValue(types::EmptyFieldValue::builder().build())
        }
        FieldValue::UserArn(arn) => types::FieldValueUnion::UserArnValue(arn.clone()),
    };
    types::FieldValue::builder()
        .id(id)
        .value(value)
        .build()
        .map_err(|_| {
            Failure::new(
                ErrorCode::InternalError,
                "a field could not be put into the request",
            )
            .of(id)
        })
}

fn unknown(last: &Failure) -> Failure {
    let message = format!(
        "the case may have been created, and no answer said so; calling again with the same key gives the same case. the last attempt: {last}"
    );
    Failure::new(ErrorCode::OutcomeUnknown, message)
}

fn not_visible() -> Failure {
    let message = "Cases does not see the customer's profile: one that was just created takes a moment; else check the profile's id and PROFILES_DOMAIN";
    Failure::new(ErrorCode::CustomerNotVisible, message).of("customer")
}
