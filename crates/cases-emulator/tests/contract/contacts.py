"""The two reads of Connect."""

from contract.checks import refuses

for name, call in (
    ("contact", lambda d: d.connect.describe_contact(InstanceId="none", ContactId="none")),
    (
        "attributes",
        lambda d: d.connect.get_contact_attributes(InstanceId="none", InitialContactId="none"),
    ),
):
    refuses(f"unknown {name}", "ResourceNotFoundException", "connect")(call)
refuses("contact of 257 characters", "InvalidRequestException", "connect")(
    lambda d: d.connect.describe_contact(InstanceId="none", ContactId="x" * 257)
)
