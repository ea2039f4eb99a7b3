# SPDX-License-Identifier: Apache-2.0
"""Layout of a launched cloud: settings, directories, ports, compute hosts, credentials."""
