//! Method and path to operation: the URIs of the service models `connectcases` 2022-10-03,
//! `customer-profiles` 2020-08-15 and `connect` 2017-08-08. Their paths do not collide. The operations
//! of `dynamodb` and `sqs` are all `POST /`, told apart by `X-Amz-Target`.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::refusal::Refusal;

/// An operation the emulator serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    AddProfileKey,
    BatchGetCaseRule,
    BatchGetField,
    CreateCase,
    CreateProfile,
    CreateRelatedItem,
    DescribeContact,
    GetCase,
    GetCaseAuditEvents,
    GetContactAttributes,
    GetDomain,
    GetTemplate,
    ListCaseRules,
    ListCasesForContact,
    ListDomains,
    ListFieldOptions,
    ListFields,
    ListProfilesDomains,
    ListTemplates,
    SearchCases,
    SearchProfiles,
    SearchRelatedItems,
    SendMessage,
    DeleteItem,
    GetItem,
    PutItem,
    UpdateItem,
}

/// The service whose operation it is: each names its errors and their members in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Cases,
    CustomerProfiles,
    Connect,
    DynamoDb,
    Sqs,
}

impl Service {
    /// The service whose operations have such targets; Cases where there is none.
    pub(crate) fn of_target(target: Option<&str>) -> Self {
        match target.and_then(|target| target.split_once('.')) {
            Some(("DynamoDB_20120810", _)) => Self::DynamoDb,
            Some(("AmazonSQS", _)) => Self::Sqs,
            _ => Self::Cases,
        }
    }

    /// Whether its protocol is AWS JSON 1.0, whose operations have targets rather than paths.
    pub(crate) fn has_targets(self) -> bool {
        matches!(self, Self::DynamoDb | Self::Sqs)
    }
}

impl Operation {
    const ALL: [Self; 27] = [
        Self::AddProfileKey,
        Self::BatchGetCaseRule,
        Self::BatchGetField,
        Self::CreateCase,
        Self::CreateProfile,
        Self::CreateRelatedItem,
        Self::DescribeContact,
        Self::GetCase,
        Self::GetCaseAuditEvents,
        Self::GetContactAttributes,
        Self::GetDomain,
        Self::GetTemplate,
        Self::ListCaseRules,
        Self::ListCasesForContact,
        Self::ListDomains,
        Self::ListFieldOptions,
        Self::ListFields,
        Self::ListProfilesDomains,
        Self::ListTemplates,
        Self::SearchCases,
        Self::SearchProfiles,
        Self::SearchRelatedItems,
        Self::SendMessage,
        Self::DeleteItem,
        Self::GetItem,
        Self::PutItem,
        Self::UpdateItem,
    ];

    /// All operations.
    fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// The operation's name in the API; those of DynamoDB and SQS, and the one that Customer Profiles
    /// shares with Cases, have their service in front.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AddProfileKey => "AddProfileKey",
            Self::BatchGetCaseRule => "BatchGetCaseRule",
            Self::BatchGetField => "BatchGetField",
            Self::CreateCase => "CreateCase",
            Self::CreateProfile => "CreateProfile",
            Self::CreateRelatedItem => "CreateRelatedItem",
            Self::DescribeContact => "DescribeContact",
            Self::GetCase => "GetCase",
            Self::GetCaseAuditEvents => "GetCaseAuditEvents",
            Self::GetContactAttributes => "GetContactAttributes",
            Self::GetDomain => "GetDomain",
            Self::GetTemplate => "GetTemplate",
            Self::ListCaseRules => "ListCaseRules",
            Self::ListCasesForContact => "ListCasesForContact",
            Self::ListDomains => "ListDomains",
            Self::ListFieldOptions => "ListFieldOptions",
            Self::ListFields => "ListFields",
            Self::ListProfilesDomains => "CustomerProfiles.ListDomains",
            Self::ListTemplates => "ListTemplates",
            Self::SearchCases => "SearchCases",
            Self::SearchProfiles => "SearchProfiles",
            Self::SearchRelatedItems => "SearchRelatedItems",
            Self::SendMessage => "SQS.SendMessage",
            Self::DeleteItem => "DynamoDB.DeleteItem",
            Self::GetItem => "DynamoDB.GetItem",
            Self::PutItem => "DynamoDB.PutItem",
            Self::UpdateItem => "DynamoDB.UpdateItem",
        }
    }

    pub(crate) fn service(self) -> Service {
        match self {
            Self::AddProfileKey
            | Self::CreateProfile
            | Self::ListProfilesDomains
            | Self::SearchProfiles => Service::CustomerProfiles,
            Self::DescribeContact | Self::GetContactAttributes => Service::Connect,
            Self::SendMessage => Service::Sqs,
            Self::DeleteItem | Self::GetItem | Self::PutItem | Self::UpdateItem => {
                Service::DynamoDb
            }
            _ => Service::Cases,
        }
    }

    fn method(self) -> Method {
        match self {
            Self::DescribeContact | Self::GetContactAttributes | Self::ListProfilesDomains => {
                Method::GET
            }
            _ => Method::POST,
        }
    }

    /// The value of `X-Amz-Target`, where the operation has one.
    fn target(self) -> Option<&'static str> {
        match self {
            Self::SendMessage => Some("AmazonSQS.SendMessage"),
            Self::DeleteItem => Some("DynamoDB_20120810.DeleteItem"),
            Self::GetItem => Some("DynamoDB_20120810.GetItem"),
            Self::PutItem => Some("DynamoDB_20120810.PutItem"),
            Self::UpdateItem => Some("DynamoDB_20120810.UpdateItem"),
            _ => None,
        }
    }

    /// `requestUri` of the model.
    fn uri(self) -> &'static str {
        match self {
            Self::AddProfileKey => "/domains/{DomainName}/profiles/keys",
            Self::BatchGetCaseRule => "/domains/{domainId}/rules-batch",
            Self::BatchGetField => "/domains/{domainId}/fields-batch",
            Self::CreateCase => "/domains/{domainId}/cases",
            Self::CreateProfile => "/domains/{DomainName}/profiles",
            Self::CreateRelatedItem => "/domains/{domainId}/cases/{caseId}/related-items/",
            Self::DescribeContact => "/contacts/{InstanceId}/{ContactId}",
            Self::GetCase => "/domains/{domainId}/cases/{caseId}",
            Self::GetCaseAuditEvents => "/domains/{domainId}/cases/{caseId}/audit-history",
            Self::GetContactAttributes => "/contact/attributes/{InstanceId}/{InitialContactId}",
            Self::GetDomain => "/domains/{domainId}",
            Self::GetTemplate => "/domains/{domainId}/templates/{templateId}",
            Self::ListCaseRules => "/domains/{domainId}/rules-list/",
            Self::ListCasesForContact => "/domains/{domainId}/list-cases-for-contact",
            Self::ListDomains => "/domains-list",
            Self::ListFieldOptions => "/domains/{domainId}/fields/{fieldId}/options-list",
            Self::ListFields => "/domains/{domainId}/fields-list",
            Self::ListProfilesDomains => "/domains",
            Self::ListTemplates => "/domains/{domainId}/templates-list",
            Self::SearchCases => "/domains/{domainId}/cases-search",
            Self::SearchProfiles => "/domains/{DomainName}/profiles/search",
            Self::SearchRelatedItems => "/domains/{domainId}/cases/{caseId}/related-items-search",
            Self::SendMessage
            | Self::DeleteItem
            | Self::GetItem
            | Self::PutItem
            | Self::UpdateItem => "/",
        }
    }
}

/// An operation with the labels of its path, percent-decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    /// `domainId`, `DomainName` or `InstanceId`; none where domains are listed.
    pub(crate) domain_id: Option<String>,
    /// `caseId`, `templateId`, `fieldId`, `ContactId` or `InitialContactId`; empty where the path
    /// has no such label.
    pub(crate) resource_id: String,
}

impl Route {
    /// Finds the operation with this method, path and `X-Amz-Target`.
    pub(crate) fn find(method: &Method, path: &str, target: Option<&str>) -> Result<Self, Refusal> {
        Operation::all()
            .filter(|operation| operation.method() == *method && operation.target() == target)
            .find_map(|operation| Self::of(operation, path))
            .ok_or_else(|| {
                let served: Vec<&str> = Operation::all().map(Operation::name).collect();
                let target = target.map_or_else(String::new, |target| format!(" {target}"));
                Refusal::UnknownOperation(format!(
                    "{method} {path}{target} is no operation this emulator serves; it serves {}",
                    served.join(", ")
                ))
            })
    }

    /// The route when the path is that of the operation.
    fn of(operation: Operation, path: &str) -> Option<Self> {
        let (modelled, found) = (segments(operation.uri()), segments(path));
        if modelled.clone().count() != found.clone().count() {
            return None;
        }
        let mut labels = Vec::new();
        for (modelled, found) in modelled.zip(found) {
            let found = percent_decode_str(found).decode_utf8_lossy();
            if modelled.starts_with('{') && !found.is_empty() {
                labels.push(found.into_owned());
            } else if modelled != found {
                return None;
            }
        }
        let mut labels = labels.into_iter();
        Some(Self {
            operation,
            domain_id: labels.next(),
            resource_id: labels.next().unwrap_or_default(),
        })
    }
}

/// Some paths are modelled with a slash at their end, and some clients normalise it away.
fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_percent_decoded() {
        let route =
            Route::find(&Method::POST, "/domains/a%2Fb/cases/c%20d", None).expect("a route");
        assert_eq!(route.operation, Operation::GetCase);
        assert_eq!(route.domain_id.as_deref(), Some("a/b"));
        assert_eq!(route.resource_id, "c d");
    }

    #[test]
    fn each_operation_is_found_by_its_own_uri_with_and_without_a_slash_at_the_end() {
        for operation in Operation::all() {
            let path = operation.uri().replace(['{', '}'], "");
            for path in [path.trim_end_matches('/').to_owned(), path] {
                let route =
                    Route::find(&operation.method(), &path, operation.target()).expect("a route");
                assert_eq!(route.operation, operation, "{path}");
            }
        }
    }

    #[test]
    fn other_methods_empty_labels_and_unserved_paths_and_targets_are_unknown() {
        let target = Some("DynamoDB_20120810.GetItem");
        for (method, path, target) in [
            (Method::GET, "/domains/d", None),
            (Method::POST, "/domains", None),
            (Method::PUT, "/domains/d/cases/c", None),
            (Method::POST, "/domains//cases", None),
            (Method::GET, "/contacts/i/", None),
            (Method::POST, "/domains/d/layouts/l", None),
            (Method::POST, "/", None),
            (Method::POST, "/", Some("DynamoDB_20120810.Scan")),
            (Method::GET, "/", target),
            (Method::POST, "/domains/d/cases/c", target),
        ] {
            let refusal = Route::find(&method, path, target).expect_err("no route");
            assert!(
                matches!(refusal, Refusal::UnknownOperation(_)),
                "{method} {path}"
            );
        }
    }
}
