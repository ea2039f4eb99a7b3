# SPDX-License-Identifier: Apache-2.0
"""Data handed over by a tenant: keys, passwords, files, user data, config drive."""
