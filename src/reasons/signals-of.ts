/** The signals of a node with their times in milliseconds, read once per version of its annotations. */
import { annotations } from '../api/names.ts';
import { readSignals } from '../api/node-signal.ts';
import type { Node, StringMap } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Announcement } from './notice.ts';

const NONE: readonly Announcement[] = [];
const known = new WeakMap<StringMap, readonly Announcement[]>();

/** None where the annotation is absent or cannot be read: the agent, which knows why, writes it anew. */
export function signalsOf({ annotations: written }: Pick<Node, 'annotations'>): readonly Announcement[] {
  const text = written[annotations.signals];
  if (text === undefined) return NONE;
  let signals = known.get(written);
  if (!signals) {
    signals = readSignals(text).signals.map(({ kind, source, id, revocable, message, ...times }) => ({
      kind,
      source,
      id,
      revocable,
      message,
      ...timesOf(times),
    }));
    known.set(written, signals);
  }
  return signals;
}

type Times = { readonly [F in 'since' | 'notBefore' | 'goneAt']?: string };

function timesOf(written: Times): { readonly [F in keyof Times]?: Millis } {
  const times: { since?: Millis; notBefore?: Millis; goneAt?: Millis } = {};
  for (const field of ['since', 'notBefore', 'goneAt'] as const) {
    const at = Date.parse(written[field] ?? '');
    if (at >= FIRST_SENSIBLE) times[field] = at;
  }
  return times;
}

// An unset Go time is 0001-01-01: taken at its word, every grace would be cut to a second.
const FIRST_SENSIBLE = Date.UTC(2000, 0, 1);
