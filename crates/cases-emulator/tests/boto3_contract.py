"""Holds the emulator to the service model with boto3: what it answers must parse as the model
says, and bad requests must raise the exceptions the model lists.

    cargo run -p cases-emulator -- --domain domain.json --port 4599 \\
        --profiles crates/cases-emulator/tests/emulator/profiles.json
    python3 crates/cases-emulator/tests/boto3_contract.py \\
        --endpoint http://127.0.0.1:4599 --domain-id DOMAIN_ID \\
        --profiles-domain amazon-connect-example

Needs boto3 alone. Templates, fields and options are found by listing them, so any domain will do
that has an active and an inactive template and a custom field of each type with one inactive
option among them. What is asked of Customer Profiles makes its own profiles; without
--profiles-domain it is left out, and that is said. Ends with the line "N passed, M failed", and
exits 1 if any failed.
"""

import argparse
import sys
import traceback

import boto3
from botocore.config import Config

# Nothing is to be left in the source tree.
sys.dont_write_bytecode = True

from contract import cases, checks, contacts, profiles, related_items  # noqa: E402, F401
from contract.domain import Domain  # noqa: E402


def client(service, endpoint):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        # The bad requests are to reach the emulator, and no failure is to be retried away.
        config=Config(
            parameter_validation=False,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=10,
        ),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--endpoint", required=True, help="such as http://127.0.0.1:4599")
    parser.add_argument("--domain-id", required=True)
    parser.add_argument("--profiles-domain", help="its name, when the emulator has one")
    arguments = parser.parse_args()
    domain = Domain(
        client("connectcases", arguments.endpoint),
        arguments.domain_id,
        client("customer-profiles", arguments.endpoint),
        client("connect", arguments.endpoint),
        arguments.profiles_domain,
    )
    tests = list(checks.TESTS)
    if arguments.profiles_domain:
        tests += checks.PROFILES_TESTS
    else:
        left_out = len(checks.PROFILES_TESTS)
        print(f"left out, as there is no --profiles-domain: {left_out} of Customer Profiles")
    failed = 0
    for run in tests:
        try:
            run(domain)
        except Exception:
            failed += 1
            print(f"FAILED {run.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
