//! The operations, and the requests that reach them: the URIs of the service models `connectcases`
//! 2022-10-03, `customer-profiles` 2020-08-15 and `connect` 2017-08-08, whose paths do not collide, and
//! the targets of `dynamodb` 2012-08-10 and `sqs` 2012-11-05.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::service::{Refusal, Service};

macro_rules! operations {
    ($($operation:ident $name:literal $service:ident $method:ident $address:literal $rate:literal $burst:literal;)*) => {
        /// An operation that the emulator serves.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Operation { $($operation),* }

        impl Operation {
            const ALL: &[Self] = &[$(Self::$operation),*];

            fn row(self) -> Row {
                match self {
                    $(Self::$operation => Row {
                        name: $name,
                        service: Service::$service,
                        method: Method::$method,
                        address: $address,
                        quota: ($rate, $burst),
                    }),*
                }
            }
        }
    };
}

struct Row {
    name: &'static str,
    service: Service,
    method: Method,
    /// The model's `requestUri`, or the value of `X-Amz-Target`.
    address: &'static str,
    quota: (u32, u32),
}

// Operation, name in faults and requests, service, method, path or target; then the published quota, in
// requests a second and requests at once, or 0. For Customer Profiles AWS publishes the rate alone.
// <https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html>
operations! {
    BatchGetCaseRule     "BatchGetCaseRule"     Cases POST "/domains/{domainId}/rules-batch"                         8 25;
    BatchGetField        "BatchGetField"        Cases POST "/domains/{domainId}/fields-batch"                        8 25;
    CreateCase           "CreateCase"           Cases POST "/domains/{domainId}/cases"                               2 10;
    CreateRelatedItem    "CreateRelatedItem"    Cases POST "/domains/{domainId}/cases/{caseId}/related-items/"       2 10;
    GetCase              "GetCase"              Cases POST "/domains/{domainId}/cases/{caseId}"                      4 10;
    GetCaseAuditEvents   "GetCaseAuditEvents"   Cases POST "/domains/{domainId}/cases/{caseId}/audit-history"        2 10;
    GetDomain            "GetDomain"            Cases POST "/domains/{domainId}"                                     2 5;
    GetTemplate          "GetTemplate"          Cases POST "/domains/{domainId}/templates/{templateId}"              6 20;
    ListCaseRules        "ListCaseRules"        Cases POST "/domains/{domainId}/rules-list/"                         2 10;
    ListCasesForContact  "ListCasesForContact"  Cases POST "/domains/{domainId}/list-cases-for-contact"              2 2;
    ListDomains          "ListDomains"          Cases POST "/domains-list"                                           2 5;
    ListFieldOptions     "ListFieldOptions"     Cases POST "/domains/{domainId}/fields/{fieldId}/options-list"       6 16;
    ListFields           "ListFields"           Cases POST "/domains/{domainId}/fields-list"                         2 5;
    ListTemplates        "ListTemplates"        Cases POST "/domains/{domainId}/templates-list"                      2 10;
    SearchCases          "SearchCases"          Cases POST "/domains/{domainId}/cases-search"                        2 10;
    SearchRelatedItems   "SearchRelatedItems"   Cases POST "/domains/{domainId}/cases/{caseId}/related-items-search" 2 10;
    CreateProfile        "CreateProfile"        CustomerProfiles POST "/domains/{DomainName}/profiles"               100 100;
    SearchProfiles       "SearchProfiles"       CustomerProfiles POST "/domains/{DomainName}/profiles/search"        100 100;
    DescribeContact      "DescribeContact"      Connect GET "/contacts/{InstanceId}/{ContactId}"                     10 15;
    GetContactAttributes "GetContactAttributes" Connect GET "/contact/attributes/{InstanceId}/{InitialContactId}"    10 15;
    DeleteItem           "DynamoDB.DeleteItem"  DynamoDb POST "DynamoDB_20120810.DeleteItem"                         0 0;
    GetItem              "DynamoDB.GetItem"     DynamoDb POST "DynamoDB_20120810.GetItem"                            0 0;
    PutItem              "DynamoDB.PutItem"     DynamoDb POST "DynamoDB_20120810.PutItem"                            0 0;
    UpdateItem           "DynamoDB.UpdateItem"  DynamoDb POST "DynamoDB_20120810.UpdateItem"                         0 0;
    SendMessage          "SQS.SendMessage"      Sqs POST "AmazonSQS.SendMessage"                                     0 0;
}

impl Operation {
    /// Returns the operation's name in the API; names of DynamoDB and SQS begin with their service.
    pub(crate) fn name(self) -> &'static str {
        self.row().name
    }

    pub(crate) fn service(self) -> Service {
        self.row().service
    }

    /// Returns the published quota: requests a second, and requests at once.
    pub(crate) fn quota(self) -> Option<(u32, u32)> {
        Some(self.row().quota).filter(|(_, burst)| *burst > 0)
    }

    /// Returns the operation's path and target.
    fn address(self) -> (&'static str, Option<&'static str>) {
        let Row {
            service, address, ..
        } = self.row();
        if service.has_targets() {
            ("/", Some(address))
        } else {
            (address, None)
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
        let operations = Operation::ALL.iter().copied();
        operations
            .filter(|operation| {
                operation.row().method == *method && operation.address().1 == target
            })
            .find_map(|operation| Self::of(operation, path))
            .ok_or_else(|| {
                let served: Vec<&str> = Operation::ALL.iter().map(|one| one.name()).collect();
                let target = target.map_or_else(String::new, |target| format!(" {target}"));
                Refusal::UnknownOperation(format!(
                    "{method} {path}{target} is no operation of this emulator; it serves {}",
                    served.join(", ")
                ))
            })
    }

    /// Returns the route when the path is that of the operation.
    fn of(operation: Operation, path: &str) -> Option<Self> {
        let (modelled, found) = (segments(operation.address().0), segments(path));
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

/// Splits a path. Some modelled paths end with a slash, and some clients remove it.
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
        for operation in Operation::ALL {
            let (path, target) = operation.address();
            let path = path.replace(['{', '}'], "");
            for path in [path.trim_end_matches('/').to_owned(), path] {
                let route = Route::find(&operation.row().method, &path, target).expect("a route");
                assert_eq!(route.operation, *operation, "{path}");
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
