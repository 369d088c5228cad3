//! The functions that are measured: each as a folder such as is deployed, with Lambda's environment, and its events.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use runtime_api::FunctionConfiguration;
use serde_json::Value;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::services::{Authority, LEDGER_TABLE};
use crate::toolchain::{self, Toolchain};

/// The longest time that one invocation may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A kind of function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A function in Rust that does nothing.
    Empty,
    /// The same, static by musl.
    EmptyStatic,
    /// A bare `CreateCase` in Rust, with the tuned client.
    Tuned,
    /// The same, static by musl.
    TunedStatic,
    /// A bare `CreateCase` in Rust, with `aws_config::load_defaults`.
    Default,
    /// Casebridge, where the event takes `CreateCase` alone.
    Casebridge,
    /// Casebridge, where the customer is searched first.
    CasebridgeCustomer,
    /// Casebridge with ledger, customer and link.
    CasebridgeEverything,
    /// The same case in Python.
    Boto3,
    /// The same case in JavaScript.
    SdkV3,
}

impl Kind {
    /// All of them, in the order of the turns.
    pub(crate) const ALL: [Self; 10] = [
        Self::Empty,
        Self::EmptyStatic,
        Self::Tuned,
        Self::TunedStatic,
        Self::Default,
        Self::Casebridge,
        Self::CasebridgeCustomer,
        Self::CasebridgeEverything,
        Self::Boto3,
        Self::SdkV3,
    ];

    /// The name on the command line and in the tables, and a description.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Empty => ("empty", "Rust, no AWS call"),
            Self::EmptyStatic => ("empty-static", "the same, static by musl"),
            Self::Tuned => (
                "tuned",
                "Rust, a bare CreateCase: ring, AWS's own roots, Lambda's credentials",
            ),
            Self::TunedStatic => ("tuned-static", "the same, static by musl"),
            Self::Default => (
                "default",
                "Rust, a bare CreateCase: aws_config::load_defaults",
            ),
            Self::Casebridge => (
                "casebridge",
                "the shipped mapping, an event that takes CreateCase alone",
            ),
            Self::CasebridgeCustomer => (
                "casebridge-customer",
                "the shipped mapping, the customer found first",
            ),
            Self::CasebridgeEverything => (
                "casebridge-everything",
                "the shipped mapping with ledger, customer and contact",
            ),
            Self::Boto3 => (
                "boto3",
                "Python under AWS's awslambdaric, the same case, mapping in code",
            ),
            Self::SdkV3 => ("sdk-v3", "Node.js, the same case, mapping in code"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.names().0
    }

    /// A comparison runs without it on a machine that does not have it.
    pub(crate) fn may_be_missing(self) -> bool {
        matches!(
            self,
            Self::EmptyStatic | Self::TunedStatic | Self::Boto3 | Self::SdkV3
        )
    }

    /// Its file in `events/`, and JSON pointers to the texts that identify one such event.
    fn event(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::CasebridgeCustomer => ("order-failed.json", &["/id", "/detail/order/id"]),
            Self::CasebridgeEverything => (
                "contact-flow-nested-parameters.json",
                &["/Details/ContactData/ContactId"],
            ),
            _ => (
                "contact-event-disconnected.json",
                &["/id", "/detail/contactId"],
            ),
        }
    }
}

/// Casebridge, built another way, for a comparison of the two.
#[derive(Clone, Debug)]
pub(crate) struct Other {
    /// Its name in the tables.
    name: String,
    /// Its binary.
    bootstrap: PathBuf,
}

impl std::str::FromStr for Other {
    type Err = String;

    /// `NAME=PATH`
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(Self {
                name: name.to_owned(),
                bootstrap: path.into(),
            }),
            _ => Err("expected NAME=PATH, such as musl=/tmp/bootstrap".to_owned()),
        }
    }
}

/// A function that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) about: String,
    /// The target that it was built for; none of a script.
    pub(crate) target: Option<String>,
    /// It makes a case of each event.
    pub(crate) makes_cases: bool,
    /// The way to run it, without the services' endpoints.
    pub(crate) configuration: FunctionConfiguration,
    event: Value,
    /// JSON pointers to the texts that identify the event: its id, and the parts of its key.
    identity: &'static [&'static str],
    /// The zip file that is deployed, in bytes.
    pub(crate) zip_bytes: u64,
}

/// Puts contenders together.
pub(crate) struct Preparation<'a> {
    pub(crate) toolchain: &'a Toolchain,
    /// The authority that clients trust; none for plain HTTP.
    pub(crate) authority: Option<&'a Authority>,
    /// A binary of Casebridge to use instead of building one.
    pub(crate) bootstrap: Option<&'a Path>,
}

impl Preparation<'_> {
    /// Builds or installs one function.
    pub(crate) fn contender(&self, kind: Kind) -> anyhow::Result<Contender> {
        let name = kind.name().to_owned();
        match kind {
            Kind::Empty | Kind::Tuned | Kind::Default => {
                let built = self.toolchain.build_peer(kind.name())?;
                self.binary(kind, name, &built, &[])
            }
            Kind::EmptyStatic | Kind::TunedStatic => {
                let package = kind.name().trim_end_matches("-static");
                let built = self.toolchain.build_static_peer(package)?;
                self.binary(kind, name, &built, &[])
            }
            Kind::Casebridge | Kind::CasebridgeCustomer | Kind::CasebridgeEverything => {
                let built = match self.bootstrap {
                    Some(bootstrap) => bootstrap.to_owned(),
                    None => self.toolchain.build_function()?,
                };
                self.casebridge(kind, name, &built)
            }
            Kind::Boto3 => {
                let installed = self.toolchain.python()?;
                let packages = installed.handler.with_file_name("packages");
                let folders = installed.handler.parent().map(Path::to_path_buf);
                let path = std::env::join_paths(folders.into_iter().chain([packages]))?;
                let mut contender = self.interpreted(kind, installed)?;
                contender.configuration = contender.configuration.env("PYTHONPATH", path);
                Ok(contender)
            }
            Kind::SdkV3 => self.interpreted(kind, self.toolchain.node()?),
        }
    }

    /// Another build of Casebridge, with the event that takes `CreateCase` alone.
    pub(crate) fn other(&self, other: &Other) -> anyhow::Result<Contender> {
        ensure!(
            other.bootstrap.is_file(),
            "{} is not a file: expected a binary of Casebridge",
            other.bootstrap.display()
        );
        let mut contender =
            self.casebridge(Kind::Casebridge, other.name.clone(), &other.bootstrap)?;
        contender.about = "another build of Casebridge, sent the same".into();
        Ok(contender)
    }

    fn casebridge(&self, kind: Kind, name: String, built: &Path) -> anyhow::Result<Contender> {
        let documents = ["mapping.yaml", "domain.json"].map(|file| self.toolchain.source(file));
        let mut contender = self.binary(kind, name, built, &documents)?;
        contender.configuration = contender
            .configuration
            .env("PROFILES_DOMAIN", "amazon-connect-example");
        if kind == Kind::CasebridgeEverything {
            contender.configuration = contender
                .configuration
                .env("CASEBRIDGE_LEDGER_TABLE", LEDGER_TABLE);
        }
        Ok(contender)
    }

    /// A binary and its documents in a folder of their own: Lambda's task root.
    fn binary(
        &self,
        kind: Kind,
        name: String,
        built: &Path,
        documents: &[PathBuf],
    ) -> anyhow::Result<Contender> {
        let folder = self.toolchain.folder(&format!("task-roots/{name}"))?;
        let bootstrap = folder.join("bootstrap");
        std::fs::rename(toolchain::copy(built, &folder)?, &bootstrap)?;
        let mut deployed = vec![bootstrap.clone()];
        for document in documents {
            deployed.push(toolchain::copy(document, &folder)?);
        }
        let zip_bytes = zip_bytes(&deployed)?;
        let target = Some(toolchain::target(&bootstrap)?);
        let configuration = FunctionConfiguration::new(bootstrap);
        self.assemble(kind, name, configuration, target, zip_bytes)
    }

    /// A script: its SDK comes with Lambda's runtime, so the script is all that is deployed.
    fn interpreted(
        &self,
        kind: Kind,
        installed: toolchain::Installed,
    ) -> anyhow::Result<Contender> {
        let zip_bytes = zip_bytes(std::slice::from_ref(&installed.handler))?;
        let configuration = FunctionConfiguration::new(installed.program).args(installed.arguments);
        let configuration = match installed.handler.parent() {
            Some(folder) => configuration.env("LAMBDA_TASK_ROOT", folder),
            None => configuration,
        };
        self.assemble(kind, kind.name().to_owned(), configuration, None, zip_bytes)
    }

    /// Reads a JSON document of the repository.
    fn document(&self, path: impl AsRef<Path>) -> anyhow::Result<Value> {
        let file = self.toolchain.source(path);
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
    }

    fn assemble(
        &self,
        kind: Kind,
        name: String,
        configuration: FunctionConfiguration,
        target: Option<String>,
        zip_bytes: u64,
    ) -> anyhow::Result<Contender> {
        let domain = self.document("domain.json")?;
        let domain_id = domain
            .pointer("/domain/domainId")
            .and_then(Value::as_str)
            .context("domain.json has no domain.domainId")?;
        let mut configuration = configuration
            .function_name(&name)
            .timeout(TIMEOUT)
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("CASES_DOMAIN_ID", domain_id);
        if let Some(authority) = self.authority {
            let (variable, bundle) = match kind {
                Kind::Default => ("SSL_CERT_FILE", &authority.with_platform_roots),
                Kind::Boto3 => ("AWS_CA_BUNDLE", &authority.with_platform_roots),
                Kind::SdkV3 => ("NODE_EXTRA_CA_CERTS", &authority.alone),
                _ => ("AWS_CA_BUNDLE", &authority.with_aws_roots),
            };
            configuration = configuration.env(variable, bundle);
        }
        let (event, identity) = kind.event();
        let event = self.document(Path::new("events").join(event))?;
        for pointer in identity {
            let text = event.pointer(pointer).and_then(Value::as_str);
            text.with_context(|| format!("the event of {name} has no text at {pointer}"))?;
        }
        Ok(Contender {
            name,
            about: kind.names().1.to_owned(),
            target,
            makes_cases: !matches!(kind, Kind::Empty | Kind::EmptyStatic),
            configuration,
            event,
            identity,
            zip_bytes,
        })
    }
}

impl Contender {
    /// The event of this number: each has the same size and another key, so that each makes a case of its own.
    pub(crate) fn payload(&self, number: usize) -> String {
        let mut event = self.event.clone();
        for pointer in self.identity {
            if let Some(text) = event.pointer_mut(pointer) {
                *text = Value::String(format!("00000000-0000-4000-8000-{number:012x}"));
            }
        }
        event.to_string()
    }
}

/// Returns the size of a zip file of these files.
fn zip_bytes(files: &[PathBuf]) -> anyhow::Result<u64> {
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        zip.start_file(name, SimpleFileOptions::default())?;
        let mut content = File::open(file).with_context(|| format!("{}", file.display()))?;
        io::copy(&mut content, &mut zip)?;
    }
    let mut archive = zip.finish()?;
    Ok(archive.seek(SeekFrom::End(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_has_a_key_of_its_own() {
        let contender = Contender {
            name: String::new(),
            about: String::new(),
            target: None,
            makes_cases: true,
            configuration: FunctionConfiguration::new("bootstrap"),
            event: serde_json::json!({ "source": "s", "detail": { "id": "x" } }),
            identity: &["/detail/id"],
            zip_bytes: 0,
        };
        assert_eq!(
            contender.payload(26),
            r#"{"source":"s","detail":{"id":"00000000-0000-4000-8000-00000000001a"}}"#
        );
    }
}
