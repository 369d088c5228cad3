"""Update expressions, and the items that they leave."""

from table.checks import named, plain, test

ITEM = {"a": {"S": "a"}, "n": {"N": "9"}, "status": {"S": "a"}}


def one(**changes):
    """Returns the item with these attributes; an attribute that is None is absent."""
    item = {**ITEM, **changes}
    return {name: value for name, value in item.items() if value is not None}


LEAVES = {
    "SET #s = :b": one(status={"S": "b"}),
    "set #s = :b , b = :b": one(status={"S": "b"}, b={"S": "b"}),
    "SET a = :empty": one(a={"S": ""}),
    "SET a = :9": one(a={"N": "9"}),
    "SET b = :10 REMOVE n": one(b={"N": "10"}, n=None),
    "SET b = :10 remove n , a": one(b={"N": "10"}, n=None, a=None),
    "SET a = :b REMOVE z": one(a={"S": "b"}),
}


def leaves(expression, item):
    def run(table):
        key = table.put(ITEM)
        table.update(key, expression)
        found = table.get(key)
        assert found == plain(item), found

    named(f"leaves: {expression}", run)


for expression, item in LEAVES.items():
    leaves(expression, item)


@test
def an_update_creates_the_item(table):
    key = table.key()
    table.update(key, "SET a = :a REMOVE n")
    assert table.get(key) == {"a": {"S": "a"}}
