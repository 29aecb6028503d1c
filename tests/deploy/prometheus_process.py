"""A real Prometheus with the configuration that is shipped, on a port that nobody uses, scraping every second."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.rules import PROMETHEUS
from tests.integration.ports import free_ports

PATIENCE = 120.0
"""Seconds after which what was waited for does not come: a hang, not a measure."""

Sample = dict[str, Any]


class PrometheusProcess:
    """Scrapes one relay."""

    def __init__(self, folder: Path, relay: int) -> None:
        folder.mkdir()
        config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(PROMETHEUS / file) for file in config["rule_files"]]
        (scraped,) = config["scrape_configs"]
        scraped["static_configs"] = [{"targets": [f"127.0.0.1:{relay}"]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        (self.port,) = free_ports(1)
        self._log = (folder / "prometheus.log").open("wb")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=self._log,
            stderr=self._log,
        )

    def _get(self, path: str, **query: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Sample]:
        """The samples of an expression at this moment: `metric` with the labels, and `value` as a number."""
        try:
            found = self._get("query", query=expression)["result"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{expression}: {error.read().decode()}") from error
        return [{"metric": each["metric"], "value": float(each["value"][1])} for each in found]

    def alerts(self) -> list[Sample]:
        """The alerts that are pending or firing."""
        found: list[Sample] = self._get("alerts")["alerts"]
        return found

    def wait_for(self, expression: str, has_come: Callable[[Sample], bool]) -> Sample:
        """Asks again until a sample is as wanted; Prometheus tells nobody by itself."""
        ends = time.monotonic() + PATIENCE
        while True:
            samples = self.query(expression)
            for sample in samples:
                if has_come(sample):
                    return sample
            assert time.monotonic() < ends, f"{expression}: {samples}"
            time.sleep(0.2)

    def wait_until_scraped(self) -> None:
        """Waits until it runs and has scraped twice: from then on it sees what changes."""
        ends = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert self.process.poll() is None, "Prometheus ended"
            assert time.monotonic() < ends, "Prometheus does not answer"
            time.sleep(0.1)
        self.wait_for('count_over_time(up{job="relay"}[1m])', lambda sample: sample["value"] >= 2)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=PATIENCE):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except urllib.error.URLError:
            return False

    def kill(self) -> None:
        """Whatever became of it, it is gone after this."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self._log.close()
