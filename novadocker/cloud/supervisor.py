# SPDX-License-Identifier: Apache-2.0
"""The process supervisor: supervisord, its configuration, and how we talk to it."""

import shlex
import signal
import site
import subprocess
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast

import psutil
import tenacity
from supervisor.options import readFile
from supervisor.states import ProcessStates
from supervisor.xmlrpc import SupervisorTransport

import novadocker
from novadocker.cloud.config import ini
from novadocker.cloud.errors import SupervisorGone
from novadocker.cloud.layout import MEMBER, Layout
from novadocker.cloud.services import Service

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_START_SECONDS = 10
