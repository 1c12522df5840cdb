import { defineCommand } from '../../command.ts';
import { type Flags, integer, text, type Values } from '../../flags.ts';
import { METADATA_PORT } from '../metadata/command.ts';

const flags = {
  node: text('name', 'Whom it is about: with azure, the name that the agent has as --azure-resource.'),
  in: integer('seconds', 'When the machine is touched.', 120, 0),
  url: text('url', 'Where `drover sim metadata` serves.', { shown: `http://127.0.0.1:${METADATA_PORT}` }),
} as const satisfies Flags;

export type EventFlags = Values<typeof flags>;

export const eventCommand = defineCommand({
  name: 'sim event',
  summary: 'Let something happen to a machine in those metadata services',
  arguments: 'azure|aws|gcp KIND',
  description: [
    'azure: Preempt, Reboot, Redeploy, Terminate, Freeze, Start, Clear. aws: Spot, Rebalance, Reboot, Stop, Retirement, Maintenance, AutoscalingTermination, Clear. gcp: Preempt, Migrate, Terminate, Maintenance, Clear.',
  ],
  examples: [
    { does: 'A spot notice of AWS that leaves 50 seconds', line: 'sim event aws Spot --in 50' },
    { does: 'It is over', line: 'sim event aws Clear' },
  ],
  flags,
  load: () => import('./run.ts'),
});
