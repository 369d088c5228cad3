//! Limits of requests that do not belong to a field, and the checks of tags.
//!
//! Source: API model 2022-10-03, `CreateCaseRequest`, `UserUnion`, `TagKey`, `TagValue`.

/// The maximum number of `fields`.
pub const FIELDS: usize = 220;

/// The maximum number of `tags`.
pub const TAGS: usize = 50;

/// The maximum length of `customEntity` and of `userArn`, in characters.
pub const USER: usize = 500;

/// The maximum length of a case mapping's name, in characters. The limit is ours: name and prefix stay well within [`USER`].
pub const NAME: usize = 100;

/// The maximum number of variables of a case mapping, the file's included. The limit is ours.
pub const VARIABLES: usize = 100;

/// The maximum length of a comment's `body`, in characters (`CommentBody`).
pub const COMMENT: usize = 15_000;

/// The maximum length of a search value of `SearchProfiles`, in characters (`string1To255`).
pub const SEARCH_VALUE: usize = 255;

/// The maximum length of the name and of the value of a profile's attribute, in characters (`string1To255`).
pub const PROFILE_ATTRIBUTE: usize = 255;

/// The key of the tag that every case carries. The tag's value is the hash of the case's key.
pub const KEY_TAG: &str = "casebridge:key";

/// Returns true if `customEntity` may contain the character. The last character may not be a space.
#[must_use]
pub fn is_entity_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_-.@:/ ".contains(character)
}

/// Checks a tag's key.
///
/// # Errors
/// The rule that the key breaks, worded to follow the key's name.
pub fn tag_key(key: &str) -> Result<(), String> {
    let length = key.chars().count();
    if !(1..=128).contains(&length) {
        return Err(format!("has 1 to 128 characters, found {length}"));
    }
    if key
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
    {
        return Err("begins with `aws:`, which AWS keeps for itself".to_owned());
    }
    if key == KEY_TAG {
        return Err("is set by Casebridge itself".to_owned());
    }
    tag_characters(key, "+=")
}

/// Checks a tag's value.
///
/// # Errors
/// The rule that the value breaks, worded to follow the tag's name. It never contains the value.
pub fn tag_value(value: &str) -> Result<(), String> {
    let length = value.chars().count();
    if length > 256 {
        return Err(format!("has at most 256 characters, found {length}"));
    }
    tag_characters(value, "+=")
}

fn tag_characters(text: &str, more: &str) -> Result<(), String> {
    let legal = |c: char| is_entity_character(c) || more.contains(c);
    if text.chars().all(legal) {
        Ok(())
    } else {
        Err("takes letters without accents, digits, spaces and `_.:/=+-@` only, found another character".to_owned())
    }
}
