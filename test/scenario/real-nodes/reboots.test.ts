/** Real reboots, as far as a bed has them: the pod's command asks the bed for one, and the bed takes kubelet, containers and network down and up. */
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolsArchive, toolsImage } from '../../beds/image.ts';
import { appTemplate, deployment, podDisruptionBudget } from '../../beds/objects.ts';
import { type RealNodes, startRealNodes } from '../../beds/real-nodes.ts';
import { type Cluster, fingerprint, openCluster, policyObject } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { openWitness, type Witness } from '../witness.ts';
import { printFigures, serve, underTraffic } from './traffic.ts';

const WORKERS = ['node1', 'node2', 'node3'];
/** Requests come in through this one: the port of a node that is off answers nobody. */
const ENTRY = 'node4';
const RATE = 100;
const REPLICAS = 4;

let bed: RealNodes;
let cluster: Cluster;
let witness: Witness;
let controller: ControllerProcess;
let entry: string;
let machines: Awaited<ReturnType<typeof playMachines>>;

beforeAll(async () => {
  bed = await startRealNodes({ nodes: WORKERS.length + 1, labels: { pool: 'workers' } });
  cluster = openCluster(bed);
  await installResources(bed);
  const tools = join(bed.folder, 'tools.tar');
  writeFileSync(tools, toolsArchive());
  bed.loadImage(tools);
  await cluster.patchNode(ENTRY, { metadata: { labels: { pool: 'entry' } } });
  for (const name of WORKERS) await cluster.quietNode(name);
  const app = appTemplate({ readyAfterMs: 500, onTerm: 'drain', graceMs: 4_000 }) as { spec: { template: { spec: object } } };
  const pinned = { spec: { template: { spec: { ...app.spec.template.spec, nodeSelector: { pool: 'workers' } } } } };
  const urls = await serve(bed, cluster, {
    namespace: 'shop',
    pods: REPLICAS,
    objects: (ns) => [podDisruptionBudget(ns, 'web', { maxUnavailable: 1 }), deployment(ns, 'web', REPLICAS, pinned)],
  });
  entry = urls.at(-1) ?? '';
  witness = await openWitness(bed);
  machines = await playMachines();
  controller = await startController(bed);
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await machines?.stop();
  witness?.stop();
  await bed?.stop();
});

interface NodeStatus {
  readonly status: { readonly nodeInfo: { readonly bootID: string } };
}

const bootIdOf = async (name: string) =>
  (await cluster.api<NodeStatus>({ path: `/api/v1/nodes/${name}` })).status.nodeInfo.bootID;
const closed = async () => {
  const nodes = await Promise.all(WORKERS.map(cluster.node));
  return nodes.filter(({ spec }) => spec.unschedulable).map(({ metadata }) => metadata.name);
};

/**
 * Whoever connects and says the name of a node has it rebooted: that is what the pods' command does, from the node's own network. Tells
 * of each whether its pods had left, and which nodes were out.
 */
async function playMachines() {
  const asked: string[] = [];
  const seen: { readonly node: string; readonly closed: readonly string[]; readonly pods: number }[] = [];
  const play = { goesOn: true, mostClosed: 0 };
  const server = createServer((socket) => {
    socket.setEncoding('utf8').on('data', (said: string) => void asked.push(said.trim()));
    socket.on('error', () => {}); // its node is taken down with it
  });
  const host = new URL(bed.server).hostname;
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const look = async () => {
    play.mostClosed = Math.max(play.mostClosed, (await closed()).length);
    for (const node of asked.splice(0)) {
      const pods = (await cluster.podsOn(node)).filter(({ metadata }) => metadata.namespace === 'shop');
      seen.push({ node, closed: await closed(), pods: pods.length });
      await bed.nodeReboot(Number(node.replace('node', '')));
    }
  };
  const failures: unknown[] = [];
  const loop = (async () => {
    while (play.goesOn) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })().catch((error: unknown) => void failures.push(error));
  return {
    door: `/dev/tcp/${host}/${(server.address() as AddressInfo).port}`,
    seen,
    mostClosed: () => play.mostClosed,
    async stop() {
      play.goesOn = false;
      await loop;
      server.close();
      expect(failures).toEqual([]);
    },
  };
}

describe('a policy that reboots what is labelled', () => {
  it('drains, reboots and hands back three nodes, one at a time and once each, and no request is lost', async () => {
    const before = await Promise.all(WORKERS.map(async (name) => fingerprint(await cluster.node(name))));
    const boots = await Promise.all(WORKERS.map(bootIdOf));
    await witness.begin('shop', REPLICAS);
    await cluster.create(
      policyObject('reboots', {
        nodeSelector: { matchLabels: { pool: 'workers' } },
        reasons: [{ type: 'Label', label: { key: 'reboot' } }],
        action: 'Reboot',
        disruption: { maxNodes: 1 },
        drain: { emptyFor: '1s' },
        reboot: {
          image: toolsImage,
          command: ['bash', '-c', `echo $(DROVER_NODE) > ${machines.door}`],
          bootIdFile: join(bed.folder, '$(DROVER_NODE)', 'boot_id'),
          timeout: '2m',
        },
        verify: { healthyFor: '3s' },
      }),
    );
    const report = await underTraffic([entry], RATE, async () => {
      for (const name of WORKERS) await cluster.patchNode(name, { metadata: { labels: { reboot: 'needed' } } });
      for (const name of WORKERS) await cluster.phase(name, ['HandedBack'], 240_000);
    });
    printFigures('3 nodes rebooted in turn by the controller', { controller: report });

    expect(report.failures).toEqual([]);
    expect(report.sent).toBeGreaterThan(10 * RATE);
    expect(witness.of('shop').shortages).toEqual([]);
    expect(machines.seen.map(({ node }) => node).sort()).toEqual(WORKERS);
    for (const each of machines.seen) expect(each).toEqual({ node: each.node, closed: [each.node], pods: 0 });
    expect(machines.mostClosed()).toBe(1);

    const done = await Promise.all(WORKERS.map(cluster.maintenancesOf));
    const after = await Promise.all(WORKERS.map(bootIdOf));
    for (const [index, [only, ...more]] of done.entries()) {
      expect(more).toEqual([]);
      expect(only?.status?.action).toMatchObject({ attempt: 1, bootIdBefore: boots[index], bootIdAfter: after[index] });
    }
    for (const name of WORKERS) await cluster.patchNode(name, { metadata: { labels: { reboot: null } } });
    expect(await Promise.all(WORKERS.map(async (name) => fingerprint(await cluster.node(name))))).toEqual(before);
  });
});
