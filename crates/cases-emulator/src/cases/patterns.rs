//! The texts that Cases accepts only in a certain form: custom entities and tags by the patterns of the
//! service model, ARNs by the forms in the administrator guide.

/// Matches `CustomEntity`: `[a-zA-Z0-9_\-\.@:/ ]*[a-zA-Z0-9_\-\.@:/]`.
pub(super) fn is_custom_entity(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.@:/ ".contains(c);
    text.chars().all(allowed) && !text.is_empty() && !text.ends_with(' ')
}

/// Matches `MutableTagKey` without its look-ahead: `[a-zA-Z0-9 _.:/=+\-@]+`.
pub(super) fn is_tag_key(text: &str) -> bool {
    !text.is_empty() && is_tag_value(text)
}

/// Matches `TagValueString`: `([a-zA-Z0-9 _.:/=+\-@]*)`.
pub(super) fn is_tag_value(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c))
}

/// Returns true for a key that begins with `aws:`, in any letter case: those are reserved for AWS.
pub(super) fn is_reserved_tag_key(text: &str) -> bool {
    text.get(..4)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

/// Matches `arn:PARTITION:profile:REGION:ACCOUNT:domains/DOMAIN/profiles/PROFILE_ID`.
pub(super) fn is_profile_arn(text: &str) -> bool {
    is_arn(text, "profile", "domains", "profiles")
}

/// Matches `arn:PARTITION:connect:REGION:ACCOUNT:instance/INSTANCE/queue/QUEUE`.
pub(super) fn is_queue_arn(text: &str) -> bool {
    is_arn(text, "connect", "instance", "queue")
}

/// Matches `arn:PARTITION:connect:REGION:ACCOUNT:instance/INSTANCE/agent/USER`.
pub(super) fn is_user_arn(text: &str) -> bool {
    is_arn(text, "connect", "instance", "agent")
}

/// Matches `arn:PARTITION:connect:REGION:ACCOUNT:instance/INSTANCE/contact/CONTACT`.
pub(super) fn is_contact_arn(text: &str) -> bool {
    is_arn(text, "connect", "instance", "contact")
}

fn is_arn(text: &str, service: &str, parent: &str, child: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, in_service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let resource: Vec<&str> = resource.split('/').collect();
    let [in_parent, parent_id, in_child, child_id] = resource.as_slice() else {
        return false;
    };
    partition.starts_with("aws")
        && *in_service == service
        && is_region(region)
        && is_account(account)
        && *in_parent == parent
        && *in_child == child
        && is_identifier(parent_id)
        && is_identifier(child_id)
}

/// Returns true for a text with the characters of a Region's name.
pub(super) fn is_region(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Returns true for twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_entities() {
        for good in ["casebridge/order-failed", "a b", " a", "x@y.z:1_2"] {
            assert!(is_custom_entity(good), "{good}");
        }
        for bad in ["", " ", "a ", "a+b", "a#b", "ä", "a\n"] {
            assert!(!is_custom_entity(bad), "{bad:?}");
        }
    }

    #[test]
    fn tags() {
        assert!(is_tag_key("casebridge:key") && is_tag_value(""));
        for bad in ["", "a,b", "ü", "a\tb"] {
            assert!(!is_tag_key(bad), "{bad:?}");
        }
        assert!(is_reserved_tag_key("AWS:x") && is_reserved_tag_key("aws:"));
        assert!(!is_reserved_tag_key("aws") && !is_reserved_tag_key("laws:x"));
    }

    #[test]
    fn arns() {
        assert!(is_profile_arn(
            "arn:aws-us-gov:profile:us-gov-west-1:123456789012:domains/d/profiles/p"
        ));
        assert!(is_user_arn(
            "arn:aws:connect:eu-central-1:123456789012:instance/i/agent/u"
        ));
        for bad in [
            "",
            "p-1",
            "arn:aws:profile:us-east-1:123456789012:domains/d",
            "arn:aws:profile:us-east-1:1234:domains/d/profiles/p",
            "arn:aws:connect:us-east-1:123456789012:domains/d/profiles/p",
            "arn:aws:profile:us-east-1:123456789012:domains//profiles/p",
        ] {
            assert!(!is_profile_arn(bad), "{bad}");
        }
        assert!(is_contact_arn(
            "arn:aws-cn:connect:cn-north-1:123456789012:instance/i/contact/c"
        ));
    }
}
