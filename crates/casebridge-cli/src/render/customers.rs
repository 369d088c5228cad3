//! The customers of an offline tool: those of the file, and whoever an event names by a profile ARN.

use casebridge::event::Event;
use casebridge::handler::Casebridge;
use casebridge::request::CaseRequest;
use cases_emulator::Emulator;
use serde_json::{Value, json};

/// Takes the profiles whose ARNs the events bring as existing, for nobody can be asked whether they do.
pub(super) fn take_as_known(emulator: &Emulator, casebridge: &Casebridge, events: &[Event]) {
    let requests = events.iter().filter_map(|event| {
        let case = event.route(&casebridge.mapping)?;
        CaseRequest::assemble(case, event, &casebridge.context).ok()
    });
    let mut profiles = emulator.profiles();
    let (mut searches, mut named) = (false, None);
    for request in requests {
        searches |= request.customer.is_some();
        let Some((domain, id)) = request.customer_arn().and_then(parts) else {
            continue;
        };
        named = Some(domain.to_owned());
        let is_it = |profile: &Value| profile.get("ProfileId").and_then(Value::as_str) == Some(id);
        if !profiles.iter().any(is_it) {
            profiles.push(json!({ "ProfileId": id }));
        }
    }
    let Some(named) = named else { return };
    // A search goes to the domain that the function is told of; without one, the ARN alone says which domain it is.
    let known = &casebridge.context.profiles;
    let domain = match known.as_ref().filter(|_| searches) {
        Some(domain) => domain.name.clone(),
        None => named,
    };
    let seed = json!({ "domain": { "DomainName": domain }, "profiles": profiles });
    // An id that no profile can have is left for Cases to refuse.
    let _ = emulator.set_profiles(&seed.to_string());
}

/// The domain's name and the profile's id in `arn:P:profile:R:A:domains/NAME/profiles/ID`.
fn parts(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":domains/")?.1.split_once("/profiles/")
}
