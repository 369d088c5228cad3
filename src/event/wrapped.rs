//! Wrappers around events: turns lists of EventBridge Pipes and notifications of SNS into the values inside.
//!
//! A wrapper may contain other wrappers.

use mapping::lenient_json;
use serde_json::Value;

/// Returns the values inside a value, or the value if it is no wrapper. A wrapper that cannot be read gives a description.
pub(super) fn values(value: Value) -> Vec<Result<Value, String>> {
    let mut values = Vec::new();
    add(value, &mut values);
    values
}

fn add(value: Value, values: &mut Vec<Result<Value, String>>) {
    match value {
        Value::Array(items) => items.into_iter().for_each(|item| add(item, values)),
        value => match sns_message(&value).map(lenient_json::parse) {
            None => values.push(Ok(value)),
            Some(Ok(inner)) => add(inner, values),
            Some(Err(error)) => values.push(Err(format!(
                "an SNS notification whose `Message` cannot be read as JSON: {}",
                lenient_json::reason(&error)
            ))),
        },
    }
}

/// Returns the text of an SNS notification.
///
/// The notification is the body of a queue's message, or a record with which SNS invokes functions.
pub(super) fn sns_message(value: &Value) -> Option<&str> {
    let is_event = value.get("source").is_some_and(Value::is_string)
        && value.get("detail-type").is_some_and(Value::is_string);
    let notification = value.get("Sns").unwrap_or(value);
    let text = |name| notification.get(name).and_then(Value::as_str);
    text("Message").filter(|_| text("Type") == Some("Notification") && !is_event)
}
