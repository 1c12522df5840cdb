import { defineCommand, outputFlag } from '../command.ts';
import { type Flags, toggle, type Values } from '../flags.ts';

const flags = {
  all: toggle('Show maintenances that have ended, too.', { short: 'a' }),
  output: outputFlag,
} as const satisfies Flags;

export type StatusFlags = Values<typeof flags>;

export const statusCommand = defineCommand({
  name: 'status',
  summary: 'Show the nodes that are out or about to go, and the policies',
  arguments: '[NODE...]',
  description: [
    'One line per node under maintenance: how far it is and what it waits for. Where the resources of drover are not installed, the nodes that drover drain has left cordoned.',
  ],
  examples: [
    { does: 'Everything under way', line: 'status' },
    { does: 'One node, for a script', line: 'status worker-1 -o json' },
  ],
  flags,
  load: () => import('./run.ts'),
});
