//! The [AWS Lambda Runtime API][api] as a server on loopback: an event goes in, the function's binary fetches it over
//! HTTP as it does inside Lambda, and its answer comes out.
//!
//! - [`RuntimeApi`] is the protocol alone, for anything that polls it;
//! - [`Function`] runs a binary under it in Lambda's environment, and reports how it ended when it does not answer;
//! - [`serve_invocations`] puts Lambda's Invoke operation in front of a [`Function`], for `curl` and the AWS CLI.
//!
//! [api]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

mod api;
mod function;
mod http;
mod invocations;
mod process;
mod queue;

pub use api::RuntimeApi;
pub use function::{Function, FunctionConfiguration, FunctionError, Phase};
pub use hyper::body::Bytes;
pub use invocations::serve_invocations;
pub use process::LastLines;
pub use queue::{Answer, ErrorReport, InvokeError};
