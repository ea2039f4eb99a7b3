# SPDX-License-Identifier: Apache-2.0
"""Programs of ours that services are started with."""
