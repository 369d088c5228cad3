//! Amazon DynamoDB, limited to the requests of the function's ledger: `PutItem`, `GetItem`, `UpdateItem`
//! and `DeleteItem` of the service model `dynamodb` 2012-08-10, on tables with the string key `id`.

mod attribute;
mod expression;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::attribute::{AttributeValue, Attributes};
use self::expression::{Condition, Expressions};
use crate::member::Member;
use crate::service::Refusal;

/// The partition key of every table.
const KEY: &str = "id";

/// The most bytes of an item, and of a partition key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const ITEM_BYTES: usize = 400 * 1024;
const KEY_BYTES: usize = 2048;

/// Members that every write supports.
const WRITE: [&str; 5] = [
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
];

/// The items of a table, by key.
type Items = BTreeMap<String, Attributes>;

/// The tables, by name.
#[derive(Debug, Default)]
pub(crate) struct Tables(BTreeMap<String, Items>);

impl Tables {
    /// Adds an empty table; it replaces a table of the same name.
    pub(crate) fn add(&mut self, name: &str) {
        self.0.insert(name.to_owned(), Items::new());
    }

    /// Returns the items of a table as plain JSON, in the order of their keys.
    pub(crate) fn show(&self, table: &str) -> Vec<Value> {
        let items = self.0.get(table).into_iter().flat_map(BTreeMap::values);
        items.map(attribute::to_plain).collect()
    }

    /// Returns the item with that key as plain JSON.
    pub(crate) fn item(&self, table: &str, id: &str) -> Option<Value> {
        self.0.get(table)?.get(id).map(attribute::to_plain)
    }

    /// `PutItem`: stores an item in place of the one with the same key.
    pub(crate) fn put_item(&mut self, body: &Value) -> Result<Value, Refusal> {
        let body = Member::body(body);
        let write = Write::read(&body, &["Item"])?;
        let item = attribute::attributes(&body.required("Item")?)?;
        let key = key_of(&item)?;
        check_size(&item)?;
        let items = self.named(&body)?;
        write.check(items.get(&key))?;
        items.insert(key, item);
        Ok(json!({}))
    }

    /// `GetItem`: every read is consistent.
    pub(crate) fn get_item(&mut self, body: &Value) -> Result<Value, Refusal> {
        let body = Member::body(body);
        body.has_only(&["TableName", "Key", "ConsistentRead"])?;
        let key = key(&body)?;
        if let Some(consistent) = body.optional("ConsistentRead")? {
            consistent.boolean()?;
        }
        Ok(match self.named(&body)?.get(&key) {
            Some(item) => json!({ "Item": attribute::to_json(item) }),
            None => json!({}),
        })
    }

    /// `UpdateItem`: changes the item, or creates it with its key and the attributes that are set.
    pub(crate) fn update_item(&mut self, body: &Value) -> Result<Value, Refusal> {
        let body = Member::body(body);
        let write = Write::read(&body, &["Key", "UpdateExpression"])?;
        let key = key(&body)?;
        let Some(update) = &write.expressions.update else {
            return Err(Refusal::Validation(
                "UpdateItem without UpdateExpression is not supported by this emulator".to_owned(),
            ));
        };
        if update.changes(KEY) {
            return Err(invalid(&format!(
                "Cannot update attribute {KEY}. This attribute is part of the key"
            )));
        }
        let items = self.named(&body)?;
        write.check(items.get(&key))?;
        let mut item = items.get(&key).cloned().unwrap_or_else(|| {
            Attributes::from([(KEY.to_owned(), AttributeValue::S(key.clone()))])
        });
        update.apply(&mut item);
        check_size(&item)?;
        items.insert(key, item);
        Ok(json!({}))
    }

    /// `DeleteItem`: deletes the item, if there is one.
    pub(crate) fn delete_item(&mut self, body: &Value) -> Result<Value, Refusal> {
        let body = Member::body(body);
        let write = Write::read(&body, &["Key"])?;
        let key = key(&body)?;
        let items = self.named(&body)?;
        write.check(items.get(&key))?;
        items.remove(&key);
        Ok(json!({}))
    }

    fn named(&mut self, body: &Member<'_>) -> Result<&mut Items, Refusal> {
        let name = body.required("TableName")?.text(1..=1024)?;
        self.0.get_mut(name).ok_or_else(|| Refusal::NotFound {
            resource_type: "Table",
            resource_id: name.to_owned(),
        })
    }
}

/// The members that all writes share.
struct Write {
    expressions: Expressions,
    /// `ReturnValuesOnConditionCheckFailure` is `ALL_OLD`.
    shows_item: bool,
}

impl Write {
    /// Reads the members of a request that has the members `own` besides.
    fn read(body: &Member<'_>, own: &[&str]) -> Result<Self, Refusal> {
        body.has_only(&[own, &WRITE].concat())?;
        let shows_item = match body.optional("ReturnValuesOnConditionCheckFailure")? {
            Some(member) => member.one_of(&["NONE", "ALL_OLD"])? == "ALL_OLD",
            None => false,
        };
        Ok(Self {
            expressions: Expressions::read(body)?,
            shows_item,
        })
    }

    /// Refuses an item that does not meet the condition.
    fn check(&self, item: Option<&Attributes>) -> Result<(), Refusal> {
        let none = Attributes::new();
        let holds = |condition: &Condition| condition.holds(item.unwrap_or(&none));
        if self.expressions.condition.as_ref().is_none_or(holds) {
            return Ok(());
        }
        Err(Refusal::ConditionalCheckFailed {
            item: item.filter(|_| self.shows_item).map(attribute::to_json),
        })
    }
}

/// Reads the member `Key`, which must be the partition key alone.
fn key(body: &Member<'_>) -> Result<String, Refusal> {
    let key = attribute::attributes(&body.required("Key")?)?;
    match key.get(KEY) {
        Some(AttributeValue::S(_)) if key.len() == 1 => key_of(&key),
        _ => Err(Refusal::Validation(format!(
            "The provided key element does not match the schema: it is the string {KEY} alone"
        ))),
    }
}

fn key_of(item: &Attributes) -> Result<String, Refusal> {
    match item.get(KEY) {
        None => Err(invalid(&format!("Missing the key {KEY} in the item"))),
        Some(AttributeValue::S(key)) if key.is_empty() => Err(Refusal::Validation(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute \
             cannot contain an empty string value. Key: {KEY}"
        ))),
        Some(AttributeValue::S(key)) if key.len() > KEY_BYTES => Err(invalid(&format!(
            "Size of hashkey has exceeded the maximum size limit of {KEY_BYTES} bytes"
        ))),
        Some(AttributeValue::S(key)) => Ok(key.clone()),
        Some(other) => Err(invalid(&format!(
            "Type mismatch for key {KEY} expected: S actual: {}",
            other.kind()
        ))),
    }
}

fn check_size(item: &Attributes) -> Result<(), Refusal> {
    if attribute::size(item) <= ITEM_BYTES {
        return Ok(());
    }
    Err(Refusal::Validation(
        "Item size has exceeded the maximum allowed size".to_owned(),
    ))
}

fn invalid(what: &str) -> Refusal {
    Refusal::Validation(format!("One or more parameter values were invalid: {what}"))
}
