//! Amazon Connect Cases: `CreateCase`, and `SearchCases` for a case that is there already.
//!
//! Every attempt of a call carries the same client token, so `CreateCase` may be repeated freely within its time. What Cases says in a
//! message is never kept: it can quote field values.

#![expect(
    clippy::disallowed_types,
    reason = "this file is where Cases is called"
)]

mod attempts;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::Builder as ConfigBuilder;
use aws_sdk_connectcases::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_connectcases::operation::RequestId;
use aws_sdk_connectcases::operation::create_case::CreateCaseError;
use aws_sdk_connectcases::types;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use self::attempts::Attempts;
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::field::FieldValue;
use crate::limits::KEY_TAG;
use crate::outcome::CaseReference;
use crate::request::{CaseRequest, User};

/// Time to open a connection, and to the first byte of an answer. Constant: the SDK keeps one connection pool for each pair, so a value that
/// followed the deadline would open a connection for every call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// More attempts than any flow has time for; the deadline ends them first.
const MAX_ATTEMPTS: u32 = 8;

/// The SDK doubles it for each attempt and draws from the whole of it. Its default of a second would leave a flow one attempt.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// A connection that went silent must not use up the whole deadline: an attempt gets half of what is left, within these bounds.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(250);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(5);

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
        let retry = RetryConfig::standard()
            .with_max_attempts(MAX_ATTEMPTS)
            .with_initial_backoff(INITIAL_BACKOFF)
            .with_max_backoff(MAX_BACKOFF);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build();
        let config = ConfigBuilder::from(config)
            .retry_config(retry)
            .timeout_config(timeouts)
            .build();
        Self {
            client: Client::from_conf(config),
        }
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
        let attempts = Attempts::default();
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
            .performed_by(match &request.performed_by {
                User::CustomEntity(entity) => types::UserUnion::CustomEntity(entity.clone()),
                User::UserArn(arn) => types::UserUnion::UserArn(arn.clone()),
            })
            .set_tags(Some(request.tags.iter().cloned().collect()))
            .customize()
            .interceptor(attempts.clone())
            .config_override(within(deadline)?)
            .send()
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
                let failure = failure("CreateCase", &error, attempts.were_throttled());
                let in_doubt = failure.code.is_transient() && attempts.may_have_succeeded();
                Err(if in_doubt { unknown(&failure) } else { failure })
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
            .config_override(within(deadline)?)
            .send()
            .await;
        let output = sent.map_err(|error| failure("SearchCases", &error, false))?;
        let mut found = output.cases.into_iter().flatten();
        Ok(found.next().map(|case| case.case_id))
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

/// The time-outs of one call: all of it within the deadline, each attempt within half of that.
fn within(deadline: Deadline) -> Result<ConfigBuilder, Failure> {
    let remaining = deadline.remaining();
    if remaining.is_zero() {
        return Err(Failure::new(
            ErrorCode::OutOfTime,
            "the time was up before Cases could be called",
        ));
    }
    let attempt = (remaining / 2).clamp(SHORTEST_ATTEMPT, LONGEST_ATTEMPT);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .operation_timeout(remaining)
        .operation_attempt_timeout(attempt)
        .build();
    Ok(ConfigBuilder::default().timeout_config(timeouts))
}

/// The failure that an SDK error tells of: its kind, HTTP status and request id, never its message.
fn failure<E: ProvideErrorMetadata>(
    operation: &str,
    error: &SdkError<E, HttpResponse>,
    throttled: bool,
) -> Failure {
    let (code, message) = match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let name = context.err().code().unwrap_or("an error without a name");
            let request = context.raw().request_id();
            let request = request
                .map(|id| format!(", request {id}"))
                .unwrap_or_default();
            let (code, help) = classify(name, status);
            let message = format!("{operation} answered {name} (HTTP {status}{request}): {help}");
            return Failure::new(code, message);
        }
        SdkError::TimeoutError(_) if throttled => {
            (ErrorCode::Throttled, "was throttled until the time was up")
        }
        SdkError::TimeoutError(_) => (ErrorCode::ServiceUnavailable, "did not answer in time"),
        SdkError::DispatchFailure(_) => (
            ErrorCode::ServiceUnavailable,
            "could not be sent, or its answer did not arrive",
        ),
        SdkError::ResponseError(_) => (
            ErrorCode::ServiceUnavailable,
            "gave an answer that cannot be read",
        ),
        _ => (
            ErrorCode::InternalError,
            "could not be built or signed: check the function's credentials and Region",
        ),
    };
    Failure::new(code, format!("{operation} {message}"))
}

/// The code of a service error, and what to do about it.
fn classify(name: &str, status: u16) -> (ErrorCode, &'static str) {
    match (name, status) {
        ("ThrottlingException", _) | (_, 429) => (
            ErrorCode::Throttled,
            "the account's quota for this operation is used up; 2 a second is the default, and it can be raised",
        ),
        ("ResourceNotFoundException", _) | (_, 404) => (
            ErrorCode::ResourceNotFound,
            "the domain, the template or a field does not exist; the domain may have changed since domain.json was written: run `casebridge pull --check`",
        ),
        ("AccessDeniedException", _) | (_, 401 | 403) => (
            ErrorCode::AccessDenied,
            "the function's role needs cases:CreateCase, cases:TagResource, cases:SearchCases and profile:SearchProfiles",
        ),
        (_, status) if status >= 500 => (
            ErrorCode::ServiceUnavailable,
            "the service had a fault of its own",
        ),
        _ => (
            ErrorCode::RequestRefused,
            "it refuses what the mapping and the domain snapshot allow; the domain may have changed since domain.json was written: run `casebridge pull --check`",
        ),
    }
}

fn unknown(last: &Failure) -> Failure {
    let message = format!(
        "the case may have been created, and no answer said so; calling again with the same key gives the same case. the last attempt: {last}"
    );
    Failure::new(ErrorCode::OutcomeUnknown, message)
}
