import { defineCommand } from '../command.ts';
import { type Flag, type Flags, text, tristate, type Values } from '../flags.ts';

const setting = (placeholder: string, help: string, shown?: string): Flag<string | null> =>
  text(placeholder, help, shown === undefined ? {} : { shown });

// Each is a key of the file; what they may hold is checked there (agent-config.ts), for both alike.
const settings = {
  nodeName: setting('name', 'The node that it runs on.', '$NODE_NAME'),
  cloud: setting('cloud', 'auto, azure, aws, gcp or none.', 'auto'),
  metadataUrl: setting('url', "Where the cloud's metadata service is.", 'http://169.254.169.254'),
  azureResource: setting('name', "The VM's name in Azure's events.", "from the node's providerID"),
  acknowledge: tristate('Tell Azure that an event may begin once every node that it touches is drained (the default).'),
  pollInterval: setting('duration', 'How often the metadata service is asked.', '1s'),
  sourceTimeout: setting('duration', 'After so long an answer is given up.', '5s'),
  sentinelFile: setting('file', 'While it exists the machine wants a reboot; "" looks for none.', '/var/run/reboot-required'),
  sentinelCommand: setting('words', 'Its exit code 0 says that the machine wants a reboot; cut at blanks, run without a shell.'),
  sentinelInterval: setting('duration', 'How often file, command and registry are looked at.', '1m'),
  windowsRegistry: tristate('On Windows: look for a pending reboot in the registry (the default).'),
  checks: setting('files', "JSON files of node-problem-detector's custom plugin monitor, with commas between them."),
  checkHold: setting('duration', 'How long a check must say the same before its condition changes.', '30s'),
  selfDrain: setting('mode', 'When the machine is about to go and no controller cares: Drain, Cordon or Never.', 'Drain'),
  selfDrainKinds: setting('kinds', 'The kinds of signals on which it does.', 'SpotInterruption,Terminate'),
  selfDrainWithin: setting('duration', 'It acts on a notice that leaves no more than this.', '60s'),
  controllerPatience: setting('duration', 'How long it waits for the controller after its cordon.', '2s'),
  selfDrainDeleteAfter: setting('duration', 'After so long a self-drain deletes pods that a budget still holds.', 'never'),
  heartbeat: setting('duration', 'How often the conditions are written although nothing has changed.', '5m'),
  metricsAddress: setting('host:port', 'Where /metrics, /healthz and /readyz are served; 0 serves nothing.', ':17923'),
  logLevel: setting('level', 'debug, info, warn or error.', 'info'),
  logFormat: setting('format', 'json or text.', 'json'),
} as const satisfies Flags;

const flags = {
  config: text('file', 'YAML file with any of the settings below, named nodeName, pollInterval and so on; flags win.'),
  ...settings,
} as const satisfies Flags;

export type AgentFlags = Values<typeof flags>;

export const agentCommand = defineCommand({
  name: 'agent',
  summary: 'Run the agent of one node (what the DaemonSet in the cluster does)',
  description: [
    'Reads what the machine and its cloud announce (reboot sentinels, Azure Scheduled Events, AWS and Google Cloud metadata, custom checks) and writes it on its own node: conditions, and the annotation drover.dev/signals.',
    'When the machine is about to go and no controller takes the node over, it cordons and drains its own node.',
  ],
  examples: [
    { does: 'Try it from a laptop', line: 'agent --node-name worker-1 --cloud none --self-drain Never --log-format text' },
  ],
  flags,
  load: () => import('./run.ts'),
});
