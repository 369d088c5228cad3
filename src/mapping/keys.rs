//! The mapping's keys: one table for the decoder, its suggestions, the schema and the reference.

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the top of the file.
    File,
    /// In an entry of `cases`.
    Case,
    /// In the long form of a field.
    Field,
    /// In an entry of `choose`.
    Choice,
    /// In the long form of `customer`.
    Customer,
    /// In the long form of `performed_by`.
    PerformedBy,
}

impl Place {
    /// The place in words, for messages.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::File => "the mapping",
            Self::Case => "a case mapping",
            Self::Field => "a field",
            Self::Choice => "an entry of `choose`",
            Self::Customer => "`customer`",
            Self::PerformedBy => "`performed_by`",
        }
    }
}

/// Whether a key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has to be there.
    Required,
    /// It may be there.
    Optional,
    /// It is part of the language and of no release yet; the text says what it will do.
    Later(&'static str),
}

/// One key of the mapping.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub name: &'static str,
    /// Whether it can be used.
    pub status: Status,
    /// What it takes.
    pub shape: &'static str,
    /// What holds when it is absent.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// How it is written.
    pub example: &'static str,
}

/// Every key, place by place, in the order in which a mapping is best written.
#[rustfmt::skip]
pub const KEYS: &[KeyInfo] = &[
    key(Place::File, "version", Status::Required, "1", "", "the version of the mapping language", "version: 1"),
    key(Place::File, "performed_by", Status::Optional, "text, or user_arn", "the entity prefix and the case mapping's name", "who the audit history names", "performed_by: \"casebridge/{{ $$.mapping }}\""),
    key(Place::File, "tables", Status::Optional, "tables by name, each from text to a scalar", "", "tables for `lookup`", "tables: { reasons: { no_stock: Stock } }"),
    key(Place::File, "tags", Status::Optional, "values by tag key", "", "tags of every case; a case mapping's own win", "tags: { team: orders }"),
    key(Place::File, "phone_country", Status::Later("phone numbers are taken as they come"), "a country", "", "the country of phone numbers without a prefix", "phone_country: US"),
    key(Place::File, "cases", Status::Required, "a list of case mappings", "", "the case mappings; the first that matches is taken", "cases: [ … ]"),
    key(Place::Case, "name", Status::Required, "text", "", "its identity, part of every key", "name: order-failed"),
    key(Place::Case, "trigger", Status::Required, "contact-flow or eventbridge", "", "what invokes the function", "trigger: eventbridge"),
    key(Place::Case, "when", Status::Optional, "an event pattern", "every event of the trigger", "which events it takes", "when: { source: [com.example.orders] }"),
    key(Place::Case, "template", Status::Required, "a name or an id", "", "the Cases template", "template: Order problem"),
    key(Place::Case, "key", Status::Optional, "a value or a list of values", "the contact or the event", "one case for each key", "key: [$.detail.order.id]"),
    key(Place::Case, "performed_by", Status::Optional, "text, or user_arn", "the file's", "who the audit history names", "performed_by: casebridge/orders"),
    key(Place::Case, "tags", Status::Optional, "values by tag key", "", "tags of the case", "tags: { team: orders }"),
    key(Place::Case, "customer", Status::Optional, "a profile ARN, or profile_id", "no customer", "the customer's profile", "customer: $.Parameters.profile_arn"),
    key(Place::Case, "fields", Status::Required, "values by field name or id", "", "the case fields", "fields: { title: New order }"),
    key(Place::Case, "link_contact", Status::Later("the contact is not linked to the case"), "true or false", "", "whether the contact is linked to the case", "link_contact: true"),
    key(Place::Case, "comment", Status::Later("no comment is added"), "text", "", "a comment on the case", "comment: \"{{ $.detail.notes }}\""),
    key(Place::Case, "return_reference", Status::Later("the answer holds no reference number"), "true or false", "", "whether the answer holds the reference number", "return_reference: true"),
    key(Place::Case, "on_case_events", Status::Later("no event of Cases reaches a case mapping"), "true or false", "", "whether events of Cases reach it", "on_case_events: true"),
    key(Place::Case, "enrich", Status::Later("nothing is read from the contact"), "true or false", "", "whether the contact's attributes are read", "enrich: true"),
    key(Place::Case, "window", Status::Later("there is no ledger"), "a duration", "", "how long a key stands for one case", "window: 30d"),
    key(Place::Case, "on_existing", Status::Later("there is no ledger"), "return or attach", "", "what happens when the case exists", "on_existing: attach"),
    key(Place::Case, "ledger_unavailable", Status::Later("there is no ledger"), "fail or proceed", "", "what happens when the ledger is down", "ledger_unavailable: proceed"),
    key(Place::Field, "when", Status::Optional, "an event pattern", "always", "for which events the field is sent", "when: { detail: { vip: [true] } }"),
    key(Place::Field, "value", Status::Optional, "a value", "", "the field's value", "value: $.detail.customer.vip"),
    key(Place::Field, "choose", Status::Optional, "a list of choices", "", "the first choice whose `when` matches", "choose: [{ value: Normal }]"),
    key(Place::Field, "text", Status::Optional, "a value", "", "the value of a Text field", "text: $.detail.n"),
    key(Place::Field, "number", Status::Optional, "a value", "", "the value of a Number field", "number: $.detail.n"),
    key(Place::Field, "boolean", Status::Optional, "a value", "", "the value of a Boolean field", "boolean: $.detail.n"),
    key(Place::Field, "date_time", Status::Optional, "a value", "", "the value of a DateTime field", "date_time: $.time"),
    key(Place::Field, "option", Status::Optional, "a value", "", "the value of a SingleSelect field", "option: $.detail.n"),
    key(Place::Field, "url", Status::Optional, "a value", "", "the value of a Url field", "url: $.detail.n"),
    key(Place::Field, "user", Status::Optional, "a value", "", "the value of a User field", "user: $.detail.agent_arn"),
    key(Place::Field, "empty", Status::Optional, "true", "", "the field is sent empty", "empty: true"),
    key(Place::Field, "lookup", Status::Optional, "a table's name", "", "the value is looked up in the table", "lookup: reasons"),
    key(Place::Field, "default", Status::Optional, "a scalar", "", "what stands in for a missing value", "default: Other"),
    key(Place::Field, "if_missing", Status::Optional, "fail, skip or empty", "fail", "what happens when the value is missing", "if_missing: skip"),
    key(Place::Field, "overflow", Status::Optional, "fail or truncate", "fail", "what happens to text that is too long", "overflow: truncate"),
    key(Place::Choice, "when", Status::Optional, "an event pattern", "always", "for which events the choice is taken", "when: { detail: { vip: [true] } }"),
    key(Place::Choice, "value", Status::Required, "a value", "", "the choice's value", "value: High"),
    key(Place::Customer, "profile_id", Status::Optional, "a value", "", "the profile's id; its ARN is assembled", "profile_id: $.Attributes.profile_id"),
    key(Place::Customer, "find", Status::Later("give a profile ARN, or `profile_id`"), "searches", "", "how the profile is found", "find: [{ _phone: $.detail.phone }]"),
    key(Place::Customer, "if_none", Status::Later("give a profile ARN, or `profile_id`"), "fail, skip or create", "", "what happens when no profile is found", "if_none: skip"),
    key(Place::Customer, "if_many", Status::Later("give a profile ARN, or `profile_id`"), "fail or first", "", "what happens when several are found", "if_many: first"),
    key(Place::PerformedBy, "user_arn", Status::Required, "a value", "", "the ARN of a Connect user", "user_arn: $.detail.agent_arn"),
];

const fn key(
    place: Place,
    name: &'static str,
    status: Status,
    shape: &'static str,
    default: &'static str,
    doc: &'static str,
    example: &'static str,
) -> KeyInfo {
    KeyInfo {
        place,
        name,
        status,
        shape,
        default,
        doc,
        example,
    }
}

/// The keys of one place.
pub fn keys_of(place: Place) -> impl Iterator<Item = &'static KeyInfo> {
    KEYS.iter().filter(move |key| key.place == place)
}
