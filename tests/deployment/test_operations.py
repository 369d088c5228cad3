"""docs/operations.md is complete: every error code, metric and alarm there is, and none that there is not; the dashboard shows real metrics."""

import json
import re
import unittest

from stack import REPOSITORY, Stack, rule_stack, rule_templates, template
from test_options import combinations

TEXT = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
# Each error code, and whether a retry can help.
CODES = {
    code: retry == "transient"
    for code, retry in re.findall(
        r"^    (\w+): (transient|permanent),$",
        (REPOSITORY / "src" / "error.rs").read_text(encoding="utf-8"),
        re.M,
    )
}
# Words of the services that the pages use.
NAMES_OF_AWS = {
    "BatchSize",
    "CreateCase",
    "InstanceARN",
    "InvocationTimeLimitSeconds",
    "LambdaInvocationAttributes",
    "MaximumConcurrency",
    "ContactFlowErrors",
    "NoMatchingError",
}


def table(name):
    """The rows of the table between two markers, without its head."""
    body = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", TEXT, re.S)[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()[2:]]


def named(cell):
    return re.findall(r"`([^`]+)`", cell)


def dimension_sets():
    """Of each metric of ours, the sets of dimensions it has."""
    sets = {}
    for metric, _, beside, _ in table("metrics"):
        others = [named(part) for part in beside.split(";") if named(part)]
        sets[named(metric)[0]] = [{"FunctionName"}] + [{"FunctionName", *dimensions} for dimensions in others]
    return sets


def in_full(metrics):
    """The rows of a widget with the shorthand of CloudWatch (`.` and `...`) written out."""
    before = []
    for row in metrics:
        row = [cell for cell in row if not isinstance(cell, dict)]
        if row and row[0] == "...":
            row = before[: len(before) - len(row) + 1] + row[1:]
        row = [before[index] if cell == "." else cell for index, cell in enumerate(row)]
        yield row
        before = row


def shown(widget):
    """Namespace, metric and dimensions of everything that a widget shows."""
    metrics = widget["properties"]["metrics"]
    searches = [cell["expression"] for row in metrics for cell in row if isinstance(cell, dict) and "expression" in cell]
    for search in searches:
        schema, metric = re.search(r"""SEARCH\('\{(.+?)\} MetricName="(\w+)" """, search).groups()
        namespace, *dimensions = schema.split(",")
        yield namespace, metric, set(dimensions)
    for row in in_full(metrics):
        if row:
            yield row[0], row[1], set(row[2::2])


def alarmed(alarm):
    """The same of everything that an alarm watches."""
    metrics = [item["MetricStat"]["Metric"] for item in alarm.get("Metrics", []) if "MetricStat" in item] or [alarm]
    for metric in metrics:
        yield metric["Namespace"], metric["MetricName"], {dimension["Name"] for dimension in metric["Dimensions"]}


class Operations(unittest.TestCase):
    def test_every_error_code_has_cause_and_action(self):
        self.assertGreater(len(CODES), 20, "the codes are not found in src/error.rs any more")
        rows = table("codes")
        self.assertCountEqual([named(row[0])[0] for row in rows], CODES)
        for code, _, cause, action in rows:
            self.assertTrue(cause and action, code)

    def test_what_is_said_of_retries_is_what_the_code_does(self):
        self.assertEqual({named(code)[0]: retry == "yes" for code, retry, _, _ in table("codes")}, CODES)

    def test_the_readme_knows_the_same_codes(self):
        readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
        for code, *_ in table("codes"):
            self.assertIn(code, readme)

    def test_every_alarm_is_in_the_table_and_says_what_to_do(self):
        alarms = {n: r for n, r in template()["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm"}
        self.assertCountEqual([named(row[0])[0] for row in table("alarms")], alarms)
        for stack in (Stack(), rule_stack()):
            for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items():
                self.assertGreater(len(alarm["AlarmDescription"]), 100, f"{name} hardly says what to do")
                self.assertLessEqual(len(alarm["AlarmDescription"]), 1024)
                self.assertEqual(alarm["TreatMissingData"], "notBreaching", name)

    def test_alarms_tell_the_topic_if_there_is_one(self):
        topic = "arn:aws:sns:us-east-1:111122223333:on-call"
        for alarm in Stack({"AlarmTopicArn": topic}).of_type("AWS::CloudWatch::Alarm").values():
            self.assertEqual((alarm["AlarmActions"], alarm["OKActions"]), ([topic], [topic]))
        for alarm in Stack().of_type("AWS::CloudWatch::Alarm").values():
            self.assertNotIn("AlarmActions", alarm)

    def test_without_metrics_no_alarm_waits_for_them(self):
        stack = Stack({"MetricsNamespace": "", "Dashboard": "false"})
        watched = {namespace for a in stack.of_type("AWS::CloudWatch::Alarm").values() for namespace, _, _ in alarmed(a)}
        self.assertEqual(watched, {"AWS/Lambda", "AWS/SQS", "AWS/Events"})

    def test_dashboard_and_alarms_name_metrics_that_exist(self):
        ours, aws = dimension_sets(), {(named(of)[0], named(metric)[0]) for metric, of, _ in table("metrics of AWS")}
        seen = set()
        for parameters in combinations():
            stack = Stack(parameters)
            used = [item for alarm in stack.of_type("AWS::CloudWatch::Alarm").values() for item in alarmed(alarm)]
            if "OperationsDashboard" in stack.resources:
                body = json.loads(stack.resources["OperationsDashboard"]["Properties"]["DashboardBody"])
                used += [item for widget in body["widgets"] for item in shown(widget)]
            for namespace, metric, dimensions in used:
                seen.add((namespace, metric))
                if namespace == "Casebridge":
                    self.assertIn(metric, ours)
                    self.assertIn(dimensions, ours[metric], metric)
                else:
                    self.assertIn((namespace, metric), aws)
        self.assertEqual(seen, aws | {("Casebridge", metric) for metric in ours}, "a metric of the tables that nothing shows")

    def test_the_dashboard_is_of_this_stack_and_no_widget_hides_another(self):
        for parameters in combinations():
            stack = Stack(parameters)
            if "OperationsDashboard" not in stack.resources:
                continue
            body = json.loads(stack.resources["OperationsDashboard"]["Properties"]["DashboardBody"])
            cells = set()
            for widget in body["widgets"]:
                self.assertEqual(widget["properties"]["region"], stack.region)
                self.assertLessEqual(widget["x"] + widget["width"], 24)
                covered = {
                    (x, y)
                    for x in range(widget["x"], widget["x"] + widget["width"])
                    for y in range(widget["y"], widget["y"] + widget["height"])
                }
                self.assertFalse(cells & covered, widget["properties"]["title"])
                cells |= covered

    def test_names_in_the_documentation_are_the_stack_s(self):
        source = template()
        known = {
            name
            for one in (source, *rule_templates().values())
            for part in ("Parameters", "Outputs", "Resources")
            for name in one[part]
        }
        known |= set(CODES) | {"NoCaseMapping", "OwnCaseEvent", "InactiveRegion", "OtherInstance"}
        known |= {named(row[0])[0] for row in table("metrics") + table("metrics of AWS")}
        known |= {dimension for sets in dimension_sets().values() for dimensions in sets for dimension in dimensions}
        for variable in re.findall(r"\$([A-Z][a-z]\w+)", TEXT):
            self.assertIn(variable, {"Stack", *source["Outputs"]}, "a command reads what is no output")
        for page in ("docs/operations.md", "docs/security.md", "flows/README.md", "examples/README.md"):
            text = (REPOSITORY / page).read_text(encoding="utf-8")
            for word in set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][A-Za-z]*)+)(?:=[^`]*)?`", text)):
                self.assertIn(word, known | NAMES_OF_AWS, page)


if __name__ == "__main__":
    unittest.main()
