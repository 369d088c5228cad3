//! DynamoDB tables with a string partition key: `PutItem`, `GetItem`, `UpdateItem`, `DeleteItem` and
//! `DescribeTable` of the service model `dynamodb` 2012-08-10, with condition and update expressions.

mod condition;
mod expression;
mod placeholders;
mod request;
mod update;
mod value;

use std::collections::BTreeMap;

use bigdecimal::BigDecimal;
use serde_json::{Value, json};

use self::request::{Returned, Write};
use self::value::{AttributeValue, Attributes, invalid};
use crate::domain::Domain;
use crate::identifiers::uuid;
use crate::members::Member;
use crate::refusal::Refusal;

/// The partition key, and the attribute that holds an item's TTL.
const KEY: &str = "id";
const EXPIRATION: &str = "expiration";

/// The most bytes of an item, and of a partition key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const ITEM_BYTES: usize = 400 * 1024;
const KEY_BYTES: usize = 2048;

/// An operation on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TableOperation {
    DeleteItem,
    DescribeTable,
    GetItem,
    PutItem,
    UpdateItem,
}

/// The tables, by name.
#[derive(Debug, Default)]
pub(crate) struct Tables(BTreeMap<String, Table>);

#[derive(Debug)]
struct Table {
    items: BTreeMap<String, Attributes>,
    /// Seconds since 1970.
    created: i64,
}

impl Tables {
    /// An empty table, made at `now` in seconds since 1970, in place of any of that name.
    pub(crate) fn add(&mut self, name: &str, now: i64) {
        let table = Table {
            items: BTreeMap::new(),
            created: now,
        };
        self.0.insert(name.to_owned(), table);
    }

    /// Takes the table away.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The table's items as plain JSON, by key.
    pub(crate) fn show(&self, name: &str) -> Vec<Value> {
        let items = self.0.get(name).map(|table| table.items.values());
        items.into_iter().flatten().map(value::to_plain).collect()
    }

    /// The item of that key as plain JSON.
    pub(crate) fn item(&self, name: &str, id: &str) -> Option<Value> {
        self.0.get(name)?.items.get(id).map(value::to_plain)
    }

    /// Deletes every item whose TTL is before `now`, in seconds since 1970.
    pub(crate) fn expire(&mut self, now: i64) {
        let now = BigDecimal::from(now);
        for table in self.0.values_mut() {
            table.items.retain(|_, item| match item.get(EXPIRATION) {
                Some(AttributeValue::N(expiration)) => *expiration >= now,
                _ => true,
            });
        }
    }

    fn named(&mut self, name: &str) -> Result<&mut Table, Refusal> {
        self.0.get_mut(name).ok_or_else(|| Refusal::NotFound {
            resource_type: "Table",
            resource_id: name.to_owned(),
        })
    }
}

/// Gives the request its effect, and its output.
pub(crate) fn call(
    operation: TableOperation,
    domain: &Domain,
    tables: &mut Tables,
    body: &Value,
) -> Result<Value, Refusal> {
    let body = Member::body(body);
    request::check_members(operation, &body)?;
    let name = request::table_name(&body)?;
    match operation {
        TableOperation::DescribeTable => describe_table(domain, name, tables.named(name)?),
        TableOperation::GetItem => {
            let key = key(&body)?;
            if let Some(consistent) = body.optional("ConsistentRead")? {
                consistent.boolean()?;
            }
            let item = tables.named(name)?.items.get(&key);
            Ok(item.map_or_else(|| json!({}), |item| json!({ "Item": value::to_json(item) })))
        }
        TableOperation::PutItem => put_item(tables, name, &body),
        TableOperation::DeleteItem => {
            let write = Write::read(&body, &[Returned::None, Returned::AllOld])?;
            let key = key(&body)?;
            let table = tables.named(name)?;
            write.check(table.items.get(&key))?;
            let old = table.items.remove(&key);
            Ok(write.output(old.as_ref(), None))
        }
        TableOperation::UpdateItem => update_item(tables, name, &body),
    }
}

fn put_item(tables: &mut Tables, name: &str, body: &Member<'_>) -> Result<Value, Refusal> {
    let write = Write::read(body, &[Returned::None, Returned::AllOld])?;
    let item = value::attributes(&body.required("Item")?)?;
    let key = key_of(&item)?;
    check_size(&item)?;
    let table = tables.named(name)?;
    write.check(table.items.get(&key))?;
    let old = table.items.insert(key, item);
    Ok(write.output(old.as_ref(), None))
}

fn update_item(tables: &mut Tables, name: &str, body: &Member<'_>) -> Result<Value, Refusal> {
    let write = Write::read(body, &Returned::ALL)?;
    let key = key(body)?;
    let update = &write.update;
    if update.paths().any(|path| path.attribute() == KEY) {
        return Err(invalid(&format!(
            "Cannot update attribute {KEY}. This attribute is part of the key"
        )));
    }
    let table = tables.named(name)?;
    let old = table.items.get(&key).cloned();
    write.check(old.as_ref())?;
    let before = old.clone().unwrap_or_else(|| {
        let key = AttributeValue::S(key.clone());
        Attributes::from([(KEY.to_owned(), key)])
    });
    let new = update.apply(&before)?;
    check_size(&new)?;
    if old.is_none() && !update.creates() {
        return Ok(json!({}));
    }
    let output = write.output(old.as_ref(), Some(&new));
    table.items.insert(key, new);
    Ok(output)
}

/// `TableDescription`, in the Cases domain's partition, Region and account.
fn describe_table(domain: &Domain, name: &str, table: &Table) -> Result<Value, Refusal> {
    let parts: Vec<&str> = domain.arn.split(':').collect();
    let ["arn", partition, _, region, account, ..] = parts.as_slice() else {
        return Err(Refusal::Validation(format!(
            "the domain's ARN {} names no account for the table",
            domain.arn
        )));
    };
    let size: usize = table.items.values().map(value::size).sum();
    Ok(json!({ "Table": {
        "TableName": name,
        "TableArn": format!("arn:{partition}:dynamodb:{region}:{account}:table/{name}"),
        "TableId": uuid(name, 0),
        "TableStatus": "ACTIVE",
        "CreationDateTime": table.created,
        "AttributeDefinitions": [{ "AttributeName": KEY, "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": KEY, "KeyType": "HASH" }],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0,
        },
        "DeletionProtectionEnabled": false,
        "ItemCount": table.items.len(),
        "TableSizeBytes": size,
    } }))
}

/// The partition key of a request's `Key`, which has to be that alone.
fn key(body: &Member<'_>) -> Result<String, Refusal> {
    let key = value::attributes(&body.required("Key")?)?;
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
    if value::size(item) <= ITEM_BYTES {
        return Ok(());
    }
    Err(Refusal::Validation(
        "Item size has exceeded the maximum allowed size".to_owned(),
    ))
}
