/** The status of policies: how many nodes they select, want, work on and have done, and why nothing more starts. Written seldom. */
import { GROUP_VERSION } from '../api/names.ts';
import type { Condition, MaintenancePolicy, MaintenancePolicyStatus } from '../api/resources.ts';
import type { FieldError } from '../api/validate.ts';
import type { Decision } from '../engine/decide.ts';
import { explain } from '../engine/explain.ts';
import { isoSeconds } from '../engine/journal.ts';
import { activePhases, terminalPhases } from '../engine/maintenance.ts';
import { KubeError, type KubeClient, pathOf } from '../kube/client.ts';
import { MERGE_PATCH } from '../kube/patch.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { BREAKER_OPEN } from './gates/breakers.ts';
import type { Matcher } from './matcher.ts';

export interface PolicyStatusWriter {
  /**
   * From the watch. @param errors why it cannot be read; none: it can
   * @param inForce one of its name is: this one, or one from before that could be read
   */
  see(policy: MaintenancePolicy, errors: readonly FieldError[], inForce: boolean): void;
  forget(name: string): void;
  update(decisions: readonly Decision[], now: Millis): void;
  stop(): void;
}

export interface PolicyStatusOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly mayAct: () => boolean;
  readonly matcher: Matcher;
  /** Its condition BreakerOpen; null: the policy has no breaker. */
  readonly breaker: (policy: string) => Condition | null;
}

// Numbers for people, not for programs: a drain of half a minute is worth one or two writes of its policy, not one per phase.
const EVERY_MS = 15_000;

export function createPolicyStatus({ client, clock, log, mayAct, matcher, breaker }: PolicyStatusOptions): PolicyStatusWriter {
  const policies = new Map<string, Known>();
  let latest: { decisions: readonly Decision[]; now: Millis } | undefined;
  let cancel: (() => void) | null = null;

  const write = async () => {
    cancel = null;
    if (!latest || !mayAct()) return;
    const next = summarise(latest.decisions, latest.now);
    for (const [name, entry] of policies) {
      const status: MaintenancePolicyStatus = {
        observedGeneration: entry.generation,
        ...matcher.counts(name),
        ...(next.get(name) ?? idle),
        conditions: conditionsOf(entry, breaker(name), latest.now),
      };
      if (JSON.stringify(status) === JSON.stringify(entry.written)) continue;
      const body = { status: { waitingFor: null, ...status } };
      try {
        await client.json({
          method: 'PATCH',
          path: `/apis/${GROUP_VERSION}/maintenancepolicies${pathOf(name, 'status')}`,
          contentType: MERGE_PATCH,
          body,
        });
        entry.written = status;
        entry.conditions = status.conditions ?? [];
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (error.code !== 404) log.warn(`cannot write the status of maintenancepolicy ${name}: ${error.message}`);
      }
    }
  };

  return {
    see({ metadata, status }, errors, inForce) {
      // What another leader has written meanwhile is not what this one remembers.
      const written = mayAct() ? policies.get(metadata.name)?.written : undefined;
      const conditions = written?.conditions ?? status?.conditions ?? [];
      policies.set(metadata.name, { generation: metadata.generation ?? 0, written, conditions, errors, inForce });
    },
    forget: (name) => void policies.delete(name),
    update(decisions, now) {
      latest = { decisions, now };
      cancel ??= clock.after(EVERY_MS, () => {
        write().catch((error: unknown) => log.error(`unexpected: ${String(error)}`));
      });
    },
    stop: () => cancel?.(),
  };
}

interface Known {
  readonly generation: number;
  written: MaintenancePolicyStatus | undefined;
  /** As they stand on the object. */
  conditions: readonly Condition[];
  readonly errors: readonly FieldError[];
  readonly inForce: boolean;
}

const READY = 'Ready';
const MAX_MESSAGE = 4_096;

function conditionsOf({ generation, conditions, errors, inForce }: Known, breaker: Condition | null, now: Millis): Condition[] {
  const before = conditions.find(({ type }) => type === READY);
  const unreadable = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  const status = errors.length === 0 ? 'True' : 'False';
  const ready: Condition = {
    type: READY,
    status,
    observedGeneration: generation,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : isoSeconds(now),
    reason: errors.length === 0 ? 'Accepted' : 'Unreadable',
    message:
      errors.length === 0
        ? ''
        : `it cannot be read, and ${inForce ? 'what was written before holds' : 'nothing is done for it'}: ${unreadable}`.slice(
            0,
            MAX_MESSAGE,
          ),
  };
  const others = conditions.filter(({ type }) => type !== READY && type !== BREAKER_OPEN);
  return [...others, ready, ...(breaker ? [breaker] : [])];
}

type Counts = Pick<MaintenancePolicyStatus, 'active' | 'waiting' | 'done' | 'waitingFor'>;
const idle: Counts = { active: 0, waiting: 0, done: 0 };

function summarise(decisions: readonly Decision[], now: Millis): Map<string, Counts> {
  const counts = new Map<string, Required<Omit<Counts, 'waitingFor'>> & { waitingFor?: string }>();
  for (const { maintenance, phase, waitingFor } of decisions) {
    if (maintenance.policy === null || terminalPhases.has(phase)) continue;
    let entry = counts.get(maintenance.policy);
    if (!entry) counts.set(maintenance.policy, (entry = { active: 0, waiting: 0, done: 0 }));
    if (activePhases.has(phase)) entry.active += 1;
    else if (phase === 'Drained') entry.done += 1;
    else entry.waiting += 1;
    if (phase === 'Pending' && waitingFor)
      entry.waitingFor ??=
        `${'policy' in waitingFor ? '' : `node ${maintenance.nodeName}: `}${explain(waitingFor, now).message}`.slice(0, 1024);
  }
  return counts;
}
