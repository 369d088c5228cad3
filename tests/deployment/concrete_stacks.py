"""Writes the stack of each combination of delivery, ledger and AppConfig to a folder, for cfn-lint: with every value in its place."""

import itertools
import json
import sys
from pathlib import Path

from stack import Stack
from test_options import APPCONFIG

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for delivery, ledger, appconfig in itertools.product(("sqs", "direct"), ("true", "false"), (APPCONFIG, {})):
    stack = Stack({"EventDelivery": delivery, "Ledger": ledger, "Tracing": "Active"} | appconfig)
    name = f"{delivery}-{'ledger' if ledger == 'true' else 'token'}-{'appconfig' if appconfig else 'packaged'}.json"
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": stack.resources}
    (folder / name).write_text(json.dumps(template, indent=2))
