import { describe, expect, it } from 'vitest';
import { createDoorBed, type DoorBed } from '../../testing/door-bed.ts';
import { humanDuration, selectorCell } from './cell.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

function show(bed: DoorBed, path: string) {
  const { body } = bed.ask('GET', path, { accept: TABLE });
  const names = body.columnDefinitions.map(({ name }: { name: string }) => name) as string[];
  const narrow = body.columnDefinitions.map(({ priority }: { priority: number }) => priority === 0) as boolean[];
  return {
    names,
    narrow: names.filter((_, at) => narrow[at]),
    rows: body.rows.map(({ cells }: { cells: unknown[] }) => cells),
    body,
  };
}

const status = (bed: DoorBed, path: string, value: object) =>
  bed.ask('PATCH', `${path}/status`, { contentType: 'application/merge-patch+json', body: { status: value } });

describe('a table', () => {
  it('has as many cells as columns, for every kind that is served', () => {
    const bed = createDoorBed();
    bed.node('n1');
    bed.pod('a');
    bed.replicaSet('web', 1);
    bed.budget('web', { minAvailable: '50%', selector: {} });
    const pod = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'x', image: 'y' }] } };
    const workload = { selector: { matchLabels: { a: 'b' } }, template: pod };
    const at = (group: string, plural: string) => `/apis/${group}/namespaces/default/${plural}`;
    const made: [string, object][] = [
      [at('apps/v1', 'deployments'), { spec: workload }],
      [at('apps/v1', 'statefulsets'), { spec: { ...workload, serviceName: 'x' } }],
      [at('apps/v1', 'daemonsets'), { spec: workload }],
      [at('apps/v1', 'controllerrevisions'), { revision: 3 }],
      [at('batch/v1', 'jobs'), { spec: { template: { ...pod, spec: { ...pod.spec, restartPolicy: 'Never' } } } }],
      [at('discovery.k8s.io/v1', 'endpointslices'), { addressType: 'IPv4', endpoints: [], ports: [] }],
      [at('coordination.k8s.io/v1', 'leases'), { spec: { holderIdentity: 'me' } }],
      [
        at('autoscaling/v2', 'horizontalpodautoscalers'),
        { spec: { scaleTargetRef: { kind: 'Deployment', name: 'x' }, maxReplicas: 3 } },
      ],
      [at('rbac.authorization.k8s.io/v1', 'roles'), { rules: [] }],
      [at('rbac.authorization.k8s.io/v1', 'rolebindings'), { roleRef: { kind: 'Role', name: 'x' }, subjects: [] }],
      [at('networking.k8s.io/v1', 'networkpolicies'), { spec: { podSelector: {} } }],
      [at('networking.k8s.io/v1', 'ingresses'), { spec: { rules: [{ host: 'a.example' }] } }],
      ['/apis/storage.k8s.io/v1/storageclasses', { provisioner: 'x' }],
      ['/apis/storage.k8s.io/v1/csinodes', { spec: { drivers: [] } }],
      [
        '/apis/storage.k8s.io/v1/volumeattachments',
        { spec: { attacher: 'x', nodeName: 'n1', source: { persistentVolumeName: 'v' } } },
      ],
      ['/apis/scheduling.k8s.io/v1/priorityclasses', { value: 5 }],
      ['/api/v1/namespaces/default/configmaps', { data: { a: 'b' } }],
      ['/api/v1/namespaces/default/secrets', { data: { a: 'Yg==' } }],
      ['/api/v1/namespaces/default/serviceaccounts', {}],
      ['/api/v1/namespaces/default/services', { spec: { ports: [{ port: 80 }] } }],
      [
        '/api/v1/namespaces/default/events',
        { involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' }, reason: 'Because' },
      ],
      [
        '/api/v1/namespaces/default/persistentvolumeclaims',
        { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      ],
      [
        '/api/v1/persistentvolumes',
        { spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, csi: { driver: 'd', volumeHandle: 'h' } } },
      ],
    ];
    for (const [path, body] of made) {
      const { code, body: answer } = bed.ask('POST', path, { body: { metadata: { name: 'one' }, ...body } });
      expect(`${path} ${code} ${answer.message ?? ''}`).toBe(`${path} 201 `);
    }
    const others = [
      '/api/v1/nodes',
      '/api/v1/pods',
      '/apis/apps/v1/replicasets',
      '/apis/policy/v1/poddisruptionbudgets',
      '/api/v1/namespaces',
    ];
    for (const path of [...others, '/apis/events.k8s.io/v1/events', ...made.map(([made]) => made)]) {
      const { names, rows } = show(bed, path);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows)
        expect(`${path} ${row.filter((cell: unknown) => cell !== undefined).length}`).toBe(`${path} ${names.length}`);
    }
  });

  it('carries the metadata of each object unless told otherwise', () => {
    const bed = createDoorBed();
    bed.pod('a');
    const rows = (includeObject: string) => bed.ask('GET', '/api/v1/pods', { accept: TABLE, query: { includeObject } }).body.rows;
    expect(rows('')[0].object.kind).toBe('PartialObjectMetadata');
    expect(rows('None')[0].object).toBeUndefined();
    expect(rows('Object')[0].object.kind).toBe('Pod');
    expect(bed.ask('GET', '/api/v1/pods', { accept: TABLE, query: { includeObject: 'Half' } }).code).toBe(400);
  });

  it('is what a kind without columns of its own is shown as: name and time', () => {
    const bed = createDoorBed();
    bed.ask('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { body: { metadata: { name: 'all' } } });
    const { names, rows } = show(bed, '/apis/rbac.authorization.k8s.io/v1/clusterroles');
    expect([names, rows]).toEqual([['Name', 'Created At'], [['all', '2030-01-01T00:00:00Z']]]);
  });
});

describe('pods', () => {
  const path = '/api/v1/namespaces/default/pods';
  const container = (state: object, more: object = {}) => ({ name: 'app', ready: false, restartCount: 0, state, ...more });
  const running = { running: { startedAt: '2030-01-01T00:00:00Z' } };
  const crashed = { terminated: { exitCode: 1, reason: 'Error', finishedAt: '2030-01-01T00:00:00Z' } };

  it.each([
    ['Pending', {}, ['0/1', 'Pending', '0']],
    ['ready', { phase: 'Running', containerStatuses: [container(running, { ready: true })] }, ['1/1', 'Running', '0']],
    [
      'being made',
      { phase: 'Pending', containerStatuses: [container({ waiting: { reason: 'ContainerCreating' } })] },
      ['0/1', 'ContainerCreating', '0'],
    ],
    [
      'crashing',
      {
        phase: 'Running',
        containerStatuses: [container({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 3, lastState: crashed })],
      },
      ['0/1', 'CrashLoopBackOff', '3 (60s ago)'],
    ],
    [
      'done',
      { phase: 'Succeeded', containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } })] },
      ['0/1', 'Completed', '0'],
    ],
    [
      'ended by a code alone',
      { phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 3 } })] },
      ['0/1', 'ExitCode:3', '0'],
    ],
    ['evicted', { phase: 'Failed', reason: 'Evicted' }, ['0/1', 'Evicted', '0']],
    [
      'gated',
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      ['0/1', 'SchedulingGated', '0'],
    ],
  ])('%s', async (_, value, cells) => {
    const bed = createDoorBed();
    bed.pod('a');
    status(bed, `${path}/a`, value);
    await bed.pass(60);
    expect(show(bed, path).rows[0].slice(1, 4)).toEqual(cells);
  });

  it('in their init containers say how far they are', () => {
    const bed = createDoorBed();
    const init = (name: string, more: object = {}) => ({ name, image: 'x', ...more });
    bed.pod('a', { spec: { initContainers: [init('one'), init('two'), init('side', { restartPolicy: 'Always' })] } });
    const done = { name: 'one', ready: true, restartCount: 0, state: { terminated: { exitCode: 0 } } };
    const waits = { name: 'two', ready: false, restartCount: 0, state: { running: {} } };
    status(bed, `${path}/a`, { phase: 'Pending', initContainerStatuses: [done, waits] });
    expect(show(bed, path).rows[0].slice(1, 3)).toEqual(['0/2', 'Init:1/3']);
    const side = { name: 'side', ready: true, started: true, restartCount: 0, state: { running: {} } };
    const all = [done, { ...done, name: 'two' }, side];
    status(bed, `${path}/a`, {
      phase: 'Running',
      initContainerStatuses: all,
      containerStatuses: [container(running, { ready: true })],
    });
    expect(show(bed, path).rows[0].slice(1, 3)).toEqual(['2/2', 'Running']);
  });

  it('that are being deleted are Terminating, and show node and address with -o wide', () => {
    const bed = createDoorBed();
    bed.node('n1');
    bed.pod('a', { spec: { nodeName: 'n1' } });
    status(bed, `${path}/a`, { phase: 'Running', podIPs: [{ ip: '10.0.0.7' }] });
    bed.ask('DELETE', `${path}/a`);
    const { names, narrow, rows } = show(bed, path);
    expect(narrow).toEqual(['Name', 'Ready', 'Status', 'Restarts', 'Age']);
    expect(names.slice(5)).toEqual(['IP', 'Node', 'Nominated Node', 'Readiness Gates']);
    expect(rows[0].slice(2)).toEqual(['Terminating', '0', '0s', '10.0.0.7', 'n1', '<none>', '<none>']);
  });
});

describe('nodes', () => {
  it('show readiness, cordon and roles', () => {
    const bed = createDoorBed();
    bed.node('n1', {
      metadata: { labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'spot' } },
      spec: { unschedulable: true },
    });
    bed.node('n2');
    status(bed, '/api/v1/nodes/n1', {
      conditions: [{ type: 'Ready', status: 'Unknown' }],
      nodeInfo: { kubeletVersion: 'v1.34.4' },
    });
    const rows = show(bed, '/api/v1/nodes').rows.map((row: unknown[]) => row.slice(0, 5));
    expect(rows).toEqual([
      ['n1', 'NotReady,SchedulingDisabled', 'spot,worker', '0s', 'v1.34.4'],
      ['n2', 'Unknown', '<none>', '0s', ''],
    ]);
  });
});

describe('cells', () => {
  it.each([
    [0, '0s'],
    [-1500, '0s'],
    [-5000, '<invalid>'],
    [119_000, '119s'],
    [120_000, '2m'],
    [185_000, '3m5s'],
    [10 * 60_000, '10m'],
    [179 * 60_000, '179m'],
    [(3 * 60 + 10) * 60_000, '3h10m'],
    [9 * 3_600_000, '9h'],
    [50 * 3_600_000, '2d2h'],
    [10 * 86_400_000, '10d'],
    [800 * 86_400_000, '2y70d'],
    [9 * 365 * 86_400_000, '9y'],
  ])('%d ms are %s', (millis, text) => {
    expect(humanDuration(millis)).toBe(text);
  });

  it('write a selector in the order of its keys', () => {
    const matchExpressions = [
      { key: 'b', operator: 'In' as const, values: ['y', 'x'] },
      { key: 'a', operator: 'DoesNotExist' as const },
    ];
    expect(selectorCell({ matchLabels: { c: 'd' }, matchExpressions })).toBe('!a,b in (x,y),c=d');
    expect(selectorCell({})).toBe('<none>');
  });
});
