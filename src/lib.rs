//! Casebridge: Amazon Connect flow and EventBridge events become Amazon Connect cases.
//!
//! ```text
//! payload ─▶ Event ─▶ route ─▶ CaseRequest ─▶ claim ─▶ customer ─▶ CreateCase ─▶ link, comment ─▶ Outcome ─▶ answer
//!           (lenient)  (mapping, pure)        (ledger) (Profiles)   (Cases)       (Cases)          (flat strings)
//! ```
//!
//! | module | turns |
//! | --- | --- |
//! | [`event`] | a raw payload into events |
//! | [`guard`] | an event into go, skip or refuse |
//! | [`request`], [`key`] | an event and its case mapping into the request with its token |
//! | [`contact`] | a contact event into one that knows its contact |
//! | [`ledger`] | a key into a claim, or into what was done for it |
//! | [`customer`] | what an event tells of a customer into one profile |
//! | [`cases`] | a request into a case, and what joins it |
//! | [`failure_queue`] | a message that can never succeed into one that waits for a person |
//! | [`outcome`], [`error`] | what happened into an answer |
//! | [`handler`] | an invocation into an answer: the line above |
//! | [`call`], [`metrics`] | the calls of an event into its line of the log and metrics |
//! | [`panics`] | a panic into a failure of one event |
//! | [`config`], [`client`], [`start`], [`log`] | the environment into a function that is ready |
//! | [`appconfig`], [`live`] | a mapping that is deployed while the function runs into one that is in use |
//!
//! The mapping language is the crate [`mapping`].
//!
//! Everything but the services' files, `handler`, `client` and `config` is pure: no clock, no environment, no network.

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
