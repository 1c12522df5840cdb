/** How long the steps of a pod's life take: drawn from distributions, or said by annotations on the pod or its node. */
import { isDuration, parseDuration } from '../../api/duration.ts';
import type { Millis } from '../../lib/clock.ts';
import type { Latency } from '../apiserver/api.ts';
import type { KubeObject } from '../kubernetes.ts';
import { drawLatency } from '../latency.ts';

/** `pull`: one image not yet on the node; `start`: sandbox and containers; `ready`: from started to answering; `stop`: from SIGTERM to the exit. */
export type Step = 'pull' | 'start' | 'ready' | 'stop';

export type Steps = Readonly<Record<Step, Latency>>;

/** Seen on real kubelets with containerd and small images; a maintenance is mostly waiting for these four. */
export const usualSteps: Steps = {
  pull: { least: 2_000, spread: 4_000 },
  start: { least: 500, spread: 1_000 },
  ready: { least: 1_000, spread: 2_000 },
  stop: { least: 500, spread: 1_500 },
};

export const instantSteps: Steps = {
  pull: { least: 0, spread: 0 },
  start: { least: 0, spread: 0 },
  ready: { least: 0, spread: 0 },
  stop: { least: 0, spread: 0 },
};

const PREFIX = 'sim.drover.dev/';

/**
 * An annotation in milliseconds ("250") or as a duration ("2s"); "never" is Infinity. Undefined when it is absent or says something else: the
 * object came through an API server that cannot refuse it.
 */
export function annotated(object: Pick<KubeObject, 'metadata'> | undefined, name: string): Millis | undefined {
  const text = object?.metadata.annotations?.[PREFIX + name];
  return text === undefined ? undefined : readMillis(text);
}

/** As `annotated`, or a range of the same: "2s to 5s". */
export function annotatedStep(object: Pick<KubeObject, 'metadata'> | undefined, step: Step): Latency | undefined {
  const text = object?.metadata.annotations?.[PREFIX + step];
  if (text === undefined) return undefined;
  const [from = text, to = from] = text.split(' to ');
  const least = readMillis(from);
  const most = readMillis(to);
  return least === undefined || most === undefined
    ? undefined
    : { least, spread: least === most ? 0 : Math.max(0, most - least) };
}

function readMillis(text: string): Millis | undefined {
  if (text === 'never') return Number.POSITIVE_INFINITY;
  if (/^\d+$/.test(text)) return Number(text);
  return isDuration(text) ? parseDuration(text) : undefined;
}

export function draw({ least, spread }: Latency, random: () => number): Millis {
  return drawLatency(least, spread, random);
}
