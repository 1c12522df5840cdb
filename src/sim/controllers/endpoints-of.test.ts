import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint, EndpointSlice, Service } from '../kubernetes.ts';
import { patchSlices, reconcileSlices, type SliceChanges, type WantedEndpoint, wantedEndpoints } from './endpoints-of.ts';

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', uid: 'svc', resourceVersion: '1', creationTimestamp: '2030-01-01T00:00:00Z' },
  spec: { clusterIP: '10.96.0.1' },
};

function wanted(uid: number, ready: boolean, port: number): WantedEndpoint {
  const endpoint: Endpoint = {
    addresses: [`10.0.0.${uid}`],
    conditions: { ready, serving: ready, terminating: false },
    targetRef: { kind: 'Pod', namespace: 'default', name: `p${uid}`, uid: String(uid) },
  };
  return { endpoint, ports: [{ name: '', port, protocol: 'TCP' }] };
}

let made = 0;

function applied(existing: readonly EndpointSlice[], { create, update, remove }: SliceChanges): readonly EndpointSlice[] {
  const gone = new Set(remove.map(({ metadata }) => metadata.name));
  const changed = new Map(update.map((each) => [each.metadata.name, each]));
  const created = create.map((each) => ({ ...each, metadata: { ...service.metadata, ...each.metadata, name: `web-${++made}` } }));
  return [
    ...existing.filter(({ metadata }) => !gone.has(metadata.name)).map((each) => changed.get(each.metadata.name) ?? each),
    ...created,
  ];
}

const contents = (slices: readonly EndpointSlice[]) =>
  slices
    .flatMap(({ endpoints, ports }) =>
      endpoints.map((each) => `${each.addresses[0]} ${each.conditions?.ready} ${ports?.[0]?.port}`),
    )
    .toSorted((a, b) => a.localeCompare(b));

const pod = fc.record({
  uid: fc.integer({ min: 1, max: 9 }),
  ready: fc.boolean(),
  port: fc.constantFrom(80, 81),
  there: fc.boolean(),
});

describe('a Service whose pods change', () => {
  it('has each of them in one slice, none too full, whether patched or worked out anew', () => {
    fc.assert(
      fc.property(fc.array(fc.array(pod, { maxLength: 4 }), { maxLength: 12 }), (rounds) => {
        const pods = new Map<number, WantedEndpoint>();
        let slices = applied([], reconcileSlices(service, new Map(), [], 3));
        for (const round of rounds) {
          for (const { uid, ready, port, there } of round) {
            if (there) pods.set(uid, wanted(uid, ready, port));
            else pods.delete(uid);
          }
          const changed = [...new Set(round.map(({ uid }) => uid))].map((uid) => ({ uid: String(uid), wanted: pods.get(uid) }));
          const changes = patchSlices(slices, changed, 3) ?? reconcileSlices(service, wantedEndpoints(pods.values()), slices, 3);
          slices = applied(slices, changes);
          const want = [...pods.values()].map(
            ({ endpoint, ports }) => `${endpoint.addresses[0]} ${endpoint.conditions?.ready} ${ports[0]?.port}`,
          );
          expect(contents(slices)).toEqual(want.toSorted((a, b) => a.localeCompare(b)));
          expect(Math.max(...slices.map(({ endpoints }) => endpoints.length))).toBeLessThanOrEqual(3);
          expect(slices.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has nothing written when nothing has changed', () => {
    const all = wantedEndpoints([wanted(1, true, 80), wanted(2, true, 80)]);
    const slices = applied([], reconcileSlices(service, all, []));
    expect(reconcileSlices(service, all, slices)).toEqual({ create: [], update: [], remove: [] });
    expect(patchSlices(slices, [{ uid: '1', wanted: wanted(1, true, 80) }])).toEqual({ create: [], update: [], remove: [] });
    const empty = applied([], reconcileSlices(service, new Map(), []));
    expect(reconcileSlices(service, new Map(), empty)).toEqual({ create: [], update: [], remove: [] });
  });
});
