/** The last good word of every source. A source that fails changes nothing here; what it has said stays until it says otherwise. */
import { byUrgency, type NodeSignal } from '../api/node-signal.ts';
import type { Reading, Source } from './source.ts';

export interface SignalBook {
  /** From now on what this source has said before the start counts, until it answers. */
  add(source: Source): void;
  earlier(source: Source): readonly NodeSignal[];
  /** Every signal keeps the time at which it was first seen. */
  record(source: Source, reading: Reading): void;
  signals(): readonly NodeSignal[];
  /**
   * Without what stands on the node from before and no source has said again: a spot machine that was stopped and started comes back with
   * the notice of its last end.
   */
  confirmed(): readonly NodeSignal[];
}

/** @param known what the node's annotation says: the state survives a restart of the agent, until its source has answered anew */
export function createSignalBook(known: readonly NodeSignal[]): SignalBook {
  const bySource = new Map<string, readonly NodeSignal[]>();
  const answered = new Set<string>();
  const earlier = (source: Source) => bySource.get(source.name) ?? known.filter((signal) => source.owns(signal));
  return {
    add: (source) => void bySource.set(source.name, earlier(source)),
    earlier,
    record(source, { signals }) {
      const before = earlier(source);
      answered.add(source.name);
      bySource.set(
        source.name,
        signals.map((signal) => {
          const seen = before.find(({ id, kind }) => id === signal.id && kind === signal.kind);
          return seen ? { ...signal, since: seen.since } : signal;
        }),
      );
    },
    signals: () => byUrgency([...bySource.values()].flat()),
    confirmed: () => byUrgency([...bySource].flatMap(([name, signals]) => (answered.has(name) ? signals : []))),
  };
}
