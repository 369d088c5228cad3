"""Holds the emulator to the service model with boto3: what it answers must parse as the model
says, and bad requests must raise the exceptions the model lists.

    cargo run -p cases-emulator -- --domain domain.json --port 4599
    python3 crates/cases-emulator/tests/boto3_contract.py \\
        --endpoint http://127.0.0.1:4599 --domain-id DOMAIN_ID

Needs boto3 alone. Templates, fields and options are found by listing them, so any domain will do
that has an active and an inactive template and a custom field of each type with one inactive
option among them. Ends with the line "N passed, M failed", and exits 1 if any failed.
"""

import argparse
import datetime
import sys
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

TESTS = []
ARN = "arn:aws:connect:us-east-1:111122223333:instance/i"


def test(function):
    TESTS.append(function)
    return function


def pages(call, **arguments):
    """All answers of a list operation, one entry to a page."""
    while True:
        answer = call(maxResults=1, **arguments)
        yield answer
        if not answer.get("nextToken"):
            return
        arguments["nextToken"] = answer["nextToken"]


class Domain:
    """What the tests need to know of the domain, read through the API."""

    def __init__(self, client, domain_id):
        self.client = client
        self.id = domain_id
        self.templates = client.list_templates(domainId=domain_id)["templates"]
        self.fields = client.list_fields(domainId=domain_id)["fields"]
        self.template = client.get_template(
            domainId=domain_id, templateId=self.template_id("Active")
        )
        required = [field["fieldId"] for field in self.template["requiredFields"]]
        self.required = [self.value(id) for id in required]
        if "title" not in required:
            self.required.append(self.value("title"))

    def template_id(self, status):
        return next(t["templateId"] for t in self.templates if t["status"] == status)

    def field(self, type, multiline=None):
        """The id of a custom field of the type that the template does not require."""
        for field in self.fields:
            required = [f["fieldId"] for f in self.template["requiredFields"]]
            text = field.get("attributes", {}).get("text", {})
            if (
                field["type"] == type
                and field["namespace"] == "Custom"
                and field["fieldId"] not in required
                and multiline in (None, text.get("isMultiline", False))
            ):
                return field["fieldId"]
        raise LookupError(f"the domain has no custom {type} field")

    def options(self, active):
        """A SingleSelect field with an option that is active or not: field id, option value."""
        for field in self.fields:
            if field["type"] == "SingleSelect" and field["namespace"] == "Custom":
                for option in self.client.list_field_options(
                    domainId=self.id, fieldId=field["fieldId"]
                )["options"]:
                    if option["active"] is active:
                        return field["fieldId"], option["value"]
        raise LookupError("the domain has no such option")

    def value(self, id):
        """A value the field takes."""
        type = next(f["type"] for f in self.fields if f["fieldId"] == id)
        if id == "customer_id":
            profile = "arn:aws:profile:us-east-1:111122223333:domains/d/profiles/p"
            return {"id": id, "value": {"stringValue": profile}}
        if type == "SingleSelect":
            options = self.client.list_field_options(domainId=self.id, fieldId=id)["options"]
            active = next(o["value"] for o in options if o["active"])
            return {"id": id, "value": {"stringValue": active}}
        return {
            "id": id,
            "value": {
                "Text": {"stringValue": "some text"},
                "Number": {"doubleValue": 12.5},
                "Boolean": {"booleanValue": True},
                "DateTime": {"stringValue": "2026-11-22T10:00:00Z"},
                "Url": {"stringValue": "https://example.com/"},
                "User": {"userArnValue": f"{ARN}/agent/u"},
            }[type],
        }

    def request(self, *more, **changes):
        """A request for a case that is accepted, with more fields and other members."""
        request = {
            "domainId": self.id,
            "templateId": self.template["templateId"],
            "fields": [*self.required, *more],
        }
        request.update(changes)
        return request

    def create(self, *more, **changes):
        return self.client.create_case(**self.request(*more, **changes))


@test
def the_domain_is_listed_and_shown(domain):
    shown = domain.client.get_domain(domainId=domain.id)
    assert shown["domainId"] == domain.id
    assert shown["domainArn"].endswith(f":domain/{domain.id}")
    assert shown["domainStatus"] == "Active"
    assert isinstance(shown["createdTime"], datetime.datetime)
    listed = domain.client.list_domains(maxResults=10)["domains"]
    assert [d["domainId"] for d in listed] == [domain.id]


@test
def templates_are_listed_in_pages_and_by_status(domain):
    call = domain.client.list_templates
    paged = [t for page in pages(call, domainId=domain.id) for t in page["templates"]]
    assert paged == domain.templates and len(paged) > 1
    for status in ("Active", "Inactive"):
        found = call(domainId=domain.id, status=[status])["templates"]
        assert found == [t for t in paged if t["status"] == status]
    both = call(domainId=domain.id, status=["Active", "Inactive"])["templates"]
    assert both == paged


@test
def fields_are_listed_in_pages(domain):
    call = domain.client.list_fields
    paged = [f for page in pages(call, domainId=domain.id) for f in page["fields"]]
    assert paged == domain.fields
    types = {f["type"] for f in paged}
    assert types == {"Text", "Number", "Boolean", "DateTime", "SingleSelect", "Url", "User"}


@test
def fields_are_shown_in_batches(domain):
    ids = [f["fieldId"] for f in domain.fields][:49]
    batch = domain.client.batch_get_field(
        domainId=domain.id, fields=[{"id": id} for id in [*ids, "no-such-field"]]
    )
    assert [f["fieldId"] for f in batch["fields"]] == ids
    assert [e["id"] for e in batch["errors"]] == ["no-such-field"]
    assert batch["errors"][0]["errorCode"] == "ResourceNotFoundException"


@test
def options_are_listed_in_pages_and_by_value(domain):
    field, value = domain.options(active=True)
    call = domain.client.list_field_options
    paged = [o for p in pages(call, domainId=domain.id, fieldId=field) for o in p["options"]]
    assert paged == call(domainId=domain.id, fieldId=field)["options"] and len(paged) > 1
    one = call(domainId=domain.id, fieldId=field, values=[value])["options"]
    assert [o["value"] for o in one] == [value]


@test
def rules_are_listed_and_shown(domain):
    paginator = domain.client.get_paginator("list_case_rules")
    found = paginator.paginate(domainId=domain.id, PaginationConfig={"PageSize": 1})
    rules = [rule for page in found for rule in page["caseRules"]]
    ids = [{"id": rule["caseRuleId"]} for rule in rules]
    batch = domain.client.batch_get_case_rule(
        domainId=domain.id, caseRules=[*ids, {"id": "no-such-rule"}]
    )
    assert [r["name"] for r in batch["caseRules"]] == [r["name"] for r in rules]
    kinds = {"Required": "required", "Hidden": "hidden", "FieldOptions": "fieldOptions"}
    for rule, summary in zip(batch["caseRules"], rules):
        assert list(rule["rule"]) == [kinds[summary["ruleType"]]]
    assert [e["id"] for e in batch["errors"]] == ["no-such-rule"]


@test
def a_case_has_every_field_it_was_made_with(domain):
    types = ("Text", "Number", "Boolean", "DateTime", "SingleSelect", "Url", "User")
    fields = [domain.value(domain.field(type)) for type in types]
    made = domain.create(*fields, tags={"made-by": "boto3"})
    assert made["caseArn"].endswith(f"/case/{made['caseId']}")
    expected = [*domain.required, *fields]
    shown = domain.client.get_case(
        domainId=domain.id,
        caseId=made["caseId"],
        fields=[{"id": field["id"]} for field in [*expected, {"id": "status"}]],
    )
    assert shown["templateId"] == domain.template["templateId"]
    assert shown["fields"][:-1] == expected
    assert shown["fields"][-1] == {"id": "status", "value": {"stringValue": "open"}}
    assert shown["tags"]["made-by"] == "boto3"


@test
def the_audit_history_names_the_performer(domain):
    made = domain.create(performedBy={"customEntity": "casebridge/contract"})
    history = domain.client.get_case_audit_events(
        domainId=domain.id, caseId=made["caseId"], maxResults=25
    )
    (event,) = history["auditEvents"]
    assert event["type"] == "Case.Created"
    assert isinstance(event["performedTime"], datetime.datetime)
    assert event["performedBy"]["user"] == {"customEntity": "casebridge/contract"}
    assert event["performedBy"]["iamPrincipalArn"].startswith("arn:")
    set_fields = {f["eventFieldId"]: f["newValue"] for f in event["fields"]}
    for field in domain.required:
        assert set_fields[field["id"]] == field["value"]


@test
def one_token_is_one_case_even_at_once(domain):
    token = str(uuid.uuid4())
    with ThreadPoolExecutor(10) as pool:
        made = list(pool.map(lambda _: domain.create(clientToken=token), range(10)))
    assert len({case["caseId"] for case in made}) == 1
    assert len({case["caseArn"] for case in made}) == 1


@test
def cases_are_found_by_tag_and_field_in_pages(domain):
    key = uuid.uuid4().hex
    made = {domain.create(tags={"key": key})["caseId"] for _ in range(3)}
    tag = {"tag": {"equalTo": {"key": "key", "value": key}}}
    title = next(field for field in domain.required if field["id"] == "title")
    filter = {"andAll": [tag, {"field": {"equalTo": title}}]}
    paginator = domain.client.get_paginator("search_cases")
    answers = list(
        paginator.paginate(
            domainId=domain.id,
            filter=filter,
            fields=[{"id": "title"}],
            sorts=[{"fieldId": "created_datetime", "sortOrder": "Desc"}],
            PaginationConfig={"PageSize": 2},
        )
    )
    assert [len(answer["cases"]) for answer in answers] == [2, 1]
    assert {answer["totalCount"] for answer in answers} == {3}
    found = [case for answer in answers for case in answer["cases"]]
    assert {case["caseId"] for case in found} == made
    assert all(case["fields"] == [title] for case in found)


def refused(name, call):
    """A test that the call raises the modelled exception of that name."""

    def run(domain):
        expected = getattr(domain.client.exceptions, name)
        try:
            call(domain)
        except expected as error:
            response = error.response
            assert response["Error"]["Message"], "the exception has no message"
            status = response["ResponseMetadata"]["HTTPStatusCode"]
            modelled = {
                "ValidationException": 400,
                "ResourceNotFoundException": 404,
                "ConflictException": 409,
            }
            assert status == modelled[name], status
            if name == "ResourceNotFoundException":
                assert response["resourceId"] and response["resourceType"]
        else:
            raise AssertionError(f"no {name}")

    return run


def refuses(name, exception):
    """Registers a bad request under the test's name."""

    def register(call):
        run = refused(exception, call)
        run.__name__ = f"{exception}: {name}"
        TESTS.append(run)
        return call

    return register


def invalid(name, call):
    refuses(name, "ValidationException")(call)


def missing(name, call):
    refuses(name, "ResourceNotFoundException")(call)


def string(text):
    return {"stringValue": text}


def titled(text):
    """A change of the request: its fields with this title."""

    def fields(domain):
        rest = [field for field in domain.required if field["id"] != "title"]
        return [{"id": "title", "value": string(text)}, *rest]

    return lambda domain: domain.create(fields=fields(domain))


@refuses("one token, two bodies", "ConflictException")
def _(domain):
    token = str(uuid.uuid4())
    domain.create(clientToken=token)
    domain.create(clientToken=token, tags={"another": "body"})


missing("unknown domain", lambda d: d.client.get_domain(domainId="no-such-domain"))
missing("unknown template", lambda d: d.create(templateId="no-such-template"))
missing("unknown field", lambda d: d.create({"id": "no-such-field", "value": string("x")}))
missing(
    "unknown case",
    lambda d: d.client.get_case(domainId=d.id, caseId="no-such-case", fields=[{"id": "title"}]),
)
missing(
    "unknown template to show",
    lambda d: d.client.get_template(domainId=d.id, templateId="no-such-template"),
)
missing(
    "options of an unknown field",
    lambda d: d.client.list_field_options(domainId=d.id, fieldId="no-such-field"),
)
invalid("inactive template", lambda d: d.create(templateId=d.template_id("Inactive")))
invalid("no title", lambda d: d.create(fields=[f for f in d.required if f["id"] != "title"]))
invalid("title of no characters", titled(""))
invalid("title of 501 characters", titled("x" * 501))
invalid("summary of 3001", lambda d: d.create({"id": "summary", "value": string("x" * 3001)}))
invalid(
    "single line of 501",
    lambda d: d.create({"id": d.field("Text", multiline=False), "value": string("x" * 501)}),
)
invalid(
    "multi-line of 4101",
    lambda d: d.create({"id": d.field("Text", multiline=True), "value": string("x" * 4101)}),
)
invalid(
    "number in stringValue",
    lambda d: d.create({"id": d.field("Number"), "value": string("12.5")}),
)
invalid(
    "boolean in doubleValue",
    lambda d: d.create({"id": d.field("Boolean"), "value": {"doubleValue": 1}}),
)
invalid(
    "NaN",
    lambda d: d.create({"id": d.field("Number"), "value": {"doubleValue": float("nan")}}),
)
invalid(
    "no date",
    lambda d: d.create({"id": d.field("DateTime"), "value": string("tomorrow")}),
)
invalid(
    "unknown option",
    lambda d: d.create({"id": d.options(active=True)[0], "value": string("no such option")}),
)


@refuses("inactive option", "ValidationException")
def _(domain):
    field, value = domain.options(active=False)
    domain.create({"id": field, "value": string(value)})


@refuses("required field left empty", "ValidationException")
def _(domain):
    fields = [{"id": field["id"], "value": {"emptyValue": {}}} for field in domain.required]
    domain.create(fields=fields)


invalid("field twice", lambda d: d.create(d.required[0]))
invalid("field that Cases sets", lambda d: d.create({"id": "case_id", "value": string("x")}))
invalid("221 fields", lambda d: d.create(*[{"id": str(n), "value": string("")} for n in range(221)]))
invalid(
    "customer that is no profile ARN",
    lambda d: d.create({"id": "customer_id", "value": string("p-1")}),
)
invalid("reserved tag", lambda d: d.create(tags={"aws:team": "x"}))
invalid("51 tags", lambda d: d.create(tags={f"k{n}": "v" for n in range(51)}))
invalid(
    "custom entity with a plus",
    lambda d: d.create(performedBy={"customEntity": "casebridge+contract"}),
)
invalid("client token of 65", lambda d: d.create(clientToken="x" * 65))
invalid("page of 101", lambda d: d.client.list_fields(domainId=d.id, maxResults=101))
invalid("token of nobody", lambda d: d.client.list_fields(domainId=d.id, nextToken="nobody"))
invalid("batch of no fields", lambda d: d.client.batch_get_field(domainId=d.id, fields=[]))
invalid(
    "case without the fields to show",
    lambda d: d.client.get_case(domainId=d.id, caseId=d.create()["caseId"], fields=[]),
)
invalid("search with an empty filter", lambda d: d.client.search_cases(domainId=d.id, filter={}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--endpoint", required=True, help="such as http://127.0.0.1:4599")
    parser.add_argument("--domain-id", required=True)
    arguments = parser.parse_args()
    client = boto3.client(
        "connectcases",
        endpoint_url=arguments.endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        # The bad requests are to reach the emulator, and no failure is to be retried away.
        config=Config(
            parameter_validation=False,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=10,
        ),
    )
    domain = Domain(client, arguments.domain_id)
    failed = 0
    for run in TESTS:
        try:
            run(domain)
        except Exception:
            failed += 1
            print(f"FAILED {run.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
