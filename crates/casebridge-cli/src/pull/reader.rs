//! A Cases domain, read whole: every page of every list, and the details of everything listed. Different operations
//! run side by side, each at its own pace.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, ensure};
use aws_sdk_connectcases::Client;
use aws_sdk_connectcases::config::http::HttpResponse;
use aws_sdk_connectcases::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_connectcases::types::{CaseRuleIdentifier, FieldIdentifier};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::progress::Progress;
use super::quotas::{Operation, Pacer};
use super::recorder::Recorder;
use super::refusal::explain;

/// The most that a page of a list holds, but for `ListDomains` (service model).
const PAGE: i32 = 100;

/// The most domains that a page of `ListDomains` holds.
const DOMAINS_PAGE: i32 = 10;

/// The most ids that a batch request takes.
const BATCH: usize = 50;

/// Calls of one operation under way at once: enough to keep the pace where an answer takes half a second.
const AT_ONCE: usize = 4;

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

/// Calls Cases at the published pace.
pub(super) struct Reader {
    client: Client,
    /// Where requests go, for messages: `in us-east-1`, or `at` an address.
    place: String,
    pacer: Pacer,
    progress: Progress,
}

impl Reader {
    pub(super) fn new(client: Client, place: String, progress: Progress) -> Self {
        Self {
            client,
            place,
            pacer: Pacer::default(),
            progress,
        }
    }

    /// The account's domains in the Region: items of `ListDomains`.
    pub(super) async fn domains(&self) -> anyhow::Result<Vec<Value>> {
        self.progress.say("looking for the domain".to_owned());
        self.list(
            Operation::ListDomains,
            "domains",
            async |token, recorder| {
                let request = self.client.list_domains().max_results(DOMAINS_PAGE);
                let request = request.set_next_token(token).customize();
                request.interceptor(recorder).send().await
            },
        )
        .await
    }

    /// Everything of one domain that a snapshot holds.
    pub(super) async fn read(&self, domain_id: &str) -> anyhow::Result<Answers> {
        let domain = self.domain(domain_id).await?;
        let name = text(&domain, "name").unwrap_or(domain_id);
        self.progress.say(format!("reading domain {name}"));
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
            .call(Operation::GetDomain, async |recorder| {
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
            .list(
                Operation::ListTemplates,
                "templates",
                async |token, recorder| {
                    let request = self.client.list_templates().domain_id(domain);
                    let request = request.max_results(PAGE).set_next_token(token);
                    request.customize().interceptor(recorder).send().await
                },
            )
            .await?;
        let ids = ids(&listed, "templateId")?;
        self.progress.need(ids.len());
        let get = |id: String| {
            self.call(Operation::GetTemplate, async move |recorder| {
                let request = self.client.get_template().domain_id(domain);
                let request = request.template_id(id).customize();
                request.interceptor(recorder).send().await
            })
        };
        stream::iter(ids)
            .map(get)
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn fields(
        &self,
        domain: &str,
    ) -> anyhow::Result<(Vec<Value>, BTreeMap<String, Vec<Value>>)> {
        let listed = self
            .list(Operation::ListFields, "fields", async |token, recorder| {
                let request = self.client.list_fields().domain_id(domain);
                let request = request.max_results(PAGE).set_next_token(token);
                request.customize().interceptor(recorder).send().await
            })
            .await?;
        let select = |field: &&Value| text(field, "type") == Some("SingleSelect");
        let selects: Vec<Value> = listed.iter().filter(select).cloned().collect();
        let options = stream::iter(ids(&selects, "fieldId")?)
            .map(|field: String| async move {
                let options = self.options(domain, &field).await?;
                anyhow::Ok((field, options))
            })
            .buffered(AT_ONCE)
            .try_collect();
        tokio::try_join!(
            self.field_details(domain, ids(&listed, "fieldId")?),
            options
        )
    }

    async fn options(&self, domain: &str, field: &str) -> anyhow::Result<Vec<Value>> {
        self.list(
            Operation::ListFieldOptions,
            "options",
            async |token, recorder| {
                let request = self.client.list_field_options().domain_id(domain);
                let request = request.field_id(field).max_results(PAGE);
                let request = request.set_next_token(token).customize();
                request.interceptor(recorder).send().await
            },
        )
        .await
    }

    async fn field_details(&self, domain: &str, ids: Vec<String>) -> anyhow::Result<Vec<Value>> {
        self.batches(
            Operation::BatchGetField,
            "fields",
            &ids,
            async |ids, recorder| {
                let fields: Result<_, _> = ids
                    .iter()
                    .map(|id| FieldIdentifier::builder().id(id).build())
                    .collect();
                let fields = fields.map_err(SdkError::construction_failure)?;
                let request = self.client.batch_get_field().domain_id(domain);
                let request = request.set_fields(Some(fields));
                request.customize().interceptor(recorder).send().await
            },
        )
        .await
    }

    async fn rules(&self, domain: &str) -> anyhow::Result<Vec<Value>> {
        let listed = self
            .list(
                Operation::ListCaseRules,
                "caseRules",
                async |token, recorder| {
                    let request = self.client.list_case_rules().domain_id(domain);
                    let request = request.max_results(PAGE).set_next_token(token);
                    request.customize().interceptor(recorder).send().await
                },
            )
            .await?;
        let ids = ids(&listed, "caseRuleId")?;
        self.batches(
            Operation::BatchGetCaseRule,
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
        operation: Operation,
        member: &str,
        page: impl AsyncFn(Option<String>, Recorder) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> anyhow::Result<Vec<Value>>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            self.progress.need(1);
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
        operation: Operation,
        member: &str,
        ids: &[String],
        batch: impl AsyncFn(&[String], Recorder) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> anyhow::Result<Vec<Value>>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.progress.need(ids.len().div_ceil(BATCH));
        let mut all = Vec::with_capacity(ids.len());
        for ids in ids.chunks(BATCH) {
            let mut answer = self
                .call(operation, async |recorder| batch(ids, recorder).await)
                .await?;
            if let Some(error) = answer.pointer_mut("/errors/0") {
                let (id, code) = (text(error, "id"), text(error, "errorCode"));
                return Err(anyhow!(
                    "{} gave no answer for {} ({}): was it deleted meanwhile? pull again",
                    operation.name(),
                    id.unwrap_or("an id"),
                    code.unwrap_or("no error code"),
                ));
            }
            all.extend(items(answer, operation, member)?);
        }
        Ok(all)
    }

    /// One call, in its turn, and its answer as it came.
    async fn call<T, E>(
        &self,
        operation: Operation,
        send: impl AsyncFnOnce(Recorder) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> anyhow::Result<Value>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.pacer.turn(operation).await;
        let recorder = Recorder::default();
        send(recorder.clone())
            .await
            .map_err(|error| explain(operation, &self.place, error))?;
        self.progress.answered();
        serde_json::from_slice(&recorder.take())
            .with_context(|| format!("Cases answered {} without JSON", operation.name()))
    }
}

/// The items of a list; one that the answer leaves out is empty.
fn items(mut answer: Value, operation: Operation, member: &str) -> anyhow::Result<Vec<Value>> {
    match answer.get_mut(member).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(_) => Err(anyhow!(
            "Cases answered {} with a `{member}` that is no list",
            operation.name()
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
