//! The API's answers into the one text that stands for a domain. Equal domains give equal text, whatever the order of
//! the answers, so that a diff of two snapshots shows what changed in the domain.
//!
//! Everything is sorted by id, options by value; members stand in the order of the service model, and those it has
//! gained since behind them. Left out are the times, which change with nothing else, and what says nothing: null,
//! `deleted: false`, empty tags and lists.

use std::fs::Permissions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value, json};

use super::reader::Answers;

/// The order of members, after the output shapes of the service model.
const ORDER: &str = "\
    domain templates fields domainId domainArn templateId templateArn caseRuleId fieldId name fieldArn \
    caseRuleArn value active rule description domainStatus layoutConfiguration requiredFields type \
    namespace tags status deleted rules tagPropagationConfigurations attributes options defaultValue \
    conditions operandOne operandTwo result parentFieldId childFieldId";

/// Members that change while the domain stays what it is.
const TIMES: [&str; 2] = ["createdTime", "lastModifiedTime"];

/// A domain snapshot in its canonical form.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot(Value);

impl Snapshot {
    /// The snapshot of what the API answered.
    pub(super) fn of(answers: Answers) -> Self {
        let mut options = answers.options;
        let with_options = |mut field: Value| {
            let id = field.get("fieldId").and_then(Value::as_str);
            if let Some(options) = id.and_then(|id| options.remove(id))
                && let Some(field) = field.as_object_mut()
            {
                field.insert("options".to_owned(), Value::Array(options));
            }
            field
        };
        let fields: Vec<Value> = answers.fields.into_iter().map(with_options).collect();
        Self::canonical(answers.domain, answers.templates, fields, answers.rules)
    }

    /// Reads the text of a `domain.json`, in whatever order it stands.
    ///
    /// # Errors
    ///
    /// When it is not JSON or not of the snapshot's form.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut root: Value = serde_json::from_str(text)?;
        let id = root.pointer("/domain/domainId");
        ensure!(
            id.is_some_and(Value::is_string),
            "expected {{\"domain\": {{\"domainId\": …}}, \"templates\": […], \"fields\": […], \"rules\": […]}}"
        );
        let mut list = |name: &str| match root.get_mut(name).map(Value::take) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) if items.iter().all(Value::is_object) => Ok(items),
            Some(_) => anyhow::bail!("`{name}` is not a list of objects"),
        };
        let (templates, fields, rules) = (list("templates")?, list("fields")?, list("rules")?);
        let domain = root.get_mut("domain").map(Value::take);
        let domain = domain.context("`domain` is missing")?;
        Ok(Self::canonical(domain, templates, fields, rules))
    }

    fn canonical(
        domain: Value,
        templates: Vec<Value>,
        fields: Vec<Value>,
        rules: Vec<Value>,
    ) -> Self {
        let list = |things: Vec<Value>, id| {
            let mut things: Vec<Value> = things.into_iter().map(thing).collect();
            sort(&mut things, &[id]);
            things
        };
        Self(ordered(json!({
            "domain": thing(domain),
            "templates": list(templates, "templateId"),
            "fields": list(fields, "fieldId"),
            "rules": list(rules, "caseRuleId"),
        })))
    }

    /// The text of `domain.json`.
    pub(super) fn text(&self) -> String {
        format!("{:#}\n", self.0)
    }

    /// Replaces the file's text in one step, and returns whether it changed. A link stays a link, and permissions stay
    /// as they are.
    ///
    /// # Errors
    ///
    /// When the folder does not exist or cannot be written to; the file is then as it was.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<bool> {
        let text = self.text();
        if std::fs::read_to_string(path).is_ok_and(|before| before == text) {
            return Ok(false);
        }
        replace(path, &text).with_context(|| format!("{} could not be written", path.display()))?;
        Ok(true)
    }

    /// `GetDomain`'s answer.
    pub(super) fn domain(&self) -> &Value {
        self.0.get("domain").unwrap_or(&Value::Null)
    }

    /// `domainId`.
    pub(super) fn domain_id(&self) -> &str {
        text(self.domain(), "domainId")
    }

    /// The domain's `name`.
    pub(super) fn domain_name(&self) -> &str {
        text(self.domain(), "name")
    }

    /// The Region that the domain's ARN names.
    pub(super) fn region(&self) -> Option<&str> {
        let region = text(self.domain(), "domainArn").split(':').nth(3);
        region.filter(|region| !region.is_empty())
    }

    /// The `templates`, `fields` or `rules`.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        let list = self.0.get(name).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }
}

/// A text member; empty when there is none.
pub(super) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A domain, template, field or rule without what says nothing, its lists sorted.
fn thing(mut value: Value) -> Value {
    let Some(members) = value.as_object_mut() else {
        return value;
    };
    members.retain(|name, value| {
        let says_something = match value {
            Value::Null => false,
            Value::Bool(deleted) => *deleted || name != "deleted",
            Value::Array(items) => !items.is_empty() || name == "options",
            Value::Object(members) => !members.is_empty(),
            Value::Number(_) | Value::String(_) => true,
        };
        says_something && !TIMES.contains(&name.as_str())
    });
    for (name, by) in [
        ("requiredFields", ["fieldId"].as_slice()),
        ("rules", &["caseRuleId", "fieldId"]),
        ("options", &["value"]),
    ] {
        if let Some(Value::Array(items)) = members.get_mut(name) {
            sort(items, by);
        }
    }
    value
}

fn sort(items: &mut [Value], by: &[&str]) {
    items.sort_by_cached_key(|item| {
        let key = by.iter().map(|member| text(item, member).to_owned());
        key.collect::<Vec<_>>()
    });
}

/// The same value, every object's members in their order and without nulls.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect();
            members.sort_by_cached_key(|(name, _)| (rank(name), name.clone()));
            let members = members.into_iter();
            Value::Object(
                members
                    .map(|(name, value)| (name, ordered(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(ordered).collect()),
        scalar => scalar,
    }
}

fn rank(member: &str) -> usize {
    let place = ORDER.split(' ').position(|known| known == member);
    place.unwrap_or(usize::MAX)
}

/// Checks that the file's folder exists: a pull needs that before it reads a domain.
///
/// # Errors
///
/// When there is none.
pub(super) fn expect_folder(path: &Path) -> anyhow::Result<()> {
    ensure!(
        folder(path).is_dir(),
        "{} cannot be written: its folder does not exist",
        path.display()
    );
    Ok(())
}

fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let existing = std::fs::canonicalize(path).ok();
    let path = existing.clone().unwrap_or_else(|| path.to_owned());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".domain").suffix(".json");
    let permissions = match existing {
        Some(path) => Some(std::fs::metadata(path)?.permissions()),
        None => ordinary_permissions(),
    };
    // At birth the umask still takes its share, which is right for a new file.
    if let Some(permissions) = &permissions {
        builder.permissions(permissions.clone());
    }
    let mut file = builder.tempfile_in(folder(&path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Permissions of a new file that is not secret.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn ordinary_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;

    Some(Permissions::from_mode(0o666))
}

/// Permissions of a new file that is not secret.
#[cfg(not(unix))]
fn ordinary_permissions() -> Option<Permissions> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../../domain.json");

    #[test]
    fn the_shipped_snapshot_is_canonical() {
        let snapshot = Snapshot::parse(EXAMPLE).expect("a snapshot");
        assert_eq!(snapshot.text(), EXAMPLE);
    }

    #[test]
    fn empty_members_are_dropped_and_unknown_ones_kept() {
        let answers = Answers {
            domain: json!({ "tags": {}, "name": "shop", "domainId": "d", "createdTime": "2026" }),
            templates: vec![json!({
                "novel": { "z": 1, "a": null }, "deleted": false, "templateId": "t", "description": null,
                "requiredFields": [{ "fieldId": "title" }, { "fieldId": "customer_id" }], "rules": [],
            })],
            fields: vec![
                json!({ "type": "SingleSelect", "fieldId": "s" }),
                json!({ "type": "Text", "fieldId": "a", "deleted": true }),
            ],
            options: [("s".to_owned(), Vec::new())].into(),
            rules: vec![json!({
                "rule": { "required": { "conditions": [{ "notEqualTo": {
                    "operandTwo": { "emptyValue": {} }, "result": true, "operandOne": { "fieldId": "s" },
                } }], "defaultValue": false } },
                "caseRuleId": "r", "lastModifiedTime": "2026",
            })],
        };
        let value = Snapshot::of(answers).0;
        insta::assert_snapshot!(value.to_string());
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"domain": {"domainId": "d"}, "fields": {}}"#,
        ] {
            assert!(Snapshot::parse(text).is_err(), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_its_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (
            folder.path().join("domain.json"),
            folder.path().join("link"),
        );
        replace(&file, "old").expect("written");
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("set");
        symlink(&file, &link).expect("a link");
        replace(&link, "new").expect("written");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).expect("text"), "new");
        let mode = std::fs::metadata(&file).expect("it").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 2, "nothing is left behind");
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        assert!(expect_folder(Path::new("/nowhere-at-all/domain.json")).is_err());
        assert!(expect_folder(Path::new("domain.json")).is_ok());
    }
}
