# SPDX-License-Identifier: Apache-2.0
"""Data that a tenant hands to a server: keys, passwords, files, user data, config drive."""
