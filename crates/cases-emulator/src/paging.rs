//! Lists in pages. A `nextToken` is opaque to clients and bound to its request: one of another operation,
//! another resource or other filters is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::identifiers::fnv;
use crate::member::Member;
use crate::operation::Operation;
use crate::service::{Refusal, Service};

/// The request that a page belongs to. Two requests with the same scope continue each other.
pub(crate) struct Scope {
    operation: Operation,
    hash: u64,
}

impl Scope {
    /// Returns the scope of an operation with everything that `of` describes.
    pub(crate) fn new(operation: Operation, of: &str) -> Self {
        Self {
            operation,
            hash: fnv(of),
        }
    }

    fn token(&self, offset: usize) -> String {
        let (name, hash) = (self.operation.name(), self.hash);
        URL_SAFE_NO_PAD.encode(format!("{name}/{hash:016x}/{offset}"))
    }

    fn offset(&self, token: &str) -> Result<usize, Refusal> {
        let text = URL_SAFE_NO_PAD.decode(token).ok();
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        let offset = text.as_deref().and_then(|text| text.rsplit('/').next());
        offset
            .and_then(|offset| offset.parse().ok())
            .filter(|offset| self.token(*offset) == token)
            .ok_or_else(|| {
                Refusal::Validation(format!(
                    "the next token is not one that {} gave for this request",
                    self.operation.name()
                ))
            })
    }
}

/// One page of a list.
pub(crate) struct Page {
    scope: Scope,
    offset: usize,
    size: usize,
}

impl Page {
    /// Reads the page from the query of the URI. Without `maxResults`, in Customer Profiles
    /// `max-results`, a page has `default` entries.
    pub(crate) fn of_query(
        scope: Scope,
        query: &Query,
        most: usize,
        default: usize,
    ) -> Result<Self, Refusal> {
        let (size, token) = match scope.operation.service() {
            Service::CustomerProfiles => ("max-results", "next-token"),
            _ => ("maxResults", "nextToken"),
        };
        let size = match query.one(size) {
            None => default,
            Some(text) => {
                let number = serde_json::from_str(text).unwrap_or(Value::Null);
                Member::body(&number).integer(1..=most).map_err(|_| {
                    Refusal::Validation(format!("{size} must be a whole number from 1 to {most}"))
                })?
            }
        };
        Self::new(scope, size, query.one(token).unwrap_or_default())
    }

    /// Reads the page from the body. Without `maxResults` a page has `default` entries.
    pub(crate) fn of_body(
        scope: Scope,
        body: &Member<'_>,
        most: usize,
        default: usize,
    ) -> Result<Self, Refusal> {
        let size = match body.optional("maxResults")? {
            None => default,
            Some(size) => size.integer(1..=most)?,
        };
        let token = match body.optional("nextToken")? {
            None => "",
            Some(token) => token.text(0..=9000)?,
        };
        Self::new(scope, size, token)
    }

    fn new(scope: Scope, size: usize, token: &str) -> Result<Self, Refusal> {
        let offset = match token {
            "" => 0,
            token => scope.offset(token)?,
        };
        Ok(Self {
            scope,
            offset,
            size,
        })
    }

    /// Returns the page's entries as the member `name`, and the next token when more follow.
    pub(crate) fn output(&self, name: &str, mut entries: Vec<Value>) -> Value {
        let end = self.offset.saturating_add(self.size);
        let more = entries.len() > end;
        entries.truncate(end);
        let page = entries.split_off(self.offset.min(entries.len()));
        let mut output = serde_json::Map::new();
        output.insert(name.to_owned(), Value::Array(page));
        if more {
            let name = match self.scope.operation.service() {
                Service::CustomerProfiles => "NextToken",
                _ => "nextToken",
            };
            output.insert(name.to_owned(), Value::String(self.scope.token(end)));
        }
        Value::Object(output)
    }
}

/// The decoded query of a URI.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes the part of the URI behind the question mark.
    pub(crate) fn read(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// Returns the member's first value.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Refuses a member that the service has and the emulator does not support.
    pub(crate) fn check_unsupported(&self, name: &str) -> Result<(), Refusal> {
        match self.one(name) {
            None => Ok(()),
            Some(_) => Err(Refusal::Validation(format!(
                "the member {name} is not supported by this emulator"
            ))),
        }
    }
}
