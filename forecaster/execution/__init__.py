"""Where tasks are done: in processes of this machine, or on a Dask cluster. It knows nothing of what they do."""

from forecaster.execution.local import LocalExecutor
from forecaster.execution.task import Answer, Executor, Task

__all__ = ["Answer", "Executor", "LocalExecutor", "Task"]
