import { describe, expect, it } from 'vitest';
import { decodeOneShotJob, decodeOneShotPod } from './decode-one-shot.ts';

const metadata = { namespace: 'drover', name: 'x', uid: 'u', resourceVersion: '1' };
const pod = (status: object) => decodeOneShotPod({ metadata, status });
const job = (status: object) => decodeOneShotJob({ metadata, status });

describe('a pod', () => {
  it.each([
    [{}, 'Pending', ''],
    [{ phase: 'Unknown' }, 'Pending', ''],
    [
      { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }] },
      'Pending',
      'ImagePullBackOff',
    ],
    [{ phase: 'Running', containerStatuses: [{ state: { running: {} } }] }, 'Running', ''],
    [{ phase: 'Succeeded' }, 'Succeeded', ''],
  ])('with the status %j is %s', (status, state, reason) => {
    expect(pod(status)).toMatchObject({ name: 'x', uid: 'u', state, reason });
  });

  it('tells the exit code and the last words of its container', () => {
    const terminated = { exitCode: 4, reason: 'Error', message: 'Access denied' };
    expect(pod({ phase: 'Failed', containerStatuses: [{ state: { terminated } }] })).toMatchObject({
      state: 'Failed',
      reason: 'Error',
      message: 'Access denied',
      exitCode: 4,
    });
  });

  it('that its kubelet has ended tells the kubelet’s reason', () => {
    const terminated = { exitCode: 137, reason: 'Error' };
    const ended = {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'too long',
      containerStatuses: [{ state: { terminated } }],
    };
    expect(pod(ended)).toMatchObject({ reason: 'DeadlineExceeded', message: 'too long' });
  });

  it('that is being deleted says when its grace ends', () => {
    const deletionTimestamp = '2026-01-01T12:00:00Z';
    expect(decodeOneShotPod({ metadata: { ...metadata, deletionTimestamp } }).deletedAt).toBe(Date.parse(deletionTimestamp));
    expect(pod({})).not.toHaveProperty('deletedAt');
  });
});

describe('a Job', () => {
  const condition = (type: string, status = 'True') => ({ type, status, reason: 'BackoffLimitExceeded', message: 'it failed' });
  it.each([
    [{}, 'Pending'],
    [{ active: 1 }, 'Running'],
    [{ active: 1, conditions: [condition('FailureTarget')] }, 'Running'],
    [{ conditions: [condition('Complete')] }, 'Succeeded'],
    [{ conditions: [condition('Complete', 'False'), condition('Failed')] }, 'Failed'],
  ])('with the status %j is %s', (status, state) => {
    expect(job(status).state).toBe(state);
  });

  it('says why it has failed, and nothing where it has not', () => {
    expect(job({ conditions: [condition('Failed')] })).toMatchObject({ reason: 'BackoffLimitExceeded', message: 'it failed' });
    expect(job({ conditions: [condition('Complete')] })).toMatchObject({ reason: '', message: '' });
  });
});
