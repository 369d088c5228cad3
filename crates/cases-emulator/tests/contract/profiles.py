"""Customer Profiles, and customers of cases."""

import uuid

from contract.checks import PROFILES_TESTS, profiles_test, refuses


@profiles_test
def a_profile_is_found_as_it_was_made(domain):
    key = uuid.uuid4().hex
    members = {
        "FirstName": "Di",
        "LastName": key,
        "EmailAddress": f"{key}@example.com",
        "Address": {"City": "Springfield", "Country": "US"},
        "Attributes": {"tier": "gold"},
    }
    made = domain.create_profile(**members)["ProfileId"]
    assert len(made) == 32 and made == made.lower()
    for name, value in (
        ("_email", f"{key}@example.com"),
        ("_fullName", f"Di {key}"),
        ("_profileId", made),
    ):
        (found,) = domain.search_profiles(name, value)["Items"]
        by = [{"KeyName": name, "Values": [value]}]
        assert found == {"ProfileId": made, "FoundByItems": by, **members}
    assert domain.search_profiles("_email", "nobody@example.com")["Items"] == []


@profiles_test
def profiles_are_found_by_any_key_or_by_all_in_pages(domain):
    phone, account = uuid.uuid4().hex, uuid.uuid4().hex
    both = domain.create_profile(PhoneNumber=phone, AccountNumber=account)["ProfileId"]
    one = domain.create_profile(MobilePhoneNumber=phone)["ProfileId"]
    more = [{"KeyName": "_account", "Values": [account]}]
    search = lambda **members: domain.search_profiles(  # noqa: E731
        "_phone", phone, AdditionalSearchKeys=more, **members
    )
    ids = lambda found: [item["ProfileId"] for item in found["Items"]]  # noqa: E731
    assert ids(search(LogicalOperator="AND")) == [both]
    assert ids(search()) == [both, one]
    page = search(MaxResults=1)
    rest = search(MaxResults=1, NextToken=page["NextToken"])
    assert (ids(page), ids(rest)) == ([both], [one]) and "NextToken" not in rest


@profiles_test
def a_case_has_the_customer_it_was_made_for(domain):
    customer = domain.customer(domain.create_profile(FirstName="Flo")["ProfileId"])
    made = domain.create(customer)
    shown = domain.client.get_case(
        domainId=domain.id, caseId=made["caseId"], fields=[{"id": "customer_id"}]
    )
    assert shown["fields"] == [customer]


def bad_profile(name, call):
    refuses(name, "BadRequestException", "profiles", PROFILES_TESTS)(call)


def missing_profile(name, call):
    refuses(name, "ResourceNotFoundException", "profiles", PROFILES_TESTS)(call)


bad_profile("name of no characters", lambda d: d.create_profile(FirstName=""))
bad_profile("name of 256", lambda d: d.create_profile(FirstName="x" * 256))
bad_profile("information of 1001", lambda d: d.create_profile(AdditionalInformation="x" * 1001))
bad_profile("unknown gender", lambda d: d.create_profile(Gender="x"))
bad_profile("attribute of no characters", lambda d: d.create_profile(Attributes={"tier": ""}))
bad_profile("key with a space", lambda d: d.search_profiles("a b", "x"))
bad_profile("value of 256", lambda d: d.search_profiles("_phone", "x" * 256))
bad_profile(
    "5 further keys",
    lambda d: d.search_profiles(
        "_phone", "x", AdditionalSearchKeys=[{"KeyName": "_email", "Values": ["x"]}] * 5
    ),
)
bad_profile("unknown operator", lambda d: d.search_profiles("_phone", "x", LogicalOperator="XOR"))
bad_profile("page of 101 profiles", lambda d: d.search_profiles("_phone", "x", MaxResults=101))
bad_profile("token of nobody", lambda d: d.search_profiles("_phone", "x", NextToken="nobody"))
missing_profile(
    "unknown profiles domain",
    lambda d: d.profiles.create_profile(DomainName="no-such-domain", FirstName="Gus"),
)
