import { defineCommand } from '../../command.ts';
import { choice, type Flags, integer, text, toggle, type Values } from '../../flags.ts';
import { nameFlag } from '../name.ts';
import { speedFlag } from './speed.ts';

const flags = {
  name: nameFlag,
  nodes: integer('n', 'How many nodes there are, in three zones, where FILE is no scenario.', 6, 1),
  port: integer('port', 'Port of the API server on 127.0.0.1; 0 is any free one.', 0, 0),
  speed: speedFlag,
  seed: text('number', 'What chance draws from; the same seed gives the same run.', { shown: 'of the FILE, or 1' }),
  kubeconfigOut: text('file', 'Where the kubeconfig is written.', { shown: 'in the state directory' }),
  detach: toggle('Return when it is up, and leave it running; drover sim down stops it.', { short: 'd' }),
  output: choice(['text', 'json'], 'How the result is printed.', 'text', { short: 'o' }),
} as const satisfies Flags;

export type UpFlags = Values<typeof flags>;

export const upCommand = defineCommand({
  name: 'sim up',
  summary: 'Start a simulated cluster that kubectl and drover can work on',
  arguments: '[FILE]',
  description: [
    'Runs a Kubernetes API server, scheduler, controllers and kubelets in this process, without containers: pods are only played, everything else behaves as in a cluster. FILE is a scenario (node pools, workloads, traffic and events) or plain manifests.',
    'It writes a kubeconfig of its own and leaves yours alone. Ctrl-C ends it, and nothing of it stays.',
  ],
  examples: [
    { does: 'A cluster of six empty nodes', line: 'sim up' },
    {
      does: 'The shop of the examples in the background, ten times as fast',
      line: 'sim up examples/scenarios/shop.yaml --speed 10 -d',
    },
  ],
  flags,
  load: () => import('./run.ts'),
});
