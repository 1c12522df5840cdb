import { defineCommand } from '../command.ts';
import { type Flag, type Flags, text, tristate, type Values } from '../flags.ts';

const setting = (placeholder: string, help: string, shown: string): Flag<string | null> => text(placeholder, help, { shown });

// Each is a key of the file; what they may hold is checked there (controller-config.ts), for both alike.
const settings = {
  leaderElect: tristate('Act only while holding the Lease (the default). Without it, run one replica only.'),
  leaderElectionNamespace: setting('namespace', 'Namespace of the Lease.', 'where the process runs'),
  rebootNamespace: setting(
    'namespace',
    'Namespace of the pods that reboot nodes, where a policy names no other; it must admit privileged pods.',
    'that of the Lease',
  ),
  metricsAddress: setting('host:port', 'Where /metrics, /healthz and /readyz are served; 0 serves nothing.', ':8080'),
  limits: setting(
    'limits',
    'How many nodes may be out at once, all policies together: 5 or 10%, and label=limit for groups, joined by commas.',
    'as the policies allow',
  ),
  logLevel: setting('level', 'debug, info, warn or error.', 'info'),
  logFormat: setting('format', 'json or text.', 'json'),
  clusterName: text('name', 'What messages call this cluster.'),
  notify: text('file', 'YAML file with the list of channels that is notify in the configuration.'),
} as const satisfies Flags;

const flags = {
  config: text('file', 'YAML file with any of the settings below, named leaderElect, metricsAddress and so on; flags win.'),
  ...settings,
} as const satisfies Flags;

export type ControllerFlags = Values<typeof flags>;

export const controllerCommand = defineCommand({
  name: 'controller',
  summary: 'Run the controller (what the Deployment in the cluster does)',
  description: [
    'Watches nodes and policies and carries out maintenances. In a pod it uses the service account, elsewhere the kubeconfig.',
  ],
  examples: [{ does: 'Try it from a laptop', line: 'controller --no-leader-elect --log-format text' }],
  flags,
  load: () => import('./run.ts'),
});
