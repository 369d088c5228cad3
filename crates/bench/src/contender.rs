//! The functions that are measured: each as a folder such as is deployed, the environment that Lambda would give it, and what it is sent.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use runtime_api::FunctionConfiguration;
use serde::Serialize;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::authority::Authority;
use crate::elf;
use crate::services::LEDGER_TABLE;
use crate::toolchain::{self, Toolchain};
use crate::workload::Workload;

/// The longest time that one invocation may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
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
    /// All of them, in the order in which they take turns.
    pub const ALL: [Self; 10] = [
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

    /// As the command line and the tables call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::EmptyStatic => "empty-static",
            Self::Tuned => "tuned",
            Self::TunedStatic => "tuned-static",
            Self::Default => "default",
            Self::Casebridge => "casebridge",
            Self::CasebridgeCustomer => "casebridge-customer",
            Self::CasebridgeEverything => "casebridge-everything",
            Self::Boto3 => "boto3",
            Self::SdkV3 => "sdk-v3",
        }
    }

    /// A comparison does without it where it cannot be had.
    pub(crate) fn may_be_missing(self) -> bool {
        matches!(
            self,
            Self::EmptyStatic | Self::TunedStatic | Self::Boto3 | Self::SdkV3
        )
    }

    fn about(self) -> &'static str {
        match self {
            Self::Empty => "Rust, no AWS call",
            Self::EmptyStatic | Self::TunedStatic => "the same, static by musl",
            Self::Tuned => "Rust, a bare CreateCase: ring, AWS's own roots, Lambda's credentials",
            Self::Default => "Rust, a bare CreateCase: aws_config::load_defaults",
            Self::Casebridge => "the shipped mapping, an event that takes CreateCase alone",
            Self::CasebridgeCustomer => "the shipped mapping, the customer found first",
            Self::CasebridgeEverything => "the shipped mapping with ledger, customer and contact",
            Self::Boto3 => "Python under AWS's awslambdaric, the same case, mapping in code",
            Self::SdkV3 => "Node.js, the same case, mapping in code",
        }
    }

    /// What it is sent: the file in `events/`, and what tells one such event from another.
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
pub struct Other {
    /// What the tables call it.
    pub name: String,
    /// Its binary.
    pub bootstrap: PathBuf,
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
pub struct Contender {
    /// What the tables call it.
    pub name: String,
    /// What it is.
    pub about: String,
    /// For which target it was built; none of a script.
    pub target: Option<String>,
    /// Whether it makes a case of each event.
    pub makes_cases: bool,
    /// How it is run; the services' endpoints are still to be set.
    pub configuration: FunctionConfiguration,
    /// What it is sent.
    pub workload: Workload,
    /// The zip file that is deployed, in bytes.
    pub zip_bytes: u64,
}

/// A peer that this machine cannot run.
#[derive(Clone, Debug, Serialize)]
pub struct Missing {
    /// What the tables would call it.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Puts contenders together.
pub struct Preparation<'a> {
    /// Builds and installs.
    pub toolchain: &'a Toolchain,
    /// Whom clients trust; none where they are to speak plain HTTP.
    pub authority: Option<&'a Authority>,
    /// A binary of Casebridge to take instead of building one.
    pub bootstrap: Option<&'a Path>,
}

impl Preparation<'_> {
    /// Builds or installs one function.
    ///
    /// # Errors
    /// It cannot be built; for a peer that needs an interpreter or a standard library: it is not here.
    pub fn contender(&self, kind: Kind) -> anyhow::Result<Contender> {
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

    /// Casebridge built another way, with the event that takes `CreateCase` alone.
    ///
    /// # Errors
    /// There is no such binary.
    pub fn other(&self, other: &Other) -> anyhow::Result<Contender> {
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

    /// A binary and what lies beside it, in a folder of their own: Lambda's task root.
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
        let target = Some(elf::target(&bootstrap)?);
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

    fn assemble(
        &self,
        kind: Kind,
        name: String,
        configuration: FunctionConfiguration,
        target: Option<String>,
        zip_bytes: u64,
    ) -> anyhow::Result<Contender> {
        let domain = std::fs::read_to_string(self.toolchain.source("domain.json"))?;
        let domain: serde_json::Value = serde_json::from_str(&domain)?;
        let domain_id = domain
            .pointer("/domain/domainId")
            .and_then(serde_json::Value::as_str)
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
        let event = self.toolchain.source("events").join(event);
        Ok(Contender {
            name,
            about: kind.about().to_owned(),
            target,
            makes_cases: !matches!(kind, Kind::Empty | Kind::EmptyStatic),
            configuration,
            workload: Workload::read(&event, identity)?,
            zip_bytes,
        })
    }
}

/// How large a zip file of these files is.
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
