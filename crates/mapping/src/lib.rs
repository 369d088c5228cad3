//! The mapping language: it compiles `mapping.yaml` and `domain.json` to a [`Mapping`].
//!
//! [`Mapping::load`] runs once per cold start and returns the compiled mapping, or all its errors. The first entry of
//! [`Mapping::cases`] that accepts an event creates its case. [`lint::check`] adds the warnings, for the tools.
//!
//! The crate is pure: no clock, no environment, no files, no network. The same event always gives the same values.
//!
//! | module | content | uses |
//! | --- | --- | --- |
//! | [`value`], [`text`], [`decimal`] | values of an event, text within bounds, exact numbers | |
//! | [`lenient_json`] | the JSON of events | |
//! | [`zone`], [`timestamp`] | time zones, points in time | values |
//! | [`reference`](mod@reference) | references such as `$.detail.order.id`, and their selectors | values |
//! | [`arn`], [`limits`], [`phone`] | rules of Amazon Connect, Cases and Customer Profiles for ARNs, lengths and phone numbers | |
//! | [`field`], [`domain`] | field types and what they accept; the domain snapshot | values |
//! | [`tree`] | a file as a tree in which every node has a span | values |
//! | [`diagnostic`] | errors and warnings with position, message and help | tree |
//! | [`yaml`], [`json`], [`source`] | the text of a file, read into a tree | tree, diagnostics |
//! | [`pattern`] | event patterns with the semantics of EventBridge | tree, diagnostics |
//! | [`filter`], [`expression`] | expressions such as `{{ $.detail.order.id \| upper }}`, variables | references, patterns, diagnostics |
//! | [`schema`], [`object`] | one table of keys for decoder, JSON Schema and reference; objects checked against it | tree, diagnostics |
//! | `mapping`, [`customer`] | the compiled mapping | fields, expressions, patterns |
//! | `decode` | from the tree to the mapping, with every error | all above |
//! | [`lint`] | warnings for authors | all above |

pub mod arn;
pub mod customer;
pub mod decimal;
mod decode;
pub mod diagnostic;
pub mod domain;
pub mod expression;
pub mod field;
pub mod filter;
pub mod json;
mod known_members;
pub mod lenient_json;
pub mod limits;
pub mod lint;
mod locate;
mod mapping;
pub mod object;
pub mod pattern;
pub mod phone;
pub mod reference;
pub mod schema;
pub mod source;
pub mod text;
pub mod timestamp;
pub mod tree;
mod trigger;
pub mod value;
pub mod yaml;
pub mod zone;

pub use self::decode::LoadContext;
pub use self::lint::CheckReport;
pub use self::mapping::{
    CaseMapping, Choice, Content, FieldMapping, FieldSource, IfInvalid, IfMissing,
    LedgerUnavailable, LedgerUse, LinkContact, Mapping, OnExisting, Overflow, PerformedBy,
};
pub use self::trigger::Trigger;
