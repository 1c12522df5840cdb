import { describe, expect, it } from 'vitest';
import { jobs, pods } from '../apiserver/kinds.ts';
import type { Job } from '../kubernetes.ts';
import { createWorkloadBed, NAMESPACE, podTemplate, type WorkloadBedOptions } from '../testing/workload-bed.ts';
import { startJobs } from './job.ts';
import { type JobStatus, TRACKING_FINALIZER } from './job-state.ts';

type Spec = Job['spec'];

async function started(spec: Partial<Spec> = {}, options: Partial<WorkloadBedOptions> = {}) {
  const bed = createWorkloadBed({ controllers: [startJobs], start: 500, stop: 500, ...options });
  const { api, clock } = bed;
  api.create(jobs, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'load', namespace: NAMESPACE },
    spec: { template: podTemplate({ app: 'load' }, 'load:1', { restartPolicy: 'Never' }), ...spec },
  });
  await clock.advance(5_000);
  const job = () => api.get(jobs, NAMESPACE, 'load');
  const change = (to: (spec: Spec) => Spec) =>
    api.modify(jobs, NAMESPACE, 'load', (before): Job => ({ ...before, spec: to(before.spec) }));
  const running = () => bed.pods().filter(({ status, metadata }) => status?.phase === 'Running' && !metadata.deletionTimestamp);
  return {
    ...bed,
    job,
    change,
    running: () => running().map(({ metadata }) => metadata.name),
    status: () => (job()?.status ?? {}) as JobStatus,
    conditions: () => Object.fromEntries(((job()?.status ?? {}) as JobStatus).conditions?.map((each) => [each.type, each]) ?? []),
    async end(count: number, phase: 'Succeeded' | 'Failed') {
      for (const { metadata } of running().slice(0, count)) bed.kubelet.finish(metadata.name, phase);
      await clock.advance(3_000);
    },
  };
}

describe('a Job', () => {
  it('runs as many pods at once as told, until enough have succeeded', async () => {
    const bed = await started({ parallelism: 2, completions: 3 });
    expect(bed.status()).toMatchObject({ active: 2, ready: 2, terminating: 0, startTime: '2026-01-05T08:00:00Z' });
    expect(bed.pods()[0]?.metadata).toMatchObject({
      finalizers: [TRACKING_FINALIZER],
      ownerReferences: [{ kind: 'Job', name: 'load', controller: true }],
    });
    await bed.end(1, 'Succeeded');
    expect(bed.running()).toHaveLength(2);
    await bed.end(1, 'Succeeded');
    // One is left to do: no second beside it.
    expect(bed.running()).toHaveLength(1);
    expect(bed.conditions()).toEqual({});
    await bed.end(1, 'Succeeded');
    expect(bed.status()).toEqual({
      startTime: '2026-01-05T08:00:00Z',
      completionTime: '2026-01-05T08:00:12Z',
      succeeded: 3,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
      conditions: [
        expect.objectContaining({ type: 'SuccessCriteriaMet', status: 'True', reason: 'CompletionsReached' }),
        expect.objectContaining({ type: 'Complete', status: 'True', reason: 'CompletionsReached' }),
      ],
    });
    expect(bed.pods()).toHaveLength(3);
    expect(bed.pods().flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
  });

  it('without completions is done with the first success, when the others have ended', async () => {
    const bed = await started({ parallelism: 2 });
    await bed.end(1, 'Succeeded');
    expect(bed.running()).toHaveLength(1);
    expect(bed.conditions().Complete).toBeUndefined();
    await bed.end(1, 'Failed');
    expect(bed.conditions().Complete).toMatchObject({ status: 'True' });
    expect(bed.status()).toMatchObject({ succeeded: 1, failed: 1 });
  });

  it('tries again after 10, then 20 seconds, and gives up past its limit', async () => {
    const bed = await started({ backoffLimit: 2 });
    await bed.end(1, 'Failed');
    expect(bed.running()).toEqual([]);
    await bed.clock.advance(5_000);
    expect(bed.running()).toEqual([]);
    await bed.clock.advance(5_000);
    expect(bed.running()).toHaveLength(1);
    await bed.end(1, 'Failed');
    await bed.clock.advance(12_000);
    expect(bed.running()).toEqual([]);
    await bed.clock.advance(10_000);
    expect(bed.running()).toHaveLength(1);
    await bed.end(1, 'Failed');
    await bed.clock.advance(100_000);
    expect(bed.running()).toEqual([]);
    expect(bed.status()).toMatchObject({ failed: 3, ready: 0 });
    expect(bed.conditions()).toMatchObject({
      FailureTarget: { status: 'True', reason: 'BackoffLimitExceeded' },
      Failed: { status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' },
    });
  });

  it('stops those that still run when it has failed, and says so only when they are gone', async () => {
    const bed = await started({ parallelism: 3, completions: 3, backoffLimit: 0 }, { stop: 30_000 });
    await bed.end(1, 'Failed');
    expect(bed.status()).toMatchObject({ terminating: 2 });
    expect(bed.conditions().FailureTarget).toMatchObject({ status: 'True' });
    expect(bed.conditions().Failed).toBeUndefined();
    await bed.clock.advance(40_000);
    expect(bed.conditions().Failed).toMatchObject({ status: 'True' });
    // Every pod that did not succeed counts, also those that were stopped.
    expect(bed.status()).toMatchObject({ failed: 3, terminating: 0 });
  });

  it('replaces a pod that is evicted at once, and only after its end when it is told to', async () => {
    const now = await started({ completions: 1, backoffLimit: 5 }, { stop: 30_000 });
    now.api.remove(pods, NAMESPACE, now.podNames()[0] ?? '');
    await now.clock.advance(15_000);
    expect(now.running()).toHaveLength(1);
    expect(now.status()).toMatchObject({ failed: 1, active: 1 });

    const later = await started({ completions: 1, backoffLimit: 5, podReplacementPolicy: 'Failed' }, { stop: 30_000 });
    later.api.remove(pods, NAMESPACE, later.podNames()[0] ?? '');
    await later.clock.advance(15_000);
    expect(later.running()).toEqual([]);
    expect(later.status()).toMatchObject({ terminating: 1 });
  });

  it('fails past its deadline', async () => {
    const bed = await started({ activeDeadlineSeconds: 60 });
    expect(bed.running()).toHaveLength(1);
    await bed.clock.advance(60_000);
    expect(bed.conditions().Failed).toMatchObject({ reason: 'DeadlineExceeded' });
    expect(bed.running()).toEqual([]);
  });

  it('stops its pods while it is suspended, and starts anew when it is resumed', async () => {
    const bed = await started({ parallelism: 2, completions: 2 });
    bed.change((spec) => ({ ...spec, suspend: true }));
    await bed.clock.advance(5_000);
    expect(bed.pods()).toEqual([]);
    expect(bed.conditions().Suspended).toMatchObject({ status: 'True', reason: 'JobSuspended' });
    expect(bed.status().failed).toBeUndefined();
    bed.change((spec) => ({ ...spec, suspend: false }));
    await bed.clock.advance(5_000);
    expect(bed.running()).toHaveLength(2);
    expect(bed.conditions().Suspended).toMatchObject({ status: 'False', reason: 'JobResumed' });
    expect(bed.status().startTime).toBe('2026-01-05T08:00:10Z');
  });

  it('gives each pod of an Indexed Job its index, and an index that failed again', async () => {
    const bed = await started({ completions: 3, parallelism: 3, completionMode: 'Indexed' });
    const byIndex = () =>
      Object.fromEntries(
        bed.pods().map((pod) => [pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'], pod] as const),
      );
    expect(Object.keys(byIndex())).toEqual(['0', '1', '2']);
    expect(byIndex()['2']).toMatchObject({ spec: { hostname: 'load-2' } });
    expect(byIndex()['2']?.metadata.name).toMatch(/^load-2-\w{5}$/);
    bed.kubelet.finish(byIndex()['0']?.metadata.name ?? '', 'Succeeded');
    bed.kubelet.finish(byIndex()['2']?.metadata.name ?? '', 'Succeeded');
    bed.kubelet.finish(byIndex()['1']?.metadata.name ?? '', 'Failed');
    await bed.clock.advance(20_000);
    expect(bed.status()).toMatchObject({ completedIndexes: '0,2', succeeded: 2, failed: 1, active: 1 });
    await bed.end(1, 'Succeeded');
    expect(bed.status()).toMatchObject({ completedIndexes: '0-2', succeeded: 3 });
    expect(bed.conditions().Complete).toMatchObject({ status: 'True' });
  });

  it('goes away some time after its end when it has a time to live', async () => {
    const bed = await started({ ttlSecondsAfterFinished: 100 });
    await bed.end(1, 'Succeeded');
    await bed.clock.advance(90_000);
    expect(bed.job()?.metadata.deletionTimestamp).toBeUndefined();
    await bed.clock.advance(20_000);
    // Foreground: it stays until the garbage collector, which does not run here, has removed its pods.
    expect(bed.job()?.metadata).toMatchObject({ deletionTimestamp: expect.any(String), finalizers: ['foregroundDeletion'] });
  });

  it('frees pods whose Job has gone of its finalizer', async () => {
    const bed = await started();
    bed.api.remove(jobs, NAMESPACE, 'load', { propagation: 'Orphan' });
    bed.api.modify(jobs, NAMESPACE, 'load', (job) => ({ ...job, metadata: { ...job.metadata, finalizers: [] } }));
    for (const name of bed.podNames()) bed.api.remove(pods, NAMESPACE, name);
    await bed.clock.advance(5_000);
    expect(bed.pods()).toEqual([]);
  });
});
