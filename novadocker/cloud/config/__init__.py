# SPDX-License-Identifier: Apache-2.0
"""The configuration of every service, as pure functions from layout to text."""
