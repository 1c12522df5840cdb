import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daemonSets, nodes, pods } from '../apiserver/kinds.ts';
import type { Node, Taint } from '../kubernetes.ts';
import { createWorkloadBed, NAMESPACE, podTemplate } from '../testing/workload-bed.ts';
import { type DaemonView, NO_TALLY, nodeTally } from './daemon-node.ts';
import { DAEMON_HASH, daemonTolerations, placementOn } from './daemon-pods.ts';
import { startDaemonSets } from './daemon-set.ts';

const labels = { app: 'agent' };
const TAINTS: readonly (readonly Taint[])[] = [
  [],
  [{ key: 'mine', effect: 'NoSchedule' }],
  [{ key: 'mine', effect: 'NoExecute' }],
  [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
];

const which = fc.integer({ min: 0, max: 4 });
const step = fc.oneof(
  fc.record({ act: fc.constant('taint' as const), node: which, taints: fc.constantFrom(...TAINTS) }),
  fc.record({ act: fc.constant('label' as const), node: which, fits: fc.boolean() }),
  fc.record({ act: fc.constant('node' as const), node: which }),
  fc.record({ act: fc.constant('delete pod' as const), node: which }),
  fc.record({ act: fc.constant('fail pod' as const), node: which }),
  fc.record({ act: fc.constant('release pod' as const), node: which }),
  fc.record({ act: fc.constant('roll' as const), image: fc.constantFrom('agent:1', 'agent:2', 'agent:3') }),
  fc.record({ act: fc.constant('wait' as const), ms: fc.constantFrom(1, 600, 5_000) }),
);

async function started(surge: boolean) {
  const rollingUpdate = surge ? { maxSurge: 1, maxUnavailable: 0 } : { maxUnavailable: 1 };
  const template = (image: string) => podTemplate(labels, image, { nodeSelector: { fits: 'yes' } });
  const bed = createWorkloadBed({ nodes: 0, controllers: [startDaemonSets], start: 300, stop: 200 });
  const { api } = bed;
  for (let index = 0; index < 4; index += 1) bed.addNode(`node-${index}`, { fits: 'yes' });
  api.create(daemonSets, {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: NAMESPACE },
    spec: {
      selector: { matchLabels: labels },
      template: template('agent:1'),
      minReadySeconds: 1,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate },
    },
  });
  await bed.clock.advance(5_000);
  return { ...bed, template };
}

type Bed = Awaited<ReturnType<typeof started>>;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take({ api, clock, kubelet, addNode, template, ...bed }: Bed, what: Step): Promise<void> {
  if (what.act === 'wait') return clock.advance(what.ms);
  if (what.act === 'roll') {
    api.modify(daemonSets, NAMESPACE, 'agent', (set) => ({ ...set, spec: { ...set.spec, template: template(what.image) } }));
    return;
  }
  const name = `node-${what.node}`;
  const change = (to: (node: Node) => Node) => void api.modify(nodes, '', name, to);
  const pod = bed.pods().find(({ spec, metadata }) => spec.nodeName === name && !metadata.deletionTimestamp)?.metadata;
  if (what.act === 'node') {
    if (!api.get(nodes, '', name)) addNode(name, { fits: 'yes' });
    else {
      api.remove(nodes, '', name);
      // What the pod GC does.
      for (const { spec, metadata } of bed.pods())
        if (spec.nodeName === name) api.remove(pods, NAMESPACE, metadata.name, { gracePeriodSeconds: 0 });
    }
  } else if (what.act === 'taint') change((node) => ({ ...node, spec: { ...node.spec, taints: what.taints } }));
  else if (what.act === 'label')
    change((node) => ({ ...node, metadata: { ...node.metadata, labels: { fits: what.fits ? 'yes' : 'no' } } }));
  else if (!pod) return;
  else if (what.act === 'delete pod') api.remove(pods, NAMESPACE, pod.name);
  else if (what.act === 'fail pod') kubelet.finish(pod.name, 'Failed');
  else api.modify(pods, NAMESPACE, pod.name, (before) => ({ ...before, metadata: { ...before.metadata, labels: {} } }));
}

/** The status as upstream counts it: every node and every pod, each time. */
function counted({ api, clock }: Bed) {
  const set = api.get(daemonSets, NAMESPACE, 'agent');
  if (!set) throw new Error('no set');
  const own = api.dependents(pods, set.metadata.uid);
  const current = own.find(({ spec }) => spec.containers[0]?.image === set.spec.template.spec.containers[0]?.image);
  const hash = current?.metadata.labels?.[DAEMON_HASH] ?? '';
  const view: DaemonView = { hash, generation: undefined, minReadySeconds: 1, surges: false, now: clock.now() };
  const tolerations = daemonTolerations(set.spec.template.spec);
  let total = NO_TALLY;
  for (const node of api.list(nodes)) {
    const placement = placementOn(set.spec.template.spec, tolerations, node);
    const tally = nodeTally(
      view,
      placement,
      own.filter(({ spec }) => spec.nodeName === node.metadata.name),
    );
    total = {
      desired: total.desired + tally.desired,
      scheduled: total.scheduled + tally.scheduled,
      misscheduled: total.misscheduled + tally.misscheduled,
      ready: total.ready + tally.ready,
      available: total.available + tally.available,
      updated: total.updated + tally.updated,
      outdated: total.outdated + tally.outdated,
    };
  }
  return { total, status: set.status ?? {} };
}

describe('a DaemonSet, whatever happens', () => {
  it('comes to rest with one current pod on every node that fits, and counts as if it had looked at every node', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 25 }), async (surge, steps) => {
        const bed = await started(surge);
        for (const each of steps) await take(bed, each);
        await bed.clock.advance(120_000);
        const { total, status } = counted(bed);
        expect(status).toMatchObject({
          desiredNumberScheduled: total.desired,
          currentNumberScheduled: total.scheduled,
          numberMisscheduled: total.misscheduled,
          numberReady: total.ready,
        });
        expect([status.numberAvailable ?? 0, status.updatedNumberScheduled ?? 0]).toEqual([total.available, total.updated]);
        expect(total).toMatchObject({ scheduled: total.desired, available: total.desired, outdated: 0 });
      }),
      { numRuns: 60 },
    );
  });
});
