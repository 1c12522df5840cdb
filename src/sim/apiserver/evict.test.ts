import { describe, expect, it } from 'vitest';
import type { DisruptionBudget } from '../kubernetes.ts';
import { budgets, namespaces, pods } from './kinds.ts';
import { createApiBed, refusal, refusalOf, type ApiBed } from './testing/api-bed.ts';

type Status = Partial<NonNullable<DisruptionBudget['status']>>;

/** A budget for app=web as the disruption controller has left it. */
function budget({ api, make }: ApiBed, name: string, status: Status = {}, spec: object = {}): void {
  make(budgets, name, { spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } }, ...spec } });
  const whole = {
    observedGeneration: 1,
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    ...status,
  };
  // Written past the rules: a negative figure is one of the cases.
  const stored = api.get(budgets, 'default', name) as DisruptionBudget;
  api.load([{ ...stored, status: whole }]);
}
const statusOf = ({ api }: ApiBed, name = 'budget') => api.get(budgets, 'default', name)?.status;
const grace = ({ api }: ApiBed) => api.get(pods, 'default', 'web')?.metadata.deletionGracePeriodSeconds;

function bed(labels: Record<string, string> = { app: 'web' }, ready = true): ApiBed {
  const made = createApiBed();
  made.running('web', labels, ready);
  return made;
}

describe('evicting', () => {
  it('deletes a pod that no budget minds, with its condition in the same request', () => {
    const one = bed({ app: 'other' });
    budget(one, 'budget');
    one.api.evict('default', 'web');
    expect(one.api.get(pods, 'default', 'web')).toMatchObject({
      metadata: { deletionGracePeriodSeconds: 30, deletionTimestamp: '2030-01-01T00:00:30Z', generation: 2 },
      status: {
        conditions: [
          { type: 'Ready' },
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'EvictionByEvictionAPI',
            message: 'Eviction API: evicting',
            lastProbeTime: null,
            lastTransitionTime: '2030-01-01T00:00:00Z',
          },
        ],
      },
    });
    expect(statusOf(one)?.disruptionsAllowed).toBe(1);
  });

  it('charges the budget by name and time', () => {
    const one = bed();
    budget(one, 'budget', { disruptionsAllowed: 2 });
    one.api.evict('default', 'web');
    expect(statusOf(one)).toEqual({
      observedGeneration: 1,
      disruptionsAllowed: 1,
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
      disruptedPods: { web: '2030-01-01T00:00:00Z' },
    });
  });

  it('says in the budget`s condition that the last disruption is taken', () => {
    const one = bed();
    budget(one, 'budget');
    one.api.evict('default', 'web');
    expect(statusOf(one)).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
    });
  });

  it('is not found when there is no such pod', () => {
    expect(refusal(() => createApiBed().api.evict('default', 'web'))).toBe('404 NotFound: pods "web" not found');
  });

  it('has charged the budget when a uid does not fit', () => {
    const one = bed();
    budget(one, 'budget');
    const uid = one.api.get(pods, 'default', 'web')?.metadata.uid;
    expect(refusal(() => one.api.evict('default', 'web', { preconditions: { uid: 'other' } }))).toBe(
      `409 Conflict: Operation cannot be fulfilled on Pod "web": the UID in the precondition (other) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
    expect(statusOf(one)).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { web: '2030-01-01T00:00:00Z' } });
    expect(grace(one)).toBeUndefined();
  });

  it('goes through with a uid and a version that fit', () => {
    const one = bed();
    const { uid = '', resourceVersion = '' } = one.api.get(pods, 'default', 'web')?.metadata ?? {};
    one.api.evict('default', 'web', { preconditions: { uid, resourceVersion } });
    expect(grace(one)).toBe(30);
  });

  it('is refused with 429 and no time to come back when none is allowed', () => {
    const one = bed();
    budget(one, 'budget', { disruptionsAllowed: 0, currentHealthy: 2 });
    const error = refusalOf(() => one.api.evict('default', 'web'));
    expect([error.code, error.reason, error.message]).toEqual([
      429,
      'TooManyRequests',
      "Cannot evict pod as it would violate the pod's disruption budget.",
    ]);
    expect(error.details).toEqual({
      causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget budget needs 2 healthy pods and has 2 currently' }],
    });
  });

  it('is put off for 10 s while the budget`s status is behind', () => {
    const one = bed();
    budget(one, 'budget', { observedGeneration: 0 });
    expect(refusalOf(() => one.api.evict('default', 'web')).details).toEqual({
      retryAfterSeconds: 10,
      causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget budget is still being processed by the server.' }],
    });
  });

  it.each<[string, Status, object, boolean]>([
    ['refuses a pod that is not Ready while too few are healthy', { disruptionsAllowed: 0, currentHealthy: 1 }, {}, false],
    ['lets a pod that is not Ready go while enough are healthy', { disruptionsAllowed: 0, currentHealthy: 2 }, {}, true],
    ['does not, when none is desired', { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0 }, {}, false],
    [
      'always lets it go where the policy says so',
      { disruptionsAllowed: 0, currentHealthy: 0 },
      { unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      true,
    ],
  ])('%s', (_, status, spec, goes) => {
    const one = bed({ app: 'web' }, false);
    budget(one, 'budget', status, spec);
    const before = statusOf(one);
    if (goes) one.api.evict('default', 'web');
    else expect(refusalOf(() => one.api.evict('default', 'web')).code).toBe(429);
    expect(grace(one)).toBe(goes ? 30 : undefined);
    expect(statusOf(one)).toEqual(before);
  });

  it.each(['Pending', 'Succeeded', 'Failed'] as const)('asks no budget about a pod that is %s', (phase) => {
    const one = bed();
    budget(one, 'budget', { disruptionsAllowed: 0 });
    one.api.modify(pods, 'default', 'web', (pod) => ({ ...pod, status: { ...pod.status, phase } }), { subresource: 'status' });
    one.api.evict('default', 'web');
    expect(grace(one)).toBe(phase === 'Pending' ? 30 : undefined);
  });

  it('asks no budget about a pod that is leaving, and can only hasten it', () => {
    const one = bed();
    budget(one, 'budget', { disruptionsAllowed: 0 });
    one.api.remove(pods, 'default', 'web');
    one.api.evict('default', 'web', { gracePeriodSeconds: 60 });
    expect(grace(one)).toBe(30);
    one.api.evict('default', 'web', { gracePeriodSeconds: 5 });
    expect(grace(one)).toBe(5);
  });

  it('cannot serve two budgets: 500 without a reason', () => {
    const one = bed();
    budget(one, 'budget');
    budget(one, 'another');
    const error = refusalOf(() => one.api.evict('default', 'web'));
    expect([error.code, error.reason, error.message, error.details]).toEqual([
      500,
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      undefined,
    ]);
  });

  it('is forbidden in a namespace that is being deleted', () => {
    const one = createApiBed();
    one.make(namespaces, 'leaving');
    one.pod('web', { nodeName: 'node-1' }, { namespace: 'leaving' });
    one.api.remove(namespaces, '', 'leaving');
    const error = refusalOf(() => one.api.evict('leaving', 'web'));
    expect([error.code, error.details?.causes?.[0]?.reason]).toEqual([403, 'NamespaceTerminating']);
  });

  it.each<[string, Status, string]>([
    ['fewer than none is allowed', { disruptionsAllowed: -1 }, 'pdb disruptions allowed is negative'],
    [
      'more than 2000 evictions are unconfirmed',
      { disruptedPods: Object.fromEntries(Array.from({ length: 2001 }, (_, at) => [`p${at}`, ''])) },
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    ],
  ])('is forbidden when %s', (_, status, because) => {
    const one = bed();
    budget(one, 'budget', status);
    expect(refusal(() => one.api.evict('default', 'web'))).toBe(
      `403 Forbidden: poddisruptionbudgets.policy "budget" is forbidden: ${because}`,
    );
  });

  it('in a dry run charges nothing and marks nothing, but refuses as ever', () => {
    const one = bed();
    budget(one, 'budget');
    const [pod, status] = [one.api.get(pods, 'default', 'web'), statusOf(one)];
    one.api.evict('default', 'web', { dryRun: true });
    expect([one.api.get(pods, 'default', 'web'), statusOf(one)]).toEqual([pod, status]);
    budget(one, 'another');
    expect(refusalOf(() => one.api.evict('default', 'web', { dryRun: true })).code).toBe(500);
  });

  it('finds the budgets of a pod by whatever their selectors ask for, also after they changed', () => {
    const one = bed({ app: 'web', tier: 'front' });
    const select = (selector: object) =>
      one.api.modify(budgets, 'default', 'budget', (before) => ({ ...before, spec: { ...before.spec, selector } }));
    const refused = () => {
      try {
        one.api.evict('default', 'web', { dryRun: true });
        return false;
      } catch {
        return true;
      }
    };
    one.make(budgets, 'budget', { spec: { maxUnavailable: 0, selector: { matchLabels: { tier: 'front', app: 'web' } } } });
    expect(refused()).toBe(true);
    select({ matchLabels: { app: 'other' } });
    expect(refused()).toBe(false);
    select({ matchExpressions: [{ key: 'tier', operator: 'Exists' }] });
    expect(refused()).toBe(true);
  });

  it('lets a budget without a selector count nobody, and one with an empty selector everybody', () => {
    const one = bed();
    one.make(budgets, 'nobody', { spec: { maxUnavailable: 0 } });
    one.api.evict('default', 'web', { dryRun: true });
    budget(one, 'everybody', { disruptionsAllowed: 0 }, { selector: {} });
    expect(refusalOf(() => one.api.evict('default', 'web')).code).toBe(429);
  });
});
