# SPDX-License-Identifier: Apache-2.0
"""A package, so that what its tests share ends with the last of them."""
