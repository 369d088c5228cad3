//! [`Function`]: a binary run as Lambda runs it, one event at a time unless it is told otherwise, started anew when it has ended.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::{RwLock, RwLockReadGuard, Semaphore};

use crate::answer::{Answer, ErrorReport};
use crate::api::{InvokeError, RuntimeApi, seconds};
use crate::configuration::FunctionConfiguration;
use crate::output::{LastLines, Output};
use crate::process::Process;

impl FunctionConfiguration {
    /// Starts the function and waits until it is ready for its first event.
    ///
    /// # Errors
    ///
    /// When the binary cannot be run, ends or reports an error before it is ready, or is not ready in time.
    pub async fn start(self) -> Result<Function, FunctionError> {
        let output = Output::default();
        let environment = Environment::start(&self, &output).await?;
        Ok(Function {
            turns: Semaphore::new(self.max_concurrency),
            configuration: self,
            output,
            process: Mutex::new(Arc::clone(&environment.process)),
            environment: RwLock::new(environment),
        })
    }
}

/// A function that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Function {
    configuration: FunctionConfiguration,
    output: Output,
    /// The process of `environment`, reachable while an invocation holds that.
    process: Mutex<Arc<Process>>,
    environment: RwLock<Environment>,
    /// One permit for each event that the function may have at once.
    turns: Semaphore,
}

impl Function {
    /// Sends one event and waits for the answer. Calls beyond [`FunctionConfiguration::max_concurrency`] wait for their turn,
    /// as with one execution environment; a function that has ended is started again first, as Lambda does.
    ///
    /// # Errors
    ///
    /// [`FunctionError`]: the event is not JSON, or the function ended, or did not answer in time and was killed for it,
    /// or could not be started again.
    pub async fn invoke(&self, payload: impl Into<Bytes>) -> Result<Answer, FunctionError> {
        let payload = payload.into();
        expect_json(&payload).map_err(FunctionError::InvalidRequestContent)?;
        // Nothing closes the semaphore, and a turn without a permit would do no harm.
        let _turn = self.turns.acquire().await;
        let environment = self.running().await?;
        let Environment { api, process } = &*environment;
        tokio::select! {
            // An answer counts although the process ends right after it.
            biased;
            answer = api.invoke(payload, self.configuration.timeout) => match answer {
                Ok(answer) => Ok(answer),
                Err(cause) => {
                    process.kill().await;
                    Err(FunctionError::NoAnswer { cause, output: self.output.last() })
                }
            },
            exit = process.exited() => Err(FunctionError::Exited { phase: Phase::Invoke, exit, output: self.output.last() }),
        }
    }

    /// Waits until the function waits for its next event, or has ended.
    pub async fn idle(&self) {
        let environment = self.environment.read().await;
        tokio::select! {
            () = environment.api.idle() => {}
            _ = environment.process.exited() => {}
        }
    }

    async fn running(&self) -> Result<RwLockReadGuard<'_, Environment>, FunctionError> {
        let environment = self.environment.read().await;
        if environment.process.is_running() {
            return Ok(environment);
        }
        drop(environment);
        let mut environment = self.environment.write().await;
        // Another event may have been first.
        if !environment.process.is_running() {
            *environment = Environment::start(&self.configuration, &self.output).await?;
            *self.process() = Arc::clone(&environment.process);
        }
        Ok(environment.downgrade())
    }

    /// What the function wrote to standard output and standard error since the last call, line by line
    /// (at most the last 10,000 lines).
    #[must_use]
    pub fn take_output(&self) -> Vec<String> {
        self.output.take()
    }

    /// Waits for the end of the process and says how it ended: `exit status 1`, `signal 9 (SIGKILL)`.
    pub async fn exited(&self) -> String {
        let process = Arc::clone(&self.process());
        process.exited().await
    }

    /// Process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process().pid()
    }

    /// Kills the process (SIGKILL), in the middle of an invocation too, and waits until it is gone.
    pub async fn kill(&self) {
        let process = Arc::clone(&self.process());
        process.kill().await;
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Arc<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An execution environment: one process and the Runtime API that it alone speaks to.
#[derive(Debug)]
struct Environment {
    api: RuntimeApi,
    process: Arc<Process>,
}

impl Environment {
    async fn start(
        configuration: &FunctionConfiguration,
        output: &Output,
    ) -> Result<Self, FunctionError> {
        let api = RuntimeApi::start(&configuration.function_name)
            .await
            .map_err(FunctionError::Listen)?;
        let process =
            Process::spawn(configuration.command(&api.address()), output).map_err(|source| {
                FunctionError::Spawn {
                    program: configuration.program.clone(),
                    source,
                }
            })?;
        tokio::select! {
            biased;
            initialized = api.initialized() => initialized.map_err(FunctionError::Init)?,
            exit = process.exited() => {
                return Err(FunctionError::Exited { phase: Phase::Init, exit, output: output.all() });
            }
            () = tokio::time::sleep(configuration.init_timeout) => {
                process.kill().await;
                return Err(FunctionError::InitTimedOut { after: configuration.init_timeout, output: output.all() });
            }
        }
        Ok(Self {
            api,
            process: Arc::new(process),
        })
    }
}

/// Why a function did not start or gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// The binary could not be run.
    #[error("{} could not be run", program.display())]
    Spawn {
        /// The binary.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No port for the Runtime API.
    #[error("the Lambda Runtime API found no port to listen on at 127.0.0.1")]
    Listen(#[source] io::Error),
    /// The event is not JSON, which Lambda hands to no function; what is wrong, and where.
    #[error("the event is not JSON, and Lambda hands nothing else to a function: {0}")]
    InvalidRequestContent(String),
    /// The function reported that it cannot start.
    #[error("the function cannot start: {0}")]
    Init(ErrorReport),
    /// The function was neither ready nor gone in time, and was killed.
    #[error(
        "the function was not ready for an event after {} and was stopped{output}",
        seconds(*after)
    )]
    InitTimedOut {
        /// The time that it had.
        after: Duration,
        /// The last lines it wrote.
        output: LastLines,
    },
    /// The process ended by itself or by a signal.
    #[error("the function ended with {exit} {phase}{output}")]
    Exited {
        /// What it was doing.
        phase: Phase,
        /// `exit status 1`, `signal 9 (SIGKILL)`.
        exit: String,
        /// The last lines it wrote.
        output: LastLines,
    },
    /// The event was not answered in time; the process was killed, as Lambda does.
    #[error("{cause} and was stopped{output}")]
    NoAnswer {
        /// Which time ran out.
        cause: InvokeError,
        /// The last lines it wrote.
        output: LastLines,
    },
}

impl FunctionError {
    /// The `errorType` that Lambda gives to the caller of Invoke.
    #[must_use]
    pub fn error_type(&self) -> &str {
        match self {
            Self::Spawn { .. } | Self::Listen(_) => "Runtime.InvalidEntrypoint",
            Self::InvalidRequestContent(_) => "InvalidRequestContentException",
            Self::Init(report) => &report.error_type,
            Self::Exited { .. } => "Runtime.ExitError",
            Self::InitTimedOut { .. } | Self::NoAnswer { .. } => "Sandbox.Timedout",
        }
    }
}

/// Says what keeps a payload from being JSON, without a word of the payload.
fn expect_json(payload: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(payload)
        .map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// What a function was doing when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It was starting and had not asked for an event.
    Init,
    /// It had been given an event.
    Invoke,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "before it was ready",
            Self::Invoke => "while it had an event to answer",
        })
    }
}
