/** A Service's endpoints and how they are spread over EndpointSlices (k8s.io/endpointslice, reconciler.go), as pure functions. */
import { isPodFinished, isPodReady } from '../conditions.ts';
import type { Container, Endpoint, EndpointSlice, Labels, Metadata, Pod, Service } from '../kubernetes.ts';

type Port = NonNullable<EndpointSlice['ports']>[number];
type ServicePort = NonNullable<Service['spec']['ports']>[number];

export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const MANAGER = 'endpointslice-controller.k8s.io';
const HEADLESS = 'service.kubernetes.io/headless';

function portNumber({ spec }: Pod, { targetPort, port, protocol = 'TCP' }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort || port;
  if (targetPort === undefined) return port;
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const named = (container: Container) =>
    container.ports?.find((each) => each.name === targetPort && (each.protocol ?? 'TCP') === protocol)?.containerPort;
  for (const container of [...spec.containers, ...sidecars]) {
    const found = named(container);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function portsOf(service: Service, pod: Pod): readonly Port[] {
  const ports: Port[] = [];
  for (const each of service.spec.ports ?? []) {
    const port = portNumber(pod, each);
    if (port !== undefined) ports.push({ name: each.name ?? '', port, protocol: each.protocol ?? 'TCP' });
  }
  return ports;
}

/** A finished pod has none, a terminating one stays until it has finished: it may still serve. */
export function endpointOf(service: Service, pod: Pod, zone: string | undefined): Endpoint | undefined {
  const address = pod.status?.podIP;
  if (isPodFinished(pod) || address === undefined || address.includes(':')) return undefined;
  const { publishNotReadyAddresses = false } = service.spec;
  const { name, namespace = '', uid, deletionTimestamp } = pod.metadata;
  const serving = isPodReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const { hostname, subdomain, nodeName } = pod.spec;
  return {
    addresses: [address],
    conditions: { ready: publishNotReadyAddresses || (serving && !terminating), serving, terminating },
    ...(hostname && subdomain === service.metadata.name && namespace === service.metadata.namespace && { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName && { nodeName }),
    ...(zone !== undefined && zone !== '' && { zone }),
  };
}

export function sliceLabels({ metadata, spec }: Service): Labels {
  const { [SERVICE_NAME]: _, [MANAGED_BY]: __, [HEADLESS]: ___, ...labels } = metadata.labels ?? {};
  const headless = spec.clusterIP === 'None' || spec.clusterIP === undefined || spec.clusterIP === '';
  return { ...labels, ...(headless && { [HEADLESS]: '' }), [SERVICE_NAME]: metadata.name, [MANAGED_BY]: MANAGER };
}

export type NewSlice = Pick<EndpointSlice, 'apiVersion' | 'kind' | 'addressType' | 'endpoints' | 'ports'> & {
  readonly metadata: Partial<Metadata>;
};

export interface SliceChanges {
  readonly create: readonly NewSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

const portKey = (ports: readonly Port[] = []) =>
  ports
    .map(({ name, port, protocol }) => `${name}|${port}|${protocol}`)
    .sort()
    .join();
const endpointKey = ({ addresses, targetRef }: Endpoint) => `${targetRef?.uid}/${addresses.join()}`;

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.conditions?.ready === b.conditions?.ready &&
    a.conditions?.serving === b.conditions?.serving &&
    a.conditions?.terminating === b.conditions?.terminating &&
    a.nodeName === b.nodeName &&
    a.zone === b.zone
  );
}

function sameLabels(a: Labels = {}, b: Labels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/** What is wanted: by the ports that the pods stand for, the endpoints in order. */
export type Wanted = ReadonlyMap<string, { readonly ports: readonly Port[]; readonly endpoints: readonly Endpoint[] }>;

export interface WantedEndpoint {
  readonly ports: readonly Port[];
  readonly endpoint: Endpoint;
}

export function wantedEndpoints(entries: Iterable<WantedEndpoint>): Wanted {
  const wanted = new Map<string, { ports: readonly Port[]; endpoints: Endpoint[] }>();
  for (const { ports, endpoint } of entries) {
    const key = portKey(ports);
    const group = wanted.get(key);
    if (group) group.endpoints.push(endpoint);
    else wanted.set(key, { ports, endpoints: [endpoint] });
  }
  return wanted;
}

/**
 * Endpoints stay in the slice that they are in. New ones fill up slices that change anyhow, then one that has room for all of them, then new
 * slices. A Service without endpoints keeps one empty slice.
 */
export function reconcileSlices(service: Service, wanted: Wanted, existing: readonly EndpointSlice[], most = 100): SliceChanges {
  const labels = sliceLabels(service);
  const { name, namespace = '', uid } = service.metadata;
  const draft = (ports: readonly Port[], endpoints: readonly Endpoint[]): NewSlice => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    addressType: 'IPv4',
    endpoints,
    ports,
  });
  const create: NewSlice[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  const byPorts = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const owned = slice.metadata.ownerReferences?.some((each) => each.uid === uid);
    const key = portKey(slice.ports);
    if (!owned) remove.push(slice);
    else byPorts.set(key, [...(byPorts.get(key) ?? []), slice]);
  }
  for (const [key, { ports, endpoints }] of wanted) {
    const open = new Map(endpoints.map((each) => [endpointKey(each), each]));
    const changed: { slice: EndpointSlice; endpoints: Endpoint[] }[] = [];
    const unchanged: EndpointSlice[] = [];
    for (const slice of byPorts.get(key) ?? []) {
      let differs = !sameLabels(slice.metadata.labels, labels);
      const kept: Endpoint[] = [];
      for (const old of slice.endpoints) {
        const now = open.get(endpointKey(old));
        if (!now) continue;
        open.delete(endpointKey(old));
        kept.push(now);
        differs ||= !sameEndpoint(old, now);
      }
      if (kept.length === 0 && slice.endpoints.length > 0) remove.push(slice);
      else if (differs || kept.length < slice.endpoints.length) changed.push({ slice, endpoints: kept });
      else unchanged.push(slice);
    }
    byPorts.delete(key);
    const rest = [...open.values()];
    for (const each of changed.toSorted((a, b) => b.endpoints.length - a.endpoints.length))
      each.endpoints.push(...rest.splice(0, Math.max(0, most - each.endpoints.length)));
    const roomy = unchanged
      .filter((slice) => rest.length > 0 && slice.endpoints.length + rest.length <= most)
      .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
    if (roomy) changed.push({ slice: roomy, endpoints: [...roomy.endpoints, ...rest.splice(0)] });
    while (rest.length > 0) create.push(draft(ports, rest.splice(0, most)));
    for (const { slice, endpoints: filled } of changed)
      update.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: filled });
  }
  for (const slices of byPorts.values()) remove.push(...slices);
  if (existing.length === remove.length && create.length === 0) create.push(draft([], []));
  return reuse({ create, update, remove }, uid, labels);
}

/** A slice that would go takes in one that would come: fewer names change for those who watch (reconciler.go, finalize). */
function reuse({ create, update, remove }: SliceChanges, uid: string, labels: Labels): SliceChanges {
  const drafts = [...create];
  const updated = [...update];
  const gone: EndpointSlice[] = [];
  for (const slice of remove) {
    const owned = slice.metadata.ownerReferences?.some((each) => each.uid === uid);
    const next = owned ? drafts.pop() : undefined;
    if (!next) gone.push(slice);
    else if (!isPlaceholder(slice, labels) || !isPlaceholder(next, labels))
      updated.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: next.endpoints, ports: next.ports ?? [] });
  }
  return { create: drafts, update: updated, remove: gone };
}

function isPlaceholder(slice: Pick<NewSlice, 'metadata' | 'endpoints' | 'ports'>, labels: Labels): boolean {
  return slice.endpoints.length === 0 && !slice.ports?.length && sameLabels(slice.metadata.labels, labels);
}

/**
 * The slices with only these pods brought up to date, found by their uids. Undefined where that is not enough: a slice would be empty or too
 * full, or a pod has other ports than its slice.
 */
export function patchSlices(
  existing: readonly EndpointSlice[],
  pods: Iterable<{ readonly uid: string; readonly wanted: WantedEndpoint | undefined }>,
  most = 100,
): SliceChanges | undefined {
  const edits = new Map<EndpointSlice, Endpoint[]>();
  const now = (slice: EndpointSlice): readonly Endpoint[] => edits.get(slice) ?? slice.endpoints;
  const edit = (slice: EndpointSlice): Endpoint[] => {
    const copy = edits.get(slice) ?? [...slice.endpoints];
    edits.set(slice, copy);
    return copy;
  };
  for (const { uid, wanted } of pods) {
    let at = -1;
    const slice = existing.find((each) => (at = now(each).findIndex(({ targetRef }) => targetRef?.uid === uid)) >= 0);
    const old = slice && now(slice)[at];
    if (slice && old && wanted) {
      if (endpointKey(old) !== endpointKey(wanted.endpoint) || portKey(slice.ports) !== portKey(wanted.ports)) return undefined;
      if (!sameEndpoint(old, wanted.endpoint)) edit(slice)[at] = wanted.endpoint;
    } else if (slice) {
      if (now(slice).length === 1) return undefined;
      edit(slice).splice(at, 1);
    } else if (wanted) {
      const key = portKey(wanted.ports);
      const open = existing.filter((each) => now(each).length > 0 && now(each).length < most && portKey(each.ports) === key);
      const into = open.find((each) => edits.has(each)) ?? open.sort((a, b) => now(b).length - now(a).length)[0];
      if (!into) return undefined;
      edit(into).push(wanted.endpoint);
    }
  }
  return { create: [], remove: [], update: [...edits].map(([slice, endpoints]) => ({ ...slice, endpoints })) };
}
