import { describe, expect, it } from 'vitest';
import { aBudget, aPod, NOW } from '../../test/builders.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { createLedger } from './ledger.ts';

const pod = aPod({ resourceVersion: '7' });
const other = aPod({ name: 'web-2' });

function start() {
  const clock = createVirtualClock(NOW);
  return { clock, ledger: createLedger(clock) };
}

describe('what was tried on a pod', () => {
  it('is under way until it is answered, and keeps the version of the pod that it was tried on', () => {
    const { ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    expect(ledger.attempts.get(pod.uid)).toEqual({ effect: 'Evict', startedAt: NOW, inFlight: true, podVersion: '7' });
    ledger.end(pod, { answer: 'BudgetRefused', message: 'no', retryAt: NOW + 5, budgetVersion: '9' });
    expect(ledger.attempts.get(pod.uid)).toEqual({
      effect: 'Evict',
      startedAt: NOW,
      inFlight: false,
      podVersion: '7',
      answer: 'BudgetRefused',
      message: 'no',
      retryAt: NOW + 5,
      budgetVersion: '9',
    });
  });

  it('is replaced by the next try, with nothing left of the last answer', () => {
    const { ledger } = start();
    ledger.begin(pod, 'Evict');
    ledger.end(pod, { answer: 'Throttled', retryAt: NOW + 5 });
    ledger.begin(pod, 'Delete');
    expect(ledger.attempts.get(pod.uid)).toEqual({ effect: 'Delete', startedAt: NOW, inFlight: true, podVersion: '7' });
  });

  it('is forgotten with the pod, also when the answer comes later', () => {
    const { ledger } = start();
    ledger.begin(pod, 'Evict');
    ledger.forget(pod.uid);
    ledger.end(pod, { answer: 'Done' });
    expect(ledger.attempts.size).toBe(0);
  });

  it('is dropped after ten minutes when nobody saw the pod go, but never while it is under way', async () => {
    const { clock, ledger } = start();
    ledger.begin(pod, 'Evict');
    ledger.begin(other, 'Evict');
    ledger.end(pod, { answer: 'Done' });
    await clock.advance(601_000);
    ledger.sweep();
    expect([...ledger.attempts.keys()]).toEqual([other.uid]);
  });
});

describe('a charge on a budget', () => {
  it('counts from the request on', () => {
    const { ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    ledger.begin(other, 'Evict', 'shop/web');
    expect(ledger.charges('shop/web')).toBe(2);
    expect(ledger.charges('shop/api')).toBe(0);
  });

  it('ends when the status of the budget lists the pod, also before the answer', () => {
    const { ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    ledger.begin(other, 'Evict', 'shop/web');
    ledger.see(aBudget({ disruptedPods: ['web-1'] }));
    expect(ledger.charges('shop/web')).toBe(1);
    ledger.end(pod, { answer: 'Done' });
    expect(ledger.charges('shop/web')).toBe(1);
  });

  it('is not ended by a namesake of the budget in another namespace', () => {
    const { ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    ledger.see(aBudget({ namespace: 'other', disruptedPods: ['web-1'] }));
    expect(ledger.charges('shop/web')).toBe(1);
  });

  it('ends with a refusal at once', () => {
    const { ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    ledger.end(pod, { answer: 'BudgetRefused' });
    expect(ledger.charges('shop/web')).toBe(0);
  });

  it('outlives a granted eviction by two seconds, for the watch to show it', async () => {
    const { clock, ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    await clock.advance(60_000);
    ledger.end(pod, { answer: 'Done' });
    await clock.advance(1_999);
    expect(ledger.charges('shop/web')).toBe(1);
    await clock.advance(1);
    expect(ledger.charges('shop/web')).toBe(0);
  });

  it('says when it lapses, so that somebody looks again then', async () => {
    const { clock, ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    expect(ledger.sweep()).toBeNull();
    ledger.end(pod, { answer: 'Done' });
    expect(ledger.sweep()).toBe(NOW + 2_000);
    await clock.advance(2_000);
    expect(ledger.sweep()).toBeNull();
    expect(ledger.charges('shop/web')).toBe(0);
  });

  it('of a pod that is gone before the answer lapses two seconds after it went', async () => {
    const { clock, ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    ledger.forget(pod.uid);
    expect(ledger.charges('shop/web')).toBe(1);
    await clock.advance(2_000);
    ledger.end(pod, { answer: 'Done' });
    expect(ledger.charges('shop/web')).toBe(0);
  });

  it('moves with the pod when another budget selects it by the next try', () => {
    const { ledger } = start();
    ledger.begin(pod, 'Evict', 'shop/web');
    ledger.end(pod, { answer: 'Done' });
    ledger.begin(pod, 'Evict', 'shop/all');
    expect([ledger.charges('shop/web'), ledger.charges('shop/all')]).toEqual([0, 1]);
  });

  it('does not last for hours when the clock is set back', () => {
    let now = NOW;
    const ledger = createLedger({ ...createVirtualClock(), now: () => now });
    ledger.begin(pod, 'Evict', 'shop/web');
    ledger.end(pod, { answer: 'Done' });
    now = NOW - 3_600_000;
    expect(ledger.charges('shop/web')).toBe(0);
  });
});

describe('the owner of a pod that blocks', () => {
  it('is told once, and again after an hour', async () => {
    const { clock, ledger } = start();
    expect([ledger.tell(pod), ledger.tell({ ...pod, resourceVersion: '8' }), ledger.tell(other)]).toEqual([true, false, true]);
    await clock.advance(3_600_001);
    ledger.sweep();
    expect(ledger.tell(pod)).toBe(true);
  });
});
