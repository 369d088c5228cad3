//! What the targets share: the shipped mapping, its domain, and events of every kind.

use std::sync::LazyLock;

use casebridge::event::{Event, Payload};
use casebridge::guard::Guard;
use casebridge::request::{CaseRequest, ProfilesDomain, RequestContext};
use mapping::domain::Domain;
use mapping::{LoadContext, Mapping};

/// What every custom entity begins with.
pub const ENTITY_PREFIX: &str = "casebridge/";

/// The shipped domain snapshot.
pub static DOMAIN: LazyLock<Domain> = LazyLock::new(|| {
    Domain::from_json(include_str!("../../domain.json")).expect("the snapshot is sound")
});

/// The shipped mapping.
pub static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    let text = include_str!("../../mapping.yaml");
    Mapping::load("mapping.yaml", text, context()).expect("the mapping is sound")
});

/// What the shipped mapping is loaded against.
pub fn context() -> LoadContext<'static> {
    LoadContext {
        domain: Some(&DOMAIN),
        entity_prefix: ENTITY_PREFIX,
    }
}

/// One event of each trigger.
pub static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(|| {
    let payloads = [
        include_str!("../../events/contact-flow-voice.json"),
        include_str!("../../events/order-failed.json"),
    ];
    payloads.into_iter().flat_map(events).collect()
});

/// The events of a payload; none if there is no sense in it.
pub fn events(payload: &str) -> Vec<Event> {
    match Payload::parse(payload) {
        Ok(Payload::Event(event)) => vec![event],
        Ok(Payload::Events(events)) => events.into_iter().filter_map(Result::ok).collect(),
        Ok(Payload::Batch(messages)) => messages
            .into_iter()
            .filter_map(|message| message.event.ok())
            .collect(),
        Err(_) => Vec::new(),
    }
}

/// Lets everything through.
pub static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard {
    entity_prefix: ENTITY_PREFIX.to_owned(),
    region: "us-east-1".to_owned(),
    ..Guard::default()
});

static CONTEXT: LazyLock<RequestContext> = LazyLock::new(|| RequestContext {
    domain_id: DOMAIN.id.clone(),
    domain_arn: Some(DOMAIN.arn.clone()),
    entity_prefix: ENTITY_PREFIX.to_owned(),
    profiles: Some(ProfilesDomain {
        region: "us-east-1".to_owned(),
        account: "111122223333".to_owned(),
        name: "amazon-connect-example".to_owned(),
    }),
});

/// Assembles the request for an event that the mapping takes, and checks that the same event gives the same request.
pub fn assemble(mapping: &Mapping, event: &Event) -> Option<CaseRequest> {
    let case = event.route(mapping, &CONTEXT.domain_id)?;
    let request = CaseRequest::assemble(case, event, &CONTEXT);
    let again = CaseRequest::assemble(case, event, &CONTEXT);
    assert!(request == again, "one event, two requests");
    let request = request.ok()?;
    assert_eq!(request.client_token.len(), 64);
    assert!(request.fields.len() <= mapping::limits::FIELDS);
    Some(request)
}
