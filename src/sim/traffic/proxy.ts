/** What the proxy on a client's side (kube-proxy) knows of a Service: the EndpointSlices of some moments ago. */
import type { Clock, Millis } from '../../lib/clock.ts';
import type { Latency } from '../apiserver/api.ts';
import type { Endpoint, EndpointSlice } from '../kubernetes.ts';
import type { Backend } from './backends.ts';

export interface Proxy {
  /** A slice has changed in the API server; null: it is gone. */
  learn(name: string, slice: EndpointSlice | null): void;
  /** One of the endpoints that get traffic. @param chance 0 <= x < 1 */
  pick(chance: number): Backend | undefined;
  stop(): void;
}

export interface ProxyOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly propagation: Latency;
  readonly backendOf: (endpoint: Endpoint) => Backend | undefined;
  /** Called before what is known changes. */
  readonly beforeChange: () => void;
}

export function createProxy({ clock, random, propagation, backendOf, beforeChange }: ProxyOptions): Proxy {
  const slices = new Map<string, EndpointSlice>();
  const pending = new Set<() => void>();
  let targets: readonly Backend[] | undefined = [];
  let latest: Millis = 0;

  function targetsNow(): readonly Backend[] {
    const endpoints = [...slices.values()].flatMap((slice) => slice.endpoints);
    const ready = endpoints.filter(({ conditions }) => conditions?.ready ?? true);
    // Without a ready one, those that stop but still serve: kube-proxy, pkg/proxy/topology.go (since 1.28).
    const used = ready.length > 0 ? ready : endpoints.filter(({ conditions }) => conditions?.serving && conditions.terminating);
    return used.flatMap((endpoint) => backendOf(endpoint) ?? []);
  }

  return {
    learn(name, slice) {
      // One watch carries all slices: a later change is never known before an earlier one.
      latest = Math.max(latest, clock.now() + propagation.least + random() * propagation.spread);
      const cancel = clock.after(latest - clock.now(), () => {
        pending.delete(cancel);
        beforeChange();
        if (slice) slices.set(name, slice);
        else slices.delete(name);
        targets = undefined;
      });
      pending.add(cancel);
    },
    pick(chance) {
      targets ??= targetsNow();
      return targets[Math.floor(chance * targets.length)];
    },
    stop() {
      for (const cancel of pending) cancel();
      pending.clear();
    },
  };
}
