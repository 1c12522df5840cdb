import { expect, it } from 'vitest';
import { conditionOf } from '../conditions.ts';
import { createClusterBed, type PodChanges } from '../testing/cluster-bed.ts';
import { startKubelets } from './kubelets.ts';

it('makes a pod ready after what is known as a whole, whatever its init containers, images and probes would add', async () => {
  const { api, node, pod, pass, readPod } = createClusterBed();
  startKubelets(api, { heartbeats: false, readyAfter: () => ({ least: 12_000, spread: 0 }) });
  node('n1');
  await pass(0);
  const readinessProbe = { initialDelaySeconds: 5, periodSeconds: 10 };
  const startupProbe = { periodSeconds: 1, failureThreshold: 3 };
  const containers = [{ name: 'app', image: 'app:1', readinessProbe, startupProbe }];
  const cases: Readonly<Record<string, PodChanges>> = {
    plain: { spec: { nodeName: 'n1' } },
    probed: { spec: { nodeName: 'n1', initContainers: [{ name: 'init', image: 'init:1' }], containers } },
  };
  for (const [name, changes] of Object.entries(cases)) pod(name, changes);
  await pass(11.9);
  for (const name of Object.keys(cases)) expect(readPod(name)?.status?.phase, name).toBe('Pending');
  await pass(0.2);
  for (const name of Object.keys(cases))
    expect(conditionOf(readPod(name)?.status?.conditions, 'Ready')?.status, name).toBe('True');
});
