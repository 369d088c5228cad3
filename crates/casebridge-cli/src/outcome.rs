//! The outcome of an event before any service is called, by the function's own steps.

use casebridge::config::Config;
use casebridge::error::Failure;
use casebridge::event::Event;
use casebridge::guard::Guard;
use casebridge::outcome::Skip;
use casebridge::request::{CaseRequest, RequestContext};
use casebridge::start::request_context;
use mapping::Mapping;
use mapping::domain::Domain;

/// The outcome of an event.
pub(crate) enum Outcome<'a> {
    /// The request for Cases.
    Case {
        /// The case mapping that took it.
        mapping: &'a str,
        request: Box<CaseRequest>,
    },
    /// The event is skipped.
    Skipped(Skip),
    /// There is no case.
    Refused {
        /// The case mapping that took it, if one did.
        mapping: Option<&'a str>,
        failure: Failure,
    },
}

/// The function up to its first call: guard, routing and request.
pub(crate) struct Function {
    pub(crate) mapping: Mapping,
    guard: Guard,
    context: RequestContext,
}

impl Function {
    /// The function with this mapping and configuration.
    ///
    /// # Errors
    /// The mapping needs the profiles domain, and it is not known.
    pub(crate) fn new(mapping: Mapping, config: &Config, domain: &Domain) -> anyhow::Result<Self> {
        Ok(Self {
            guard: config.guard(),
            context: request_context(config, &mapping, Some(domain))?,
            mapping,
        })
    }

    /// Returns the outcome of an event, or of a payload that is no event.
    pub(crate) fn outcome(&self, event: &Result<Event, Failure>) -> Outcome<'_> {
        let event = match event {
            Ok(event) => event,
            Err(failure) => {
                return Outcome::Refused {
                    mapping: None,
                    failure: failure.clone(),
                };
            }
        };
        match self.guard.check(event) {
            Ok(None) => {}
            Ok(Some(skip)) => return Outcome::Skipped(skip),
            Err(failure) => {
                return Outcome::Refused {
                    mapping: None,
                    failure,
                };
            }
        }
        let Some(case_mapping) = event.route(&self.mapping, &self.context.domain_id) else {
            return Outcome::Skipped(Skip::NoCaseMapping);
        };
        let mapping = &case_mapping.name;
        match CaseRequest::assemble(case_mapping, event, &self.context) {
            Ok(request) => Outcome::Case {
                mapping,
                request: Box::new(request),
            },
            Err(failure) => Outcome::Refused {
                mapping: Some(mapping),
                failure,
            },
        }
    }
}
