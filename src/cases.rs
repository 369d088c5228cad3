//! Amazon Connect Cases: turns a request into a case with its contact and comments.
//!
//! It calls `CreateCase`, `SearchCases` for a case that exists already, and the operations that add items to a case.
//!
//! Every attempt of `CreateCase` carries the same client token. It may be repeated while Cases remembers the token.

#![expect(
    clippy::disallowed_types,
    reason = "this file is where Cases is called"
)]

mod related_items;

use aws_config::SdkConfig;
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::Builder as ConfigBuilder;
use aws_sdk_connectcases::error::ProvideErrorMetadata as _;
use aws_sdk_connectcases::operation::create_case::CreateCaseError;
use aws_sdk_connectcases::types;

pub use self::related_items::{AddedComments, Addition, Earlier};
use crate::call::{self, Opening, Operation, WarmUp};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::outcome::CaseReference;
use crate::request::{CaseRequest, User};
use mapping::field::FieldValue;
use mapping::limits::KEY_TAG;

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

/// The reason why `CreateCase` returned no case.
#[derive(Debug)]
pub struct NotCreated {
    /// The failure.
    ///
    /// - `ConflictUnresolved`: Cases has the token with another request, so the key's case very probably exists.
    /// - `CustomerNotVisible`: Cases does not see the customer's profile.
    /// - Otherwise the error of Cases, or the fact that it could not be reached.
    pub failure: Failure,
    /// True if an attempt may have created the case anyway.
    pub in_doubt: bool,
}

impl From<Failure> for NotCreated {
    /// Converts a failure that occurred before anything was sent.
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            in_doubt: false,
        }
    }
}

/// A case that a search found.
#[derive(Debug)]
pub struct FoundCase {
    /// `caseId`
    pub case_id: String,
    /// The value of `customer_id`, if the case has one.
    pub customer_arn: Option<String>,
}

/// The lower-case message fragment that identifies a customer's profile that Cases does not see.
///
/// Cases looks the profile up in a search index that lags behind creation. It has no separate error for this case.
const UNSEEN_PROFILE: &str = "no customer profile found";

impl Cases {
    /// Creates a client for the account, Region and endpoint of `config`.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::from_conf(call::configured!(ConfigBuilder::from(config)).build()),
        }
    }

    /// Opens the connection to Cases, without creating a case.
    pub async fn warm_up(&self, domain_id: &str) -> Opening {
        let Ok(call) = CREATE_CASE.warm_up() else {
            return Opening::NONE;
        };
        let title = ("title".to_owned(), FieldValue::String(String::new()));
        let warm_up = WarmUp::of(&call, r#"{"caseId":"","caseArn":""}"#);
        let builder = self
            .client
            .create_case()
            .domain_id(domain_id)
            .template_id("warm-up")
            .set_fields(field_value(&title).ok().map(|title| vec![title]))
            .client_token("warm-up")
            .performed_by(types::UserUnion::CustomEntity("warm-up".to_owned()))
            .tags("warm-up", "");
        let sent = call::send!(builder, warm_up);
        Opening::of(call, warm_up, &sent)
    }

    /// Creates the case.
    ///
    /// # Errors
    /// No answer confirmed that the case exists.
    pub async fn create(
        &self,
        request: &CaseRequest,
        deadline: Deadline,
    ) -> Result<CaseReference, NotCreated> {
        let call = CREATE_CASE.repeatable(deadline)?;
        let fields: Result<_, Failure> = request.fields.iter().map(field_value).collect();
        let builder = self
            .client
            .create_case()
            .domain_id(&request.domain_id)
            .template_id(&request.template_id)
            .set_fields(Some(fields?))
            .client_token(&request.client_token)
            .performed_by(performer(&request.performed_by))
            .set_tags(Some(request.tags.iter().cloned().collect()));
        let sent = call::send!(builder, call.attempts);
        match sent {
            Ok(output) => Ok(CaseReference {
                case_id: output.case_id,
                case_arn: output.case_arn,
            }),
            Err(error) => Err(NotCreated {
                failure: match error.as_service_error() {
                    Some(CreateCaseError::ConflictException(_)) => conflict(),
                    Some(refusal) if is_unseen_profile(refusal) => not_visible(),
                    _ => call.failure(&error),
                },
                in_doubt: call.attempts.may_have_succeeded(),
            }),
        }
    }

    /// Returns the case whose tag is the key's hash, if search shows it. Search may lag behind creation.
    ///
    /// # Errors
    /// Cases returned an error or could not be reached.
    pub async fn find(
        &self,
        domain_id: &str,
        key_hash: &str,
        deadline: Deadline,
    ) -> Result<Option<FoundCase>, Failure> {
        let call = SEARCH_CASES.repeatable(deadline)?;
        let tag = types::TagValue::builder()
            .key(KEY_TAG)
            .value(key_hash)
            .build();
        let customer = types::FieldIdentifier::builder().id("customer_id").build();
        let builder = self
            .client
            .search_cases()
            .domain_id(domain_id)
            .filter(types::CaseFilter::Tag(types::TagFilter::EqualTo(tag)))
            .set_fields(customer.ok().map(|customer| vec![customer]))
            .max_results(1);
        let sent = call::send!(builder, call.attempts);
        let output = sent.map_err(|error| call.failure(&error))?;
        let found = output.cases.into_iter().flatten().next();
        Ok(found.map(|case| FoundCase {
            case_id: case.case_id,
            customer_arn: case
                .fields
                .into_iter()
                .filter(|field| field.id == "customer_id")
                .find_map(|field| match field.value {
                    Some(types::FieldValueUnion::StringValue(arn)) => Some(arn),
                    _ => None,
                }),
        }))
    }
}

/// Returns true if Cases refused the request because it does not see the customer's profile.
fn is_unseen_profile(error: &CreateCaseError) -> bool {
    let refused = matches!(
        error,
        CreateCaseError::ValidationException(_) | CreateCaseError::ResourceNotFoundException(_)
    );
    let message = error.message().unwrap_or_default();
    refused && message.to_ascii_lowercase().contains(UNSEEN_PROFILE)
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

/// Returns the failure for a conflict. The key's case very probably exists, so the failure never denies it.
fn conflict() -> Failure {
    let message = "a case for this key was created by a request that differs from this one, and search does not show it yet; retry with the same key to get its case";
    Failure::new(ErrorCode::ConflictUnresolved, message)
}

fn not_visible() -> Failure {
    let message = "Cases does not see the customer's profile: one that was just created takes a moment; otherwise check the profile's id and PROFILES_DOMAIN";
    Failure::new(ErrorCode::CustomerNotVisible, message).of("customer")
}
