/** The EndpointSlice controller: which pods stand behind a Service, and whether they are to get traffic. */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { endpointSlices, nodes, pods, services } from '../apiserver/kinds.ts';
import { isPodFinished, isPodReady } from '../conditions.ts';
import type { EndpointSlice, Pod, Service } from '../kubernetes.ts';
import {
  endpointOf,
  MANAGED_BY,
  MANAGER,
  patchSlices,
  portsOf,
  reconcileSlices,
  SERVICE_NAME,
  type SliceChanges,
  type WantedEndpoint,
  wantedEndpoints,
} from './endpoints-of.ts';
import { createSelectedPods, type PodSet } from './selected-pods.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

export interface EndpointSliceOptions {
  readonly latency?: Latency;
  /** A changed pod waits this long for others to change too: --endpointslice-updates-batch-period. Default 0. */
  readonly batch?: Millis;
  /** Default 100: --max-endpoints-per-slice. */
  readonly mostPerSlice?: number;
}

function changed(previous: Pod, pod: Pod): boolean {
  return (
    previous.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    previous.status?.podIP !== pod.status?.podIP ||
    isPodReady(previous) !== isPodReady(pod) ||
    isPodFinished(previous) !== isPodFinished(pod)
  );
}

interface Members extends PodSet {
  readonly pods: ReadonlyMap<string, Pod>;
}

function createMembers(): Members {
  const byName = new Map<string, Pod>();
  return {
    pods: byName,
    put: (pod) => void byName.set(pod.metadata.name, pod),
    drop: (name) => void byName.delete(name),
  };
}

export function startEndpointSlices(api: Api, options: EndpointSliceOptions = {}): Part {
  const { batch = 0, mostPerSlice = 100 } = options;
  const members = createSelectedPods<Members>(api);
  const slicesOf = new Map<string, Set<string>>();
  /** By Service, the pods that have changed, uid to name; 'all' where the Service or its slices have. */
  const stale = new Map<string, Map<string, string> | 'all'>();
  /** Events that come while it writes are of its own writes: nothing to look at again. */
  let writing = false;

  function wantedOf(service: Service, pod: Pod): WantedEndpoint | 'no node' | undefined {
    const { nodeName } = pod.spec;
    const node = nodeName ? api.get(nodes, '', nodeName) : undefined;
    const endpoint = endpointOf(service, pod, node?.metadata.labels?.['topology.kubernetes.io/zone']);
    if (!endpoint) return undefined;
    if (nodeName && !node && !service.spec.publishNotReadyAddresses) return 'no node';
    return { ports: portsOf(service, pod), endpoint };
  }

  function existingOf(key: string, namespace: string): readonly EndpointSlice[] {
    const found: EndpointSlice[] = [];
    for (const name of slicesOf.get(key) ?? []) {
      const slice = api.get(endpointSlices, namespace, name);
      if (slice && slice.metadata.deletionTimestamp === undefined) found.push(slice);
    }
    return found;
  }

  /** Most changes are of one pod that stays in its slice; then the others are not even looked at. */
  function changesOf(key: string, service: Service, pods: Members['pods']): SliceChanges {
    const what = stale.get(key) ?? 'all';
    stale.delete(key);
    const existing = existingOf(key, service.metadata.namespace ?? '');
    if (what !== 'all') {
      const changes = patchSlices(existing, wantedByUid(service, pods, what), mostPerSlice);
      if (changes) return changes;
    }
    const wanted: WantedEndpoint[] = [];
    for (const pod of pods.values()) {
      const each = wantedOf(service, pod);
      if (each === 'no node') retryAll(key);
      else if (each) wanted.push(each);
    }
    return reconcileSlices(service, wantedEndpoints(wanted), existing, mostPerSlice);
  }

  function* wantedByUid(service: Service, pods: Members['pods'], uids: ReadonlyMap<string, string>) {
    for (const [uid, name] of uids) {
      const pod = pods.get(name);
      const wanted = pod?.metadata.uid === uid ? wantedOf(service, pod) : undefined;
      if (wanted === 'no node') retryAll(keyOf(service));
      yield { uid, wanted: wanted === 'no node' ? undefined : wanted };
    }
  }

  function retryAll(key: string): void {
    stale.set(key, 'all');
    queue.retry(key);
  }

  const queue = createWorkQueue({
    clock: api.clock,
    random: api.random,
    latency: options.latency,
    process(key) {
      const { namespace, name } = splitKey(key);
      const service = api.get(services, namespace, name);
      const selected = members.of(key);
      // The slices of a Service that is gone are its dependents, and go with it.
      if (!service || !selected || service.metadata.deletionTimestamp !== undefined) return;
      const changes = changesOf(key, service, selected.pods);
      writing = true;
      try {
        write(namespace, changes);
      } finally {
        writing = false;
      }
    },
  });

  function write(namespace: string, changes: SliceChanges): void {
    for (const slice of changes.create) api.create(endpointSlices, slice);
    for (const { metadata, endpoints, ports } of changes.update)
      api.modify(
        endpointSlices,
        namespace,
        metadata.name,
        (each: EndpointSlice): EndpointSlice => ({
          ...each,
          metadata: { ...each.metadata, ...(metadata.labels && { labels: metadata.labels }) },
          endpoints,
          ...(ports && { ports }),
        }),
      );
    for (const { metadata } of changes.remove) api.remove(endpointSlices, namespace, metadata.name);
  }

  function serviceOf({ metadata: { namespace = '', labels } }: EndpointSlice): string | undefined {
    const name = labels?.[SERVICE_NAME];
    return name !== undefined && labels?.[MANAGED_BY] === MANAGER ? `${namespace}/${name}` : undefined;
  }

  function all(key: string): void {
    stale.set(key, 'all');
    queue.add(key);
  }

  function one(key: string, { metadata: { uid, name } }: Pod): void {
    const known = stale.get(key);
    if (!known) stale.set(key, new Map([[uid, name]]));
    else if (known !== 'all') known.set(uid, name);
    queue.addAfter(key, batch);
  }

  const stops = [
    api.watch(
      endpointSlices,
      ({ type, object, previous }) => {
        const key = serviceOf(object);
        const before = previous && serviceOf(previous);
        if (before !== undefined && (before !== key || type === 'DELETED')) slicesOf.get(before)?.delete(object.metadata.name);
        if (key === undefined || type === 'DELETED') {
          // Somebody took a slice away: put it back.
          if (before !== undefined && !writing) all(before);
          return;
        }
        const slices = slicesOf.get(key);
        if (slices) slices.add(object.metadata.name);
        else slicesOf.set(key, new Set([object.metadata.name]));
        if (type === 'MODIFIED' && !writing) all(key);
      },
      { replay: true },
    ),
    api.watch(
      services,
      ({ type, object, previous }) => {
        const key = keyOf(object);
        const { selector } = object.spec;
        if (type === 'DELETED' || !selector || Object.keys(selector).length === 0) {
          members.delete(key);
          stale.delete(key);
          return;
        }
        if (previous?.spec.selector !== selector)
          members.set(key, object.metadata.namespace ?? '', { matchLabels: selector }, createMembers());
        all(key);
      },
      { replay: true },
    ),
    api.watch(
      pods,
      (event) => {
        const { now, left } = members.told(event);
        for (const key of left) one(key, event.object);
        // Who was not selected by this Service until now is told of in `now` alone, and has other labels.
        const joins = event.type !== 'MODIFIED' || event.previous.metadata.labels !== event.object.metadata.labels;
        if (joins || changed(event.previous, event.object)) for (const key of now) one(key, event.object);
      },
      { replay: true },
    ),
  ];

  return {
    name: 'endpoint-slices',
    stop() {
      for (const stop of stops) stop();
      queue.stop();
    },
  };
}
