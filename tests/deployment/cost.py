"""What a stack costs in a month, by assumptions: prices and amounts are here, and docs/operations.md has the table that they make.

The prices are list prices of us-east-1 in USD, without free tiers. They are not read from AWS: check them before you rely on them.
"""

MILLION = 1_000_000
MONTH = 30 * 24 * 3600
PRICES = {
    "alarm, for each of its metrics": 0.10,
    "custom metric": 0.30,
    "dashboard": 3.00,
    "DynamoDB read request": 0.125 / MILLION,
    "DynamoDB write request": 0.625 / MILLION,
    "EventBridge custom event": 1.00 / MILLION,
    "KMS key": 1.00,
    "KMS request": 0.03 / 10_000,
    "Lambda GB-second on arm64": 0.0000133334,
    "Lambda request": 0.20 / MILLION,
    "log, GB ingested": 0.50,
    "SQS request": 0.40 / MILLION,
}
# One event: a batch of its own, 0.4 s at 256 MB; sent, received, deleted; three writes and a read of the ledger; 3 kB of log.
SECONDS, MEMORY_GB, LOG_KB = 0.4, 0.25, 3
# Lambda's poller asks an idle queue with five connections, each for 20 seconds.
POLLS = 5 * MONTH / 20
# A data key is good for five minutes, for each of three users of four queues.
KMS_REQUESTS = 12 * MONTH / 300
# Of both functions: eight each by name alone, the rest by case mapping, operation and code.
CUSTOM_METRICS = 60


def metrics_of_alarms(stack):
    """How many metrics the stack's alarms watch: an alarm with several is charged for each."""
    alarms = stack.of_type("AWS::CloudWatch::Alarm").values()
    return sum(max(1, sum("MetricStat" in item for item in alarm.get("Metrics", []))) for alarm in alarms)


def cost(stack, cases):
    """USD by service."""
    of = PRICES
    return {
        "Lambda": cases * (of["Lambda request"] + SECONDS * MEMORY_GB * of["Lambda GB-second on arm64"]),
        "EventBridge": cases * of["EventBridge custom event"],
        "SQS and its key": (POLLS + 3 * cases) * of["SQS request"] + of["KMS key"] + KMS_REQUESTS * of["KMS request"],
        "DynamoDB": cases * (3 * of["DynamoDB write request"] + of["DynamoDB read request"]),
        "Logs": cases * LOG_KB / MILLION * of["log, GB ingested"],
        "Metrics, alarms, dashboard": CUSTOM_METRICS * of["custom metric"]
        + metrics_of_alarms(stack) * of["alarm, for each of its metrics"]
        + of["dashboard"],
    }


def table(stack, numbers=(1_000, 50_000, MILLION)):
    """The rows of the page's table."""
    costs = [cost(stack, number) for number in numbers]
    rows = [["", *(f"{number:,} cases" for number in numbers)], ["---"] + ["---:"] * len(numbers)]
    rows += [[service, *(f"{one[service]:.2f}" for one in costs)] for service in costs[0]]
    rows.append(["**all**", *(f"**{sum(one.values()):.0f}**" for one in costs)])
    return ["| " + " | ".join(row) + " |" for row in rows]
