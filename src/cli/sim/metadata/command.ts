import { defineCommand } from '../../command.ts';
import { type Flags, integer, type Values } from '../../flags.ts';

/** Of `drover sim metadata`, and where `drover sim event` looks for it. */
export const METADATA_PORT = 17_924;

const flags = {
  port: integer('port', 'Port on 127.0.0.1; 0 takes a free one.', METADATA_PORT, 0),
} as const satisfies Flags;

export type MetadataFlags = Values<typeof flags>;

export const metadataCommand = defineCommand({
  name: 'sim metadata',
  summary: 'Serve the metadata services of three clouds, to try the agent on',
  description: [
    'Answers as the clouds do, until Ctrl-C. An agent uses it with --metadata-url and --cloud; `drover sim event` lets something happen in it.',
  ],
  examples: [
    { does: 'Serve them', line: 'sim metadata' },
    {
      does: 'And an agent beside it',
      line: 'agent --node-name node-1 --cloud aws --metadata-url http://127.0.0.1:17924 --log-format text',
    },
  ],
  flags,
  load: () => import('./run.ts'),
});
