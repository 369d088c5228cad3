"""The contact flow is one that the flow language allows, and does the right thing for every answer.

Source of the table: https://docs.aws.amazon.com/connect/latest/APIReference/flow-language-actions.html and the page of each action that it links.
"""

import dataclasses
import json
import re
import unittest

from stack import REPOSITORY, Stack

FLOW = json.loads((REPOSITORY / "flows" / "create-case.json").read_text(encoding="utf-8"))
ACTIONS = {action["Identifier"]: action for action in FLOW["Actions"]}
OPERATORS = {
    "Equals",
    "NumberGreaterOrEqualTo",
    "NumberGreaterThan",
    "NumberLessOrEqualTo",
    "NumberLessThan",
    "TextContains",
    "TextEndsWith",
    "TextStartsWith",
}
STATUSES = {"created", "existing", "skipped", "failed"}


@dataclasses.dataclass(frozen=True)
class Kind:
    """What the page of an action says of it."""

    page: str
    required: frozenset = frozenset()
    optional: frozenset = frozenset()
    one_of: frozenset = frozenset()  # exactly one of these
    errors: frozenset = frozenset()  # each has a transition
    conditions: bool = False
    ends: bool = False


LANGUAGE = {
    "InvokeLambdaFunction": Kind(
        "interactions-invokelambdafunction",
        required=frozenset({"LambdaFunctionARN", "InvocationTimeLimitSeconds", "ResponseValidation"}),
        optional=frozenset({"InvocationType", "LambdaInvocationAttributes"}),
        errors=frozenset({"NoMatchingError"}),
    ),
    "Compare": Kind(
        "flow-control-actions-compare",
        required=frozenset({"ComparisonValue"}),
        errors=frozenset({"NoMatchingCondition"}),
        conditions=True,
    ),
    "Loop": Kind("flow-control-actions-loop", required=frozenset({"LoopCount"}), conditions=True),
    "MessageParticipant": Kind(
        "participant-actions-messageparticipant",
        one_of=frozenset({"PromptId", "Text", "SSML", "Media"}),
        errors=frozenset({"NoMatchingError"}),
    ),
    "UpdateContactAttributes": Kind(
        "contact-actions-updatecontactattributes",
        required=frozenset({"Attributes", "TargetContact"}),
        errors=frozenset({"NoMatchingError"}),
    ),
    "TransferToFlow": Kind(
        "flow-control-actions-transfertoflow", required=frozenset({"ContactFlowId"}), errors=frozenset({"NoMatchingError"})
    ),
    "DisconnectParticipant": Kind("participant-actions-disconnectparticipant", ends=True),
}


def targets(action):
    transitions = action["Transitions"]
    branches = transitions.get("Conditions", []) + transitions.get("Errors", [])
    return [branch["NextAction"] for branch in branches] + ([transitions["NextAction"]] if "NextAction" in transitions else [])


class Language(unittest.TestCase):
    def test_the_document_is_a_flow(self):
        self.assertEqual(FLOW["Version"], "2019-10-30")
        self.assertEqual(FLOW.keys(), {"Version", "StartAction", "Metadata", "Actions"})
        self.assertIn(FLOW["StartAction"], ACTIONS)
        self.assertEqual(len(ACTIONS), len(FLOW["Actions"]), "an identifier is used twice")
        self.assertLessEqual(len(ACTIONS), 250)

    def test_every_action_has_its_place_in_the_designer(self):
        metadata = FLOW["Metadata"]
        self.assertEqual(metadata["entryPointPosition"].keys(), {"x", "y"})
        self.assertCountEqual(metadata["ActionMetadata"], ACTIONS)
        places = [(m["position"]["x"], m["position"]["y"]) for m in metadata["ActionMetadata"].values()]
        self.assertEqual(len(set(places)), len(places), "two blocks lie on each other")

    def test_every_identifier_is_allowed(self):
        for name in ACTIONS:
            self.assertRegex(name, r"^[^%:(\\/)=$,;\[\]{}]{1,50}$")

    def test_every_action_has_the_parameters_and_branches_of_its_kind(self):
        for name, action in ACTIONS.items():
            with self.subTest(name):
                self.assertEqual(action.keys(), {"Identifier", "Type", "Parameters", "Transitions"})
                kind = LANGUAGE[action["Type"]]
                given = action["Parameters"].keys()
                self.assertLessEqual(kind.required, given)
                self.assertLessEqual(given, kind.required | kind.optional | kind.one_of)
                if kind.one_of:
                    self.assertEqual(len(given & kind.one_of), 1)
                transitions = action["Transitions"]
                errors = [error["ErrorType"] for error in transitions.get("Errors", [])]
                self.assertCountEqual(errors, kind.errors)
                self.assertEqual("Conditions" in transitions, kind.conditions)
                self.assertEqual("NextAction" in transitions, not kind.ends)
                for branch in transitions.get("Conditions", []):
                    self.assertIn(branch["Condition"]["Operator"], OPERATORS)
                    self.assertTrue(all(isinstance(operand, str) and operand for operand in branch["Condition"]["Operands"]))

    def test_the_values_of_parameters_are_allowed(self):
        for name, action in ACTIONS.items():
            parameters = action["Parameters"]
            with self.subTest(name):
                if action["Type"] == "InvokeLambdaFunction":
                    self.assertIn(int(parameters["InvocationTimeLimitSeconds"]), range(1, 9))
                    self.assertIn(parameters["InvocationType"], {"SYNCHRONOUS", "ASYNCHRONOUS"})
                    self.assertIn(parameters["ResponseValidation"]["ResponseType"], {"STRING_MAP", "JSON"})
                elif action["Type"] == "Compare":
                    self.assertRegex(parameters["ComparisonValue"], r"^\$\.[A-Za-z.]+$", "a single reference")
                elif action["Type"] == "Loop":
                    self.assertIn(int(parameters["LoopCount"]), range(101))
                    operands = [c["Condition"]["Operands"] for c in action["Transitions"]["Conditions"]]
                    self.assertCountEqual(operands, [["ContinueLooping"], ["DoneLooping"]])
                elif action["Type"] == "UpdateContactAttributes":
                    self.assertIn(parameters["TargetContact"], {"Current", "Related"})
                    for key in parameters["Attributes"]:
                        self.assertNotRegex(key, r"[$.]")

    def test_every_transition_leads_somewhere_and_every_action_is_reached(self):
        reached, open_ends = set(), [FLOW["StartAction"]]
        while open_ends:
            name = open_ends.pop()
            if name not in reached:
                reached.add(name)
                self.assertIn(name, ACTIONS)
                open_ends += targets(ACTIONS[name])
        self.assertEqual(reached, ACTIONS.keys())


class Walk:
    """One contact's way through the flow; `answers` are what the function gives, call by call, or None for an error of the block."""

    def __init__(self, answers, channel="VOICE"):
        self.answers, self.data = iter(answers), {"Channel": channel}
        self.calls, self.loops, self.said, self.attributes = 0, 0, [], {}
        name = FLOW["StartAction"]
        for _ in range(50):
            action = ACTIONS[name]
            if action["Type"] in ("TransferToFlow", "DisconnectParticipant"):
                self.end = name
                return
            name = self.step(action)
        raise AssertionError("the contact goes in circles")

    def value(self, text):
        return re.sub(r"\$\.([A-Za-z.]*[A-Za-z])", lambda match: self.data.get(match[1], ""), text)

    def step(self, action):
        parameters, transitions = action["Parameters"], action["Transitions"]
        match action["Type"]:
            case "InvokeLambdaFunction":
                self.calls += 1
                answer = next(self.answers)
                if answer is None:
                    return transitions["Errors"][0]["NextAction"]
                self.data = {"Channel": self.data["Channel"]} | {f"External.{key}": value for key, value in answer.items()}
            case "Compare":
                return self.choose(transitions, self.value(parameters["ComparisonValue"]))
            case "Loop":
                self.loops += 1
                done = self.loops > int(parameters["LoopCount"])
                return self.choose(transitions, "DoneLooping" if done else "ContinueLooping")
            case "MessageParticipant":
                self.said.append(self.value(next(iter(parameters.values()))))
            case "UpdateContactAttributes":
                self.attributes |= {key: self.value(value) for key, value in parameters["Attributes"].items()}
        return transitions["NextAction"]

    @staticmethod
    def choose(transitions, value):
        for branch in transitions["Conditions"]:
            operator, [operand] = branch["Condition"]["Operator"], branch["Condition"]["Operands"]
            number = value.isdecimal() and float(value) > float(operand) if operator == "NumberGreaterThan" else False
            if number or (operator == "Equals" and value == operand):
                return branch["NextAction"]
        return next((error["NextAction"] for error in transitions.get("Errors", [])), transitions["NextAction"])


def answer(status, **members):
    return {"status": status, "caseId": "", "referenceNumber": "", "errorCode": "", "retryable": "false"} | members


class Behaviour(unittest.TestCase):
    def test_a_case_is_told_by_its_number(self):
        for status in ("created", "existing"):
            for channel, number in (("VOICE", '<say-as interpret-as="digits">20417331</say-as>'), ("CHAT", "is 20417331.")):
                walk = Walk([answer(status, caseId="c-1", referenceNumber="20417331")], channel)
                self.assertIn(number, walk.said[-1])
                self.assertEqual(walk.attributes, {"case_status": status, "case_id": "c-1", "case_reference": "20417331"})
                self.assertEqual((walk.calls, walk.end), (1, "next-flow"))

    def test_a_case_without_a_number_is_told_too(self):
        walk = Walk([answer("created", caseId="c-1")])
        self.assertEqual(walk.said, ["I have opened a case for you."])

    def test_a_skipped_contact_goes_on_in_silence(self):
        walk = Walk([answer("skipped", errorCode="NoCaseMapping")])
        self.assertEqual((walk.said, walk.end), ([], "next-flow"))
        self.assertEqual(walk.attributes, {"case_status": "skipped", "case_error": "NoCaseMapping"})

    def test_what_cannot_succeed_is_not_tried_again(self):
        walk = Walk([answer("failed", errorCode="FieldMissing")])
        self.assertEqual((walk.calls, walk.end), (1, "next-flow"))
        self.assertEqual(walk.attributes, {"case_status": "failed", "case_error": "FieldMissing"})

    def test_what_may_succeed_is_tried_once_more_after_a_prompt(self):
        lost = answer("failed", errorCode="OutcomeUnknown", retryable="true")
        for first in (lost, None):  # None: the block's Error or Timeout
            walk = Walk([first, answer("existing", caseId="c-1")])
            self.assertEqual((walk.calls, walk.attributes["case_status"]), (2, "existing"))
            self.assertEqual(walk.said[0], "One moment, please.")
            walk = Walk([first, first])
            self.assertEqual((walk.calls, walk.attributes["case_status"], walk.end), (2, "failed", "next-flow"))

    def test_an_answer_that_is_none_is_a_failure(self):
        self.assertEqual(Walk([{}]).attributes["case_status"], "failed")

    def test_each_status_has_a_branch(self):
        branches = ACTIONS["status"]["Transitions"]["Conditions"]
        self.assertEqual({branch["Condition"]["Operands"][0] for branch in branches}, STATUSES)

    def test_no_case_is_created_another_way(self):
        self.assertNotIn("CreateCase", {action["Type"] for action in ACTIONS.values()})

    def test_the_block_is_as_the_stack_says(self):
        outputs = Stack().outputs
        block = ACTIONS["create-case"]["Parameters"]
        self.assertEqual(block["InvocationTimeLimitSeconds"], outputs["FlowTimeLimitSeconds"])
        self.assertEqual(block["ResponseValidation"]["ResponseType"], outputs["FlowResponseType"])
        self.assertEqual(block["LambdaFunctionARN"], "${FlowFunction}")

    def test_only_members_of_the_answer_are_read(self):
        told = set(re.findall(r"^\| (`[^|]+`)", (REPOSITORY / "README.md").read_text(), re.M))
        told = {member for cell in told for member in re.findall(r"`(\w+)`", cell)}
        read = set(re.findall(r"\$\.External\.(\w+)", json.dumps(FLOW)))
        self.assertLessEqual(read, told)
        self.assertEqual(set(re.findall(r"\$\{(\w+)\}", json.dumps(FLOW))), {"FlowFunction", "NextFlow"})


if __name__ == "__main__":
    unittest.main()
