//! `FieldValueUnion` of the service model, and the rules for a field's value: the union member of the
//! field's type, the lengths of the administrator guide, and options by value.

use serde_json::{Value, json};

use super::domain::{Field, FieldType};
use super::patterns::{is_profile_arn, is_queue_arn, is_user_arn};
use crate::clock::date_time;
use crate::member::{Member, check_length};
use crate::service::Refusal;

const MEMBERS: &[&str] = &[
    "stringValue",
    "doubleValue",
    "booleanValue",
    "emptyValue",
    "userArnValue",
];

/// The longest text of the model, for every field without a limit of its own.
const STRING_VALUE: usize = 4100;
/// A Text field that is not multi-line.
const SINGLE_LINE: usize = 500;
const TITLE: usize = 500;
const SUMMARY: usize = 3000;
const REFERENCE_NUMBER: usize = 50;

/// A field's value: exactly one member of the union.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FieldValue {
    Text(String),
    Double(f64),
    Boolean(bool),
    Empty,
    UserArn(String),
}

impl FieldValue {
    /// Reads the union at `member`.
    pub(super) fn read(member: &Member<'_>) -> Result<Self, Refusal> {
        let (name, value) = member.union(MEMBERS)?;
        Ok(match name {
            "stringValue" => Self::Text(value.text(0..=STRING_VALUE)?.to_owned()),
            "doubleValue" => Self::Double(value.double()?),
            "booleanValue" => Self::Boolean(value.boolean()?),
            "userArnValue" => Self::UserArn(value.text(0..=usize::MAX)?.to_owned()),
            _ => {
                value.empty()?;
                Self::Empty
            }
        })
    }

    /// Returns the union as the API writes it.
    pub(super) fn to_json(&self) -> Value {
        let value = match self {
            Self::Text(text) | Self::UserArn(text) => json!(text),
            Self::Double(number) => json!(number),
            Self::Boolean(boolean) => json!(boolean),
            Self::Empty => json!({}),
        };
        json!({ self.member(): value })
    }

    fn member(&self) -> &'static str {
        match self {
            Self::Text(_) => "stringValue",
            Self::Double(_) => "doubleValue",
            Self::Boolean(_) => "booleanValue",
            Self::Empty => "emptyValue",
            Self::UserArn(_) => "userArnValue",
        }
    }

    /// Returns true for `emptyValue` and for a text of no characters.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) | Self::UserArn(text) => text.is_empty(),
            Self::Double(_) | Self::Boolean(_) => false,
        }
    }
}

/// Refuses a union member that is not the one of the field's type; `emptyValue` fits every type.
fn check_member(field: &Field, value: &FieldValue) -> Result<(), Refusal> {
    let expected = match field.kind {
        FieldType::Number => "doubleValue",
        FieldType::Boolean => "booleanValue",
        FieldType::User => "userArnValue",
        FieldType::Text | FieldType::DateTime | FieldType::SingleSelect | FieldType::Url => {
            "stringValue"
        }
        FieldType::Unknown => {
            return Err(Refusal::Validation(format!(
                "the emulator does not know the type of field '{}', so it accepts no value for it",
                field.id
            )));
        }
    };
    let found = value.member();
    if found == expected || *value == FieldValue::Empty {
        return Ok(());
    }
    Err(Refusal::Validation(format!(
        "the value of field '{}' must be in {expected}, as its type is {:?}; it is in {found}",
        field.id, field.kind
    )))
}

/// Refuses a value that the field cannot have.
pub(super) fn check(field: &Field, value: &FieldValue) -> Result<(), Refusal> {
    check_member(field, value)?;
    match value {
        FieldValue::Text(text) => check_text(field, text),
        FieldValue::UserArn(arn) => expect(field, is_user_arn(arn), USER_ARN),
        FieldValue::Double(_) | FieldValue::Boolean(_) | FieldValue::Empty => Ok(()),
    }
}

const USER_ARN: &str =
    "a user's ARN, arn:PARTITION:connect:REGION:ACCOUNT:instance/INSTANCE/agent/USER";
const QUEUE_ARN: &str =
    "a queue's ARN, arn:PARTITION:connect:REGION:ACCOUNT:instance/INSTANCE/queue/QUEUE";
const PROFILE_ARN: &str =
    "a profile's ARN, arn:PARTITION:profile:REGION:ACCOUNT:domains/DOMAIN/profiles/PROFILE_ID";

fn check_text(field: &Field, text: &str) -> Result<(), Refusal> {
    let place = format!("the value of field '{}'", field.id);
    match field.kind {
        FieldType::SingleSelect => return check_option(field, text),
        FieldType::DateTime => {
            let expected =
                "a date and time with its offset in ISO 8601, such as 2026-01-31T09:30:00Z";
            return expect(field, date_time(text).is_some(), expected);
        }
        FieldType::Text => {}
        _ => return check_length(&place, text, 0..=STRING_VALUE),
    }
    if field.is_system() {
        match field.id.as_str() {
            "title" => return check_length(&place, text, 1..=TITLE),
            "summary" => return check_length(&place, text, 0..=SUMMARY),
            "customer_id" => expect(field, is_profile_arn(text), PROFILE_ARN)?,
            "assigned_queue" => expect(field, is_queue_arn(text), QUEUE_ARN)?,
            "assigned_user" => expect(field, is_user_arn(text), USER_ARN)?,
            "reference_number" => {
                let alphanumeric = text.chars().all(|c| c.is_ascii_alphanumeric());
                expect(field, alphanumeric, "letters and digits only")?;
                return check_length(&place, text, 1..=REFERENCE_NUMBER);
            }
            _ => {}
        }
    }
    let most = if field.is_multiline() {
        STRING_VALUE
    } else {
        SINGLE_LINE
    };
    check_length(&place, text, 0..=most)
}

fn check_option(field: &Field, text: &str) -> Result<(), Refusal> {
    let id = &field.id;
    match field.options.iter().find(|option| option.value == text) {
        Some(option) if option.active => Ok(()),
        Some(_) => Err(Refusal::Validation(format!(
            "the option '{text}' of field '{id}' is inactive"
        ))),
        None => Err(Refusal::Validation(format!(
            "field '{id}' has no option with the value '{text}'"
        ))),
    }
}

fn expect(field: &Field, holds: bool, expected: &str) -> Result<(), Refusal> {
    if holds {
        return Ok(());
    }
    Err(Refusal::Validation(format!(
        "the value of field '{}' must be {expected}",
        field.id
    )))
}
