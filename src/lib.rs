//! Casebridge: turns Amazon Connect flow events and EventBridge events into Amazon Connect cases.
//!
//! ```text
//! payload ─▶ Event ─▶ route ─▶ CaseRequest ─▶ claim ─▶ customer ─▶ CreateCase ─▶ link, comment ─▶ Outcome ─▶ answer
//!           (lenient)  (mapping, pure)        (ledger) (Profiles)   (Cases)       (Cases)          (flat strings)
//! ```
//!
//! | module | input → output |
//! | --- | --- |
//! | [`event`] | a raw payload → events |
//! | [`guard`] | an event → accept, skip or refuse |
//! | [`request`], [`key`] | an event and its case mapping → the request with its client token |
//! | [`contact`] | a contact event → the event with its contact's data |
//! | [`ledger`] | a key → a claim, or the recorded steps |
//! | [`customer`] | an event's customer data → one profile |
//! | [`cases`] | a request → a case with its contact and comments |
//! | [`failure_queue`] | a message that can never succeed → a message that waits for a person |
//! | [`outcome`], [`error`] | the result of an event → an answer |
//! | [`handler`] | an invocation → an answer, by the steps above |
//! | [`call`], [`metrics`] | the calls of an event → its log line and its metrics |
//! | [`deadline`] | the time left → a deadline |
//! | [`panics`] | a panic → a failure of one event |
//! | [`config`], [`client`], [`start`], [`log`] | the environment → a function that is ready |
//! | [`appconfig`], [`live`] | a mapping that is deployed while the function runs → the mapping in use |
//!
//! The crate [`mapping`] contains the mapping language.
//!
//! The modules `event`, `guard`, `request`, `key`, `outcome` and `error` are pure: no clock, no environment, no network.

pub mod appconfig;
pub mod call;
pub mod cases;
pub mod client;
pub mod config;
pub mod contact;
pub mod customer;
pub mod deadline;
pub mod error;
pub mod event;
pub mod failure_queue;
pub mod guard;
pub mod handler;
pub mod key;
pub mod ledger;
pub mod live;
pub mod log;
pub mod metrics;
pub mod outcome;
pub mod panics;
pub mod request;
pub mod start;
