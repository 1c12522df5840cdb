import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeMaintenance } from '../../../src/api/resources.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { node } from '../../beds/objects.ts';
import { createNodes, seed } from '../../beds/seed.ts';
import { type Cluster, type NodeObject, openCluster, type PodObject, policyObject } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { eventually } from '../eventually.ts';
import { observe } from '../observer.ts';

const NODES = 20;
const PODS = 600;

let bed: ControlPlane;
let cluster: Cluster;
let controller: ControllerProcess;

const range = (prefix: string) => Array.from({ length: NODES }, (_, index) => `${prefix}-${index}`);

// The pods tolerate the taint that calls for the rotation: only what Drover itself puts on a node keeps them off it.
const tolerant = { spec: { template: { spec: { tolerations: [{ key: 'RemovedPool', operator: 'Exists' }] } } } };

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', podReadyMs: 500, podStopMs: 200 });
  cluster = openCluster(bed);
  await installResources(bed);
  await seed(bed, {
    nodes: NODES,
    podsPerNode: PODS / NODES,
    prefix: 'first',
    budget: { maxUnavailable: 1 },
    deployment: tolerant,
    node: { metadata: { labels: { pool: 'first' } } },
  });
  controller = await startController(bed, { kubeconfig: bed.kubeconfigFor('peer') });
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await bed?.stop();
});

interface Budget {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly status?: { readonly currentHealthy?: number; readonly desiredHealthy?: number };
}

/** What one rotation must never show, gathered while it runs. */
async function watchRotation(pool: readonly string[], maxNodes: number) {
  const members = new Set(pool);
  const budgets = new Set<string>();
  const cordoned = new Set<string>();
  const drained = new Set<string>();
  const known = new Map<string, string>(); // pods by uid, and the node they were first seen on
  const landed: string[] = [];
  let begun = false;
  let mostOut = 0;
  let tooManySince: number | null = null;
  const tooMany: string[] = [];
  // The end of one drain and the begin of the next reach us by two watches, and the status is written beside the cordon: an excess
  // counts when it lasts longer than that skew can.
  const SKEW_MS = 1_000;
  const count = () => {
    const out = [...cordoned].filter((name) => !drained.has(name));
    if (out.length <= maxNodes) {
      mostOut = Math.max(mostOut, out.length);
      tooManySince = null;
    } else if (tooManySince === null) tooManySince = Date.now();
    else if (Date.now() - tooManySince > SKEW_MS) tooMany.push(out.join(' '));
  };
  const stops = await Promise.all([
    observe<Budget>(bed, '/apis/policy/v1/poddisruptionbudgets', ({ object: { metadata, status } }) => {
      if ((status?.currentHealthy ?? 0) < (status?.desiredHealthy ?? 0)) {
        budgets.add(`${metadata.namespace}/${metadata.name}: ${status?.currentHealthy} of ${status?.desiredHealthy}`);
      }
    }),
    observe<NodeObject>(bed, '/api/v1/nodes', ({ object: { metadata, spec } }) => {
      if (!members.has(metadata.name)) return;
      if (spec.unschedulable) cordoned.add(metadata.name);
      else cordoned.delete(metadata.name);
      count();
    }),
    observe<NodeMaintenance>(bed, '/apis/drover.dev/v1alpha1/nodemaintenances', ({ object: { spec, status } }) => {
      if (status?.phase === 'Drained') drained.add(spec.nodeName);
      else drained.delete(spec.nodeName);
      count();
    }),
    observe<PodObject>(bed, '/api/v1/pods', ({ object: { metadata, spec } }) => {
      if (!spec.nodeName || known.has(metadata.uid)) return;
      known.set(metadata.uid, spec.nodeName);
      if (begun && members.has(spec.nodeName))
        landed.push(`${metadata.name} on ${spec.nodeName}${cordoned.has(spec.nodeName) ? ' (cordoned)' : ''}`);
    }),
  ]);
  return {
    begin: () => (begun = true),
    end() {
      for (const stop of stops) stop();
      return { budgets: [...budgets], tooMany, landed, mostOut };
    },
  };
}

/** Looks at every maintenance again and again: none may stand still without saying for what. */
function watchSilence() {
  const silent: string[] = [];
  const lastMove = new Map<string, { key: string; at: number }>();
  // With 20 nodes under way a status is written every 10 s, so progress may look that old.
  const PATIENCE_MS = 15_000;
  return {
    silent,
    look(maintenances: readonly NodeMaintenance[]) {
      const now = Date.now();
      for (const { metadata, status } of maintenances) {
        const key = JSON.stringify([status?.phase, status?.progress?.gone]);
        const last = lastMove.get(metadata.name);
        if (last?.key !== key) lastMove.set(metadata.name, { key, at: now });
        const standing = last?.key === key && now - last.at > PATIENCE_MS;
        const says = status?.waitingFor?.message && status.waitingFor.unblock;
        if (standing && status?.phase !== 'Drained' && !says) silent.push(`${metadata.name}: ${key}`);
      }
    },
  };
}

async function rotate(from: string, to: string, maxNodes: number | string): Promise<void> {
  const pool = range(from);
  await createNodes(
    bed.api,
    range(to).map((name) => node(name, { metadata: { labels: { pool: to } } })),
  );
  await cluster.create(
    policyObject(from, {
      nodeSelector: { matchLabels: { pool: from } },
      reasons: [{ type: 'Taint', taint: { key: 'RemovedPool' } }],
      disruption: { maxNodes },
      drain: { emptyFor: '0s' },
    }),
  );
  const watch = await watchRotation(pool, typeof maxNodes === 'number' ? maxNodes : NODES);
  const silence = watchSilence();
  const mark = bed.auditMark();
  const startedAt = Date.now();
  watch.begin();
  const taints = [{ key: 'RemovedPool', effect: 'NoSchedule' }];
  await Promise.all(pool.map((name) => cluster.patchNode(name, { spec: { taints } })));
  const look = async () => {
    const all = (await cluster.maintenances()).filter(({ spec }) => spec.policy === from);
    silence.look(all);
    return all.map(({ spec, status }) => ({
      node: spec.nodeName,
      phase: status?.phase,
      pods: status?.progress?.summary,
      waitingFor: status?.waitingFor,
    }));
  };
  const isDone = (all: Awaited<ReturnType<typeof look>>) => all.length === NODES && all.every(({ phase }) => phase === 'Drained');
  await eventually(`${NODES} nodes to be drained`, look, isDone, {
    timeoutMs: 210_000,
    everyMs: 500,
    also: () => controller.log().slice(-4_000),
  });

  const seconds = (Date.now() - startedAt) / 1000;
  const seen = watch.end();
  const lines = await bed.auditLog({ from: mark, user: 'peer' });
  const evictions = lines.filter(({ subresource }) => subresource === 'eviction');
  const refused = evictions.filter(({ code }) => code !== 201);
  const detached = lines.filter(
    ({ resource, verb, subresource }) => resource === 'pods' && verb === 'patch' && subresource === '',
  );
  console.log(
    `rotation of ${NODES} nodes x ${PODS / NODES} pods, maxNodes ${maxNodes}: ${seconds.toFixed(1)} s, ${lines.length} requests: ` +
      `${evictions.length} evictions (${refused.length} refused), ${detached.length} patches of pods; most nodes out at once: ${seen.mostOut}`,
  );

  expect(seen.budgets, 'budgets that had fewer healthy pods than they demand').toEqual([]);
  expect(seen.tooMany, 'more nodes out than the policy allows').toEqual([]);
  expect(seen.landed, 'pods that were put on a node that was still to be drained').toEqual([]);
  expect(silence.silent, 'nodes that stood still without saying why').toEqual([]);
  expect(lines.filter(({ code }) => code === 403).map(({ uri }) => uri)).toEqual([]);
  for (const name of pool) expect(await cluster.podsOn(name), name).toEqual([]);
}

describe('twenty nodes that are all to go at once', () => {
  it('are drained five at a time, with no budget broken and no pod moved twice', () => rotate('first', 'second', 5));

  it('are drained all at once where the policy allows 100%', () => rotate('second', 'third', '100%'));
});
