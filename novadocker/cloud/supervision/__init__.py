# SPDX-License-Identifier: Apache-2.0
"""The cloud's processes: what they are, how they are started, kept and asked."""
