# SPDX-License-Identifier: Apache-2.0
"""The REST port API of the vRouter agent.

Source followed: OpenSDN's controller, ``src/vnsw/agent/port_ipc/rest_server.cc``. The script
``vrouter-port-control`` that others use for it is passed by: it splits its arguments again at
every `` --``, so that a server's name can delete another's port.
"""

import time
from typing import Any

import requests
import tenacity
from oslo_log import log

from novadocker.errors import AgentError, AgentUnavailable

LOG = log.getLogger(__name__)

_SECONDS_FOR_AN_ANSWER = 5.0
_AWAY = (requests.ConnectionError, requests.Timeout)
_LONGEST_QUOTE = 300


class Agent:
    """vRouter agent of this host.

    Args:
        url: where it listens.
        patience: seconds that its absence is waited out. They are those of one absence, not of
            one call: it is not waited for again and again.
    """

    def __init__(self, url: str, patience: float) -> None:
        self._url = url.rstrip("/")
        self._patience = patience
        self._away_since: float | None = None

    def announce(self, body: str) -> None:
        """Announce a port; a second announcement changes nothing, not even where the two differ.

        Args:
            body: the port in JSON.

        Raises:
            AgentError: it does not take that.
            AgentUnavailable: it has been away for too long.
        """
        self._patiently("announce a port", "POST", "/port", body)

    def forget(self, port: str, *, patiently: bool = False) -> None:
        """Delete a port and the port's file; a port unknown to the agent is no error.

        Args:
            port: the port's id.
            patiently: an absent agent is waited for.

        Raises:
            AgentError: it refuses.
            AgentUnavailable: it is away, and has forgotten all ports when it comes back.
        """
        call = self._patiently if patiently else self._call
        call("delete a port", "DELETE", f"/port/{port}")

    def begin_round(self) -> None:
        """Begin the removal, a minute from now, of all ports not announced again.

        Raises:
            AgentError: it refuses.
            AgentUnavailable: it is away.
        """
        self._call("synchronize ports", "POST", "/syncports")

    def greet(self) -> None:
        """Ask for a sign of life.

        Raises:
            AgentError: somebody else is.
            AgentUnavailable: nobody is.
        """
        nobody = "00000000-0000-0000-0000-000000000000"
        action = "answer as its port API does"
        answer = self._request(action, "GET", f"/port/{nobody}")
        try:
            answer.json()["error"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._refused(action, answer) from error

    def _patiently(self, action: str, method: str, path: str, body: str | None = None) -> None:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(AgentUnavailable),
            wait=tenacity.wait_exponential(multiplier=0.05, max=1),
            stop=lambda _: self._was_waited_out(),
            reraise=True,
        )
        retrying(self._call, action, method, path, body)

    def _was_waited_out(self) -> bool:
        since = self._away_since
        return since is not None and time.monotonic() - since >= self._patience

    def _call(self, action: str, method: str, path: str, body: str | None = None) -> None:
        answer = self._request(action, method, path, body)
        if answer.status_code != requests.codes.ok:
            raise self._refused(action, answer)

    def _request(self, action: str, method: str, path: str, body: str | None = None) -> Any:
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy stands before this host's own agent
                answer = session.request(
                    method,
                    self._url + path,
                    data=body and body.encode(),
                    headers={"Content-Type": "application/json"},
                    timeout=_SECONDS_FOR_AN_ANSWER,
                    allow_redirects=False,
                )
        except _AWAY as error:
            self._away_since = self._away_since or time.monotonic()
            raise AgentUnavailable(url=self._url, action=action, reason=_cause(error)) from error
        self._away_since = None
        return answer

    def _refused(self, action: str, answer: requests.Response) -> AgentError:
        try:
            words = str(answer.json()["error"]).strip("{} ")
        except (ValueError, KeyError, TypeError):
            quote = answer.text[:_LONGEST_QUOTE]
            words = f"{quote!r} is no answer of an agent; see what listens there"
        reason = f"status {answer.status_code}, {words}"
        return AgentError(url=self._url, action=action, reason=reason)


def _cause(error: BaseException) -> str:
    """Return the reason behind an error of the HTTP library, without the library's own words."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return str(reason or error).rpartition(": ")[2]
