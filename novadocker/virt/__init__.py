# SPDX-License-Identifier: Apache-2.0
"""Compute drivers: modules loaded by nova-compute."""
