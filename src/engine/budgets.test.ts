import { describe, expect, it } from 'vitest';
import { aBudget, aPod, selecting } from '../../test/builders.ts';
import type { Budget, Pod } from '../api/objects.ts';
import { indexBudgets } from './budget-index.ts';
import { neverAllows, openBudgetBook } from './budgets.ts';

const none = () => 0;
const verdict = (pod: Pod, budgets: readonly Budget[], charges: (budget: string) => number = none) =>
  openBudgetBook(indexBudgets(budgets), charges).verdict(pod);
const exhausted = aBudget({ disruptionsAllowed: 0, currentHealthy: 2 });

describe('the verdict of a disruption budget', () => {
  it('is Free without a budget', () => {
    expect(verdict(aPod(), [])).toEqual({ kind: 'Free' });
  });

  it('is Free where the budget is of another namespace or selects other pods', () => {
    expect(verdict(aPod(), [aBudget({ namespace: 'other' }), aBudget({ selector: selecting({ app: 'db' }) })])).toEqual({
      kind: 'Free',
    });
  });

  it('lets a null selector select nothing and an empty one everything', () => {
    expect(verdict(aPod(), [aBudget({ selector: null, disruptionsAllowed: 0 })])).toEqual({ kind: 'Free' });
    expect(verdict(aPod({ labels: {} }), [aBudget({ selector: selecting({}), disruptionsAllowed: 0 })])).toMatchObject({
      kind: 'Refused',
    });
  });

  it.each(['Pending', 'Succeeded', 'Failed'] as const)(
    'does not ask the budget about a %s pod, not even two of them',
    (phase) => {
      expect(verdict(aPod({ phase }), [exhausted, aBudget({ name: 'second' })])).toEqual({ kind: 'Free' });
    },
  );

  it('does not ask the budget about a pod that is terminating', () => {
    expect(verdict(aPod({ deletedAt: 1 }), [exhausted])).toEqual({ kind: 'Free' });
  });

  it('is Several with two budgets, whatever their numbers and whether the pod is Ready', () => {
    const both = [aBudget(), aBudget({ name: 'second', disruptionsAllowed: 5 })];
    expect(verdict(aPod(), both)).toEqual({ kind: 'Several', budgets: both });
    expect(verdict(aPod({ ready: false }), both)).toMatchObject({ kind: 'Several' });
  });

  it('is not Refused for ever while the budget still counts an eviction of this pod that was charged and not carried out', () => {
    const whole = aBudget({ disruptionsAllowed: 0, desiredHealthy: 3, expectedPods: 3 });
    expect(verdict(aPod(), [whole])).toMatchObject({ kind: 'Refused', never: true });
    expect(verdict(aPod(), [{ ...whole, disruptedPods: [aPod().name] }])).toMatchObject({ kind: 'Refused', never: false });
  });

  it('is NotComputed while the disruption controller cannot count the pods, not stale: that would pass', () => {
    const failed = aBudget({
      disruptionsAllowed: 0,
      generation: 1,
      observedGeneration: 0,
      syncFailed: 'found no controllers for pod "web"',
    });
    expect(verdict(aPod(), [failed])).toMatchObject({ kind: 'NotComputed', message: 'found no controllers for pod "web"' });
  });

  it('is Allowed while disruptions are left, and Refused after', () => {
    expect(verdict(aPod(), [aBudget()])).toMatchObject({ kind: 'Allowed' });
    expect(verdict(aPod(), [exhausted])).toMatchObject({ kind: 'Refused', never: false });
  });

  it('is Refused where the server counts more disruptions than allowed', () => {
    expect(verdict(aPod(), [aBudget({ disruptionsAllowed: -1 })])).toMatchObject({ kind: 'Refused' });
  });

  it('is Stale while the status is behind the spec', () => {
    expect(verdict(aPod(), [aBudget({ generation: 2, observedGeneration: 1 })])).toMatchObject({ kind: 'Stale' });
  });

  it('lets an unready pod go under AlwaysAllow, even while the status is behind', () => {
    const budget = aBudget({ unhealthyPodEviction: 'AlwaysAllow', disruptionsAllowed: 0, generation: 2 });
    expect(verdict(aPod({ ready: false }), [budget])).toEqual({ kind: 'Free' });
    expect(verdict(aPod(), [budget])).toMatchObject({ kind: 'Stale' });
  });

  it('lets an unready pod go under IfHealthyBudget only while enough others are healthy', () => {
    const unready = aPod({ ready: false });
    expect(verdict(unready, [aBudget({ disruptionsAllowed: 0, currentHealthy: 2, desiredHealthy: 2 })])).toEqual({
      kind: 'Free',
    });
    expect(verdict(unready, [aBudget({ disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 2 })])).toMatchObject({
      kind: 'Refused',
    });
  });

  it('asks the budget about an unready pod where nothing is desired', () => {
    const budget = aBudget({ desiredHealthy: 0, currentHealthy: 0, disruptionsAllowed: 0, expectedPods: 1 });
    expect(verdict(aPod({ ready: false }), [budget])).toMatchObject({ kind: 'Refused' });
  });

  it('charges evictions that the status does not show yet', () => {
    expect(verdict(aPod(), [aBudget({ disruptionsAllowed: 2 })], () => 1)).toMatchObject({ kind: 'Allowed' });
    expect(verdict(aPod(), [aBudget({ disruptionsAllowed: 2 })], () => 2)).toMatchObject({ kind: 'Refused', never: false });
  });

  it('charges each budget by its namespace and name only', () => {
    const asked: string[] = [];
    verdict(aPod(), [aBudget()], (key) => (asked.push(key), 0));
    expect(asked).toEqual(['shop/web']);
  });

  it('charges the evictions of this pass', () => {
    const budget = aBudget({ disruptionsAllowed: 1 });
    const book = openBudgetBook(indexBudgets([budget]), none);
    book.charge(budget);
    expect(book.verdict(aPod())).toMatchObject({ kind: 'Refused' });
  });

  it('is Crowded, not Refused, with eight evictions under way that the budget would have more for', () => {
    const budget = aBudget({ disruptionsAllowed: 20 });
    expect(verdict(aPod(), [budget], () => 7)).toMatchObject({ kind: 'Allowed' });
    expect(verdict(aPod(), [budget], () => 8)).toMatchObject({ kind: 'Crowded' });
    expect(verdict(aPod(), [budget], () => 20)).toMatchObject({ kind: 'Refused' });
  });
});

describe('the evictions under way', () => {
  const crowdedAt = (over: number): number => {
    let charged = 0;
    const book = openBudgetBook(indexBudgets([aBudget({ disruptionsAllowed: 20 })]), () => charged);
    book.spread(over);
    while (book.verdict(aPod()).kind === 'Allowed') charged += 1;
    return charged;
  };

  it('are divided among the budgets at work, at most eight and at least one for each', () => {
    expect([0, 1, 4, 5, 16, 32, 1_000].map(crowdedAt)).toEqual([8, 8, 8, 7, 2, 1, 1]);
  });
});

describe('a budget that never allows a disruption', () => {
  it.each([
    ['minAvailable 3 of 3 replicas', { desiredHealthy: 3, expectedPods: 3 }, true],
    ['minAvailable 100%', { minAvailable: '100%', desiredHealthy: 4, expectedPods: 4 }, true],
    ['minAvailable 50% of one replica', { minAvailable: '50%', desiredHealthy: 1, expectedPods: 1 }, true],
    ['maxUnavailable 0', { maxUnavailable: '0', desiredHealthy: 2, expectedPods: 2 }, true],
    ['minAvailable above the replicas', { desiredHealthy: 5, expectedPods: 3 }, true],
    ['maxUnavailable 1 while pods are down', { desiredHealthy: 2, expectedPods: 3, currentHealthy: 1 }, false],
    ['minAvailable 3 with a fourth pod from a handover', { desiredHealthy: 3, expectedPods: 4 }, false],
    ['a budget without pods', { desiredHealthy: 0, expectedPods: 0 }, false],
  ] as const)('%s: %s', (_, numbers, never) => {
    const budget = aBudget({ currentHealthy: numbers.expectedPods, ...numbers, disruptionsAllowed: 0 });
    expect(neverAllows(budget)).toBe(never);
    expect(verdict(aPod(), [budget])).toMatchObject({ kind: 'Refused', never });
  });
});

describe('the label keys that budgets look at', () => {
  it('are those of labels and expressions of the namespace', () => {
    const expression = { key: 'tier', operator: 'Exists', values: [] } as const;
    const book = openBudgetBook(
      indexBudgets([
        aBudget({ selector: selecting({ app: 'web' }, [expression]) }),
        aBudget({ namespace: 'other', selector: selecting({ x: 'y' }) }),
        aBudget({ name: 'none', selector: null }),
      ]),
      none,
    );
    expect([...book.keysIn('shop')].sort()).toEqual(['app', 'tier']);
    expect([...book.keysIn('nowhere')]).toEqual([]);
  });
});
