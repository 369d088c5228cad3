//! The services that the emulator stands in for, and the errors that they answer with.

use serde_json::Value;

/// A service. Each one names its errors and their members in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Cases,
    CustomerProfiles,
    Connect,
    DynamoDb,
    Sqs,
}

impl Service {
    /// Returns the service that a value of `X-Amz-Target` names, or Cases.
    pub(crate) fn of_target(target: Option<&str>) -> Self {
        match target.and_then(|target| target.split_once('.')) {
            Some(("DynamoDB_20120810", _)) => Self::DynamoDb,
            Some(("AmazonSQS", _)) => Self::Sqs,
            _ => Self::Cases,
        }
    }

    /// Returns true when the service's protocol is AWS JSON 1.0, where a header and not the path names
    /// the operation.
    pub(crate) fn has_targets(self) -> bool {
        matches!(self, Self::DynamoDb | Self::Sqs)
    }
}

/// A refused request. The message names field ids and values, as the service's own message does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// A request that breaks a rule of the service.
    #[error("{0}")]
    Validation(String),
    #[error("{0}")]
    ServiceQuotaExceeded(String),
    #[error("there is no {resource_type} with id '{resource_id}'")]
    NotFound {
        resource_type: &'static str,
        resource_id: String,
    },
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Throttling(String),
    /// A failed condition of DynamoDB, with the item if the request asked for it.
    #[error("The conditional request failed")]
    ConditionalCheckFailed { item: Option<Value> },
    /// A missing parameter of SQS.
    #[error("{0}")]
    MissingParameter(String),
    /// A message of SQS with characters that XML does not have.
    #[error("{0}")]
    InvalidMessageContents(String),
    /// A method and path, or a target, that the emulator does not serve.
    #[error("{0}")]
    UnknownOperation(String),
}

impl Refusal {
    /// Returns the exception's name and its HTTP status in the model of the service.
    pub(crate) fn exception(&self, service: Service) -> (&'static str, u16) {
        let (name, status) = match self {
            Self::Validation(_) => match service {
                Service::Cases | Service::DynamoDb => ("ValidationException", 400),
                Service::CustomerProfiles => ("BadRequestException", 400),
                Service::Connect => ("InvalidRequestException", 400),
                Service::Sqs => ("InvalidParameterValueException", 400),
            },
            Self::ServiceQuotaExceeded(_) => ("ServiceQuotaExceededException", 402),
            Self::NotFound { .. } if service == Service::Sqs => ("QueueDoesNotExist", 400),
            Self::NotFound { .. } => ("ResourceNotFoundException", 404),
            Self::Conflict(_) => ("ConflictException", 409),
            Self::Throttling(_) => ("ThrottlingException", 429),
            Self::ConditionalCheckFailed { .. } => ("ConditionalCheckFailedException", 400),
            Self::MissingParameter(_) => ("MissingRequiredParameterException", 400),
            Self::InvalidMessageContents(_) => ("InvalidMessageContents", 400),
            Self::UnknownOperation(_) => ("UnknownOperationException", 404),
        };
        (name, if service.has_targets() { 400 } else { status })
    }
}
