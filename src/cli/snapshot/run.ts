/** `drover snapshot`. */
import { SnapshotError, writeSnapshot } from '../../sim/snapshot/file.ts';
import { readCluster, type ReadProgress } from '../../sim/snapshot/read-cluster.ts';
import { scrubSnapshot } from '../../sim/snapshot/scrub.ts';
import type { Snapshot } from '../../sim/snapshot/snapshot.ts';
import type { Context } from '../command.ts';
import { CommandError, exitCode, UsageError } from '../errors.ts';
import type { SnapshotFlags } from './command.ts';

export async function run(context: Context, args: readonly string[], { output, scrub }: SnapshotFlags): Promise<number> {
  if (args.length > 0) throw new UsageError('takes no arguments; -o names the file');
  const { screen } = context;
  const snapshot = await read(context, output !== '-');
  for (const { kind, why } of snapshot.missing) screen.err(`warning: without ${kind}: ${why}`);
  const file = output ?? `drover-snapshot-${fileTime(snapshot.takenAt)}.jsonl.gz`;
  try {
    await writeSnapshot(file, scrub ? scrubSnapshot(snapshot) : snapshot, screen.out);
  } catch (error) {
    if (error instanceof SnapshotError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
  if (file !== '-') screen.out(`wrote ${file}: ${told(snapshot)}`);
  return exitCode.ok;
}

async function read({ client, clock, interrupt, screen }: Context, mayDraw: boolean): Promise<Snapshot> {
  const region = mayDraw ? screen.live() : null;
  const onProgress = ({ kind, read: count, remaining }: ReadProgress) =>
    region?.draw([`reading ${kind}: ${count}${remaining > 0 ? ` of ${count + remaining}` : ''}`]);
  try {
    return await readCluster(await client(), { clock, onProgress, signal: interrupt });
  } finally {
    region?.draw([]);
    region?.end();
  }
}

/** "20261121-120000": UTC, sorts by time, good in every file system. */
const fileTime = (at: number) =>
  new Date(at)
    .toISOString()
    .replaceAll(/[-:]|\..*/g, '')
    .replace('T', '-');

function told({ objects }: Snapshot): string {
  const count = (kind: string) => objects.filter((each) => each.kind === kind).length;
  const amount = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  return `${amount(count('Node'), 'node')}, ${amount(count('Pod'), 'pod')}, ${amount(objects.length, 'object')} in all`;
}
