"""Writes the stack of each combination of ledger and AppConfig, and of each rule, to a folder, for cfn-lint: with every value in its place."""

import itertools
import json
import sys
from pathlib import Path

from stack import Stack, rule_stack, rule_templates
from test_options import APPCONFIG, BUSES, EVERYTHING

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def write(name, stack):
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": stack.resources}
    (folder / f"{name}.json").write_text(json.dumps(template, indent=2))


for ledger, appconfig in itertools.product(("true", "false"), (APPCONFIG, {})):
    name = f"{'ledger' if ledger == 'true' else 'token'}-{'appconfig' if appconfig else 'packaged'}"
    write(name, Stack({"Ledger": ledger, "Tracing": "Active"} | appconfig))
write("everything", Stack(EVERYTHING))
for path, bus in itertools.product(rule_templates(), BUSES):
    write(f"{path}-{bus}".replace("/", "-"), rule_stack(path, {"EventBusName": bus}))
