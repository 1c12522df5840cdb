import type { KubeObject, Lease, Namespace, Node, VolumeAttachment } from '../../kubernetes.ts';
import { age, columns, type Printer, printer, since } from './cell.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function roles(node: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) found.add(key.slice(ROLE_PREFIX.length));
    else if (key === 'kubernetes.io/role' && value !== '') found.add(value);
  }
  return [...found].sort().join(',') || '<none>';
}

function nodeStatus(node: Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const status = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return node.spec?.unschedulable ? `${status},SchedulingDisabled` : status;
}

const addressOf = (node: Node, type: string) =>
  node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>';

export const nodeTable = printer<Node>(
  'Status Roles Age Version Internal-IP* External-IP* OS-Image* Kernel-Version* Container-Runtime*',
  (node, now) => {
    const info = node.status?.nodeInfo ?? {};
    return [
      nodeStatus(node),
      roles(node),
      age(node, now),
      info.kubeletVersion ?? '',
      addressOf(node, 'InternalIP'),
      addressOf(node, 'ExternalIP'),
      info.osImage || '<unknown>',
      info.kernelVersion || '<unknown>',
      info.containerRuntimeVersion || '<unknown>',
    ];
  },
);

export const namespaceTable = printer<Namespace>('Status Age', (object, now) => [object.status?.phase ?? '', age(object, now)]);

export const leaseTable = printer<Lease>('Holder Age', (lease, now) => [lease.spec?.holderIdentity ?? '', age(lease, now)]);

export const volumeAttachmentTable = printer<VolumeAttachment>('Attacher PV Node Attached:boolean Age', (object, now) => [
  object.spec.attacher,
  object.spec.source.persistentVolumeName ?? '',
  object.spec.nodeName,
  object.status?.attached ?? false,
  age(object, now),
]);

interface EventFields extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly note?: string;
  readonly count?: number;
  readonly eventTime?: string | null;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly deprecatedCount?: number;
  readonly deprecatedFirstTimestamp?: string | null;
  readonly deprecatedLastTimestamp?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly fieldPath?: string };
  readonly regarding?: EventFields['involvedObject'];
  readonly source?: { readonly component?: string; readonly host?: string };
  readonly deprecatedSource?: EventFields['source'];
  readonly reportingComponent?: string;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
}

function sourceCell(event: EventFields): string {
  const source = event.source ?? event.deprecatedSource;
  const component = source?.component || event.reportingComponent || event.reportingController || '';
  const host = source?.host || event.reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}

/** Both Event kinds: what core calls involvedObject, message and count, events.k8s.io calls regarding, note and deprecatedCount. */
export const eventTable: Printer<EventFields> = {
  columns: columns('Last_Seen Type Reason Object Subobject* Source* Message First_Seen* Count* Name*'),
  cells: (event, now) => {
    const about = event.involvedObject ?? event.regarding ?? {};
    const first = since(event.firstTimestamp ?? event.deprecatedFirstTimestamp ?? event.eventTime, now);
    const lastTime = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.deprecatedLastTimestamp;
    const kind = (about.kind ?? '').toLowerCase();
    return [
      lastTime ? since(lastTime, now) : first,
      event.type ?? '',
      event.reason ?? '',
      about.name ? `${kind}/${about.name}` : kind,
      about.fieldPath ?? '',
      sourceCell(event),
      (event.message ?? event.note ?? '').trim(),
      first,
      event.series?.count ?? (event.count || event.deprecatedCount || 1),
      event.metadata.name,
    ];
  },
};

interface Binding extends KubeObject {
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

export const roleBindingTable = printer<Binding>('Role Age Users* Groups* ServiceAccounts*', (object, now) => {
  const named = (kind: string) => (object.subjects ?? []).filter((subject) => subject.kind === kind);
  const names = (kind: string) =>
    named(kind)
      .map(({ name }) => name)
      .join(', ');
  return [
    `${object.roleRef?.kind}/${object.roleRef?.name}`,
    age(object, now),
    names('User'),
    names('Group'),
    named('ServiceAccount')
      .map(({ name, namespace }) => `${namespace ?? ''}/${name}`)
      .join(', '),
  ];
});

export const priorityClassTable = printer<KubeObject>(
  'Value:integer Global-Default:boolean Age PreemptionPolicy',
  (object, now) => [
    Number(object.value ?? 0),
    object.globalDefault === true,
    age(object, now),
    typeof object.preemptionPolicy === 'string' ? object.preemptionPolicy : '',
  ],
);

/** What the server knows no printer for (apiserver pkg/registry/rest/table.go). */
export const plainTable: Printer = {
  columns: columns('Name Created_At:date'),
  cells: (object) => [object.metadata.name, object.metadata.creationTimestamp],
};
