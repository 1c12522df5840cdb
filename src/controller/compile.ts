/** Resources as people write them -> what the engine and the reasons read: durations in milliseconds, limits parsed. */
import { parseLimit } from '../api/int-or-percent.ts';
import { parseDuration } from '../api/duration.ts';
import type { DrainSpec, MaintenancePolicy, NodeMaintenance, Reason } from '../api/resources.ts';
import { annotations } from '../api/names.ts';
import type { LabelSelector } from '../api/objects.ts';
import type { AdmissionPolicy } from '../engine/admission.ts';
import type { Maintenance, MaintenanceState } from '../engine/maintenance.ts';
import { applyProfile } from '../engine/deadline-profile.ts';
import { actedOf, type ActingNamespaces, compileAction } from './compile-action.ts';
import { compileSchedule, type Schedule } from '../engine/schedule/schedule.ts';
import type { BreakerRule } from '../engine/gates/breaker.ts';
import { defaultDrainSettings, type DrainSettings } from '../engine/settings.ts';
import type { Millis } from '../lib/clock.ts';
import { compileNodeExpression } from '../api/node-expression.ts';
import type { DriftMatch } from '../api/reason.ts';
import type { DriftRule, VersionRule } from '../reasons/drift.ts';
import type { ReasonRule } from '../reasons/reason.ts';
import { compileGates } from './gates/compile-gates.ts';
import { markOf } from './gates/marks.ts';

export interface Policy {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly selector: LabelSelector;
  readonly reasons: readonly ReasonRule[];
  readonly priority: number;
  readonly source: MaintenancePolicy;
  readonly schedule: Schedule | null;
  /** With `finishInside`: what a drain is taken to last at least; null without. */
  readonly expectMs: Millis | null;
  readonly limits: Pick<
    AdmissionPolicy,
    'name' | 'paused' | 'maxNodes' | 'perGroup' | 'minIntervalMs' | 'massTrigger' | 'controlPlane' | 'gates'
  >;
  /** null: it has none. */
  readonly breaker: BreakerRule | null;
}

type WrittenSelector = {
  matchLabels?: Record<string, string>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
};

function compileSelector(selector: WrittenSelector): LabelSelector {
  return {
    matchLabels: selector.matchLabels ?? {},
    matchExpressions: (selector.matchExpressions ?? []).map(({ key, operator, values }) => ({
      key,
      operator: operator as 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
      values: values ?? [],
    })),
  };
}

/** @throws RangeError for a schedule that `parsePolicy` would refuse */
export function compilePolicy(policy: MaintenancePolicy): Policy {
  const { metadata, spec } = policy;
  const { schedule } = spec;
  const { breaker } = spec.disruption;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    selector: compileSelector(spec.nodeSelector),
    reasons: spec.reasons.map(compileReason),
    priority: spec.priority,
    source: policy,
    schedule: schedule ? compileSchedule(schedule) : null,
    expectMs: schedule?.finishInside ? parseDuration(schedule.expect ?? '0s') : null,
    limits: {
      name: metadata.name,
      paused: spec.paused,
      maxNodes: parseLimit(spec.disruption.maxNodes),
      perGroup: spec.disruption.perGroup.map(({ label, maxNodes }) => ({ label, maxNodes: parseLimit(maxNodes) })),
      minIntervalMs: parseDuration(spec.disruption.minInterval),
      massTrigger: parseLimit(spec.disruption.massTrigger),
      controlPlane: parseLimit(spec.disruption.controlPlane),
      gates: compileGates(spec.gates),
    },
    breaker: breaker ? { failures: breaker.failures, withinMs: parseDuration(breaker.within) } : null,
  };
}

function compileReason({ before, ...reason }: Reason): ReasonRule {
  const common = before === undefined ? {} : { beforeMs: parseDuration(before) };
  switch (reason.type) {
    case 'Condition': {
      const { type, status, for: held } = reason.condition;
      return { ...reason, condition: { type, status, forMs: parseDuration(held) } };
    }
    case 'Age':
      return { ...reason, age: { maxAgeMs: parseDuration(reason.age.maxAge), jitterMs: parseDuration(reason.age.jitter) } };
    case 'Drift':
      return { ...reason, drift: compileDrift(reason.drift) };
    default:
      return { ...reason, ...common };
  }
}

/** @throws SyntaxError for an expression that `parsePolicy` would refuse */
function compileDrift({ version, label, expression }: DriftMatch): DriftRule {
  if (label) return { label };
  if (expression !== undefined) return { expression, isDrifted: compileNodeExpression(expression) };
  return { version: version as VersionRule }; // the schema's rules have made it one
}

export function compileDrain(spec: DrainSpec): DrainSettings {
  return {
    ...(spec.gracePeriodSeconds !== undefined && { graceSeconds: spec.gracePeriodSeconds }),
    handover: spec.handover,
    handoverTimeoutMs: parseDuration(spec.handoverTimeout),
    unlist: spec.unlist,
    emptyDir: spec.emptyDir,
    barePods: spec.barePods,
    daemonSets: spec.daemonSets,
    rules: spec.rules.map((rule) => ({
      podSelector: compileSelector(rule.podSelector),
      ...(rule.namespaces && { namespaces: rule.namespaces }),
      do: rule.do,
      ...(rule.order !== undefined && { order: rule.order }),
      ...(rule.maxWait !== undefined && { maxWaitMs: parseDuration(rule.maxWait) }),
    })),
    ...(spec.deadline !== undefined && { deadlineMs: parseDuration(spec.deadline) }),
    ladder: spec.ladder.map((step) => ({
      afterMs: parseDuration(step.after),
      do: step.do,
      ...(step.graceSeconds !== undefined && { graceSeconds: step.graceSeconds }),
    })),
    stepAsideMs: parseDuration(spec.stepAside),
    attempts: spec.attempts,
    retryAfterMs: parseDuration(spec.retryAfter),
    emptyForMs: parseDuration(spec.emptyFor),
    waitForVolumes: spec.waitForVolumes,
    settleTimeoutMs: spec.settle.enabled ? parseDuration(spec.settle.timeout) : null,
    excludeFromLoadBalancers: spec.excludeFromLoadBalancers,
    disableEviction: false,
  };
}

/** The parts of a NodeMaintenance that do not change with its status, compiled once per generation. */
export type CompiledSpec = Omit<Maintenance, 'state' | 'memory' | 'recorded'>;

export function compileMaintenance({ metadata, spec }: NodeMaintenance, namespaces: ActingNamespaces): CompiledSpec {
  const { notice } = spec;
  const since = notice?.since === undefined ? undefined : Date.parse(notice.since);
  const drain = compileDrain(spec.drain);
  const action = compileAction(metadata.uid ?? '', spec, namespaces);
  const approval = markOf(metadata, annotations.approved);
  return {
    id: metadata.name,
    nodeName: spec.nodeName,
    policy: spec.policy ?? null,
    reasonType: spec.reason.type,
    reason: spec.reason.message,
    priority: spec.priority,
    settings: notice && notice.profile !== 'Ordinary' ? applyProfile(drain, notice.profile, since) : drain,
    handBack: spec.handBack,
    paused: spec.paused,
    pausedBecause: spec.pausedBecause ?? '',
    // Deleting the object is the other way to cancel: its finalizer lets the node be handed back first.
    cancelled: spec.cancelled || metadata.deletionTimestamp !== undefined,
    runNow: spec.runNow,
    createdAt: Date.parse(metadata.creationTimestamp ?? '') || 0,
    ...(spec.deadline !== undefined && { goneAt: Date.parse(spec.deadline) }),
    ...(notice && {
      notice: {
        kind: notice.kind,
        id: notice.id,
        revocable: notice.revocable,
        ...(notice.heldUntil !== undefined && { heldUntil: Date.parse(notice.heldUntil) }),
      },
    }),
    ...(action && { action }),
    ...(approval && { approval }),
  };
}

/** The maintenance of an object that is gone: it only takes back what that one has left on the node. */
export function leftBehind(id: string, nodeName: string, now: Millis): CompiledSpec {
  return {
    id,
    nodeName,
    policy: null,
    reasonType: 'Manual',
    reason: 'left behind',
    priority: 0,
    settings: defaultDrainSettings,
    handBack: 'WhenCauseClears',
    paused: false,
    pausedBecause: '',
    cancelled: true,
    runNow: false,
    createdAt: now,
  };
}

export function stateOf({ metadata, status }: NodeMaintenance): MaintenanceState {
  const time = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  const [startedAt, drainedAt, finishedAt, retryAt] = [
    status?.startedAt,
    status?.drainedAt,
    status?.finishedAt,
    status?.retryAt,
  ].map(time);
  return {
    phase: status?.phase ?? 'Pending',
    phaseSince: time(status?.phaseSince) ?? (Date.parse(metadata.creationTimestamp ?? '') || 0),
    attempts: status?.attempts ?? 0,
    ...(startedAt !== undefined && { startedAt }),
    ...(drainedAt !== undefined && { drainedAt }),
    ...(finishedAt !== undefined && { finishedAt }),
    ...(retryAt !== undefined && { retryAt }),
    ...(status?.message !== undefined && { message: status.message }),
    ...(status?.action && { action: actedOf(status.action) }),
  };
}
