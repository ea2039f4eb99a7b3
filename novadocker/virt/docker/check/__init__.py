# SPDX-License-Identifier: Apache-2.0
"""``novadocker-check``, for the operator: readiness of a host, and remedies."""
