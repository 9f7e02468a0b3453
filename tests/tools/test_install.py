"""Tests of tools/install.py; `make install-check` runs it, with the oldest pip."""

from __future__ import annotations

from tools.install import pip_settings, uv_settings

TOLD = """\
:env:.find-links='/srv/wheels /srv/more'
global.cert='/etc/ca.pem'
global.index-url='https://packages.example.com/python'
install.cert='/etc/install.pem'
"""


def test_a_machine_that_told_pip_where_packages_are_has_told_uv() -> None:
    assert uv_settings(pip_settings(TOLD), {}) == {
        "UV_DEFAULT_INDEX": "https://packages.example.com/python",
        "UV_FIND_LINKS": "/srv/wheels,/srv/more",
        "SSL_CERT_FILE": "/etc/install.pem",
    }


def test_what_uv_itself_was_told_stays() -> None:
    assert "UV_DEFAULT_INDEX" not in uv_settings(pip_settings(TOLD), {"UV_DEFAULT_INDEX": "https://other.example.com"})


def test_the_environment_goes_over_the_files_of_pip() -> None:
    assert pip_settings("global.cert='/file'\n:env:.cert='/environment'\n") == {"cert": "/environment"}


def test_settings_that_uv_has_no_word_for_are_left_to_pip() -> None:
    assert uv_settings(pip_settings("global.timeout='60'\n"), {}) == {}
