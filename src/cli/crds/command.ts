import { choice, type Flags, type Values } from '../flags.ts';
import { defineCommand } from '../command.ts';

const flags = {
  output: choice(['yaml', 'json'], 'How they are printed. json: one List.', 'yaml', { short: 'o' }),
} as const satisfies Flags;

export type CrdsFlags = Values<typeof flags>;

export const crdsCommand = defineCommand({
  name: 'crds',
  summary: 'Print the CustomResourceDefinitions',
  description: ['Prints the definitions of MaintenancePolicy and NodeMaintenance as this version of drover understands them.'],
  examples: [{ does: 'Install or update them', line: 'crds | kubectl apply -f -' }],
  flags,
  load: () => import('./run.ts'),
});
