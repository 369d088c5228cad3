//! [`RuntimeApi`]: a queue of events with an HTTP server at its other end.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::body::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use crate::answer::{Answer, ErrorReport};
use crate::{connection, routes};

/// How long Lambda lets a function initialise, and how long an event waits here for someone to fetch it.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
pub(crate) const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The Lambda Runtime API (version 2018-06-01) on a loopback port of its own.
///
/// Clones share one server, which ends when the last of them is dropped. Events are handed out in the order of
/// [`RuntimeApi::invoke`], one to each poller.
#[derive(Clone, Debug)]
pub struct RuntimeApi {
    queue: Arc<Queue>,
    server: Arc<Server>,
}

/// Why an event has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The event was fetched and not answered in time.
    #[error("the function did not answer within {}", seconds(*.0))]
    TimedOut(Duration),
    /// No function asked for the event.
    #[error("no function asked for the event within {}", seconds(*.0))]
    NotFetched(Duration),
}

/// What the HTTP routes and the callers of `invoke` share.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) function_arn: String,
    sender: mpsc::UnboundedSender<Queued>,
    receiver: tokio::sync::Mutex<mpsc::UnboundedReceiver<Queued>>,
    in_flight: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    init: watch::Sender<Init>,
    /// How many pollers wait for an event.
    waiting: watch::Sender<usize>,
    count: AtomicU64,
}

#[derive(Debug)]
struct Queued {
    payload: Bytes,
    timeout: Duration,
    fetched: oneshot::Sender<()>,
    answer: oneshot::Sender<Answer>,
}

/// An event on its way to the function, with what the response headers of `next` say of it.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) deadline_ms: u128,
    pub(crate) payload: Bytes,
}

#[derive(Clone, Debug)]
enum Init {
    Running,
    Done,
    Failed(ErrorReport),
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RuntimeApi {
    /// Listens on a free port of 127.0.0.1 and serves in the background of the current Tokio runtime.
    ///
    /// `function_name` goes into the ARN that the function is told.
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    pub async fn start(function_name: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let queue = Arc::new(Queue {
            function_arn: format!("arn:aws:lambda:us-east-1:111122223333:function:{function_name}"),
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
            in_flight: Mutex::default(),
            init: watch::Sender::new(Init::Running),
            waiting: watch::Sender::new(0),
            count: AtomicU64::new(1),
        });
        let events = Arc::clone(&queue);
        let task = tokio::spawn(connection::serve(listener, move |request| {
            let queue = Arc::clone(&events);
            async move { routes::respond(&queue, request).await }
        }));
        let server = Arc::new(Server {
            address,
            task: task.abort_handle(),
        });
        Ok(Self { queue, server })
    }

    /// `host:port`, the value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// Waits until the function asks for its first event: the end of its initialisation.
    ///
    /// # Errors
    ///
    /// What the function sent to `init/error`.
    pub async fn initialized(&self) -> Result<(), ErrorReport> {
        let mut init = self.queue.init.subscribe();
        loop {
            match &*init.borrow_and_update() {
                Init::Running => {}
                Init::Done => return Ok(()),
                Init::Failed(report) => return Err(report.clone()),
            }
            if init.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Waits until the function waits for an event, on one of its connections at least.
    pub async fn idle(&self) {
        let mut waiting = self.queue.waiting.subscribe();
        // The queue has the sender, and lives as long as this.
        let _ = waiting.wait_for(|waiting| *waiting > 0).await;
    }

    /// Queues an event and waits for the function's answer.
    ///
    /// `timeout` runs from the moment the event is fetched, as a function's time-out does; the deadline that the
    /// function is told is that moment plus `timeout`. Calls may overlap: each event goes to one poller.
    ///
    /// # Errors
    ///
    /// [`InvokeError`] when nobody fetches the event within 10 seconds or it is not answered in time.
    pub async fn invoke(
        &self,
        payload: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<Answer, InvokeError> {
        let (fetched, is_fetched) = oneshot::channel();
        let (answer, is_answered) = oneshot::channel();
        let queued = Queued {
            payload: payload.into(),
            timeout,
            fetched,
            answer,
        };
        // The queue outlives this call, so the receiver is there and a send cannot fail.
        let _ = self.queue.sender.send(queued);
        match tokio::time::timeout(INIT_TIMEOUT, is_fetched).await {
            Ok(Ok(())) => {}
            _ => return Err(InvokeError::NotFetched(INIT_TIMEOUT)),
        }
        match tokio::time::timeout(timeout, is_answered).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(InvokeError::TimedOut(timeout)),
        }
    }
}

/// One poller that waits, until this is dropped: it was given an event, or its connection ended.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

impl Queue {
    /// The next event; waits until there is one whose caller still waits.
    pub(crate) async fn next(&self) -> Option<Invocation> {
        self.init.send_if_modified(|init| {
            let running = matches!(init, Init::Running);
            if running {
                *init = Init::Done;
            }
            running
        });
        let waiting = Waiting::begin(&self.waiting);
        loop {
            let queued = self.receiver.lock().await.recv().await?;
            if queued.fetched.send(()).is_err() {
                continue;
            }
            drop(waiting);
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            let request_id = format!("00000000-0000-4000-8000-{number:012x}");
            self.in_flight().insert(request_id.clone(), queued.answer);
            return Some(Invocation {
                trace_id: format!("Root=1-00000000-{number:024x};Parent={number:016x};Sampled=0"),
                request_id,
                deadline_ms: now_ms() + queued.timeout.as_millis(),
                payload: queued.payload,
            });
        }
    }

    /// Whether an answer to this id is awaited: it was handed out and not answered yet.
    pub(crate) fn is_in_flight(&self, request_id: &str) -> bool {
        self.in_flight().contains_key(request_id)
    }

    /// Gives the answer to the caller that still waits for it.
    pub(crate) fn answer(&self, request_id: &str, answer: Answer) {
        if let Some(sender) = self.in_flight().remove(request_id) {
            let _ = sender.send(answer);
        }
    }

    pub(crate) fn fail_init(&self, report: ErrorReport) {
        self.init.send_replace(Init::Failed(report));
    }

    fn in_flight(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Answer>>> {
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis())
}

/// `3 s`, `2.5 s`: a limit as people write it.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
