import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMultiMap } from './multi-map.ts';

const step = fc.record({
  add: fc.boolean(),
  key: fc.constantFrom('a', 'b'),
  value: fc.constantFrom('x', 'y', 'z'),
});

describe('several values to a key', () => {
  it('are after any writes those that were added and not deleted, in the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const map = createMultiMap<string>();
        const model = new Map<string, Set<string>>([
          ['a', new Set()],
          ['b', new Set()],
        ]);
        for (const { add, key, value } of steps) {
          if (add) {
            map.add(key, value);
            model.get(key)?.add(value);
          } else expect(map.delete(key, value)).toBe(model.get(key)?.delete(value));
          expect([...map.keys()].toSorted()).toEqual(['a', 'b'].filter((each) => model.get(each)?.size));
          for (const [each, values] of model) {
            expect([...map.get(each)]).toEqual([...values]);
            expect(map.count(each)).toBe(values.size);
          }
        }
        expect([...map.take('a')]).toEqual([...(model.get('a') ?? [])]);
        expect(map.count('a')).toBe(0);
      }),
    );
  });
});
