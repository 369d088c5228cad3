"""Update expressions: what they leave of an item, and what they give back."""

from table.checks import named, plain, test

ITEM = {
    "a": {"S": "a"},
    "n": {"N": "9"},
    "pair": {"SS": ["a", "b"]},
    "m": {"M": {"x": {"N": "1"}, "below": {"M": {}}}},
}


def one(**changes):
    """The item with these attributes; those that are None are gone."""
    item = {**ITEM, **changes}
    return {name: value for name, value in item.items() if value is not None}


def inside(**members):
    """The item whose map has these members."""
    return one(m={"M": members})


X, BELOW = {"N": "1"}, {"M": {}}
LEAVES = {
    "SET #s = :a": one(status={"S": "a"}),
    "set #s = :a , b = :b": one(status={"S": "a"}, b={"S": "b"}),
    "SET a = :empty": one(a={"S": ""}),
    "SET a = :nil": one(a={"NULL": True}),
    "SET a = :yes": one(a={"BOOL": True}),
    "SET a = :list": one(a={"L": [{"N": "1"}, {"S": "a"}]}),
    "SET a = :map": one(a={"M": {"x": {"N": "1"}}}),
    "SET a = :ab": one(a={"SS": ["a", "b"]}),
    "SET b = a": one(b={"S": "a"}),
    "SET a = a": one(),
    "SET b = m.x": one(b={"N": "1"}),
    "SET n = n + :10": one(n={"N": "19"}),
    "SET n = :10 + n": one(n={"N": "19"}),
    "SET n = n - :10": one(n={"N": "-1"}),
    "SET b = :10 - :9": one(b={"N": "1"}),
    "SET b = if_not_exists(b, :a)": one(b={"S": "a"}),
    "SET a = if_not_exists(a, :b)": one(),
    "SET b = if_not_exists(b, a)": one(b={"S": "a"}),
    "SET b = if_not_exists(b, :9) + :10": one(b={"N": "19"}),
    "SET b = n, n = :10": one(b={"N": "9"}, n={"N": "10"}),
    "SET m.#s = :a": inside(x=X, below=BELOW, status={"S": "a"}),
    "SET m.below.#x = :9": inside(x=X, below={"M": {"x": {"N": "9"}}}),
    "SET m.x = m.x + :9": inside(x={"N": "10"}, below=BELOW),
    "SET #m = :nothing": inside(),
    "REMOVE n": one(n=None),
    "remove n , a": one(n=None, a=None),
    "REMOVE z": one(),
    "REMOVE m.x": inside(below=BELOW),
    "REMOVE m.z": one(),
    "REMOVE a SET b = a": one(a=None, b={"S": "a"}),
    "ADD n :10": one(n={"N": "19"}),
    "ADD z :10": one(z={"N": "10"}),
    "ADD pair :bc": one(pair={"SS": ["a", "b", "c"]}),
    "ADD z :bc": one(z={"SS": ["b", "c"]}),
    "DELETE pair :bc": one(pair={"SS": ["a"]}),
    "DELETE pair :ab": one(pair=None),
    "DELETE z :ab": one(),
    "SET #s = :a REMOVE a ADD n :10 DELETE pair :bc": one(
        status={"S": "a"}, a=None, n={"N": "19"}, pair={"SS": ["a"]}
    ),
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
def an_update_makes_the_item_unless_it_only_takes_away(table):
    for expression, item in {
        "SET a = :a": {"a": {"S": "a"}},
        "ADD n :9": {"n": {"N": "9"}},
        "ADD pair :ab": {"pair": {"SS": ["a", "b"]}},
    }.items():
        key = table.key()
        table.update(key, expression)
        assert table.get(key) == plain(item), expression


@test
def an_update_that_only_takes_away_makes_no_item(table):
    for expression in ("REMOVE a", "DELETE pair :ab"):
        key = table.key()
        answer = table.update(key, expression, ReturnValues="ALL_NEW")
        assert "Attributes" not in answer, answer
        assert table.get(key) is None, expression


@test
def an_update_without_an_expression_makes_an_empty_item(table):
    key = table.key()
    table.client.update_item(TableName=table.name, Key=key)
    assert table.get(key) == {}


RETURNED = {
    "NONE": None,
    "ALL_OLD": ITEM,
    "UPDATED_OLD": {"n": {"N": "9"}, "a": {"S": "a"}},
    "ALL_NEW": one(n={"N": "19"}, a=None, b={"S": "b"}),
    "UPDATED_NEW": {"n": {"N": "19"}, "b": {"S": "b"}},
}


def gives_back(returned, attributes):
    def run(table):
        key = table.put(ITEM)
        answer = table.update(key, "SET n = n + :10, b = :b REMOVE a", ReturnValues=returned)
        if attributes is None:
            assert "Attributes" not in answer, answer
        else:
            found = plain(answer["Attributes"])
            whole = key if returned.startswith("ALL") else {}
            assert found == plain({**attributes, **whole}), found

    named(f"gives back: {returned}", run)


for returned, attributes in RETURNED.items():
    gives_back(returned, attributes)


@test
def of_a_map_only_the_updated_members_are_given_back(table):
    key = table.put(ITEM)
    for returned, number in {"UPDATED_OLD": "1", "UPDATED_NEW": "9"}.items():
        key = table.put(ITEM)
        answer = table.update(key, "SET m.x = :9", ReturnValues=returned)
        assert answer["Attributes"] == {"m": {"M": {"x": {"N": number}}}}, answer


@test
def nothing_is_given_back_of_what_is_not_there(table):
    for expression, returned in (
        ("SET a = :a", "ALL_OLD"),
        ("SET a = :a", "UPDATED_OLD"),
        ("REMOVE a", "UPDATED_NEW"),
    ):
        answer = table.update(table.key(), expression, ReturnValues=returned)
        assert "Attributes" not in answer, (expression, returned, answer)
