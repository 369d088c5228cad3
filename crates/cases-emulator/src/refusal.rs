//! What a service answers instead of a result: one of the exceptions of its model, with the
//! members and the HTTP status that the model gives it. Every other module returns these; `answer`
//! puts them on the wire.

use crate::operation::Service;

/// A refused request. The message names field ids and values, as the service's own does.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// `ValidationException` of Cases, `BadRequestException` of Customer Profiles,
    /// `InvalidRequestException` of Connect; 400.
    Validation(String),
    /// `ServiceQuotaExceededException`, 402.
    ServiceQuotaExceeded(String),
    /// `ResourceNotFoundException`, 404.
    NotFound {
        resource_type: &'static str,
        resource_id: String,
    },
    /// `ConflictException`, 409.
    Conflict(String),
    /// `ThrottlingException`, 429.
    Throttling(String),
    /// No operation of the models has this method and path, or the emulator does not serve it, 404.
    UnknownOperation(String),
}

impl Refusal {
    /// The exception's name in the service's model, as it stands in `x-amzn-errortype`.
    pub(crate) fn error_type(&self, service: Service) -> &'static str {
        match self {
            Self::Validation(_) => match service {
                Service::Cases => "ValidationException",
                Service::CustomerProfiles => "BadRequestException",
                Service::Connect => "InvalidRequestException",
            },
            Self::ServiceQuotaExceeded(_) => "ServiceQuotaExceededException",
            Self::NotFound { .. } => "ResourceNotFoundException",
            Self::Conflict(_) => "ConflictException",
            Self::Throttling(_) => "ThrottlingException",
            Self::UnknownOperation(_) => "UnknownOperationException",
        }
    }

    /// The HTTP status the model gives the exception.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Validation(_) => 400,
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
            Self::Validation(message)
            | Self::ServiceQuotaExceeded(message)
            | Self::Conflict(message)
            | Self::Throttling(message)
            | Self::UnknownOperation(message) => message.clone(),
        }
    }
}
