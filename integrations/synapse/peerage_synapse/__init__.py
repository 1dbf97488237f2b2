# SPDX-License-Identifier: AGPL-3.0-or-later
"""A module of Synapse that lets peerage decide who may talk to whom."""

from .module import PeerageModule

__all__ = ["PeerageModule"]
