# SPDX-License-Identifier: Apache-2.0
"""``novadocker-check``, for the operator: is this host ready, and what is missing?"""
