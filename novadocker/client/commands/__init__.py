# SPDX-License-Identifier: Apache-2.0
"""The commands: words of the command line in, columns out."""
