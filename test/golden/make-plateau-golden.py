"""Golden learning rates for packages/learn/src/schedule.test.ts: python3 make-plateau-golden.py > plateau.json

Follows the documented counting of Keras' ReduceLROnPlateau (mode min) from the epochs' losses alone: a run of bad
epochs starts after an improvement or a reduction, and epochs inside the cooldown do not count. The cooldown counter
is lowered before its epoch is judged, so `cooldown` c ignores c - 1 epochs.
"""
import json
import random


def rates(losses, rate, factor, patience, min_delta, cooldown, floor):
    """Rate in force after each epoch."""
    out, best, run_start = [], float("inf"), 0
    for epoch, loss in enumerate(losses):
        if loss < best - min_delta:
            best, run_start = loss, epoch + 1
        elif epoch >= run_start and epoch - run_start + 1 >= patience and rate > floor:
            rate = max(rate * factor, floor)
            run_start = epoch + 1 + max(0, cooldown - 1)
        out.append(rate)
    return out


random.seed(20210)
cases = []
for patience, cooldown, factor in [(15, 1, 0.1), (3, 0, 0.5), (3, 1, 0.5), (4, 5, 0.5), (1, 2, 0.3)]:
    level, losses = 3.0, []
    for epoch in range(160):
        level *= 0.97 if (epoch // 20) % 2 == 0 else 1.0
        losses.append(round(level + random.choice([0, 0, 2e-5, 5e-5, 0.02]), 7))
    config = dict(factor=factor, patience=patience, minDelta=1e-4, cooldown=cooldown, floor=1e-5)
    expected = rates(losses, 1e-3, factor, patience, 1e-4, cooldown, 1e-5)
    cases.append(dict(config=config, losses=losses, rates=expected))
print(json.dumps(cases))
