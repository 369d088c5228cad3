//! Failures: a closed list of codes, the same in answers, Lambda's `errorType`, logs and documentation.

use std::fmt;

/// Makes [`ErrorCode`] of one table: each code with its doc comment, and whether a retry can help.
macro_rules! error_codes {
    ($($(#[$doc:meta])+ $code:ident: $retry:ident,)+) => {
        /// The kind of a failure. Its retryability is decided in this table and nowhere else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])+ $code,)+
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: [Self; [$(stringify!($code)),+].len()] = [$(Self::$code),+];

            /// Returns true if the same event can succeed later, with nothing changed.
            #[must_use]
            pub fn is_transient(self) -> bool {
                match self {
                    $(Self::$code => error_codes!(@ $retry),)+
                }
            }

            /// Returns the code as answers, logs and Lambda's `errorType` spell it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => stringify!($code),)+
                }
            }
        }
    };
    (@ transient) => { true };
    (@ permanent) => { false };
}

error_codes! {
    /// The payload is none that the function takes.
    UnrecognizedPayload: permanent,
    /// The payload names a Connect instance or an account that is not allowed.
    SourceNotAllowed: permanent,
    /// A part of the key is missing: without it one case could not be told from another.
    KeyMissing: permanent,
    /// The mapping reads the event's contact, and the event names none.
    ContactMissing: permanent,
    /// A field's value is missing from the event.
    FieldMissing: permanent,
    /// A field's value is of a type, length or form that the field does not take.
    FieldInvalid: permanent,
    /// The template requires a field that is not sent.
    FieldRequired: permanent,
    /// A tag breaks the rules for tags.
    TagInvalid: permanent,
    /// The event has none of the keys that the customer could be searched by.
    CustomerKeyMissing: permanent,
    /// A search key, or a member of a profile to create, is of a type or length that Customer Profiles does not take.
    CustomerKeyInvalid: permanent,
    /// No profile has the customer's keys, and the mapping says `fail`.
    CustomerNotFound: permanent,
    /// Several profiles have the customer's keys, and the mapping says `fail`.
    CustomerAmbiguous: permanent,
    /// The profile may have been created, and search does not show it: a retry searches again before it creates.
    CustomerUnknown: transient,
    /// Cases does not see the customer's profile; one that was just created takes a moment.
    CustomerNotVisible: transient,
    /// Cases refused the request (`ValidationException`).
    RequestRefused: permanent,
    /// The function's role may not do this (`AccessDeniedException`).
    AccessDenied: permanent,
    /// The domain, template or a field does not exist (`ResourceNotFoundException`).
    ResourceNotFound: permanent,
    /// Cases is over its quota (`ThrottlingException`).
    Throttled: transient,
    /// Cases could not be reached, or answered with a fault of its own, before anything was created.
    ServiceUnavailable: transient,
    /// `CreateCase` may have succeeded unseen: calling again with the same key finds out.
    OutcomeUnknown: transient,
    /// Cases knows the key's token with another request, and search does not show the case yet.
    ConflictUnresolved: transient,
    /// The case exists, and the contact is not linked to it.
    ContactNotLinked: transient,
    /// The case exists, and a comment is missing from it.
    CommentNotAdded: transient,
    /// Another run is creating this key's case.
    InProgress: transient,
    /// The ledger cannot be reached, or answered with a fault of its own.
    LedgerUnavailable: transient,
    /// The time was up before anything was sent.
    OutOfTime: transient,
    /// A mapping that was to be validated or taken into use cannot be.
    MappingInvalid: permanent,
    /// The request could not be built, signed or handled.
    InternalError: transient,
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
    /// The kind of failure.
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
