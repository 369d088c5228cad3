//! What a service answers instead of a result: one of the exceptions of its model, with the
//! members and the HTTP status that the model gives it. Every other module returns these; `answer`
//! puts them on the wire.

use serde_json::Value;

use crate::operation::Service;

/// A refused request. The message names field ids and values, as the service's own does.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// `ValidationException` of Cases and DynamoDB, `BadRequestException` of Customer Profiles,
    /// `InvalidRequestException` of Connect, `InvalidParameterValue` of SQS; 400.
    Validation(String),
    /// `ServiceQuotaExceededException`, 402.
    ServiceQuotaExceeded(String),
    /// `ResourceNotFoundException`, 404, and 400 of DynamoDB; `QueueDoesNotExist` of SQS, 400.
    NotFound {
        resource_type: &'static str,
        resource_id: String,
    },
    /// `ConflictException`, 409.
    Conflict(String),
    /// `ThrottlingException`, 429.
    Throttling(String),
    /// `ConditionalCheckFailedException` of DynamoDB, with the item if it was asked for; 400.
    ConditionalCheckFailed { item: Option<Value> },
    /// `MissingParameter` of SQS, 400.
    MissingParameter(String),
    /// `InvalidMessageContents` of SQS, 400.
    InvalidMessageContents(String),
    /// No operation of the models has this method and path or target, or the emulator does not serve
    /// it, 404, and 400 where operations have targets.
    UnknownOperation(String),
}

impl Refusal {
    /// The exception's name in the service's model, as it stands in `x-amzn-errortype` or ends
    /// `__type`.
    pub(crate) fn error_type(&self, service: Service) -> &'static str {
        match self {
            Self::Validation(_) => match service {
                Service::Cases | Service::DynamoDb => "ValidationException",
                Service::CustomerProfiles => "BadRequestException",
                Service::Connect => "InvalidRequestException",
                Service::Sqs => "InvalidParameterValueException",
            },
            Self::ServiceQuotaExceeded(_) => "ServiceQuotaExceededException",
            Self::NotFound { .. } => match service {
                Service::Sqs => "QueueDoesNotExist",
                _ => "ResourceNotFoundException",
            },
            Self::Conflict(_) => "ConflictException",
            Self::Throttling(_) => "ThrottlingException",
            Self::ConditionalCheckFailed { .. } => "ConditionalCheckFailedException",
            Self::MissingParameter(_) => "MissingRequiredParameterException",
            Self::InvalidMessageContents(_) => "InvalidMessageContents",
            Self::UnknownOperation(_) => "UnknownOperationException",
        }
    }

    /// The HTTP status the model gives the exception.
    pub(crate) fn status(&self, service: Service) -> u16 {
        if service.has_targets() {
            return 400;
        }
        match self {
            Self::Validation(_)
            | Self::ConditionalCheckFailed { .. }
            | Self::MissingParameter(_)
            | Self::InvalidMessageContents(_) => 400,
            Self::ServiceQuotaExceeded(_) => 402,
            Self::NotFound { .. } | Self::UnknownOperation(_) => 404,
            Self::Conflict(_) => 409,
            Self::Throttling(_) => 429,
        }
    }

    /// What was refused, and why.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::NotFound {
                resource_type,
                resource_id,
            } => format!("there is no {resource_type} with id '{resource_id}'"),
            Self::ConditionalCheckFailed { .. } => "The conditional request failed".to_owned(),
            Self::Validation(message)
            | Self::MissingParameter(message)
            | Self::InvalidMessageContents(message)
            | Self::ServiceQuotaExceeded(message)
            | Self::Conflict(message)
            | Self::Throttling(message)
            | Self::UnknownOperation(message) => message.clone(),
        }
    }
}
