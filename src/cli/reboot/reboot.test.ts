import { afterEach, describe, expect, it } from 'vitest';
import type { NodeMaintenance } from '../../api/resources.ts';
import { cli, type FakeApi, fakeApi } from '../testing/run-cli.ts';
import { type Asked, because, createPlainProgress, hasSucceeded } from './progress.ts';

const COLLECTION = '/apis/drover.dev/v1alpha1/nodemaintenances';
const POLICIES = '/apis/drover.dev/v1alpha1/maintenancepolicies';
const aNode = (name: string, bootID = 'b') => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: `uid-${name}`, resourceVersion: '1' },
  status: { conditions: [], nodeInfo: { bootID } },
});
const list = (...items: object[]) => ({ metadata: { resourceVersion: '1' }, items });
const policy = { metadata: { name: 'kernels' }, spec: { action: 'Reboot', drain: { attempts: 2 }, reboot: { timeout: '30m' } } };

let api: FakeApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

async function reboot(args: readonly string[], objects: Record<string, object> = {}) {
  api = await fakeApi({
    [COLLECTION]: list(),
    [POLICIES]: list(policy),
    '/api/v1/nodes/worker-1': aNode('worker-1'),
    '/api/v1/nodes/worker-2': aNode('worker-2'),
    ...objects,
  });
  return { ...(await cli(['reboot', ...args], api)), changes: api.changes };
}

describe('drover reboot', () => {
  it('asks for a maintenance with action Reboot', async () => {
    const { code, out, changes } = await reboot(['worker-1', '--no-wait']);
    expect(code).toBe(0);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toContain(`POST ${COLLECTION}?fieldManager=drover-cli {"apiVersion":"drover.dev/v1alpha1"`);
    const body = JSON.parse((changes[0] ?? '').replace(/^[^{]*/, '')) as object;
    expect(body).toMatchObject({
      metadata: { name: expect.stringMatching(/^worker-1-reboot-[a-z0-9]{5}$/) },
      spec: { nodeName: 'worker-1', action: 'Reboot', reason: { type: 'Manual', message: 'rebooted by ann@laptop' } },
    });
    expect(out).toContain('created, node worker-1');
  });

  it('takes the blocks of a policy, and says when there is no such policy', async () => {
    const { changes } = await reboot(['worker-1', '--no-wait', '--like=kernels', '--reason=new kernel']);
    expect(changes[0]).toContain('"drain":{"attempts":2},"reboot":{"timeout":"30m"}');
    expect(changes[0]).toContain('"message":"new kernel"');
    const { code, err } = await reboot(['worker-1', '--like=kernel']);
    expect([code, err]).toEqual([1, 'error: there is no policy "kernel"; did you mean kernels?\n']);
  });

  it('changes nothing with --dry-run=client, and lets the server check it with --dry-run=server', async () => {
    const client = await reboot(['worker-1', '--dry-run=client']);
    expect([client.code, client.changes]).toEqual([0, []]);
    expect(client.out).toBe('node worker-1 would be drained, rebooted, verified and handed back (dry run)\n');
    const server = await reboot(['worker-1', 'worker-2', '--dry-run=server']);
    expect(server.changes).toHaveLength(2);
    expect(server.changes.every((each) => each.includes('dryRun=All'))).toBe(true);
  });

  it('does not reboot several nodes at once because nobody waits', async () => {
    const { code, err, changes } = await reboot(['worker-1', 'worker-2', '--no-wait']);
    expect([code, changes]).toEqual([2, []]);
    expect(err).toContain('--no-wait would have 2 nodes rebooted at once');
  });

  it('says that the resources are missing', async () => {
    api = await fakeApi({ '/api/v1/nodes/worker-1': aNode('worker-1') });
    const { code, err } = await cli(['reboot', 'worker-1'], api);
    expect([code, err]).toEqual([
      1,
      'error: the cluster has no Drover resources; install them with: drover crds | kubectl apply -f -\n',
    ]);
  });

  it('leaves a node alone that is under maintenance, or that cannot be known to have rebooted', async () => {
    const busy = { metadata: { name: 'other' }, spec: { nodeName: 'worker-1' }, status: { phase: 'Draining' } };
    const taken = await reboot(['worker-2', 'worker-1', '--no-wait', '--parallel=2'], { [COLLECTION]: list(busy) });
    expect([taken.code, taken.changes]).toEqual([1, []]);
    expect(taken.err).toContain('node worker-1 is under maintenance already (other, Draining)');
    const blind = await reboot(['worker-1'], { '/api/v1/nodes/worker-1': aNode('worker-1', '') });
    expect([blind.code, blind.changes]).toEqual([1, []]);
    expect(blind.err).toContain('its status has no boot id');
  });
});

const asked = (status: object | undefined, askedAt = 0): Asked => ({
  node: 'worker-1',
  askedAt,
  maintenance: status && ({ metadata: { name: 'm' }, spec: {}, status } as unknown as NodeMaintenance),
});

describe('its progress', () => {
  it('is a line per change, with what is waited for', () => {
    const lines = createPlainProgress();
    const waitingFor = { cause: 'WaitingForReboot', message: 'the node is to come back', unblock: 'the reboot', since: '' };
    expect(lines([asked({ phase: 'Draining' })], 0)).toEqual(['worker-1: draining']);
    expect(lines([asked({ phase: 'Draining' })], 5_000)).toEqual([]);
    expect(lines([asked({ phase: 'Rebooting', waitingFor })], 6_000)).toEqual([
      'worker-1: drained, rebooting: the node is to come back',
    ]);
    expect(lines([asked({ phase: 'HandedBack', action: { doneAt: 'x' } })], 9_000)).toEqual(['worker-1: back in service']);
  });

  it('asks for a controller when nobody takes it up', () => {
    expect(because(asked(undefined), 10_000)).toBe('');
    expect(because(asked(undefined), 20_000)).toContain('no controller has taken it up');
  });

  it('ends well only with a node that was rebooted, verified and handed back', () => {
    const ends = (status: object) => hasSucceeded(asked(status).maintenance);
    expect(ends({ phase: 'HandedBack', action: { doneAt: 'x' } })).toBe(true);
    expect(ends({ phase: 'HandedBack', finishedAt: 'x' })).toBe(false);
    for (const phase of ['ActionFailed', 'Failed', 'Cancelled']) expect(ends({ phase })).toBe(false);
    for (const phase of ['Pending', 'Rebooting', 'Undoing', 'BackOff']) expect(ends({ phase })).toBeNull();
  });
});
