"""Evaluates the stack's alarms as CloudWatch does, over metrics that a simulated stack writes.

The functions' own metrics are lines that the function wrote (metrics.jsonl; the stage `sam-build` compares them with the built function).
Those of Lambda and SQS come from a model of queue and poller, which has these properties of SQS:

- A message that failed is invisible for the queue's visibility timeout, then comes again.
- A message that was received three times no longer counts for ApproximateAgeOfOldestMessage, with a dead-letter queue or without:
  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
- A batch with failed messages is a successful invocation (ReportBatchItemFailures).
"""

import json
import re
from collections import Counter
from dataclasses import dataclass

from stack import REPOSITORY

RECORDED = {
    item["outcome"]: item["lines"]
    for item in map(json.loads, (REPOSITORY / "tests/deployment/metrics.jsonl").read_text(encoding="utf-8").splitlines())
}
STATISTICS = {"Sum": sum, "Maximum": max, "Minimum": min}
COMPARISONS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
}
MINUTE = 60


class Metrics:
    """Data points by metric, each with its second."""

    def __init__(self):
        self.points = {}

    def put(self, second, namespace, name, dimensions, value):
        self.points.setdefault((namespace, name, frozenset(dimensions.items())), []).append((second, value))

    def log(self, second, line):
        """Adds what CloudWatch makes of a line in the embedded metric format."""
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for dimensions in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    values = line[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        named = {name: line[name] for name in dimensions}
                        self.put(second, directive["Namespace"], metric["Name"], named, value)

    def statistic(self, metric, statistic, start, end):
        """The statistic of the points of a period, None where there are none. A percentile is the greatest value: an upper bound."""
        key = (metric["Namespace"], metric["MetricName"], frozenset((d["Name"], d["Value"]) for d in metric["Dimensions"]))
        values = [value for second, value in self.points.get(key, []) if start <= second < end]
        return STATISTICS.get(statistic, max)(values) if values else None


def value(alarm, metrics, start, end):
    """What the alarm compares with its threshold, for one period."""
    if "Metrics" not in alarm:
        return metrics.statistic(alarm, alarm.get("Statistic", "p99"), start, end)
    values, expression = {}, None
    for item in alarm["Metrics"]:
        if "MetricStat" in item:
            values[item["Id"]] = metrics.statistic(item["MetricStat"]["Metric"], item["MetricStat"]["Stat"], start, end)
        else:
            expression = item["Expression"]
    functions = {"FILL": lambda given, other: other if given is None else given, "IF": lambda test, yes, no: yes if test else no}
    python = re.sub(r"\bAND\b", "and", expression)
    return eval(python, {"__builtins__": {}}, functions | values)  # noqa: S307 - the template's own expression


def period_of(alarm):
    periods = {item["MetricStat"]["Period"] for item in alarm.get("Metrics", []) if "MetricStat" in item} or {alarm["Period"]}
    [period] = periods
    return period


def rings(alarm, metrics, until):
    """The second at which the alarm goes off, or None. Periods are whole ones, so this is the latest that CloudWatch takes."""
    period, wanted = period_of(alarm), alarm["EvaluationPeriods"]
    breaching = 0
    for start in range(0, until - period + 1, period):
        found = value(alarm, metrics, start, start + period)
        bad = found is not None and COMPARISONS[alarm["ComparisonOperator"]](found, alarm["Threshold"])
        breaching = breaching + 1 if bad else 0
        if breaching >= alarm.get("DatapointsToAlarm", wanted):
            return start + period
    return None


@dataclass
class Message:
    sent: int
    visible: int  # the second from which it can be received
    received: int = 0


class World:
    """A stack at work. A scenario says what arrives when, and what becomes of an event or a contact at a second."""

    def __init__(self, stack):
        self.stack, self.metrics = stack, Metrics()
        queue = stack.resources["EventQueue"]["Properties"]
        self.visibility, self.receives = queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"]
        self.messages, self.dead, self.put_aside = [], 0, 0
        self.namespace = stack.parameters["MetricsNamespace"]

    def wrote(self, second, outcome):
        for line in RECORDED[outcome] if self.namespace else []:
            self.metrics.log(second, line)

    def count(self, second, name, function):
        self.metrics.put(second, "AWS/Lambda", name, {"FunctionName": function}, 1)

    def flow(self, second, outcome):
        """A contact: `error` and `throttled` are what Lambda says of its invocation; anything else is the function's own outcome."""
        if outcome in ("error", "throttled"):
            self.count(second, {"error": "Errors", "throttled": "Throttles"}[outcome], "FlowFunction")
        else:
            self.wrote(second, f"flow {outcome}")

    def second(self, second, outcome_of, reads):
        """One second of poller and queue."""
        # Cases creates two a second.
        ready = [message for message in self.messages if message.visible <= second][:2] if reads else []
        for message in ready:
            if message.received >= self.receives:
                self.messages.remove(message)
                self.dead += 1
                continue
            message.received += 1
            message.visible = second + self.visibility
            self.queue(second, "NumberOfMessagesReceived", 1)
            outcome = outcome_of(message.sent, second)
            if outcome == "error":
                self.count(second, "Errors", "EventFunction")
                continue
            self.wrote(second, f"event {outcome}")
            if outcome != "transient":
                self.messages.remove(message)
                self.put_aside += outcome in ("permanent", "refused")
                self.queue(second, "NumberOfMessagesDeleted", 1)
        if second % MINUTE == 0:
            self.gauges(second)

    def gauges(self, second):
        ages = [second - message.sent for message in self.messages if message.received < 3]
        visible = sum(message.visible <= second for message in self.messages)
        self.queue(second, "ApproximateAgeOfOldestMessage", max(ages, default=0))
        self.queue(second, "ApproximateNumberOfMessagesVisible", visible)
        self.queue(second, "ApproximateNumberOfMessagesNotVisible", len(self.messages) - visible)
        for name, waiting in (("DeadLetterQueue", self.dead), ("FailureQueue", self.put_aside), ("UndeliveredQueue", 0)):
            self.metrics.put(second, "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": name}, waiting)

    def queue(self, second, name, value):
        self.metrics.put(second, "AWS/SQS", name, {"QueueName": "EventQueue"}, value)


def played(stack, *, hours, begin, events=(), flows=(), event=lambda sent, now: "created", flow=lambda now: "created", reads=True):
    """Minutes from `begin` until each alarm goes off; those that stay silent are left out.

    `events` and `flows` are the seconds at which one arrives; `event` and `flow` say what becomes of it.
    """
    world = World(stack)
    for second in flows:
        world.flow(second, flow(second))
    arriving = Counter(events)
    for second in range(hours * 3600):
        world.messages += [Message(second, second) for _ in range(arriving[second])]
        world.second(second, event, reads)
    alarms = stack.of_type("AWS::CloudWatch::Alarm").items()
    rung = {name: rings(alarm, world.metrics, hours * 3600) for name, alarm in alarms}
    return {name: (at - begin) / MINUTE for name, at in rung.items() if at is not None}
