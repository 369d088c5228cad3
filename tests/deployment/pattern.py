"""Event patterns as EventBridge matches them, as far as the rules of the stacks use them.

The project's own matcher, with Event Ruler's verdicts, is in Rust. This one lets the deployment tests run without a build.
"""


def matches(pattern, event):
    """Whether a pattern matches an event."""
    return all(_member(rule, event.get(name) if isinstance(event, dict) else None) for name, rule in pattern.items())


def _member(rule, value):
    if isinstance(rule, dict):
        return matches(rule, value)
    values = value if isinstance(value, list) else [value]
    return any(_one(alternative, item) for alternative in rule for item in values)


def _one(alternative, value):
    if not isinstance(alternative, dict):
        return value == alternative
    [(operator, operand)] = alternative.items()
    if operator == "exists":
        return (value is not None) == operand
    if value is None:
        return False
    if operator == "anything-but":
        return not _one(operand, value)
    assert operator in ("prefix", "suffix"), f"these tests do not know `{operator}`"
    return getattr(value, {"prefix": "startswith", "suffix": "endswith"}[operator])(operand)
