"""Where moto 5.2.5 differs: the checks that it fails, by what it does instead."""

_REFUSED = "ValidationException: "

DIFFERS = {
    "compares what does not exist as if it were a value: DynamoDB has it equal to nothing": {
        "holds: b <> c",
        "fails: b = c",
    },
    "answers 500 to an order of two types: for DynamoDB the comparison is false": {
        "holds: NOT n < :a",
        "holds: NOT n > :a",
        "fails: n < :a",
        "fails: n > :a",
        "fails: a BETWEEN :8 AND :10",
    },
    "answers 500 to a condition with a fault in it": {
        _REFUSED + "condition 'a'",
        _REFUSED + "condition 'a ='",
        _REFUSED + "condition 'a == :a'",
        _REFUSED + "condition 'a = :a AND'",
        _REFUSED + "condition 'a = :a a = :a'",
        _REFUSED + "condition '(a = :a'",
        _REFUSED + "condition 'attribute_exists(:a)'",
        _REFUSED + "condition 'if_not_exists(a, :a) = :a'",
        _REFUSED + "condition 'a = :undefined'",
        _REFUSED + "condition '#undefined = :a'",
    },
    "takes conditions that DynamoDB refuses before it looks at the item": {
        _REFUSED + "condition ''",
        _REFUSED + "condition 'a = a'",
        _REFUSED + "condition 'n < :yes'",
        _REFUSED + "condition 'n BETWEEN :10 AND :9'",
    },
    "takes updates that DynamoDB refuses": {
        _REFUSED + "update 'SET b = :9 + :9 + :9'",
        _REFUSED + "update 'SET a.x = :9'",
    },
    "takes placeholders that DynamoDB refuses": {
        _REFUSED + "no name in the names",
        _REFUSED + "values without an expression",
    },
    "answers 500 to a value of no type": {_REFUSED + "no value"},
    "takes values that DynamoDB refuses": {
        _REFUSED + "39 digits",
        _REFUSED + "a number that is too large",
        _REFUSED + "a set with a text twice",
    },
    "keeps a number's spelling: DynamoDB trims zeros": {"numbers_lose_their_spelling"},
    "makes an item of an update that only takes away": {
        "an_update_that_only_takes_away_makes_no_item",
    },
    "answers 500 to an update without an expression": {
        "an_update_without_an_expression_makes_an_empty_item",
    },
    "gives back more than what was updated": {
        "of_a_map_only_the_updated_members_are_given_back",
        "nothing_is_given_back_of_what_is_not_there",
    },
}
