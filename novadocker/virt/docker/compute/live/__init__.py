# SPDX-License-Identifier: Apache-2.0
"""Live migrations: Nova's calls, calls between hosts, and handovers that a death has cut off."""
