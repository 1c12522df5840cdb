import { defineCommand } from '../command.ts';
import { type Flags, text, toggle, type Values } from '../flags.ts';

const flags = {
  output: text('file', 'Where to write; gzipped when the name ends in .gz; - is standard output.', {
    short: 'o',
    shown: 'drover-snapshot-TIME.jsonl.gz',
  }),
  scrub: toggle('Replace names, labels, addresses and images by pseudonyms.'),
} as const satisfies Flags;

export type SnapshotFlags = Values<typeof flags>;

export const snapshotCommand = defineCommand({
  name: 'snapshot',
  summary: 'Save of the cluster what a plan needs, for drover plan --snapshot',
  description: [
    'Reads the cluster once, changes nothing, and writes a file: nodes, pods, what owns them, budgets, services, volumes and policies, cut down to what a simulation reads. Environment variables, commands and most annotations are left out; Secrets and ConfigMaps are not even read.',
    'A kind that may not be listed is named, with what a plan then assumes; nodes and pods are necessary.',
    '--scrub: the same name becomes the same pseudonym throughout, so that a plan is the same plan. Zones, instance types, quantities, times, uids and numbers within names stay; maintenances and policies of Drover are left out.',
  ],
  examples: [
    { does: 'Save the cluster, and plan on it later', line: 'snapshot -o cluster.jsonl.gz' },
    { does: 'One that may be shown to others', line: 'snapshot --scrub -o scrubbed.jsonl.gz' },
  ],
  flags,
  load: () => import('./run.ts'),
});
