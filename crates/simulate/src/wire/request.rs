//! A request as it leaves the SDK: its operation, and what is changed in it where an assumption is broken.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::assumptions::Broken;

/// The request with its operation; with another client token where that is what is broken.
pub(super) async fn read(
    request: HttpRequest,
    broken: Option<Broken>,
) -> Result<(http::Request<Bytes>, &'static str), ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    let (head, body) = request.into_parts();
    let mut body = body
        .collect()
        .await
        .map_err(ConnectorError::user)?
        .to_bytes();
    let target = head.headers.get("x-amz-target");
    let operation = match target.and_then(|target| target.to_str().ok()) {
        Some(target) => targeted(target),
        None => operation(head.uri.path()),
    };
    if operation == "CreateCase" && broken == Some(Broken::RandomToken) {
        body = with_random_token(&body);
    }
    if operation.starts_with("DynamoDB.") && broken == Some(Broken::NoCondition) {
        body = without_condition(&body);
    }
    Ok((http::Request::from_parts(head, body), operation))
}

fn with_random_token(body: &Bytes) -> Bytes {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
        return body.clone();
    };
    let token = format!("{:032x}", fastrand::u128(..));
    members.insert("clientToken".to_owned(), json!(token));
    Value::Object(members).to_string().into()
}

/// The request without its condition, and without the names and values that only the condition has.
fn without_condition(body: &Bytes) -> Bytes {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
        return body.clone();
    };
    members.remove("ConditionExpression");
    let update = members.get("UpdateExpression").and_then(Value::as_str);
    let update = update.unwrap_or_default().to_owned();
    let is_used = |name: &str| {
        let mut words = update.split(|c: char| !c.is_ascii_alphanumeric() && !"#:_".contains(c));
        words.any(|word| word == name)
    };
    for names in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        if let Some(Value::Object(named)) = members.get_mut(names) {
            named.retain(|name, _| is_used(name));
            if named.is_empty() {
                members.remove(names);
            }
        }
    }
    Value::Object(members).to_string().into()
}

/// The operation that a header names.
fn targeted(target: &str) -> &'static str {
    match target.rsplit_once('.').map(|(_, name)| name) {
        Some("GetItem") => "DynamoDB.GetItem",
        Some("PutItem") => "DynamoDB.PutItem",
        Some("UpdateItem") => "DynamoDB.UpdateItem",
        Some("DeleteItem") => "DynamoDB.DeleteItem",
        Some("SendMessage") => "SQS.SendMessage",
        _ => "another operation",
    }
}

/// The operation of a path: those of the function are told apart by how their paths end.
fn operation(path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["domains", _, "profiles", "search"] => "SearchProfiles",
        ["domains", _, "profiles"] => "CreateProfile",
        ["domains", _, "cases"] => "CreateCase",
        ["domains", _, "cases-search"] => "SearchCases",
        ["domains", _, "cases", _, "related-items"] => "CreateRelatedItem",
        ["domains", _, "cases", _, "related-items-search"] => "SearchRelatedItems",
        ["domains", _, "list-cases-for-contact"] => "ListCasesForContact",
        ["contacts", _, _] => "DescribeContact",
        ["contact", "attributes", _, _] => "GetContactAttributes",
        _ => "another operation",
    }
}
