"""The baseline of each file of a check: the one on the command line, or the one that its configuration names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caffefix._startup.records import dataclass, field
from caffefix.zoo.config import Configuration
from caffefix.zoo.config_file import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.commands._shared.baseline import Baseline
    from caffefix.results import FileResult


@dataclass(slots=True)
class Baselines:
    """Hides what they record, and says how much that was.

    Attributes:
        configuration: names each file's baseline.
        given: the baseline for all files; None for what the configuration names.
        within: the paths of the run.
    """

    configuration: Configuration
    given: Baseline | None = None
    within: tuple[str, ...] = ()
    _loaded: dict[str, Baseline] = field(default_factory=dict)

    def of(self, results: Iterable[FileResult]) -> Iterator[FileResult]:
        """The results without what is in their baselines.

        Raises:
            ConfigError: a configuration file names a baseline that cannot be used.
        """
        if self.given is not None:
            self.given.within = self.within
        for result in results:
            baseline = self.given or self._named(result.path)
            yield baseline.hide(result) if baseline is not None else result

    def conclude(self, *, prune: bool) -> str:
        """What was hidden, and what is gone; empty if there is nothing to say.

        Args:
            prune: whether to remove from the given baseline what is gone.

        Raises:
            FileError: the baseline cannot be written.
        """
        pruned = self.given.prune() if self.given is not None and prune else None
        if self.given is not None and pruned:
            self.given.write()
        used = [self.given] if self.given is not None else self._loaded.values()
        return "".join(baseline.told(pruned) for baseline in used)

    def _named(self, path: str) -> Baseline | None:
        in_force = self.configuration.of(path)
        name = in_force.settings.baseline
        if not name:
            return None
        if name not in self._loaded:
            from caffefix.commands._shared.baseline import BaselineError, load

            try:
                self._loaded[name] = load(name)
                self._loaded[name].within = self.within
            except BaselineError as error:
                raise ConfigError(f"{in_force.file}: baseline: {error}") from None
        return self._loaded[name]
