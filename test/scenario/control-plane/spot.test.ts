import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NodeMaintenance } from '../../../src/api/resources.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { createNodes, seed, type Seed } from '../../beds/seed.ts';
import { node } from '../../beds/objects.ts';
import { type Cluster, type NodeObject, openCluster, policyObject } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { eventually } from '../eventually.ts';
import { observe } from '../observer.ts';
import { brisk } from '../case.ts';

const NODES = 200;
const PODS = 400;

let bed: ControlPlane;
let cluster: Cluster;
let controller: ControllerProcess;
let seeded: Seed;

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', podReadyMs: 200, podStopMs: 100 });
  cluster = openCluster(bed);
  await installResources(bed);
  seeded = await seed(bed, {
    nodes: NODES,
    podsPerNode: PODS / NODES,
    prefix: 'spot',
    budget: { maxUnavailable: 0 },
    node: { metadata: { labels: { pool: 'spot' } } },
  });
  await createNodes(
    bed.api,
    Array.from({ length: 20 }, (_, index) => node(`spare-${index}`)),
  );
  controller = await startController(bed, { kubeconfig: bed.kubeconfigFor('peer') });
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await bed?.stop();
});

it('two hundred machines that go at once are all closed before one of them is empty, and then emptied', async () => {
  const story: string[] = [];
  const closed = new Set<string>();
  const stops = await Promise.all([
    observe<NodeObject>(bed, '/api/v1/nodes', ({ object: { metadata, spec } }) => {
      if (!spec.unschedulable || closed.has(metadata.name)) return;
      closed.add(metadata.name);
      story.push('closed');
    }),
    observe<NodeMaintenance>(bed, '/apis/drover.dev/v1alpha1/nodemaintenances', ({ object: { status } }) => {
      if (status?.drainedAt !== undefined) story.push('emptied');
    }),
  ]);
  await cluster.create(
    policyObject('leaving', {
      nodeSelector: { matchLabels: { pool: 'spot' } },
      reasons: [{ type: 'Signal', signal: { kinds: ['SpotInterruption'] } }],
      disruption: { maxNodes: 1 },
      drain: { ...brisk, handover: 'Never', waitForVolumes: false },
    }),
  );
  // Long enough that no pod is stopped around its budget while the test runs: what is empty was let go by its budget.
  const goneAt = new Date(Date.now() + 3_600_000).toISOString();
  const since = new Date().toISOString();
  const signal = { kind: 'SpotInterruption', source: 'aws', id: 'spot', since, goneAt, revocable: false, message: '' };
  const annotations = { 'drover.dev/signals': JSON.stringify([signal]) };
  await Promise.all(seeded.nodes.map((name) => cluster.patchNode(name, { metadata: { annotations } })));

  await eventually(
    'all of them to be closed',
    async () => closed.size,
    (count) => count === NODES,
    {
      timeoutMs: 120_000,
      also: () => controller.log().slice(-4_000),
    },
  );
  // Their budgets are shut: had any drain waited for the end of another, this would not have come to pass.
  expect(story.filter((each) => each === 'emptied')).toEqual([]);
  const waiting = await eventually(
    'all of them to say what they wait for',
    async () => (await cluster.maintenances()).map(({ status }) => `${status?.phase} ${status?.waitingFor?.cause}`),
    (all) => all.length === NODES && all.every((each) => each === 'Draining BudgetNeverAllows'),
    { timeoutMs: 120_000 },
  );
  expect(waiting).toHaveLength(NODES);

  for (const { namespace, name } of seeded.deployments)
    await cluster.api({
      method: 'PATCH',
      path: `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/${name}`,
      body: { spec: { maxUnavailable: '50%' } },
    });
  await eventually(
    'all of them to be drained',
    async () => (await cluster.maintenances()).map(({ spec, status }) => ({ node: spec.nodeName, status: status?.phase })),
    (all) => all.length === NODES && all.every(({ status }) => status === 'Drained'),
    { timeoutMs: 300_000, everyMs: 1_000, also: () => controller.log().slice(-4_000) },
  );
  for (const stop of stops) stop();
  const [first] = await cluster.maintenances();
  expect(first?.spec.notice).toMatchObject({ kind: 'SpotInterruption', profile: 'Minutes', revocable: false });
  expect(first?.spec).not.toHaveProperty('notice.heldUntil');
});
