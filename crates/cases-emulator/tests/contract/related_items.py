"""Cases: related items and the cases of a contact."""

import datetime
import uuid

from contract.checks import invalid, missing, refuses, test
from contract.domain import ARN, pages


def contact(id=None):
    """A contact's ARN, a new one unless an id is given."""
    return f"{ARN}/contact/{id or uuid.uuid4()}"


def linked(arn):
    return {"contact": {"contactArn": arn}}


def comment(body):
    return {"comment": {"body": body, "contentType": "Text/Plain"}}


@test
def a_linked_contact_is_found_from_both_ends(domain):
    arn = contact()
    cases = [domain.create()["caseId"] for _ in range(3)]
    for case in cases:
        made = domain.attach(case, "Contact", linked(arn))
        assert made["relatedItemArn"].endswith(f"/case/{case}/related-item/{made['relatedItemId']}")
    call = domain.client.list_cases_for_contact
    listed = [c for p in pages(call, domainId=domain.id, contactArn=arn) for c in p["cases"]]
    assert [c["caseId"] for c in listed] == cases
    assert {c["templateId"] for c in listed} == {domain.template["templateId"]}
    (item,) = domain.related(cases[0], filters=[linked(arn)])["relatedItems"]
    assert item["type"] == "Contact" and item["content"]["contact"]["contactArn"] == arn
    assert isinstance(item["associationTime"], datetime.datetime)
    assert isinstance(item["content"]["contact"]["connectedToSystemTime"], datetime.datetime)


@test
def comments_are_found_in_pages_the_newest_first(domain):
    case = domain.create()["caseId"]
    by = {"customEntity": "casebridge/contract"}
    for body in ("one", "two", "x" * 15000):
        domain.attach(case, "Comment", comment(body), performedBy=by)
    paginator = domain.client.get_paginator("search_related_items")
    answers = list(
        paginator.paginate(
            domainId=domain.id,
            caseId=case,
            filters=[{"comment": {}}],
            PaginationConfig={"PageSize": 2},
        )
    )
    assert [len(answer["relatedItems"]) for answer in answers] == [2, 1]
    items = [item for answer in answers for item in answer["relatedItems"]]
    bodies = [item["content"]["comment"]["body"] for item in items]
    assert bodies == ["x" * 15000, "two", "one"]
    assert all(item["performedBy"] == by for item in items)


@test
def related_items_are_in_the_audit_history(domain):
    case = domain.create()["caseId"]
    domain.attach(case, "Contact", linked(contact()))
    domain.attach(case, "Comment", comment("called back"))
    history = domain.client.get_case_audit_events(domainId=domain.id, caseId=case)
    kinds = [event.get("relatedItemType") for event in history["auditEvents"]]
    assert kinds == [None, "Contact", "Comment"]
    assert {event["type"] for event in history["auditEvents"][1:]} == {"RelatedItem.Created"}


def unattached(type, content, **members):
    """A related item of a new case."""
    return lambda domain: domain.attach(domain.create()["caseId"], type, content, **members)


missing(
    "related item of an unknown case",
    lambda d: d.attach("no-such-case", "Comment", comment("x")),
)
missing("related items of an unknown case", lambda d: d.related("no-such-case"))
invalid("unknown type of related item", unattached("Task", linked(contact())))
invalid("related item of two types", unattached("Contact", comment("x")))
invalid("contact that is no ARN", unattached("Contact", linked("c-1")))
invalid("comment of no characters", unattached("Comment", comment("")))
invalid("comment of 15001", unattached("Comment", comment("x" * 15001)))
invalid(
    "comment by a custom entity with a plus",
    unattached("Comment", comment("x"), performedBy={"customEntity": "a+b"}),
)
invalid("page of 26 related items", lambda d: d.related(d.create()["caseId"], maxResults=26))
invalid("empty filter of related items", lambda d: d.related(d.create()["caseId"], filters=[{}]))
invalid(
    "page of 11 cases of a contact",
    lambda d: d.client.list_cases_for_contact(
        domainId=d.id, contactArn=contact(), maxResults=11
    ),
)


@refuses("201 related items", "ServiceQuotaExceededException")
def _(domain):
    case = domain.create()["caseId"]
    for _ in range(201):
        domain.attach(case, "Comment", comment("x"))
