/** How long a plan takes: a pool of a generated cluster, and the whole of it, each back as soon as it is drained. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSnapshot } from '../src/sim/snapshot/file.ts';
import { runProgram } from './child.ts';
import { planCluster } from './plan-cluster.ts';
import { type Bar, type Bench, shown } from './result.ts';

const PODS_PER_NODE = 30;
const ALL = 'pool=all';
const CASES = [
  { nodes: 1_000, moved: 100, selector: 'part=tenth', seconds: 3, mib: undefined },
  { nodes: 1_000, moved: 1_000, selector: ALL, seconds: undefined, mib: undefined },
  { nodes: 5_000, moved: 500, selector: 'part=tenth', seconds: 15, mib: 400 },
] as const;

export const plan: Bench = {
  title: '`drover plan`',
  async run({ drover, nodeFlags, say }) {
    const folder = mkdtempSync(join(tmpdir(), 'drover-plan-'));
    const rows: string[][] = [];
    const bars: Bar[] = [];
    try {
      for (const { nodes, moved, selector, seconds, mib } of CASES) {
        const file = join(folder, `${nodes}.jsonl.gz`);
        await writeSnapshot(file, planCluster({ nodes, podsPerNode: PODS_PER_NODE }));
        say(`${moved} of ${nodes} nodes`);
        const limit = ['--max-nodes', String(moved / 10), '--drained', 'return'];
        const flags = ['plan', '--snapshot', file, '-l', selector, ...limit, '-o', 'json'];
        const { startedAt, endedAt, usage } = await runProgram([process.execPath, ...nodeFlags, drover, ...flags]);
        const took = (endedAt - startedAt) / 1_000;
        const peak = usage.peakBytes / 2 ** 20;
        const count = (of: number) => of.toLocaleString('en');
        const what = `${count(moved)} of ${count(nodes)} nodes, ${count(nodes * PODS_PER_NODE)} pods`;
        const fileMib = statSync(file).size / 2 ** 20;
        rows.push([what, shown(took), shown(usage.cpuSeconds), shown(peak), shown(fileMib)]);
        if (seconds !== undefined) bars.push({ what: `${what}, wall time`, measured: took, bar: seconds, unit: 's' });
        if (mib !== undefined) bars.push({ what: `${what}, peak RSS`, measured: peak, bar: mib, unit: 'MiB' });
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return {
      tables: [{ columns: ['cluster', 'wall, s', 'CPU, s', 'peak RSS, MiB', 'snapshot, MiB'], rows }],
      bars,
      how: [
        'Start of the process to its end, one run each, from a gzipped snapshot: each node of the pool is drained once, a tenth of them at a time, and takes pods again at once.',
        'The bars are about the size of the cluster; here a tenth of it is moved. The second row moves all of it.',
        'Deployments of ten with a budget of one each; a pod takes 3 s to get Ready and 1 s to stop.',
      ],
      broken: [],
    };
  },
};
