import { describe, expect, it } from 'vitest';
import { createRegistry } from './metrics.ts';

const samples = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('a counter', () => {
  it('without labels is there with zero before it is first counted', () => {
    const registry = createRegistry();
    registry.counter({ name: 'a_total', help: 'A.' });
    expect(registry.metrics()).toBe('# HELP a_total A.\n# TYPE a_total counter\na_total 0\n');
  });

  it('keeps one value per combination of labels', () => {
    const registry = createRegistry();
    const counter = registry.counter({ name: 'a_total', help: 'A.', labelNames: ['x', 'y'] });
    counter.inc({ x: '1', y: '2' });
    counter.inc({ y: '2', x: '1' }, 2.5);
    counter.inc({ x: '2', y: '1' });
    expect(samples(registry.metrics())).toEqual(['a_total{x="1",y="2"} 3.5', 'a_total{x="2",y="1"} 1']);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses to grow by %s', (value) => {
    const registry = createRegistry();
    const counter = registry.counter({ name: 'a_total', help: 'A.' });
    expect(() => counter.inc({}, value)).toThrow('counter a_total cannot grow by');
    expect(samples(registry.metrics())).toEqual(['a_total 0']);
  });

  it('can read a total that is counted elsewhere', () => {
    const registry = createRegistry();
    let total = 3;
    registry.counter({ name: 'a_total', help: 'A.', read: () => total });
    total = 4;
    expect(samples(registry.metrics())).toEqual(['a_total 4']);
  });
});

describe('a gauge', () => {
  it('shows the last value, also those that are no ordinary numbers', () => {
    const registry = createRegistry();
    const gauge = registry.gauge({ name: 'g', help: 'G.', labelNames: ['x'] });
    gauge.set({ x: 'a' }, 1);
    gauge.set({ x: 'a' }, -0.25);
    gauge.set({ x: 'b' }, Number.POSITIVE_INFINITY);
    gauge.set({ x: 'c' }, Number.NEGATIVE_INFINITY);
    gauge.set({ x: 'd' }, Number.NaN);
    gauge.set({ x: 'e' }, 1e21);
    expect(samples(registry.metrics())).toEqual([
      'g{x="a"} -0.25',
      'g{x="b"} +Inf',
      'g{x="c"} -Inf',
      'g{x="d"} NaN',
      'g{x="e"} 1e+21',
    ]);
  });

  it('forgets every series at reset', () => {
    const registry = createRegistry();
    const gauge = registry.gauge({ name: 'g', help: 'G.', labelNames: ['x'] });
    gauge.set({ x: 'a' }, 1);
    gauge.reset();
    gauge.set({ x: 'b' }, 2);
    expect(samples(registry.metrics())).toEqual(['g{x="b"} 2']);
  });

  it('is collected anew for each rendering', () => {
    const registry = createRegistry();
    let reads = 0;
    registry.gauge({ name: 'g', help: 'G.', collect: (gauge) => gauge.set({}, ++reads) });
    registry.metrics();
    expect(samples(registry.metrics())).toEqual(['g 2']);
  });
});

describe('a histogram', () => {
  it('adds up its buckets, with the bound belonging to its bucket', () => {
    const registry = createRegistry();
    const histogram = registry.histogram({ name: 'h', help: 'H.', labelNames: ['x'], buckets: [0.5, 1, 10] });
    for (const value of [0.5, 0.7, 1, 11]) histogram.observe({ x: 'a' }, value);
    expect(samples(registry.metrics())).toEqual([
      'h_bucket{x="a",le="0.5"} 1',
      'h_bucket{x="a",le="1"} 3',
      'h_bucket{x="a",le="10"} 3',
      'h_bucket{x="a",le="+Inf"} 4',
      'h_sum{x="a"} 13.2',
      'h_count{x="a"} 4',
    ]);
  });

  it('without labels is there with empty buckets', () => {
    const registry = createRegistry();
    registry.histogram({ name: 'h', help: 'H.', buckets: [1] });
    expect(samples(registry.metrics())).toEqual(['h_bucket{le="1"} 0', 'h_bucket{le="+Inf"} 0', 'h_sum 0', 'h_count 0']);
  });

  it('refuses buckets that do not grow', () => {
    expect(() => createRegistry().histogram({ name: 'h', help: 'H.', buckets: [1, 1] })).toThrow('the buckets of h must grow');
  });
});

describe('a registry', () => {
  it('escapes what would break a line: quotes in label values only', () => {
    const registry = createRegistry();
    registry.gauge({ name: 'g', help: 'a "b" \\ c\nd', labelNames: ['x'] }).set({ x: 'a "b" \\ c\nd' }, 1);
    expect(registry.metrics()).toBe('# HELP g a "b" \\\\ c\\nd\n# TYPE g gauge\ng{x="a \\"b\\" \\\\ c\\nd"} 1\n');
  });

  it('refuses the same name twice and names that Prometheus would not read', () => {
    const registry = createRegistry();
    registry.gauge({ name: 'g', help: 'G.' });
    expect(() => registry.counter({ name: 'g', help: 'G.' })).toThrow('metric g is registered twice');
    expect(() => registry.gauge({ name: '1g', help: 'G.' })).toThrow('"1g" is not a metric name');
    expect(() => registry.gauge({ name: 'h', help: 'H.', labelNames: ['a-b'] })).toThrow('"a-b" is not a label name of metric h');
    expect(() => registry.histogram({ name: 'h', help: 'H.', labelNames: ['le'], buckets: [1] })).toThrow(
      '"le" is not a label name of metric h',
    );
  });

  it('describes what is registered, in order, and shares nothing with another registry', () => {
    const registry = createRegistry();
    registry.counter({ name: 'b_total', help: 'B.', labelNames: ['x'] });
    registry.histogram({ name: 'a', help: 'A.', buckets: [1] });
    expect(registry.describe()).toEqual([
      { name: 'b_total', help: 'B.', type: 'counter', labelNames: ['x'] },
      { name: 'a', help: 'A.', type: 'histogram', labelNames: [] },
    ]);
    expect(createRegistry().describe()).toEqual([]);
  });
});
