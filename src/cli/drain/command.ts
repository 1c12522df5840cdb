import { defineCommand, dryRunFlag, outputFlag } from '../command.ts';
import { choice, duration, type Flags, integer, onByDefault, text, toggle, tristate, type Values } from '../flags.ts';
import { handoverFlags } from '../handover-modes.ts';

// The first half are kubectl drain's, with its meaning and defaults (kubectl 1.34, pkg/cmd/drain/drain.go).
const flags = {
  selector: text('selector', 'Drain the nodes with these labels: a=b, a!=b, a in (b,c), !a; several joined by commas.', {
    short: 'l',
  }),
  podSelector: text('selector', 'Drain only the pods with these labels; the others stay.'),
  ignoreDaemonsets: toggle('Leave the pods of DaemonSets where they are. Without it they keep a node from being drained.'),
  deleteEmptydirData: toggle('Evict pods with an emptyDir, too; its data is lost.'),
  force: toggle('Evict pods without a controller, too; nothing creates them again.'),
  gracePeriod: integer(
    'seconds',
    'Time that each pod gets to stop; -1 is the pod’s own. 0 counts as 1: containers that may be alive are told to stop.',
    -1,
    -1,
  ),
  timeout: duration('duration', 'Give up after so long and leave the rest as it is; 0 waits for ever.', 0, { shown: '0' }),
  disableEviction: toggle('Delete pods instead of evicting them: disruption budgets are not asked.'),
  skipWaitForDeleteTimeout: integer(
    'seconds',
    'Do not wait for pods that should have been gone for longer than this; 0 waits.',
    0,
    0,
  ),
  dryRun: dryRunFlag,
  chunkSize: integer('n', 'Accepted for compatibility and without effect: lists are streamed.', 500, 0),
  parallel: integer('n', 'How many nodes are drained at once; the next begins when one is done.', 1, 1),
  handover: choice(
    handoverFlags,
    'Have a replacement Ready before a pod of a ReplicaSet is evicted. when-needed: for its only Ready pod, and where a budget would refuse.',
    'when-needed',
  ),
  handoverTimeout: duration(
    'duration',
    'How long a replacement may take to get Ready; then the pod is drained without.',
    600_000,
    { shown: '10m' },
  ),
  unlist: onByDefault('Do not take handed-over pods out of their Services before they are evicted.'),
  settle: tristate(
    'Wait (at most 10m) until what left a node is Ready elsewhere before it counts as drained. Default: with several nodes.',
  ),
  deadline: duration(
    'duration',
    'The machines are gone after so long: what still blocks by then is deleted, budgets or not, early enough to stop cleanly.',
    null,
  ),
  reason: text('text', 'Why; it is written on the node.', { shown: 'drained by hand' }),
  progress: choice(
    ['auto', 'plain', 'none'],
    'How progress is shown. auto: a live view on a terminal, else a line per change.',
    'auto',
  ),
  output: outputFlag,
} as const satisfies Flags;

export type DrainFlags = Values<typeof flags>;

export const drainCommand = defineCommand({
  name: 'drain',
  summary: 'Empty nodes for maintenance, keeping every disruption budget',
  arguments: 'NODE... | -l SELECTOR',
  description: [
    'Cordons the nodes and evicts their pods through the Eviction API. Takes the flags of kubectl drain and needs nothing installed in the cluster.',
    'Unlike kubectl, it looks at every pod first: when one of them may not be evicted without a further flag, it says so and touches nothing. Where a budget leaves no room, a pod of a ReplicaSet is handed over: its replacement runs before it goes.',
    'Ctrl-C stops gracefully and says what is left; the nodes stay cordoned. The same command goes on where it stopped, drover uncordon gives a node back.',
  ],
  examples: [
    { does: 'Drain a node as kubectl would', line: 'drain worker-1 --ignore-daemonsets --delete-emptydir-data' },
    { does: 'Drain the nodes of a pool, two at a time', line: 'drain -l pool=old --parallel 2 --ignore-daemonsets' },
    { does: 'See what would happen, and which pods could not leave', line: 'drain worker-1 --ignore-daemonsets --dry-run' },
  ],
  flags,
  load: () => import('./run.ts'),
});
