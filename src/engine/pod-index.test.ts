import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPod, ownedBy } from '../../test/builders.ts';
import { annotations } from '../api/names.ts';
import type { Pod } from '../api/objects.ts';
import { createPodIndex, indexPods } from './pod-index.ts';

const handedOver = (uid: string) => ({
  [annotations.handover]: JSON.stringify({ by: 'm', at: 1, owner: { name: 'web', uid }, labels: {}, readyAtStart: 1 }),
});
const owners = ['a', 'b'] as const;
const pod = fc.record({
  uid: fc.constantFrom('1', '2', '3', '4'),
  owner: fc.constantFrom(...owners, null),
  detached: fc.boolean(),
});
const step = fc.record({ do: fc.constantFrom('put', 'put', 'drop'), pod, keys: fc.subarray(['zone', 'disk']) });

function podOf({ uid, owner, detached }: { uid: string; owner: string | null; detached: boolean }, affinityKeys: string[]): Pod {
  const base = aPod({ name: uid, uid, affinityKeys });
  const { owner: _, ...alone } = base;
  if (owner === null) return alone;
  return detached
    ? { ...alone, annotations: handedOver(owner) }
    : { ...base, owner: { ...ownedBy('ReplicaSet', 'web'), uid: owner } };
}

describe('the index of pods', () => {
  it('says after any changes what a fresh one of the same pods says', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const index = createPodIndex();
        const there = new Map<string, Pod>();
        for (const each of steps) {
          const changed = podOf(each.pod, each.keys);
          if (each.do === 'put') {
            index.put(changed, 0);
            there.set(changed.uid, changed);
          } else {
            index.drop(changed);
            there.delete(changed.uid);
          }
          const fresh = indexPods(there.values());
          const uids = (pods: Iterable<Pod>) => [...pods].map(({ uid }) => uid).sort();
          expect(uids(index)).toEqual(uids(there.values()));
          for (const owner of owners) {
            expect(uids(index.of(owner))).toEqual(uids(fresh.of(owner)));
            for (const one of index.of(owner)) expect(one).toBe(there.get(one.uid));
          }
          expect([...index.affinityKeys()].sort()).toEqual([...fresh.affinityKeys()].sort());
        }
      }),
    );
  });

  it('hands out the same list of an owner while only pods of others change', () => {
    const index = createPodIndex();
    index.put(podOf({ uid: '1', owner: 'a', detached: false }, []), 0);
    const before = index.of('a');
    index.put(podOf({ uid: '2', owner: 'b', detached: false }, []), 0);
    expect(index.of('a')).toBe(before);
    index.put(podOf({ uid: '3', owner: 'a', detached: true }, []), 0);
    expect(index.of('a')).not.toBe(before);
    expect(index.of('a').map(({ uid }) => uid)).toEqual(['1', '3']);
  });

  it('counts a pod as Ready from when it was seen to become so, else from the end of the second of its condition', () => {
    const index = createPodIndex();
    const [waiting, ready] = [aPod({ uid: '1', ready: false }), aPod({ uid: '1', ready: true, readyAt: 5_000 })];
    index.put(ready, 5_800);
    expect(index.readySince(ready)).toBe(5_999);
    index.put(waiting, 6_000);
    index.put(ready, 6_700);
    index.put(ready, 9_000);
    expect(index.readySince(ready)).toBe(6_700);
    index.drop(ready);
    index.put(ready, 9_000);
    expect(index.readySince(ready)).toBe(5_999);
  });
});
