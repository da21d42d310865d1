# SPDX-License-Identifier: Apache-2.0
"""The parts of tools/lint: the tree as it is read, and the rules by what they look at."""
