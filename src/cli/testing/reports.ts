/** Reports of a drain, for the tests of what is shown of them. */
import { aPod, NOW } from '../../../test/builders.ts';
import type { DrainRunReport, NodeReport } from '../../controller/drain-report.ts';
import type { Blocker } from '../../engine/blocker.ts';
import type { PodReport } from '../../engine/drain.ts';

export const numbers = {
  namespace: 'shop',
  name: 'db',
  currentHealthy: 2,
  desiredHealthy: 2,
  expectedPods: 3,
  disruptionsAllowed: 0,
};

export function exhausted(pod = 'shop/db-0'): Blocker {
  return { cause: 'BudgetExhausted', pod, owner: 'ReplicaSet/db', budget: numbers };
}

export function never(pod = 'shop/db-0'): Blocker {
  return {
    cause: 'BudgetNeverAllows',
    pod,
    owner: 'ReplicaSet/db',
    budget: { ...numbers, desiredHealthy: 3, currentHealthy: 3 },
  };
}

export function podReport(name: string, changed: Partial<PodReport> = {}): PodReport {
  return { pod: aPod({ name }), tier: 'workload', state: 'Evicting', ...changed };
}

export function stopping(name: string): PodReport {
  return { pod: aPod({ name, deletedAt: NOW + 30_000 }), tier: 'workload', state: 'Terminating' };
}

export function nodeReport(changed: Partial<NodeReport> = {}): NodeReport {
  const base = {
    name: 'w1',
    phase: 'Draining',
    cordoned: true,
    waitingFor: null,
    pods: [],
    total: 30,
    gone: 12,
    remaining: 18,
    message: '',
    startedAt: NOW,
    finishedAt: null,
  };
  return { ...base, ...changed } as NodeReport;
}

/** @param seconds since NOW */
export function report(nodes: readonly NodeReport[], seconds = 0): DrainRunReport {
  return { now: NOW + seconds * 1_000, nodes };
}
