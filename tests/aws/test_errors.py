"""Every way in which a call to AWS can fail, as one of our errors."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError

from phoenix.aws.errors import code_of, translated, words_of
from phoenix.errors import (
    AccessDenied,
    LimitReached,
    NotFound,
    PermanentError,
    PhoenixError,
    Throttled,
    TransientError,
    Unreachable,
)

OPERATION = "autoscaling:UpdateAutoScalingGroup"
TEMPLATE = "You must use a valid fully-formed launch template."


def refusal(code: str, message: str = "because", status: int = 400) -> exceptions.ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(answer, "UpdateAutoScalingGroup")


def translation_of(error: Exception) -> PhoenixError:
    with pytest.raises(PhoenixError) as caught, translated(OPERATION):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("Throttling"), Throttled),
        (refusal("RequestLimitExceeded", status=503), Throttled),
        (refusal("SomethingNew", status=429), Throttled),
        (refusal("AccessDenied", status=403), AccessDenied),
        (refusal("UnauthorizedOperation", status=403), AccessDenied),
        (refusal("ExpiredToken"), AccessDenied),
        (refusal("InvalidClientTokenId"), AccessDenied),
        (refusal("TargetGroupNotFound"), NotFound),
        (refusal("InvalidAMIID.NotFound"), NotFound),
        (refusal("ValidationError", "AutoScalingGroup name not found - null"), NotFound),
        (refusal("ValidationError", "The instance i-1 is not part of Auto Scaling group web"), NotFound),
        (refusal("ValidationError", f"{TEMPLATE} The image id '[ami-1]' does not exist"), NotFound),
        (refusal("ValidationError", f"{TEMPLATE} Could not find the specified version 7 for lt-1"), NotFound),
        (refusal("ValidationError", f"{TEMPLATE} Value (web) for parameter x is invalid."), PermanentError),
        (refusal("InvalidAMIID.Unavailable"), TransientError),
        (refusal("ReplicatedWriteConflictException"), TransientError),
        (refusal("TransactionConflictException"), TransientError),
        (refusal("ValidationError", "MinSize must not be greater than MaxSize"), PermanentError),
        (refusal("ScalingActivityInProgress"), TransientError),
        (refusal("ResourceContention", status=500), TransientError),
        (refusal("SomethingNew", status=503), TransientError),
        (refusal("IdempotentParameterMismatch"), TransientError),
        (refusal("SomethingNew"), PermanentError),
        (refusal("VersionLimitExceeded"), LimitReached),
        (refusal("Client.InstanceLimitExceeded"), LimitReached),
        (refusal("LimitExceeded"), LimitReached),
        (refusal("TooManyTargets"), LimitReached),
        (refusal("TooManyUniqueTargetGroupsPerLoadBalancer"), LimitReached),
        (refusal("TooManyRequestsException", status=429), Throttled),
        (exceptions.NoCredentialsError(), AccessDenied),
        (exceptions.ProfileNotFound(profile="prod"), AccessDenied),
        (exceptions.NoRegionError(), PermanentError),
        (exceptions.EndpointConnectionError(endpoint_url="https://aws"), Unreachable),
        (exceptions.ReadTimeoutError(endpoint_url="https://aws"), Unreachable),
        (exceptions.ConnectTimeoutError(endpoint_url="https://aws"), Unreachable),
        (exceptions.ParamValidationError(report="MinSize: wrong type"), PermanentError),
        (ResponseParserError("<html>"), TransientError),
    ],
)
def test_each_failure_becomes_the_error_that_says_what_to_do(error: Exception, expected: type[PhoenixError]) -> None:
    assert type(translation_of(error)) is expected


def test_the_text_names_the_operation_and_repeats_awss_words() -> None:
    error = translation_of(refusal("ValidationError", "MinSize must not be\ngreater than MaxSize"))

    assert error.message == f"{OPERATION}: MinSize must not be greater than MaxSize (ValidationError)"


def test_a_missing_right_is_named_in_the_hint() -> None:
    error = translation_of(refusal("AccessDenied", "not authorized"))

    assert isinstance(error, AccessDenied)
    assert (error.operation, OPERATION in str(error.hint)) == (OPERATION, True)


def test_a_missing_region_says_where_to_put_one() -> None:
    assert "AWS_REGION" in str(translation_of(exceptions.NoRegionError()).hint)


def test_a_password_in_the_address_of_the_endpoint_is_not_repeated() -> None:
    error = translation_of(exceptions.EndpointConnectionError(endpoint_url="http://ada:s3cret@127.0.0.1:1/"))

    assert "s3cret" not in error.message
    assert "//***@127.0.0.1:1/" in error.message


def test_encoded_authorization_messages_do_not_fill_the_screen() -> None:
    assert len(translation_of(refusal("UnauthorizedOperation", "x" * 5000)).message) < 400


def test_awss_own_code_can_be_asked_for() -> None:
    assert code_of(translation_of(refusal("DryRunOperation"))) == "DryRunOperation"
    assert code_of(PermanentError("ours")) == ""


def test_an_answer_that_never_came_has_no_code_and_our_words() -> None:
    error = translation_of(exceptions.ConnectionClosedError(endpoint_url="https://ec2"))

    assert code_of(error) == ""
    assert words_of(error) == error.message


def test_the_words_of_aws_are_whole_however_long() -> None:
    assert words_of(translation_of(refusal("AccessDenied", "no " * 200))) == "no " * 199 + "no"


def test_errors_that_are_not_awss_pass_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), translated(OPERATION):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("code", "room"),
    [
        ("VersionLimitExceeded", "delete launch template versions that nothing uses"),
        ("LimitExceeded", "aws service-quotas list-service-quotas --service-code autoscaling"),
    ],
)
def test_a_refusal_for_a_limit_says_how_to_make_room(code: str, room: str) -> None:
    error = translation_of(refusal(code))

    assert error.message == f"a limit of AWS is reached: {OPERATION}: because ({code})"
    assert room in (error.hint or "")
