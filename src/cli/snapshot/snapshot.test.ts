import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import type { KubeRequest } from '../../kube/client.ts';
import { createInProcessClient } from '../../sim/apiserver/in-process.ts';
import { Failure } from '../../sim/apiserver/failure.ts';
import { loadScenario } from '../../sim/scenario/load.ts';
import { readScenario } from '../../sim/scenario/read.ts';
import { readSnapshot } from '../../sim/snapshot/file.ts';
import { clusterAt, MINUTE, scenario, START } from '../../sim/testing/snapshot-bed.ts';
import { type CliRun, cli } from '../testing/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-cli-snapshot-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bed = clusterAt(START, 1);
loadScenario(bed.cluster, readScenario(scenario, 'x'), 'x');
await bed.clock.advance(5 * MINUTE);
bed.cluster.stop();

/** @param refused kinds that may not be listed, by their plural names. */
function drover(argv: readonly string[], ...refused: readonly string[]): Promise<CliRun> {
  const before = ({ path }: KubeRequest) => {
    const plural = path.slice(path.lastIndexOf('/') + 1);
    if (refused.includes(plural)) throw new Failure(403, 'Forbidden', `${plural} is forbidden: User "ann" cannot list it`);
  };
  const client = createInProcessClient({ handle: bed.cluster.handle, clock: bed.clock, userAgent: 'test', before });
  return cli(argv, undefined, { connect: () => Promise.resolve(client) });
}

describe('drover snapshot', () => {
  it('writes a file that can be read again, and says what is in it', async () => {
    const file = join(folder, 'a.jsonl.gz');
    const { code, out, err } = await drover(['snapshot', '-o', file]);
    const { objects } = await readSnapshot(file);
    expect([code, out, err]).toEqual([0, `wrote ${file}: 6 nodes, 22 pods, ${objects.length} objects in all\n`, '']);
    expect(objects.filter(({ kind }) => kind === 'Pod')).toHaveLength(22);
  });

  it('prints nothing but the snapshot with -o -', async () => {
    const { code, out, err } = await drover(['snapshot', '-o', '-'], 'jobs');
    expect([code, err]).toEqual([
      0,
      'warning: without jobs: you may not list them; their pods count as pods without an owner, which nobody makes anew\n',
    ]);
    const { missing } = await readSnapshot('-', Readable.from([Buffer.from(out)]));
    expect(missing.map(({ kind }) => kind)).toEqual(['jobs']);
  });

  it('leaves out the names with --scrub', async () => {
    const { out } = await drover(['snapshot', '-o', '-', '--scrub']);
    expect(out).not.toMatch(/shop|agent|backend|web-/);
    expect(out.trimEnd().split('\n').length).toBeGreaterThan(22);
  });

  it.each(['pods', 'nodes'])('ends with one line and writes nothing when %s may not be listed', async (plural) => {
    const { code, out, err } = await drover(['snapshot', '-o', join(folder, 'never.jsonl')], plural);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(new RegExp(`^error: .*${plural} is forbidden.*\n$`));
    expect(readdirSync(folder)).not.toContain('never.jsonl');
  });

  it('ends with one line when the file cannot be written, or is not named by -o', async () => {
    const file = join(folder, 'no', 'such.jsonl');
    expect(await drover(['snapshot', '-o', file])).toMatchObject({ code: 1, err: `error: ${file}: no such file or directory\n` });
    expect(await drover(['snapshot', 'cluster.jsonl'])).toMatchObject({ code: 2 });
  });
});
