import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pods, replicaSets } from '../apiserver/kinds.ts';
import { isPodReady } from '../conditions.ts';
import type { Pod } from '../kubernetes.ts';
import { createWorkloadBed, NAMESPACE, podTemplate } from '../testing/workload-bed.ts';
import { controllerOf } from './controller-ref.ts';
import { isActive, isAvailable } from './pod-state.ts';
import { startReplicaSets } from './replica-set.ts';

const labels = { app: 'web', tier: 'front' };
const LABELS = [labels, { app: 'web' }, { app: 'other' }];

const which = fc.nat(9);
const step = fc.oneof(
  fc.record({ act: fc.constant('scale' as const), to: fc.nat(6) }),
  fc.record({ act: fc.constant('delete' as const), pod: which }),
  fc.record({ act: fc.constant('kill' as const), pod: which }),
  fc.record({ act: fc.constant('end' as const), pod: which, phase: fc.constantFrom('Failed' as const, 'Succeeded' as const) }),
  fc.record({ act: fc.constant('label' as const), pod: which, to: fc.constantFrom(...LABELS) }),
  fc.record({ act: fc.constant('bare pod' as const) }),
  fc.record({ act: fc.constant('respecify' as const), minReadySeconds: fc.constantFrom(0, 2) }),
  fc.record({ act: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 3_000) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function started() {
  const bed = createWorkloadBed({ controllers: [startReplicaSets], start: 300, stop: 200 });
  bed.api.create(replicaSets, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { replicas: 3, minReadySeconds: 2, selector: { matchLabels: { app: 'web' } }, template: podTemplate(labels) },
  });
  await bed.clock.advance(2_000);
  return bed;
}

type Bed = Awaited<ReturnType<typeof started>>;

async function take({ api, clock, kubelet, pods: list }: Bed, what: Step): Promise<void> {
  if (what.act === 'wait') return clock.advance(what.ms);
  if (what.act === 'scale' || what.act === 'respecify') {
    const change = what.act === 'scale' ? { replicas: what.to } : { minReadySeconds: what.minReadySeconds };
    api.modify(replicaSets, NAMESPACE, 'web', (rs) => ({ ...rs, spec: { ...rs.spec, ...change } }));
    return;
  }
  if (what.act === 'bare pod') {
    const metadata = { generateName: 'bare-', namespace: NAMESPACE, labels };
    api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec: podTemplate({}).spec });
    return;
  }
  const name = list()[what.pod]?.metadata.name;
  if (name === undefined) return;
  if (what.act === 'delete') api.remove(pods, NAMESPACE, name);
  else if (what.act === 'kill') api.remove(pods, NAMESPACE, name, { gracePeriodSeconds: 0 });
  else if (what.act === 'end') kubelet.finish(name, what.phase);
  else api.modify(pods, NAMESPACE, name, (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: what.to } }));
}

describe('a ReplicaSet, whatever happens', () => {
  it('comes to rest with the replicas asked for, owns what its selector matches, and counts as if it had looked at every pod', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const bed = await started();
        for (const each of steps) await take(bed, each);
        await bed.clock.advance(30_000);
        const rs = bed.api.get(replicaSets, NAMESPACE, 'web');
        if (!rs) throw new Error('no set');
        const active = bed.pods().filter(isActive);
        const own = active.filter((pod) => controllerOf(pod)?.uid === rs.metadata.uid);
        expect(own).toHaveLength(rs.spec.replicas ?? 1);
        const names = (list: readonly Pod[]) => list.map(({ metadata }) => metadata.name);
        expect(names(active.filter((pod) => pod.metadata.labels?.app === 'web'))).toEqual(names(own));
        const { status = { replicas: -1 } } = rs;
        expect([
          status.replicas,
          status.fullyLabeledReplicas ?? 0,
          status.readyReplicas ?? 0,
          status.availableReplicas ?? 0,
        ]).toEqual([
          own.length,
          own.filter(({ metadata }) => metadata.labels?.tier === 'front').length,
          own.filter(isPodReady).length,
          own.filter((pod) => isAvailable(pod, rs.spec.minReadySeconds ?? 0, bed.clock.now())).length,
        ]);
      }),
      { numRuns: 60 },
    );
  });
});
