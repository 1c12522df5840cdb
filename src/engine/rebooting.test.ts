import { describe, expect, it } from 'vitest';
import { aCordonedNode, aNode, aWorld, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { type Situation, step } from '../../test/deciding.ts';
import type { OneShot } from '../api/objects.ts';
import { type Acted, type Action, defaultReboot, defaultVerify } from './action.ts';
import type { StepResult } from './steps.ts';
import type { RunAttempt } from './world.ts';

const action: Action = {
  kind: 'Reboot',
  uid: 'u1',
  reboot: { ...defaultReboot, namespace: 'drover' },
  verify: defaultVerify,
};
const KEY = 'drover/drover-reboot-u1-1';
const acted: Acted = { since: NOW, attempt: 1, failures: 0, open: true, bootIdBefore: 'boot-1', pod: KEY };
const drainedAt = NOW - SECOND;
const node = (bootId = 'boot-1') => ({ ...aCordonedNode(), bootId });
const aPod = (overrides: Partial<OneShot> = {}): OneShot => ({
  namespace: 'drover',
  name: 'drover-reboot-u1-1',
  uid: 'p1',
  resourceVersion: '1',
  state: 'Running',
  reason: '',
  message: '',
  ...overrides,
});

interface Seen extends Situation {
  readonly pods?: readonly OneShot[] | null;
  readonly attempt?: RunAttempt;
  /** null: the API server has no status of it. */
  readonly recorded?: Acted | null;
  readonly written?: Acted | null;
  readonly reboot?: Partial<Action['reboot']>;
}

/** Drained, the attempt written down and no pod yet, unless said otherwise. */
function reboot({
  pods = [],
  attempt,
  recorded = acted,
  written = acted,
  reboot: changed,
  is,
  state,
  ...rest
}: Seen = {}): StepResult {
  return step('Rebooting', {
    node: node(),
    drain: { remaining: 0 },
    is: {
      action: { ...action, reboot: { ...action.reboot, ...changed } },
      ...(recorded && { recorded: { drainedAt, action: recorded } }),
      ...is,
    },
    state: { drainedAt, ...(written && { action: written }), ...state },
    world: {
      ...aWorld(),
      runs: () => pods && new Map(pods.map((each) => [each.name, each])),
      runAttempts: new Map(attempt ? [[`Pod ${KEY}`, attempt]] : []),
    },
    ...rest,
  });
}

const creates = ({ nodeEffect }: StepResult) => nodeEffect?.do === 'CreateRun';

describe('a reboot', () => {
  it('first writes down the boot id that it is to end, and the name of the pod', () => {
    const { change, nodeEffect, phase } = reboot({ written: null, recorded: null });
    expect(phase).toBe('Rebooting');
    expect(change?.action).toEqual({ since: NOW, attempt: 1, failures: 0, open: true, bootIdBefore: 'boot-1', pod: KEY });
    expect(nodeEffect).toBeUndefined();
  });

  it.each<[string, Acted | null]>([
    ['not at all', null],
    ['of an attempt before', { ...acted, attempt: 0 }],
    ['of another boot', { ...acted, bootIdBefore: 'boot-0' }],
    ['of an attempt that was given up', { ...acted, open: false }],
  ])('creates no pod while the API server has that %s', (_, recorded) => {
    expect(reboot({ recorded })).toMatchObject({ phase: 'Rebooting', waitingFor: { cause: 'NotYetSeen' } });
    expect(creates(reboot({ recorded }))).toBe(false);
  });

  it('creates the pod when it is written down', () => {
    const result = reboot();
    expect(result.nodeEffect).toMatchObject({
      do: 'CreateRun',
      run: { kind: 'Pod', namespace: 'drover', name: 'drover-reboot-u1-1' },
      body: { metadata: { name: 'drover-reboot-u1-1' }, spec: { nodeName: 'node-1' } },
    });
  });

  it('creates no second one while the first is on its way, or may not show yet', () => {
    const done = { inFlight: false, mayShow: true, retryAt: NOW + SECOND, failed: null };
    expect(creates(reboot({ attempt: { ...done, inFlight: true } }))).toBe(false);
    expect(creates(reboot({ attempt: done }))).toBe(false);
    expect(creates(reboot({ attempt: { ...done, retryAt: NOW } }))).toBe(true);
  });

  it('says why its pod cannot be created, and goes on trying', () => {
    const refused = { inFlight: false, mayShow: false, retryAt: NOW, failed: 'violates PodSecurity' };
    const result = reboot({ attempt: refused });
    expect(result.waitingFor).toEqual({
      cause: 'ActRefused',
      what: 'the creation of Pod drover/drover-reboot-u1-1',
      message: 'violates PodSecurity',
    });
    expect(creates(result)).toBe(true);
  });

  it('waits before it, when the policy says so', () => {
    const changed = { delayBeforeMs: MINUTE };
    expect(reboot({ reboot: changed })).toMatchObject({
      waitingFor: { cause: 'RebootDelay', until: NOW + MINUTE },
      wakeAt: NOW + MINUTE,
    });
    expect(creates(reboot({ reboot: changed, now: NOW + MINUTE }))).toBe(true);
  });

  it('looks for the pods first', () => {
    expect(reboot({ pods: null })).toMatchObject({ waitingFor: { cause: 'NotYetSeen' } });
    expect(creates(reboot({ pods: null }))).toBe(false);
  });

  it('is done when the boot id has changed, whoever has rebooted the node, with or without a pod', () => {
    const after = { phase: 'Verifying', change: { action: { ...acted, bootIdAfter: 'boot-2' } } };
    expect(reboot({ node: node('boot-2') })).toMatchObject(after);
    expect(reboot({ node: node('boot-2'), pods: [aPod()] })).toMatchObject(after);
    expect(reboot({ node: node('boot-2'), cause: false, is: { cancelled: true } })).toMatchObject(after);
  });

  it('is not done by a node whose status has no boot id for a moment', () => {
    expect(reboot({ node: node(''), pods: [aPod()] }).phase).toBe('Rebooting');
  });

  it.each<[string, Seen]>([
    ['the reason has gone', { cause: false }],
    ['it is cancelled', { is: { cancelled: true } }],
    ['it is paused', { is: { paused: true } }],
    ['a person has uncordoned the node', { node: { ...node(), unschedulable: false } }],
  ])('is given up when %s and there is no pod', (_, seen) => {
    expect(reboot(seen).phase).toBe('Undoing');
  });

  it.each<[string, Seen]>([
    ['the reason has gone', { cause: false }],
    ['it is cancelled', { is: { cancelled: true } }],
    ['it is paused', { is: { paused: true } }],
    ['a person has uncordoned the node', { node: { ...node(), unschedulable: false } }],
  ])('is waited for although %s, once the pod is there or on its way', (_, seen) => {
    const onItsWay = { inFlight: true, mayShow: true, retryAt: Number.POSITIVE_INFINITY, failed: null };
    expect(reboot({ ...seen, pods: [aPod()] })).toMatchObject({ phase: 'Rebooting', waitingFor: { cause: 'WaitingForReboot' } });
    expect(reboot({ ...seen, attempt: onItsWay }).phase).toBe('Rebooting');
  });

  it('goes back to draining when pods have come to the node, or its cordon is not ours any more', () => {
    expect(reboot({ drain: { remaining: 1 } }).phase).toBe('Draining');
    expect(reboot({ node: aNode({ bootId: 'boot-1' }) }).phase).toBe('Draining');
  });

  it('tells how the pod stands', () => {
    const waiting = aPod({ state: 'Pending', reason: 'ImagePullBackOff', message: 'Back-off\npulling' });
    expect(reboot({ pods: [waiting] }).waitingFor).toEqual({
      cause: 'WaitingForReboot',
      pod: KEY,
      says: 'is waiting (ImagePullBackOff): Back-off pulling',
      until: NOW + 15 * MINUTE,
    });
  });

  it.each<[string, Partial<OneShot>]>([
    ['has done its work', { state: 'Succeeded', exitCode: 0 }],
    ['was lost with the machine', { state: 'Failed', exitCode: 255, reason: 'Unknown' }],
    ['was killed with the machine', { state: 'Failed', exitCode: 137, reason: 'Error' }],
    ['was ended by the shutdown', { state: 'Failed', exitCode: 1, reason: 'Terminated' }],
  ])('is waited for by a pod that %s', (_, pod) => {
    expect(reboot({ pods: [aPod(pod)] })).toMatchObject({ phase: 'Rebooting', waitingFor: { cause: 'WaitingForReboot' } });
  });

  const failing = aPod({ state: 'Failed', exitCode: 127, reason: 'Error', message: 'systemctl: not found\n' });

  it('has failed when its command has, and leaves the node as it is', () => {
    expect(reboot({ pods: [failing] })).toMatchObject({
      phase: 'ActionFailed',
      change: {
        action: {
          ...acted,
          failure: {
            cause: 'RebootFailed',
            message: `the pod ${KEY} could not reboot the node: exit code 127: systemctl: not found`,
          },
        },
      },
    });
  });

  it('is tried again under another name as often as the spec says', () => {
    const first = reboot({ pods: [failing], reboot: { attempts: 2 } });
    expect(first).toMatchObject({
      phase: 'Rebooting',
      change: { action: { attempt: 2, failures: 1, pod: 'drover/drover-reboot-u1-2' } },
    });
    const second = { ...acted, attempt: 2, failures: 1, pod: 'drover/drover-reboot-u1-2' };
    const again = aPod({ ...failing, name: 'drover-reboot-u1-2' });
    expect(reboot({ pods: [failing, again], reboot: { attempts: 2 }, written: second, recorded: second }).phase).toBe(
      'ActionFailed',
    );
  });

  it('is not tried again when it is cancelled meanwhile', () => {
    expect(reboot({ pods: [failing], reboot: { attempts: 2 }, is: { cancelled: true } }).phase).toBe('Undoing');
  });

  it('has failed when it takes too long, with what the pod says, and is never tried again', () => {
    const late = reboot({ pods: [aPod({ state: 'Succeeded' })], reboot: { attempts: 5 }, now: NOW + 15 * MINUTE });
    expect(late.phase).toBe('ActionFailed');
    expect(late.change?.action?.failure?.message).toBe(
      'no new boot id within 15 min (attempt 1); the pod that tells it to reboot has done so',
    );
  });

  it('numbers on after an attempt that was given up, so that no two share a name', () => {
    const given = { ...acted, open: false };
    expect(reboot({ written: given, recorded: given }).change?.action).toMatchObject({ attempt: 2, open: true, failures: 0 });
  });

  it('ends when the node is gone', () => {
    expect(reboot({ node: null })).toMatchObject({ phase: 'Failed', change: { finishedAt: NOW } });
  });
});

describe('a node whose reboot has failed', () => {
  const failure = { cause: 'RebootFailed', message: 'no new boot id' } as const;
  const stranded = (seen: Seen = {}) => {
    const { pods = [], is, ...rest } = seen;
    return step('ActionFailed', {
      node: node(),
      is: { action, ...is },
      state: { drainedAt, action: { ...acted, failure } },
      world: { ...aWorld(), runs: () => pods && new Map(pods.map((each) => [each.name, each])) },
      ...rest,
    });
  };

  it('stays as it is, whatever becomes of the reason', () => {
    for (const cause of [true, false]) expect(stranded({ cause })).toEqual({ phase: 'ActionFailed', waitingFor: failure });
  });

  it('has the pod removed that could still reboot it', () => {
    expect(stranded({ pods: [aPod()] }).nodeEffect).toMatchObject({ do: 'RemoveRun', uid: 'p1' });
    expect(stranded({ pods: [aPod({ state: 'Failed' })] }).nodeEffect).toBeUndefined();
  });

  it('is handed back when a person cancels, but not before it is Ready and that pod has ended', () => {
    const is = { cancelled: true };
    expect(stranded({ is }).phase).toBe('Undoing');
    expect(stranded({ is, node: { ...node(), ready: false } })).toMatchObject({
      phase: 'ActionFailed',
      waitingFor: { cause: 'NotReadyYet' },
    });
    expect(stranded({ is, pods: [aPod({ deletedAt: NOW })] })).toMatchObject({
      phase: 'ActionFailed',
      waitingFor: { cause: 'StoppingReboot', pod: KEY },
    });
  });

  it('is let go when a person uncordons it', () => {
    expect(stranded({ node: { ...node(), unschedulable: false } }).phase).toBe('Undoing');
  });

  it('ends as Failed, not as handed back', () => {
    const undone = step('Undoing', {
      node: aNode({ bootId: 'boot-1' }),
      is: { action, cancelled: true },
      state: { drainedAt, action: { ...acted, failure } },
      world: { ...aWorld(), runs: () => new Map() },
    });
    expect(undone.phase).toBe('Failed');
  });

  it('is not given back by the undo while that pod may run', () => {
    const undoing = (pods: readonly OneShot[] | null) =>
      step('Undoing', {
        node: node(),
        is: { action, cancelled: true },
        state: { drainedAt, action: acted },
        world: { ...aWorld(), runs: () => pods && new Map(pods.map((each) => [each.name, each])) },
      });
    expect(undoing(null)).toMatchObject({ phase: 'Undoing', waitingFor: { cause: 'NotYetSeen' } });
    expect(undoing([aPod()]).nodeEffect).toMatchObject({ do: 'RemoveRun' });
    expect(undoing([]).nodeEffect).toMatchObject({ do: 'Undo' });
  });
});

describe('a node that cannot be rebooted', () => {
  const pending = (seen: Situation) => step('Pending', { is: { action }, ...seen });

  it('is left as it is, and says why', () => {
    expect(pending({ node: aNode({ bootId: '' }) })).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'CannotReboot' } });
    const windows = aNode({ bootId: 'b', labels: { 'kubernetes.io/os': 'windows' } });
    expect(pending({ node: windows })).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'CannotReboot' } });
    const withImage = { ...action, reboot: { ...action.reboot, windowsImage: 'w:1' } };
    expect(pending({ node: windows, is: { action: withImage } }).phase).toBe('Draining');
  });
});
