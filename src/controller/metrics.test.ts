import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { aHandedOverPod, aPod, NOW, SECOND } from '../../test/builders.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { createRegistry } from '../lib/metrics.ts';
import { countRequests, createControllerMetrics } from './metrics.ts';
import { aDecision, aReport, everyBlocker } from './testing/decisions.ts';

function bench() {
  const registry = createRegistry();
  const usage = { residentBytes: 1_000, cpuSeconds: 1.5 };
  const metrics = createControllerMetrics({ registry, version: '1.2.3', startedAt: NOW, usage: () => usage });
  const value = (series: string) => {
    const line = registry
      .metrics()
      .split('\n')
      .find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { registry, metrics, usage, value };
}

describe('the controller’s metrics', () => {
  it('count the living maintenances by phase, and fall back to zero', () => {
    const { metrics, value } = bench();
    metrics.passed([aDecision('Draining'), aDecision('Pending', 'Draining'), aDecision('Drained')], NOW, 1);
    expect([
      value('drover_maintenances{phase="Draining"}'),
      value('drover_maintenances{phase="Drained"}'),
      value('drover_maintenances{phase="Pending"}'),
    ]).toEqual([2, 1, 0]);
    metrics.passed([], NOW, 1);
    expect(value('drover_maintenances{phase="Draining"}')).toBe(0);
  });

  it('time a phase when it is left, and count how maintenances end', () => {
    const { metrics, value } = bench();
    metrics.passed([aDecision('Settling', 'Drained')], NOW + 20 * SECOND, 1);
    metrics.passed([aDecision('Drained')], NOW + 30 * SECOND, 1);
    metrics.passed([aDecision('Undoing', 'HandedBack')], NOW + 2 * SECOND, 1);
    expect(value('drover_phase_duration_seconds_sum{phase="Settling"}')).toBe(20);
    expect(value('drover_phase_duration_seconds_bucket{phase="Settling",le="15"}')).toBe(0);
    expect(value('drover_phase_duration_seconds_bucket{phase="Settling",le="60"}')).toBe(1);
    expect(value('drover_phase_duration_seconds_count{phase="Drained"}')).toBeUndefined();
    expect(value('drover_last_success_timestamp_seconds')).toBe(NOW / 1_000 + 20);
    expect([
      value('drover_maintenances_ended_total{phase="HandedBack"}'),
      value('drover_maintenances_ended_total{phase="Failed"}'),
    ]).toEqual([1, 0]);
  });

  it('count nodes and pods by what they wait for, and show 0 when nobody does any more', () => {
    const { metrics, value } = bench();
    const pods = [
      aReport('a', { blocker: everyBlocker.BudgetExhausted }),
      aReport('b', { blocker: everyBlocker.BudgetExhausted }),
      aReport('c'),
    ];
    metrics.passed([aDecision('Draining', 'Draining', { waitingFor: everyBlocker.BudgetExhausted, pods, remaining: 3 })], NOW, 1);
    const both = () => [
      value('drover_waiting{kind="Node",cause="BudgetExhausted"}'),
      value('drover_waiting{kind="Pod",cause="BudgetExhausted"}'),
    ];
    expect(both()).toEqual([1, 2]);
    metrics.passed([aDecision('Draining')], NOW, 1);
    expect(both()).toEqual([0, 0]);
  });

  it('tell nothing of maintenances that another replica leads', () => {
    const { metrics, value } = bench();
    metrics.leading(true);
    metrics.passed([aDecision('Draining', 'Draining', { waitingFor: everyBlocker.BudgetExhausted })], NOW, 1);
    expect(value('drover_leader')).toBe(1);
    metrics.leading(false);
    expect([
      value('drover_leader'),
      value('drover_maintenances{phase="Draining"}'),
      value('drover_waiting{kind="Node",cause="BudgetExhausted"}'),
    ]).toEqual([0, 0, 0]);
  });

  it('count evictions and forced deletes by answer', () => {
    const { metrics, value } = bench();
    expect(value('drover_evictions_total{answer="BudgetRefused"}')).toBe(0);
    metrics.answered({ do: 'Evict', pod: aPod() }, 'Done');
    metrics.answered({ do: 'Evict', pod: aPod() }, 'Throttled');
    metrics.answered({ do: 'Delete', pod: aPod(), because: 'the ladder' }, 'Done');
    expect([value('drover_evictions_total{answer="Done"}'), value('drover_evictions_total{answer="Throttled"}')]).toEqual([1, 1]);
    expect(value('drover_forced_deletes_total{answer="Done"}')).toBe(1);
  });

  it.each([
    ['Started', { do: 'Detach', pod: aPod(), labels: {}, readyAtStart: 1 }, 'Done'],
    ['Refused', { do: 'Detach', pod: aPod(), labels: {}, readyAtStart: 1 }, 'Forbidden'],
    ['Completed', { do: 'Evict', pod: aHandedOverPod() }, 'Done'],
    ['GivenBack', { do: 'GiveBack', pod: aHandedOverPod() }, 'Done'],
    ['TimedOut', { do: 'GiveBack', pod: aHandedOverPod(), refusedBecause: 'NoRoom' }, 'Done'],
  ] as const)('count a handover that is %s', (result, effect, answer) => {
    const { metrics, registry } = bench();
    metrics.answered(effect, answer);
    const counted = registry
      .metrics()
      .split('\n')
      .filter((line) => line.startsWith('drover_handovers_total{') && !line.endsWith(' 0'));
    expect(counted).toEqual([`drover_handovers_total{result="${result}"} 1`]);
  });

  it('do not take an ordinary eviction, or a refused one, for the end of a handover', () => {
    const { metrics, value } = bench();
    metrics.answered({ do: 'Evict', pod: aPod() }, 'Done');
    metrics.answered({ do: 'Evict', pod: aHandedOverPod() }, 'BudgetRefused');
    expect(value('drover_handovers_total{result="Completed"}')).toBe(0);
  });

  it('read the queue of events and the process when they are asked for', () => {
    const { metrics, usage, value } = bench();
    expect([value('drover_queue_depth'), value('process_resident_memory_bytes'), value('process_cpu_seconds_total')]).toEqual([
      0, 1_000, 1.5,
    ]);
    metrics.readEvents({ queued: 4, totals: { written: 10, dropped: 2, failed: 1 } });
    usage.residentBytes = 2_000;
    expect([value('drover_queue_depth'), value('drover_events_dropped_total'), value('process_resident_memory_bytes')]).toEqual([
      4, 2, 2_000,
    ]);
    expect(value('drover_build_info{version="1.2.3"}')).toBe(1);
    expect(value('process_start_time_seconds')).toBe(NOW / 1_000);
  });

  it('are the ones that the reference page lists', () => {
    const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z_]+)` \| (\w+) \| ([^|]*) \| (.+) \|$/gm)].map(([, name, type, labels, help]) => ({
      name,
      type,
      labelNames: [...(labels ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]),
      help,
    }));
    const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
      (a.name ?? '') < (b.name ?? '') ? -1 : 1;
    const registered = bench()
      .registry.describe()
      .map(({ name, type, labelNames, help }) => ({ name, type, labelNames: [...labelNames], help }));
    expect(rows.sort(byName)).toEqual(registered.sort(byName));
  });
});

describe('countRequests', () => {
  it('counts requests and watches by method and code, passes answers and errors on, and counts no programming error', async () => {
    const { metrics, value } = bench();
    const answers: (() => Promise<unknown>)[] = [
      () => Promise.resolve({ a: 1 }),
      () => Promise.reject(new KubeError('no', { code: 429 })),
      () => Promise.reject(new TypeError('bug')),
    ];
    const inner: KubeClient = {
      server: 'https://test',
      json: <T>() => (answers.shift() ?? (() => Promise.resolve({})))() as Promise<T>,
      stream: () => Promise.reject(new KubeError('gone', { code: 410 })),
      close: () => {},
    };
    const client = countRequests(inner, metrics);
    expect(client.server).toBe('https://test');
    await expect(client.json({ method: 'GET', path: '/a' })).resolves.toEqual({ a: 1 });
    await expect(client.json({ method: 'POST', path: '/a' })).rejects.toThrow('no');
    await expect(client.json({ method: 'POST', path: '/a' })).rejects.toThrow('bug');
    await client.json({ method: 'POST', path: '/a' });
    await expect(client.stream({ method: 'GET', path: '/a' })).rejects.toThrow('gone');
    const count = (method: string, code: number) => value(`drover_api_requests_total{method="${method}",code="${code}"}`);
    expect([count('GET', 200), count('POST', 429), count('POST', 201), count('GET', 410)]).toEqual([1, 1, 1, 1]);
  });
});
