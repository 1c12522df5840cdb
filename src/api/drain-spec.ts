/** How a node is emptied: the same block in a policy, in a single maintenance and behind the CLI's flags. */
import * as z from 'zod';
import { withRules } from './cel-rule.ts';
import { parseDuration } from './duration.ts';
import { duration, namespaceName } from './scalars.ts';
import { labelSelector } from './selector.ts';

const MAX_LADDER = 8;

const rule = withRules(
  z.strictObject({
    podSelector: labelSelector.describe('The pods. Empty: every pod of `namespaces`, which must then be set.'),
    namespaces: z
      .array(namespaceName())
      .min(1)
      .max(64)
      .exactOptional()
      .describe('Only pods of these namespaces; absent: of all.'),
    do: z
      .enum(['Drain', 'Skip', 'WaitCompleted'])
      .default('Drain')
      .describe(
        'Drain: they leave like any other, also where they belong to a DaemonSet. Skip: they stay, and do not keep the node from being done. WaitCompleted: they are let run to their end.',
      ),
    order: z
      .int32()
      .exactOptional()
      .describe('Lowest leaves first. Absent: the built-in tier (workload 0, storage 100, daemon 200, critical 300).'),
    maxWait: duration('1s')
      .exactOptional()
      .describe(
        'With WaitCompleted: after so long, counted from the start of the drain, the pods are drained like any other. Absent: no end.',
      ),
  }),
  [
    {
      cel: 'has(self.namespaces) || (has(self.podSelector.matchLabels) && size(self.podSelector.matchLabels) > 0) || (has(self.podSelector.matchExpressions) && size(self.podSelector.matchExpressions) > 0)',
      message: 'an empty podSelector needs namespaces; without them it would mean every pod',
      field: 'podSelector',
      holds: (value) =>
        value.namespaces !== undefined ||
        Object.keys(value.podSelector.matchLabels).length > 0 ||
        value.podSelector.matchExpressions.length > 0,
    },
    {
      cel: "!has(self.maxWait) || self.do == 'WaitCompleted'",
      message: 'maxWait belongs to WaitCompleted only',
      field: 'maxWait',
      holds: (value) => value.maxWait === undefined || value.do === 'WaitCompleted',
    },
  ],
);

const ladderStep = withRules(
  z.strictObject({
    after: duration().describe('When, counted from the start of the drain.'),
    do: z
      .enum(['TellOwner', 'Handover', 'ShortenGrace', 'Delete'])
      .describe(
        'TellOwner: an event on the pods that still block and on their owners. Handover: hand over every pod that can be. ShortenGrace: cut the grace of pods that are terminating. Delete: delete what is left, around its disruption budgets.',
      ),
    graceSeconds: z
      .int32()
      .min(1)
      .exactOptional()
      .describe('Seconds to stop. Required with ShortenGrace; with Delete an upper bound, absent: the pod’s own.'),
  }),
  [
    {
      cel: "!has(self.graceSeconds) || self.do in ['ShortenGrace', 'Delete']",
      message: 'graceSeconds belongs to ShortenGrace and Delete only',
      field: 'graceSeconds',
      holds: (step) => step.graceSeconds === undefined || step.do === 'ShortenGrace' || step.do === 'Delete',
    },
    {
      cel: "self.do != 'ShortenGrace' || has(self.graceSeconds)",
      message: 'ShortenGrace needs graceSeconds',
      field: 'graceSeconds',
      holds: (step) => step.do !== 'ShortenGrace' || step.graceSeconds !== undefined,
    },
  ],
);

const ladder = withRules(z.array(ladderStep).max(MAX_LADDER), [
  {
    // CEL has no index in all(): the possible indexes are written out.
    cel: `[${Array.from({ length: MAX_LADDER - 1 }, (_, index) => index + 1).join(', ')}].all(i, i >= size(self) || duration(self[i - 1].after) <= duration(self[i].after))`,
    message: 'the steps must be in the order of their after',
    holds: (steps) =>
      steps.every((step, index) => index === 0 || parseDuration(steps[index - 1]?.after ?? '0s') <= parseDuration(step.after)),
  },
]);

const settle = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Wait until the pods that replace the evicted ones are Ready before the node counts as done.'),
  timeout: duration('1s').default('10m').describe('After so long the drain counts as done anyway, with a warning.'),
});

export const drainSpec = withRules(
  z.strictObject({
    gracePeriodSeconds: z.int32().min(1).exactOptional().describe('Seconds that each pod gets to stop; absent: the pod’s own.'),
    handover: z
      .enum(['Never', 'WhenNeeded', 'Always'])
      .default('WhenNeeded')
      .describe(
        'Have a replacement Ready before a pod of a ReplicaSet is evicted. WhenNeeded: where it is the only Ready pod of its owner, or its disruption budget would refuse the eviction.',
      ),
    handoverTimeout: duration('1s')
      .default('10m')
      .describe(
        'How long a replacement may take to get Ready; then the pod is given back to its ReplicaSet and drained without.',
      ),
    unlist: z
      .boolean()
      .default(true)
      .describe(
        'Take a pod that was handed over out of its Services, where that touches nothing else, and wait for it before evicting.',
      ),
    emptyDir: z
      .enum(['Evict', 'Protect'])
      .default('Evict')
      .describe('Pods with an emptyDir volume, whose content is lost. Protect: they keep the node from being drained.'),
    barePods: z
      .enum(['Evict', 'Protect'])
      .default('Protect')
      .describe('Pods without a controller, which nothing creates again. Protect: they keep the node from being drained.'),
    rules: z.array(rule).max(32).prefault([]).describe('Exceptions for some pods; the first rule that matches a pod decides.'),
    daemonSets: z.enum(['Skip', 'Evict']).default('Skip').describe('Pods of DaemonSets. Skip: they stay and run on.'),
    deadline: duration('1s')
      .exactOptional()
      .describe(
        'How long the drain may take. With a Delete step in the ladder, pods are deleted early enough for their grace to end by then.',
      ),
    ladder: ladder
      .default([])
      .describe(
        'What is done about pods that still block, step by step. Without a Delete step disruption budgets are never bypassed.',
      ),
    stepAside: duration('1s')
      .default('30m')
      .describe('Without any progress for so long, the node is handed back and others go first.'),
    attempts: z.int32().min(1).max(100).default(5).describe('How often a node is tried before its maintenance has failed.'),
    retryAfter: duration('1s').default('5m').describe('Wait before the second try; doubles with each further one, up to 6h.'),
    emptyFor: duration().default('5s').describe('How long a node must have been empty to count as drained.'),
    waitForVolumes: z.boolean().default(true).describe('Wait until the volumes of the evicted pods are detached.'),
    settle: settle.prefault({}).describe('Whether replacements are waited for.'),
    excludeFromLoadBalancers: z
      .boolean()
      .default(false)
      .describe('Label the node node.kubernetes.io/exclude-from-external-load-balancers while it is out of service.'),
  }),
  [
    {
      cel: '!has(self.deadline) || self.ladder.all(step, duration(step.after) <= duration(self.deadline))',
      message: 'no step may come after the deadline',
      field: 'ladder',
      holds: ({ deadline, ladder: steps }) =>
        deadline === undefined || steps.every((step) => parseDuration(step.after) <= parseDuration(deadline)),
    },
  ],
).meta({ title: 'DrainSpec' });
