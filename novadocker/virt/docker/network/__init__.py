# SPDX-License-Identifier: Apache-2.0
"""Network state of each server: applied, audited, and remembered after deletion."""
