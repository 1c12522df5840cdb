import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl } from '../../beds/kubectl.ts';
import { appTemplate, deployment, merge, podDisruptionBudget } from '../../beds/objects.ts';
import type { ProbeReport } from '../../beds/probe.ts';
import { type RealNodes, startRealNodes } from '../../beds/real-nodes.ts';
import { type Cluster, openCluster, type PodObject } from '../cluster.ts';
import { drover } from '../drover.ts';
import { openWitness, type Witness } from '../witness.ts';
import { printFigures, serve, underTraffic } from './traffic.ts';

// Each case beside kubectl drain, on the same bed in the same run. Nothing of Drover's is installed in this cluster.

const NODES = ['node1', 'node2', 'node3'];

let bed: RealNodes;
let cluster: Cluster;
let witness: Witness;

beforeAll(async () => {
  bed = await startRealNodes({ nodes: NODES.length });
  cluster = openCluster(bed);
  witness = await openWitness(bed);
});

afterAll(async () => {
  witness?.stop();
  await bed?.stop();
});

const byKubectl = (node: string, ...flags: readonly string[]) =>
  kubectl(bed.kubeconfig, 'drain', node, '--ignore-daemonsets', ...flags);

async function byDrover(node: string, ...flags: readonly string[]): Promise<void> {
  expect(await drover(bed.kubeconfig, 'drain', node, ...flags)).toMatchObject({ code: 0, stderr: '' });
}

async function giveBack(node: string): Promise<void> {
  expect(await drover(bed.kubeconfig, 'uncordon', node)).toMatchObject({ code: 0, stderr: '' });
}

const traces = (pods: readonly PodObject[]) =>
  pods.filter(
    ({ metadata: { labels = {}, annotations = {} } }) => !labels['pod-template-hash'] || annotations['drover.dev/handover'],
  );

describe('four replicas that end at SIGTERM in the middle of their requests', () => {
  const RATE = 200;
  const REPLICAS = 4;
  const ns = 'rude';
  let urls: string[];
  const reports: Record<string, ProbeReport> = {};

  beforeAll(async () => {
    // the Service has a label of its own: with the one that the budget selects on, too, a pod could not leave the Service first
    const listed = { spec: { template: { metadata: { labels: { app: 'web', serve: 'yes' } } } } };
    const app = merge(appTemplate({ workMs: 50, onTerm: 'exit' }), listed);
    urls = await serve(bed, cluster, {
      namespace: ns,
      pods: REPLICAS,
      selector: { serve: 'yes' },
      objects: () => [podDisruptionBudget(ns, 'web', { maxUnavailable: 1 }), deployment(ns, 'web', REPLICAS, app)],
    });
  });

  afterAll(() =>
    printFigures(`${REPLICAS} replicas, 50 ms a request, ${RATE} requests/s, ${NODES.length} nodes drained in turn`, reports),
  );

  /** Every node in turn, so that each pod has to move at least once, wherever it was. */
  const throughAllNodes = (drain: (node: string) => Promise<unknown>) =>
    underTraffic(urls, RATE, async () => {
      for (const node of NODES) {
        await drain(node);
        await cluster.readyPods(ns, REPLICAS);
        await giveBack(node);
      }
    });

  it('lose requests with kubectl drain', async () => {
    const report = await throughAllNodes(byKubectl);
    reports['kubectl drain'] = report; console.log('FAIL', JSON.stringify(report.failures));
    expect(report.failed).toBeGreaterThan(0);
  });

  it('idle after kubectl', async () => {
    const report = await underTraffic(urls, RATE, () => new Promise((resolve) => setTimeout(resolve, 100_000)));
    reports['idle'] = report; console.log('FAIL', JSON.stringify(report.failures));
  });
});
