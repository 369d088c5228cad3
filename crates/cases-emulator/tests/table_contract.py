"""Checks a DynamoDB endpoint against DynamoDB's documentation, for the operations and expressions
that the emulator supports. The emulator and other endpoints pass one suite of checks.

    cargo run -p cases-emulator -- --domain domain.json --port 4599 --table ledger
    python3 crates/cases-emulator/tests/table_contract.py --endpoint http://127.0.0.1:4599

    moto_server --port 4600
    python3 crates/cases-emulator/tests/table_contract.py --endpoint http://127.0.0.1:4600 \\
        --create-table --moto

Needs boto3 alone. Every check has an item of its own, so the table need not be empty. With --moto
the checks in which moto is known to differ from DynamoDB are expected to fail, and one that
passes is a failure: the list is then out of date. Ends with the line "N passed, M failed", and exits
1 if any failed.
"""

import argparse
import sys
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# Nothing is to be left in the source tree.
sys.dont_write_bytecode = True

from table import checks, conditions, moto, refusals, requests, updates  # noqa: E402, F401


def client(endpoint):
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        # The bad requests are to reach the endpoint, and no failure is to be retried away.
        config=Config(
            parameter_validation=False,
            retries={"mode": "standard", "total_max_attempts": 1},
        ),
    )


def create(client, name):
    try:
        client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise


def outcome(run, table):
    """None when the check passes, else what went wrong."""
    try:
        run(table)
    except Exception:
        return traceback.format_exc()
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--endpoint", required=True, help="such as http://127.0.0.1:4599")
    parser.add_argument("--table", default="ledger", help="its name; ledger unless given")
    parser.add_argument("--create-table", action="store_true", help="make the table first")
    parser.add_argument("--moto", action="store_true", help="expect the ways in which moto differs")
    arguments = parser.parse_args()
    table = checks.Table(client(arguments.endpoint), arguments.table)
    if arguments.create_table:
        create(table.client, table.name)
    differs = set().union(*moto.DIFFERS.values()) if arguments.moto else set()
    unknown = differs - {run.__name__ for run in checks.TESTS}
    assert not unknown, f"moto is said to differ in checks that are none: {unknown}"
    failed = 0
    for run in checks.TESTS:
        wrong = outcome(run, table)
        if run.__name__ in differs:
            wrong = None if wrong else "moto passes this check: strike it from table/moto.py\n"
        if wrong:
            failed += 1
            print(f"FAILED {run.__name__}\n{wrong}", end="")
    if differs:
        print(f"expected to fail, as moto differs: {len(differs)}")
    print(f"{len(checks.TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
