/** Is the node well again? Everything must hold, and must have held for a while, timed by Drover: a machine's own clock may be off after a reboot. */
import type { Millis } from '../lib/clock.ts';
import { done, failed, freshRecord } from './acting.ts';
import type { VerifySettings } from './action.ts';
import type { Blocker } from './blocker.ts';
import { explain } from './explain.ts';
import { gone } from './interruption.ts';
import { podKey } from './pods.ts';
import type { StepInput, StepResult } from './steps.ts';

export function verifying(input: StepInput): StepResult {
  const { maintenance, node, now } = input;
  const { action, state } = maintenance;
  if (!node) return gone(input, 'Failed');
  if (!action) return { phase: 'Undoing' };
  const acted = state.action ?? freshRecord(maintenance, now);
  const { healthySince, ...rest } = acted;
  const stay = (waitingFor: Blocker, wakeAt: Millis, change?: typeof acted): StepResult => ({
    phase: 'Verifying',
    waitingFor,
    wakeAt,
    ...(change && { change: { action: change } }),
  });
  const until = state.phaseSince + action.verify.readyTimeoutMs;
  const lacks = lacking(input, action.verify, until);
  if (lacks) {
    // Why it is not well is in the sentence; how long it might have waited no longer matters.
    if (now >= until)
      return failed(
        input,
        'VerifyFailed',
        `not verified in time: ${explain(lacks, until).message.replace(/ \(at most [^)]*\)$/, '')}`,
      );
    return stay(lacks, until, healthySince === undefined ? undefined : rest);
  }
  const rebootedAgain = rest.bootIdAfter !== undefined && node.bootId !== '' && node.bootId !== rest.bootIdAfter;
  if (healthySince === undefined || rebootedAgain) {
    const change = { ...rest, ...(rebootedAgain && { bootIdAfter: node.bootId }), healthySince: now };
    const holdsAt = now + action.verify.healthyForMs;
    return stay({ cause: 'HealthyFor', until: holdsAt }, holdsAt, change);
  }
  // The clock was set back meanwhile: what has begun has begun by now.
  const holdsAt = Math.min(healthySince, now) + action.verify.healthyForMs;
  if (now < holdsAt) return stay({ cause: 'HealthyFor', until: holdsAt }, holdsAt);
  return action.after && !maintenance.cancelled ? { phase: 'AfterHook', waitingFor: null } : done(input);
}

function lacking(input: StepInput, settings: VerifySettings, until: Millis): Blocker | null {
  const { node, world, needs } = input;
  if (!node?.ready) return { cause: 'NotReadyYet', until };
  for (const { type, status } of settings.requiredConditions)
    if (node.conditions.find((each) => each.type === type)?.status !== status)
      return { cause: 'ConditionMissing', type, status, until };
  if (!settings.daemonSetsUp) return null;
  needs.podsOf.add(node.name);
  const pods = world.podsOn(node.name);
  if (!pods) return { cause: 'NotYetSeen', what: `the pods of node ${node.name}` };
  const down = pods.filter((pod) => pod.owner?.kind === 'DaemonSet' && !pod.ready);
  return down.length > 0 ? { cause: 'DaemonSetNotUp', pods: down.map(podKey), until } : null;
}
