/** What a real control plane has written is taken as it is: nothing happens in a simulated cluster into which its snapshot is loaded. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAccess } from '../../../src/kube/kubeconfig.ts';
import { connect } from '../../../src/kube/request.ts';
import { createWallClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { pods as podKind } from '../../../src/sim/apiserver/kinds.ts';
import { isPodReady } from '../../../src/sim/conditions.ts';
import { readCluster } from '../../../src/sim/snapshot/read-cluster.ts';
import { scrubSnapshot } from '../../../src/sim/snapshot/scrub.ts';
import type { Snapshot } from '../../../src/sim/snapshot/snapshot.ts';
import { loaded, MINUTE } from '../../../src/sim/testing/snapshot-bed.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { daemonSet, deployment, job, namespace, node, podDisruptionBudget, service, statefulSet } from '../../beds/objects.ts';
import { createNodes } from '../../beds/seed.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';

const NODES = ['n1', 'n2', 'n3'];
const PODS = 6 + 3 + NODES.length + 1;

let bed: ControlPlane;
let cluster: Cluster;

interface Rolled {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly observedGeneration?: number; readonly replicas?: number; readonly updatedReplicas?: number };
}

const withEnv = (value: string) => ({
  spec: { template: { spec: { containers: [{ name: 'app', image: 'app', env: [{ name: 'V', value }] }] } } },
});

beforeAll(async () => {
  bed = await startControlPlane();
  cluster = openCluster(bed);
  await createNodes(
    bed.api,
    NODES.map((name) => node(name)),
  );
  const web = deployment('shop', 'web', 6, withEnv('1'));
  const db = statefulSet('shop', 'db', 3);
  await cluster.create(
    namespace('shop'),
    web,
    db,
    daemonSet('shop', 'agent'),
    job('shop', 'batch'),
    service('shop', 'web'),
    service('shop', 'db'),
    podDisruptionBudget('shop', 'web', { maxUnavailable: 1 }),
    podDisruptionBudget('shop', 'db', { minAvailable: '50%' }),
  );
  await cluster.readyPods('shop', PODS);
  // Past revisions, which differ only in what a snapshot leaves out; the one of the StatefulSet goes as far as its partition.
  await cluster.patch(web, withEnv('2'));
  await cluster.patch(db, {
    spec: { ...withEnv('2').spec, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
  });
  const rolled = async (plural: string, name: string, updated: number) =>
    eventually(
      `${name} to be rolled`,
      () => bed.api<Rolled>({ path: `/apis/apps/v1/namespaces/shop/${plural}/${name}` }),
      ({ metadata, status }) =>
        status?.observedGeneration === metadata.generation && status.updatedReplicas === updated && status.replicas !== undefined,
    );
  await rolled('deployments', 'web', 6);
  await rolled('statefulsets', 'db', 1);
  await cluster.readyPods('shop', PODS);
  let before = '';
  await eventually(
    'everything to be quiet',
    async () => {
      const last = before;
      before = JSON.stringify((await take()).objects.map(({ metadata, ...rest }) => [metadata.uid, rest]));
      return before === last;
    },
    (quiet) => quiet,
    { everyMs: 3_000 },
  );
});

afterAll(() => bed?.stop());

async function take(): Promise<Snapshot> {
  const clock = createWallClock();
  const client = connect(loadAccess({ kubeconfig: bed.kubeconfig, env: {}, clock }), {
    clock,
    log: silentLog,
    userAgent: 'test',
  });
  try {
    return await readCluster(client, { clock });
  } finally {
    client.close();
  }
}

describe('a snapshot of a real control plane', () => {
  it.each([
    ['as it is', (snapshot: Snapshot) => snapshot],
    ['scrubbed', scrubSnapshot],
  ])('stands still when it is loaded: %s', async (_, prepare) => {
    const snapshot = prepare(await take());
    expect(snapshot.missing).toEqual([]);
    const to = loaded(snapshot);
    await to.clock.advance(10 * MINUTE);
    expect(to.written()).toEqual([]);
    // And it is alive: what goes comes back.
    for (const { metadata } of to.api.list(podKind)) {
      if (!metadata.ownerReferences?.some(({ kind }) => kind === 'Job'))
        to.api.remove(podKind, metadata.namespace ?? '', metadata.name);
    }
    await to.clock.advance(10 * MINUTE);
    expect(to.api.list(podKind).filter(isPodReady)).toHaveLength(PODS);
    to.cluster.stop();
  });
});
