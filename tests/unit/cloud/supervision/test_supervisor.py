# SPDX-License-Identifier: Apache-2.0
import configparser

from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.layout import MEMBER
from novadocker.cloud.supervision import services, supervisor


def test_the_supervisor_reads_what_we_write(common: Common) -> None:
    """Every command comes back word for word, with any characters."""
    table = services.table(common)
    parser = configparser.RawConfigParser()
    parser.read_string(supervisor.configuration(common.layout, table))
    programs = {name for name in parser.sections() if name.startswith("program:")}
    assert programs == {f"program:{service.name}" for service in table}
    assert all(parser[name]["autostart"] == "false" for name in programs)


def test_a_services_fingerprint_is_in_its_environment(common: Common) -> None:
    """The supervisor notices a change, and restarts the changed service alone."""
    (service,) = (one for one in services.table(common) if one.name == "glance")
    text = supervisor.configuration(common.layout, [service])
    assert f'NOVADOCKER_CLOUD_FINGERPRINT="{service.fingerprint}"' in text


def test_services_inherit_nothing_but_their_mark(common: Common) -> None:
    """The caller's variables stay outside; the mark lets every process be found again."""
    environment = supervisor.environment(common.layout)
    assert environment[MEMBER] == "/state"
    assert not {"OS_CLOUD", "PYTHONDONTWRITEBYTECODE", "HTTP_PROXY"} & set(environment)
    assert environment["HOME"] == "/state/data"
