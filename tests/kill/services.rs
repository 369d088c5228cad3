//! The services that a function calls, over HTTP, and the function's binary in Lambda's environment.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use cases_emulator::Emulator;
use runtime_api::{Function, FunctionConfiguration};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// More time than any event needs.
pub(crate) const AMPLE: Duration = Duration::from_secs(20);

/// The time that the function keeps for its answer at the end of an invocation. A lease ends so much after the work.
const MARGIN: Duration = Duration::from_millis(200);

const MAPPING: &str = "
version: 1
cases:
  - name: order
    trigger: eventbridge
    template: Contact follow-up
    key: $.detail.order
    customer:
      find: [{ _phone: $.detail.phone }]
      if_none: { create: { PhoneNumber: $.detail.phone } }
    link_contact: $.detail.contactArn
    comment: $.detail.comment
    fields: { title: Order }
  - name: call-back
    trigger: contact-flow
    template: Contact follow-up
    customer:
      find: [{ _phone: $.CustomerEndpoint.Address }]
      if_none: { create: { PhoneNumber: $.CustomerEndpoint.Address } }
    comment: $.Parameters.comment
    fields: { title: Call back }
";

const TABLE: &str = "ledger";

/// The ledger of the function, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ledger {
    None,
    Table,
}

/// The emulator behind a socket; it stops when this is dropped.
pub(crate) struct Services {
    pub(crate) emulator: Emulator,
    endpoint: String,
    mapping: NamedTempFile,
    ledger: Ledger,
    profiles: usize,
    _server: JoinSet<()>,
}

impl Services {
    pub(crate) async fn start(ledger: Ledger) -> Self {
        let emulator =
            Emulator::from_snapshot(&read("domain.json")).expect("the snapshot is sound");
        // The function reads the time of day, so its services show the same one.
        let emulator = emulator.with_start_time(SystemTime::now());
        emulator
            .set_profiles(&read("profiles.json"))
            .expect("the profiles are sound");
        emulator.add_table(TABLE);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let mut server = JoinSet::new();
        server.spawn(emulator.clone().serve(listener, std::future::pending()));
        let mapping = NamedTempFile::new().expect("a file");
        std::fs::write(&mapping, MAPPING).expect("a file that can be written");
        Self {
            profiles: emulator.profiles().len(),
            emulator,
            endpoint,
            mapping,
            ledger,
            _server: server,
        }
    }

    /// A process of the function that has so much time for an event, be it of a flow or of a rule.
    pub(crate) async fn function(&self, time: Duration) -> Function {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let budget = time.saturating_sub(MARGIN).as_millis().to_string();
        let configuration = FunctionConfiguration::new(env!("CARGO_BIN_EXE_casebridge"))
            .timeout(time)
            .env("CASES_DOMAIN_ID", self.emulator.domain_id())
            .env("CASEBRIDGE_MAPPING", self.mapping.path())
            .env("CASEBRIDGE_DOMAIN", root.join("domain.json"))
            .env("CASEBRIDGE_FLOW_BUDGET_MS", budget)
            .env("PROFILES_DOMAIN", "amazon-connect-example")
            .env("AWS_ENDPOINT_URL", &self.endpoint);
        let configuration = match self.ledger {
            Ledger::None => configuration,
            Ledger::Table => configuration.env("CASEBRIDGE_LEDGER_TABLE", TABLE),
        };
        configuration.start().await.expect("the function starts")
    }

    /// The number of calls of an operation.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        let requests = self.emulator.requests();
        requests
            .iter()
            .filter(|request| request.operation == operation)
            .count()
    }

    pub(crate) fn ledger_items(&self) -> Vec<Value> {
        self.emulator.items(TABLE)
    }

    /// Lets time pass for the ledger: the process reads the time of day, so the leases of its table are set back.
    pub(crate) async fn let_time_pass(&self, time: Duration) {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .http_client(self.emulator.http_client())
            .build();
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        for item in self.ledger_items() {
            let Some(ends) = item["in_progress_expiration"].as_u64() else {
                continue;
            };
            let ends = u128::from(ends).saturating_sub(time.as_millis());
            let id = item["id"].as_str().expect("text").to_owned();
            let updated = client
                .update_item()
                .table_name(TABLE)
                .key("id", AttributeValue::S(id))
                .update_expression("SET in_progress_expiration = :ends")
                .expression_attribute_values(":ends", AttributeValue::N(ends.to_string()));
            updated.send().await.expect("the table takes it");
        }
    }

    /// The number of profiles that were created.
    pub(crate) fn new_profiles(&self) -> usize {
        self.emulator.profiles().len() - self.profiles
    }
}

/// A file of the repository.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
