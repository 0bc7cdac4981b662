"""Tests of the dashboard in a real Chromium, each with a server of its own. A package, so that its conftest does not
stand in the way of that of tests/."""
