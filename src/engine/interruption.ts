/** What stops a maintenance midway, and what can be seen on its node of what it has done there. */
import type { Millis } from '../lib/clock.ts';
import { AGENT, isCommandLine, readJournal } from './journal.ts';
import type { Phase } from './maintenance.ts';
import type { StepInput, StepResult } from './steps.ts';

export const gone = (input: StepInput, phase: Phase): StepResult => ({
  phase,
  change: { finishedAt: input.now, message: `node ${input.maintenance.nodeName} is gone` },
  waitingFor: null,
});

/** Why it should not go on; null while it should. */
export function unwanted({ maintenance, cause }: StepInput): string | null {
  if (maintenance.cancelled) return 'cancelled';
  if (!cause) return 'the reason no longer holds';
  return null;
}

export function isOurs(input: StepInput): boolean {
  return input.node !== undefined && readJournal(input.node)?.by === input.maintenance.id;
}

// An answered patch shows within a second; after so long the watch is taken to be broken.
const UNSEEN_MS = 30_000;

/** Until when a patch of the node may still show: cancelled in that moment, the node would be left closed by nobody. */
export function unseenUntil({ node, world, now }: StepInput): Millis | null {
  const attempt = node && world.nodeAttempts?.get(node.name);
  if (attempt?.version !== node?.resourceVersion || !attempt || attempt.answer === 'Conflict') return null;
  const until = attempt.inFlight ? now + UNSEEN_MS : attempt.retryAt + UNSEEN_MS;
  return now < until ? until : null;
}

/** Why the last patch of the node failed; null when it did not. */
export function patchFailure({ node, world }: StepInput): string | null {
  return (node && world.nodeAttempts?.get(node.name)?.failed) ?? null;
}

/** What stops Draining and Settling alike. */
export function interruption(input: StepInput): StepResult | null {
  const { maintenance, node } = input;
  if (!node)
    return {
      ...gone(input, 'Drained'),
      change: { drainedAt: input.now, finishedAt: input.now, message: `node ${maintenance.nodeName} is gone` },
    };
  const because = unwanted(input);
  if (because) return { phase: 'Undoing', change: { message: because } };
  if (maintenance.paused) return { phase: 'Undoing', change: { message: maintenance.pausedBecause || 'paused' } };
  const heir = takenOverBy(input);
  if (heir !== null)
    return { phase: 'Cancelled', change: { finishedAt: input.now, message: `NodeMaintenance ${heir} has taken the node over` } };
  if (wasUncordoned(input))
    return { phase: 'Undoing', change: { message: UNCORDONED }, nodeEffect: { do: 'Pause', because: UNCORDONED } };
  return null;
}

/**
 * The controller may want a node that `drover drain` has in hand. It takes it over, and the command lets go: both would otherwise
 * write their journal over the other's without end.
 */
function takenOverBy({ maintenance, node }: StepInput): string | null {
  const by = (node && readJournal(node)?.by) ?? '';
  // The node's agent is the last resort: it lets go of whoever else comes, a person's `drover drain` too.
  const yields = maintenance.id.startsWith(AGENT) ? by !== maintenance.id : isCommandLine(maintenance.id) && !isCommandLine(by);
  return yields && by !== '' ? by : null;
}

export const UNCORDONED = 'the node was uncordoned by someone else';

export function wasUncordoned({ maintenance, node }: StepInput): boolean {
  const journal = node && readJournal(node);
  return journal?.by === maintenance.id && journal.stage === 'Cordoned' && !node?.unschedulable;
}

export function isCordoned(input: StepInput): boolean {
  const journal = input.node && readJournal(input.node);
  return input.node?.unschedulable === true && journal?.by === input.maintenance.id && journal.stage === 'Cordoned';
}
