"""Sending a table to outputs so that one that breaks the common pass does not break it again."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from py4j.protocol import Py4JNetworkError
from pyspark.sql import DataFrame

from distribution_job import diagnosis, read_errors
from distribution_job.alert_files import AlertFile
from distribution_job.distributor import Distributor, Prepared, Result
from distribution_job.failures import BatchError, Failure, Reason
from distribution_job.outputs import Output
from distribution_job.single_pass import SinglePass
from distribution_job.transactions import Fenced

LOG = logging.getLogger(__name__)


class Sender:
    """Remembers, until the restart, which outputs are to be sent apart from the others, and which not at all.

    A filter that ends its worker, an SQL expression that raises, a topic that refuses messages: each fails the whole pass,
    and all outputs get its alerts a second time. Once it is known which one it was, it has a pass of its own. A filter that hangs holds all
    others up, so it has no pass until one of its own, between the batches, goes well.
    """

    def __init__(self, distributor: Distributor) -> None:
        self._distributor = distributor
        self._delivery = distributor.delivery
        self._apart: set[str] = set()
        self._hanging: dict[str, Failure] = {}

    def send(self, alerts: DataFrame, files: Sequence[AlertFile], outputs: Sequence[Output]) -> Result:
        """Send to all outputs that can be sent; the others are in the result's failures.

        Raises FileError when one of `files` cannot be read, BatchError when no output can be sent for now.
        """
        apart, kept, fresh = set(self._apart), set(self._apart), False
        refused: dict[str, Failure] = {}
        while True:
            hanging = {output.name: self._hanging[output.name] for output in outputs if output.name in self._hanging}
            wanted = [output for output in outputs if output.name not in refused.keys() | hanging.keys()]
            prepared = self._distributor.prepare(alerts, wanted, apart, fresh)
            result = Result(failures={**refused, **hanging, **prepared.failures})
            if prepared.together is not None:
                try:
                    result.add(self._distributor.send(alerts, prepared.together))
                except Exception as error:  # noqa: BLE001  it is found out what it is
                    self._delivery.restart()
                    if late := diagnosis.timed_out(error, prepared.together):
                        self._hanging |= late
                        continue
                    blamed, suspected = self._blame(error, alerts, files, prepared.together)
                    kept |= blamed
                    apart |= blamed | suspected
                    fresh = True
                    continue
            if self._all_alone(alerts, files, prepared, result, refused):
                unsent = {single.outputs[0].output.name for single in prepared.apart} - result.counts.keys()
                unsent |= refused.keys()
                self._check_kafka(result, unsent, len(outputs) - len(hanging))
                self._apart = kept | unsent
                self._note_hanging(result)
                return result

    def _all_alone(
        self,
        alerts: DataFrame,
        files: Sequence[AlertFile],
        prepared: Prepared,
        result: Result,
        refused: dict[str, Failure],
    ) -> bool:
        """Add the passes of those that are sent apart to `result`; whether what was sent before them still counts.

        Kafka's refusal of one ends a transaction for all. Then it is in `refused`, and the others are to be sent again without it.
        """
        for single in prepared.apart:
            part = self._alone(alerts, files, single, refused)
            part.rows, result.rows = 0, max(result.rows, part.rows)  # they are the same alerts
            if self._delivery.is_atomic and part.failures.keys() & refused.keys():
                self._delivery.restart()
                return False
            result.add(part)
        return True

    def send_rehearsed(self, alerts: DataFrame, files: Sequence[AlertFile], output: Output) -> Result:
        """Send to one output, if a rehearsal shows that nothing of it fails.

        Raises as `send` does.
        """
        prepared = self._distributor.prepare(alerts, [output])
        if prepared.together is None:
            return Result(failures=dict(prepared.failures))
        failed = self._rehearse(alerts, files, prepared.together)
        if failed is not None:
            self._note_hanging(failed)
            return failed
        self._hanging.pop(output.name, None)
        return self.send(alerts, files, [output])

    def _alone(
        self, alerts: DataFrame, files: Sequence[AlertFile], single: SinglePass, refused: dict[str, Failure]
    ) -> Result:
        """What came of it; Kafka's refusal is in `refused` too."""
        failed = self._rehearse(alerts, files, single)
        if failed is not None:
            return failed
        [routed] = single.outputs
        try:
            return self._distributor.send(alerts, single)
        except Exception as error:
            _check_not_general(error, files)
            refusal = diagnosis.refusal(error, routed)
            if refusal is None:
                raise
            refused[routed.output.name] = refusal
            return Result(failures={routed.output.name: refusal})

    def _rehearse(self, alerts: DataFrame, files: Sequence[AlertFile], single: SinglePass) -> Result | None:
        """None when all goes well."""
        try:
            result = self._distributor.rehearse(alerts, single)
        except Exception as error:
            _check_not_general(error, files)
            if late := diagnosis.timed_out(error, single):
                return Result(failures=late)
            failure = diagnosis.alone(alerts, single, self._distributor)
            if failure is None or not diagnosis.readable(alerts):
                raise
            return Result(failures={single.outputs[0].output.name: failure})
        return Result(failures=result.failures) if result.failures else None

    def _blame(
        self, error: Exception, alerts: DataFrame, files: Sequence[AlertFile], single: SinglePass
    ) -> tuple[set[str], set[str]]:
        """The outputs that broke the pass, and those that may have; none when the broker's topics explain it.

        Raises FileError or BatchError when it was no output.
        """
        _check_not_general(error, files)
        LOG.warning("a pass failed, looking for the cause: %s", diagnosis.sentence(error))
        names = {routed.output.name for routed in single.outputs}
        outputs = [routed.output for routed in single.outputs]
        prepared = self._distributor.prepare(alerts, outputs, names, fresh=True)
        if diagnosis.by_kafka(error):
            if prepared.failures:
                return set(), set()
            named = diagnosis.named_by_kafka(error, single.outputs)
            return named, set() if named else names
        if not diagnosis.readable(alerts):
            raise _failed(error)
        blamed = {
            one.outputs[0].output.name
            for one in prepared.apart
            if diagnosis.alone(alerts, one, self._distributor) is not None
        }
        if not blamed:
            raise _failed(error)
        return blamed, set()

    def _note_hanging(self, result: Result) -> None:
        late = {name: failure for name, failure in result.failures.items() if failure.reason is Reason.FILTER_TIMED_OUT}
        self._hanging |= late

    def _check_kafka(self, result: Result, unsent: set[str], outputs: int) -> None:
        """Raise BatchError when Kafka refused each output: then it is not the outputs."""
        refused = [result.failures[name] for name in sorted(unsent)]
        if (
            refused
            and len(refused) == outputs
            and all(failure.reason is Reason.TOPIC_UNAVAILABLE for failure in refused)
        ):
            raise BatchError(Reason.KAFKA_UNAVAILABLE, refused[0].message)


def failure_of(error: Exception) -> Failure:
    """What keeps a batch from going on."""
    if isinstance(error, BatchError):
        return error.failure
    return _failed(error).failure


def _failed(error: Exception) -> BatchError:
    return BatchError(Reason.BATCH_FAILED, f"The batch failed, and is tried again: {diagnosis.sentence(error)}")


def _check_not_general(error: Exception, files: Sequence[AlertFile]) -> None:
    """Raise the error again when no output can be to blame for it: a file's, Spark's own end, or Kafka's absence."""
    if isinstance(error, (BatchError, Fenced, Py4JNetworkError)):
        raise error
    blamed = read_errors.unreadable(error, files)
    if blamed is not None:
        raise blamed from error
