import { defineCommand } from '../../command.ts';
import { type Flags, toggle, type Values } from '../../flags.ts';
import { nameFlag } from '../name.ts';

const flags = { name: nameFlag, path: toggle('Print the path of the file instead.') } as const satisfies Flags;

export type KubeconfigFlags = Values<typeof flags>;

export const kubeconfigCommand = defineCommand({
  name: 'sim kubeconfig',
  summary: 'Print the kubeconfig of a running simulated cluster',
  description: ['Prints the file that drover sim up has written.'],
  examples: [{ does: 'Point kubectl at it', line: 'sim kubeconfig --path' }],
  flags,
  load: () => import('./run.ts'),
});
