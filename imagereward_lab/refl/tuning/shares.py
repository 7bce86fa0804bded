"""Work that is dealt out among the processes of a tuning, and its results put together again."""

from __future__ import annotations

import torch
from torch import Tensor

from ...training.state.processes import Processes


def dealt(number: int, among: Processes) -> list[int]:
    """Places of this process's share of ``number`` things.

    >>> dealt(5, Processes(rank=1, number=2))
    [1, 3]
    """
    return list(range(among.rank, number, among.number))


def together(rows: Tensor, number: int, among: Processes) -> Tensor:
    """All rows in their order, in every process, on the processor.

    Args:
        rows: Of this process's share as :func:`dealt` has it, [n, ...]; of a share that is empty [0, ...].
        number: Rows of all of them.
        among: The processes.
    """
    own = rows.detach().cpu().contiguous()
    if among.number == 1:
        return own
    most = -(-number // among.number)
    padded = own.new_zeros((most, *own.shape[1:]))
    padded[: len(own)] = own
    parts = among.gather(padded.reshape(-1).view(torch.uint8))
    shares = [part.view(own.dtype).reshape(padded.shape) for part in parts]
    return torch.stack([shares[at % among.number][at // among.number] for at in range(number)])
