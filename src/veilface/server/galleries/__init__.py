"""Galleries: who may be found, by which kiosks, and why (1:N identification)."""
