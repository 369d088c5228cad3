//! The benchmark: `cargo side-by-side` runs the deployed function beside its peers, as Lambda runs them.
//!
//! | module | does |
//! | --- | --- |
//! | [`toolchain`] | builds what is written in Rust and installs the rest, below Cargo's target folder |
//! | [`contender`] | each function that is measured: how to run it, and what it is sent |
//! | [`elf`] | for which target a binary was built |
//! | [`workload`] | an event, with an identity of its own for every invocation |
//! | [`services`] | Cases and what it leans on, over TLS or plain HTTP, as slow as asked |
//! | [`proxy`] | the network between function and services |
//! | [`authority`] | the certificate authority of the TLS endpoint, and the bundles that clients trust |
//! | [`process`] | a process's CPU time and memory |
//! | [`compare`] | all of them in turns |
//! | [`guard`] | instruction counts, held against a baseline |
//! | [`measure`] | one cold start and the invocations after it |
//! | [`figures`] | medians and quartiles of many |
//! | [`bars`] | the limits that the figures are held to |
//! | [`report`] | the figures as Markdown, JSON and a plot |

pub mod authority;
pub mod bars;
pub mod compare;
pub mod contender;
pub mod elf;
pub mod figures;
pub mod guard;
pub mod measure;
pub mod process;
pub mod proxy;
pub mod report;
pub mod services;
pub mod toolchain;
pub mod workload;
