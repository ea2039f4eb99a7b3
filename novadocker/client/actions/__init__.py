# SPDX-License-Identifier: Apache-2.0
"""Actions of the commands: parsed words in, columns out."""
