/** Traffic through the Services of the simulated cluster, and what it costs its clients when pods move. */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { endpointSlices, nodes } from '../apiserver/kinds.ts';
import { createBackends } from './backends.ts';
import { createFlow, defaultFlow, type Flow, type FlowSettings } from './flow.ts';
import { createProxy, type Proxy } from './proxy.ts';
import type { SecondOfTraffic, TrafficCounts } from './tally.ts';

export interface FlowTarget extends Partial<FlowSettings> {
  readonly namespace: string;
  readonly service: string;
}

export interface TrafficOptions {
  /** From a change of an EndpointSlice to the proxies that route by it. Default 20 to 180 ms. */
  readonly propagation?: Latency;
  /** On how many nodes the clients of a Service are, each with a proxy of its own. Default 3. */
  readonly proxies?: number;
  /** Requests are accounted for at least so often. Default 100 ms. */
  readonly tickMs?: Millis;
  /** False for a machine that does not answer. Default: it is up as long as there is a Node of its name. */
  readonly isNodeUp?: (name: string) => boolean;
}

export interface ServiceTraffic extends TrafficCounts {
  readonly namespace: string;
  readonly service: string;
}

export interface Traffic extends Part {
  /** Sends to a Service from when it first has an endpoint that is ready; a second flow to the same Service replaces the first. */
  send(target: FlowTarget): void;
  /** Ends the flow to a Service; its counts stay. */
  end(namespace: string, service: string): void;
  /** Until now, in the order in which the flows were added. */
  report(): ServiceTraffic[];
  /** @param from seconds since the epoch; default: the first one with traffic. */
  seconds(namespace: string, service: string, from?: number): SecondOfTraffic[];
}

interface Running {
  readonly target: FlowTarget;
  readonly proxies: readonly Proxy[];
  flow: Flow | undefined;
  hasEnded: boolean;
}

const SERVICE_LABEL = 'kubernetes.io/service-name';

export function startTraffic(api: Api, options: TrafficOptions = {}): Traffic {
  const { clock, random } = api;
  const propagation = options.propagation ?? { least: 20, spread: 160 };
  const isNodeUp = options.isNodeUp ?? ((name: string) => api.get(nodes, '', name) !== undefined);
  const backends = createBackends(api);
  const running = new Map<string, Running>();

  function begin(target: FlowTarget): Running {
    const beforeChange = () => {
      if (!each.hasEnded) each.flow?.catchUp();
    };
    const backendOf = (uid: string | undefined) => (uid === undefined ? undefined : backends.use(uid, beforeChange));
    const proxies = Array.from({ length: options.proxies ?? 3 }, () =>
      createProxy({ clock, random, propagation, beforeChange, backendOf: ({ targetRef }) => backendOf(targetRef?.uid) }),
    );
    const each: Running = { target, proxies, flow: undefined, hasEnded: false };
    return each;
  }

  // The first request waits for all proxies: an application that is not there yet is no failure of it.
  function look(each: Running): void {
    if (each.hasEnded) return;
    if (!each.flow && each.proxies.every((proxy) => proxy.pick(0)?.state === 'serving'))
      each.flow = createFlow({ clock, random, isNodeUp, proxies: each.proxies, settings: { ...defaultFlow, ...each.target } });
    each.flow?.catchUp();
  }

  const stopWatch = api.watch(endpointSlices, ({ type, object }) => {
    const { name, namespace, labels } = object.metadata;
    const each = running.get(`${namespace}/${labels?.[SERVICE_LABEL]}`);
    for (const proxy of each?.proxies ?? []) proxy.learn(name, type === 'DELETED' ? null : object);
  });

  const tickMs = options.tickMs ?? 100;
  const begun = clock.now();
  let cancelTick: (() => void) | undefined;
  const tick = () => {
    cancelTick = undefined;
    for (const each of running.values()) look(each);
    lookSoon();
  };
  // Always at the same instants, but only while there is something to look at: ten hours of a plan would be 360,000 of them.
  const lookSoon = () => {
    if (running.size > 0) cancelTick ??= clock.after(tickMs - ((clock.now() - begun) % tickMs), tick);
  };

  function end(each: Running | undefined): void {
    if (!each || each.hasEnded) return;
    each.flow?.catchUp();
    each.hasEnded = true;
    for (const proxy of each.proxies) proxy.stop();
  }

  return {
    name: 'traffic',
    send(target) {
      const { namespace, service } = target;
      const key = `${namespace}/${service}`;
      end(running.get(key));
      const each = begin(target);
      running.set(key, each);
      lookSoon();
      for (const slice of api.list(endpointSlices, { namespace, labels: { matchLabels: { [SERVICE_LABEL]: service } } }))
        for (const proxy of each.proxies) proxy.learn(slice.metadata.name, slice);
    },
    end: (namespace, service) => end(running.get(`${namespace}/${service}`)),
    report() {
      return [...running.values()].flatMap((each) => {
        if (!each.hasEnded) each.flow?.catchUp();
        const { namespace, service } = each.target;
        return each.flow ? { namespace, service, ...each.flow.tally.counts() } : [];
      });
    },
    seconds: (namespace, service, from) => running.get(`${namespace}/${service}`)?.flow?.tally.seconds(from) ?? [],
    stop() {
      cancelTick?.();
      stopWatch();
      for (const each of running.values()) end(each);
      backends.stop();
    },
  };
}
