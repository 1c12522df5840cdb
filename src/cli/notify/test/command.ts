import { defineCommand, outputFlag } from '../../command.ts';
import { type Flags, text, type Values } from '../../flags.ts';

const flags = {
  policy: text('name', 'Only the channels of this policy.'),
  channel: text('name', 'Only channels of this name.'),
  config: text('file', "The controller's configuration: its channels, and with --policy those of the policy, too."),
  output: outputFlag,
} as const satisfies Flags;

export type NotifyTestFlags = Values<typeof flags>;

export const notifyTestCommand = defineCommand({
  name: 'notify test',
  summary: 'Send a test message through each channel and show what its service answers',
  description: [
    'Sends one message that says that it is a test through every channel of every policy, or of the configuration. Each is tried once; secrets are read with your own rights.',
    'The exit code is 1 when one of them was not delivered.',
  ],
  examples: [
    { does: 'Every channel of every policy', line: 'notify test' },
    { does: 'One channel of one policy', line: 'notify test --policy nightly --channel ops' },
    { does: 'What the controller would use, before it is rolled out', line: 'notify test --config drover.yaml' },
  ],
  flags,
  load: () => import('./run.ts'),
});
