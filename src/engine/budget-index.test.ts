import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aBudget, selecting } from '../../test/builders.ts';
import { matchesSelector } from '../api/label-selector.ts';
import type { Budget } from '../api/objects.ts';
import { createBudgetIndex } from './budget-index.ts';

const apps = [{ app: 'web' }, { app: 'db' }, {}] as const;
const budget = fc.record({
  name: fc.constantFrom('x', 'y', 'z'),
  namespace: fc.constantFrom('shop', 'bank'),
  selector: fc.constantFrom(selecting({ app: 'web' }), selecting({ app: 'db' }), selecting({}), null),
  disruptionsAllowed: fc.nat(3),
});
const step = fc.record({ do: fc.constantFrom('put', 'put', 'drop'), budget });

describe('the index of budgets', () => {
  it('finds after any changes the budgets that select a pod, in the state of the moment', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const index = createBudgetIndex();
        const there = new Map<string, Budget>();
        for (const each of steps) {
          const changed = aBudget(each.budget);
          const key = `${changed.namespace}/${changed.name}`;
          if (each.do === 'put') {
            index.put(changed);
            there.set(key, changed);
          } else {
            index.drop(changed);
            there.delete(key);
          }
          for (const namespace of ['shop', 'bank'])
            for (const labels of apps) {
              const expected = [...there.values()].filter(
                (one) => one.namespace === namespace && one.selector && matchesSelector(one.selector, labels),
              );
              expect(new Set(index.of(namespace, labels))).toEqual(new Set(expected));
            }
        }
      }),
    );
  });

  it('names the label keys of a namespace, as they are now', () => {
    const index = createBudgetIndex();
    index.put(aBudget({ selector: selecting({ app: 'web' }) }));
    expect([...index.keysIn('shop')]).toEqual(['app']);
    index.put(aBudget({ selector: selecting({ tier: 'front' }) }));
    expect([...index.keysIn('shop')]).toEqual(['tier']);
    index.drop(aBudget());
    expect([...index.keysIn('shop')]).toEqual([]);
  });
});
