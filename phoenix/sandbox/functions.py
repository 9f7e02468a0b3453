"""Lambda functions in the sandbox, with their code as a callable of this process.

moto keeps functions, and runs them in Docker or not at all. Must never be loaded before a function is wanted: moto's
Lambda takes as long to import as the rest of it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any, Final

import boto3

from phoenix.sandbox.world import ACCOUNT, REGION

Code = Callable[[dict[str, Any]], object]
"""Gets the event, returns the answer, which becomes JSON. An exception is the function's error, as Lambda tells it."""

ROLE: Final = "sandbox-function"
TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def add_function(session: boto3.Session, name: str, code: Code) -> None:
    """Create the function, or give it other code."""
    from moto.awslambda.models import LambdaFunction, lambda_backends

    client: Any = session.client("lambda")
    known = {each["FunctionName"] for each in client.list_functions()["Functions"]}
    if name not in known:
        client.create_function(
            FunctionName=name, Runtime="python3.13", Role=_role(session), Handler="code.run", Code={"ZipFile": _zip()}
        )
    function: Any = lambda_backends[ACCOUNT][REGION].get_function(name)
    assert isinstance(function, LambdaFunction)  # noqa: S101 - an image's function is another class
    function._invoke_lambda = lambda event: _run(code, event)


def _run(code: Code, event: dict[str, Any]) -> tuple[str, bool, str]:
    """What moto wants of a run: the answer, whether it is an error, and the log."""
    try:
        return json.dumps(code(event)), False, ""
    except Exception as error:  # noqa: BLE001 - whatever it is, Lambda answers with it
        told = {"errorMessage": str(error), "errorType": type(error).__name__}
        return json.dumps(told), True, ""


def _role(session: boto3.Session) -> str:
    client: Any = session.client("iam")
    found = [each["Arn"] for each in client.list_roles()["Roles"] if each["RoleName"] == ROLE]
    if found:
        return str(found[0])
    made = client.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
    return str(made["Role"]["Arn"])


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("code.py", "def run(event, context): ...\n")
    return packed.getvalue()
