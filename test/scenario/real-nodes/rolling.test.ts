import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../beds/api-call.ts';
import { appTemplate, deployment, podDisruptionBudget } from '../../beds/objects.ts';
import { type RealNodes, startRealNodes } from '../../beds/real-nodes.ts';
import { type Cluster, fingerprint, type NodeObject, openCluster, policyObject } from '../cluster.ts';
import { installResources, startController } from '../controller-process.ts';
import { drover } from '../drover.ts';
import { eventually } from '../eventually.ts';
import { openWitness, type Witness } from '../witness.ts';
import { printFigures, serve, underTraffic } from './traffic.ts';

const NODES = ['node1', 'node2', 'node3'];
const RATE = 200;
const REPLICAS = 4;

let bed: RealNodes;
let cluster: Cluster;
let witness: Witness;
let urls: string[];

beforeAll(async () => {
  bed = await startRealNodes({ nodes: NODES.length, labels: { pool: 'workers' } });
  cluster = openCluster(bed);
  await installResources(bed);
  for (const name of NODES) await cluster.quietNode(name);
  urls = await serve(bed, cluster, {
    namespace: 'shop',
    pods: REPLICAS,
    objects: (ns) => [
      podDisruptionBudget(ns, 'web', { maxUnavailable: 1 }),
      deployment(ns, 'web', REPLICAS, appTemplate({ readyAfterMs: 500, onTerm: 'drain', graceMs: 4000 })),
    ],
  });
  witness = await openWitness(bed);
});

afterAll(async () => {
  witness?.stop();
  await bed?.stop();
});

type Taints = NonNullable<NodeObject['spec']['taints']>;

/** Tried again when someone else has changed the node meanwhile: a merge patch replaces the whole list. */
const changeTaints = (name: string, change: (taints: Taints) => Taints) =>
  until(`the taints of ${name} to be changed`, async () => {
    const { metadata, spec } = await cluster.node(name);
    await cluster.patchNode(name, {
      metadata: { resourceVersion: metadata.resourceVersion },
      spec: { taints: change(spec.taints ?? []) },
    });
    return true;
  });

// The soft effect: all three nodes are marked at once, and their pods have nowhere else to go.
const mark = { key: 'example.com/reboot', effect: 'PreferNoSchedule' };
const markNode = (name: string) => changeTaints(name, (taints) => [...taints, mark]);
const unmarkNode = (name: string) => changeTaints(name, (taints) => taints.filter(({ key }) => key !== mark.key));

const fingerprints = () => Promise.all(NODES.map(async (name) => fingerprint(await cluster.node(name))));

/** All four pods have been replaced at least once, and the budget was kept at every moment. */
function expectKept(): void {
  const { pods, shortages, fewestReady } = witness.of('shop');
  expect(shortages).toEqual([]);
  expect(fewestReady('web')).toBeGreaterThanOrEqual(REPLICAS - 1);
  expect(pods.size).toBeGreaterThanOrEqual(2 * REPLICAS);
}

describe('an application that ends in order, behind a NodePort', () => {
  it('loses no request while the controller drains every node in turn and hands each back', async () => {
    const before = await fingerprints();
    await witness.begin('shop', 4);
    const controller = await startController(bed);
    await cluster.create(
      policyObject('reboots', {
        nodeSelector: { matchLabels: { pool: 'workers' } },
        reasons: [{ type: 'Taint', taint: { key: mark.key } }],
        disruption: { maxNodes: 1 },
        drain: { emptyFor: '1s' },
      }),
    );
    const report = await underTraffic(urls, RATE, async () => {
      for (const name of NODES) await markNode(name);
      const left = new Set(NODES);
      while (left.size > 0) {
        const all = await eventually(
          `one of ${[...left].join(', ')} to be drained`,
          cluster.maintenances,
          (seen) => seen.some(({ spec, status }) => left.has(spec.nodeName) && status?.phase === 'Drained'),
          { timeoutMs: 90_000, also: controller.log },
        );
        for (const { spec, status } of all) {
          if (status?.phase !== 'Drained' || !left.delete(spec.nodeName)) continue;
          expect(await cluster.podsOn(spec.nodeName)).toEqual([]);
          await unmarkNode(spec.nodeName);
        }
      }
      for (const name of NODES) await cluster.phase(name, ['HandedBack']);
    });
    printFigures(`${NODES.length} nodes drained in turn by the controller`, { controller: report });

    expect(report.failures).toEqual([]);
    expect(report.sent).toBeGreaterThan(5 * RATE);
    expectKept();
    const turns = (await cluster.maintenances())
      .map(({ status }) => ({ started: Date.parse(status?.startedAt ?? ''), drained: Date.parse(status?.drainedAt ?? '') }))
      .sort((a, b) => a.started - b.started);
    expect(turns).toHaveLength(NODES.length);
    for (const [index, { started }] of turns.entries()) {
      if (index > 0)
        expect(started, 'starts after the node before it is drained').toBeGreaterThanOrEqual(
          turns[index - 1]?.drained ?? Number.NaN,
        );
    }
    expect(await controller.stop(), controller.log()).toBe(0);
    expect(await fingerprints()).toEqual(before);
  });

  it('loses no request while drover drain and drover uncordon go through every node', async () => {
    const before = await fingerprints();
    await cluster.readyPods('shop', REPLICAS);
    await witness.begin('shop', 4);
    const report = await underTraffic(urls, RATE, async () => {
      for (const name of NODES) {
        expect(await drover(bed.kubeconfig, 'drain', name, '--settle')).toMatchObject({ code: 0, stderr: '' });
        expect(await cluster.podsOn(name)).toEqual([]);
        expect(await drover(bed.kubeconfig, 'uncordon', name)).toMatchObject({ code: 0, stderr: '' });
      }
    });
    printFigures(`${NODES.length} nodes drained in turn by the command`, { 'drover drain': report });

    expect(report.failures).toEqual([]);
    expect(report.sent).toBeGreaterThan(5 * RATE);
    expectKept();
    expect(await fingerprints()).toEqual(before);
  });
});
