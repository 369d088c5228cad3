//! What the requests on a table share: which members are served, the table's name, the expressions,
//! and what is to be given back.

use serde_json::{Value, json};

use super::TableOperation;
use super::condition::Condition;
use super::placeholders::Placeholders;
use super::update::{Update, project};
use super::value::{self, Attributes};
use crate::members::Member;
use crate::refusal::Refusal;

/// Members that every write has.
const WRITE: [&str; 6] = [
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnItemCollectionMetrics",
    "ReturnValues",
    "ReturnValuesOnConditionCheckFailure",
];

impl TableOperation {
    pub(crate) const ALL: [Self; 5] = [
        Self::DeleteItem,
        Self::DescribeTable,
        Self::GetItem,
        Self::PutItem,
        Self::UpdateItem,
    ];

    /// The operation's name, with its service in front.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DeleteItem => "DynamoDB.DeleteItem",
            Self::DescribeTable => "DynamoDB.DescribeTable",
            Self::GetItem => "DynamoDB.GetItem",
            Self::PutItem => "DynamoDB.PutItem",
            Self::UpdateItem => "DynamoDB.UpdateItem",
        }
    }

    /// The value of `X-Amz-Target`.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::DeleteItem => "DynamoDB_20120810.DeleteItem",
            Self::DescribeTable => "DynamoDB_20120810.DescribeTable",
            Self::GetItem => "DynamoDB_20120810.GetItem",
            Self::PutItem => "DynamoDB_20120810.PutItem",
            Self::UpdateItem => "DynamoDB_20120810.UpdateItem",
        }
    }

    /// The members that are served, beside `TableName` and `ReturnConsumedCapacity`.
    fn members(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::DescribeTable => (&[], &[]),
            Self::GetItem => (&["ConsistentRead", "Key"], &[]),
            Self::PutItem => (&["Item"], &WRITE),
            Self::DeleteItem => (&["Key"], &WRITE),
            Self::UpdateItem => (&["Key", "UpdateExpression"], &WRITE),
        }
    }
}

/// Refuses members that are not served, so that none is passed over in silence.
pub(crate) fn check_members(operation: TableOperation, body: &Member<'_>) -> Result<(), Refusal> {
    let (own, shared) = operation.members();
    let served: Vec<&str> = ["TableName", "ReturnConsumedCapacity"]
        .iter()
        .chain(own)
        .chain(shared)
        .copied()
        .collect();
    body.has_only(&served)?;
    for name in ["ReturnConsumedCapacity", "ReturnItemCollectionMetrics"] {
        if let Some(member) = body.optional(name)?
            && member.text(0..=usize::MAX)? != "NONE"
        {
            return Err(Refusal::Validation(format!(
                "{name} other than NONE is not supported by this emulator"
            )));
        }
    }
    Ok(())
}

/// The name of the request's table, from its name or its ARN.
pub(crate) fn table_name<'a>(body: &Member<'a>) -> Result<&'a str, Refusal> {
    let name = body.required("TableName")?.text(1..=1024)?;
    Ok(match name.split_once(":table/") {
        Some((_, name)) => name,
        None => name,
    })
}

/// `ReturnValues`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    None,
    AllOld,
    UpdatedOld,
    AllNew,
    UpdatedNew,
}

impl Returned {
    pub(crate) const ALL: [Self; 5] = [
        Self::None,
        Self::AllOld,
        Self::UpdatedOld,
        Self::AllNew,
        Self::UpdatedNew,
    ];

    fn read(member: Option<&Member<'_>>, allowed: &[Self]) -> Result<Self, Refusal> {
        let Some(member) = member else {
            return Ok(Self::None);
        };
        let returned =
            match member.one_of(&["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"])? {
                "ALL_OLD" => Self::AllOld,
                "UPDATED_OLD" => Self::UpdatedOld,
                "ALL_NEW" => Self::AllNew,
                "UPDATED_NEW" => Self::UpdatedNew,
                _ => Self::None,
            };
        if allowed.contains(&returned) {
            return Ok(returned);
        }
        Err(Refusal::Validation(
            "ReturnValues can only be ALL_OLD or NONE".to_owned(),
        ))
    }
}

/// What a write does beside its effect.
#[derive(Debug)]
pub(crate) struct Write {
    /// The changes of `UpdateExpression`, none without one.
    pub(crate) update: Update,
    condition: Option<Condition>,
    returned: Returned,
    /// Whether a failed condition shows the item.
    shows_item: bool,
}

impl Write {
    /// That of the request, which may have these values of `ReturnValues`.
    pub(crate) fn read(body: &Member<'_>, allowed: &[Returned]) -> Result<Self, Refusal> {
        let condition = body.optional("ConditionExpression")?;
        let update = body.optional("UpdateExpression")?;
        let has_expression = condition.is_some() || update.is_some();
        let mut placeholders = Placeholders::read(body, has_expression)?;
        let update = match update {
            Some(update) => Update::read(update.text(0..=usize::MAX)?, &mut placeholders)?,
            None => Update::default(),
        };
        let condition = match condition {
            Some(text) => Some(Condition::read(
                text.text(0..=usize::MAX)?,
                &mut placeholders,
            )?),
            None => None,
        };
        placeholders.all_used()?;
        let shows_item = match body.optional("ReturnValuesOnConditionCheckFailure")? {
            Some(member) => member.one_of(&["NONE", "ALL_OLD"])? == "ALL_OLD",
            None => false,
        };
        Ok(Self {
            update,
            condition,
            returned: Returned::read(body.optional("ReturnValues")?.as_ref(), allowed)?,
            shows_item,
        })
    }

    /// Refuses an item that does not meet the condition.
    pub(crate) fn check(&self, item: Option<&Attributes>) -> Result<(), Refusal> {
        let nothing = Attributes::new();
        match &self.condition {
            Some(condition) if !condition.holds(item.unwrap_or(&nothing)) => {
                Err(Refusal::ConditionalCheckFailed {
                    item: item.filter(|_| self.shows_item).map(value::to_json),
                })
            }
            _ => Ok(()),
        }
    }

    /// The output of a write that found one item and left the other.
    pub(crate) fn output(&self, old: Option<&Attributes>, new: Option<&Attributes>) -> Value {
        let updated = |item: &Attributes| project(item, self.update.paths());
        let returned = match self.returned {
            Returned::None => None,
            Returned::AllOld => old.cloned(),
            Returned::UpdatedOld => old.map(updated),
            Returned::AllNew => new.cloned(),
            Returned::UpdatedNew => new.map(updated),
        };
        match returned.filter(|attributes| !attributes.is_empty()) {
            Some(attributes) => json!({ "Attributes": value::to_json(&attributes) }),
            None => json!({}),
        }
    }
}
