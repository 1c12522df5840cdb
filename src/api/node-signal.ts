/**
 * What the agent knows about its machine, as it stands in the node's annotation `drover.dev/signals`: a JSON array, the newest state,
 * absent when there is nothing. The agent writes it, the controller's reasons read it; neither brings a library with it.
 */
import type { Millis } from '../lib/clock.ts';

export const signalKinds = [
  'RebootRequired',
  'SpotInterruption',
  'RebalanceRecommendation',
  'Reboot',
  'Redeploy',
  'Terminate',
  'Freeze',
  'Maintenance',
  'HardwareFailure',
  'AutoscalingTermination',
  'CustomCheck',
] as const;

/** Kinds of a newer agent, or of a newer cloud, are kept as they are. */
export type SignalKind = (typeof signalKinds)[number] | (string & {});

export type SignalSource = 'sentinel' | 'azure' | 'aws' | 'gcp' | 'check';

export interface NodeSignal {
  readonly kind: SignalKind;
  readonly source: SignalSource | (string & {});
  /** Stable for as long as the event lasts, also over restarts of the agent. */
  readonly id: string;
  /** RFC 3339: when the agent first saw it, or when it began where that is told. */
  readonly since: string;
  /** RFC 3339: the earliest time at which the machine is touched. */
  readonly notBefore?: string;
  /** RFC 3339: when the machine is gone or frozen. */
  readonly goneAt?: string;
  /** It may be taken back: the machine may stay as it is. */
  readonly revocable: boolean;
  /** For people, at most 256 characters. */
  readonly message: string;
  /** The machine is being touched now. */
  readonly started?: boolean;
}

export interface SignalsRead {
  readonly signals: readonly NodeSignal[];
  /** What is malformed, one line; null when nothing is. */
  readonly error: string | null;
}

const MAX_SIGNALS = 16;
const MAX_MESSAGE = 256;

/**
 * @param text the annotation's value; undefined when the node has none.
 * Text that is no JSON array gives no signals and an error. An entry that is malformed is left out, and the error names it.
 */
export function readSignals(text: string | undefined): SignalsRead {
  if (text === undefined || text === '') return { signals: [], error: null };
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    return { signals: [], error: 'is not JSON' };
  }
  if (!Array.isArray(entries)) return { signals: [], error: 'must be a list' };
  const signals: NodeSignal[] = [];
  let error: string | null =
    entries.length > MAX_SIGNALS ? `has ${entries.length} entries, at most ${MAX_SIGNALS} are read` : null;
  for (const [index, entry] of entries.slice(0, MAX_SIGNALS).entries()) {
    const wrong = wrongWith(entry);
    if (wrong === null) signals.push(entry as NodeSignal);
    else error ??= `[${index}].${wrong}`;
  }
  return { signals, error };
}

function wrongWith(entry: unknown): string | null {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'must be a map';
  const fields = entry as Readonly<Record<string, unknown>>;
  for (const key of ['kind', 'source', 'id', 'since', 'message'])
    if (typeof fields[key] !== 'string' || (key !== 'message' && fields[key] === '')) return `${key} must be a text`;
  if (typeof fields['revocable'] !== 'boolean') return 'revocable must be true or false';
  if (fields['started'] !== undefined && typeof fields['started'] !== 'boolean') return 'started must be true or false';
  for (const key of ['since', 'notBefore', 'goneAt']) {
    const value = fields[key];
    if (value !== undefined && (typeof value !== 'string' || Number.isNaN(Date.parse(value)))) return `${key} must be a time`;
  }
  return null;
}

/** The annotation's value; null when there is nothing to say. What ends the machine soonest comes first, and is kept where there are more than 16. */
export function writeSignals(signals: readonly NodeSignal[]): string | null {
  if (signals.length === 0) return null;
  return JSON.stringify(
    byUrgency(signals)
      .slice(0, MAX_SIGNALS)
      .map(({ kind, source, id, since, notBefore, goneAt, revocable, message, started }) => ({
        kind,
        source,
        id,
        since,
        notBefore,
        goneAt,
        revocable,
        message: message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 3)}...` : message,
        started,
      })),
  );
}

/** By when the machine ends, those without an end last; among equals in the order of their ids, so that the text stays the same. */
export function byUrgency(signals: readonly NodeSignal[]): NodeSignal[] {
  const keys = (signal: NodeSignal) => [endOf(signal), Date.parse(signal.notBefore ?? '') || Infinity] as const;
  return [...signals].sort((a, b) => {
    const [endA, startA] = keys(a);
    const [endB, startB] = keys(b);
    return compare(endA, endB) || compare(startA, startB) || compare(`${a.source} ${a.id}`, `${b.source} ${b.id}`);
  });
}

/** `goneAt` in milliseconds; Infinity when it is not known. */
export function endOf({ goneAt }: Pick<NodeSignal, 'goneAt'>): Millis {
  return goneAt === undefined ? Infinity : Date.parse(goneAt);
}

// A subtraction would make NaN of two infinities.
function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
