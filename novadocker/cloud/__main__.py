# SPDX-License-Identifier: Apache-2.0
"""The command, for ``python -m novadocker.cloud``."""

import sys

from novadocker.cloud.cli import main

sys.exit(main())
