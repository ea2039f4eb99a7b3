# SPDX-License-Identifier: Apache-2.0
"""Programs of ours behind services."""
