# SPDX-License-Identifier: Apache-2.0
"""The demonstration: saved Docker images become servers, step by step, and each step is proven."""
