"""What a machine writes to its console while it boots: as cloud-init does, with the sandbox's own service at the end.

Must never invent a cause that the machine's behaviour has not: an operator reads here why an image is bad.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from phoenix.sandbox.physics import Behaviour

if TYPE_CHECKING:
    from moto.ec2.models.instances import Instance

    from phoenix.sandbox.servers import Server

_BOOT: Final = """\
[    0.000000] Linux version 6.1.147-172.266.amzn2023.x86_64
[    0.412007] Command line: BOOT_IMAGE=/boot/vmlinuz root=UUID=9f2c1e41 ro console=ttyS0,115200n8
[    2.918733] systemd[1]: Hostname set to <{host}>.
[    5.104410] cloud-init[1642]: Cloud-init v. 22.2.2 running 'modules:config'
[    6.220118] cloud-init[1701]: fetching configuration from ssm:/web/config
[    7.031592] systemd[1]: Starting web.service - the server of this image ({image})...
"""
_WELL: Final = "[    8.448120] systemd[1]: Started web.service.\n[    8.502311] web[1744]: listening on :8080\n"
_BAD: Final = """\
[    7.590014] web[1744]: DATABASE_PASSWORD=hunter2 DATABASE_URL=postgres://web:hunter2@db.internal:5432/web
[    7.770214] web[1744]: Traceback (most recent call last):
[    7.770219] web[1744]:   File "/srv/web/app.py", line 88, in main
[    7.770226] web[1744]: ModuleNotFoundError: No module named 'orjson'
[    7.801530] systemd[1]: web.service: Main process exited, code=exited, status=1/FAILURE
[    7.802377] systemd[1]: web.service: Failed with result 'exit-code'.
[    8.905119] health[1750]: 503 on :8080/healthz, the server behind it is not up
"""


def write_console(server: Server, instance: Instance) -> str:
    """Return all that the machine has written."""
    host = f"ip-{str(instance.private_ip or '10.0.0.10').replace('.', '-')}"
    boot = _BOOT.format(host=host, image=instance.image_id)
    return boot + (_BAD if server.behaviour is Behaviour.BAD else _WELL)
