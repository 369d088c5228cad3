//! Failures: a closed list of error codes, and the failure of one event.
//!
//! Answers, Lambda's `errorType`, logs and documentation use the same codes.

use std::fmt;

/// Generates [`ErrorCode`] from one table. Each row has a code, its doc comment, and `transient` if a retry can help.
macro_rules! error_codes {
    ($($(#[$doc:meta])+ $code:ident: $retry:ident,)+) => {
        /// The kind of a failure. Only this table decides if a retry can help.
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
    /// The function does not accept the payload.
    UnrecognizedPayload: permanent,
    /// The payload names a Connect instance or an account that is not allowed.
    SourceNotAllowed: permanent,
    /// A part of the key is missing. Without it, one case cannot be distinguished from another.
    KeyMissing: permanent,
    /// The mapping reads the event's contact, but the event names none.
    ContactMissing: permanent,
    /// A field's value is missing from the event.
    FieldMissing: permanent,
    /// A field's value has a type, length or form that the field does not accept.
    FieldInvalid: permanent,
    /// The template requires a field that is not sent.
    FieldRequired: permanent,
    /// A tag breaks the rules for tags.
    TagInvalid: permanent,
    /// A variable cannot be computed. Only the log has this code: an event pattern takes the variable as missing.
    VariableInvalid: permanent,
    /// The event has none of the keys for a search for the customer.
    CustomerKeyMissing: permanent,
    /// Customer Profiles does not accept the type or length of a search key, or of a new profile's member.
    CustomerKeyInvalid: permanent,
    /// No profile has the customer's keys, and the mapping says `fail`.
    CustomerNotFound: permanent,
    /// Several profiles have the customer's keys, and the mapping says `fail`.
    CustomerAmbiguous: permanent,
    /// The profile may have been created, but search does not show it. A retry searches again before it creates.
    CustomerUnknown: transient,
    /// Cases does not see the customer's profile. A new profile takes a moment to become visible.
    CustomerNotVisible: transient,
    /// Cases refused the request (`ValidationException`).
    RequestRefused: permanent,
    /// The function's role lacks a permission (`AccessDeniedException`).
    AccessDenied: permanent,
    /// The domain, template or a field does not exist (`ResourceNotFoundException`).
    ResourceNotFound: permanent,
    /// A service's quota is exhausted (`ThrottlingException`).
    Throttled: transient,
    /// Cases could not be reached, or answered with a server error, before anything was created.
    ServiceUnavailable: transient,
    /// `CreateCase` may have succeeded without an answer. Another call with the same key resolves this.
    OutcomeUnknown: transient,
    /// Cases has the key's token with another request, and search does not show the case yet.
    ConflictUnresolved: transient,
    /// The case exists, but the contact is not linked to it.
    ContactNotLinked: transient,
    /// The case exists, but a comment is missing from it.
    CommentNotAdded: transient,
    /// Another run is creating this key's case.
    InProgress: transient,
    /// The ledger cannot be reached, or answered with a server error.
    LedgerUnavailable: transient,
    /// The time was up before anything was sent.
    OutOfTime: transient,
    /// A mapping that was to be validated or put into use cannot be used.
    MappingInvalid: permanent,
    /// The request could not be built, signed or handled.
    InternalError: transient,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The failure of an event that did not become a case.
///
/// Its message names fields, references, lengths and codes, and never a value from the event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The kind of failure.
    pub code: ErrorCode,
    /// The field that the failure is about, by its name in the domain, or the tag or reference.
    pub field: Option<String>,
    /// The message for the person who must act.
    pub message: String,
}

impl Failure {
    /// Creates a failure that is about no single field.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            field: None,
            message: message.into(),
        }
    }

    /// Returns the same failure, about a field.
    #[must_use]
    pub fn of(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}
