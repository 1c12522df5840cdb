/** What the controller costs while nothing happens in a large cluster, and what one drain adds. */
import { GROUP_VERSION } from '../src/api/names.ts';
import { until } from '../test/beds/api-call.ts';
import type { ControlPlane } from '../test/beds/control-plane.ts';
import { type KubeObject, namespace, node, podDisruptionBudget } from '../test/beds/objects.ts';
import { killProcessesOf, startAgain } from '../test/beds/processes.ts';
import { createNodes } from '../test/beds/seed.ts';
import { createPolicy, kubectlDrain, startBenchBed, startController, trigger, untilDrained } from './bench-bed.ts';
import { runProgram, usageOfProcess } from './child.ts';
import { type Client, openClient } from './client.ts';
import { countRequests, requestsInWords } from './requests.ts';
import { type Bench, type Context, shown } from './result.ts';

const NODES = 1_000;
const NAMESPACES = 120;
const OWNERS = 3_000;
const REPLICAS = 10;
const IDLE_MS = 120_000;
const START_MS = 10_000;
// Minutes on a machine with nothing else to do.
const SEED_MS = 1_800_000;
const WRITERS = 32;
const MANAGER = 'kube-controller-manager';
const MIB = 2 ** 20;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const namespaceOf = (owner: number) => `crowd-${owner % NAMESPACES}`;

async function createAll<T>(
  client: Client,
  objects: readonly { readonly path: string; readonly body: KubeObject }[],
): Promise<T[]> {
  const created: T[] = [];
  let next = 0;
  const writer = async () => {
    for (let index = next++; index < objects.length; index = next++) {
      const object = objects[index];
      if (!object) return;
      const { status, body } = await client.send<T>({ method: 'POST', ...object });
      if (status !== 201)
        throw new Error(`cannot create ${object.body.kind} ${object.body.metadata.name}: ${status} ${JSON.stringify(body)}`);
      created[index] = body;
    }
  };
  await Promise.all(range(WRITERS).map(writer));
  return created;
}

const spec = { terminationGracePeriodSeconds: 30, containers: [{ name: 'app', image: 'app' }] };

function replicaSet(owner: number): KubeObject {
  const labels = { app: `crowd-${owner}` };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: `crowd-${owner}`, namespace: namespaceOf(owner), labels },
    spec: { replicas: REPLICAS, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

function boundPod(index: number, uid: string): KubeObject {
  const owner = Math.floor(index / REPLICAS);
  const name = `crowd-${owner}`;
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true, blockOwnerDeletion: true }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${index % REPLICAS}`, namespace: namespaceOf(owner), labels: { app: name }, ownerReferences },
    spec: { ...spec, nodeName: `crowd-${index % NODES}` },
  };
}

interface BudgetView {
  readonly status?: { readonly currentHealthy?: number };
}

/**
 * Without a controller manager while the pods are written, already bound and owned: one that starts reads everything before it acts, and
 * finds everything as it wants it. One that was only stopped sees the ReplicaSets before their pods and creates thousands more.
 */
async function crowd(bed: ControlPlane, say: Context['say']): Promise<void> {
  const client = openClient(bed, 'bench');
  await createNodes(
    bed.api,
    range(NODES).map((index) => node(`crowd-${index}`)),
  );
  await createAll(
    client,
    range(NAMESPACES).map((index) => ({ path: '/api/v1/namespaces', body: namespace(`crowd-${index}`) })),
  );
  await until('the service accounts', async () => {
    const path = '/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault';
    const { items } = await bed.api<{ items: { metadata: { namespace: string } }[] }>({ path });
    return items.filter(({ metadata }) => metadata.namespace.startsWith('crowd-')).length === NAMESPACES;
  });
  killProcessesOf(bed.folder, MANAGER);
  const sets = await createAll<{ metadata: { uid: string } }>(
    client,
    range(OWNERS).map((owner) => ({
      path: `/apis/apps/v1/namespaces/${namespaceOf(owner)}/replicasets`,
      body: replicaSet(owner),
    })),
  );
  await createAll(
    client,
    range(OWNERS).map((owner) => ({
      path: `/apis/policy/v1/namespaces/${namespaceOf(owner)}/poddisruptionbudgets`,
      body: podDisruptionBudget(namespaceOf(owner), `crowd-${owner}`, { maxUnavailable: 1 }),
    })),
  );
  say('30,000 pods');
  await createAll(
    client,
    range(OWNERS * REPLICAS).map((index) => {
      const owner = Math.floor(index / REPLICAS);
      return { path: `/api/v1/namespaces/${namespaceOf(owner)}/pods`, body: boundPod(index, sets[owner]?.metadata.uid ?? '') };
    }),
  );
  await until(
    'all pods to be Running',
    async () => {
      const path = '/api/v1/pods?fieldSelector=status.phase%3DPending&limit=1';
      return (await bed.api<{ items: unknown[] }>({ path })).items.length === 0;
    },
    SEED_MS,
  );
  startAgain(bed.folder, MANAGER);
  say('waiting for the budgets');
  await until(
    'all budgets to count their pods',
    async () => {
      const { items } = await bed.api<{ items: BudgetView[] }>({ path: '/apis/policy/v1/poddisruptionbudgets' });
      return items.every(({ status }) => status?.currentHealthy === REPLICAS);
    },
    SEED_MS,
  );
  await pause(START_MS);
}

export const memory: Bench = {
  title: 'The controller in a cluster of 1,000 nodes and 30,000 pods',
  async run(context) {
    const bed = await startBenchBed();
    try {
      const began = performance.now();
      await crowd(bed, context.say);
      return await measure(bed, context, (performance.now() - began) / 1_000);
    } finally {
      await bed.stop();
    }
  },
};

async function measure(bed: ControlPlane, context: Context, seedSeconds: number) {
  const { say } = context;
  const client = openClient(bed, 'bench');
  const [ours, theirs] = ['crowd-100', 'crowd-500'];
  await createPolicy(bed);
  const controller = await startController(bed, context);
  const look = () => {
    const usage = usageOfProcess(controller.pid);
    if (!usage) throw new Error('the controller has ended');
    return usage;
  };
  await pause(START_MS);
  const started = look();

  say(`idle for ${IDLE_MS / 1_000} s`);
  const idleFrom = bed.auditMark();
  await pause(IDLE_MS);
  const idle = look();
  const idleRequests = await countRequests(bed, 'drover', idleFrom);
  const idleShare = (idle.cpuSeconds - started.cpuSeconds) / (IDLE_MS / 1_000);

  say('one drain');
  const drainFrom = bed.auditMark();
  const began = await trigger(client, ours);
  const empty = untilEmpty(bed, ours).then(() => (performance.now() - began) / 1_000);
  await untilDrained(bed, [ours], 300_000);
  const ourSeconds = await empty;
  await pause(START_MS);
  const drained = look();
  const drainRequests = await countRequests(bed, 'drover', drainFrom);
  const objects = await bed.api<{ items: unknown[] }>({ path: `/apis/${GROUP_VERSION}/nodemaintenances` });
  if (objects.items.length !== 1) throw new Error(`there are ${objects.items.length} maintenances, not one`);
  await controller.stop();

  say('kubectl drain');
  const peerFrom = bed.auditMark();
  const peerEmpty = untilEmpty(bed, theirs);
  const peerBegan = performance.now();
  const peer = await runProgram(kubectlDrain(bed, theirs));
  await peerEmpty;
  const peerSeconds = (peer.endedAt - peerBegan) / 1_000;
  const peerRequests = await countRequests(bed, 'peer', peerFrom);

  const mib = (bytes: number) => shown(bytes / MIB);
  const percent = (share: number) => `${shown(share * 100)} %`;
  return {
    tables: [
      {
        columns: ['when', 'RSS, MiB', 'peak RSS, MiB', 'CPU', 'requests (Lease)', 'time, s'],
        rows: [
          ['controller, started', mib(started.rssBytes), mib(started.peakBytes), `${shown(started.cpuSeconds)} s`, '', ''],
          [
            `controller, idle for ${IDLE_MS / 1_000} s`,
            mib(idle.rssBytes),
            mib(idle.peakBytes),
            percent(idleShare),
            `${idleRequests.total} (${idleRequests.lease})`,
            '',
          ],
          [
            'controller, after one drain of 30 pods',
            mib(drained.rssBytes),
            mib(drained.peakBytes),
            `${shown(drained.cpuSeconds - idle.cpuSeconds)} s`,
            `${drainRequests.total} (${drainRequests.lease})`,
            shown(ourSeconds),
          ],
          [
            'kubectl drain of 30 pods',
            mib(peer.usage.rssBytes),
            mib(peer.usage.peakBytes),
            `${shown(peer.usage.cpuSeconds)} s`,
            String(peerRequests.total),
            shown(peerSeconds),
          ],
        ],
      },
    ],
    bars: [
      { what: 'controller: RSS, idle', measured: idle.rssBytes / MIB, bar: 110, unit: 'MiB' },
      { what: 'controller: RSS, after one drain', measured: drained.rssBytes / MIB, bar: 110, unit: 'MiB' },
      { what: 'controller: peak RSS', measured: drained.peakBytes / MIB, bar: 110, unit: 'MiB' },
      { what: 'controller: CPU, idle', measured: idleShare * 100, bar: 2, unit: '% of a core' },
    ],
    how: [
      `${NODES} nodes, ${OWNERS} ReplicaSets x ${REPLICAS} in ${NAMESPACES} namespaces, each with a budget of maxUnavailable 1; every node runs 30 pods of 30 owners. Written in ${shown(seedSeconds)} s: the pods are created bound and owned while no controller manager runs, kwok makes them Running; then it is started and finds nothing to do.`,
      'A policy with every default but maxNodes selects all nodes. kwok renews 1,000 node leases and beats every 5 minutes meanwhile. Pods stop and start at once.',
      'RSS and peak from /proc (VmRSS, VmHWM), CPU user and system. The controller’s time is from the taint until the node is empty, kubectl’s until it exits.',
      `Requests of the drain: ${requestsInWords(drainRequests)}; while idle: ${requestsInWords(idleRequests) || 'none'}.`,
    ],
    broken: [],
  };
}

async function untilEmpty(bed: ControlPlane, nodeName: string): Promise<void> {
  await until(
    `node ${nodeName} to be empty`,
    async () => {
      const path = `/api/v1/pods?fieldSelector=spec.nodeName%3D${nodeName}`;
      return (await bed.api<{ items: unknown[] }>({ path })).items.length === 0;
    },
    300_000,
  );
}
