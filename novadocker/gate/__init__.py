# SPDX-License-Identifier: Apache-2.0
"""The start gate: a static program that holds a container's first instruction back."""
