/** What the agent asks for signals: one file per source, each a pure reader and a thin shell around it. */
import type { NodeSignal } from '../api/node-signal.ts';
import type { Millis } from '../lib/clock.ts';

export interface Reading {
  /** All that the source knows now: what was there and is not any more is over. `since` is kept from the first time it was seen. */
  readonly signals: readonly NodeSignal[];
}

export interface Source {
  /** "azure", "aws-spot": unique among the sources of an agent; the label of its metrics and its name in condition DroverAgent. */
  readonly name: string;
  /** From the end of one reading to the begin of the next. */
  readonly everyMs: Millis;
  /** One reading is given up after so long. */
  readonly timeoutMs: Millis;
  /** Did it tell this signal, perhaps before a restart? What nobody owns any more is dropped. */
  owns(signal: NodeSignal): boolean;
  /**
   * @param earlier what this source told last, also before a restart of the agent
   * @throws Error of one line when there is no answer, or one that makes no sense; what was known before then stays known
   */
  read(earlier: readonly NodeSignal[], signal: AbortSignal): Promise<Reading>;
}

/** The longest text that is taken from a machine into the cluster. */
const MAX_TEXT = 200;

/** Text of the outside on one line, without control characters, cut. */
export function oneLine(text: string, longest: number = MAX_TEXT): string {
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  const plain = text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').trim();
  return plain.length > longest ? `${plain.slice(0, longest - 3)}...` : plain;
}

/** RFC 3339 to the second, as Kubernetes writes times. */
export function timeText(at: Millis): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** @throws Error naming what is not a time. */
export function timeOf(text: unknown, what: string): string {
  const at = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new Error(`${what} is not a time: ${oneLine(String(text), 60)}`);
  return timeText(at);
}
