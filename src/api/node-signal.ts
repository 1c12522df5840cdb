/** What the agent of a node has been told about its machine: the annotation `drover.dev/signals`, a JSON array. */
import type { Millis } from '../lib/clock.ts';
import { annotations } from './names.ts';
import type { Node } from './objects.ts';

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

export const signalSources = ['sentinel', 'azure', 'aws', 'gcp', 'check'] as const;

export interface NodeSignal {
  /** One of `signalKinds`; an agent of a newer version may know more. */
  readonly kind: string;
  readonly source: string;
  readonly id: string;
  readonly since?: Millis;
  /** The machine is left alone until then. */
  readonly notBefore?: Millis;
  /** The machine is gone, or stands still, from then on. */
  readonly goneAt?: Millis;
  /** It may be taken back: when it goes away, nothing has happened. */
  readonly revocable: boolean;
  readonly message: string;
  readonly started: boolean;
}

const MAX_SIGNALS = 16;
const NONE: readonly NodeSignal[] = [];
const known = new WeakMap<Node['annotations'], readonly NodeSignal[]>();

/** The signals of a node; none where the annotation is absent or cannot be read. An entry that cannot be read is left out. */
export function readSignals({ annotations: written }: Pick<Node, 'annotations'>): readonly NodeSignal[] {
  const text = written[annotations.signals];
  if (text === undefined) return NONE;
  let signals = known.get(written);
  if (!signals) known.set(written, (signals = parseSignals(text)));
  return signals;
}

function parseSignals(text: string): readonly NodeSignal[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return NONE; // the agent writes it anew; half a signal is none
  }
  return Array.isArray(list) ? list.slice(0, MAX_SIGNALS).flatMap((each) => parseSignal(each) ?? []) : NONE;
}

function parseSignal(value: unknown): NodeSignal | null {
  if (typeof value !== 'object' || value === null) return null;
  const { kind, source, id, since, notBefore, goneAt, revocable, message, started } = value as Record<string, unknown>;
  if (typeof kind !== 'string' || typeof source !== 'string') return null;
  const times = { since: timeOf(since), notBefore: timeOf(notBefore), goneAt: timeOf(goneAt) };
  return {
    kind,
    source,
    id: typeof id === 'string' ? id : '',
    // Taken for final by mistake, a node would stay out for good; taken for revocable by mistake, it comes back with its machine.
    revocable: revocable !== false,
    message: typeof message === 'string' ? message.slice(0, 256) : '',
    started: started === true,
    ...(times.since !== undefined && { since: times.since }),
    ...(times.notBefore !== undefined && { notBefore: times.notBefore }),
    ...(times.goneAt !== undefined && { goneAt: times.goneAt }),
  };
}

// An unset Go time is 0001-01-01: taken at its word, every grace would be cut to a second.
const FIRST_SENSIBLE = Date.UTC(2000, 0, 1);

function timeOf(value: unknown): Millis | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return time >= FIRST_SENSIBLE ? time : undefined;
}
