//! JSON merge patch (RFC 7386): what `with` changes in an event.

use serde_json::{Map, Value};

/// Merges the patch into the value: objects are merged, `null` removes a member, anything else replaces what is there.
pub(super) fn apply(target: &mut Value, patch: Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else {
        return;
    };
    for (name, change) in patch {
        match change {
            Value::Null => {
                members.remove(&name);
            }
            Value::Object(change) => apply(members.entry(name).or_insert(Value::Null), change),
            Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                members.insert(name, change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn patched(mut target: Value, patch: &Value) -> Value {
        let patch = patch.as_object().expect("an object").clone();
        apply(&mut target, patch);
        target
    }

    #[test]
    fn the_cases_of_the_standard_whose_patch_is_an_object() {
        let cases = json!([
            [{ "a": "b" }, { "a": "c" }, { "a": "c" }],
            [{ "a": "b" }, { "b": "c" }, { "a": "b", "b": "c" }],
            [{ "a": "b" }, { "a": null }, {}],
            [{ "a": "b", "b": "c" }, { "a": null }, { "b": "c" }],
            [{ "a": ["b"] }, { "a": "c" }, { "a": "c" }],
            [{ "a": "c" }, { "a": ["b"] }, { "a": ["b"] }],
            [{ "a": { "b": "c" } }, { "a": { "b": "d", "c": null } }, { "a": { "b": "d" } }],
            [{ "a": [{ "b": "c" }] }, { "a": [1] }, { "a": [1] }],
            [{ "e": null }, { "a": 1 }, { "e": null, "a": 1 }],
            [[1, 2], { "a": "b", "c": null }, { "a": "b" }],
            [{}, { "a": { "bb": { "ccc": null } } }, { "a": { "bb": {} } }],
        ]);
        for case in cases.as_array().expect("cases") {
            assert_eq!(patched(case[0].clone(), &case[1]), case[2], "{case}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                object(inner),
            ]
        })
    }

    fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
        prop::collection::hash_map("[a-c]", inner, 0..4)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn a_change_made_twice_is_made_once(target in any_json(), patch in object(any_json())) {
            let once = patched(target, &patch);
            prop_assert_eq!(patched(once.clone(), &patch), once);
        }

        #[test]
        fn what_the_patch_does_not_name_stays(target in object(any_json()), patch in object(any_json())) {
            let result = patched(target.clone(), &patch);
            for (name, value) in target.as_object().expect("an object") {
                if patch.get(name).is_none() {
                    prop_assert_eq!(result.get(name), Some(value));
                }
            }
        }
    }
}
