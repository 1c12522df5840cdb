/** How a kubelet ends a pod: preStop, SIGTERM, SIGKILL when the grace is over, the last status, and the final DELETE. */
import type { Clock, Millis } from '../../lib/clock.ts';
import type { Api } from '../apiserver/api.ts';
import { pods } from '../apiserver/kinds.ts';
import type { Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import { exited, isRunning, mapStatuses } from './container-status.ts';
import type { Host } from './host.ts';
import type { Placed, PodWriter } from './pod-writer.ts';
import type { Timers } from './timers.ts';
import type { Step } from './timing.ts';

// Even with less grace than this a container gets it: kuberuntime_container.go, minimumGracePeriodInSeconds.
const LEAST_GRACE: Millis = 2_000;

export interface PodStopOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly writer: PodWriter;
  readonly duration: (step: Step, pod: Pod, host: Host) => Millis;
  readonly latency: (host: Host) => Millis;
}

interface Ended {
  readonly reason: string;
  readonly message: string;
}

export interface PodStop {
  /**
   * Stops the containers within the pod's grace and then removes it, or leaves it as Failed when `ended` says why and nobody deleted it. Called
   * again with a shorter grace it hurries up.
   */
  stop(at: Placed, pod: Pod, how?: { readonly ended?: Ended; readonly grace?: Millis; readonly done?: () => void }): void;
  isStopping(uid: string): boolean;
  /** The containers are gone already, as after a reboot: only the last status and the DELETE are left. */
  bury(at: Placed): void;
  forget(uid: string): void;
}

interface Stopping {
  readonly exitAt: Millis;
  killAt: Millis;
  readonly ended: Ended | undefined;
  readonly done: (() => void) | undefined;
}

function graceOf({ metadata, spec }: Pod): Millis {
  return (metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30) * 1000;
}

/** The longest preStop sleep; other hooks take no time of their own here, it is in the stop time. */
function hookTime({ spec }: Pod): Millis {
  let longest = 0;
  for (const { lifecycle } of spec.containers) longest = Math.max(longest, lifecycle?.preStop?.sleep?.seconds ?? 0);
  return longest * 1000;
}

/** 128 + SIGTERM and 128 + SIGKILL: programs that do not say otherwise. */
const TERMINATED = 143;
const KILLED = 137;

export function createPodStop({ api, clock, timers, writer, duration, latency }: PodStopOptions): PodStop {
  const stopping = new Map<string, Stopping>();

  function finish(at: Placed, exitCode: number, reason?: string): void {
    const known = stopping.get(at.uid);
    const now = timestamp(clock.now());
    const end = (each: Parameters<typeof isRunning>[0]) => (isRunning(each) ? exited(each, exitCode, now, reason) : each);
    const pod = writer.write(at, ({ containerStatuses, initContainerStatuses }) => ({
      sandbox: false,
      over: true,
      containerStatuses: containerStatuses && mapStatuses(containerStatuses, end),
      initContainerStatuses: initContainerStatuses && mapStatuses(initContainerStatuses, end),
      ended: known?.ended,
      disrupted: known?.ended?.reason === 'Terminated' ? known.ended.message : undefined,
    }));
    timers.after(at.uid, latency(at.host), () => {
      stopping.delete(at.uid);
      const last = pod && writer.read(at);
      if (last?.metadata.deletionTimestamp !== undefined)
        api.remove(pods, at.namespace, at.name, { gracePeriodSeconds: 0, preconditions: { uid: at.uid } });
      known?.done?.();
    });
  }

  function arm(at: Placed, known: Stopping): void {
    timers.cancel(at.uid);
    const inTime = known.exitAt <= known.killAt;
    const end = inTime ? known.exitAt : known.killAt;
    timers.after(at.uid, Math.max(0, end - clock.now()), () => finish(at, inTime ? TERMINATED : KILLED));
  }

  return {
    isStopping: (uid) => stopping.has(uid),
    forget: (uid) => void stopping.delete(uid),
    bury(at) {
      timers.cancel(at.uid);
      finish(at, 255, 'Unknown');
    },
    stop(at, pod, { ended, grace = graceOf(pod), done } = {}) {
      const now = clock.now();
      const known = stopping.get(at.uid);
      if (known) {
        // The containers have had their SIGTERM; only the time of the SIGKILL moves, and never further away.
        const killAt = now + Math.max(LEAST_GRACE, grace);
        if (killAt >= known.killAt) return;
        known.killAt = killAt;
        return arm(at, known);
      }
      timers.cancel(at.uid);
      const seen = now + latency(at.host);
      const hook = Math.min(hookTime(pod), grace);
      const killAt = seen + hook + Math.max(LEAST_GRACE, grace - hook);
      const running = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].some(isRunning);
      const exitAt = running ? seen + hook + duration('stop', pod, at.host) : seen;
      const begun: Stopping = { exitAt, killAt, ended, done };
      stopping.set(at.uid, begun);
      timers.after(at.uid, seen - now, () => {
        // One status before the containers stop, as it acknowledges the generation that the deletion made.
        if (writer.write(at, () => ({}))) arm(at, begun);
      });
    },
  };
}
