"""Which alarm goes off in a fault, and how soon: docs/operations.md has the same table, and a healthy stack is silent."""

import unittest

from alarms import RECORDED, played
from stack import Stack, template
from test_operations import named, table

HOUR = 3600
# Where a fault begins within the alarms' periods.
BEGINNINGS = (HOUR, HOUR + 1, HOUR + 299, HOUR + 899, HOUR + 3000)
WITHOUT_METRICS = {"MetricsNamespace": "", "Dashboard": "false"}


def every(seconds, start=0, end=HOUR):
    return range(start, end, seconds)


def from_on(begin, outcome, length=None, before="created"):
    """The outcome of what happens from `begin` on."""
    return lambda now: outcome if begin <= now < begin + (length or now + 1) else before


def of_events(outcome_at):
    return lambda _sent, now: outcome_at(now)


def few_events_and_flows(begin, outcome, length=None):
    """An event each ten minutes, a flow each minute."""
    at = from_on(begin, outcome, length)
    return {"events": every(600, end=4 * HOUR), "flows": every(60, end=4 * HOUR), "event": of_events(at), "flow": at}


def only_flows(begin, outcome):
    return {"flows": every(60, end=4 * HOUR), "flow": from_on(begin, outcome)}


def only_events(begin, outcome):
    return {"events": every(600, end=4 * HOUR), "event": of_events(from_on(begin, outcome))}


SCENARIOS = {
    "Cases is down for an hour": lambda begin: few_events_and_flows(begin, "transient", HOUR),
    "one event that fails each time": lambda begin: {"events": [begin], "event": lambda *_: "transient"},
    "a mapping that stops the start": lambda begin: few_events_and_flows(begin, "error"),
    "a mapping whose values are missing": lambda begin: few_events_and_flows(begin, "permanent"),
    "a mapping that accepts no flow": lambda begin: only_flows(begin, "skipped"),
    "flows throttled by Lambda": lambda begin: only_flows(begin, "throttled"),
    "a payload that is refused": lambda begin: {"events": [begin], "event": lambda *_: "refused"},
    "nobody reads the queue": lambda begin: {"events": every(600, begin, begin + HOUR), "reads": False},
}


def latest(name, parameters=None, hours=8, source=None):
    """The alarms of a scenario, each with the most minutes that it takes."""
    stack = Stack(parameters, source=source)
    runs = [played(stack, hours=hours, begin=begin, **SCENARIOS[name](begin)) for begin in BEGINNINGS]
    return {alarm: max(run.get(alarm, float("inf")) for run in runs) for alarm in set().union(*runs)}


class Alarms(unittest.TestCase):
    def test_the_documentation_says_which_alarm_goes_off_and_when(self):
        rows = {scenario: alarms for scenario, alarms in table("scenarios")}
        self.assertEqual(list(rows), list(SCENARIOS))
        for scenario, alarms in rows.items():
            told = {named(part)[0]: int(part.split()[-1]) for part in alarms.split(",")}
            with self.subTest(scenario):
                # Rounded up to five minutes; a fault that begins a second into a period takes a second more.
                found = {alarm: -int(-(minutes - 0.1) // 5) * 5 for alarm, minutes in latest(scenario).items()}
                self.assertEqual(told, found)

    def test_a_fault_is_noticed_within_half_an_hour(self):
        """It took five hours for an event that keeps failing, and for ever for a mapping that accepts no flow."""
        for scenario in SCENARIOS:
            self.assertLessEqual(min(latest(scenario).values()), 30, scenario)

    def test_without_metrics_of_our_own_a_repeated_event_is_still_noticed(self):
        found = latest("one event that fails each time", WITHOUT_METRICS)
        self.assertLessEqual(found["RepeatedReceivesAlarm"], 120)

    def test_the_age_of_the_queue_does_not_show_an_event_that_fails(self):
        """Were it to, the text of QueueAgeAlarm would be wrong."""
        self.assertNotIn("QueueAgeAlarm", latest("one event that fails each time"))

    def test_a_healthy_stack_is_silent(self):
        flows = {"flows": every(20, end=4 * HOUR), "flow": lambda now: "skipped" if now % 60 else "created"}
        for parameters in ({}, WITHOUT_METRICS):
            for name, scenario in {
                "quiet": {"events": every(600, end=4 * HOUR)},
                "a burst of 500": {"events": [HOUR] * 500},
                "at the quota": {"events": sorted([*every(1, end=2 * HOUR), *every(2, end=2 * HOUR)])},
                "a blink of two minutes": {
                    "events": every(600, end=4 * HOUR),
                    "event": of_events(from_on(HOUR, "transient", 120)),
                },
            }.items():
                with self.subTest(name, parameters=parameters):
                    self.assertEqual(played(Stack(parameters), hours=5, begin=0, **flows, **scenario), {})

    def test_the_recorded_metrics_have_every_outcome(self):
        self.assertLessEqual(
            {"flow created", "flow skipped", "flow permanent", "flow transient", "event created", "event permanent"}, RECORDED.keys()
        )


if __name__ == "__main__":
    unittest.main()
