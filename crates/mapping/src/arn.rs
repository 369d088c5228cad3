//! Amazon Resource Names in requests and events: checks of their shape, and the parts that the code needs.
//!
//! The checks accept the ARNs of every partition.

/// Returns the account id of an ARN.
#[must_use]
pub fn account(arn: &str) -> Option<&str> {
    parts(arn).map(|parts| parts.account)
}

/// Returns true if the text is the ARN of a resource in a Connect instance: `arn:P:connect:R:A:instance/I/KIND/ID`.
#[must_use]
pub fn is_connect(arn: &str, kinds: &[&str]) -> bool {
    let Some(parts) = parts(arn).filter(|parts| parts.service == "connect") else {
        return false;
    };
    let path: Vec<&str> = parts.resource.split('/').collect();
    matches!(path.as_slice(), ["instance", instance, kind, id] if is_identifier(instance) && kinds.contains(kind) && is_identifier(id))
}

/// Returns true if the text is the ARN of a Connect instance: `arn:P:connect:R:A:instance/I`.
#[must_use]
pub fn is_instance(arn: &str) -> bool {
    parts(arn)
        .filter(|parts| parts.service == "connect")
        .and_then(|parts| parts.resource.strip_prefix("instance/"))
        .is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

/// Returns true if the text is a profile ARN: `arn:P:profile:R:A:domains/NAME/profiles/ID`.
#[must_use]
pub fn is_profile(arn: &str) -> bool {
    profile(arn).is_some()
}

/// Returns the domain name and the profile id of a profile ARN.
#[must_use]
pub fn profile(arn: &str) -> Option<(&str, &str)> {
    let parts = parts(arn).filter(|parts| parts.service == "profile")?;
    let (domain, id) = parts
        .resource
        .strip_prefix("domains/")?
        .split_once("/profiles/")?;
    (is_identifier(domain) && is_identifier(id)).then_some((domain, id))
}

fn is_identifier(text: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.chars().all(is_legal)
}

/// Returns the contact id of a contact ARN: `arn:P:connect:R:A:instance/I/contact/ID`.
#[must_use]
pub fn contact_id(arn: &str) -> Option<&str> {
    arn.rsplit_once("/contact/")
        .map(|(_, id)| id)
        .filter(|id| !id.is_empty())
}

/// Returns the instance id from the ARN of a Connect instance, or of a resource in it.
///
/// The ARN is not checked, because contact events can contain ARNs with missing parts.
#[must_use]
pub fn instance_id(arn: &str) -> Option<&str> {
    let (_, rest) = arn.split_once(":instance/")?;
    rest.split('/').next().filter(|id| !id.is_empty())
}

/// Returns the AWS partition of a Region.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("us-iso-") => "aws-iso",
        region if region.starts_with("us-isob-") => "aws-iso-b",
        region if region.starts_with("eu-isoe-") => "aws-iso-e",
        region if region.starts_with("us-isof-") => "aws-iso-f",
        region if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

struct Parts<'a> {
    service: &'a str,
    account: &'a str,
    resource: &'a str,
}

fn parts(arn: &str) -> Option<Parts<'_>> {
    let mut parts = arn.splitn(6, ':');
    let (prefix, partition, service, region, account, resource) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    );
    let sound = prefix == "arn"
        && (partition == "aws" || partition.starts_with("aws-"))
        && !region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !resource
            .chars()
            .any(|c| c.is_whitespace() || c.is_control());
    sound.then_some(Parts {
        service,
        account,
        resource,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_hold_in_every_partition() {
        for partition in ["aws", "aws-us-gov", "aws-cn"] {
            assert!(is_connect(
                &format!("arn:{partition}:connect:us-east-1:111122223333:instance/I/agent/U"),
                &["agent"]
            ));
            assert!(is_profile(&format!(
                "arn:{partition}:profile:us-east-1:111122223333:domains/shop/profiles/0a1b"
            )));
        }
        for other in [
            "",
            "arn:aws:connect:us-east-1:1111:instance/I/agent/U",
            "arn:aws:connect:us-east-1:111122223333:instance/I/agent/",
            "arn:aws:connect:us-east-1:111122223333:instance/I/queue/Q",
        ] {
            assert!(!is_connect(other, &["agent"]), "{other}");
        }
        assert!(!is_profile(
            "arn:aws:profile:us-east-1:111122223333:domains/shop/profiles/"
        ));
    }

    #[test]
    fn instance_ids_come_from_what_is_in_an_instance() {
        for arn in [
            "arn:aws:connect:us-east-1:111122223333:instance/I",
            "arn:aws:connect:us-east-1:111122223333:instance/I/contact/C",
            "arn:aws::connect:us-east-1:111122223333:instance/I",
        ] {
            assert_eq!(instance_id(arn), Some("I"), "{arn}");
        }
        assert_eq!(
            instance_id("arn:aws:connect:us-east-1:111122223333:instance/"),
            None
        );
    }

    #[test]
    fn contact_ids_come_from_contact_arns() {
        assert_eq!(
            contact_id("arn:aws:connect:us-east-1:111122223333:instance/I/contact/C"),
            Some("C")
        );
        assert_eq!(
            contact_id("arn:aws:connect:us-east-1:111122223333:instance/I"),
            None
        );
    }
}
