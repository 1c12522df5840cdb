/** Writes Pods and Nodes from their JSON form as kube-apiserver would in protobuf; the numbers stand here a second time on purpose. */
type Part = [field: number, value: string | number | boolean | Buffer | undefined];

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** A message of these fields, in this order; undefined ones are left out. */
export function message(...parts: Part[]): Buffer {
  const bytes: Buffer[] = [];
  for (const [field, value] of parts) {
    if (value === undefined) continue;
    if (typeof value === 'number' || typeof value === 'boolean') bytes.push(varint(field * 8), varint(Number(value)));
    else {
      const body = Buffer.from(value as string);
      bytes.push(varint(field * 8 + 2), varint(body.length), body);
    }
  }
  return Buffer.concat(bytes);
}

const each = <T>(field: number, items: readonly T[] | undefined, write: (item: T) => string | Buffer): Part[] =>
  (items ?? []).map((item) => [field, write(item)]);
const map = (field: number, entries: Record<string, string> | undefined): Part[] =>
  Object.entries(entries ?? {}).map(([key, value]) => [field, message([1, key], [2, value])]);
const time = (text: string | null | undefined): Buffer | undefined =>
  text === undefined ? undefined : text === null ? Buffer.alloc(0) : message([1, Date.parse(text) / 1000], [2, 0]);

type Json = Record<string, any>;

function meta(raw: Json): Buffer {
  return message(
    [1, raw['name']],
    [2, ''],
    [3, raw['namespace'] ?? ''],
    [5, raw['uid']],
    [6, raw['resourceVersion']],
    [7, 0],
    [8, time(raw['creationTimestamp'] ?? null)],
    [9, time(raw['deletionTimestamp'])],
    [10, raw['deletionGracePeriodSeconds']],
    ...map(11, raw['labels']),
    ...map(12, raw['annotations']),
    ...each(13, raw['ownerReferences'], (owner: Json) =>
      message(
        [1, owner['kind']],
        [3, owner['name']],
        [4, owner['uid']],
        [5, owner['apiVersion'] ?? ''],
        [6, owner['controller']],
      ),
    ),
    ...each(14, raw['finalizers'], (finalizer: string) => finalizer),
    [17, message([1, 'manager'])],
  );
}

const selector = (raw: Json | undefined): Buffer | undefined =>
  raw &&
  message(
    ...map(1, raw['matchLabels']),
    ...each(2, raw['matchExpressions'], (term: Json) =>
      message([1, term['key']], [2, term['operator']], ...each(3, term['values'], String)),
    ),
  );
const term = (raw: Json): Buffer =>
  message(
    [1, selector(raw['labelSelector'])],
    [3, 'topology'],
    ...each(5, raw['matchLabelKeys'], String),
    ...each(6, raw['mismatchLabelKeys'], String),
  );
const affinity = (raw: Json | undefined): Buffer | undefined =>
  raw &&
  message(
    ...each(1, raw['requiredDuringSchedulingIgnoredDuringExecution'], term),
    ...each(2, raw['preferredDuringSchedulingIgnoredDuringExecution'], (weighted: Json) =>
      message([1, 5], [2, term(weighted['podAffinityTerm'])]),
    ),
  );
const volume = (raw: Json): Buffer =>
  message(
    [1, raw['name']],
    [
      2,
      message(
        [2, raw['emptyDir'] && Buffer.alloc(0)],
        [10, raw['persistentVolumeClaim'] && message([1, raw['persistentVolumeClaim'].claimName], [2, false])],
        [29, raw['ephemeral'] && message([1, Buffer.alloc(0)])],
      ),
    ],
  );
const container = (raw: Json): Buffer =>
  message(
    [1, 'c'],
    ...each(6, raw['ports'], (port: Json) => message([2, port['hostPort'] ?? 0], [3, 80], [4, 'TCP'])),
    [8, Buffer.alloc(0)],
    [24, raw['restartPolicy']],
  );
const containerStatus = (raw: Json): Buffer =>
  message(
    [1, 'c'],
    [2, message([1, raw['state']?.waiting && message([1, raw['state'].waiting.reason], [2, 'why'])])],
    [3, message([1, message([1, 'Before'])])],
  );
const condition = (raw: Json): Buffer =>
  message(
    [1, raw['type']],
    [2, raw['status']],
    [3, time(null)],
    [4, time(raw['lastTransitionTime'] ?? null)],
    [5, raw['reason'] ?? ''],
    [6, raw['message'] ?? ''],
  );

export function writePod({ metadata, spec, status }: Json): Buffer {
  return message(
    [1, meta(metadata)],
    [
      2,
      message(
        ...each(1, spec.volumes, volume),
        ...each(2, spec.containers, container),
        [3, 'Always'],
        [4, spec.terminationGracePeriodSeconds],
        [10, spec.nodeName ?? ''],
        [18, spec.affinity && message([2, affinity(spec.affinity.podAffinity)], [3, affinity(spec.affinity.podAntiAffinity)])],
        ...each(20, spec.initContainers, container),
        [24, spec.priorityClassName ?? ''],
        [25, spec.priority],
        ...each(33, spec.topologySpreadConstraints, (raw: Json) =>
          message([1, 1], [4, selector(raw['labelSelector'])], ...each(8, raw['matchLabelKeys'], String)),
        ),
      ),
    ],
    [
      3,
      message(
        [1, status.phase],
        ...each(2, status.conditions, condition),
        [6, '10.0.0.1'],
        ...each(8, status.containerStatuses, containerStatus),
        ...each(10, status.initContainerStatuses, containerStatus),
      ),
    ],
  );
}

export function writeNode({ metadata, spec, status }: Json): Buffer {
  const taint = (raw: Json) => message([1, raw['key']], [2, raw['value'] ?? ''], [3, raw['effect']], [4, time(raw['timeAdded'])]);
  return message(
    [1, meta(metadata)],
    [2, message([1, ''], [4, spec.unschedulable ?? false], ...each(5, spec.taints, taint))],
    [
      3,
      message([1, message([1, 'cpu'])], ...each(4, status.conditions, condition), [
        7,
        message(
          [1, 'm'],
          [3, status.nodeInfo.bootID],
          [4, status.nodeInfo.kernelVersion],
          [5, status.nodeInfo.osImage],
          [6, status.nodeInfo.containerRuntimeVersion],
          [7, status.nodeInfo.kubeletVersion],
        ),
      ]),
    ],
  );
}

/** `k8s\0` and runtime.Unknown around an object's message. */
export function envelope(kind: string, raw: Buffer): Buffer {
  return Buffer.concat([Buffer.from('k8s\0'), message([1, message([1, 'v1'], [2, kind])], [2, raw], [3, ''], [4, ''])]);
}

/** One frame of a watch stream, with its length in front. */
export function watchFrame(type: string, kind: string, raw: Buffer): Buffer {
  const event = message([1, type], [2, message([1, envelope(kind, raw)])]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}
