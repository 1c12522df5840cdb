/** Decisions and blockers for the tests of what the controller tells. */
import { aMaintenance, aPod, NOW } from '../../../test/builders.ts';
import type { Blocker, BlockerCause, BudgetNumbers } from '../../engine/blocker.ts';
import type { Decision } from '../../engine/decide.ts';
import type { PodReport } from '../../engine/drain.ts';
import type { MaintenanceState, Phase } from '../../engine/maintenance.ts';

/** A step from one phase to another, or a stay in it. */
export function aDecision(
  from: Phase,
  to: Phase = from,
  overrides: Partial<Decision> & { readonly state?: Partial<MaintenanceState> } = {},
): Decision {
  const { state, ...rest } = overrides;
  return {
    maintenance: aMaintenance({ reason: 'kernel update', policy: 'kernels', state: { phase: from, ...state } }),
    phase: to,
    cause: true,
    pods: null,
    remaining: null,
    ...rest,
  };
}

export function aReport(name: string, overrides: Partial<PodReport> = {}): PodReport {
  return { pod: aPod({ name }), tier: 'workload', state: 'Waiting', ...overrides };
}

export const budget: BudgetNumbers = {
  namespace: 'shop',
  name: 'web',
  currentHealthy: 2,
  desiredHealthy: 2,
  expectedPods: 3,
  disruptionsAllowed: 0,
};

const pod = { pod: 'shop/web-1' };
const owned = { ...pod, owner: 'ReplicaSet/web' };

/** One of each cause. */
export const everyBlocker: { readonly [C in BlockerCause]: Extract<Blocker, { cause: C }> } = {
  Paused: { cause: 'Paused', because: '' },
  PolicyPaused: { cause: 'PolicyPaused', policy: 'kernels' },
  PolicyMissing: { cause: 'PolicyMissing', policy: 'kernels' },
  MaxNodes: { cause: 'MaxNodes', policy: 'kernels', limit: 1, out: ['node-2'] },
  GroupLimit: { cause: 'GroupLimit', policy: 'kernels', label: 'zone', value: 'a', limit: 1, out: ['node-2'] },
  NodeTaken: { cause: 'NodeTaken', by: 'worker-1-abc' },
  MinInterval: { cause: 'MinInterval', policy: 'kernels', until: NOW + 60_000 },
  MassTrigger: { cause: 'MassTrigger', policy: 'kernels', matched: 8, selected: 10, limit: 5 },
  OutsideWindow: { cause: 'OutsideWindow', policy: 'kernels', opensAt: NOW + 3_600_000, timeZone: 'UTC', because: '' },
  WindowTooShort: {
    cause: 'WindowTooShort',
    policy: 'kernels',
    until: NOW + 60_000,
    timeZone: 'UTC',
    expectMs: 120_000,
    fitsAt: NOW + 86_400_000,
  },
  NoWindow: { cause: 'NoWindow', policy: 'kernels', expectMs: 120_000 },
  ControlPlaneLimit: { cause: 'ControlPlaneLimit', policy: 'kernels', limit: 1, out: ['control-1'] },
  ClusterLimit: { cause: 'ClusterLimit', limit: 3, out: ['node-2'], group: null },
  BreakerOpen: { cause: 'BreakerOpen', policy: 'kernels', since: NOW, failures: 2 },
  GateAsked: { cause: 'GateAsked', policy: 'kernels', gate: 'prometheus[0]' },
  GateUnanswered: { cause: 'GateUnanswered', policy: 'kernels', gate: 'prometheus[0]', message: 'no answer', since: NOW },
  GatePods: { cause: 'GatePods', policy: 'kernels', gate: 'batch', node: 'node-1', pods: ['shop/job-1'] },
  GateAlerts: { cause: 'GateAlerts', policy: 'kernels', gate: 'prometheus[0]', from: 'Prometheus', alerts: ['ApiDown'] },
  GateQuery: { cause: 'GateQuery', policy: 'kernels', gate: 'errors', result: '{job="web"} 3' },
  GateHttp: { cause: 'GateHttp', policy: 'kernels', gate: 'http[0]', found: 'https://status.example.com answers 503' },
  GateNotSettled: { cause: 'GateNotSettled', policy: 'kernels', gate: 'settled', what: ['node node-2'], until: null },
  GateApproval: { cause: 'GateApproval', policy: 'kernels', gate: 'approval', validForMs: 3_600_000, stale: null },
  BackOff: { cause: 'BackOff', until: NOW + 60_000, attempt: 1, because: 'no pod could leave' },
  BudgetExhausted: { cause: 'BudgetExhausted', ...owned, budget },
  BudgetNeverAllows: { cause: 'BudgetNeverAllows', ...owned, budget },
  BudgetNotComputed: { cause: 'BudgetNotComputed', ...owned, budget, message: 'found no controllers for pod' },
  BudgetStale: { cause: 'BudgetStale', ...owned, budget },
  SeveralBudgets: { cause: 'SeveralBudgets', ...owned, budgets: ['shop/web', 'shop/all'] },
  ProtectedPod: { cause: 'ProtectedPod', ...owned, why: 'NoController' },
  WaitCompleted: { cause: 'WaitCompleted', ...owned, until: null },
  EarlierTier: { cause: 'EarlierTier', ...pod, tier: 'workload', remaining: 2 },
  Terminating: { cause: 'Terminating', ...owned, until: NOW + 30_000 },
  TerminatingOverdue: { cause: 'TerminatingOverdue', ...owned, since: NOW - 60_000 },
  Finalizer: { cause: 'Finalizer', ...pod, finalizers: ['example.com/keep'] },
  NamespaceTerminating: { cause: 'NamespaceTerminating', ...pod, message: 'being deleted' },
  Throttled: { cause: 'Throttled', ...pod, until: NOW + 5_000 },
  Forbidden: { cause: 'Forbidden', ...pod, message: 'not allowed' },
  EvictionRefused: { cause: 'EvictionRefused', ...pod, message: 'no' },
  ApiUnavailable: { cause: 'ApiUnavailable', ...pod, message: 'no answer' },
  InFlight: { cause: 'InFlight', ...pod },
  NotYetSeen: { cause: 'NotYetSeen', what: 'the pods of node node-1' },
  HandoverReleasing: { cause: 'HandoverReleasing', ...owned },
  ReplacementMissing: { cause: 'ReplacementMissing', ...owned },
  ReplacementNotReady: { cause: 'ReplacementNotReady', ...owned, replacement: 'shop/web-2', why: 'Pending' },
  ReplacementNoRoom: { cause: 'ReplacementNoRoom', ...owned, replacement: 'shop/web-2', message: '0/3 nodes are available' },
  ReplacementSettling: { cause: 'ReplacementSettling', ...pod, until: NOW + 1_000 },
  Unlisting: { cause: 'Unlisting', ...pod, services: ['web'] },
  NotEmptyLongEnough: { cause: 'NotEmptyLongEnough', until: NOW + 5_000 },
  VolumesAttached: { cause: 'VolumesAttached', volumes: ['pv-1'] },
  NotSettled: { cause: 'NotSettled', owners: ['shop/ReplicaSet/web'], until: NOW + 600_000 },
  CannotReboot: { cause: 'CannotReboot', why: 'its status has no boot id' },
  RebootDelay: { cause: 'RebootDelay', until: NOW + 60_000 },
  WaitingForReboot: { cause: 'WaitingForReboot', pod: 'drover/drover-reboot-u-1', says: 'is running', until: NOW + 900_000 },
  StoppingReboot: { cause: 'StoppingReboot', pod: 'drover/drover-reboot-u-1' },
  NotReadyYet: { cause: 'NotReadyYet', until: NOW + 600_000 },
  ConditionMissing: { cause: 'ConditionMissing', type: 'Storage', status: 'True', until: NOW + 600_000 },
  DaemonSetNotUp: { cause: 'DaemonSetNotUp', pods: ['kube-system/cni-1'], until: NOW + 600_000 },
  HealthyFor: { cause: 'HealthyFor', until: NOW + 30_000 },
  HookRunning: { cause: 'HookRunning', job: 'drover/drover-before-u-1', says: 'is running', until: NOW + 600_000 },
  ActRefused: { cause: 'ActRefused', what: 'the creation of Pod drover/drover-reboot-u-1', message: 'no' },
  DeletingNode: { cause: 'DeletingNode' },
  RebootFailed: { cause: 'RebootFailed', message: 'no new boot id' },
  VerifyFailed: { cause: 'VerifyFailed', message: 'not Ready' },
  HookFailed: { cause: 'HookFailed', message: 'no' },
  CordonFailed: { cause: 'CordonFailed', message: 'no' },
  UndoFailed: { cause: 'UndoFailed', message: 'no' },
};
