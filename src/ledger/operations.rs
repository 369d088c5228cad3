//! The ledger's operations of DynamoDB: turns each kind of refusal into advice.
//!
//! The operations share most of their advice.

use crate::call::Operation;

const NOT_FOUND: &str = "the table does not exist: check CASEBRIDGE_LEDGER_TABLE";
const REFUSED: &str =
    "the table refuses the item: its partition key has to be the text `id`, without a sort key";
const QUOTA: &str = "what the table's capacity allows";

pub(super) const GET_ITEM: Operation = Operation {
    name: "GetItem",
    actions: "dynamodb:GetItem on the ledger's table",
    ..PUT_ITEM
};

pub(super) const PUT_ITEM: Operation = Operation {
    name: "PutItem",
    actions: "dynamodb:PutItem on the ledger's table",
    quota: QUOTA,
    not_found: NOT_FOUND,
    refused: REFUSED,
};

pub(super) const UPDATE_ITEM: Operation = Operation {
    name: "UpdateItem",
    actions: "dynamodb:UpdateItem on the ledger's table",
    ..PUT_ITEM
};

pub(super) const DELETE_ITEM: Operation = Operation {
    name: "DeleteItem",
    actions: "dynamodb:DeleteItem on the ledger's table",
    ..PUT_ITEM
};
