import { describe, expect, it } from 'vitest';
import { autoscalers, deployments } from '../apiserver/kinds.ts';
import { createWorkloadBed, NAMESPACE, podTemplate } from '../testing/workload-bed.ts';
import { startHorizontalPodAutoscalers } from './horizontal-pod-autoscaler.ts';

async function started(replicas: number) {
  let load: number | undefined;
  const bed = createWorkloadBed({ controllers: [(api) => startHorizontalPodAutoscalers(api, { signal: () => load })] });
  const { api, clock } = bed;
  api.create(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: podTemplate({ app: 'web' }) },
  });
  api.create(autoscalers, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, minReplicas: 2, maxReplicas: 6 },
  });
  const see = async (signal: number | undefined) => {
    load = signal;
    await clock.advance(15_000);
    return api.get(deployments, NAMESPACE, 'web')?.spec.replicas;
  };
  return { ...bed, see, status: () => api.get(autoscalers, NAMESPACE, 'web')?.status };
}

describe('a HorizontalPodAutoscaler', () => {
  it('follows the signal within its bounds', async () => {
    const { see, status } = await started(3);
    expect(await see(undefined)).toBe(3);
    expect(await see(5)).toBe(5);
    expect(await see(40)).toBe(6);
    expect(await see(0)).toBe(2);
    expect(status()).toMatchObject({ desiredReplicas: 2, lastScaleTime: '2026-01-05T08:01:00Z' });
  });

  it('brings a target within its bounds without a signal, but leaves one that is switched off', async () => {
    expect(await (await started(1)).see(undefined)).toBe(2);
    expect(await (await started(0)).see(5)).toBe(0);
  });
});
