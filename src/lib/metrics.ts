/**
 * Counters, gauges and histograms with labels, and their text for Prometheus (exposition format 0.0.4). The shape of the calls is
 * prom-client's; that package keeps a global registry and answers asynchronously, and nothing here needs either.
 */
export type Labels<L extends string> = Readonly<Record<L, string>>;

export interface MetricOptions<L extends string> {
  /** [a-zA-Z_:][a-zA-Z0-9_:]*, once per registry. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly labelNames?: readonly L[];
}

export interface GaugeOptions<L extends string> extends MetricOptions<L> {
  /** Called before each rendering, for values that are read rather than told. */
  readonly collect?: (gauge: Gauge<L>) => void;
}

export interface CounterOptions<L extends string> extends MetricOptions<L> {
  /** Reads a total that is counted elsewhere; only for a counter without labels. */
  readonly read?: () => number;
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds, growing, without +Inf. */
  readonly buckets: readonly number[];
}

export interface Counter<L extends string> {
  /** @throws RangeError for a negative or non-finite `value` (default 1). */
  inc(labels: Labels<L>, value?: number): void;
}

export interface Gauge<L extends string> {
  set(labels: Labels<L>, value: number): void;
  /** Forgets every series. */
  reset(): void;
}

export interface Histogram<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}

export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labelNames: readonly string[];
}

export interface Registry {
  readonly contentType: string;
  /** @throws Error for a bad or a repeated name, as the two below. */
  counter<L extends string = never>(options: CounterOptions<L>): Counter<L>;
  gauge<L extends string = never>(options: GaugeOptions<L>): Gauge<L>;
  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L>;
  /** In the order of their registration. */
  describe(): readonly MetricDescription[];
  /** The exposition: what /metrics answers. */
  metrics(): string;
}

interface Family extends MetricDescription {
  readonly samples: () => string;
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function createRegistry(): Registry {
  const families = new Map<string, Family>();

  const add = (family: Family) => {
    const { name, labelNames, type } = family;
    if (!METRIC_NAME.test(name)) throw new Error(`"${name}" is not a metric name`);
    const bad = labelNames.find(
      (label) => !LABEL_NAME.test(label) || label.startsWith('__') || (type === 'histogram' && label === 'le'),
    );
    if (bad !== undefined) throw new Error(`"${bad}" is not a label name of metric ${name}`);
    if (families.has(name)) throw new Error(`metric ${name} is registered twice`);
    families.set(name, family);
  };

  return {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',

    counter<L extends string>({ name, help, labelNames = [], read }: CounterOptions<L>): Counter<L> {
      const series = openSeries<L, { value: number }>(labelNames, () => ({ value: 0 }));
      add({
        name,
        help,
        labelNames,
        type: 'counter',
        samples: () => (read ? line(name, '', read()) : series.lines((labels, { value }) => line(name, labels, value))),
      });
      return {
        inc(labels, value = 1) {
          if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw new RangeError(`counter ${name} cannot grow by ${value}`);
          series.of(labels).value += value;
        },
      };
    },

    gauge<L extends string>({ name, help, labelNames = [], collect }: GaugeOptions<L>): Gauge<L> {
      const series = openSeries<L, { value: number }>(labelNames, () => ({ value: 0 }));
      const gauge: Gauge<L> = {
        set: (labels, value) => {
          series.of(labels).value = value;
        },
        reset: () => series.reset(),
      };
      add({
        name,
        help,
        labelNames,
        type: 'gauge',
        samples() {
          collect?.(gauge);
          return series.lines((labels, { value }) => line(name, labels, value));
        },
      });
      return gauge;
    },

    histogram<L extends string>({ name, help, labelNames = [], buckets }: HistogramOptions<L>): Histogram<L> {
      if (buckets.some((bound, index) => !(bound > (buckets[index - 1] ?? Number.NEGATIVE_INFINITY))))
        throw new Error(`the buckets of ${name} must grow`);
      const series = openSeries<L, { counts: number[]; sum: number; count: number }>(labelNames, () => ({
        counts: buckets.map(() => 0),
        sum: 0,
        count: 0,
      }));
      add({
        name,
        help,
        labelNames,
        type: 'histogram',
        samples: () =>
          series.lines((labels, { counts, sum, count }) => {
            const comma = labels === '' ? '' : ',';
            let below = 0;
            const lines = buckets.map((bound, index) =>
              line(`${name}_bucket`, `${labels}${comma}le="${number(bound)}"`, (below += counts[index] ?? 0)),
            );
            lines.push(
              line(`${name}_bucket`, `${labels}${comma}le="+Inf"`, count),
              line(`${name}_sum`, labels, sum),
              line(`${name}_count`, labels, count),
            );
            return lines.join('');
          }),
      });
      return {
        observe(labels, value) {
          const entry = series.of(labels);
          // Each value is kept once, in its own bucket; the sums over the smaller ones are made when they are read.
          const index = buckets.findIndex((bound) => value <= bound);
          if (index >= 0) entry.counts[index] = (entry.counts[index] ?? 0) + 1;
          entry.sum += value;
          entry.count += 1;
        },
      };
    },

    describe: () => [...families.values()].map(({ name, help, type, labelNames }) => ({ name, help, type, labelNames })),

    metrics() {
      let text = '';
      for (const { name, help, type, samples } of families.values())
        text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${samples()}`;
      return text;
    },
  };
}

interface Series<L extends string, T> {
  of(labels: Labels<L>): T;
  lines(render: (labels: string, value: T) => string): string;
  reset(): void;
}

/** One value per combination of labels. Without labels there is exactly one, and it is there from the start. */
function openSeries<L extends string, T>(labelNames: readonly L[], fresh: () => T): Series<L, T> {
  const byLabels = new Map<string, T>();
  const keyOf = (labels: Labels<L>) => labelNames.map((name) => `${name}="${escapeValue(labels[name])}"`).join(',');
  const of = (labels: Labels<L>): T => {
    const key = keyOf(labels);
    let value = byLabels.get(key);
    if (value === undefined) byLabels.set(key, (value = fresh()));
    return value;
  };
  const start = () => {
    if (labelNames.length === 0) byLabels.set('', fresh());
  };
  start();
  return {
    of,
    lines(render) {
      let text = '';
      for (const [labels, value] of byLabels) text += render(labels, value);
      return text;
    },
    reset() {
      byLabels.clear();
      start();
    },
  };
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${number(value)}\n`;
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
