/**
 * Calls `act` up to `count` times in batches of 1, 2, 4...; after a batch in which one threw nothing more is tried, so that a namespace
 * without quota is not asked five hundred times (pkg/controller/replicaset/replica_set.go, slowStartBatch). The first error, or undefined.
 */
export function slowStart(count: number, act: (index: number) => void): unknown {
  let failed = false;
  let first: unknown;
  for (let from = 0, size = 1; from < count && !failed; from += size, size *= 2) {
    for (let index = from; index < Math.min(count, from + size); index += 1) {
      try {
        act(index);
      } catch (error) {
        if (!failed) first = error;
        failed = true;
      }
    }
  }
  return first;
}
