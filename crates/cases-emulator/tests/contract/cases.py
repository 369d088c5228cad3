"""Cases: the domain's reads, CreateCase and what is seen of a case."""

import datetime
import uuid
from concurrent.futures import ThreadPoolExecutor

from contract.checks import invalid, missing, refuses, test
from contract.domain import pages, string


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
def templates_are_listed_in_pages(domain):
    call = domain.client.list_templates
    paged = [t for page in pages(call, domainId=domain.id) for t in page["templates"]]
    assert paged == domain.templates and len(paged) > 1


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
def options_are_listed_in_pages(domain):
    field, _ = domain.options(active=True)
    call = domain.client.list_field_options
    paged = [o for p in pages(call, domainId=domain.id, fieldId=field) for o in p["options"]]
    assert paged == call(domainId=domain.id, fieldId=field)["options"] and len(paged) > 1


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
def cases_are_found_by_tag_in_pages(domain):
    key = uuid.uuid4().hex
    made = {domain.create(tags={"key": key})["caseId"] for _ in range(3)}
    tag = {"tag": {"equalTo": {"key": "key", "value": key}}}
    title = next(field for field in domain.required if field["id"] == "title")
    paginator = domain.client.get_paginator("search_cases")
    answers = list(
        paginator.paginate(
            domainId=domain.id,
            filter=tag,
            fields=[{"id": "title"}],
            PaginationConfig={"PageSize": 2},
        )
    )
    assert [len(answer["cases"]) for answer in answers] == [2, 1]
    assert {answer["totalCount"] for answer in answers} == {3}
    found = [case for answer in answers for case in answer["cases"]]
    assert {case["caseId"] for case in found} == made
    assert all(case["fields"] == [title] for case in found)


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


@refuses("customer without a profile", "ValidationException")
def _(domain):
    try:
        domain.create(domain.customer("0" * 32))
    except domain.client.exceptions.ValidationException as error:
        assert "No customer profile found" in error.response["Error"]["Message"]
        raise
