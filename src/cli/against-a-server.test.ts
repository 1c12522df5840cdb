import { afterEach, describe, expect, it } from 'vitest';
import { NOW } from '../../test/builders.ts';
import { type FakeApi, cli, fakeApi } from './testing/run-cli.ts';

const iso = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();
const journal = (by: string) =>
  JSON.stringify({ by, reason: 'disk swap', since: iso(-60), stage: 'Cordoned', undo: { unschedulable: false } });

function node(name: string, annotations: Record<string, string> = {}, labels: Record<string, string> = {}) {
  const isOut = Object.keys(annotations).length > 0;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: `uid-${name}`, resourceVersion: '7', creationTimestamp: iso(-3600), labels, annotations },
    spec: isOut
      ? { unschedulable: true, taints: [{ key: 'drover.dev/maintenance', value: 'Manual', effect: 'PreferNoSchedule' }] }
      : {},
    status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: iso(-3600) }], nodeInfo: { bootID: 'b' } },
  };
}

const byCli = node('w1', { 'drover.dev/maintenance': journal('cli:bob@desk/w1') });
const byController = node('w2', { 'drover.dev/maintenance': journal('w2-reboot') });
const idle = node('w3', {}, { pool: 'a' });

const maintenance = {
  apiVersion: 'drover.dev/v1alpha1',
  kind: 'NodeMaintenance',
  metadata: { name: 'w2-reboot', creationTimestamp: iso(-300) },
  spec: { nodeName: 'w2', policy: 'kernel', reason: { type: 'Label', message: 'label needs-reboot' }, paused: false },
  status: {
    phase: 'Draining',
    startedAt: iso(-200),
    progress: { summary: '12/30' },
    waitingFor: {
      cause: 'BudgetExhausted',
      message: 'budget shop/db allows no disruption now',
      unblock: 'one more Ready pod',
      since: iso(-100),
      pod: 'shop/db-0',
    },
    pods: [
      {
        namespace: 'shop',
        name: 'db-0',
        owner: 'StatefulSet/db',
        state: 'Waiting',
        because: { message: 'budget shop/db allows no disruption now', unblock: 'one more Ready pod', since: iso(-100) },
      },
      { namespace: 'shop', name: 'agent', state: 'Skipped' },
    ],
  },
};
const ended = {
  ...maintenance,
  metadata: { name: 'w3-old', creationTimestamp: iso(-9000) },
  spec: { ...maintenance.spec, nodeName: 'w3' },
};
const over = { ...ended, status: { phase: 'Cancelled', message: 'the reason no longer holds', finishedAt: iso(-8000) } };

const policy = {
  apiVersion: 'drover.dev/v1alpha1',
  kind: 'MaintenancePolicy',
  metadata: { name: 'kernel', uid: 'u', generation: 1 },
  spec: {
    nodeSelector: { matchLabels: { pool: 'a' } },
    reasons: [{ type: 'Label', name: 'reboot', label: { key: 'needs-reboot' } }],
    priority: 0,
    paused: false,
    disruption: { maxNodes: 1, perGroup: [], minInterval: '0s', massTrigger: '50%' },
  },
  status: { selected: 1, matched: 0, active: 1, waiting: 0, done: 0 },
};

const list = (items: readonly object[]) => ({ metadata: {}, items });
const cluster = {
  '/api/v1/nodes': list([byCli, byController, idle]),
  '/api/v1/nodes/w1': byCli,
  '/api/v1/nodes/w2': byController,
  '/api/v1/nodes/w3': idle,
  '/api/v1/pods': (query: URLSearchParams) => list(query.get('fieldSelector') === 'spec.nodeName=w3' ? pods : []),
};
const installed = {
  ...cluster,
  '/apis/drover.dev/v1alpha1/nodemaintenances': list([maintenance, over]),
  '/apis/drover.dev/v1alpha1/maintenancepolicies': list([policy]),
};
const pods = [
  {
    metadata: { name: 'tool', namespace: 'shop', uid: 'u1', creationTimestamp: iso(-100) },
    spec: { nodeName: 'w3', containers: [] },
    status: { phase: 'Running' },
  },
];

let api: FakeApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

async function on(objects: Parameters<typeof fakeApi>[0], ...argv: string[]) {
  api = await fakeApi(objects);
  return { ...(await cli(argv, api)), changes: api.changes };
}

describe('drover status', () => {
  it('shows the nodes under maintenance and the policies', async () => {
    const { code, out, err } = await on(installed, 'status');
    expect([code, err]).toEqual([0, '']);
    await expect(out).toMatchFileSnapshot('../../test/golden/cli/status.txt');
  });

  it('shows maintenances that have ended with --all', async () => {
    expect((await on(installed, 'status', '--all')).out).toMatch(/^w3 +Cancelled /m);
  });

  it('without the resources shows what drover drain has left, and says so', async () => {
    const { code, out, err } = await on({ ...cluster, '/api/v1/nodes': list([byCli, idle]) }, 'status');
    expect(code).toBe(0);
    expect(out).toBe(
      'NODE   PHASE      PODS   SINCE   BY         REASON      WAITING FOR\nw1     Cordoned   -      1m      bob@desk   disk swap   -\n',
    );
    expect(err).toContain('not installed');
  });

  it('of one node is the same as an object', async () => {
    const { out } = await on(installed, 'status', 'w2', '-o', 'json');
    expect(JSON.parse(out)).toEqual({
      installed: true,
      policies: [],
      nodes: [
        expect.objectContaining({
          node: 'w2',
          phase: 'Draining',
          maintenance: 'w2-reboot',
          waitingFor: expect.objectContaining({ pod: 'shop/db-0' }),
        }),
      ],
    });
  });

  it('is YAML on demand', async () => {
    expect((await on(installed, 'status', 'w3', '-o', 'yaml')).out).toBe('installed: true\nnodes: []\npolicies: []\n');
  });
});

describe('drover why', () => {
  it('explains what a node waits for, pod by pod', async () => {
    const { code, out } = await on(installed, 'why', 'w2');
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot('../../test/golden/cli/why.txt');
  });

  it('explains why nothing is done about a node', async () => {
    const { out } = await on(installed, 'why', 'node/w3');
    expect(out.split('\n')).toEqual([
      'nothing is being done about node w3',
      'its last maintenance, w3-old, ended Cancelled 2h13m ago: the reason no longer holds',
      '',
      'policy kernel selects it, and no reason matches: reboot: it has no label needs-reboot',
      '',
    ]);
  });

  it('says why a policy does not select the node', async () => {
    expect((await on(installed, 'why', 'w2')).out).toContain(
      'policy kernel does not select it: the node has no label pool; it must be a\n',
    );
  });

  it('says that nothing is known where nothing is', async () => {
    expect((await on(cluster, 'why', 'w3')).out).toBe(
      'nothing is known about node w3: the cluster has no Drover resources, and no drain has left a mark on it\n',
    );
  });

  it('helps with a name that is nearly right', async () => {
    const { code, err } = await on(cluster, 'why', 'w');
    expect([code, err]).toEqual([1, 'error: there is no node "w"; did you mean w1 or w2 or w3?\n']);
  });
});

describe('drover pause, resume and cancel', () => {
  const path = 'PATCH /apis/drover.dev/v1alpha1/nodemaintenances/w2-reboot?fieldManager=drover-cli';

  it.each([
    ['pause', ['pause', 'w2'], { paused: true, pausedBecause: 'paused by ann@laptop' }],
    ['pause with a reason', ['pause', 'w2', '--reason', 'quarter end'], { paused: true, pausedBecause: 'quarter end' }],
    ['resume', ['resume', 'maintenance/w2-reboot'], { paused: false, pausedBecause: null }],
    ['cancel', ['cancel', 'w2'], { cancelled: true }],
  ])('%s patches the spec of the maintenance', async (_, argv, spec) => {
    const { code, changes } = await on(installed, ...argv);
    expect(code).toBe(0);
    expect(changes).toEqual([`${path} ${JSON.stringify({ spec })}`]);
  });

  it('pauses a policy', async () => {
    const { out, changes } = await on(installed, 'pause', 'policy/kernel');
    expect(out).toBe('policy/kernel paused\n');
    expect(changes).toEqual([
      'PATCH /apis/drover.dev/v1alpha1/maintenancepolicies/kernel?fieldManager=drover-cli {"spec":{"paused":true}}',
    ]);
  });

  it('with --dry-run sends nothing', async () => {
    const { out, changes } = await on(installed, 'cancel', 'w2', '--dry-run');
    expect([out, changes]).toEqual(['maintenance/w2-reboot cancelled, node w2 (dry run)\n', []]);
  });

  it('with --dry-run=server lets the server check it', async () => {
    const { changes } = await on(installed, 'cancel', 'w2', '--dry-run=server');
    expect(changes[0]).toContain('&dryRun=All ');
  });

  it.each([
    [
      'a policy that does not exist',
      ['pause', 'w2', 'policy/kernle'],
      'error: there is no policy "kernle"; did you mean kernel?\n',
      1,
    ],
    [
      'a node without a maintenance',
      ['cancel', 'w2', 'w3'],
      'error: node w3 has no maintenance under way; see: drover why w3\n',
      1,
    ],
    [
      'a node that a command line has taken out',
      ['cancel', 'w1'],
      'error: node w1 was taken out by a command line (cli:bob@desk/w1), not by the controller; stop it there, then: drover uncordon w1\n',
      1,
    ],
    [
      'a policy that is to be cancelled',
      ['cancel', 'w2', 'policy/kernel'],
      'error: policy/kernel cannot be cancelled; pause it (drover pause policy/kernel) or delete it with kubectl\nsee: drover cancel --help\n',
      2,
    ],
  ])('changes nothing at all because of %s', async (_, argv, expected, exit) => {
    const { code, err, changes } = await on(installed, ...argv);
    expect([code, err, changes]).toEqual([exit, expected, []]);
  });

  it('says how to install the resources where they are missing', async () => {
    const { code, err } = await on(cluster, 'pause', 'w2');
    expect([code, err]).toEqual([
      1,
      'error: the cluster has no Drover resources; install them with: drover crds | kubectl apply -f -\n',
    ]);
  });
});

describe('drover run-now', () => {
  const waiting = {
    ...maintenance,
    status: {
      phase: 'Pending',
      waitingFor: {
        cause: 'OutsideWindow',
        message: 'policy kernel starts nothing before Sat',
        since: iso(-100),
        unblock: 'time, or `drover run-now w2`',
      },
    },
  };
  const scheduled = { ...installed, '/apis/drover.dev/v1alpha1/nodemaintenances': list([waiting]) };

  it('sets spec.runNow of the maintenance that waits', async () => {
    const { code, out, changes } = await on(scheduled, 'run-now', 'w2');
    expect([code, out]).toEqual([0, 'maintenance/w2-reboot to be run now, node w2\n']);
    expect(changes).toEqual([
      'PATCH /apis/drover.dev/v1alpha1/nodemaintenances/w2-reboot?fieldManager=drover-cli {"spec":{"runNow":true}}',
    ]);
  });

  it('is what drover why names', async () => {
    const { out } = await on(scheduled, 'why', 'w2');
    expect(out).toContain(
      'waiting for 1m40s: policy kernel starts nothing before Sat\n  what would help: time, or `drover run-now w2`\n',
    );
  });

  it.each([
    [
      'a node that is drained already',
      ['run-now', 'w2'],
      'error: node w2 does not wait for a window: it is Draining already\n',
      1,
    ],
    [
      'a policy',
      ['run-now', 'w2', 'policy/kernel'],
      'error: policy/kernel cannot be run now as a whole; name nodes of it, or change its spec.schedule (kubectl edit maintenancepolicy kernel)\nsee: drover run-now --help\n',
      2,
    ],
  ])('changes nothing because of %s', async (_, argv, expected, exit) => {
    const { code, err, changes } = await on(installed, ...argv);
    expect([code, err, changes]).toEqual([exit, expected, []]);
  });
});

describe('drover why, of a policy that the controller cannot read', () => {
  it('says what is wrong with it', async () => {
    const broken = {
      ...policy,
      spec: { ...policy.spec, schedule: { timeZone: 'Mars/Base', windows: [{ start: '22:00', end: '04:00' }] } },
    };
    const { code, out } = await on(
      { ...installed, '/apis/drover.dev/v1alpha1/maintenancepolicies': list([broken]) },
      'why',
      'w3',
    );
    expect(code).toBe(0);
    expect(out).toContain(
      'policy kernel does not select it: it cannot be read: spec.schedule.timeZone: "Mars/Base" is not a time zone that is known here',
    );
  });
});

describe('drover uncordon', () => {
  it('takes back what a drain of the command line has left', async () => {
    const { code, out, changes } = await on(installed, 'uncordon', 'w1');
    expect([code, out]).toEqual([0, 'node w1: Drover’s taint and annotation were removed\nnode w1: uncordoned\n']);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toContain('PATCH /api/v1/nodes/w1 ');
  });

  it('with --dry-run says the same and sends nothing', async () => {
    const { out, changes } = await on(installed, 'uncordon', 'w1', '--dry-run');
    expect([out, changes]).toEqual([
      'node w1: Drover’s taint and annotation were removed (dry run)\nnode w1: uncordoned (dry run)\n',
      [],
    ]);
  });

  it('refuses a node that the controller would cordon again', async () => {
    const { code, err, changes } = await on(installed, 'uncordon', 'w1', 'w2');
    expect([code, changes]).toEqual([1, []]);
    expect(err).toBe(
      'error: node w2 is under maintenance (w2-reboot), and the controller would cordon it again; end it with: drover cancel w2\n',
    );
  });

  it('takes back what a controller that is gone has left', async () => {
    expect((await on(cluster, 'uncordon', 'w2')).code).toBe(0);
  });

  it('has nothing to do on a node in service', async () => {
    expect((await on(cluster, 'uncordon', 'w3')).out).toBe('node w3 is in service already; nothing to do\n');
  });
});

describe('drover drain', () => {
  it('touches nothing when a pod is protected', async () => {
    const { code, out, err, changes } = await on(cluster, 'drain', 'w3', 'node/w3');
    expect([code, out, changes]).toEqual([1, '', []]);
    expect(err).toBe(
      'error: node w3 cannot be drained, because of 1 pod; nothing was changed. Add --force if these may go:\n' +
        '  shop/tool: no controller would re-create it, so it would be lost (--force)\n',
    );
  });

  it('touches nothing when one of several names is wrong', async () => {
    const { code, err, changes } = await on(cluster, 'drain', 'w3', 'x3', '--force');
    expect([code, err, changes]).toEqual([1, 'error: there is no node "x3"; did you mean w3?\n', []]);
  });

  it('says when a selector selects nothing', async () => {
    const { code, err } = await on({ '/api/v1/nodes': list([]) }, 'drain', '-l', 'pool=x');
    expect([code, err]).toEqual([1, 'error: no node matches the selector "pool=x"; see: kubectl get nodes --show-labels\n']);
  });
});
