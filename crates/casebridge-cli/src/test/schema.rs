//! The keys of a test file: one table for its decoder, its suggestions and its JSON Schema.

use mapping::schema::Shape::{
    Boolean, Constant, Either, Json, List, Name, Named, Null, Number, Object, Words,
};
use mapping::schema::Status::{Optional, Required};
use mapping::schema::{ObjectSchema, key};

/// The whole file.
#[rustfmt::skip]
pub(crate) static TEST_FILE: ObjectSchema = ObjectSchema { name: "the test file", keys: &[
    key("version", Required, Number(1), "", "the version of the test language", "version: 1"),
    key("tests", Required, List(&Object(&TEST)), "", "the tests, each about one event", "tests: [{ name: a failed order, event: events/order-failed.json, expect: { case: order-failed } }]"),
] };

/// An entry of `tests`.
#[rustfmt::skip]
pub(crate) static TEST: ObjectSchema = ObjectSchema { name: "a test", keys: &[
    key("name", Required, Name, "", "the statement that the test checks; unique in the file", "name: an order of more than 500 dollars is urgent"),
    key("event", Required, Either(&[Name, Named(&Json)]), "", "the event: a JSON file, relative to the test file's folder, or the event itself", "event: events/order-failed.json"),
    key("with", Optional, Named(&Json), "the event as it is", "changes to the event, merged over `$` (JSON merge patch, RFC 7386): objects are merged, `null` removes a member, anything else replaces it", "with: { detail: { order: { amount: 99 } } }"),
    key("expect", Required, Object(&EXPECT), "", "the outcome of the event", "expect: { case: order-failed }"),
] };

/// `expect` of a test.
#[rustfmt::skip]
pub(crate) static EXPECT: ObjectSchema = ObjectSchema { name: "`expect`", keys: &[
    key("case", Optional, Name, "", "the case mapping that matches the event, and makes a case unless `refused` is set too", "case: order-failed"),
    key("skipped", Optional, Words(&["NoCaseMapping", "OwnCaseEvent", "InactiveRegion", "OtherInstance"]), "", "the reason why the event is skipped", "skipped: NoCaseMapping"),
    key("refused", Optional, Object(&REFUSED), "", "the error of an event that makes no case", "refused: { code: FieldMissing, field: Order number }"),
    key("fields", Optional, Named(&Either(&[Constant, Null])), "", "fields of the case, by name or id; options by label or value; `null` for a field that is sent empty. Other fields are not checked", "fields: { Order total: 629.90, Priority: High, Resolution: null }"),
    key("not_sent", Optional, List(&Name), "", "fields that are not sent, by name or id", "not_sent: [Bank note]"),
    key("tags", Optional, Named(&Constant), "", "tags of the case", "tags: { team: orders }"),
    key("performed_by", Optional, Name, "", "the performer in the case's audit history", "performed_by: casebridge/order-failed"),
    key("customer", Optional, Either(&[Boolean, Name, List(&Named(&Constant))]), "", "the customer: the ARN or id of a profile, or the searches in order; `true` for any customer, `false` for none", "customer: [{ _email: jane.doe@example.com, _phone: \"+15550100142\" }, { _phone: \"+15550100142\" }]"),
    key("contact", Optional, Either(&[Boolean, Name]), "", "the ARN or id of the linked contact; `true` for any, `false` for none", "contact: 0d8f4c1e-2b6a-4f39-8c57-1a9e6d3b7f20"),
    key("comments", Optional, Either(&[Boolean, List(&Name)]), "", "the comments on the case, in order, those of `overflow` first; `true` for any, `false` for none", "comments: [The customer called twice]"),
] };

/// `refused` of a test.
#[rustfmt::skip]
pub(crate) static REFUSED: ObjectSchema = ObjectSchema { name: "`refused`", keys: &[
    key("code", Required, Words(&["UnrecognizedPayload", "SourceNotAllowed", "KeyMissing", "FieldMissing", "FieldInvalid", "FieldRequired", "TagInvalid", "CustomerKeyMissing", "CustomerKeyInvalid"]), "", "the error code of the answer", "code: FieldMissing"),
    key("field", Optional, Name, "any", "the `errorField` of the answer: a field by name or id, `key`, `performed_by`, `customer`, `tags.NAME`, or a reference", "field: Order number"),
] };
