/**
 * A snapshot without names. Every text is replaced unless it is known to be harmless: words of the Kubernetes API, quantities, times, uids,
 * numbers, and of the labels those that say what machines these are and in which zones.
 */
import { isIP } from 'node:net';
import { attachmentName } from '../controllers/attach-detach.ts';
import type { KubeObject, Labels, Node, OwnerReference, PersistentVolume, VolumeAttachment } from '../kubernetes.ts';
import { TEMPLATE_DIGEST } from './reduce.ts';
import { createPseudonyms, type Pseudonyms } from './pseudonyms.ts';
import type { Snapshot } from './snapshot.ts';

type Loose = Readonly<Record<string, unknown>>;

/** Fields with words of the API, quantities or times, whole with all that is in them. */
const HARMLESS = new Set([
  'accessModes',
  'addressType',
  'apiVersion',
  'action',
  'completionMode',
  'concurrencyPolicy',
  'creationTimestamp',
  'deletionTimestamp',
  'dnsPolicy',
  'effect',
  'externalTrafficPolicy',
  'finishedAt',
  'imagePullPolicy',
  'internalTrafficPolicy',
  'ipFamilies',
  'ipFamilyPolicy',
  'kind',
  'lastHeartbeatTime',
  'lastTransitionTime',
  'lastUpdateTime',
  'maxSurge',
  'maxUnavailable',
  'minAvailable',
  'nodeAffinityPolicy',
  'nodeInfo',
  'nodeTaintsPolicy',
  'operator',
  'persistentVolumeReclaimPolicy',
  'phase',
  'podManagementPolicy',
  'podReplacementPolicy',
  'policyTypes',
  'preemptionPolicy',
  'protocol',
  'qosClass',
  'reason',
  'reclaimPolicy',
  'resourceVersion',
  'restartPolicy',
  'schedule',
  'sessionAffinity',
  'startTime',
  'startedAt',
  'status',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'timeAdded',
  'uid',
  'unhealthyPodEvictionPolicy',
  'volumeBindingMode',
  'volumeMode',
  'whenDeleted',
  'whenScaled',
  'whenUnsatisfiable',
  'zone',
  '$patch',
]);
const HARMLESS_VALUES = new Set([
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'endpointslice.kubernetes.io/managed-by',
]);
/** Words of the API, but for those that others have added: "example.com/gate". */
const TYPES = new Set(['type', 'conditionType']);
const KEYED = new Set(['topologyKey', 'driver', 'attacher', 'provisioner', 'matchLabelKeys', 'finalizers']);
const PAIRS = new Set(['labels', 'matchLabels', 'nodeSelector']);
const RESOURCES = new Set(['requests', 'limits', 'capacity', 'allocatable', 'overhead']);
const ADDRESSES = new Set(['podIP', 'hostIP', 'clusterIP', 'clusterIPs', 'address', 'addresses']);
const MAINTENANCE = 'drover.dev/maintenance';

/** Whether the kind of a reference is one of Kubernetes' own. */
const isPublicGroup = (apiVersion: string) => {
  const group = apiVersion.split('/').length === 1 ? '' : (apiVersion.split('/')[0] ?? '');
  return !group.includes('.') || /(?:^|\.)k8s\.io$/.test(group);
};

function createScrubber(names: Pseudonyms): (object: KubeObject) => KubeObject {
  const labelValue = (key: string, value: string) => (HARMLESS_VALUES.has(key) ? value : names.name(value));

  const pairs = (given: Loose): Loose =>
    Object.fromEntries(Object.entries(given).map(([key, value]) => [names.key(key), labelValue(key, String(value))]));

  // Those without a domain are Kubernetes' own: cpu, memory, hugepages-2Mi.
  const resources = (given: Loose): Loose =>
    Object.fromEntries(Object.entries(given).map(([key, amount]) => [key.includes('/') ? names.key(key) : key, amount]));

  function annotations(given: Labels): Labels {
    const kept = Object.entries(given).flatMap(([key, value]): [string, string][] => {
      // They hold names inside of texts; what Drover has under way is left out of such a snapshot as a whole.
      if (key.startsWith('drover.dev/')) return [];
      if (key === TEMPLATE_DIGEST) return [[key, names.whole('template', value)]];
      if (key.startsWith('sim.drover.dev/')) return [[key, value]];
      return [[names.key(key), value.length > 63 ? names.whole('text', value) : names.name(value)]];
    });
    return Object.fromEntries(kept);
  }

  function reference(given: Loose): Loose {
    const { apiVersion, kind, ...rest } = given as unknown as OwnerReference;
    const own = apiVersion === undefined || isPublicGroup(apiVersion);
    const of = own
      ? { ...(apiVersion !== undefined && { apiVersion }), kind }
      : { apiVersion: names.name(apiVersion), kind: names.name(kind) };
    return { ...of, ...fields(rest) };
  }

  /** A taint, toleration or requirement: what the value is follows from the key. */
  function keyed({ key, value, values, ...rest }: Loose): Loose {
    const of = String(key);
    return {
      ...(key !== undefined && { key: names.key(of) }),
      ...(typeof value === 'string' && { value: labelValue(of, value) }),
      ...(Array.isArray(values) && { values: values.map((each) => labelValue(of, String(each))) }),
      ...fields(rest),
    };
  }

  function fields(given: Loose): Loose {
    if (typeof given['key'] === 'string') return keyed(given);
    return Object.fromEntries(Object.entries(given).map(([field, value]) => [field, scrubbed(field, value)]));
  }

  function text(field: string, value: string): string {
    if (HARMLESS.has(field)) return value;
    if (TYPES.has(field)) return value.includes('/') ? names.key(value) : value;
    if (KEYED.has(field)) return names.key(value);
    if (ADDRESSES.has(field)) return value === 'None' ? value : names.address(value);
    if (field === 'image') return `${names.whole('image', value)}:1`;
    if (field === 'message') return '';
    return names.name(value);
  }

  function scrubbed(field: string, value: unknown): unknown {
    if (typeof value === 'string') return text(field, value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      if (field === 'ownerReferences') return value.map((each) => reference(each as Loose));
      return value.map((each) => scrubbed(field, each));
    }
    const given = value as Loose;
    if (RESOURCES.has(field)) return resources(given);
    if (PAIRS.has(field)) return pairs(given);
    if (field === 'annotations') return annotations(given as Labels);
    if (field === 'scaleTargetRef') return reference(given);
    if (field === 'disruptedPods') return Object.fromEntries(Object.entries(given).map(([name, at]) => [names.name(name), at]));
    // Of a Service or ReplicationController: labels, not a LabelSelector.
    if (field === 'selector' && Object.values(given).every((each) => typeof each === 'string')) return pairs(given);
    if (field === 'nodeInfo') return given;
    return fields(given);
  }

  return (object) => fields(object) as unknown as KubeObject;
}

/** The ways in which a node is called: its name, that name's first part, its hostname. */
function nodeNames(node: Node): string[] {
  const { name, labels = {} } = node.metadata;
  const short = name.split('.')[0] ?? name;
  return [name, short, labels['kubernetes.io/hostname'] ?? name, ...(node.status?.addresses ?? []).map(({ address }) => address)];
}

function withoutWork(object: KubeObject): KubeObject {
  if (object.kind !== 'Node') return object;
  const { taints, providerID: _, podCIDR: __, ...spec } = (object as Node).spec;
  const kept = taints?.filter(({ key }) => key !== MAINTENANCE);
  return { ...object, spec: { ...spec, ...(kept?.length && { taints: kept }) } };
}

/** Static pods are named after their node, which is called otherwise now. */
function renamedStaticPod(object: KubeObject, names: Pseudonyms): string | undefined {
  const { nodeName } = (object['spec'] ?? {}) as { readonly nodeName?: string };
  const { name, annotations } = object.metadata;
  if (object.kind !== 'Pod' || annotations?.['kubernetes.io/config.mirror'] === undefined || nodeName === undefined)
    return undefined;
  return name.endsWith(`-${nodeName}`) ? `${names.name(name.slice(0, -nodeName.length - 1))}-${names.name(nodeName)}` : undefined;
}

/** An attachment is found by its name, which is made from what it attaches. */
function renamedAttachments(objects: readonly KubeObject[]): readonly KubeObject[] {
  const volumes = new Map<string, PersistentVolume>();
  for (const object of objects)
    if (object.kind === 'PersistentVolume') volumes.set(object.metadata.name, object as PersistentVolume);
  return objects.map((object) => {
    if (object.kind !== 'VolumeAttachment') return object;
    const { spec, metadata } = object as VolumeAttachment;
    const csi = volumes.get(spec.source.persistentVolumeName ?? '')?.spec.csi;
    if (!csi) return object;
    const name = attachmentName(csi.volumeHandle, csi.driver, spec.nodeName);
    return { ...object, metadata: { ...metadata, name } };
  });
}

/**
 * The same cluster under pseudonyms, consistently: the same name is the same pseudonym throughout. Maintenances and policies of Drover, and
 * what it noted on nodes and pods, are left out; so are providerIDs, messages and the address of the server.
 */
export function scrubSnapshot({ takenAt, objects, missing }: Snapshot): Snapshot {
  const names = createPseudonyms();
  for (const object of objects)
    if (object.kind === 'Node')
      for (const name of nodeNames(object as Node))
        if (isIP(name) === 0) names.register(name, names.whole('node', object.metadata.name));
  const scrub = createScrubber(names);
  const kept = objects.filter(({ apiVersion }) => !apiVersion.startsWith('drover.dev/'));
  return {
    takenAt,
    server: 'https://scrubbed.invalid',
    objects: renamedAttachments(
      kept.map((object) => {
        const out = scrub(withoutWork(object));
        const name = renamedStaticPod(object, names);
        return name === undefined ? out : { ...out, metadata: { ...out.metadata, name } };
      }),
    ),
    missing,
  };
}
