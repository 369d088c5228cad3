//! Faults to inject: what a request meets instead of, before or after its ordinary treatment.

use std::collections::VecDeque;
use std::time::Duration;

/// A fault that the next matching requests meet, one fault per request.
///
/// ```
/// use cases_emulator::Fault;
/// let twice_throttled = Fault::status(429, "ThrottlingException", "slow down")
///     .on("`CreateCase`")
///     .times(2);
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    /// The API's name of the operation, such as `CreateCase`; `CustomerProfiles.ListDomains` for the
    /// `ListDomains` that is not of Cases, and `DynamoDB.PutItem`, `SQS.SendMessage` and the like for
    /// those of tables and queues. `None` for any.
    pub operation: Option<String>,
    /// How many matching requests meet it.
    pub times: u32,
    /// What they meet.
    pub kind: FaultKind,
}

/// What a request meets.
///
/// A client may end while its request is under way: its future is dropped, or its connection closed.
/// The request then ends too, wherever it is. Under [`Delay`](Self::Delay) and [`Hang`](Self::Hang) it
/// never has its effect; under [`DelayAfter`](Self::DelayAfter) it has had it. Its status in
/// `Emulator::requests` stays 0, and the fault is used up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FaultKind {
    /// An error answer; the request has no effect.
    Status(ErrorAnswer),
    /// The request has its effect, and the answer is this error.
    StatusAfter(ErrorAnswer),
    /// The request waits, then has its effect and its answer. It has none when the client is gone
    /// by then.
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
    /// The exception's name, such as `ThrottlingException`, as it stands in `x-amzn-errortype`, and
    /// without its namespace at the end of `__type`.
    pub error_type: String,
    /// The member `message`, or `Message` where the service's model has it so.
    pub message: String,
    /// The `Retry-After` header, in seconds.
    pub retry_after: Option<u32>,
}

impl Fault {
    /// A fault that the next request of any operation meets.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            operation: None,
            times: 1,
            kind,
        }
    }

    /// An error answer in place of the request's effect.
    #[must_use]
    pub fn status(status: u16, error_type: &str, message: &str) -> Self {
        Self::new(FaultKind::Status(ErrorAnswer::new(
            status, error_type, message,
        )))
    }

    /// An error answer although the request had its effect.
    #[must_use]
    pub fn status_after(status: u16, error_type: &str, message: &str) -> Self {
        Self::new(FaultKind::StatusAfter(ErrorAnswer::new(
            status, error_type, message,
        )))
    }

    /// The fault for requests of this operation only, by the API's name.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// The fault for so many matching requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The fault with a `Retry-After` header of so many seconds, where it is an error answer.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if let FaultKind::Status(answer) | FaultKind::StatusAfter(answer) = &mut self.kind {
            answer.retry_after = Some(seconds);
        }
        self
    }
}

impl ErrorAnswer {
    /// An error answer without `Retry-After`.
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

    /// Takes one use of the first fault for this operation.
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
