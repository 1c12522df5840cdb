import { describe, expect, it } from 'vitest';
import { aCordonedNode, aPod, aWorld, MINUTE, NOW, SECOND } from '../../test/builders.ts';
import { step } from '../../test/deciding.ts';
import { type Acted, type Action, defaultReboot, defaultVerify, type HookSettings, type VerifySettings } from './action.ts';

const acted: Acted = { since: NOW, attempt: 1, failures: 0, open: true, bootIdBefore: 'boot-1', bootIdAfter: 'boot-2' };
const node = { ...aCordonedNode(), bootId: 'boot-2' };
const after: HookSettings = { namespace: 'drover', template: {}, onNode: false, timeoutMs: MINUTE, onFailure: 'Stop' };

interface Seen {
  readonly verify?: Partial<VerifySettings>;
  readonly acted?: Partial<Acted>;
  readonly node?: typeof node;
  readonly pods?: readonly ReturnType<typeof aPod>[];
  readonly is?: object;
  readonly after?: HookSettings;
  readonly now?: number;
  readonly cause?: boolean;
}

function verify({ verify: changed, acted: done, pods = [], is, after: hook, ...rest }: Seen = {}) {
  const action: Action = {
    kind: 'Reboot',
    uid: 'u1',
    reboot: { ...defaultReboot, namespace: 'drover' },
    verify: { ...defaultVerify, ...changed },
    ...(hook && { after: hook }),
  };
  return step('Verifying', {
    node,
    is: { action, ...is },
    state: { drainedAt: NOW, action: { ...acted, ...done } },
    world: aWorld({ pods: [...pods] }),
    ...rest,
  });
}

const daemon = (ready: boolean) =>
  aPod({ name: 'cni-1', namespace: 'kube-system', ready, owner: { kind: 'DaemonSet', name: 'cni', uid: 'd' } });

describe('a node after its reboot', () => {
  it('must be Ready', () => {
    expect(verify({ node: { ...node, ready: false } })).toMatchObject({
      phase: 'Verifying',
      waitingFor: { cause: 'NotReadyYet' },
    });
  });

  it('must have the conditions that are asked for', () => {
    const requiredConditions = [{ type: 'Storage', status: 'True' }];
    expect(verify({ verify: { requiredConditions } }).waitingFor).toMatchObject({ cause: 'ConditionMissing', type: 'Storage' });
    const conditions = (status: string) => [{ type: 'Storage', status, reason: '', lastTransition: NOW }];
    expect(
      verify({ verify: { requiredConditions }, node: { ...node, conditions: conditions('Unknown') } }).waitingFor,
    ).toMatchObject({
      cause: 'ConditionMissing',
    });
    expect(
      verify({ verify: { requiredConditions }, node: { ...node, conditions: conditions('True') } }).waitingFor,
    ).toMatchObject({
      cause: 'HealthyFor',
    });
  });

  it('must have every pod of its DaemonSets Ready, unless that is switched off', () => {
    const pods = [daemon(false)];
    expect(verify({ pods }).waitingFor).toMatchObject({ cause: 'DaemonSetNotUp', pods: ['kube-system/cni-1'] });
    expect(verify({ pods: [daemon(true), aPod({ ready: false })] }).waitingFor).toMatchObject({ cause: 'HealthyFor' });
    expect(verify({ pods, verify: { daemonSetsUp: false } }).waitingFor).toMatchObject({ cause: 'HealthyFor' });
  });

  it('must have all of that for a while without a break, timed by Drover', () => {
    const first = verify();
    expect(first).toMatchObject({ waitingFor: { cause: 'HealthyFor', until: NOW + 30 * SECOND }, wakeAt: NOW + 30 * SECOND });
    expect(first.change?.action?.healthySince).toBe(NOW);
    const since = { healthySince: NOW };
    expect(verify({ acted: since, now: NOW + 29 * SECOND }).phase).toBe('Verifying');
    expect(verify({ acted: since, now: NOW + 30 * SECOND }).phase).toBe('Undoing');
    const broken = verify({ acted: since, node: { ...node, ready: false } });
    expect(broken.change?.action).toEqual(acted);
  });

  it('starts that while anew when it has rebooted once more', () => {
    const again = verify({ acted: { healthySince: NOW - MINUTE }, node: { ...node, bootId: 'boot-3' } });
    expect(again).toMatchObject({ phase: 'Verifying', change: { action: { bootIdAfter: 'boot-3', healthySince: NOW } } });
  });

  it('is handed back then, or stays out where the policy says Never', () => {
    const well = { acted: { healthySince: NOW - MINUTE } };
    expect(verify(well)).toMatchObject({
      phase: 'Undoing',
      change: { action: { doneAt: NOW }, message: 'rebooted and verified' },
    });
    expect(verify({ ...well, is: { handBack: 'Never' } }).phase).toBe('Drained');
    expect(verify({ ...well, after }).phase).toBe('AfterHook');
  });

  it('is verified whether or not the reason lasts, and also after a cancel', () => {
    expect(verify({ cause: false }).phase).toBe('Verifying');
    expect(verify({ is: { cancelled: true } }).phase).toBe('Verifying');
    expect(verify({ is: { cancelled: true }, acted: { healthySince: NOW - MINUTE }, after }).phase).toBe('Undoing');
  });

  it('stays cordoned when it takes too long, and says what was missing', () => {
    const late = verify({ node: { ...node, ready: false }, now: NOW + 10 * MINUTE });
    expect(late).toMatchObject({
      phase: 'ActionFailed',
      change: { action: { failure: { cause: 'VerifyFailed', message: 'not verified in time: the node is not Ready yet' } } },
    });
  });

  it('is not called late while all is well and only the while is not over', () => {
    expect(verify({ acted: { healthySince: NOW + 10 * MINUTE - SECOND }, now: NOW + 10 * MINUTE }).phase).toBe('Verifying');
  });
});
