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
    key("time_zone", Optional, Name, "UTC, and a time without an offset is an error", "the time zone of local times and of `date`, by its IANA name; a case mapping can override it", "time_zone: America/New_York"),
    key("performed_by", Optional, Either(&[Value, Object(&PERFORMED_BY)]), "the entity prefix and the name of the case mapping", "the performer in the case's audit history; a case mapping can override it", "performed_by: \"casebridge/{{ $$.mapping }}\""),
    key("tables", Optional, Named(&Named(&Constant)), "", "tables for `lookup`, by name: each text with its replacement", "tables: { reasons: { no_stock: Stock } }"),
    key("variables", Optional, Named(&Value), "", "named values for every case mapping: `$name` is the value in an expression, or at the top of an event pattern", "variables: { total: $.detail.total | number }"),
    key("tags", Optional, Named(&Value), "", "tags of every case; a case mapping can override them", "tags: { team: orders }"),
    key("if_missing", Optional, Words(&["fail", "skip", "empty"]), "fail", "the action for fields with a missing value; a field can override it; not for the title, the customer and required fields", "if_missing: skip"),
    key("if_invalid", Optional, Words(&["fail", "missing", "comment"]), "fail", "the action for fields and tags with an invalid value; a field can override it; not for the title, the customer and required fields", "if_invalid: comment"),
    key("phone_country", Optional, Name, "numbers are used as written", "the country of phone numbers without a prefix, as a two-letter code: `_phone` then also searches for the number as `+` and digits", "phone_country: US"),
    key("cases", Required, List(&Object(&CASE)), "", "the case mappings; the first that matches an event makes its case", "cases: [{ name: callback, trigger: contact-flow, template: Contact follow-up, fields: { title: Call back } }]"),
] };

/// An entry of `cases`.
#[rustfmt::skip]
pub static CASE: ObjectSchema = ObjectSchema { name: "a case mapping", keys: &[
    key("name", Required, Name, "", "the identifier of the case mapping, part of every key", "name: order-failed"),
    key("trigger", Required, Words(&["contact-flow", "eventbridge"]), "", "the source of the events", "trigger: eventbridge"),
    key("when", Optional, Pattern, "every event of the trigger", "the events to match: an EventBridge event pattern over `$`", "when: { source: [com.example.orders] }"),
    key("time_zone", Optional, Name, "`time_zone` of the file", "the time zone of local times and of `date`", "time_zone: Europe/Berlin"),
    key("variables", Optional, Named(&Value), "", "named values, after those of the file", "variables: { total: $.detail.total | number }"),
    key("template", Required, Name, "", "the Cases template, by name or id", "template: Order problem"),
    key("key", Optional, Either(&[Value, List(&Value)]), "the contact or the event", "the value that identifies the case: one case per key, also for repeated events", "key: [$.detail.order.id, $.detail.failure.code]"),
    key("performed_by", Optional, Either(&[Value, Object(&PERFORMED_BY)]), "`performed_by` of the file", "the performer in the case's audit history", "performed_by: casebridge/orders"),
    key("tags", Optional, Named(&Value), "", "tags of the case; a tag with a missing value is left out", "tags: { team: orders }"),
    key("customer", Optional, Either(&[Value, Object(&CUSTOMER)]), "no customer", "the customer's profile: its ARN, its id, or searches for it", "customer: $.Parameters.profile_arn"),
    key("if_missing", Optional, Words(&["fail", "skip", "empty"]), "`if_missing` of the file", "the action for fields with a missing value; a field can override it; not for the title, the customer and required fields", "if_missing: skip"),
    key("if_invalid", Optional, Words(&["fail", "missing", "comment"]), "`if_invalid` of the file", "the action for fields and tags with an invalid value; a field can override it; not for the title, the customer and required fields", "if_invalid: comment"),
    key("fields", Required, Named(&Either(&[Value, Null, Object(&FIELD)])), "", "the case fields, by name or id", "fields: { title: New order }"),
    key("link_contact", Optional, Either(&[Boolean, Value]), "true for a flow, false otherwise", "the link to the contact: `true`, `false`, or the id or ARN of another contact", "link_contact: $.InitialContactId"),
    key("comment", Optional, Value, "no comment", "a comment on the case; left out if its value is missing", "comment: $.detail.notes"),
    key("return_reference", Optional, Boolean, "false", "return the reference number of the case in the answer, if there is time to read it", "return_reference: true"),
    key("on_case_events", Optional, Boolean, "false", "match events of Cases: cases that others created or changed", "on_case_events: true"),
    key("enrich", Optional, Boolean, "false", "read `$.contact` and `$.Attributes` of a contact event from Connect", "enrich: true"),
    key("window", Optional, Name, "for ever", "the time for which a key identifies one case, in days, hours or minutes; needs a ledger", "window: 30d"),
    key("on_existing", Optional, Words(&["return", "attach"]), "return", "the action if the case of the key exists: return it, or also add contact and comment to it; `attach` needs a ledger", "on_existing: attach"),
    key("ledger_unavailable", Optional, Words(&["fail", "proceed"]), "`proceed`; `fail` with a `window`", "the action if the ledger is unavailable: fail, so that the event is retried, or rely on the client token alone", "ledger_unavailable: fail"),
] };

/// The long form of a field.
#[rustfmt::skip]
pub static FIELD: ObjectSchema = ObjectSchema { name: "a field", keys: &[
    key("when", Optional, Pattern, "always", "the events for which the field is sent", "when: { detail: { vip: [true] } }"),
    key("value", Optional, CONTENT, "", "the field's value", "value: $.detail.customer.vip"),
    key("choose", Optional, List(&Object(&CHOICE)), "", "alternatives: the first whose `when` matches is the value", "choose: [{ value: Normal }]"),
    key("type", Optional, Words(&["Text", "Number", "Boolean", "DateTime", "SingleSelect", "Url", "User"]), "the type in the domain snapshot", "the type of a field that is not in the domain snapshot", "type: Number"),
    key("lookup", Optional, Name, "", "the table to look up the value in", "lookup: reasons"),
    key("default", Optional, Value, "", "the replacement for a missing value", "default: Other"),
    key("if_missing", Optional, Words(&["fail", "skip", "empty"]), "`if_missing` of the case mapping", "the action if the value is still missing: create no case, do not send the field, or send it empty", "if_missing: skip"),
    key("if_invalid", Optional, Words(&["fail", "missing", "comment"]), "`if_invalid` of the case mapping", "the action if the field does not accept the value: create no case, treat the value as missing, or do not send the field and name it in a comment", "if_invalid: missing"),
    key("overflow", Optional, Words(&["fail", "truncate", "comment"]), "fail", "the action for text that is too long: create no case, cut it, or cut it and add the whole text as a comment", "overflow: comment"),
] };

/// An entry of `choose`.
#[rustfmt::skip]
pub static CHOICE: ObjectSchema = ObjectSchema { name: "an entry of `choose`", keys: &[
    key("when", Optional, Pattern, "always", "the events for which this entry is used", "when: { detail: { vip: [true] } }"),
    key("value", Required, CONTENT, "", "the value", "value: High"),
] };

/// The long form of `customer`.
#[rustfmt::skip]
pub static CUSTOMER: ObjectSchema = ObjectSchema { name: "`customer`", keys: &[
    key("profile_id", Optional, Value, "", "the id of the profile; the function builds its ARN", "profile_id: $.Attributes.profile_id"),
    key("find", Optional, List(&Named(&Value)), "", "searches for the profile, tried in order; all keys of a search must match", "find: [{ _phone: $.CustomerEndpoint.Address }]"),
    key("if_none", Optional, Either(&[Words(&["fail", "skip"]), Object(&IF_NONE)]), "fail", "the action if no profile is found: create no case, create the case without a customer, or create a profile", "if_none: skip"),
    key("if_many", Optional, Words(&["fail", "first"]), "fail", "the action if several profiles are found: create no case, or use the lowest profile id", "if_many: fail"),
] };

/// The long form of `if_none`.
#[rustfmt::skip]
pub static IF_NONE: ObjectSchema = ObjectSchema { name: "`if_none`", keys: &[
    key("create", Required, Object(&PROFILE), "", "the profile to create", "create: { PhoneNumber: $.CustomerEndpoint.Address }"),
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
    key("AdditionalInformation", Optional, Value, "", "more information, up to 1,000 characters", "AdditionalInformation: Created by a refund case"),
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
