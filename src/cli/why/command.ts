import { defineCommand, outputFlag } from '../command.ts';
import type { Flags, Values } from '../flags.ts';

const flags = { output: outputFlag } as const satisfies Flags;

export type WhyFlags = Values<typeof flags>;

export const whyCommand = defineCommand({
  name: 'why',
  summary: 'Explain why a node is, or is not, being drained, and what it waits for',
  arguments: 'NODE',
  description: [
    'Names the policy and the reason, every pod that has not left with the budget and the owner that keep it, since when, and what would unblock it. For a node that nothing is done about: which policies select it and why none of their reasons matches.',
  ],
  examples: [{ does: 'What does worker-1 wait for?', line: 'why worker-1' }],
  flags,
  load: () => import('./run.ts'),
});
