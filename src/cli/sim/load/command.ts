import { defineCommand } from '../../command.ts';
import { choice, type Flags, type Values } from '../../flags.ts';
import { nameFlag } from '../name.ts';

const flags = {
  name: nameFlag,
  output: choice(['text', 'json'], 'How the result is printed.', 'text', { short: 'o' }),
} as const satisfies Flags;

export type LoadFlags = Values<typeof flags>;

export const loadCommand = defineCommand({
  name: 'sim load',
  summary: 'Add a scenario or manifests to a running simulated cluster',
  arguments: 'FILE',
  description: [
    'Adds the pools and workloads of a scenario, starts its traffic, and lets its events happen, counted from now. Everything of the file is added, or, where something of it is refused, nothing.',
  ],
  examples: [{ does: 'Add a scenario', line: 'sim load examples/scenarios/shop.yaml' }],
  flags,
  load: () => import('./run.ts'),
});
