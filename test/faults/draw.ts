/** What fast-check draws runs from. Every field shrinks towards the plain case: no fault, no deed, one quick Deployment. */
import fc from 'fast-check';
import type {
  Case,
  Deed,
  DrawnBudget,
  DrawnFault,
  DrawnMaintenance,
  DrawnNode,
  DrawnPolicy,
  DrawnReboot,
  DrawnWorkload,
} from './case.ts';
import type { DrainSpecInput } from './drain-input.ts';

/** Drawn as often as its weight says; shrinks to the first. */
function oneOf<const C extends readonly (readonly [weight: number, value: unknown])[]>(
  ...choices: C
): fc.Arbitrary<C[number][1]> {
  const weighted = choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value as C[number][1]) }));
  return fc.oneof({ withCrossShrink: true }, ...weighted);
}

const rarely = (chance: number) => oneOf([100 - chance, false], [chance, true]);
const index = fc.nat({ max: 11 });
/** Deeds and faults happen within this time; then the run is left in peace. */
export const BUSY_MS = 200_000;
/** More of them where most is under way: at the beginning. */
const moment = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 400 }).map((tenth) => tenth * 100) },
  { weight: 2, arbitrary: fc.nat({ max: BUSY_MS / 500 }).map((half) => half * 500) },
);

const node: fc.Arbitrary<DrawnNode> = fc.record({
  zone: fc.nat({ max: 2 }),
  pool: oneOf([1, 'old'], [1, 'new']),
  cordoned: rarely(8),
  marked: rarely(25),
  slowness: oneOf([85, 1], [10, 4], [5, 20]),
  calledOut: rarely(40),
});

const budget: fc.Arbitrary<DrawnBudget> = oneOf(
  [25, 'none'],
  [25, 'one-out'],
  [12, 'none-out'],
  [10, 'half-out'],
  [10, 'one-stays'],
  [8, 'all-stay'],
  [4, 'surplus'],
  [6, 'two-budgets'],
);

const workload: fc.Arbitrary<DrawnWorkload> = fc.record({
  kind: oneOf([60, 'Deployment'], [15, 'StatefulSet'], [8, 'DaemonSet'], [8, 'Job'], [9, 'Bare']),
  replicas: fc.integer({ min: 1, max: 5 }),
  strategy: oneOf([70, 'surge'], [20, 'no-surge'], [10, 'recreate']),
  budget,
  alwaysAllowUnhealthy: rarely(20),
  service: fc.boolean(),
  readiness: oneOf([68, 'quick'], [24, 'slow'], [8, 'never']),
  graceSeconds: oneOf([60, 5], [30, 30], [5, 1], [5, 0]),
  emptyDir: rarely(15),
  hostPort: rarely(6),
  finalizer: oneOf([90, 'none'], [7, 'released'], [3, 'kept']),
  minReadySeconds: oneOf([85, 0], [15, 10]),
  big: rarely(10),
});

const ladder: fc.Arbitrary<DrainSpecInput['ladder']> = oneOf(
  [70, []],
  [6, [{ after: '20s', do: 'TellOwner' }]],
  [8, [{ after: '30s', do: 'Handover' }]],
  [6, [{ after: '10s', do: 'ShortenGrace', graceSeconds: 2 }]],
  [
    10,
    [
      { after: '20s', do: 'TellOwner' },
      { after: '1m', do: 'Delete', graceSeconds: 3 },
    ],
  ],
);

const drain: fc.Arbitrary<DrainSpecInput> = fc
  .record({
    handover: oneOf([4, 'Always'], [4, 'WhenNeeded'], [3, 'Never']),
    handoverTimeout: oneOf([50, '2m'], [25, '15s'], [25, '10m']),
    unlist: fc.boolean(),
    emptyDir: oneOf([85, 'Evict'], [15, 'Protect']),
    barePods: oneOf([60, 'Evict'], [40, 'Protect']),
    daemonSets: oneOf([80, 'Skip'], [20, 'Evict']),
    hasDeadline: rarely(15),
    ladder,
    stepAside: oneOf([40, '1m'], [30, '20s'], [30, '5m']),
    attempts: fc.integer({ min: 1, max: 3 }),
    retryAfter: oneOf([70, '10s'], [30, '1m']),
    emptyFor: oneOf([70, '5s'], [30, '0s']),
    settle: fc.record({ enabled: oneOf([75, true], [25, false]), timeout: oneOf([50, '10m'], [50, '20s']) }),
    excludeFromLoadBalancers: rarely(25),
  })
  .map(({ hasDeadline, ...rest }) => ({ ...rest, ...(hasDeadline && { deadline: '2m' }) }));

const reboot: fc.Arbitrary<DrawnReboot | null> = fc.option(
  fc.record({
    delayBefore: oneOf([80, '0s'], [20, '10s']),
    tries: oneOf([80, 1], [20, 2]),
    timeout: oneOf([80, '3m'], [20, '40s']),
    healthyFor: oneOf([70, '5s'], [30, '30s']),
  }),
  { freq: 1 },
);

const policy: fc.Arbitrary<DrawnPolicy> = fc.record({
  selects: oneOf([5, 'old'], [3, 'all'], [2, 'new']),
  maxNodes: oneOf([40, 1], [30, 2], [10, '30%'], [10, '50%'], [10, '100%']),
  perZone: oneOf([80, null], [20, 1]),
  minInterval: oneOf([85, '0s'], [15, '20s']),
  priority: fc.nat({ max: 2 }),
  reason: oneOf([70, 'taint'], [15, 'label'], [15, 'condition']),
  handBack: oneOf([80, 'WhenCauseClears'], [20, 'Never']),
  drain,
  reboot,
});

const maintenance: fc.Arbitrary<DrawnMaintenance> = fc.record({
  at: moment,
  node: index,
  priority: fc.nat({ max: 2 }),
  goneInMs: oneOf([80, null], [10, 60_000], [10, 200_000]),
  handBack: oneOf([80, 'WhenCauseClears'], [20, 'Never']),
  drain,
  reboot,
});

const deed: fc.Arbitrary<Deed> = oneOf(
  [20, 'call-out'],
  [12, 'call-off'],
  [5, 'cordon'],
  [8, 'uncordon'],
  [4, 'mark'],
  [4, 'unmark'],
  [5, 'scale-up'],
  [5, 'scale-down'],
  [2, 'scale-to-zero'],
  [5, 'roll-out'],
  [4, 'delete-workload'],
  [5, 'delete-maintenance'],
  [6, 'cancel'],
  [4, 'pause'],
  [6, 'resume'],
  [2, 'pause-policy'],
  [4, 'resume-policy'],
  [4, 'add-node'],
  [2, 'delete-node'],
  [3, 'node-dies'],
  [2, 'node-hangs'],
  [2, 'node-reboots'],
  [3, 'delete-pod'],
);

const requestFault = fc.record({
  on: fc.constant('request' as const),
  of: oneOf([70, 'write'], [30, 'read']),
  nth: fc.nat({ max: 70 }),
  does: oneOf(
    [12, 500],
    [10, 409],
    [6, 410],
    [10, 429],
    [8, 504],
    [14, 'crash-before'],
    [14, 'crash-after'],
    [8, 'lose-request'],
    [14, 'lose-answer'],
    [10, 'delay'],
  ),
});

const timedFault = fc.record({
  on: fc.constant('time' as const),
  at: moment,
  lasts: oneOf([40, 5_000], [30, 1_000], [20, 20_000], [10, 60_000]),
  does: oneOf(
    [20, 'cut-watches'],
    [20, 'lag-watches'],
    [20, 'crash'],
    [10, 'freeze'],
    [10, 'freeze-with-clock'],
    [5, 'clock-forward'],
    [5, 'clock-back'],
    [10, 'outage'],
  ),
});

const fault: fc.Arbitrary<DrawnFault> = fc.oneof({ weight: 2, arbitrary: requestFault }, { weight: 1, arbitrary: timedFault });

export const drawnCase: fc.Arbitrary<Case> = fc.record({
  seed: fc.nat({ max: 0x7fffffff }),
  nodes: fc.array(node, { minLength: 3, maxLength: 8 }),
  workloads: fc.array(workload, { minLength: 1, maxLength: 5 }),
  policies: fc.oneof(
    { weight: 3, arbitrary: fc.array(policy, { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.constant([]) },
  ),
  byHand: fc.array(maintenance, { maxLength: 3 }),
  deeds: fc.array(fc.record({ at: moment, do: deed, which: index }), { maxLength: 12 }),
  faults: fc.array(fault, { maxLength: 8 }),
  replicas: oneOf([78, 1], [22, 2]),
});
