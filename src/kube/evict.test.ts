import { describe, expect, it } from 'vitest';
import { type EvictionAnswer, KubeError, type Status } from './client.ts';
import { classifyEviction, deletePod, evict } from './evict.ts';
import { fakeClient, refusal } from './testing/fake-client.ts';

const pod = { namespace: 'shop', name: 'web-0', uid: 'u-1' };

const BUDGET_TEXT = "Cannot evict pod as it would violate the pod's disruption budget.";
const budget = (message: string, retryAfterSeconds?: number): Status => ({
  reason: 'TooManyRequests',
  message: BUDGET_TEXT,
  details: { ...(retryAfterSeconds ? { retryAfterSeconds } : {}), causes: [{ reason: 'DisruptionBudget', message }] },
});
const OTHER_UID =
  'Operation cannot be fulfilled on Pod "web-0": the UID in the precondition (u-1) does not match the UID in record (u-2). ' +
  'The object might have been deleted and then recreated';

/** Texts as kube-apiserver 1.34.4 sends them. */
const rows: [situation: string, code: number, status: Status, expected: Partial<EvictionAnswer>][] = [
  ['no such pod', 404, { reason: 'NotFound', message: 'pods "web-0" not found' }, { kind: 'Gone' }],
  ['another uid under the name', 409, { reason: 'Conflict', message: OTHER_UID }, { kind: 'OtherPod' }],
  [
    'another uid, older wording',
    409,
    { reason: 'Conflict', message: 'Precondition failed: UID in precondition: u-1, UID in object meta: u-2' },
    { kind: 'OtherPod' },
  ],
  ['a write in between', 409, { reason: 'Conflict', message: 'the object has been modified' }, { kind: 'Unavailable' }],
  ['no disruption left', 429, budget('needs 2, has 2'), { kind: 'BudgetRefused', message: 'needs 2, has 2' }],
  ['budget behind its generation', 429, budget('still being processed', 10), { kind: 'BudgetStale', retryAfterMs: 10_000 }],
  [
    'throttled in a Status',
    429,
    { reason: 'TooManyRequests', details: { retryAfterSeconds: 3 } },
    { kind: 'Throttled', retryAfterMs: 3000 },
  ],
  [
    'two budgets',
    500,
    { message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.' },
    { kind: 'SeveralBudgets' },
  ],
  [
    'namespace terminating',
    403,
    { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] } },
    { kind: 'NamespaceTerminating' },
  ],
  ['no rights', 403, { reason: 'Forbidden', message: 'User "x" cannot create resource "pods/eviction"' }, { kind: 'Forbidden' }],
  ['not logged in', 401, { reason: 'Unauthorized' }, { kind: 'Forbidden' }],
  [
    'negative budget',
    403,
    { reason: 'Forbidden', message: 'poddisruptionbudget "web" is forbidden: pdb disruptions allowed is negative' },
    { kind: 'BudgetRefused' },
  ],
  [
    'too many disrupted pods',
    403,
    {
      reason: 'Forbidden',
      message: 'is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    },
    { kind: 'BudgetRefused' },
  ],
  [
    'KubeVirt moves the machine first',
    429,
    {
      reason: 'TooManyRequests',
      message: 'admission webhook "evict.kubevirt.io" denied the request: Eviction triggered evacuation of VMI',
    },
    { kind: 'Refused', code: 429 },
  ],
  [
    'a webhook forbids',
    403,
    { reason: 'Forbidden', message: 'admission webhook "no.example" denied the request: not today' },
    { kind: 'Refused', code: 403 },
  ],
  [
    'conflicts on the budget for 10 s',
    504,
    {
      reason: 'Timeout',
      message: 'couldn\'t update PodDisruptionBudget "web" due to conflicts',
      details: { retryAfterSeconds: 10 },
    },
    { kind: 'Unavailable', retryAfterMs: 10_000 },
  ],
  ['a failing webhook', 500, { reason: 'InternalError', message: 'failed calling webhook "x"' }, { kind: 'Unavailable' }],
  ['invalid', 422, { reason: 'Invalid' }, { kind: 'Refused', code: 422 }],
  [
    'no such subresource',
    404,
    { reason: 'NotFound', message: 'the server could not find the requested resource' },
    { kind: 'Refused' },
  ],
];

describe('an eviction', () => {
  it.each(rows)('answers by what the server says: %s', async (_, code, status, expected) => {
    const client = fakeClient(() => refusal(code, status));
    expect(await evict(client, pod)).toMatchObject(expected);
  });

  it('does not take the 404 of a load balancer for a pod that is gone', () => {
    expect(classifyEviction(new KubeError('not found', { code: 404 }))).toMatchObject({ kind: 'Refused', code: 404 });
  });

  it('waits as long as the Retry-After header says, and a second where a throttled answer says nothing', () => {
    expect(classifyEviction(new KubeError('slow', { code: 429, retryAfterMs: 1500 }))).toMatchObject({
      kind: 'Throttled',
      retryAfterMs: 1500,
    });
    expect(classifyEviction(new KubeError('slow', { code: 429 }))).toMatchObject({ kind: 'Throttled', retryAfterMs: 1000 });
  });

  it('is unavailable when no answer came', async () => {
    const client = fakeClient(() => new KubeError('connection refused', { code: 0, reason: 'Unreachable' }));
    expect(await evict(client, pod)).toEqual({ kind: 'Unavailable', message: 'connection refused' });
  });

  it('asks for exactly this uid, with grace and dry run where given, and may be sent twice', async () => {
    const client = fakeClient(() => ({ kind: 'Status', status: 'Success' }));
    expect(await evict(client, pod)).toEqual({ kind: 'Evicted' });
    await evict(client, pod, { graceSeconds: 0, dryRun: true, timeoutMs: 5 });
    const [plain, full] = client.requests;
    const metadata = { namespace: 'shop', name: 'web-0' };
    expect(plain).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/shop/pods/web-0/eviction', idempotent: true });
    expect(plain?.body).toEqual({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata,
      deleteOptions: { preconditions: { uid: 'u-1' } },
    });
    expect(full).toMatchObject({
      timeoutMs: 5,
      body: { deleteOptions: { preconditions: { uid: 'u-1' }, gracePeriodSeconds: 0, dryRun: ['All'] } },
    });
  });

  it('rejects only with the reason of its signal', async () => {
    const stop = new AbortController();
    const client = fakeClient(() => 'hang');
    const asked = evict(client, pod, { signal: stop.signal });
    stop.abort(new Error('lost the lease'));
    await expect(asked).rejects.toThrow('lost the lease');
  });
});

describe('a deletion', () => {
  it('deletes exactly this uid', async () => {
    const client = fakeClient(() => ({}));
    expect(await deletePod(client, pod, { graceSeconds: 1 })).toBe('Deleted');
    expect(client.requests[0]).toMatchObject({
      method: 'DELETE',
      path: '/api/v1/namespaces/shop/pods/web-0',
      body: { preconditions: { uid: 'u-1' }, gracePeriodSeconds: 1 },
    });
  });

  it('tells a pod that is gone and a namesake from a refusal', async () => {
    const gone = fakeClient(() => refusal(404, { reason: 'NotFound', message: 'pods "web-0" not found' }));
    expect(await deletePod(gone, pod)).toBe('Gone');
    const namesake = fakeClient(() => refusal(409, { reason: 'Conflict', message: OTHER_UID }));
    expect(await deletePod(namesake, pod)).toBe('OtherPod');
    await expect(
      deletePod(
        fakeClient(() => refusal(403, { message: 'no' })),
        pod,
      ),
    ).rejects.toBeInstanceOf(KubeError);
    await expect(
      deletePod(
        fakeClient(() => refusal(404)),
        pod,
      ),
    ).rejects.toBeInstanceOf(KubeError);
  });
});
