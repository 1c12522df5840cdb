import { describe, expect, it } from 'vitest';
import { MINUTE, NOW, SECOND } from '../../test/builders.ts';
import type { Blocker, BlockerCause, BudgetNumbers } from './blocker.ts';
import { explain } from './explain.ts';
import type { Viewpoint } from './phrasing.ts';

const budget: BudgetNumbers = {
  namespace: 'shop',
  name: 'web',
  currentHealthy: 2,
  desiredHealthy: 2,
  expectedPods: 3,
  disruptionsAllowed: 0,
};
const pod = 'shop/web-1';
const owner = 'ReplicaSet/web';
const until = NOW + 125 * SECOND;
const out = ['a'];
const controller: Viewpoint = { of: 'Controller', node: 'worker-3', maintenance: 'p-worker-3', policy: 'p' };

// Exhaustive by type: a new cause does not compile without an example here.
const examples: { readonly [C in BlockerCause]: Omit<Extract<Blocker, { cause: C }>, 'cause'> } = {
  Paused: { because: 'lunch' },
  PolicyPaused: { policy: 'p' },
  PolicyMissing: { policy: 'p' },
  MaxNodes: { policy: 'p', limit: 1, out },
  GroupLimit: { policy: 'p', label: 'zone', value: 'a', limit: 2, out },
  NodeTaken: { by: 'worker-1-abc' },
  MinInterval: { policy: 'p', until },
  MassTrigger: { policy: 'p', matched: 9, selected: 10, limit: 5 },
  OutsideWindow: { policy: 'p', opensAt: until, timeZone: 'Europe/Amsterdam', because: '' },
  WindowTooShort: { policy: 'p', until, timeZone: 'UTC', expectMs: 90 * MINUTE, fitsAt: NOW + 1_440 * MINUTE },
  NoWindow: { policy: 'p', expectMs: 90 * MINUTE },
  ControlPlaneLimit: { policy: 'p', limit: 1, out },
  ClusterLimit: { limit: 3, out, group: 'zone=a' },
  BreakerOpen: { policy: 'p', since: NOW, failures: 2 },
  GateAsked: { policy: 'p', gate: 'prometheus[0]' },
  GateUnanswered: { policy: 'p', gate: 'prometheus[0]', message: 'https://prom has not answered within 10s', since: NOW },
  GatePods: { policy: 'p', gate: 'batch', node: 'worker-1', pods: ['shop/job-1'] },
  GateAlerts: { policy: 'p', gate: 'prometheus[0]', from: 'Prometheus', alerts: ['ApiDown'] },
  GateQuery: { policy: 'p', gate: 'errors', result: '{job="web"} 3' },
  GateHttp: { policy: 'p', gate: 'http[0]', found: 'https://status.example.com answers 503' },
  GateNotSettled: { policy: 'p', gate: 'settled', what: ['node a'], until: null },
  GateApproval: { policy: 'p', gate: 'approval', validForMs: 60 * MINUTE, stale: { by: 'ann', at: NOW } },
  BackOff: { until, attempt: 2, because: 'stood still' },
  BudgetExhausted: { pod, owner, budget },
  BudgetNeverAllows: { pod, owner, budget },
  BudgetNotComputed: { pod, owner, budget, message: 'found no controllers for pod "web"' },
  BudgetStale: { pod, owner, budget },
  SeveralBudgets: { pod, owner, budgets: ['shop/a', 'shop/b'] },
  ProtectedPod: { pod, owner: '', why: 'NoController' },
  WaitCompleted: { pod, owner, until },
  EarlierTier: { pod, tier: 'workload', remaining: 2 },
  Terminating: { pod, owner, until },
  TerminatingOverdue: { pod, owner, since: NOW - 40 * SECOND },
  Finalizer: { pod, finalizers: ['example.com/hold'] },
  NamespaceTerminating: { pod, message: 'terminating' },
  Throttled: { pod, until },
  Forbidden: { pod, message: 'pods "web-1" is forbidden' },
  EvictionRefused: { pod, message: 'denied by a webhook' },
  ApiUnavailable: { pod, message: 'no answer' },
  InFlight: { pod },
  NotYetSeen: { what: 'the pods of node n' },
  HandoverReleasing: { pod, owner },
  ReplacementMissing: { pod, owner },
  ReplacementNotReady: { pod, owner, replacement: 'shop/web-2', why: 'CrashLoopBackOff' },
  ReplacementNoRoom: { pod, owner, replacement: 'shop/web-2', message: '0/3 nodes' },
  ReplacementSettling: { pod, until },
  Unlisting: { pod, services: ['web'] },
  NotEmptyLongEnough: { until },
  VolumesAttached: { volumes: ['v-1'] },
  NotSettled: { owners: ['shop/ReplicaSet/web'], until },
  CannotReboot: { why: 'its status has no boot id' },
  RebootDelay: { until },
  WaitingForReboot: { pod, says: 'is running', until },
  StoppingReboot: { pod },
  NotReadyYet: { until },
  ConditionMissing: { type: 'Storage', status: 'True', until },
  DaemonSetNotUp: { pods: ['kube-system/cni-1'], until },
  HealthyFor: { until },
  HookRunning: { job: 'drover/drover-before-u-1', says: 'is running', until },
  ActRefused: { what: 'the creation of Pod drover/drover-reboot-u-1', message: 'no right' },
  DeletingNode: {},
  RebootFailed: { message: 'no new boot id within 15 min' },
  VerifyFailed: { message: 'the node is not Ready' },
  HookFailed: { message: 'Job drover/drover-before-u-1 has failed' },
  CordonFailed: { message: 'no right' },
  UndoFailed: { message: 'no right' },
};

const blockers = Object.entries(examples).map(([cause, fields]) => ({ cause, ...fields }) as Blocker);
const messageOf = (blocker: Blocker, now = NOW) => explain(blocker, now).message;

describe('every cause', () => {
  it.each(blockers.map((blocker) => [blocker.cause, blocker] as const))(
    '%s is explained in one line with what would end it',
    (_, blocker) => {
      const { message, unblock } = explain(blocker, NOW);
      expect(message).toMatch(/^\S.*[^\s.]$/);
      expect(unblock).toMatch(/^\S.*[^\s.]$|^time$/);
      expect(message + unblock).not.toMatch(/undefined|null|NaN|\[object|\n/);
    },
  );

  it.each(blockers.flatMap((blocker) => ('pod' in blocker ? [[blocker.cause, blocker] as const] : [])))(
    '%s names its pod',
    (_, blocker) => {
      expect(explain(blocker, NOW).pod).toBe(pod);
    },
  );

  it.each(blockers.flatMap((blocker) => ('owner' in blocker && blocker.owner ? [[blocker.cause, blocker] as const] : [])))(
    '%s names its owner',
    (_, blocker) => {
      expect(explain(blocker, NOW).owner).toBe(owner);
    },
  );

  it('says of those that a person has to end that they do not pass', () => {
    const lasting = blockers.filter((blocker) => !explain(blocker, NOW).passes).map((blocker) => blocker.cause);
    expect(lasting.sort()).toEqual([
      'ActRefused',
      'BreakerOpen',
      'BudgetNeverAllows',
      'BudgetNotComputed',
      'CannotReboot',
      'CordonFailed',
      'EvictionRefused',
      'Finalizer',
      'Forbidden',
      'GateApproval',
      'GateUnanswered',
      'HookFailed',
      'MassTrigger',
      'NoWindow',
      'Paused',
      'PolicyMissing',
      'PolicyPaused',
      'ProtectedPod',
      'RebootFailed',
      'SeveralBudgets',
      'TerminatingOverdue',
      'UndoFailed',
      'VerifyFailed',
    ]);
  });
});

describe('the sentences', () => {
  it('give a budget’s own numbers', () => {
    expect(messageOf({ cause: 'BudgetExhausted', pod, owner, budget })).toBe(
      'disruption budget shop/web allows no disruption now: 2 of 3 pods healthy, 2 needed, 0 disruptions allowed',
    );
  });

  it('do not say that a budget allows nothing where our own evictions take what it allows', () => {
    const taken = { ...budget, disruptionsAllowed: 1, currentHealthy: 3 };
    expect(messageOf({ cause: 'BudgetExhausted', pod, owner, budget: taken })).not.toContain('no disruption');
  });

  it('list at most three names', () => {
    const said = (names: readonly string[]) => messageOf({ cause: 'MaxNodes', policy: 'p', limit: 1, out: names });
    expect(said([])).toBe('policy p allows 1 node out at a time and none is out');
    expect(said(['a'])).toContain('and a is out');
    expect(said(['a', 'b', 'c'])).toContain('a, b, c are out');
    expect(said(['a', 'b', 'c', 'd', 'e'])).toContain('a, b, c and 2 more are out');
  });

  it.each([
    [0, '0s'],
    [1, '1s'],
    [59_000, '59s'],
    [MINUTE, '1m'],
    [125_000, '2m5s'],
    [60 * MINUTE, '1h'],
    [182 * MINUTE, '3h2m'],
    [-5_000, '0s'],
  ])('say %i ms as %s', (ms, text) => {
    expect(messageOf({ cause: 'MinInterval', policy: 'p', until: NOW + ms })).toMatch(new RegExp(`is in ${text}$`));
  });

  it('say when a grace has ended', () => {
    expect(messageOf({ cause: 'Terminating', pod, owner, until: NOW + SECOND })).toContain('ends in 1s');
    expect(messageOf({ cause: 'Terminating', pod, owner, until: NOW })).toContain('just ended');
  });

  const lifts = (by?: Viewpoint) =>
    (['NoController', 'EmptyDir', 'DaemonSet'] as const).map(
      (why) => explain({ cause: 'ProtectedPod', pod, owner, why }, NOW, by).unblock,
    );

  it('say of each kind of protected pod what lifts it', () => {
    expect(lifts()).toEqual([
      '`--force`, or `kubectl delete pod -n shop web-1`, or spec.drain.barePods: Evict in the policy',
      '`--delete-emptydir-data`, or spec.drain.emptyDir: Evict in the policy',
      '`--ignore-daemonsets`',
    ]);
  });

  it('name to a command line only what a command line can do', () => {
    expect(lifts({ of: 'CommandLine' }).join()).not.toContain('policy');
  });

  it('name to a maintenance no flags, and where its own copy of the drain is', () => {
    const [bare, emptyDir] = lifts(controller);
    expect(bare).toBe(
      '`kubectl delete pod -n shop web-1`, or spec.drain.barePods: Evict in NodeMaintenance p-worker-3; in policy p for the next ones',
    );
    expect(emptyDir).not.toContain('--');
  });

  it('name the node in the command that ends the wait', () => {
    expect(explain({ cause: 'Paused', because: '' }, NOW, controller).unblock).toBe('`drover resume worker-3`');
    expect(explain({ cause: 'PolicyMissing', policy: 'p' }, NOW, controller).unblock).toContain('`drover cancel worker-3`');
  });

  it('promise handover only to what can be handed over', () => {
    const unblock = (of: string) => explain({ cause: 'BudgetNeverAllows', pod, owner: of, budget }, NOW).unblock;
    expect(unblock('ReplicaSet/web')).toContain('handover');
    expect(unblock('StatefulSet/db')).not.toContain('handover');
  });

  it('keep of the scheduler’s words what says why', () => {
    const message =
      '0/6 nodes are available: 3 node(s) were unschedulable. no new claims to deallocate, preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.';
    expect(messageOf({ cause: 'ReplacementNoRoom', pod, owner, replacement: 'shop/web-2', message })).toBe(
      'its replacement shop/web-2 finds no node: 0/6 nodes are available: 3 node(s) were unschedulable',
    );
  });

  it('leave out what is not there', () => {
    expect(messageOf({ cause: 'Paused', because: '' })).toBe('it is paused');
    expect(messageOf({ cause: 'WaitCompleted', pod, owner, until: null })).toBe('the policy waits for it to complete');
    expect(messageOf({ cause: 'Unlisting', pod, services: [] })).not.toContain('Service');
    expect(messageOf({ cause: 'GroupLimit', policy: 'p', label: 'zone', value: '', limit: 1, out })).toContain('zone=(none)');
  });
});
