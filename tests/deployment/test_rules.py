"""The rules: which events pass, where they go, and who may put them there. One is in template.yaml; the others are stacks of deploy/rule.yaml."""

import copy
import fnmatch
import json
import re
import unittest

import botocore.session
from botocore.validate import ParamValidator
from pattern import matches
from stack import ACCOUNT, PARTITIONS, REPOSITORY, Refused, Stack, required, rule_stack, rule_templates
from test_options import BUSES

INSTANCE = required()["ConnectInstanceArn"]


def event(name):
    return json.loads((REPOSITORY / "events" / name).read_text(encoding="utf-8"))


def rule(stack):
    [found] = stack.of_type("AWS::Events::Rule").values()
    return found


def passes(stack, event):
    return matches(rule(stack)["EventPattern"], event)


def instances_swapped(event, instance):
    """The event as another instance sends it."""
    return json.loads(json.dumps(event).replace(INSTANCE, instance))


def may_send(stack, rule_arn, queue):
    """Whether the queue's policy lets the rule send to it."""
    for policy in stack.of_type("AWS::SQS::QueuePolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow" or not statement["Resource"].endswith(f":{queue}"):
                continue
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}, statement
            for operator in ("ArnEquals", "ArnLike"):
                patterns = statement["Condition"].get(operator, {}).get("aws:SourceArn", [])
                # Both operators know wildcards, within one part between colons.
                for pattern in [patterns] if isinstance(patterns, str) else patterns:
                    parts = zip(pattern.split(":"), rule_arn.split(":"), strict=True)
                    if all(fnmatch.fnmatchcase(one, of) for of, one in parts):
                        return True
    return False


class ContactEvents(unittest.TestCase):
    def test_no_event_is_taken_until_someone_asks(self):
        self.assertEqual(rule(Stack())["State"], "DISABLED")

    def test_contacts_of_the_own_instance_pass_and_others_do_not(self):
        """With the events of every instance of the account on one bus, those of a second instance filled the failure queue."""
        ended = event("contact-event-disconnected.json")
        own = instances_swapped(ended, ended["detail"]["instanceArn"])
        stack = Stack({"ConnectInstanceArn": own["detail"]["instanceArn"].replace("arn:aws::", "arn:aws:")})
        self.assertTrue(passes(stack, own))
        # Some events have two colons there.
        own["detail"]["instanceArn"] = own["detail"]["instanceArn"].replace("arn:aws:connect", "arn:aws::connect")
        self.assertTrue(passes(stack, own))
        other = copy.deepcopy(own)
        other["detail"]["instanceArn"] = "arn:aws:connect:us-east-1:111122223333:instance/00000000-0000-4000-8000-000000000000"
        self.assertFalse(passes(stack, other))
        other = copy.deepcopy(own)
        other["detail"]["eventType"] = "INITIATED"
        self.assertFalse(passes(stack, other))
        self.assertFalse(passes(stack, event("order-failed.json")))

    def test_the_rule_waits_for_the_policies_of_its_queues(self):
        self.assertLessEqual({"EventQueuePolicy", "UndeliveredQueuePolicy"}, set(Stack().resources["EventRule"]["DependsOn"]))


class RuleStacks(unittest.TestCase):
    def test_an_event_with_an_event_type_of_its_own_passes(self):
        """A pattern that asked every source for `eventType` DISCONNECTED dropped such events without a trace."""
        order = event("order-failed.json")
        order["detail"]["eventType"] = "ORDER_FAILED"
        self.assertTrue(passes(rule_stack(), order))

    def test_events_of_our_own_cases_never_pass(self):
        for path in rule_templates():
            stack = rule_stack(path, {"EntityPrefix": "shop/"})
            pattern = rule(stack)["EventPattern"]
            sample = {"source": pattern["source"][0], "detail-type": pattern["detail-type"][0]}
            for entity, expected in ((None, True), ("shop/order-failed", False), ("casebridge/x", True)):
                detail = {"instanceArn": INSTANCE}
                if entity:
                    detail["performedBy"] = {"user": {"customEntity": entity}}
                with self.subTest(path, entity=entity):
                    self.assertEqual(passes(stack, sample | {"detail": detail}), expected)

    def test_contact_lens_rules_of_another_instance_do_not_pass(self):
        stack = rule_stack("examples/contact-lens-rules/rule.yaml")
        matched = json.loads((REPOSITORY / "examples/contact-lens-rules/events/complaint-call.json").read_text())
        self.assertTrue(passes(stack, matched))
        other = "arn:aws:connect:us-east-1:111122223333:instance/00000000-0000-4000-8000-000000000000"
        self.assertFalse(passes(stack, instances_swapped(matched, other)))

    def test_examples_differ_from_the_template_in_their_pattern_alone(self):
        template = copy.deepcopy(rule_templates()["deploy/rule.yaml"])
        for path, source in rule_templates().items():
            source = copy.deepcopy(source)
            for one in (source, template):
                one["Description"] = ""
                one["Resources"]["EventRule"]["Properties"]["EventPattern"] = {}
            self.assertEqual(source, template, path)

    def test_a_stack_of_another_name_is_refused(self):
        with self.assertRaisesRegex(Refused, "no stack exports casebridge-dev-"):
            rule_stack(parameters={"CasebridgeStack": "casebridge-dev"})


class Delivery(unittest.TestCase):
    def test_rules_may_write_to_the_queues_that_they_name_and_others_may_not(self):
        for partition in PARTITIONS:
            main = Stack(partition=partition)
            for bus in BUSES:
                stack = rule_stack(parameters={"EventBusName": bus}, main=main, partition=partition)
                arn = stack.outputs["EventRule"]
                with self.subTest(arn):
                    target = rule(stack)["Targets"][0]
                    self.assertEqual(target["Arn"], main.outputs["EventQueueArn"])
                    self.assertTrue(may_send(main, arn, "EventQueue"))
                    self.assertEqual(target["DeadLetterConfig"]["Arn"].rpartition(":")[2], "UndeliveredQueue")
                    self.assertTrue(may_send(stack, arn, "UndeliveredQueue"))
                    self.assertFalse(may_send(main, arn, "UndeliveredQueue"), "the main stack's is for its own rule")
        main = Stack()
        arn = main.outputs["EventRule"]
        self.assertTrue(may_send(main, arn, "EventQueue") and may_send(main, arn, "UndeliveredQueue"))
        for name in ("rule/other", "rule/orders/other", "rule/xcasebridge-orders"):
            self.assertFalse(may_send(main, f"arn:aws:events:us-east-1:{ACCOUNT}:{name}", "EventQueue"), name)

    def test_the_alarm_names_the_rule_on_every_kind_of_bus(self):
        for bus in BUSES:
            stack = rule_stack(parameters={"EventBusName": bus})
            dimensions = {d["Name"]: d["Value"] for d in stack.resources["EventsLostAlarm"]["Properties"]["Dimensions"]}
            expected = {"RuleName": "casebridge-casebridge-rule"} | ({} if bus == "default" else {"EventBusName": bus})
            self.assertEqual(dimensions, expected)
        dimensions = Stack().resources["EventsLostAlarm"]["Properties"]["Dimensions"]
        self.assertEqual(dimensions, [{"Name": "RuleName", "Value": "casebridge-contact-events"}])

    def test_a_rule_waits_for_the_policy_of_its_queue(self):
        for path, source in rule_templates().items():
            self.assertEqual(source["Resources"]["EventRule"]["DependsOn"], "UndeliveredQueuePolicy", path)


class Schedules(unittest.TestCase):
    def test_the_documented_schedule_passes_a_rule_of_its_source(self):
        """docs/operations.md shows what EventBridge Scheduler sends, and the pattern for it."""
        text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
        section = re.search(r"\n### A schedule\n(.*?)\n##", text, re.S)[1]
        target, sent = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", section, re.S))
        model = botocore.session.get_session().get_service_model("scheduler")
        report = ParamValidator().validate(target, model.shape_for("Target"))
        self.assertFalse(report.has_errors(), report.generate_report())
        given = target["EventBridgeParameters"]
        self.assertEqual((sent["source"], sent["detail-type"]), (given["Source"], given["DetailType"]))
        self.assertEqual(json.loads(target["Input"]).keys(), sent["detail"].keys())
        # Services may put no event with a source of AWS's on a bus, and the schedule's own name would be one.
        self.assertFalse(sent["source"].startswith("aws."))
        self.assertTrue(matches({"source": [given["Source"]]}, sent))


if __name__ == "__main__":
    unittest.main()
