"""Translate botocore's exceptions into the two branches that decide behaviour, once for all adapters.

Must never swallow an exception: each one of botocore's leaves as one of ours, with the operation and AWS's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from phoenix.errors import (
    AccessDenied,
    LimitReached,
    NotFound,
    PermanentError,
    PhoenixError,
    Throttled,
    TransientError,
    Unreachable,
    UsageError,
)

_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_REFUSED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationError",
        "NotAuthorized",
        "OptInRequired",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# Idempotency: an earlier try of ours got through with other content; the next tick reads its result back.
_BUSY = frozenset(
    {
        "ConcurrentModification",
        "IdempotentParameterMismatch",
        "InstanceRefreshInProgress",
        "InternalError",
        "InternalFailure",
        "InvalidAMIID.Unavailable",  # the image is still pending
        "OperationInProgress",
        "PriorityInUse",  # another rule took it since; the next tick finds a free one
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "ResourceContention",
        "ResourceInUse",
        "ScalingActivityInProgress",
        "ServiceUnavailable",
        "TransactionConflictException",
        "Unavailable",
    }
)
# AWS's refusals because of a limit. Limits on requests per second are throttles, and come first. Sources: the errors in
# botocore's models of autoscaling and elbv2, and EC2's "Error codes for the Amazon EC2 API".
_LIMIT_ENDINGS = ("LimitExceeded", "LimitExceededFault", "LimitExceededException", "QuotaExceeded", "LimitReached")
_LIMITS = frozenset(
    {
        "MaxSpotInstanceCountExceeded",
        "ServiceQuotaExceededException",
        "TooManyActions",
        "TooManyListeners",
        "TooManyRegistrationsForTargetId",
        "TooManyRules",
        "TooManyTags",
        "TooManyTargetGroups",
        "TooManyTargets",
        "TooManyUniqueTargetGroupsPerLoadBalancer",
    }
)
_MAKE_ROOM = {
    "VersionLimitExceeded": "delete launch template versions that nothing uses (phoenix plan lists them)",
    "TooManyTags": "remove tags that nothing needs",
    "TagLimitExceeded": "remove tags that nothing needs",
}
_HAVE_IT_RAISED = (
    "make room, or have the limit raised (aws service-quotas list-service-quotas --service-code {service})"
)
_NOT_FOUND_ENDINGS = ("NotFound", "NotFoundException", "NotFoundFault", ".Malformed")
_NO_SUCH = frozenset({"404", "NoSuchBucket", "NoSuchChange", "NoSuchHostedZone", "NoSuchKey"})
# Auto Scaling has one code for all of these. Its sentences: "AutoScalingGroup name not found", "The instance i-1 is not
# part of Auto Scaling group web"; EC2's, inside of its own: "The image id '[ami-1]' does not exist", "Could not find
# the specified version 7 for the launch template with ID lt-1".
_ABSENT = ("not found", "does not exist", "could not find", "is not part of")
_ABOUT_TEMPLATE = "you must use a valid fully-formed launch template"
_PASSWORD = re.compile(r"//[^/@\s]+@")  # in an endpoint's address
_LOG_IN = "log in again (aws sso login), or set AWS_PROFILE or --profile"


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Translate botocore's exceptions in the block. `operation` is spelled like an IAM action.

    Raises:
        TransientError: Throttled and Unreachable among them; the next tick tries again.
        PermanentError: NotFound and AccessDenied among them.
        UsageError: the endpoint's address is not valid.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _from_answer(operation, error.response) from error
    except ResponseParserError as error:
        raise TransientError(f"{operation}: the endpoint's answer is not one that AWS gives") from error
    except BotoCoreError as error:
        raise _from_client(operation, error) from error
    except ValueError as error:
        if "endpoint" not in str(error):  # botocore has no error of its own for an invalid address
            raise
        raise UsageError(_PASSWORD.sub("//***@", f"{operation}: {error}"), hint="check AWS_ENDPOINT_URL") from error


def code_of(error: PhoenixError) -> str:
    """AWS's own error code behind an error of ours, or an empty string."""
    return str(_said(error).get("Code", ""))


def words_of(error: PhoenixError) -> str:
    """AWS's whole sentence behind an error of ours; our message if there is none."""
    return " ".join(str(_said(error).get("Message") or error.message).split())


def _said(error: PhoenixError) -> Mapping[str, Any]:
    """AWS's error behind an error of ours; empty if AWS did not answer (botocore's response is None then)."""
    answer: Mapping[str, Any] = getattr(error.__cause__, "response", None) or {}
    found: Mapping[str, Any] = answer.get("Error", {})
    return found


def is_throttle(answer: Mapping[str, Any]) -> bool:
    """True if AWS's answer asks to slow down."""
    code = str(answer.get("Error", {}).get("Code", "")).removeprefix("Client.")
    return code in _THROTTLED or answer.get("ResponseMetadata", {}).get("HTTPStatusCode") == 429


def _from_answer(operation: str, response: Any) -> PhoenixError:
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    words = " ".join(str(response.get("Error", {}).get("Message", "")).split())
    said = f"{operation}: {_shortened(words) or 'no reason given'} ({code})"
    # autoscaling says `Client.X` where ec2 says `X`, and dresses unknown names as ValidationError.
    bare = code.removeprefix("Client.").removeprefix("Server.")
    if is_throttle(response):
        return Throttled(f"AWS asks to slow down: {said}")
    if bare in _REFUSED:
        return AccessDenied(said, operation=operation, hint=f"allow {operation} for the role that phoenix runs as")
    if bare in _BAD_CREDENTIALS:
        return AccessDenied(f"AWS does not accept the credentials: {said}", operation=operation, hint=_LOG_IN)
    if bare.endswith(_NOT_FOUND_ENDINGS) or bare in _NO_SUCH or _names_nothing(bare, words):
        return NotFound(said)
    if bare in _BUSY or status >= 500:
        return TransientError(said)
    if bare in _LIMITS or bare.endswith(_LIMIT_ENDINGS):
        room = _MAKE_ROOM.get(bare, _HAVE_IT_RAISED.format(service=operation.partition(":")[0]))
        return LimitReached(f"a limit of AWS is reached: {said}", hint=room)
    return PermanentError(said)


def is_about_template(error: PhoenixError) -> bool:
    """True if Auto Scaling refuses a launch template because of EC2's answer about a version, or about a resource that
    the version names.

    EC2's answer to Auto Scaling may be older than its answer to us, so right after a version was made this may pass in
    seconds. A version, an image or an instance profile that is gone for good is refused in the same words.
    """
    return code_of(error) == "ValidationError" and _ABOUT_TEMPLATE in error.message.lower()


def _names_nothing(code: str, words: str) -> bool:
    return code == "ValidationError" and any(part in words.lower() for part in _ABSENT)


def _from_client(operation: str, error: Exception) -> PhoenixError:
    from botocore import exceptions

    credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    )
    unreachable = (exceptions.HTTPClientError, exceptions.ConnectionError, exceptions.IncompleteReadError)
    said = _PASSWORD.sub("//***@", f"{operation}: {' '.join(str(error).split())}")
    if isinstance(error, credentials):
        return AccessDenied(said, operation=operation, hint=_LOG_IN)
    if isinstance(error, exceptions.ProfileNotFound):
        return AccessDenied(said, operation=operation, hint="aws configure list-profiles shows the known ones")
    if isinstance(error, exceptions.NoRegionError):
        return PermanentError(said, hint="set AWS_REGION or --region, or region in the policy")
    if isinstance(error, unreachable):
        return Unreachable(said, hint="check network, proxy and AWS_ENDPOINT_URL")
    return PermanentError(said)


def _shortened(words: str) -> str:
    """AWS appends encoded authorization messages of several kilobytes."""
    return words if len(words) <= 300 else words[:297] + "..."
