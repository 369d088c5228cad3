"""The domain that the checks are made against, and requests that it accepts."""

ARN = "arn:aws:connect:us-east-1:111122223333:instance/i"


def string(text):
    return {"stringValue": text}


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

    def __init__(self, client, domain_id, profiles, connect, profiles_domain):
        self.client = client
        self.id = domain_id
        self.profiles = profiles
        self.connect = connect
        self.profiles_domain = profiles_domain
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
            return self.customer(self.create_profile()["ProfileId"])
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

    def customer(self, profile_id):
        """The field of the customer with this profile."""
        arn = self.client.get_domain(domainId=self.id)["domainArn"].split(":")
        profile = f"domains/{self.profiles_domain or 'none'}/profiles/{profile_id}"
        value = ":".join([*arn[:2], "profile", *arn[3:5], profile])
        return {"id": "customer_id", "value": {"stringValue": value}}

    def create_profile(self, **members):
        return self.profiles.create_profile(DomainName=self.profiles_domain, **members)

    def search_profiles(self, key, *values, **members):
        return self.profiles.search_profiles(
            DomainName=self.profiles_domain, KeyName=key, Values=list(values), **members
        )

    def attach(self, case_id, type, content, **members):
        return self.client.create_related_item(
            domainId=self.id, caseId=case_id, type=type, content=content, **members
        )

    def related(self, case_id, **members):
        return self.client.search_related_items(domainId=self.id, caseId=case_id, **members)

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
