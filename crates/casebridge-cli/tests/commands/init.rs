//! `init`: its files, and that `check` and `test` find nothing wrong with them.

use std::fs;

use serde_json::json;

use super::{root, run_in};

/// A folder with the domain snapshot that is shipped.
fn shipped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(
        root().join("domain.json"),
        folder.path().join("domain.json"),
    )
    .expect("copied");
    folder
}

/// A folder with the snapshot of a small domain.
fn small() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = json!({
        "domain": { "domainId": "3ceaaf30-8142-48ea-91d9-3080f9b439fc" },
        "templates": [
            {
                "templateId": "6800e67e-527f-4da6-96ec-4c60da8f3fe2",
                "name": "Return: parcel",
                "status": "Active",
                "requiredFields": [
                    { "fieldId": "title" },
                    { "fieldId": "customer_id" },
                    { "fieldId": "8df08078-a22e-4180-85c2-c2af3977a654" },
                ],
            },
            { "templateId": "b6d9f6f4-5cdc-48b9-9a64-00c790010259", "name": "Complaint", "status": "Inactive" },
        ],
        "fields": [
            { "fieldId": "2330fcf1-562a-44b8-8866-8d77e827062c", "name": "Note", "type": "Text" },
            { "fieldId": "2eb73728-2fea-475e-b536-5e1458294a90", "name": "Note", "type": "Text", "attributes": { "text": { "isMultiline": true } } },
            { "fieldId": "3a124c64-7e02-4f05-b7c1-dce27f7695f5", "name": "Paid?", "type": "Boolean" },
            { "fieldId": "8df08078-a22e-4180-85c2-c2af3977a654", "name": "Condition", "type": "SingleSelect", "options": [
                { "name": "New", "value": "new", "active": true },
                { "name": "Lost", "value": "lost", "active": false },
                { "name": "Broken", "value": "broken", "active": true },
            ] },
            { "fieldId": "case_reason", "name": "Case reason", "type": "SingleSelect", "options": (0..40).map(|at| json!({ "name": format!("Reason {at}"), "value": format!("reason_{at}"), "active": true })).collect::<Vec<_>>() },
            { "fieldId": "title", "name": "Title", "type": "Text" },
            { "fieldId": "customer_id", "name": "Customer", "type": "Text" },
        ],
    });
    fs::write(folder.path().join("domain.json"), snapshot.to_string()).expect("written");
    folder
}

#[test]
fn a_first_mapping_for_a_flow() {
    let output = run_in(small().path(), &["init", "Return: parcel"]);
    assert_eq!(output.status, 0, "{}", output.stderr);
    insta::assert_snapshot!(output.stdout, @r#"
    # A mapping to begin with, for the Cases template `Return: parcel`.
    # Its references are proposals: put those of your own contacts in their place. Then:
    #   cargo casebridge check           finds every error in this file
    #   cargo casebridge render EVENT    shows the case that an event makes

    version: 1

    # Who the case's history says it was performed by.
    performed_by: "casebridge/{{ $$.mapping }}"

    cases:
      - name: return-parcel
        trigger: contact-flow
        when:                                        # which contacts: an EventBridge event pattern
          Parameters:
            request: [return-parcel]                 # a parameter of the block that invokes the function
        template: "Return: parcel"
        # key: $.InitialContactId                    # one case for each; without it, for each contact
        # tags:
        #   team: service
        customer: $.Parameters.profile_arn           # required; a profile's ARN, or { find: [{ _phone: $.CustomerEndpoint.Address }] }
        fields:
          title:                                     # required; Text: at most 500 characters
            value: $.Parameters.title
            default: "Return: parcel"                # where the value is missing
          Condition: $.Attributes.condition          # required; SingleSelect: New, Broken

          # What follows is not sent. Take the `#` away where it should be.
          # case_reason:                             # SingleSelect: Reason 0, Reason 1, Reason 2, Reason 3, Reason 4, Reason 5, Reason 6, Reason 7, … (32 more)
          #   value: $.Parameters.case_reason
          #   if_missing: skip
          # Note:                                    # Text: at most 500 characters
          #   value: $.Attributes.note
          #   if_missing: skip
          # "2eb73728-2fea-475e-b536-5e1458294a90":  # Note, Text: at most 4100 characters, on several lines
          #   value: $.Attributes.note_2
          #   if_missing: skip
          # "Paid?":                                 # Boolean: true or false
          #   value: $.Attributes.paid
          #   default: false
    "#);
}

#[test]
fn a_first_mapping_for_a_rule() {
    let folder = small();
    let arguments = [
        "init",
        "6800e67e-527f-4da6-96ec-4c60da8f3fe2",
        "--trigger",
        "eventbridge",
    ];
    let text = run_in(folder.path(), &arguments).stdout;
    let cases = text.find("cases:").map(|at| text.split_at(at).1);
    let head: Vec<&str> = cases.expect("cases").lines().take(14).collect();
    insta::assert_snapshot!(head.join("\n"), @r#"
    cases:
      - name: return-parcel
        trigger: eventbridge
        when:                                        # which events: paste the rule's event pattern
          source: [com.example.app]
          detail-type: ["Return: parcel"]
        template: "Return: parcel"
        # key: $.detail.id                           # one case for each; without it, for each event
        # tags:
        #   team: service
        customer: $.detail.profile_arn               # required; a profile's ARN, or { find: [{ _email: $.detail.customer.email }] }
        fields:
          title:                                     # required; Text: at most 500 characters
            value: $.detail.title
    "#);
}

#[test]
fn the_first_test_covers_required_fields() {
    let folder = small();
    let output = run_in(
        folder.path(),
        &[
            "init",
            "Return: parcel",
            "--output",
            "parcel.yaml",
            "--test",
        ],
    );
    assert_eq!(output.status, 0, "{}", output.stderr);
    insta::assert_snapshot!(output.stderr, @r#"
    wrote parcel.yaml
    wrote parcel.test.yaml
      cargo casebridge check --mapping parcel.yaml
      cargo casebridge test --mapping parcel.yaml
    "#);
    let text = fs::read_to_string(folder.path().join("parcel.test.yaml")).expect("a test file");
    insta::assert_snapshot!(text, @r#"
    # What the mapping promises: `cargo casebridge test` runs it.
    # A real event does better: copy one into a file, and name the file under `event`.

    version: 1

    tests:
      - name: a contact with all that is required makes a case
        event:
          Details:
            ContactData:
              InstanceARN: "arn:aws:connect:us-east-1:111122223333:instance/6b1f6f0e-3c2a-4a57-9a0c-5d1e2f7a8b90"
              ContactId: "0d8f4c1e-2b6a-4f39-8c57-1a9e6d3b7f20"
              Attributes:
                condition: new
            Parameters:
              title: example
              profile_arn: "arn:aws:profile:us-east-1:111122223333:domains/example/profiles/4d1c7e09a5b84f2f9e63d0b7c28a516e"
              request: return-parcel
        expect:
          case: return-parcel
          fields:
            title: example
            customer_id: "arn:aws:profile:us-east-1:111122223333:domains/example/profiles/4d1c7e09a5b84f2f9e63d0b7c28a516e"
            Condition: New
          performed_by: casebridge/return-parcel
    "#);
}

#[test]
fn check_and_test_accept_a_first_mapping() {
    for (folder, template) in [
        (shipped(), "Order problem"),
        (shipped(), "Contact follow-up"),
        (small(), "Return: parcel"),
    ] {
        for trigger in ["contact-flow", "eventbridge"] {
            let mapping = format!("{trigger}.yaml");
            let init = [
                "init",
                template,
                "--trigger",
                trigger,
                "--output",
                &mapping,
                "--test",
            ];
            let output = run_in(folder.path(), &init);
            assert_eq!(output.status, 0, "{}", output.stderr);
            for command in ["check", "test"] {
                let output = run_in(folder.path(), &[command, "--mapping", &mapping]);
                let said = output.stdout + &output.stderr;
                assert_eq!(output.status, 0, "{template} {trigger}: {said}");
            }
        }
    }
}

#[test]
fn an_existing_file_is_kept() {
    let folder = shipped();
    let kept = folder.path().join("orders.test.yaml");
    fs::write(&kept, "mine").expect("written");
    let output = run_in(
        folder.path(),
        &["init", "Order problem", "--output", "orders.yaml", "--test"],
    );
    assert_eq!(output.status, 2);
    insta::assert_snapshot!(output.stderr, @r#"error: orders.test.yaml exists already, and nothing was written: name another file with --output, or move it away"#);
    assert!(!folder.path().join("orders.yaml").exists());
    assert_eq!(fs::read_to_string(&kept).expect("still there"), "mine");

    let output = run_in(
        folder.path(),
        &["init", "Order problem", "--output", "domain.json"],
    );
    assert_eq!(output.status, 2);
    assert!(output.stderr.contains("domain.json exists already"));
}

#[test]
fn an_unusable_template_is_an_error() {
    let folder = small();
    for (name, said) in [
        (
            "Return parcel",
            "error: the domain has no template `Return parcel`: did you mean `Return: parcel`?\n",
        ),
        (
            "Refund",
            "error: the domain has no template `Refund`: there is `Return: parcel`\n",
        ),
        (
            "Complaint",
            "error: the template `Complaint` is inactive: no case can be created from it; activate it in Amazon Connect, or take another one\n",
        ),
    ] {
        let output = run_in(folder.path(), &["init", name]);
        assert_eq!((output.status, &*output.stdout), (2, ""));
        assert_eq!(output.stderr, said);
    }
}

#[test]
fn a_schema_in_the_folder_is_named_for_editors() {
    let folder = shipped();
    fs::write(folder.path().join("mapping.schema.json"), "{}").expect("written");
    let text = run_in(folder.path(), &["init", "Order problem"]).stdout;
    assert_eq!(
        text.lines().next(),
        Some("# yaml-language-server: $schema=./mapping.schema.json")
    );
}
