import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pods } from '../apiserver/kinds.ts';
import { matchesSelector } from '../store/label-selectors.ts';
import { createClusterBed } from '../testing/cluster-bed.ts';
import { createSelectedPods, type PodSet } from './selected-pods.ts';

const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y'), { maxKeys: 2 });
const selector = fc.oneof(
  labels.map((matchLabels) => ({ matchLabels })),
  fc.constantFrom({ matchExpressions: [{ key: 'a', operator: 'Exists' as const }] }, {}),
);
const step = fc.oneof(
  fc.record({ do: fc.constant('pod' as const), name: fc.constantFrom('p', 'q', 'r'), labels }),
  fc.record({ do: fc.constant('unpod' as const), name: fc.constantFrom('p', 'q', 'r') }),
  fc.record({ do: fc.constant('select' as const), name: fc.constantFrom('s', 't', 'u'), selector }),
  fc.record({ do: fc.constant('read' as const), name: fc.constantFrom('s', 't', 'u') }),
);

interface Names extends PodSet {
  readonly names: Set<string>;
}

const createNames = (): Names => {
  const names = new Set<string>();
  return { names, put: ({ metadata }) => names.add(metadata.name), drop: (name) => names.delete(name) };
};

describe('the pods of many selectors', () => {
  it('are those that a scan of the namespace would find, after whatever happened', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { api, pod } = createClusterBed();
        const selected = createSelectedPods<Names>(api);
        const selectors = new Map<string, Parameters<typeof matchesSelector>[0]>();
        api.watch(pods, (event) => void selected.told(event), { replay: true });
        const check = (name: string) => {
          const wanted = selectors.get(name);
          const found = selected.of(`default/${name}`)?.names;
          if (!wanted) return expect(found).toBeUndefined();
          const scanned = api
            .list(pods, { namespace: 'default' })
            .filter(({ metadata }) => matchesSelector(wanted, metadata.labels));
          expect([...(found ?? [])].toSorted((a, b) => a.localeCompare(b))).toEqual(scanned.map(({ metadata }) => metadata.name));
        };
        for (const each of steps) {
          const exists = api.get(pods, 'default', each.name) !== undefined;
          if (each.do === 'pod' && !exists) pod(each.name, { labels: each.labels });
          else if (each.do === 'pod')
            api.modify(pods, 'default', each.name, (old) => ({ ...old, metadata: { ...old.metadata, labels: each.labels } }));
          else if (each.do === 'unpod' && exists) api.remove(pods, 'default', each.name, { gracePeriodSeconds: 0 });
          else if (each.do === 'select') {
            selectors.set(each.name, each.selector);
            selected.set(`default/${each.name}`, 'default', each.selector, createNames());
          } else if (each.do === 'read') check(each.name);
        }
        for (const name of selectors.keys()) check(name);
      }),
      { numRuns: 200 },
    );
  });
});
