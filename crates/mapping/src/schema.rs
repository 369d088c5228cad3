//! The schema of the mapping's keys: one table for the decoder, its suggestions, the JSON Schema and the reference.
//!
//! Each [`KeySchema`] has the name, the values, the default, the effect and an example of a key.

/// An object whose keys the language defines.
#[derive(Debug)]
pub struct ObjectSchema {
    /// The object in words, for messages, such as `a case mapping`.
    pub name: &'static str,
    /// The keys, in the recommended order.
    pub keys: &'static [KeySchema],
}

/// The requirement for a key: required or optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The key must be present.
    Required,
    /// The key may be absent.
    Optional,
}

/// The values that a key accepts.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Exactly this number.
    Number(u32),
    /// `true` or `false`.
    Boolean,
    /// Literal text, such as a name or an id.
    Name,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A number, a boolean, or text that may hold expressions.
    Value,
    /// A number, a boolean or literal text.
    Constant,
    /// Plain `null`.
    Null,
    /// An event pattern.
    Pattern,
    /// Any JSON.
    Json,
    /// A list.
    List(&'static Shape),
    /// An object whose keys the author names.
    Named(&'static Shape),
    /// An object whose keys the language defines.
    Object(&'static ObjectSchema),
    /// Any of these shapes.
    Either(&'static [Shape]),
}

/// The schema of one key.
#[derive(Clone, Copy, Debug)]
pub struct KeySchema {
    /// The key's name.
    pub name: &'static str,
    /// The requirement for the key.
    pub status: Status,
    /// The values that the key accepts.
    pub shape: Shape,
    /// The default in words, empty if there is none.
    pub default: &'static str,
    /// The effect, a phrase without a full stop.
    pub doc: &'static str,
    /// An example: the YAML of the key and its value.
    pub example: &'static str,
}

use Shape::{
    Boolean, Constant, Either, List, Name, Named, Null, Number, Object, Pattern, Value, Words,
};
use Status::{Optional, Required};

/// A value, or plain `null` for an empty field.
const CONTENT: Shape = Either(&[Value, Null]);

/// The whole file.
#[rustfmt::skip]
pub static FILE: ObjectSchema = ObjectSchema { name: "the mapping", keys: &[
    key("version", Required, Number(1), "", "the version of the mapping language", "version: 1"),
    key("time_zone", Optional, Name, "UTC, and a time without an offset is refused", "the time zone that local times are read in and `date` writes, by its IANA name; a case mapping may have its own", "time_zone: America/New_York"),
    key("performed_by", Optional, Either(&[Value, Object(&PERFORMED_BY)]), "the entity prefix and the case mapping's name", "who a case's audit history names, unless a case mapping says otherwise", "performed_by: \"casebridge/{{ $$.mapping }}\""),
    key("tables", Optional, Named(&Named(&Constant)), "", "tables for `lookup`: by name, what each text stands for", "tables: { reasons: { no_stock: Stock } }"),
    key("variables", Optional, Named(&Value), "", "values with a name, for every case mapping: `$name` reads one in an expression or at the top of an event pattern", "variables: { total: $.detail.total | number }"),
    key("tags", Optional, Named(&Value), "", "tags of every case; a case mapping's own win", "tags: { team: orders }"),
    key("if_missing", Optional, Words(&["fail", "skip", "empty"]), "fail", "what happens to a field whose value is missing, unless the field says otherwise; not for the title, the customer and required fields", "if_missing: skip"),
    key("if_invalid", Optional, Words(&["fail", "missing", "comment"]), "fail", "what happens to a field or a tag whose value is invalid, unless the field says otherwise; not for the title, the customer and required fields", "if_invalid: comment"),
    key("phone_country", Optional, Name, "numbers are taken as they come", "the country of phone numbers that are written without their prefix, by its code of two letters: `_phone` then finds them as `+` and digits too", "phone_country: US"),
    key("cases", Required, List(&Object(&CASE)), "", "the case mappings; the first that takes an event makes its case", "cases: [{ name: callback, trigger: contact-flow, template: Contact follow-up, fields: { title: Call back } }]"),
] };

/// An entry of `cases`.
#[rustfmt::skip]
pub static CASE: ObjectSchema = ObjectSchema { name: "a case mapping", keys: &[
    key("name", Required, Name, "", "its identity, part of every key", "name: order-failed"),
    key("trigger", Required, Words(&["contact-flow", "eventbridge"]), "", "what invokes the function", "trigger: eventbridge"),
    key("when", Optional, Pattern, "every event of the trigger", "which events it takes: an EventBridge event pattern over `$`", "when: { source: [com.example.orders] }"),
    key("time_zone", Optional, Name, "the file's", "the time zone that local times are read in and `date` writes", "time_zone: Europe/Berlin"),
    key("variables", Optional, Named(&Value), "", "values with a name, after those of the file", "variables: { total: $.detail.total | number }"),
    key("template", Required, Name, "", "the Cases template, by name or id", "template: Order problem"),
    key("key", Optional, Either(&[Value, List(&Value)]), "the contact or the event", "one case for each key, however often it comes", "key: [$.detail.order.id, $.detail.failure.code]"),
    key("performed_by", Optional, Either(&[Value, Object(&PERFORMED_BY)]), "the file's", "who the case's audit history names", "performed_by: casebridge/orders"),
    key("tags", Optional, Named(&Value), "", "tags of the case; one whose value is missing is left out", "tags: { team: orders }"),
    key("customer", Optional, Either(&[Value, Object(&CUSTOMER)]), "no customer", "the customer's profile: its ARN, its id, or how it is found", "customer: $.Parameters.profile_arn"),
    key("if_missing", Optional, Words(&["fail", "skip", "empty"]), "the file's", "what happens to a field whose value is missing, unless the field says otherwise; not for the title, the customer and required fields", "if_missing: skip"),
    key("if_invalid", Optional, Words(&["fail", "missing", "comment"]), "the file's", "what happens to a field or a tag whose value is invalid, unless the field says otherwise; not for the title, the customer and required fields", "if_invalid: comment"),
    key("fields", Required, Named(&Either(&[Value, Null, Object(&FIELD)])), "", "the case fields, by name or id", "fields: { title: New order }"),
    key("link_contact", Optional, Either(&[Boolean, Value]), "true for a flow, false otherwise", "whether the contact is linked to the case; or which one, by its id or ARN", "link_contact: $.InitialContactId"),
    key("comment", Optional, Value, "no comment", "a comment on the case; left out when its value is missing", "comment: $.detail.notes"),
    key("return_reference", Optional, Boolean, "false", "whether the answer holds the case's reference number, read when there is time left", "return_reference: true"),
    key("on_case_events", Optional, Boolean, "false", "whether it takes events of Cases: of cases that others made or changed", "on_case_events: true"),
    key("enrich", Optional, Boolean, "false", "whether `$.contact` and `$.Attributes` of a contact event are read from Connect", "enrich: true"),
    key("window", Optional, Name, "for ever", "how long a key stands for one case: days, hours or minutes; takes a ledger", "window: 30d"),
    key("on_existing", Optional, Words(&["return", "attach"]), "return", "what happens when the key's case exists: it is the answer, or contact and comment join it too; takes a ledger", "on_existing: attach"),
    key("ledger_unavailable", Optional, Words(&["fail", "proceed"]), "proceed, and fail with a window", "what happens when the ledger is down: the event comes again, or the client token alone keeps its key to one case", "ledger_unavailable: fail"),
] };

/// The long form of a field.
#[rustfmt::skip]
pub static FIELD: ObjectSchema = ObjectSchema { name: "a field", keys: &[
    key("when", Optional, Pattern, "always", "for which events the field is sent", "when: { detail: { vip: [true] } }"),
    key("value", Optional, CONTENT, "", "the field's value", "value: $.detail.customer.vip"),
    key("choose", Optional, List(&Object(&CHOICE)), "", "the first choice whose `when` matches gives the value", "choose: [{ value: Normal }]"),
    key("type", Optional, Words(&["Text", "Number", "Boolean", "DateTime", "SingleSelect", "Url", "User"]), "the type in the domain snapshot", "the type of a field that no domain snapshot knows", "type: Number"),
    key("lookup", Optional, Name, "", "the table that the value is looked up in", "lookup: reasons"),
    key("default", Optional, Value, "", "what stands in for a missing value", "default: Other"),
    key("if_missing", Optional, Words(&["fail", "skip", "empty"]), "fail", "what happens when the value is still missing: no case, the field is not sent, or it is sent empty", "if_missing: skip"),
    key("if_invalid", Optional, Words(&["fail", "missing", "comment"]), "fail", "what happens when the field does not accept the value: no case, the value is missing, or the field is not sent and a comment names it", "if_invalid: missing"),
    key("overflow", Optional, Words(&["fail", "truncate", "comment"]), "fail", "what happens to text that is too long: no case, it is cut, or it is cut and all of it goes into a comment", "overflow: comment"),
] };

/// An entry of `choose`.
#[rustfmt::skip]
pub static CHOICE: ObjectSchema = ObjectSchema { name: "an entry of `choose`", keys: &[
    key("when", Optional, Pattern, "always", "for which events the choice is taken", "when: { detail: { vip: [true] } }"),
    key("value", Required, CONTENT, "", "the choice's value", "value: High"),
] };

/// The long form of `customer`.
#[rustfmt::skip]
pub static CUSTOMER: ObjectSchema = ObjectSchema { name: "`customer`", keys: &[
    key("profile_id", Optional, Value, "", "the profile's id; its ARN is assembled", "profile_id: $.Attributes.profile_id"),
    key("find", Optional, List(&Named(&Value)), "", "searches for the profile, tried in order; the keys of one must all match", "find: [{ _phone: $.CustomerEndpoint.Address }]"),
    key("if_none", Optional, Either(&[Words(&["fail", "skip"]), Object(&IF_NONE)]), "fail", "what happens when no profile is found: no case, a case without customer, or a profile is created", "if_none: skip"),
    key("if_many", Optional, Words(&["fail", "first"]), "fail", "what happens when several are found: no case, or the one with the lowest profile id", "if_many: fail"),
] };

/// The long form of `if_none`.
#[rustfmt::skip]
pub static IF_NONE: ObjectSchema = ObjectSchema { name: "`if_none`", keys: &[
    key("create", Required, Object(&PROFILE), "", "the profile that is created", "create: { PhoneNumber: $.CustomerEndpoint.Address }"),
] };

/// A profile to create: members of `CreateProfile`.
#[rustfmt::skip]
pub static PROFILE: ObjectSchema = ObjectSchema { name: "`create`", keys: &[
    key("FirstName", Optional, Value, "", "the first name", "FirstName: $.Attributes.first_name"),
    key("MiddleName", Optional, Value, "", "the middle name", "MiddleName: $.Attributes.middle_name"),
    key("LastName", Optional, Value, "", "the last name", "LastName: $.Attributes.last_name"),
    key("PhoneNumber", Optional, Value, "", "a phone number; `_phone` finds it", "PhoneNumber: $.CustomerEndpoint.Address"),
    key("MobilePhoneNumber", Optional, Value, "", "the mobile number; `_phone` finds it", "MobilePhoneNumber: $.Attributes.mobile"),
    key("HomePhoneNumber", Optional, Value, "", "the number at home; `_phone` finds it", "HomePhoneNumber: $.Attributes.home_phone"),
    key("BusinessPhoneNumber", Optional, Value, "", "the number at work; `_phone` finds it", "BusinessPhoneNumber: $.Attributes.work_phone"),
    key("EmailAddress", Optional, Value, "", "an e-mail address; `_email` finds it", "EmailAddress: $.detail.customer.email"),
    key("PersonalEmailAddress", Optional, Value, "", "the private e-mail address; `_email` finds it", "PersonalEmailAddress: $.detail.customer.private_email"),
    key("BusinessEmailAddress", Optional, Value, "", "the e-mail address at work; `_email` finds it", "BusinessEmailAddress: $.detail.customer.work_email"),
    key("AccountNumber", Optional, Value, "", "the account number; `_account` finds it", "AccountNumber: $.detail.customer.account"),
    key("BusinessName", Optional, Value, "", "the name of the business", "BusinessName: $.detail.customer.company"),
    key("PartyTypeString", Optional, Value, "", "the kind of party, such as INDIVIDUAL or BUSINESS", "PartyTypeString: BUSINESS"),
    key("BirthDate", Optional, Value, "", "the date of birth", "BirthDate: $.detail.customer.born"),
    key("GenderString", Optional, Value, "", "the gender", "GenderString: $.detail.customer.gender"),
    key("AdditionalInformation", Optional, Value, "", "what else there is to say, up to 1,000 characters", "AdditionalInformation: Created by a refund case"),
    key("Attributes", Optional, Named(&Value), "", "attributes of your own", "Attributes: { tier: $.detail.customer.tier }"),
] };

/// The long form of `performed_by`.
#[rustfmt::skip]
pub static PERFORMED_BY: ObjectSchema = ObjectSchema { name: "`performed_by`", keys: &[
    key("user_arn", Required, Value, "", "the ARN of a Connect user", "user_arn: $.detail.agentArn"),
] };

/// Creates the schema of one key.
#[must_use]
pub const fn key(
    name: &'static str,
    status: Status,
    shape: Shape,
    default: &'static str,
    doc: &'static str,
    example: &'static str,
) -> KeySchema {
    KeySchema {
        name,
        status,
        shape,
        default,
        doc,
        example,
    }
}
