import { defineCommand, outputFlag } from '../command.ts';
import { UsageError } from '../errors.ts';
import { choice, duration, type Flag, type Flags, integer, text, toggle, type Values } from '../flags.ts';
import { handoverFlags } from '../handover-modes.ts';

const maxNodes: Flag<number | string> = {
  placeholder: 'n|n%',
  help: 'How many of the nodes may be out at once; a percentage is of the nodes of the plan. With --policy the policy says it.',
  initial: 1,
  shown: '1',
  parse(value) {
    if (/^\d{1,6}$/.test(value) && Number(value) > 0) return Number(value);
    if (/^([1-9]\d?|100)%$/.test(value)) return value;
    throw new UsageError(`must be a number from 1 on, or a percentage, not "${value}"`);
  },
};

const flags = {
  selector: text('selector', 'Plan for the nodes with these labels: a=b, a!=b, a in (b,c), !a; several joined by commas.', {
    short: 'l',
  }),
  policy: text('file', 'Plan what this MaintenancePolicy would do: for the nodes that have one of its reasons now.', {
    short: 'f',
  }),
  allSelected: toggle('With --policy: as if every node that it selects had a reason.'),
  snapshot: text('file', 'Plan on the cluster of this file (`drover snapshot`) instead of the live one.'),
  maxNodes,
  handover: choice(handoverFlags, 'Whether replacements run before a pod of a ReplicaSet is evicted.', 'when-needed'),
  ignoreDaemonsets: toggle('Accepted for compatibility: pods of DaemonSets stay where they are.'),
  deleteEmptydirData: toggle('Evict pods with an emptyDir, too; its data is lost.'),
  force: toggle('Evict pods without a controller, too; nothing creates them again.'),
  gracePeriod: integer('seconds', 'Time that each pod gets to stop; -1 is the pod’s own.', -1, -1),
  readyTime: duration('duration', 'How long every new pod takes to get Ready. Default: learned from the pods that run.', null),
  stopTime: duration('duration', 'How long a pod takes to stop; it cannot be learned from a running one.', 1_000, {
    shown: '1s',
  }),
  drained: choice(
    ['keep', 'return', 'delete'],
    'What happens to a drained node. keep: it stays empty. return: it takes pods again at once, as after a reboot. delete: it goes, with what stayed on it.',
    'keep',
  ),
  limit: duration(
    'duration',
    'Simulated time after which the plan is given up; where all policies wait for a window, from when the first opens.',
    7 * 86_400_000,
    { shown: '168h' },
  ),
  seed: integer('n', 'Of everything that is left to chance; the same seed gives the same plan.', 1, 0),
  output: outputFlag,
} as const satisfies Flags;

export type PlanFlags = Values<typeof flags>;

export const planCommand = defineCommand({
  name: 'plan',
  summary: 'Predict a maintenance: how long, which pods blink, what can never move',
  arguments: 'NODE... | -l SELECTOR | -f POLICY',
  description: [
    'Reads the cluster once, and runs the maintenance on a simulated copy of it, with the very controller that would do it, as fast as it computes. Nothing in the cluster is changed.',
    'Says how long it takes and in which order, which applications have fewer pods meanwhile, which pods can never move and why, and where it would wait.',
    'Exit code 3: something can never be drained as things are.',
  ],
  examples: [
    { does: 'Plan to empty a pool, two nodes at a time', line: 'plan -l pool=old --max-nodes 2' },
    { does: 'Plan what a policy would do, if all its nodes had a reason', line: 'plan -f policy.yaml --all-selected' },
    { does: 'Plan on a snapshot, for a script', line: 'plan --snapshot cluster.jsonl.gz -l pool=old -o json' },
  ],
  flags,
  load: () => import('./run.ts'),
});
