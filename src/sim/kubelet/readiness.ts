/** When a container's probes let it through, worked out in one go instead of probe by probe. */
import type { Millis } from '../../lib/clock.ts';
import type { Container, Probe } from '../kubernetes.ts';

const seconds = (value: number | undefined, otherwise: number): Millis => (value ?? otherwise) * 1000;

/** The first probe at or after `able`, counted from the container's start. */
function firstSuccess(probe: Probe, from: Millis, able: Millis): Millis {
  const period = seconds(probe.periodSeconds, 10);
  const first = Math.max(from, seconds(probe.initialDelaySeconds, 0));
  return first >= able ? first : first + Math.ceil((able - first) / period) * period;
}

export type Readiness =
  | { readonly ready: true; readonly startedAfter: Millis; readonly readyAfter: Millis }
  /** The startup probe gives up and the container is killed. */
  | { readonly ready: false; readonly killedAfter: Millis };

/**
 * From the container's start: when its startup and readiness probes have passed, given that it answers from `able` on. Without a readiness
 * probe it is ready as soon as it is started and `able`. Defaults are upstream's: every 10 s, 3 failures, 1 success.
 */
export function readinessOf(container: Container, able: Millis): Readiness {
  const { startupProbe, readinessProbe } = container;
  let startedAfter: Millis = 0;
  if (startupProbe) {
    startedAfter = firstSuccess(startupProbe, 0, able);
    const period = seconds(startupProbe.periodSeconds, 10);
    const last = seconds(startupProbe.initialDelaySeconds, 0) + ((startupProbe.failureThreshold ?? 3) - 1) * period;
    if (startedAfter > last) return { ready: false, killedAfter: last };
  }
  if (!readinessProbe) return { ready: true, startedAfter, readyAfter: Math.max(startedAfter, able) };
  const first = firstSuccess(readinessProbe, startedAfter, able);
  const more = (readinessProbe.successThreshold ?? 1) - 1;
  return { ready: true, startedAfter, readyAfter: first + more * seconds(readinessProbe.periodSeconds, 10) };
}
