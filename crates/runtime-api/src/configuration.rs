//! [`FunctionConfiguration`]: which binary is run, and what it is told.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::process::Command;

use crate::api::INIT_TIMEOUT;

/// What to run and how: the parts of Lambda's `FunctionConfiguration` that a function notices.
#[derive(Clone)]
pub struct FunctionConfiguration {
    pub(crate) program: PathBuf,
    arguments: Vec<OsString>,
    launcher: Vec<OsString>,
    pub(crate) init_timeout: Duration,
    pub(crate) function_name: String,
    memory_size_mb: u32,
    pub(crate) timeout: Duration,
    pub(crate) max_concurrency: usize,
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
            memory_size_mb: 128,
            timeout: Duration::from_secs(3),
            max_concurrency: 1,
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

    /// How long the initialisation may take; default: Lambda's 10 seconds.
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

    /// `MemorySize` in MB: what the function is told; nothing limits it here.
    #[must_use]
    pub fn memory_size_mb(mut self, megabytes: u32) -> Self {
        self.memory_size_mb = megabytes;
        self
    }

    /// `Timeout` of one invocation. The initialisation has a time of its own.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many events the function is given at once; default 1, and at least that. More is what Lambda Managed Instances
    /// do: the function is told by `AWS_LAMBDA_MAX_CONCURRENCY`, and has to poll that often.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-execution-environment.html>
    #[must_use]
    pub fn max_concurrency(mut self, events: usize) -> Self {
        self.max_concurrency = events.max(1);
        self
    }

    /// A variable of its environment; it takes the place of one that Lambda would set, but for
    /// `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    pub(crate) fn command(&self, runtime_api: &str) -> Command {
        let mut command = match self.launcher.split_first() {
            Some((launcher, arguments)) => {
                let mut command = Command::new(launcher);
                command.args(arguments).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        let task_root = self
            .program
            .parent()
            .map_or(OsStr::new("."), |directory| directory.as_os_str());
        command
            .args(&self.arguments)
            .env_clear()
            .env("LAMBDA_TASK_ROOT", task_root)
            .env("LAMBDA_RUNTIME_DIR", "/var/runtime")
            .env("_HANDLER", "bootstrap")
            .env("AWS_LAMBDA_FUNCTION_NAME", &self.function_name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                self.memory_size_mb.to_string(),
            )
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env(
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", self.function_name),
            )
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "$LATEST")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_SESSION_TOKEN", "test")
            .env("LANG", "en_US.UTF-8")
            .env("TZ", ":UTC")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin");
        if self.max_concurrency > 1 {
            command
                .env(
                    "AWS_LAMBDA_MAX_CONCURRENCY",
                    self.max_concurrency.to_string(),
                )
                .env("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances");
        }
        command
            .envs(&self.environment)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api);
        command
    }
}
