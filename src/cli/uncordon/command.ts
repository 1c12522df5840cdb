import { defineCommand, dryRunFlag, outputFlag } from '../command.ts';
import { type Flags, text, type Values } from '../flags.ts';

const flags = {
  selector: text('selector', 'The nodes with these labels.', { short: 'l' }),
  dryRun: dryRunFlag,
  output: outputFlag,
} as const satisfies Flags;

export type UncordonFlags = Values<typeof flags>;

export const uncordonCommand = defineCommand({
  name: 'uncordon',
  summary: 'Put nodes back into service and undo what a drain left on them',
  arguments: 'NODE... | -l SELECTOR',
  description: [
    'Makes the nodes schedulable again, gives handed-over pods back to their owners and removes what drover wrote on the nodes. A cordon that someone else has set goes, too: that is what the command is for.',
    'A node that the controller works on is refused: it would cordon the node again. drover cancel ends its work.',
  ],
  examples: [{ does: 'Put a node back', line: 'uncordon worker-1' }],
  flags,
  load: () => import('./run.ts'),
});
