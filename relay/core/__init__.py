"""Decisions: plain functions and values that know no await, socket, file, clock or hidden chance."""
