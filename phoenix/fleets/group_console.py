"""The console of an instance: what it wrote while it booted. Reads only.

Must never return what looks like a secret: boot scripts print their variables, and a report is passed on.
"""

from __future__ import annotations

import re
from typing import Final

from phoenix.aws.rights import WRITERS, Rights, reads
from phoenix.aws.session import Aws
from phoenix.errors import AccessDenied, PermanentError

IAM_ACTIONS: Rights = reads("ec2:GetConsoleOutput", roles=WRITERS)

LEFT_OUT: Final = "[left out]"
_NAMED: Final = re.compile(
    r"(?i)([\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credential|api[_-]?key|private[_-]?key|authorization)[\w.-]*"
    r"[\"']?\s*[:=]\s*(?:bearer\s+|basic\s+)?)(\"[^\"\n]*\"|'[^'\n]*'|\S+)"
)
_SHAPED: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]")


def read_console(aws: Aws, instance: str) -> str:
    """Return what the console shows now where the machine can tell (Nitro), else what EC2 has kept of its boot.

    "You can retrieve the latest serial console output ... only for instances based on the Nitro System":
    GetConsoleOutput; others refuse Latest.
    """
    try:
        answer = aws.call("ec2", "get_console_output", InstanceId=instance, Latest=True)
    except AccessDenied:
        raise
    except PermanentError:
        answer = aws.call("ec2", "get_console_output", InstanceId=instance)
    written = str(answer.get("Output") or "")  # botocore has decoded it
    return without_secrets(_ESCAPES.sub("", written.replace("\r\n", "\n"))).strip("\n")


def without_secrets(text: str) -> str:
    """Return the text without values that are named like a secret, or have the shape of one."""
    return _SHAPED.sub(LEFT_OUT, _NAMED.sub(rf"\1{LEFT_OUT}", text))
