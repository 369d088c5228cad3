"""jq 1.7 or later, as far as the pages use it: -r, -c, --arg. The system's may be older, and then changes numbers of many digits."""

import sys

import jq

options, names, arguments = set(), {}, sys.argv[1:]
program = None
while arguments:
    one = arguments.pop(0)
    if one == "--arg":
        name, value = arguments[:2]
        names[name] = value
        del arguments[:2]
    elif one.startswith("-"):
        options |= set(one[1:])
    else:
        assert program is None, "a file"
        program = one
shown = f"({program}) | if $raw and type == \"string\" then . else tojson end"
for result in jq.compile(shown, args=names | {"raw": "r" in options}).input_text(sys.stdin.read()):
    print(result)
