import { defineCommand } from '../command.ts';
import { UsageError } from '../errors.ts';
import { choice, type Flag, type Flags, integer, toggle, type Values } from '../flags.ts';
import { handoverFlags } from '../handover-modes.ts';

const FASTEST = 1_000;

/** Infinity: as fast as it computes. null: not given. */
const speed: Flag<number | null> = {
  placeholder: 'factor',
  help: 'How many times as fast as real time it runs, from 0.5 to 1000, or max: as fast as it computes.',
  initial: null,
  shown: '5, or max with --once',
  parse(value) {
    if (value === 'max') return Number.POSITIVE_INFINITY;
    const factor = /^\d+(\.\d+)?x?$/.test(value) ? Number.parseFloat(value) : Number.NaN;
    if (!(factor >= 0.5 && factor <= FASTEST))
      throw new UsageError(`must be a number from 0.5 to ${FASTEST}, or max, not "${value}"`);
    return factor;
  },
};

/** From `least` to `most`. */
function between(placeholder: string, help: string, initial: number, least: number, most: number): Flag<number> {
  const flag = integer(placeholder, help, initial, least);
  return {
    ...flag,
    parse(value) {
      const number = flag.parse(value);
      if (number > most) throw new UsageError(`must be at most ${most}, not "${value}"`);
      return number;
    },
  };
}

const flags = {
  nodes: between('n', 'Nodes of the cluster, in three zones; half of them are worked on. From 12 to 120.', 24, 12, 120),
  action: choice(
    ['replace', 'drain'],
    'replace: drained nodes are deleted and new ones take their place. drain: they are worked on, and come back.',
    'replace',
  ),
  handover: choice(handoverFlags, 'When a pod is replaced elsewhere before it is evicted.', 'always'),
  speed,
  seed: integer('number', 'What chance draws from.', 1, 0),
  once: toggle('For scripts: no live view, and as fast as it computes; the same seed then gives the same report.'),
  keep: toggle('Stay up after the end, for kubectl, until Ctrl-C.'),
  port: between('port', 'Port of the API server on 127.0.0.1; 0 is any free one.', 0, 0, 65_535),
  output: choice(['text', 'json'], 'How the report is printed.', 'text', { short: 'o' }),
} as const satisfies Flags;

export type DemoFlags = Values<typeof flags>;

export const demoCommand = defineCommand({
  name: 'demo',
  summary: 'Show a pool of nodes being replaced under traffic, in a simulated cluster',
  description: [
    'Starts a simulated Kubernetes cluster in this process, runs an application under traffic in it, and has the real controller drain a pool of its nodes, one per zone at a time. Nothing else on this machine, and none of your clusters, is touched.',
    'An export KUBECONFIG=... is printed: your own kubectl, and drover in another terminal, work on the cluster meanwhile. It ends by itself with a report. The exit code is 3 when a node was not drained, 1 when a request was lost or a budget violated.',
  ],
  examples: [
    { does: 'The whole scene', line: 'demo' },
    { does: 'What it costs to evict without a replacement first', line: 'demo --handover never' },
    { does: 'For a script', line: 'demo --once -o json' },
  ],
  flags,
  load: () => import('./run.ts'),
});
