import { defineCommand } from '../../command.ts';
import type { Flags, Values } from '../../flags.ts';
import { nameFlag } from '../name.ts';

const flags = { name: nameFlag } as const satisfies Flags;

export type DownFlags = Values<typeof flags>;

export const downCommand = defineCommand({
  name: 'sim down',
  summary: 'Stop a simulated cluster',
  description: ['Ends it and removes its kubeconfig. Where none runs, there is nothing to do, and that is no error.'],
  examples: [{ does: 'Stop it', line: 'sim down' }],
  flags,
  load: () => import('./run.ts'),
});
