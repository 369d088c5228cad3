"""The checks that moto 5.2.5 fails, by the way in which it differs from DynamoDB."""

_REFUSED = "ValidationException: "

DIFFERS = {
    "answers 500 to an order of two types: for DynamoDB the comparison is false": {
        "holds: NOT n <= :a",
        "fails: n <= :a",
    },
    "answers 500 to a condition with a syntax error": {
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
    "accepts an empty condition": {_REFUSED + "condition ''"},
    "accepts placeholders that DynamoDB refuses": {
        _REFUSED + "no name in the names",
        _REFUSED + "values without an expression",
    },
    "answers 500 to an undefined name in an update": {_REFUSED + "update 'SET #undefined = :a'"},
    "answers 500 to a value of no type": {_REFUSED + "no value"},
    "accepts numbers that DynamoDB refuses": {_REFUSED + "39 digits"},
    "keeps a number's spelling": {"numbers_lose_their_spelling"},
}
