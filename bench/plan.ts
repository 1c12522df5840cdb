/** How long a plan takes: every node of a generated cluster once, a tenth of them at a time, each back as soon as it is drained. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSnapshot } from '../src/sim/snapshot/file.ts';
import { runProgram } from './child.ts';
import { planCluster } from './plan-cluster.ts';
import { type Bar, type Bench, shown } from './result.ts';

const PODS_PER_NODE = 30;
const SIZES = [
  { nodes: 1_000, seconds: 3, mib: undefined },
  { nodes: 5_000, seconds: 15, mib: 400 },
] as const;

export const plan: Bench = {
  title: '`drover plan`',
  async run({ drover, nodeFlags, say }) {
    const folder = mkdtempSync(join(tmpdir(), 'drover-plan-'));
    const rows: string[][] = [];
    const bars: Bar[] = [];
    try {
      for (const { nodes, seconds, mib } of SIZES) {
        const file = join(folder, `${nodes}.jsonl.gz`);
        await writeSnapshot(file, planCluster({ nodes, podsPerNode: PODS_PER_NODE }));
        say(`${nodes} nodes`);
        const flags = ['plan', '--snapshot', file, '-l', 'pool=all', '--max-nodes', '10%', '--drained', 'return', '-o', 'json'];
        const { startedAt, endedAt, usage } = await runProgram([process.execPath, ...nodeFlags, drover, ...flags]);
        const took = (endedAt - startedAt) / 1_000;
        const peak = usage.peakBytes / 2 ** 20;
        const what = `${nodes.toLocaleString('en')} nodes, ${(nodes * PODS_PER_NODE).toLocaleString('en')} pods`;
        const fileMib = statSync(file).size / 2 ** 20;
        rows.push([what, shown(took), shown(usage.cpuSeconds), shown(peak), shown(fileMib)]);
        bars.push({ what: `${what}, wall time`, measured: took, bar: seconds, unit: 's' });
        if (mib !== undefined) bars.push({ what: `${what}, peak RSS`, measured: peak, bar: mib, unit: 'MiB' });
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return {
      tables: [{ columns: ['cluster', 'wall, s', 'CPU, s', 'peak RSS, MiB', 'snapshot, MiB'], rows }],
      bars,
      how: [
        'Start of the process to its end, one run each, from a gzipped snapshot: every node is drained once, 10 % at a time, and takes pods again at once.',
        'Deployments of ten with a budget of one each; a pod takes 3 s to get Ready and 1 s to stop.',
      ],
      broken: [],
    };
  },
};
