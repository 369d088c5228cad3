//! Faults to inject: errors, delays and closed connections in place of a request's ordinary answer.

use std::collections::VecDeque;
use std::time::Duration;

/// A fault that the next matching requests meet, one fault per request.
///
/// ```
/// use cases_emulator::Fault;
/// let twice_throttled = Fault::status(429, "ThrottlingException", "slow down")
///     .on("CreateCase")
///     .times(2);
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    /// The API's name of the operation, such as `CreateCase`; names of tables and queues begin with
    /// their service: `DynamoDB.PutItem`, `SQS.SendMessage`. `None` for any.
    pub operation: Option<String>,
    /// The number of matching requests that meet it.
    pub times: u32,
    /// The fault itself.
    pub kind: FaultKind,
}

/// A kind of fault.
///
/// A client may end while its request is under way: its future is dropped, or its connection closes.
/// The request then ends too. Under [`Delay`](Self::Delay) and [`Hang`](Self::Hang) it
/// never has its effect; under [`DelayAfter`](Self::DelayAfter) it already had it. Its status in
/// `Emulator::requests` stays 0, and the fault is used up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FaultKind {
    /// An error answer; the request has no effect.
    Status(ErrorAnswer),
    /// The request has its effect, and the answer is this error.
    StatusAfter(ErrorAnswer),
    /// The request waits, then has its effect and its answer, unless the client is gone by then.
    Delay(Duration),
    /// The request has its effect at once, and its answer comes late.
    DelayAfter(Duration),
    /// The connection is closed without an answer; the request has no effect.
    CloseBefore,
    /// The request has its effect, and the connection is closed without an answer.
    CloseAfter,
    /// The request has no effect, and no answer ever comes.
    Hang,
}

/// An error answer of the service.
#[derive(Debug, Clone)]
pub struct ErrorAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The exception's name, such as `ThrottlingException`: the value of `x-amzn-errortype`, or the end
    /// of `__type`.
    pub error_type: String,
    /// The member `message`, or `Message` in some services.
    pub message: String,
    /// The `Retry-After` header, in seconds.
    pub retry_after: Option<u32>,
}

impl Fault {
    /// Returns a fault for the next request of any operation.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            operation: None,
            times: 1,
            kind,
        }
    }

    /// Returns an error answer in place of the request's effect.
    #[must_use]
    pub fn status(status: u16, error_type: &str, message: &str) -> Self {
        Self::new(FaultKind::Status(ErrorAnswer::new(
            status, error_type, message,
        )))
    }

    /// Returns an error answer to a request that had its effect.
    #[must_use]
    pub fn status_after(status: u16, error_type: &str, message: &str) -> Self {
        Self::new(FaultKind::StatusAfter(ErrorAnswer::new(
            status, error_type, message,
        )))
    }

    /// Limits the fault to requests of this operation, by the API's name.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Sets the number of matching requests that meet the fault.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Adds a `Retry-After` header of so many seconds to an error answer.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if let FaultKind::Status(answer) | FaultKind::StatusAfter(answer) = &mut self.kind {
            answer.retry_after = Some(seconds);
        }
        self
    }
}

impl ErrorAnswer {
    /// Returns an error answer without `Retry-After`.
    #[must_use]
    pub fn new(status: u16, error_type: &str, message: &str) -> Self {
        Self {
            status,
            error_type: error_type.to_owned(),
            message: message.to_owned(),
            retry_after: None,
        }
    }
}

/// The faults not met yet, the first injected first.
#[derive(Debug, Default)]
pub(crate) struct FaultQueue(VecDeque<Fault>);

impl FaultQueue {
    pub(crate) fn push(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.0.push_back(fault);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Uses the first fault for this operation once.
    pub(crate) fn take(&mut self, operation: &str) -> Option<FaultKind> {
        let matches = |fault: &Fault| fault.operation.as_deref().is_none_or(|on| on == operation);
        let position = self.0.iter().position(matches)?;
        let fault = self.0.get_mut(position)?;
        let kind = fault.kind.clone();
        fault.times -= 1;
        if fault.times == 0 {
            self.0.remove(position);
        }
        Some(kind)
    }
}
