"""The same case with boto3 and the mapping in code."""

import os

import boto3

TEMPLATE_ID = "6800e67e-527f-4da6-96ec-4c60da8f3fe2"
CHANNEL = "8df08078-a22e-4180-85c2-c2af3977a654"
CONVERSATION_NOTES = "c1b87f1a-7323-491b-99f9-cbef0f69a4d0"
OWNER = "78b7d0ac-8477-4ce0-8e4c-da11b43c589b"
PRIORITY = "9ad9b9a2-5e78-454d-b065-a1c284cc4549"
CHANNELS = {"VOICE": "voice", "CHAT": "chat", "TASK": "task", "EMAIL": "email"}

DOMAIN_ID = os.environ["CASES_DOMAIN_ID"]
cases = boto3.client("connectcases")


def handler(event, context):
    detail = event["detail"]
    queue = detail["queueInfo"]
    created = cases.create_case(
        domainId=DOMAIN_ID,
        templateId=TEMPLATE_ID,
        clientToken=detail["contactId"],
        fields=[
            text("title", "Call abandoned in the queue"),
            text("case_reason", "callback"),
            text(CONVERSATION_NOTES, f"Waited from {queue['enqueueTimestamp']} to {detail['disconnectTimestamp']}"),
            text(CHANNEL, CHANNELS.get(detail["channel"].upper(), "other")),
            text(PRIORITY, "low"),
            {"id": OWNER, "value": {"emptyValue": {}}},
            text("assigned_queue", queue["queueArn"]),
        ],
        tags={
            "source": event["source"],
            "trigger": "eventbridge",
            "team": "service",
            "casebridge:key": detail["contactId"],
        },
        performedBy={"customEntity": f"casebridge/abandoned-call/{event['region']}"},
    )
    return {"caseId": created["caseId"]}


def text(field_id, value):
    return {"id": field_id, "value": {"stringValue": value}}
