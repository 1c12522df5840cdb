/** What a bench gives back, and the little arithmetic that all of them need. */

/** A number that DESIGN section 6 sets: at most `bar`. */
export interface Bar {
  readonly what: string;
  readonly measured: number;
  readonly bar: number;
  /** "ms", "s", "MiB", "requests", or "x" for a ratio. */
  readonly unit: string;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Result {
  readonly tables: readonly Table[];
  readonly bars: readonly Bar[];
  /** How it was measured, one sentence each. */
  readonly how: readonly string[];
  /** Promises that were broken, one sentence each: a budget violated, a node not drained. Empty when all held. */
  readonly broken: readonly string[];
}

export interface Context {
  /** Path of the built drover.js. */
  readonly drover: string;
  /** Runs of each measurement that is repeated; absent: the bench's own number. */
  readonly runs: number | undefined;
  /** Flags of node for the controller's process, such as --cpu-prof. */
  readonly nodeFlags: readonly string[];
  /** Progress for whoever watches; not a result. */
  say(line: string): void;
}

export interface Bench {
  readonly title: string;
  run(context: Context): Promise<Result>;
}

/** The value below which `fraction` of the values lie (nearest rank). @throws RangeError without values */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)];
  if (found === undefined) throw new RangeError('no values');
  return found;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** "12.3": three significant digits, whole numbers from 100 on. */
export function shown(value: number): string {
  return Number(
    value.toPrecision(Math.abs(value) >= 100 ? Math.max(3, Math.floor(Math.log10(Math.abs(value))) + 1) : 3),
  ).toString();
}

/** "4.08 / 4.1 / 4.12": least, median, most. */
export function spread(values: readonly number[]): string {
  return [Math.min(...values), median(values), Math.max(...values)].map(shown).join(' / ');
}
