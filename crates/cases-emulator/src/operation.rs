//! Method and path to operation: the URIs of the service model, `connectcases` 2022-10-03.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::refusal::Refusal;

/// An operation the emulator serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    BatchGetCaseRule,
    BatchGetField,
    CreateCase,
    GetCase,
    GetCaseAuditEvents,
    GetDomain,
    GetTemplate,
    ListCaseRules,
    ListDomains,
    ListFieldOptions,
    ListFields,
    ListTemplates,
    SearchCases,
}

impl Operation {
    const ALL: [Self; 13] = [
        Self::BatchGetCaseRule,
        Self::BatchGetField,
        Self::CreateCase,
        Self::GetCase,
        Self::GetCaseAuditEvents,
        Self::GetDomain,
        Self::GetTemplate,
        Self::ListCaseRules,
        Self::ListDomains,
        Self::ListFieldOptions,
        Self::ListFields,
        Self::ListTemplates,
        Self::SearchCases,
    ];

    /// The operation's name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BatchGetCaseRule => "BatchGetCaseRule",
            Self::BatchGetField => "BatchGetField",
            Self::CreateCase => "CreateCase",
            Self::GetCase => "GetCase",
            Self::GetCaseAuditEvents => "GetCaseAuditEvents",
            Self::GetDomain => "GetDomain",
            Self::GetTemplate => "GetTemplate",
            Self::ListCaseRules => "ListCaseRules",
            Self::ListDomains => "ListDomains",
            Self::ListFieldOptions => "ListFieldOptions",
            Self::ListFields => "ListFields",
            Self::ListTemplates => "ListTemplates",
            Self::SearchCases => "SearchCases",
        }
    }
}

/// An operation with the labels of its path, percent-decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    /// `domainId`; none for `ListDomains`.
    pub(crate) domain_id: Option<String>,
    /// `caseId`, `templateId` or `fieldId`; empty where the path has no such label.
    pub(crate) resource_id: String,
}

impl Route {
    /// Finds the operation with this method and path.
    pub(crate) fn find(method: &Method, path: &str) -> Result<Self, Refusal> {
        let unknown = || {
            let served = Operation::ALL.map(Operation::name).join(", ");
            Refusal::UnknownOperation(format!(
                "{method} {path} is no operation this emulator serves; it serves {served}"
            ))
        };
        if method != Method::POST {
            return Err(unknown());
        }
        let path = path.strip_prefix('/').unwrap_or(path);
        // ListCaseRules is modelled as `/rules-list/`, and some clients normalise the slash away.
        let path = path.strip_suffix('/').unwrap_or(path);
        let labels: Vec<String> = path
            .split('/')
            .map(|label| percent_decode_str(label).decode_utf8_lossy().into_owned())
            .collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        Self::of_labels(&labels)
            .filter(|_| labels.iter().all(|label| !label.is_empty()))
            .ok_or_else(unknown)
    }

    fn of_labels(labels: &[&str]) -> Option<Self> {
        let (operation, domain_id, resource_id) = match *labels {
            ["domains-list"] => (Operation::ListDomains, None, ""),
            ["domains", domain] => (Operation::GetDomain, Some(domain), ""),
            ["domains", domain, "cases"] => (Operation::CreateCase, Some(domain), ""),
            ["domains", domain, "cases", case] => (Operation::GetCase, Some(domain), case),
            ["domains", domain, "cases", case, "audit-history"] => {
                (Operation::GetCaseAuditEvents, Some(domain), case)
            }
            ["domains", domain, "cases-search"] => (Operation::SearchCases, Some(domain), ""),
            ["domains", domain, "templates-list"] => (Operation::ListTemplates, Some(domain), ""),
            ["domains", domain, "templates", template] => {
                (Operation::GetTemplate, Some(domain), template)
            }
            ["domains", domain, "fields-list"] => (Operation::ListFields, Some(domain), ""),
            ["domains", domain, "fields-batch"] => (Operation::BatchGetField, Some(domain), ""),
            ["domains", domain, "fields", field, "options-list"] => {
                (Operation::ListFieldOptions, Some(domain), field)
            }
            ["domains", domain, "rules-list"] => (Operation::ListCaseRules, Some(domain), ""),
            ["domains", domain, "rules-batch"] => (Operation::BatchGetCaseRule, Some(domain), ""),
            _ => return None,
        };
        Some(Self {
            operation,
            domain_id: domain_id.map(str::to_owned),
            resource_id: resource_id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_percent_decoded() {
        let route = Route::find(&Method::POST, "/domains/a%2Fb/cases/c%20d").expect("a route");
        assert_eq!(route.operation, Operation::GetCase);
        assert_eq!(route.domain_id.as_deref(), Some("a/b"));
        assert_eq!(route.resource_id, "c d");
    }

    #[test]
    fn rules_list_is_found_with_and_without_its_slash() {
        for path in ["/domains/d/rules-list/", "/domains/d/rules-list"] {
            let route = Route::find(&Method::POST, path).expect("a route");
            assert_eq!(route.operation, Operation::ListCaseRules);
        }
    }

    #[test]
    fn other_methods_empty_labels_and_unserved_paths_are_unknown() {
        for (method, path) in [
            (Method::GET, "/domains/d"),
            (Method::PUT, "/domains/d/cases/c"),
            (Method::POST, "/domains//cases"),
            (Method::POST, "/domains/d/layouts/l"),
            (Method::POST, "/"),
        ] {
            let refusal = Route::find(&method, path).expect_err("no route");
            assert_eq!(refusal.error_type(), "UnknownOperationException", "{path}");
        }
    }
}
