import { describe, expect, it } from 'vitest';
import { deployments, pods, replicaSets } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { Deployment, ReplicaSet } from '../kubernetes.ts';
import { createWorkloadBed, NAMESPACE, podTemplate, type WorkloadBedOptions } from '../testing/workload-bed.ts';
import { startDeployments } from './deployment.ts';
import { startReplicaSets } from './replica-set.ts';

type Spec = Deployment['spec'];
const REVISION = 'deployment.kubernetes.io/revision';
const labels = { app: 'web' };

async function started(spec: Partial<Spec> = {}, options: Partial<WorkloadBedOptions> = {}) {
  const bed = createWorkloadBed({ controllers: [startDeployments, startReplicaSets], start: 1_000, stop: 500, ...options });
  const { api, clock } = bed;
  api.create(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: NAMESPACE, annotations: { team: 'shop' } },
    spec: { replicas: 4, selector: { matchLabels: labels }, template: podTemplate(labels), ...spec },
  });
  await clock.advance(10_000);
  const get = () => {
    const found = api.get(deployments, NAMESPACE, 'web');
    if (!found) throw new Error('no deployment');
    return found;
  };
  const change = (to: (spec: Spec) => Spec) =>
    api.modify(deployments, NAMESPACE, 'web', (before): Deployment => ({ ...before, spec: to(before.spec) }));
  const setImage = (image: string) => change((before) => ({ ...before, template: podTemplate(labels, image) }));
  const image = ({ spec: { template } }: ReplicaSet) => template.spec.containers[0]?.image ?? '';
  const sets = () => api.list(replicaSets, { namespace: NAMESPACE });
  return {
    ...bed,
    get,
    change,
    setImage,
    sets,
    set: (of: string) => sets().find((each) => image(each) === of),
    progressing: () => conditionOf(get().status?.conditions, 'Progressing'),
    /** Size by image. */
    sizes: () => Object.fromEntries(sets().map((each) => [image(each), each.spec.replicas])),
  };
}

/** Highest number of replicas asked for and lowest number of available pods while the action and what follows it runs. */
async function extremes(bed: Awaited<ReturnType<typeof started>>, action: () => void) {
  let most = 0;
  let fewest = Number.POSITIVE_INFINITY;
  const note = () => {
    const alive = bed.pods().filter(({ metadata }) => !metadata.deletionTimestamp);
    // By what the ReplicaSets are told: until one has done it there may be a pod more, as on a real cluster.
    most = Math.max(
      most,
      bed.sets().reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0),
    );
    fewest = Math.min(fewest, alive.filter(({ status }) => conditionOf(status?.conditions, 'Ready')?.status === 'True').length);
  };
  const stop = bed.api.watch(pods, note);
  action();
  await bed.clock.advance(60_000);
  stop();
  return { most, fewest };
}

describe('a Deployment', () => {
  it('makes a ReplicaSet named after its template, and says when it is complete', async () => {
    const { get, sets, progressing } = await started();
    const [set] = sets();
    const hash = set?.metadata.labels?.['pod-template-hash'] ?? '';
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{6,10}$/);
    expect(set?.metadata).toMatchObject({
      name: `web-${hash}`,
      annotations: {
        team: 'shop',
        [REVISION]: '1',
        'deployment.kubernetes.io/desired-replicas': '4',
        'deployment.kubernetes.io/max-replicas': '5',
      },
    });
    expect(set?.spec.selector.matchLabels).toEqual({ app: 'web', 'pod-template-hash': hash });
    expect(get().metadata.annotations?.[REVISION]).toBe('1');
    expect(get().status).toMatchObject({
      observedGeneration: get().metadata.generation,
      replicas: 4,
      updatedReplicas: 4,
      readyReplicas: 4,
      availableReplicas: 4,
    });
    expect(progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
    expect(conditionOf(get().status?.conditions, 'Available')).toMatchObject({
      status: 'True',
      reason: 'MinimumReplicasAvailable',
    });
  });

  it.each([
    { strategy: { maxSurge: '25%', maxUnavailable: '25%' }, most: 5, fewest: 3 },
    { strategy: { maxSurge: 1, maxUnavailable: 0 }, most: 5, fewest: 4 },
    { strategy: { maxSurge: 0, maxUnavailable: 2 }, most: 4, fewest: 2 },
    { strategy: { maxSurge: '100%', maxUnavailable: 0 }, most: 8, fewest: 4 },
    // Both round to nothing: one goes first, since surge might not fit into a quota.
    { strategy: { maxSurge: 0, maxUnavailable: '10%' }, most: 4, fewest: 3 },
  ])('rolls within $strategy', async ({ strategy, ...bounds }) => {
    const bed = await started({ strategy: { type: 'RollingUpdate', rollingUpdate: strategy } });
    expect(await extremes(bed, () => bed.setImage('web:2'))).toEqual(bounds);
    expect(bed.sizes()).toEqual({ 'web:1': 0, 'web:2': 4 });
    expect(bed.get().metadata.annotations?.[REVISION]).toBe('2');
    expect(bed.progressing()).toMatchObject({ reason: 'NewReplicaSetAvailable' });
  });

  it('rolls by a restart annotation in the template', async () => {
    const bed = await started();
    const before = bed.podNames();
    bed.change((spec) => ({
      ...spec,
      template: {
        ...spec.template,
        metadata: { ...spec.template.metadata, annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-05T08:00:00Z' } },
      },
    }));
    await bed.clock.advance(60_000);
    expect(bed.podNames()).toHaveLength(4);
    expect(bed.podNames().filter((name) => before.includes(name))).toEqual([]);
  });

  it('takes the old ReplicaSet again on a roll back, under a new revision that remembers the old', async () => {
    const bed = await started();
    bed.setImage('web:2');
    await bed.clock.advance(60_000);
    bed.setImage('web:1');
    await bed.clock.advance(60_000);
    expect(bed.sizes()).toEqual({ 'web:1': 4, 'web:2': 0 });
    expect(bed.set('web:1')?.metadata.annotations).toMatchObject({
      [REVISION]: '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
    expect(bed.get().metadata.annotations?.[REVISION]).toBe('3');
  });

  it('waits with Recreate until the last old pod is gone, also one that only stops slowly', async () => {
    const bed = await started({ strategy: { type: 'Recreate' } }, { stop: 20_000 });
    bed.setImage('web:2');
    await bed.clock.advance(19_000);
    expect(bed.sizes()).toEqual({ 'web:1': 0 });
    await bed.clock.advance(10_000);
    expect(bed.sizes()).toEqual({ 'web:1': 0, 'web:2': 4 });
    expect(bed.get().status?.availableReplicas).toBe(4);
  });

  it('does not roll while it is paused, says so, scales all the same, and rolls when resumed', async () => {
    const bed = await started();
    bed.change((spec) => ({ ...spec, paused: true }));
    await bed.clock.advance(10);
    expect(bed.progressing()).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' });
    bed.setImage('web:2');
    bed.change((spec) => ({ ...spec, replicas: 6 }));
    await bed.clock.advance(60_000);
    expect(bed.sizes()).toEqual({ 'web:1': 6 });
    bed.change((spec) => ({ ...spec, paused: false }));
    await bed.clock.advance(60_000);
    expect(bed.sizes()).toEqual({ 'web:1': 0, 'web:2': 6 });
    expect(bed.progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });

  it('scales every ReplicaSet by its share in the middle of a roll that is stuck', async () => {
    const ready = (image: string | undefined) => image !== 'web:broken';
    const bed = await started(
      { replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } },
      { becomesReady: (pod) => ready(pod.spec.containers[0]?.image) },
    );
    bed.setImage('web:broken');
    await bed.clock.advance(30_000);
    expect(bed.sizes()).toEqual({ 'web:1': 8, 'web:broken': 5 });
    bed.change((spec) => ({ ...spec, replicas: 15 }));
    await bed.clock.advance(5_000);
    // Upstream's documentation of proportional scaling: 8 and 5 of 13 become 11 and 7 of 18.
    expect(bed.sizes()).toEqual({ 'web:1': 11, 'web:broken': 7 });
  });

  it('gives up on a roll without progress after its deadline, and goes on when it is mended', async () => {
    const bed = await started(
      { progressDeadlineSeconds: 60 },
      { becomesReady: (pod) => pod.spec.containers[0]?.image !== 'web:2' },
    );
    bed.setImage('web:2');
    await bed.clock.advance(50_000);
    expect(bed.progressing()).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' });
    await bed.clock.advance(30_000);
    expect(bed.progressing()).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    expect(bed.progressing()?.message).toMatch(/^ReplicaSet "web-\w+" has timed out progressing\.$/);
    bed.setImage('web:3');
    await bed.clock.advance(60_000);
    expect(bed.progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
    expect(bed.sizes()).toMatchObject({ 'web:1': 0, 'web:2': 0, 'web:3': 4 });
  });

  it('keeps as many old ReplicaSets as it is told', async () => {
    const bed = await started({ revisionHistoryLimit: 1 });
    for (const image of ['web:2', 'web:3', 'web:4']) {
      bed.setImage(image);
      await bed.clock.advance(60_000);
    }
    expect(bed.sizes()).toEqual({ 'web:3': 0, 'web:4': 4 });
  });

  it('adopts a ReplicaSet of its template in place of making another', async () => {
    const bed = await started();
    const { api, clock } = bed;
    const [name] = bed.sets().map((set) => set.metadata.name);
    api.remove(deployments, NAMESPACE, 'web', { propagation: 'Orphan' });
    api.modify(replicaSets, NAMESPACE, name ?? '', (set) => ({ ...set, metadata: { ...set.metadata, ownerReferences: [] } }));
    api.modify(deployments, NAMESPACE, 'web', (before) => ({ ...before, metadata: { ...before.metadata, finalizers: [] } }));
    const before = bed.podNames();
    api.create(deployments, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: { replicas: 4, selector: { matchLabels: labels }, template: podTemplate(labels) },
    });
    await clock.advance(10_000);
    expect(bed.sets().map((set) => set.metadata.name)).toEqual([name]);
    expect(bed.podNames()).toEqual(before);
    expect(bed.progressing()).toMatchObject({ status: 'True' });
  });

  it('tells why no pods come', async () => {
    const bed = await started({ template: podTemplate(labels, 'web:1', { priorityClassName: 'missing' }) });
    expect(conditionOf(bed.get().status?.conditions, 'ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate' });
    expect(conditionOf(bed.get().status?.conditions, 'Available')).toMatchObject({ status: 'False' });
  });
});
