//! Failures: a closed list of codes, the same in answers, Lambda's `errorType`, logs and documentation.

use std::fmt;

/// Why there is no case. Whether a retry can help is decided here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The payload is none that the function takes.
    UnrecognizedPayload,
    /// The payload names a Connect instance or an account that is not allowed.
    SourceNotAllowed,
    /// A part of the key is missing: without it one case could not be told from another.
    KeyMissing,
    /// The mapping reads the event's contact, and the event names none.
    ContactMissing,
    /// A field's value is missing from the event.
    FieldMissing,
    /// A field's value is of a type, length or form that the field does not take.
    FieldInvalid,
    /// The template requires a field that is not sent.
    FieldRequired,
    /// A tag breaks the rules for tags.
    TagInvalid,
    /// The event has none of the keys that the customer could be searched by.
    CustomerKeyMissing,
    /// A search key, or a member of a profile to create, is of a type or length that Customer Profiles does not take.
    CustomerKeyInvalid,
    /// No profile has the customer's keys, and the mapping says `fail`.
    CustomerNotFound,
    /// Several profiles have the customer's keys, and the mapping says `fail`.
    CustomerAmbiguous,
    /// The profile may have been created, and search does not show it: a retry searches again before it creates.
    CustomerUnknown,
    /// Cases does not see the customer's profile; one that was just created takes a moment.
    CustomerNotVisible,
    /// Cases refused the request (`ValidationException`).
    RequestRefused,
    /// The function's role may not do this (`AccessDeniedException`).
    AccessDenied,
    /// The domain, template or a field does not exist (`ResourceNotFoundException`).
    ResourceNotFound,
    /// Cases is over its quota (`ThrottlingException`).
    Throttled,
    /// Cases could not be reached, or answered with a fault of its own, before anything was created.
    ServiceUnavailable,
    /// `CreateCase` may have succeeded unseen: calling again with the same key finds out.
    OutcomeUnknown,
    /// Cases knows the key's token with another request, and search does not show the case yet.
    ConflictUnresolved,
    /// The case exists, and the contact is not linked to it.
    ContactNotLinked,
    /// The case exists, and a comment is missing from it.
    CommentNotAdded,
    /// Another run is creating this key's case.
    InProgress,
    /// The ledger cannot be reached, or answered with a fault of its own.
    LedgerUnavailable,
    /// The time was up before anything was sent.
    OutOfTime,
    /// A mapping that was to be validated or taken into use cannot be.
    MappingInvalid,
    /// The request could not be built, signed or handled.
    InternalError,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 28] = [
        Self::UnrecognizedPayload,
        Self::SourceNotAllowed,
        Self::KeyMissing,
        Self::ContactMissing,
        Self::FieldMissing,
        Self::FieldInvalid,
        Self::FieldRequired,
        Self::TagInvalid,
        Self::CustomerKeyMissing,
        Self::CustomerKeyInvalid,
        Self::CustomerNotFound,
        Self::CustomerAmbiguous,
        Self::CustomerUnknown,
        Self::CustomerNotVisible,
        Self::RequestRefused,
        Self::AccessDenied,
        Self::ResourceNotFound,
        Self::Throttled,
        Self::ServiceUnavailable,
        Self::OutcomeUnknown,
        Self::ConflictUnresolved,
        Self::ContactNotLinked,
        Self::CommentNotAdded,
        Self::InProgress,
        Self::LedgerUnavailable,
        Self::OutOfTime,
        Self::MappingInvalid,
        Self::InternalError,
    ];

    /// Whether the same event can succeed later, with nothing changed.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::UnrecognizedPayload
            | Self::SourceNotAllowed
            | Self::KeyMissing
            | Self::ContactMissing
            | Self::FieldMissing
            | Self::FieldInvalid
            | Self::FieldRequired
            | Self::TagInvalid
            | Self::CustomerKeyMissing
            | Self::CustomerKeyInvalid
            | Self::CustomerNotFound
            | Self::CustomerAmbiguous
            | Self::RequestRefused
            | Self::AccessDenied
            | Self::ResourceNotFound
            | Self::MappingInvalid => false,
            Self::CustomerUnknown
            | Self::CustomerNotVisible
            | Self::Throttled
            | Self::ServiceUnavailable
            | Self::OutcomeUnknown
            | Self::ConflictUnresolved
            | Self::ContactNotLinked
            | Self::CommentNotAdded
            | Self::InProgress
            | Self::LedgerUnavailable
            | Self::OutOfTime
            | Self::InternalError => true,
        }
    }

    /// The code as answers, logs and Lambda's `errorType` spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnrecognizedPayload => "UnrecognizedPayload",
            Self::SourceNotAllowed => "SourceNotAllowed",
            Self::KeyMissing => "KeyMissing",
            Self::ContactMissing => "ContactMissing",
            Self::FieldMissing => "FieldMissing",
            Self::FieldInvalid => "FieldInvalid",
            Self::FieldRequired => "FieldRequired",
            Self::TagInvalid => "TagInvalid",
            Self::CustomerKeyMissing => "CustomerKeyMissing",
            Self::CustomerKeyInvalid => "CustomerKeyInvalid",
            Self::CustomerNotFound => "CustomerNotFound",
            Self::CustomerAmbiguous => "CustomerAmbiguous",
            Self::CustomerUnknown => "CustomerUnknown",
            Self::CustomerNotVisible => "CustomerNotVisible",
            Self::RequestRefused => "RequestRefused",
            Self::AccessDenied => "AccessDenied",
            Self::ResourceNotFound => "ResourceNotFound",
            Self::Throttled => "Throttled",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::OutcomeUnknown => "OutcomeUnknown",
            Self::ConflictUnresolved => "ConflictUnresolved",
            Self::ContactNotLinked => "ContactNotLinked",
            Self::CommentNotAdded => "CommentNotAdded",
            Self::InProgress => "InProgress",
            Self::LedgerUnavailable => "LedgerUnavailable",
            Self::OutOfTime => "OutOfTime",
            Self::MappingInvalid => "MappingInvalid",
            Self::InternalError => "InternalError",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An event that did not become a case. Its sentence names fields, references, lengths and codes, never a value from the event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure.
    pub code: ErrorCode,
    /// The field it is about by its name in the domain, or the tag or reference.
    pub field: Option<String>,
    /// The sentence for the person who must act.
    pub message: String,
}

impl Failure {
    /// A failure that is about no single field.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            field: None,
            message: message.into(),
        }
    }

    /// The same failure, about a field.
    #[must_use]
    pub fn of(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}
