//! What the service answers instead of a result: one of the exceptions of the service model, with
//! the members and the HTTP status that the model gives it. Every other module returns these;
//! `answer` puts them on the wire.

/// A refused request. The message names field ids and values, as the service's own does.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// `ValidationException`, 400.
    Validation(String),
    /// `ResourceNotFoundException`, 404.
    NotFound {
        resource_type: &'static str,
        resource_id: String,
    },
    /// `ConflictException`, 409.
    Conflict(String),
    /// `ThrottlingException`, 429.
    Throttling(String),
    /// No operation of the model has this method and path, or the emulator does not serve it, 404.
    UnknownOperation(String),
}

impl Refusal {
    /// The exception's name, as it stands in `x-amzn-errortype`.
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            Self::Validation(_) => "ValidationException",
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
            Self::NotFound { .. } | Self::UnknownOperation(_) => 404,
            Self::Conflict(_) => 409,
            Self::Throttling(_) => 429,
        }
    }
}
