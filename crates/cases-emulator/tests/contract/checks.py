"""The checks: those that were registered, and the ways to register one."""

TESTS = []
PROFILES_TESTS = []

STATUS = {
    "ValidationException": 400,
    "BadRequestException": 400,
    "InvalidRequestException": 400,
    "ServiceQuotaExceededException": 402,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
}


def test(function):
    TESTS.append(function)
    return function


def profiles_test(function):
    """A test that needs a profiles domain."""
    PROFILES_TESTS.append(function)
    return function


def refused(name, call, service="client"):
    """A test that the call raises the exception of that name in the service's model."""

    def run(domain):
        expected = getattr(getattr(domain, service).exceptions, name)
        try:
            call(domain)
        except expected as error:
            response = error.response
            assert response["Error"]["Message"], "the exception has no message"
            status = response["ResponseMetadata"]["HTTPStatusCode"]
            assert status == STATUS[name], status
            if name == "ResourceNotFoundException" and service == "client":
                assert response["resourceId"] and response["resourceType"]
        else:
            raise AssertionError(f"no {name}")

    return run


def refuses(name, exception, service="client", tests=TESTS):
    """Registers a bad request under the test's name."""

    def register(call):
        run = refused(exception, call, service)
        run.__name__ = f"{exception}: {name}"
        tests.append(run)
        return call

    return register


def invalid(name, call):
    refuses(name, "ValidationException")(call)


def missing(name, call):
    refuses(name, "ResourceNotFoundException")(call)
