import { defineCommand } from '../command.ts';
import { type Flags, text, type Values } from '../flags.ts';

const flags = {
  filename: text('file', 'A YAML file instead of the cluster; further files may follow.', { short: 'f' }),
  outputDir: text('dir', 'Write policies.yaml, values.yaml and report.txt there instead of printing them.', { short: 'o' }),
} as const satisfies Flags;

export type AdoptFlags = Values<typeof flags>;

export const adoptCommand = defineCommand({
  name: 'adopt',
  summary: 'Turn the configuration of kured, draino and the like into policies',
  description: [
    'Reads the DaemonSets and Deployments of kured, aks-node-termination-handler, aws-node-termination-handler, draino, ektopistis and node-problem-detector, with their arguments, environment and ConfigMaps, and prints MaintenancePolicies, values for the Helm chart, and what becomes of each setting. Nothing is changed.',
    'What is printed is YAML for kubectl; values and report are comments in it. Passwords and webhook addresses are never printed: the report says which Secret is needed.',
  ],
  arguments: '[-f FILE [FILE...]]',
  examples: [
    { does: 'See what the cluster’s tools would become', line: 'adopt' },
    { does: 'From files, into a folder', line: 'adopt -f kured.yaml -o drover/' },
  ],
  flags,
  load: () => import('./run.ts'),
});
