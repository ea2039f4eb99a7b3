# SPDX-License-Identifier: Apache-2.0
"""Horizon in an environment apart from the cloud's."""
