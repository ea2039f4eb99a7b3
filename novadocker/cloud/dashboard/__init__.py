# SPDX-License-Identifier: Apache-2.0
"""Horizon: the environment that it runs in, which is not the cloud's own."""
