/** The gates that ask the API server: workloads and pods. */
import { describe, expect, it } from 'vitest';
import { NOW } from '../../../test/builders.ts';
import { createFakeClient, refusal, settled } from '../../../test/fake-client.ts';
import { aPolicy } from '../../../test/raw-objects.ts';
import { createVirtualClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { compileGates } from './compile-gates.ts';
import { createGates } from './gates.ts';
import { type GatesInput, start } from './testing/gates-bed.ts';

describe('the workloads', () => {
  const lists: Record<string, unknown[]> = { deployments: [], statefulsets: [], daemonsets: [], pods: [] };
  const listing = (more: Partial<typeof lists>) => {
    const bed = start();
    let failing = false;
    const current = { ...lists, ...more };
    bed.client.handle(({ path }) => {
      if (failing) throw refusal(403, 'Forbidden', { message: 'statefulsets is forbidden' });
      return { metadata: {}, items: current[path.split('/').at(-1) ?? ''] };
    });
    return { ...bed, current, fail: (now: boolean) => (failing = now) };
  };
  const settledGate: GatesInput = { settled: { for: '1m', interval: '15s' } };
  const rule = () => {
    const found = compileGates(aPolicy({ gates: settledGate }).spec.gates).find((each) => each.gate === 'Asked');
    return found?.gate === 'Asked' ? found.asked : expect.fail('nothing is asked');
  };
  const web = (status: object) => ({
    metadata: { name: 'web', namespace: 'shop', generation: 2 },
    spec: { replicas: 3 },
    status,
  });
  const well = web({ observedGeneration: 2, updatedReplicas: 3, availableReplicas: 3 });
  const verdictAfter = async (bed: ReturnType<typeof listing>, ms: number) => {
    bed.need(rule());
    await bed.clock.advance(ms);
    await settled();
    return bed.gates.answer(rule())?.verdict;
  };

  it('must have been well for as long as is asked', async () => {
    const bed = listing({ deployments: [well] });
    expect(await verdictAfter(bed, 0)).toEqual({ is: 'Settling', until: NOW + 60_000 });
    expect(await verdictAfter(bed, 59_000)).toMatchObject({ is: 'Settling' });
    expect(await verdictAfter(bed, 1_000)).toEqual({ is: 'Open' });
  });

  it('begin anew when something is not well, or cannot be read', async () => {
    const bed = listing({ deployments: [well] });
    await verdictAfter(bed, 45_000);
    bed.current['deployments'] = [web({ observedGeneration: 2, updatedReplicas: 3, availableReplicas: 2 })];
    expect(await verdictAfter(bed, 15_000)).toEqual({ is: 'Unsettled', what: ['shop/Deployment/web (2 of 3 available)'] });
    bed.current['deployments'] = [well];
    expect(await verdictAfter(bed, 15_000)).toEqual({ is: 'Settling', until: NOW + 135_000 });
    bed.fail(true);
    expect(await verdictAfter(bed, 15_000)).toMatchObject({ is: 'Unanswered', message: 'statefulsets is forbidden' });
    bed.fail(false);
    expect(await verdictAfter(bed, 15_000)).toEqual({ is: 'Settling', until: NOW + 165_000 });
  });

  it.each<[string, Partial<typeof lists>, string]>([
    [
      'a Deployment whose change nobody has seen',
      { deployments: [web({ observedGeneration: 1, availableReplicas: 3 })] },
      'not been seen yet',
    ],
    [
      'a rollout under way',
      { deployments: [web({ observedGeneration: 2, availableReplicas: 3, updatedReplicas: 1 })] },
      'shop/Deployment/web (1 of 3 updated)',
    ],
    ['a StatefulSet', { statefulsets: [web({ availableReplicas: 2 })] }, 'shop/StatefulSet/web (2 of 3 available)'],
    ['a DaemonSet', { daemonsets: [web({ desiredNumberScheduled: 5, numberAvailable: 4 })] }, '(4 of 5 available)'],
    [
      'a pod that has been Pending for too long',
      { pods: [{ metadata: { name: 'x', namespace: 'shop', creationTimestamp: '2026-01-01T11:58:00Z' } }] },
      'shop/Pod/x (Pending)',
    ],
  ])('are not well with %s', async (_, more, what) => {
    expect(await verdictAfter(listing(more), 0)).toEqual({ is: 'Unsettled', what: [expect.stringContaining(what)] });
  });

  it('are well with a pod that has only just been created', async () => {
    const pods = [{ metadata: { name: 'x', namespace: 'shop', creationTimestamp: '2026-01-01T11:59:30Z' } }];
    expect(await verdictAfter(listing({ pods }), 0)).toMatchObject({ is: 'Settling' });
  });
});

describe('pods', () => {
  const question = {
    key: 'k',
    selector: { matchLabels: { batch: 'yes' }, matchExpressions: [] },
    namespaces: null,
    runningOnly: false,
  };
  const pod = (name: string, nodeName: string, phase = 'Running') => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { batch: 'yes' } },
    spec: { nodeName, containers: [{ name: 'main' }] },
    status: { phase },
  });

  it('are watched while they matter: on a node, or anywhere', async () => {
    const clock = createVirtualClock(NOW);
    const client = createFakeClient();
    // The fake does not read selectors with values; what is selected is for the beds.
    const queries: unknown[] = [];
    client.handle((request) => {
      queries.push(request.query);
      return undefined;
    });
    let changes = 0;
    const gates = createGates({
      client: {
        ...client,
        json: (request) => client.json({ ...request, query: {} }),
        stream: (request) => {
          queries.push(request.query);
          return client.stream({ ...request, query: { ...request.query, labelSelector: 'batch', fieldSelector: undefined } });
        },
      },
      clock,
      log: silentLog,
      random: () => 0.5,
      send: () => expect.fail('nothing is sent'),
      namespace: 'drover',
      onChange: () => (changes += 1),
      onAnswer() {},
    });
    const need = (...all: (typeof question)[]) =>
      gates.provide({ asked: new Map(), pods: new Map(all.map((each) => [each.key, each])), anew: new Set() });
    const on = (node: string | null, asked = question) => {
      const found = gates.pods(asked, clock.now());
      return found && 'on' in found ? found.on(node) : found;
    };
    client.put(pod('job-1', 'worker-1'));
    client.put(pod('job-2', 'worker-2', 'Pending'));
    client.put(pod('done', 'worker-1', 'Succeeded'));
    expect(on(null)).toBeNull();
    need(question);
    await settled();
    expect(changes).toBeGreaterThan(0);
    expect([on('worker-1'), on('worker-3'), on(null)]).toEqual([['shop/job-1'], [], ['shop/job-1', 'shop/job-2']]);
    expect(on(null, { ...question, runningOnly: true })).toEqual(['shop/job-1']);
    expect(queries).toContainEqual(
      expect.objectContaining({ labelSelector: 'batch=yes', fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }),
    );
    client.remove('/api/v1/namespaces/shop/pods/job-1');
    await settled();
    expect(on('worker-1')).toEqual([]);
    await clock.advance(61_000);
    need();
    expect(on(null)).toBeNull();
    gates.stop();
  });
});
