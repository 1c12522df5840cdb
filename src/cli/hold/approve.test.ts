import { afterEach, describe, expect, it } from 'vitest';
import { NOW, SECOND } from '../../../test/builders.ts';
import { cli, type FakeApi, fakeApi } from '../testing/run-cli.ts';

const iso = (at: number) => new Date(at).toISOString();
const PATH = '/apis/drover.dev/v1alpha1';

function policy(spec: object, status: object = {}) {
  const rest = {
    nodeSelector: { matchLabels: { pool: 'a' } },
    reasons: [{ type: 'Label', label: { key: 'retire' } }],
    paused: false,
  };
  return {
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'MaintenancePolicy',
    metadata: { name: 'kernel', uid: 'u', generation: 1 },
    spec: { ...rest, ...spec },
    status,
  };
}

function maintenance(phase: string, more: object = {}) {
  return {
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'NodeMaintenance',
    metadata: { name: 'w2-reboot', creationTimestamp: iso(NOW) },
    spec: { nodeName: 'w2', policy: 'kernel', reason: { type: 'Label', message: 'label retire' }, paused: false, ...more },
    status: { phase },
  };
}

let api: FakeApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

async function on(policies: readonly object[], maintenances: readonly object[], ...argv: string[]) {
  const list = (items: readonly object[]) => ({ metadata: {}, items });
  api = await fakeApi({ [`${PATH}/nodemaintenances`]: list(maintenances), [`${PATH}/maintenancepolicies`]: list(policies) });
  return { ...(await cli(argv, api)), changes: api.changes };
}

const asking = policy({ gates: { approval: { validFor: '24h' } } });
const mark = (key: string, at: string) => ({ [`drover.dev/${key}`]: JSON.stringify({ by: 'ann@laptop', at }) });
const whole = '2026-01-01T12:00:00Z';

describe('drover approve', () => {
  it('writes who has approved a node and when', async () => {
    const { code, out, changes } = await on([asking], [maintenance('Pending')], 'approve', 'w2');
    expect([code, out]).toEqual([0, 'maintenance/w2-reboot approved, node w2\n']);
    const body = { metadata: { annotations: mark('approved', whole) } };
    expect(changes).toEqual([`PATCH ${PATH}/nodemaintenances/w2-reboot?fieldManager=drover-cli ${JSON.stringify(body)}`]);
  });

  it('approves all nodes of a policy without changing its spec', async () => {
    const { out, changes } = await on([asking], [], 'approve', 'policy/kernel', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({
      changed: [{ kind: 'policy', name: 'kernel', annotations: mark('approved', whole) }],
    });
    expect(changes[0]).not.toContain('spec');
  });

  it.each([
    [
      'a policy that asks for none',
      [policy({})],
      [maintenance('Pending')],
      'policy kernel asks for no approval (spec.gates.approval)',
    ],
    [
      'a node that has begun',
      [asking],
      [maintenance('Draining')],
      'node w2 does not wait for an approval: it is Draining already',
    ],
    [
      'a maintenance of no policy',
      [asking],
      [maintenance('Pending', { policy: undefined })],
      'it belongs to no policy, and so waits for no approval',
    ],
  ])('is refused for %s', async (_, policies, maintenances, why) => {
    const { code, err, changes } = await on(policies, maintenances, 'approve', 'w2');
    expect([code, err, changes]).toEqual([1, `error: ${why}\n`, []]);
  });
});

describe('drover resume of a policy with a breaker', () => {
  const broken = (openedAt: number) =>
    policy(
      { disruption: { breaker: { failures: 1, within: '1h' } } },
      { conditions: [{ type: 'BreakerOpen', status: 'True', lastTransitionTime: iso(openedAt) }] },
    );
  const resumed = async (openedAt: number) => (await on([broken(openedAt)], [], 'resume', 'policy/kernel')).changes[0] ?? '';

  it('closes it', async () => {
    const body = { spec: { paused: false }, metadata: { annotations: mark('resumed', whole) } };
    expect(await resumed(NOW - 60 * SECOND)).toContain(JSON.stringify(body));
  });

  it('closes it also when this machine is behind the controller', async () => {
    expect(await resumed(NOW + 60 * SECOND)).toContain('2026-01-01T12:01:00Z');
  });

  it('leaves no mark where there is no breaker', async () => {
    expect((await on([policy({})], [], 'resume', 'policy/kernel')).changes[0]).not.toContain('annotations');
  });
});
