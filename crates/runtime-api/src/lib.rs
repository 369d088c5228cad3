//! The [AWS Lambda Runtime API][api] as a server on loopback: an event goes in, the function's binary fetches it over
//! HTTP as it does inside Lambda, and its answer comes out.
//!
//! - [`RuntimeApi`] is the protocol alone, for anything that polls it;
//! - [`Function`] runs a binary under it in Lambda's environment, and says how it ended when it does not answer;
//! - [`serve_invocations`] puts Lambda's Invoke operation in front of a [`Function`], for `curl` and the AWS CLI.
//!
//! [api]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

mod answer;
mod api;
mod configuration;
mod connection;
mod function;
mod invocations;
mod output;
mod process;
mod routes;

pub use answer::{Answer, ErrorReport};
pub use api::{InvokeError, RuntimeApi};
pub use configuration::FunctionConfiguration;
pub use function::{Function, FunctionError, Phase};
pub use hyper::body::Bytes;
pub use invocations::serve_invocations;
pub use output::LastLines;
