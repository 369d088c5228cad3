//! Reads a whole Cases domain: every page of every list, and the details of everything listed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow, bail, ensure};
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::http::HttpResponse;
use aws_sdk_connectcases::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_connectcases::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_connectcases::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_connectcases::types::{CaseRuleIdentifier, FieldIdentifier};
use indicatif::ProgressBar;
use serde_json::Value;

/// The most items of a page, but for `ListDomains` (service model).
const PAGE: i32 = 100;

/// The most domains of a page of `ListDomains`.
const DOMAINS_PAGE: i32 = 10;

/// The most ids that a batch request takes.
const BATCH: usize = 50;

/// The API's answers, member for member.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// `GetDomain`.
    pub(super) domain: Value,
    /// `GetTemplate`, of each template.
    pub(super) templates: Vec<Value>,
    /// Items of `BatchGetField`.
    pub(super) fields: Vec<Value>,
    /// Items of `ListFieldOptions`, by the id of their `SingleSelect` field.
    pub(super) options: BTreeMap<String, Vec<Value>>,
    /// Items of `BatchGetCaseRule`.
    pub(super) rules: Vec<Value>,
}

/// Sends a request, and returns its answer as it came.
macro_rules! call {
    ($reader:expr, $operation:literal, $request:expr) => {{
        let recorder = Recorder::default();
        let sent = $request.customize().interceptor(recorder.clone()).send();
        let sent = sent.await;
        $reader.answer($operation, &recorder, sent)
    }};
}

/// Sends a request for every page of a list, and returns the items in `$member` of the answers.
macro_rules! pages {
    ($reader:expr, $operation:literal, $member:literal, $request:expr) => {{
        let (request, mut all, mut token) = ($request, Vec::new(), None);
        loop {
            $reader.need(1);
            let page = request.clone().set_next_token(token);
            let answer = call!($reader, $operation, page)?;
            token = text(&answer, "nextToken").map(str::to_owned);
            all.extend(items(answer, $operation, $member)?);
            if token.is_none() {
                break anyhow::Ok(all);
            }
        }
    }};
}

/// Sends a request for every batch of the ids, and returns the details in `$member` of the answers.
macro_rules! batches {
    ($reader:expr, $operation:literal, $member:literal, $ids:expr, |$batch:ident| $request:expr) => {{
        $reader.need($ids.len().div_ceil(BATCH));
        let mut all = Vec::with_capacity($ids.len());
        for batch in $ids.chunks(BATCH) {
            let $batch = batch.iter();
            let answer = call!($reader, $operation, $request)?;
            if let Some(error) = answer.pointer("/errors/0") {
                bail!(
                    "{} gave no answer for {} ({}): was it deleted meanwhile? pull again",
                    $operation,
                    text(error, "id").unwrap_or("an id"),
                    text(error, "errorCode").unwrap_or("no error code"),
                );
            }
            all.extend(items(answer, $operation, $member)?);
        }
        Ok(all)
    }};
}

/// Reads a Cases domain.
pub(super) struct Reader {
    client: Client,
    /// The destination of requests, for messages: `in us-east-1`, or `at` an address.
    place: String,
    /// Requests answered, of those known to be needed.
    progress: ProgressBar,
}

impl Reader {
    pub(super) fn new(client: Client, place: String, progress: ProgressBar) -> Self {
        Self {
            client,
            place,
            progress,
        }
    }

    /// The account's domains in the Region: items of `ListDomains`.
    pub(super) async fn domains(&self) -> anyhow::Result<Vec<Value>> {
        self.progress.set_message("looking for the domain");
        let request = self.client.list_domains().max_results(DOMAINS_PAGE);
        pages!(self, "ListDomains", "domains", request)
    }

    /// Reads everything that a domain's snapshot has.
    pub(super) async fn read(&self, domain_id: &str) -> anyhow::Result<Answers> {
        let request = self.client.get_domain().domain_id(domain_id);
        let domain = call!(self, "GetDomain", request)?;
        ensure!(
            text(&domain, "domainId") == Some(domain_id),
            "the answer to GetDomain {} is not of domain {domain_id}: is something else listening there?",
            self.place
        );
        let name = text(&domain, "name").unwrap_or(domain_id);
        self.progress.set_message(format!("reading domain {name}"));
        let (templates, (fields, options), rules) = tokio::try_join!(
            self.templates(domain_id),
            self.fields(domain_id),
            self.rules(domain_id),
        )?;
        Ok(Answers {
            domain,
            templates,
            fields,
            options,
            rules,
        })
    }

    async fn templates(&self, domain: &str) -> anyhow::Result<Vec<Value>> {
        let request = self.client.list_templates().domain_id(domain);
        let listed = pages!(
            self,
            "ListTemplates",
            "templates",
            request.max_results(PAGE)
        )?;
        let ids = ids(&listed, "templateId")?;
        self.need(ids.len());
        let mut templates = Vec::with_capacity(ids.len());
        for id in ids {
            let request = self.client.get_template().domain_id(domain);
            templates.push(call!(self, "GetTemplate", request.template_id(id))?);
        }
        Ok(templates)
    }

    async fn fields(
        &self,
        domain: &str,
    ) -> anyhow::Result<(Vec<Value>, BTreeMap<String, Vec<Value>>)> {
        let request = self.client.list_fields().domain_id(domain);
        let listed = pages!(self, "ListFields", "fields", request.max_results(PAGE))?;
        let select = |field: &&Value| text(field, "type") == Some("SingleSelect");
        let selects: Vec<Value> = listed.iter().filter(select).cloned().collect();
        let options = async {
            let mut options = BTreeMap::new();
            for field in ids(&selects, "fieldId")? {
                let request = self.client.list_field_options().domain_id(domain);
                let request = request.field_id(&field).max_results(PAGE);
                options.insert(field, pages!(self, "ListFieldOptions", "options", request)?);
            }
            Ok(options)
        };
        tokio::try_join!(self.details(domain, &listed), options)
    }

    async fn details(&self, domain: &str, listed: &[Value]) -> anyhow::Result<Vec<Value>> {
        let ids = ids(listed, "fieldId")?;
        batches!(self, "BatchGetField", "fields", ids, |ids| {
            let ids = ids.map(|id| FieldIdentifier::builder().id(id).build());
            let request = self.client.batch_get_field().domain_id(domain);
            request.set_fields(Some(ids.collect::<Result<_, _>>()?))
        })
    }

    async fn rules(&self, domain: &str) -> anyhow::Result<Vec<Value>> {
        let request = self.client.list_case_rules().domain_id(domain);
        let listed = pages!(
            self,
            "ListCaseRules",
            "caseRules",
            request.max_results(PAGE)
        )?;
        let ids = ids(&listed, "caseRuleId")?;
        batches!(self, "BatchGetCaseRule", "caseRules", ids, |ids| {
            let ids = ids.map(|id| CaseRuleIdentifier::builder().id(id).build());
            let request = self.client.batch_get_case_rule().domain_id(domain);
            request.set_case_rules(Some(ids.collect::<Result<_, _>>()?))
        })
    }

    fn need(&self, requests: usize) {
        self.progress.inc_length(requests as u64);
    }

    /// Returns the recorded answer of a call that succeeded.
    fn answer<T, E>(
        &self,
        operation: &str,
        recorder: &Recorder,
        sent: Result<T, SdkError<E, HttpResponse>>,
    ) -> anyhow::Result<Value>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        sent.map_err(|error| explain(operation, &self.place, error))?;
        self.progress.inc(1);
        serde_json::from_slice(&recorder.take())
            .with_context(|| format!("Cases answered {operation} without JSON"))
    }
}

/// The items of a list; one that the answer leaves out is empty.
fn items(mut answer: Value, operation: &str, member: &str) -> anyhow::Result<Vec<Value>> {
    match answer.get_mut(member).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(_) => Err(anyhow!(
            "Cases answered {operation} with a `{member}` that is no list"
        )),
    }
}

fn ids(items: &[Value], member: &str) -> anyhow::Result<Vec<String>> {
    let id = |item| text(item, member).map(str::to_owned);
    items
        .iter()
        .map(|item| id(item).with_context(|| format!("Cases listed something without a {member}")))
        .collect()
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}

/// The body of the last answer to one call; clones share it.
///
/// The SDK's output types drop the members that the service gained after their release.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorder {
    body: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// The body; empty when there was no answer.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.body.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

/// The permissions that a pull needs.
const ACTIONS: &str = "cases:ListDomains on every resource, and cases:GetDomain, ListTemplates, GetTemplate, \
     ListFields, BatchGetField, ListFieldOptions, ListCaseRules and BatchGetCaseRule on the domain and what it holds";

/// Returns the reason and the fix for an operation that failed after the SDK's retries.
///
/// A pull reads configuration only, so Cases' own message may be shown.
fn explain<E>(operation: &str, place: &str, error: SdkError<E, HttpResponse>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(refused) => {
            let status = refused.raw().status().as_u16();
            let error = refused.err();
            let code = error.code().unwrap_or("no error type");
            let said = error
                .message()
                .map_or_else(String::new, |said| format!(": {said}"));
            let advice = advice(operation, place, code, status);
            anyhow!("Cases refused {operation} ({code}, HTTP {status}{said}): {advice}")
        }
        SdkError::TimeoutError(_) => {
            anyhow!("Cases {place} did not answer {operation} in time: try again")
        }
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().map_or_else(
                || "the request could not be sent".to_owned(),
                |error| causes(error),
            );
            anyhow!(
                "Cases {place} could not be reached ({cause}): is the address right, and the network up?"
            )
        }
        SdkError::ResponseError(_) => anyhow!(
            "the answer to {operation} {place} is none of Cases': is something else listening there?"
        ),
        other => anyhow!("{operation} could not be called: {}", causes(&other)),
    }
}

fn advice(operation: &str, place: &str, code: &str, status: u16) -> String {
    match code {
        "AccessDeniedException" if operation == "ListDomains" => {
            format!("name the domain with --domain-id, or allow {ACTIONS}")
        }
        "AccessDeniedException" => format!("allow {ACTIONS}"),
        "ResourceNotFoundException" if operation == "GetDomain" => format!(
            "there is no such domain {place}; see --domain-id, CASES_DOMAIN_ID and --region (`aws connectcases list-domains` \
             shows the domains)"
        ),
        "ResourceNotFoundException" => {
            "something was deleted while the domain was read; pull again".to_owned()
        }
        "ThrottlingException" => {
            "another program uses up the account's quota; try again in a few minutes".to_owned()
        }
        "ExpiredToken" | "ExpiredTokenException" => "sign in again".to_owned(),
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidSignatureException" => {
            "the credentials are wrong or of another partition; name the right profile with --profile".to_owned()
        }
        _ if status >= 500 => "try again".to_owned(),
        _ => "see the service's own words".to_owned(),
    }
}

/// An error and what caused it, without repetitions.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !texts.iter().any(|before| before.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts.join(": ")
}
