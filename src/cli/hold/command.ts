/** pause, resume, cancel and run-now: the ways of a person into the work of the controller. One patch of the spec each. */
import { type AnyCommand, defineCommand, dryRunFlag, outputFlag } from '../command.ts';
import { type Flags, text, type Values } from '../flags.ts';

const flags = { dryRun: dryRunFlag, output: outputFlag } as const satisfies Flags;
const pauseFlags = {
  ...flags,
  reason: text('text', 'Why, for the people who look at it; default: who has paused it.'),
} as const satisfies Flags;

export type HoldFlags = Values<typeof flags>;
export type PauseFlags = Values<typeof pauseFlags>;

const targets = 'A NODE stands for its maintenance; maintenance/NAME names one directly.';

export const pauseCommand: AnyCommand = defineCommand({
  name: 'pause',
  summary: 'Stop the maintenance of a node and hand it back, or let a policy start nothing new',
  arguments: 'NODE... | policy/NAME...',
  description: [
    `Sets spec.paused. A paused node is handed back until it is resumed; a paused policy starts nothing new. ${targets}`,
  ],
  examples: [
    { does: 'Not now: the node is needed', line: 'pause worker-1 --reason "quarter end"' },
    { does: 'Start nothing new for a policy', line: 'pause policy/kernel-updates' },
  ],
  flags: pauseFlags,
  load: async () => ({ run: (await import('./run.ts')).pause }),
});

export const resumeCommand: AnyCommand = defineCommand({
  name: 'resume',
  summary: 'Let a paused maintenance or policy go on',
  arguments: 'NODE... | policy/NAME...',
  description: [`Takes spec.paused back, and closes the breaker of a policy (spec.disruption.breaker). ${targets}`],
  examples: [
    { does: 'Go on', line: 'resume worker-1' },
    { does: 'The failures have been looked at', line: 'resume policy/kernel-updates' },
  ],
  flags,
  load: async () => ({ run: (await import('./run.ts')).resume }),
});

export const approveCommand: AnyCommand = defineCommand({
  name: 'approve',
  summary: 'Let a node start whose policy asks for an approval',
  arguments: 'NODE... | policy/NAME...',
  description: [
    `Writes who has approved it and when (annotation drover.dev/approved). It is good for as long as spec.gates.approval.validFor of the policy says; every other gate and limit holds. policy/NAME approves all nodes of the policy that start within that time. ${targets}`,
  ],
  examples: [
    { does: 'This node may go', line: 'approve worker-1' },
    { does: 'So may all that wait for this policy', line: 'approve policy/kernel-updates' },
  ],
  flags,
  load: async () => ({ run: (await import('./run.ts')).approve }),
});

export const cancelCommand: AnyCommand = defineCommand({
  name: 'cancel',
  summary: 'End the maintenance of a node and undo what it changed',
  arguments: 'NODE...',
  description: [
    `Sets spec.cancelled: the node is uncordoned, handed-over pods are given back, and the maintenance ends. It cannot be taken back. While the reason lasts, the node is then left alone; delete the ended NodeMaintenance to have it drained again. ${targets}`,
  ],
  examples: [{ does: 'Give the node back', line: 'cancel worker-1' }],
  flags,
  load: async () => ({ run: (await import('./run.ts')).cancel }),
});

export const runNowCommand: AnyCommand = defineCommand({
  name: 'run-now',
  summary: 'Drain a node that waits for a maintenance window without waiting for it',
  arguments: 'NODE...',
  description: [
    `Sets spec.runNow: the windows of its policy do not hold the node back any more. Every other limit holds: how many nodes may be out, pauses, disruption budgets. ${targets}`,
  ],
  examples: [{ does: 'Not only on Saturday: now', line: 'run-now worker-1' }],
  flags,
  load: async () => ({ run: (await import('./run.ts')).runNow }),
});
