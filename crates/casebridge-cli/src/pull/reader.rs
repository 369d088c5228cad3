//! Reads a whole Cases domain: every page of every list, and the details of everything listed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow, ensure};
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::http::HttpResponse;
use aws_sdk_connectcases::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_connectcases::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_connectcases::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_connectcases::types::{CaseRuleIdentifier, FieldIdentifier};
use indicatif::ProgressBar;
use serde_json::Value;

/// The most that a page of a list holds, but for `ListDomains` (service model).
const PAGE: i32 = 100;

/// The most domains that a page of `ListDomains` holds.
const DOMAINS_PAGE: i32 = 10;

/// The most ids that a batch request takes.
const BATCH: usize = 50;

/// What the API answered, member for member.
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
        self.list("ListDomains", "domains", async |token, recorder| {
            let request = self.client.list_domains().max_results(DOMAINS_PAGE);
            let request = request.set_next_token(token).customize();
            request.interceptor(recorder).send().await
        })
        .await
    }

    /// Everything of one domain that a snapshot holds.
    pub(super) async fn read(&self, domain_id: &str) -> anyhow::Result<Answers> {
        let domain = self.domain(domain_id).await?;
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

    async fn domain(&self, id: &str) -> anyhow::Result<Value> {
        let domain = self
            .call("GetDomain", async |recorder| {
                let request = self.client.get_domain().domain_id(id).customize();
                request.interceptor(recorder).send().await
            })
            .await?;
        ensure!(
            text(&domain, "domainId") == Some(id),
            "the answer to GetDomain {} is not of domain {id}: is something else listening there?",
            self.place
        );
        Ok(domain)
    }

    async fn templates(&self, domain: &str) -> anyhow::Result<Vec<Value>> {
        let listed = self
            .list("ListTemplates", "templates", async |token, recorder| {
                let request = self.client.list_templates().domain_id(domain);
                let request = request.max_results(PAGE).set_next_token(token);
                request.customize().interceptor(recorder).send().await
            })
            .await?;
        let ids = ids(&listed, "templateId")?;
        self.need(ids.len());
        let mut templates = Vec::with_capacity(ids.len());
        for id in ids {
            let template = self.call("GetTemplate", async |recorder| {
                let request = self.client.get_template().domain_id(domain);
                let request = request.template_id(id).customize();
                request.interceptor(recorder).send().await
            });
            templates.push(template.await?);
        }
        Ok(templates)
    }

    async fn fields(
        &self,
        domain: &str,
    ) -> anyhow::Result<(Vec<Value>, BTreeMap<String, Vec<Value>>)> {
        let listed = self
            .list("ListFields", "fields", async |token, recorder| {
                let request = self.client.list_fields().domain_id(domain);
                let request = request.max_results(PAGE).set_next_token(token);
                request.customize().interceptor(recorder).send().await
            })
            .await?;
        let select = |field: &&Value| text(field, "type") == Some("SingleSelect");
        let selects: Vec<Value> = listed.iter().filter(select).cloned().collect();
        let options = async {
            let mut options = BTreeMap::new();
            for field in ids(&selects, "fieldId")? {
                options.insert(field.clone(), self.options(domain, &field).await?);
            }
            Ok(options)
        };
        tokio::try_join!(
            self.field_details(domain, ids(&listed, "fieldId")?),
            options
        )
    }

    async fn options(&self, domain: &str, field: &str) -> anyhow::Result<Vec<Value>> {
        self.list("ListFieldOptions", "options", async |token, recorder| {
            let request = self.client.list_field_options().domain_id(domain);
            let request = request.field_id(field).max_results(PAGE);
            let request = request.set_next_token(token).customize();
            request.interceptor(recorder).send().await
        })
        .await
    }

    async fn field_details(&self, domain: &str, ids: Vec<String>) -> anyhow::Result<Vec<Value>> {
        self.batches("BatchGetField", "fields", &ids, async |ids, recorder| {
            let fields: Result<_, _> = ids
                .iter()
                .map(|id| FieldIdentifier::builder().id(id).build())
                .collect();
            let fields = fields.map_err(SdkError::construction_failure)?;
            let request = self.client.batch_get_field().domain_id(domain);
            let request = request.set_fields(Some(fields));
            request.customize().interceptor(recorder).send().await
        })
        .await
    }

    async fn rules(&self, domain: &str) -> anyhow::Result<Vec<Value>> {
        let listed = self
            .list("ListCaseRules", "caseRules", async |token, recorder| {
                let request = self.client.list_case_rules().domain_id(domain);
                let request = request.max_results(PAGE).set_next_token(token);
                request.customize().interceptor(recorder).send().await
            })
            .await?;
        let ids = ids(&listed, "caseRuleId")?;
        self.batches(
            "BatchGetCaseRule",
            "caseRules",
            &ids,
            async |ids, recorder| {
                let rules: Result<_, _> = ids
                    .iter()
                    .map(|id| CaseRuleIdentifier::builder().id(id).build())
                    .collect();
                let rules = rules.map_err(SdkError::construction_failure)?;
                let request = self.client.batch_get_case_rule().domain_id(domain);
                let request = request.set_case_rules(Some(rules));
                request.customize().interceptor(recorder).send().await
            },
        )
        .await
    }

    /// Every page of a list; `member` holds a page's items.
    async fn list<T, E>(
        &self,
        operation: &str,
        member: &str,
        page: impl AsyncFn(Option<String>, Recorder) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> anyhow::Result<Vec<Value>>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            self.need(1);
            let answer = self
                .call(operation, async |recorder| {
                    page(token.clone(), recorder).await
                })
                .await?;
            token = text(&answer, "nextToken").map(str::to_owned);
            all.extend(items(answer, operation, member)?);
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// The details of every id, in as few calls as the API allows; `member` holds them.
    async fn batches<T, E>(
        &self,
        operation: &str,
        member: &str,
        ids: &[String],
        batch: impl AsyncFn(&[String], Recorder) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> anyhow::Result<Vec<Value>>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.need(ids.len().div_ceil(BATCH));
        let mut all = Vec::with_capacity(ids.len());
        for ids in ids.chunks(BATCH) {
            let mut answer = self
                .call(operation, async |recorder| batch(ids, recorder).await)
                .await?;
            if let Some(error) = answer.pointer_mut("/errors/0") {
                let (id, code) = (text(error, "id"), text(error, "errorCode"));
                return Err(anyhow!(
                    "{} gave no answer for {} ({}): was it deleted meanwhile? pull again",
                    operation,
                    id.unwrap_or("an id"),
                    code.unwrap_or("no error code"),
                ));
            }
            all.extend(items(answer, operation, member)?);
        }
        Ok(all)
    }

    fn need(&self, requests: usize) {
        self.progress.inc_length(requests as u64);
    }

    /// One call, and its answer as it came.
    async fn call<T, E>(
        &self,
        operation: &str,
        send: impl AsyncFnOnce(Recorder) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> anyhow::Result<Value>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let recorder = Recorder::default();
        send(recorder.clone())
            .await
            .map_err(|error| explain(operation, &self.place, error))?;
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
