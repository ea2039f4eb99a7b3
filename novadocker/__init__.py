# SPDX-License-Identifier: Apache-2.0
"""Docker containers as first-class servers of an OpenStack cloud."""
