//! [`Function`]: a binary run as Lambda runs it, one event at a time, started again when it has ended.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::api::RuntimeApi;
use crate::process::{LastLines, Output, Process};
use crate::queue::{Answer, ErrorReport, INIT_TIMEOUT, InvokeError, seconds};

/// The environment of every function, as Lambda sets it.
const LAMBDA: [(&str, &str); 14] = [
    ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ("_HANDLER", "bootstrap"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "$LATEST"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_SESSION_TOKEN", "test"),
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":UTC"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
];

/// A binary and how to run it: the parts of Lambda's `FunctionConfiguration` that a function notices.
#[derive(Clone)]
pub struct FunctionConfiguration {
    program: PathBuf,
    arguments: Vec<OsString>,
    launcher: Vec<OsString>,
    init_timeout: Duration,
    function_name: String,
    timeout: Duration,
    environment: BTreeMap<OsString, OsString>,
}

impl fmt::Debug for FunctionConfiguration {
    /// Names the variables and keeps their values to itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionConfiguration")
            .field("program", &self.program)
            .field("timeout", &self.timeout)
            .field("environment", &self.environment.keys())
            .finish_non_exhaustive()
    }
}

impl FunctionConfiguration {
    /// A function of this binary: 128 MB, a time-out of 3 seconds (Lambda's own defaults), Region us-east-1, test
    /// credentials. It runs in the current directory and sees nothing of the current environment.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            launcher: Vec::new(),
            init_timeout: INIT_TIMEOUT,
            function_name: "function".to_owned(),
            timeout: Duration::from_secs(3),
            environment: BTreeMap::new(),
        }
    }

    /// Arguments of the binary: a script for an interpreter, say.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Another program, with its arguments, that runs the binary: `valgrind --tool=callgrind`, say.
    #[must_use]
    pub fn launcher(mut self, launcher: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.launcher = launcher.into_iter().map(Into::into).collect();
        self
    }

    /// The time for the initialisation; default: Lambda's 10 seconds.
    #[must_use]
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = timeout;
        self
    }

    /// `FunctionName`; default `function`.
    #[must_use]
    pub fn function_name(mut self, name: impl Into<String>) -> Self {
        self.function_name = name.into();
        self
    }

    /// `Timeout` of one invocation. The initialisation has a time of its own.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A variable of its environment; it replaces one that Lambda would set, but for `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Starts the function and waits until it is ready for its first event.
    ///
    /// # Errors
    ///
    /// When the binary cannot be run, ends or reports an error before it is ready, or is not ready in time.
    pub async fn start(self) -> Result<Function, FunctionError> {
        let output = Output::default();
        let environment = Environment::start(&self, &output).await?;
        Ok(Function {
            configuration: self,
            output,
            process: std::sync::Mutex::new(Arc::clone(&environment.process)),
            environment: Mutex::new(environment),
        })
    }

    fn command(&self, runtime_api: &str) -> Command {
        let launcher = self.launcher.iter().map(OsString::as_os_str);
        let mut words = launcher.chain([self.program.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        let task_root = self.program.parent().unwrap_or(Path::new("."));
        command
            .args(words)
            .args(&self.arguments)
            .env_clear()
            .envs(LAMBDA)
            .env("LAMBDA_TASK_ROOT", task_root)
            .env("AWS_LAMBDA_FUNCTION_NAME", &self.function_name)
            .env(
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", self.function_name),
            )
            .envs(&self.environment)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api);
        command
    }
}

/// A function that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Function {
    configuration: FunctionConfiguration,
    output: Output,
    /// The process of `environment`, reachable while an invocation holds that.
    process: std::sync::Mutex<Arc<Process>>,
    /// Locked while the function has an event.
    environment: Mutex<Environment>,
}

impl Function {
    /// Sends one event and waits for the answer. Calls that overlap wait for their turn, as with one execution
    /// environment; a function that has ended is started again first, as Lambda does.
    ///
    /// # Errors
    ///
    /// [`FunctionError`]: the event is not JSON, or the function ended, or did not answer in time and was killed for it,
    /// or could not be started again.
    pub async fn invoke(&self, payload: impl Into<Bytes>) -> Result<Answer, FunctionError> {
        let payload = payload.into();
        expect_json(&payload).map_err(FunctionError::InvalidRequestContent)?;
        let mut environment = self.environment.lock().await;
        if !environment.process.is_running() {
            *environment = Environment::start(&self.configuration, &self.output).await?;
            *self.process() = Arc::clone(&environment.process);
        }
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
        let environment = self.environment.lock().await;
        tokio::select! {
            () = environment.api.idle() => {}
            _ = environment.process.exited() => {}
        }
    }

    /// The lines that the function wrote to standard output and standard error since the last call; at most the last
    /// 10,000.
    #[must_use]
    pub fn take_output(&self) -> Vec<String> {
        self.output.take()
    }

    /// Waits for the end of the process and returns its description: `exit status 1`, `signal 9 (SIGKILL)`.
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

/// The reason why a function did not start or gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// The binary could not be run.
    #[error("{} could not be run", program.display())]
    Spawn {
        /// The binary.
        program: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// No port for the Runtime API.
    #[error("the Lambda Runtime API found no port to listen on at 127.0.0.1")]
    Listen(#[source] io::Error),
    /// The event is not JSON, which Lambda hands to no function; with the fault and its place.
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
    /// The process exited or was ended by a signal.
    #[error("the function ended with {exit} {phase}{output}")]
    Exited {
        /// The step that it ended in.
        phase: Phase,
        /// `exit status 1`, `signal 9 (SIGKILL)`.
        exit: String,
        /// The last lines it wrote.
        output: LastLines,
    },
    /// The event was not answered in time; the process was killed, as Lambda does.
    #[error("{cause} and was stopped{output}")]
    NoAnswer {
        /// The time that ran out.
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

/// Returns the fault that keeps a payload from being JSON, without a word of the payload.
fn expect_json(payload: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(payload)
        .map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// The step in which a function ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Phase {
    /// It was starting and had not asked for an event.
    #[error("before it was ready")]
    Init,
    /// It had been given an event.
    #[error("while it had an event to answer")]
    Invoke,
}
