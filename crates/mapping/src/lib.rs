//! The mapping language: `mapping.yaml` and `domain.json`, compiled.
//!
//! [`Mapping::load`] turns the text of a mapping into a [`Mapping`], once, at the cold start, or into all its errors. The first entry of
//! [`Mapping::cases`] that takes an event makes its case. [`lint::check`] adds the warnings, for the tools.
//!
//! Everything here is pure: no clock, no environment, no files, no network. The same event always gives the same values.
//!
//! | module | what it has | uses |
//! | --- | --- | --- |
//! | [`value`], [`text`], [`timestamp`] | values of an event, text within bounds, points in time | |
//! | [`arn`], [`limits`], [`phone`] | rules of Amazon Connect, Cases and Customer Profiles for ARNs, lengths and phone numbers | |
//! | [`field`], [`domain`] | field types and what they accept; the domain snapshot | values |
//! | [`tree`], [`yaml`], [`json`] | a file as a tree in which every node has its place | values |
//! | [`diagnostic`] | errors and warnings with place, sentence and help | tree |
//! | [`filter`], [`expression`] | `{{ $.detail.order.id \| upper }}` | values, diagnostics |
//! | [`pattern`] | event patterns, as EventBridge reads them | tree, diagnostics |
//! | [`schema`], [`object`] | the keys of the language, one table for decoder, JSON Schema and reference; an object checked by it | tree, diagnostics |
//! | `mapping`, [`customer`] | the compiled mapping | fields, expressions, patterns |
//! | `decode` | tree into mapping, with every error | all above |
//! | [`lint`] | warnings for authors | all above |

pub mod arn;
pub mod customer;
mod decode;
pub mod diagnostic;
pub mod domain;
pub mod expression;
pub mod field;
pub mod filter;
pub mod json;
mod known_members;
pub mod limits;
pub mod lint;
mod locate;
mod mapping;
pub mod object;
pub mod pattern;
pub mod phone;
pub mod schema;
pub mod text;
pub mod timestamp;
pub mod tree;
mod trigger;
pub mod value;
pub mod yaml;

pub use self::decode::LoadContext;
pub use self::lint::CheckReport;
pub use self::mapping::{
    CaseMapping, Choice, Content, FieldMapping, FieldSource, IfMissing, LedgerUnavailable,
    LedgerUse, LinkContact, Mapping, OnExisting, Overflow, PerformedBy,
};
pub use self::trigger::Trigger;
