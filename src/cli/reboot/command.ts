import { defineCommand, dryRunFlag, outputFlag } from '../command.ts';
import { choice, duration, type Flags, integer, onByDefault, text, type Values } from '../flags.ts';

const flags = {
  selector: text('selector', 'Reboot the nodes with these labels.', { short: 'l' }),
  like: text(
    'policy',
    'Drain, reboot and verify as this policy says: its blocks drain, reboot, verify and hooks. Its limits and windows do not count.',
  ),
  parallel: integer('n', 'How many nodes are out at once; the next begins when one is back.', 1, 1),
  wait: onByDefault('Ask for it and return, without waiting for the nodes to be back.'),
  timeout: duration('duration', 'Wait no longer than this; what is under way goes on. 0 waits for ever.', 0, { shown: '0' }),
  reason: text('text', 'Why; it is written on the node and shown by drover status.', { shown: 'who rebooted it' }),
  dryRun: dryRunFlag,
  progress: choice(
    ['auto', 'plain', 'none'],
    'How progress is shown. auto: a live view on a terminal, else a line per change.',
    'auto',
  ),
  output: outputFlag,
} as const satisfies Flags;

export type RebootFlags = Values<typeof flags>;

export const rebootCommand = defineCommand({
  name: 'reboot',
  summary: 'Drain nodes, reboot them, and hand them back once they are well',
  arguments: 'NODE... | -l SELECTOR',
  description: [
    'Creates a NodeMaintenance with action Reboot for each node, one after the other, and waits until it is handed back. The controller does the work: it must be installed, and allowed to create privileged pods (docs/reboot.md).',
    'A node that does not come back stays cordoned, and no further one is begun. Ctrl-C ends the waiting, not the reboot; drover cancel NODE stops what has not been rebooted yet.',
  ],
  examples: [
    { does: 'Reboot a node', line: 'reboot worker-1' },
    {
      does: 'Reboot a pool, two nodes at a time, as a policy says',
      line: 'reboot -l pool=workers --parallel 2 --like kernel-updates',
    },
    { does: 'See what would be asked for', line: 'reboot worker-1 --dry-run=client -o yaml' },
  ],
  flags,
  load: () => import('./run.ts'),
});
